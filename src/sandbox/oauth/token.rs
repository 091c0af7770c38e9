//! `POST /admin/oauth/access_token`: a code, a client's secret, a client assertion or a refresh token against an access
//! token. Pure.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::model::{Scope, ShopDomain};

use super::app::{App, Apps, Category, Secret};
use super::assertion::{self, Seen};
use super::grants::{Kind, Refresh, Standing, Token};
use super::sign::Mint;
use super::{Done, pages};
use crate::sandbox::reply::Reply;
use crate::sandbox::store::{Shop, Status};

/// RFC 8693, and Shopify's name of an offline token (its JavaScript library).
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const OFFLINE_TOKEN: &str = "urn:shopify:params:oauth:token-type:offline-access-token";

/// Of an expiring offline token, in seconds (shopify.dev).
const OFFLINE_SECONDS: u32 = 3_600;
/// Of an online token and of one for client credentials.
const DAY_SECONDS: u32 = 86_399;
/// Of a token for a client assertion of a public app; other apps have a day (shopify.dev, application-only access tokens).
const PUBLIC_SECONDS: u32 = 3_600;
/// 90 days.
const REFRESH_SECONDS: u32 = 7_776_000;

/// The parameters of a body, JSON or form.
pub(super) fn parameters(body: &[u8]) -> HashMap<String, String> {
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Bool(yes) => Some(u8::from(yes).to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match serde_json::from_slice::<HashMap<String, Value>>(body) {
        Ok(map) => map.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect(),
        Err(_) => form_urlencoded::parse(body).into_owned().collect(),
    }
}

/// What is asked for, in words that can be logged.
pub(super) fn grant(parameters: &HashMap<String, String>) -> &'static str {
    match parameters.get("grant_type").map(String::as_str) {
        None | Some("authorization_code") => "authorization_code",
        Some("client_credentials") if parameters.contains_key("client_assertion") => "client_assertion",
        Some("client_credentials") => "client_credentials",
        Some("refresh_token") => "refresh_token",
        Some(TOKEN_EXCHANGE) => "token_exchange",
        Some(_) => "other",
    }
}

/// Why there is no token: status, `error` and `error_description`.
struct Refusal(u16, &'static str, String);

impl Refusal {
    fn request(description: impl Into<String>) -> Self {
        Self(400, "invalid_request", description.into())
    }

    /// As JSON for a caller who accepts that, else as Shopify's page.
    fn reply(self, json: bool) -> Reply {
        let Self(status, error, description) = self;
        if json {
            Reply::json(status, json!({ "error": error, "error_description": description }))
        } else {
            pages::error(status, error, &description)
        }
    }
}

/// A request for a token, with what it takes to answer it.
pub(super) struct Ask<'a> {
    pub(super) domain: &'a ShopDomain,
    pub(super) apps: &'a Apps<'a>,
    pub(super) mint: &'a Mint<'a>,
    pub(super) parameters: &'a HashMap<String, String>,
    /// Whether the caller accepts JSON.
    pub(super) json: bool,
    /// Milliseconds.
    pub(super) now: i64,
}

/// Answers `ask`.
pub(super) fn answer(shop: &mut Shop, ask: &Ask<'_>, seen: &mut Seen) -> Done {
    match ask.token(shop, seen) {
        Ok(body) => Done { reply: Reply::json(200, body), changed: true },
        // A code that came too late is gone as well.
        Err(refusal) => Done { reply: refusal.reply(ask.json), changed: false },
    }
}

impl Ask<'_> {
    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn token(&self, shop: &mut Shop, seen: &mut Seen) -> Result<Value, Refusal> {
        let grant = grant(self.parameters);
        let app = if self.parameters.contains_key("client_assertion") {
            self.by_assertion(grant, seen)?
        } else {
            self.by_secret()?
        };
        if shop.status == Status::Uninstalled && grant != "authorization_code" {
            return Err(Refusal(400, "app_not_installed", "The app is not installed on this shop.".into()));
        }
        match grant {
            "authorization_code" => self.exchange(&app, shop),
            "client_credentials" | "client_assertion" => self.application(&app, shop, grant),
            "refresh_token" => self.refresh(&app, shop),
            "token_exchange" => self.migrate(&app, shop),
            _ => Err(Refusal(400, "unsupported_grant_type", "The grant type is not one that the sandbox has.".into())),
        }
    }

    /// The app that its secret shows it to be.
    fn by_secret(&self) -> Result<App, Refusal> {
        let client_id = self.parameter("client_id");
        let app = self.apps.find(client_id).ok_or_else(|| {
            Refusal::request(format!("Could not find Shopify API application with api_key {client_id}"))
        })?;
        if !app.knows_secret(self.parameter("client_secret")) {
            return Err(Refusal(400, "invalid_client", "The client secret is not valid for this app.".into()));
        }
        Ok(app)
    }

    /// The app that signed the assertion. Nothing else may authenticate it beside that (RFC 6749, section 2.3), and a
    /// client id must be the assertion's subject (RFC 7521, section 4.2).
    fn by_assertion(&self, grant: &str, seen: &mut Seen) -> Result<App, Refusal> {
        let refused = |description: String| Refusal(400, "invalid_client", description);
        if grant != "client_assertion" {
            return Err(Refusal::request("A client assertion is taken with grant_type client_credentials only."));
        }
        if self.parameter("client_assertion_type") != assertion::TYPE {
            return Err(refused(format!("The client_assertion_type must be {}.", assertion::TYPE)));
        }
        if self.parameters.contains_key("client_secret") {
            return Err(Refusal::request("A client assertion and a client secret cannot be used together."));
        }
        let given = self.parameter("client_assertion");
        let app = assertion::verify(given, self.apps, self.domain, seen, self.now).map_err(refused)?;
        if self.parameters.get("client_id").is_some_and(|id| *id != app.client_id) {
            return Err(refused("The client_id is not the subject of the client assertion.".into()));
        }
        Ok(app)
    }

    fn exchange(&self, app: &App, shop: &mut Shop) -> Result<Value, Refusal> {
        let used = || Refusal::request("The authorization code was not found or was already used");
        let code = shop.grants.take_code(&app.client_id, self.parameter("code"), self.now).ok_or_else(used)?;
        let token = if code.online {
            self.make(app, shop, Kind::Online, "shpua", Some(app.token_seconds.unwrap_or(DAY_SECONDS)))
        } else if self.parameter("expiring") == "1" {
            self.pair(app, &self.make(app, shop, Kind::Offline, "shpat", None))
        } else {
            self.make(app, shop, Kind::Offline, "shpat", None)
        };
        Ok(self.issue(shop, token))
    }

    /// A token of the app's own, without a person. An app that is public has one for every shop that installed it, with
    /// a client assertion; any other only for the shops of its organization.
    fn application(&self, app: &App, shop: &mut Shop, grant: &str) -> Result<Value, Refusal> {
        let asserted = grant == "client_assertion";
        let public = asserted && shop.category(app) == Category::Public;
        if shop.policy.foreign_organization && !public {
            let description = "Client credentials cannot be performed on this shop.";
            return Err(Refusal(400, "shop_not_permitted", description.into()));
        }
        let seconds = app.token_seconds.unwrap_or(if public { PUBLIC_SECONDS } else { DAY_SECONDS });
        let kind = if asserted { Kind::ClientAssertion } else { Kind::ClientCredentials };
        let token = self.make(app, shop, kind, "shpat", Some(seconds));
        Ok(self.issue(shop, token))
    }

    fn refresh(&self, app: &App, shop: &mut Shop) -> Result<Value, Refusal> {
        let dead = || Refusal(401, "invalid_request", "This request requires an active refresh_token".into());
        let make = self.make(app, shop, Kind::Offline, "shpat", None);
        let pair = |_: &Token| self.pair(app, &make);
        let given = self.parameter("refresh_token");
        let token = shop.grants.refresh(&app.client_id, given, app.resilient_refresh, self.now, pair);
        token.map(|token| self.body(token)).ok_or_else(dead)
    }

    /// An offline token without an end for an expiring pair; the old token is dead then. Texts are assumed, but for the
    /// name of the error (Shopify's JavaScript library).
    fn migrate(&self, app: &App, shop: &mut Shop) -> Result<Value, Refusal> {
        let kinds = ["subject_token_type", "requested_token_type"];
        if kinds.iter().any(|kind| self.parameter(kind) != OFFLINE_TOKEN) || self.parameter("expiring") != "1" {
            return Err(Refusal::request("The sandbox exchanges offline tokens without an end for expiring ones"));
        }
        let given = self.parameter("subject_token");
        let lives = match shop.grants.standing(given, self.now) {
            Standing::Good { expiring } => !expiring,
            Standing::Expired => false,
            Standing::Unknown => shop.accepts_unissued(given, self.mint),
        };
        if !lives {
            return Err(Refusal(400, "invalid_subject_token", "The subject token is not active.".into()));
        }
        shop.grants.exchanged(given);
        let token = self.pair(app, &self.make(app, shop, Kind::Offline, "shpat", None));
        Ok(self.issue(shop, token))
    }

    fn issue(&self, shop: &mut Shop, token: Token) -> Value {
        let body = self.body(&token);
        shop.grants.issue(token, self.now);
        body
    }

    fn ends(&self, seconds: u32) -> i64 {
        self.now + i64::from(seconds) * 1000
    }

    fn make(&self, app: &App, shop: &Shop, kind: Kind, prefix: &str, seconds: Option<u32>) -> Token {
        Token {
            access: Secret::new(self.mint.make(prefix)),
            kind,
            client_id: app.client_id.clone(),
            scopes: shop.scopes.clone(),
            expires_at: seconds.map(|seconds| self.ends(seconds)),
            refresh: None,
            replaces: None,
        }
    }

    /// `token` as one that ends and can be refreshed.
    fn pair(&self, app: &App, token: &Token) -> Token {
        let refresh = Refresh {
            token: Secret::new(self.mint.make("shprt")),
            expires_at: self.ends(app.refresh_token_seconds.unwrap_or(REFRESH_SECONDS)),
            used_at: None,
        };
        let expires_at = Some(self.ends(app.token_seconds.unwrap_or(OFFLINE_SECONDS)));
        Token { refresh: Some(refresh), expires_at, ..token.clone() }
    }

    /// What the caller gets to see of a token.
    fn body(&self, token: &Token) -> Value {
        let left = |at: i64| (at - self.now) / 1000;
        let scope = scopes(&token.scopes);
        let mut body = json!({ "access_token": token.access, "scope": scope });
        if let Some(at) = token.expires_at {
            body["expires_in"] = left(at).into();
        }
        if let Some(refresh) = &token.refresh {
            body["refresh_token"] = json!(refresh.token);
            body["refresh_token_expires_in"] = left(refresh.expires_at).into();
        }
        if token.kind == Kind::Online {
            body["associated_user_scope"] = scope.into();
            body["associated_user"] = json!({
                "id": 902_541_635_u64, "first_name": "Sam", "last_name": "Sandbox", "email": "sam@sandbox.example",
                "email_verified": true, "account_owner": true, "locale": "en", "collaborator": false,
            });
        }
        body
    }
}

/// Scopes as an answer has them: what a write scope brings along is not named (the libraries' AuthScopes compress theirs
/// to compare).
fn scopes(granted: &[String]) -> String {
    let implied: Vec<_> = granted.iter().filter_map(|scope| Scope::observed(scope).implied()).collect();
    let named = granted.iter().filter(|scope| !implied.iter().any(|implied| implied.as_str() == *scope));
    named.cloned().collect::<Vec<_>>().join(",")
}
