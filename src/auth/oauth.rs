//! The grants of Shopify's OAuth: sends the requests and interprets the answers. Stateless.
//!
//! Bodies and errors follow shopify.dev's documentation and Shopify's own libraries. An error of Shopify becomes a kind
//! with a message that names the remedy.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::admin::{AdminClient, AdminError, AdminErrorKind, Endpoint, OauthAnswer, Repeat, not_installed};
use crate::model::ShopDomain;

/// The grant type of a token exchange (RFC 8693), and Shopify's name of an offline token (from its JavaScript library).
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const OFFLINE_TOKEN: &str = "urn:shopify:params:oauth:token-type:offline-access-token";

/// The resolved credentials of an app.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) client_id: SecretString,
    pub(crate) client_secret: SecretString,
    pub(crate) old_client_secret: Option<SecretString>,
}

impl Credentials {
    /// Returns the secrets that may have signed a callback.
    pub(crate) fn secrets(&self) -> Vec<&SecretString> {
        std::iter::once(&self.client_secret).chain(&self.old_client_secret).collect()
    }
}

/// The kind of token to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// A token of the app without expiry.
    Offline,
    /// A token of the app that lasts an hour, with a refresh token.
    OfflineExpiring,
    /// A token of the user who approves the app, which lasts about a day.
    Online,
}

/// A token as issued by Shopify.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) access_token: SecretString,
    /// The granted scopes, which may be fewer than the requested ones.
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_in: Option<Duration>,
    pub(crate) refresh_token: Option<SecretString>,
    pub(crate) refresh_expires_in: Option<Duration>,
    /// The id of the user of an online token.
    pub(crate) user: Option<String>,
}

/// The parameters of an authorize URL.
pub(crate) struct Ask<'a> {
    pub(crate) client_id: &'a SecretString,
    /// Empty: the scopes of the app's own configuration.
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: &'a str,
    pub(crate) state: &'a str,
    pub(crate) access: Access,
}

/// Returns the URL at which a merchant approves the app. The URL is printed, so a value that does not look like a
/// client id is refused and not repeated: a manifest may reference any variable as `client_id`.
pub(crate) fn authorize_url(client: &AdminClient, shop: &ShopDomain, ask: &Ask<'_>) -> Result<String, AdminError> {
    if *client.endpoint() == Endpoint::Shopify && !is_client_id(ask.client_id.expose_secret()) {
        let message = "the value of `client_id` is not a Shopify client id (32 digits and letters `a` to `f`), so it \
                       is not printed. Check the reference";
        return Err(AdminError::new(AdminErrorKind::SecretUnavailable, message));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", ask.client_id.expose_secret());
    if !ask.scopes.is_empty() {
        query.append_pair("scope", &ask.scopes.join(","));
    }
    query.append_pair("redirect_uri", ask.redirect_uri).append_pair("state", ask.state);
    if ask.access == Access::Online {
        query.append_pair("grant_options[]", "per-user");
    }
    Ok(client.endpoint().url_for(shop, &format!("/admin/oauth/authorize?{}", query.finish())))
}

/// Every client id in Shopify's documentation and apps is 32 hexadecimal digits in lower case.
fn is_client_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// Exchanges the code of a callback. Sends the request once, because Shopify refuses a code the second time.
pub(crate) async fn exchange(
    client: &AdminClient,
    shop: &ShopDomain,
    app: &Credentials,
    code: &SecretString,
    access: Access,
) -> Result<Grant, AdminError> {
    let mut body = json!({ "code": code.expose_secret() });
    match access {
        Access::Online => {}
        Access::Offline => body["expiring"] = "0".into(),
        Access::OfflineExpiring => body["expiring"] = "1".into(),
    }
    let exchanged = ask(client, shop, app, body, &[code], Repeat::Never).await;
    exchanged.map_err(|error| unless_refused(error, "The code may have been used; start again"))
}

/// Requests a token with the client credentials grant.
pub(crate) async fn client_credentials(
    client: &AdminClient,
    shop: &ShopDomain,
    app: &Credentials,
) -> Result<Grant, AdminError> {
    ask(client, shop, app, json!({ "grant_type": "client_credentials" }), &[], Repeat::Safe).await
}

/// Requests a new pair for a refresh token. Repeating the request after a lost answer is safe: the refresh token stays
/// valid until the new pair is used (since 2026-08-28, documented).
pub(crate) async fn refresh(
    client: &AdminClient,
    shop: &ShopDomain,
    app: &Credentials,
    token: &SecretString,
) -> Result<Grant, AdminError> {
    let body = json!({ "grant_type": "refresh_token", "refresh_token": token.expose_secret() });
    ask(client, shop, app, body, &[token], Repeat::Safe).await
}

/// Exchanges an offline token without expiry for an expiring pair. Shopify then no longer accepts the old token
/// (shopify.dev, "Migrate to expiring offline access tokens"), so the request is sent once.
pub(crate) async fn migrate(
    client: &AdminClient,
    shop: &ShopDomain,
    app: &Credentials,
    token: &SecretString,
) -> Result<Grant, AdminError> {
    let body = json!({
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": token.expose_secret(),
        "subject_token_type": OFFLINE_TOKEN,
        "requested_token_type": OFFLINE_TOKEN,
        "expiring": "1",
    });
    ask(client, shop, app, body, &[token], Repeat::Never).await.map_err(|error| {
        let login = format!("`hookwright auth login --shop {}`", shop.handle());
        unless_refused(
            error,
            &format!("The token may have been exchanged. If the shop refuses it from now on, run {login}"),
        )
    })
}

/// Adds the possible effect of a request that must not be repeated, unless the shop certainly refused it.
fn unless_refused(error: AdminError, possible: &str) -> AdminError {
    let carried_out = match error.http_status {
        Some(status) => !matches!(status, 400..=404 | 423 | 429 | 430),
        None => error.proof == crate::http::Proof::Unknown,
    };
    if !carried_out {
        return error;
    }
    AdminError { message: format!("{}. {possible}", error.message), ..error }
}

async fn ask(
    client: &AdminClient,
    shop: &ShopDomain,
    app: &Credentials,
    mut body: Value,
    secrets: &[&SecretString],
    repeat: Repeat,
) -> Result<Grant, AdminError> {
    body["client_id"] = app.client_id.expose_secret().into();
    body["client_secret"] = app.client_secret.expose_secret().into();
    // Shopify's own error texts echo the client id, and another server may echo anything.
    let own = [&app.client_id, &app.client_secret].into_iter().chain(&app.old_client_secret);
    for secret in own.chain(secrets.iter().copied()) {
        client.remember(shop, secret);
    }
    let asked = body.get("grant_type").and_then(Value::as_str).unwrap_or("code").to_owned();
    let body = SecretString::from(body.to_string());
    match client.post_oauth(shop, &|| Ok(body.clone()), repeat).await {
        Ok(OauthAnswer::Granted(json)) => granted(client, shop, &json),
        Ok(OauthAnswer::Refused { said, error, .. }) => Err(refusal(shop, &asked, &said, error)),
        Err(error) => Err(error),
    }
}

/// Parses a grant and redacts its tokens from all logs from now on.
pub(super) fn granted(client: &AdminClient, shop: &ShopDomain, json: &Value) -> Result<Grant, AdminError> {
    let grant = grant(json)?;
    for secret in std::iter::once(&grant.access_token).chain(&grant.refresh_token) {
        client.remember(shop, secret);
    }
    let redactor = client.redactor(shop);
    let scopes = grant.scopes.iter().map(|scope| redactor.clean(scope)).collect();
    Ok(Grant { scopes, ..grant })
}

fn grant(json: &Value) -> Result<Grant, AdminError> {
    let text = |key: &str| json.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    // A number, or a number in quotes.
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let seconds = |key: &str| json.get(key).and_then(number).map(Duration::from_secs);
    let token = |key: &str| text(key).map(SecretString::from);
    let usable = |token: &SecretString| token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
    let access_token = token("access_token").filter(usable).ok_or_else(|| {
        let message = "the response to the token request has no usable access token";
        AdminError { http_status: Some(200), ..AdminError::new(AdminErrorKind::UnexpectedAnswer, message) }
    })?;
    let scopes = text("associated_user_scope").or_else(|| text("scope")).unwrap_or_default();
    Ok(Grant {
        access_token,
        scopes: scopes.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        expires_in: seconds("expires_in"),
        refresh_token: token("refresh_token"),
        refresh_expires_in: seconds("refresh_token_expires_in"),
        user: json.pointer("/associated_user/id").map(ToString::to_string),
    })
}

/// Quotes a server's text in parentheses.
pub(super) fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" (\"{said}\")") }
}

/// Explains a refusal of Shopify, with its remedy.
fn refusal(shop: &ShopDomain, asked: &str, said: &str, by_status: AdminError) -> AdminError {
    let has = |word: &str| said.to_ascii_lowercase().contains(word);
    let quoted = quoted(said);
    let handle = shop.handle();
    let (kind, message) = if has("app_not_installed") {
        (AdminErrorKind::Uninstalled, not_installed(&quoted))
    } else if has("shop_not_permitted") {
        let message = format!(
            "Shopify issues no token for client credentials in this shop{quoted}: the app and the shop must belong to \
             the same organisation. For other shops use `token_store` and `hookwright auth login --shop {handle}`"
        );
        (AdminErrorKind::ShopNotPermitted, message)
    } else if has("invalid_client") || has("could not find shopify api application") {
        let message = format!(
            "Shopify refused the app's client id and client secret{quoted}. Check the references `client_id` and \
             `client_secret`; after a rotation `client_secret` must be the new secret"
        );
        (AdminErrorKind::ClientRefused, message)
    } else if asked == TOKEN_EXCHANGE && (has("subject_token") || has("invalid_grant")) {
        let message = format!(
            "Shopify refused to exchange the token{quoted}: it belongs to another app or shop, was exchanged before, \
             or was revoked. Run `hookwright auth login --shop {handle}`"
        );
        (AdminErrorKind::LoginRequired, message)
    } else if asked == "refresh_token" && (has("refresh_token") || has("invalid_grant")) {
        let message = format!(
            "the refresh token is no longer valid{quoted}: it was used elsewhere, was revoked, or has expired. Run \
             `hookwright auth login --shop {handle}`"
        );
        (AdminErrorKind::LoginRequired, message)
    } else if has("authorization code") || has("invalid_grant") {
        let message = format!(
            "Shopify refused the code{quoted}: it was used before, or has expired. Run \
             `hookwright auth login --shop {handle}`"
        );
        (AdminErrorKind::CodeRefused, message)
    } else if matches!(by_status.http_status, Some(400 | 401)) {
        let message = format!("the token request was refused{quoted}. Check the app's credentials and the shop");
        (AdminErrorKind::ClientRefused, message)
    } else {
        return by_status;
    };
    AdminError { http_status: by_status.http_status, ..AdminError::new(kind, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_contains_nothing_but_a_real_client_id() {
        let shop = ShopDomain::parse("acme").expect("shop");
        let client = |endpoint| {
            AdminClient::new(crate::admin::AdminOptions::new(endpoint, crate::model::ApiVersion::default()))
                .expect("client")
        };
        let url = |client: &AdminClient, id: &str| {
            let id = SecretString::from(id);
            let ask = Ask {
                client_id: &id,
                scopes: Vec::new(),
                redirect_uri: "https://x.example/",
                state: "s",
                access: Access::Offline,
            };
            authorize_url(client, &shop, &ask)
        };
        let shopify = client(Endpoint::Shopify);
        assert!(url(&shopify, "0123456789abcdef0123456789abcdef").is_ok());
        for secret in ["ghp_0123456789abcdef0123456789abcdef0123", "shpss_0123456789abcdef0123456789abcdef", "hunter2"]
        {
            let error = url(&shopify, secret).expect_err(secret);
            assert!(error.kind == AdminErrorKind::SecretUnavailable && !error.message.contains(secret), "{error}");
        }
        let sandbox = client(Endpoint::parse("http://127.0.0.1:1/{shop}", &[]).expect("endpoint"));
        assert!(url(&sandbox, "sandbox-client").is_ok());
    }

    #[test]
    fn each_refusal_of_shopify_has_its_kind() {
        let shop = ShopDomain::parse("acme").expect("shop");
        for (said, status, kind) in [
            ("app_not_installed: x", 400, AdminErrorKind::Uninstalled),
            (
                "shop_not_permitted: Client credentials cannot be performed on this shop.",
                400,
                AdminErrorKind::ShopNotPermitted,
            ),
            ("invalid_client: Client authentication failed", 401, AdminErrorKind::ClientRefused),
            (
                "invalid_request: Could not find Shopify API application with api_key [redacted]",
                400,
                AdminErrorKind::ClientRefused,
            ),
            ("invalid_request: This request requires an active refresh_token", 401, AdminErrorKind::LoginRequired),
            ("invalid_grant", 400, AdminErrorKind::LoginRequired),
            (
                "invalid_request: The authorization code was not found or was already used",
                400,
                AdminErrorKind::CodeRefused,
            ),
            ("an HTML page: 400 - Oauth error invalid_request", 400, AdminErrorKind::ClientRefused),
        ] {
            let status =
                AdminError { http_status: Some(status), ..AdminError::new(AdminErrorKind::UnexpectedAnswer, "") };
            let error = refusal(&shop, "refresh_token", said, status);
            assert_eq!(error.kind, kind, "{said}");
            assert!(error.message.contains(said) && error.http_status.is_some(), "{said}");
        }
        let frozen = AdminError::new(AdminErrorKind::Frozen, "frozen");
        assert_eq!(refusal(&shop, "code", "Unavailable Shop", frozen.clone()), frozen);
    }

    #[test]
    fn every_field_of_a_grant_is_read() {
        let grant = grant(&json!({
            "access_token": "shpat_x", "scope": "write_orders,read_customers", "expires_in": 3600,
            "refresh_token": "shprt_y", "refresh_token_expires_in": 7_776_000
        }))
        .expect("grant");
        assert_eq!(grant.scopes, ["write_orders", "read_customers"]);
        assert_eq!((grant.expires_in, grant.user), (Some(Duration::from_hours(1)), None));
        assert!(grant.refresh_token.is_some() && grant.refresh_expires_in == Some(Duration::from_hours(90 * 24)));
        let online =
            json!({ "access_token": "t", "scope": "a", "associated_user_scope": "b", "associated_user": { "id": 7 } });
        let online = super::grant(&online).expect("grant");
        assert_eq!((online.scopes, online.user.as_deref()), (vec!["b".to_owned()], Some("7")));
        assert!(super::grant(&json!({ "access_token": "a\nb" })).is_err());
        assert!(super::grant(&json!({ "access_token": 7 })).is_err());
    }
}
