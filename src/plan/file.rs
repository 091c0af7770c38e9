//! A saved plan is taken whole or not at all.

use serde_json::Value;

use super::digest;
use super::subscription::parse_change;
use super::v1::Plan;
use crate::model::ShopDomain;

/// Why a file is not taken as a plan. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Not JSON, or cut off.
    #[error("not JSON, or cut off: {0}")]
    NotJson(String),
    /// Some other JSON.
    #[error("JSON, but not a hookwright plan{0}")]
    NotAPlan(&'static str),
    /// A format of the future.
    #[error("the plan has format {0}; this hookwright reads 1.x: make the plan and apply it with the same version")]
    Version(String),
    /// A key, an action or a status that does not fit.
    #[error("the plan does not fit its format: {0}")]
    Malformed(String),
    /// Somebody changed it.
    #[error("the plan's content does not match its digest: it was edited or damaged; make a new plan")]
    Digest,
}

/// Reads and verifies a plan.
pub fn read(bytes: &[u8]) -> Result<Plan, PlanFileError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| PlanFileError::NotJson(e.to_string()))?;
    if value.get("report").is_some() {
        return Err(PlanFileError::NotAPlan(" but an apply report"));
    }
    let (Some(version), true) =
        (value.get("format_version").and_then(Value::as_str), value.get("plan_digest").is_some())
    else {
        return Err(PlanFileError::NotAPlan(""));
    };
    if version.split('.').next() != Some("1") {
        return Err(PlanFileError::Version(version.to_owned()));
    }
    let stated = value.get("plan_digest").and_then(Value::as_str).unwrap_or_default().to_owned();
    let plan: Plan = serde_json::from_value(value.clone()).map_err(|e| PlanFileError::Malformed(e.to_string()))?;
    if digest::of_plan_value(value) != stated {
        return Err(PlanFileError::Digest);
    }
    for shop in &plan.shops {
        if ShopDomain::parse(&shop.shop).map_or(true, |s| s.as_str() != shop.shop) {
            return Err(PlanFileError::Malformed(format!("{:?} is not a shop", shop.shop)));
        }
        if shop.changes.iter().any(|change| parse_change(change).is_none()) {
            return Err(PlanFileError::Malformed(format!("a change of {} lacks a part", shop.shop)));
        }
    }
    Ok(plan)
}
