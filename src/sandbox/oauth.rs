//! The OAuth side of a shop: the page that asks the merchant, the callback, and the token endpoint.
//!
//! Pure but for chance: the desk brings the shop and the time, and makes durable what was changed.

mod app;
mod assertion;
mod authorize;
mod grants;
mod jwk;
mod pages;
mod sign;
mod token;

use std::collections::HashMap;

use url::form_urlencoded;

use crate::model::ShopDomain;

use super::gate;
use super::reply::Reply;
use super::store::{Shop, Status};

pub use grants::End;
pub use jwk::Jwk;

pub(super) use app::{App, Apps, Category, NonExpiring, Registered, Secret};
pub(super) use assertion::Seen;
pub(super) use grants::{Grants, Standing};
pub(super) use sign::Mint;

/// What is asked of OAuth.
pub(super) enum Ask<'a> {
    /// The page that asks the merchant, with the query.
    Page { query: &'a str },
    /// The merchant's yes, with the form of that page.
    Install { form: &'a [u8] },
    /// A token, with the body; `json`: the caller accepts JSON.
    Token { body: &'a [u8], json: bool },
}

/// With what it is answered.
pub(super) struct With<'a> {
    pub(super) apps: Apps<'a>,
    pub(super) mint: Mint<'a>,
    pub(super) seen: &'a mut Seen,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

/// The answer, and whether the shop was changed.
pub(super) struct Done {
    pub(super) reply: Reply,
    pub(super) changed: bool,
}

impl From<Reply> for Done {
    fn from(reply: Reply) -> Self {
        Self { reply, changed: false }
    }
}

/// The kind of grant that a token request asks for, in words that can be logged.
pub(super) fn grant(body: &[u8]) -> &'static str {
    token::grant(&token::parameters(body))
}

/// The page for an address whose shop can't be one.
pub(super) fn no_such_shop(name: &str) -> Reply {
    pages::error(400, "invalid_request", &format!("Could not find the shop {name}"))
}

/// Answers `ask` for a shop; `None`: the sandbox has no such shop.
pub(super) fn answer(domain: &ShopDomain, shop: Option<&mut Shop>, ask: &Ask<'_>, with: &mut With<'_>) -> Done {
    let shop = shop.filter(|shop| shop.status != Status::NotFound);
    if let Ask::Token { body, json } = ask {
        let Some(shop) = shop else { return gate::refused(404, "Not Found").into() };
        if let Some(reply) = gate::closed(shop) {
            return reply.into();
        }
        let parameters = token::parameters(body);
        let With { apps, mint, seen, now } = with;
        let ask = token::Ask { domain, apps, mint, parameters: &parameters, json: *json, now: *now };
        let done = token::answer(shop, &ask, seen);
        return Done { reply: dated(done.reply, apps.own, *now), ..done };
    }
    let Some(shop) = shop else { return no_such_shop(domain.as_str()).into() };
    if let Some(reply) = gate::closed(shop) {
        return reply.into();
    }
    let (text, install) = match ask {
        Ask::Page { query } => (query.as_bytes(), false),
        Ask::Install { form } => (*form, true),
        Ask::Token { .. } => (&[][..], false),
    };
    let parameters: HashMap<String, String> = form_urlencoded::parse(text).into_owned().collect();
    if !install && parameters.contains_key("cancelled") {
        return pages::cancelled(domain).into();
    }
    match authorize::check(&parameters, shop, with) {
        Err((error, description)) => pages::error(400, error, &description).into(),
        Ok(asked) if install => authorize::install(domain, shop, &asked, with),
        Ok(asked) => pages::consent(domain, shop, &asked).into(),
    }
}

/// The answer with the time of the app's clock, where a seed sets that apart from this machine's.
fn dated(reply: Reply, app: &App, now: i64) -> Reply {
    let clock = app.clock(now);
    match jiff::Timestamp::from_millisecond(clock) {
        Ok(time) if clock != now => reply.header("date", time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        _ => reply,
    }
}
