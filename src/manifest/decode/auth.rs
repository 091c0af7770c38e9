//! `auth`: references to secrets, and the refusal of secrets themselves.

use std::sync::Arc;

use crate::diagnostic::{Code, looks_like_token};
use crate::manifest::document::At;
use crate::manifest::tree::{Node, Value};
use crate::model::{App, Auth, SecretRef};

use super::Decoder;

/// The keys that say which app it is.
const APP: [&str; 3] = ["client_id", "client_secret", "old_client_secret"];
const STORE: [&str; 4] = ["path", "client_id", "client_secret", "old_client_secret"];
const DEFAULT_STORE: &str = ".hookwright/tokens.json";
pub(super) const FORMS: [&str; 3] = ["access_token", "client_credentials", "token_store"];

impl Decoder {
    /// The outer `None` is a problem that was reported.
    pub(super) fn auth(&mut self, node: &Node) -> At<Option<Arc<Auth>>> {
        At::new(self.auth_form(node).map(Arc::new), self.spot(node.span))
    }

    fn auth_form(&mut self, node: &Node) -> Option<Auth> {
        if let Value::Text(_) = node.value {
            self.literal_secret(node, "`auth`");
            return None;
        }
        let fields = self.fields(node, "`auth`", &FORMS)?;
        let (form, value) = self.exactly_one(&fields, node.span, "`auth`", &FORMS)?;
        if !matches!(value.value, Value::Map(_)) {
            self.secret(value);
        }
        match form {
            "access_token" => self.secret_ref(value, "`access_token`").map(Auth::AccessToken),
            "client_credentials" => {
                let fields = self.fields(value, "`client_credentials`", &APP)?;
                self.app(&fields, value, "`client_credentials`").map(Auth::ClientCredentials)
            }
            _ => {
                let fields = self.fields(value, "`token_store`", &STORE)?;
                let path = match fields.get("path") {
                    Some(path) => self.file_path(&path.value, "`path` of `token_store`"),
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
                let message = format!("{what} needs `{key}`");
                self.report(self.diagnostic(Code::MissingKey, node.span, message));
                None
            }
        };
        let [id, current, old] = APP;
        let (client_id, client_secret, old_client_secret) =
            (secret(id, true), secret(current, true), secret(old, false));
        Some(App { client_id: client_id?, client_secret: client_secret?, old_client_secret })
    }

    pub(super) fn secret_ref(&mut self, node: &Node, what: &str) -> Option<SecretRef> {
        if matches!(node.value, Value::Text(_) | Value::Int(_) | Value::Float(_)) {
            self.literal_secret(node, what);
            return None;
        }
        let before = self.diagnostics.len();
        let fields = self.fields(node, what, &["env", "file", "command"])?;
        let form = self.exactly_one(&fields, node.span, what, &["env", "file", "command"]);
        if self.diagnostics.len() > before {
            // Something like `{ value: <token> }`: what stands there may well be a secret.
            self.secret(node);
            return None;
        }
        match form? {
            ("env", value) => self.env(value, what).map(SecretRef::Env),
            ("file", value) => self.file_path(value, &format!("`file` of {what}")).map(SecretRef::File),
            (_, value) => self.command(value, what).map(SecretRef::Command),
        }
    }

    fn file_path(&mut self, node: &Node, what: &str) -> Option<String> {
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
        // Not echoed and not shown: who knows what it is.
        self.secret(node);
        let hint = match name.strip_prefix('$') {
            Some(_) => "write the name alone, without `$` and braces",
            None => "letters, digits and `_`; {SHOP} and {shop} stand for the handle of the shop",
        };
        self.bad_value(node.span, format!("`env` of {what} is not a name of an environment variable"), hint);
        None
    }

    fn command(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let what = format!("`command` of {what}");
        let words = self.texts(node, &what, &format!("an argument in {what}"))?;
        if words.value.is_empty() && matches!(&node.value, Value::List(items) if items.is_empty()) {
            self.bad_value(node.span, format!("{what} names no program"), "write [program, argument, …]");
            return None;
        }
        Some(words.value.into_iter().map(|word| word.value).collect())
    }

    fn literal_secret(&mut self, node: &Node, what: &str) {
        self.secret(node);
        let message = format!("{what} holds a value where a reference to a secret is expected");
        let diagnostic = self.diagnostic(Code::LiteralSecret, node.span, message).hint(
            "put the secret into an environment variable and name that here, for instance\n\
             access_token: { env: \"SHOPIFY_TOKEN_{SHOP}\" }\n\
             { file: PATH } works, too. If this file was ever shared, replace the secret at Shopify",
        );
        self.report(diagnostic);
    }
}
