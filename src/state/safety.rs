//! Limits past which a plan needs consent.

use crate::model::Topic;

/// The limits of a manifest. All figures are whole percent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safety {
    /// Of a shop's managed subscriptions; where it has fewer than 5, one delete is within the limit.
    pub max_delete_percent: u8,
    /// Of the run's managed subscriptions; where there are fewer than 50, four are within the limit.
    pub max_total_delete_percent: u8,
    /// Of the run's managed subscriptions; where there are fewer than 50, four are within the limit.
    pub max_address_change_percent: u8,
    /// A delete, or a change of address or filter, of these always needs consent.
    pub protected_topics: Vec<Topic>,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            max_delete_percent: 30,
            max_total_delete_percent: 10,
            max_address_change_percent: 30,
            protected_topics: Vec::new(),
        }
    }
}

/// A shop's own limits, where it has some; the limits of the run cannot be a shop's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopLimits {
    /// Instead of the common one.
    pub max_delete_percent: Option<u8>,
    /// Instead of the common ones.
    pub protected_topics: Option<Vec<Topic>>,
}
