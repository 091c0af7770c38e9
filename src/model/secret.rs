//! Where a secret is to be had. Never the secret.

use jiff::SignedDuration;

/// A reference to a secret; `{shop}` and `{SHOP}` inside stand for the shop's handle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file: the secret itself, or a JSON object of shop -> secret.
    File(String),
    /// A program and its arguments; its standard output is read like a file.
    Command(Vec<String>),
}

/// Where a shop's access token is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// A token that somebody else obtained.
    AccessToken(SecretRef),
    /// The client credentials grant: a token is fetched when it is needed and kept for the run. Only for an app and a
    /// shop of the same organisation (documented).
    ClientCredentials(App),
    /// The client credentials grant with a signed assertion in place of a client secret: a token is fetched when it is needed
    /// and kept for the run. For any shop that installed the app, if the app is public (documented).
    ClientAssertion(Assertion),
    /// A file that `hookwright auth` fills, whose expiring tokens are refreshed.
    TokenStore {
        /// The file, relative to the working directory.
        path: String,
        /// The app whose tokens they are.
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
    /// The id under which the app's public key is registered at Shopify: `kid` in the header.
    pub key_id: String,
    /// The audience, with `{shop}` for the shop's domain; `None`: the shop's token endpoint.
    pub audience: Option<String>,
    /// How long an assertion is good for; `None`: the default.
    pub lifetime: Option<SignedDuration>,
}

/// Credentials of a Shopify app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct App {
    /// The client id, also called API key.
    pub client_id: SecretRef,
    /// The client secret.
    pub client_secret: SecretRef,
    /// The secret before a rotation: Shopify may go on signing with it for a while.
    pub old_client_secret: Option<SecretRef>,
}
