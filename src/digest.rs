//! Digests over canonical JSON: keys sorted, no blanks, so that a digest is of a meaning and not of a layout.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// Of the canonical JSON of a value.
pub(crate) fn hash(value: &Value) -> Hash {
    let mut bytes = Vec::with_capacity(256);
    canonical(value, &mut bytes);
    Sha256::digest(&bytes).into()
}

/// `sha256:<hex>` of the canonical JSON of a value.
pub fn sha256(value: &Value) -> String {
    format!("sha256:{}", hex(&hash(value)))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Object keys in byte order, whatever order the JSON library keeps them in.
fn canonical(value: &Value, out: &mut Vec<u8>) {
    let scalar = |value: &Value, out: &mut Vec<u8>| out.extend_from_slice(value.to_string().as_bytes());
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (at, (key, value)) in pairs.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                scalar(&Value::from(key.as_str()), out);
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
