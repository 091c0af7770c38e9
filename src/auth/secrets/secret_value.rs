//! What a file or program secret_value: one secret, or one for each shop. Pure.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::model::ShopDomain;

/// One secret for all, or a JSON object of shop -> secret.
pub(super) enum SecretValue {
    One(SecretString),
    PerShop(HashMap<String, SecretString>),
}

impl SecretValue {
    /// A text that begins with `{` is a JSON object. Errors tell where, not what.
    pub(super) fn parse(text: SecretString) -> Result<Self, String> {
        if !text.expose_secret().trim_start().starts_with('{') {
            return Ok(Self::One(text));
        }
        let object: HashMap<String, Value> = serde_json::from_str(text.expose_secret()).map_err(|error| {
            format!("begins with {{ but is no JSON object (line {}, column {})", error.line(), error.column())
        })?;
        let secrets = object.into_iter().map(|(shop, value)| match value {
            // Shops are named by domain or handle, in any case; what is neither is kept and never found.
            Value::String(secret) => Ok((ShopDomain::parse(&shop).map_or(shop, String::from), secret.into())),
            _ => Err(format!("is a JSON object, but {:?} is not a text", bounded(&shop))),
        });
        secrets.collect::<Result<_, _>>().map(Self::PerShop)
    }

    /// The secret of whoever is no shop.
    pub(super) fn whole(&self) -> Option<SecretString> {
        match self {
            Self::One(secret) => Some(secret.clone()),
            Self::PerShop(_) => None,
        }
    }

    /// The secret of `shop`.
    pub(super) fn of(&self, shop: &ShopDomain) -> Option<SecretString> {
        match self {
            Self::One(secret) => Some(secret.clone()),
            Self::PerShop(secrets) => secrets.get(shop.as_str()).cloned(),
        }
    }
}

/// A key is a shop's name, or a mistake.
fn bounded(key: &str) -> String {
    crate::http::Redactor::default().clean(key).chars().take(40).collect()
}
