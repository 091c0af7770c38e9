//! The schema of `auth`: where access tokens are to be had, and references to secrets.

use schemars::JsonSchema;
use serde_json::json;

use super::token_pattern;

/// Where access tokens are to be had: exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum Auth {
    /// A token that was obtained elsewhere.
    AccessToken(SecretRef),
    /// The client credentials grant, for an app and shops of one organisation: a token is fetched for each run.
    ClientCredentials(ClientCredentials),
    /// A client assertion signed with the app's private key: a token is fetched for each run. A public app gets one for
    /// each shop that installed it, another app for the shops of its organisation. No client secret and no stored token.
    ClientAssertion(ClientAssertion),
    /// A file of tokens that `hookwright auth login` or `auth exchange` fills and that are refreshed before they end.
    TokenStore(TokenStore),
}

/// What is true of tokens whose expiry is unknown.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum TokenExpiry {
    /// They expire, and something other than Hookwright renews them.
    External,
    /// They need no expiry: the app is custom, or was made by the merchant.
    Exempt,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ClientCredentials {
    /// The app's client id.
    client_id: SecretRef,
    /// The app's client secret.
    client_secret: SecretRef,
    /// The client secret before a rotation, as long as Shopify may still sign with it.
    old_client_secret: Option<SecretRef>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ClientAssertion {
    /// The app's client id.
    client_id: SecretRef,
    /// The private RSA key in PEM, as `hookwright auth key new` makes it.
    private_key: SecretRef,
    /// The id under which the public key is registered in the Dev Dashboard (`kid`).
    #[schemars(extend("examples" = ["hookwright-2026-12"]))]
    key_id: PlainText,
    /// The audience of the assertion, with `{shop}` for the shop's domain. By default the shop's token endpoint (assumed).
    #[schemars(extend("default" = "https://{shop}/admin/oauth/access_token"))]
    audience: Option<Audience>,
    /// How long an assertion is good for, from 1s to 1h.
    #[schemars(extend("default" = "5m"))]
    lifetime: Option<Lifetime>,
}

/// An audience, with `{shop}` for the shop's domain.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = r"^([^{}]|\{shop\})+$",
    "not" = json!({ "anyOf": [token_pattern(), { "pattern": r"^\s*$" }] })
))]
pub(super) struct Audience(String);

/// A text that is not a secret.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"\S", "not" = token_pattern()))]
pub(super) struct PlainText(String);

/// A duration of at most an hour.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = "^([1-9][0-9]{0,2}s|[12][0-9]{3}s|3[0-5][0-9]{2}s|3600s|[1-9]m|[1-5][0-9]m|60m|1h)$",
    "examples" = ["5m", "90s"]
))]
pub(super) struct Lifetime(String);

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct TokenStore {
    /// The file with the tokens, relative to the working directory.
    #[schemars(extend("default" = ".hookwright/tokens.json"))]
    path: Option<FilePath>,
    /// The app's client id.
    client_id: SecretRef,
    /// The app's client secret.
    client_secret: SecretRef,
    /// The client secret before a rotation, as long as Shopify may still sign with it.
    old_client_secret: Option<SecretRef>,
}

/// Where a secret is to be had, never the secret: exactly one of these. `{shop}` stands for the shop's handle,
/// `{SHOP}` for the handle in upper case with `_` for `-`.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum SecretRef {
    /// Name of an environment variable.
    Env(EnvName),
    /// Path of a file: the secret itself, or a JSON object of shop -> secret.
    File(FilePath),
    /// A program and its arguments, whose output is read like a file. Runs only with `--allow-commands`.
    #[schemars(extend("examples" = [["op", "read", "op://vault/{shop}/token"]]))]
    Command(Command),
}

#[derive(JsonSchema)]
#[schemars(extend("minItems" = 1))]
pub(super) struct Command(Vec<PlainText>);

/// Letters, digits and `_`, with `{shop}` or `{SHOP}` in it if each shop has its own.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = r"^([A-Za-z0-9_]|\{shop\}|\{SHOP\})+$",
    "not" = token_pattern(),
    "examples" = ["SHOPIFY_TOKEN_{SHOP}", "SHOPIFY_TOKEN"]
))]
pub(super) struct EnvName(String);

/// A path, with `{shop}` or `{SHOP}` in it if each shop has its own file.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"\S", "not" = token_pattern(), "examples" = ["/run/secrets/shopify/{shop}"]))]
pub(super) struct FilePath(String);
