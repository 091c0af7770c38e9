//! A saved plan is taken whole or not at all.

use std::collections::BTreeMap;

use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::audit::contradiction;
use super::digest;
use super::subscription::parse_change;
use crate::json::names_a_key_twice;
use crate::model::ShopDomain;
use crate::wire::plan::{Plan, Shop};
use crate::words;

/// Why a file is not taken as a plan. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Not JSON, or cut off.
    #[error("not a plan: {0}; make a new one")]
    NotJson(String),
    /// Some other JSON.
    #[error("JSON, but not a hookwright plan{0}")]
    NotAPlan(&'static str),
    /// A format of the future.
    #[error("the plan has format {0}; this hookwright reads 1.x: make the plan and apply it with the same version")]
    Version(String),
    /// A key, an action or a status that does not fit.
    #[error(
        "the plan does not fit its format: {0}. It was edited, or written by another version of hookwright; make a new plan"
    )]
    Malformed(String),
    /// What it says cannot all be true.
    #[error(
        "the plan contradicts itself: {0}. It was edited, or written by another version of hookwright; make a new plan"
    )]
    Contradiction(String),
    /// Somebody changed it.
    #[error("the plan's content does not match its digest: it was edited or damaged; make a new plan")]
    Digest,
}

/// Reads and verifies a plan. Shop by shop: the JSON of a fleet's plan is many times the plan.
pub fn read(bytes: &[u8]) -> Result<Plan, PlanFileError> {
    let not_json = |e: serde_json::Error| PlanFileError::NotJson(words::of_json(&e));
    let malformed = |e: serde_json::Error| PlanFileError::Malformed(words::of_data(&e.to_string()));
    let pairs: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).map_err(|e| match e.classify() {
        Category::Data => PlanFileError::NotAPlan(""),
        _ => not_json(e),
    })?;
    // Of two values for one key the later would count, and a reader may look at the first.
    if names_a_key_twice(bytes) {
        return Err(PlanFileError::Malformed("an object names a key twice".to_owned()));
    }
    let raw_shops = pairs.get(digest::SHOPS).copied();
    let rest = pairs.into_iter().filter(|(key, _)| key != digest::SHOPS);
    let mut frame = rest
        .map(|(key, raw)| Ok((key, serde_json::from_str(raw.get())?)))
        .collect::<Result<Map<String, Value>, _>>()
        .map_err(not_json)?;
    if frame.contains_key("report") {
        return Err(PlanFileError::NotAPlan(" but an apply report"));
    }
    let (Some(version), Some(stated)) = (frame.get("format_version").and_then(Value::as_str), frame.get("plan_digest"))
    else {
        return Err(PlanFileError::NotAPlan(""));
    };
    if version.split('.').next() != Some("1") {
        return Err(PlanFileError::Version(version.to_owned()));
    }
    let stated = stated.as_str().unwrap_or_default().to_owned();
    let raw_shops: Vec<&RawValue> =
        raw_shops.map_or_else(|| Ok(Vec::new()), |raw| serde_json::from_str(raw.get())).map_err(malformed)?;

    let shops = raw_shops.iter().enumerate().map(|(at, raw)| {
        let in_shop = |e: serde_json::Error| format!("shop {}: {}", at + 1, words::of_data(&e.to_string()));
        serde_json::from_str(raw.get()).map_err(|e| PlanFileError::Malformed(in_shop(e)))
    });
    let shops: Vec<Shop> = shops.collect::<Result<_, _>>()?;
    frame.insert(digest::SHOPS.to_owned(), Value::Array(Vec::new()));
    let plan: Plan = serde_json::from_value(Value::Object(frame.clone())).map_err(malformed)?;
    // What is not JSON was no shop, either.
    let values = raw_shops.iter().map(|raw| serde_json::from_str(raw.get()).unwrap_or_default());
    if digest::of_plan(frame, values) != stated {
        return Err(PlanFileError::Digest);
    }
    for shop in &shops {
        if ShopDomain::parse(&shop.shop).map_or(true, |s| s.as_str() != shop.shop) {
            return Err(PlanFileError::Malformed(format!("{:?} is not a shop", shop.shop)));
        }
        if shop.changes.iter().any(|change| parse_change(change).is_none()) {
            return Err(PlanFileError::Malformed(format!("a change of {} lacks a part", shop.shop)));
        }
    }
    let plan = Plan { shops, ..plan };
    match contradiction(&plan) {
        Some(what) => Err(PlanFileError::Contradiction(what)),
        None => Ok(plan),
    }
}
