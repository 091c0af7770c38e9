//! One file as decoded: every value with its place, nothing resolved yet.

use std::sync::Arc;

use crate::diagnostic::Code;
use crate::model::{Address, ApiVersion, Auth, Format, Scope, ShopDomain, TokenExpiry, Topic};
use crate::state::aep::{AepAccount, InletKind, LookupBy};
use crate::state::{Prefix, Unmanaged};

use super::tree::Span;

/// A place: the number of the file, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    pub(super) file: u32,
    pub(super) span: Span,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) spot: Spot,
}

impl<T> At<T> {
    pub(super) fn new(value: T, spot: Spot) -> Self {
        Self { value, spot }
    }
}

/// One file.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) admin_api: Option<At<AdminApiBlock>>,
    pub(super) auth: Option<At<Option<Arc<Auth>>>>,
    pub(super) token_expiry: Option<At<TokenExpiry>>,
    pub(super) scopes: Option<At<Vec<At<Scope>>>>,
    /// Paths as written.
    pub(super) app_config: Option<At<Vec<At<String>>>>,
    /// Accounts at Adobe; those that are whole.
    pub(super) aep: Option<At<Vec<At<AepAccount>>>>,
    pub(super) destinations: Vec<Destination>,
    pub(super) sets: Vec<Set>,
    pub(super) ownership: Option<At<OwnershipBlock>>,
    pub(super) safety: Option<At<SafetyBlock>>,
    pub(super) allow: Vec<Code>,
    pub(super) shops: Vec<Shop>,
    /// Whether `shops` says anything, be it wrong.
    pub(super) names_shops: bool,
}

#[derive(Debug, Default)]
pub(super) struct AdminApiBlock {
    pub(super) version: Option<At<ApiVersion>>,
    pub(super) rest: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Destination {
    pub(super) name: At<String>,
    pub(super) address: DestinationAddress,
}

#[derive(Debug, Clone)]
pub(super) enum DestinationAddress {
    Address(At<Address>),
    /// To be looked up at Adobe.
    Lookup(Box<LookupTarget>),
    /// Reported already.
    Broken,
}

#[derive(Debug, Clone)]
pub(super) struct LookupTarget {
    pub(super) spot: Spot,
    pub(super) kind: InletKind,
    pub(super) by: LookupBy,
    pub(super) account: Option<At<String>>,
    pub(super) with_flow_id: bool,
}

#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: At<String>,
    pub(super) bindings: Vec<Binding>,
}

#[derive(Debug, Default)]
pub(super) struct OwnershipBlock {
    /// As written, with the place of each; `Err` is reported by the checks.
    pub(super) prefixes: Option<Vec<At<Result<Prefix, crate::state::PrefixError>>>>,
    pub(super) unmanaged: Option<Unmanaged>,
}

#[derive(Debug, Default)]
pub(super) struct SafetyBlock {
    pub(super) max_delete_percent: Option<u8>,
    pub(super) max_total_delete_percent: Option<u8>,
    pub(super) max_address_change_percent: Option<u8>,
    pub(super) protected_topics: Option<Vec<At<Topic>>>,
}

#[derive(Debug)]
pub(super) struct Shop {
    pub(super) spot: Spot,
    /// `None`: reported already.
    pub(super) domain: Option<At<ShopDomain>>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) scopes: Option<At<Vec<At<Scope>>>>,
    pub(super) destinations: Vec<Destination>,
    pub(super) uses: Vec<Use>,
    pub(super) bindings: Vec<Binding>,
    pub(super) auth: Option<At<Option<Arc<Auth>>>>,
    pub(super) token_expiry: Option<TokenExpiry>,
    pub(super) safety: Option<SafetyBlock>,
    pub(super) allow: Vec<Code>,
    pub(super) tolerate: Vec<super::Tolerable>,
}

#[derive(Debug)]
pub(super) struct Use {
    pub(super) set: At<String>,
    pub(super) except: Vec<At<Topic>>,
}

/// One item of a list of bindings: one topic or several, with everything else in common.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) topics: Vec<At<Topic>>,
    pub(super) target: Target,
    pub(super) format: At<Format>,
    pub(super) include_fields: Vec<At<String>>,
    pub(super) metafield_namespaces: Vec<At<String>>,
    pub(super) metafields: Option<At<Vec<At<String>>>>,
    pub(super) filter: Option<At<String>>,
    pub(super) name: Option<At<String>>,
}

#[derive(Debug)]
pub(super) enum Target {
    Destination(At<String>),
    Address(At<Address>),
    /// Reported already.
    Broken,
}
