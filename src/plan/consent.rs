//! Consents to hazards: `KIND:SHOP` for a hazard of a shop, where `SHOP` can be a glob, or `KIND` for a hazard of the
//! run.

use jiff::Timestamp;

use super::{Hazard, HazardKind, HazardName};
use crate::model::ShopPattern;

/// A value of `--allow`.
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
    #[error("commas do not separate consents; repeat `--allow` for each consent")]
    Comma,
    /// The shop is not a valid glob.
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

    /// Returns the consent as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the consent covers a hazard.
    pub fn covers(&self, hazard: &Hazard) -> bool {
        let shop = match (&self.shop, &hazard.shop) {
            (None, None) => true,
            (Some(pattern), Some(shop)) => pattern.matches(shop),
            _ => false,
        };
        shop && hazard.kind.name() == Some(self.hazard)
    }
}

/// Returns the hazards that a consent covers.
pub fn consented<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
) -> impl Iterator<Item = &'a Hazard> {
    hazards.into_iter().filter(|hazard| consents.iter().any(|consent| consent.covers(hazard)))
}

/// Returns the hazards that still exist at `now` and that no consent covers.
pub fn refused<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
    now: Timestamp,
) -> Vec<&'a Hazard> {
    let needs_consent = |hazard: &&Hazard| !passed(hazard, now) && !consents.iter().any(|c| c.covers(hazard));
    hazards.into_iter().filter(needs_consent).collect()
}

/// Returns whether a hazard was limited in time and that time has passed.
fn passed(hazard: &Hazard, now: Timestamp) -> bool {
    matches!(&hazard.kind, HazardKind::DestinationSettling { until, .. } if *until <= now)
}
