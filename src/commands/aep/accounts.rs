//! The accounts of a manifest as clients, each made when it is first needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::network;
use crate::admin::is_sandbox;
use crate::adobe::{Account, AdobeClient, AdobeError, AdobeOptions, BASE_URL, Endpoints, OnWait, TOKEN_URL};
use crate::auth::{SecretError, SecretResolver};
use crate::error::Failure;
use crate::manifest::Manifest;
use crate::model::SecretRef;
use crate::state::aep::AepAccount;
use crate::wire::plan::ShopError;

/// What the sandbox takes where nothing else is to be had.
const SANDBOX_CLIENT: &str = "sandbox-client";
const SANDBOX_SECRET: &str = "sandbox-secret";

/// What every account has in common.
pub(crate) struct Setting {
    pub(crate) secrets: SecretResolver,
    /// What stands in for Adobe: the embedded sandbox, or HOOKWRIGHT_ADOBE_URL.
    pub(crate) stand_in: Option<String>,
    /// In the embedded sandbox nobody needs a secret.
    pub(crate) sandbox: bool,
    /// Hosts of HOOKWRIGHT_TRUST_HOSTS.
    pub(crate) trusted: Vec<String>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) stop: CancellationToken,
    pub(crate) on_wait: OnWait,
}

impl Setting {
    /// Whether Adobe's side is the sandbox: the one in this process, or one that is served on this machine.
    async fn in_sandbox(&self) -> bool {
        match &self.stand_in {
            Some(url) => self.sandbox || is_sandbox(url).await,
            None => self.sandbox,
        }
    }
}

/// One account: whom it asks, and how.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) account: AepAccount,
    pub(crate) client: Result<AdobeClient, ShopError>,
}

/// The accounts of a run, by name.
#[derive(Default)]
pub(crate) struct Accounts {
    pub(crate) all: BTreeMap<Arc<str>, Opened>,
    deadline: Option<Instant>,
}

/// Longest time for the questions before the shops are read; those with pasted addresses wait for it, too.
const PATIENCE: Duration = Duration::from_mins(1);

impl Accounts {
    /// Makes clients of the accounts that `needed` picks, where there is none yet. Sends nothing. Fails where a URL leads to somebody who is not
    /// trusted, before any secret is read; a secret that cannot be had is that account's trouble alone.
    pub(crate) async fn open(
        &mut self,
        manifest: &Manifest,
        needed: impl Fn(&str) -> bool,
        setting: &Setting,
    ) -> Result<(), Failure> {
        self.deadline = setting.deadline;
        let there = |name: &str| self.all.contains_key(name);
        let picked: Vec<&AepAccount> =
            manifest.aep.iter().filter(|account| needed(&account.name) && !there(&account.name)).collect();
        let endpoints: Vec<Endpoints> =
            picked.iter().map(|account| endpoints(account, setting)).collect::<Result<_, _>>()?;
        if endpoints.iter().any(|e| e.base_url().scheme() == "https" || e.token_url().scheme() == "https") {
            network::check_certificates()?;
        }
        for (account, endpoints) in picked.into_iter().zip(endpoints) {
            let client = client(account, endpoints, setting).await;
            self.all.insert(Arc::clone(&account.name), Opened { account: account.clone(), client });
        }
        Ok(())
    }

    /// Until when the questions that are asked now may take, all of them together: a quarter of what the run has left, so
    /// that the shops have the rest, and no longer than shops with pasted addresses should wait.
    pub(crate) fn patience(&self) -> Instant {
        self.quarter().min(Instant::now() + PATIENCE)
    }

    /// The same for somebody who asked for it: going through thousands of dataflows takes its time.
    pub(super) fn quarter(&self) -> Instant {
        let now = Instant::now();
        now + self.deadline.map_or(PATIENCE, |end| end.saturating_duration_since(now) / 4)
    }
}

fn endpoints(account: &AepAccount, setting: &Setting) -> Result<Endpoints, Failure> {
    let made = match &setting.stand_in {
        Some(url) => Endpoints::stand_in(url, &setting.trusted),
        None => Endpoints::check(
            account.token_url.as_deref().unwrap_or(TOKEN_URL),
            account.base_url.as_deref().unwrap_or(BASE_URL),
            &setting.trusted,
        ),
    };
    let place = &account.source;
    made.map_err(|why| Failure::invalid(format!("{}:{}: aep `{}`: {why}", place.file, place.line, account.name)))
}

async fn client(account: &AepAccount, endpoints: Endpoints, setting: &Setting) -> Result<AdobeClient, ShopError> {
    let secret = async |reference: &SecretRef| match setting.secrets.resolve_common(reference).await {
        // A malformed secret is an error in the sandbox, too.
        Err(error) if !error.malformed && setting.in_sandbox().await => Ok(None),
        resolved => resolved.map(Some).map_err(|e| ShopError {
            kind: SecretError::KIND.into(),
            http_status: None,
            message: format!("aep `{}`: {e}", account.name),
            retryable: false,
        }),
    };
    // Both are made up if one is unavailable, so that a real secret never goes with a made-up client id.
    let (client_id, client_secret) = match (secret(&account.client_id).await?, secret(&account.client_secret).await?) {
        (Some(id), Some(secret)) => (id, secret),
        _ => (SecretString::from(SANDBOX_CLIENT), SecretString::from(SANDBOX_SECRET)),
    };
    let credentials = Account {
        name: account.name.to_string(),
        endpoints,
        org: account.org.clone(),
        sandbox: account.sandbox.clone(),
        client_id,
        client_secret,
        scopes: account.scopes.clone(),
    };
    let options = AdobeOptions {
        deadline: setting.deadline,
        stop: setting.stop.clone(),
        jitter_seed: fastrand::u64(..),
        on_wait: Some(Arc::clone(&setting.on_wait)),
    };
    AdobeClient::new(credentials, options).map_err(|e| wire(&e))
}

/// As it stands in a plan.
pub(super) fn wire(error: &AdobeError) -> ShopError {
    ShopError {
        kind: error.kind.as_str().into(),
        http_status: error.http_status,
        message: error.message.clone(),
        retryable: error.retryable,
    }
}
