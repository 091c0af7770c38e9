//! Reads plan files. A plan file is either accepted as a whole or rejected.

use std::collections::BTreeMap;

use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::encode::{SHOPS, digest_of};
use super::{Plan, Shop, decode};
use crate::json::names_a_key_twice;
use crate::plan::{self, SharedParts, ShopPlan};
use crate::words;

/// Why a file is rejected as a plan. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file is not JSON, or is truncated.
    #[error("not a plan: {0}; create a new plan")]
    NotJson(String),
    /// The file is other JSON.
    #[error("expected a plan, found {0}")]
    NotAPlan(&'static str),
    /// The format has another major version.
    #[error(
        "the plan has format {0}, but this version of Hookwright reads 1.x; create and apply the plan with the same version"
    )]
    Version(String),
    /// A key, an action or a status is invalid.
    #[error("the plan is malformed: {0}. It was edited or written by another version of Hookwright; create a new plan")]
    Malformed(String),
    /// Parts of the plan contradict each other.
    #[error(
        "the plan is inconsistent: {0}. It was edited or written by another version of Hookwright; create a new plan"
    )]
    Contradiction(String),
    /// The content does not match the digest.
    #[error("the plan does not match its digest, because it was edited or damaged; create a new plan")]
    Digest,
}

/// Reads and verifies a plan. Converts shop by shop, because the JSON of a large plan takes much more memory than the
/// plan.
pub fn read(bytes: &[u8]) -> Result<plan::Plan, PlanFileError> {
    let not_json = |e: serde_json::Error| PlanFileError::NotJson(words::of_json(&e));
    let malformed = |e: serde_json::Error| PlanFileError::Malformed(words::of_data(&e.to_string()));
    let pairs: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).map_err(|e| match e.classify() {
        Category::Data => PlanFileError::NotAPlan("other JSON"),
        _ => not_json(e),
    })?;
    // The parser uses the last of two values of a key, but a human reader may see only the first.
    if names_a_key_twice(bytes) {
        return Err(PlanFileError::Malformed("an object has a duplicate key".to_owned()));
    }
    let raw_shops = pairs.get(SHOPS).copied();
    let rest = pairs.into_iter().filter(|(key, _)| key != SHOPS);
    let mut head = rest
        .map(|(key, raw)| Ok((key, serde_json::from_str(raw.get())?)))
        .collect::<Result<Map<String, Value>, _>>()
        .map_err(not_json)?;
    if head.contains_key("report") {
        return Err(PlanFileError::NotAPlan("an apply report"));
    }
    let (Some(version), Some(stated)) = (head.get("format_version").and_then(Value::as_str), head.get("plan_digest"))
    else {
        return Err(PlanFileError::NotAPlan("other JSON"));
    };
    if version.split('.').next() != Some("1") {
        return Err(PlanFileError::Version(version.to_owned()));
    }
    let stated = stated.as_str().unwrap_or_default().to_owned();
    let raw_shops: Vec<&RawValue> =
        raw_shops.map_or_else(|| Ok(Vec::new()), |raw| serde_json::from_str(raw.get())).map_err(malformed)?;

    let (mut shops, mut refused) = (Vec::with_capacity(raw_shops.len()), None);
    let mut parts = SharedParts::default();
    for (at, raw) in raw_shops.iter().enumerate() {
        let in_shop = |e: serde_json::Error| format!("shop {}: {}", at + 1, words::of_data(&e.to_string()));
        let shop: Shop = serde_json::from_str(raw.get()).map_err(|e| PlanFileError::Malformed(in_shop(e)))?;
        match ShopPlan::try_from(shop) {
            Ok(mut shop) => {
                parts.share(&mut shop);
                shops.push(shop);
            }
            // A wrong digest is reported before this error.
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    head.insert(SHOPS.to_owned(), Value::Array(Vec::new()));
    let wire: Plan = serde_json::from_value(Value::Object(head.clone())).map_err(malformed)?;
    // Every element is valid JSON here, because it was parsed as a shop.
    let values = raw_shops.iter().map(|raw| serde_json::from_str(raw.get()).unwrap_or_default());
    if digest_of(head, values) != stated {
        return Err(PlanFileError::Digest);
    }
    if let Some(error) = refused {
        return Err(error);
    }
    let plan = decode::plan(wire, shops)?;
    match plan::contradiction(&plan) {
        Some(what) => Err(PlanFileError::Contradiction(what)),
        None => Ok(plan),
    }
}
