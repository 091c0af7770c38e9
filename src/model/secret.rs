//! Where a secret is to be had. Never the secret.

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
