//! Resolves access tokens from the manifest's `auth`, and runs the OAuth flow that issues them.
//!
//! ```text
//! Auth ─▶ Tokens ─┬▶ secrets   {env}, {file}, {command}
//!                 ├▶ oauth     client credentials, refresh, code exchange: asks through admin
//!                 ├▶ assertion the same with a signed JWT; key: the key that signs it
//!                 └▶ store     the file of tokens: one refresher per shop, durable before use
//! authorize URL ─▶ state, callback: verifies that a callback is genuine and belongs to this login (pure)
//! ```
//!
//! Errors and log lines contain no secrets. Imports model, digest, and admin (its client and its redaction of texts
//! from servers). The environment, the clock and the locations of files are passed in.

mod assertion;
mod callback;
mod key;
pub(crate) mod login;
mod oauth;
mod redirect;
mod secrets;
mod state;
mod store;
mod tokens;

use jiff::Timestamp;

pub(crate) use callback::{CallbackError, Expected, carries_state, verify};
pub(crate) use key::Key;
pub(crate) use oauth::{Access, Ask, Credentials, Grant, authorize_url, exchange, migrate};
pub(crate) use redirect::RedirectUri;
pub(crate) use secrets::describe;
pub(crate) use secrets::{Options, Pin, SecretError, SecretResolver};
pub(crate) use store::{Entry, Refresh, settled};
pub(crate) use tokens::{Life, NewApp, OnApp, Options as TokenOptions, Tokens};

use crate::model::ShopDomain;

/// Issues a state for an authorize URL of `shop`, which `verify` recognizes.
pub(crate) fn state(shop: &ShopDomain, app: &Credentials, now: Timestamp, nonce: u64) -> String {
    state::make(shop, &app.client_secret, now, nonce)
}
