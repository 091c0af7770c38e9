//! Offline checks of addresses against the rules of Shopify and Adobe.

mod placeholder;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::diagnostic::Code;
use crate::model::{Address, AddressKind};
use crate::state::{Ownership, Prefix};

use super::decode::short;
pub(super) use placeholder::placeholder;

/// The sample id in Adobe's documentation.
const SAMPLE_ID: &str = "9d411a24aa3c0a3eded92bac6c64d0da986ee7a8212f87168c5fb42d9ddc3227";
/// Longest address in bytes (recorded).
const LONGEST: usize = 65_535;

/// A problem of an address.
pub(super) struct Remark {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) hint: String,
}

fn remark(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Remark {
    Remark { code, message: message.into(), hint: hint.into() }
}

/// Returns the reason why Shopify would reject the address, if there is one.
pub(super) fn refused(address: &Address) -> Option<Remark> {
    let text = address.as_str();
    let bad = |message: &str, hint: &str| Some(remark(Code::BadAddress, message, hint));
    if text.len() > LONGEST {
        return bad("the address is longer than 65,535 bytes", "Shopify accepts at most 65,535 bytes");
    }
    if let Some(placeholder) = placeholder(text) {
        let message = format!(
            "the address contains the placeholder `{}`, but Hookwright does not replace placeholders in addresses",
            short(placeholder)
        );
        let hint = "write the complete address. If each shop has its own, write it in the shop's entry:\n\
                    destinations: { NAME: \"https://…\" }\n\
                    Replace any other placeholder with another tool before Hookwright reads the file";
        return Some(remark(Code::BadAddress, message, hint));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return bad("the address contains a space or a control character", "remove it; a space is written `%20`");
    }
    match address.kind() {
        AddressKind::Https => refused_https(text),
        AddressKind::PubSub => refused_pubsub(text),
        AddressKind::EventBridge => refused_arn(text),
        AddressKind::Other => {
            let lower = text.get(..7).unwrap_or_default().to_ascii_lowercase();
            if lower == "http://" {
                bad(
                    "the address uses http, but Shopify delivers only to https",
                    "write `https://` instead of `http://`",
                )
            } else {
                bad(
                    "the address is not `https://…`, `pubsub://project:topic` or the ARN of an EventBridge event source",
                    "write the complete address. To use a destination by its name, write `destination: NAME` instead of `address`",
                )
            }
        }
    }
}

fn refused_https(text: &str) -> Option<Remark> {
    let bad = |message: &str, hint: &str| Some(remark(Code::BadAddress, message, hint));
    // The URL parser skips any number of slashes and backslashes before the host.
    let written = !text["https://".len()..].starts_with(['/', '\\']);
    let Some(url) = Url::parse(text).ok().filter(|_| written) else {
        return bad(
            "the address is not a valid URL",
            "write an address such as `https://dcs.adobedc.net/collection/<id>`",
        );
    };
    if !url.username().is_empty() || url.password().is_some() {
        return bad(
            "the address contains a user name or a password",
            "remove it, because plans show addresses. To authenticate deliveries, verify their signature",
        );
    }
    let internal = match url.host() {
        None => true,
        Some(Host::Ipv4(ip)) => is_internal_v4(ip),
        Some(Host::Ipv6(ip)) => is_internal_v6(ip),
        Some(Host::Domain(host)) => {
            let host = host.strip_suffix('.').unwrap_or(host);
            if let Some(why) = impossible(host) {
                let message = format!("the host `{}` is invalid: {why}", short(host));
                return Some(remark(
                    Code::BadAddress,
                    message,
                    "correct the host; check that the complete address was copied",
                ));
            }
            let within = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|h| h.ends_with('.'));
            if ["myshopify.com", "shopify.com", "shopifycloud.com"].into_iter().any(within) {
                return bad(
                    "the address is in one of Shopify's own domains",
                    "use another address: Shopify does not deliver to its own domains",
                );
            }
            !host.contains('.') || ["localhost", "local", "internal"].into_iter().any(within)
        }
    };
    if internal {
        return bad(
            "the address is not on the public internet",
            "use a public host, because Shopify cannot reach others. For tests, use a tunnel with a public https address",
        );
    }
    None
}

/// Returns why a host name is invalid (RFC 1123; an underscore is accepted, because names with one do resolve).
fn impossible(host: &str) -> Option<&'static str> {
    if host.len() > 253 {
        return Some("it is longer than 253 characters");
    }
    host.split('.').find_map(|label| {
        let odd = |c: u8| !c.is_ascii_alphanumeric() && c != b'-' && c != b'_';
        if label.is_empty() {
            Some("a part between its dots is empty")
        } else if label.len() > 63 {
            Some("a part between its dots is longer than 63 characters")
        } else if label.starts_with('-') || label.ends_with('-') {
            Some("a part between its dots starts or ends with a hyphen")
        } else if label.bytes().any(odd) {
            Some("it has a character other than letters, digits, hyphens and dots")
        } else {
            None
        }
    })
}

fn is_internal_v4(ip: Ipv4Addr) -> bool {
    ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
}

fn is_internal_v6(ip: Ipv6Addr) -> bool {
    let unique_local = ip.segments()[0] & 0xfe00 == 0xfc00;
    let link_local = ip.segments()[0] & 0xffc0 == 0xfe80;
    ip.is_loopback()
        || ip.is_unspecified()
        || unique_local
        || link_local
        || ip.to_ipv4_mapped().is_some_and(is_internal_v4)
}

fn refused_pubsub(text: &str) -> Option<Remark> {
    if !text.starts_with("pubsub://") {
        let message = "the scheme contains capital letters, but Shopify accepts `pubsub://` in lower case only";
        return Some(remark(Code::BadAddress, message, "write `pubsub://<project id or number>:<topic>`"));
    }
    let rest = text.get("pubsub://".len()..).unwrap_or_default();
    let Some((project, topic)) = rest.split_once(':') else {
        let message = "the address has no `:<topic>`";
        return Some(remark(Code::BadAddress, message, "write `pubsub://<project id or number>:<topic>`"));
    };
    // A project number, or an id that starts with a lower-case letter (both recorded), as Google defines it.
    let number = !project.is_empty() && project.bytes().all(|c| c.is_ascii_digit());
    let id = (6..=30).contains(&project.len())
        && project.starts_with(|c: char| c.is_ascii_lowercase())
        && !project.ends_with('-')
        && project.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    let topic_ok = (3..=255).contains(&topic.len())
        && topic.starts_with(|c: char| c.is_ascii_alphabetic())
        && !topic.starts_with("goog")
        && topic.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.~+%".contains(&c));
    let (message, hint) = if !number && !id {
        (
            format!("`{}` is not the id or number of a Google Cloud project", short(project)),
            "write `pubsub://<project id or number>:<topic>`. A project id has 6 to 30 lower-case letters, digits and hyphens, \
             starts with a letter and does not end with a hyphen",
        )
    } else if !topic_ok {
        (
            format!("`{}` is not the id of a Pub/Sub topic", short(topic)),
            "write `pubsub://<project id or number>:<topic>`. A topic id has 3 to 255 letters, digits and `-_.~+%`, starts with \
             a letter and does not start with `goog`",
        )
    } else {
        return None;
    };
    Some(remark(Code::BadAddress, message, hint))
}

fn refused_arn(text: &str) -> Option<Remark> {
    let well_formed = || {
        let (region, source) = text.strip_prefix("arn:aws:events:")?.split_once("::event-source/aws.partner/")?;
        let source = source.strip_prefix("shopify.com/").or_else(|| source.strip_prefix("shopify.com.test/"))?;
        let (client, name) = source.split_once('/')?;
        let region_ok =
            !region.is_empty() && region.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        let client_ok = !client.is_empty() && client.bytes().all(|c| c.is_ascii_digit());
        (region_ok && client_ok && !name.is_empty()).then_some(())
    };
    let hint = "copy the ARN from the app's settings at Shopify: \
                `arn:aws:events:<region>::event-source/aws.partner/shopify.com/<numeric id of the app>/<source>`";
    well_formed().is_none().then(|| remark(Code::BadAddress, "the ARN is not the ARN of a Shopify event source", hint))
}

/// Returns why bindings cannot use the address that Adobe returned for a destination, if there is a reason.
pub(crate) fn unusable(address: &Address, ownership: &Ownership) -> Option<Unusable> {
    let refuse = |why: &str| Some(Unusable::Refused(why.to_owned()));
    if let Some(remark) = refused(address) {
        return Some(Unusable::Refused(remark.message));
    }
    // The path that a URL parser sees must be the one that is compared with the prefixes.
    let written =
        address.as_str().splitn(4, '/').nth(3).and_then(|rest| rest.split(['?', '#']).next()).unwrap_or_default();
    if address.url().is_none_or(|url| url.path().strip_prefix('/') != Some(written)) {
        return refuse("its path contains `..`, a backslash or a character that is not percent-encoded");
    }
    if address.as_str().contains('#') {
        return refuse("the address has a fragment (`#…`), which is never sent");
    }
    (!ownership.covers(address)).then(|| {
        let prefixes: Vec<&str> = ownership.address_prefixes.iter().map(Prefix::as_str).collect();
        Unusable::NotOwned { prefix: prefix_to_add(&prefixes, address), line: line_to_write(&prefixes, address) }
    })
}

/// Why bindings cannot use the address that Adobe returned for a destination.
pub(crate) enum Unusable {
    /// Shopify would reject it, or a URL parser changes its path.
    Refused(String),
    /// No ownership prefix covers it.
    NotOwned {
        /// The prefix to add.
        prefix: String,
        /// The line with all prefixes.
        line: String,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::NotOwned { prefix, line } => {
                write!(f, "no prefix of `ownership` covers {prefix}. If the address is correct, write `{line}`")
            }
        }
    }
}

/// Returns the ownership prefix to add for an address. For an Adobe inlet on a host that no prefix names, it is the
/// folder, as in the default prefix, because a recreated dataflow has another id. For anything else it is the whole
/// address, because a shorter prefix would cover subscriptions of other teams.
pub(super) fn prefix_to_add(prefixes: &[&str], address: &Address) -> String {
    let url = address.url();
    let id = url.as_ref().and_then(|url| url.path().strip_prefix("/collection/"));
    let host = url.as_ref().and_then(Url::host_str).map(|host| format!("https://{host}/"));
    let is_new = host.is_some_and(|host| !prefixes.iter().any(|prefix| prefix.starts_with(&host)));
    if is_new && id.is_some_and(is_inlet_id) { prefix_for(address) } else { address.to_string() }
}

/// Returns the line of the manifest with these prefixes and the one for the address.
pub(super) fn line_to_write(prefixes: &[&str], address: &Address) -> String {
    let added = prefix_to_add(prefixes, address);
    let prefixes: Vec<String> = prefixes.iter().chain([&&*added]).map(|prefix| format!("{prefix:?}")).collect();
    format!("ownership: {{ address_prefixes: [{}] }}", prefixes.join(", "))
}

/// Whether a text is an inlet id: 64 hexadecimal digits.
fn is_inlet_id(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

/// Whether the address belongs to Adobe's collection endpoint. Adobe does not document whether organisations on AWS
/// have another host (release notes, September 2026), so every host of its domain counts if the path is that of an
/// inlet.
pub(crate) fn is_dcs(address: &Address) -> bool {
    let Some(rest) = address.as_str().get(8..).filter(|_| address.kind() == AddressKind::Https) else { return false };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#', ':']).unwrap_or(rest.len()));
    let host = host.to_ascii_lowercase();
    let known = host == "dcs.adobedc.net" || host == "dcs-int.adobedc.net";
    known || (host.ends_with(".adobedc.net") && path.starts_with("/collection/"))
}

/// Returns a remedy if the address is that of a web page, copied from a browser; `None` for any other address.
pub(super) fn page(address: &Address) -> Option<&'static str> {
    let url = address.url()?;
    let host = url.host_str()?;
    let within = |domain: &str| host.strip_suffix(domain).is_some_and(|head| head.is_empty() || head.ends_with('.'));
    if ["experience.adobe.com", "platform.adobe.com", "developer.adobe.com"].into_iter().any(within) {
        return Some(
            "this is the address of a web page, which does not accept deliveries. Write the streaming endpoint URL of the \
             dataflow or of the HTTP API connection, which Adobe Experience Platform shows with the source:\n\
             https://dcs.adobedc.net/collection/<64 hexadecimal digits>",
        );
    }
    if within("console.cloud.google.com") {
        return Some("this is the address of a web page. Write `pubsub://<project id or number>:<topic>`");
    }
    within("console.aws.amazon.com").then_some(
        "this is the address of a web page. Write the ARN of the event source: \
         `arn:aws:events:<region>::event-source/aws.partner/shopify.com/<numeric id of the app>/<source>`",
    )
}

/// Returns the problems of an address of Adobe's collection endpoint.
pub(super) fn dcs_remarks(address: &Address) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let Some(url) = address.url().filter(|_| is_dcs(address)) else { return remarks };
    if url.query_pairs().any(|(key, _)| key == "syncValidation" || key == "synchronousValidation") {
        let message =
            "`syncValidation` is for manual tests only: Adobe accepts 60 requests a minute and drops the rest";
        remarks.push(remark(Code::DcsAddress, message, "remove the query parameter"));
    }
    let id = url.path().strip_prefix("/collection/").unwrap_or_default();
    if id == SAMPLE_ID {
        let hint =
            "write the streaming endpoint URL of your own HTTP API connection, which Adobe Experience Platform shows";
        remarks.push(remark(Code::SampleId, "the address is the sample from Adobe's documentation", hint));
    }
    let usual = url.host_str() != Some("dcs-int.adobedc.net")
        && url.port().is_none()
        && url.fragment().is_none()
        && is_inlet_id(id)
        && url.query_pairs().all(|(key, value)| match &*key {
            "x-adobe-flow-id" => is_uuid(&value),
            // Reported above.
            "syncValidation" | "synchronousValidation" => true,
            _ => false,
        });
    if !usual {
        let message =
            format!("`{}` does not have the usual form of an Adobe streaming endpoint", short(address.as_str()));
        let hint = "check that the complete address was copied. The usual form is \
                    `https://dcs.adobedc.net/collection/<64 hexadecimal digits>`, optionally followed by \
                    `?x-adobe-flow-id=<uuid>`. If the address is correct, write `lint: { allow: [HW106] }`";
        remarks.push(remark(Code::UnusualDcs, message, hint));
    }
    remarks
}

pub(super) fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, len)| part.len() == len && part.bytes().all(|c| c.is_ascii_hexdigit()))
}

/// Returns the ownership prefix for an imported address: its folder, so that addresses in the same folder share it.
pub(crate) fn prefix_for(address: &Address) -> String {
    let text = address.as_str();
    match address.kind() {
        AddressKind::PubSub => match text.rfind(':') {
            Some(at) => text[..=at].to_owned(),
            None => text.to_owned(),
        },
        AddressKind::EventBridge => text.rfind('/').map_or(text, |at| &text[..=at]).to_owned(),
        AddressKind::Https | AddressKind::Other => {
            // The folder of the address, not its host: other paths of the host may have other owners.
            let host = text.find("://").map_or(0, |at| at + 3);
            let path = text[host..].find(['?', '#']).map_or(text, |at| &text[..host + at]);
            let folder = path[host..].rfind('/').filter(|at| path[host..].find('/') != Some(*at));
            folder.map_or(path, |at| &path[..=host + at]).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shopify_rejects_these_addresses_and_accepts_those() {
        for text in [
            "http://x.example/",
            "ftp://x.example/",
            "commerce",
            "https://",
            "https://localhost/x",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.1.2.3/",
            "https://a.myshopify.com/",
            "https://intranet/",
            "https://u:p@x.example/",
            "https://x.example/a b",
            "pubsub://my-project",
            "pubsub://-bad:topic",
            "pubsub://MyProject:orders",
            "pubsub://short:orders",
            "pubsub://example.com:orders",
            "PUBSUB://my-project:orders",
            "pubsub://valid-project:1topic",
            "pubsub://valid-project:goog-prefixed",
            "pubsub://valid-project:",
            "arn:aws:events:bogus",
            "kafka://broker/topic",
            "https://x..example/",
            "https://.x.example/",
            "https://x.example../",
            "https://-x.example/",
            "https://x-.example/",
            "https://x$y.example/",
            "https:///x.example/",
            &format!("https://{}.example/", "a".repeat(64)),
            &format!("https://{}example/", "a.".repeat(130)),
        ] {
            assert!(refused(&Address::new(text)).is_some(), "{text}");
        }
        for text in [
            "https://x.example/a?b=c",
            "HTTPS://X.example",
            "https://8.8.8.8/",
            "https://x.example./",
            "https://my_bucket.x--y.example/",
            "https://größe.example/",
            &format!("https://{}.example/", "a".repeat(63)),
            "https://notmyshopify.com/",
            "pubsub://123456789012:unified-final%25topic",
            "arn:aws:events:us-west-2::event-source/aws.partner/shopify.com/347082227713/xml-unified-update",
        ] {
            assert!(refused(&Address::new(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn usual_dcs_addresses_cause_no_diagnostic() {
        let id = "0123456789abcdef".repeat(4);
        let codes = |text: &str| dcs_remarks(&Address::new(text)).iter().map(|r| r.code).collect::<Vec<_>>();
        let base = format!("https://dcs.adobedc.net/collection/{id}");
        assert_eq!(codes(&base), []);
        assert_eq!(codes(&format!("{base}?x-adobe-flow-id=6e0a8f6c-1f2b-4c5d-8e9f-0123456789ab")), []);
        assert_eq!(codes(&format!("{base}?x-adobe-flow-id=1")), [Code::UnusualDcs]);
        assert_eq!(codes(&format!("{base}?syncValidation=true")), [Code::DcsAddress]);
        assert_eq!(codes("https://dcs.adobedc.net/collection/ABC"), [Code::UnusualDcs]);
        let elsewhere = base.replace("dcs.", "dcs.aws.");
        assert_eq!(codes(&elsewhere), [], "{elsewhere}");
        assert_eq!(codes(&elsewhere.replace(&id, "ABC")), [Code::UnusualDcs]);
        assert_eq!(codes("https://edge.adobedc.net/ee/v2/collect"), []);
        let prefix = |text: &str| prefix_to_add(&[Prefix::DEFAULT], &Address::new(text));
        assert_eq!(prefix(&format!("{elsewhere}?x-adobe-flow-id=1")), "https://dcs.aws.adobedc.net/collection/");
        for alone in ["https://hooks.example/collection/1", "https://hooks.example/shop/collection", &base] {
            assert_eq!(prefix(alone), alone);
        }
        assert_eq!(codes("https://x.example/collection/ABC"), []);
        assert_eq!(codes(&format!("https://dcs.adobedc.net/collection/{SAMPLE_ID}")), [Code::SampleId]);
    }

    #[test]
    fn the_suggested_prefix_covers_the_address() {
        for text in [
            "https://X.example?q",
            "https://x.example/a/b",
            "pubsub://project:topic",
            "arn:aws:events:r::event-source/a/1/s",
        ] {
            let prefix = crate::state::Prefix::parse(&prefix_for(&Address::new(text))).expect("prefix");
            let ownership = crate::state::Ownership { address_prefixes: vec![prefix], ..Default::default() };
            assert!(ownership.covers(&Address::new(text)), "{text}");
        }
    }
}
