//! The topic catalogue: every known webhook topic, the scopes that allow it, and its special rules.
//!
//! Data: `catalog/topics.tsv`, from Shopify's published Admin API schemas 2025-10 to unstable (2026-11), the live
//! topic enum of a development store (2026-04, 2026-07) and the webhook documentation. Scope alternatives are those
//! that the descriptions in the schema state; if a description states none, Hookwright assumes none. CONTRIBUTING.md
//! explains how to update the catalogue.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use strsim::damerau_levenshtein;

use crate::model::{ApiVersion, Scope, ScopeSet, Topic};

/// One topic of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct TopicInfo {
    /// Slash form, `orders/create`; four topics have a dot instead.
    pub name: &'static str,
    /// Alternative (read) scopes, each of which allows the topic; empty if none is stated.
    scopes: &'static str,
    since: &'static str,
    until: &'static str,
    traits: &'static str,
    /// A note in one clause; may be empty.
    pub note: &'static str,
}

impl TopicInfo {
    /// Returns the GraphQL enum name.
    pub fn graphql(&self) -> String {
        Topic::from_slash(self.name).graphql().to_owned()
    }

    /// Returns the alternative scopes, each of which allows the topic; empty if none is stated.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.scopes.split_whitespace()
    }

    /// Returns the first version that has the topic, if it is later than the oldest checked one (2025-10).
    pub fn since(&self) -> Option<&'static str> {
        (!self.since.is_empty()).then_some(self.since)
    }

    /// Returns the last version that has the topic, if a later one does not have it.
    pub fn until(&self) -> Option<&'static str> {
        (!self.until.is_empty()).then_some(self.until)
    }

    /// Whether the published schema of `version` has the topic.
    pub fn known_in(&self, version: &ApiVersion) -> bool {
        // `unstable` sorts after every date, so the order of strings is the order of versions.
        let version = version.as_str();
        !self.is_undocumented() && self.since <= version && self.until().is_none_or(|until| version <= until)
    }

    /// Whether it is a compliance topic, which cannot be subscribed to through the Admin API.
    pub fn is_compliance(&self) -> bool {
        self.has("compliance")
    }

    /// Whether the topic was observed in a live topic enum, but is in no published schema.
    pub fn is_undocumented(&self) -> bool {
        self.has("undocumented")
    }

    /// Whether the topic requires a filter `type:<definition type>`.
    pub fn needs_type_filter(&self) -> bool {
        self.has("type_filter")
    }

    /// Whether Shopify delivers the topic only to Pub/Sub and EventBridge.
    pub fn is_cloud_only(&self) -> bool {
        self.has("cloud_only")
    }

    /// Whether Shopify rejects XML for the topic (recorded for `returns/approve`; Shopify does not publish the full
    /// list).
    pub fn is_json_only(&self) -> bool {
        self.has("json_only")
    }

    /// Returns the corresponding Next Gen event, if it is known.
    pub fn event(&self) -> Option<Event> {
        event_of(&Topic::from_slash(self.name)).filter(|event| event.action.is_some())
    }

    fn has(&self, flag: &str) -> bool {
        self.traits.split_whitespace().any(|t| t == flag)
    }
}

/// The data, which is edited by hand and by `.ci/update-catalogue`.
const DATA: &str = include_str!("catalog/topics.tsv");

/// The release candidate of the Admin API, from the head of the data.
static CANDIDATE: LazyLock<&str> =
    LazyLock::new(|| DATA.lines().find_map(|line| line.strip_prefix("# candidate: ")).unwrap_or_default());

static TOPICS: LazyLock<Vec<TopicInfo>> = LazyLock::new(|| {
    let rows = DATA.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let mut cells = row.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        TopicInfo { name: cell(), scopes: cell(), since: cell(), until: cell(), traits: cell(), note: cell() }
    })
    .collect()
});

static BY_GRAPHQL: LazyLock<HashMap<String, &'static TopicInfo>> =
    LazyLock::new(|| TOPICS.iter().map(|info| (info.graphql(), info)).collect());

/// The Next Gen event that corresponds to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The resource, such as `Product`.
    pub topic: &'static str,
    /// `create`, `update` or `delete`; `None` if the topic reports another event of the resource.
    pub action: Option<&'static str>,
}

/// The first words of topics with the corresponding event resources. Shopify publishes no such list: these are the
/// resources that its documentation names for events, with the topics of the same name.
const EVENT_TOPICS: [(&str, &str); 6] = [
    ("products", "Product"),
    ("customers", "Customer"),
    ("orders", "Order"),
    ("collections", "Collection"),
    ("locations", "Location"),
    ("metaobjects", "Metaobject"),
];

/// Returns the Next Gen event that corresponds to `topic`, if its resource is known to have events.
pub(crate) fn event_of(topic: &Topic) -> Option<Event> {
    let (area, verb) = topic.as_str().split_once('/')?;
    let (_, topic) = EVENT_TOPICS.iter().find(|(known, _)| *known == area)?;
    let action = match verb {
        "create" => Some("create"),
        "update" | "updated" => Some("update"),
        "delete" => Some("delete"),
        _ => None,
    };
    Some(Event { topic, action })
}

/// Whether the webhook topics of the resource of an event are known.
pub(crate) fn has_events(topic: &str) -> bool {
    EVENT_TOPICS.iter().any(|(_, known)| *known == topic)
}

/// Returns every topic, sorted by name.
pub(crate) fn all() -> &'static [TopicInfo] {
    &TOPICS
}

/// Whether the topics of `version` are known: it is not newer than the newest checked version, and not `unstable`,
/// which changes every day.
pub(crate) fn knows_version(version: &ApiVersion) -> bool {
    // `unstable` sorts after every date.
    version.as_str() <= ApiVersion::DEFAULT
}

/// Whether the version is known to exist. The release candidate exists, but its topics are not known.
pub(crate) fn has_version(version: &ApiVersion) -> bool {
    knows_version(version) || version.as_str() == *CANDIDATE || version.as_str() == "unstable"
}

/// Returns the entry of `topic`, if it is in the catalogue.
pub(crate) fn lookup(topic: &Topic) -> Option<&'static TopicInfo> {
    BY_GRAPHQL.get(topic.graphql()).copied()
}

/// Returns the topic of a GraphQL enum name: in slash form if it is in the catalogue, otherwise with its GraphQL name.
pub(crate) fn from_graphql(name: &str) -> Topic {
    BY_GRAPHQL.get(name).map_or_else(|| Topic::from_slash(name), |info| Topic::from_slash(info.name))
}

/// Returns the scopes of which `topic` needs one, if `granted` contains none of them.
pub(crate) fn missing_scopes(topic: &Topic, granted: &ScopeSet) -> Option<Vec<&'static str>> {
    let info = lookup(topic)?;
    (!granted.grants_any_of(info.scopes())).then(|| info.scopes().collect())
}

/// The resources of other scopes, `read_…` and `write_…` of each, from public lists of scopes that apps request (2026).
/// Shopify adds scopes, so the list is never complete.
const OTHER_RESOURCES: &str = "all_cart_transforms all_orders analytics app_proxy apps bulk_operations bundles \
    cart_transforms cash_tracking channels checkout_branding_settings checkouts custom_fulfillment_services custom_pixels \
    customer_data_erasure customer_events customer_tags delivery_customizations delivery_option_generators \
    discounts_allocator_functions discovery files fulfillment_constraint_rules gates gdpr_data_request \
    gift_card_transactions gift_cards legal_policies marketing_integrated_campaigns markets_home metaobject_definitions \
    online_store_navigation online_store_pages order_edits packing_slip_templates payment_customizations payment_mandate \
    payment_notifications pixels price_rules privacy_settings product_feeds product_inventory product_pickup_locations \
    product_tags purchase_options quick_sale reports resource_feedbacks rollouts script_tags selling_plans \
    shop_pay_installments_pricing shopify_credit shopify_payments_accounts shopify_payments_bank_accounts \
    shopify_payments_payouts shopify_payments_provider_accounts_sensitive store_credit_account_transactions \
    store_credit_accounts theme_code translations users validations";

static RESOURCES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let needed = TOPICS.iter().flat_map(TopicInfo::scopes).filter_map(|scope| scope.strip_prefix("read_"));
    needed.chain(OTHER_RESOURCES.split_whitespace()).collect()
});

/// Returns the scope that was probably meant by an unknown one. `None` for a known scope, and for one that resembles
/// no known scope, because the list is not complete.
pub(crate) fn meant_scope(scope: &Scope) -> Option<Scope> {
    let (action, resource) = scope.parts();
    if RESOURCES.contains(resource) {
        return None;
    }
    // One typing error is allowed, in long names two. With more, a new scope would be taken for a known one.
    let allowed = if resource.len() < 10 { 1 } else { 2 };
    let near = RESOURCES.iter().map(|known| (damerau_levenshtein(resource, known), known));
    let (_, meant) = near.filter(|(distance, _)| *distance <= allowed).min()?;
    Scope::parse(&format!("{action}{meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_the_catalogue_is_the_default_and_the_candidate_is_the_next_one() {
        let newest = DATA.lines().find_map(|line| line.strip_prefix("# newest: "));
        assert_eq!(newest, Some(ApiVersion::DEFAULT), "src/model/version.rs and the catalogue differ");
        let candidate = ApiVersion::parse(*CANDIDATE).expect("a version");
        assert!(candidate > ApiVersion::default() && candidate.as_str() != "unstable");
    }

    #[test]
    fn the_catalogue_is_complete_and_sorted_and_its_names_are_unambiguous() {
        assert!(all().windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(all().len() >= 233, "topics are never removed");
        assert_eq!(BY_GRAPHQL.len(), all().len());
        for info in all() {
            assert!(info.scopes().all(|s| crate::model::Scope::parse(s).is_some()), "{}", info.name);
            assert!(info.until.is_empty() || ApiVersion::parse(info.until).is_ok(), "{}", info.name);
            assert!(info.traits.split_whitespace().all(|t| {
                ["compliance", "undocumented", "type_filter", "cloud_only", "api_only", "json_only"].contains(&t)
            }));
        }
    }

    #[test]
    fn topics_with_ambiguous_underscores_have_their_slash_form() {
        for (graphql, slash) in [
            ("CUSTOMER_PAYMENT_METHODS_CREATE", "customer_payment_methods/create"),
            ("FULFILLMENT_ORDERS_LINE_ITEMS_PREPARED_FOR_PICKUP", "fulfillment_orders/line_items_prepared_for_pickup"),
            ("CUSTOMER_TAGS_ADDED", "customer.tags_added"),
            ("BRAND_NEW_THING", "BRAND_NEW_THING"),
        ] {
            assert_eq!(from_graphql(graphql).as_str(), slash);
            assert_eq!(from_graphql(graphql).graphql(), graphql);
        }
    }

    #[test]
    fn a_scope_with_a_typing_error_is_recognised_and_an_unrelated_one_is_not() {
        let meant = |text: &str| meant_scope(&Scope::parse(text).expect(text)).map(|scope| scope.to_string());
        for (written, expected) in [
            ("read_order", Some("read_orders")),
            ("write_prodcuts", Some("write_products")),
            ("read_customer", Some("read_customers")),
            ("read_fulfilment", Some("read_fulfillments")),
            ("unauthenticated_read_checkout", Some("unauthenticated_read_checkouts")),
            ("read_orders", None),
            ("read_all_orders", None),
            ("read_order_edits", None),
            ("write_returns", None),
            ("read_files", None),
            // It resembles no known scope, so it may be new.
            ("read_webhooks", None),
            ("read_orders_v2", None),
        ] {
            assert_eq!(meant(written).as_deref(), expected, "{written}");
        }
        // A known scope, or a scope that a topic needs, is never taken for another.
        assert!(RESOURCES.iter().all(|resource| meant(&format!("read_{resource}")).is_none()));
    }

    #[test]
    fn six_resources_have_events_for_create_update_and_delete() {
        let pairs = all().iter().filter_map(|info| Some((info.name, info.event()?)));
        let pairs: Vec<String> =
            pairs.map(|(name, event)| format!("{name} {} {}", event.topic, event.action.unwrap_or_default())).collect();
        assert_eq!(pairs.len(), 18, "{pairs:#?}");
        for pair in
            ["orders/updated Order update", "products/update Product update", "locations/delete Location delete"]
        {
            assert!(pairs.iter().any(|known| known == pair), "{pair} is not in {pairs:#?}");
        }
        let of = |topic: &str| event_of(&Topic::from_slash(topic));
        assert_eq!(of("orders/paid"), Some(Event { topic: "Order", action: None }));
        assert_eq!([of("product_listings/update"), of("customer.tags_added"), of("app/uninstalled")], [None; 3]);
    }

    #[test]
    fn topics_are_known_only_in_their_versions() {
        let at = |v| ApiVersion::parse(v).expect("version");
        let info = |t| lookup(&Topic::from_slash(t)).expect("topic");
        assert!(info("orders/create").known_in(&at("2026-04")));
        assert!(!info("inventory_transfers/updated").known_in(&at("2026-04")));
        assert!(info("inventory_transfers/updated").known_in(&at("2026-07")));
        assert!(!info("variants/delete").known_in(&at("2026-10")) && info("variants/delete").known_in(&at("unstable")));
        assert!(!info("publications/delete").known_in(&at("unstable")));
        let gone = TopicInfo { name: "a/b", scopes: "", since: "2026-01", until: "2026-07", traits: "", note: "" };
        let known = ["2025-10", "2026-01", "2026-07", "2026-10", "unstable"].map(|version| gone.known_in(&at(version)));
        assert_eq!(known, [false, true, true, false, false]);
        assert!(has_version(&at("2027-01")) && !knows_version(&at("2027-01")), "the candidate's topics are not known");
        assert!(!has_version(&at("2027-04")) && has_version(&at("unstable")));
    }
}
