//! What a plan is made with, and for which shops.

use super::Shard;
use crate::state::{Ownership, Safety};

/// What a plan is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `shopify`, `sandbox`, or the URL that stands in for Shopify.
    pub endpoint: String,
    /// Which sandbox state, where the endpoint is one.
    pub sandbox: Option<Sandbox>,
    /// The URL that stands in for Adobe, where something was looked up there.
    pub adobe: Option<String>,
    /// Version and transport.
    pub admin_api: AdminApi,
    /// The ownership rule.
    pub ownership: Ownership,
    /// The limits of the run.
    pub safety: Safety,
}

/// A sandbox state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Identity of the state.
    pub id: String,
    /// Its file.
    pub state: String,
}

/// The Admin API that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminApi {
    /// `2026-10`, or `unstable`.
    pub version: String,
    /// `graphql` or `rest`.
    pub transport: String,
}

/// Which shops were selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Patterns of `--shop`; those of `--exclude-shop` start with `!`. Sorted.
    pub shops: Vec<String>,
    /// `KEY=VALUE` and `KEY!=VALUE`. Sorted.
    pub labels: Vec<String>,
    /// The part of the shops.
    pub shard: Option<Shard>,
}
