//! The nouns of the project as types that parse: a value that exists is a value that is right.
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
