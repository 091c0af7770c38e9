//! Verifies the callback that Shopify sends after a merchant approved the app. Pure; the time is passed in.
//!
//! The checks, in order: each required parameter occurs once, the HMAC is the app's, the shop is the requested one, the
//! state is the expected one, the timestamp is recent. No value of a callback is shown or used before its HMAC is
//! verified.

use std::fmt::Write as _;

use hmac::Mac as _;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::state::{self, StateProblem};
use crate::model::ShopDomain;

/// The accepted difference between the clocks of Shopify and of this machine (the value of Shopify's JavaScript
/// library).
const SKEW: SignedDuration = SignedDuration::from_secs(90);

/// The values that a callback is compared with.
pub(crate) struct Expected<'a> {
    /// The requested shop.
    pub(crate) shop: &'a ShopDomain,
    /// The state that the caller chose. `None`: the state must be one that Hookwright issued.
    pub(crate) state: Option<&'a str>,
    /// The app's client secret, and the previous one during a rotation.
    pub(crate) secrets: Vec<&'a SecretString>,
    /// The maximum age of a callback, without the difference of the clocks.
    pub(crate) max_age: SignedDuration,
}

/// Why a callback is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallbackError {
    #[error("the callback has no query. Pass the whole URL of the browser, including `code` and `hmac`")]
    NoQuery,
    #[error("the callback has no parameter `{0}`{1}")]
    Missing(&'static str, &'static str),
    #[error("duplicate parameter `{0}` in the callback. Copy the whole URL again")]
    Twice(String),
    #[error("the callback is not percent-encoded UTF-8. Copy the whole URL again")]
    Encoding,
    #[error(
        "the `hmac` of the callback is invalid: the callback was not signed with this app's client secret, or the URL \
         was changed on the way. Check `client_secret` (after a rotation, `old_client_secret` must be the previous \
         secret), and copy the whole URL again"
    )]
    Hmac,
    #[error(
        "the callback is for {0}, not for the requested shop. If you meant {0}, run this command with `--shop {0}`"
    )]
    OtherShop(ShopDomain),
    #[error("the `shop` of the callback is not a `*.myshopify.com` domain")]
    NoShop,
    #[error(
        "the callback belongs to another login: its `state` was not created for this shop and app. Start again, and open \
         only the link that Hookwright prints. A URL that another person sent may be an attack"
    )]
    State,
    #[error("the link of this login is more than a week old. Start again")]
    OldState,
    #[error("the `timestamp` of the callback is not a number of seconds")]
    Timestamp,
    #[error(
        "the callback is {0:#} old by this machine's clock, and its code is valid only for a short time. Start again, \
         or accept an older callback with `--max-age`. If the callback is new, this machine's clock is ahead: correct \
         it"
    )]
    Old(SignedDuration),
    #[error("the callback was signed {0:#} in the future by this machine's clock. Correct the clock")]
    Ahead(SignedDuration),
}

impl CallbackError {
    /// Returns whether the text is not a callback at all, rather than a callback that fails its verification.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self, Self::NoQuery | Self::Missing(..) | Self::Twice(_) | Self::Encoding)
    }
}

/// Returns the authorization code of a genuine callback.
///
/// `url`: the URL that the browser was redirected to, or its query.
pub(crate) fn verify(url: &str, expected: &Expected<'_>, now: Timestamp) -> Result<SecretString, CallbackError> {
    let query = query_of(url).ok_or(CallbackError::NoQuery)?;
    let pairs = Pairs::parse(query)?;
    let hint = if query.contains("tamp=") && !query.contains("timestamp=") {
        ". A web page may have changed `&times` into `×`: restore `&timestamp`"
    } else {
        ""
    };
    let need = |key: &'static str| pairs.get(key).ok_or(CallbackError::Missing(key, hint));
    let mac = unhex(need("hmac")?).ok_or(CallbackError::Hmac)?;
    let (code, shop, state, timestamp) = (need("code")?, need("shop")?, need("state")?, need("timestamp")?);
    if !expected.secrets.iter().any(|secret| pairs.signed(secret, &mac)) {
        return Err(CallbackError::Hmac);
    }
    // Shopify sends a full domain, so the bare handle that a manifest may have is refused.
    let shop =
        ShopDomain::parse(shop).ok().filter(|_| shop.ends_with(".myshopify.com")).ok_or(CallbackError::NoShop)?;
    if shop != *expected.shop {
        return Err(CallbackError::OtherShop(shop));
    }
    match expected.state {
        Some(given) if state::same(given, state) => {}
        Some(_) => return Err(CallbackError::State),
        None => state::check(state, &shop, &expected.secrets, now).map_err(|problem| match problem {
            StateProblem::Foreign => CallbackError::State,
            StateProblem::Old => CallbackError::OldState,
        })?,
    }
    let seconds = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let age = now.duration_since(seconds.ok_or(CallbackError::Timestamp)?);
    let whole = |duration: SignedDuration| SignedDuration::from_secs(duration.as_secs());
    if age > expected.max_age.saturating_add(SKEW) {
        return Err(CallbackError::Old(whole(age)));
    }
    if -age > SKEW {
        return Err(CallbackError::Ahead(whole(-age)));
    }
    Ok(code.into())
}

/// Returns whether the callback carries this state, genuine or not. A callback with another one is not part of this
/// login.
pub(crate) fn carries_state(query: &str, state: &str) -> bool {
    Pairs::parse(query).is_ok_and(|pairs| pairs.get("state").is_some_and(|sent| state::same(state, sent)))
}

fn query_of(url: &str) -> Option<&str> {
    // A pasted URL may include a shell's quotation marks.
    let url = url.trim().trim_matches(['"', '\'']);
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    match url.split_once('?') {
        Some((_, query)) => Some(query),
        None => (url.contains('=') && !url.contains("://")).then_some(url),
    }
    .filter(|query| !query.is_empty())
}

/// The parameters, sorted.
struct Pairs(Vec<Pair>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    name: String,
    value: String,
    /// `name=value` as received, not decoded.
    raw: String,
}

impl Pairs {
    fn parse(query: &str) -> Result<Self, CallbackError> {
        let mut pairs: Vec<Pair> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            // With duplicates, the signed value could differ from the used one.
            if pairs.iter().any(|known| known.name == name) {
                return Err(CallbackError::Twice(name.escape_default().to_string()));
            }
            pairs.push(Pair { name, value, raw: part.to_owned() });
        }
        pairs.sort_unstable();
        Ok(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|pair| pair.name == name).map(|pair| pair.value.as_str()).filter(|value| !value.is_empty())
    }

    /// Checks the HMAC by Shopify's rule: all parameters except `hmac` (and the older `signature`), sorted by name, as
    /// `k=v&k=v`. Special characters are tried as received and in the encodings of Shopify's own libraries (JavaScript
    /// percent-encodes, Ruby encodes as forms do, Python encodes only ambiguous characters). For Shopify's callbacks
    /// all of these are the same text, except for special characters in `host` and `state`.
    fn signed(&self, secret: &SecretString, mac: &[u8]) -> bool {
        let spellings: [fn(&Pair) -> String; 4] = [
            |pair| pair.raw.clone(),
            |pair| format!("{}={}", encoded(&pair.name, b"-._*!~'()"), encoded(&pair.value, b"-._*!~'()")),
            |pair| format!("{}={}", encoded(&pair.name, b"-._*"), encoded(&pair.value, b"-._*")).replace("%20", "+"),
            |pair| format!("{}={}", ambiguous(&pair.name).replace('=', "%3D"), ambiguous(&pair.value)),
        ];
        let mut any = false;
        for spell in spellings {
            let signed = self.0.iter().filter(|pair| pair.name != "hmac" && pair.name != "signature");
            let message = signed.map(spell).collect::<Vec<_>>().join("&");
            // `verify_slice` takes constant time.
            any |= state::keyed(secret).chain_update(message.as_bytes()).verify_slice(mac).is_ok();
        }
        any
    }
}

/// Percent-encodes everything except letters, digits and `plain`. JavaScript's `encodeURIComponent` leaves more
/// characters unchanged than Ruby's `encode_www_form`.
fn encoded(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Encodes as Shopify's Python library does, which also encodes `=` in names.
fn ambiguous(text: &str) -> String {
    text.replace('%', "%25").replace('&', "%26")
}

fn decode(text: &str) -> Result<String, CallbackError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = rest.next().zip(rest.next()).ok_or(CallbackError::Encoding)?;
                nibble(digits.0)
                    .zip(nibble(digits.1))
                    .map(|(high, low)| high << 4 | low)
                    .ok_or(CallbackError::Encoding)?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| CallbackError::Encoding)
}

/// Decodes hexadecimal digits. Shopify writes lower case; upper case is accepted.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().map(nibble).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
#[path = "callback/tests.rs"]
mod tests;
