//! A response before it becomes HTTP.

use serde_json::{Value, json};

/// The body of a response.
#[derive(Debug)]
pub(super) enum Body {
    Json(Value),
    Html(String),
}

/// Status, body and additional headers.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Body,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Body::Json(body), headers: Vec::new() }
    }

    pub(super) fn html(status: u16, body: String) -> Self {
        Self { status, body: Body::Html(body), headers: Vec::new() }
    }

    /// Shopify's error body: `{"errors": …}`.
    pub(super) fn errors(status: u16, errors: impl Into<Value>) -> Self {
        Self::json(status, json!({ "errors": errors.into() }))
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
