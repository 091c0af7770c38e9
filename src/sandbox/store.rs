//! The shops with their subscriptions. Pure: times are passed in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::model::{Format, Scope, ScopeSet, ShopDomain, Topic};

use super::adobe::Adobe;
use super::oauth::{App, Category, Grants, Invalidation, NonExpiring, TokenIssuer};
use super::rules::{self, Attribute, Violation};
use super::subscription::{self, Input, Metafield, Subscription};

/// The version of the payloads. It is a setting of the app, independent of the version of the request (recorded).
pub(super) const PAYLOAD_VERSION: &str = "2026-10";
/// The number of the app that the seed describes.
pub(super) const FIRST_APP: u64 = 347_000_000_001;
const FIRST_ID: u64 = 1_000_000_000_001;
/// The ids of different shops never overlap, so that a mix-up of shops is detected.
const IDS_PER_SHOP: u64 = 1_000_000;

/// All shops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct World {
    pub(super) shops: BTreeMap<ShopDomain, StoredShop>,
    /// The app that OAuth knows.
    #[serde(default, skip_serializing_if = "App::is_default")]
    pub(super) app: App,
    /// Adobe's side.
    #[serde(default, skip_serializing_if = "Adobe::is_default")]
    pub(super) adobe: Adobe,
    /// Number of shops that were ever created. The next shop gets the next number.
    numbered: u64,
}

/// A shop as the app sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredShop {
    /// The granted scopes.
    pub(super) scopes: Vec<String>,
    pub(super) status: ShopStatus,
    /// The only accepted token; `None` accepts any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    pub(super) api_client_id: u64,
    pub(super) bucket: BucketSize,
    /// Its own domains, to which it delivers nothing. Empty in a state of an older version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) domains: Vec<String>,
    /// The number of the shop.
    pub(super) number: u64,
    next_id: u64,
    /// By id; a list in JSON.
    #[serde(with = "subscription::by_id")]
    pub(super) subscriptions: BTreeMap<u64, Subscription>,
    #[serde(default, skip_serializing_if = "Policy::is_default")]
    pub(super) policy: Policy,
    /// Codes and tokens that OAuth issued.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub(super) grants: Grants,
}

/// How a shop treats tokens and token requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Policy {
    /// Only tokens that OAuth issued are accepted.
    pub(super) require_oauth: bool,
    /// `None` is the setting of the app.
    pub(super) non_expiring: Option<NonExpiring>,
    /// The category of the app that is installed here; `None` is the setting of the app.
    pub(super) category: Option<Category>,
    /// The shop belongs to another organization than the app, so client credentials are refused.
    pub(super) foreign_organization: bool,
}

impl Policy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How a shop answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ShopStatus {
    /// Answers normally.
    #[default]
    Ok,
    /// 401
    TokenRefused,
    /// 402, "Unavailable Shop"
    Frozen,
    /// 402, feature not in the plan
    PaymentRequired,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 423
    Locked,
    /// 401: over the Admin API an uninstalled app looks like a bad token.
    Uninstalled,
}

/// Size and refill rate of the GraphQL bucket of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BucketSize {
    /// Points of a full bucket.
    pub(super) max: u32,
    /// Points per second.
    pub(super) restore: u32,
}

impl Default for BucketSize {
    fn default() -> Self {
        Self { max: 2000, restore: 100 }
    }
}

impl World {
    /// Returns the shop. A missing shop is created without subscriptions.
    pub(super) fn shop_mut(&mut self, shop: &ShopDomain) -> &mut StoredShop {
        let numbered = &mut self.numbered;
        self.shops.entry(shop.clone()).or_insert_with(|| {
            *numbered += 1;
            let number = *numbered;
            StoredShop {
                scopes: Vec::new(),
                status: ShopStatus::Ok,
                token: None,
                api_client_id: FIRST_APP,
                bucket: BucketSize::default(),
                domains: vec![shop.to_string(), format!("{}.account.myshopify.com", shop.handle())],
                number,
                next_id: FIRST_ID + number * IDS_PER_SHOP,
                subscriptions: BTreeMap::new(),
                policy: Policy::default(),
                grants: Grants::default(),
            }
        })
    }

    pub(super) fn subscription_count(&self) -> usize {
        self.shops.values().map(|shop| shop.subscriptions.len()).sum()
    }
}

impl StoredShop {
    /// The scopes as Shopify lists them: a write scope includes its read scope.
    pub(super) fn scope_handles(&self) -> Vec<String> {
        let mut handles: Vec<String> = self.scopes.clone();
        let implied = self.scopes.iter().filter_map(|s| Scope::observed(s).implied());
        handles.extend(implied.map(|s| s.as_str().to_owned()));
        handles.sort();
        handles.dedup();
        handles
    }

    /// Whether the granted scopes allow the topic.
    pub(super) fn may_subscribe(&self, topic: &str) -> bool {
        let granted: ScopeSet = self.scopes.iter().map(|s| Scope::observed(s)).collect();
        catalog::missing_scopes(&Topic::from_slash(topic), &granted).is_none()
    }

    /// Whether the shop accepts a token that OAuth did not issue.
    pub(super) fn accepts_unissued(&self, given: &str, issuer: &TokenIssuer<'_>) -> bool {
        let fits = self.token.as_ref().is_none_or(|token| token == given);
        fits && !self.policy.require_oauth && !issuer.issued(given)
    }

    /// How the app that is installed here is distributed.
    pub(super) fn category(&self, app: &App) -> Category {
        self.policy.category.unwrap_or(app.category)
    }

    /// The subscriptions by creation time, then id.
    pub(super) fn by_creation(&self) -> Vec<&Subscription> {
        let mut all: Vec<_> = self.subscriptions.values().collect();
        all.sort_by(|a, b| (&a.created_at, a.id).cmp(&(&b.created_at, b.id)));
        all
    }

    /// Creates a subscription and returns its id. `at` is the time, RFC 3339.
    pub(super) fn create(&mut self, topic: &str, input: Input, at: &str) -> Result<u64, Vec<Violation>> {
        let wanted = self.draft(topic, input, at);
        self.check(&wanted)?;
        let id = wanted.id;
        self.put(wanted);
        Ok(id)
    }

    /// Builds a subscription with the next id, without checks and without adding it.
    pub(super) fn draft(&self, topic: &str, input: Input, at: &str) -> Subscription {
        let mut wanted = Subscription {
            id: self.next_free_id(),
            topic: topic.to_owned(),
            uri: String::new(),
            format: Format::Json,
            filter: None,
            include_fields: Vec::new(),
            metafield_namespaces: Vec::new(),
            metafields: Vec::new(),
            name: None,
            created_at: at.to_owned(),
            updated_at: at.to_owned(),
            api_version: PAYLOAD_VERSION.to_owned(),
        };
        self.fill(&mut wanted, input);
        wanted
    }

    /// Changes the fields that `input` has, or nothing if a rule is violated.
    pub(super) fn update(&mut self, id: u64, input: Input, at: &str) -> Result<(), Vec<Violation>> {
        let current = self.subscriptions.get(&id).ok_or_else(|| vec![Violation::missing()])?;
        let mut wanted = Subscription { updated_at: at.to_owned(), ..current.clone() };
        self.fill(&mut wanted, input);
        self.check(&wanted)?;
        self.subscriptions.insert(id, wanted);
        Ok(())
    }

    /// Removes a subscription.
    pub(super) fn delete(&mut self, id: u64) -> Result<(), Vec<Violation>> {
        self.subscriptions.remove(&id).map(drop).ok_or_else(|| vec![Violation::missing()])
    }

    /// Adds a subscription of a journal or a seed, without checks.
    pub(super) fn put(&mut self, subscription: Subscription) {
        // Only an id of this shop's range advances its sequence.
        if (self.next_id..FIRST_ID + (self.number + 1) * IDS_PER_SHOP).contains(&subscription.id) {
            self.next_id = subscription.id + 1;
        }
        self.subscriptions.insert(subscription.id, subscription);
    }

    /// Sets the status. An uninstall removes the subscriptions and the access of the app, as with Shopify.
    pub(super) fn set_status(&mut self, status: ShopStatus) {
        self.status = status;
        if status == ShopStatus::Uninstalled {
            self.subscriptions.clear();
            self.grants.invalidate(Invalidation::Revoke);
        }
    }

    fn next_free_id(&self) -> u64 {
        let mut id = self.next_id;
        while self.subscriptions.contains_key(&id) {
            id += 1;
        }
        id
    }

    fn check(&self, wanted: &Subscription) -> Result<(), Vec<Violation>> {
        if !self.may_subscribe(&wanted.topic) {
            let message = "You cannot create a webhook subscription with the specified topic";
            return Err(vec![Violation::new(Attribute::Topic, message)]);
        }
        let others = self.subscriptions.values().filter(|other| other.id != wanted.id);
        let violations = rules::check(wanted, self, &others);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    fn fill(&self, subscription: &mut Subscription, input: Input) {
        // Every field is named, so that a new field does not compile until it is handled.
        let Input { uri, format, filter, include_fields, metafield_namespaces, metafields, name } = input;
        // `$app:NS` is recorded. `$app`, the default namespace of the app, is documented.
        let resolve = |namespace: String| match namespace.strip_prefix("$app") {
            Some("") => format!("app--{}", self.api_client_id),
            Some(own) if own.starts_with(':') => format!("app--{}--{}", self.api_client_id, &own[1..]),
            _ => namespace,
        };
        if let Some(uri) = uri {
            uri.trim().clone_into(&mut subscription.uri);
        }
        if let Some(format) = format {
            subscription.format = format;
        }
        if let Some(filter) = filter {
            subscription.filter = filter;
        }
        if let Some(fields) = include_fields {
            subscription.include_fields = fields;
        }
        if let Some(namespaces) = metafield_namespaces {
            subscription.metafield_namespaces = namespaces.into_iter().map(resolve).collect();
        }
        if let Some(metafields) = metafields {
            subscription.metafields =
                metafields.into_iter().map(|m| Metafield { namespace: resolve(m.namespace), key: m.key }).collect();
        }
        if let Some(name) = name {
            subscription.name = Some(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-02-03T04:05:06Z";

    fn shop() -> StoredShop {
        let mut world = World::default();
        let shop = world.shop_mut(&ShopDomain::parse("acme").expect("domain"));
        shop.scopes = vec!["write_orders".into()];
        shop.clone()
    }

    fn to(uri: &str) -> Input {
        Input { uri: Some(uri.into()), ..Input::default() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    fn texts(violations: Vec<Violation>) -> Vec<String> {
        violations.iter().map(Violation::full).collect()
    }

    #[test]
    fn topic_address_format_and_filter_are_unique() {
        let mut shop = shop();
        let first = shop.create("ORDERS_CREATE", to("  https://a.example/x "), AT).expect("first");
        assert_eq!(shop.subscriptions[&first].uri, "https://a.example/x");
        let empty = Input { filter: Some(Some(String::new())), ..to("https://a.example/x") };
        assert_eq!(
            shop.create("ORDERS_CREATE", empty, AT).map_err(texts),
            Err(vec!["Address for this topic has already been taken".to_owned()])
        );
        let xml = Input { format: Some(Format::Xml), ..to("https://a.example/x") };
        let filtered = Input { filter: Some(Some("a:1".into())), ..to("https://a.example/x") };
        let second = shop.create("ORDERS_CREATE", xml, AT).expect("another format");
        assert!(shop.create("ORDERS_CREATE", filtered, AT).expect("another filter") > second && second > first);
    }

    #[test]
    fn an_update_changes_the_given_fields_and_a_refused_one_changes_nothing() {
        let mut shop = shop();
        let input = Input {
            filter: Some(Some("a:1".into())),
            include_fields: Some(vec!["id".into()]),
            metafield_namespaces: Some(vec!["$app:Own".into(), "$app".into(), "$apps".into()]),
            name: Some("One".into()),
            ..to("https://a.example/x")
        };
        let id = shop.create("ORDERS_CREATE", input, AT).expect("create");
        let before = shop.subscriptions[&id].clone();
        assert_eq!(before.metafield_namespaces, ["app--347000000001--Own", "app--347000000001", "$apps"]);

        let refused = Input { name: Some("a b".into()), ..to("http://a.example") };
        assert_eq!(
            shop.update(id, refused, AT).map_err(texts),
            Err(vec![
                "Address protocol http:// is not supported".to_owned(),
                "Name name field can only contain alphanumeric characters, underscores, and hyphens".to_owned(),
            ])
        );
        assert_eq!(shop.subscriptions[&id], before);

        shop.update(id, to("https://b.example/y"), "2026-02-03T04:05:07Z").expect("update");
        let after = Subscription {
            uri: "https://b.example/y".into(),
            updated_at: "2026-02-03T04:05:07Z".into(),
            ..before.clone()
        };
        assert_eq!(shop.subscriptions[&id], after);
    }

    #[test]
    fn a_topic_without_its_scope_is_refused_also_on_update() {
        let mut shop = shop();
        let id = shop.create("ORDERS_CREATE", to("https://a.example/x"), AT).expect("create");
        let refused = Err(vec!["You cannot create a webhook subscription with the specified topic".to_owned()]);
        assert_eq!(shop.create("CUSTOMERS_UPDATE", to("https://a.example/x"), AT).map_err(texts), refused);
        shop.scopes.clear();
        assert_eq!(shop.update(id, to("https://b.example/"), AT).map_err(texts).map(|()| 0), refused);
        assert_eq!(shop.delete(id), Ok(()));
        assert_eq!(shop.delete(id).map_err(texts), Err(vec!["Webhook subscription does not exist".to_owned()]));
    }

    #[test]
    fn names_are_unique_ignoring_case() {
        let mut shop = shop();
        let named = |name: &str, uri: &str| Input { name: Some(name.into()), ..to(uri) };
        let id = shop.create("ORDERS_CREATE", named("Hook", "https://a.example/1"), AT).expect("create");
        assert_eq!(
            shop.create("ORDERS_CREATE", named("hOOK", "https://a.example/2"), AT).map_err(texts),
            Err(vec!["Name already exists, no duplicate allowed".to_owned()])
        );
        shop.update(id, named("hook", "https://a.example/3"), AT).expect("own name");
    }
}
