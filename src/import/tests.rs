//! The laws of the import, and its text.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalog;
use crate::diff::{Change, diff};
use crate::manifest::{self, Manifest, Options, SourceFile, Transport};
use crate::model::{Binding, Format, Live, Scope, SubscriptionId, Topic, Visibility};
use crate::state::{Entry, Unmanaged};

const A: &str = "https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const AWAY: &str = "https://billing.example/hooks/uninstalled";

fn live(id: u64, binding: Binding) -> Entry<Live> {
    let meta = Live {
        id: SubscriptionId::new(&format!("gid://shopify/WebhookSubscription/{id}")),
        created_at: format!("2026-01-01T00:00:{:02}Z", id % 60),
        updated_at: "2026-01-02T00:00:00Z".into(),
        api_version: None,
        visibility: Visibility::Whole,
        app: None,
    };
    Entry { binding, meta }
}

fn bind(topic: &str, address: &str) -> Binding {
    let topic = catalog::from_graphql(Topic::from_slash(topic).graphql());
    Binding { metafields: Some(vec![]), ..Binding::new(topic, Address::new(address)) }
}

fn shop(name: &str, bindings: Vec<Binding>) -> ReadShop {
    ReadShop {
        shop: ShopDomain::parse(name).expect("shop"),
        labels: BTreeMap::new(),
        tolerate: Vec::new(),
        auth: Some(json!({ "access_token": { "env": "SHOPIFY_TOKEN_{SHOP}" } })),
        scopes: None,
        observed: Observed {
            scopes: None,
            entries: bindings.into_iter().zip(1..).map(|(b, id)| live(id, b)).collect(),
        },
    }
}

fn request(shops: Vec<ReadShop>) -> Request {
    Request {
        admin_api: AdminApi::default(),
        ownership: Ownership::default(),
        all: false,
        destinations: Vec::new(),
        shops,
        unread: Vec::new(),
    }
}

fn load(yaml: &str) -> Manifest {
    let file = SourceFile { path: "m.yaml".into(), bytes: yaml.into() };
    let loaded = manifest::load(vec![file], &Options::default());
    loaded.manifest.unwrap_or_else(|| panic!("{:#?}\n{yaml}", loaded.diagnostics))
}

/// Returns the changes of a plan directly after the import, except deletes of subscriptions that could not be
/// imported. Also checks the counts.
fn left_to_do(imported: &Imported, worlds: &[(ShopDomain, Observed)]) -> Vec<Change> {
    let manifest = load(&imported.yaml);
    assert_eq!(manifest.shops.len(), worlds.len());
    let refused: BTreeSet<&str> = imported.refused.iter().filter(|r| r.managed).map(|r| r.id.as_str()).collect();
    let hands_off = imported.refused.iter().filter(|r| !r.managed).count();
    let (mut changes, mut bound, mut unmanaged) = (Vec::new(), 0, 0);
    for (domain, observed) in worlds {
        let shop = manifest.shops.iter().find(|s| s.shop == *domain).expect("shop");
        let result = diff(shop.desired().expect("resolved"), observed, &manifest.ownership);
        bound += result.bound.len();
        unmanaged += result.unmanaged.len();
        assert!(result.blocked.is_empty() && result.held_back.is_empty());
        changes.extend(result.changes.into_iter().filter(
            |change| !matches!(change, Change::Delete { before, .. } if refused.contains(before.meta.id.as_str())),
        ));
    }
    assert_eq!((bound, unmanaged), (imported.written, imported.unmanaged + hands_off), "{}", imported.yaml);
    changes
}

fn worlds(request: &Request) -> Vec<(ShopDomain, Observed)> {
    request.shops.iter().map(|shop| (shop.shop.clone(), shop.observed.clone())).collect()
}

fn any_text() -> impl Strategy<Value = String> {
    let hostile = [
        ": ", " #x", "yes", "1e3", "~", "*a", "&a", "{{x}}", "- a", "größe", "a\nb", "'", "\"", "\\", "%", "null",
        "\u{85}x", "[", "a,b",
    ];
    prop_oneof![prop::sample::select(hostile.to_vec()).prop_map(str::to_owned), "[\\PC\n\t]{0,8}"]
}

fn any_filter() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        4 => Just(None),
        2 => any_text().prop_map(|text| Some(format!("title:'{}'", text.replace(['\'', '\\'], "")))),
        1 => Just(Some("id:* AND (total_price:>=10 OR -tags:\"a: b #c\")".to_owned())),
        1 => any_text().prop_map(|text| Some(text).filter(|t| !t.is_empty())),
    ]
}

fn any_list(item: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(item, 0..3)
}

fn any_namespace() -> impl Strategy<Value = String> {
    let usual = [
        "custom",
        "$app:x",
        "app--12--x",
        "app--12--loyalty",
        "app--13--x",
        "app--12--",
        "app--z--x",
        "$app",
        "app--12",
        "app--14",
    ];
    prop_oneof![4 => prop::sample::select(usual.to_vec()).prop_map(str::to_owned), 1 => any_text()]
}

fn any_binding() -> impl Strategy<Value = Binding> {
    let topics = [
        "orders/create",
        "orders/updated",
        "orders/paid",
        "customers/update",
        "BRAND_NEW_TOPIC",
        "metaobjects/create",
        "audit_events/admin_api_activity",
    ];
    let flow = format!("{A}?x-adobe-flow-id=6e0a8f6c-1f2b-4c5d-8e9f-0123456789ab");
    let addresses = [
        A,
        A,
        B,
        B,
        &flow,
        AWAY,
        "https://billing.example/hooks/x",
        "https://billing.example/hooks/u p?#",
        "HTTPS://X.example/",
        "pubsub://my-project:topic-1",
        "arn:aws:events:us-east-1::event-source/aws.partner/shopify.com/12/src: #1",
        "https://10.0.0.1/x",
        "kafka://x:1",
    ];
    let addresses: Vec<String> = addresses.iter().map(|&a| a.to_owned()).collect();
    let names =
        prop_oneof![Just(None), prop::sample::select(vec!["yes", "1e3", "a-b", "A-B", "a b", ""]).prop_map(Some)];
    let first = (
        prop::sample::select(topics.to_vec()),
        prop::sample::select(addresses),
        prop::bool::weighted(0.1),
        any_filter(),
    );
    let second = (any_list(any_text()), any_list(any_namespace()), names, any_list(any_namespace()));
    let plain = prop::bool::weighted(0.6);
    (first, second, plain).prop_map(|((topic, address, xml, filter), (fields, namespaces, name, metafields), plain)| {
        let mut binding = bind(topic, &address);
        if !plain {
            binding.format = if xml { Format::Xml } else { Format::Json };
            binding.filter = filter;
            binding.include_fields = fields;
            binding.metafield_namespaces = namespaces;
            binding.name = name.map(str::to_owned);
            binding.metafields = Some(metafields.into_iter().map(|namespace| format!("{namespace}.key")).collect());
        }
        binding
    })
}

/// Returns any state of a live shop, with unique keys and names.
fn any_shop(name: &'static str) -> impl Strategy<Value = ReadShop> {
    let scopes = prop::sample::subsequence(vec!["write_orders", "read_customers", "Odd"], 0..=3);
    let scopes = prop::option::of(scopes);
    (prop::collection::vec(any_binding(), 0..10), scopes, any_text(), any::<bool>()).prop_map(
        move |(list, scopes, label, other_auth)| {
            let (mut keys, mut names, mut bindings) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
            for mut binding in list {
                if binding.name.as_ref().is_some_and(|n| !names.insert(n.to_lowercase())) {
                    binding.name = None;
                }
                if keys.insert(format!("{:?}", binding.key())) {
                    bindings.push(binding);
                }
            }
            let mut shop = shop(name, bindings);
            shop.labels = [("1e3".to_owned(), label)].into();
            shop.scopes = scopes.map(|list| list.into_iter().map(Scope::observed).collect());
            if other_auth {
                shop.auth = Some(json!({ "access_token": { "command": ["op", "read", "x: {shop}"] } }));
            }
            shop
        },
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    let names = ["aaa", "bbb", "ccc", "ddd"].map(any_shop);
    let given =
        prop::sample::subsequence(vec![("commerce", A), ("1e3", A), ("no", B), ("commerce", B), ("x", AWAY)], 0..=5);
    (names, 1_usize..=4, any::<bool>(), given).prop_map(|(shops, count, all, given)| {
        let mut request = request(shops.into_iter().take(count).collect());
        request.all = all;
        request.destinations =
            given.into_iter().map(|(name, address)| (name.to_owned(), Address::new(address))).collect();
        request
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// For every live state, the written manifest is valid, and a plan after the import is empty.
    #[test]
    fn a_plan_after_an_import_is_empty(request in any_request()) {
        let worlds = worlds(&request);
        let (all, labels) = (request.all, request.shops.iter().map(|s| s.labels.clone()).collect::<Vec<_>>());
        let scopes: Vec<_> = request.shops.iter().map(|s| s.scopes.clone()).collect();
        let imported = import(request);
        prop_assert_eq!(left_to_do(&imported, &worlds), vec![], "{}", imported.yaml);
        let manifest = load(&imported.yaml);
        for ((shop, labels), scopes) in manifest.shops.iter().zip(labels).zip(scopes) {
            prop_assert_eq!(&*shop.labels, &labels);
            let known = scopes.map(|set| set.iter().filter_map(|s| Scope::parse(s.as_str())).collect::<ScopeSet>());
            prop_assert_eq!(&shop.scopes().cloned(), &known);
        }
        if !all {
            prop_assert_eq!(&manifest.ownership, &Ownership::default());
        }
    }

    #[test]
    fn the_order_of_subscriptions_has_no_effect(request in any_request(), seed in any::<u64>()) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let shops = request.shops.iter().map(|s| ReadShop {
            shop: s.shop.clone(), labels: s.labels.clone(), tolerate: vec![], auth: s.auth.clone(),
            scopes: s.scopes.clone(), observed: s.observed.clone(),
        });
        let mut other = Request { shops: shops.collect(), destinations: request.destinations.clone(), unread: vec![], ..self::request(vec![]) };
        other.all = request.all;
        rng.shuffle(&mut other.shops);
        rng.shuffle(&mut other.destinations);
        for shop in &mut other.shops {
            rng.shuffle(&mut shop.observed.entries);
        }
        prop_assert_eq!(import(request), import(other));
    }
}

#[test]
fn the_manifest_of_a_fleet_is_readable() {
    let orders = |address| ["orders/create", "orders/updated", "orders/cancelled"].map(|topic| bind(topic, address));
    let mut drifted = orders(A)[1..].to_vec();
    drifted.push(Binding { filter: Some("email:*@example.com".into()), ..bind("customers/update", B) });
    drifted.push(Binding { name: Some("b".into()), ..bind("orders/paid", A) });
    let mut shops = vec![shop("two", orders(A).to_vec()), shop("three", orders(A).to_vec()), shop("empty", vec![])];
    shops.push(shop("drifted", drifted));
    shops[0].observed.entries.push(live(9, bind("app/uninstalled", AWAY)));
    shops[1].labels.insert("env".into(), "no".into());
    for shop in &mut shops {
        shop.scopes = Some(["write_orders", "read_customers"].into_iter().filter_map(Scope::parse).collect());
    }
    shops[3].scopes = Some(ScopeSet::default());
    let mut request = request(shops);
    let why = "frozen: the shop is frozen until its owner pays the bill".into();
    request.unread = vec![Unread { shop: ShopDomain::parse("gone").expect("shop"), why }];
    request.destinations = vec![("commerce".into(), Address::new(A))];
    let worlds = worlds(&request);
    let imported = import(request);
    insta::assert_snapshot!(imported.yaml);
    assert_eq!(left_to_do(&imported, &worlds), []);
}

#[test]
fn a_reason_with_a_line_break_stays_in_its_comment() {
    let mut request = request(vec![shop("one", vec![bind("orders/create", A)])]);
    request.unread = vec![Unread { shop: ShopDomain::parse("gone").expect("shop"), why: "frozen: it\nis".into() }];
    assert!(import(request).yaml.contains("\n#   gone.myshopify.com: frozen: it\\u{a}is\n"));
}

#[test]
fn all_adds_prefixes_except_for_subscriptions_that_cannot_be_imported() {
    let mut bindings = vec![bind("orders/create", A), bind("orders/create", AWAY), bind("orders/paid", AWAY)];
    // Cannot be imported: XML to an inlet, and a metaobject topic without a type filter next to a valid address.
    bindings.push(Binding { format: Format::Xml, ..bind("orders/paid", B) });
    bindings.push(bind("metaobjects/create", "https://app.example/hooks/meta"));
    bindings.push(bind("orders/paid", "https://app.example/hooks/orders"));
    bindings.push(bind("metaobjects/create", "https://app.example/all"));
    bindings.push(bind("orders/paid", "https://app.example/all"));
    let mut request = request(vec![shop("one", bindings)]);
    request.all = true;
    request.ownership.unmanaged = Unmanaged::Delete;
    let worlds = worlds(&request);
    let imported = import(request);
    insta::assert_snapshot!(imported.yaml);
    assert_eq!(left_to_do(&imported, &worlds), []);
    assert_eq!(imported.refused.iter().map(|r| r.managed).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn the_apps_own_namespaces_are_written_without_its_id() {
    let namespaces = |list: &[&str]| {
        let texts: Vec<String> = list.iter().map(|&text| text.to_owned()).collect();
        let binding = Binding {
            metafield_namespaces: texts.clone(),
            metafields: Some(texts.iter().map(|text| format!("{text}.key")).collect()),
            ..bind("orders/create", A)
        };
        let request = request(vec![shop("one", vec![binding])]);
        let worlds = worlds(&request);
        let imported = import(request);
        assert_eq!(left_to_do(&imported, &worlds), []);
        let lines = imported.yaml.lines().filter_map(|line| line.trim().strip_prefix("metafield"));
        lines.collect::<Vec<_>>().join(" ")
    };
    let own = r#"_namespaces: ["$app:x", custom] s: ["$app:x.key", custom.key]"#;
    assert_eq!(namespaces(&["custom", "app--12--x", "$app:x"]), own);
    // The ids of two apps, and a text that only resembles one.
    let two = "_namespaces: [app--12--x, app--13--x] s: [app--12--x.key, app--13--x.key]";
    assert_eq!(namespaces(&["app--13--x", "app--12--x"]), two);
    let default = r#"_namespaces: ["$app", "$app:x"] s: ["$app.key", "$app:x.key"]"#;
    assert_eq!(namespaces(&["app--12", "app--12--x"]), default);
    assert_eq!(namespaces(&["app--z--x"]), "_namespaces: [app--z--x] s: [app--z--x.key]");
}

#[test]
fn a_duplicate_subscription_is_written_once_with_a_comment() {
    let twice = vec![bind("orders/create", A), bind("orders/create", A), bind("orders/paid", A)];
    // The diff keeps the oldest one, which is the last in this response.
    let mut newer_first = request(vec![shop("one", twice.clone())]);
    newer_first.shops[0].observed.entries[1].binding.include_fields = vec!["newer".into()];
    newer_first.shops[0].observed.entries.reverse();
    let imported = import(newer_first);
    assert_eq!((imported.written, imported.yaml.contains("newer")), (2, false));
    let said = "# orders/create: live 2 times (gid://shopify/WebhookSubscription/1, gid://shopify/WebhookSubscription/2), written once; a plan deletes the others";
    assert!(imported.yaml.contains(said), "{}", imported.yaml);

    let mut rest = request(vec![shop("one", twice)]);
    rest.admin_api.transport = Transport::Rest;
    for entry in &mut rest.shops[0].observed.entries {
        entry.meta.visibility = Visibility::WithoutFilterAndName;
        entry.binding.metafields = Some(vec!["custom.size".into()]);
    }
    let worlds = worlds(&rest);
    let imported = import(rest);
    let manifest = load(&imported.yaml);
    let result = diff(manifest.shops[0].desired().expect("resolved"), &worlds[0].1, &manifest.ownership);
    assert_eq!((result.changes, result.look_alikes.len()), (vec![], 1));
    assert!(imported.yaml.contains("REST does not show filters") && imported.yaml.contains("transport: rest"));
}
