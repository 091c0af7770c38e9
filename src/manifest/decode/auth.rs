//! `auth`: decodes references to secrets, and rejects literal secrets.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::diagnostic::{Code, looks_like_token};
use crate::manifest::document::Spanned;
use crate::manifest::tree::{Node, TextRange, Value};
use crate::model::{App, Assertion, Auth, SecretRef};

use super::Decoder;

/// The keys of the credentials of an app.
const APP: [&str; 3] = ["client_id", "client_secret", "old_client_secret"];
const STORE: [&str; 4] = ["path", "client_id", "client_secret", "old_client_secret"];
const DEFAULT_STORE: &str = ".hookwright/tokens.json";
const ASSERTION: [&str; 5] = ["client_id", "private_key", "key_id", "audience", "lifetime"];
pub(super) const FORMS: [&str; 4] = ["access_token", "client_credentials", "client_assertion", "token_store"];
/// In seconds. RFC 7523 allows a server to reject an assertion that is valid for too long.
const LONGEST_LIFETIME: u32 = 3_600;

impl Decoder {
    /// Decodes `auth`. The value is `None` if it is invalid, which is reported.
    pub(super) fn auth(&mut self, node: &Node) -> Spanned<Option<Arc<Auth>>> {
        Spanned::new(self.auth_form(node).map(Arc::new), self.span(node.range))
    }

    fn auth_form(&mut self, node: &Node) -> Option<Auth> {
        if let Value::Text(_) = node.value {
            self.literal_secret(node, "`auth`");
            return None;
        }
        let fields = self.fields(node, "`auth`", &FORMS)?;
        let (form, value) = self.exactly_one(&fields, node.range, "`auth`", &FORMS)?;
        if !matches!(value.value, Value::Map(_)) {
            self.secret(value);
        }
        match form {
            "access_token" => self.secret_ref(value, "`access_token`").map(Auth::AccessToken),
            "client_credentials" => {
                let fields = self.fields(value, "`client_credentials`", &APP)?;
                self.app(&fields, value, "`client_credentials`").map(Auth::ClientCredentials)
            }
            "client_assertion" => self.assertion(value).map(Auth::ClientAssertion),
            _ => {
                let fields = self.fields(value, "`token_store`", &STORE)?;
                let path = match fields.get("path") {
                    Some(path) => self.plain_text(&path.value, "`path` of `token_store`"),
                    None => Some(DEFAULT_STORE.to_owned()),
                };
                let app = self.app(&fields, value, "`token_store`");
                Some(Auth::TokenStore { path: path?, app: app? })
            }
        }
    }

    fn app(&mut self, fields: &super::Fields<'_>, node: &Node, what: &str) -> Option<App> {
        let mut secret = |key: &'static str, needed: bool| match fields.get(key) {
            Some(pair) => self.secret_ref(&pair.value, &format!("`{key}`")),
            None if !needed => None,
            None => {
                let message = format!("missing key `{key}` in {what}");
                self.report(self.diagnostic(Code::MissingKey, node.range, message));
                None
            }
        };
        let [id, current, old] = APP;
        let (client_id, client_secret, old_client_secret) =
            (secret(id, true), secret(current, true), secret(old, false));
        Some(App { client_id: client_id?, client_secret: client_secret?, old_client_secret })
    }

    fn assertion(&mut self, node: &Node) -> Option<Assertion> {
        let what = "`client_assertion`";
        let fields = self.fields(node, what, &ASSERTION)?;
        for key in ["client_id", "private_key", "key_id"] {
            if fields.get(key).is_none() {
                let diagnostic =
                    self.diagnostic(Code::MissingKey, node.range, format!("missing key `{key}` in {what}"));
                self.report(match key {
                    "key_id" => diagnostic.hint(
                        "write the id under which the public key is registered in the Dev Dashboard: the `kid` that \
                         `hookwright auth key new` printed. It is not a secret",
                    ),
                    _ => diagnostic,
                });
            }
        }
        let [client_id, private_key] = ["client_id", "private_key"].map(|key| {
            let pair = fields.get(key)?;
            self.secret_ref(&pair.value, &format!("`{key}`"))
        });
        let [key_id, audience] = ["key_id", "audience"].map(|key| {
            let pair = fields.get(key)?;
            self.plain_text(&pair.value, &format!("`{key}` of {what}"))
        });
        let audience = audience.and_then(|text: String| self.audience(fields.get("audience")?.value.range, text));
        let lifetime = fields.get("lifetime").map(|pair| self.lifetime(&pair.value));
        // An invalid audience or lifetime was reported.
        let readable = fields.get("audience").is_some() == audience.is_some() && lifetime != Some(None);
        let assertion = Assertion {
            client_id: client_id?,
            private_key: private_key?,
            key_id: key_id?,
            audience,
            lifetime: lifetime.flatten(),
        };
        readable.then_some(assertion)
    }

    /// Checks an audience. Its only placeholder is `{shop}`, which is replaced by the shop's domain.
    fn audience(&mut self, range: TextRange, text: String) -> Option<String> {
        if !text.replace("{shop}", "").contains(['{', '}']) {
            return Some(text);
        }
        let message = "unknown placeholder in `audience` of `client_assertion`";
        self.bad_value(
            range,
            message.to_owned(),
            "use only the placeholder `{shop}`, which is replaced by the shop's domain",
        );
        None
    }

    /// Decodes an integer followed by `s`, `m` or `h`, at most one hour.
    fn lifetime(&mut self, node: &Node) -> Option<SignedDuration> {
        let (what, form) = ("`lifetime` of `client_assertion`", "write a duration such as `90s` or `5m`");
        if matches!(node.value, Value::Int(_) | Value::Float(_)) {
            self.wrong_type(node, what, "a string", Some(form.to_owned()));
            return None;
        }
        let text = self.text(node, what)?;
        let seconds = [("s", 1), ("m", 60), ("h", 3_600)].into_iter().find_map(|(unit, factor)| {
            let digits = text.strip_suffix(unit)?;
            let plain = !digits.starts_with('0') && digits.bytes().all(|c| c.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|_| plain)?.checked_mul(factor)
        });
        if let Some(seconds) = seconds.filter(|seconds| *seconds <= LONGEST_LIFETIME) {
            return Some(SignedDuration::from_secs(i64::from(seconds)));
        }
        self.bad_value(node.range, format!("{what} must be a duration from `1s` to `1h`"), form);
        None
    }

    pub(super) fn secret_ref(&mut self, node: &Node, what: &str) -> Option<SecretRef> {
        if matches!(node.value, Value::Text(_) | Value::Int(_) | Value::Float(_)) {
            self.literal_secret(node, what);
            return None;
        }
        let before = self.diagnostics.len();
        let fields = self.fields(node, what, &["env", "file", "command"])?;
        let form = self.exactly_one(&fields, node.range, what, &["env", "file", "command"]);
        if self.diagnostics.len() > before {
            // In an invalid reference such as `{ value: <token> }`, the value may be a secret.
            self.secret(node);
            return None;
        }
        match form? {
            ("env", value) => self.env(value, what).map(SecretRef::Env),
            ("file", value) => self.plain_text(value, &format!("`file` of {what}")).map(SecretRef::File),
            (_, value) => self.command(value, what).map(SecretRef::Command),
        }
    }

    /// Decodes a string that must not be a secret.
    fn plain_text(&mut self, node: &Node, what: &str) -> Option<String> {
        let path = self.text(node, what)?;
        if looks_like_token(path) {
            self.literal_secret(node, what);
            return None;
        }
        Some(path.to_owned())
    }

    fn env(&mut self, node: &Node, what: &str) -> Option<String> {
        let name = self.text(node, &format!("`env` of {what}"))?;
        if looks_like_token(name) {
            self.literal_secret(node, what);
            return None;
        }
        let bare = name.replace("{shop}", "").replace("{SHOP}", "");
        if bare.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
            return Some(name.to_owned());
        }
        // The value may be a secret, so the message does not contain it.
        self.secret(node);
        let hint = match name.strip_prefix('$') {
            Some(_) => "write only the name, without `$` and braces",
            None => "use letters, digits and `_`; `{SHOP}` and `{shop}` are replaced by the handle of the shop",
        };
        self.bad_value(node.range, format!("`env` of {what} is not the name of an environment variable"), hint);
        None
    }

    fn command(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let what = format!("`command` of {what}");
        let words = self.texts(node, &what, &format!("an argument in {what}"))?;
        if words.value.is_empty() && matches!(&node.value, Value::List(items) if items.is_empty()) {
            self.bad_value(node.range, format!("{what} is empty"), "write `[program, argument, …]`");
            return None;
        }
        if words.value.iter().any(|word| looks_like_token(&word.value)) {
            self.literal_secret(node, &what);
            return None;
        }
        Some(words.value.into_iter().map(|word| word.value).collect())
    }

    fn literal_secret(&mut self, node: &Node, what: &str) {
        self.secret(node);
        let message = format!("expected a reference to a secret for {what}, found a literal value");
        let is_pem = matches!(&node.value, Value::Text(text) if text.starts_with("-----BEGIN "));
        let hint = if is_pem || what.contains("`private_key`") {
            "store the private key in a file, and write a reference to it:\n\
             private_key: { file: /run/secrets/shopify-app.pem }\n\
             If this manifest was ever shared, remove the key in the Dev Dashboard and create another with \
             `hookwright auth key new`"
        } else {
            "store the secret in an environment variable or a file, and write a reference to it, such as\n\
             access_token: { env: \"SHOPIFY_TOKEN_{SHOP}\" }\n\
             or `{ file: PATH }`. If this manifest was ever shared, replace the secret at Shopify"
        };
        let diagnostic = self.diagnostic(Code::LiteralSecret, node.range, message).hint(hint);
        self.report(diagnostic);
    }
}
