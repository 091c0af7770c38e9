//! Patterns of the references that may be resolved. The operator sets them outside the manifest. Pure.

use globset::{ErrorKind, GlobBuilder, GlobMatcher};

use super::{SecretRef, ShopDomain};
use crate::model::is_deep;

/// A pattern of references: `env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENT …`. Each word is a glob, and `{shop}`
/// and `{SHOP}` match the shop of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    kind: Kind,
    words: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Env,
    File,
    Command,
}

impl std::str::FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, pattern) = text.split_once(':').unwrap_or((text, ""));
        let (kind, words) = match kind.trim() {
            "env" => (Kind::Env, vec![pattern.trim().to_owned()]),
            "file" => (Kind::File, vec![pattern.trim().to_owned()]),
            "command" => (Kind::Command, pattern.split_whitespace().map(str::to_owned).collect()),
            _ => return Err("expected `env:NAME`, `file:PATH` or `command:PROGRAM`; `*` matches any text".to_owned()),
        };
        if words.is_empty() || words.iter().any(String::is_empty) {
            return Err("the pattern is empty; `*` matches any text".to_owned());
        }
        for word in &words {
            glob(&word.replace("{shop}", "x").replace("{SHOP}", "X"))?;
        }
        Ok(Self { kind, words })
    }
}

/// Compiles a glob in which `*` stops at a slash, as in a shell.
fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    if is_deep(pattern) {
        return Err("alternatives are nested too deeply".to_owned());
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| unreadable(error.kind()).to_owned())
}

fn unreadable(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UnclosedClass => "a `[` is not closed",
        ErrorKind::InvalidRange(..) => "a range in `[…]` is reversed",
        ErrorKind::UnclosedAlternates => "a `{` is not closed",
        ErrorKind::UnopenedAlternates => "a `}` has no matching `{`",
        ErrorKind::DanglingEscape => "a `\\` at the end escapes nothing",
        _ => "the pattern is invalid; it may contain `*`, `?`, `[…]` and `{a,b}`",
    }
}

impl Pin {
    /// Returns whether the pattern allows this reference, whose placeholders are replaced, for this shop or for no
    /// shop.
    pub(super) fn allows(&self, reference: &SecretRef, shop: Option<&ShopDomain>) -> bool {
        let texts: Vec<&str> = match (self.kind, reference) {
            (Kind::Env, SecretRef::Env(name)) => vec![name],
            // A path with `..` can leave the folder in the pattern.
            (Kind::File, SecretRef::File(path)) if !path.split('/').any(|part| part == "..") => vec![path],
            (Kind::Command, SecretRef::Command(words)) => words.iter().map(String::as_str).collect(),
            _ => return false,
        };
        let fits = |(pattern, text): (&String, &&str)| {
            let pattern = match shop {
                Some(shop) => pattern.replace("{shop}", shop.handle()).replace("{SHOP}", &shop.env_handle()),
                None if pattern.contains("{shop}") || pattern.contains("{SHOP}") => return false,
                None => pattern.clone(),
            };
            glob(&pattern).is_ok_and(|glob| glob.is_match(text))
        };
        match self.words.split_last() {
            // A single `*` at the end of a command matches any further arguments, or none.
            Some((last, words)) if self.kind == Kind::Command && last == "*" && !words.is_empty() => {
                texts.len() >= words.len() && words.iter().zip(&texts).all(fits)
            }
            _ => texts.len() == self.words.len() && self.words.iter().zip(&texts).all(fits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_allows_only_matching_references() {
        let acme = ShopDomain::parse("acme-eu").expect("shop");
        let env = |name: &str| SecretRef::Env(name.to_owned());
        let file = |path: &str| SecretRef::File(path.to_owned());
        let command = |line: &str| SecretRef::Command(line.split(' ').map(str::to_owned).collect());
        for (pin, reference, allowed) in [
            ("env:SHOPIFY_TOKEN_{SHOP}", env("SHOPIFY_TOKEN_ACME_EU"), true),
            ("env:SHOPIFY_TOKEN_{SHOP}", env("SHOPIFY_TOKEN_VICTIM"), false),
            ("env:SHOPIFY_*", env("SHOPIFY_CLIENT_ID"), true),
            ("env:SHOPIFY_*", env("GITHUB_TOKEN"), false),
            ("env:*", file("GITHUB_TOKEN"), false),
            ("file:/run/secrets/*", file("/run/secrets/a"), true),
            ("file:/run/secrets/*", file("/run/secrets/a/b"), false),
            ("file:/run/secrets/**", file("/run/secrets/a/../../../etc/shadow"), false),
            ("file:tokens/{shop}", file("tokens/acme-eu"), true),
            ("file:tokens/{shop}", file("tokens/victim"), false),
            ("command:vault", command("vault"), true),
            ("command:vault", command("vault kv get victim"), false),
            ("command:vault *", command("vault kv get victim"), true),
            ("command:vault kv get shops/{shop}", command("vault kv get shops/acme-eu"), true),
            ("command:vault kv get shops/{shop}", command("vault kv get shops/victim"), false),
            ("command:vault kv get shops/{shop}", command("vault kv get shops/acme-eu -address=x"), false),
            ("command:vault", command("/tmp/vault"), false),
        ] {
            let pin: Pin = pin.parse().expect(pin);
            assert_eq!(pin.allows(&reference, Some(&acme)), allowed, "{pin:?} {reference:?}");
        }
        let pin: Pin = "env:TOKEN_{SHOP}".parse().expect("pin");
        assert!(!pin.allows(&env("TOKEN_{SHOP}"), None), "without a shop");
        for broken in ["", "env", "env:", "TOKEN", "file:[", "command: "] {
            assert!(broken.parse::<Pin>().is_err(), "{broken:?}");
        }
    }
}
