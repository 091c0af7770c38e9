//! Sends one document of mutations, compares the answers with the plan, and settles lost answers by reading the shop.

use std::collections::BTreeSet;

use super::ledger::{Ledger, error};
use super::settle::{self, not_taken};
use crate::admin::{AdminError, AdminErrorKind, Answer, Input, Mutation, RefusalKind, ShopWriter, UserError};
use crate::diff::Change;
use crate::http::Classified as _;
use crate::journal::Recorder;
use crate::model::{Binding, Field, Live};
use crate::state::Entry;
use crate::wire::plan::{ErrorKind, ShopError};
use crate::wire::report::ConfirmedBy;

/// The reason of changes that were not sent after an interrupt.
pub(super) const INTERRUPTED: &str = "interrupted before the change was sent";

/// Maximum number of times that a change is sent if its answers are lost.
const ROUNDS: usize = 4;

/// Sends the changes with these indices, closes each and records its outcome. Returns the error that ends the shop, if
/// there is one.
pub(super) async fn batch(
    writer: &mut ShopWriter,
    ledger: &mut Ledger<'_>,
    batch: &[usize],
    recorder: &Recorder,
) -> Option<AdminError> {
    let shop_wide = rounds(writer, ledger, batch, recorder).await;
    let unsent = ledger.unsent();
    let sent = batch.iter().filter(|at| !unsent.contains(at));
    recorder.outcomes(sent.map(|&at| ledger.line(at)).collect()).await;
    shop_wide
}

async fn rounds(
    writer: &mut ShopWriter,
    ledger: &mut Ledger<'_>,
    batch: &[usize],
    recorder: &Recorder,
) -> Option<AdminError> {
    let mut shop_wide = None;
    let mut sent_before: BTreeSet<usize> = BTreeSet::new();
    let mut open = batch.to_vec();
    for round in 1..=ROUNDS {
        let (places, mutations): (Vec<usize>, Vec<Mutation>) =
            open.iter().filter_map(|&at| Some((at, mutation(ledger.open(at)?)))).unzip();
        if places.is_empty() {
            return shop_wide;
        }
        // A change is sent only after its intent is in the journal.
        let steps = places.iter().map(|&at| (at, ledger.attempts(at) + 1)).map(|(at, n)| ledger.step(at, n)).collect();
        if let Err(why) = recorder.intents(steps).await {
            for at in places {
                ledger.skip(at, &format!("not sent, because the journal could not be written: {why}"), None);
            }
            return shop_wide;
        }
        for &at in &places {
            ledger.sent(at);
        }
        let answers = writer.send(&mutations).await;
        let mut unsettled = Vec::new();
        for (&at, answer) in places.iter().zip(answers) {
            match answer {
                Answer::Done(now) => {
                    if let Err(why) = done(ledger, at, now.as_ref()) {
                        unsettled.push(settle::Question { at, lost: Some(why), refused: None });
                    }
                }
                Answer::Refused { errors, kind } if worth_reading(kind) => {
                    unsettled.push(settle::Question { at, lost: None, refused: Some(refusal(ledger, kind, &errors)) });
                }
                Answer::Refused { errors, kind } => ledger.failed(at, None, refusal(ledger, kind, &errors)),
                Answer::Failed(why) => {
                    if why.kind == AdminErrorKind::Interrupted {
                        ledger.skip(at, INTERRUPTED, None);
                    } else {
                        ledger.failed(at, None, error(&why));
                    }
                    if why.kind.ends_shop() {
                        shop_wide = Some(why);
                    }
                }
                Answer::Lost(why) => unsettled.push(settle::Question { at, lost: Some(why), refused: None }),
            }
        }
        if unsettled.is_empty() {
            return shop_wide;
        }
        open = settle::by_reading(writer, ledger, &unsettled, &sent_before, round == ROUNDS).await;
        sent_before.extend(unsettled.iter().filter(|q| q.lost.is_some()).map(|q| q.at));
    }
    shop_wide
}

/// Returns whether a reading must settle a rejected mutation. "Already taken" and "does not exist" describe the state
/// of the shop, which can be the result of an earlier attempt of the same change whose answer was lost.
fn worth_reading(kind: RefusalKind) -> bool {
    matches!(kind, RefusalKind::AlreadyTaken | RefusalKind::DoesNotExist | RefusalKind::NameTaken)
}

/// Closes a change by its answer. Returns an error if the answer cannot be correct, so that it counts as lost.
fn done(ledger: &mut Ledger<'_>, at: usize, now: Option<&Entry<Live>>) -> Result<(), AdminError> {
    let Some(change) = ledger.open(at) else { return Ok(()) };
    let (Some(after), Some(now)) = (change.after(), now) else {
        ledger.applied(at, None, ConfirmedBy::Answer);
        return Ok(());
    };
    if matches!(change, Change::Create { .. }) && ledger.is_known(at, &now.meta.id) {
        let message =
            format!("the response names {} as the created subscription, but that one existed before", now.meta.id);
        return Err(AdminError::new(AdminErrorKind::UnexpectedAnswer, message));
    }
    if now.binding.topic != after.topic {
        let message = format!("the response has the topic {}, expected {}", now.binding.topic, after.topic);
        return Err(AdminError::new(AdminErrorKind::UnexpectedAnswer, message));
    }
    let wrong = not_taken(change, now);
    if wrong.is_empty() {
        ledger.applied(at, Some(&now.meta.id), ConfirmedBy::Answer);
        return Ok(());
    }
    let names = wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = format!("Shopify accepted the change but did not apply these fields: {names}");
    let error = ShopError { kind: ErrorKind::FieldNotTaken, http_status: None, message, retryable: false };
    ledger.failed(at, Some(&now.meta.id), error);
    Ok(())
}

/// Returns the mutation of a change. All managed fields are sent explicitly, because it is unknown what Shopify does
/// with fields that an update omits. Name and metafields are sent only if the change concerns them.
fn mutation(change: &Change) -> Mutation {
    let about = |field: Field| matches!(change, Change::Create { .. }) || change.fields().contains(&field);
    let input = |after: &Binding| Input {
        address: after.address.clone(),
        format: after.format,
        filter: after.filter.clone().unwrap_or_default(),
        include_fields: after.include_fields.clone(),
        metafield_namespaces: after.metafield_namespaces.clone(),
        name: after.name.clone().filter(|_| about(Field::Name)),
        metafields: after.metafields.clone().filter(|_| about(Field::Metafields)),
    };
    match change {
        Change::Create { after, .. } => Mutation::Create { topic: after.topic.clone(), input: input(after) },
        Change::Update { before, after, .. } => Mutation::Update { id: before.meta.id.clone(), input: input(after) },
        Change::Delete { before, .. } => Mutation::Delete { id: before.meta.id.clone() },
    }
}

fn refusal(ledger: &Ledger<'_>, kind: RefusalKind, errors: &[UserError]) -> ShopError {
    let texts: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
    let texts = texts.join("; ");
    let said = texts.trim_end_matches('.');
    let message = format!("Shopify rejected the change: {said}{}", remedy(ledger.handle(), kind));
    ShopError { kind: kind.as_str().into(), http_status: None, message, retryable: false }
}

/// Returns the remedy, which Shopify's text does not name.
fn remedy(shop: &str, kind: RefusalKind) -> String {
    let corrected = |what: &str| format!(". Correct the {what} in the manifest, and create a new plan");
    match kind {
        RefusalKind::TopicRefused => format!(
            ". The usual cause is a missing scope, or a missing approval of the app, such as the one for protected \
             customer data. `hookwright topics` lists the scopes of each topic; add the missing scope to the app and \
             have the shop approve it with the link that `hookwright auth url --shop {shop}` prints"
        ),
        RefusalKind::ProtectedData => ". Request this approval for the app at Shopify, then apply again".to_owned(),
        RefusalKind::AlreadyTaken | RefusalKind::DoesNotExist | RefusalKind::NameTaken => {
            ". Create a new plan".to_owned()
        }
        RefusalKind::InvalidAddress => corrected("address of the destination"),
        RefusalKind::InvalidFilter => corrected("filter of the binding"),
        RefusalKind::InvalidFormat => corrected("format of the binding"),
        RefusalKind::InvalidName => corrected("name of the binding"),
        RefusalKind::Invalid => corrected("binding"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejected_topic_names_the_usual_causes_and_the_remedy() {
        let said = remedy("acme", RefusalKind::TopicRefused);
        assert!(
            said.contains("a missing scope, or a missing approval")
                && said.contains("`hookwright auth url --shop acme`")
        );
        assert!(remedy("acme", RefusalKind::ProtectedData).contains("Request this approval"));
        assert_eq!(remedy("acme", RefusalKind::AlreadyTaken), ". Create a new plan");
    }
}
