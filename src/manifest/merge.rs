//! Merges documents: a block may appear in one file only, while destinations, sets and shops of all files are combined.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use crate::catalog;
use crate::diagnostic::{Code, Diagnostic, Place, SourceText};
use crate::digest::Hash;
use crate::model::{Address, ApiVersion, ShopDomain};
use crate::state::aep::Destination;
use crate::state::{Ownership, Prefix, PrefixError, Safety};

use super::address::placeholder;
use super::aep::Accounts;
use super::app_config::Declared;
use super::check::Rules;
use super::decode::short;
use super::document::{Document, OwnershipBlock, Span, Spanned};
use super::expand::{Common, DraftShop, Expander};
use super::findings::Findings;
use super::policy::Policies;
use super::secrets::ShopAuth;
use super::{AdminApi, Manifest, Options, ReadFile, Transport, consents, digest, secrets};

/// The oldest supported Admin API version of each transport.
const OLDEST_GRAPHQL: &str = "2026-04";
const OLDEST_REST: &str = "2022-07";
/// Number of days before the end of a version's support at which the warning starts.
const SUPPORT_NOTICE_DAYS: i64 = 60;

/// Merged documents whose destinations are not resolved yet.
pub(super) struct Merged {
    /// The manifest without its shops, destinations and addresses. `None` if `ownership` is invalid, which was
    /// reported.
    pub(super) head: Option<Manifest>,
    /// In the order of the documents.
    pub(super) shops: Vec<DraftShop>,
    pub(super) destinations: Vec<Destination>,
    /// The addresses in the manifest.
    pub(super) addresses: BTreeSet<Address>,
    /// The addresses that appear only in unused sets.
    pub(super) unused_addresses: BTreeSet<Address>,
    /// The subscriptions in the app's own configuration.
    pub(super) app: Declared,
    pub(super) policies: Policies,
    /// The rules of reporting, without the diagnostics, which were taken out.
    pub(super) findings: Findings,
}

/// Merges documents. Adds the texts of other files that the manifest names to `named_files`.
pub(super) fn documents(
    paths: &[Arc<str>],
    documents: &[Document],
    options: &Options,
    read: &ReadFile<'_>,
    named_files: &mut Vec<(Arc<str>, SourceText)>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Merged {
    let allow = documents.iter().flat_map(|document| document.allow.iter().copied()).collect();
    let mut all_findings = Findings::new(paths.to_vec(), allow);
    let findings = &mut all_findings;
    let admin_api = admin_api(documents, options.today, findings);
    findings.set_version(&admin_api.version);
    let auth = block(documents, "auth", |d| d.auth.as_ref(), findings);
    let (auth, auth_at) = (auth.and_then(|at| at.value.clone()), auth.map(|at| at.span));
    let token_expiry = block(documents, "token_expiry", |d| d.token_expiry.as_ref(), findings).map(|at| at.value);
    let scopes = block(documents, "scopes", |d| d.scopes.as_ref(), findings);
    let ownership_block = block(documents, "ownership", |d| d.ownership.as_ref(), findings);
    let ownership = ownership_block.map_or_else(|| Some(Ownership::default()), |at| ownership(&at.value, findings));
    let prefixes = ownership.iter().flat_map(|o| o.address_prefixes.iter().map(|p| p.as_str().to_owned())).collect();
    let safety_block = block(documents, "safety", |d| d.safety.as_ref(), findings);

    let destinations = documents.iter().flat_map(|d| &d.destinations).map(|d| (d.name.value.as_str(), d.name.span, d));
    let destinations = named("destination", destinations, findings);
    let sets = documents.iter().flat_map(|d| &d.sets).map(|set| (set.name.value.as_str(), set.name.span, set));
    let sets = named("binding set", sets, findings);

    let policies = documents.iter().flat_map(|d| &d.policies).map(|one| (one.name.value.as_str(), one.name.span, one));
    let mut policies = named("policy", policies, findings);
    if options.ignore_policies {
        policies.clear();
    }

    let accounts = block(documents, "aep", |d| d.aep.as_ref(), findings);
    let accounts = Accounts::new(accounts.map(|at| at.value.as_slice()));
    let rest = admin_api.transport == Transport::Rest;
    let configs = block(documents, "app_config", |d| d.app_config.as_ref(), findings);
    let mut app = Declared::read(configs.map_or(&[], |at| at.value.as_slice()), read, findings);
    named_files.append(&mut app.texts);
    let rules = Rules::new(admin_api.version.clone(), rest, ownership.clone(), prefixes);
    let uses = block(documents, "use", |d| d.uses.as_ref(), findings).map(|at| at.value.as_slice());
    let common = Common { auth, token_expiry, scopes, destinations, sets, uses, accounts };
    let mut expander = Expander::new(rules, common, findings);

    let count = documents.iter().map(|document| document.shops.len()).sum();
    let mut shops = Vec::with_capacity(count);
    let mut digests: Vec<(ShopDomain, Hash)> = Vec::with_capacity(count);
    let mut auth_spans = Vec::with_capacity(count);
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for shop in documents.iter().flat_map(|document| &document.shops) {
        if let Some(domain) = &shop.domain
            && let Some(first) = seen.insert(domain.value.as_str(), domain.span)
        {
            let message = format!("the shop {} is defined twice", domain.value);
            let hint = "merge the two entries; a further file can add shops, but not change them";
            let diagnostic = findings.diagnostic(Code::RepeatedName, domain.span, message).hint(hint);
            findings.report(diagnostic.related(findings.place(first), "first defined here"));
        }
        auth_spans.push(shop.auth.as_ref().map(|at| at.span).or(auth_at));
        let (shop, digest) = expander.shop(shop, findings);
        digests.extend(shop.domain.clone().zip(digest));
        shops.push(shop);
    }
    if !documents.iter().any(|document| document.names_shops) {
        let place = Place::file(paths.first().map_or("", |path| path));
        let diagnostic = Diagnostic::new(Code::NoShop, place, "the manifest defines no shop");
        findings.report(
            diagnostic.hint(
                "add `shops:` with `- shop: <handle>.myshopify.com`, or pass the file that contains it with `-f`",
            ),
        );
    }
    let mut safety = Safety::default();
    if let Some(Spanned { value: block, .. }) = safety_block {
        safety.max_delete_percent = block.max_delete_percent.unwrap_or(safety.max_delete_percent);
        safety.max_total_delete_percent = block.max_total_delete_percent.unwrap_or(safety.max_total_delete_percent);
        safety.max_address_change_percent =
            block.max_address_change_percent.unwrap_or(safety.max_address_change_percent);
        safety.max_destination_loss_percent =
            block.max_destination_loss_percent.unwrap_or(safety.max_destination_loss_percent);
        let protected = block.protected_topics.as_deref().unwrap_or_default();
        safety.protected_topics = expander.topics(protected, &mut findings.of_all());
    }
    expander.finish(findings);
    let policies = Policies::new(&policies, &shops, findings);
    let domains: Vec<&ShopDomain> = shops.iter().filter_map(|shop| shop.domain.as_ref()).collect();
    let consents = consents::checked(documents, &domains, options.today, findings);

    let of_shop = |(shop, span): (&DraftShop, &Option<Span>)| {
        let (domain, auth) = (shop.domain.clone()?, shop.auth.clone());
        Some(ShopAuth { shop: domain, auth, span: *span })
    };
    let mut auths: Vec<ShopAuth> = shops.iter().zip(&auth_spans).filter_map(of_shop).collect();
    auths.sort_by(|a, b| a.shop.cmp(&b.shop));
    secrets::check(&auths, findings);
    digests.sort_by(|(a, _), (b, _)| a.cmp(b));
    let digests: Vec<Hash> = digests.into_iter().map(|(_, digest)| digest).collect();
    let Expander { addresses, unused_addresses, defined: destinations, common, .. } = expander;
    let written = addresses.iter().map(|address| address.as_str().into());
    let written = written.chain(destinations.iter().map(|destination| destination.target.written())).collect();
    let head = ownership.map(|ownership| {
        let (declared, app_events) = app.declared();
        let mut head = Manifest {
            digest: String::new(),
            admin_api,
            ownership,
            safety,
            consents,
            shops: Vec::new(),
            addresses: BTreeSet::new(),
            aep: common.accounts.into_accounts(),
            destinations: Vec::new(),
            app: declared,
            app_events,
            app_redirects: std::mem::take(&mut app.redirects),
        };
        head.digest = digest::manifest(&head, &written, &digests);
        head
    });
    diagnostics.append(&mut all_findings.take_diagnostics());
    Merged { head, shops, destinations, policies, addresses, unused_addresses, app, findings: all_findings }
}

/// Returns a block that may appear in one file only.
fn block<'a, T>(
    documents: &'a [Document],
    key: &str,
    get: impl Fn(&'a Document) -> Option<&'a Spanned<T>>,
    findings: &mut Findings,
) -> Option<&'a Spanned<T>> {
    let mut blocks = documents.iter().filter_map(get);
    let first = blocks.next()?;
    for later in blocks {
        let message = format!("`{key}` appears in several files");
        let hint = "keep it in one file only; it applies to all shops";
        let diagnostic = findings.diagnostic(Code::RepeatedBlock, later.span, message).hint(hint);
        findings.report(diagnostic.related(findings.place(first.span), "it also appears here"));
    }
    Some(first)
}

fn named<'a, T>(
    what: &str,
    items: impl Iterator<Item = (&'a str, Span, &'a T)>,
    findings: &mut Findings,
) -> BTreeMap<&'a str, &'a T> {
    let mut spans: HashMap<&str, Span> = HashMap::new();
    let mut all = BTreeMap::new();
    for (name, span, item) in items {
        if let Some(first) = spans.get(name) {
            let message = format!("the {what} `{name}` is defined twice");
            let hint = "rename or remove one of the two. To give a shop another address for a common destination, write `destinations` in the shop";
            let diagnostic = findings.diagnostic(Code::RepeatedName, span, message);
            let diagnostic = if what == "destination" { diagnostic.hint(hint) } else { diagnostic };
            findings.report(diagnostic.related(findings.place(*first), "first defined here"));
        } else {
            spans.insert(name, span);
            all.insert(name, item);
        }
    }
    all
}

fn admin_api(documents: &[Document], today: Option<Date>, findings: &mut Findings) -> AdminApi {
    let Some(Spanned { value: block, .. }) = block(documents, "admin_api", |d| d.admin_api.as_ref(), findings) else {
        return AdminApi::default();
    };
    let transport = if block.rest == Some(true) { Transport::Rest } else { Transport::GraphQl };
    let Some(Spanned { value: version, span }) = block.version.clone() else {
        return AdminApi { version: ApiVersion::default(), transport };
    };
    let oldest = if transport == Transport::Rest { OLDEST_REST } else { OLDEST_GRAPHQL };
    // Versions are ordered like strings; `unstable` sorts last.
    if version.as_str() < oldest {
        let message =
            format!("version {version} of the Admin API is too old: the oldest supported version is {oldest}");
        let hint = format!("write `version: \"{}\"`, or remove the key", ApiVersion::DEFAULT);
        findings.report(findings.diagnostic(Code::OldVersion, span, message).hint(hint));
    } else if !catalog::has_version(&version) {
        let message = format!("this version of Hookwright was not checked against version {version} of the Admin API");
        let hint = format!(
            "check that Shopify serves the version; it answers 404 for a version that does not exist. The newest known version is {}",
            ApiVersion::DEFAULT
        );
        findings.report(findings.diagnostic(Code::UnknownVersion, span, message).hint(hint));
    }
    if version.as_str() >= oldest {
        support(&version, span, today, findings);
    }
    AdminApi { version, transport }
}

/// Warns of a version that has left support or leaves it soon.
fn support(version: &ApiVersion, span: Span, today: Option<Date>, findings: &mut Findings) {
    let (Some(today), Some(end)) = (today, version.leaves_support()) else { return };
    let days = end.duration_since(today).as_hours() / 24;
    if days > SUPPORT_NOTICE_DAYS {
        return;
    }
    let message = match days {
        1 => format!("support for version {version} of the Admin API ends on {end}, in 1 day"),
        2.. => format!("support for version {version} of the Admin API ends on {end}, in {days} days"),
        _ => format!("support for version {version} of the Admin API ended on {end}"),
    };
    let hint = format!(
        "write `version: \"{}\"`. Shopify supports a version for at least twelve months, and then answers its requests with \
         the oldest supported version",
        ApiVersion::DEFAULT
    );
    findings.report(findings.diagnostic(Code::VersionSupport, span, message).hint(hint));
}

/// Returns the ownership rule. `None` if a prefix is invalid; then addresses cannot be checked.
fn ownership(block: &OwnershipBlock, findings: &mut Findings) -> Option<Ownership> {
    let default = Ownership::default();
    let mut broken = false;
    let address_prefixes = block.prefixes.as_ref().map(|prefixes| {
        let good = prefixes.iter().filter_map(|Spanned { value, span }| match value {
            Ok(prefix) => match placeholder(prefix.as_str()) {
                None => Some(prefix.clone()),
                Some(placeholder) => {
                    broken = true;
                    let message = format!(
                        "the prefix contains the placeholder `{}`, but Hookwright does not replace placeholders in prefixes",
                        short(placeholder)
                    );
                    let hint = "write the complete prefix; if each shop has its own address, add a prefix for each";
                    findings.report(findings.diagnostic(Code::BadPrefix, *span, message).hint(hint));
                    None
                }
            },
            Err(error) => {
                broken = true;
                let hint = match error {
                    PrefixError::OtherScheme => "correct the scheme, or remove the prefix".to_owned(),
                    _ => format!("write a prefix such as `{}` or `pubsub://<project>:`", Prefix::DEFAULT),
                };
                findings.report(findings.diagnostic(Code::BadPrefix, *span, error.to_string()).hint(hint));
                None
            }
        });
        good.collect()
    });
    let unmanaged = block.unmanaged.unwrap_or_default();
    let address_prefixes = address_prefixes.unwrap_or(default.address_prefixes);
    (!broken).then_some(Ownership { address_prefixes, unmanaged })
}
