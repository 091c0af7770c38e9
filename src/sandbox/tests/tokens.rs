//! Tokens over real HTTP: kinds, refusals, rotation, expiry, state after a kill, faults.

use super::oauth::{CALLBACK, DEAD, SHOP, USED, encoded, refused};
use super::*;

const INVALID: &str = "[API] Invalid API key or access token (unrecognized login or wrong password)";

#[tokio::test]
async fn each_kind_of_token_has_its_fields_for_json_and_form_requests() {
    let (_running, client) = seeded(SHOP).await;
    let pair = client.pair().await;
    assert_eq!((&pair["expires_in"], &pair["refresh_token_expires_in"]), (&json!(3600), &json!(7_776_000)));
    assert!(pair["refresh_token"].as_str().expect("token").starts_with("shprt_"));

    let callback = client.install("sandbox-client", "read_orders", &[("grant_options[]", "per-user")]).await;
    let online = client.token(json!({ "code": callback.values["code"], "expiring": "1" })).await.body;
    assert_eq!((&online["expires_in"], &online["associated_user_scope"]), (&json!(86_399), &json!("read_orders")));
    let user: Vec<_> = online["associated_user"].as_object().expect("user").keys().cloned().collect();
    let expected =
        ["account_owner", "collaborator", "email", "email_verified", "first_name", "id", "last_name", "locale"];
    assert_eq!(user.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), expected.into());
    assert!(online["access_token"].as_str().expect("token").starts_with("shpua_") && online["refresh_token"].is_null());

    let form =
        [("client_id", "sandbox-client"), ("client_secret", "sandbox-secret"), ("grant_type", "client_credentials")];
    let request = client
        .http
        .post(client.address("acme.myshopify.com", "/admin/oauth/access_token"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(encoded(&form));
    let credentials = client.send(request).await.body;
    assert_eq!((&credentials["expires_in"], &credentials["scope"]), (&json!(86_399), &json!("read_orders")));
    let refreshed = client.refresh(&pair["refresh_token"]).await.body;
    for (token, prefix) in [(&pair, "shpat_"), (&online, "shpua_"), (&credentials, "shpat_"), (&refreshed, "shpat_")] {
        assert_eq!(client.ask(&token["access_token"]).await.status, 200, "{token}");
        assert!(token["access_token"].as_str().expect("text").starts_with(prefix), "{token}");
    }
}

#[tokio::test]
async fn refusals_are_shopifys_as_json_or_as_a_page() {
    let seed = format!(
        "{SHOP}  - {{ shop: gone, status: uninstalled }}\n  - {{ shop: foreign, foreign_organization: true }}\n  \
         - {{ shop: cold, status: frozen }}\n"
    );
    let (_running, client) = seeded(&seed).await;
    let credentials = |more: Value| {
        let mut body = json!({ "grant_type": "client_credentials" });
        body.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
        body
    };
    let unknown = "Could not find Shopify API application with api_key s3cret<i>";
    for (shop, body, status, error, description) in [
        ("acme", credentials(json!({ "client_id": "s3cret<i>" })), 400, "invalid_request", unknown),
        (
            "acme",
            credentials(json!({ "client_secret": "wrong" })),
            400,
            "invalid_client",
            "The client secret is not valid for this app.",
        ),
        ("gone", credentials(json!({})), 400, "app_not_installed", "The app is not installed on this shop."),
        (
            "foreign",
            credentials(json!({})),
            400,
            "shop_not_permitted",
            "Client credentials cannot be performed on this shop.",
        ),
        ("acme", json!({ "grant_type": "refresh_token", "refresh_token": "shprt_x" }), 401, "invalid_request", DEAD),
        ("acme", json!({ "code": "x" }), 400, "invalid_request", USED),
        (
            "acme",
            json!({ "grant_type": "password" }),
            400,
            "unsupported_grant_type",
            "The sandbox does not support this grant type.",
        ),
    ] {
        let domain = format!("{shop}.myshopify.com");
        refused(&client.token_of(&domain, body.clone()).await, status, error, description);
        let mut whole = json!({ "client_id": "sandbox-client", "client_secret": "sandbox-secret" });
        whole.as_object_mut().expect("object").extend(body.as_object().expect("object").clone());
        let at = client.address(&domain, "/admin/oauth/access_token");
        let page = client.send(client.http.post(at).json(&whole)).await;
        let html = page.body.as_str().expect("a page").to_owned();
        let title = format!("<title>{status} - Oauth error {error}: ").to_owned();
        assert!(page.status == status && html.contains(&title) && !html.contains("<i>"), "{html}");
    }
    assert_eq!(client.token_of("cold.myshopify.com", credentials(json!({}))).await.status, 402);
    assert_eq!(client.token_of("nobody.myshopify.com", credentials(json!({}))).await.status, 404);
    let at = client.address("acme.myshopify.com", "/admin/oauth/access_token");
    assert_eq!(client.send(client.http.get(at)).await.status, 404);
}

#[tokio::test]
async fn a_refresh_token_rotates_and_the_one_before_works_until_the_new_pair_is_used() {
    let (_running, client) = seeded(SHOP).await;
    let first = client.pair().await;
    // The answer is lost on its way.
    client.faults(&["drop,on=oauth,commit=after,times=1"]).await;
    let body = json!({ "client_id": "sandbox-client", "client_secret": "sandbox-secret",
        "grant_type": "refresh_token", "refresh_token": first["refresh_token"] });
    assert!(client.token_request("acme.myshopify.com", &body).send().await.is_err());
    let second = client.refresh(&first["refresh_token"]).await;
    assert_eq!((second.status, &second.body["expires_in"]), (200, &json!(3600)));
    assert_ne!(second.body["refresh_token"], first["refresh_token"]);
    let third = client.refresh(&first["refresh_token"]).await.body;
    assert_eq!(client.ask(&second.body["access_token"]).await.status, 401, "revoked, because it was not used");
    // A request with the new access token retires the refresh token before it.
    assert_eq!(client.ask(&third["access_token"]).await.status, 200);
    refused(&client.refresh(&first["refresh_token"]).await, 401, "invalid_request", DEAD);
    // A refresh with the new refresh token does, too.
    let fourth = client.refresh(&third["refresh_token"]).await.body;
    let fifth = client.refresh(&fourth["refresh_token"]).await;
    assert_eq!(fifth.status, 200);
    refused(&client.refresh(&third["refresh_token"]).await, 401, "invalid_request", DEAD);
    // Logging in again ends the pair before.
    let new = client.pair().await;
    refused(&client.refresh(&fifth.body["refresh_token"]).await, 401, "invalid_request", DEAD);
    assert_eq!(client.end("expire_refresh_tokens").await, "acme.myshopify.com: 1 refresh tokens expired");
    refused(&client.refresh(&new["refresh_token"]).await, 401, "invalid_request", DEAD);
    assert_eq!(client.ask(&new["access_token"]).await.status, 200);
}

#[tokio::test]
async fn without_resilient_refresh_a_lost_answer_locks_the_app_out() {
    let app = "app: { client_id: sandbox-client, client_secret: sandbox-secret, resilient_refresh: false }\nshops:";
    let (_running, client) = seeded(&SHOP.replacen("shops:", app, 1)).await;
    let first = client.pair().await;
    client.faults(&["drop,on=oauth,commit=after,times=1"]).await;
    let body = json!({ "client_id": "sandbox-client", "client_secret": "sandbox-secret",
        "grant_type": "refresh_token", "refresh_token": first["refresh_token"] });
    assert!(client.token_request("acme.myshopify.com", &body).send().await.is_err());
    refused(&client.refresh(&first["refresh_token"]).await, 401, "invalid_request", DEAD);
}

#[tokio::test]
async fn tokens_are_checked_against_their_shop_their_expiry_and_the_seed() {
    let seed = format!(
        "{SHOP}  - {{ shop: strict, require_oauth: true, token: static }}\n  - {{ shop: other }}\n  \
         - {{ shop: late, non_expiring: refused }}\n"
    );
    let (_running, client) = seeded(&seed).await;
    let ask = async |shop: &str, token: &str| {
        let at = client.address(&format!("{shop}.myshopify.com"), "/admin/oauth/access_scopes.json");
        client.send(client.http.get(at).header("X-Shopify-Access-Token", token)).await
    };
    let pair = client.pair().await;
    let token = pair["access_token"].as_str().expect("token");
    assert_eq!(ask("acme", token).await.status, 200);
    assert_eq!(ask("acme", "anything").await.status, 200, "as ever");
    for (shop, token) in [("other", token), ("strict", "anything"), ("strict", "static")] {
        let answer = ask(shop, token).await;
        assert_eq!((answer.status, &answer.body["errors"]), (401, &json!(INVALID)), "{shop}");
    }
    client.end("expire_tokens").await;
    assert_eq!(ask("acme", token).await.body["errors"], INVALID);
    let again = client.refresh(&pair["refresh_token"]).await.body;
    let token = again["access_token"].as_str().expect("token");
    assert_eq!(ask("acme", token).await.status, 200);
    assert_eq!(client.end("revoke").await, "acme.myshopify.com: 2 tokens and codes revoked");
    assert_eq!(ask("acme", token).await.body["errors"], INVALID);
    refused(&client.refresh(&again["refresh_token"]).await, 401, "invalid_request", DEAD);

    let answer = ask("late", "shpat_static").await;
    let text = answer.body["errors"].as_str().expect("text");
    assert_eq!(answer.status, 403);
    assert!(text.starts_with("[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using"));
    let given = client.token_of("late.myshopify.com", json!({ "grant_type": "client_credentials" })).await;
    assert_eq!(ask("late", given.body["access_token"].as_str().expect("token")).await.status, 200);
}

#[tokio::test]
async fn issued_tokens_survive_a_kill_and_the_log_contains_no_secret() {
    let folder = tempfile::tempdir().expect("folder");
    let state = folder.path().join("state.json");
    let seed = write(folder.path(), "a.sandbox.yaml", SHOP);
    let running = serve(&OpenOptions { state: Some(state.clone()), seeds: vec![seed], today: None }).await;
    let client = Client::new(&running);
    let first = client.pair().await;
    client.faults(&["drop,on=oauth,commit=after,times=1"]).await;
    let body = json!({ "client_id": "sandbox-client", "client_secret": "sandbox-secret",
        "grant_type": "refresh_token", "refresh_token": first["refresh_token"] });
    assert!(client.token_request("acme.myshopify.com", &body).send().await.is_err());
    let second = client.refresh(&first["refresh_token"]).await.body;
    let code = client.code().await;
    // The files now are those that a kill would leave.
    let stop = |n: u32| {
        let copy = folder.path().join(format!("copy{n}.json"));
        for suffix in ["", ".journal", ".log.jsonl"] {
            std::fs::copy(format!("{}{suffix}", state.display()), format!("{}{suffix}", copy.display())).expect("copy");
        }
        OpenOptions { state: Some(copy), seeds: Vec::new(), today: None }
    };
    let before_use = stop(1);
    assert_eq!(client.ask(&second["access_token"]).await.status, 200);
    let after_use = stop(2);

    let again = serve(&before_use).await;
    let client = Client::new(&again);
    assert_eq!(client.refresh(&first["refresh_token"]).await.status, 200, "the new pair was not used yet");
    assert_eq!(client.token(json!({ "code": code })).await.status, 200);
    again.stop().await.expect("stop");
    let again = serve(&before_use).await;
    let client = Client::new(&again);
    refused(&client.token(json!({ "code": code })).await, 400, "invalid_request", USED);

    let again = serve(&after_use).await;
    let client = Client::new(&again);
    refused(&client.refresh(&first["refresh_token"]).await, 401, "invalid_request", DEAD);
    let scopes = client.ask(&second["access_token"]).await;
    assert_eq!(scopes.body["access_scopes"], json!([{ "handle": "read_orders" }, { "handle": "write_orders" }]));

    let log = std::fs::read_to_string(format!("{}.log.jsonl", state.display())).expect("log");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
    let told: Vec<_> =
        lines.iter().map(|line| (line["method"].clone(), line["status"].clone(), line["grant"].clone())).collect();
    let token = |status: u16, grant: &str| (json!("POST"), json!(status), json!(grant));
    let install = (json!("POST"), json!(302), Value::Null);
    assert_eq!(told[..2], [install.clone(), token(200, "authorization_code")]);
    assert_eq!(told[2..5], [token(500, "refresh_token"), token(200, "refresh_token"), install]);
    assert!(lines[2]["path"].as_str().expect("path").ends_with("/admin/oauth/access_token"));
    assert_eq!(lines[2]["faults"], json!(["drop"]));
    for secret in [&first["access_token"], &second["refresh_token"], &json!(code), &json!("sandbox-secret")] {
        assert!(!log.contains(secret.as_str().expect("text")), "{log}");
    }
}

#[tokio::test]
async fn a_fault_with_on_oauth_is_injected_into_token_requests() {
    let (_running, client) = seeded(SHOP).await;
    let credentials = json!({ "client_id": "sandbox-client", "client_secret": "sandbox-secret",
        "grant_type": "client_credentials" });
    // (rules, status, part of the body); status 0: no answer.
    for (spec, status, says) in [
        ("drop,on=query", 200, "access_token"),
        ("drop,on=mutation", 200, "access_token"),
        ("drop,on=oauth", 0, ""),
        ("drop,on=any", 0, ""),
        ("cut_body,on=oauth", 0, ""),
        ("latency,on=oauth,ms=5", 200, "access_token"),
        ("throttled,on=oauth", 429, "Exceeded"),
        ("server_error,on=oauth,status=502,commit=after", 502, "unexpected error"),
        ("internal_error,on=oauth", 500, "unexpected error"),
        ("html,on=oauth,status=520", 520, "<title>520</title>"),
        ("truncated,on=oauth", 200, "{\"access_token\""),
        ("uninstalled,on=oauth", 400, "app_not_installed"),
    ] {
        client.faults(&[spec]).await;
        let answer = client.token_request("acme.myshopify.com", &credentials).send().await;
        let answer = match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                answer.text().await.map(|text| (status, text))
            }
            Err(error) => Err(error),
        };
        match answer {
            Err(_) => assert_eq!(status, 0, "{spec}"),
            Ok((got, text)) => assert!(got == status && text.contains(says), "{spec}: {got} {text}"),
        }
        client.control("DELETE", "").await;
    }
    client.faults(&["drop,on=oauth"]).await;
    assert_eq!(client.ask(&json!("static")).await.status, 401, "uninstalled, but answered");
    let page = [("client_id", "sandbox-client"), ("redirect_uri", CALLBACK)];
    assert_eq!(client.authorize(false, "acme.myshopify.com", &page).await.status, 200, "pages are for people");
}
