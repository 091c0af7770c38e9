//! Findings about the app that a shop's token belongs to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::date};
use serde_json::json;

use super::findings::finding;
use super::{Finding, FindingKind, Severity};
use crate::model::{Address, AddressKind, AppCategory, AppIdentity, ShopDomain};
use crate::state::Desired;

/// The day from which the Admin API rejects non-expiring tokens of public apps (documented: shopify.dev, "Migrate to
/// expiring offline access tokens"). The time zone is not documented; UTC is assumed.
pub const REJECTION_DAY: Date = date(2027, 1, 1);

/// Returns whether Shopify rejects non-expiring tokens of public apps.
pub fn rejects_non_expiring(now: Timestamp) -> bool {
    now >= rejected_from()
}

/// Returns the time from which Shopify rejects non-expiring tokens of public apps.
pub fn rejected_from() -> Timestamp {
    REJECTION_DAY.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// What is known about the expiry of a valid token that is not renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The token has no expiry.
    None,
    /// The expiry is unknown, because the token comes from a reference in the manifest.
    Unknown,
}

/// Returns a finding if the manifest declares a token of a public app as exempt.
pub fn not_exempt(app: &AppIdentity, now: Timestamp) -> Option<Finding> {
    let public = app.category == Some(AppCategory::Public);
    if !public || rejects_non_expiring(now) {
        return None;
    }
    let message = format!(
        "the manifest has `token_expiry: exempt`, but the app is public, and from {REJECTION_DAY} Shopify rejects \
         non-expiring tokens of public apps. Remove `token_expiry`, or set `token_expiry: external` if another \
         program renews the token"
    );
    Some(finding(FindingKind::NonExpiringToken, Severity::Attention, None, message, details(app)))
}

fn details(app: &AppIdentity) -> serde_json::Value {
    json!({ "ends_on": REJECTION_DAY.to_string(), "category": app.category.map(|_| "public") })
}

/// Returns a finding for a token that Shopify will or may reject. After [`REJECTION_DAY`] a valid token has no such
/// finding.
pub fn non_expiring(expiry: Expiry, app: &AppIdentity, now: Timestamp, way_out: &str) -> Option<Finding> {
    if rejects_non_expiring(now) {
        return None;
    }
    let (severity, message) = match (app.category, expiry) {
        (Some(AppCategory::NotPublic), _) => return None,
        (Some(AppCategory::Public), Expiry::None) => (
            Severity::Attention,
            format!(
                "the access token has no expiry and the app is public: from {REJECTION_DAY} Shopify rejects such \
                 tokens; {way_out}"
            ),
        ),
        (Some(AppCategory::Public), Expiry::Unknown) => (
            Severity::Attention,
            format!(
                "the app is public, and the expiry of its access token is unknown: from {REJECTION_DAY} Shopify \
                 rejects non-expiring tokens of public apps; {way_out}. If another program renews the token, set \
                 `token_expiry: external` in the manifest"
            ),
        ),
        (None, Expiry::None) => (
            Severity::Attention,
            format!(
                "the access token has no expiry, and it is unknown whether the app is public: from {REJECTION_DAY} \
                 Shopify rejects non-expiring tokens of public apps; {way_out}. If the app is custom, set \
                 `token_expiry: exempt` in the manifest"
            ),
        ),
        (None, Expiry::Unknown) => (
            Severity::Warning,
            format!(
                "it is unknown whether the app is public and whether its access token expires: from {REJECTION_DAY} \
                 Shopify rejects non-expiring tokens of public apps; {way_out}. If the app is custom, set \
                 `token_expiry: exempt` in the manifest; if another program renews the token, set `token_expiry: \
                 external`"
            ),
        ),
    };
    Some(finding(FindingKind::NonExpiringToken, severity, None, message, details(app)))
}

/// A shop that was read: the input of [`mixed_apps`].
#[derive(Debug, Clone, Copy)]
pub struct Connected<'a> {
    /// Domain of the shop.
    pub shop: &'a ShopDomain,
    /// App to which the shop's token belongs.
    pub app: &'a AppIdentity,
    /// Wanted bindings of the shop.
    pub desired: &'a Desired,
}

/// Returns findings, by shop, about shops of different apps that bind the same address. Each app signs with its own
/// secret, and an inlet with HMAC accepts the secret of one app. (Documented by Adobe, June 2026: an inlet has a
/// primary and a secondary key. Inferred: the two are not meant for keys of different apps.)
pub fn mixed_apps<'a>(shops: impl IntoIterator<Item = Connected<'a>>) -> BTreeMap<ShopDomain, Vec<Finding>> {
    let mut by_address: BTreeMap<String, BTreeMap<u64, Users<'a>>> = BTreeMap::new();
    for Connected { shop, app, desired } in shops {
        let Some(number) = app.number else { continue };
        let addresses = desired.entries.iter().map(|entry| &entry.binding.address);
        for address in addresses.filter_map(inlet) {
            let apps = by_address.entry(address).or_default();
            let users = apps.entry(number).or_default();
            users.title = users.title.or(app.title.as_deref());
            users.shops.insert(shop);
        }
    }
    let mut findings: BTreeMap<ShopDomain, Vec<Finding>> = BTreeMap::new();
    for (address, apps) in by_address.iter().filter(|(_, apps)| apps.len() > 1) {
        let named: Vec<String> = apps.iter().map(|(number, users)| named(*number, users)).collect();
        let message = format!(
            "shops of {} apps bind {address}: {}. Each app signs with its own secret, and an inlet with HMAC accepts \
             the secret of one app only: it rejects the events of the other apps, and Shopify then deletes their \
             subscriptions. Give each app its own dataflow",
            apps.len(),
            named.join("; ")
        );
        let of_app = |(number, users): (&u64, &Users<'_>)| {
            let shops: Vec<&str> = users.shops.iter().map(|shop| shop.as_str()).collect();
            json!({ "app": number, "title": users.title, "shops": shops })
        };
        let details = json!({ "address": address, "apps": apps.iter().map(of_app).collect::<Vec<_>>() });
        let finding = finding(FindingKind::MixedApps, Severity::Warning, None, message, details);
        for shop in apps.values().flat_map(|users| &users.shops) {
            findings.entry((*shop).clone()).or_default().push(finding.clone());
        }
    }
    findings
}

/// Returns the part of an https address for which Adobe verifies signatures: everything before the query, which only
/// selects a dataflow.
fn inlet(address: &Address) -> Option<String> {
    let folded = address.folded();
    let end = folded.find(['?', '#']).unwrap_or(folded.len());
    (address.kind() == AddressKind::Https).then(|| folded[..end].to_owned())
}

/// Maximum number of shops of an app in a message.
const NAMED: usize = 3;

/// The shops of one app that bind an address.
#[derive(Default)]
struct Users<'a> {
    title: Option<&'a str>,
    shops: BTreeSet<&'a ShopDomain>,
}

fn named(number: u64, Users { title, shops }: &Users<'_>) -> String {
    let title = title.map(|title| format!(" \"{title}\"")).unwrap_or_default();
    let first: Vec<&str> = shops.iter().take(NAMED).map(|shop| shop.handle()).collect();
    let more = shops.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("app {number}{title} ({}{more})", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_expiry_is_reported_until_the_rejection_day() {
        let at = |text: &str| text.parse::<Timestamp>().expect("time");
        let (now, last, day) = (at("2026-11-26T00:00:00Z"), at("2026-12-31T23:59:59.999Z"), at("2027-01-01T00:00:00Z"));
        let severity = |category, expiry, now| {
            let app = AppIdentity { category, ..AppIdentity::default() };
            non_expiring(expiry, &app, now, "log in").map(|finding| finding.severity)
        };
        let public = Some(AppCategory::Public);
        for expiry in [Expiry::None, Expiry::Unknown] {
            assert_eq!(severity(public, expiry, now), Some(Severity::Attention));
            assert_eq!(severity(public, expiry, last), Some(Severity::Attention));
            assert_eq!(severity(public, expiry, day), None);
            assert_eq!(severity(Some(AppCategory::NotPublic), expiry, now), None);
            assert_eq!(severity(None, expiry, day), None);
        }
        assert_eq!(severity(None, Expiry::None, now), Some(Severity::Attention));
        assert_eq!(severity(None, Expiry::Unknown, now), Some(Severity::Warning));
    }
}
