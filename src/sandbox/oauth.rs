//! OAuth of a shop: the page that asks the merchant, the callback, and the token endpoint.
//!
//! Pure except for random numbers. The service passes the shop and the time, and makes changes durable.

mod app;
mod assertion;
mod authorize;
mod grants;
mod pages;
mod sign;
mod token;

use std::collections::HashMap;

use url::form_urlencoded;

use crate::model::ShopDomain;

use super::access::closed;
use super::reply::Reply;
use super::store::{ShopStatus, StoredShop};
use token::TokenRequest;

pub(crate) use assertion::Jwk;
pub(crate) use grants::Invalidation;

pub(super) use app::{App, Apps, Category, NonExpiring, RegisteredApp, Secret};
pub(super) use assertion::UsedAssertions;
pub(super) use grants::{Grants, TokenState};
pub(super) use sign::TokenIssuer;

/// A request to OAuth.
pub(super) enum OAuthRequest<'a> {
    /// Shows the page that asks the merchant.
    Page { query: &'a str },
    /// Submits the form of that page.
    Install { form: &'a [u8] },
    /// Requests a token. `json`: the client accepts JSON.
    Token { body: &'a [u8], json: bool },
}

/// Values other than the shop that are needed to answer a request.
pub(super) struct OAuthContext<'a> {
    pub(super) apps: Apps<'a>,
    pub(super) issuer: TokenIssuer<'a>,
    pub(super) used_assertions: &'a mut UsedAssertions,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

/// The response, and whether the shop was changed.
pub(super) struct OAuthResult {
    pub(super) reply: Reply,
    pub(super) changed: bool,
}

impl From<Reply> for OAuthResult {
    fn from(reply: Reply) -> Self {
        Self { reply, changed: false }
    }
}

/// The grant type of a token request, for the log.
pub(super) fn grant(body: &[u8]) -> &'static str {
    token::grant(&token::parameters(body))
}

/// The error page for an invalid or unknown shop.
pub(super) fn no_such_shop(name: &str) -> Reply {
    pages::error(400, "invalid_request", &format!("Could not find the shop {name}"))
}

/// Answers a request. `shop` is `None` if the sandbox does not have the shop.
pub(super) fn answer(
    domain: &ShopDomain,
    shop: Option<&mut StoredShop>,
    request: &OAuthRequest<'_>,
    context: &mut OAuthContext<'_>,
) -> OAuthResult {
    let shop = shop.filter(|shop| shop.status != ShopStatus::NotFound);
    let (text, install) = match request {
        OAuthRequest::Token { body, json } => {
            let Some(shop) = shop else { return Reply::errors(404, "Not Found").into() };
            if let Some(reply) = closed(shop) {
                return reply.into();
            }
            let parameters = token::parameters(body);
            let OAuthContext { apps, issuer, used_assertions, now } = context;
            let request = TokenRequest { domain, apps, issuer, parameters: &parameters, json: *json, now: *now };
            let done = request.answer(shop, used_assertions);
            return OAuthResult { reply: with_date(done.reply, apps.own, *now), ..done };
        }
        OAuthRequest::Page { query } => (query.as_bytes(), false),
        OAuthRequest::Install { form } => (*form, true),
    };
    let Some(shop) = shop else { return no_such_shop(domain.as_str()).into() };
    if let Some(reply) = closed(shop) {
        return reply.into();
    }
    let parameters: HashMap<String, String> = form_urlencoded::parse(text).into_owned().collect();
    if !install && parameters.contains_key("cancelled") {
        return pages::cancelled(domain).into();
    }
    match authorize::check(&parameters, shop, context) {
        Err((error, description)) => pages::error(400, error, &description).into(),
        Ok(asked) if install => authorize::install(domain, shop, &asked, context),
        Ok(asked) => pages::consent(domain, shop, &asked).into(),
    }
}

/// Adds the time of the app's clock if the seed sets it apart from the clock of this machine.
fn with_date(reply: Reply, app: &App, now: i64) -> Reply {
    let clock = app.clock(now);
    match jiff::Timestamp::from_millisecond(clock) {
        Ok(time) if clock != now => reply.header("date", time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        _ => reply,
    }
}
