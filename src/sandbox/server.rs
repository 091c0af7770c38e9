//! The HTTP server: routes, headers, size limits and injected faults. The responses come from `service`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use serde_json::json;

use crate::model::ShopDomain;

use super::adobe::AdobeRequest;
use super::connection::{ConnectionHandle, FaultyListener};
use super::error::SandboxError;
use super::fault::{Effect, ExecutionFault};
use super::faults::RequestKind;
use super::graphql;
use super::injector::InjectedFault;
use super::log::RequestFacts;
use super::oauth::{self, OAuthRequest};
use super::reply::{self, Reply};
use super::rest::RestRequest;
use super::service::{self, Service, ShopRequest};
use super::{control, origin, version};

/// The path of Adobe's side.
const ADOBE: &str = "/__adobe";
const MAX_BODY: usize = 1024 * 1024;
/// Large enough for seeds of thousands of shops.
const MAX_CONTROL_BODY: usize = 64 * 1024 * 1024;

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    /// The address for clients on this machine.
    pub(super) address: SocketAddr,
    /// The address that the server is bound to; it may be the unspecified address.
    pub(super) bound: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(super) async fn start(service: Arc<Service>, bind: SocketAddr) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::Bind { address: bind, source };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let ip = match bound.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let (stop, stopped) = oneshot::channel();
        let app = Router::new()
            .fallback(answer)
            .with_state((service, bound.ip()))
            .into_make_service_with_connect_info::<ConnectionHandle>();
        let serve = axum::serve(FaultyListener(listener), app).with_graceful_shutdown(async {
            let _ = stopped.await; // a dropped sender stops the server, too
        });
        let address = SocketAddr::new(ip, bound.port());
        Ok(Self { address, bound, stop, task: tokio::spawn(serve.into_future()) })
    }

    /// Finishes the requests in flight, for at most five seconds, and stops.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(());
        let patience = Duration::from_secs(5);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(patience, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// The meaning of a path below a shop.
enum Route<'a> {
    GraphQl { version: &'a str },
    Rest { version: &'a str, path: &'a str },
    AccessScopes,
    Authorize,
    Token,
    Uninstall,
}

async fn answer(
    State((service, listening)): State<(Arc<Service>, IpAddr)>,
    ConnectInfo(connection): ConnectInfo<ConnectionHandle>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Some(reply) = check_origin(path, &parts, listening) {
        return respond(reply);
    }
    let limit = if path.starts_with("/__sandbox/") { MAX_CONTROL_BODY } else { MAX_BODY };
    let Ok(body) = to_bytes(body, limit).await else {
        return respond(Reply::errors(413, "Payload Too Large"));
    };
    if let Some(path) = path.strip_prefix("/__sandbox/") {
        return respond(control::answer(&service, &parts.method, path, parts.uri.query(), &body));
    }
    if let Some(path) = path.strip_prefix(ADOBE).filter(|path| path.starts_with('/')) {
        return adobe(&service, &connection, &parts, path, &body).await;
    }
    let Some((shop, rest)) = locate(path, &parts.headers) else {
        let named = path.strip_suffix("/admin/oauth/authorize").map(|shop| shop.trim_start_matches('/'));
        return respond(named.map_or_else(|| Reply::errors(404, "Not Found"), oauth::no_such_shop));
    };
    // No faults are injected into the pages, which are for people.
    let is_page = matches!(route(rest), Some(Route::Authorize));
    let injected = if is_page {
        InjectedFault::default()
    } else {
        service.inject(&shop, || request_kind(rest, &parts.method, &body))
    };
    sleep(Duration::from_millis(injected.wait.0)).await;
    let is_graphql = matches!(route(rest), Some(Route::GraphQl { .. }));
    let effect = injected.fault.as_ref().map_or_else(Effect::default, |fault| Effect::of(fault, is_graphql));
    let (mut reply, mut facts) = match effect.instead {
        Some(reply) => (reply, RequestFacts::default()),
        None => below_shop(&service, &shop, rest, &parts, &body, effect.execution.as_ref()),
    };
    reply = effect.afterwards.unwrap_or(reply);
    facts.faults = injected.names;
    facts.grant = matches!(route(rest), Some(Route::Token)).then(|| oauth::grant(&body));
    sleep(Duration::from_millis(injected.wait.1)).await;
    let seq = service.note(parts.method.as_str(), path, Some(&shop), facts, reply.status);
    connection.set(effect.connection);
    finish(reply.header("x-request-id", format!("sandbox-{seq}")), effect.body, effect.truncated).await
}

/// Returns the error response of a request that a page in a browser must not make. The APIs for programs accept any `Host`,
/// such as the name of a service in a cluster.
fn check_origin(path: &str, parts: &axum::http::request::Parts, listening: IpAddr) -> Option<Reply> {
    if path.starts_with("/__sandbox/") {
        return origin::check_control(&parts.headers, listening);
    }
    // Another site may link to the page that asks the merchant, but only that page may submit its form.
    let installs = path.ends_with("/admin/oauth/authorize") && parts.method != Method::GET;
    (installs || path.starts_with(ADOBE)).then(|| origin::check_site(&parts.headers)).flatten()
}

/// Answers a request to Adobe's side.
async fn adobe(
    service: &Service,
    connection: &ConnectionHandle,
    parts: &axum::http::request::Parts,
    path: &str,
    body: &Bytes,
) -> Response<Body> {
    let state = service.id();
    let request = AdobeRequest {
        method: parts.method.as_str(),
        path,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body,
        state: &state,
        now: service::now(),
    };
    let injected = service.inject_at_adobe(if request.is_token() { RequestKind::Ims } else { RequestKind::Adobe });
    sleep(Duration::from_millis(injected.wait.0)).await;
    let effect = injected.fault.as_ref().map_or_else(Effect::default, |fault| Effect::of(fault, false));
    let mut reply = match effect.instead {
        // The form of Adobe's gateway (seen in the fixtures of other projects).
        Some(reply) if reply.status == 429 => Reply {
            body: reply::Body::Json(json!({ "error_code": "429050", "message": "Too many requests" })),
            ..reply
        },
        Some(reply) => reply,
        None => service.adobe(&request),
    };
    reply = effect.afterwards.unwrap_or(reply);
    sleep(Duration::from_millis(injected.wait.1)).await;
    let facts = RequestFacts { faults: injected.names, ..RequestFacts::default() };
    service.note(parts.method.as_str(), parts.uri.path(), None, facts, reply.status);
    connection.set(effect.connection);
    finish(reply, effect.body, effect.truncated).await
}

/// Applies the faults of a body to a response.
async fn finish(reply: Reply, body: Option<(&'static str, String)>, truncated: bool) -> Response<Body> {
    let mut response = respond(reply);
    if let Some((kind, text)) = body {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        *response.body_mut() = Body::from(text);
    }
    if truncated {
        let whole = to_bytes(std::mem::take(response.body_mut()), usize::MAX).await.unwrap_or_default();
        *response.body_mut() = Body::from(whole.slice(..whole.len() / 2));
    }
    response
}

/// The kind of a request, for the fault rules.
fn request_kind(path: &str, method: &Method, body: &[u8]) -> RequestKind {
    let reads = match route(path) {
        Some(Route::Token) => return RequestKind::Oauth,
        Some(Route::GraphQl { .. }) => !graphql::is_mutation(body),
        _ => method == Method::GET,
    };
    if reads { RequestKind::Query } else { RequestKind::Mutation }
}

/// Returns the shop, from the first part of the path or from the host, and the path below it.
fn locate<'a>(path: &'a str, headers: &HeaderMap) -> Option<(ShopDomain, &'a str)> {
    if path.starts_with("/admin/") {
        let host = headers.get(HOST)?.to_str().ok()?;
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        return Some((ShopDomain::parse(name).ok()?, path));
    }
    let (shop, rest) = path.strip_prefix('/')?.split_once('/')?;
    Some((ShopDomain::parse(shop).ok()?, &path[path.len() - rest.len() - 1..]))
}

fn route(path: &str) -> Option<Route<'_>> {
    match path {
        "/admin/oauth/access_scopes.json" => return Some(Route::AccessScopes),
        "/admin/oauth/authorize" => return Some(Route::Authorize),
        "/admin/oauth/access_token" => return Some(Route::Token),
        "/admin/api_permissions/current.json" => return Some(Route::Uninstall),
        _ => {}
    }
    let (version, rest) = path.strip_prefix("/admin/api/")?.split_once('/')?;
    Some(match rest {
        "graphql.json" => Route::GraphQl { version },
        "api_permissions/current.json" => Route::Uninstall,
        path => Route::Rest { version, path },
    })
}

fn below_shop(
    service: &Service,
    shop: &ShopDomain,
    path: &str,
    parts: &axum::http::request::Parts,
    body: &Bytes,
    fault: Option<&ExecutionFault>,
) -> (Reply, RequestFacts) {
    let not_found = || (Reply::errors(404, "Not Found"), RequestFacts::default());
    let token = parts.headers.get("x-shopify-access-token").and_then(|value| value.to_str().ok());
    let request = ShopRequest { shop, token };
    let Some(route) = route(path) else { return not_found() };
    let oauth_request = match (&route, parts.method.as_str()) {
        (Route::Authorize, "GET") => Some(OAuthRequest::Page { query: parts.uri.query().unwrap_or_default() }),
        (Route::Authorize, "POST") => Some(OAuthRequest::Install { form: body }),
        (Route::Token, "POST") => Some(OAuthRequest::Token { body, json: accepts_json(&parts.headers) }),
        (Route::Authorize | Route::Token, _) => return not_found(),
        _ => None,
    };
    if let Some(oauth_request) = oauth_request {
        return (service.oauth(shop, &oauth_request), RequestFacts::default());
    }
    if let Some(reply) = service.check_access(&request) {
        return (reply, RequestFacts::default());
    }
    let (asked, path) = match route {
        Route::AccessScopes if parts.method == Method::GET => {
            return (service.access_scopes(&request), RequestFacts::default());
        }
        Route::Uninstall if parts.method == Method::DELETE => {
            return (service.uninstall(&request), RequestFacts::default());
        }
        Route::GraphQl { version } if parts.method == Method::POST => (version, None),
        Route::Rest { version, path } => (version, Some(path)),
        _ => return not_found(),
    };
    let Some(served) = version::served(asked) else { return not_found() };
    let (reply, facts) = match path {
        None => service.graphql(&request, served, body, fault),
        Some(path) => {
            let (method, query) = (parts.method.as_str(), parts.uri.query());
            let rest = RestRequest { method, path, query, body, shift: fault.and_then(ExecutionFault::shift) };
            (service.rest(&request, served, &rest), RequestFacts::default())
        }
    };
    (reply.header("x-shopify-api-version", served), facts)
}

/// Whether the client accepts `application/json` by name, which Shopify requires for OAuth errors in JSON.
fn accepts_json(headers: &HeaderMap) -> bool {
    let named = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("application/json"));
    headers.get_all(ACCEPT).iter().any(named)
}

fn respond(reply: Reply) -> Response<Body> {
    let (kind, text) = match reply.body {
        reply::Body::Json(json) => ("application/json; charset=utf-8", json.to_string()),
        reply::Body::Html(html) => ("text/html; charset=utf-8", html),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
