//! Policies: CEL expressions over each wanted binding. They are judged offline, and again when the addresses of looked-up
//! destinations are known.

mod program;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cel::Value;

use super::document::{PolicyBlock, Span};
use super::expand::{DraftShop, Part, Ready};
use super::findings::{Findings, Reporter};
use super::resolve::Endpoint;
use crate::diagnostic::{Code, Diagnostic, Severity};

use self::program::{Outcome, Program, Variables};

/// A policy whose expressions are valid.
pub(super) struct Policy {
    name: String,
    span: Span,
    when: Option<Program>,
    require: Program,
    message: String,
    severity: Severity,
}

/// The policies of a manifest.
pub(super) struct Policies {
    all: Vec<Policy>,
    /// The keys of all labels. A shop that lacks one has the empty text there.
    labels: BTreeSet<String>,
    uses_shop: bool,
    /// The keys of the labels that policies use.
    used_labels: Vec<String>,
}

/// The bindings of a part that violate policies: the index of the binding and of the policy. An error concerns the policy
/// itself.
type Verdicts = Vec<(usize, usize, Option<String>)>;

/// What the result depends on: the bindings in memory, the scopes, and the shop and the values of its labels, as far as
/// policies use them.
type Key<'a> = (*const Vec<Ready>, Option<usize>, Option<&'a str>, Vec<&'a str>);

/// The results for the parts that shops share.
#[derive(Default)]
pub(super) struct Judged<'a> {
    known: HashMap<Key<'a>, Arc<Verdicts>>,
}

impl Policies {
    /// Compiles the policies, and reports those that are not valid expressions.
    pub(super) fn new(blocks: &BTreeMap<&str, &PolicyBlock>, shops: &[DraftShop], findings: &mut Findings) -> Self {
        let mut all = Vec::new();
        for (name, block) in blocks {
            let mut compiled = |expression: &super::document::Spanned<String>| {
                Program::compile(&expression.value).map_err(|why| {
                    let message = format!("the policy `{name}` is not a valid expression: {why}");
                    let hint =
                        "policies are written in CEL, such as `topic.startsWith(\"customers/\")`; see docs/policies.md";
                    findings.report(findings.diagnostic(Code::BadPolicy, expression.span, message).hint(hint));
                })
            };
            let when = block.when.as_ref().map(&mut compiled).transpose();
            let require = block.require.as_ref().map(&mut compiled).transpose();
            if let (Ok(when), Ok(Some(require))) = (when, require) {
                let (name, message) = ((*name).to_owned(), block.message.clone());
                all.push(Policy { name, span: block.name.span, when, require, message, severity: block.severity });
            }
        }
        let uses = |name: &str| all.iter().any(|policy| policy.uses(name));
        let uses_shop = uses("shop") || uses("handle");
        let labels: BTreeSet<String> = shops.iter().flat_map(|shop| shop.labels.keys().cloned()).collect();
        let is_used = |key: &&String| all.iter().any(|policy| policy.uses_label(key));
        let used_labels = labels.iter().filter(is_used).cloned().collect();
        Self { all, labels, uses_shop, used_labels }
    }

    /// Reports the bindings of a shop that violate a policy.
    pub(super) fn judge<'a>(
        &self,
        shop: &'a DraftShop,
        endpoint: impl Fn(&'a Ready) -> Endpoint<'a>,
        judged: &mut Judged<'a>,
        reporter: &mut Reporter<'_, '_>,
    ) {
        if self.all.is_empty() {
            return;
        }
        for part in &shop.parts {
            let scopes = shop.scopes.as_ref().map(|scopes| scopes.id);
            let domain = shop.domain.as_ref().map(crate::model::ShopDomain::as_str).filter(|_| self.uses_shop);
            let labels = self.used_labels.iter().map(|key| label(shop, key)).collect();
            let key = (Arc::as_ptr(&part.bindings), scopes, domain, labels);
            let verdicts = judged.known.entry(key).or_insert_with(|| Arc::new(self.verdicts(shop, part, &endpoint)));
            for (at, policy, error) in verdicts.iter() {
                let (Some(ready), Some(policy)) = (part.bindings.get(*at), self.all.get(*policy)) else { continue };
                if !part.except.contains(&ready.entry.binding.topic) {
                    reporter.report(policy.diagnostic(ready, error.as_deref(), reporter));
                }
            }
        }
    }

    fn verdicts<'a>(&self, shop: &DraftShop, part: &'a Part, endpoint: impl Fn(&'a Ready) -> Endpoint<'a>) -> Verdicts {
        let text = |text: &str| Value::from(text);
        let list = |texts: &mut dyn Iterator<Item = &str>| Value::from(texts.map(Value::from).collect::<Vec<_>>());
        let labels: HashMap<String, Value> =
            self.labels.iter().map(|key| (key.clone(), text(label(shop, key)))).collect();
        let domain = shop.domain.as_ref();
        let mut scopes = shop.scopes.iter().flat_map(|scopes| scopes.written.iter().map(crate::model::Scope::as_str));
        let common = Variables::new([
            ("shop", text(domain.map(crate::model::ShopDomain::as_str).unwrap_or_default())),
            ("handle", text(domain.map(crate::model::ShopDomain::handle).unwrap_or_default())),
            ("labels", Value::from(labels)),
            ("scopes", list(&mut scopes)),
        ]);
        let mut out = Vec::new();
        for (at, ready) in part.bindings.iter().enumerate() {
            let binding = &ready.entry.binding;
            let address = match endpoint(ready) {
                Endpoint::Address(address) => Some(address.as_str()),
                Endpoint::Query(_) => None,
            };
            let texts = |texts: &[String]| list(&mut texts.iter().map(String::as_str));
            let variables = common.with([
                ("topic", text(binding.topic.as_str())),
                ("destination", text(ready.entry.meta.destination.as_deref().unwrap_or_default())),
                ("address", text(address.unwrap_or_default())),
                ("format", text(binding.format.as_str())),
                ("filter", text(binding.filter.as_deref().unwrap_or_default())),
                ("name", text(binding.name.as_deref().unwrap_or_default())),
                ("include_fields", texts(&binding.include_fields)),
                ("metafield_namespaces", texts(&binding.metafield_namespaces)),
            ]);
            for (index, policy) in self.all.iter().enumerate() {
                // An address that Adobe has not told yet is judged when it is known.
                if address.is_none() && policy.uses("address") {
                    continue;
                }
                match policy.judge(&variables) {
                    Outcome::True => {}
                    Outcome::False => out.push((at, index, None)),
                    Outcome::Error(why) => out.push((at, index, Some(why))),
                }
            }
        }
        out
    }
}

/// Returns the value of a label; the empty text if the shop lacks it.
fn label<'a>(shop: &'a DraftShop, key: &str) -> &'a str {
    shop.labels.get(key).map(String::as_str).unwrap_or_default()
}

impl Policy {
    fn programs(&self) -> impl Iterator<Item = &Program> {
        self.when.iter().chain([&self.require])
    }

    fn uses(&self, variable: &str) -> bool {
        self.programs().any(|program| program.uses(variable))
    }

    fn uses_label(&self, key: &str) -> bool {
        self.programs().any(|program| program.uses_label(key))
    }

    fn judge(&self, variables: &Variables<'_>) -> Outcome {
        match self.when.as_ref().map(|when| when.run(variables)) {
            None | Some(Outcome::True) => self.require.run(variables),
            Some(Outcome::False) => Outcome::True,
            Some(error) => error,
        }
    }

    fn diagnostic(&self, ready: &Ready, error: Option<&str>, reporter: &Reporter<'_, '_>) -> Diagnostic {
        let topic = &ready.entry.binding.topic;
        if let Some(why) = error {
            let message = format!("the policy `{}` cannot be evaluated: {why}", self.name);
            let hint = format!("it was evaluated for a binding of `{topic}`; correct the expression");
            return reporter.diagnostic(Code::BadPolicy, self.span, message).hint(hint);
        }
        let message = format!("the policy `{}` does not allow a binding of `{topic}`: {}", self.name, self.message);
        let diagnostic = reporter.diagnostic(Code::Policy, ready.span, message);
        let diagnostic = Diagnostic { severity: self.severity, ..diagnostic };
        diagnostic.related(reporter.place(self.span), "the policy is defined here")
    }
}
