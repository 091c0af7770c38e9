//! `aep`: Adobe accounts, and the destinations that are looked up with them.

use crate::diagnostic::Code;
use crate::manifest::document::{ByLabel, DestinationAddress, DestinationBlock, LookupTarget, Spanned};
use crate::manifest::habits;
use crate::manifest::tree::{Node, Pair, Value};
use crate::model::SecretRef;
use crate::state::Source;
use crate::state::aep::{AepAccount, InletKind, LookupBy};

use super::{Decoder, Fields, short};

const ACCOUNT: [&str; 7] = ["org", "sandbox", "client_id", "client_secret", "scopes", "token_url", "base_url"];
const DESTINATION: [&str; 7] = ["address", "flow", "connection", "by_label", "values", "aep", "with_flow_id"];
const FORMS: [&str; 4] = ["address", "flow", "connection", "by_label"];
/// The name of the account if `aep` defines only one.
const DEFAULT_ACCOUNT: &str = "default";
const DEFAULT_SANDBOX: &str = "prod";

/// The path of the retired token endpoint for Service Account (JWT) credentials.
const JWT_EXCHANGE: &str = "/ims/exchange/jwt";

/// Whether a scope is a metascope of a Service Account (JWT) credential (documented: "JWT Metascopes").
fn is_metascope(scope: &str) -> bool {
    scope.contains("adobelogin.com/s/") || (scope.starts_with("ent_") && scope.ends_with("_sdk"))
}

impl Decoder {
    /// Decodes one account, or several by name. A mapping that has a key of an account is one account.
    pub(super) fn aep(&mut self, node: &Node) -> Vec<Spanned<AepAccount>> {
        let Value::Map(pairs) = &node.value else {
            self.wrong_type(node, "`aep`", "a mapping (`key: value` lines)", None);
            return Vec::new();
        };
        let maps = |pair: &Pair| matches!(pair.value.value, Value::Map(_));
        let several = !pairs.is_empty() && pairs.iter().all(|pair| maps(pair) && !ACCOUNT.contains(&pair.key.as_str()));
        if !several {
            return self.account(DEFAULT_ACCOUNT, node, node).into_iter().collect();
        }
        let Some(pairs) = self.pairs(node, "`aep`", &[]) else { return Vec::new() };
        let accounts = pairs.into_iter().filter_map(|pair| {
            let name = self.defined_name(pair, "an account");
            self.account(&name.value, &pair.value, &pair.value)
        });
        accounts.collect()
    }

    fn account(&mut self, name: &str, node: &Node, at: &Node) -> Option<Spanned<AepAccount>> {
        let fields = self.fields(node, "`aep`", &ACCOUNT)?;
        for key in ["org", "client_id", "client_secret", "scopes"] {
            if fields.get(key).is_none() {
                let hint = match key {
                    "org" => {
                        "write the IMS organisation ID, which ends with `@AdobeOrg`. The project in Adobe Developer Console shows it"
                    }
                    "scopes" => {
                        "write the scopes that the project in Adobe Developer Console lists for its OAuth credential"
                    }
                    _ => "write a reference to the secret, such as `{ env: AEP_CLIENT_SECRET }`",
                };
                let message = format!("missing key `{key}` in `aep`");
                self.report(self.diagnostic(Code::MissingKey, node.range, message).hint(hint));
            }
        }
        let org = self.org(&fields);
        let sandbox = match fields.get("sandbox") {
            Some(pair) => self.adobe_sandbox(&pair.value),
            None => Some(DEFAULT_SANDBOX.to_owned()),
        };
        let client_id = self.aep_secret(&fields, "client_id");
        let client_secret = self.aep_secret(&fields, "client_secret");
        let scopes = fields.get("scopes").and_then(|pair| self.ims_scopes(&pair.value));
        let url = |decoder: &mut Self, key: &'static str| match fields.get(key) {
            Some(pair) => decoder.adobe_url(&pair.value, key).map(Some),
            None => Some(None),
        };
        let (token_url, base_url) = (url(self, "token_url"), url(self, "base_url"));
        let account = AepAccount {
            name: name.into(),
            org: org?,
            sandbox: sandbox?,
            client_id: client_id?,
            client_secret: client_secret?,
            scopes: scopes?,
            token_url: token_url?,
            base_url: base_url?,
            source: Source { file: self.path.clone(), line: at.range.line },
        };
        Some(Spanned::new(account, self.span(at.range)))
    }

    fn org(&mut self, fields: &Fields<'_>) -> Option<String> {
        let pair = fields.get("org")?;
        let text = self.text(&pair.value, "`org`")?;
        let id = text.strip_suffix("@AdobeOrg").filter(|id| !id.is_empty());
        if id.is_some_and(|id| id.bytes().all(|c| c.is_ascii_alphanumeric())) {
            return Some(text.to_owned());
        }
        let hint = "write an ID such as `0123456789ABCDEF01234567@AdobeOrg`, which Adobe Developer Console shows with the project";
        self.bad_value(pair.value.range, format!("`{}` is not the ID of an IMS organisation", short(text)), hint);
        None
    }

    fn adobe_sandbox(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "`sandbox`")?;
        let fine = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if text.bytes().all(fine) {
            return Some(text.to_owned());
        }
        let hint =
            "write the name of the sandbox, not its title: lower-case letters, digits and hyphens, such as `prod`";
        self.bad_value(node.range, format!("`{}` is not the name of an Adobe sandbox", short(text)), hint);
        None
    }

    fn aep_secret(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<SecretRef> {
        let pair = fields.get(key)?;
        let found = self.secret_ref(&pair.value, &format!("`{key}`"))?;
        let of_a_shop = |text: &String| text.contains("{shop}") || text.contains("{SHOP}");
        let per_shop = match &found {
            SecretRef::Env(text) | SecretRef::File(text) => of_a_shop(text),
            SecretRef::Command(words) => words.iter().any(of_a_shop),
        };
        if per_shop {
            let message = format!(
                "`{key}` of `aep` contains a placeholder for a shop, but an Adobe account does not belong to a shop"
            );
            self.bad_value(pair.value.range, message, "remove `{shop}` and `{SHOP}`");
            return None;
        }
        Some(found)
    }

    fn ims_scopes(&mut self, node: &Node) -> Option<Vec<String>> {
        let texts = self.texts(node, "`scopes` of `aep`", "a scope")?;
        if texts.value.is_empty() {
            let hint = "write the scopes that Adobe Developer Console lists for the project's OAuth credential";
            self.bad_value(node.range, "`scopes` of `aep` is empty", hint);
            return None;
        }
        for scope in &texts.value {
            if is_metascope(&scope.value) {
                let message = format!("`{}` is a metascope of a Service Account (JWT) credential", short(&scope.value));
                self.bad_value(scope.span.range, message, habits::RETIRED);
            } else if scope.value.contains([',', ' ']) {
                let message = format!("`{}` contains more than one scope", short(&scope.value));
                self.bad_value(scope.span.range, message, "write each scope as a separate item: `[openid, AdobeID]`");
            }
        }
        Some(texts.value.into_iter().map(|at| at.value).collect())
    }

    /// Decodes a URL. The client checks whether the host belongs to Adobe, because that depends on
    /// HOOKWRIGHT_TRUST_HOSTS.
    fn adobe_url(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = self.text(node, &format!("`{key}`"))?;
        if text.contains(JWT_EXCHANGE) {
            let message = format!("`{key}` is the retired token endpoint for Service Account (JWT) credentials");
            self.bad_value(node.range, message, habits::RETIRED);
            return None;
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['@', ' ', '?', '#'])) {
            return Some(text.to_owned());
        }
        let hint =
            "write a URL such as `https://platform.adobe.io/data/foundation/flowservice`, without a user, `?` or `#`";
        self.bad_value(node.range, format!("`{}` is not a valid URL for `{key}`", short(text)), hint);
        None
    }

    pub(super) fn destination_form(&mut self, node: &Node) -> Option<DestinationAddress> {
        let fields = self.fields(node, "a destination", &DESTINATION)?;
        let (form, value) = self.exactly_one(&fields, node.range, "a destination", &FORMS)?;
        let refused: &[&str] = match form {
            "address" => &["aep", "with_flow_id", "values"],
            "connection" => &["with_flow_id", "values"],
            "by_label" => &["aep", "with_flow_id"],
            _ => &["values"],
        };
        for key in refused {
            if let Some(pair) = fields.get(key) {
                let hint = match form {
                    _ if *key == "values" => "remove it, or write `by_label` with the label that chooses a value",
                    "by_label" => "write it in each of the `values` that needs it",
                    "address" => {
                        "remove it, or write `flow` instead of `address`: only a destination that is looked up at Adobe can have it"
                    }
                    _ => "write `flow`, or the complete `address`: a connection can feed several dataflows",
                };
                let message = format!("conflicting keys `{form}` and `{key}` in a destination");
                self.report(self.diagnostic(Code::Conflict, pair.key_range, message).hint(hint));
            }
        }
        let kind = match form {
            "address" => return self.address(value, "`address`").map(DestinationAddress::Address),
            "by_label" => return self.by_label(&fields, value, node),
            "flow" => InletKind::Flow,
            _ => InletKind::Connection,
        };
        let by = self.lookup_by(value, form);
        let account = match fields.get("aep") {
            Some(pair) => {
                let name = self.text(&pair.value, "`aep`")?;
                Some(Spanned::new(name.to_owned(), self.span(pair.value.range)))
            }
            None => None,
        };
        let with_flow_id = match fields.get("with_flow_id") {
            Some(pair) => self.boolean(&pair.value, "`with_flow_id`")?,
            None => false,
        };
        let span = self.span(value.range);
        Some(DestinationAddress::Lookup(Box::new(LookupTarget { span, kind, by: by?, account, with_flow_id })))
    }

    /// Decodes `by_label` and `values`: the value of a label of the shop chooses a destination.
    fn by_label(&mut self, fields: &Fields<'_>, label: &Node, node: &Node) -> Option<DestinationAddress> {
        let text = self.text(label, "`by_label`")?.to_owned();
        let label = Spanned::new(text, self.span(label.range));
        let hint = "write a destination for each value of the label: `values: { prod: …, stage: … }`";
        let Some(pair) = fields.get("values") else {
            let message = "missing key `values` in a destination with `by_label`";
            self.report(self.diagnostic(Code::MissingKey, node.range, message).hint(hint));
            return None;
        };
        let pairs = self.pairs(&pair.value, "`values`", &[])?;
        if pairs.is_empty() {
            self.bad_value(pair.value.range, "`values` of a destination is empty", hint);
            return None;
        }
        let values = pairs.into_iter().map(|pair| {
            let name = Spanned::new(pair.key.clone(), self.span(pair.key_range));
            let mut address = self.destination_address(&pair.value).unwrap_or(DestinationAddress::Broken);
            if let DestinationAddress::ByLabel(inner) = address {
                let message = "`by_label` inside `values`: only one label can choose a destination";
                let hint = "give the shops one label that distinguishes all cases";
                self.report(self.diagnostic(Code::Conflict, inner.label.span.range, message).hint(hint));
                address = DestinationAddress::Broken;
            }
            DestinationBlock { name, address }
        });
        let values = values.collect();
        Some(DestinationAddress::ByLabel(Box::new(ByLabel { label, values })))
    }

    fn lookup_by(&mut self, node: &Node, form: &str) -> Option<LookupBy> {
        if let Value::Text(text) = &node.value {
            let hint = format!("write `{form}: {{ name: {text:?} }}`, or `{form}: {{ id: … }}`");
            self.wrong_type(node, &format!("`{form}`"), "a mapping (`key: value` lines)", Some(hint));
            return None;
        }
        let fields = self.fields(node, &format!("`{form}`"), &["name", "id"])?;
        let (key, value) = self.exactly_one(&fields, node.range, &format!("`{form}`"), &["name", "id"])?;
        let text = self.text(value, &format!("`{key}` of `{form}`"))?;
        if key == "name" {
            return Some(LookupBy::Name(text.into()));
        }
        if crate::manifest::address::is_uuid(text) {
            return Some(LookupBy::Id(text.to_ascii_lowercase().into()));
        }
        let hint = "write a UUID, such as `4982698b-e6b3-48c2-8dcf-040e20121fd2`. To look up a name, write `name` instead of `id`";
        self.bad_value(value.range, format!("`{}` is not the id of an Adobe {form}", short(text)), hint);
        None
    }

    fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.wrong_type(node, what, "`true` or `false`", None);
        None
    }
}
