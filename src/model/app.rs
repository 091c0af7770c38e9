//! The app that a token belongs to, as the Admin API describes it.

/// The calling app, from the Admin API (`currentAppInstallation { app { … } }`, schema of 2026-10). A field that the
/// Admin API denies is unknown; over REST, all fields are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppIdentity {
    /// The number of the app. It identifies the app, and its own namespaces contain it.
    pub number: Option<u64>,
    /// The title of the app, for messages.
    pub title: Option<String>,
    /// How the app is distributed.
    pub category: Option<AppCategory>,
}

/// How an app is distributed (`AppPublicCategory`, schema of 2026-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppCategory {
    /// To several merchants, or through the Shopify App Store.
    Public,
    /// Custom, private or other.
    NotPublic,
}

impl AppCategory {
    /// Parses a value of the enum; `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "PUBLIC" => Some(Self::Public),
            "CUSTOM" | "PRIVATE" | "OTHER" => Some(Self::NotPublic),
            _ => None,
        }
    }
}

/// The declared expiry of tokens for which Hookwright does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenExpiry {
    /// They expire, and another tool renews them.
    External,
    /// They do not have to expire, because the app is custom or was created by the merchant.
    Exempt,
}

impl TokenExpiry {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::External, Self::Exempt];

    /// The name in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Exempt => "exempt",
        }
    }
}
