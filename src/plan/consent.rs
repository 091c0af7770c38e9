//! Consent to hazards: `KIND:SHOP` with a glob for the shop, or `KIND` for a hazard of the run.

use jiff::Timestamp;

use crate::model::{ShopDomain, ShopPattern};
use crate::wire::plan::Hazard;

/// Every kind of hazard, and whether it is a shop's.
const KINDS: [(&str, bool); 9] = [
    ("max_delete_percent", true),
    ("max_total_delete_percent", false),
    ("max_address_change_percent", false),
    ("empty_shop", true),
    ("delete_foreign", true),
    ("reroute_foreign", true),
    ("delete_unmanaged", true),
    ("protected_topic", true),
    ("destination_settling", false),
];

/// One value of `--allow`.
#[derive(Debug, Clone)]
pub struct Consent {
    text: String,
    kind: String,
    shop: Option<ShopPattern>,
}

/// Why a text is no consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Nothing of that kind exists.
    #[error("no hazard is called {0:?}; there are {all}", all = KINDS.map(|(kind, _)| kind).join(", "))]
    Kind(String),
    /// A hazard of a shop needs the shop.
    #[error("{0} is a hazard of a shop: write {0}:SHOP (a glob is fine, such as {0}:*)")]
    ShopMissing(String),
    /// A hazard of the run has no shop.
    #[error("{0} is a hazard of the whole run: write it without a shop")]
    ShopGiven(String),
    /// Several in one.
    #[error("{0:?}: a comma does not separate consents; repeat --allow for each")]
    Comma(String),
    /// The glob is none.
    #[error("{0:?} is not a valid pattern for a shop")]
    Pattern(String),
}

impl Consent {
    /// Parses one value of `--allow`.
    pub fn parse(text: &str) -> Result<Self, ConsentError> {
        if text.contains(',') {
            return Err(ConsentError::Comma(text.to_owned()));
        }
        let (kind, shop) = text.split_once(':').map_or((text, None), |(kind, shop)| (kind, Some(shop)));
        let known = KINDS.iter().find(|(name, _)| *name == kind);
        let (_, of_shop) = known.ok_or_else(|| ConsentError::Kind(kind.to_owned()))?;
        match (of_shop, shop) {
            (true, None) => Err(ConsentError::ShopMissing(kind.to_owned())),
            (false, Some(_)) => Err(ConsentError::ShopGiven(kind.to_owned())),
            (_, None) => Ok(Self { text: text.to_owned(), kind: kind.to_owned(), shop: None }),
            (_, Some(pattern)) => {
                let parsed = ShopPattern::parse(pattern);
                let parsed = parsed.map_err(|_| ConsentError::Pattern(pattern.to_owned()))?;
                Ok(Self { text: text.to_owned(), kind: kind.to_owned(), shop: Some(parsed) })
            }
        }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it consents to this hazard.
    pub fn covers(&self, hazard: &Hazard) -> bool {
        let shop = match (&self.shop, &hazard.shop) {
            (None, None) => true,
            (Some(pattern), Some(shop)) => ShopDomain::parse(shop).is_ok_and(|shop| pattern.matches(&shop)),
            _ => false,
        };
        shop && self.kind == hazard.kind
    }
}

/// The hazards that a consent covers.
pub fn consented<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
) -> impl Iterator<Item = &'a Hazard> {
    hazards.into_iter().filter(|hazard| consents.iter().any(|consent| consent.covers(hazard)))
}

/// The hazards to which nobody consented, and which have not passed by `now`.
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
    if hazard.kind != "destination_settling" {
        return false;
    }
    let until = hazard.details.get("until").and_then(serde_json::Value::as_str);
    until.and_then(|until| until.parse::<Timestamp>().ok()).is_some_and(|until| until <= now)
}
