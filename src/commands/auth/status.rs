//! `auth status`: what each shop's token is worth. Asks Shopify for the granted scopes and for nothing else.

mod text;

use std::sync::Arc;

use super::super::pipeline::{self, Run};
use super::super::target::refused;
use crate::admin::{AdminError, Granted};
use crate::auth::Entry;
use crate::catalog;
use crate::cli::Format;
use crate::cli::auth::StatusArgs;
use crate::commands::{Output, clock, event_log};
use crate::concurrency::for_each_bounded;
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::manifest::ManifestShop;
use crate::model::{App, Assertion, Auth, Scope, ScopeSet, SecretRef};
use crate::wire::auth_status::{SourceKind, Status, StatusShop, StatusSummary, TokenSource, TokenStatus};
use crate::wire::plan::Severity;

/// A refresh token that ends within so many days is for somebody to look at.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_hours(14 * 24);

pub(super) async fn run(args: StatusArgs, output: Output) -> Result<Exit, Failure> {
    let (recorder, output) = event_log::open(None, None, args.format, output)?;
    let run = pipeline::open(&args.manifest, &args.select, &args.run, output.verbosity(), output, recorder).await?;
    let run = Arc::new(run);
    run.progress.start("asked", run.shops.len());
    let shops = for_each_bounded(run.shops.clone(), run.parallelism(), |at| {
        let run = Arc::clone(&run);
        async move {
            let shop = one(&run, at).await;
            run.progress.tick(shop.status != TokenStatus::Failed);
            shop
        }
    })
    .await;
    run.progress.finish();
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
        endpoint: run.target.name.clone(),
        exit_code: exit as u8,
        summary,
        shops,
    };
    match args.format {
        Format::Json => output.print_json(&status)?,
        Format::Text => output.print(&text::text(&status, &run.target.options))?,
    }
    if let Ok(run) = Arc::try_unwrap(run) {
        run.target.close().await?;
    }
    Ok(exit)
}

async fn one(run: &Run, at: usize) -> StatusShop {
    let shop = &run.manifest.shops[at];
    let asked = run.access_of(at).await;
    run.client.close(&shop.shop);
    let entry = match shop.auth.as_deref() {
        // After asking, which may have refreshed it.
        Some(Auth::TokenStore { path, .. }) => run.tokens.kept(&shop.shop, path).await.unwrap_or_default(),
        _ => None,
    };
    let source = source(run, shop);
    let expires_at = match shop.auth.as_deref() {
        Some(Auth::ClientCredentials(_) | Auth::ClientAssertion(_)) => run.tokens.fetched_until(&shop.shop).await,
        _ => entry.as_ref().and_then(|entry| entry.expires_at),
    };
    let refresh = entry.as_ref().and_then(|entry| entry.refresh.as_ref());
    let refresh_expires_at = refresh.and_then(|refresh| refresh.expires_at);
    let mut told = StatusShop {
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
        made_up: run.tokens.made_up_because(&shop.shop),
        error: None,
    };
    match asked {
        Ok(Granted { scopes: granted, app }) => {
            let words = |scopes: Vec<&Scope>| scopes.into_iter().map(ToString::to_string).collect();
            let wanted = shop.desired.scopes.clone().unwrap_or_default();
            told.granted = words(granted.iter().collect());
            told.missing = words(wanted.iter().filter(|scope| !granted.grants(scope.as_str())).collect());
            if shop.desired.scopes.is_some() {
                told.superfluous = words(granted.iter().filter(|scope| !wanted.grants(scope.as_str())).collect());
            }
            told.blocked_topics = blocked(shop, &granted);
            let life = run.tokens.life(&shop.shop);
            told.findings.extend(pipeline::token(shop, life, &app, &run.target.options).as_ref().map(Into::into));
            let finding = told.findings.iter().any(|finding| finding.severity == Severity::Attention);
            let attention = finding || told.login_soon || !told.missing.is_empty() || !told.blocked_topics.is_empty();
            told.status = if attention { TokenStatus::Attention } else { TokenStatus::Ready };
        }
        Err(error) if run.tolerates(at, error.kind.as_str()) => {
            told.status = TokenStatus::Unavailable;
            told.error = Some(crate::apply::error(&error));
        }
        Err(error) => told.error = Some(crate::apply::error(&error)),
    }
    told
}

/// Whether somebody will have to log in within the next days.
fn login_soon(entry: Option<&Entry>) -> bool {
    let near = |end: jiff::Timestamp| end.duration_since(clock()) < SOON;
    match entry {
        Some(Entry { refresh: Some(refresh), .. }) => refresh.expires_at.is_some_and(near),
        Some(Entry { expires_at: Some(end), .. }) => near(*end),
        _ => false,
    }
}

/// Topics of bindings for which nothing that is granted suffices.
fn blocked(shop: &ManifestShop, granted: &ScopeSet) -> Vec<String> {
    let topics: std::collections::BTreeSet<String> = shop
        .desired
        .entries
        .iter()
        .filter(|entry| catalog::missing_scopes(&entry.binding.topic, granted).is_some())
        .map(|entry| entry.binding.topic.to_string())
        .collect();
    topics.into_iter().collect()
}

fn source(run: &Run, shop: &ManifestShop) -> TokenSource {
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
            TokenSource { kind: SourceKind::TokenStore, from: run.tokens.place(path).display().to_string() }
        }
        None => TokenSource { kind: SourceKind::None, from: "the manifest names no `auth`".to_owned() },
    }
}

impl Run {
    /// What a shop's token may do.
    async fn access_of(&self, at: usize) -> Result<Granted, AdminError> {
        let shop = &self.manifest.shops[at];
        let ask = |token| {
            let (client, shop) = (self.client.clone(), shop.shop.clone());
            async move { client.access(&shop, &token).await }
        };
        let answer = self.tokens.with(&shop.shop, shop.auth.as_deref(), ask).await;
        answer.map_err(|error| refused(error, shop, self.tokens.life(&shop.shop), &self.target.options))
    }
}
