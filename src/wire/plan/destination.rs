//! What a plan says of destinations at Adobe Experience Platform.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Severity, ShopError, Source};
use crate::model::Address;
use crate::plan;

/// What Adobe Experience Platform says of a destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Destination {
    /// Its name in the manifest; null for an address that stands in a binding.
    pub name: Option<String>,
    /// The shop that has it of its own; null if it is every shop's.
    pub shop: Option<String>,
    /// Where it is defined.
    pub source: Source,
    /// How it was found: `name` or `id` as the manifest says, `address` for one that somebody pasted.
    pub found_by: String,
    /// The name, id or address that was looked for.
    pub wanted: String,
    /// The account under `aep`; null if a pasted address was found under none.
    pub account: Option<String>,
    /// IMS organisation that was asked.
    pub org: Option<String>,
    /// Adobe's sandbox that was asked.
    pub sandbox: Option<String>,
    /// `flow` or `connection`; null for a pasted address that was not found.
    pub kind: Option<String>,
    /// Id of the dataflow or connection.
    pub id: Option<String>,
    /// Its name at Adobe.
    pub title: Option<String>,
    /// As Adobe says it: `enabled`, `disabled`, …
    pub state: Option<String>,
    /// The address to bind to.
    pub address: Option<String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// `ok`, `missing`, `ambiguous`, `disabled`, `address_differs`, `authentication_required`, `no_address`, `unusable_address`,
    /// `settling`, `ingest_failing`, `quiet`, `unknown`, or one that a later minor version adds.
    pub verdict: String,
    /// How much that matters.
    pub severity: Severity,
    /// What is the matter and what to do; empty if all is well.
    pub message: String,
    /// RFC 3339: until then Adobe may lose what is delivered; null unless the verdict is `settling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles_at: Option<String>,
    /// Since when the dataflow has been failing; absent unless the verdict is `ingest_failing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
    /// Addresses that live subscriptions have instead, and what became of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Replaced>,
    /// Why Adobe did not say; null unless the verdict is `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShopError>,
}

/// An address that gives way to the one of a destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replaced {
    /// The address.
    pub address: String,
    /// How many live subscriptions have it.
    pub subscriptions: usize,
    /// In how many shops.
    pub shops: usize,
    /// What Adobe says of it.
    pub message: String,
    /// Whether Adobe has no dataflow or connection with that address any more.
    #[serde(default)]
    pub gone: bool,
}

/// A series of failing runs of a dataflow that lasts until now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failing {
    /// RFC 3339: start of the first run of the series.
    pub since: String,
    /// Whether a successful run before it was read. If false, the dataflow has been failing at least since then.
    pub exact: bool,
    /// The day (`2026-12-26`, UTC) on which Adobe disables the dataflow unless a run succeeds: 30 days after `since`. If
    /// `exact` is false, the latest such day. Null while runs write some of their records.
    pub disabled_on: Option<String>,
}

/// Sorts destinations, wherever they are listed.
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
