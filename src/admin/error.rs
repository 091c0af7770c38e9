//! The errors of the Admin API client: one table of kinds with stable names.
//!
//! A message states the problem and the remedy; texts of servers in it have passed through `Redactor`.

use crate::http::{self, Redactor, error_kinds};

// The columns: name; class of exit codes; whether another attempt may help; what a failed mutation of this kind proves;
// whether every other request to the shop fails in the same way, so that none is sent.
//
// Only these prove that nothing was changed: no connection, 401, 402, 403, 423, 429, 430 and THROTTLED. Of the other
// GraphQL errors only a document that was refused as a whole is a proof, which `AdminError::proven` marks.
//
// A missing scope belongs to one topic; the next mutation may have another topic (inferred from the schema: the topic
// determines the scope). 404 and redirects are lost answers: REST returns 404 for one missing subscription, too, and
// the reading that settles the answer shows whether the shop exists. SHOP_INACTIVE refers to the shop by its name.
error_kinds! {
    /// Why a request to a shop, or what it needs, failed. The names are part of the plan and report formats.
    AdminErrorKind;

    /// 401.
    TokenRefused = "token_refused", Auth, Never, NothingHappened, Shop;
    /// 403 that asks for an expiring token.
    NonExpiringToken = "non_expiring_token", Auth, Never, NothingHappened, Shop;
    /// 403 that names a scope.
    MissingScope = "missing_scope", Auth, Never, NothingHappened, Request;
    /// Any other 403.
    Forbidden = "forbidden", Auth, Never, NothingHappened, Shop;
    /// 403 "Unavailable Shop".
    UnavailableShop = "unavailable_shop", Other, Never, NothingHappened, Shop;
    /// 402 "Unavailable Shop".
    Frozen = "frozen", Other, Never, NothingHappened, Shop;
    /// Any other 402.
    PaymentRequired = "payment_required", Other, Never, NothingHappened, Shop;
    /// 404.
    NotFound = "not_found", Other, Never, Unknown, Request;
    /// 423.
    Locked = "locked", Other, Never, NothingHappened, Shop;
    /// 429.
    RateLimited = "rate_limited", RateLimit, Now, NothingHappened, Shop;
    /// 430.
    SecurityRejection = "security_rejection", Other, Never, NothingHappened, Shop;
    /// GraphQL `THROTTLED`.
    Throttled = "throttled", RateLimit, Now, NothingHappened, Shop;
    /// GraphQL `ACCESS_DENIED`.
    AccessDenied = "access_denied", Auth, Never, Unknown, Request;
    /// GraphQL `MAX_COST_EXCEEDED`.
    CostExceeded = "cost_exceeded", Other, Never, Unknown, Request;
    /// Any other GraphQL error.
    GraphqlError = "graphql_error", Other, Never, Unknown, Request;
    /// GraphQL `INTERNAL_SERVER_ERROR`.
    InternalError = "internal_error", Other, Now, Unknown, Request;
    /// GraphQL `SHOP_INACTIVE`.
    ShopInactive = "shop_inactive", Other, Never, Unknown, Shop;
    /// 5xx.
    ServerError = "server_error", Other, Now, Unknown, Request;
    /// 3xx, never followed.
    Redirected = "redirected", Other, Never, Unknown, Request;
    /// Not a response of the Admin API: HTML, empty, truncated, or with an unexpected shape.
    UnexpectedAnswer = "unexpected_answer", Other, Never, Unknown, Request;
    /// A response that exceeds the size limit.
    TooLarge = "too_large", Other, Never, Unknown, Request;
    /// No connection: host name not found, connection refused, or no response to the handshake.
    ConnectFailed = "connect_failed", Other, Now, NothingHappened, Shop;
    /// A connection, but no TLS: certificate or protocol.
    Tls = "tls", Other, Never, NothingHappened, Shop;
    /// No response in time.
    Timeout = "timeout", Other, Now, Unknown, Request;
    /// The connection ended before the response was complete.
    ConnectionLost = "connection_lost", Other, Now, Unknown, Request;
    /// The OAuth error `app_not_installed`, the only evidence of this kind.
    Uninstalled = "uninstalled", Auth, Never, NothingHappened, Shop;
    /// The client id or secret does not belong to the app.
    ClientRefused = "client_refused", Auth, Never, NothingHappened, Shop;
    /// The OAuth error `shop_not_permitted`: no client credentials grant for this shop.
    ShopNotPermitted = "shop_not_permitted", Auth, Never, NothingHappened, Shop;
    /// The authorization code was already used, or is unknown.
    CodeRefused = "code_refused", Auth, Never, NothingHappened, Shop;
    /// The token cannot be refreshed: a login is required.
    LoginRequired = "login_required", Auth, Never, NothingHappened, Shop;
    /// The token is unavailable.
    SecretUnavailable = "secret_unavailable", Auth, Never, NothingHappened, Shop;
    /// The run's `--timeout` ended.
    TimeBudget = "time_budget", RateLimit, Later, Unknown, Shop;
    /// The run was interrupted before the request was sent.
    Interrupted = "interrupted", Other, Later, NothingHappened, Shop;
}

/// Why a shop or a change failed.
pub(crate) type AdminError = http::Error<AdminErrorKind>;

impl AdminError {
    /// Creates the error of an unavailable secret. The message is cleaned.
    pub(crate) fn secret_unavailable(message: &str) -> Self {
        Self::new(AdminErrorKind::SecretUnavailable, Redactor::default().clean(message))
    }

    /// Replaces the message.
    pub(super) fn saying(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// Adds the number of attempts.
    pub(super) fn given_up(self, attempts: u32) -> Self {
        Self { message: format!("{} ({attempts} attempts failed)", self.message), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Classified as _, Proof, Retry};

    /// Returns the names of the kinds for which `holds` returns true.
    fn of(holds: impl Fn(AdminErrorKind) -> bool) -> String {
        let kinds = AdminErrorKind::ALL.iter().filter(|kind| holds(**kind));
        kinds.map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_these_kinds_prove_that_nothing_was_changed() {
        // 401, 403, 402, 423, 429, 430, THROTTLED; no connection; refusals of the token endpoint; nothing was sent.
        assert_eq!(
            of(|kind| kind.proof() == Proof::NothingHappened),
            "token_refused non_expiring_token missing_scope forbidden unavailable_shop frozen payment_required locked \
             rate_limited security_rejection throttled connect_failed tls uninstalled client_refused \
             shop_not_permitted code_refused login_required secret_unavailable interrupted"
        );
    }

    #[test]
    fn a_mutation_is_retried_only_if_nothing_was_changed() {
        assert_eq!(
            of(|kind| kind.retry() == Retry::Now),
            "rate_limited throttled internal_error server_error connect_failed timeout connection_lost"
        );
        assert_eq!(of(|kind| kind.retry() == Retry::Later), "time_budget interrupted");
        assert_eq!(
            of(|kind| kind.retry() == Retry::Now && kind.proof() == Proof::NothingHappened),
            "rate_limited throttled connect_failed"
        );
    }

    #[test]
    fn a_failure_of_one_request_does_not_end_the_shop() {
        assert_eq!(
            of(|kind| !kind.ends_shop()),
            "missing_scope not_found access_denied cost_exceeded graphql_error internal_error server_error redirected \
             unexpected_answer too_large timeout connection_lost"
        );
    }

    #[test]
    fn kinds_have_the_names_in_plans_and_reports() {
        let names: Vec<_> = AdminErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "token_refused non_expiring_token missing_scope forbidden unavailable_shop frozen payment_required \
             not_found locked rate_limited security_rejection throttled access_denied cost_exceeded graphql_error \
             internal_error shop_inactive server_error redirected unexpected_answer too_large connect_failed tls \
             timeout connection_lost uninstalled client_refused shop_not_permitted code_refused login_required \
             secret_unavailable time_budget interrupted"
        );
    }
}
