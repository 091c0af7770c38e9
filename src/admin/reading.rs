//! A complete reading of a shop, over either transport. Pure.
//!
//! A list that names one id twice was read while its pages shifted. A list that shifts the other way leaves an entry out
//! without a trace. Shopify's recorded cursors name the last entry and do not shift; what other servers and REST's opaque
//! cursors do is not known. So a reading of several pages counts when the next one agrees with it.

use std::collections::BTreeSet;

use super::error::{AdminError, AdminErrorKind};
use crate::model::{AppIdentity, Live};
use crate::state::{Entry, Observed};

/// The most passes over a shop, until it shows the same twice, or one whole page.
pub(super) const PASSES: usize = 4;
/// A server that never ends must not keep the run.
const MOST_PAGES: usize = 400;
/// A shop has hundreds at most: this is every topic for more than a hundred addresses.
const MOST_ENTRIES: usize = 25_000;
/// 25,000 entries of the usual 600 bytes come to 15 MiB; there is room for long filters.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The bound of one reading, over all its pages.
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
            "the list of the shop's subscriptions goes past {bound} and was not read further. Check what stands between \
             here and the shop"
        );
        Err(AdminError::new(AdminErrorKind::TooLarge, message).with_status(200))
    }
}

/// One pass over a list; counts when it is whole.
pub(super) struct Pass {
    pub(super) observed: Observed,
    pub(super) pages: usize,
}

/// What an answer said besides the subscriptions and scopes.
#[derive(Default)]
pub(super) struct Said {
    pub(super) app: AppIdentity,
    pub(super) served_version: Option<String>,
    pub(super) deprecated_reason: Option<String>,
}

/// Why a pass does not count yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// One id twice.
    Twice,
    /// Several pages, and no other pass that agrees.
    Alone,
    /// Several pages, and the pass before was different.
    Different,
}

/// Judges a pass by itself and by the one before it.
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

/// Makes the error of a shop that never showed the same twice.
pub(super) fn in_vain(doubt: Doubt) -> AdminError {
    let what = match doubt {
        Doubt::Twice => "the list of subscriptions names one id twice",
        Doubt::Alone | Doubt::Different => "the list of subscriptions was different each time",
    };
    let message = format!(
        "{what}, {PASSES} times in a row: it changed while it was read, or it is not what the Admin API answers. Try \
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
