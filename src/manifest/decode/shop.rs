//! Decodes one entry of `shops`.

use std::collections::BTreeSet;

use crate::diagnostic::Code;
use crate::manifest::Tolerable;
use crate::manifest::document::{ShopBlock, Spanned, UseBlock};
use crate::manifest::habits;
use crate::manifest::tree::{Node, Value};
use crate::model::ShopDomain;

use super::binding::is_name;
use super::{Decoder, short};

pub(super) const KEYS: [&str; 11] = [
    "shop",
    "labels",
    "scopes",
    "destinations",
    "use",
    "bindings",
    "auth",
    "token_expiry",
    "safety",
    "lint",
    "tolerate",
];

impl Decoder {
    pub(super) fn shop(&mut self, node: &Node) -> Option<ShopBlock> {
        if let Value::Text(text) = &node.value {
            let text = &self.without_secret(text, node.range);
            let hint = habits::blank_missing(&short(text))
                .or_else(|| habits::template(text).map(str::to_owned))
                .unwrap_or_else(|| format!("write `- shop: {}`, and below it `use:` or `bindings:`", short(text)));
            self.wrong_type(node, "an item of `shops`", "a mapping (`key: value` lines)", Some(hint));
            return None;
        }
        let fields = self.fields(node, "a shop", &KEYS)?;
        let domain = match fields.get("shop") {
            Some(pair) => self.shop_domain(&pair.value),
            None if fields.meant(&["shop"]) => None,
            None => {
                let diagnostic = self.diagnostic(Code::MissingKey, node.range, "missing key `shop` in a shop");
                self.report(diagnostic.hint("write the domain of the shop: `shop: acme.myshopify.com`"));
                None
            }
        };
        let mut shop = ShopBlock {
            span: domain.as_ref().map_or(self.span(node.range), |domain| domain.span),
            domain,
            labels: fields.get("labels").map(|pair| self.labels(&pair.value)).unwrap_or_default(),
            scopes: fields.get("scopes").and_then(|pair| {
                let scopes = self.scopes(&pair.value)?;
                Some(Spanned::new(scopes, self.span(pair.key_range)))
            }),
            destinations: Vec::new(),
            uses: None,
            // A misspelt key was reported.
            bindings: fields.meant(&["bindings"]).then(Vec::new),
            auth: fields.get("auth").map(|pair| self.auth(&pair.value)),
            token_expiry: fields.get("token_expiry").and_then(|pair| self.token_expiry(&pair.value)),
            safety: fields
                .get("safety")
                .map(|pair| self.safety(&pair.value, &["max_delete_percent", "protected_topics"])),
            allow: fields.get("lint").map(|pair| self.lint(&pair.value)).unwrap_or_default(),
            tolerate: Vec::new(),
        };
        if let Some(pair) = fields.get("destinations") {
            shop.destinations = self.destinations(&pair.value);
        }
        if let Some(items) = fields.get("use").and_then(|pair| self.list(&pair.value, "`use`")) {
            let mut uses = Vec::with_capacity(items.len());
            uses.extend(items.iter().filter_map(|item| self.used_set(item)));
            shop.uses = Some(uses);
        }
        if let Some(pair) = fields.get("bindings") {
            shop.bindings = Some(self.bindings(&pair.value, "`bindings`"));
        }
        if let Some(items) = fields.get("tolerate").and_then(|pair| self.list(&pair.value, "`tolerate`")) {
            let words = Tolerable::ALL.map(|kind| (kind.as_str(), kind));
            let kinds: BTreeSet<_> = items.iter().filter_map(|item| self.word(item, "`tolerate`", &words)).collect();
            shop.tolerate = kinds.into_iter().collect();
        }
        Some(shop)
    }

    fn shop_domain(&mut self, node: &Node) -> Option<Spanned<ShopDomain>> {
        let text = self.text(node, "`shop`")?;
        if let Ok(domain) = ShopDomain::parse(text) {
            return Some(Spanned::new(domain, self.span(node.range)));
        }
        let lower = text.to_ascii_lowercase();
        let admin = lower.split_once("admin.shopify.com/store/").map(|(_, rest)| rest);
        let bare = lower.trim_start_matches("https://").trim_start_matches("http://");
        let candidate = admin.unwrap_or(bare).split(['/', '?', '#']).next().unwrap_or_default();
        let hint = match ShopDomain::parse(candidate) {
            Ok(meant) => format!("write `{meant}`"),
            Err(_) => habits::template(text).map_or_else(
                || {
                    "write the permanent domain, `<handle>.myshopify.com`, which the shop's admin shows under Settings, \
                     Domains. Hookwright sends tokens to no other domain"
                        .to_owned()
                },
                str::to_owned,
            ),
        };
        self.bad_value(node.range, format!("`{}` is not a Shopify shop domain", short(text)), hint);
        None
    }

    fn labels(&mut self, node: &Node) -> Vec<(String, Spanned<String>)> {
        let Some(pairs) = self.pairs(node, "`labels`", &[]) else { return Vec::new() };
        let labels = pairs.into_iter().filter_map(|pair| {
            if !is_name(&pair.key) {
                let message = format!("`{}` is not a valid key of a label", short(&pair.key));
                self.bad_value(
                    pair.key_range,
                    message,
                    "use letters, digits, `_`, `-` and `.`, starting with a letter, a digit or `_`",
                );
            }
            let value = self.any_text(&pair.value, &format!("the label `{}`", short(&pair.key)))?;
            Some((pair.key.clone(), Spanned::new(value.to_owned(), self.span(pair.value.range))))
        });
        labels.collect()
    }

    pub(super) fn used_set(&mut self, node: &Node) -> Option<UseBlock> {
        if !matches!(node.value, Value::Map(_) | Value::List(_)) {
            let set = self.text(node, "an item of `use`")?;
            return Some(UseBlock { set: Spanned::new(set.to_owned(), self.span(node.range)), except: Vec::new() });
        }
        let fields = self.fields(node, "an item of `use`", &["set", "except"])?;
        let except = fields.get("except").and_then(|pair| self.topics(&pair.value, "`except`", false));
        let Some(pair) = fields.get("set") else {
            let message = "missing key `set` in an item of `use`";
            let hint = "write only the name of a set, or `{ set: NAME, except: [topic, …] }`";
            self.report(self.diagnostic(Code::MissingKey, node.range, message).hint(hint));
            return None;
        };
        let set = self.text(&pair.value, "`set`")?;
        Some(UseBlock {
            set: Spanned::new(set.to_owned(), self.span(pair.value.range)),
            except: except.unwrap_or_default(),
        })
    }
}
