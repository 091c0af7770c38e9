//! What stands between a request and its execution: the shop's status, the token, and faults. Every answer that is not
//! the store's own comes from here.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::{Commit, Fault};
use super::graphql::Mishap;
use super::oauth::{App, Category, Mint, NonExpiring, Standing};
use super::page::Shift;
use super::reply::Reply;
use super::store::{Shop, Status};
use super::wire::Trouble;

/// 2027-01-01T00:00:00Z: from then on the Admin API rejects tokens without an end of public apps (shopify.dev, "Migrate to
/// expiring offline access tokens"; the hour is assumed).
const PUBLIC_APPS_NEED_AN_END: i64 = 1_798_761_600_000;

/// What tokens are judged by.
pub(super) struct Judge<'a> {
    pub(super) mint: Mint<'a>,
    pub(super) app: &'a App,
    /// Milliseconds since 1970, for what holds from a date on.
    pub(super) today: i64,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

/// The answer instead of the store's, if the request gets no further. `shop` is `None` where there is none.
pub(super) fn before(shop: Option<&Shop>, token: Option<&str>, judge: &Judge<'_>) -> Option<Reply> {
    let Some(shop) = shop else { return Some(refused(404, "Not Found")) };
    match shop.status {
        Status::Ok => {}
        Status::TokenRefused | Status::Uninstalled => return Some(unauthorized()),
        Status::Frozen | Status::Locked => return closed(shop),
        Status::PaymentRequired => {
            return Some(refused(402, "This shop's plan does not have access to this feature"));
        }
        Status::Forbidden => {
            let message = "[API] This action requires merchant approval for read_products scope.";
            return Some(refused(403, message));
        }
        Status::NotFound => return Some(refused(404, "Not Found")),
    }
    let Some(given) = token.filter(|token| !token.is_empty()) else { return Some(unauthorized()) };
    let expiring = match shop.grants.standing(given, judge.now) {
        Standing::Good { expiring } => expiring,
        Standing::Expired => return Some(unauthorized()),
        Standing::Unknown => {
            if !shop.accepts_unissued(given, &judge.mint) {
                return Some(unauthorized());
            }
            false
        }
    };
    let by_date = || {
        let refused = shop.category(judge.app) == Category::Public && judge.today >= PUBLIC_APPS_NEED_AN_END;
        if refused { NonExpiring::Refused } else { NonExpiring::Accepted }
    };
    let without_end = shop.policy.non_expiring.or(judge.app.non_expiring).unwrap_or_else(by_date);
    (!expiring && without_end == NonExpiring::Refused).then(|| {
        refused(
            403,
            "[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline \
             tokens: https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens",
        )
    })
}

/// The answer of a shop that is closed to everybody, OAuth included.
pub(super) fn closed(shop: &Shop) -> Option<Reply> {
    match shop.status {
        Status::Frozen => Some(refused(402, "Unavailable Shop")),
        Status::Locked => Some(refused(423, "This shop is unavailable")),
        _ => None,
    }
}

/// An answer with Shopify's error body.
pub(super) fn refused(status: u16, errors: impl Into<Value>) -> Reply {
    Reply::json(status, json!({ "errors": errors.into() }))
}

fn unauthorized() -> Reply {
    refused(401, "[API] Invalid API key or access token (unrecognized login or wrong password)")
        .header("www-authenticate", "Basic Realm=\"Shopify API Authentication\"")
}

/// What a fault does to a request.
#[derive(Default)]
pub(super) struct Effect {
    /// This is answered, and nothing is carried out.
    pub(super) instead: Option<Reply>,
    /// It is carried out, and this is answered.
    pub(super) afterwards: Option<Reply>,
    /// It goes wrong while it is carried out.
    pub(super) mishap: Option<Mishap>,
    /// Content type and text in place of the body.
    pub(super) body: Option<(&'static str, String)>,
    /// The body ends in the middle.
    pub(super) truncated: bool,
    pub(super) trouble: Trouble,
}

/// What a fault, struck with a roll of the dice, does to a request over GraphQL or REST.
pub(super) fn effect((fault, roll): &(Fault, u64), graphql: bool) -> Effect {
    let answered = |commit: Commit, reply: Reply| match commit {
        Commit::Before => Effect { instead: Some(reply), ..Effect::default() },
        Commit::After => Effect { afterwards: Some(reply), ..Effect::default() },
    };
    let failed = |status| refused(status, "An unexpected error occurred");
    match fault {
        Fault::Throttled {} if graphql => Effect { mishap: Some(Mishap::Throttled), ..Effect::default() },
        Fault::Throttled {} => answered(Commit::Before, too_many("2.0".into())),
        Fault::RateLimited { retry_after } => answered(Commit::Before, too_many(format!("{retry_after:?}"))),
        Fault::ServerError { status, commit } => answered(*commit, failed(*status)),
        Fault::InternalError { commit } if graphql => {
            let mishap = Mishap::Internal { roll: *roll, commit: *commit };
            Effect { mishap: Some(mishap), ..Effect::default() }
        }
        Fault::InternalError { commit } => answered(*commit, failed(500)),
        Fault::ShiftingPages { size, by } => {
            let mishap = Mishap::Shifting(Shift { size: *size, by: *by });
            Effect { mishap: Some(mishap), ..Effect::default() }
        }
        Fault::Html { status, commit } => {
            let page = format!("<!DOCTYPE html><html><head><title>{status}</title></head><body>Sorry</body></html>");
            Effect { body: Some(("text/html", page)), ..answered(*commit, failed(*status)) }
        }
        Fault::Empty { status, commit } => {
            Effect { body: Some(("text/plain", String::new())), ..answered(*commit, failed(*status)) }
        }
        Fault::Drop { commit } => Effect { trouble: Trouble::Cut, ..answered(*commit, failed(500)) },
        Fault::Truncated {} => Effect { truncated: true, ..Effect::default() },
        Fault::CutBody {} => Effect { trouble: Trouble::CutHalfway, ..Effect::default() },
        Fault::SlowBody { ms } => Effect { trouble: Trouble::Slow(Duration::from_millis(*ms)), ..Effect::default() },
        // Not about the answer.
        Fault::Latency { .. }
        | Fault::TokenRevoked {}
        | Fault::Frozen {}
        | Fault::Locked {}
        | Fault::Uninstalled {}
        | Fault::Removed { .. }
        | Fault::OtherWriter { .. } => Effect::default(),
    }
}

fn too_many(retry_after: String) -> Reply {
    let message = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.";
    refused(429, message).header("retry-after", retry_after)
}
