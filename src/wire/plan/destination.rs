//! The JSON of destinations at Adobe Experience Platform.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Severity, ShopError, Source};
use crate::model::Address;
use crate::plan;

/// A destination, with the answer of Adobe Experience Platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Destination {
    /// Name in the manifest; null for an address that is written in a binding.
    pub name: Option<String>,
    /// Shop to which the destination belongs; null if it is common to all shops.
    pub shop: Option<String>,
    /// Where the destination is defined.
    pub source: Source,
    /// How the destination was looked up: by `name`, by `id`, or by `address` for an address that is written in the
    /// manifest.
    pub found_by: String,
    /// Name, id or address that was looked up.
    pub wanted: String,
    /// Account under `aep`; null if no account has the address.
    pub account: Option<String>,
    /// IMS organisation of the account.
    pub org: Option<String>,
    /// Adobe sandbox of the account.
    pub sandbox: Option<String>,
    /// `flow` or `connection`; null for an address that was not found.
    pub kind: Option<String>,
    /// Id of the dataflow or connection.
    pub id: Option<String>,
    /// Name at Adobe.
    pub title: Option<String>,
    /// State at Adobe: `enabled`, `disabled` and others.
    pub state: Option<String>,
    /// Address to which bindings are bound.
    pub address: Option<String>,
    /// Time of creation at Adobe, RFC 3339.
    pub created_at: Option<String>,
    /// Time of the last change at Adobe, RFC 3339.
    pub updated_at: Option<String>,
    /// Verdict: `ok`, `missing`, `ambiguous`, `disabled`, `address_differs`, `authentication_required`, `no_address`,
    /// `unusable_address`, `settling`, `ingest_failing`, `quiet`, `unknown`, or one that a later minor version adds.
    pub verdict: String,
    /// Severity of the verdict.
    pub severity: Severity,
    /// Problem and remedy; empty if there is no problem.
    pub message: String,
    /// RFC 3339; Adobe may lose events that are delivered before this time. Absent unless the verdict is `settling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles_at: Option<String>,
    /// Series of failing runs; absent unless the verdict is `ingest_failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
    /// Addresses that the plan replaces with the address of this destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Replaced>,
    /// Why Adobe did not answer; absent if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShopError>,
}

/// An address that a plan replaces with the address of a destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replaced {
    /// The address.
    pub address: String,
    /// Number of live subscriptions with the address.
    pub subscriptions: usize,
    /// Number of shops with such subscriptions.
    pub shops: usize,
    /// What is known about the address at Adobe.
    pub message: String,
    /// Whether Adobe no longer has a dataflow or connection with this address.
    #[serde(default)]
    pub gone: bool,
}

/// The current series of failing runs of a dataflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failing {
    /// Start of the first run of the series, RFC 3339.
    pub since: String,
    /// Whether a successful run before the series was read. If false, the series may have started earlier.
    pub exact: bool,
    /// Day (`2026-12-26`, UTC) on which Adobe disables the dataflow unless a run succeeds: 30 days after `since`. If
    /// `exact` is false, the latest such day. Null while runs write some of their records.
    pub disabled_on: Option<String>,
}

/// Compares destinations by name, shop and lookup: the order of plans and lists.
pub fn destination_order(a: &Destination, b: &Destination) -> Ordering {
    (&a.name, &a.shop, &a.wanted).cmp(&(&b.name, &b.shop, &b.wanted))
}

impl From<&plan::Destination> for Destination {
    fn from(destination: &plan::Destination) -> Self {
        let plan::Destination {
            name,
            shop,
            source,
            found_by,
            wanted,
            account,
            org,
            sandbox,
            kind,
            id,
            title,
            state,
            address,
            created_at,
            updated_at,
            verdict,
            severity,
            message,
            settles_at,
            failing,
            replaces,
            error,
        } = destination.clone();
        let replaced = |plan::Replaced { address, subscriptions, shops, message, gone }| Replaced {
            address,
            subscriptions,
            shops,
            message,
            gone,
        };
        Self {
            name,
            shop,
            source: (&source).into(),
            found_by,
            wanted,
            account,
            org,
            sandbox,
            kind,
            id,
            title,
            state,
            address: address.map(|address| address.to_string()),
            created_at,
            updated_at,
            verdict: verdict.as_str().to_owned(),
            severity: severity.into(),
            message,
            settles_at: settles_at.map(|at| at.to_string()),
            failing: failing.map(|plan::Failing { since, exact, disabled_on }| Failing { since, exact, disabled_on }),
            replaces: replaces.into_iter().map(replaced).collect(),
            error: error.as_ref().map(Into::into),
        }
    }
}

impl From<Destination> for plan::Destination {
    fn from(wire: Destination) -> Self {
        let Destination {
            name,
            shop,
            source,
            found_by,
            wanted,
            account,
            org,
            sandbox,
            kind,
            id,
            title,
            state,
            address,
            created_at,
            updated_at,
            verdict,
            severity,
            message,
            settles_at,
            failing,
            replaces,
            error,
        } = wire;
        let replaced = |Replaced { address, subscriptions, shops, message, gone }| plan::Replaced {
            address,
            subscriptions,
            shops,
            message,
            gone,
        };
        Self {
            name,
            shop,
            source: source.into(),
            found_by,
            wanted,
            account,
            org,
            sandbox,
            kind,
            id,
            title,
            state,
            address: address.as_deref().map(Address::new),
            created_at,
            updated_at,
            verdict: plan::Verdict::parse(&verdict),
            severity: severity.into(),
            message,
            settles_at: settles_at.and_then(|at| at.parse().ok()),
            failing: failing.map(|Failing { since, exact, disabled_on }| plan::Failing { since, exact, disabled_on }),
            replaces: replaces.into_iter().map(replaced).collect(),
            error: error.map(Into::into),
        }
    }
}
