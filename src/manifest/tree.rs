//! YAML text as a tree of nodes with their places.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Error, Location, Options, Spanned};

/// Maximum number of nodes in one file after expansion of aliases. 10,000 shops with 100 bindings each stay below it.
pub(super) const MAX_NODES: usize = 10_000_000;
/// Maximum number of parser events in one file.
pub(super) const MAX_EVENTS: usize = 20_000_000;
/// Maximum number of aliases (`*name`), of anchors (`&name`) and of merge keys in one file.
pub(super) const MAX_ALIASES: usize = 200_000;
/// Maximum number of parser events that aliases may add; stops a "billion laughs" attack.
pub(super) const MAX_REPLAYED: usize = 1_000_000;
/// Maximum nesting depth of a file; a manifest needs seven levels.
pub(super) const MAX_DEPTH: usize = 32;

/// The place of a node. Byte offsets count from the start of the text without its byte order mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TextRange {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl TextRange {
    pub(super) fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn at(location: Location) -> Self {
        let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let start = narrow(location.span().byte_offset().unwrap_or_default());
        let len = narrow(location.span().byte_len().unwrap_or_default());
        Self { line: narrow(location.line()), column: narrow(location.column()), start, end: start.saturating_add(len) }
    }
}

/// A value and its place. The place of an aliased value is that of the anchored text.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) range: TextRange,
}

/// A value of the YAML 1.2 core schema.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// The pairs in the order written, with duplicates.
    Map(Vec<Pair>),
}

/// One `key: value`.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) key_range: TextRange,
    pub(super) value: Node,
}

impl Value {
    /// The type, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Parses one file. The text must not contain its byte order mark.
pub(super) fn parse(text: &str) -> Result<Node, Box<Error>> {
    let spanned: Spanned<Value> = serde_yaml::from_str_with_options(text, options()).map_err(Box::new)?;
    Ok(spanned.into())
}

fn options() -> Options {
    serde_yaml::options! {
        // Otherwise the parser drops a tag such as `!env` and uses its value.
        reject_unsupported_tags: true,
        budget: serde_yaml::budget! {
            max_nodes: MAX_NODES,
            max_events: MAX_EVENTS,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_merge_keys: MAX_ALIASES,
            max_recorded_anchor_events: MAX_REPLAYED,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        // As in YAML 1.2, only `true` and `false` are booleans.
        strict_booleans: true,
        // `1_000` is not a number in the core schema of YAML 1.2.
        underscored_numbers_as_strings: true,
        // The decoder reports duplicate keys with both places.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Merge,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { value: spanned.value, range: TextRange::at(spanned.defined) }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Int(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Value>>()? {
            items.push(item.into());
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value::<Spanned<Value>>()?;
            pairs.push(Pair { key: key.value, key_range: TextRange::at(key.defined), value: value.into() });
        }
        Ok(Value::Map(pairs))
    }
}
