//! Applies one shop's part of a plan exactly as planned, and records an outcome for every change. Creates and updates
//! come first; a delete is sent only after the answers to the creates and updates of its topic.

mod ledger;
mod send;
mod settle;

pub(crate) use ledger::{error, not_read, stale};

use tokio_util::sync::CancellationToken;

use crate::admin::{AdminErrorKind, ShopWriter};
use crate::journal::Recorder;
use crate::plan::{ShopPlan, Task};
use crate::wire::report::ReportShop;
use ledger::Ledger;

/// Values that all shops of a run share.
pub(crate) struct ApplyContext<'a> {
    /// Cancelled when the run must stop: changes in flight are finished, and the others are skipped.
    pub stop: &'a CancellationToken,
    /// The clock, for the times in the report.
    pub now: &'a (dyn Fn() -> jiff::Timestamp + Send + Sync),
    /// The journal and the events.
    pub recorder: &'a Recorder,
}

/// Applies one shop. `tasks` has one task for each of `planned.changes`, in the same order.
pub(crate) async fn shop(
    writer: &mut ShopWriter,
    planned: &ShopPlan,
    tasks: Vec<Task>,
    context: &ApplyContext<'_>,
) -> ReportShop {
    let mut ledger = Ledger::new(planned, tasks);
    let (first, then) = ledger.phases();
    run(writer, &mut ledger, first, context).await;

    // An old subscription is never deleted before the new one exists.
    let failed = ledger.topics_of_unmade_writes();
    let (send, hold): (Vec<usize>, Vec<usize>) = then.into_iter().partition(|&at| !failed.contains(ledger.topic(at)));
    for at in hold {
        ledger.skip(at, "not deleted, because the subscription that replaces it could not be created or updated. Correct that failure, then create a new plan", None);
    }
    run(writer, &mut ledger, send, context).await;
    let unsent = ledger.unsent().into_iter().map(|at| ledger.line(at)).collect();
    context.recorder.outcomes(unsent).await;
    ledger.report((context.now)())
}

/// Sends changes in order, in documents with as many changes as the API accepts.
async fn run(writer: &mut ShopWriter, ledger: &mut Ledger<'_>, queue: Vec<usize>, context: &ApplyContext<'_>) {
    let mut rest = queue.as_slice();
    while !rest.is_empty() {
        if context.stop.is_cancelled() {
            for &at in rest {
                ledger.skip(at, send::INTERRUPTED, None);
            }
            return;
        }
        let (batch, later) = rest.split_at(writer.batch_limit().clamp(1, rest.len()));
        let error = match settle::look_again(writer, ledger, batch).await {
            Ok(()) => {
                rest = later;
                send::batch(writer, ledger, batch, context.recorder).await
            }
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            let reason = format!("not sent, because an earlier request to this shop failed: {}", error.kind);
            for &at in rest {
                match error.kind {
                    AdminErrorKind::Interrupted => ledger.skip(at, send::INTERRUPTED, None),
                    _ => ledger.skip(at, &reason, Some(&error)),
                }
            }
            return;
        }
    }
}
