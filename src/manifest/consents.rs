//! Checks the consents of all files against the shops of the manifest and the date of the run.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::diagnostic::Code;
use crate::model::ShopDomain;
use crate::state::{LONGEST_CONSENT_DAYS, ReviewedConsent};

use super::document::{ConsentBlock, Document};
use super::findings::Findings;

/// Maximum number of shops in a message.
const NAMED: usize = 5;

/// Returns the consents, and reports those that are expired, without effect, too broad or valid for too long. `shops` are
/// the shops of the manifest.
pub(super) fn checked(
    documents: &[Document],
    shops: &[&ShopDomain],
    today: Option<Date>,
    findings: &mut Findings,
) -> Vec<ReviewedConsent> {
    let blocks = documents.iter().flat_map(|document| &document.consents);
    let consents = blocks.map(|block| {
        check(block, shops, today, findings);
        let ConsentBlock { span, consent, reason, expires } = block;
        ReviewedConsent {
            consent: consent.value.clone(),
            reason: reason.clone(),
            expires: expires.value,
            source: findings.source(*span),
        }
    });
    consents.collect()
}

fn check(block: &ConsentBlock, shops: &[&ShopDomain], today: Option<Date>, findings: &mut Findings) {
    let ConsentBlock { span: _, consent, reason: _, expires } = block;
    let allow = consent.value.as_str();
    let last = today.and_then(|today| today.checked_add(LONGEST_CONSENT_DAYS.days()).ok());
    if let Some(last) = last.filter(|last| expires.value > *last) {
        let message =
            format!("the consent `{allow}` expires on {}, more than {LONGEST_CONSENT_DAYS} days ahead", expires.value);
        let hint = format!("write {last} or an earlier day; renew the consent when its change is still pending then");
        findings.report(findings.diagnostic(Code::BadConsent, expires.span, message).hint(hint));
    }
    if today.is_some_and(|today| expires.value < today) {
        let message = format!("the consent `{allow}` expired on {}, so it covers nothing", expires.value);
        let hint = "remove it. If its change is still pending, have it reviewed again with a later day";
        findings.report(findings.diagnostic(Code::ExpiredConsent, expires.span, message).hint(hint));
        return;
    }
    let Some(pattern) = consent.value.shops() else { return };
    let matched: Vec<&str> = shops.iter().filter(|shop| pattern.matches(shop)).map(|shop| shop.handle()).collect();
    if matched.is_empty() {
        let message = format!("the consent `{allow}` matches no shop of the manifest");
        let hint = "correct its shop, or remove it";
        findings.report(findings.diagnostic(Code::UselessConsent, consent.span, message).hint(hint));
    } else if matched.len() == shops.len() && shops.len() > 1 {
        let more = matched.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names = matched.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let message = format!("the consent `{allow}` matches all {} shops of the manifest: {names}{more}", shops.len());
        let hint = "name the shops that need it: a handle, or a glob that matches only them";
        findings.report(findings.diagnostic(Code::BroadConsent, consent.span, message).hint(hint));
    }
}
