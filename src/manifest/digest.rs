//! The digest of the meaning of a manifest, independent of files, order, comments and the division into sets.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::digest::{Hash, hash, hash_sorted, hex};
use crate::model::{App, Assertion, Auth, Binding, SecretRef, ShopDomain};
use crate::state::aep::{AepAccount, Target};
use crate::state::{AppEvent, AppSubscription, Compared, Ownership, Safety, compared_at, set};

use super::expand::DraftShop;
use super::{AdminApi, Manifest};

/// Returns the digest of a binding. It covers the target as the manifest writes it, independent of the result of a
/// lookup.
pub(super) fn binding(binding: &Binding<Target>, destination: Option<&str>) -> Hash {
    hash_sorted(&Named { binding: compared_at(binding, &binding.address.written()), destination })
}

/// A binding with its destination. The keys are in byte order, as `hash_sorted` requires.
#[derive(Serialize)]
struct Named<'a> {
    binding: Compared<'a>,
    destination: Option<&'a str>,
}

/// Returns the digest of a shop, given the digests of its bindings.
pub(super) fn shop(shop: &DraftShop, domain: &ShopDomain, mut bindings: Vec<Hash>) -> Hash {
    bindings.sort_unstable();
    let bindings = bindings.iter().fold(Sha256::new(), Sha256::chain_update).finalize();
    let DraftShop {
        domain: _,
        allow: _,
        labels,
        scopes,
        auth,
        token_expiry,
        common: _,
        own: _,
        parts: _,
        lookups: _,
        limits,
        tolerate,
        source: _,
    } = shop;
    let protected = limits
        .protected_topics
        .as_ref()
        .map(|topics| topics.iter().map(|topic| topic.graphql().to_owned()).collect::<Vec<_>>());
    hash(&json!({
        "shop": domain.as_str(),
        "labels": labels,
        "scopes": scopes.as_ref().map(|scopes| scopes.written.iter().map(crate::model::Scope::as_str).collect::<Vec<_>>()),
        "bindings": hex(&bindings),
        "auth": auth.as_deref().map(auth_value),
        "token_expiry": token_expiry.map(crate::model::TokenExpiry::as_str),
        "max_delete_percent": limits.max_delete_percent,
        "protected_topics": protected.as_deref().map(set),
        "tolerate": tolerate.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
    }))
}

/// Returns the digest of a manifest: everything except the digest itself.
pub(super) fn manifest(manifest: &Manifest, written: &BTreeSet<Cow<'_, str>>, shops: &[Hash]) -> String {
    let Manifest {
        digest: _,
        admin_api,
        ownership,
        safety,
        consents: _,
        shops: _,
        addresses: _,
        aep,
        destinations: _,
        app,
        app_events,
        app_redirects: _,
    } = manifest;
    let AdminApi { version, transport } = admin_api;
    let Ownership { address_prefixes, unmanaged } = ownership;
    let Safety {
        max_delete_percent,
        max_total_delete_percent,
        max_address_change_percent,
        max_destination_loss_percent,
        protected_topics,
    } = safety;
    let prefixes: Vec<String> = address_prefixes.iter().map(|prefix| prefix.as_str().to_owned()).collect();
    let protected: Vec<String> = protected_topics.iter().map(|topic| topic.graphql().to_owned()).collect();
    let mut all = json!({
        "version": 1,
        "admin_api": { "version": version.as_str(), "transport": transport.as_str() },
        "ownership": { "address_prefixes": set(&prefixes), "unmanaged": unmanaged.as_str() },
        "safety": {
            "max_delete_percent": max_delete_percent,
            "max_total_delete_percent": max_total_delete_percent,
            "max_address_change_percent": max_address_change_percent,
            "protected_topics": set(&protected),
        },
        "addresses": written,
        "shops": shops.iter().map(|shop| hex(shop)).collect::<Vec<_>>(),
    });
    // Optional keys, so that manifests without them keep the digest of earlier versions.
    if *max_destination_loss_percent != Safety::default().max_destination_loss_percent {
        all["safety"]["max_destination_loss_percent"] = (*max_destination_loss_percent).into();
    }
    if !app.is_empty() {
        let declared = app.iter().map(|AppSubscription { topic, address, filter, source: _ }| {
            json!({ "topic": topic.graphql(), "address": address.as_str(), "filter": filter })
        });
        all["app"] = declared.collect();
    }
    if !app_events.is_empty() {
        let declared = app_events.iter().map(|AppEvent { topic, actions, handle, address, source: _ }| {
            json!({ "topic": topic, "actions": actions, "handle": handle, "address": address.as_str() })
        });
        all["app_events"] = declared.collect();
    }
    if !aep.is_empty() {
        all["aep"] = aep.iter().map(account).collect();
    }
    format!("sha256:{}", hex(&hash(&all)))
}

fn account(account: &AepAccount) -> Value {
    let AepAccount { name, org, sandbox, client_id, client_secret, scopes, token_url, base_url, source: _ } = account;
    json!({
        "name": **name,
        "org": org,
        "sandbox": sandbox,
        "client_id": reference(client_id),
        "client_secret": reference(client_secret),
        "scopes": set(scopes),
        "token_url": token_url,
        "base_url": base_url,
    })
}

/// Returns `auth` in the shape of the manifest.
pub(crate) fn auth_value(auth: &Auth) -> Value {
    let app = |App { client_id, client_secret, old_client_secret }: &App| {
        let mut value = json!({ "client_id": reference(client_id), "client_secret": reference(client_secret) });
        if let Some(old) = old_client_secret {
            value["old_client_secret"] = reference(old);
        }
        value
    };
    match auth {
        Auth::AccessToken(from) => json!({ "access_token": reference(from) }),
        Auth::ClientCredentials(of) => json!({ "client_credentials": app(of) }),
        Auth::ClientAssertion(Assertion { client_id, private_key, key_id, audience, lifetime }) => {
            let mut value = json!({
                "client_id": reference(client_id),
                "private_key": reference(private_key),
                "key_id": key_id,
            });
            if let Some(audience) = audience {
                value["audience"] = audience.as_str().into();
            }
            if let Some(lifetime) = lifetime {
                value["lifetime"] = format!("{}s", lifetime.as_secs()).into();
            }
            json!({ "client_assertion": value })
        }
        Auth::TokenStore { path, app: of } => {
            let mut value = app(of);
            value["path"] = path.as_str().into();
            json!({ "token_store": value })
        }
    }
}

fn reference(secret: &SecretRef) -> Value {
    match secret {
        SecretRef::Env(name) => json!({ "env": name }),
        SecretRef::File(path) => json!({ "file": path }),
        SecretRef::Command(words) => json!({ "command": words }),
    }
}
