//! A GraphQL response: its data, its errors and its cost. Pure.
//!
//! Each error gets a kind; the writer decides what the kind means for a mutation.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{AdminError, AdminErrorKind};
use super::throttle::Bucket;
use crate::http::{Redactor, Response};
use crate::json::names_a_key_twice;

/// The data of each alias as JSON text. The code that knows its shape parses it.
pub(super) type Data = BTreeMap<String, Box<RawValue>>;

/// A GraphQL response.
pub(super) struct Envelope {
    /// `None`: missing, or null.
    pub(super) data: Option<Data>,
    /// Whether execution started: by the GraphQL specification a refused document has no `data`.
    pub(super) executed: bool,
    pub(super) errors: Vec<GraphqlError>,
    pub(super) bucket: Option<Bucket>,
    pub(super) requested_cost: Option<f64>,
    pub(super) served_version: Option<String>,
    pub(super) deprecated_reason: Option<String>,
    /// In bytes.
    pub(super) size: usize,
}

/// One of the `errors` of a response.
pub(super) struct GraphqlError {
    pub(super) message: String,
    pub(super) path: Vec<String>,
    code: Option<String>,
    explanation: Option<String>,
}

/// Parses a response with status 200; `None` if it is not a GraphQL response.
pub(super) fn parse(answer: &Response, now_ms: u64) -> Option<Envelope> {
    if names_a_key_twice(&answer.body) {
        return None;
    }
    let parts: BTreeMap<String, &RawValue> = serde_json::from_slice(&answer.body).ok()?;
    // Unreadable errors must not count as no errors.
    let part = |key: &str| parts.get(key).map_or(Some(Value::Null), |raw| serde_json::from_str(raw.get()).ok());
    let errors = match part("errors")? {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().map(graphql_error).collect(),
        _ => return None, // a text: one of the bodies that belong to other statuses
    };
    let (executed, data) = match parts.get("data") {
        None => (false, None),
        // An object, or null.
        Some(raw) => (true, serde_json::from_str::<Option<Data>>(raw.get()).ok()?),
    };
    if data.is_none() && errors.is_empty() {
        return None;
    }
    let extensions = part("extensions")?;
    let cost = extensions.get("cost");
    let figure = |value: Option<&Value>| value.and_then(Value::as_f64);
    let status = cost.and_then(|cost| cost.get("throttleStatus"));
    let of_status = |key| figure(status.and_then(|status| status.get(key)));
    let bucket = || {
        Bucket::observe(
            of_status("maximumAvailable")?,
            of_status("currentlyAvailable")?,
            of_status("restoreRate")?,
            now_ms,
        )
    };
    Some(Envelope {
        data,
        executed,
        errors,
        bucket: bucket(),
        requested_cost: figure(cost.and_then(|cost| cost.get("requestedQueryCost")))
            .filter(|c| c.is_finite() && *c >= 0.0),
        served_version: answer.header("x-shopify-api-version"),
        deprecated_reason: answer.header("x-shopify-api-deprecated-reason"),
        size: answer.body.len(),
    })
}

fn graphql_error(value: &Value) -> GraphqlError {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let extensions = value.get("extensions");
    let path = value.get("path").and_then(Value::as_array);
    GraphqlError {
        message: text(value.get("message")).or_else(|| text(Some(value))).unwrap_or_else(|| "no message".to_owned()),
        path: path
            .into_iter()
            .flatten()
            .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
            .collect(),
        code: text(extensions.and_then(|e| e.get("code"))),
        explanation: text(extensions.and_then(|e| e.pointer("/problems/0/explanation"))),
    }
}

impl Envelope {
    /// Returns the first error, as a failure of the whole document.
    pub(super) fn first_error(&self, redactor: &Redactor) -> Option<AdminError> {
        // An error with a kind of its own is the cause of generic ones.
        let telling = self.errors.iter().find(|error| error.kind() != AdminErrorKind::GraphqlError);
        telling.or(self.errors.first()).map(|error| {
            let failure = error.to_failure(redactor);
            if self.is_refusal() { failure.proven() } else { failure }
        })
    }

    /// Returns whether there are errors, and each refers to one of these fields.
    pub(super) fn refuses_only(&self, fields: &[&str]) -> bool {
        let about = |error: &GraphqlError| error.path.last().is_some_and(|last| fields.contains(&last.as_str()));
        !self.errors.is_empty() && self.errors.iter().all(about)
    }

    /// Returns whether the document was refused as a whole, before any part of it was carried out.
    pub(super) fn is_refusal(&self) -> bool {
        let may_have_run = |kind| matches!(kind, AdminErrorKind::InternalError);
        let refuses = |kind| matches!(kind, AdminErrorKind::Throttled | AdminErrorKind::CostExceeded);
        let mut kinds = self.errors.iter().map(GraphqlError::kind);
        !self.errors.is_empty()
            && self.data.is_none()
            && if self.executed { kinds.all(refuses) } else { !kinds.any(may_have_run) }
    }
}

impl GraphqlError {
    pub(super) fn kind(&self) -> AdminErrorKind {
        match self.code.as_deref() {
            Some("THROTTLED") => AdminErrorKind::Throttled,
            Some("ACCESS_DENIED") => AdminErrorKind::AccessDenied,
            Some("MAX_COST_EXCEEDED") => AdminErrorKind::CostExceeded,
            Some("INTERNAL_SERVER_ERROR" | "TIMEOUT") => AdminErrorKind::InternalError,
            Some("SHOP_INACTIVE") => AdminErrorKind::ShopInactive,
            None if self.message.eq_ignore_ascii_case("throttled") => AdminErrorKind::Throttled,
            None if self.message.starts_with("Internal error") => AdminErrorKind::InternalError,
            _ => AdminErrorKind::GraphqlError,
        }
    }

    pub(super) fn to_failure(&self, redactor: &Redactor) -> AdminError {
        let kind = self.kind();
        let said = match &self.explanation {
            Some(explanation) => redactor.clean(&format!("{}: {explanation}", self.message)),
            None => redactor.clean(&self.message),
        };
        let place =
            if self.path.is_empty() { String::new() } else { format!(" at {}", redactor.clean(&self.path.join("."))) };
        let message = match kind {
            AdminErrorKind::Throttled => {
                format!(
                    "the shop's rate limit is exhausted (\"{said}\"). Run again later, or with a longer `--timeout`"
                )
            }
            AdminErrorKind::AccessDenied => {
                format!(
                    "access was denied{place} (\"{said}\"). Add the scope to the app, and let the merchant approve it"
                )
            }
            AdminErrorKind::CostExceeded => format!("the request exceeds the cost limit (\"{said}\")"),
            AdminErrorKind::InternalError => format!("the Admin API failed{place} (\"{said}\"). Try again later"),
            AdminErrorKind::ShopInactive => format!("the shop is inactive (\"{said}\")"),
            _ => format!("the Admin API refused the request{place} (\"{said}\")"),
        };
        AdminError::new(kind, message).with_status(200)
    }
}
