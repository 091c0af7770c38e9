//! Decodes bindings, topics, destinations and addresses.

use crate::diagnostic::Code;
use crate::manifest::document::{BindingBlock, BindingTarget, DestinationAddress, DestinationBlock, Spanned};
use crate::manifest::habits;
use crate::manifest::tree::{Node, Pair, Value};
use crate::model::{Address, Format, Topic};

use super::{Decoder, short};

const KEYS: [&str; 10] = [
    "topic",
    "topics",
    "destination",
    "address",
    "format",
    "include_fields",
    "metafield_namespaces",
    "metafields",
    "filter",
    "name",
];

/// The maximum length of a `name` at Shopify, in characters.
const NAME_LENGTH: usize = 50;

impl Decoder {
    pub(super) fn bindings(&mut self, node: &Node, what: &str) -> Vec<BindingBlock> {
        let Some(items) = self.list(node, what) else { return Vec::new() };
        items.iter().filter_map(|item| self.binding(item)).collect()
    }

    fn binding(&mut self, node: &Node) -> Option<BindingBlock> {
        if let Value::Text(text) = &node.value
            && is_topic(text)
        {
            let hint = format!("write `{{ topic: {}, destination: NAME }}`", short(text));
            self.wrong_type(node, "a binding", "a mapping (`key: value` lines)", Some(hint));
            return None;
        }
        let fields = self.fields(node, "a binding", &KEYS)?;
        let topics = match self.exactly_one(&fields, node.range, "a binding", &["topic", "topics"]) {
            Some(("topic", value)) if matches!(value.value, Value::List(_)) => {
                let hint = "write `topics` for several topics: `topics: [orders/create, orders/paid]`";
                self.wrong_type(value, "`topic`", "a string", Some(hint.to_owned()));
                Vec::new()
            }
            Some(("topic", value)) => self.topic(value, "`topic`").into_iter().collect(),
            Some((_, value)) => self.topics(value, "`topics`", true).unwrap_or_default(),
            None => Vec::new(),
        };
        let target = match self.exactly_one(&fields, node.range, "a binding", &["destination", "address"]) {
            Some(("destination", value)) => self.text(value, "`destination`").map_or(BindingTarget::Broken, |name| {
                BindingTarget::Destination(Spanned::new(name.to_owned(), self.span(value.range)))
            }),
            Some((_, value)) => self.address(value, "`address`").map_or(BindingTarget::Broken, BindingTarget::Address),
            None => BindingTarget::Broken,
        };
        let mut texts = |key: &str| -> Option<Spanned<Vec<Spanned<String>>>> {
            let pair = fields.get(key)?;
            let item = format!("an item of `{key}`");
            let mut list = self.texts(&pair.value, &format!("`{key}`"), &item)?;
            list.value.iter_mut().for_each(|text| self.trimmed(text, &item));
            Some(list)
        };
        let include_fields = texts("include_fields").map_or_else(Vec::new, |list| list.value);
        let metafield_namespaces = texts("metafield_namespaces").map_or_else(Vec::new, |list| list.value);
        let metafields = texts("metafields");
        let format = fields.get("format").and_then(|pair| {
            let format = self.word(&pair.value, "`format`", &[("json", Format::Json), ("xml", Format::Xml)])?;
            Some(Spanned::new(format, self.span(pair.value.range)))
        });
        let filter = fields.get("filter").and_then(|pair| {
            let filter = self.any_text(&pair.value, "`filter`")?;
            Some(Spanned::new(filter.to_owned(), self.span(pair.value.range)))
        });
        Some(BindingBlock {
            topics,
            target,
            format: format.unwrap_or(Spanned::new(Format::Json, self.span(node.range))),
            include_fields,
            metafield_namespaces,
            metafields,
            filter: filter.filter(|filter| !filter.value.trim().is_empty()),
            name: fields.get("name").and_then(|pair| self.subscription_name(&pair.value)),
        })
    }

    /// Removes surrounding spaces and reports them, because Shopify would treat them as a part of the name.
    fn trimmed(&mut self, text: &mut Spanned<String>, what: &str) {
        let trimmed = text.value.trim();
        if trimmed.len() < text.value.len() {
            let hint = format!("write `{trimmed:?}`");
            self.bad_value(text.span.range, format!("{what} starts or ends with a space"), hint);
            text.value = trimmed.to_owned();
        }
    }

    fn subscription_name(&mut self, node: &Node) -> Option<Spanned<String>> {
        let name = self.any_text(node, "`name`")?;
        let letters = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
        if letters && (1..=NAME_LENGTH).contains(&name.len()) {
            return Some(Spanned::new(name.to_owned(), self.span(node.range)));
        }
        let message = if letters && !name.is_empty() {
            format!("`name` is too long: {} characters, but Shopify accepts at most {NAME_LENGTH}", name.len())
        } else if name.is_empty() {
            "`name` is empty".to_owned()
        } else {
            format!("`{}` is not a valid name of a subscription", short(name))
        };
        self.bad_value(node.range, message, "use 1 to 50 letters, digits, underscores and hyphens");
        None
    }

    pub(super) fn topics(&mut self, node: &Node, what: &str, some: bool) -> Option<Vec<Spanned<Topic>>> {
        let items = self.list(node, what)?;
        if some && items.is_empty() {
            self.bad_value(node.range, format!("{what} is empty"), "add a topic, or remove the binding");
        }
        Some(items.iter().filter_map(|item| self.topic(item, &format!("an item of {what}"))).collect())
    }

    fn topic(&mut self, node: &Node, what: &str) -> Option<Spanned<Topic>> {
        let text = self.text(node, what)?;
        if is_topic(text) {
            return Some(Spanned::new(Topic::from_slash(text), self.span(node.range)));
        }
        let message = format!("`{}` is not a topic", short(text));
        let hint = habits::template(text)
            .unwrap_or("write a topic such as `orders/create`; `hookwright topics` lists all topics");
        self.bad_value(node.range, message, hint);
        None
    }

    /// Decodes an address without surrounding spaces. Whether Shopify accepts it is checked later.
    pub(super) fn address(&mut self, node: &Node, what: &str) -> Option<Spanned<Address>> {
        let text = self.text(node, what)?;
        Some(Spanned::new(Address::new(text), self.span(node.range)))
    }

    pub(super) fn destinations(&mut self, node: &Node) -> Vec<DestinationBlock> {
        let Some(pairs) = self.pairs(node, "`destinations`", &[]) else { return Vec::new() };
        pairs.into_iter().map(|pair| self.destination(pair)).collect()
    }

    fn destination(&mut self, pair: &Pair) -> DestinationBlock {
        let name = self.defined_name(pair, "a destination");
        DestinationBlock { name, address: self.destination_address(&pair.value).unwrap_or(DestinationAddress::Broken) }
    }

    pub(super) fn destination_address(&mut self, node: &Node) -> Option<DestinationAddress> {
        if !matches!(node.value, Value::Map(_) | Value::List(_)) {
            return self.address(node, "a destination").map(DestinationAddress::Address);
        }
        self.destination_form(node)
    }

    /// Decodes the name of a destination, a set or an account.
    pub(super) fn defined_name(&mut self, pair: &Pair, what: &str) -> Spanned<String> {
        if !is_name(&pair.key) {
            let message = format!("`{}` is not a valid name of {what}", short(&pair.key));
            self.report(
                self.diagnostic(Code::BadValue, pair.key_range, message)
                    .hint("use letters, digits, `_`, `-` and `.`, starting with a letter, a digit or `_`"),
            );
        }
        Spanned::new(pair.key.clone(), self.span(pair.key_range))
    }
}

/// `^[A-Za-z0-9_][A-Za-z0-9_.-]*$`
pub(super) fn is_name(text: &str) -> bool {
    let letter = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    text.bytes().next().is_some_and(letter) && text.bytes().all(|c| letter(c) || c == b'.' || c == b'-')
}

/// `^[A-Za-z][A-Za-z0-9_]*([/.][A-Za-z0-9_]+)*$`, because a topic becomes a GraphQL enum name.
fn is_topic(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .split(['/', '.'])
            .all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'))
}
