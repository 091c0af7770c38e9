//! Whether a request may use the Admin API of a shop: the status of the shop and the access token decide.

use super::oauth::{App, Category, NonExpiring, TokenIssuer, TokenState};
use super::reply::Reply;
use super::store::{ShopStatus, StoredShop};

/// 2027-01-01T00:00:00Z: from then on the Admin API rejects non-expiring tokens of public apps (shopify.dev, "Migrate to
/// expiring offline access tokens"; the hour is assumed).
const NON_EXPIRING_REJECTED_FROM: i64 = 1_798_761_600_000;

/// Values other than the shop and the token that an access check needs.
pub(super) struct AccessContext<'a> {
    pub(super) issuer: TokenIssuer<'a>,
    pub(super) app: &'a App,
    /// The date for rules that start on a date, in milliseconds since 1970.
    pub(super) today: i64,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

/// Returns the error response if the request is refused. `shop` is `None` if the sandbox does not have the shop.
pub(super) fn check(shop: Option<&StoredShop>, token: Option<&str>, context: &AccessContext<'_>) -> Option<Reply> {
    let Some(shop) = shop else { return Some(Reply::errors(404, "Not Found")) };
    match shop.status {
        ShopStatus::Ok => {}
        ShopStatus::TokenRefused | ShopStatus::Uninstalled => return Some(unauthorized()),
        ShopStatus::Frozen | ShopStatus::Locked => return closed(shop),
        ShopStatus::PaymentRequired => {
            return Some(Reply::errors(402, "This shop's plan does not have access to this feature"));
        }
        ShopStatus::Forbidden => {
            let message = "[API] This action requires merchant approval for read_products scope.";
            return Some(Reply::errors(403, message));
        }
        ShopStatus::NotFound => return Some(Reply::errors(404, "Not Found")),
    }
    let Some(given) = token.filter(|token| !token.is_empty()) else { return Some(unauthorized()) };
    let expiring = match shop.grants.state_of(given, context.now) {
        TokenState::Valid { expiring } => expiring,
        TokenState::Expired => return Some(unauthorized()),
        TokenState::Unknown => {
            if !shop.accepts_unissued(given, &context.issuer) {
                return Some(unauthorized());
            }
            false
        }
    };
    let by_date = || {
        let is_public = shop.category(context.app) == Category::Public;
        let refused = is_public && context.today >= NON_EXPIRING_REJECTED_FROM;
        if refused { NonExpiring::Refused } else { NonExpiring::Accepted }
    };
    let non_expiring = shop.policy.non_expiring.or(context.app.non_expiring).unwrap_or_else(by_date);
    (!expiring && non_expiring == NonExpiring::Refused).then(|| {
        Reply::errors(
            403,
            "[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline \
             tokens: https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens",
        )
    })
}

/// Returns the error response of a frozen or locked shop. It applies to OAuth, too.
pub(super) fn closed(shop: &StoredShop) -> Option<Reply> {
    match shop.status {
        ShopStatus::Frozen => Some(Reply::errors(402, "Unavailable Shop")),
        ShopStatus::Locked => Some(Reply::errors(423, "This shop is unavailable")),
        _ => None,
    }
}

fn unauthorized() -> Reply {
    Reply::errors(401, "[API] Invalid API key or access token (unrecognized login or wrong password)")
        .header("www-authenticate", "Basic Realm=\"Shopify API Authentication\"")
}
