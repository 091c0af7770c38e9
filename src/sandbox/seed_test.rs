//! Tests of `seed`.

use super::super::store::World;
use super::*;

fn world(text: &str) -> Result<World, SandboxError> {
    let mut world = World::default();
    parse_one(text, Path::new("a.sandbox.yaml"))?.fill(&mut world, 0)?;
    Ok(world)
}

fn error_of(text: &str) -> String {
    world(text).expect_err("refused").to_string()
}

#[test]
fn a_seed_makes_the_same_state_on_every_run() {
    let text = r#"
sandbox: 1
defaults: { scopes: [write_orders], bucket: { max: 100, restore: 5 } }
shops:
  - shop: acme
    token: t0ken
    status: frozen
    subscriptions:
      - { topic: orders/create, address: " https://a.example/x " }
      - { topic: ORDERS_UPDATED, address: "https://a.example/x", format: xml, filter: "", include_fields: [id], metafield_namespaces: ["$app:a"], metafields: [custom.size], name: n, created_at: "2026-02-01T01:00:00+01:00", id: 7 }
  - shops: { prefix: shop-, count: 3 }
    scopes: []
"#;
    let world = world(text).expect("seed");
    let names: Vec<_> = world.shops.keys().map(ShopDomain::handle).collect();
    assert_eq!(names, ["acme", "shop-1", "shop-2", "shop-3"]);
    let acme = &world.shops[&ShopDomain::parse("acme").expect("domain")];
    assert_eq!((acme.status, acme.bucket.max, acme.token.as_deref()), (ShopStatus::Frozen, 100, Some("t0ken")));
    let [(7, other), (first_id, first)] = acme.subscriptions.iter().collect::<Vec<_>>()[..] else {
        panic!("two subscriptions: {:?}", acme.subscriptions)
    };
    assert_eq!(
        (*first_id, first.uri.as_str(), first.created_at.as_str()),
        (1_000_001_000_001, "https://a.example/x", "2026-01-01T00:00:00Z")
    );
    assert_eq!((other.created_at.as_str(), other.filter.as_deref()), ("2026-02-01T00:00:00Z", Some("")));
    assert_eq!(other.metafield_namespaces, ["app--347000000001--a"]);
    assert_eq!(self::world(text).expect("again"), world);
}

#[test]
fn only_one_file_may_have_the_app() {
    let folder = tempfile::tempdir().expect("folder");
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, "sandbox: 1\napp: { client_id: a, client_secret: s }\n").expect("write");
        path
    };
    let message = read(&[file("a"), file("b")]).expect_err("twice").to_string();
    assert!(
        message.contains("b:2:6: duplicate `app`; the first is at ") && message.ends_with("Write it in one file only"),
        "{message}"
    );
    let mut world = World::default();
    read(&[file("a")]).expect("once").fill(&mut world, 0).expect("seed");
    assert_eq!(world.app.client_id, "a");
}

#[test]
fn errors_have_their_place_and_a_hint() {
    let shop = |rest: &str| format!("sandbox: 1\nshops:\n  - shop: acme\n    {rest}\n");
    for (text, expected) in [
        (shop("colour: red"), "a.sandbox.yaml:4:5: "),
        (
            shop("subscriptions: [{topic: orders/updatd, address: x}]"),
            "a.sandbox.yaml:4:29: unknown topic `orders/updatd`; did you mean orders/updated?",
        ),
        (
            shop("subscriptions: [{topic: shop/redact, address: x}]"),
            "a.sandbox.yaml:4:29: `shop/redact` is a compliance topic",
        ),
        (shop("subscriptions: [{topic: orders/create, address: x, format: csv}]"), "`csv` is not a format"),
        (shop("subscriptions: [{topic: orders/create, address: x, created_at: soon}]"), "`soon` is not a time"),
        ("sandbox: 1\nshops:\n  - shop: a.example.com\n".to_owned(), "a.sandbox.yaml:3:11: `a.example.com` is not a"),
        (
            "sandbox: 1\nshops:\n  - shop: a\n  - shop: A\n".to_owned(),
            "a.sandbox.yaml:4:11: duplicate shop a.myshopify.com",
        ),
        (shop("scopes: [orders]"), "a.sandbox.yaml:3:5: `orders` is not a scope"),
        ("sandbox: 2\nshops: []\n".to_owned(), "a.sandbox.yaml:1:10: unknown seed format `sandbox: 2`"),
        ("sandbox: 1\nshops: [{status: ok}]\n".to_owned(), "an entry must have either `shop`"),
        ("sandbox: 1\napp: {client_id: a}\n".to_owned(), "a.sandbox.yaml:2:7: missing key `client_secret`"),
        (
            "sandbox: 1\napp: {client_id: a, client_secret: s3, sign_with: old}\n".to_owned(),
            "a.sandbox.yaml:2:6: `sign_with: old` requires `old_client_secret`",
        ),
        (
            "sandbox: 1\napp: {client_id: a, client_secret: s3, redirect_uris: [acme]}\n".to_owned(),
            "the redirect URI `acme` is not a URL",
        ),
    ] {
        let message = error_of(&text);
        assert!(message.contains(expected), "{text}\n{message}");
    }
}
