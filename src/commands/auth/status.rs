//! `auth status`: the scopes and the expiry of each shop's token. Asks Shopify only for the granted scopes.

mod text;

use std::sync::Arc;

use crate::admin::{AdminError, Granted};
use crate::auth::Entry;
use crate::catalog;
use crate::cli::Format;
use crate::cli::auth::StatusArgs;
use crate::clock::clock;
use crate::commands::{Output, event_log};
use crate::concurrency::for_each_bounded;
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::manifest::{ManifestShop, ShopIndex};
use crate::model::{App, Assertion, Auth, Scope, ScopeSet, SecretRef};
use crate::run::target::refused;
use crate::run::{self, Opened};
use crate::wire::auth_status::{SourceKind, Status, StatusShop, StatusSummary, TokenSource, TokenStatus};
use crate::wire::plan::Severity;

/// The time before the expiry of a refresh token at which the shop needs attention.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_hours(14 * 24);

pub(super) async fn run(args: StatusArgs, output: Output) -> Result<Exit, Failure> {
    let (recorder, output) = event_log::open(None, None, args.format, output)?;
    let run = run::open(&args.manifest, &args.select, &args.run, output.verbosity(), output, recorder).await?;
    let run = Arc::new(run);
    run.session.progress.start("checked", run.shops.len());
    let shops = for_each_bounded(run.shops.clone(), run.session.settings.parallelism, |at| {
        let run = Arc::clone(&run);
        async move {
            let shop = one(&run, at).await;
            run.session.progress.tick(shop.status != TokenStatus::Failed);
            shop
        }
    })
    .await;
    run.session.progress.finish();
    let count = |verdict: TokenStatus| shops.iter().filter(|shop| shop.status == verdict).count();
    let summary = StatusSummary {
        shops: shops.len(),
        ready: count(TokenStatus::Ready),
        attention: count(TokenStatus::Attention),
        failed: count(TokenStatus::Failed),
    };
    let causes = shops.iter().filter(|shop| shop.status == TokenStatus::Failed).filter_map(|shop| shop.error.as_ref());
    let exit = match exit::of_causes(causes.map(|e| Cause::of_kind(&e.kind)), summary.failed < summary.shops) {
        Exit::Done if summary.attention > 0 => Exit::Changes,
        exit => exit,
    };
    let status = Status {
        format_version: "1.0".to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        endpoint: run.session.target.name.clone(),
        exit_code: exit as u8,
        summary,
        shops,
    };
    match args.format {
        Format::Json => output.print_json(&status)?,
        Format::Text => output.print(&text::text(&status, &run.session.target.options))?,
    }
    if let Ok(run) = Arc::try_unwrap(run) {
        run.session.target.close().await?;
    }
    Ok(exit)
}

async fn one(run: &Opened, at: ShopIndex) -> StatusShop {
    let shop = &run.manifest[at];
    let asked = run.access_of(shop).await;
    run.session.client.close(&shop.shop);
    let entry = match shop.auth.as_deref() {
        // Read after the request, which may have refreshed the token.
        Some(Auth::TokenStore { path, .. }) => run.session.tokens.kept(&shop.shop, path).await.unwrap_or_default(),
        _ => None,
    };
    let source = source(run, shop);
    let expires_at = match shop.auth.as_deref() {
        Some(Auth::ClientCredentials(_) | Auth::ClientAssertion(_)) => {
            run.session.tokens.fetched_until(&shop.shop).await
        }
        _ => entry.as_ref().and_then(|entry| entry.expires_at),
    };
    let refresh = entry.as_ref().and_then(|entry| entry.refresh.as_ref());
    let refresh_expires_at = refresh.and_then(|refresh| refresh.expires_at);
    let mut result = StatusShop {
        shop: shop.shop.to_string(),
        status: TokenStatus::Failed,
        source,
        online: entry.as_ref().is_some_and(|entry| entry.online_user.is_some()),
        expires_at: expires_at.map(|end| end.to_string()),
        refresh_expires_at: refresh_expires_at.map(|end| end.to_string()),
        granted: Vec::new(),
        missing: Vec::new(),
        superfluous: Vec::new(),
        blocked_topics: Vec::new(),
        login_soon: login_soon(entry.as_ref()),
        findings: Vec::new(),
        made_up: run.session.tokens.made_up_because(&shop.shop),
        error: None,
    };
    match asked {
        Ok(Granted { scopes: granted, app }) => {
            let words = |scopes: Vec<&Scope>| scopes.into_iter().map(ToString::to_string).collect();
            let wanted = shop.scopes().cloned().unwrap_or_default();
            result.granted = words(granted.iter().collect());
            result.missing = words(wanted.iter().filter(|scope| !granted.grants(scope.as_str())).collect());
            if shop.scopes().is_some() {
                result.superfluous = words(granted.iter().filter(|scope| !wanted.grants(scope.as_str())).collect());
            }
            result.blocked_topics = blocked(shop, &granted);
            let life = run.session.tokens.life(&shop.shop);
            result.findings.extend(run::token_finding(shop, life, &app, &run.session.target.options).map(Into::into));
            let finding = result.findings.iter().any(|finding| finding.severity == Severity::Attention);
            let attention =
                finding || result.login_soon || !result.missing.is_empty() || !result.blocked_topics.is_empty();
            result.status = if attention { TokenStatus::Attention } else { TokenStatus::Ready };
        }
        Err(error) if run.session.tolerates(shop, error.kind.as_str()) => {
            result.status = TokenStatus::Unavailable;
            result.error = Some(crate::apply::error(&error));
        }
        Err(error) => result.error = Some(crate::apply::error(&error)),
    }
    result
}

/// Returns whether a login is required within the next days.
fn login_soon(entry: Option<&Entry>) -> bool {
    let near = |end: jiff::Timestamp| end.duration_since(clock()) < SOON;
    match entry {
        Some(Entry { refresh: Some(refresh), .. }) => refresh.expires_at.is_some_and(near),
        Some(Entry { expires_at: Some(end), .. }) => near(*end),
        _ => false,
    }
}

/// Returns the topics of bindings for which no sufficient scope is granted.
fn blocked(shop: &ManifestShop, granted: &ScopeSet) -> Vec<String> {
    let blocked = shop.topics().into_iter().filter(|topic| catalog::missing_scopes(topic, granted).is_some());
    let topics: std::collections::BTreeSet<String> = blocked.map(ToString::to_string).collect();
    topics.into_iter().collect()
}

fn source(run: &Opened, shop: &ManifestShop) -> TokenSource {
    let of = |reference: &SecretRef| crate::auth::describe(reference, &shop.shop);
    match shop.auth.as_deref() {
        Some(Auth::AccessToken(reference)) => TokenSource { kind: SourceKind::AccessToken, from: of(reference) },
        Some(Auth::ClientCredentials(App { client_secret, .. })) => {
            TokenSource { kind: SourceKind::ClientCredentials, from: of(client_secret) }
        }
        Some(Auth::ClientAssertion(Assertion { private_key, key_id, .. })) => {
            let from = format!("key {key_id} in {}", of(private_key));
            TokenSource { kind: SourceKind::ClientAssertion, from }
        }
        Some(Auth::TokenStore { path, .. }) => {
            TokenSource { kind: SourceKind::TokenStore, from: run.session.tokens.place(path).display().to_string() }
        }
        None => TokenSource { kind: SourceKind::None, from: "the manifest has no `auth`".to_owned() },
    }
}

impl Opened {
    /// Returns the access that a shop's token grants.
    async fn access_of(&self, shop: &ManifestShop) -> Result<Granted, AdminError> {
        let ask = |token| {
            let (client, shop) = (self.session.client.clone(), shop.shop.clone());
            async move { client.access(&shop, &token).await }
        };
        let answer = self.session.tokens.with(&shop.shop, shop.auth.as_deref(), ask).await;
        answer.map_err(|error| refused(error, shop, self.session.tokens.life(&shop.shop), &self.session.target.options))
    }
}
