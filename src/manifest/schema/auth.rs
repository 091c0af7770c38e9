//! The schema of `auth`: the source of access tokens, and references to secrets.

use schemars::JsonSchema;
use serde_json::json;

use super::token_pattern;

/// The source of access tokens: exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum Auth {
    /// A token that was not obtained by Hookwright.
    AccessToken(SecretRef),
    /// The client credentials grant, for an app and shops of the same organisation. Hookwright fetches a token for
    /// each run.
    ClientCredentials(ClientCredentials),
    /// A client assertion, signed with the app's private key. Hookwright fetches a token for each run. A public app
    /// can use it for each shop that installed it, any other app for the shops of its organisation. It needs no client
    /// secret and stores no token.
    ClientAssertion(ClientAssertion),
    /// A file of tokens. `hookwright auth login` and `hookwright auth exchange` write them; Hookwright refreshes them
    /// before they expire.
    TokenStore(TokenStore),
}

/// The expiry of tokens for which Hookwright does not know it.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum TokenExpiry {
    /// They expire, and another tool renews them.
    External,
    /// They do not have to expire, because the app is custom or was created by the merchant.
    Exempt,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ClientCredentials {
    /// The app's client id.
    client_id: SecretRef,
    /// The app's client secret.
    client_secret: SecretRef,
    /// The client secret before a rotation, for as long as Shopify may still use it for signatures.
    old_client_secret: Option<SecretRef>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ClientAssertion {
    /// The app's client id.
    client_id: SecretRef,
    /// The private RSA key in PEM format. `hookwright auth key new` creates one.
    private_key: SecretRef,
    /// The id under which the public key is registered in the Dev Dashboard (`kid`).
    #[schemars(extend("examples" = ["hookwright-2026-12"]))]
    key_id: PlainText,
    /// The audience of the assertion; `{shop}` is replaced by the shop's domain. Default: the shop's token endpoint
    /// (assumed).
    #[schemars(extend("default" = "https://{shop}/admin/oauth/access_token"))]
    audience: Option<Audience>,
    /// How long an assertion is valid, from 1s to 1h.
    #[schemars(extend("default" = "5m"))]
    lifetime: Option<Lifetime>,
}

/// An audience; `{shop}` is replaced by the shop's domain.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = r"^([^{}]|\{shop\})+$",
    "not" = json!({ "anyOf": [token_pattern(), { "pattern": r"^\s*$" }] })
))]
pub(super) struct Audience(String);

/// A string that is not a secret.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"\S", "not" = token_pattern()))]
pub(super) struct PlainText(String);

/// A duration of at most one hour.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = "^([1-9][0-9]{0,2}s|[12][0-9]{3}s|3[0-5][0-9]{2}s|3600s|[1-9]m|[1-5][0-9]m|60m|1h)$",
    "examples" = ["5m", "90s"]
))]
pub(super) struct Lifetime(String);

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct TokenStore {
    /// Path of the file with the tokens, relative to the working directory.
    #[schemars(extend("default" = ".hookwright/tokens.json"))]
    path: Option<FilePath>,
    /// The app's client id.
    client_id: SecretRef,
    /// The app's client secret.
    client_secret: SecretRef,
    /// The client secret before a rotation, for as long as Shopify may still use it for signatures.
    old_client_secret: Option<SecretRef>,
}

/// A reference to a secret, never the secret itself: exactly one of these. `{shop}` is replaced by the shop's handle,
/// `{SHOP}` by the handle in upper case with `_` instead of `-`.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum SecretRef {
    /// Name of an environment variable.
    Env(EnvName),
    /// Path of a file that contains the secret, or a JSON object of shop -> secret.
    File(FilePath),
    /// A program with its arguments, whose output is read like a file. Runs only with `--allow-commands`.
    #[schemars(extend("examples" = [["op", "read", "op://vault/{shop}/token"]]))]
    Command(Command),
}

#[derive(JsonSchema)]
#[schemars(extend("minItems" = 1))]
pub(super) struct Command(Vec<PlainText>);

/// Letters, digits and `_`, and `{shop}` or `{SHOP}` if each shop has its own variable.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = r"^([A-Za-z0-9_]|\{shop\}|\{SHOP\})+$",
    "not" = token_pattern(),
    "examples" = ["SHOPIFY_TOKEN_{SHOP}", "SHOPIFY_TOKEN"]
))]
pub(super) struct EnvName(String);

/// A path, with `{shop}` or `{SHOP}` if each shop has its own file.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"\S", "not" = token_pattern(), "examples" = ["/run/secrets/shopify/{shop}"]))]
pub(super) struct FilePath(String);
