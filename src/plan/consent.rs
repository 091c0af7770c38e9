//! Which hazards of a plan have consent.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Hazard, HazardKind};
use crate::state::{Consent, ReviewedConsent, Source};

/// A consent of the manifest, as a plan records it. It is information: `apply` reads the consents of its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanConsent {
    /// The hazards that it covers, as in the manifest.
    pub allow: String,
    /// Why the hazards are intended.
    pub reason: String,
    /// The last day on which it is valid, in UTC.
    pub expires: Date,
    /// The place in the manifest.
    pub source: Source,
    /// The hazards of the plan that it covers, as values of `--allow`. Empty if the plan does not need it.
    pub covers: Vec<String>,
}

impl PlanConsent {
    /// Records a consent of the manifest.
    pub fn new(reviewed: &ReviewedConsent) -> Self {
        let ReviewedConsent { consent, reason, expires, source } = reviewed;
        Self {
            allow: consent.as_str().to_owned(),
            reason: reason.clone(),
            expires: *expires,
            source: source.clone(),
            covers: Vec::new(),
        }
    }

    /// Returns the hazards that the consent covers. A consent that this version does not know covers none.
    fn covered<'a>(&self, hazards: &'a [Hazard]) -> impl Iterator<Item = &'a Hazard> {
        let consent = Consent::parse(&self.allow).ok();
        hazards.iter().filter(move |hazard| consent.as_ref().is_some_and(|consent| covers(consent, hazard)))
    }

    /// Records which hazards the consent covers.
    pub(super) fn cover(&mut self, hazards: &[Hazard]) {
        self.covers = self.covered(hazards).map(Hazard::allow).collect();
    }

    /// Returns whether `covers` has only hazards of the plan that the consent covers.
    pub(super) fn is_consistent(&self, hazards: &[Hazard]) -> bool {
        let covered: HashSet<String> = self.covered(hazards).map(Hazard::allow).collect();
        self.covers.iter().all(|hazard| covered.contains(hazard))
    }
}

/// Returns the consents of several plans of one run, each once, with the hazards of the run that they cover.
pub fn consents_together<'a>(
    consents: impl IntoIterator<Item = &'a PlanConsent>,
    hazards: &[Hazard],
) -> Vec<PlanConsent> {
    let mut out: Vec<PlanConsent> = Vec::new();
    for consent in consents {
        let same = |other: &PlanConsent| PlanConsent { covers: Vec::new(), ..consent.clone() } == *other;
        if !out.iter().any(same) {
            out.push(PlanConsent { covers: Vec::new(), ..consent.clone() });
        }
    }
    for consent in &mut out {
        consent.cover(hazards);
    }
    out
}

/// Returns the consents that are valid on the day of `now`. The consents of a plan file are not verified.
pub fn valid_consents(consents: &[PlanConsent], now: Timestamp) -> Vec<Consent> {
    let today = day(now);
    let valid = consents.iter().filter(|consent| consent.expires >= today);
    valid.filter_map(|consent| Consent::parse(&consent.allow).ok()).collect()
}

/// Returns the day of a time, in UTC.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Returns whether a consent covers a hazard.
pub fn covers(consent: &Consent, hazard: &Hazard) -> bool {
    consent.covers(hazard.kind.name(), hazard.shop.as_ref())
}

/// Returns the hazards that a consent covers.
pub fn consented<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
) -> impl Iterator<Item = &'a Hazard> {
    hazards.into_iter().filter(|hazard| consents.iter().any(|consent| covers(consent, hazard)))
}

/// Returns the hazards that still exist at `now` and that no consent covers.
pub fn refused<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
    now: Timestamp,
) -> Vec<&'a Hazard> {
    let needs_consent = |hazard: &&Hazard| !passed(hazard, now) && !consents.iter().any(|c| covers(c, hazard));
    hazards.into_iter().filter(needs_consent).collect()
}

/// Returns whether a hazard was limited in time and that time has passed.
fn passed(hazard: &Hazard, now: Timestamp) -> bool {
    matches!(&hazard.kind, HazardKind::DestinationSettling { until, .. } if *until <= now)
}
