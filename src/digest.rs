//! Digests of canonical JSON, with sorted keys and without whitespace, so that they do not depend on the layout.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// Returns the hash of the canonical JSON of a value.
pub(crate) fn hash(value: &Value) -> Hash {
    let mut bytes = Vec::with_capacity(256);
    canonical(value, &mut bytes);
    Sha256::digest(&bytes).into()
}

/// Returns the same as [`hash`] for a value that serialises with its keys in byte order, without building a tree of
/// values.
pub(crate) fn hash_sorted(value: &impl Serialize) -> Hash {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    debug_assert_eq!(Hash::from(Sha256::digest(&bytes)), hash(&serde_json::to_value(value).unwrap_or_default()));
    Sha256::digest(&bytes).into()
}

/// Returns `sha256:<hex>` for a hash.
pub(crate) fn named(hash: &Hash) -> String {
    format!("sha256:{}", hex(hash))
}

/// Returns `sha256:<hex>` for the canonical JSON of a value.
pub fn sha256(value: &Value) -> String {
    named(&hash(value))
}

/// Returns the [`sha256`] of `object` with the additional key `list`, whose items are created one after another, so
/// that a long list is never in memory as a whole.
pub(crate) fn sha256_with(object: &Map<String, Value>, list: &str, items: impl IntoIterator<Item = Value>) -> String {
    let (mut sha, mut bytes) = (Sha256::new(), vec![b'{']);
    let mut keys: Vec<&str> = object.keys().map(String::as_str).chain([list]).collect();
    keys.sort_unstable();
    let mut items = Some(items);
    for (at, key) in keys.into_iter().enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        scalar(key, &mut bytes);
        bytes.push(b':');
        if let Some(value) = object.get(key) {
            canonical(value, &mut bytes);
        } else if let Some(items) = items.take() {
            bytes.push(b'[');
            for (at, item) in items.into_iter().enumerate() {
                if at > 0 {
                    bytes.push(b',');
                }
                canonical(&item, &mut bytes);
                sha.update(&bytes);
                bytes.clear();
            }
            bytes.push(b']');
        }
    }
    bytes.push(b'}');
    sha.update(&bytes);
    named(&sha.finalize().into())
}

/// Returns lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Writes a value with object keys in byte order, independent of the order in the JSON library.
fn canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (at, (key, value)) in pairs.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                scalar(key, out);
                out.push(b':');
                canonical(value, out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                canonical(item, out);
            }
            out.push(b']');
        }
        value => scalar(value, out),
    }
}

/// Writes a string, a number, a boolean or null.
fn scalar<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Serialising such a value into a vector cannot fail.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_that_is_created_item_by_item_has_the_same_digest() {
        let items = [json!({ "b": 1, "a": ["x", null] }), json!("\u{1}\"")];
        for (before, list, after) in [("a", "m", "z"), ("m", "a", "z"), ("a", "z", "m")] {
            for items in [&items[..], &[]] {
                let frame = json!({ before: { "y": 1.5, "x": true }, after: "ü" });
                let mut whole = frame.clone();
                whole[list] = items.to_vec().into();
                let frame = frame.as_object().expect("object");
                assert_eq!(sha256_with(frame, list, items.iter().cloned()), sha256(&whole));
            }
        }
        assert_eq!(sha256_with(&Map::new(), "only", [json!(1)]), sha256(&json!({ "only": [1] })));
    }
}
