//! The rules for subscriptions, with Shopify's error messages. Pure.
//!
//! Messages, their order and their combinations are those of recorded responses (Admin API 2026-04). Exceptions are marked.

use url::{Host, Url};

use crate::catalog;
use crate::model::{Format, Topic};

use super::filter;
use super::store::StoredShop;
use super::subscription::Subscription;

/// Shopify's limit for addresses and filters, in bytes.
pub(super) const MAX_TEXT: usize = 65_535;
const MAX_NAME: usize = 50;

/// The attribute that violates a rule. GraphQL and REST have different names for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Id,
    Topic,
    Address,
    Format,
    Name,
    Base,
}

/// A violated rule. The message does not include the name of the attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) attribute: Attribute,
    pub(super) message: String,
}

impl Violation {
    pub(super) fn new(attribute: Attribute, message: impl Into<String>) -> Self {
        Self { attribute, message: message.into() }
    }

    pub(super) fn missing() -> Self {
        Self::new(Attribute::Id, "Webhook subscription does not exist")
    }

    /// The GraphQL `field`. Address errors have the old name, even if the input used the new one (recorded).
    pub(super) fn field(&self) -> &'static [&'static str] {
        match self.attribute {
            Attribute::Id => &["id"],
            Attribute::Topic => &["webhookSubscription", "topic"],
            Attribute::Address => &["webhookSubscription", "callbackUrl"],
            Attribute::Format => &["webhookSubscription", "format"],
            Attribute::Name => &["webhookSubscription", "name"],
            Attribute::Base => &["webhookSubscription"],
        }
    }

    /// The GraphQL `message`: the name of the attribute and the message.
    pub(super) fn full(&self) -> String {
        let name = match self.attribute {
            Attribute::Id | Attribute::Topic | Attribute::Base => return self.message.clone(),
            Attribute::Address => "Address",
            Attribute::Format => "Format",
            Attribute::Name => "Name",
        };
        format!("{name} {}", self.message)
    }
}

/// Returns all rules that `wanted` violates in a shop with these other subscriptions.
pub(super) fn check<'a>(
    wanted: &Subscription,
    shop: &StoredShop,
    others: &(impl Iterator<Item = &'a Subscription> + Clone),
) -> Vec<Violation> {
    let info = catalog::lookup(&Topic::from_slash(&wanted.topic));
    let mut violations: Vec<Violation> = Vec::new();

    for message in address(&wanted.uri, shop.api_client_id, &shop.domains) {
        violations.push(Violation::new(Attribute::Address, message));
    }
    if violations.is_empty() {
        if info.is_some_and(catalog::TopicInfo::is_cloud_only) && is_http(&wanted.uri) {
            // Documented; the text was not recorded.
            violations.push(Violation::new(Attribute::Address, "protocol https:// is not supported"));
        } else if others.clone().any(|other| same_key(wanted, other)) {
            violations.push(Violation::new(Attribute::Address, "for this topic has already been taken"));
        }
    }
    if wanted.format == Format::Xml {
        if info.is_some_and(catalog::TopicInfo::is_json_only) {
            let message = "'xml' is invalid for this webhook topic. Allowed formats: json";
            violations.push(Violation::new(Attribute::Format, message));
        } else if is_cloud(&wanted.uri) {
            violations.push(Violation::new(Attribute::Format, "can only be used with format: 'json'"));
        }
    }
    if let Some(name) = &wanted.name {
        let taken = others.clone().filter_map(|o| o.name.as_ref()).any(|n| n.eq_ignore_ascii_case(name));
        violations.extend(self::name(name, taken).into_iter().map(|m| Violation::new(Attribute::Name, m)));
    }
    let needs_type = info.is_some_and(catalog::TopicInfo::needs_type_filter);
    violations.extend(
        filter::check(wanted.filter.as_deref(), needs_type).into_iter().map(|m| Violation::new(Attribute::Base, m)),
    );
    violations
}

/// Whether two subscriptions have the same key. That an absent and an empty filter are equal is assumed.
fn same_key(a: &Subscription, b: &Subscription) -> bool {
    let filter = |s: &Subscription| s.filter.clone().unwrap_or_default();
    (&a.topic, &a.uri, a.format) == (&b.topic, &b.uri, b.format) && filter(a) == filter(b)
}

fn is_http(uri: &str) -> bool {
    scheme(uri).is_some_and(|s| s.eq_ignore_ascii_case("https"))
}

/// Whether the address is a Pub/Sub topic or an EventBridge source.
pub(super) fn is_cloud(uri: &str) -> bool {
    uri.starts_with("pubsub://") || uri.starts_with("arn:")
}

fn scheme(uri: &str) -> Option<&str> {
    uri.split_once("://").map(|(scheme, _)| scheme).filter(|s| {
        s.starts_with(|c: char| c.is_ascii_alphabetic())
            && s.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c))
    })
}

fn address(uri: &str, api_client_id: u64, domains: &[String]) -> Vec<String> {
    const INVALID: &str = "is invalid";
    if uri.is_empty() {
        return vec!["can't be blank".into()];
    }
    if uri.len() > MAX_TEXT {
        return vec!["is too big (maximum is 64 KB)".into()];
    }
    if uri.starts_with("arn:") {
        return match arn_client(uri) {
            None => vec![INVALID.into(), "is not a valid AWS ARN".into()],
            Some(client) if client != api_client_id.to_string() => vec![
                INVALID.into(),
                format!("is an AWS ARN and includes api_client_id '{client}' instead of '{api_client_id}'"),
            ],
            Some(_) => vec![],
        };
    }
    if let Some(rest) = uri.strip_prefix("pubsub://") {
        return pubsub(rest);
    }
    let Some(scheme) = scheme(uri) else { return vec![INVALID.into()] };
    if !scheme.eq_ignore_ascii_case("https") {
        let mut errors = vec![format!("protocol {scheme}:// is not supported")];
        if scheme == "kafka" {
            errors.push("is not a valid kafka topic".into());
        }
        return errors;
    }
    match Url::parse(uri) {
        Ok(url) if !uri.contains(char::is_whitespace) => {
            let host = url.host_str().unwrap_or_default();
            if domains.iter().any(|domain| domain == host) {
                // As users report it (craftcms/shopify, issue 193); not recorded.
                vec![format!("cannot be any of the domains: {}", domains.join(", "))]
            } else if url.host().is_some_and(|host| is_internal(&host)) {
                vec!["cannot be a Shopify or an internal domain".into()]
            } else {
                vec![]
            }
        }
        _ => vec![INVALID.into()],
    }
}

/// Returns the API client id in `arn:aws:events:{region}::event-source/aws.partner/shopify.com/{id}/{source}`.
fn arn_client(uri: &str) -> Option<&str> {
    let (region, source) = uri.strip_prefix("arn:aws:events:")?.split_once("::event-source/aws.partner/")?;
    let source = source.strip_prefix("shopify.com/").or_else(|| source.strip_prefix("shopify.com.test/"))?;
    let (client, name) = source.split_once('/')?;
    let valid = !region.is_empty()
        && region.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && !client.is_empty()
        && client.bytes().all(|c| c.is_ascii_digit())
        && !name.is_empty()
        && !name.contains(char::is_whitespace);
    valid.then_some(client)
}

fn pubsub(rest: &str) -> Vec<String> {
    let parts = rest.split_once(':').filter(|(project, topic)| !project.is_empty() && !topic.is_empty());
    let Some((project, topic)) = parts else {
        return vec![
            "protocol pubsub:// is not supported".into(),
            "is not a valid GCP pub/sub format. Format should be pubsub://project:topic".into(),
        ];
    };
    let mut errors = Vec::new();
    if !is_gcp_project(project) {
        errors.push("is not a valid GCP project id.".to_owned());
    }
    if !is_gcp_topic(topic) {
        errors.push("is not a valid GCP topic id.".to_owned());
    }
    if !errors.is_empty() {
        errors.insert(0, "is invalid".to_owned());
    }
    errors
}

/// Whether the text is a project number or a project id by Google's rule. `example.com:project` was not recorded.
fn is_gcp_project(project: &str) -> bool {
    if project.bytes().all(|c| c.is_ascii_digit()) {
        return true;
    }
    (6..=30).contains(&project.len())
        && project.starts_with(|c: char| c.is_ascii_lowercase())
        && !project.ends_with('-')
        && project.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
}

fn is_gcp_topic(topic: &str) -> bool {
    (3..=255).contains(&topic.len())
        && topic.starts_with(|c: char| c.is_ascii_alphabetic())
        && !topic.starts_with("goog")
        && topic.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.~+%".contains(&c))
}

fn is_internal(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let under = |zone: &str| name == zone || name.strip_suffix(zone).is_some_and(|head| head.ends_with('.'));
            !name.contains('.')
                || ["myshopify.com", "shopify.com", "shopifycloud.com", "localhost", "local", "internal"]
                    .into_iter()
                    .any(under)
        }
        Host::Ipv4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
        Host::Ipv6(ip) => {
            let mapped = ip.to_ipv4_mapped().is_some_and(|ip| is_internal(&Host::Ipv4(ip)));
            mapped || ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
    }
}

fn name(name: &str, taken: bool) -> Vec<&'static str> {
    let mut errors = Vec::new();
    if name.is_empty() {
        errors.push("is too short (minimum is 1 character)");
    }
    if name.chars().count() > MAX_NAME {
        // By analogy with the minimum; not recorded.
        errors.push("is too long (maximum is 50 characters)");
    }
    if name.is_empty() || !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-') {
        errors.push("name field can only contain alphanumeric characters, underscores, and hyphens");
    }
    if errors.is_empty() && taken {
        errors.push("already exists, no duplicate allowed");
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_refused_with_the_recorded_messages() {
        let own = 77;
        let domains = ["mine.myshopify.com", "www.mine.example", "mine.account.myshopify.com"].map(str::to_owned);
        for (uri, expected) in [
            ("", &["can't be blank"][..]),
            ("shop.example/x", &["is invalid"]),
            ("https://", &["is invalid"]),
            ("https://a b.example/", &["is invalid"]),
            ("http://shop.example", &["protocol http:// is not supported"]),
            ("wss://shop.example", &["protocol wss:// is not supported"]),
            ("https://localhost/x", &["cannot be a Shopify or an internal domain"]),
            ("https://10.0.0.7/x", &["cannot be a Shopify or an internal domain"]),
            ("https://acme.myshopify.com/x", &["cannot be a Shopify or an internal domain"]),
            ("kafka://b/t", &["protocol kafka:// is not supported", "is not a valid kafka topic"]),
            ("pubsub://UPPER-case:topic", &["is invalid", "is not a valid GCP project id."]),
            ("pubsub://my-project:9lives", &["is invalid", "is not a valid GCP topic id."]),
            ("pubsub://4711:cats%25dogs", &[]),
            ("arn:aws:events:eu-west-1::event-source/aws.partner/shopify.com/77/orders", &[]),
            (
                "arn:aws:events:eu-west-1::event-source/aws.partner/shopify.com/77",
                &["is invalid", "is not a valid AWS ARN"],
            ),
            ("https://notmyshopify.com/x", &[]),
            ("https://mine.example/x", &[]),
        ] {
            assert_eq!(address(uri, own, &domains), expected, "{uri}");
        }
        let one = "cannot be any of the domains: mine.myshopify.com, www.mine.example, mine.account.myshopify.com";
        for uri in ["https://WWW.mine.example/x", "https://mine.myshopify.com", "https://mine.account.myshopify.com/x"]
        {
            assert_eq!(address(uri, own, &domains), [one], "{uri}");
        }
        let huge = format!("https://shop.example/{}", "x".repeat(MAX_TEXT));
        assert_eq!(address(&huge, own, &domains), ["is too big (maximum is 64 KB)"]);
    }
}
