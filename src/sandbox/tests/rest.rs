//! REST over the same subscriptions.

use super::*;

#[tokio::test]
async fn rest_and_graphql_have_the_same_subscriptions() {
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
