//! Requests to IMS and Flow Service and their responses.

use axum::http::HeaderMap;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::super::oauth::Secret;
use super::super::reply::Reply;
use super::query::Query;
use super::shape;
use super::world::{Adobe, AdobeTokenState, Inlet, TOKEN_SECONDS};

/// A request below `/__adobe`.
pub(in super::super) struct AdobeRequest<'a> {
    pub(in super::super) method: &'a str,
    /// The path below `/__adobe`.
    pub(in super::super) path: &'a str,
    pub(in super::super) query: &'a str,
    pub(in super::super) headers: &'a HeaderMap,
    pub(in super::super) body: &'a [u8],
    /// The id of the state, from which tokens are derived.
    pub(in super::super) state: &'a str,
    /// Milliseconds since 1970.
    pub(in super::super) now: i64,
}

const FLOW_SERVICE: &str = "/data/foundation/flowservice/";

impl AdobeRequest<'_> {
    /// Whether this is a request to IMS.
    pub(in super::super) fn is_token(&self) -> bool {
        self.path.starts_with("/ims/")
    }
}

/// Answers a request.
pub(in super::super) fn answer(adobe: &Adobe, request: &AdobeRequest<'_>) -> Reply {
    match (request.method, request.path) {
        ("POST", "/ims/token/v3" | "/ims/token/v2") => token(adobe, request),
        (_, "/ims/token/v3" | "/ims/token/v2") => not_allowed(),
        (method, path) => match path.strip_prefix(FLOW_SERVICE) {
            Some(_) if method != "GET" => not_allowed(),
            Some(path) => gateway(adobe, request).unwrap_or_else(|| flow_service(adobe, request, path)),
            None => Reply::json(404, json!({ "error_code": "404000", "message": "Not Found" })),
        },
    }
}

fn not_allowed() -> Reply {
    Reply::json(405, json!({ "message": "Method Not Allowed" }))
}

/// Client credentials of IMS. Its error bodies are not established; these are OAuth's.
fn token(adobe: &Adobe, request: &AdobeRequest<'_>) -> Reply {
    let form: Vec<(String, String)> = form_urlencoded::parse(request.body).into_owned().collect();
    let field =
        |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let refused =
        |status, error: &str, why: &str| Reply::json(status, json!({ "error": error, "error_description": why }));
    let missing = |name: &str| refused(400, "invalid_request", &format!("{name} is missing from the form"));
    match field("grant_type") {
        "" => return missing("grant_type"),
        "client_credentials" => {}
        _ => return refused(400, "unsupported_grant_type", "the grant type is not supported"),
    }
    if let Some(name) = ["client_id", "client_secret"].into_iter().find(|name| field(name).is_empty()) {
        return missing(name);
    }
    let (client, secret) = (field("client_id"), field("client_secret"));
    let known = |known: Option<&str>, given: &str| known.is_none_or(|known| known == given);
    if !known(adobe.client_id.as_deref(), client) || !known(adobe.client_secret.as_ref().map(Secret::reveal), secret) {
        return refused(401, "invalid_client", "invalid client_id or client_secret");
    }
    let scope = field("scope");
    if scope.is_empty() || scope.contains(' ') {
        return refused(400, "invalid_scope", "`scope` must be a list separated by commas");
    }
    let seconds = adobe.token_seconds.unwrap_or(TOKEN_SECONDS);
    let token = adobe.token(request.state, client, request.now.saturating_add(seconds.saturating_mul(1_000)));
    Reply::json(200, json!({ "access_token": token, "token_type": "bearer", "expires_in": seconds }))
}

/// Returns the error response of Adobe's gateway (documented codes), if it refuses the request.
fn gateway(adobe: &Adobe, request: &AdobeRequest<'_>) -> Option<Reply> {
    let header =
        |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let refused = |status, code: &str, message: &str| {
        Some(Reply::json(status, json!({ "error_code": code, "message": message })))
    };
    let Some(token) = header("authorization").and_then(|value| value.strip_prefix("Bearer ")) else {
        return refused(403, "403010", "Oauth token is missing.");
    };
    let Some(client) = header("x-api-key") else { return refused(403, "403000", "Api Key is required") };
    if adobe.client_id.as_deref().is_some_and(|known| known != client) {
        return refused(403, "403003", "Api Key is invalid");
    }
    match adobe.token_state(request.state, client, token, request.now) {
        AdobeTokenState::Valid => {}
        AdobeTokenState::OtherClient => return refused(403, "403003", "Api Key is invalid"),
        AdobeTokenState::Invalid => return refused(401, "401013", "Oauth token is not valid"),
    }
    let Some(org) = header("x-gw-ims-org-id") else { return refused(400, "400003", "Missing header") };
    if adobe.org.as_deref().is_some_and(|known| known != org) {
        return refused(403, "403025", "Profile is not valid");
    }
    let Some(sandbox) = header("x-sandbox-name") else {
        return Some(flow_error(400, "2105-400", "x-sandbox-name header is missing"));
    };
    (!adobe.knows_sandbox(sandbox)).then(|| flow_error(404, "2100-404", &format!("Sandbox {sandbox} not found")))
}

/// An error of Flow Service. Its error codes are documented; the JSON around them is not, and is chosen here.
fn flow_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({ "errorCode": code, "message": message, "status": status }))
}

fn flow_service(adobe: &Adobe, request: &AdobeRequest<'_>, path: &str) -> Reply {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let org = header("x-gw-ims-org-id");
    let here = adobe.inlets.iter().filter(|inlet| inlet.sandbox == header("x-sandbox-name"));
    let each = |shape: &dyn Fn(&Inlet, &str) -> Option<Value>| here.clone().filter_map(|i| shape(i, org)).collect();
    let (list, id) = path.split_once('/').map_or((path, None), |(list, id)| (list, Some(id)));
    let items: Vec<Value> = match list {
        "flows" => each(&shape::flow),
        "connections" => each(&shape::connection),
        "sourceConnections" => each(&shape::source),
        "runs" => here.flat_map(|inlet| shape::runs(inlet, org)).collect(),
        _ => return flow_error(404, "1101-404", "Resource not found"),
    };
    if let Some(id) = id {
        return match items.into_iter().find(|item| item["id"] == id) {
            // A single item is also wrapped in `items` (documented).
            Some(item) => Reply::json(200, json!({ "items": [item] })),
            None => flow_error(404, "1101-404", "Resource not found"),
        };
    }
    let page = Query::parse(request.query).and_then(|query| query.page(list, items, adobe.page_size));
    match page {
        Ok(page) => Reply::json(200, page),
        Err((code, message)) => flow_error(400, code, &message),
    }
}
