//! Settles mutations whose answers were lost: reads the shop until two readings agree, and sends only missing changes
//! again. Therefore no change is made twice, and only observed results are reported.

use std::collections::BTreeSet;
use std::time::Duration;

use super::ledger::{Ledger, error};
use crate::admin::{AdminError, AdminErrorKind, ShopWriter};
use crate::diff::Change;
use crate::model::{Binding, Field, Live, SubscriptionId};
use crate::state::{Entry, Observed};
use crate::wire::plan::{ErrorKind, ShopError};
use crate::wire::report::ConfirmedBy;

/// A change for which it is unknown whether it was made.
pub(super) struct Question {
    pub(super) at: usize,
    pub(super) lost: Option<AdminError>,
    pub(super) refused: Option<ShopError>,
}

/// Time between two readings that must agree, so that a mutation in progress becomes visible.
const BETWEEN: Duration = Duration::from_millis(300);
const READINGS: usize = 6;

/// Closes the changes that a reading settles and returns those to send again; none in the last round.
pub(super) async fn by_reading(
    writer: &mut ShopWriter,
    ledger: &mut Ledger<'_>,
    questions: &[Question],
    sent_before: &BTreeSet<usize>,
    last_round: bool,
) -> Vec<usize> {
    let observed = match steady(writer).await {
        Ok(observed) => observed,
        Err(why) => {
            for question in questions {
                ledger.failed(question.at, None, unknown(question, &why));
            }
            return Vec::new();
        }
    };
    let found = in_their_chains(ledger, questions, &observed);
    // A name that was rejected as taken can be held by a subscription whose change is sent again first.
    let resends = questions.iter().zip(&found).any(|(q, found)| q.lost.is_some() && matches!(found, Found::Before));
    let mut again = Vec::new();
    for (Question { at, lost, refused }, found) in questions.iter().zip(found) {
        let ours = lost.is_some() || sent_before.contains(at);
        let waits = |refused: &ShopError| resends && refused.kind == ErrorKind::NameTaken;
        match found {
            Found::After(id) if ours => ledger.applied(*at, id.as_ref(), ConfirmedBy::Read),
            Found::After(id) => ledger.already_so(*at, id.as_ref()),
            Found::Before if refused.as_ref().is_none_or(waits) && !last_round => again.push(*at),
            Found::Before | Found::Else => {
                let error = refused.clone().or_else(|| lost.as_ref().map(error)).unwrap_or_else(changed_meanwhile);
                ledger.failed(*at, None, error);
            }
            Found::Changed => ledger.failed(*at, None, changed_meanwhile()),
        }
    }
    again
}

/// Maximum age of a reading that is used without reading again. Other programs may change the shop at the same time.
const FRESH: Duration = Duration::from_secs(5);

/// Reads the subscriptions that a batch changes or deletes again if the last reading is old, because earlier batches
/// may have waited for the rate limit. Closes changes as failed if their subscription was changed outside this run.
pub(super) async fn look_again(
    writer: &mut ShopWriter,
    ledger: &mut Ledger<'_>,
    batch: &[usize],
) -> Result<(), AdminError> {
    let questions: Vec<Question> = batch
        .iter()
        .filter(|at| ledger.subscription(**at).is_some())
        .map(|&at| Question { at, lost: None, refused: None })
        .collect();
    if questions.is_empty() || writer.since_read().is_none_or(|age| age <= FRESH) {
        return Ok(());
    }
    let observed = writer.read().await?.observed;
    let found = in_their_chains(ledger, &questions, &observed);
    for (Question { at, .. }, found) in questions.iter().zip(found) {
        match found {
            Found::Before => {}
            Found::After(id) => ledger.already_so(*at, id.as_ref()),
            Found::Changed | Found::Else => ledger.failed(*at, None, changed_meanwhile()),
        }
    }
    Ok(())
}

/// Reads until two readings in a row agree.
async fn steady(writer: &mut ShopWriter) -> Result<Observed, AdminError> {
    let mut previous = writer.read().await?.observed;
    for _ in 1..READINGS {
        tokio::time::sleep(BETWEEN).await;
        let now = writer.read().await?.observed;
        if previous.same_subscriptions(&now) {
            return Ok(now);
        }
        previous = now;
    }
    Err(AdminError::new(AdminErrorKind::Timeout, "the subscriptions of the shop changed while they were read"))
}

#[derive(Clone)]
enum Found {
    /// The subscription is as after the change.
    After(Option<SubscriptionId>),
    /// The subscription is as before the change.
    Before,
    /// The subscription was changed outside this run.
    Changed,
    /// The key of a create is used by a subscription with other fields.
    Else,
}

/// Returns the result of a reading for each question. Several changes can concern one subscription (a name step, then
/// an update). The subscription then matches some point of this chain: the changes before this point were made, the
/// later ones were not, and neither counts as changed outside this run.
fn in_their_chains(ledger: &Ledger<'_>, questions: &[Question], observed: &Observed) -> Vec<Found> {
    let alone = |q: &Question| match ledger.open(q.at) {
        Some(change) => found(change, observed),
        None => Found::Changed,
    };
    let alone: Vec<(usize, Found)> = questions.iter().map(|q| (q.at, alone(q))).collect();
    let of_same = |at: usize| {
        let id = ledger.subscription(at);
        alone.iter().filter(move |(other, _)| id.is_some() && ledger.subscription(*other) == id)
    };
    let in_chain = |(at, found): &(usize, Found)| {
        let later_made =
            || ledger.made_later(*at) || of_same(*at).any(|(other, f)| other > at && matches!(f, Found::After(_)));
        let earlier_to_do = || of_same(*at).any(|(other, f)| other < at && matches!(f, Found::Before));
        match found {
            Found::Before | Found::Changed if later_made() => {
                Found::After(ledger.open(*at).and_then(Change::id).cloned())
            }
            Found::Changed if earlier_to_do() => Found::Before,
            other => other.clone(),
        }
    };
    alone.iter().map(in_chain).collect()
}

fn found(change: &Change, observed: &Observed) -> Found {
    let by_id = |id: &SubscriptionId| observed.entries.iter().find(|e| e.meta.id == *id);
    match change {
        Change::Create { after, .. } => {
            let same_key = || observed.entries.iter().filter(|e| e.binding.key() == after.key());
            match same_key().find(|e| not_taken(change, e).is_empty()) {
                Some(entry) => Found::After(Some(entry.meta.id.clone())),
                None if same_key().next().is_some() => Found::Else,
                None => Found::Before,
            }
        }
        Change::Update { before, .. } => match by_id(&before.meta.id) {
            Some(entry) if not_taken(change, entry).is_empty() => Found::After(Some(before.meta.id.clone())),
            Some(entry) if entry.differs_from(&before.binding).is_empty() => Found::Before,
            _ => Found::Changed,
        },
        Change::Delete { before, .. } => match by_id(&before.meta.id) {
            Some(entry) if entry.differs_from(&before.binding).is_empty() => Found::Before,
            // Another program may own the subscription now.
            Some(_) => Found::Changed,
            None => Found::After(None),
        },
    }
}

/// Returns the fields that were sent and are not as sent. Ignores a name or metafields that were not sent.
pub(super) fn not_taken(change: &Change, now: &Entry<Live>) -> Vec<Field> {
    match change {
        Change::Create { after, .. } => now.differs_from(after),
        Change::Update { after, fields, .. } => {
            let mut expected = Binding::clone(after);
            expected.name = expected.name.filter(|_| fields.contains(&Field::Name));
            expected.metafields = expected.metafields.filter(|_| fields.contains(&Field::Metafields));
            now.differs_from(&expected)
        }
        Change::Delete { .. } => Vec::new(),
    }
}

fn changed_meanwhile() -> ShopError {
    ShopError {
        kind: ErrorKind::ChangedMeanwhile,
        http_status: None,
        message: "the subscription was changed or deleted outside this run while the plan was applied; plan again"
            .to_owned(),
        retryable: false,
    }
}

/// Returns the error of a change whose answer was lost and whose shop could not be read again.
fn unknown(question: &Question, why: &AdminError) -> ShopError {
    if let Some(refused) = &question.refused {
        return refused.clone();
    }
    let first = question.lost.as_ref().map(|e| e.message.as_str()).unwrap_or_default();
    ShopError {
        kind: ErrorKind::OutcomeUnknown,
        http_status: why.http_status,
        message: format!(
            "it is unknown whether the change was applied: the response was lost ({first}), and the shop could not be read \
             again ({}); plan again",
            why.message
        ),
        retryable: true,
    }
}
