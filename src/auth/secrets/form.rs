//! Checks by form alone whether a text can be the expected secret. Pure; the problems never contain the secret.
//!
//! Only certain mistakes are refused: Shopify's documentation asks not to validate tokens, and legacy tokens are plain
//! hexadecimal digits.

use crate::auth::key::Key;

/// How a secret is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `access_token`, or the access token in a token store.
    AccessToken,
    /// `client_id`
    ClientId,
    /// `client_secret` and `old_client_secret`
    ClientSecret,
    /// `private_key`, the only role with several lines.
    PrivateKey,
}

/// The documented prefixes of Shopify's credentials.
const KINDS: [(&str, &str); 6] = [
    ("shpat_", "an access token"),
    ("shpca_", "an access token of a custom app"),
    ("shppa_", "a password of a legacy private app"),
    ("shpua_", "an access token of a user"),
    ("shpss_", "a client secret"),
    ("shprt_", "a refresh token"),
];

/// Returns why a text cannot have this role. The problem continues a sentence that starts with the reference. Except
/// for a private key, `text` must be one line of visible ASCII characters.
pub(crate) fn wrong(text: &str, role: Role) -> Option<String> {
    if role == Role::PrivateKey {
        return Key::parse(text).err();
    }
    let quoted = |quote: char| text.starts_with(quote) || text.ends_with(quote);
    if let Some(quote) = ['"', '\'', '`'].into_iter().find(|quote| quoted(*quote)) {
        return Some(format!("begins or ends with a quote ({quote}), which is part of the value. Remove the quotes"));
    }
    if KINDS.iter().any(|(prefix, _)| text.contains(&format!("={prefix}"))) {
        return Some("begins with a name and `=`. Store only the text after the `=`".to_owned());
    }
    if ["${", "$(", "{{", "<"].iter().any(|open| text.starts_with(open)) {
        return Some("contains a placeholder instead of a secret. Replace it with the secret".to_owned());
    }
    let (prefix, kind) = KINDS.iter().find(|(prefix, _)| text.starts_with(prefix))?;
    let (fits, wanted) = match role {
        Role::AccessToken => (!matches!(*prefix, "shpss_" | "shprt_"), "an access token"),
        Role::ClientSecret => (*prefix == "shpss_", "the app's client secret"),
        Role::ClientId | Role::PrivateKey => (false, "the app's client id"),
    };
    let remedy = match (role, *prefix) {
        (Role::AccessToken, "shpss_") => {
            "Store the shop's token there, or use this reference as `client_secret` under `client_credentials` or \
             `token_store`"
        }
        (Role::AccessToken, _) => "Store the shop's token there; refresh tokens belong in a `token_store`",
        (Role::ClientSecret, _) => {
            "Store the client secret from the app's settings at Shopify there; a token belongs under `access_token`"
        }
        (Role::ClientId | Role::PrivateKey, _) => {
            "Store the client id from the app's settings at Shopify there; it is not a secret"
        }
    };
    (!fits).then(|| format!("has {kind} (it begins with `{prefix}`), but {wanted} is expected. {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_mistakes_are_refused_and_the_text_is_never_repeated() {
        use Role::{AccessToken, ClientId, ClientSecret};
        let digits = "0123456789abcdef0123456789abcdef";
        for (prefix, roles) in [
            ("", &[AccessToken, ClientId, ClientSecret][..]),
            ("shpat_", &[AccessToken]),
            ("shpca_", &[AccessToken]),
            ("shppa_", &[AccessToken]),
            ("shpua_", &[AccessToken]),
            ("shpss_", &[ClientSecret]),
            ("shprt_", &[]),
            ("shpzz_", &[AccessToken, ClientId, ClientSecret]),
            ("a=", &[AccessToken, ClientId, ClientSecret]),
        ] {
            for role in [AccessToken, ClientId, ClientSecret] {
                let told = wrong(&format!("{prefix}{digits}"), role);
                assert_eq!(told.is_none(), roles.contains(&role), "{prefix} as {role:?}: {told:?}");
                assert!(told.is_none_or(|told| !told.contains(digits)));
            }
        }
        for (text, expected) in [
            ("\"shpat_1\"", "begins or ends with a quote"),
            ("'abc", "begins or ends with a quote"),
            ("SHOPIFY_TOKEN=shpat_1", "begins with a name and `=`"),
            ("${SHOPIFY_TOKEN}", "contains a placeholder"),
            ("<token>", "contains a placeholder"),
        ] {
            assert!(wrong(text, AccessToken).is_some_and(|told| told.starts_with(expected)), "{text}");
        }
    }
}
