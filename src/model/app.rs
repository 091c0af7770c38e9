//! The app that a token belongs to, as the Admin API describes it.

/// What the Admin API says of the calling app (`currentAppInstallation { app { … } }`, schema of 2026-10). A field that it
/// refuses is unknown, as is all of it over REST.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppIdentity {
    /// The app's number; it names the app, and is in the app's own namespaces.
    pub number: Option<u64>,
    /// The app's title, for people.
    pub title: Option<String>,
    /// How the app is distributed.
    pub category: Option<AppCategory>,
}

/// How an app is distributed (`AppPublicCategory`, schema of 2026-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppCategory {
    /// Through the Shopify App Store, or to several merchants.
    Public,
    /// Custom, private, or none of these.
    NotPublic,
}

impl AppCategory {
    /// Reads a value of the enum; `None` for one that this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "PUBLIC" => Some(Self::Public),
            "CUSTOM" | "PRIVATE" | "OTHER" => Some(Self::NotPublic),
            _ => None,
        }
    }
}

/// What the manifest says of tokens whose expiry Hookwright does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenExpiry {
    /// They expire, and something other than Hookwright renews them.
    External,
    /// They need no expiry: the app is custom, or was made by the merchant.
    Exempt,
}

impl TokenExpiry {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::External, Self::Exempt];

    /// As the manifest writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Exempt => "exempt",
        }
    }
}
