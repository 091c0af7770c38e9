//! What Shopify sends back after a merchant approved the app: is it genuine, and meant for us? Pure; the time is passed in.
//!
//! The checks, in this order: the parameters are there once each, the HMAC is the app's, the shop is the one asked for,
//! the state is ours, the time is now. Nothing of a callback is shown or used before its HMAC held.

use std::fmt::Write as _;

use hmac::Mac as _;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::state::{self, StateProblem};
use crate::model::ShopDomain;

/// How far the clocks of Shopify and of this machine may be apart (Shopify's JavaScript library allows as much).
const SKEW: SignedDuration = SignedDuration::from_secs(90);

/// What a callback is compared with.
pub(crate) struct Expected<'a> {
    /// The shop that was asked.
    pub(crate) shop: &'a ShopDomain,
    /// The state that was given, if somebody else made it up; `None`: it must be one of ours.
    pub(crate) state: Option<&'a str>,
    /// The app's secret, and the one before a rotation.
    pub(crate) secrets: Vec<&'a SecretString>,
    /// How old a callback may be, apart from the clocks' difference.
    pub(crate) max_age: SignedDuration,
}

/// Why a callback is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallbackError {
    #[error("the callback has no query: give the whole URL that the browser was sent to, with code, hmac and all")]
    NoQuery,
    #[error("the callback has no `{0}`{1}")]
    Missing(&'static str, &'static str),
    #[error("the callback has `{0}` more than once, which Shopify never sends")]
    Twice(String),
    #[error("the callback is not percent-encoded UTF-8; copy the URL again, whole")]
    Encoding,
    #[error(
        "the callback's hmac is wrong: it was not signed with this app's client secret, or the URL was changed on its \
         way here. Check `client_secret` (after a rotation, give the former one as `old_client_secret`), and copy the \
         URL again, whole"
    )]
    Hmac,
    #[error("the callback is of {0}, not of the shop that was asked; run this with --shop {0} if that one is meant")]
    OtherShop(ShopDomain),
    #[error("the callback's `shop` is no *.myshopify.com domain")]
    NoShop,
    #[error("the callback's state is not the one of this login{0}; somebody else's link may be at work. Begin again")]
    State(&'static str),
    #[error("the callback's timestamp is not a number of seconds")]
    Timestamp,
    #[error(
        "the callback is {0:#} old by this machine's clock, and its code is good for a moment only: begin again, or allow \
         it with --max-age; if it is new, the clock is ahead: set it"
    )]
    Old(SignedDuration),
    #[error("the callback was signed {0:#} from now by this machine's clock: set the clock")]
    Ahead(SignedDuration),
}

impl CallbackError {
    /// Whether it is no callback at all, rather than one that is not to be trusted.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self, Self::NoQuery | Self::Missing(..) | Self::Twice(_) | Self::Encoding)
    }
}

/// The code of a callback that is genuine.
///
/// `url`: the URL that the browser was sent to, or its query.
pub(crate) fn verify(url: &str, expected: &Expected<'_>, now: Timestamp) -> Result<SecretString, CallbackError> {
    let query = query_of(url).ok_or(CallbackError::NoQuery)?;
    let pairs = Pairs::parse(query)?;
    let hint = if query.contains("tamp=") && !query.contains("timestamp=") {
        ". A page may have shown `&times` as a sign: put `&timestamp` back in its place"
    } else {
        ""
    };
    let need = |key: &'static str| pairs.get(key).ok_or(CallbackError::Missing(key, hint));
    let mac = unhex(need("hmac")?).ok_or(CallbackError::Hmac)?;
    let (code, shop, state, timestamp) = (need("code")?, need("shop")?, need("state")?, need("timestamp")?);
    if !expected.secrets.iter().any(|secret| pairs.signed(secret, &mac)) {
        return Err(CallbackError::Hmac);
    }
    // Not the lenient parser of manifests: what Shopify sends is a whole domain.
    let shop =
        ShopDomain::parse(shop).ok().filter(|_| shop.ends_with(".myshopify.com")).ok_or(CallbackError::NoShop)?;
    if shop != *expected.shop {
        return Err(CallbackError::OtherShop(shop));
    }
    match expected.state {
        Some(given) if state::same(given, state) => {}
        Some(_) => return Err(CallbackError::State("")),
        None => state::check(state, &shop, &expected.secrets, now).map_err(|problem| {
            CallbackError::State(match problem {
                StateProblem::Foreign => "",
                StateProblem::Old => ", or that was begun more than a week ago",
            })
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

/// Whether the callback carries this state, genuine or not: what has another one is not part of this login.
pub(crate) fn carries_state(query: &str, state: &str) -> bool {
    Pairs::parse(query).is_ok_and(|pairs| pairs.get("state").is_some_and(|sent| state::same(state, sent)))
}

fn query_of(url: &str) -> Option<&str> {
    // A shell's quotation marks may have come along.
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
    /// Both as they came, not decoded.
    raw: String,
}

impl Pairs {
    fn parse(query: &str) -> Result<Self, CallbackError> {
        let mut pairs: Vec<Pair> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            // Two values of one name: which of them is signed and which is used must not be a matter of taste.
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

    /// Shopify's rule: without `hmac` (and the older `signature`), sorted by name, as `k=v&k=v`. What is not plain is
    /// written as it came, or as Shopify's own libraries write it (JavaScript percent-encodes, Ruby encodes as forms do,
    /// Python only what would be ambiguous); for what Shopify sends all are the same text but for signs in `host` and
    /// `state`.
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
            // `verify_slice` takes the same time wherever the two differ.
            any |= state::keyed(secret).chain_update(message.as_bytes()).verify_slice(mac).is_ok();
        }
        any
    }
}

/// Percent-encoded but for letters, digits and what is `plain`: JavaScript's encodeURIComponent leaves more as it is than
/// Ruby's `encode_www_form`.
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

/// As Shopify's Python library writes it; in names the equals sign, too.
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

/// Lower-case hex, as Shopify writes it; upper case does no harm.
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
