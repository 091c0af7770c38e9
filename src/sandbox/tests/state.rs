//! The state: survives a kill, and is changed through the server that holds it.

use super::*;

#[tokio::test]
async fn answered_requests_and_the_log_survive_a_kill() {
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
    // The files now are those that a kill would leave.
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
async fn the_control_endpoints_seed_reset_and_return_the_state() {
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
async fn invalid_request_bodies_are_refused() {
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
