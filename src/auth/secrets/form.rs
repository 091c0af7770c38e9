//! Whether a text can be the secret that it is taken for, by its form alone. Pure; what it says never holds the secret.
//!
//! Only what is certainly wrong is refused: Shopify's documentation asks not to validate tokens, and legacy ones are bare
//! hexadecimal digits.

use crate::auth::key::Key;

/// What a secret is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `access_token`, also one in a token store.
    AccessToken,
    /// `client_id`
    ClientId,
    /// `client_secret` and `old_client_secret`
    ClientSecret,
    /// `private_key`, the only one of several lines
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

/// Why a text cannot be it: goes on after the name of the reference. Unless it is a private key, the text is of visible ASCII
/// characters on one line.
pub(crate) fn wrong(text: &str, role: Role) -> Option<String> {
    if role == Role::PrivateKey {
        return Key::parse(text).err();
    }
    let quoted = |quote: char| text.starts_with(quote) || text.ends_with(quote);
    if let Some(quote) = ['"', '\'', '`'].into_iter().find(|quote| quoted(*quote)) {
        return Some(format!(
            "begins or ends with a quote ({quote}), which is taken as a part of it: remove the quotes there"
        ));
    }
    if KINDS.iter().any(|(prefix, _)| text.contains(&format!("={prefix}"))) {
        return Some("begins with a name and `=`: only what follows the `=` belongs there".to_owned());
    }
    if ["${", "$(", "{{", "<"].iter().any(|open| text.starts_with(open)) {
        return Some("is a placeholder that was not replaced by the secret: put the secret itself there".to_owned());
    }
    let (prefix, kind) = KINDS.iter().find(|(prefix, _)| text.starts_with(prefix))?;
    let (fits, wanted) = match role {
        Role::AccessToken => (!matches!(*prefix, "shpss_" | "shprt_"), "an access token"),
        Role::ClientSecret => (*prefix == "shpss_", "the app's client secret"),
        Role::ClientId | Role::PrivateKey => (false, "the app's client id"),
    };
    let remedy = match (role, *prefix) {
        (Role::AccessToken, "shpss_") => {
            "put the shop's token there, or name this one as `client_secret` under `client_credentials` or `token_store`"
        }
        (Role::AccessToken, _) => "put the shop's token there; refresh tokens are kept in a `token_store`",
        (Role::ClientSecret, _) => {
            "put the secret from the app's settings at Shopify there; a token that you have is named under `access_token`"
        }
        (Role::ClientId | Role::PrivateKey, _) => {
            "write the client id from the app's settings at Shopify; it is not a secret"
        }
    };
    (!fits).then(|| format!("holds {kind} (it begins with {prefix}), and {wanted} is expected: {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certainly_wrong_is_refused_and_never_repeated() {
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
            ("${SHOPIFY_TOKEN}", "is a placeholder"),
            ("<token>", "is a placeholder"),
        ] {
            assert!(wrong(text, AccessToken).is_some_and(|told| told.starts_with(expected)), "{text}");
        }
    }
}
