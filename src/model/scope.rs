//! OAuth access scopes, and the scopes that they include.

use std::collections::BTreeSet;
use std::fmt;

/// One access scope handle, such as `read_orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

impl Scope {
    /// Parses a handle of the documented form `(unauthenticated_|customer_)?(read|write)_…`: Admin API, Storefront API
    /// and Customer Account API.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = &text[api(text).len()..];
        let name = rest.strip_prefix("read_").or_else(|| rest.strip_prefix("write_"))?;
        let valid = !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        valid.then(|| Self(text.to_owned()))
    }

    /// Accepts any handle that the Admin API reported.
    pub fn observed(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the handle.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Splits the handle into the action with the underscore and the resource: `read_` and `orders`.
    pub fn parts(&self) -> (&str, &str) {
        let action = ["read_", "write_"].iter().filter_map(|verb| self.0.find(verb).map(|at| at + verb.len())).min();
        self.0.split_at(action.unwrap_or_default())
    }

    /// Returns the read scope that a write scope includes: `read_x` for `write_x`.
    pub fn implied(&self) -> Option<Self> {
        let (api, rest) = self.0.split_at(api(&self.0).len());
        rest.strip_prefix("write_").map(|name| Self(format!("{api}read_{name}")))
    }
}

/// Returns the prefix for the API of a scope; empty for the Admin API.
fn api(handle: &str) -> &str {
    let prefix = ["unauthenticated_", "customer_"].into_iter().find(|prefix| handle.starts_with(prefix));
    prefix.unwrap_or_default()
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of scopes, with the scopes that they include.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    /// Whether the set contains `handle` or the write scope that includes it.
    pub fn grants(&self, handle: &str) -> bool {
        self.0.iter().any(|s| s.as_str() == handle || s.implied().is_some_and(|i| i.as_str() == handle))
    }

    /// Whether the set grants one of the alternatives. `true` for an empty list.
    pub fn grants_any_of<'a>(&self, alternatives: impl IntoIterator<Item = &'a str>) -> bool {
        let mut asked = false;
        for handle in alternatives {
            asked = true;
            if self.grants(handle) {
                return true;
            }
        }
        !asked
    }

    /// Returns the scopes, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_scope_grants_its_read_scope_and_nothing_else() {
        let set: ScopeSet =
            ["write_orders", "unauthenticated_write_checkouts", "customer_write_customers", "customer_write_"]
                .into_iter()
                .filter_map(Scope::parse)
                .collect();
        for granted in ["read_orders", "write_orders", "unauthenticated_read_checkouts", "customer_read_customers"] {
            assert!(set.grants(granted), "{granted}");
        }
        for other in
            ["read_order", "read_checkouts", "read_customers", "write_customers", "customer_write_", "customer_read_"]
        {
            assert!(!set.grants(other), "{other}");
        }
        assert!(
            set.grants_any_of([]) && set.grants_any_of(["read_x", "read_orders"]) && !set.grants_any_of(["read_x"])
        );
    }
}
