//! References to secrets, never the secrets themselves.

use jiff::SignedDuration;

/// A reference to a secret; `{shop}` and `{SHOP}` inside are replaced by the shop's handle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file that contains the secret, or a JSON object of shop -> secret.
    File(String),
    /// A program with its arguments; its standard output is read like a file.
    Command(Vec<String>),
}

/// The source of a shop's access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// A token that was not obtained by Hookwright.
    AccessToken(SecretRef),
    /// The client credentials grant. A token is fetched when it is needed, and kept for the run. Only for an app and a
    /// shop of the same organisation (documented).
    ClientCredentials(App),
    /// The client credentials grant with a signed assertion instead of a client secret. A token is fetched when it is
    /// needed, and kept for the run. For every shop that installed the app, if the app is public (documented).
    ClientAssertion(Assertion),
    /// A file that `hookwright auth` writes; its expiring tokens are refreshed.
    TokenStore {
        /// The file, relative to the working directory.
        path: String,
        /// The app that the tokens belong to.
        app: App,
    },
}

/// How an app signs client assertions (RFC 7523).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Assertion {
    /// The client id, also called API key.
    pub client_id: SecretRef,
    /// The private RSA key, in PEM.
    pub private_key: SecretRef,
    /// The id of the app's public key at Shopify: `kid` in the header.
    pub key_id: String,
    /// The audience; `{shop}` is replaced by the shop's domain. `None` is the shop's token endpoint.
    pub audience: Option<String>,
    /// How long an assertion is valid; `None` is the default.
    pub lifetime: Option<SignedDuration>,
}

/// Credentials of a Shopify app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct App {
    /// The client id, also called API key.
    pub client_id: SecretRef,
    /// The client secret.
    pub client_secret: SecretRef,
    /// The client secret before a rotation; Shopify may use it for signatures for some time.
    pub old_client_secret: Option<SecretRef>,
}
