//! The text of `auth status`. Pure.

use std::fmt::Write as _;

use crate::text::{escape, plural};
use crate::wire::auth_status::{SourceKind, Status, StatusShop, TokenStatus};

/// `here`: the options that lead a login to where the run was.
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
        let _ = writeln!(out, "     made up for the sandbox; at Shopify this shop would fail: {}", escape(why));
    }
    let mut line = |label: &str, words: &[String]| {
        if !words.is_empty() {
            let _ = writeln!(out, "     {label}: {}", escape(&words.join(", ")));
        }
    };
    line("may", &shop.granted);
    line("lacks", &shop.missing);
    line("cannot subscribe", &shop.blocked_topics);
    line("granted, but not wanted", &shop.superfluous);
    let handle = shop.shop.split('.').next().unwrap_or_default();
    if !shop.missing.is_empty() {
        let way = match shop.source.kind {
            SourceKind::TokenStore => format!("then: hookwright auth login --shop {handle}{here}"),
            SourceKind::ClientCredentials | SourceKind::ClientAssertion => {
                "release it, and have the shop approve it; the next run has it".to_owned()
            }
            SourceKind::AccessToken | SourceKind::None => {
                "have the shop approve it, and put the token with it where `auth` points".to_owned()
            }
        };
        let _ = writeln!(out, "     add what it lacks to the app, {way}");
    }
    if shop.login_soon {
        let _ = writeln!(out, "     log in again before that: hookwright auth login --shop {handle}{here}");
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
        (Some(end), None) => format!("{user}, ends {end}"),
        (Some(end), Some(last)) => format!("{user}, ends {end}, refreshed until {last}"),
        (None, _) => user.to_owned(),
    }
}
