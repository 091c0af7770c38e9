//! Creates the clients of the accounts under `aep` that are needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::network;
use crate::admin::is_sandbox;
use crate::adobe::{self, AdobeClient, AdobeError, AdobeOptions, BASE_URL, Endpoints, OnWait, TOKEN_URL};
use crate::auth::{SecretError, SecretResolver};
use crate::error::Failure;
use crate::manifest::Manifest;
use crate::model::SecretRef;
use crate::state::aep::{AepAccount, LookupError};

/// Credentials for the sandbox if those of the manifest are unavailable.
const SANDBOX_CLIENT: &str = "sandbox-client";
const SANDBOX_SECRET: &str = "sandbox-secret";

/// Settings that are common to all accounts.
pub(super) struct AccountSetup {
    pub(super) secrets: SecretResolver,
    /// URL that replaces Adobe: the sandbox in this process, or `HOOKWRIGHT_ADOBE_URL`.
    pub(super) stand_in: Option<String>,
    /// Whether the sandbox in this process is used, which needs no secrets.
    pub(super) sandbox: bool,
    /// Hosts in `HOOKWRIGHT_TRUST_HOSTS`.
    pub(super) trusted: Vec<String>,
    pub(super) deadline: Option<Instant>,
    pub(super) stop: CancellationToken,
    pub(super) on_wait: OnWait,
}

impl AccountSetup {
    /// Returns whether requests to Adobe go to the sandbox: the one in this process, or one that is served on this
    /// machine.
    async fn in_sandbox(&self) -> bool {
        match &self.stand_in {
            Some(url) => self.sandbox || is_sandbox(url).await,
            None => self.sandbox,
        }
    }
}

/// An account with its client, or the error of its secrets.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) account: AepAccount,
    pub(super) client: Result<AdobeClient, LookupError>,
}

/// The accounts of a run, by name.
pub(super) struct Accounts {
    pub(super) all: BTreeMap<Arc<str>, Account>,
    deadline: Option<Instant>,
}

/// Maximum time for lookups before the shops are read. Shops whose addresses are written in the manifest wait for it,
/// too.
const PATIENCE: Duration = Duration::from_mins(1);

impl Accounts {
    /// Creates clients for the accounts that are `needed`. Sends no requests. Fails before any secret is read if a URL
    /// is not trusted. An unavailable secret fails only its account.
    pub(super) async fn open(
        manifest: &Manifest,
        needed: impl Fn(&str) -> bool,
        setup: &AccountSetup,
    ) -> Result<Self, Failure> {
        let picked: Vec<&AepAccount> = manifest.aep.iter().filter(|account| needed(&account.name)).collect();
        let endpoints: Vec<Endpoints> =
            picked.iter().map(|account| endpoints(account, setup)).collect::<Result<_, _>>()?;
        if endpoints.iter().any(|e| e.base_url().scheme() == "https" || e.token_url().scheme() == "https") {
            network::check_certificates()?;
        }
        let mut all = BTreeMap::new();
        for (account, endpoints) in picked.into_iter().zip(endpoints) {
            let client = client(account, endpoints, setup).await;
            all.insert(Arc::clone(&account.name), Account { account: account.clone(), client });
        }
        Ok(Self { all, deadline: setup.deadline })
    }

    /// Returns the deadline for all lookups that start now: a quarter of the remaining time of the run, so that time
    /// remains for the shops, and at most [`PATIENCE`].
    pub(super) fn patience(&self) -> Instant {
        self.quarter().min(Instant::now() + PATIENCE)
    }

    /// Returns the deadline for checks that the user requested: a quarter of the remaining time of the run, because
    /// listing thousands of dataflows takes long.
    pub(super) fn quarter(&self) -> Instant {
        let now = Instant::now();
        now + self.deadline.map_or(PATIENCE, |end| end.saturating_duration_since(now) / 4)
    }
}

fn endpoints(account: &AepAccount, setup: &AccountSetup) -> Result<Endpoints, Failure> {
    let made = match &setup.stand_in {
        Some(url) => Endpoints::stand_in(url, &setup.trusted),
        None => Endpoints::check(
            account.token_url.as_deref().unwrap_or(TOKEN_URL),
            account.base_url.as_deref().unwrap_or(BASE_URL),
            &setup.trusted,
        ),
    };
    let place = &account.source;
    made.map_err(|why| Failure::invalid(format!("{}:{}: aep `{}`: {why}", place.file, place.line, account.name)))
}

async fn client(account: &AepAccount, endpoints: Endpoints, setup: &AccountSetup) -> Result<AdobeClient, LookupError> {
    let secret = async |reference: &SecretRef| match setup.secrets.resolve_common(reference).await {
        // A malformed secret is an error in the sandbox, too.
        Err(error) if !error.malformed && setup.in_sandbox().await => Ok(None),
        resolved => resolved.map(Some).map_err(|e| LookupError {
            kind: SecretError::KIND.to_owned(),
            http_status: None,
            message: format!("aep `{}`: {e}", account.name),
            retryable: false,
        }),
    };
    // If one is unavailable, both are replaced, so that a real secret is never sent with a client id of the sandbox.
    let (client_id, client_secret) = match (secret(&account.client_id).await?, secret(&account.client_secret).await?) {
        (Some(id), Some(secret)) => (id, secret),
        _ => (SecretString::from(SANDBOX_CLIENT), SecretString::from(SANDBOX_SECRET)),
    };
    let credentials = adobe::Account {
        name: account.name.to_string(),
        endpoints,
        org: account.org.clone(),
        sandbox: account.sandbox.clone(),
        client_id,
        client_secret,
        scopes: account.scopes.clone(),
    };
    let options = AdobeOptions {
        deadline: setup.deadline,
        stop: setup.stop.clone(),
        jitter_seed: fastrand::u64(..),
        on_wait: Some(Arc::clone(&setup.on_wait)),
    };
    AdobeClient::new(credentials, options).map_err(|e| lookup_error(&e))
}

/// Converts an error of Adobe to the error of a lookup.
pub(super) fn lookup_error(error: &AdobeError) -> LookupError {
    LookupError {
        kind: error.kind.as_str().to_owned(),
        http_status: error.http_status,
        message: error.message.clone(),
        retryable: error.retryable,
    }
}
