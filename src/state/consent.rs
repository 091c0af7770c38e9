//! Consents to hazards: `KIND:SHOP` for a hazard of a shop, where `SHOP` can be a glob, or `KIND` for a hazard of the
//! run.

use jiff::civil::Date;

use super::Source;
use crate::model::{ShopDomain, ShopPattern};

/// Maximum number of days for which a consent in the manifest can be valid.
pub const LONGEST_CONSENT_DAYS: i32 = 90;

macro_rules! names {
    ($($hazard:ident = $name:literal, $of_shop:literal;)*) => {
        /// The kind of a hazard that a consent can name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum HazardName {
            $(#[doc = concat!("`", $name, "`")] $hazard,)*
        }

        impl HazardName {
            /// All names.
            pub const ALL: &[Self] = &[$(Self::$hazard),*];

            /// Returns the name in a plan and in a consent.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$hazard => $name,)* }
            }

            /// Returns whether this is a hazard of a shop and not of the run.
            pub fn is_of_shop(self) -> bool {
                match self { $(Self::$hazard => $of_shop,)* }
            }
        }
    };
}

names! {
    MaxDeletePercent = "max_delete_percent", true;
    MaxTotalDeletePercent = "max_total_delete_percent", false;
    MaxAddressChangePercent = "max_address_change_percent", false;
    MaxDestinationLossPercent = "max_destination_loss_percent", false;
    EmptyShop = "empty_shop", true;
    AdoptionDelete = "adoption_delete", true;
    DeleteForeign = "delete_foreign", true;
    RerouteForeign = "reroute_foreign", true;
    DeleteUnmanaged = "delete_unmanaged", true;
    ProtectedTopic = "protected_topic", true;
    DestinationSettling = "destination_settling", false;
}

/// A value of `--allow`, or of `allow` of a consent in the manifest.
#[derive(Debug, Clone)]
pub struct Consent {
    text: String,
    hazard: HazardName,
    shop: Option<ShopPattern>,
}

/// Why a text is not a consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The kind of hazard is unknown.
    #[error("unknown hazard `{0}`; expected one of {all}", all = all())]
    Kind(String),
    /// The hazard concerns a shop, but the consent names none.
    #[error("`{0}` is a hazard of a shop: write `{0}:SHOP` (a glob works too, such as `{0}:*`)")]
    ShopMissing(String),
    /// The hazard concerns the run, but the consent names a shop.
    #[error("`{0}` is a hazard of the whole run: write `{0}` without a shop")]
    ShopGiven(String),
    /// The text contains several consents.
    #[error("commas do not separate consents; write one consent for each (`--allow` can be repeated)")]
    Comma,
    /// The shop is not a valid glob.
    #[error("`{0}` is not a valid shop pattern")]
    Pattern(String),
}

fn all() -> String {
    HazardName::ALL.iter().map(|hazard| format!("`{}`", hazard.as_str())).collect::<Vec<_>>().join(", ")
}

impl Consent {
    /// Parses a consent.
    pub fn parse(text: &str) -> Result<Self, ConsentError> {
        if text.contains(',') {
            return Err(ConsentError::Comma);
        }
        let (kind, shop) = text.split_once(':').map_or((text, None), |(kind, shop)| (kind, Some(shop)));
        let hazard = HazardName::ALL.iter().copied().find(|hazard| hazard.as_str() == kind);
        let hazard = hazard.ok_or_else(|| ConsentError::Kind(kind.to_owned()))?;
        let shop = match (hazard.is_of_shop(), shop) {
            (true, None) => return Err(ConsentError::ShopMissing(kind.to_owned())),
            (false, Some(_)) => return Err(ConsentError::ShopGiven(kind.to_owned())),
            (false, None) => None,
            (true, Some(pattern)) => {
                let parsed = ShopPattern::parse(pattern);
                Some(parsed.map_err(|_| ConsentError::Pattern(pattern.to_owned()))?)
            }
        };
        Ok(Self { text: text.to_owned(), hazard, shop })
    }

    /// Returns the consent as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the pattern for shops; `None` if the consent covers a hazard of the run.
    pub fn shops(&self) -> Option<&ShopPattern> {
        self.shop.as_ref()
    }

    /// Returns whether the consent covers a hazard of this kind and shop. `None` as the shop is a hazard of the run.
    pub fn covers(&self, hazard: Option<HazardName>, shop: Option<&ShopDomain>) -> bool {
        let matches = match (&self.shop, shop) {
            (None, None) => true,
            (Some(pattern), Some(shop)) => pattern.matches(shop),
            _ => false,
        };
        matches && hazard == Some(self.hazard)
    }
}

/// A consent in the manifest. It was reviewed together with the manifest.
#[derive(Debug, Clone)]
pub struct ReviewedConsent {
    /// The hazards that it covers.
    pub consent: Consent,
    /// Why the hazards are intended.
    pub reason: String,
    /// The last day on which it is valid, in UTC.
    pub expires: Date,
    /// The place of its entry.
    pub source: Source,
}

impl ReviewedConsent {
    /// Returns whether the consent is not valid any more.
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires < today
    }
}
