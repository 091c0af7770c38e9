//! The consents of a command, and the refusal of hazards without consent.

use jiff::ToSpan as _;

use super::{clock, now};
use crate::error::Failure;
use crate::exit::Exit;
use crate::plan::{self, Consent, Hazard, ShopPlan};
use crate::render;
use crate::state::ReviewedConsent;
use crate::text::plural;
use crate::wire;

/// Number of days for which a consent of the printed example is valid.
const EXAMPLE_DAYS: i32 = 14;

/// The consents that count for a command.
pub(super) struct Consents<'a> {
    /// Values of `--allow`.
    given: &'a [Consent],
    /// Consents of the manifest that are expired.
    expired: Vec<&'a ReviewedConsent>,
    /// All consents that are valid.
    valid: Vec<Consent>,
}

/// Words of a refusal: `WHAT 2 hazards without consentTHEN`, and `to consent, WAY …`.
pub(super) struct Words<'a> {
    pub(super) what: &'a str,
    pub(super) then: &'a str,
    pub(super) way: &'a str,
}

impl<'a> Consents<'a> {
    /// Collects the consents of `--allow` and of a manifest. Those of the manifest are judged by the date of the run.
    pub(super) fn new(given: &'a [Consent], manifest: &'a [ReviewedConsent]) -> Self {
        let today = plan::day(now());
        let (expired, reviewed): (Vec<_>, Vec<_>) = manifest.iter().partition(|consent| consent.is_expired(today));
        let valid = given.iter().cloned().chain(reviewed.into_iter().map(|reviewed| reviewed.consent.clone()));
        Self { given, expired, valid: valid.collect() }
    }

    /// Collects the consents of `--allow` and other valid ones.
    pub(super) fn with(given: &'a [Consent], others: Vec<Consent>) -> Self {
        Self { given, expired: Vec::new(), valid: given.iter().cloned().chain(others).collect() }
    }

    /// Adds valid consents.
    pub(super) fn add(&mut self, consents: Vec<Consent>) {
        self.valid.extend(consents);
    }

    /// Returns whether a consent covers a hazard of the run, given the name of the hazard.
    pub(super) fn has(&self, hazard_of_run: &str) -> bool {
        self.valid.iter().any(|consent| consent.as_str() == hazard_of_run)
    }

    /// Returns the hazards without consent.
    pub(super) fn lacking<'h>(&self, hazards: impl IntoIterator<Item = &'h Hazard>) -> Vec<&'h Hazard> {
        plan::refused(hazards, &self.valid, clock())
    }

    /// Refuses hazards without consent before anything is sent.
    pub(super) fn refuse<'h>(
        &self,
        hazards: impl IntoIterator<Item = &'h Hazard>,
        shops: &[ShopPlan],
    ) -> Result<(), Failure> {
        let hazards: Vec<&Hazard> = hazards.into_iter().collect();
        let lacking = self.lacking(hazards.iter().copied());
        if lacking.is_empty() {
            return Ok(());
        }
        let shops: Vec<&str> = shops.iter().map(|shop| shop.shop.as_str()).collect();
        Err(self.refusal(
            &lacking,
            &hazards,
            &shops,
            &Words { what: "nothing was sent: the plan has", then: "", way: "add" },
        ))
    }

    /// Returns the error for hazards without consent, with the two ways to consent. `hazards` are all hazards of the plan: a
    /// consent that was given and covers none of them is mentioned, because it can be misspelt.
    pub(super) fn refusal(
        &self,
        lacking: &[&Hazard],
        hazards: &[&Hazard],
        shops: &[&str],
        words: &Words<'_>,
    ) -> Failure {
        let Words { what, then, way } = words;
        let wired: Vec<wire::plan::Hazard> = lacking.iter().map(|&hazard| hazard.into()).collect();
        let day = plan::day(now()).saturating_add(EXAMPLE_DAYS.days());
        let refused = render::refused_hazards(&wired, shops, day);
        let message = format!("{what} {} without consent{then}", plural(refused.lines.len(), "hazard"));
        let mut failure = Failure::new(Exit::Refused, message);
        for expired in &self.expired {
            if lacking.iter().any(|hazard| plan::covers(&expired.consent, hazard)) {
                failure = failure.hint(expired_on(expired));
            }
        }
        for unused in self.given.iter().filter(|consent| !hazards.iter().any(|hazard| plan::covers(consent, hazard))) {
            failure =
                failure.hint(format!("`--allow {}` covers no hazard of the plan; check its spelling", unused.as_str()));
        }
        failure = failure.hint(format!(
            "to consent, {way} `{}`, or add the consents to the manifest, so that they are reviewed with the change:",
            refused.options
        ));
        Failure { details: refused.lines, lines: refused.yaml, ..failure }
    }

    /// Returns why no consent covers a hazard of the run: the expired consents that would.
    pub(super) fn expired_for(&self, hazard_of_run: &str) -> Vec<String> {
        let named = self.expired.iter().filter(|expired| expired.consent.as_str() == hazard_of_run);
        named.map(|expired| expired_on(expired)).collect()
    }
}

fn expired_on(expired: &ReviewedConsent) -> String {
    let ReviewedConsent { consent, expires, source, .. } = expired;
    let place = format!("{}:{}", source.file, source.line);
    format!("the consent `{}` of the manifest ({place}) expired on {expires}", consent.as_str())
}
