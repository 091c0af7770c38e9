//! `auth`: arguments only.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::duration;
use super::{AccessArgs, Format, ManifestArgs, RunArgs, SelectArgs};
use crate::auth::RedirectUri;
use crate::model::ShopDomain;

/// Where `auth login` waits for the browser, if nothing else is said.
pub(crate) const LISTEN: &str = "127.0.0.1:8931";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth login --shop acme                      in one go, with a browser on this machine
  hookwright auth url --shop acme                        a link for the merchant
  hookwright auth exchange --shop acme --callback -      the URL that their browser ended up at
  hookwright auth migrate --shop acme                    exchange a token without expiry
  hookwright auth status                                 what each shop's token is worth
  hookwright auth rotation                               how to rotate the client secret
  hookwright auth key new --out shopify-app.pem          a key for `client_assertion`

Tokens are kept in the `token_store` that the manifest names; without one --print-token prints the token to stdout.")]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    pub(crate) command: AuthCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuthCommand {
    /// Print the URL where a merchant approves the app
    Url(UrlArgs),
    /// Exchange the code of a callback for a token, and keep it
    Exchange(ExchangeArgs),
    /// Both in one go: open the browser, wait for the callback on loopback, keep the token
    Login(LoginArgs),
    /// Exchange a shop's token without expiry for one that is renewed; asks first
    Migrate(MigrateArgs),
    /// Show for each shop where its token comes from, what it may do, what it lacks, when it ends
    Status(StatusArgs),
    /// Print the steps of a rotation of the client secret, with the apps and inlets of the manifest; sends nothing
    Rotation(RotationArgs),
    /// Make a private key for client assertions, or print the public half of one
    Key(KeyArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth key new --out shopify-app.pem
  hookwright auth key public shopify-app.pem")]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a private RSA key of 3072 bits and print the public key (JWK) for Shopify's Dev Dashboard
    New(NewKeyArgs),
    /// Print the public key (JWK) of a private key
    Public(PublicKeyArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth key new --out shopify-app.pem
  hookwright auth key new --out shopify-app.pem --key-id hookwright-2026-12 > public.json

The file is PKCS#8 in PEM, readable by its owner only. A file that exists is never overwritten.")]
pub(crate) struct NewKeyArgs {
    /// File for the private key
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Id of the key (`kid`) in the Dev Dashboard and in the manifest; by default the thumbprint of RFC 7638
    #[arg(long, value_name = "ID", value_parser = key_id)]
    pub(crate) key_id: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth key public shopify-app.pem
  hookwright auth key public shopify-app.pem --key-id hookwright-2026-12")]
pub(crate) struct PublicKeyArgs {
    /// File with the private key in PEM
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Id of the key (`kid`); by default the thumbprint of RFC 7638
    #[arg(long, value_name = "ID", value_parser = key_id)]
    pub(crate) key_id: Option<String>,
}

fn key_id(text: &str) -> Result<String, String> {
    let plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
    plain.then(|| text.to_owned()).ok_or_else(|| "write visible characters, such as hookwright-2026-12".to_owned())
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth url --shop acme
  hookwright auth url --shop acme --redirect-uri https://example.com/callback
  hookwright auth url --shop acme --redirect-uri https://example.com/callback --online

The redirect URI must be among those that the app allows; by default it is the first of the `redirect_urls` in the file \
that the manifest names as `app_config`, or, without one, http://127.0.0.1:8931/callback. The state in the URL is signed \
with the app's client secret, so that `auth exchange` knows it again, for a week, on whatever machine.")]
pub(crate) struct UrlArgs {
    /// The shop, by handle or domain; it must stand in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// Where the merchant's browser is sent afterwards
    #[arg(long, value_name = "URL", env = "HOOKWRIGHT_REDIRECT_URI", value_parser = RedirectUri::parse)]
    pub(crate) redirect_uri: Option<RedirectUri>,
    /// Ask for a token of the user who approves, good for about a day
    #[arg(long)]
    pub(crate) online: bool,
    /// A state of your own; give it to `auth exchange` again
    #[arg(long, value_name = "TEXT")]
    pub(crate) state: Option<String>,
    /// Leave the scopes to the app's own configuration (Shopify-managed installation)
    #[arg(long)]
    pub(crate) no_scopes: bool,
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth exchange --shop acme --callback 'https://example.com/?code=…&hmac=…'
  hookwright auth exchange --shop acme --callback - < url.txt     keeps the code out of the history

Exit codes: 0 kept, and all wanted scopes are granted; 2 kept, and a wanted scope is missing; 4 refused.")]
pub(crate) struct ExchangeArgs {
    /// The shop, by handle or domain; it must stand in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// The whole URL that the browser was sent to, or `-` to read it from stdin
    #[arg(long, value_name = "URL")]
    pub(crate) callback: String,
    /// The state that was given to `auth url --state`
    #[arg(long, value_name = "TEXT")]
    pub(crate) state: Option<String>,
    /// How old the callback may be, such as 10m
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub(crate) max_age: Duration,
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// What becomes of the token.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Token")]
pub(crate) struct KeepArgs {
    /// Print the token to stdout, and nothing else there, instead of keeping it in a token store
    #[arg(long)]
    pub(crate) print_token: bool,
    /// Ask for a token without an end, which Shopify gives to some apps only; the default with a token store is one that
    /// is refreshed
    #[arg(long)]
    pub(crate) non_expiring: bool,
    /// The token of the user who approves, good for about a day; `auth url` and `auth exchange` both need to know
    #[arg(long, conflicts_with = "non_expiring")]
    pub(crate) online: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth login --shop acme
  hookwright auth login --shop acme --sandbox            the whole way, on this machine alone
  hookwright auth login --shop acme --no-browser         only print the URL

The URL http://127.0.0.1:8931/callback, or the one of --redirect-uri, must be among those that the app allows.

Exit codes: 0 kept, and all wanted scopes are granted; 2 kept, and a wanted scope is missing; 4 refused; 5 nobody came.")]
pub(crate) struct LoginArgs {
    /// The shop, by handle or domain; it must stand in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// Where to wait for the browser, on loopback; port 0 is any
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    pub(crate) listen: SocketAddr,
    /// What to tell Shopify instead of http://ADDRESS/callback: another path of it, or a tunnel that leads there
    #[arg(long, value_name = "URL", env = "HOOKWRIGHT_REDIRECT_URI", value_parser = RedirectUri::parse)]
    pub(crate) redirect_uri: Option<RedirectUri>,
    /// How long to wait for the browser
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub(crate) wait: Duration,
    /// Print the URL and open no browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Leave the scopes to the app's own configuration (Shopify-managed installation)
    #[arg(long)]
    pub(crate) no_scopes: bool,
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth migrate --shop acme                          the token of the store
  hookwright auth migrate --shop acme --token-env TOKEN_ACME   a token from elsewhere

From 2027-01-01 the Admin API rejects tokens without expiry of public apps. The exchange cannot be undone: Shopify no \
longer accepts the old token, wherever it is used. The new token and its refresh token go into the `token_store` of the \
manifest before anything else happens.

Exit codes: 0 exchanged, or the token has an expiry already; 1 the question was not answered with yes; 2 exchanged, and a \
wanted scope is missing; 3 no token to exchange, or no terminal; 4 refused.")]
pub(crate) struct MigrateArgs {
    /// The shop, by handle or domain; it must stand in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// Exchange the token of this environment variable, not that of the token store; {shop} and {SHOP} are replaced
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    pub(crate) token_env: Option<String>,
    /// Exchange the token of this file, not that of the token store; {shop} and {SHOP} are replaced
    #[arg(long, value_name = "PATH")]
    pub(crate) token_file: Option<String>,
    /// Exchange without asking
    #[arg(long)]
    pub(crate) auto_approve: bool,
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth status
  hookwright auth status --label env=prod --format json

Exit codes: 0 every token works and has the wanted scopes; 2 a scope is missing, or a login is needed soon; 4 a token does \
not work; otherwise as `plan`.")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth rotation
  hookwright auth rotation --label app=eu                the shops of one app

The command reads the manifest and no secret. docs/rotation.md explains the steps.")]
pub(crate) struct RotationArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
}
