//! What is wrong with one binding, or one address, whatever shop it is for.

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

/// What the checks need to know of the manifest as a whole.
pub(super) struct Rules {
    pub(super) version: ApiVersion,
    pub(super) rest: bool,
    /// `None`: it is broken itself, so nothing is said of addresses.
    pub(super) ownership: Option<Ownership>,
    /// The prefixes as written, for the line to add.
    pub(super) prefixes: Vec<String>,
    suggested: HashMap<String, Option<&'static str>>,
    addresses: HashSet<Span>,
}

/// A binding after its own checks: normalised topics, and what each shop that uses it may silence.
pub(super) struct Checked<'a> {
    pub(super) raw: &'a BindingBlock,
    pub(super) topics: Vec<Spanned<Topic>>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl Rules {
    pub(super) fn new(version: ApiVersion, rest: bool, ownership: Option<Ownership>, prefixes: Vec<String>) -> Self {
        Self { version, rest, ownership, prefixes, suggested: HashMap::new(), addresses: HashSet::new() }
    }

    /// Checks what does not depend on the shop. What a shop may silence is kept, the rest is reported.
    pub(super) fn binding<'a>(&mut self, raw: &'a BindingBlock, findings: &mut Findings) -> Checked<'a> {
        let mut warnings = Vec::new();
        let topics: Vec<_> = raw.topics.iter().map(|topic| self.topic(topic, findings, &mut warnings)).collect();
        for topic in &topics {
            topic_and_format(topic, raw, findings);
        }
        if let Some(name) = &raw.name
            && topics.len() > 1
        {
            let message = format!("the name `{}` stands on several topics, but names are unique in a shop", name.value);
            let hint = "give each topic a binding of its own, with a name of its own";
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

    /// The topic as the catalogue writes it.
    pub(super) fn topic(
        &mut self,
        topic: &Spanned<Topic>,
        findings: &mut Findings,
        warnings: &mut Vec<Diagnostic>,
    ) -> Spanned<Topic> {
        let written = topic.value.as_str();
        let Some(info) = catalog::lookup(&topic.value) else {
            let message = format!("the catalogue does not know the topic `{}`", short(written));
            let hint = self.meant(written).map_or_else(
                || {
                    "`hookwright topics WORD` searches the catalogue; where the topic is newer than this \
                     tool, write lint: { allow: [HW100] }"
                        .into()
                },
                |meant| format!("did you mean {meant}?"),
            );
            warnings.push(findings.diagnostic(Code::UnknownTopic, topic.span, message).hint(hint));
            return topic.clone();
        };
        if info.is_compliance() {
            let message = format!("`{}` is a compliance topic, the Admin API cannot subscribe it", info.name);
            let hint = "set it in the app's configuration at Shopify, and remove it here";
            findings.report(findings.diagnostic(Code::NotSubscribable, topic.span, message).hint(hint));
        } else if !info.known_in(&self.version) && !info.is_undocumented() {
            let since = info.since().unwrap_or("unstable");
            let message = format!("version {} of the Admin API does not have the topic `{}`", self.version, info.name);
            let hint = match since {
                _ if info.until().is_some_and(|until| until < self.version.as_str()) => {
                    format!("{} is the last version that has it: remove it here", info.until().unwrap_or_default())
                }
                "unstable" => "it is in no stable version yet: remove it here".to_owned(),
                since => format!("it came with {since}: set `admin_api: {{ version: \"{since}\" }}` or later"),
            };
            warnings.push(findings.diagnostic(Code::TopicVersion, topic.span, message).hint(hint));
        } else if info.is_undocumented() {
            let message = format!("`{}` is in no published version of the Admin API", info.name);
            let hint = "it was seen in a live shop; Shopify may refuse it in yours";
            warnings.push(findings.diagnostic(Code::Undocumented, topic.span, message).hint(hint));
        }
        if written != info.name {
            let message = format!("`{}` is not the slash form of the topic", short(written));
            let diagnostic = findings.diagnostic(Code::TopicSpelling, topic.span, message);
            warnings.push(diagnostic.hint(format!("write {}", info.name)));
        }
        Spanned::new(Topic::from_slash(info.name), topic.span)
    }

    fn meant(&mut self, written: &str) -> Option<&'static str> {
        if let Some(meant) = self.suggested.get(written) {
            return *meant;
        }
        // A bound on work for a manifest with thousands of different unknown topics.
        let meant = if self.suggested.len() < 1_000 { meant_topic(written) } else { None };
        self.suggested.insert(written.to_owned(), meant);
        meant
    }

    fn filter(raw: &BindingBlock, topics: &[Spanned<Topic>], findings: &mut Findings, warnings: &mut Vec<Diagnostic>) {
        let metaobject = topics.iter().find(|t| catalog::lookup(&t.value).is_some_and(TopicInfo::needs_type_filter));
        let Some(written) = &raw.filter else {
            if let Some(topic) = metaobject {
                let message = format!("`{}` needs a filter that names the type of the metaobjects", topic.value);
                let hint = "add filter: \"type:<definition type>\", without a wildcard";
                findings.report(findings.diagnostic(Code::TypeFilter, topic.span, message).hint(hint));
            }
            return;
        };
        let bad = |findings: &mut Findings, message: String, hint: &str| {
            findings.report(findings.diagnostic(Code::BadFilter, written.span, message).hint(hint));
        };
        if written.value.len() > filter::LONGEST {
            let message = format!("the filter has {} bytes", written.value.len());
            return bad(findings, message, "Shopify takes at most 65,535");
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
                let message = format!("`{}` needs `type:` with the whole definition type in its filter", topic.value);
                let hint = "write filter: \"type:<definition type>\"; wildcards and $app: do not work there";
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
            let message = format!("the filter looks at `{}`, which `include_fields` leaves out", short(field));
            let hint = "Shopify filters what it would send: add the field, or nothing is ever delivered";
            warnings.push(findings.diagnostic(Code::FilterField, written.span, message).hint(hint));
        }
    }

    /// Checks an address where it is written, once.
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
            "the tool would create the subscription and then treat it as unmanaged. If the address is right, add it:\n{}",
            address::line_to_write(&self.written_prefixes(), address)
        )
    }
}

/// The topic that was probably meant: a typing error, or another form of the verb.
fn meant_topic(written: &str) -> Option<&'static str> {
    let slashed = |c: char| matches!(c, '/' | '.' | '_');
    let squash = |text: &str| text.to_lowercase().replace(slashed, "/");
    let wanted = squash(written);
    // order/created and orders/create are one thing to whoever writes them.
    let stem = |text: &str| {
        let parts = text.split('/').map(|part| part.trim_end_matches('s').trim_end_matches('d').trim_end_matches('e'));
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let known = || catalog::all().iter().filter(|info| !info.is_compliance()).map(|info| info.name);
    known().find(|name| stem(&squash(name)) == stem(&wanted)).or_else(|| suggest::closest(written, known()))
}

/// A topic that only some addresses and formats can take; the part that needs the address is [`topic_and_endpoint`].
fn topic_and_format(topic: &Spanned<Topic>, raw: &BindingBlock, findings: &mut Findings) {
    if raw.format.value == Format::Xml && catalog::lookup(&topic.value).is_some_and(TopicInfo::is_json_only) {
        let message = format!("Shopify sends `{}` as json only", topic.value);
        let hint = "remove `format: xml`";
        findings.report(findings.diagnostic(Code::TopicAddress, raw.format.span, message).hint(hint));
    }
}

/// Reports a topic or a format that the endpoint of a binding cannot take.
pub(super) fn topic_and_endpoint(ready: &Ready, endpoint: Endpoint<'_>, reporter: &mut Reporter<'_, '_>) {
    let binding = &ready.entry.binding;
    let kind = endpoint.kind();
    if kind == AddressKind::Https && catalog::lookup(&binding.topic).is_some_and(TopicInfo::is_cloud_only) {
        let message = format!("Shopify delivers `{}` to Pub/Sub and EventBridge only", binding.topic);
        let hint = "use a pubsub://… address or the ARN of an event source";
        reporter.report(reporter.diagnostic(Code::TopicAddress, ready.span, message).hint(hint));
    }
    if binding.format == Format::Xml {
        let (code, message) = if matches!(kind, AddressKind::PubSub | AddressKind::EventBridge) {
            (Code::TopicAddress, "Shopify sends json only to Pub/Sub and EventBridge")
        } else if endpoint.is_inlet() {
            (Code::DcsAddress, "Adobe's collection endpoint takes json only")
        } else {
            return;
        };
        reporter.report(reporter.diagnostic(code, ready.format, message).hint("remove `format: xml`"));
    }
}

fn explained(error: &FilterError<'_>) -> (String, &'static str) {
    match error {
        FilterError::BareWord(word) => (
            format!("the filter has a term without its field: `{}`", short(word)),
            "write each term as field:value, such as email:*@example.com; put a value with blanks in quotes",
        ),
        FilterError::SmallConnective(word) => (
            format!("`{}` in the filter is taken for a term without its field", short(word)),
            "write AND, OR and NOT in capitals",
        ),
        FilterError::BadField(field) => (
            format!("`{}` in the filter is not the name of a field", short(field)),
            "write each term as field:value; put a value that has a colon or blanks in quotes: field:\"a: b\"",
        ),
        FilterError::NoValue(field) => (
            format!("the filter has no value after `{}:`", short(field)),
            "write each term as field:value; field:* means that there is any",
        ),
        FilterError::OpenQuote => ("a quote in the filter is not closed".to_owned(), "close it with the same quote"),
        FilterError::Parentheses => {
            ("the parentheses in the filter do not match".to_owned(), "close each one that is opened")
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
            format!("the filter looks at `{REMOVED_FIELD}`, which payloads of `{}` do not have: {since}", topic.value);
        let hint = "remove the term: Shopify delivers nothing for a filter on a field that does not exist";
        warnings.push(findings.diagnostic(Code::RemovedField, filter.span, message).hint(hint));
    }
}

/// Fields that stay the same for the life of a resource.
const CONSTANT_FIELDS: [&str; 3] = ["id", "admin_graphql_api_id", "created_at"];

/// An update whose payload is the same each time. Shopify drops a delivery whose payload equals one sent shortly before
/// (documented for the case that only `id` is included).
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
            "`include_fields` of `{}` has no field that changes, only {}",
            topic.value,
            super::decode::listed(&fields)
        );
        let hint = "add updated_at, or another field that changes: Shopify drops a delivery whose payload equals one that it \
                    sent shortly before";
        warnings.push(findings.diagnostic(Code::ConstantPayload, first.span, message).hint(hint));
    }
}

fn namespaces(raw: &BindingBlock, findings: &mut Findings) {
    for namespace in &raw.metafield_namespaces {
        if namespace.value.trim() == "$app:" {
            let message = "`$app:` does not name a namespace";
            let hint = "write $app for the app's default namespace, or $app:<namespace> for another of its own";
            findings.report(findings.diagnostic(Code::BadNamespace, namespace.span, message).hint(hint));
        }
    }
    for metafield in raw.metafields.iter().flat_map(|list| &list.value) {
        let whole = metafield
            .value
            .split_once('.')
            .is_some_and(|(namespace, key)| !namespace.is_empty() && namespace != "$app:" && !key.is_empty());
        if !whole {
            let message = format!("`{}` does not name a metafield", short(&metafield.value));
            let hint = "write namespace.key, such as custom.size, $app.tier or $app:loyalty.tier";
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
        let hint = "remove it, or set `admin_api: { transport: graphql }`";
        findings.report(findings.diagnostic(Code::Rest, span, message).hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_with_typing_errors_and_other_verb_forms_are_understood() {
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
