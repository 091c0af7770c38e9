//! `/admin/oauth/authorize`: the authorization request of an app, and the callback after the merchant has approved it. Pure
//! except for random numbers.

use std::collections::HashMap;

use url::Url;

use crate::model::{Scope, ShopDomain};

use super::app::{App, Secret};
use super::grants::Code;
use super::{OAuthContext, OAuthResult, sign};
use crate::sandbox::page::base64;
use crate::sandbox::reply::Reply;
use crate::sandbox::store::{ShopStatus, StoredShop};

/// Lifetime of a code, in seconds.
const CODE_SECONDS: u32 = 60;

/// A valid authorization request.
pub(super) struct AuthorizationRequest {
    pub(super) app: App,
    pub(super) scopes: Vec<String>,
    redirect: Url,
    state: Option<String>,
    online: bool,
    /// The given parameters, for the form of the page.
    pub(super) fields: Vec<(&'static str, String)>,
}

/// The parameters. `grant_options[]` is empty for an offline token.
const FIELDS: [&str; 5] = ["client_id", "scope", "redirect_uri", "state", "grant_options[]"];

/// Parses and checks a request. `Err` is the error and its description, with Shopify's messages where they are known.
pub(super) fn check(
    parameters: &HashMap<String, String>,
    shop: &StoredShop,
    context: &OAuthContext<'_>,
) -> Result<AuthorizationRequest, (&'static str, String)> {
    let parameter = |name: &str| parameters.get(name).map_or("", String::as_str);
    let client_id = parameter("client_id");
    let app = context.apps.find(client_id).ok_or_else(|| {
        ("invalid_request", format!("Could not find Shopify API application with api_key {client_id}"))
    })?;
    let redirect = app
        .redirect(parameter("redirect_uri"))
        .ok_or_else(|| ("invalid_request", "The redirect_uri is not whitelisted".to_owned()))?;
    // Without the parameter, the configuration of the app decides (Shopify-managed installation): here, the current scopes.
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
    Ok(AuthorizationRequest { app, scopes, redirect, state, online, fields })
}

/// Installs the app with the requested scopes and redirects to the callback with a code.
pub(super) fn install(
    domain: &ShopDomain,
    shop: &mut StoredShop,
    asked: &AuthorizationRequest,
    context: &OAuthContext<'_>,
) -> OAuthResult {
    let AuthorizationRequest { app, scopes, redirect, state, online, fields: _ } = asked;
    shop.scopes.clone_from(scopes);
    if shop.status == ShopStatus::Uninstalled {
        shop.status = ShopStatus::Ok;
    }
    let code = format!("{:032x}", fastrand::u128(..));
    let expires_at = context.now + i64::from(app.code_seconds.unwrap_or(CODE_SECONDS)) * 1000;
    let client_id = app.client_id.clone();
    shop.grants.add_code(Code { text: Secret::new(&*code), client_id, online: *online, expires_at }, context.now);
    let host = base64(&format!("admin.shopify.com/store/{}", domain.handle()));
    let mut parameters = vec![
        ("code", code),
        ("host", host.trim_end_matches('=').to_owned()),
        ("shop", domain.as_str().to_owned()),
        ("timestamp", (context.now / 1000).to_string()),
    ];
    parameters.extend(state.clone().map(|state| ("state", state)));
    let url = sign::callback(redirect, app.signing_secret(), &parameters);
    let reply = Reply::html(302, String::new()).header("location", url).header("cache-control", "no-store");
    OAuthResult { reply, changed: true }
}
