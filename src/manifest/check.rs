//! Checks of one binding or one address that do not depend on the shop.

use std::collections::{HashMap, HashSet};

use crate::catalog::{self, TopicInfo};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Address, AddressKind, ApiVersion, Format, Topic};
use crate::state::Ownership;

use super::address;
use super::decode::short;
use super::document::{BindingBlock, Span, Spanned};
use super::expand::Ready;
use super::filter::{self, FilterError};
use super::findings::{Findings, Reporter};
use super::resolve::Endpoint;
use super::suggest;

/// The parts of the whole manifest that the checks depend on.
pub(super) struct Rules {
    pub(super) version: ApiVersion,
    pub(super) rest: bool,
    /// `None` if it is invalid; then addresses are not checked against it.
    pub(super) ownership: Option<Ownership>,
    /// The prefixes as written, for the remedy.
    pub(super) prefixes: Vec<String>,
    suggested: HashMap<String, Option<&'static str>>,
    addresses: HashSet<Span>,
}

/// A checked binding: its normalised topics, and the diagnostics that each shop that uses it may silence.
pub(super) struct Checked<'a> {
    pub(super) raw: &'a BindingBlock,
    pub(super) topics: Vec<Spanned<Topic>>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl Rules {
    pub(super) fn new(version: ApiVersion, rest: bool, ownership: Option<Ownership>, prefixes: Vec<String>) -> Self {
        Self { version, rest, ownership, prefixes, suggested: HashMap::new(), addresses: HashSet::new() }
    }

    /// Runs the checks that do not depend on the shop. Keeps the diagnostics that a shop may silence, and reports the
    /// others.
    pub(super) fn binding<'a>(&mut self, raw: &'a BindingBlock, findings: &mut Findings) -> Checked<'a> {
        let mut warnings = Vec::new();
        let topics: Vec<_> = raw.topics.iter().map(|topic| self.topic(topic, findings, &mut warnings)).collect();
        for topic in &topics {
            topic_and_format(topic, raw, findings);
        }
        if let Some(name) = &raw.name
            && topics.len() > 1
        {
            let message =
                format!("the name `{}` is used for several topics, but a name must be unique in its shop", name.value);
            let hint = "write a separate binding with its own name for each topic";
            findings.report(findings.diagnostic(Code::DuplicateName, name.span, message).hint(hint));
        }
        Self::filter(raw, &topics, findings, &mut warnings);
        removed_field(raw, &topics, findings, &mut warnings);
        constant_payload(raw, &topics, findings, &mut warnings);
        namespaces(raw, findings);
        if self.rest {
            rest_cannot(raw, findings);
        }
        Checked { raw, topics, warnings }
    }

    /// Returns the topic in the form of the catalogue.
    pub(super) fn topic(
        &mut self,
        topic: &Spanned<Topic>,
        findings: &mut Findings,
        warnings: &mut Vec<Diagnostic>,
    ) -> Spanned<Topic> {
        let written = topic.value.as_str();
        let Some(info) = catalog::lookup(&topic.value) else {
            let message = format!("unknown topic `{}`", short(written));
            let hint = self.meant(written).map_or_else(
                || {
                    "`hookwright topics WORD` searches the catalogue. If the topic is newer than this \
                     version of Hookwright, write `lint: { allow: [HW100] }`"
                        .into()
                },
                |meant| format!("did you mean `{meant}`?"),
            );
            warnings.push(findings.diagnostic(Code::UnknownTopic, topic.span, message).hint(hint));
            return topic.clone();
        };
        if info.is_compliance() {
            let message = format!("`{}` is a compliance topic, which the Admin API cannot subscribe to", info.name);
            let hint = "remove it here, and declare it in the app's configuration at Shopify";
            findings.report(findings.diagnostic(Code::NotSubscribable, topic.span, message).hint(hint));
        } else if !info.known_in(&self.version) && !info.is_undocumented() {
            let since = info.since().unwrap_or("unstable");
            let message = format!("version {} of the Admin API does not have the topic `{}`", self.version, info.name);
            let hint = match since {
                _ if info.until().is_some_and(|until| until < self.version.as_str()) => {
                    format!("remove it; {} is the last version that has it", info.until().unwrap_or_default())
                }
                "unstable" => "remove it; no stable version has it yet".to_owned(),
                since => format!(
                    "set `admin_api: {{ version: \"{since}\" }}`, the first version that has it, or a later one"
                ),
            };
            warnings.push(findings.diagnostic(Code::TopicVersion, topic.span, message).hint(hint));
        } else if info.is_undocumented() {
            let message = format!("`{}` is in no published version of the Admin API", info.name);
            let hint = "remove it if Shopify rejects it in your shops; it was observed in a live shop";
            warnings.push(findings.diagnostic(Code::Undocumented, topic.span, message).hint(hint));
        }
        if written != info.name {
            let message = format!("`{}` is not the slash form of the topic", short(written));
            let diagnostic = findings.diagnostic(Code::TopicSpelling, topic.span, message);
            warnings.push(diagnostic.hint(format!("write `{}`", info.name)));
        }
        Spanned::new(Topic::from_slash(info.name), topic.span)
    }

    fn meant(&mut self, written: &str) -> Option<&'static str> {
        if let Some(meant) = self.suggested.get(written) {
            return *meant;
        }
        // Limits the work for a manifest with thousands of different unknown topics.
        let meant = if self.suggested.len() < 1_000 { meant_topic(written) } else { None };
        self.suggested.insert(written.to_owned(), meant);
        meant
    }

    fn filter(raw: &BindingBlock, topics: &[Spanned<Topic>], findings: &mut Findings, warnings: &mut Vec<Diagnostic>) {
        let metaobject = topics.iter().find(|t| catalog::lookup(&t.value).is_some_and(TopicInfo::needs_type_filter));
        let Some(written) = &raw.filter else {
            if let Some(topic) = metaobject {
                let message = format!("`{}` requires a filter on the type of the metaobjects", topic.value);
                let hint = "add `filter: \"type:<definition type>\"`, without a wildcard";
                findings.report(findings.diagnostic(Code::TypeFilter, topic.span, message).hint(hint));
            }
            return;
        };
        let bad = |findings: &mut Findings, message: String, hint: &str| {
            findings.report(findings.diagnostic(Code::BadFilter, written.span, message).hint(hint));
        };
        if written.value.len() > filter::LONGEST {
            let message = format!("the filter is too long: {} bytes", written.value.len());
            return bad(findings, message, "Shopify accepts at most 65,535 bytes");
        }
        let terms = match filter::terms(&written.value) {
            Ok(terms) => terms,
            Err(error) => {
                let (message, hint) = explained(&error);
                return bad(findings, message, hint);
            }
        };
        if let Some(topic) = metaobject {
            let usable = |value: &str| !value.is_empty() && !value.contains(['*', '$']);
            if !terms.iter().any(|term| term.field == "type" && usable(term.value)) {
                let message =
                    format!("`{}` requires `type:` with the complete definition type in its filter", topic.value);
                let hint = "write `filter: \"type:<definition type>\"`; wildcards and `$app:` do not work there";
                findings.report(findings.diagnostic(Code::TypeFilter, written.span, message).hint(hint));
            }
        }
        if raw.include_fields.is_empty() {
            return;
        }
        let included = |field: &str| {
            raw.include_fields.iter().any(|included| {
                field.strip_prefix(included.value.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        let mut fields: Vec<&str> = terms.iter().map(|term| term.field).filter(|field| !included(field)).collect();
        fields.dedup();
        for field in fields {
            let message = format!("the filter uses `{}`, which `include_fields` leaves out", short(field));
            let hint = "add the field to `include_fields`: Shopify filters the reduced payload, so without the field nothing is delivered";
            warnings.push(findings.diagnostic(Code::FilterField, written.span, message).hint(hint));
        }
    }

    /// Checks an address at the place where it is written, once.
    pub(super) fn address(&mut self, at: &Spanned<Address>, reporter: &mut Reporter<'_, '_>) {
        let seen = !self.addresses.insert(at.span);
        if let Some(remark) = address::refused(&at.value) {
            if !seen {
                let diagnostic = reporter.diagnostic(remark.code, at.span, remark.message).hint(remark.hint);
                reporter.findings().report(diagnostic);
            }
            return;
        }
        for remark in address::dcs_remarks(&at.value) {
            let diagnostic = reporter.diagnostic(remark.code, at.span, remark.message).hint(remark.hint);
            reporter.report(diagnostic);
        }
        if !seen {
            self.owned(at, reporter.findings());
        }
    }

    fn owned(&self, at: &Spanned<Address>, findings: &mut Findings) {
        if let Some(ownership) = &self.ownership
            && !ownership.covers(&at.value)
        {
            let message = format!("no prefix of `ownership` covers {}", short(&self.prefix_to_add(&at.value)));
            let hint = address::page(&at.value).map_or_else(|| self.line_to_write(&at.value), str::to_owned);
            findings.report(findings.diagnostic(Code::NotOwned, at.span, message).hint(hint));
        }
    }

    fn written_prefixes(&self) -> Vec<&str> {
        self.prefixes.iter().map(String::as_str).collect()
    }

    fn prefix_to_add(&self, address: &Address) -> String {
        address::prefix_to_add(&self.written_prefixes(), address)
    }

    fn line_to_write(&self, address: &Address) -> String {
        format!(
            "Hookwright would create the subscription, and then treat it as unmanaged. If the address is correct, write:\n{}",
            address::line_to_write(&self.written_prefixes(), address)
        )
    }
}

/// Returns the topic that was probably meant: the input has a typing error or another form of the verb.
fn meant_topic(written: &str) -> Option<&'static str> {
    let slashed = |c: char| matches!(c, '/' | '.' | '_');
    let squash = |text: &str| text.to_lowercase().replace(slashed, "/");
    let wanted = squash(written);
    // order/created is taken for orders/create.
    let stem = |text: &str| {
        let parts = text.split('/').map(|part| part.trim_end_matches('s').trim_end_matches('d').trim_end_matches('e'));
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let known = || catalog::all().iter().filter(|info| !info.is_compliance()).map(|info| info.name);
    known().find(|name| stem(&squash(name)) == stem(&wanted)).or_else(|| suggest::closest(written, known()))
}

/// Reports a topic that does not support the format of its binding. [`topic_and_endpoint`] checks it against the
/// address.
fn topic_and_format(topic: &Spanned<Topic>, raw: &BindingBlock, findings: &mut Findings) {
    if raw.format.value == Format::Xml && catalog::lookup(&topic.value).is_some_and(TopicInfo::is_json_only) {
        let message = format!("Shopify sends `{}` only as JSON", topic.value);
        let hint = "remove `format: xml`";
        findings.report(findings.diagnostic(Code::TopicAddress, raw.format.span, message).hint(hint));
    }
}

/// Reports a topic or a format that the endpoint of a binding does not support.
pub(super) fn topic_and_endpoint(ready: &Ready, endpoint: Endpoint<'_>, reporter: &mut Reporter<'_, '_>) {
    let binding = &ready.entry.binding;
    let kind = endpoint.kind();
    if kind == AddressKind::Https && catalog::lookup(&binding.topic).is_some_and(TopicInfo::is_cloud_only) {
        let message = format!("Shopify delivers `{}` only to Pub/Sub and EventBridge", binding.topic);
        let hint = "use a `pubsub://…` address or the ARN of an EventBridge event source";
        reporter.report(reporter.diagnostic(Code::TopicAddress, ready.span, message).hint(hint));
    }
    if binding.format == Format::Xml {
        let (code, message) = if matches!(kind, AddressKind::PubSub | AddressKind::EventBridge) {
            (Code::TopicAddress, "Shopify delivers only JSON to Pub/Sub and EventBridge")
        } else if endpoint.is_inlet() {
            (Code::DcsAddress, "Adobe's collection endpoint accepts only JSON")
        } else {
            return;
        };
        reporter.report(reporter.diagnostic(code, ready.format, message).hint("remove `format: xml`"));
    }
}

fn explained(error: &FilterError<'_>) -> (String, &'static str) {
    match error {
        FilterError::BareWord(word) => (
            format!("the term `{}` of the filter has no field", short(word)),
            "write each term as `field:value`, such as `email:*@example.com`, and put a value that contains spaces in quotes",
        ),
        FilterError::SmallConnective(word) => (
            format!("Shopify reads `{}` in the filter as a term without a field", short(word)),
            "write `AND`, `OR` and `NOT` in capital letters",
        ),
        FilterError::BadField(field) => (
            format!("`{}` in the filter is not the name of a field", short(field)),
            "write each term as `field:value`, and put a value that contains a colon or spaces in quotes: `field:\"a: b\"`",
        ),
        FilterError::NoValue(field) => (
            format!("the filter has no value after `{}:`", short(field)),
            "write each term as `field:value`; `field:*` matches any value",
        ),
        FilterError::OpenQuote => ("a quote in the filter is not closed".to_owned(), "close it with the same quote"),
        FilterError::Parentheses => {
            ("the parentheses in the filter do not match".to_owned(), "close each opened parenthesis")
        }
    }
}

/// A field that Shopify removed from the payloads of orders and checkouts (changelog, March 2026).
const REMOVED_FIELD: &str = "checkout_id";

fn removed_field(raw: &BindingBlock, topics: &[Spanned<Topic>], findings: &Findings, warnings: &mut Vec<Diagnostic>) {
    let without =
        |topic: &&Spanned<Topic>| ["orders/", "checkouts/"].iter().any(|area| topic.value.as_str().starts_with(area));
    let Some(topic) = topics.iter().find(without) else { return };
    let since = "Shopify removed it in March 2026";
    if let Some(field) = raw.include_fields.iter().find(|field| field.value == REMOVED_FIELD) {
        let message = format!("payloads of `{}` have no field `{REMOVED_FIELD}`: {since}", topic.value);
        warnings
            .push(findings.diagnostic(Code::RemovedField, field.span, message).hint("remove it from `include_fields`"));
    }
    let filtered = |filter: &Spanned<String>| {
        filter::terms(&filter.value).is_ok_and(|terms| terms.iter().any(|term| term.field == REMOVED_FIELD))
    };
    if let Some(filter) = raw.filter.as_ref().filter(|filter| filtered(filter)) {
        let message =
            format!("the filter uses `{REMOVED_FIELD}`, which payloads of `{}` do not have: {since}", topic.value);
        let hint = "remove the term: a filter on a field that does not exist matches nothing";
        warnings.push(findings.diagnostic(Code::RemovedField, filter.span, message).hint(hint));
    }
}

/// Fields that never change during the life of a resource.
const CONSTANT_FIELDS: [&str; 3] = ["id", "admin_graphql_api_id", "created_at"];

/// Reports a binding of an update topic whose payload is always the same. Shopify drops a delivery if its payload
/// equals one that it sent shortly before (documented for the case that only `id` is included).
fn constant_payload(
    raw: &BindingBlock,
    topics: &[Spanned<Topic>],
    findings: &Findings,
    warnings: &mut Vec<Diagnostic>,
) {
    let update = |topic: &&Spanned<Topic>| {
        let verb = topic.value.as_str().rsplit(['/', '.']).next().unwrap_or_default();
        verb.split('_').any(|word| word == "update" || word == "updated")
    };
    let Some(topic) = topics.iter().find(update) else { return };
    let Some(first) = raw.include_fields.first() else { return };
    if raw.include_fields.iter().all(|field| CONSTANT_FIELDS.contains(&field.value.as_str())) {
        let fields: Vec<&str> = raw.include_fields.iter().map(|field| field.value.as_str()).collect();
        let message = format!(
            "`include_fields` of `{}` contains only fields that never change: {}",
            topic.value,
            super::decode::listed(&fields)
        );
        let hint = "add `updated_at`, or another field that changes: Shopify drops a delivery if its payload equals one that it \
                    sent shortly before";
        warnings.push(findings.diagnostic(Code::ConstantPayload, first.span, message).hint(hint));
    }
}

fn namespaces(raw: &BindingBlock, findings: &mut Findings) {
    for namespace in &raw.metafield_namespaces {
        if namespace.value.trim() == "$app:" {
            let message = "`$app:` is not a namespace";
            let hint =
                "write `$app` for the app's default namespace, or `$app:<namespace>` for another namespace of the app";
            findings.report(findings.diagnostic(Code::BadNamespace, namespace.span, message).hint(hint));
        }
    }
    for metafield in raw.metafields.iter().flat_map(|list| &list.value) {
        let whole = metafield
            .value
            .split_once('.')
            .is_some_and(|(namespace, key)| !namespace.is_empty() && namespace != "$app:" && !key.is_empty());
        if !whole {
            let message = format!("`{}` is not a metafield", short(&metafield.value));
            let hint = "write `namespace.key`, such as `custom.size`, `$app.tier` or `$app:loyalty.tier`";
            findings.report(findings.diagnostic(Code::BadNamespace, metafield.span, message).hint(hint));
        }
    }
}

fn rest_cannot(raw: &BindingBlock, findings: &mut Findings) {
    let fields = [
        ("filter", raw.filter.as_ref().map(|at| at.span)),
        ("name", raw.name.as_ref().map(|at| at.span)),
        ("metafields", raw.metafields.as_ref().map(|at| at.span)),
    ];
    for (field, span) in fields {
        let Some(span) = span else { continue };
        let message = format!("the REST Admin API cannot set `{field}`");
        let hint = "remove it, or write `admin_api: { transport: graphql }`";
        findings.report(findings.diagnostic(Code::Rest, span, message).hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_with_typing_errors_and_other_verb_forms_are_recognised() {
        for (written, meant) in [
            ("orders/update", Some("orders/updated")),
            ("orders/created", Some("orders/create")),
            ("order/create", Some("orders/create")),
            ("customer/updated", Some("customers/update")),
            ("product/create", Some("products/create")),
            ("orders.create", Some("orders/create")),
            ("oders/paid", Some("orders/paid")),
            ("customers/tags_added", Some("customer.tags_added")),
            ("frobnicate/now", None),
        ] {
            assert_eq!(meant_topic(written), meant, "{written}");
        }
    }
}
