//! The sandbox over real HTTP: what was recorded of Shopify, and what a client relies on.

mod adobe;
mod adobe_faults;
mod agreement;
mod faults;
mod oauth;
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

/// Every field of `expected` stands in `actual`.
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
    // One after the other: the third finds what the first made, and stops nothing.
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

#[tokio::test]
async fn a_killed_sandbox_has_all_it_answered_and_its_log() {
    let folder = tempfile::tempdir().expect("folder");
    let state = folder.path().join("s/state.json");
    let seed = write(folder.path(), "a.sandbox.yaml", ACME);
    let options = OpenOptions { state: Some(state.clone()), seeds: vec![seed], today: None };
    let running = serve(&options).await;
    let id = running.id().to_owned();
    let client = Client::new(&running);
    let made = client.create("ORDERS_CREATE", json!({ "uri": "https://hooks.example.com/1" })).await;
    let live = &made["webhookSubscription"];
    assert_eq!(
        live["apiVersion"],
        json!({ "handle": "2026-10", "displayName": "2026-10 (Latest)", "supported": true })
    );
    let created = live["createdAt"].as_str().expect("time");
    assert!(created.len() == 20 && created.ends_with('Z') && live["updatedAt"] == created, "{created}");
    let gid = made["webhookSubscription"]["id"].as_str().expect("id").to_owned();
    let gone = client.create("ORDERS_CREATE", json!({ "uri": "https://hooks.example.com/2" })).await;
    client.delete(gone["webhookSubscription"]["id"].as_str().expect("id")).await;
    assert!(matches!(sandbox::start(&options, ([127, 0, 0, 1], 0).into()).await, Err(SandboxError::InUse { .. })));
    // What a kill would leave: the files as they are now.
    let copy = folder.path().join("copy.json");
    for suffix in ["", ".journal", ".log.jsonl"] {
        std::fs::copy(format!("{}{suffix}", state.display()), format!("{}{suffix}", copy.display())).expect("copy");
    }
    let again = serve(&OpenOptions { state: Some(copy.clone()), seeds: options.seeds.clone(), today: None }).await;
    assert_eq!(again.id(), id);
    assert_eq!(Client::new(&again).read(&gid).await, made["webhookSubscription"]);
    let count = "{ webhookSubscriptionsCount { count } }";
    let body = Client::new(&again).graphql(count, json!({})).await;
    assert_eq!(body["data"]["webhookSubscriptionsCount"]["count"], 1);
    again.stop().await.expect("stop");

    let log = std::fs::read_to_string(format!("{}.log.jsonl", copy.display())).expect("log");
    assert!(!log.contains("shpat_test"));
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
    let seen: Vec<_> =
        entries.iter().map(|e| (e["seq"].as_u64(), e["operation"].as_str(), e["fields"][0].as_str())).collect();
    assert_eq!(
        seen,
        [
            (Some(1), Some("mutation"), Some("webhookSubscriptionCreate")),
            (Some(2), Some("mutation"), Some("webhookSubscriptionCreate")),
            (Some(3), Some("mutation"), Some("webhookSubscriptionDelete")),
            (Some(4), Some("query"), Some("webhookSubscription")),
            (Some(5), Some("query"), Some("webhookSubscriptionsCount")),
        ]
    );
    running.stop().await.expect("stop");
    let told = sandbox::edit(&state, &Edit::Remove { shop: "acme".into(), id: Some(gid), topic: None }).expect("edit");
    assert!(told.contains("removed"), "{told}");
    sandbox::edit(&state, &Edit::Status { shop: "acme".into(), status: ShopStatus::Frozen }).expect("edit");
    let list = sandbox::edit(&state, &Edit::List { shop: None }).expect("list");
    assert!(list.starts_with("acme.myshopify.com  frozen  ") && !list.contains("hooks.example.com"), "{list}");
}

#[tokio::test]
async fn the_control_endpoints_seed_reset_and_tell() {
    let (running, client) = seeded(ACME).await;
    let at = |path: &str| running.url().replace("{shop}", &format!("__sandbox/{path}"));
    client.create("ORDERS_CREATE", json!({ "uri": "https://hooks.example.com/1" })).await;
    let state = client.send(client.http.get(at("state"))).await.body;
    assert_eq!((&state["hookwright_sandbox"], &state["id"]), (&json!(1), &json!(running.id())));
    assert_eq!(state["shops"]["acme.myshopify.com"]["subscriptions"].as_array().map(Vec::len), Some(1));
    let log = client.send(client.http.get(at("log"))).await.body;
    assert_eq!(
        (&log[0]["shop"], &log[0]["status"], &log[0]["cost"]),
        (&json!("acme.myshopify.com"), &json!(200), &json!(11))
    );

    let seed = "sandbox: 1\nshops: [{shops: {prefix: more-, count: 2}}]\n";
    let done = client.send(client.http.post(at("seed")).body(seed)).await;
    assert_eq!(done.body, json!({ "shops": 3, "subscriptions": 1 }));
    let refused = client.send(client.http.post(at("seed")).body(seed)).await;
    assert_eq!(refused.status, 422);
    let edit =
        json!({ "edit": "add", "shop": "acme", "topic": "orders/create", "fields": ["address=https://x.example/"] });
    assert_eq!(client.send(client.http.post(at("edit")).json(&edit)).await.status, 200);
    assert_eq!(client.send(client.http.post(at("reset"))).await.body, json!({ "shops": 1, "subscriptions": 0 }));
    assert_eq!(client.send(client.http.get(at("log"))).await.body, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_a_server_holds_is_changed_through_the_server() {
    let folder = tempfile::tempdir().expect("folder");
    let state = folder.path().join("state.json");
    let seed = write(folder.path(), "a.sandbox.yaml", ACME);
    let more = write(folder.path(), "b.sandbox.yaml", "sandbox: 1\nshops: [{shop: more}]\n");
    let running = serve(&OpenOptions { state: Some(state.clone()), seeds: vec![seed], today: None }).await;
    let fields = vec!["address=https://h.example/drift".to_owned()];
    let add = Edit::Add { shop: "acme".into(), topic: "orders/create".into(), fields };
    let told = sandbox::edit(&state, &add).expect("edit");
    assert!(told.starts_with("acme.myshopify.com: added "), "{told}");
    let twice = sandbox::edit(&state, &add).expect_err("refused").to_string();
    assert_eq!(twice, "Shopify would refuse this: Address for this topic has already been taken");
    assert_eq!(sandbox::seed(&state, &[more], false).expect("seed").shops, 2);
    let count =
        "{ webhookSubscriptionsCount(query: \"topic:orders/create endpoint:https://h.example/drift\") { count } }";
    let body = Client::new(&running).graphql(count, json!({})).await;
    assert_eq!(body["data"]["webhookSubscriptionsCount"]["count"], 1);
}

#[tokio::test]
async fn bodies_that_are_no_requests_are_refused() {
    let (_running, client) = seeded(ACME).await;
    let post = |body: Vec<u8>| {
        let url = client.address("acme", "/admin/api/2026-10/graphql.json");
        client.send(client.http.post(url).header("X-Shopify-Access-Token", "x").body(body))
    };
    let bad = post(b"{}".to_vec()).await;
    assert_eq!(
        (bad.status, bad.body),
        (400, json!({ "errors": { "query": "Required parameter missing or invalid" } }))
    );
    assert_eq!(post(vec![b' '; 2 << 20]).await.status, 413);
    // Two errors to this engine's parser, one to Shopify's.
    for query in ["{ shop {", "{ shop { id }} }", "query { ) } mutation { ("] {
        let syntax = post(json!({ "query": query }).to_string().into_bytes()).await;
        let errors = syntax.body["errors"].as_array().expect("errors");
        assert_eq!((syntax.status, errors.len()), (200, 1), "{}", syntax.body);
        assert!(errors[0]["message"].as_str().expect("message").contains("syntax error"), "{}", syntax.body);
        assert_eq!(errors[0]["extensions"], json!({ "code": "PARSE_ERROR" }));
        assert!(errors[0]["locations"][0]["line"].is_u64() && syntax.body.get("data").is_none(), "{}", syntax.body);
    }
}

#[tokio::test]
async fn rest_speaks_of_the_same_subscriptions() {
    let (_running, client) = seeded(ACME).await;
    let path = |rest: &str| client.address("acme", &format!("/admin/api/2026-07/{rest}"));
    let send =
        async |request: reqwest::RequestBuilder| client.send(request.header("X-Shopify-Access-Token", "x")).await;
    let webhook =
        |topic: &str, address: &str| json!({ "webhook": { "topic": topic, "address": address, "fields": ["id"] } });

    let made =
        send(client.http.post(path("webhooks.json")).json(&webhook("orders/create", "https://h.example/1"))).await;
    assert_eq!((made.status, &made.headers["x-shopify-shop-api-call-limit"]), (201, &"1/40".parse().expect("header")));
    let made = &made.body["webhook"];
    assert_eq!(
        [&made["topic"], &made["format"], &made["fields"]],
        [&json!("orders/create"), &json!("json"), &json!(["id"])]
    );
    assert!(made["created_at"].as_str().expect("time").ends_with("-05:00") && made.get("filter").is_none());
    let gid = format!("gid://shopify/WebhookSubscription/{}", made["id"]);
    assert_eq!(client.read(&gid).await["legacyResourceId"], made["id"].to_string());

    let again =
        send(client.http.post(path("webhooks.json")).json(&webhook("orders/create", "https://h.example/1"))).await;
    assert_eq!(
        (again.status, again.body),
        (422, json!({ "errors": { "address": ["for this topic has already been taken"] } }))
    );
    let scope =
        send(client.http.post(path("webhooks.json")).json(&webhook("themes/create", "https://h.example/1"))).await;
    let text = scope.body["errors"]["topic"][0].as_str().expect("text").to_owned();
    let start =
        "Invalid topic specified: themes/create. Does it exist? Is there a missing access scope? Topics allowed: ";
    assert!(
        text.starts_with(start) && text.contains("orders/create, ") && !text[start.len()..].contains("themes/"),
        "{text}"
    );
    let blank = send(client.http.post(path("webhooks.json")).json(&json!({ "webhook": {} }))).await;
    assert_eq!([&blank.body["errors"]["topic"][1], &blank.body["errors"]["address"][0]], ["can't be blank"; 2]);

    let one = path(&format!("webhooks/{}.json", made["id"]));
    let put = json!({ "webhook": { "address": "https://h.example/2", "topic": "orders/updated" } });
    let changed = send(client.http.put(&one).json(&put)).await.body["webhook"].clone();
    assert_eq!(
        [&changed["address"], &changed["topic"], &changed["fields"]],
        [&json!("https://h.example/2"), &json!("orders/create"), &json!(["id"])]
    );
    assert_eq!(
        send(client.http.get(path("webhooks/count.json?topic=orders/create"))).await.body,
        json!({ "count": 1 })
    );
    assert_eq!(send(client.http.delete(&one)).await.body, json!({}));
    assert_eq!(send(client.http.delete(&one)).await.status, 404);
}

#[tokio::test]
async fn rest_pages_by_link_and_answers_429_when_the_bucket_is_full() {
    let subscriptions: Vec<String> = (1..=5)
        .map(|n| format!("      - {{ topic: shop/update, address: 'https://h.example/{n}', id: {n} }}\n"))
        .collect();
    let seed = format!(
        "sandbox: 1\nshops:\n  - shop: acme\n    bucket: {{max: 250, restore: 50}}\n    subscriptions:\n{}",
        subscriptions.concat()
    );
    let (_running, client) = seeded(&seed).await;
    let get = async |query: &str| {
        let url = client.address("acme", &format!("/admin/api/2026-07/webhooks.json{query}"));
        client.send(client.http.get(url).header("X-Shopify-Access-Token", "x")).await
    };
    let ids = |answer: &Answer| -> Vec<u64> {
        answer.body["webhooks"].as_array().expect("list").iter().filter_map(|w| w["id"].as_u64()).collect()
    };
    let link = |answer: &Answer, relation: &str| {
        let text = answer.headers["link"].to_str().expect("text").to_owned();
        let part =
            text.split(", ").find(|part| part.ends_with(&format!("rel=\"{relation}\""))).expect("relation").to_owned();
        part[part.find('?').expect("query")..part.find('>').expect("end")].to_owned()
    };
    let first = get("?limit=2&topic=shop/update").await;
    let second = get(&link(&first, "next")).await;
    let third = get(&link(&second, "next")).await;
    let back = get(&link(&third, "previous")).await;
    assert_eq!([ids(&first), ids(&second), ids(&third), ids(&back)], [vec![1, 2], vec![3, 4], vec![5], vec![3, 4]]);
    assert!(!third.headers["link"].to_str().expect("text").contains("next"));
    assert_eq!(ids(&get("?since_id=3&fields=id").await), [4, 5]);
    let full = get("").await;
    assert_eq!((full.status, &full.headers["retry-after"]), (429, &"2.0".parse().expect("header")));
    assert_eq!(full.headers["x-shopify-shop-api-call-limit"], "5/5");
    assert_eq!(
        full.body["errors"],
        "Exceeded 1 calls per second for api client. Reduce request rates to resume uninterrupted service."
    );
}
