//! `POST /admin/oauth/access_token`: exchanges a code, a client secret, a client assertion or a refresh token for an access
//! token. Pure except for random numbers.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::model::{Scope, ShopDomain};

use super::app::{App, Apps, Category, Secret};
use super::assertion::{self, UsedAssertions};
use super::grants::{Refresh, Token, TokenKind, TokenState};
use super::sign::TokenIssuer;
use super::{OAuthResult, pages};
use crate::sandbox::reply::Reply;
use crate::sandbox::store::{ShopStatus, StoredShop};

/// RFC 8693, and Shopify's name for an offline token (its JavaScript library).
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const OFFLINE_TOKEN: &str = "urn:shopify:params:oauth:token-type:offline-access-token";

/// Lifetime of an expiring offline token, in seconds (shopify.dev).
const OFFLINE_SECONDS: u32 = 3_600;
/// Lifetime of an online token and of a token for client credentials, in seconds.
const DAY_SECONDS: u32 = 86_399;
/// Lifetime of a token for a client assertion of a public app, in seconds; other apps have a day (shopify.dev,
/// application-only access tokens).
const PUBLIC_SECONDS: u32 = 3_600;
/// Lifetime of a refresh token, in seconds: 90 days.
const REFRESH_SECONDS: u32 = 7_776_000;

/// Parses the parameters of a body, which is JSON or a form.
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

/// The grant type, for the log.
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

/// An OAuth error: status, `error` and `error_description`.
struct OAuthError(u16, &'static str, String);

impl OAuthError {
    fn request(description: impl Into<String>) -> Self {
        Self(400, "invalid_request", description.into())
    }

    /// The response: JSON for a client that accepts it, otherwise Shopify's page.
    fn reply(self, json: bool) -> Reply {
        let Self(status, error, description) = self;
        if json {
            Reply::json(status, json!({ "error": error, "error_description": description }))
        } else {
            pages::error(status, error, &description)
        }
    }
}

/// A token request with what is needed to answer it.
pub(super) struct TokenRequest<'a> {
    pub(super) domain: &'a ShopDomain,
    pub(super) apps: &'a Apps<'a>,
    pub(super) issuer: &'a TokenIssuer<'a>,
    pub(super) parameters: &'a HashMap<String, String>,
    /// Whether the client accepts JSON.
    pub(super) json: bool,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

impl TokenRequest<'_> {
    /// Answers the request. A refused request changes nothing that has to be recorded: a code that expired stays invalid.
    pub(super) fn answer(&self, shop: &mut StoredShop, used: &mut UsedAssertions) -> OAuthResult {
        match self.token(shop, used) {
            Ok(body) => OAuthResult { reply: Reply::json(200, body), changed: true },
            Err(error) => OAuthResult { reply: error.reply(self.json), changed: false },
        }
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn token(&self, shop: &mut StoredShop, used: &mut UsedAssertions) -> Result<Value, OAuthError> {
        let grant = grant(self.parameters);
        let app = if self.parameters.contains_key("client_assertion") {
            self.by_assertion(grant, used)?
        } else {
            self.by_secret()?
        };
        if shop.status == ShopStatus::Uninstalled && grant != "authorization_code" {
            return Err(OAuthError(400, "app_not_installed", "The app is not installed on this shop.".into()));
        }
        match grant {
            "authorization_code" => self.exchange(&app, shop),
            "client_credentials" | "client_assertion" => self.application(&app, shop, grant),
            "refresh_token" => self.refresh(&app, shop),
            "token_exchange" => self.migrate(&app, shop),
            _ => Err(OAuthError(400, "unsupported_grant_type", "The sandbox does not support this grant type.".into())),
        }
    }

    /// Authenticates the app by its secret.
    fn by_secret(&self) -> Result<App, OAuthError> {
        let client_id = self.parameter("client_id");
        let app = self.apps.find(client_id).ok_or_else(|| {
            OAuthError::request(format!("Could not find Shopify API application with api_key {client_id}"))
        })?;
        if !app.knows_secret(self.parameter("client_secret")) {
            return Err(OAuthError(400, "invalid_client", "The client secret is not valid for this app.".into()));
        }
        Ok(app)
    }

    /// Authenticates the app by its client assertion. A second authentication is an error (RFC 6749, section 2.3), and a
    /// client id must be the subject of the assertion (RFC 7521, section 4.2).
    fn by_assertion(&self, grant: &str, used: &mut UsedAssertions) -> Result<App, OAuthError> {
        let refused = |description: String| OAuthError(400, "invalid_client", description);
        if grant != "client_assertion" {
            return Err(OAuthError::request("A client assertion is accepted only with grant_type client_credentials."));
        }
        if self.parameter("client_assertion_type") != assertion::TYPE {
            return Err(refused(format!("The client_assertion_type must be {}.", assertion::TYPE)));
        }
        if self.parameters.contains_key("client_secret") {
            return Err(OAuthError::request("A client assertion and a client secret cannot be used together."));
        }
        let given = self.parameter("client_assertion");
        let app = assertion::verify(given, self.apps, self.domain, used, self.now).map_err(refused)?;
        if self.parameters.get("client_id").is_some_and(|id| *id != app.client_id) {
            return Err(refused("The client_id is not the subject of the client assertion.".into()));
        }
        Ok(app)
    }

    fn exchange(&self, app: &App, shop: &mut StoredShop) -> Result<Value, OAuthError> {
        let used = || OAuthError::request("The authorization code was not found or was already used");
        let code = shop.grants.take_code(&app.client_id, self.parameter("code"), self.now).ok_or_else(used)?;
        let token = if code.online {
            self.make(app, shop, TokenKind::Online, "shpua", Some(app.token_seconds.unwrap_or(DAY_SECONDS)))
        } else if self.parameter("expiring") == "1" {
            self.pair(app, &self.make(app, shop, TokenKind::Offline, "shpat", None))
        } else {
            self.make(app, shop, TokenKind::Offline, "shpat", None)
        };
        Ok(self.issue(shop, token))
    }

    /// Issues a token for client credentials or a client assertion. With an assertion, a public app gets one for every shop
    /// that installed it. All other apps get one for the shops of their organization only.
    fn application(&self, app: &App, shop: &mut StoredShop, grant: &str) -> Result<Value, OAuthError> {
        let asserted = grant == "client_assertion";
        let public = asserted && shop.category(app) == Category::Public;
        if shop.policy.foreign_organization && !public {
            let description = "Client credentials cannot be performed on this shop.";
            return Err(OAuthError(400, "shop_not_permitted", description.into()));
        }
        let seconds = app.token_seconds.unwrap_or(if public { PUBLIC_SECONDS } else { DAY_SECONDS });
        let kind = if asserted { TokenKind::ClientAssertion } else { TokenKind::ClientCredentials };
        let token = self.make(app, shop, kind, "shpat", Some(seconds));
        Ok(self.issue(shop, token))
    }

    fn refresh(&self, app: &App, shop: &mut StoredShop) -> Result<Value, OAuthError> {
        let inactive = || OAuthError(401, "invalid_request", "This request requires an active refresh_token".into());
        let make = self.make(app, shop, TokenKind::Offline, "shpat", None);
        let pair = |_: &Token| self.pair(app, &make);
        let given = self.parameter("refresh_token");
        let token = shop.grants.refresh(&app.client_id, given, app.resilient_refresh, self.now, pair);
        token.map(|token| self.body(token)).ok_or_else(inactive)
    }

    /// Exchanges a non-expiring offline token for an expiring pair and invalidates it. The messages are assumed; the name of
    /// the error is from Shopify's JavaScript library.
    fn migrate(&self, app: &App, shop: &mut StoredShop) -> Result<Value, OAuthError> {
        let kinds = ["subject_token_type", "requested_token_type"];
        if kinds.iter().any(|kind| self.parameter(kind) != OFFLINE_TOKEN) || self.parameter("expiring") != "1" {
            return Err(OAuthError::request(
                "The sandbox exchanges only non-expiring offline tokens for expiring tokens",
            ));
        }
        let given = self.parameter("subject_token");
        let lives = match shop.grants.state_of(given, self.now) {
            TokenState::Valid { expiring } => !expiring,
            TokenState::Expired => false,
            TokenState::Unknown => shop.accepts_unissued(given, self.issuer),
        };
        if !lives {
            return Err(OAuthError(400, "invalid_subject_token", "The subject token is not active.".into()));
        }
        shop.grants.exchanged(given);
        let token = self.pair(app, &self.make(app, shop, TokenKind::Offline, "shpat", None));
        Ok(self.issue(shop, token))
    }

    fn issue(&self, shop: &mut StoredShop, token: Token) -> Value {
        let body = self.body(&token);
        shop.grants.issue(token, self.now);
        body
    }

    fn ends(&self, seconds: u32) -> i64 {
        self.now + i64::from(seconds) * 1000
    }

    fn make(&self, app: &App, shop: &StoredShop, kind: TokenKind, prefix: &str, seconds: Option<u32>) -> Token {
        Token {
            access: Secret::new(self.issuer.issue(prefix)),
            kind,
            client_id: app.client_id.clone(),
            scopes: shop.scopes.clone(),
            expires_at: seconds.map(|seconds| self.ends(seconds)),
            refresh: None,
            replaces: None,
        }
    }

    /// Adds an expiry and a refresh token to `token`.
    fn pair(&self, app: &App, token: &Token) -> Token {
        let refresh = Refresh {
            token: Secret::new(self.issuer.issue("shprt")),
            expires_at: self.ends(app.refresh_token_seconds.unwrap_or(REFRESH_SECONDS)),
            used_at: None,
        };
        let expires_at = Some(self.ends(app.token_seconds.unwrap_or(OFFLINE_SECONDS)));
        Token { refresh: Some(refresh), expires_at, ..token.clone() }
    }

    /// The response body for a token.
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
        if token.kind == TokenKind::Online {
            body["associated_user_scope"] = scope.into();
            body["associated_user"] = json!({
                "id": 902_541_635_u64, "first_name": "Sam", "last_name": "Sandbox", "email": "sam@sandbox.example",
                "email_verified": true, "account_owner": true, "locale": "en", "collaborator": false,
            });
        }
        body
    }
}

/// The scopes of a response. They do not name read scopes that a write scope implies (Shopify's libraries compress scopes
/// before they compare them).
fn scopes(granted: &[String]) -> String {
    let implied: Vec<_> = granted.iter().filter_map(|scope| Scope::observed(scope).implied()).collect();
    let named = granted.iter().filter(|scope| !implied.iter().any(|implied| implied.as_str() == *scope));
    named.cloned().collect::<Vec<_>>().join(",")
}
