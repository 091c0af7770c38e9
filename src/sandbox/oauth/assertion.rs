//! Client assertions (RFC 7523): a JWT that the app signed, in place of its client secret. Pure.
//!
//! Own code on purpose, over another library (ring) than the client signs with (aws-lc-rs): neither may lean on the other.
//! Shopify's rules beyond the standard and its texts are not recorded: `invalid_client` (RFC 7521, section 4.2.1) with these
//! descriptions, the required `kid`, the leeway and the longest life are assumed.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::model::ShopDomain;

use super::app::{App, Apps};

/// RFC 7523, section 2.2.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// By how many seconds the app's clock may be ahead.
const LEEWAY: i64 = 60;
/// No assertion is good for longer, in seconds.
const LONGEST: i64 = 3_600;

/// The assertions that were accepted and have not expired: client id and `jti`, until when (seconds). In memory: a
/// sandbox that starts again has forgotten them.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Seen(HashMap<(String, String), i64>);

impl Seen {
    /// Whether this `jti` comes for the first time; if so, it is remembered.
    fn is_new(&mut self, client_id: &str, jti: &str, until: i64, now: i64) -> bool {
        self.0.retain(|_, until| *until > now);
        self.0.insert((client_id.to_owned(), jti.to_owned()), until).is_none()
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    aud: Option<Audience>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    #[serde(default)]
    jti: String,
}

/// One audience, or several (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, expected: &str) -> bool {
        match self {
            Self::One(audience) => audience == expected,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == expected),
        }
    }
}

/// The app that signed `assertion` for this shop; `now` is milliseconds since 1970. Otherwise what is wrong with it.
pub(super) fn verify(
    assertion: &str,
    apps: &Apps<'_>,
    shop: &ShopDomain,
    seen: &mut Seen,
    now: i64,
) -> Result<App, String> {
    let malformed = || "The client assertion is not a JWT.".to_owned();
    let mut parts = assertion.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed());
    };
    let signed = assertion.rsplit_once('.').map_or("", |(signed, _)| signed);
    let header: Header = part(header).ok_or_else(malformed)?;
    let claims: Claims = part(claims).ok_or_else(malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    if header.alg != "RS256" {
        return Err("The client assertion must be signed with RS256.".to_owned());
    }
    if claims.sub.is_empty() || claims.iss != claims.sub {
        return Err("The issuer and the subject of the client assertion must both be the client id.".to_owned());
    }
    let app = apps.find(&claims.sub).ok_or("The subject of the client assertion is not the client id of an app.")?;
    let mut keys = app.keys.iter().filter(|key| key.id() == header.kid).peekable();
    if keys.peek().is_none() {
        return Err("The key id of the client assertion is not registered for this app.".to_owned());
    }
    if !keys.any(|key| key.verifies(signed.as_bytes(), &signature)) {
        return Err("The signature of the client assertion is not valid for the registered key.".to_owned());
    }
    claims.check(&app, shop, seen, app.clock(now).div_euclid(1000))?;
    Ok(app)
}

impl Claims {
    /// The rules that need no key; `now` is seconds since 1970.
    fn check(&self, app: &App, shop: &ShopDomain, seen: &mut Seen, now: i64) -> Result<(), &'static str> {
        let exp = self.exp.ok_or("The client assertion has no expiration time.")?;
        if exp <= now {
            return Err("The client assertion has expired.");
        }
        if exp > now + LONGEST + LEEWAY {
            return Err("The client assertion expires too far in the future.");
        }
        if [self.iat, self.nbf].into_iter().flatten().any(|from| from > now + LEEWAY) {
            return Err("The client assertion was issued in the future.");
        }
        let endpoint = format!("https://{shop}/admin/oauth/access_token");
        let others = app.assertion_audiences.iter().map(|audience| audience.replace("{shop}", shop.as_str()));
        let audience = self.aud.as_ref().ok_or("The client assertion has no audience.")?;
        if !std::iter::once(endpoint).chain(others).any(|expected| audience.names(&expected)) {
            return Err("The audience of the client assertion is not this shop's token endpoint.");
        }
        if self.jti.is_empty() {
            return Err("The client assertion has no jti.");
        }
        if !seen.is_new(&app.client_id, &self.jti, exp, now) {
            return Err("The jti of the client assertion was used already.");
        }
        Ok(())
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
