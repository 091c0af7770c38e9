//! One decoded file: every value with its place, nothing resolved yet.

use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::{Code, Severity};
use crate::model::{Address, ApiVersion, Auth, Format, Scope, ShopDomain, TokenExpiry, Topic};
use crate::state::aep::{AepAccount, InletKind, LookupBy};
use crate::state::{Consent, Prefix, Unmanaged};

use super::tree::TextRange;

/// A place: the number of the file, and the range in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub(super) file: u32,
    pub(super) range: TextRange,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

impl<T> Spanned<T> {
    pub(super) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// One file of a manifest.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) admin_api: Option<Spanned<AdminApiBlock>>,
    pub(super) auth: Option<Spanned<Option<Arc<Auth>>>>,
    pub(super) token_expiry: Option<Spanned<TokenExpiry>>,
    pub(super) scopes: Option<Spanned<Vec<Spanned<Scope>>>>,
    /// The paths as written.
    pub(super) app_config: Option<Spanned<Vec<Spanned<String>>>>,
    /// The valid Adobe accounts.
    pub(super) aep: Option<Spanned<Vec<Spanned<AepAccount>>>>,
    pub(super) destinations: Vec<DestinationBlock>,
    /// The sets of shops that name none.
    pub(super) uses: Option<Spanned<Vec<UseBlock>>>,
    pub(super) sets: Vec<SetBlock>,
    pub(super) policies: Vec<PolicyBlock>,
    pub(super) ownership: Option<Spanned<OwnershipBlock>>,
    pub(super) safety: Option<Spanned<SafetyBlock>>,
    /// The valid consents.
    pub(super) consents: Vec<ConsentBlock>,
    pub(super) allow: Vec<Code>,
    pub(super) shops: Vec<ShopBlock>,
    /// Whether `shops` is not empty, even if it is invalid.
    pub(super) names_shops: bool,
}

#[derive(Debug, Default)]
pub(super) struct AdminApiBlock {
    pub(super) version: Option<Spanned<ApiVersion>>,
    pub(super) rest: Option<bool>,
}

#[derive(Debug, Clone)]
pub(super) struct DestinationBlock {
    pub(super) name: Spanned<String>,
    pub(super) address: DestinationAddress,
}

#[derive(Debug, Clone)]
pub(super) enum DestinationAddress {
    Address(Spanned<Address>),
    /// An address that is looked up at Adobe.
    Lookup(Box<LookupTarget>),
    /// A label of the shop chooses one of several destinations.
    ByLabel(Box<ByLabel>),
    /// Invalid, which was reported.
    Broken,
}

/// Destinations of which the value of a label chooses one.
#[derive(Debug, Clone)]
pub(super) struct ByLabel {
    /// The key of the label.
    pub(super) label: Spanned<String>,
    /// The destinations; their names are the values of the label.
    pub(super) values: Vec<DestinationBlock>,
}

#[derive(Debug, Clone)]
pub(super) struct LookupTarget {
    pub(super) span: Span,
    pub(super) kind: InletKind,
    pub(super) by: LookupBy,
    pub(super) account: Option<Spanned<String>>,
    pub(super) with_flow_id: bool,
}

/// A policy. `None` for an expression that is missing, which was reported unless it is `when`.
#[derive(Debug)]
pub(super) struct PolicyBlock {
    pub(super) name: Spanned<String>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) require: Option<Spanned<String>>,
    pub(super) message: String,
    pub(super) severity: Severity,
}

#[derive(Debug)]
pub(super) struct SetBlock {
    pub(super) name: Spanned<String>,
    pub(super) bindings: Vec<BindingBlock>,
}

#[derive(Debug, Default)]
pub(super) struct OwnershipBlock {
    /// The prefixes with their places; the checks report an `Err`.
    pub(super) prefixes: Option<Vec<Spanned<Result<Prefix, crate::state::PrefixError>>>>,
    pub(super) unmanaged: Option<Unmanaged>,
}

#[derive(Debug, Default)]
pub(super) struct SafetyBlock {
    pub(super) max_delete_percent: Option<u8>,
    pub(super) max_total_delete_percent: Option<u8>,
    pub(super) max_address_change_percent: Option<u8>,
    pub(super) max_destination_loss_percent: Option<u8>,
    pub(super) protected_topics: Option<Vec<Spanned<Topic>>>,
}

#[derive(Debug)]
pub(super) struct ConsentBlock {
    pub(super) span: Span,
    pub(super) consent: Spanned<Consent>,
    pub(super) reason: String,
    /// The last day on which the consent is valid.
    pub(super) expires: Spanned<Date>,
}

#[derive(Debug)]
pub(super) struct ShopBlock {
    pub(super) span: Span,
    /// `None` if it is invalid, which was reported.
    pub(super) domain: Option<Spanned<ShopDomain>>,
    /// The labels, with the place of each value.
    pub(super) labels: Vec<(String, Spanned<String>)>,
    pub(super) scopes: Option<Spanned<Vec<Spanned<Scope>>>>,
    pub(super) destinations: Vec<DestinationBlock>,
    /// `None` if the shop has no `use`.
    pub(super) uses: Option<Vec<UseBlock>>,
    /// `None` if the shop has no `bindings`.
    pub(super) bindings: Option<Vec<BindingBlock>>,
    pub(super) auth: Option<Spanned<Option<Arc<Auth>>>>,
    pub(super) token_expiry: Option<TokenExpiry>,
    pub(super) safety: Option<SafetyBlock>,
    pub(super) allow: Vec<Code>,
    pub(super) tolerate: Vec<super::Tolerable>,
}

#[derive(Debug)]
pub(super) struct UseBlock {
    pub(super) set: Spanned<String>,
    pub(super) except: Vec<Spanned<Topic>>,
}

/// One item of a list of bindings: one topic or several topics with the same settings.
#[derive(Debug)]
pub(super) struct BindingBlock {
    pub(super) topics: Vec<Spanned<Topic>>,
    pub(super) target: BindingTarget,
    pub(super) format: Spanned<Format>,
    pub(super) include_fields: Vec<Spanned<String>>,
    pub(super) metafield_namespaces: Vec<Spanned<String>>,
    pub(super) metafields: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) filter: Option<Spanned<String>>,
    pub(super) name: Option<Spanned<String>>,
}

impl BindingBlock {
    /// Returns the name of the destination, if the binding names one.
    pub(super) fn destination(&self) -> Option<&str> {
        match &self.target {
            BindingTarget::Destination(name) => Some(&name.value),
            BindingTarget::Address(_) | BindingTarget::Broken => None,
        }
    }
}

#[derive(Debug)]
pub(super) enum BindingTarget {
    Destination(Spanned<String>),
    Address(Spanned<Address>),
    /// Invalid, which was reported.
    Broken,
}
