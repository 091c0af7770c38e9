//! Several documents as one: blocks stand in one file, destinations, sets and shops add up.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use crate::catalog;
use crate::diagnostic::{Code, Diagnostic, Place, Source as Text};
use crate::model::ApiVersion;
use crate::state::{Ownership, Prefix, PrefixError, Safety};

use super::address::placeholder;
use super::aep::Accounts;
use super::app_config::Declared;
use super::check::Rules;
use super::decode::short;
use super::document::{At, Document, OwnershipBlock, Spot};
use super::findings::Findings;
use super::resolve::{Common, Resolver};
use super::{AdminApi, Manifest, Options, ReadFile, Transport, digest, secrets};

/// The oldest version for each transport.
const OLDEST_GRAPHQL: &str = "2026-04";
const OLDEST_REST: &str = "2022-07";
/// So many days before the end of a version's support there is a warning.
const SUPPORT_NOTICE_DAYS: i64 = 60;

pub(super) fn manifest(
    paths: &[Arc<str>],
    documents: &[Document],
    options: &Options,
    read: &ReadFile<'_>,
    named: &mut Vec<(Arc<str>, Text)>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Manifest> {
    let allow = documents.iter().flat_map(|document| document.allow.iter().copied()).collect();
    let mut findings = Findings::new(paths.to_vec(), allow);
    let manifest = merged(paths, documents, options, read, named, &mut findings);
    diagnostics.append(&mut findings.into_diagnostics());
    manifest
}

fn merged(
    paths: &[Arc<str>],
    documents: &[Document],
    options: &Options,
    read: &ReadFile<'_>,
    named_files: &mut Vec<(Arc<str>, Text)>,
    findings: &mut Findings,
) -> Option<Manifest> {
    let admin_api = admin_api(documents, options.today, findings);
    findings.set_version(&admin_api.version);
    let auth = block(documents, "auth", |d| d.auth.as_ref(), findings);
    let (auth, auth_at) = (auth.and_then(|at| at.value.clone()), auth.map(|at| at.spot));
    let token_expiry = block(documents, "token_expiry", |d| d.token_expiry.as_ref(), findings).map(|at| at.value);
    let scopes = block(documents, "scopes", |d| d.scopes.as_ref(), findings);
    let ownership_block = block(documents, "ownership", |d| d.ownership.as_ref(), findings);
    let ownership = ownership_block.map_or_else(|| Some(Ownership::default()), |at| ownership(&at.value, findings));
    let prefixes = ownership.iter().flat_map(|o| o.address_prefixes.iter().map(|p| p.as_str().to_owned())).collect();
    let safety_block = block(documents, "safety", |d| d.safety.as_ref(), findings);

    let destinations = documents.iter().flat_map(|d| &d.destinations).map(|d| (d.name.value.as_str(), d.name.spot, d));
    let destinations = named("destination", destinations, findings);
    let sets = documents.iter().flat_map(|d| &d.sets).map(|set| (set.name.value.as_str(), set.name.spot, set));
    let sets = named("binding set", sets, findings);

    let accounts = block(documents, "aep", |d| d.aep.as_ref(), findings);
    let accounts = Accounts::new(accounts.map(|at| at.value.as_slice()));
    let rest = admin_api.transport == Transport::Rest;
    let configs = block(documents, "app_config", |d| d.app_config.as_ref(), findings);
    let app = Declared::read(configs.map_or(&[], |at| at.value.as_slice()), read, findings);
    let rules = Rules::new(admin_api.version.clone(), rest, ownership.clone(), prefixes);
    let mut resolver = Resolver::new(
        rules,
        Common { auth, token_expiry, scopes, destinations, sets, app, accounts, found: &options.found },
        findings,
    );

    let mut shops = Vec::new();
    let mut seen: HashMap<&str, Spot> = HashMap::new();
    for shop in documents.iter().flat_map(|document| &document.shops) {
        if let Some(domain) = &shop.domain
            && let Some(first) = seen.insert(domain.value.as_str(), domain.spot)
        {
            let message = format!("the shop {} is listed twice", domain.value);
            let hint = "put everything about a shop into one entry; overlays add shops, they do not change them";
            let diagnostic = findings.diagnostic(Code::RepeatedName, domain.spot, message).hint(hint);
            findings.report(diagnostic.related(findings.place(first), "it is listed here first"));
        }
        let auth_at = shop.auth.as_ref().map(|at| at.spot).or(auth_at);
        shops.extend(resolver.shop(shop, findings).map(|(shop, digest)| (shop, digest, auth_at)));
    }
    if !documents.iter().any(|document| document.names_shops) {
        let place = Place::file(paths.first().map_or("", |path| path));
        let diagnostic = Diagnostic::new(Code::NoShop, place, "the manifest names no shop");
        findings
            .report(diagnostic.hint("add `shops:` with `- shop: <handle>.myshopify.com`, or give the file with -f"));
    }
    let mut safety = Safety::default();
    if let Some(At { value: block, .. }) = safety_block {
        safety.max_delete_percent = block.max_delete_percent.unwrap_or(safety.max_delete_percent);
        safety.max_total_delete_percent = block.max_total_delete_percent.unwrap_or(safety.max_total_delete_percent);
        safety.max_address_change_percent =
            block.max_address_change_percent.unwrap_or(safety.max_address_change_percent);
        safety.protected_topics = resolver.topics(block.protected_topics.as_deref().unwrap_or_default(), findings);
    }
    resolver.finish(findings);

    shops.sort_by(|(a, ..), (b, ..)| a.shop.cmp(&b.shop));
    secrets::check(&shops.iter().map(|(shop, _, auth_at)| (shop, *auth_at)).collect::<Vec<_>>(), findings);
    let (shops, digests): (Vec<_>, Vec<_>) = shops.into_iter().map(|(shop, digest, _)| (shop, digest)).unzip();
    let Resolver { addresses, written, defined, common: Common { mut app, accounts, .. }, .. } = resolver;
    named_files.append(&mut app.texts);
    let app_redirects = std::mem::take(&mut app.redirects);
    let (app, app_events) = app.into_declared();
    let digest = String::new();
    let (aep, destinations) = (accounts.into_accounts(), defined);
    let ownership = ownership?;
    let mut manifest = Manifest {
        digest,
        admin_api,
        ownership,
        safety,
        shops,
        addresses,
        aep,
        destinations,
        app,
        app_events,
        app_redirects,
    };
    manifest.digest = digest::manifest(&manifest, &written, &digests);
    Some(manifest)
}

/// A block that may stand in one file only.
fn block<'a, T>(
    documents: &'a [Document],
    key: &str,
    get: impl Fn(&'a Document) -> Option<&'a At<T>>,
    findings: &mut Findings,
) -> Option<&'a At<T>> {
    let mut blocks = documents.iter().filter_map(get);
    let first = blocks.next()?;
    for later in blocks {
        let message = format!("`{key}` stands in several files");
        let hint = "keep it in one of them: it counts for all shops, and the tool does not guess which one wins";
        let diagnostic = findings.diagnostic(Code::RepeatedBlock, later.spot, message).hint(hint);
        findings.report(diagnostic.related(findings.place(first.spot), "it stands here, too"));
    }
    Some(first)
}

fn named<'a, T>(
    what: &str,
    items: impl Iterator<Item = (&'a str, Spot, &'a T)>,
    findings: &mut Findings,
) -> BTreeMap<&'a str, &'a T> {
    let mut spots: HashMap<&str, Spot> = HashMap::new();
    let mut all = BTreeMap::new();
    for (name, spot, item) in items {
        if let Some(first) = spots.get(name) {
            let message = format!("the {what} `{name}` is defined twice");
            let hint = "rename or remove one of the two; a shop can have its own address for a common destination";
            let diagnostic = findings.diagnostic(Code::RepeatedName, spot, message);
            let diagnostic = if what == "destination" { diagnostic.hint(hint) } else { diagnostic };
            findings.report(diagnostic.related(findings.place(*first), "it is defined here first"));
        } else {
            spots.insert(name, spot);
            all.insert(name, item);
        }
    }
    all
}

fn admin_api(documents: &[Document], today: Option<Date>, findings: &mut Findings) -> AdminApi {
    let Some(At { value: block, .. }) = block(documents, "admin_api", |d| d.admin_api.as_ref(), findings) else {
        return AdminApi::default();
    };
    let transport = if block.rest == Some(true) { Transport::Rest } else { Transport::GraphQl };
    let Some(At { value: version, spot }) = block.version.clone() else {
        return AdminApi { version: ApiVersion::default(), transport };
    };
    let oldest = if transport == Transport::Rest { OLDEST_REST } else { OLDEST_GRAPHQL };
    // Version order is string order; `unstable` sorts last.
    if version.as_str() < oldest {
        let message = format!("version {version} of the Admin API is too old: {oldest} is the oldest that works here");
        let hint = format!("write version: \"{}\", or leave it out", ApiVersion::DEFAULT);
        findings.report(findings.diagnostic(Code::OldVersion, spot, message).hint(hint));
    } else if !catalog::has_version(&version) {
        let message = format!("this tool was not checked against version {version} of the Admin API");
        let hint = format!(
            "the newest that it knows is {}; Shopify answers 404 to a version that does not exist, as it does to a shop that does not",
            ApiVersion::DEFAULT
        );
        findings.report(findings.diagnostic(Code::UnknownVersion, spot, message).hint(hint));
    }
    if version.as_str() >= oldest {
        support(&version, spot, today, findings);
    }
    AdminApi { version, transport }
}

/// Warns of a version that left support, or does so soon.
fn support(version: &ApiVersion, spot: Spot, today: Option<Date>, findings: &mut Findings) {
    let (Some(today), Some(end)) = (today, version.leaves_support()) else { return };
    let days = end.duration_since(today).as_hours() / 24;
    if days > SUPPORT_NOTICE_DAYS {
        return;
    }
    let message = match days {
        1 => format!("version {version} of the Admin API leaves support on {end}, in 1 day"),
        2.. => format!("version {version} of the Admin API leaves support on {end}, in {days} days"),
        _ => format!("version {version} of the Admin API left support on {end}"),
    };
    let hint = format!(
        "set version: \"{}\"; Shopify supports a version for at least twelve months, and answers requests for an older one \
         with the oldest version that is left",
        ApiVersion::DEFAULT
    );
    findings.report(findings.diagnostic(Code::VersionSupport, spot, message).hint(hint));
}

/// `None` if a prefix is broken: then nothing sensible can be said of addresses.
fn ownership(block: &OwnershipBlock, findings: &mut Findings) -> Option<Ownership> {
    let default = Ownership::default();
    let mut broken = false;
    let address_prefixes = block.prefixes.as_ref().map(|prefixes| {
        let good = prefixes.iter().filter_map(|At { value, spot }| match value {
            Ok(prefix) => match placeholder(prefix.as_str()) {
                None => Some(prefix.clone()),
                Some(placeholder) => {
                    broken = true;
                    let message = format!(
                        "the prefix has a placeholder, `{}`, but prefixes are taken as they are written",
                        short(placeholder)
                    );
                    let hint = "write the whole prefix; an address of each shop can be a prefix of its own";
                    findings.report(findings.diagnostic(Code::BadPrefix, *spot, message).hint(hint));
                    None
                }
            },
            Err(error) => {
                broken = true;
                let hint = match error {
                    PrefixError::OtherScheme => "write https:// where that is meant, or remove the prefix: what it names is unmanaged in any case".to_owned(),
                    _ => format!("write it like {} or pubsub://<project>:", Prefix::DEFAULT),
                };
                findings.report(findings.diagnostic(Code::BadPrefix, *spot, error.to_string()).hint(hint));
                None
            }
        });
        good.collect()
    });
    let unmanaged = block.unmanaged.unwrap_or_default();
    let address_prefixes = address_prefixes.unwrap_or(default.address_prefixes);
    (!broken).then_some(Ownership { address_prefixes, unmanaged })
}
