//! The basic types of the project, which parse their values.
//!
//! A constructor named `parse` accepts only valid text. [`Address::new`], [`Topic::from_slash`] and
//! [`SubscriptionId::new`] accept any text, because Hookwright must be able to show and delete a live subscription
//! with an invalid value. `manifest` checks its addresses and topics against the rules of Shopify (recorded).
//!
//! This module imports nothing from the crate and performs no input or output.

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
