//! A complete reading of a shop, over either transport. Pure.
//!
//! If the pages of a list shift while it is read, it may have a duplicate id, or silently omit an entry. Shopify's
//! recorded cursors name the last entry and do not shift; the behaviour of other servers and of REST's opaque cursors
//! is unknown. So a reading of several pages counts only if the next one agrees with it.

use std::collections::BTreeSet;

use super::error::{AdminError, AdminErrorKind};
use crate::model::{AppIdentity, Live};
use crate::state::{Entry, Observed};

/// The maximum number of passes over a shop, until two agree or one has a single page.
pub(super) const PASSES: usize = 4;
/// The maximum number of pages: a server whose list never ends must not block the run.
const MOST_PAGES: usize = 400;
/// The maximum number of entries. A shop has hundreds at most; this is every topic for more than a hundred addresses.
const MOST_ENTRIES: usize = 25_000;
/// The maximum size in bytes. 25,000 entries of the usual 600 bytes are 15 MiB; the rest leaves room for long filters.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The limits of one reading, over all its pages.
pub(super) struct Budget {
    pages: usize,
    entries: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { pages: 0, entries: 0, bytes: 0 }
    }

    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// Counts a page.
    pub(super) fn take(&mut self, entries: usize, bytes: usize) -> Result<(), AdminError> {
        self.pages += 1;
        self.entries += entries;
        self.bytes += bytes;
        let bound = if self.pages > MOST_PAGES {
            format!("{MOST_PAGES} pages")
        } else if self.entries > MOST_ENTRIES {
            format!("{MOST_ENTRIES} subscriptions")
        } else if self.bytes > MOST_BYTES {
            format!("{} MiB", MOST_BYTES >> 20)
        } else {
            return Ok(());
        };
        let message = format!(
            "the list of the shop's subscriptions exceeds {bound}; the rest was not read. Check the proxies between \
             this machine and the shop"
        );
        Err(AdminError::new(AdminErrorKind::TooLarge, message).with_status(200))
    }
}

/// One pass over a list, which counts only if it is complete.
pub(super) struct Pass {
    pub(super) observed: Observed,
    pub(super) pages: usize,
}

/// The parts of a response other than subscriptions and scopes.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) app: AppIdentity,
    pub(super) served_version: Option<String>,
    pub(super) deprecated_reason: Option<String>,
}

/// Why a pass does not count yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// A duplicate id.
    Twice,
    /// Several pages, and no previous pass that agrees.
    Alone,
    /// Several pages, and the previous pass was different.
    Different,
}

/// Returns why a pass does not count yet, given the pass before it.
pub(super) fn doubt(pass: &Pass, previous: Option<&Pass>) -> Option<Doubt> {
    if names_one_twice(&pass.observed.entries) {
        return Some(Doubt::Twice);
    }
    match previous {
        _ if pass.pages <= 1 => None,
        None => Some(Doubt::Alone),
        Some(previous) if previous.observed.same_subscriptions(&pass.observed) => None,
        Some(_) => Some(Doubt::Different),
    }
}

/// Returns the error of a shop whose passes never agreed.
pub(super) fn disagreement(doubt: Doubt) -> AdminError {
    let what = match doubt {
        Doubt::Twice => "the list of subscriptions has a duplicate id",
        Doubt::Alone | Doubt::Different => "the list of subscriptions was different each time",
    };
    let message = format!(
        "{what}, {PASSES} times in a row: it changed while it was read, or it does not come from the Admin API. Try \
         again later"
    );
    AdminError::new(AdminErrorKind::UnexpectedAnswer, message).with_status(200).retryable(true)
}

fn names_one_twice(entries: &[Entry<Live>]) -> bool {
    let mut seen = BTreeSet::new();
    !entries.iter().all(|entry| seen.insert(&entry.meta.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_bounded_over_all_its_pages() {
        let pages = |entries: usize, bytes: usize| {
            let mut budget = Budget::new();
            (0..1_000).take_while(|_| budget.take(entries, bytes).is_ok()).count()
        };
        assert_eq!(pages(250, 150_000), 100, "entries");
        assert_eq!(pages(1, 8 << 20), 4, "bytes");
        assert_eq!(pages(0, 10), 400, "pages");
        assert_eq!(Budget::new().take(25_001, 0).expect_err("too many").kind, AdminErrorKind::TooLarge);
    }
}
