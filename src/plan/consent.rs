//! Consent to hazards: `KIND:SHOP` with a glob for the shop, or `KIND` for a hazard of the run.

use jiff::Timestamp;

use super::{Hazard, HazardKind, HazardName};
use crate::model::ShopPattern;

/// One value of `--allow`.
#[derive(Debug, Clone)]
pub struct Consent {
    text: String,
    hazard: HazardName,
    shop: Option<ShopPattern>,
}

/// Why a text is no consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Nothing of that kind exists.
    #[error("unknown hazard `{0}`; expected one of {all}", all = all())]
    Kind(String),
    /// A hazard of a shop needs the shop.
    #[error("`{0}` is a hazard of a shop: write `{0}:SHOP` (a glob works too, such as `{0}:*`)")]
    ShopMissing(String),
    /// A hazard of the run has no shop.
    #[error("`{0}` is a hazard of the whole run: write `{0}` without a shop")]
    ShopGiven(String),
    /// Several in one.
    #[error("`{0}`: commas do not separate consents; repeat `--allow` for each consent")]
    Comma(String),
    /// The glob is none.
    #[error("`{0}` is not a valid shop pattern")]
    Pattern(String),
}

fn all() -> String {
    HazardName::ALL.iter().map(|hazard| format!("`{}`", hazard.as_str())).collect::<Vec<_>>().join(", ")
}

impl Consent {
    /// Parses one value of `--allow`.
    pub fn parse(text: &str) -> Result<Self, ConsentError> {
        if text.contains(',') {
            return Err(ConsentError::Comma(text.to_owned()));
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

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it consents to this hazard.
    pub fn covers(&self, hazard: &Hazard) -> bool {
        let shop = match (&self.shop, &hazard.shop) {
            (None, None) => true,
            (Some(pattern), Some(shop)) => pattern.matches(shop),
            _ => false,
        };
        shop && hazard.kind.name() == Some(self.hazard)
    }
}

/// The hazards that a consent covers.
pub fn consented<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
) -> impl Iterator<Item = &'a Hazard> {
    hazards.into_iter().filter(|hazard| consents.iter().any(|consent| consent.covers(hazard)))
}

/// The hazards that no consent covers, and which have not passed by `now`.
pub fn refused<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
    now: Timestamp,
) -> Vec<&'a Hazard> {
    let stands = |hazard: &&Hazard| !passed(hazard, now) && !consents.iter().any(|c| c.covers(hazard));
    hazards.into_iter().filter(stands).collect()
}

/// Whether a hazard was one of time, and that time is over.
fn passed(hazard: &Hazard, now: Timestamp) -> bool {
    matches!(&hazard.kind, HazardKind::DestinationSettling { until, .. } if *until <= now)
}
