//! The fleet of the benchmark: shops, manifest and live subscriptions.
//!
//! The manifest, the fake and the bare client use the same definitions, so that they need no communication.

use std::fmt::Write as _;

/// The address of every binding.
pub const ADDRESS: &str =
    "https://dcs.adobedc.net/collection/5e331f99e157309c495d985a4be804410e7b869f6b067c0d5d5ec958c2aaeb85";

/// The topics of the manifests. The last one is in no manifest; it is live in shops with drift.
pub const TOPICS: [&str; 21] = [
    "carts/create",
    "carts/update",
    "checkouts/create",
    "checkouts/delete",
    "checkouts/update",
    "collections/create",
    "collections/delete",
    "collections/update",
    "customers/create",
    "customers/delete",
    "customers/disable",
    "customers/enable",
    "customers/update",
    "orders/delete",
    "products/create",
    "products/delete",
    "products/update",
    "selling_plan_groups/create",
    "selling_plan_groups/delete",
    "tender_transactions/create",
    "variants/in_stock",
];

/// The scopes that every shop has granted. They cover every topic.
pub const SCOPES: [&str; 3] = ["read_orders", "read_products", "read_customers"];

/// The live subscriptions before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Those of the manifest.
    Full,
    /// None.
    Empty,
    /// Every third shop differs by one create, two updates and one delete. The others match the manifest.
    Drift,
}

impl Live {
    pub fn parse(text: &str) -> Self {
        match text {
            "empty" => Self::Empty,
            "drift" => Self::Drift,
            _ => Self::Full,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Empty => "empty",
            Self::Drift => "drift",
        }
    }

    /// Returns whether shop `n` needs a mutation.
    pub fn differs(self, n: usize) -> bool {
        match self {
            Self::Full => false,
            Self::Empty => true,
            Self::Drift => n.is_multiple_of(3),
        }
    }
}

/// A subscription before a run: the index of its topic, which is also its id, and whether it has a field list that the
/// manifest does not contain.
pub struct Seed {
    pub topic: usize,
    pub trimmed: bool,
}

/// Returns the live subscriptions of shop `n`.
pub fn seeds(live: Live, n: usize, bindings: usize) -> Vec<Seed> {
    let whole = |topic| Seed { topic, trimmed: false };
    match live {
        Live::Empty => Vec::new(),
        Live::Drift if live.differs(n) => {
            let kept = (1..bindings).map(|topic| Seed { topic, trimmed: topic <= 2 });
            kept.chain([whole(TOPICS.len() - 1)]).collect()
        }
        Live::Full | Live::Drift => (0..bindings).map(whole).collect(),
    }
}

/// Returns the id of an initial subscription.
pub fn id(n: usize, topic: usize) -> usize {
    1_000_000 + n * 100 + topic
}

pub fn graphql_topic(topic: usize) -> String {
    TOPICS[topic].replace('/', "_").to_ascii_uppercase()
}

pub fn handle(n: usize) -> String {
    format!("shop-{n:06}")
}

/// Returns the number of a shop from its domain.
pub fn number(domain: &str) -> Option<usize> {
    domain.strip_prefix("shop-")?.split('.').next()?.parse().ok()
}

/// Returns the manifest: one binding set that every shop uses.
pub fn manifest(shops: usize, bindings: usize) -> String {
    manifest_with(shops, bindings, |_| "")
}

/// Returns the same manifest with additional settings of shops.
pub fn manifest_with(shops: usize, bindings: usize, own: impl Fn(usize) -> &'static str) -> String {
    let topics = TOPICS[..bindings].join(", ");
    let mut text = format!(
        "version: 1\nauth: {{ access_token: {{ env: BENCH_TOKEN }} }}\ndestinations:\n  commerce: {ADDRESS}\n\
         binding_sets:\n  all:\n    - {{ topics: [{topics}], destination: commerce }}\nshops:\n"
    );
    for n in 0..shops {
        let _ = writeln!(text, "  - {{ shop: {}, use: [all]{} }}", handle(n), own(n));
    }
    text
}
