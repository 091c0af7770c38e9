//! The sandbox over real HTTP: recorded responses of Shopify, and the behaviour that clients rely on.

mod adobe;
mod adobe_faults;
mod agreement;
mod faults;
mod oauth;
mod rest;
mod state;
mod tokens;
mod visitors;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::sandbox::{self, Edit, OpenOptions, Running, SandboxError, ShopStatus};

const FIELDS: &str = "id legacyResourceId topic uri callbackUrl format filter includeFields metafieldNamespaces name \
    metafields { namespace key } createdAt updatedAt apiVersion { handle displayName supported } \
    endpoint { __typename ... on WebhookHttpEndpoint { callbackUrl } ... on WebhookEventBridgeEndpoint { arn } \
    ... on WebhookPubSubEndpoint { pubSubProject pubSubTopic } }";

struct Client {
    http: reqwest::Client,
    url: String,
}

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Client {
    fn new(sandbox: &Running) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { http: reqwest::Client::builder().no_proxy().build().expect("client"), url: sandbox.url() }
    }

    fn address(&self, shop: &str, path: &str) -> String {
        format!("{}{path}", self.url.replace("{shop}", shop))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("body");
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    async fn call(&self, shop: &str, version: &str, query: &str, variables: Value) -> Answer {
        let request = self
            .http
            .post(self.address(shop, &format!("/admin/api/{version}/graphql.json")))
            .header("X-Shopify-Access-Token", "shpat_test")
            .json(&json!({ "query": query, "variables": variables }));
        self.send(request).await
    }

    async fn graphql(&self, query: &str, variables: Value) -> Value {
        let answer = self.call("acme.myshopify.com", "2026-10", query, variables).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn create(&self, topic: &str, input: Value) -> Value {
        let query = format!(
            "mutation Create($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!) {{
               out: webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) {{
                 webhookSubscription {{ {FIELDS} }} userErrors {{ field message }} }} }}"
        );
        self.graphql(&query, json!({ "topic": topic, "input": input })).await["data"]["out"].clone()
    }

    async fn update(&self, id: &str, input: Value) -> Value {
        let query = format!(
            "mutation Update($id: ID!, $input: WebhookSubscriptionInput!) {{
               out: webhookSubscriptionUpdate(id: $id, webhookSubscription: $input) {{
                 webhookSubscription {{ {FIELDS} }} userErrors {{ field message }} }} }}"
        );
        self.graphql(&query, json!({ "id": id, "input": input })).await["data"]["out"].clone()
    }

    async fn delete(&self, id: &str) -> Value {
        let query = "mutation($id: ID!) { webhookSubscriptionDelete(id: $id) {
            deletedWebhookSubscriptionId userErrors { field message } } }";
        self.graphql(query, json!({ "id": id })).await["data"]["webhookSubscriptionDelete"].clone()
    }

    async fn read(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ webhookSubscription(id: $id) {{ {FIELDS} }} }}");
        self.graphql(&query, json!({ "id": id })).await["data"]["webhookSubscription"].clone()
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("write");
    path
}

async fn serve(options: &OpenOptions) -> Running {
    sandbox::start(options, ([127, 0, 0, 1], 0).into()).await.expect("start")
}

/// A sandbox in memory with the shops of `seed`.
async fn seeded(seed: &str) -> (Running, Client) {
    let folder = tempfile::tempdir().expect("folder");
    let seed = write(folder.path(), "a.sandbox.yaml", seed);
    let running = serve(&OpenOptions { state: None, seeds: vec![seed], today: None }).await;
    let client = Client::new(&running);
    (running, client)
}

const ACME: &str = "
sandbox: 1
shops:
  - shop: acme
    api_client_id: 4711000001
    scopes: [read_products, write_customers, read_returns, write_orders]
";

fn recorded(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recorded").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("fixture")).expect("json")
}

/// Asserts that `actual` contains every field of `expected`.
fn assert_reads(actual: &Value, expected: &Value, what: &Value) {
    let Some(expected) = expected.as_object() else { return assert_eq!(actual, expected, "{what}") };
    for (key, value) in expected {
        assert_eq!(&actual[key], value, "{key} of {what}");
    }
}

#[tokio::test]
async fn addresses_are_answered_as_recorded_on_create_and_on_update() {
    let (_running, client) = seeded(ACME).await;
    let fixture = recorded("addresses.json");
    let topic = fixture["topic"].as_str().expect("topic");
    let base = client.create(topic, json!({ "uri": "https://hooks.example.com/base" })).await;
    let id = base["webhookSubscription"]["id"].as_str().expect("id").to_owned();
    for case in fixture["cases"].as_array().expect("cases") {
        for update in [false, true] {
            let input = json!({ "uri": case["uri"], "format": "JSON" });
            let out = if update { client.update(&id, input).await } else { client.create(topic, input).await };
            if let Some(errors) = case["errors"].as_array() {
                let expected: Vec<_> = errors
                    .iter()
                    .map(|m| json!({ "field": ["webhookSubscription", "callbackUrl"], "message": m }))
                    .collect();
                assert_eq!(out, json!({ "webhookSubscription": null, "userErrors": expected }), "{case}");
                continue;
            }
            let live = &out["webhookSubscription"];
            assert_eq!(out["userErrors"], json!([]), "{case}");
            assert_eq!(
                [&live["uri"], &live["endpoint"], &live["callbackUrl"]],
                [&case["reads"], &case["endpoint"], &case["callbackUrl"]]
            );
            assert_eq!(update, live["id"] == id.as_str());
            if !update {
                client.delete(live["id"].as_str().expect("id")).await;
            }
        }
    }
}

#[tokio::test]
async fn a_shop_delivers_nothing_to_its_own_domains() {
    let (_running, client) =
        seeded(&ACME.replace("  - shop: acme\n", "  - shop: acme\n    domains: [acme.example]\n")).await;
    let refused = "Address cannot be any of the domains: acme.myshopify.com, acme.example, acme.account.myshopify.com";
    for (uri, message) in [
        ("https://acme.myshopify.com/in", Some(refused)),
        ("https://Acme.example/in", Some(refused)),
        ("https://acme.account.myshopify.com/in", Some(refused)),
        ("https://other.myshopify.com/in", Some("Address cannot be a Shopify or an internal domain")),
        ("https://hooks.acme.example/in", None),
    ] {
        let out = client.create("SHOP_UPDATE", json!({ "uri": uri })).await;
        let errors = message.map(|m| json!({ "field": ["webhookSubscription", "callbackUrl"], "message": m }));
        assert_eq!(out["userErrors"], Value::from_iter(errors), "{uri}");
    }
}

#[tokio::test]
async fn each_bad_variable_has_an_error() {
    let (_running, client) = seeded(ACME).await;
    let query = "mutation M($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!, $id: ID!) {
      webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) { userErrors { message } }
      webhookSubscriptionDelete(id: $id) { userErrors { message } } }";
    let body = client.graphql(query, json!({ "topic": "NO_SUCH", "input": { "colour": 1 }, "id": null })).await;
    let messages: Vec<_> = body["errors"].as_array().expect("errors").iter().map(|e| &e["message"]).collect();
    assert_eq!(
        messages,
        [
            "Variable $topic of type WebhookSubscriptionTopic! was provided invalid value",
            "Variable $input of type WebhookSubscriptionInput! was provided invalid value for colour \
             (Field is not defined on WebhookSubscriptionInput)",
            "Variable $id of type ID! was provided invalid value",
        ]
    );
    assert!(body["errors"].as_array().expect("errors").iter().all(|e| e["extensions"]["code"] == "INVALID_VARIABLE"));
}

#[tokio::test]
async fn inputs_are_answered_as_recorded() {
    let (_running, client) = seeded(ACME).await;
    let mut ids = serde_json::Map::new();
    for step in recorded("inputs.json")["steps"].as_array().expect("steps") {
        let input = step["input"].clone();
        let id = |verb: &str| step[verb].as_str().map(|name| ids[name].as_str().expect("id").to_owned());
        let out = if let Some(topic) = step["create"].as_str() {
            client.create(topic, input).await
        } else if let Some(id) = id("update") {
            let out = client.update(&id, input).await;
            assert!(out["webhookSubscription"].is_null() || out["webhookSubscription"]["id"] == id.as_str());
            out
        } else if let Some(id) = id("delete") {
            let out = client.delete(&id).await;
            let gone = step["errors"] == json!([]);
            assert_eq!(out["deletedWebhookSubscriptionId"], if gone { json!(id) } else { Value::Null });
            out
        } else {
            let id = id("read").expect("a step does something");
            assert_reads(&client.read(&id).await, &step["reads"], step);
            continue;
        };
        let errors = step["errors"].as_array().cloned().unwrap_or_default();
        let expected: Vec<_> = errors.iter().map(|e| json!({ "field": e[0], "message": e[1] })).collect();
        assert_eq!(out["userErrors"], json!(expected), "{step}");
        if step["reads"].is_object() {
            assert_reads(&out["webhookSubscription"], &step["reads"], step);
        }
        if let Some(name) = step["is"].as_str() {
            ids.insert(name.to_owned(), out["webhookSubscription"]["id"].clone());
        }
    }
}

#[tokio::test]
async fn documents_are_refused_as_recorded_and_change_nothing() {
    let (_running, client) = seeded(ACME).await;
    for case in recorded("documents.json")["cases"].as_array().expect("cases") {
        let body = client.graphql(case["query"].as_str().expect("query"), case["variables"].clone()).await;
        let mut error = body["errors"][0].clone();
        assert_eq!(body, json!({ "errors": [error] }), "nothing but the error: {case}");
        if let Some(Value::String(text)) = error.pointer_mut("/extensions/problems/0/explanation")
            && let Some(at) = text.find("one of: ")
        {
            assert!(text.contains(", ORDERS_CREATE, "), "{text}");
            text.replace_range(at + 8.., "…");
        }
        assert_eq!(error, case["error"]);
    }
    let body = client.graphql("{ webhookSubscriptionsCount { count precision } }", json!({})).await;
    assert_eq!(body["data"]["webhookSubscriptionsCount"], json!({ "count": 0, "precision": "EXACT" }));
}

#[tokio::test]
async fn costs_are_the_recorded_ones_and_the_bucket_goes_down_by_the_actual_cost() {
    let (_running, client) = seeded(ACME).await;
    let cost = |body: &Value| {
        let cost = &body["extensions"]["cost"];
        (cost["requestedQueryCost"].as_f64(), cost["actualQueryCost"].as_f64())
    };
    let one = |alias: &str, n: u8| {
        let input = format!("topic: SHOP_UPDATE, webhookSubscription: {{uri: \"https://hooks.example.com/{n}\"}}");
        format!(
            "{alias}: webhookSubscriptionCreate({input}) {{ webhookSubscription {{ uri }} userErrors {{ message }} }} "
        )
    };
    // In sequence: the third fails because the first exists, and the rest continue.
    let four = [one("a", 1), one("b", 2), one("c", 1), one("d", 3)].concat();
    let body = client.graphql(&format!("mutation {{ {four} }}"), json!({})).await;
    assert_eq!(cost(&body), (Some(40.0), Some(40.0)));
    let taken = json!([{ "message": "Address for this topic has already been taken" }]);
    assert_eq!(body["data"]["c"], json!({ "webhookSubscription": null, "userErrors": taken }));
    for alias in ["a", "b", "d"] {
        assert_eq!(body["data"][alias]["userErrors"], json!([]));
    }
    let status = &body["extensions"]["cost"]["throttleStatus"];
    assert_eq!([&status["maximumAvailable"], &status["restoreRate"]], [&json!(2000.0), &json!(100.0)]);
    assert_eq!(status["currentlyAvailable"], 1960);

    let list = "query($first: Int!, $uri: String) { webhookSubscriptions(first: $first, uri: $uri) { nodes { id } } }";
    let body = client.graphql(list, json!({ "first": 5, "uri": "https://hooks.example.com/2" })).await;
    assert_eq!(cost(&body), (Some(5.0), Some(3.0)));
    let body =
        client.graphql("{ webhookSubscription(id: \"gid://shopify/WebhookSubscription/1\") { id } }", json!({})).await;
    assert_eq!((cost(&body), &body["data"]["webhookSubscription"]), ((Some(1.0), Some(1.0)), &Value::Null));

    let many: String = (0..101).map(|n| one(&format!("x{n}"), n)).collect();
    let body = client.graphql(&format!("mutation {{ {many} }}"), json!({})).await;
    assert_eq!(body["errors"][0]["extensions"], json!({ "code": "MAX_COST_EXCEEDED", "cost": 1010, "maxCost": 1000 }));
}

#[tokio::test]
async fn an_empty_bucket_throttles_and_refills() {
    let (_running, client) =
        seeded("sandbox: 1\nshops: [{shop: acme, bucket: {max: 15, restore: 20}}, {shop: other}]").await;
    let mutation = "mutation { webhookSubscriptionDelete(id: \"gid://shopify/WebhookSubscription/1\") { userErrors { message } } }";
    let first = client.graphql(mutation, json!({})).await;
    assert!(first["data"].is_object());
    let second = client.graphql(mutation, json!({})).await;
    assert_eq!(
        second["errors"],
        json!([{ "message": "Throttled",
                 "extensions": { "code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits" } }])
    );
    assert!(second.get("data").is_none());
    assert_eq!(second["extensions"]["cost"]["requestedQueryCost"], 10);
    assert_eq!(second["extensions"]["cost"]["actualQueryCost"], Value::Null);
    let other = client.call("other.myshopify.com", "2026-10", mutation, json!({})).await;
    assert!(other.body["data"].is_object(), "shops share no bucket");
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert!(client.graphql(mutation, json!({})).await["data"].is_object());
}

#[tokio::test]
async fn pages_follow_cursors_in_the_order_of_creation() {
    let (_running, client) = seeded(
        "
sandbox: 1
shops:
  - shop: acme
    subscriptions:
      - { topic: shop/update, address: 'https://h.example/b', created_at: '2026-01-02T00:00:00Z' }
      - { topic: shop/update, address: 'https://h.example/a', created_at: '2026-01-01T00:00:00Z' }
      - { topic: shop/update, address: 'https://h.example/c', created_at: '2026-01-02T00:00:00Z' }
      - { topic: app/uninstalled, address: 'https://h.example/d', created_at: '2026-01-03T00:00:00Z' }
",
    )
    .await;
    let query = "query($first: Int, $after: String, $last: Int, $reverse: Boolean, $topics: [WebhookSubscriptionTopic!]) {
        webhookSubscriptions(first: $first, after: $after, last: $last, reverse: $reverse, topics: $topics) {
          edges { cursor node { ...part } } nodes { uri } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }
        fragment part on WebhookSubscription { uri }";
    let ask = async |variables: Value| {
        let body = client.graphql(query, variables).await;
        assert_eq!(body["errors"], Value::Null);
        let page = body["data"]["webhookSubscriptions"].clone();
        let uris: String = page["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .map(|n| n["uri"].as_str().expect("uri")[18..].to_owned())
            .collect();
        (uris, page)
    };
    let (uris, page) = ask(json!({ "first": 2 })).await;
    assert_eq!((uris.as_str(), &page["pageInfo"]["hasNextPage"]), ("ab", &json!(true)));
    assert_eq!(page["pageInfo"]["endCursor"], page["edges"][1]["cursor"]);
    let (uris, page) = ask(json!({ "first": 2, "after": page["pageInfo"]["endCursor"] })).await;
    let info = &page["pageInfo"];
    assert_eq!((uris.as_str(), &info["hasNextPage"], &info["hasPreviousPage"]), ("cd", &json!(false), &json!(true)));
    assert_eq!(ask(json!({ "first": 9, "reverse": true })).await.0, "dcba");
    assert_eq!(ask(json!({ "last": 1 })).await.0, "d");
    assert_eq!(ask(json!({ "first": 9, "topics": ["APP_UNINSTALLED"] })).await.0, "d");

    for (variables, message) in [
        (json!({}), "you must provide one of first or last"),
        (json!({ "first": 251 }), "first cannot exceed 250"),
        (json!({ "first": 1, "after": "junk" }), "Invalid cursor for current pagination sort."),
    ] {
        let body = client.graphql(query, variables).await;
        assert_eq!((&body["errors"][0]["message"], &body["data"]), (&json!(message), &Value::Null));
        assert_eq!(body["errors"][0]["path"], json!(["webhookSubscriptions"]));
    }
}

#[tokio::test]
async fn statuses_and_tokens_are_answered_with_shopifys_bodies() {
    let statuses = [
        ("frozen", 402, "Unavailable Shop"),
        ("payment_required", 402, "This shop's plan does not have access to this feature"),
        ("forbidden", 403, "[API] This action requires merchant approval for read_products scope."),
        ("not_found", 404, "Not Found"),
        ("locked", 423, "This shop is unavailable"),
        ("token_refused", 401, "[API] Invalid API key or access token (unrecognized login or wrong password)"),
        ("uninstalled", 401, "[API] Invalid API key or access token (unrecognized login or wrong password)"),
    ];
    let shops: Vec<String> = statuses
        .iter()
        .map(|(status, ..)| format!("  - {{ shop: {}, status: {status} }}\n", status.replace('_', "-")))
        .collect();
    let (_running, client) = seeded(&format!(
        "sandbox: 1\nshops:\n{}  - {{ shop: acme, scopes: [write_orders], token: secret }}\n  - shop: open\n",
        shops.concat()
    ))
    .await;
    for (shop, status, message) in statuses {
        let answer = client
            .call(&format!("{}.myshopify.com", shop.replace('_', "-")), "2026-10", "{ shop { id } }", json!({}))
            .await;
        assert_eq!((answer.status, answer.body), (status, json!({ "errors": message })));
    }
    let unknown = client.call("nobody.myshopify.com", "2026-10", "{ shop { id } }", json!({})).await;
    assert_eq!((unknown.status, unknown.body), (404, json!({ "errors": "Not Found" })));

    let ask = async |shop: &str, token: Option<&str>| {
        let mut request = client.http.get(client.address(shop, "/admin/oauth/access_scopes.json"));
        if let Some(token) = token {
            request = request.header("X-Shopify-Access-Token", token);
        }
        client.send(request).await
    };
    for (shop, token, status) in [
        ("acme", Some("secret"), 200),
        ("acme", Some("other"), 401),
        ("open.myshopify.com", Some("whatever"), 200),
        ("open", Some(""), 401),
        ("open", None, 401),
    ] {
        let answer = ask(shop, token).await;
        assert_eq!(answer.status, status, "{shop} {token:?}");
        if status == 401 {
            assert_eq!(answer.headers["www-authenticate"], "Basic Realm=\"Shopify API Authentication\"");
            assert!(answer.headers.contains_key("x-request-id"));
        }
    }
    let scopes = ask("acme", Some("secret")).await.body;
    assert_eq!(scopes, json!({ "access_scopes": [{ "handle": "read_orders" }, { "handle": "write_orders" }] }));

    // The other way to name a shop: by host.
    let by_host = client
        .http
        .get(client.url.replace("/{shop}", "/admin/oauth/access_scopes.json"))
        .header("Host", "open.myshopify.com")
        .header("X-Shopify-Access-Token", "x");
    assert_eq!(client.send(by_host).await.body, json!({ "access_scopes": [] }));
}

#[tokio::test]
async fn versions_bound_the_schema_and_fall_forward() {
    let (_running, client) = seeded(ACME).await;
    let acme = "acme.myshopify.com";
    for (asked, served) in [("2023-10", "2026-01"), ("2026-04", "2026-04"), ("unstable", "unstable")] {
        let answer = client.call(acme, asked, "{ shop { myshopifyDomain name } }", json!({})).await;
        assert_eq!(answer.headers["x-shopify-api-version"], served);
        assert_eq!(answer.body["data"]["shop"], json!({ "myshopifyDomain": acme, "name": "acme" }));
    }
    assert_eq!(client.call(acme, "2031-01", "{ shop { id } }", json!({})).await.status, 404);
    let named = "{ webhookSubscriptions(first: 1) { nodes { name } } }";
    assert_eq!(
        client.call(acme, "2026-01", named, json!({})).await.body["errors"][0]["extensions"]["code"],
        "undefinedField"
    );
    assert!(client.call(acme, "2026-04", named, json!({})).await.body["data"].is_object());

    let old = "{ webhookSubscriptions(first: 1) { nodes { callbackUrl endpoint { __typename } } } }";
    let answer = client.call(acme, "2026-10", old, json!({})).await;
    assert_eq!(answer.headers["x-shopify-api-deprecated-reason"], "callbackUrl, endpoint");
    let body = client
        .graphql(
            "{ publicApiVersions { handle supported }
               currentAppInstallation { accessScopes { handle } app { webhookApiVersion } }
               __type(name: \"WebhookSubscriptionInput\") { inputFields { name } } }",
            json!({}),
        )
        .await;
    assert_eq!(body["data"]["publicApiVersions"][3], json!({ "handle": "2026-10", "supported": true }));
    assert_eq!(body["data"]["currentAppInstallation"]["accessScopes"][0]["handle"], "read_customers");
    let inputs: Vec<_> =
        body["data"]["__type"]["inputFields"].as_array().expect("fields").iter().map(|f| f["name"].clone()).collect();
    assert!(inputs.contains(&json!("metafields")), "{inputs:?}");
}

#[tokio::test]
async fn a_topic_without_its_scope_is_a_user_error_and_an_omitted_key_keeps_its_value() {
    let (_running, client) = seeded(ACME).await;
    let out = client.create("THEMES_CREATE", json!({ "uri": "https://hooks.example.com/1" })).await;
    assert_eq!(
        out["userErrors"],
        json!([{ "field": ["webhookSubscription", "topic"],
                 "message": "You cannot create a webhook subscription with the specified topic" }])
    );
    let made = client
        .create(
            "ORDERS_CREATE",
            json!({ "uri": "https://hooks.example.com/1", "filter": "id:1", "includeFields": ["id"] }),
        )
        .await;
    let id = made["webhookSubscription"]["id"].as_str().expect("id").to_owned();
    // Inside a literal, a key whose variable is not given is as if it were not there.
    let query = "mutation($id: ID!, $uri: String, $filter: String, $fields: [String!]) {
        webhookSubscriptionUpdate(id: $id, webhookSubscription: {uri: $uri, filter: $filter, includeFields: $fields}) {
          webhookSubscription { uri filter includeFields } } }";
    let body = client.graphql(query, json!({ "id": id, "uri": "https://hooks.example.com/2" })).await;
    assert_eq!(
        body["data"]["webhookSubscriptionUpdate"]["webhookSubscription"],
        json!({ "uri": "https://hooks.example.com/2", "filter": "id:1", "includeFields": ["id"] })
    );
}
