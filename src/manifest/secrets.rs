//! Finds references to secrets that would send the token of one shop to another, judging by the references alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::diagnostic::Code;
use crate::model::{App, Assertion, Auth, SecretRef, ShopDomain};

use super::document::Span;
use super::findings::Findings;

/// The source of the token of a shop.
pub(super) struct ShopAuth {
    pub(super) shop: ShopDomain,
    pub(super) auth: Option<Arc<Auth>>,
    /// The place of the `auth` that applies to the shop.
    pub(super) span: Option<Span>,
}

/// Reports references that name another shop, and environment variables that several shops use for their token.
pub(super) fn check(shops: &[ShopAuth], findings: &mut Findings) {
    // Handles are compared in the form of environment variables, which all spellings are converted to.
    let handles: BTreeMap<String, &ShopDomain> = shops.iter().map(|of| (of.shop.env_handle(), &of.shop)).collect();
    let mut shared: BTreeMap<&str, (Span, Vec<&ShopDomain>)> = BTreeMap::new();
    // An `auth` that several shops use names no single shop, even if a word in it, such as a folder, equals a handle.
    let mut users: HashMap<*const Auth, usize> = HashMap::new();
    for auth in shops.iter().filter_map(|of| of.auth.as_ref()) {
        *users.entry(Arc::as_ptr(auth)).or_default() += 1;
    }
    for ShopAuth { shop, auth, span } in shops {
        let (Some(auth), Some(span)) = (auth.as_deref(), *span) else { continue };
        let its_own = users.get(&std::ptr::from_ref(auth)).is_none_or(|users| *users == 1);
        for reference in references(auth).into_iter().filter(|_| its_own) {
            let Some(other) = texts(reference).iter().find_map(|text| other_shop(text, shop, &handles)) else {
                continue;
            };
            let message = format!("the reference to a secret of {shop} contains the name of {other}");
            let hint =
                "replace the handle in the reference with `{shop}` or `{SHOP}`, so that each shop has its own secret";
            findings.report(findings.diagnostic(Code::OthersSecret, span, message).hint(hint));
        }
        if let Auth::AccessToken(SecretRef::Env(name)) = auth
            && !name.contains("{shop}")
            && !name.contains("{SHOP}")
        {
            shared.entry(name).or_insert((span, Vec::new())).1.push(shop);
        }
    }
    for (name, (span, of)) in shared.into_iter().filter(|(_, (_, of))| of.len() > 1) {
        let (first, count) = (of[0], of.len());
        let message = format!(
            "{count} shops, such as {first}, read their token from the environment variable {name}, but a token is valid for one \
             shop only"
        );
        let hint =
            format!("write `{{ env: \"{name}_{{SHOP}}\" }}`, or a `file` that contains a JSON object of shop -> token");
        findings.report(findings.diagnostic(Code::SharedToken, span, message).hint(hint));
    }
}

fn references(auth: &Auth) -> Vec<&SecretRef> {
    match auth {
        Auth::AccessToken(reference) => vec![reference],
        Auth::ClientAssertion(Assertion { client_id, private_key, .. }) => vec![client_id, private_key],
        Auth::ClientCredentials(app) | Auth::TokenStore { app, .. } => {
            let App { client_id, client_secret, old_client_secret } = app;
            [client_id, client_secret].into_iter().chain(old_client_secret).collect()
        }
    }
}

fn texts(reference: &SecretRef) -> Vec<&str> {
    match reference {
        SecretRef::Env(text) | SecretRef::File(text) => vec![text],
        // An argument with spaces is a script, not a name.
        SecretRef::Command(words) => words.iter().skip(1).map(String::as_str).filter(|w| !w.contains(' ')).collect(),
    }
}

/// Returns the shop whose handle is the last one that `text` contains as a whole word, unless that is `own`. For
/// example, `tokens/acme/secret` belongs to acme, even if there is a shop `tokens`.
fn other_shop<'a>(text: &str, own: &ShopDomain, handles: &BTreeMap<String, &'a ShopDomain>) -> Option<&'a ShopDomain> {
    let text = text.replace("{shop}", own.handle()).replace("{SHOP}", &own.env_handle());
    let text: String = text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_uppercase() }).collect();
    // A handle is one word, or several words joined by underscores.
    let starts = || {
        let begins = |(at, c): (usize, char)| {
            let before = text[..at].chars().next_back();
            (c.is_ascii_alphanumeric() && before.is_none_or(|b| !b.is_ascii_alphanumeric())).then_some(at)
        };
        text.char_indices().filter_map(begins)
    };
    let mut last: Option<(usize, &ShopDomain)> = None;
    for start in starts() {
        // A word inside a longer handle is a part of it.
        if last.is_some_and(|(end, _)| start < end) {
            continue;
        }
        let tail = &text[start..];
        let run = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
        let ends = tail[..run].char_indices().filter(|(_, c)| *c == '_').map(|(at, _)| at).chain([run]);
        let longest = ends.rev().find_map(|end| Some((start + end, *handles.get(&tail[..end])?)));
        last = longest.or(last);
    }
    last.map(|(_, shop)| shop).filter(|shop| *shop != own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_handle_in_a_reference_is_its_shop() {
        let shops = ["acme", "acme-eu", "victim", "shopify"].map(|s| ShopDomain::parse(s).expect("shop"));
        let handles: BTreeMap<String, &ShopDomain> = shops.iter().map(|s| (s.env_handle(), s)).collect();
        for (own, text, other) in [
            ("acme", "SHOPIFY_TOKEN_{SHOP}", None),
            ("acme", "SHOPIFY_TOKEN_ACME", None),
            ("acme", "SHOPIFY_TOKEN_VICTIM", Some("victim")),
            ("acme", "TOKEN_ACME_EU", Some("acme-eu")),
            ("acme-eu", "TOKEN_ACME_EU", None),
            ("acme-eu", "TOKEN_ACME", Some("acme")),
            ("acme", "/run/{shop}/../victim", Some("victim")),
            ("acme", "/run/secrets/Victim.txt", Some("victim")),
            ("acme", "/run/acme-eu/token", Some("acme-eu")),
            ("acme", "shopify/tokens/acme", None),
            ("acme", "TOKEN_VICTIMS", None),
            ("acme", "TOKEN", None),
        ] {
            let own = ShopDomain::parse(own).expect("shop");
            assert_eq!(other_shop(text, &own, &handles).map(ShopDomain::handle), other, "{own} {text}");
        }
    }
}
