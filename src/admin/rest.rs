//! The REST webhook resource: two requests to read a shop, one for each mutation, in order.
//!
//! Lossy: it shows neither filter nor name, and PUT changes address and lists only. What it does not show is marked as
//! unknown (`Visibility`), and what it cannot say is refused here before it is sent.

mod ask;
mod decode;
mod link;
mod refusal;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::documents::{Input, Mutation};
use super::error::{AdminError, Kind};
use super::reader::Said;
use super::reading::{Budget, Pass};
use super::refusal::{RefusalKind, UserError};
use super::retry::Purpose;
use super::session::Session;
use super::writer::{Answer, made};
use crate::model::{ScopeSet, SubscriptionId};
use crate::state::Observed;
use ask::{Ask, Body, Reply, ask};

/// How many mutations belong together: few, so that an interrupt does not wait for long at two calls a second.
pub(super) const BATCH: usize = 10;
/// The most that Shopify gives in a page (documented).
const PAGE: usize = 250;

/// One pass over all pages, and the scopes.
pub(super) async fn pass(session: &mut Session) -> Result<(Pass, Said), AdminError> {
    let mut query = format!("limit={PAGE}");
    let mut entries = Vec::new();
    let mut budget = Budget::new();
    let mut said = Said::default();
    loop {
        let body = get(session, session.versioned(&format!("webhooks.json?{query}"))).await?;
        let list = decode::webhooks(body.json, &session.redactor)?;
        budget.take(list.len(), body.size)?;
        if budget.pages() == 1 {
            let (served_version, deprecated_reason) = (body.served_version, body.deprecated_reason);
            said = Said { served_version, deprecated_reason, ..Said::default() };
        }
        let next = match body.link {
            // Only the cursor is taken of a link, never its host: that is where the token would go.
            Some(link) => link::next(&link).map(|cursor| encoded("page_info", &cursor)),
            None if list.len() < PAGE => None,
            None => Some(encoded("since_id", &last_of(&list, session)?.to_string())),
        };
        entries.extend(list);
        let Some(next) = next.map(|next| format!("limit={PAGE}&{next}")) else { break };
        if next == query {
            return Err(super::decode::unexpected("the same page again and again", &session.redactor));
        }
        query = next;
    }
    let scopes = scopes(session).await?;
    Ok((Pass { observed: Observed { scopes: Some(scopes), entries }, pages: budget.pages() }, said))
}

/// The scopes granted; the same request whatever transport and version.
pub(super) async fn scopes(session: &mut Session) -> Result<ScopeSet, AdminError> {
    let body = get(session, session.url("/admin/oauth/access_scopes.json")).await?;
    decode::scopes(body.json, &session.redactor)
}

fn encoded(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

/// The id that `since_id` goes on from; only a page in the order of ids says what came before.
fn last_of(list: &[crate::state::Entry<crate::model::Live>], session: &Session) -> Result<u64, AdminError> {
    let mut ids = list.iter().map(|entry| entry.meta.id.number());
    let mut last = ids.next().flatten();
    for id in ids {
        last = id.filter(|id| last.is_some_and(|last| last < *id));
    }
    last.ok_or_else(|| super::decode::unexpected("a page in no order, and no link to the next", &session.redactor))
}

async fn get(session: &mut Session, url: String) -> Result<Body, AdminError> {
    match ask(session, &Ask { purpose: Purpose::Read, method: reqwest::Method::GET, url, body: None }).await? {
        Reply::Body(body) => Ok(body),
        Reply::Refused(errors) => {
            let texts: Vec<_> = errors.into_iter().map(|error| error.message).collect();
            Err(super::decode::unexpected(&texts.join("; "), &session.redactor))
        }
    }
}

/// Sends the mutations one after the other and answers for each.
pub(super) async fn send(session: &mut Session, batch: &[Mutation]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut stopped: Option<AdminError> = None;
    for mutation in batch {
        let answer = match &stopped {
            Some(error) => Answer::Failed(error.clone().proven()),
            None => one(session, mutation).await,
        };
        if let Answer::Failed(error) | Answer::Lost(error) = &answer {
            // A missing scope is one topic's: the next mutation may be of another.
            let stops = error.stops_the_shop() && error.kind != Kind::MissingScope;
            stopped = stopped.or_else(|| stops.then(|| error.clone()));
        }
        answers.push(answer);
    }
    answers
}

async fn one(session: &mut Session, mutation: &Mutation) -> Answer {
    let (method, url, body) = match mutation {
        Mutation::Create { topic, input } => {
            let mut webhook = changeable(input);
            webhook["topic"] = topic.as_str().into();
            webhook["format"] = input.format.as_str().into();
            (reqwest::Method::POST, session.versioned("webhooks.json"), Some(webhook))
        }
        Mutation::Update { id, input } => match path_of(id) {
            Some(path) => (reqwest::Method::PUT, session.versioned(&path), Some(changeable(input))),
            None => return no_number(id),
        },
        Mutation::Delete { id } => match path_of(id) {
            Some(path) => (reqwest::Method::DELETE, session.versioned(&path), None),
            None => return no_number(id),
        },
    };
    if let Mutation::Create { input, .. } | Mutation::Update { input, .. } = mutation
        && let Some(field) = unsayable(input)
    {
        return refused(vec![UserError {
            field: vec![field.to_owned()],
            message: format!("{field} cannot be sent over REST; nothing was sent"),
        }]);
    }
    let body = body.map(|webhook| json!({ "webhook": webhook }).to_string().into_bytes());
    match ask(session, &Ask { purpose: Purpose::Mutate, method, url, body }).await {
        Ok(Reply::Refused(errors)) => refused(errors),
        Ok(Reply::Body(_)) if matches!(mutation, Mutation::Delete { .. }) => Answer::Done(None),
        Ok(Reply::Body(body)) => match decode::webhook(body.json, &session.redactor) {
            Ok(entry) => made(mutation, entry, &session.redactor).unwrap_or_else(Answer::Lost),
            Err(error) => Answer::Lost(error),
        },
        Err(error) if error.proof == super::Proof::NothingHappened => Answer::Failed(error),
        Err(error) => Answer::Lost(error),
    }
}

fn refused(errors: Vec<UserError>) -> Answer {
    let kind = RefusalKind::of(&errors);
    Answer::Refused { errors, kind }
}

/// What PUT can change (documented): all of it is sent, as over GraphQL.
fn changeable(input: &Input) -> Value {
    json!({
        "address": input.address.as_str(),
        "fields": input.include_fields,
        "metafield_namespaces": input.metafield_namespaces,
    })
}

/// Left out, it would be lost without a word.
fn unsayable(input: &Input) -> Option<&'static str> {
    let Input { filter, name, metafields, .. } = input;
    let said = [(!filter.is_empty(), "filter"), (name.is_some(), "name"), (metafields.is_some(), "metafields")];
    said.into_iter().find(|(said, _)| *said).map(|(_, field)| field)
}

fn path_of(id: &SubscriptionId) -> Option<String> {
    id.number().map(|number| format!("webhooks/{number}.json"))
}

fn no_number(id: &SubscriptionId) -> Answer {
    let message = format!("{id} has no number, and REST knows subscriptions by their numbers");
    Answer::Failed(AdminError::new(Kind::UnexpectedAnswer, message).proven())
}

#[cfg(test)]
mod tests;
