//! Faults over real HTTP: the response that a caller gets, and whether the fault precedes or follows the commit.

use std::fmt::Write as _;

use super::*;

impl Client {
    pub(super) async fn control(&self, method: &str, body: &str) -> Answer {
        let url = self.url.replace("{shop}", "__sandbox/faults");
        self.send(self.http.request(method.parse().expect("method"), url).body(body.to_owned())).await
    }

    pub(super) async fn faults(&self, specs: &[&str]) {
        let faults = sandbox::Faults::read(&[], &specs.iter().map(ToString::to_string).collect::<Vec<_>>(), Some(1));
        let _ = faults.expect("these are faults");
        let rules: Vec<Value> = specs
            .iter()
            .map(|spec| {
                let (name, rest) = spec.split_once(',').unwrap_or((spec, ""));
                let mut rule = json!({ "fault": name });
                for (key, value) in rest.split(',').filter_map(|part| part.split_once('=')) {
                    rule[key] = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                }
                rule
            })
            .collect();
        let answer = self.control("POST", &json!({ "faults": rules }).to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Sends a create of two aliases; the raw outcome.
    async fn create_two(&self, n: usize) -> Result<(u16, String), reqwest::Error> {
        let alias = |alias: &str, n: String| {
            format!(
                "{alias}: webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: \
                 {{uri: \"https://a.example/{n}\"}}) {{ webhookSubscription {{ id }} userErrors {{ message }} }}"
            )
        };
        let query = format!("mutation {{ {} {} }}", alias("a", format!("{n}a")), alias("b", format!("{n}b")));
        let request = self
            .http
            .post(self.address("acme.myshopify.com", "/admin/api/2026-10/graphql.json"))
            .header("X-Shopify-Access-Token", "shpat_test")
            .json(&json!({ "query": query }));
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    }

    async fn count(&self) -> u64 {
        self.faults(&[]).await;
        let answer = self.graphql("{ webhookSubscriptionsCount { count } }", json!({})).await;
        answer["data"]["webhookSubscriptionsCount"]["count"].as_u64().expect("count")
    }
}

#[tokio::test]
async fn each_fault_has_its_effect_before_or_after_the_commit() {
    // A bucket that THROTTLED empties is full again at once.
    let (_running, client) = seeded(&format!("{ACME}    bucket: {{ max: 100000, restore: 1000000 }}\n")).await;
    // (rule, status, part of the body, how many of the two are made); status 0: no answer.
    for (n, (spec, status, says, made)) in [
        ("latency,ms=5,jitter_ms=5,commit=after", 200, "userErrors", 2),
        ("throttled", 200, "THROTTLED", 0),
        ("rate_limited,retry_after=0.5", 429, "Exceeded", 0),
        ("server_error,status=502", 502, "unexpected error", 0),
        ("server_error,commit=after", 503, "unexpected error", 2),
        ("html", 200, "<!DOCTYPE html>", 0),
        ("html,status=504,commit=after", 504, "<title>504</title>", 2),
        ("empty", 200, "", 0),
        ("empty,commit=after", 200, "", 2),
        ("truncated", 200, "{\"data\":{\"a\":", 2),
        ("slow_body,ms=40", 200, "userErrors", 2),
        ("cut_body", 0, "", 2),
        ("drop", 0, "", 0),
        ("drop,commit=after", 0, "", 2),
        ("token_revoked", 401, "Invalid API key", 0),
        ("frozen", 402, "Unavailable Shop", 0),
        ("locked", 423, "unavailable", 0),
        ("other_writer,act=add,topic=orders/create,address=https://b.example/{n}", 200, "userErrors", 3),
    ]
    .into_iter()
    .enumerate()
    {
        let before = client.count().await;
        client.faults(&[spec]).await;
        match client.create_two(n).await {
            Err(_) => assert_eq!(status, 0, "{spec}: no answer"),
            Ok((got, body)) => {
                assert_eq!(got, status, "{spec}: {body}");
                assert!(body.contains(says), "{spec}: {body}");
                assert_eq!(says.is_empty(), body.is_empty(), "{spec}: {body}");
                assert_eq!(
                    serde_json::from_str::<Value>(&body).is_ok(),
                    body.contains('}') && !body.contains('<') && spec != "truncated",
                    "{spec}"
                );
            }
        }
        client.control("DELETE", "").await;
        let heal = json!({ "edit": "status", "shop": "acme", "status": "ok" }).to_string();
        let url = client.url.replace("{shop}", "__sandbox/edit");
        client.send(client.http.post(url).body(heal)).await;
        assert_eq!(client.count().await - before, made, "{spec}");
    }
}

#[tokio::test]
async fn pages_shift_over_both_transports() {
    let mut seed = "sandbox: 1\nshops:\n  - shop: acme\n    scopes: [read_orders]\n    subscriptions:\n".to_owned();
    for n in 1..=7 {
        writeln!(seed, "      - {{ topic: orders/create, address: \"https://a.example/{n}\", id: {n} }}")
            .expect("text");
    }
    let (_running, client) = seeded(&seed).await;
    for (spec, expected) in [
        ("shifting_pages,size=3,by=0", [vec![1, 2, 3], vec![4, 5, 6]]),
        ("shifting_pages,size=3", [vec![1, 2, 3], vec![3, 4, 5]]),
        ("shifting_pages,size=3,by=2", [vec![1, 2, 3], vec![6, 7]]),
    ] {
        client.faults(&[spec]).await;
        let query = "query($after: String) { webhookSubscriptions(first: 250, after: $after) \
                     { nodes { legacyResourceId } pageInfo { endCursor } } }";
        let mut after = Value::Null;
        let mut url = client.address("acme.myshopify.com", "/admin/api/2026-10/webhooks.json?limit=250");
        for page in expected {
            let list = &client.graphql(query, json!({ "after": after })).await["data"]["webhookSubscriptions"];
            let ids: Vec<i32> = list["nodes"]
                .as_array()
                .expect("nodes")
                .iter()
                .map(|n| n["legacyResourceId"].as_str().expect("id").parse().expect("number"))
                .collect();
            assert_eq!(ids, page, "{spec}");
            after = list["pageInfo"]["endCursor"].clone();

            let answer =
                client.http.get(&url).header("X-Shopify-Access-Token", "shpat_test").send().await.expect("an answer");
            let link =
                answer.headers().get("link").map(|link| link.to_str().expect("text").to_owned()).unwrap_or_default();
            let list: Value = answer.json().await.expect("json");
            let ids: Vec<i64> =
                list["webhooks"].as_array().expect("list").iter().filter_map(|w| w["id"].as_i64()).collect();
            assert_eq!(ids, page.iter().map(|id| i64::from(*id)).collect::<Vec<_>>(), "{spec}");
            let next =
                link.split("rel=\"previous\"").last().and_then(|l| l.split_once("page_info=")).map_or("", |(_, l)| l);
            let cursor = next.split('>').next().unwrap_or_default().to_owned();
            url = client.address(
                "acme.myshopify.com",
                &format!("/admin/api/2026-10/webhooks.json?limit=250&page_info={cursor}"),
            );
        }
    }
}

#[tokio::test]
async fn single_aliases_fail_before_or_after_their_commit() {
    let (_running, client) = seeded(ACME).await;
    let mut failed = 0;
    for n in 0..12 {
        let after = n % 2 == 1;
        let before = client.count().await;
        client.faults(&[if after { "internal_error,commit=after" } else { "internal_error" }]).await;
        let (status, body) = client.create_two(n).await.expect("an answer");
        let body: Value = serde_json::from_str(&body).expect("json");
        assert_eq!(status, 200);
        let errors = body["errors"].as_array().expect("errors");
        for error in errors {
            assert_eq!(error["extensions"]["code"], "INTERNAL_SERVER_ERROR");
            assert!(body["data"][error["path"][0].as_str().expect("alias")].is_null());
        }
        failed += errors.len();
        let made = if after { 2 } else { 2 - errors.len() as u64 };
        assert_eq!(client.count().await - before, made, "{body}");
    }
    assert!((12..24).contains(&failed), "some fail, not all: {failed}");
}

#[tokio::test]
async fn faults_are_set_shown_counted_and_cleared_and_the_log_names_them() {
    let seed = format!("{ACME}fault_seed: 5\nfaults:\n  - {{ fault: drop, on: mutation, after: 1, times: 1 }}\n");
    let (running, client) = seeded(&seed).await;
    assert!(client.create_two(1).await.is_ok());
    assert!(client.create_two(2).await.is_err());
    assert!(client.create_two(3).await.is_ok());
    let told = client.control("GET", "").await.body;
    assert_eq!((&told["seed"], &told["faults"][0]["struck"]), (&json!(5), &json!(1)));
    let log = client.send(client.http.get(client.url.replace("{shop}", "__sandbox/log"))).await.body;
    assert_eq!((&log[0]["faults"], &log[1]["faults"]), (&Value::Null, &json!(["drop"])));
    let told = client.control("DELETE", "").await.body;
    assert_eq!(told, json!({ "seed": 0, "faults": [], "deeds": [] }));
    let refused = client.control("POST", "{\"faults\": [{\"fault\": \"drop\", \"tims\": 1}]}").await;
    assert_eq!(refused.status, 422);
    assert!(refused.body["errors"].as_str().expect("text").contains("did you mean times?"), "{}", refused.body);

    running.set_faults(sandbox::Faults::read(&[], &["removed".to_owned()], None).expect("faults"));
    client.create_two(4).await.expect("an answer");
    let told = client.control("GET", "").await.body;
    assert!(told["deeds"][0].as_str().expect("a deed").contains("acme.myshopify.com: removed 1"), "{told}");
}
