//! Edits: changes that other code of the app, a merchant or Shopify would make. They cause drift.

use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::model::{Format, Scope, ShopDomain};

use super::adobe::{self, InletEdit};
use super::error::SandboxError;
use super::oauth::{Invalidation, Jwk};
use super::rules::Violation;
use super::store::{ShopStatus, StoredShop, World};
use super::subscription::{Input, Subscription};
use super::{objects, seed, suggest};

/// An edit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Edit {
    /// Lists the state and changes nothing.
    List {
        /// Only this shop.
        shop: Option<String>,
    },
    /// Adds a subscription.
    Add {
        /// Handle or domain of the shop.
        shop: String,
        /// The topic, in either spelling.
        topic: String,
        /// `key=value`, as in `Set`. `address` is required.
        fields: Vec<String>,
    },
    /// Changes fields of a subscription.
    Set {
        /// Handle or domain of the shop.
        shop: String,
        /// The number or the global id of the subscription.
        id: String,
        /// `key=value`. The items of a list are separated by commas.
        fields: Vec<String>,
    },
    /// Removes one subscription or all subscriptions of a topic.
    Remove {
        /// Handle or domain of the shop.
        shop: String,
        /// The number or the global id of the subscription.
        id: Option<String>,
        /// The topic, in either spelling.
        topic: Option<String>,
    },
    /// Sets the status of a shop.
    Status {
        /// Handle or domain of the shop.
        shop: String,
        /// The status.
        status: ShopStatus,
    },
    /// Sets the granted scopes.
    Scopes {
        /// Handle or domain of the shop.
        shop: String,
        /// All granted scopes.
        scopes: Vec<String>,
    },
    /// Sets the only accepted token. An empty token accepts any.
    Token {
        /// Handle or domain of the shop.
        shop: String,
        /// The token.
        token: String,
    },
    /// Changes a dataflow or a connection at Adobe.
    Inlet(InletEdit),
    /// Registers a public key of the app. It replaces the key with the same id.
    Key {
        /// The key, with its id.
        jwk: Jwk,
    },
    /// Removes a public key of the app.
    RemoveKey {
        /// The id of the key.
        key_id: String,
    },
    /// Invalidates codes and tokens that OAuth issued.
    Tokens {
        /// Handle or domain of the shop.
        shop: String,
        /// Which of them.
        end: Invalidation,
    },
}

impl FromStr for ShopStatus {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = "ok, token_refused, frozen, payment_required, forbidden, not_found, locked, uninstalled";
        serde_json::from_value(text.into())
            .map_err(|_| format!("unknown status{}; expected one of {all}", suggest(text, all.split(", "))))
    }
}

/// Parses `90s`, `10m`, `2h` or `30d` to milliseconds.
pub(crate) fn age(text: &str) -> Option<i64> {
    adobe::age(text)
}

/// Carries out `edit` at the time `at`, RFC 3339, and returns a message about it.
pub(super) fn apply(world: &mut World, edit: &Edit, at: &str) -> Result<String, SandboxError> {
    match edit {
        Edit::List { shop } => list(world, shop.as_deref()),
        Edit::Inlet(edit) => {
            let now = at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond);
            world.adobe.edit(edit, now)
        }
        Edit::Add { shop, topic, fields } => {
            let topic = seed::topic(topic).map_err(SandboxError::Edit)?;
            let (domain, shop) = find(world, shop)?;
            let id = shop.create(&topic, input(fields)?, at).map_err(refused)?;
            Ok(format!("{domain}: added {}", line(&shop.subscriptions[&id])))
        }
        Edit::Set { shop, id, fields } => {
            let (domain, shop) = find(world, shop)?;
            let id = known(&domain, shop, id)?;
            shop.update(id, input(fields)?, at).map_err(refused)?;
            Ok(format!("{domain}: changed {}", line(&shop.subscriptions[&id])))
        }
        Edit::Remove { shop, id, topic } => {
            let (domain, shop) = find(world, shop)?;
            let ids: Vec<u64> = match (id, topic) {
                (Some(id), None) => vec![known(&domain, shop, id)?],
                (None, Some(topic)) => {
                    let topic = seed::topic(topic).map_err(SandboxError::Edit)?;
                    shop.subscriptions.values().filter(|s| s.topic == topic).map(|s| s.id).collect()
                }
                _ => return Err(SandboxError::Edit("an id or a topic is required".into())),
            };
            if ids.is_empty() {
                return Err(SandboxError::Edit(format!("{domain} has no subscription of this topic")));
            }
            let gone = ids.iter().filter_map(|id| shop.subscriptions.remove(id));
            let lines: Vec<_> = gone.map(|s| format!("{domain}: removed {}", line(&s))).collect();
            Ok(lines.join("\n"))
        }
        Edit::Status { shop, status } => {
            let (domain, shop) = find(world, shop)?;
            shop.set_status(*status);
            Ok(format!("{domain}: status {}", serde_json::json!(status).as_str().unwrap_or_default()))
        }
        Edit::Scopes { shop, scopes } => {
            let misspelt = scopes.iter().find_map(|scope| Some((scope, catalog::meant_scope(&Scope::parse(scope)?)?)));
            if let Some((scope, meant)) = misspelt {
                return Err(SandboxError::Edit(format!("unknown scope `{scope}`; did you mean `{meant}`?")));
            }
            let (domain, shop) = find(world, shop)?;
            shop.scopes.clone_from(scopes);
            Ok(format!("{domain}: scopes {}", if scopes.is_empty() { "none".into() } else { scopes.join(", ") }))
        }
        Edit::Token { shop, token } => {
            let (domain, shop) = find(world, shop)?;
            shop.token = Some(token.clone()).filter(|token| !token.is_empty());
            let now = if shop.token.is_some() { "accepts only the given token" } else { "accepts any token" };
            Ok(format!("{domain}: {now}"))
        }
        Edit::Key { jwk } => {
            jwk.check().map_err(SandboxError::Edit)?;
            world.app.keys.retain(|key| key.kid != jwk.kid);
            world.app.keys.push(jwk.clone());
            Ok(format!("app {}: registered the key {}", world.app.client_id, jwk.id()))
        }
        Edit::RemoveKey { key_id } => {
            let before = world.app.keys.len();
            world.app.keys.retain(|key| key.id() != key_id);
            if world.app.keys.len() == before {
                let hint = suggest(key_id, world.app.keys.iter().map(Jwk::id));
                return Err(SandboxError::Edit(format!("key `{key_id}` not found{hint}")));
            }
            Ok(format!("app {}: removed the key {key_id}", world.app.client_id))
        }
        Edit::Tokens { shop, end } => {
            let (domain, shop) = find(world, shop)?;
            let what = match end {
                Invalidation::Revoke => "tokens and codes revoked",
                Invalidation::ExpireTokens => "access tokens expired; non-expiring tokens can only be revoked",
                Invalidation::ExpireRefreshTokens => "refresh tokens expired",
                Invalidation::ExpireCodes => "authorization codes expired",
            };
            Ok(format!("{domain}: {} {what}", shop.grants.invalidate(*end)))
        }
    }
}

/// Maximum number of shops in a message.
const LISTED: usize = 8;

fn find<'a>(world: &'a mut World, name: &str) -> Result<(ShopDomain, &'a mut StoredShop), SandboxError> {
    let domain = ShopDomain::parse(name).map_err(|error| SandboxError::Edit(format!("`{name}` is {error}")))?;
    let missing = || {
        let hint = suggest(domain.handle(), world.shops.keys().map(ShopDomain::handle));
        let some: Vec<&str> = world.shops.keys().take(LISTED).map(ShopDomain::handle).collect();
        let more = if world.shops.len() > LISTED { ", …" } else { "" };
        let hint = match (hint.is_empty(), some.is_empty()) {
            (false, _) => hint,
            (true, true) => "; the state has no shops".to_owned(),
            (true, false) => format!("; the state has {}{more}", some.join(", ")),
        };
        SandboxError::Edit(format!("shop {domain} not found in the sandbox{hint}"))
    };
    if !world.shops.contains_key(&domain) {
        return Err(missing());
    }
    let shop = world.shop_mut(&domain);
    Ok((domain, shop))
}

fn known(domain: &ShopDomain, shop: &StoredShop, id: &str) -> Result<u64, SandboxError> {
    let number = objects::number(id).or_else(|| id.parse().ok());
    number.filter(|id| shop.subscriptions.contains_key(id)).ok_or_else(|| {
        let list = "hookwright sandbox edit list --shop";
        SandboxError::Edit(format!(
            "subscription {id} not found in {domain}; list its subscriptions with `{list} {}`",
            domain.handle()
        ))
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(violations: Vec<Violation>) -> SandboxError {
    let texts: Vec<_> = violations.iter().map(Violation::full).collect();
    SandboxError::Edit(format!("Shopify would refuse this: {}", texts.join("; ")))
}

const KEYS: [&str; 7] = ["address", "format", "filter", "include_fields", "metafield_namespaces", "metafields", "name"];

fn input(fields: &[String]) -> Result<Input, SandboxError> {
    let mut input = Input::default();
    for field in fields {
        let wrong = |message: String| SandboxError::Edit(format!("`{field}`: {message}"));
        let (key, value) = field.split_once('=').ok_or_else(|| wrong("expected key=value".into()))?;
        let text = value.to_owned();
        let list = || -> Vec<String> {
            value.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()
        };
        match key {
            "address" => input.uri = Some(text),
            "format" => {
                let format = Format::parse(value).ok_or_else(|| wrong("expected `json` or `xml`".into()))?;
                input.format = Some(format);
            }
            "filter" => input.filter = Some(Some(text)),
            "include_fields" => input.include_fields = Some(list()),
            "metafield_namespaces" => input.metafield_namespaces = Some(list()),
            "metafields" => {
                let parsed: Option<_> = list().iter().map(|m| seed::metafield(m)).collect();
                input.metafields = Some(parsed.ok_or_else(|| wrong("expected `namespace.key`".into()))?);
            }
            "name" => input.name = Some(text),
            _ => {
                return Err(wrong(format!("unknown key{}; expected one of {}", suggest(key, KEYS), KEYS.join(", "))));
            }
        }
    }
    Ok(input)
}

fn list(world: &mut World, shop: Option<&str>) -> Result<String, SandboxError> {
    let only = shop.map(|name| find(world, name).map(|(domain, _)| domain)).transpose()?;
    let mut out = String::new();
    for (domain, shop) in world.shops.iter().filter(|(domain, _)| only.as_ref().is_none_or(|o| o == *domain)) {
        let status = serde_json::json!(shop.status);
        // Writes to a String cannot fail.
        let _ = writeln!(
            out,
            "{domain}  {}  scopes: {}",
            status.as_str().unwrap_or_default(),
            if shop.scopes.is_empty() { "none".into() } else { shop.scopes.join(", ") }
        );
        for subscription in shop.by_creation() {
            let _ = writeln!(out, "  {}", line(subscription));
        }
    }
    for inlet in world.adobe.lines().iter().filter(|_| only.is_none()) {
        let _ = writeln!(out, "{inlet}");
    }
    if out.is_empty() {
        out.push_str("The sandbox has no shops.\n");
    }
    out.pop();
    Ok(out)
}

fn line(s: &Subscription) -> String {
    let mut line = format!("{}  {}  {}", s.id, catalog::from_graphql(&s.topic), s.uri);
    if s.format != Format::Json {
        let _ = write!(line, "  {}", s.format.as_str());
    }
    if let Some(filter) = &s.filter {
        let _ = write!(line, "  filter: {filter:?}");
    }
    if let Some(name) = &s.name {
        let _ = write!(line, "  name: {name}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-03-01T00:00:00Z";

    fn world() -> World {
        let mut world = World::default();
        let shop = world.shop_mut(&ShopDomain::parse("acme").expect("domain"));
        shop.scopes = vec!["read_orders".into()];
        world
    }

    fn add(topic: &str, address: &str) -> Edit {
        Edit::Add { shop: "acme".into(), topic: topic.into(), fields: vec![format!("address={address}")] }
    }

    #[test]
    fn edits_change_the_state_and_return_a_message() {
        let mut world = world();
        let message = apply(&mut world, &add("orders/create", "https://a.example/"), AT).expect("add");
        assert_eq!(message, "acme.myshopify.com: added 1000001000001  orders/create  https://a.example/");
        let fields = vec!["filter=a:1".into(), "name=n".into(), "include_fields=id, email".into()];
        let set = Edit::Set { shop: "acme".into(), id: "1000001000001".into(), fields };
        let message = apply(&mut world, &set, AT).expect("set");
        assert!(message.ends_with("filter: \"a:1\"  name: n"), "{message}");
        let remove = Edit::Remove { shop: "acme".into(), id: None, topic: Some("ORDERS_CREATE".into()) };
        assert!(apply(&mut world, &remove, AT).expect("remove").contains("removed 1000001000001"));
        assert_eq!(
            apply(&mut world, &Edit::List { shop: None }, AT).expect("list"),
            "acme.myshopify.com  ok  scopes: read_orders"
        );
    }

    #[test]
    fn errors_have_a_hint() {
        let message = |edit: &Edit| apply(&mut world(), edit, AT).expect_err("refused").to_string();
        let status = Edit::Status { shop: "acne".into(), status: ShopStatus::Locked };
        assert_eq!(message(&status), "shop acne.myshopify.com not found in the sandbox; did you mean acme?");
        assert!(message(&add("order/create", "https://a.example/")).ends_with("did you mean orders/create?"));
        assert_eq!(
            message(&add("orders/create", "http://a.example/")),
            "Shopify would refuse this: Address protocol http:// is not supported"
        );
        let set = Edit::Add { shop: "acme".into(), topic: "orders/create".into(), fields: vec!["adress=x".into()] };
        assert!(message(&set).contains("did you mean address?"));
        assert!("lockd".parse::<ShopStatus>().expect_err("status").contains("did you mean locked?"));
    }
}
