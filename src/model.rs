//! The nouns of the project as types that parse.
//!
//! A constructor named `parse` accepts only valid text. Three types also hold text that Shopify or a person may have got
//! wrong, because a live subscription must be shown and deleted as it is, whatever it says: [`Address::new`],
//! [`Topic::from_slash`] and [`SubscriptionId::new`] accept any text. `manifest` checks the addresses and topics that it
//! asks for against what Shopify accepts (recorded).
//!
//! This module imports nothing of the crate and does no input or output.

mod address;
mod app;
mod binding;
mod scope;
mod secret;
mod shop;
mod subscription;
mod topic;
mod version;

pub(crate) use address::fold;
pub use address::{Address, AddressKind};
pub use app::{AppCategory, AppIdentity, TokenExpiry};
pub use binding::{Binding, Field, Format, app_shorthand};
pub use scope::{Scope, ScopeSet};
pub use secret::{App, Assertion, Auth, SecretRef};
pub(crate) use shop::is_deep;
pub use shop::{ShopDomain, ShopDomainError, ShopPattern, ShopPatternError};
pub use subscription::{Live, SubscriptionId, Visibility};
pub use topic::Topic;
pub use version::{ApiVersion, ApiVersionError, Transport};
