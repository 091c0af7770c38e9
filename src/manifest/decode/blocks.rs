//! Decodes the top-level blocks of a file.

use crate::diagnostic::Code;
use crate::manifest::document::{AdminApiBlock, Document, OwnershipBlock, SafetyBlock, SetBlock, Spanned};
use crate::manifest::tree::{Node, Value};
use crate::manifest::{habits, suggest};
use crate::model::{ApiVersion, Scope, TokenExpiry};
use crate::state::{Prefix, Unmanaged};

use super::{Decoder, short};

pub(super) const KEYS: [&str; 16] = [
    "version",
    "admin_api",
    "auth",
    "token_expiry",
    "scopes",
    "app_config",
    "aep",
    "destinations",
    "binding_sets",
    "use",
    "ownership",
    "safety",
    "consents",
    "policies",
    "lint",
    "shops",
];

impl Decoder {
    pub(super) fn document(&mut self, root: &Node) -> Document {
        let mut document = Document::default();
        let Some(fields) = self.fields(root, "the manifest", &KEYS) else { return document };
        match fields.get("version") {
            Some(pair) => self.version(&pair.value),
            None if fields.meant(&["version"]) => {}
            None => self.report(
                self.diagnostic(Code::MissingKey, root.range, "missing key `version`")
                    .hint("write `version: 1` as the first line; each file of a manifest needs it"),
            ),
        }
        document.admin_api =
            fields.get("admin_api").map(|pair| Spanned::new(self.admin_api(&pair.value), self.span(pair.key_range)));
        document.auth =
            fields.get("auth").map(|pair| Spanned { span: self.span(pair.key_range), ..self.auth(&pair.value) });
        document.token_expiry = fields.get("token_expiry").and_then(|pair| {
            let expiry = self.token_expiry(&pair.value)?;
            Some(Spanned::new(expiry, self.span(pair.key_range)))
        });
        document.scopes = fields.get("scopes").and_then(|pair| {
            let scopes = self.scopes(&pair.value)?;
            Some(Spanned::new(scopes, self.span(pair.key_range)))
        });
        document.app_config = fields.get("app_config").and_then(|pair| {
            let paths = self.app_config(&pair.value)?;
            Some(Spanned::new(paths, self.span(pair.key_range)))
        });
        document.aep = fields.get("aep").map(|pair| Spanned::new(self.aep(&pair.value), self.span(pair.key_range)));
        if let Some(pair) = fields.get("destinations") {
            document.destinations = self.destinations(&pair.value);
        }
        document.uses = fields.get("use").and_then(|pair| {
            let items = self.list(&pair.value, "`use`")?;
            let uses = items.iter().filter_map(|item| self.used_set(item)).collect();
            Some(Spanned::new(uses, self.span(pair.key_range)))
        });
        if let Some(pair) = fields.get("binding_sets") {
            document.sets = self.sets(&pair.value);
        }
        document.ownership =
            fields.get("ownership").map(|pair| Spanned::new(self.ownership(&pair.value), self.span(pair.key_range)));
        document.safety = fields.get("safety").map(|pair| {
            let keys = &[
                "max_delete_percent",
                "max_total_delete_percent",
                "max_address_change_percent",
                "max_destination_loss_percent",
                "protected_topics",
            ];
            Spanned::new(self.safety(&pair.value, keys), self.span(pair.key_range))
        });
        if let Some(pair) = fields.get("consents") {
            document.consents = self.consents(&pair.value);
        }
        if let Some(pair) = fields.get("policies") {
            document.policies = self.policies(&pair.value);
        }
        if let Some(pair) = fields.get("lint") {
            document.allow = self.lint(&pair.value);
        }
        document.names_shops = fields.meant(&["shops"]);
        if let Some(pair) = fields.get("shops") {
            if let Value::Map(shops) = &pair.value.value {
                let first = shops.first().map_or("acme", |shop| shop.key.as_str());
                let first = if first == "shop" { "acme" } else { first };
                let hint =
                    format!("write each shop as an item: `- shop: {}`, with its keys below `shop`", short(first));
                self.wrong_type(&pair.value, "`shops`", "a list", Some(hint));
                document.names_shops = true;
                return document;
            }
            let shops = self.list(&pair.value, "`shops`");
            document.names_shops = shops.is_none_or(|shops| !shops.is_empty());
            let shops = shops.unwrap_or_default();
            // Collecting would reserve up to twice the memory of a large fleet.
            document.shops.reserve_exact(shops.len());
            document.shops.extend(shops.iter().filter_map(|node| self.shop(node)));
        }
        document
    }

    pub(super) fn token_expiry(&mut self, node: &Node) -> Option<TokenExpiry> {
        self.word(node, "`token_expiry`", &TokenExpiry::ALL.map(|expiry| (expiry.as_str(), expiry)))
    }

    fn version(&mut self, node: &Node) {
        if let Value::Text(_) = node.value {
            let hint = "write `version: 1`, the version of the manifest's format. The version of the Admin API is written \
                        `admin_api: { version: \"2026-10\" }`";
            return self.wrong_type(node, "`version`", "an integer", Some(hint.to_owned()));
        }
        if let Some(number) = self.integer(node, "`version`")
            && number != 1
        {
            let hint = "write `version: 1`, the version of the manifest's format. The version of the Admin API is written \
                        `admin_api: { version: … }`";
            self.bad_value(
                node.range,
                format!("this version of Hookwright does not support `version: {number}`"),
                hint,
            );
        }
    }

    fn admin_api(&mut self, node: &Node) -> AdminApiBlock {
        let Some(fields) = self.fields(node, "`admin_api`", &["version", "transport"]) else {
            return AdminApiBlock::default();
        };
        let version = fields.get("version").and_then(|pair| {
            let text = self.text(&pair.value, "`version` of `admin_api`")?;
            if let Ok(version) = ApiVersion::parse(text) {
                return Some(Spanned::new(version, self.span(pair.value.range)));
            }
            let message = format!("`{}` is not an Admin API version", short(text));
            let hint = format!(
                "write a version such as `{}`, or `unstable`; Shopify publishes a version in January, April, July and October",
                ApiVersion::DEFAULT
            );
            self.bad_value(pair.value.range, message, hint);
            None
        });
        let rest = fields
            .get("transport")
            .and_then(|pair| self.word(&pair.value, "`transport`", &[("graphql", false), ("rest", true)]));
        AdminApiBlock { version, rest }
    }

    pub(super) fn scopes(&mut self, node: &Node) -> Option<Vec<Spanned<Scope>>> {
        let texts = self.texts(node, "`scopes`", "a scope")?;
        let scopes = texts.value.into_iter().filter_map(|Spanned { value, span }| {
            let scope = Scope::parse(&value);
            if scope.is_none() {
                let hint = if value.contains([',', ' ']) {
                    "write each scope as a separate item: `[write_orders, read_customers]`"
                } else {
                    "write a scope such as `read_orders` or `write_customers`"
                };
                self.bad_value(span.range, format!("`{}` is not an access scope", short(&value)), hint);
            }
            Some(Spanned::new(scope?, span))
        });
        Some(scopes.collect())
    }

    /// Decodes one path or a list of paths.
    fn app_config(&mut self, node: &Node) -> Option<Vec<Spanned<String>>> {
        if let Value::List(_) = node.value {
            return Some(self.texts(node, "`app_config`", "an item of `app_config`")?.value);
        }
        let path = self.text(node, "`app_config`")?.to_owned();
        Some(vec![Spanned::new(path, self.span(node.range))])
    }

    fn sets(&mut self, node: &Node) -> Vec<SetBlock> {
        let Some(pairs) = self.pairs(node, "`binding_sets`", &[]) else { return Vec::new() };
        let sets = pairs.into_iter().map(|pair| {
            let name = self.defined_name(pair, "a binding set");
            SetBlock { bindings: self.bindings(&pair.value, &format!("the set `{}`", name.value)), name }
        });
        sets.collect()
    }

    fn ownership(&mut self, node: &Node) -> OwnershipBlock {
        let Some(fields) = self.fields(node, "`ownership`", &["address_prefixes", "unmanaged"]) else {
            return OwnershipBlock::default();
        };
        let prefixes = fields.get("address_prefixes").and_then(|pair| {
            let items = self.list(&pair.value, "`address_prefixes`")?;
            let prefixes = items.iter().filter_map(|item| {
                let text = self.any_text(item, "an item of `address_prefixes`")?;
                Some(Spanned::new(Prefix::parse(text), self.span(item.range)))
            });
            Some(prefixes.collect())
        });
        let words = [("report", Unmanaged::Report), ("ignore", Unmanaged::Ignore), ("delete", Unmanaged::Delete)];
        let unmanaged = fields.get("unmanaged").and_then(|pair| self.word(&pair.value, "`unmanaged`", &words));
        OwnershipBlock { prefixes, unmanaged }
    }

    pub(super) fn safety(&mut self, node: &Node, keys: &'static [&'static str]) -> SafetyBlock {
        let Some(fields) = self.fields(node, "`safety`", keys) else { return SafetyBlock::default() };
        let mut percent = |key: &str| fields.get(key).and_then(|pair| self.percent(&pair.value, &format!("`{key}`")));
        SafetyBlock {
            max_delete_percent: percent("max_delete_percent"),
            max_total_delete_percent: percent("max_total_delete_percent"),
            max_address_change_percent: percent("max_address_change_percent"),
            max_destination_loss_percent: percent("max_destination_loss_percent"),
            protected_topics: fields
                .get("protected_topics")
                .and_then(|pair| self.topics(&pair.value, "`protected_topics`", false)),
        }
    }

    pub(super) fn lint(&mut self, node: &Node) -> Vec<Code> {
        let Some(fields) = self.fields(node, "`lint`", &["allow"]) else { return Vec::new() };
        let Some(codes) = fields.get("allow").and_then(|pair| self.list(&pair.value, "`allow`")) else {
            return Vec::new();
        };
        codes.iter().filter_map(|node| self.allowed(node)).collect()
    }

    fn allowed(&mut self, node: &Node) -> Option<Code> {
        let text = self.text(node, "an item of `allow`")?;
        let exact = Code::ALL.iter().copied().find(|code| code.as_str() == text);
        match exact {
            Some(code) if code.can_be_silenced() => return Some(code),
            Some(code) => {
                let message = format!("{code} ({}) is an error, which cannot be silenced", code.slug());
                self.bad_value(node.range, message, "remove it; only the codes from HW100 on can be silenced");
            }
            None => {
                let slug = Code::silenceable().find(|code| code.slug() == text).map(Code::as_str);
                let meant = slug.or_else(|| suggest::closest(text, Code::silenceable().map(Code::as_str)));
                let hint = meant.map_or_else(
                    || "write a code such as `HW104`; `hookwright validate` prints codes in square brackets".to_owned(),
                    |meant| format!("did you mean `{meant}`?"),
                );
                self.bad_value(node.range, format!("`{}` is not a code that can be silenced", short(text)), hint);
            }
        }
        None
    }

    /// Returns the problem and the remedy if the top level of the file is not a mapping.
    pub(in crate::manifest) fn root_problem(root: &Node) -> Option<(&'static str, &'static str)> {
        Some(match &root.value {
            Value::Map(_) => return None,
            Value::Null => ("the file is empty", "write a first manifest with `hookwright init`"),
            Value::List(_) => (
                "expected a mapping with keys such as `version:` and `shops:`, found a list",
                "write `version: 1`, and put the list under `shops:`",
            ),
            Value::Text(text) if let Some(other) = habits::other_file(text) => other,
            _ => (
                "the file is not a manifest: expected a mapping with keys such as `version:` and `shops:`",
                "check that this is the right file, or write a first manifest with `hookwright init`",
            ),
        })
    }
}
