//! Arguments of `hookwright auth`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::duration;
use super::{AccessArgs, Format, ManifestArgs, RunArgs, SelectArgs};
use crate::auth::RedirectUri;
use crate::model::ShopDomain;

/// The default address where `auth login` waits for the callback.
pub(crate) const LISTEN: &str = "127.0.0.1:8931";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth login --shop acme                   with a local browser
  hookwright auth url --shop acme                     a link for the merchant
  hookwright auth exchange --shop acme --callback -   read the callback URL
  hookwright auth migrate --shop acme                 replace a permanent token
  hookwright auth status                              inspect the tokens
  hookwright auth rotation                            rotate the client secret
  hookwright auth key new --out shopify-app.pem       for `client_assertion`

Tokens are stored in the `token_store` of the manifest. Without a token store, --print-token prints the token to stdout.")]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    pub(crate) command: AuthCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuthCommand {
    /// Print the URL at which a merchant approves the app
    Url(UrlArgs),
    /// Exchange the code of a callback for a token and store it
    Exchange(ExchangeArgs),
    /// Open a browser, wait for the callback and store the token
    Login(LoginArgs),
    /// Exchange a token without expiry for a renewable token
    Migrate(MigrateArgs),
    /// Show the source, scopes and expiry of each token
    Status(StatusArgs),
    /// Print the steps for rotating the client secret
    Rotation(RotationArgs),
    /// Create a key for client assertions or print its public key
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
    /// Create a private key and print its public key (JWK)
    ///
    /// The key is an RSA key of 3072 bits. Register the public key in Shopify's Dev Dashboard.
    New(NewKeyArgs),
    /// Print the public key (JWK) of a private key
    Public(PublicKeyArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth key new --out shopify-app.pem
  hookwright auth key new --out shopify-app.pem --key-id app-2026 > public.json

The file is PKCS#8 in PEM format and readable only by its owner. An existing file is never overwritten.")]
pub(crate) struct NewKeyArgs {
    /// File for the private key
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Key id (`kid`); default: the thumbprint (RFC 7638)
    ///
    /// The Dev Dashboard and the manifest must use the same id.
    #[arg(long, value_name = "ID", value_parser = key_id)]
    pub(crate) key_id: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth key public shopify-app.pem
  hookwright auth key public shopify-app.pem --key-id hookwright-2026-12")]
pub(crate) struct PublicKeyArgs {
    /// File with the private key in PEM format
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Key id (`kid`); default: the thumbprint (RFC 7638)
    #[arg(long, value_name = "ID", value_parser = key_id)]
    pub(crate) key_id: Option<String>,
}

fn key_id(text: &str) -> Result<String, String> {
    let plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
    plain.then(|| text.to_owned()).ok_or_else(|| {
        "a key id must contain visible characters and no control characters, such as `hookwright-2026-12`".to_owned()
    })
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth url --shop acme
  hookwright auth url --shop acme --redirect-uri https://example.com/callback
  hookwright auth url --shop acme --online

The app must allow the redirect URI. The default is the first entry of `redirect_urls` in the file that the manifest \
names as `app_config`, or http://127.0.0.1:8931/callback without `app_config`. The state in the URL is signed with the \
client secret of the app. `auth exchange` accepts it for a week, on any machine.")]
pub(crate) struct UrlArgs {
    /// Handle or domain of a shop in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// URL to which the browser is redirected after the approval
    #[arg(long, value_name = "URL", env = "HOOKWRIGHT_REDIRECT_URI", value_parser = RedirectUri::parse)]
    pub(crate) redirect_uri: Option<RedirectUri>,
    /// Request an online token, valid for about a day
    ///
    /// An online token belongs to the user who approves the app.
    #[arg(long)]
    pub(crate) online: bool,
    /// Custom state; pass it to `auth exchange --state`, too
    #[arg(long, value_name = "TEXT")]
    pub(crate) state: Option<String>,
    /// Omit the scopes from the URL
    ///
    /// The scopes in the configuration of the app are then used (Shopify-managed installation).
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
  hookwright auth exchange --shop acme --callback 'https://example.com/?code=…'
  hookwright auth exchange --shop acme --callback - < url.txt

With `-`, the code does not appear in the shell history.

Exit codes: 0 the token is stored and all wanted scopes are granted; 2 the token is stored and a wanted scope is \
missing; 4 refused.")]
pub(crate) struct ExchangeArgs {
    /// Handle or domain of a shop in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// Complete callback URL, or `-` to read it from stdin
    #[arg(long, value_name = "URL")]
    pub(crate) callback: String,
    /// State that was passed to `auth url --state`
    #[arg(long, value_name = "TEXT")]
    pub(crate) state: Option<String>,
    /// Maximum age of the callback, such as 10m
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub(crate) max_age: Duration,
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// The kind of token, and where it is stored.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Token")]
pub(crate) struct KeepArgs {
    /// Print only the token to stdout instead of storing it
    #[arg(long)]
    pub(crate) print_token: bool,
    /// Request a token without expiry
    ///
    /// Shopify issues it only to some apps. The default with a token store is a renewable token.
    #[arg(long)]
    pub(crate) non_expiring: bool,
    /// Request an online token, valid for about a day
    ///
    /// An online token belongs to the user who approves the app. Pass `--online` to both `auth url` and `auth exchange`.
    #[arg(long, conflicts_with = "non_expiring")]
    pub(crate) online: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hookwright auth login --shop acme
  hookwright auth login --shop acme --sandbox      try it without Shopify
  hookwright auth login --shop acme --no-browser   only print the URL

The app must allow the URL http://127.0.0.1:8931/callback, or the URL of --redirect-uri.

Exit codes: 0 the token is stored and all wanted scopes are granted; 2 the token is stored and a wanted scope is \
missing; 4 refused; 5 timed out waiting for the browser callback.")]
pub(crate) struct LoginArgs {
    /// Handle or domain of a shop in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// Loopback address for the callback; port 0 means any
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    pub(crate) listen: SocketAddr,
    /// Redirect URI to send instead of http://ADDRESS/callback
    ///
    /// It has another path on ADDRESS, or it is the URL of a tunnel that forwards to ADDRESS.
    #[arg(long, value_name = "URL", env = "HOOKWRIGHT_REDIRECT_URI", value_parser = RedirectUri::parse)]
    pub(crate) redirect_uri: Option<RedirectUri>,
    /// Time limit for the browser callback
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub(crate) wait: Duration,
    /// Print the URL instead of opening a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Omit the scopes from the URL
    ///
    /// The scopes in the configuration of the app are then used (Shopify-managed installation).
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
  hookwright auth migrate --shop acme
  hookwright auth migrate --shop acme --token-env TOKEN_ACME

The command asks for confirmation. From 2027-01-01 the Admin API rejects tokens without expiry of public apps. The \
exchange cannot be undone: Shopify no longer accepts the old token, wherever it is used. The new token and its refresh \
token are written to the `token_store` of the manifest before anything else happens.

Exit codes: 0 exchanged, or the token already has an expiry; 1 not confirmed; 2 exchanged, and a wanted scope is \
missing; 3 no token to exchange, or stdin is not a terminal; 4 refused.")]
pub(crate) struct MigrateArgs {
    /// Handle or domain of a shop in the manifest
    #[arg(long, value_name = "SHOP", value_parser = ShopDomain::parse)]
    pub(crate) shop: ShopDomain,
    /// Exchange the token in this environment variable
    ///
    /// The default is the token in the token store. {shop} and {SHOP} are replaced.
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    pub(crate) token_env: Option<String>,
    /// Exchange the token in this file
    ///
    /// The default is the token in the token store. {shop} and {SHOP} are replaced.
    #[arg(long, value_name = "PATH")]
    pub(crate) token_file: Option<String>,
    /// Exchange without asking for confirmation
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

Exit codes: 0 every token is valid and has the wanted scopes; 2 a scope is missing, or a login is required soon; 4 a \
token is not valid; other codes as for `plan`.")]
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
  hookwright auth rotation --label app=eu   the shops of one app

The steps name the apps and inlets of the manifest. The command reads no secret and sends no request. docs/rotation.md \
explains the steps.")]
pub(crate) struct RotationArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
}
