//! `auth`: references to secrets, and the refusal of secrets themselves.

use crate::diagnostic::{Code, looks_like_token};
use crate::manifest::document::{At, AuthBlock};
use crate::manifest::tree::{Node, Value};
use crate::model::SecretRef;

use super::Decoder;

const FORMS: [&str; 3] = ["access_token", "client_credentials", "token_store"];

impl Decoder {
    /// The outer `None` is a problem that was reported.
    pub(super) fn auth(&mut self, node: &Node) -> At<Option<AuthBlock>> {
        At::new(self.auth_form(node), self.spot(node.span))
    }

    fn auth_form(&mut self, node: &Node) -> Option<AuthBlock> {
        if let Value::Text(_) = node.value {
            self.literal_secret(node, "`auth`");
            return None;
        }
        let fields = self.fields(node, "`auth`", &FORMS)?;
        let (form, value) = self.exactly_one(&fields, node.span, "`auth`", &FORMS)?;
        match form {
            "access_token" => self.secret_ref(value, "`access_token`").map(AuthBlock::AccessToken),
            "client_credentials" => {
                let fields = self.fields(value, "`client_credentials`", &["client_id", "client_secret"])?;
                self.client(&fields, value, "`client_credentials`");
                Some(AuthBlock::NotYet("client_credentials"))
            }
            _ => {
                let fields = self.fields(value, "`token_store`", &["path", "client_id", "client_secret"])?;
                if let Some(path) = fields.get("path") {
                    self.text(&path.value, "`path`");
                }
                self.client(&fields, value, "`token_store`");
                Some(AuthBlock::NotYet("token_store"))
            }
        }
    }

    fn client(&mut self, fields: &super::Fields<'_>, node: &Node, what: &str) {
        for key in ["client_id", "client_secret"] {
            match fields.get(key) {
                Some(pair) => {
                    self.secret_ref(&pair.value, &format!("`{key}`"));
                }
                None if fields.meant(&[key]) => {}
                None => {
                    let message = format!("{what} needs `{key}`");
                    self.report(self.diagnostic(Code::MissingKey, node.span, message));
                }
            }
        }
    }

    fn secret_ref(&mut self, node: &Node, what: &str) -> Option<SecretRef> {
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
            ("file", value) => {
                let path = self.text(value, &format!("`file` of {what}"))?;
                if looks_like_token(path) {
                    self.literal_secret(value, what);
                    return None;
                }
                Some(SecretRef::File(path.to_owned()))
            }
            (_, value) => self.command(value, what).map(SecretRef::Command),
        }
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
            Some(_) => "write the name alone, without the `$`",
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
