//! The REST webhook resource: two requests to read a shop, and one for each mutation, in order.
//!
//! REST returns neither filter nor name, and PUT changes only the address and the lists. Missing fields are marked as
//! unknown (`Visibility`), and a change that REST cannot express is refused before it is sent.

mod decode;

use reqwest::Method;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::answer::{Answer, RefusalKind, UserError, made};
use super::classify;
use super::decode::unexpected;
use super::documents::{Input, Mutation};
use super::error::{AdminError, AdminErrorKind};
use super::reading::{Budget, Extras, Pass};
use super::retry::{Purpose, Tally};
use super::session::{Request, Session};
use super::throttle::Bucket;
use crate::http::{Classified as _, Failed, Proof, Response, retry_seconds, words};
use crate::json::names_a_key_twice;
use crate::model::{Live, ScopeSet, SubscriptionId};
use crate::state::{Entry, Observed};

/// The number of mutations in a batch: small, so that an interrupt does not wait long at two calls a second.
pub(super) const BATCH: usize = 10;
/// The largest page (documented).
const PAGE: usize = 250;

/// Reads all pages once, and the scopes.
pub(super) async fn pass(session: &mut Session) -> Result<(Pass, Extras), AdminError> {
    let mut query = format!("limit={PAGE}");
    let mut entries = Vec::new();
    let mut budget = Budget::new();
    let mut extras = Extras::default();
    loop {
        let body = get(session, session.versioned(&format!("webhooks.json?{query}"))).await?;
        let list = decode::webhooks(body.json, &session.redactor)?;
        budget.take(list.len(), body.size)?;
        if budget.pages() == 1 {
            let (served_version, deprecated_reason) = (body.served_version, body.deprecated_reason);
            extras = Extras { served_version, deprecated_reason, ..Extras::default() };
        }
        let next = match body.link {
            // Only the cursor of a link is used, never its host, which would receive the token.
            Some(link) => decode::next_page(&link).map(|cursor| encoded("page_info", &cursor)),
            None if list.len() < PAGE => None,
            None => Some(encoded("since_id", &last_of(&list, session)?.to_string())),
        };
        entries.extend(list);
        let Some(next) = next.map(|next| format!("limit={PAGE}&{next}")) else { break };
        if next == query {
            return Err(unexpected("the same page repeats", &session.redactor));
        }
        query = next;
    }
    let scopes = scopes(session).await?;
    Ok((Pass { observed: Observed { scopes: Some(scopes), entries }, pages: budget.pages() }, extras))
}

/// Reads the granted scopes. The request depends on neither transport nor version.
pub(super) async fn scopes(session: &mut Session) -> Result<ScopeSet, AdminError> {
    let body = get(session, session.url("/admin/oauth/access_scopes.json")).await?;
    decode::scopes(body.json, &session.redactor)
}

fn encoded(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

/// Returns the id to continue from with `since_id`. Only a page that is sorted by id has one.
fn last_of(list: &[Entry<Live>], session: &Session) -> Result<u64, AdminError> {
    let mut ids = list.iter().map(|entry| entry.meta.id.number());
    let mut last = ids.next().flatten();
    for id in ids {
        last = id.filter(|id| last.is_some_and(|last| last < *id));
    }
    last.ok_or_else(|| unexpected("a page is not sorted by id and has no link to the next page", &session.redactor))
}

async fn get(session: &mut Session, url: String) -> Result<Body, AdminError> {
    match call(session, &Call { purpose: Purpose::Read, method: Method::GET, url, body: None }).await? {
        Reply::Body(body) => Ok(body),
        Reply::Refused(errors) => {
            let texts: Vec<_> = errors.into_iter().map(|error| error.message).collect();
            Err(unexpected(&texts.join("; "), &session.redactor))
        }
    }
}

/// Sends the mutations in order. Each has an answer.
pub(super) async fn send(session: &mut Session, batch: &[Mutation]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut stopped: Option<AdminError> = None;
    for mutation in batch {
        let answer = match &stopped {
            Some(error) => Answer::Failed(error.clone().proven()),
            None => one(session, mutation).await,
        };
        if let Answer::Failed(error) | Answer::Lost(error) = &answer {
            stopped = stopped.or_else(|| error.kind.ends_shop().then(|| error.clone()));
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
            (Method::POST, session.versioned("webhooks.json"), Some(webhook))
        }
        Mutation::Update { id, input } => match path_of(id) {
            Some(path) => (Method::PUT, session.versioned(&path), Some(changeable(input))),
            None => return no_number(id),
        },
        Mutation::Delete { id } => match path_of(id) {
            Some(path) => (Method::DELETE, session.versioned(&path), None),
            None => return no_number(id),
        },
    };
    if let Mutation::Create { input, .. } | Mutation::Update { input, .. } = mutation
        && let Some(field) = unsupported_field(input)
    {
        return refused(vec![UserError {
            field: vec![field.to_owned()],
            message: format!("`{field}` cannot be sent over REST. Nothing was sent"),
        }]);
    }
    let body = body.map(|webhook| json!({ "webhook": webhook }).to_string().into_bytes());
    match call(session, &Call { purpose: Purpose::Mutate, method, url, body }).await {
        Ok(Reply::Refused(errors)) => refused(errors),
        Ok(Reply::Body(_)) if matches!(mutation, Mutation::Delete { .. }) => Answer::Done(None),
        Ok(Reply::Body(body)) => match decode::webhook(body.json, &session.redactor) {
            Ok(entry) => made(mutation, entry, &session.redactor).unwrap_or_else(Answer::Lost),
            Err(error) => Answer::Lost(error),
        },
        Err(error) if error.proof == Proof::NothingHappened => Answer::Failed(error),
        Err(error) => Answer::Lost(error),
    }
}

fn refused(errors: Vec<UserError>) -> Answer {
    let kind = RefusalKind::of(&errors);
    Answer::Refused { errors, kind }
}

/// Returns all fields that PUT can change (documented). All are sent, as over GraphQL.
fn changeable(input: &Input) -> Value {
    json!({
        "address": input.address.as_str(),
        "fields": input.include_fields,
        "metafield_namespaces": input.metafield_namespaces,
    })
}

/// Returns a field that REST cannot send; omitting it would lose it silently.
fn unsupported_field(input: &Input) -> Option<&'static str> {
    let Input { filter, name, metafields, .. } = input;
    let unsupported = [(!filter.is_empty(), "filter"), (name.is_some(), "name"), (metafields.is_some(), "metafields")];
    unsupported.into_iter().find(|(set, _)| *set).map(|(_, field)| field)
}

fn path_of(id: &SubscriptionId) -> Option<String> {
    id.number().map(|number| format!("webhooks/{number}.json"))
}

fn no_number(id: &SubscriptionId) -> Answer {
    let message = format!("{id} has no number, but REST identifies subscriptions by number");
    Answer::Failed(AdminError::new(AdminErrorKind::UnexpectedAnswer, message).proven())
}

/// A request.
struct Call {
    purpose: Purpose,
    method: Method,
    url: String,
    body: Option<Vec<u8>>,
}

/// An answer to a [`Call`].
enum Reply {
    /// The request was carried out.
    Body(Body),
    /// The request was refused; nothing was changed.
    Refused(Vec<UserError>),
}

/// The parts of a response that are used.
struct Body {
    json: Map<String, Value>,
    /// In bytes.
    size: usize,
    link: Option<String>,
    served_version: Option<String>,
    deprecated_reason: Option<String>,
}

/// The cost of every request: one call of the bucket.
const CALL: f64 = 1.0;

/// Sends a request until there is a response, or until another attempt is useless.
async fn call(session: &mut Session, call: &Call) -> Result<Reply, AdminError> {
    let mut tally = Tally::default();
    loop {
        session.before(Some(CALL), call.purpose).await.map_err(|error| tally.cause(error, call.purpose))?;
        match exchange(session, call).await {
            Ok(reply) => return Ok(reply),
            Err(failure) => session.again(failure, &mut tally, Some(CALL), call.purpose).await?,
        }
    }
}

async fn exchange(session: &mut Session, call: &Call) -> Result<Reply, Failed<AdminErrorKind>> {
    let Call { purpose, method, url, body } = call;
    let request = Request { method: method.clone(), url, body: body.clone() };
    let answer = session.send(request, *purpose).await?;
    learn(session, &answer);
    if matches!(answer.status, 200 | 201) {
        let json = match serde_json::from_slice(&answer.body) {
            Ok(Value::Object(json)) if !names_a_key_twice(&answer.body) && !says_errors(&json) => json,
            _ => return Err(classify::unreadable(&answer, "REST", &session.redactor).into()),
        };
        return Ok(Reply::Body(Body {
            json,
            size: answer.body.len(),
            link: answer.header("link"),
            served_version: answer.header("x-shopify-api-version"),
            deprecated_reason: answer.header("x-shopify-api-deprecated-reason"),
        }));
    }
    if *purpose == Purpose::Mutate
        && let Some(errors) = decode::refusal(&answer, *method != Method::POST, &session.redactor)
    {
        return Ok(Reply::Refused(errors));
    }
    let asked = answer.header("retry-after").as_deref().and_then(retry_seconds);
    Err(Failed { error: session.status_error(&answer, url.contains("/admin/api/")), asked })
}

/// Returns whether the response has errors. Such a response fails, whatever its status and its other content.
fn says_errors(json: &Map<String, Value>) -> bool {
    ["errors", "error"].iter().any(|key| json.get(*key).is_some_and(|said| !words(said).is_empty()))
}

/// Updates the bucket from a response. Without a call limit in it, one more call counts as used, and after a 429 all of
/// them.
fn learn(session: &mut Session, answer: &Response) {
    let now = session.now_ms();
    let reported =
        answer.header("x-shopify-shop-api-call-limit").as_deref().and_then(|header| Bucket::of_calls(header, now));
    let estimated = session.bucket.map(|bucket| match answer.status {
        429 => bucket.spent(bucket.available_at(now), now),
        _ => bucket.spent(CALL, now),
    });
    session.bucket = reported.or(estimated);
}

#[cfg(test)]
mod tests;
