//! `/admin/oauth/authorize`: what an app asks a merchant for, and the callback when he says yes. Pure but for chance.

use std::collections::HashMap;

use url::Url;

use crate::model::{Scope, ShopDomain};

use super::app::{App, Secret};
use super::grants::Code;
use super::{Done, With, sign};
use crate::sandbox::page::base64;
use crate::sandbox::reply::Reply;
use crate::sandbox::store::{Shop, Status};

/// How long a code lives, in seconds.
const CODE_SECONDS: u32 = 60;

/// What is asked for, and found in order.
pub(super) struct Asked {
    pub(super) app: App,
    pub(super) scopes: Vec<String>,
    redirect: Url,
    state: Option<String>,
    online: bool,
    /// All of it as it came, for the form.
    pub(super) fields: Vec<(&'static str, String)>,
}

/// What may be asked. `grant_options[]` is empty for an offline token.
const FIELDS: [&str; 5] = ["client_id", "scope", "redirect_uri", "state", "grant_options[]"];

/// Reads what is asked for; `Err`: the error and its description, in Shopify's words where they are known.
pub(super) fn check(
    parameters: &HashMap<String, String>,
    shop: &Shop,
    with: &With<'_>,
) -> Result<Asked, (&'static str, String)> {
    let parameter = |name: &str| parameters.get(name).map_or("", String::as_str);
    let client_id = parameter("client_id");
    let app = with.apps.find(client_id).ok_or_else(|| {
        ("invalid_request", format!("Could not find Shopify API application with api_key {client_id}"))
    })?;
    let redirect = app
        .redirect(parameter("redirect_uri"))
        .ok_or_else(|| ("invalid_request", "The redirect_uri is not whitelisted".to_owned()))?;
    // Without the parameter the app's own configuration counts (Shopify-managed installation): here, what it has.
    let mut scopes: Vec<String> = match parameters.get("scope") {
        Some(list) => list.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        None => shop.scopes.clone(),
    };
    scopes.sort();
    scopes.dedup();
    if let Some(wrong) = scopes.iter().find(|scope| Scope::parse(scope).is_none()) {
        return Err(("invalid_scope", format!("The access scope is invalid: {wrong}")));
    }
    let fields = FIELDS.into_iter().filter_map(|name| Some((name, parameters.get(name)?.clone()))).collect();
    let state = parameters.get("state").cloned();
    let online = parameter("grant_options[]") == "per-user";
    Ok(Asked { app, scopes, redirect, state, online, fields })
}

/// The merchant said yes: the shop has the app and the scopes, and the callback brings the code.
pub(super) fn install(domain: &ShopDomain, shop: &mut Shop, asked: &Asked, with: &With<'_>) -> Done {
    let Asked { app, scopes, redirect, state, online, fields: _ } = asked;
    shop.scopes.clone_from(scopes);
    if shop.status == Status::Uninstalled {
        shop.status = Status::Ok;
    }
    let code = format!("{:032x}", fastrand::u128(..));
    let expires_at = with.now + i64::from(app.code_seconds.unwrap_or(CODE_SECONDS)) * 1000;
    let client_id = app.client_id.clone();
    shop.grants.add_code(Code { text: Secret::new(&*code), client_id, online: *online, expires_at }, with.now);
    let host = base64(&format!("admin.shopify.com/store/{}", domain.handle()));
    let mut parameters = vec![
        ("code", code),
        ("host", host.trim_end_matches('=').to_owned()),
        ("shop", domain.as_str().to_owned()),
        ("timestamp", (with.now / 1000).to_string()),
    ];
    parameters.extend(state.clone().map(|state| ("state", state)));
    let url = sign::callback(redirect, app.signing_secret(), &parameters);
    let reply = Reply::html(302, String::new()).header("location", url).header("cache-control", "no-store");
    Done { reply, changed: true }
}
