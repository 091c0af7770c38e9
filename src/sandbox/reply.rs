//! An answer before it is HTTP.

use serde_json::Value;

/// What an answer says.
#[derive(Debug)]
pub(super) enum Body {
    Json(Value),
    Html(String),
}

/// Status, body and the headers that are not the same for every answer.
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

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
