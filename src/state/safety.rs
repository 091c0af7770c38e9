//! Limits above which a plan needs consent.

use crate::model::Topic;

/// The limits of a manifest. Percentages are integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safety {
    /// Maximum percentage of deletes of a shop's managed subscriptions. If it has fewer than 5, one delete is allowed.
    pub max_delete_percent: u8,
    /// Maximum percentage of deletes of the run's managed subscriptions. If it has fewer than 50, four are allowed.
    pub max_total_delete_percent: u8,
    /// Maximum percentage of changes of address of the run's managed subscriptions. If it has fewer than 50, four are
    /// allowed.
    pub max_address_change_percent: u8,
    /// Maximum percentage of the live subscriptions of one destination that a run deletes or moves to another address. Applies to
    /// destinations with at least 5.
    pub max_destination_loss_percent: u8,
    /// Topics whose deletes and changes of address or filter always need consent.
    pub protected_topics: Vec<Topic>,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            max_delete_percent: 30,
            max_total_delete_percent: 10,
            max_address_change_percent: 30,
            max_destination_loss_percent: 50,
            protected_topics: Vec::new(),
        }
    }
}

/// The limits of one shop. The limits of the run cannot be set for a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopLimits {
    /// Replaces the common limit.
    pub max_delete_percent: Option<u8>,
    /// Replaces the common list.
    pub protected_topics: Option<Vec<Topic>>,
}
