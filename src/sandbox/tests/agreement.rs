//! `validate` and the sandbox are written independently. They accept and refuse the same addresses and filters of a
//! corpus that includes the recorded cases.

use serde_json::{Value, json};

use super::{ACME, Client, recorded, seeded};
use crate::diagnostic::Code;
use crate::manifest::{self, Options, SourceFile};

/// Whether the manifest accepts a binding, judged by one code.
fn manifest_takes(binding: &Value, code: Code) -> bool {
    let manifest = json!({
        "version": 1,
        "ownership": { "address_prefixes": ["https://hooks.example.com/"] },
        "lint": { "allow": ["HW104"] },
        "shops": [{ "shop": "acme", "bindings": [binding] }],
    });
    let file = SourceFile { path: "m.yaml".to_owned(), bytes: manifest.to_string().into_bytes() };
    let loaded = manifest::load(vec![file], &Options::default());
    loaded.diagnostics.iter().all(|d| d.code != code && d.code != Code::BadValue)
}

async fn sandbox_takes(client: &Client, topic: &str, input: Value) -> bool {
    let out = client.create(topic, input).await;
    if let Some(id) = out["webhookSubscription"]["id"].as_str() {
        client.delete(id).await;
    }
    assert!(out["userErrors"].is_array(), "{out}");
    out["userErrors"] == json!([])
}

#[tokio::test]
async fn on_filters() {
    let (_running, client) = seeded(ACME).await;
    let mut filters: Vec<(String, Option<bool>)> = [
        "customer_id:1",
        "a:1 AND (b:>=2 OR NOT c:\"x y\")",
        "-status:open tags:(red OR blue)",
        "tags:(\"a)\" OR (b c)) x:1",
        "variants.price:<10",
        "line_items[0].sku:x",
        "created_at:>'2026 01'",
        "status: open",
        "status: (open OR closed)",
        "a: \"x y\"",
        "a:\t1",
        "a:b:c",
        "a:\"x\\\" y\"",
        "a:\\\"x",
        "NOT(a:1)",
        "(a:1)(b:2)",
        "(a:1)b:2",
        "--a:1",
        "a:()",
        "gid:gid://shopify/Customer/1",
        "ünknown:1",
        "a:1 and b:2",
        "a:1 or b:2",
        "not a:1",
        "totally bogus syntax",
        "a:1 bare",
        "\"quoted\"",
        "\"a:b\"",
        "a:\"open",
        "a:(open",
        "a:(\"open)",
        "(a:1",
        "a:1)",
        ":x",
        "a:",
        "a:  ",
        "a:>",
        "a:>= 5",
        "a:b: c",
        "a:\"x\"y",
        "a:(x)y",
        "a:x(y)",
        "(a:1)(b)",
        "(a:1)b",
        "a:1\u{a0}b",
        "-",
        "- a:1",
        "a:1 -",
        "(-)",
        "a,b:1",
        "a:x\"y z\"",
    ]
    .map(|text| (text.to_owned(), None))
    .into();
    for step in recorded("inputs.json")["steps"].as_array().expect("steps") {
        if let Some(filter) = step["input"]["filter"].as_str() {
            let refused = step["errors"].to_string().contains("The specified filter is invalid");
            filters.push((filter.to_owned(), Some(!refused)));
        }
    }
    let mut wrong = Vec::new();
    for (filter, recorded) in filters {
        let binding =
            json!({ "topic": "customers/update", "address": "https://hooks.example.com/7", "filter": filter });
        let ours = manifest_takes(&binding, Code::BadFilter);
        let input = json!({ "uri": "https://hooks.example.com/agreement", "filter": filter });
        let theirs = sandbox_takes(&client, "CUSTOMERS_UPDATE", input).await;
        if ours != theirs || recorded.is_some_and(|recorded| recorded != ours) {
            wrong.push(format!("{filter:?}: manifest {ours}, sandbox {theirs}, recorded {recorded:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn on_the_type_that_metaobjects_need() {
    let (_running, client) = seeded(&ACME.replace("read_products", "read_products, read_metaobjects")).await;
    for filter in ["type:lookbook", "id:1", "type:*", "type:look*", "type:$app:x", "type:\"\"", "type:\"lookbook\""] {
        let address = "https://hooks.example.com/7";
        let binding = json!({ "topic": "metaobjects/create", "address": address, "filter": filter });
        let ours = manifest_takes(&binding, Code::TypeFilter);
        let theirs = sandbox_takes(&client, "METAOBJECTS_CREATE", json!({ "uri": address, "filter": filter })).await;
        assert_eq!(ours, theirs, "{filter}");
    }
}

#[tokio::test]
async fn on_addresses() {
    let (_running, client) = seeded(ACME).await;
    let mut addresses: Vec<(String, Option<bool>)> = [
        "https://hooks.example.com/in",
        "HTTPS://Hooks.example.com/in",
        "https://hooks.example.com:8443/in?a=%5B1%5D&b={\"c\":1}",
        "https://hooks.example.com./in",
        "https://8.8.8.8/in",
        "https://10.0.0.7/in",
        "https://[::1]/in",
        "https://[fe80::1]/in",
        "https://[::ffff:10.0.0.7]/in",
        "https://intranet/in",
        "https://a.internal/in",
        "https://a b.example.com/",
        "https://",
        "https:/hooks.example.com/in",
        "hooks.example.com/in",
        "wss://hooks.example.com/in",
        "Http://hooks.example.com/in",
        "pubsub://my-project:orders",
        "pubsub://MyProject:orders",
        "pubsub://my_project:orders",
        "pubsub://short:orders",
        "pubsub://my-project-:orders",
        "pubsub://9-project:orders",
        "pubsub://example.com:my-project:orders",
        "pubsub://my-project:or",
        "pubsub://my-project:orders/all",
        "pubsub://my-project:or.de-rs_~+%25",
        "PUBSUB://my-project:orders",
        "PubSub://my-project:orders",
        "ARN:aws:events:eu-central-1::event-source/aws.partner/shopify.com/4711000001/ours",
        "arn:aws:events:EU-central-1::event-source/aws.partner/shopify.com/4711000001/ours",
        "arn:aws:events:eu-central-1::event-source/aws.partner/shopify.com.test/4711000001/ours",
        "arn:aws:events:eu-central-1::event-source/aws.partner/example.com/4711000001/ours",
    ]
    .map(|text| (text.to_owned(), None))
    .into();
    for case in recorded("addresses.json")["cases"].as_array().expect("cases") {
        // Only Shopify knows the owner of the event source.
        if !case["errors"].to_string().contains("api_client_id") {
            addresses.push((case["uri"].as_str().expect("uri").to_owned(), Some(case["errors"].is_null())));
        }
    }
    let mut wrong = Vec::new();
    for (address, recorded) in addresses {
        let ours = manifest_takes(&json!({ "topic": "shop/update", "address": address }), Code::BadAddress);
        let theirs = sandbox_takes(&client, "SHOP_UPDATE", json!({ "uri": address })).await;
        if ours != theirs || recorded.is_some_and(|recorded| recorded != ours) {
            wrong.push(format!("{address:?}: manifest {ours}, sandbox {theirs}, recorded {recorded:?}"));
        }
    }
    // Shopify was not observed to refuse these filters, but they cannot be intended.
    for address in [
        "https://user:password@hooks.example.com/in",
        "https://hooks.example.com/{shop}",
        "https://hooks..example.com/in",
        "https://-hooks.example.com/in",
    ] {
        assert!(!manifest_takes(&json!({ "topic": "shop/update", "address": address }), Code::BadAddress), "{address}");
        assert!(sandbox_takes(&client, "SHOP_UPDATE", json!({ "uri": address })).await, "{address}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Filters of a few random signs, the same in every run: most are refused, by both or by neither.
#[tokio::test]
async fn on_a_thousand_filters_of_random_signs() {
    let signs =
        ["a", "b", ":", ":", "(", ")", "\"", "'", " ", "-", ">", "=", "\\", "AND", " OR ", "NOT ", "or", "*", "\t"];
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    let mut wrong = Vec::new();
    let mut taken = 0;
    for _ in 0..10 {
        let mut filters = Vec::new();
        for _ in 0..100 {
            let more = random(9);
            let tail: String = (0..more).map(|_| signs[random(signs.len())]).collect();
            filters.push(if random(2) == 0 { format!("a:{tail}") } else { tail });
        }
        // 100 creates cost as much as one document may (recorded), and half of the bucket.
        let (_running, client) = seeded(ACME).await;
        let create = |at: usize| {
            let call = format!("webhookSubscriptionCreate(topic: SHOP_UPDATE, webhookSubscription: $i{at})");
            format!("c{at}: {call} {{ userErrors {{ message }} }}")
        };
        let aliases: Vec<String> = (0..filters.len()).map(create).collect();
        let declared: Vec<String> = (0..filters.len()).map(|at| format!("$i{at}: WebhookSubscriptionInput!")).collect();
        let input = |(at, filter): (usize, &String)| {
            (format!("i{at}"), json!({ "uri": format!("https://hooks.example.com/{at}"), "filter": filter }))
        };
        let variables: serde_json::Map<String, Value> = filters.iter().enumerate().map(input).collect();
        let answer = client
            .graphql(&format!("mutation({}) {{ {} }}", declared.join(", "), aliases.join(" ")), json!(variables))
            .await;
        for (at, filter) in filters.iter().enumerate() {
            let theirs = answer["data"][format!("c{at}")]["userErrors"] == json!([]);
            let binding = json!({ "topic": "shop/update", "address": "https://hooks.example.com/7", "filter": filter });
            let ours = manifest_takes(&binding, Code::BadFilter);
            taken += usize::from(ours);
            if ours != theirs {
                wrong.push(format!("{filter:?}: manifest {ours}, sandbox {theirs}"));
            }
        }
    }
    assert!(wrong.is_empty() && (100..900).contains(&taken), "{taken} taken, {} wrong: {wrong:#?}", wrong.len());
}
