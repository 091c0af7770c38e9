//! The errors of IMS and Flow Service: one table of kinds with stable names.
//!
//! A message names the `aep` entry, says what happened and what to do; texts of others in it have gone through `Redactor`.

use crate::http::{self, error_kinds};

// The columns: name; class of exit codes; whether another attempt may help. Every request only reads.
error_kinds! {
    /// Why a question to Adobe has no answer. The names are part of the plan and report formats.
    AdobeErrorKind;

    /// IMS refuses the client id, its secret or the scopes.
    ClientRefused = "adobe_client_refused", Auth, Never;
    /// 401 of Flow Service, also with a token fresh from IMS.
    TokenRefused = "adobe_token_refused", Auth, Never;
    /// 403: a permission is missing.
    Forbidden = "adobe_forbidden", Auth, Never;
    /// 429.
    RateLimited = "adobe_rate_limited", RateLimit, Now;
    /// 5xx, or no answer: name not found, no connection, no TLS, no answer in time, half an answer.
    Unavailable = "adobe_unavailable", Other, Now;
    /// An answer of another shape than Adobe's.
    BadAnswer = "adobe_bad_answer", Other, Never;
    /// There is no such sandbox.
    NotFound = "adobe_not_found", Other, Never;
    /// The answer is about another organisation.
    OtherOrg = "adobe_other_org", Other, Never;
    /// The answer is about another sandbox.
    OtherSandbox = "adobe_other_sandbox", Other, Never;
    /// The run's `--timeout` ended.
    TimeBudget = "time_budget", RateLimit, Later;
    /// Somebody asked to stop.
    Interrupted = "interrupted", Other, Later;
}

/// Why a question to Adobe has no answer. Never a reason to think that something is gone.
pub type AdobeError = http::Error<AdobeErrorKind>;

impl AdobeError {
    /// Names the account in the message; done once, where the error leaves this module.
    pub(super) fn of(self, account: &str) -> Self {
        Self { message: format!("aep `{account}`: {}", self.message), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_names_that_plans_and_reports_promise() {
        let names: Vec<_> = AdobeErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "adobe_client_refused adobe_token_refused adobe_forbidden adobe_rate_limited adobe_unavailable \
             adobe_bad_answer adobe_not_found adobe_other_org adobe_other_sandbox time_budget interrupted"
        );
    }
}
