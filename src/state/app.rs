//! The subscriptions in an app's own configuration, `shopify.app.toml`.
//!
//! Shopify manages them separately: the Admin API neither lists them nor rejects the creation of an equal
//! subscription, so that an event is delivered twice (documented).

use std::collections::BTreeSet;
use std::fmt;

use super::Source;
use super::excluding::exclude_each_other;
use crate::model::{Address, Binding, Topic};

/// One topic of one `[[webhooks.subscriptions]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSubscription {
    /// The topic.
    pub topic: Topic,
    /// The address; a relative one is resolved with the URL of the application.
    pub address: Address,
    /// Its filter, if it has one.
    pub filter: Option<String>,
    /// The place of the declaration.
    pub source: Source,
}

impl AppSubscription {
    /// Whether a binding to `address` duplicates the subscription. With different filters it does, unless the filters
    /// exclude each other, because an event that passes both is delivered twice.
    pub fn is_repeated_by<A>(&self, binding: &Binding<A>, address: &Address) -> bool {
        self.topic == binding.topic
            && alike(&self.address) == alike(address)
            && !exclude_each_other(self.filter.as_deref(), binding.filter.as_deref())
    }
}

/// One `[[events.subscription]]`: a subscription of Next Gen Events, whose `query` determines the payload. Shopify
/// manages them separately from classic subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppEvent {
    /// The address; a relative one is resolved with the URL of the application.
    pub address: Address,
    /// The resource in upper camel case, `Product`.
    pub topic: String,
    /// Any of `create`, `update` and `delete`, sorted.
    pub actions: BTreeSet<String>,
    /// The handle, its name.
    pub handle: Option<String>,
    /// The place of the declaration.
    pub source: Source,
}

impl AppEvent {
    /// Returns `Some` if the event delivers the same resource as a binding to the same address; `true` if it also
    /// reports the same change. `topic` and `action` are the binding's topic as an event.
    pub fn meets(&self, address: &Address, topic: &str, action: Option<&str>) -> Option<bool> {
        let twice = action.is_some_and(|action| self.actions.contains(action));
        (self.topic == topic && self.goes_to(address)).then_some(twice)
    }

    /// Whether the event is delivered to the address.
    pub fn goes_to(&self, address: &Address) -> bool {
        alike(&self.address) == alike(address)
    }
}

/// `product_price` (Product update)
impl fmt::Display for AppEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions: Vec<&str> = self.actions.iter().map(String::as_str).collect();
        let what = format!("{} {}", self.topic, actions.join(", "));
        match &self.handle {
            Some(handle) => write!(f, "`{handle}` ({})", what.trim_end()),
            None => write!(f, "`{}`", what.trim_end()),
        }
    }
}

/// Returns the form in which addresses are compared. Shopify's CLI removes a slash at the end, the Admin API does not
/// (recorded).
fn alike(address: &Address) -> String {
    address.folded().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_topic_to_the_same_address_is_a_duplicate() {
        let topic = Topic::from_slash("orders/create");
        let declared = AppSubscription {
            topic: topic.clone(),
            address: Address::new("https://App.example/hooks/"),
            filter: Some("id:1".into()),
            source: Source { file: "shopify.app.toml".into(), line: 1 },
        };
        let is_repeated = |binding: &Binding| declared.is_repeated_by(binding, &binding.address);
        let repeats = |topic: &Topic, address| is_repeated(&Binding::new(topic.clone(), Address::new(address)));
        assert!(repeats(&topic, "https://app.example/hooks"));
        assert!(!repeats(&topic, "https://app.example/Hooks"));
        assert!(!repeats(&Topic::from_slash("orders/paid"), "https://app.example/hooks"));
        let mut other = Binding::new(topic.clone(), Address::new("https://app.example/hooks"));
        other.filter = Some("id:2".into());
        assert!(!is_repeated(&other), "no event passes both filters");
        other.filter = Some("email:*".into());
        assert!(is_repeated(&other));
    }
}
