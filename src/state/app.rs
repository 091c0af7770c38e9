//! What an app declares for itself, in its `shopify.app.toml`.
//!
//! Shopify keeps such subscriptions apart: the Admin API neither lists them nor refuses to make the same one again, so
//! that an event is delivered twice (documented).

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
    /// Where it goes, with the application's URL in front of a relative one.
    pub address: Address,
    /// Its filter, if it has one.
    pub filter: Option<String>,
    /// Where it stands.
    pub source: Source,
}

impl AppSubscription {
    /// Whether a binding to `address` asks for the same once more. Different filters may both let an event through, which then comes
    /// twice, unless they exclude each other.
    pub fn is_repeated_by<A>(&self, binding: &Binding<A>, address: &Address) -> bool {
        self.topic == binding.topic
            && alike(&self.address) == alike(address)
            && !exclude_each_other(self.filter.as_deref(), binding.filter.as_deref())
    }
}

/// One `[[events.subscription]]`: Next Gen Events, whose payload is what their `query` asks for. Shopify keeps them apart
/// from classic subscriptions, too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppEvent {
    /// Where it goes, with the application's URL in front of a relative one.
    pub address: Address,
    /// The resource in upper camel case, `Product`.
    pub topic: String,
    /// `create`, `update`, `delete`; sorted.
    pub actions: BTreeSet<String>,
    /// Its name.
    pub handle: Option<String>,
    /// Where it stands.
    pub source: Source,
}

impl AppEvent {
    /// Whether the event sends another payload of the same resource to the address of a binding, and then whether it
    /// reports the same change. `topic` and `action`: what the binding's topic is as an event.
    pub fn meets(&self, address: &Address, topic: &str, action: Option<&str>) -> Option<bool> {
        let twice = action.is_some_and(|action| self.actions.contains(action));
        (self.topic == topic && self.goes_to(address)).then_some(twice)
    }

    /// Whether the event goes to that address.
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

/// Shopify's CLI strips the slash at the end of what it declares, the Admin API does not (recorded).
fn alike(address: &Address) -> String {
    address.folded().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_topic_to_the_same_endpoint_is_a_repetition() {
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
