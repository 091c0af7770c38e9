//! The text of `auth rotation`. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::apps::{App, Endpoint, Key};
use crate::plan::{OLD_ENDPOINT_HOURS, RETRIES};
use crate::render::{Style, title};
use crate::text::{escape, plural};

/// The file name of the drift report from before the rotation.
const BEFORE: &str = "before-rotation.json";

/// Returns the text. `options` select the same manifest and shops in other commands.
pub(super) fn text(apps: &BTreeMap<Key, App>, options: &str, has_aep: bool, style: &Style) -> String {
    let mut out =
        "Steps to rotate the client secret. This command only prints them and changes nothing. The apps, and the inlets (streaming endpoints at Adobe), are those of the manifest.\n".to_owned();
    for (key, app) in apps {
        one(key, app, style, &mut out);
    }
    if apps.len() > 1 {
        out += "\nRotate the secret of one app at a time. --shop and --label select its shops.\n";
    }
    steps(apps, options, has_aep, &mut out);
    out
}

fn one(key: &Key, app: &App, style: &Style, out: &mut String) {
    let shops: Vec<&str> = app.shops.iter().map(String::as_str).collect();
    let _ = match key {
        Some(_) if app.secrets.is_empty() => writeln!(out, "\nApp that signs client assertions"),
        Some(_) => writeln!(out, "\nApp (client secret: {})", listed(&app.secrets)),
        None => writeln!(out, "\nShops whose app the manifest does not name"),
    };
    let _ = writeln!(out, "  {}", title(&shops, style));
    if let Some(id) = key {
        let _ = writeln!(out, "  client id: {}", escape(id));
    }
    if !app.old.is_empty() {
        let _ = writeln!(out, "  `old_client_secret` is set: {}", listed(&app.old));
    }
    if app.inlets.is_empty() {
        out.push_str("  No binding delivers to an inlet at Adobe.\n");
    } else {
        out.push_str("  Endpoints at Adobe that receive its events, with their destinations:\n");
        endpoints(&app.inlets, out);
    }
    if !app.others.is_empty() {
        out.push_str("  Other HTTPS endpoints:\n");
        endpoints(&app.others, out);
    }
}

fn endpoints(all: &BTreeMap<String, Endpoint>, out: &mut String) {
    for (what, Endpoint { names, shops }) in all {
        let names = if names.is_empty() { String::new() } else { format!(" ({})", listed(names)) };
        let _ = writeln!(out, "    - {}{names}: {}", escape(what), plural(shops.len(), "shop"));
    }
}

fn listed(all: &BTreeSet<String>) -> String {
    all.iter().map(|text| escape(text).into_owned()).collect::<Vec<_>>().join(", ")
}

fn steps(apps: &BTreeMap<Key, App>, options: &str, has_aep: bool, out: &mut String) {
    let is_named = apps.values().any(|app| !app.secrets.is_empty());
    let has_inlets = apps.values().any(|app| !app.inlets.is_empty());
    let verify = if has_aep { " --verify-destinations" } else { "" };
    let mut number = 0;
    let mut step = |text: &str| {
        number += 1;
        let _ = write!(out, "\n{number}. {text}\n");
    };
    step(&format!(
        "Record the live subscriptions, so that the later check can find removed ones:\n\n     hookwright \
         drift{options} --out {BEFORE}"
    ));
    step(
        "Dev Dashboard: create a new client secret for the app. Do not revoke the old one yet: Shopify signs with the \
         oldest secret that is not revoked.",
    );
    if has_inlets {
        step(
            "Adobe Experience Platform: open the source account of each inlet above (the endpoint behind a destination), and enter the new secret as the \
             secondary key. The old one stays the primary key. An inlet that was set up without HMAC keys checks no \
             signature and needs no change.",
        );
    }
    if apps.values().any(|app| !app.others.is_empty()) {
        step("Other HTTPS endpoints above: let them accept signatures of both secrets.");
    }
    if is_named {
        step(
            "Manifest: store the new secret where `client_secret` points to. Store the old one in another place, and \
             let `old_client_secret` point to it: callbacks of `auth login` may still be signed with it.",
        );
    }
    step(&tokens(apps, options));
    step(
        "Dev Dashboard: revoke the old secret. For up to an hour after that Shopify signs with either secret, so Adobe \
         must still have both.",
    );
    step(&format!(
        "After this hour, and again {OLD_ENDPOINT_HOURS} hours later, check that no subscription was \
         removed:\n\n     hookwright drift{options}{verify} --since {BEFORE}\n\n   Shopify deletes a subscription \
         after {RETRIES} failed retries in {OLD_ENDPOINT_HOURS} hours. Before that, the delivery log of \
         the app in the Dev Dashboard already shows rejected signatures; it covers the last 30 days."
    ));
    let adobe = if has_inlets { "at Adobe, make the new secret the primary key and remove the old one" } else { "" };
    let manifest = if is_named { "in the manifest, remove `old_client_secret`" } else { "" };
    let parts: Vec<&str> = [adobe, manifest].into_iter().filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() {
        step(&format!("Retire the old secret: {}.", parts.join("; ")));
    }
}

/// Returns the step that replaces access tokens. A token becomes invalid when the secret that it was requested with is
/// revoked (documented by Shopify; read as a quotation).
fn tokens(apps: &BTreeMap<Key, App>, options: &str) -> String {
    let mut text =
        "Tokens: an access token becomes invalid when the secret that it was requested with is revoked. Therefore, \
         before the next step:"
            .to_owned();
    if apps.values().any(|app| app.fetches) {
        text.push_str("\n   - `client_credentials`: each run fetches a new token; nothing to do.");
    }
    let stores: BTreeSet<String> = apps.values().flat_map(|app| app.stores.iter().cloned()).collect();
    if !stores.is_empty() {
        let _ = write!(
            text,
            "\n   - `token_store` ({}): wait one hour, so that every token is due for a refresh, then refresh \
             all:\n\n     hookwright auth status{options}\n",
            listed(&stores)
        );
    }
    if apps.values().any(|app| app.asserts) {
        text.push_str(
            "\n   - `client_assertion`: each run fetches a new token without the client secret; nothing to do.",
        );
    }
    if apps.contains_key(&None) {
        text.push_str(
            "\n   - `access_token`: the manifest has no client secret for these shops. Request a new token for each \
             with the new secret, and store it where `access_token` points to.",
        );
    }
    text
}
