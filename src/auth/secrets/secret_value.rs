//! The content of a secret file or the output of a program: one secret, or one for each shop. Pure.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::model::ShopDomain;

/// One secret for all shops, or a JSON object of shop -> secret.
pub(super) enum SecretValue {
    One(SecretString),
    PerShop(HashMap<String, SecretString>),
}

impl SecretValue {
    /// Parses a text; one that begins with `{` is a JSON object. Errors name the position, not the content.
    pub(super) fn parse(text: SecretString) -> Result<Self, String> {
        if !text.expose_secret().trim_start().starts_with('{') {
            return Ok(Self::One(text));
        }
        let object: HashMap<String, Value> = serde_json::from_str(text.expose_secret()).map_err(|error| {
            format!(
                "begins with `{{` but is not a valid JSON object (line {}, column {})",
                error.line(),
                error.column()
            )
        })?;
        let secrets = object.into_iter().map(|(shop, value)| match value {
            // Shops are named by domain or handle, in upper or lower case. Other keys are kept and never match.
            Value::String(secret) => Ok((ShopDomain::parse(&shop).map_or(shop, String::from), secret.into())),
            _ => Err(format!("is a JSON object, but the value of `{}` is not a string", bounded(&shop))),
        });
        secrets.collect::<Result<_, _>>().map(Self::PerShop)
    }

    /// Returns the secret that belongs to no shop.
    pub(super) fn whole(&self) -> Option<SecretString> {
        match self {
            Self::One(secret) => Some(secret.clone()),
            Self::PerShop(_) => None,
        }
    }

    /// Returns the secret of `shop`.
    pub(super) fn of(&self, shop: &ShopDomain) -> Option<SecretString> {
        match self {
            Self::One(secret) => Some(secret.clone()),
            Self::PerShop(secrets) => secrets.get(shop.as_str()).cloned(),
        }
    }
}

/// Shortens a key for an error: it should be a shop's name.
fn bounded(key: &str) -> String {
    crate::http::Redactor::default().clean(key).chars().take(40).collect()
}
