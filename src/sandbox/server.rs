//! The HTTP side, thin: addresses, headers, sizes. What is answered, the desk knows.

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

use super::desk::{self, Call, Desk, Facts};
use super::error::SandboxError;
use super::faults::{On, Strike};
use super::gate::{self, Effect, refused};
use super::graphql::{self, Mishap};
use super::oauth;
use super::reply::{self, Reply};
use super::wire::{Handle, Lines};
use super::{adobe, control, rest, version, visitor};

/// Where Adobe's side is.
const ADOBE: &str = "/__adobe";
const MAX_BODY: usize = 1024 * 1024;
/// For seeds of thousands of shops.
const MAX_CONTROL_BODY: usize = 64 * 1024 * 1024;

/// A server that listens.
#[derive(Debug)]
pub(super) struct Server {
    /// Where a client on this machine reaches it.
    pub(super) address: SocketAddr,
    /// What it listens on; every address of the machine, perhaps.
    pub(super) bound: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(super) async fn start(desk: Arc<Desk>, bind: SocketAddr) -> Result<Self, SandboxError> {
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
            .with_state((desk, bound.ip()))
            .into_make_service_with_connect_info::<Handle>();
        let serve = axum::serve(Lines(listener), app).with_graceful_shutdown(async {
            let _ = stopped.await; // a dropped sender stops the server, too
        });
        let address = SocketAddr::new(ip, bound.port());
        Ok(Self { address, bound, stop, task: tokio::spawn(serve.into_future()) })
    }

    /// Answers what is under way and stops.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(());
        let patience = Duration::from_secs(5);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(patience, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// What a path below a shop means.
enum Route<'a> {
    GraphQl { version: &'a str },
    Rest { version: &'a str, path: &'a str },
    AccessScopes,
    Authorize,
    Token,
    Uninstall,
}

async fn answer(
    State((desk, listening)): State<(Arc<Desk>, IpAddr)>,
    ConnectInfo(line): ConnectInfo<Handle>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Some(refusal) = refusal(path, &parts, listening) {
        return respond(refusal);
    }
    let limit = if path.starts_with("/__sandbox/") { MAX_CONTROL_BODY } else { MAX_BODY };
    let Ok(body) = to_bytes(body, limit).await else {
        return respond(refused(413, "Payload Too Large"));
    };
    if let Some(path) = path.strip_prefix("/__sandbox/") {
        return respond(control::answer(&desk, &parts.method, path, parts.uri.query(), &body));
    }
    if let Some(path) = path.strip_prefix(ADOBE).filter(|path| path.starts_with('/')) {
        return adobe(&desk, &line, &parts, path, &body).await;
    }
    let Some((shop, rest)) = locate(path, &parts.headers) else {
        let named = path.strip_suffix("/admin/oauth/authorize").map(|shop| shop.trim_start_matches('/'));
        return respond(named.map_or_else(|| refused(404, "Not Found"), oauth::no_such_shop));
    };
    // The pages are for people; what they do is not struck.
    let struck = !matches!(route(rest), Some(Route::Authorize));
    let strike = if struck { desk.strike(&shop, || does(rest, &parts.method, &body)) } else { Strike::default() };
    sleep(Duration::from_millis(strike.wait.0)).await;
    let is_graphql = matches!(route(rest), Some(Route::GraphQl { .. }));
    let effect = strike.fault.as_ref().map_or_else(Effect::default, |fault| gate::effect(fault, is_graphql));
    let (mut reply, mut facts) = match effect.instead {
        Some(reply) => (reply, Facts::default()),
        None => below_shop(&desk, &shop, rest, &parts, &body, effect.mishap.as_ref()),
    };
    reply = effect.afterwards.unwrap_or(reply);
    facts.faults = strike.names;
    facts.grant = matches!(route(rest), Some(Route::Token)).then(|| oauth::grant(&body));
    sleep(Duration::from_millis(strike.wait.1)).await;
    let seq = desk.note(parts.method.as_str(), path, Some(&shop), facts, reply.status);
    line.set(effect.trouble);
    finish(reply.header("x-request-id", format!("sandbox-{seq}")), effect.body, effect.truncated).await
}

/// The refusal of a request that a page in a browser should not make. The APIs that programs use keep any Host, such as the
/// name of a service in a cluster.
fn refusal(path: &str, parts: &axum::http::request::Parts, listening: IpAddr) -> Option<Reply> {
    if path.starts_with("/__sandbox/") {
        return visitor::to_control(&parts.headers, listening);
    }
    // A link of another site leads to the page that asks a merchant; only the page itself may say yes.
    let installs = path.ends_with("/admin/oauth/authorize") && parts.method != Method::GET;
    (installs || path.starts_with(ADOBE)).then(|| visitor::across_sites(&parts.headers)).flatten()
}

/// A request to Adobe's side.
async fn adobe(
    desk: &Desk,
    line: &Handle,
    parts: &axum::http::request::Parts,
    path: &str,
    body: &Bytes,
) -> Response<Body> {
    let state = desk.id();
    let ask = adobe::Ask {
        method: parts.method.as_str(),
        path,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body,
        state: &state,
        now: desk::now(),
    };
    let strike = desk.strike_adobe(if ask.is_token() { On::Ims } else { On::Adobe });
    sleep(Duration::from_millis(strike.wait.0)).await;
    let effect = strike.fault.as_ref().map_or_else(Effect::default, |fault| gate::effect(fault, false));
    let mut reply = match effect.instead {
        // Adobe's gateway says it in its own words (seen in fixtures of others).
        Some(reply) if reply.status == 429 => Reply {
            body: reply::Body::Json(json!({ "error_code": "429050", "message": "Too many requests" })),
            ..reply
        },
        Some(reply) => reply,
        None => desk.adobe(&ask),
    };
    reply = effect.afterwards.unwrap_or(reply);
    sleep(Duration::from_millis(strike.wait.1)).await;
    let facts = Facts { faults: strike.names, ..Facts::default() };
    desk.note(parts.method.as_str(), parts.uri.path(), None, facts, reply.status);
    line.set(effect.trouble);
    finish(reply, effect.body, effect.truncated).await
}

/// The answer as it goes out.
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

/// What a request does, as far as faults are concerned.
fn does(path: &str, method: &Method, body: &[u8]) -> On {
    let reads = match route(path) {
        Some(Route::Token) => return On::Oauth,
        Some(Route::GraphQl { .. }) => !graphql::is_mutation(body),
        _ => method == Method::GET,
    };
    if reads { On::Query } else { On::Mutation }
}

/// The shop, from the first part of the path or from the host, and the path below it.
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
    desk: &Desk,
    shop: &ShopDomain,
    path: &str,
    parts: &axum::http::request::Parts,
    body: &Bytes,
    mishap: Option<&Mishap>,
) -> (Reply, Facts) {
    let not_found = || (refused(404, "Not Found"), Facts::default());
    let token = parts.headers.get("x-shopify-access-token").and_then(|value| value.to_str().ok());
    let call = Call { shop, token };
    let Some(route) = route(path) else { return not_found() };
    let ask = match (&route, parts.method.as_str()) {
        (Route::Authorize, "GET") => Some(oauth::Ask::Page { query: parts.uri.query().unwrap_or_default() }),
        (Route::Authorize, "POST") => Some(oauth::Ask::Install { form: body }),
        (Route::Token, "POST") => Some(oauth::Ask::Token { body, json: accepts_json(&parts.headers) }),
        (Route::Authorize | Route::Token, _) => return not_found(),
        _ => None,
    };
    if let Some(ask) = ask {
        return (desk.oauth(shop, &ask), Facts::default());
    }
    if let Some(reply) = desk.gate(&call) {
        return (reply, Facts::default());
    }
    let (asked, method) = match route {
        Route::AccessScopes if parts.method == Method::GET => return (desk.access_scopes(&call), Facts::default()),
        Route::Uninstall if parts.method == Method::DELETE => return (desk.uninstall(&call), Facts::default()),
        Route::GraphQl { version } if parts.method == Method::POST => (version, None),
        Route::Rest { version, path } => (version, Some(path)),
        _ => return not_found(),
    };
    let Some(served) = version::served(asked) else { return not_found() };
    let (reply, facts) = match method {
        None => desk.graphql(&call, served, body, mishap),
        Some(path) => {
            let ask = rest::Ask {
                method: &parts.method,
                path,
                query: parts.uri.query(),
                body,
                shift: mishap.and_then(Mishap::shift),
            };
            (desk.rest(&call, served, &ask), Facts::default())
        }
    };
    (reply.header("x-shopify-api-version", served), facts)
}

/// Whether the caller asks for JSON by name, as Shopify wants it for errors.
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
