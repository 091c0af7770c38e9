//! OAuth over real HTTP: the page, the signed callback, codes, the app of the seed, uninstalling.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

use super::*;

pub(super) const CALLBACK: &str = "http://127.0.0.1:4567/callback";
pub(super) const DEAD: &str = "This request requires an active refresh_token";
pub(super) const USED: &str = "The authorization code was not found or was already used";
pub(super) const SHOP: &str = "sandbox: 1\nshops:\n  - { shop: acme, scopes: [read_products] }\n";

/// HMAC of RFC 2104, implemented for the tests.
fn hmac(key: &str, text: &str) -> String {
    assert!(key.len() <= 64);
    let padded = |with: u8| -> Vec<u8> {
        let mut block = key.as_bytes().to_vec();
        block.resize(64, 0);
        block.iter().map(|byte| byte ^ with).collect()
    };
    let inner = Sha256::digest([padded(0x36), text.as_bytes().to_vec()].concat());
    let outer = Sha256::digest([padded(0x5c), inner.to_vec()].concat());
    outer.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

/// The hmac that a callback's raw query must have: over its sorted parameters without `hmac`.
fn signature(query: &str, secret: &str) -> String {
    let mut parts: Vec<&str> = query.split('&').filter(|part| !part.starts_with("hmac=")).collect();
    parts.sort_unstable();
    hmac(secret, &parts.join("&"))
}

#[test]
fn the_test_signs_as_openssl_does() {
    // printf '%s' "$QUERY" | openssl dgst -sha256 -hmac sandbox-secret, with QUERY the parts but hmac, sorted by key.
    let query = "timestamp=1658305460&code=0907a61c0c8d55e99db179b68161bc00&hmac=00&shop=acme.myshopify.com&\
                 host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ&state=a+b%26c";
    let expected = "5476ed300615d78d95797d3cfcfec8bf306f4c4aa3912b18581d1a365d738c76";
    assert_eq!(signature(query, "sandbox-secret"), expected);
}

pub(super) fn encoded(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The parameters of a callback.
pub(super) struct Callback {
    url: Url,
    pub(super) values: BTreeMap<String, String>,
}

impl Client {
    /// `get` with the query, or `post` with the form, without following redirects.
    pub(super) async fn authorize(&self, install: bool, shop: &str, parameters: &[(&str, &str)]) -> Answer {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let (http, at, text) =
            (http.expect("client"), self.address(shop, "/admin/oauth/authorize"), encoded(parameters));
        self.send(if install { http.post(at).body(text) } else { http.get(format!("{at}?{text}")) }).await
    }

    /// Installs the app as a merchant; `more` has further parameters.
    pub(super) async fn install(&self, client_id: &str, scope: &str, more: &[(&str, &str)]) -> Callback {
        let asked =
            [&[("client_id", client_id), ("scope", scope), ("redirect_uri", CALLBACK), ("state", "a b&c")], more];
        let answer = self.authorize(true, "acme.myshopify.com", &asked.concat()).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        let url = Url::parse(answer.headers["location"].to_str().expect("text")).expect("URL");
        let values = url.query_pairs().into_owned().collect();
        Callback { url, values }
    }

    pub(super) async fn code(&self) -> String {
        self.install("sandbox-client", "write_orders", &[]).await.values["code"].clone()
    }

    /// Requests a token with the sandbox's app, as JSON.
    pub(super) async fn token(&self, more: Value) -> Answer {
        self.token_of("acme.myshopify.com", more).await
    }

    pub(super) async fn token_of(&self, shop: &str, more: Value) -> Answer {
        let mut body = json!({ "client_id": "sandbox-client", "client_secret": "sandbox-secret" });
        body.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
        self.send(self.token_request(shop, &body)).await
    }

    pub(super) fn token_request(&self, shop: &str, body: &Value) -> reqwest::RequestBuilder {
        let at = self.address(shop, "/admin/oauth/access_token");
        self.http.post(at).header("Accept", "application/json").json(body)
    }

    pub(super) async fn refresh(&self, token: &Value) -> Answer {
        self.token(json!({ "grant_type": "refresh_token", "refresh_token": token })).await
    }

    /// Access scopes with a token.
    pub(super) async fn ask(&self, token: &Value) -> Answer {
        let at = self.address("acme.myshopify.com", "/admin/oauth/access_scopes.json");
        self.send(self.http.get(at).header("X-Shopify-Access-Token", token.as_str().expect("a token"))).await
    }

    pub(super) async fn edit(&self, edit: Value) -> Value {
        let answer = self.send(self.http.post(self.url.replace("{shop}", "__sandbox/edit")).json(&edit)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub(super) async fn end(&self, end: &str) -> Value {
        self.edit(json!({ "edit": "tokens", "shop": "acme", "end": end })).await
    }

    /// A pair of an expiring token.
    pub(super) async fn pair(&self) -> Value {
        let code = self.code().await;
        self.token(json!({ "code": code, "expiring": "1" })).await.body
    }
}

pub(super) fn refused(answer: &Answer, status: u16, error: &str, description: &str) {
    assert_eq!((answer.status, &answer.body), (status, &json!({"error": error, "error_description": description})));
}

#[tokio::test]
async fn the_page_names_the_scopes_and_an_installation_calls_back_with_a_signature() {
    let (_running, client) = seeded(SHOP).await;
    let asked = [
        ("client_id", "sandbox-client"),
        ("scope", "write_orders,read_products"),
        ("redirect_uri", CALLBACK),
        ("state", "<\"'&>"),
        ("grant_options[]", ""),
    ];
    let page = client.authorize(false, "acme.myshopify.com", &asked).await;
    assert_eq!(
        (page.status, &page.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().expect("value"))
    );
    let html = page.body.as_str().expect("HTML");
    for part in [
        "<html lang=\"en\">",
        "Install Sandbox app on acme.myshopify.com?",
        "<li>View and edit orders <code>write_orders</code> <span class=\"new\">new</span></li>",
        "<li>View products <code>read_products</code></li>",
        "id=\"install\">Install app</button>",
        "id=\"cancel\" href=\"authorize?cancelled=1\">Cancel</a>",
        "name=\"state\" value=\"&lt;&quot;&#39;&amp;&gt;\"",
        "name=\"redirect_uri\" value=\"http://127.0.0.1:4567/callback\"",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    assert!(!html.contains("no longer") && !html.contains("http-equiv") && !html.contains("<script"), "{html}");
    let by_host = client.url.replace("{shop}", "admin/oauth/authorize?") + &encoded(&asked);
    let by_host = client.send(client.http.get(by_host).header("Host", "acme.myshopify.com")).await;
    assert_eq!((by_host.status, by_host.body.as_str()), (200, Some(html)), "addressed by the host");
    let less = [("client_id", "sandbox-client"), ("scope", ""), ("redirect_uri", CALLBACK)];
    let html = client.authorize(false, "acme.myshopify.com", &less).await.body;
    assert!(html.as_str().expect("HTML").contains("It will no longer be able to"), "{html}");
    let html = client.authorize(false, "acme.myshopify.com", &[("cancelled", "1")]).await.body;
    assert!(html.as_str().expect("HTML").contains("Nothing was installed"), "{html}");

    let Callback { url, values } = client.install("sandbox-client", "write_orders,read_products", &[]).await;
    assert!(url.as_str().starts_with(&format!("{CALLBACK}?")), "{url}");
    let names: Vec<&str> = values.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "hmac", "host", "shop", "state", "timestamp"]);
    // printf '%s' admin.shopify.com/store/acme | base64, without its padding
    assert_eq!(values["host"], "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ");
    assert_eq!((values["shop"].as_str(), values["state"].as_str()), ("acme.myshopify.com", "a b&c"));
    let age = jiff::Timestamp::now().as_second() - values["timestamp"].parse::<i64>().expect("seconds");
    assert!((0..=60).contains(&age), "{age}");
    assert_eq!(values["hmac"], signature(url.query().expect("query"), "sandbox-secret"));
    assert_ne!(values["hmac"], signature(url.query().expect("query"), "another"));

    let redirect = format!("{CALLBACK}?next=%2Fhome&hmac=theirs&code=theirs");
    let asked = [("client_id", "sandbox-client"), ("scope", ""), ("redirect_uri", redirect.as_str())];
    let answer = client.authorize(true, "acme.myshopify.com", &asked).await;
    let url = Url::parse(answer.headers["location"].to_str().expect("text")).expect("URL");
    let names: Vec<_> = url.query_pairs().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(names, ["code", "hmac", "host", "next", "shop", "timestamp"], "and no state that was not given");
    assert!(!url.as_str().contains("theirs"), "{url}");
    assert!(url.as_str().contains(&signature(url.query().expect("query"), "sandbox-secret")), "{url}");
}

#[tokio::test]
async fn an_invalid_authorization_request_returns_shopifys_error_page() {
    let (_running, client) = seeded(SHOP).await;
    for (shop, id, redirect, scope, says) in [
        (
            "acme.myshopify.com",
            "<b>",
            CALLBACK,
            "",
            "invalid_request: Could not find Shopify API application with api_key &lt;b&gt;",
        ),
        (
            "acme.myshopify.com",
            "sandbox-client",
            "https://acme.com/",
            "",
            "invalid_request: The redirect_uri is not whitelisted",
        ),
        ("acme.myshopify.com", "sandbox-client", "", "", "invalid_request: The redirect_uri is not whitelisted"),
        (
            "acme.myshopify.com",
            "sandbox-client",
            CALLBACK,
            "orders",
            "invalid_scope: The access scope is invalid: orders",
        ),
        (
            "nobody.myshopify.com",
            "sandbox-client",
            CALLBACK,
            "",
            "invalid_request: Could not find the shop nobody.myshopify.com",
        ),
        ("a.example.com", "sandbox-client", CALLBACK, "", "invalid_request: Could not find the shop a.example.com"),
    ] {
        for install in [false, true] {
            let asked = [("client_id", id), ("redirect_uri", redirect), ("scope", scope)];
            let answer = client.authorize(install, shop, &asked).await;
            let html = answer.body.as_str().expect("HTML");
            assert_eq!(answer.status, 400, "{says}");
            assert!(html.contains(&format!("<title>400 - Oauth error {says}</title>")), "{says}\n{html}");
            assert!(answer.headers.get("location").is_none());
        }
    }
}

#[tokio::test]
async fn a_code_is_valid_once_for_one_client_until_it_expires() {
    let seed = SHOP.replacen(
        "shops:",
        "app: { client_id: sandbox-client, client_secret: sandbox-secret, code_seconds: 60 }\nshops:",
        1,
    );
    let (running, client) = seeded(&seed).await;
    running.registrar().app("second", "its-secret");
    let code = client.code().await;
    let other = json!({ "client_id": "second", "client_secret": "its-secret", "code": code });
    refused(&client.token(other).await, 400, "invalid_request", USED);
    let given = client.token(json!({ "code": code })).await;
    assert_eq!((given.status, &given.body["scope"]), (200, &json!("write_orders")));
    let names: Vec<_> = given.body.as_object().expect("object").keys().cloned().collect();
    assert_eq!(names, ["access_token", "scope"], "an offline token that does not end");
    assert!(given.body["access_token"].as_str().expect("token").starts_with("shpat_"));
    refused(&client.token(json!({ "code": code })).await, 400, "invalid_request", USED);
    refused(&client.token(json!({ "code": "never" })).await, 400, "invalid_request", USED);
    let code = client.code().await;
    assert_eq!(client.end("expire_codes").await, "acme.myshopify.com: 1 authorization codes expired");
    refused(&client.token(json!({ "code": code })).await, 400, "invalid_request", USED);

    let scopes = client.ask(&given.body["access_token"]).await.body;
    assert_eq!(scopes["access_scopes"], json!([{ "handle": "read_orders" }, { "handle": "write_orders" }]));

    let callback = client.install("second", "read_orders", &[]).await;
    assert_eq!(callback.values["hmac"], signature(callback.url.query().expect("query"), "its-secret"));
    let theirs = json!({ "client_id": "second", "client_secret": "its-secret", "code": callback.values["code"] });
    assert_eq!(client.token(theirs).await.status, 200);
}

#[tokio::test]
async fn the_app_of_the_seed_is_used() {
    let seed = "
sandbox: 1
require_oauth: true
app:
  client_id: mine
  client_secret: new-secret
  old_client_secret: old-secret
  sign_with: old
  name: Mine & yours
  redirect_uris: ['https://acme.com']
  non_expiring: refused
  token_seconds: 700
  refresh_token_seconds: 900
shops:
  - { shop: acme, scopes: [read_orders] }
  - { shop: open, require_oauth: false, non_expiring: accepted }
";
    let (running, client) = seeded(seed).await;
    assert_eq!(running.client_id(), "mine");
    let asked = [("client_id", "mine"), ("redirect_uri", "https://acme.com")];
    let html = client.authorize(false, "acme.myshopify.com", &asked).await.body;
    assert!(html.as_str().expect("HTML").contains("Install Mine &amp; yours on"), "{html}");
    let callback = client.install("mine", "read_orders", &[]).await;
    assert_eq!(callback.values["hmac"], signature(callback.url.query().expect("query"), "old-secret"));
    let mine = |secret: &str, code: &str| json!({ "client_id": "mine", "client_secret": secret, "code": code });
    let forever = client.token(mine("old-secret", &callback.values["code"])).await.body;
    assert_eq!(client.ask(&forever["access_token"]).await.status, 403);
    assert_eq!(client.ask(&json!("static")).await.status, 401);
    let code = client.install("mine", "read_orders", &[]).await.values["code"].clone();
    let mut body = mine("new-secret", &code);
    body["expiring"] = json!(true);
    let pair = client.token(body).await.body;
    assert_eq!((&pair["expires_in"], &pair["refresh_token_expires_in"]), (&json!(700), &json!(900)));
    assert_eq!(client.ask(&pair["access_token"]).await.status, 200);
    assert_eq!(
        client.token(json!({ "code": "x" })).await.body["error"],
        "invalid_request",
        "the default app is replaced"
    );
    let open = client.call("open.myshopify.com", "2026-10", "{ shop { name } }", json!({})).await;
    assert_eq!(open.status, 200, "{}", open.body);
}

#[tokio::test]
async fn an_uninstallation_removes_subscriptions_and_tokens_and_an_installation_restores_access() {
    let (_running, client) = seeded(&format!("{SHOP}  - shop: other\n")).await;
    let paths = ["/admin/api_permissions/current.json", "/admin/api/2026-10/api_permissions/current.json"];
    for (n, path) in paths.into_iter().enumerate() {
        let pair = client.pair().await;
        let token = pair["access_token"].as_str().expect("token").to_owned();
        let made = client.create("ORDERS_CREATE", json!({ "uri": format!("https://a.example/{n}") })).await;
        assert_eq!(made["userErrors"], json!([]));
        let delete = || client.http.delete(client.address("acme.myshopify.com", path));
        assert_eq!(client.send(delete()).await.status, 401, "without a token");
        let gone = client.send(delete().header("X-Shopify-Access-Token", &token)).await;
        assert_eq!((gone.status, gone.body), (200, json!({})));
        assert_eq!(client.send(delete().header("X-Shopify-Access-Token", &token)).await.status, 401);
        let refresh = client.refresh(&pair["refresh_token"]).await;
        refused(&refresh, 400, "app_not_installed", "The app is not installed on this shop.");
        client.code().await;
        assert_eq!(client.ask(&json!(token)).await.status, 401, "its old token stays dead");
        let left = client.graphql("{ webhookSubscriptionsCount { count } }", json!({})).await;
        assert_eq!(left["data"]["webhookSubscriptionsCount"]["count"], 0);
    }
}
