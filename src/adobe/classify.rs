//! The errors of IMS and Flow Service: one table of kinds with stable names, and the conversion of responses. Pure.
//!
//! A message names the `aep` entry, the problem and the remedy; texts of servers in it have passed through `Redactor`.
//! The status determines the kind. The envelope of Flow Service's own error codes (`NNNN-status`, Experience League,
//! "Flow Service error messages") is not documented, so they are searched for in the whole body.

use serde_json::Value;

use crate::http::{self, Redactor, Response, error_kinds, looks_like_html, oauth_error, quotation, upstream_text};

// The columns: name; class of exit codes; whether another attempt may help. Every request only reads.
error_kinds! {
    /// Why a lookup at Adobe failed. The names are part of the plan and report formats.
    AdobeErrorKind;

    /// IMS refused the client id, its secret or the scopes.
    ClientRefused = "adobe_client_refused", Auth, Never;
    /// 401 of Flow Service, even with a new token of IMS.
    TokenRefused = "adobe_token_refused", Auth, Never;
    /// 403: a permission is missing.
    Forbidden = "adobe_forbidden", Auth, Never;
    /// 429.
    RateLimited = "adobe_rate_limited", RateLimit, Now;
    /// 5xx, or no complete response: host name not found, no connection, no TLS, a timeout, a closed connection.
    Unavailable = "adobe_unavailable", Other, Now;
    /// A response with an unexpected shape.
    BadAnswer = "adobe_bad_answer", Other, Never;
    /// The Adobe sandbox does not exist.
    NotFound = "adobe_not_found", Other, Never;
    /// The response is about another organisation.
    OtherOrg = "adobe_other_org", Other, Never;
    /// The response is about another Adobe sandbox.
    OtherSandbox = "adobe_other_sandbox", Other, Never;
    /// The run's `--timeout` ended.
    TimeBudget = "time_budget", RateLimit, Later;
    /// The run was interrupted.
    Interrupted = "interrupted", Other, Later;
}

/// Why a lookup at Adobe failed. Never evidence that a dataflow or connection does not exist.
pub(crate) type AdobeError = http::Error<AdobeErrorKind>;

impl AdobeError {
    /// Adds the account to the message; called once, where the error leaves this module.
    pub(super) fn of(self, account: &str) -> Self {
        Self { message: format!("aep `{account}`: {}", self.message), ..self }
    }
}

/// The kind of credential that Adobe retired (Adobe Developer Console's documentation: end of life 2025-06-30, refused
/// since 2026-03-01 at the latest), with the remedy.
pub(crate) const RETIRED: &str = "Adobe has retired Service Account (JWT) credentials: create an OAuth \
                                  Server-to-Server credential in the project at Adobe Developer Console, and use its \
                                  client id, client secret and scopes";

/// The meaning of a response of Flow Service other than 200.
pub(super) enum Meaning {
    /// The id is unknown.
    UnknownId,
    /// The request failed.
    Error(AdobeError),
}

/// Interprets a response of Flow Service other than 200. `sandbox`: the Adobe sandbox of the request.
pub(super) fn of_flow_service(answer: &Response, sandbox: &str, redactor: &Redactor) -> Meaning {
    let status = answer.status;
    let has = |code: u16| has_code(&answer.body, code, status);
    // "Resource not found", and "the flow with the given id does not exist". A gateway's own 404 has neither code.
    if (status == 404 && has(1101)) || (status == 400 && has(1439)) {
        return Meaning::UnknownId;
    }
    let said = said(&answer.body, redactor);
    let (kind, message) = match status {
        // Adobe's gateway sometimes sends its code for "too many requests" with status 400 (observed).
        429 => (AdobeErrorKind::RateLimited, rate_limited("Flow Service", &said)),
        400 if gateway_code(&answer.body).as_deref() == Some("429050") => {
            (AdobeErrorKind::RateLimited, rate_limited("Flow Service", &said))
        }
        300..=399 => (AdobeErrorKind::BadAnswer, redirected(answer, "base_url", redactor)),
        401 => (
            AdobeErrorKind::TokenRefused,
            format!(
                "Flow Service refused the token{said}. Check that the credential belongs to `org`, and that the \
                 project has the Experience Platform API"
            ),
        ),
        403 => (
            AdobeErrorKind::Forbidden,
            format!(
                "Flow Service denied access{said}. The credential needs a product profile of Experience Platform and, \
                 in the Adobe sandbox `{sandbox}`, the permission to view sources (StreamingSource, read). An \
                 administrator can grant them"
            ),
        ),
        404 if has(2100) => (
            AdobeErrorKind::NotFound,
            format!("the Adobe sandbox `{sandbox}` does not exist{said}. Check `sandbox`, which must be in lower case"),
        ),
        404 => (AdobeErrorKind::BadAnswer, format!("Flow Service was not found{said}. Check `base_url`")),
        500..=599 => {
            (AdobeErrorKind::Unavailable, format!("Flow Service failed with status {status}{said}. Try again later"))
        }
        _ => (AdobeErrorKind::BadAnswer, format!("unexpected status {status} of Flow Service{said}")),
    };
    Meaning::Error(AdobeError::new(kind, message).with_status(status))
}

/// Returns the error of a response of IMS without a token. Error bodies are assumed to have the form of OAuth.
pub(super) fn of_ims(answer: &Response, redactor: &Redactor) -> AdobeError {
    let status = answer.status;
    let said = said(&answer.body, redactor);
    let (kind, message) = match status {
        429 => (AdobeErrorKind::RateLimited, rate_limited("IMS", &said)),
        300..=399 => (AdobeErrorKind::BadAnswer, redirected(answer, "token_url", redactor)),
        400 | 401 | 403 if oauth_error(&answer.body).as_deref() == Some("invalid_scope") => (
            AdobeErrorKind::ClientRefused,
            format!("IMS refused the scopes{said}. Compare `scopes` with the scopes of the project"),
        ),
        400 | 401 | 403 => {
            let message = format!(
                "IMS refused the client{said}. Check `client_id` and `client_secret`, which must belong to an OAuth \
                 Server-to-Server credential. {RETIRED}"
            );
            (AdobeErrorKind::ClientRefused, message)
        }
        500..=599 => (AdobeErrorKind::Unavailable, format!("IMS failed with status {status}{said}. Try again later")),
        _ => (AdobeErrorKind::BadAnswer, format!("unexpected status {status} of IMS{said}. Check `token_url`")),
    };
    AdobeError::new(kind, message).with_status(status)
}

/// Returns the error of an unreadable response with status 200. Quotes it only if `quote`, because it may contain a
/// token.
pub(super) fn unreadable(answer: &Response, service: &str, quote: bool, redactor: &Redactor) -> AdobeError {
    let (what, again) = match serde_json::from_slice::<Value>(&answer.body) {
        _ if answer.body.iter().all(u8::is_ascii_whitespace) => ("is empty".to_owned(), true),
        Ok(_) => ("has an unexpected shape".to_owned(), false),
        Err(_) if looks_like_html(&answer.body) && quote => (format!("is {}", upstream_text(&answer.body)), true),
        Err(_) if looks_like_html(&answer.body) => ("is an HTML page".to_owned(), true),
        Err(error) if error.is_eof() => ("is truncated".to_owned(), true),
        Err(_) if quote => (format!("is not valid JSON (\"{}\")", upstream_text(&answer.body)), true),
        Err(_) => ("is not valid JSON".to_owned(), true),
    };
    let message = format!(
        "the response of {service} {}. Try again later. If this persists, check the proxies between this machine and \
         Adobe",
        redactor.clean(&what)
    );
    AdobeError::new(AdobeErrorKind::BadAnswer, message).with_status(answer.status).retryable(again)
}

fn rate_limited(service: &str, said: &str) -> String {
    format!("too many requests for {service}{said}. Run again later, or with a longer `--timeout`")
}

fn redirected(answer: &Response, setting: &str, redactor: &Redactor) -> String {
    let to = redactor.clean(answer.header("location").as_deref().unwrap_or("an unknown address"));
    format!("the response is a redirect to {to}, which is never followed with a secret. Check `{setting}`")
}

/// Quotes the text of an error body in parentheses, after the code of Adobe's gateway.
fn said(body: &[u8], redactor: &Redactor) -> String {
    let words = upstream_text(body);
    let code = gateway_code(body).filter(|code| !words.contains(code.as_str()));
    let text = code.into_iter().chain(Some(words)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
    quotation(&text, redactor)
}

/// Returns the code of an error of Adobe's gateway, `{"error_code": "401013", …}` (Experience League, "Platform
/// troubleshooting guide").
fn gateway_code(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let code = ["error_code", "errorCode", "code"].iter().find_map(|key| value.get(key))?;
    Some(code.as_str().map_or_else(|| code.to_string(), str::to_owned))
}

/// Returns whether the body is JSON and any value in it is `code`, or contains `code-status` as a word.
fn has_code(body: &[u8], code: u16, status: u16) -> bool {
    let (alone, whole) = (code.to_string(), format!("{code}-{status}"));
    let is_word = |text: &str| {
        text.match_indices(&whole).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + whole.len()..]);
            !before.ends_with(|c: char| c.is_ascii_digit()) && !after.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    };
    serde_json::from_slice::<Value>(body).is_ok_and(|value| any(&value, &|text| text == alone || is_word(text)))
}

/// Returns whether any text or number at any depth of a value matches.
fn any(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text.trim()),
        Value::Number(number) => is(&number.to_string()),
        Value::Array(list) => list.iter().any(|value| any(value, is)),
        Value::Object(fields) => fields.values().any(|value| any(value, is)),
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_names_in_plans_and_reports() {
        let names: Vec<_> = AdobeErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "adobe_client_refused adobe_token_refused adobe_forbidden adobe_rate_limited adobe_unavailable \
             adobe_bad_answer adobe_not_found adobe_other_org adobe_other_sandbox time_budget interrupted"
        );
    }

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: reqwest::header::HeaderMap::new(), body: body.into() }
    }

    fn flow_service(status: u16, body: &str) -> Result<(), (AdobeErrorKind, bool)> {
        match of_flow_service(&answer(status, body), "prod", &Redactor::default()) {
            Meaning::UnknownId => Ok(()),
            Meaning::Error(error) => Err((error.kind, error.retryable)),
        }
    }

    #[test]
    fn only_adobes_code_in_any_envelope_means_an_unknown_id() {
        for (status, body) in [
            (404, r#"{"error_code":"1101-404","message":"Resource not found"}"#),
            (404, r#"{"errors":[{"code":"FLOW-1101-404"}]}"#),
            (404, r#"{"type":"http://ns.adobe.com/aep/errors/FLOW-1101-404","status":404}"#),
            (404, r#"{"errorCode":1101}"#),
            (400, r#"{"code":"1439","message":"x"}"#),
            (400, r#"{"message":"1439-400: flow does not exist"}"#),
        ] {
            assert_eq!(flow_service(status, body), Ok(()), "{body}");
        }
        for (status, body) in [
            (404, ""),
            (404, "{}"),
            (404, "1101-404"),
            (404, "<html>1101-404</html>"),
            (404, r#"{"message":"no flow ab-1101-404c-8"}"#),
            (404, r#"{"message":"91101-404"}"#),
            (404, r#"{"code":"1439"}"#),
            (400, r#"{"code":"1101"}"#),
        ] {
            assert_eq!(flow_service(status, body), Err((AdobeErrorKind::BadAnswer, false)), "{body}");
        }
        assert_eq!(flow_service(500, r#"{"code":"1101"}"#), Err((AdobeErrorKind::Unavailable, true)));
    }

    #[test]
    fn every_status_has_its_kind() {
        for (status, body, kind, retryable) in [
            (302, "", AdobeErrorKind::BadAnswer, false),
            (400, r#"{"error_code":"400003","message":"Missing header"}"#, AdobeErrorKind::BadAnswer, false),
            (400, r#"{"error_code":"429050","message":"Too many requests"}"#, AdobeErrorKind::RateLimited, true),
            (
                401,
                r#"{"error_code":"401013","message":"Oauth token is not valid"}"#,
                AdobeErrorKind::TokenRefused,
                false,
            ),
            (403, r#"{"error_code":"403025","message":"Profile is not valid"}"#, AdobeErrorKind::Forbidden, false),
            (404, r#"{"code":"2100-404"}"#, AdobeErrorKind::NotFound, false),
            (429, "", AdobeErrorKind::RateLimited, true),
            (500, "<html><title>Oops</title>", AdobeErrorKind::Unavailable, true),
            (504, "", AdobeErrorKind::Unavailable, true),
        ] {
            assert_eq!(flow_service(status, body), Err((kind, retryable)), "{status} {body}");
        }
        for (status, body, kind) in [
            (400, r#"{"error":"invalid_client","error_description":"x"}"#, AdobeErrorKind::ClientRefused),
            (401, "", AdobeErrorKind::ClientRefused),
            (403, "", AdobeErrorKind::ClientRefused),
            (302, "", AdobeErrorKind::BadAnswer),
            (404, "", AdobeErrorKind::BadAnswer),
            (429, "", AdobeErrorKind::RateLimited),
            (503, "", AdobeErrorKind::Unavailable),
        ] {
            assert_eq!(of_ims(&answer(status, body), &Redactor::default()).kind, kind, "{status} {body}");
        }
    }

    #[test]
    fn messages_quote_adobe_and_state_the_remedy() {
        let body = r#"{"error_code":"403025","message":"Profile is \u001b[1m not valid"}"#;
        let Meaning::Error(error) = of_flow_service(&answer(403, body), "prod", &Redactor::default()) else {
            panic!("an error")
        };
        assert_eq!(
            error.of("default").message,
            "aep `default`: Flow Service denied access (\"403025: Profile is \\u{1b}[1m not valid\"). The credential \
             needs a product profile of Experience Platform and, in the Adobe sandbox `prod`, the permission to view \
             sources (StreamingSource, read). An administrator can grant them"
        );
        let body = r#"{"error":"invalid_scope","error_description":"no such scope"}"#;
        assert_eq!(
            of_ims(&answer(400, body), &Redactor::default()).message,
            "IMS refused the scopes (\"invalid_scope: no such scope\"). Compare `scopes` with the scopes of the project"
        );
    }
}
