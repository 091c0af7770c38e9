//! Names for destinations and sets: readable, unique, and the same in every run.

use std::collections::HashSet;

use crate::model::{Address, AddressKind, Topic};

/// The maximum length of a created name, without the number that makes it unique.
const LONGEST: usize = 40;

/// The names that are in use.
#[derive(Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Reserves a name. Returns whether it was free.
    pub(super) fn take(&mut self, name: &str) -> bool {
        self.0.insert(name.to_owned())
    }

    /// Reserves and returns the name, or the first free one of `name-2`, `name-3`, ….
    pub(super) fn unique(&mut self, name: &str) -> String {
        let numbered = (2_usize..).map(|n| format!("{name}-{n}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !self.0.contains(name));
        let free = free.unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

/// Returns the name of a set: the common kind of its topics, or otherwise the destination.
pub(super) fn of_set<'a>(mut topics: impl Iterator<Item = &'a Topic>, destination: &str) -> String {
    let first = topics.next().map(family).unwrap_or_default();
    let alike = !first.is_empty() && topics.all(|topic| family(topic) == first);
    tidy(if alike { &first } else { destination }, "set")
}

/// Returns the kind of a topic: `orders` for `orders/create`.
fn family(topic: &Topic) -> String {
    topic.as_str().split(['/', '.']).next().unwrap_or_default().to_lowercase()
}

/// Returns the name of an address: the start of the id for an Adobe inlet, otherwise the host.
pub(super) fn of_address(address: &Address) -> String {
    let text = address.as_str();
    let last = |separator: char| text.rsplit(separator).next().unwrap_or_default();
    let name = match address.kind() {
        AddressKind::PubSub => format!("pubsub-{}", last(':')),
        AddressKind::EventBridge => format!("eventbridge-{}", last('/')),
        AddressKind::Https | AddressKind::Other => {
            let url = address.url();
            let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or("endpoint");
            let id = url.as_ref().and_then(|url| url.path().strip_prefix("/collection/")).and_then(|id| id.get(..8));
            match id.filter(|id| id.bytes().all(|c| c.is_ascii_hexdigit())) {
                Some(id) if host.ends_with(".adobedc.net") => format!("dcs-{id}"),
                _ => host.to_owned(),
            }
        }
    };
    tidy(&name, "endpoint")
}

/// Returns a valid name of a manifest: letters, digits, `_`, `-` and `.`.
fn tidy(text: &str, otherwise: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' };
    let name: String = text.chars().map(letter).take(LONGEST).collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_named_after_their_address() {
        let id = "5e331f99e157309c495d985a4be804410e7b869f6b067c0d5d5ec958c2aaeb85";
        for (address, name) in [
            (format!("https://dcs.adobedc.net/collection/{id}?x-adobe-flow-id=1"), "dcs-5e331f99"),
            ("https://dcs.adobedc.net/collection/é".into(), "dcs.adobedc.net"),
            ("https://billing.example/shopify".into(), "billing.example"),
            ("pubsub://my-project:orders%25x".into(), "pubsub-orders-25x"),
            ("arn:aws:events:eu-west-1::event-source/aws.partner/shopify.com/1/shop ø".into(), "eventbridge-shop"),
            ("kafka://x".into(), "endpoint"),
        ] {
            assert_eq!(of_address(&Address::new(&address)), name);
        }
        let mut names = Names::default();
        assert!(names.take("a-2") && !names.take("a-2"));
        assert_eq!([names.unique("a"), names.unique("a"), names.unique("a")], ["a", "a-3", "a-4"]);
    }

    #[test]
    fn sets_are_named_after_their_topics() {
        let topics = |list: &[&str]| list.iter().map(|t| Topic::from_slash(t)).collect::<Vec<_>>();
        let name = |list: &[&str]| of_set(topics(list).iter(), "commerce");
        assert_eq!(name(&["orders/create", "orders/updated"]), "orders");
        assert_eq!(name(&["customer.tags_added"]), "customer");
        assert_eq!(name(&["orders/create", "products/create"]), "commerce");
    }
}
