//! The text of `auth status`. Pure.

use std::fmt::Write as _;

use crate::text::{escape, plural};
use crate::wire::auth_status::{SourceKind, Status, StatusShop, TokenStatus};

/// Returns the text. `here`: the options that point a login to the same manifest and target.
pub(super) fn text(status: &Status, here: &str) -> String {
    let mut out = String::new();
    if status.endpoint != "shopify" {
        let _ = writeln!(out, "Target: {}\n", escape(&status.endpoint));
    }
    for shop in &status.shops {
        one(shop, here, &mut out);
    }
    let summary = &status.summary;
    let _ = writeln!(
        out,
        "\n{}: {} ready, {} {} attention, {} failed.",
        plural(summary.shops, "shop"),
        summary.ready,
        summary.attention,
        if summary.attention == 1 { "needs" } else { "need" },
        summary.failed
    );
    out
}

fn one(shop: &StatusShop, here: &str, out: &mut String) {
    let sign = match shop.status {
        TokenStatus::Ready => "ok",
        TokenStatus::Attention => "!",
        TokenStatus::Unavailable => "-",
        TokenStatus::Failed => "x",
    };
    let from = escape(&shop.source.from);
    let source = match shop.source.kind {
        SourceKind::AccessToken => format!("token from {from}"),
        SourceKind::ClientCredentials => format!("client credentials, secret from {from}"),
        SourceKind::ClientAssertion => format!("client assertion, {from}"),
        SourceKind::TokenStore => format!("token store {from}"),
        SourceKind::None => from.into_owned(),
    };
    let _ = writeln!(out, "{sign:<2} {}  {source}{}", shop.shop, end(shop));
    if let Some(why) = &shop.made_up {
        let _ = writeln!(
            out,
            "     the sandbox requires no token and uses a placeholder. For a real shop: {}",
            escape(why)
        );
    }
    let mut line = |label: &str, words: &[String]| {
        if !words.is_empty() {
            let _ = writeln!(out, "     {label}: {}", escape(&words.join(", ")));
        }
    };
    line("granted", &shop.granted);
    line("missing", &shop.missing);
    line("blocked topics", &shop.blocked_topics);
    line("superfluous", &shop.superfluous);
    let handle = shop.shop.split('.').next().unwrap_or_default();
    if !shop.missing.is_empty() {
        let way = match shop.source.kind {
            SourceKind::TokenStore => format!("then run `hookwright auth login --shop {handle}{here}`"),
            SourceKind::ClientCredentials | SourceKind::ClientAssertion => {
                "release it, and let the shop approve it".to_owned()
            }
            SourceKind::AccessToken | SourceKind::None => {
                "let the shop approve it, and store the new token where the key `auth` of the manifest points to"
                    .to_owned()
            }
        };
        let _ = writeln!(out, "     help: add the missing scopes to the app, {way}");
    }
    if shop.login_soon {
        let _ = writeln!(out, "     help: before it expires, run `hookwright auth login --shop {handle}{here}`");
    }
    for finding in &shop.findings {
        let _ = writeln!(out, "     {}: {}", finding.kind, escape(&finding.message));
    }
    if let Some(error) = &shop.error {
        let _ = writeln!(out, "     {}: {}", error.kind, escape(&error.message));
    }
}

fn end(shop: &StatusShop) -> String {
    let user = if shop.online { ", of a user" } else { "" };
    match (&shop.expires_at, &shop.refresh_expires_at) {
        (Some(end), None) => format!("{user}, expires {end}"),
        (Some(end), Some(last)) => format!("{user}, expires {end}, refreshed until {last}"),
        (None, _) => user.to_owned(),
    }
}
