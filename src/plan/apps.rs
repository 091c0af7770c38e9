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

/// From this day on the Admin API rejects tokens without an expiry of public apps (shopify.dev, "Migrate to expiring
/// offline access tokens"). In which time zone the day begins is not documented; UTC is assumed.
pub const REJECTION_DAY: Date = date(2027, 1, 1);

/// Whether Shopify rejects tokens without an expiry of public apps.
pub fn rejects_non_expiring(now: Timestamp) -> bool {
    now >= rejected_from()
}

/// When Shopify begins to reject them.
pub fn rejected_from() -> Timestamp {
    REJECTION_DAY.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// What is known of the expiry of a token that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It has none.
    None,
    /// Unknown: a reference gave the token.
    Unknown,
}

/// A token that the manifest calls exempt, although the app is public.
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

/// A token that Shopify will reject, or may reject. After the day a token that works is none of these.
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

/// A shop that was read, for `mixed_apps`.
#[derive(Debug, Clone, Copy)]
pub struct Connected<'a> {
    /// Its domain.
    pub shop: &'a ShopDomain,
    /// The app of its token.
    pub app: &'a AppIdentity,
    /// What is bound there.
    pub desired: &'a Desired,
}

/// Shops of different apps that bind one address: each app signs with a secret of its own, and an inlet with HMAC
/// accepts one app's (Adobe, June 2026: a primary and a secondary key; that both may not be different apps' keys for
/// good is inferred). Returns the findings by shop.
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
        for shop in apps.values().flat_map(|users| &users.shops) {
            let finding = finding(FindingKind::MixedApps, Severity::Warning, None, message.clone(), details.clone());
            findings.entry((*shop).clone()).or_default().push(finding);
        }
    }
    findings
}

/// What the signature is checked for: an https address without its query, which only names a dataflow behind it.
fn inlet(address: &Address) -> Option<String> {
    let folded = address.folded();
    let end = folded.find(['?', '#']).unwrap_or(folded.len());
    (address.kind() == AddressKind::Https).then(|| folded[..end].to_owned())
}

/// So many shops of an app are named.
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
    fn what_is_unknown_is_said_and_after_the_day_a_token_that_works_is_none_of_them() {
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
