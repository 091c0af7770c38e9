//! The format of the file: JSON with the mark `hookwright_tokens`, and the entries by shop.
//!
//! Keys that this version does not know are kept at every level, because a minor version may add keys. No type here can
//! be printed, and no error quotes the text.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::{Entry, Refresh};
use crate::model::ShopDomain;

/// The major version of the format.
const FORMAT: u64 = 1;

/// Why a text is not a document.
pub(super) enum Fault {
    /// JSON of another program.
    Foreign,
    /// A major version that this version of Hookwright does not support.
    Newer(u64),
    /// The problem and its position.
    Damaged(String),
}

/// The whole file.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Document {
    hookwright_tokens: u64,
    #[serde(deserialize_with = "each_shop_once")]
    shops: BTreeMap<ShopDomain, Record>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The written form of an `Entry`.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    access_token: Secret,
    scopes: Vec<String>,
    obtained_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<RefreshRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    online_user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The written form of a `Refresh`.
#[derive(Clone, Serialize, Deserialize)]
struct RefreshRecord {
    token: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Secret>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Document {
    /// Returns a document without shops.
    pub(super) fn empty() -> Self {
        Self { hookwright_tokens: FORMAT, shops: BTreeMap::new(), rest: Map::new() }
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self, Fault> {
        /// The key that distinguishes a token store from any other file.
        #[derive(Deserialize)]
        struct Mark {
            hookwright_tokens: u64,
        }
        if text.is_empty() {
            return Err(Fault::Damaged("it is empty".to_owned()));
        }
        let mark: Mark = serde_json::from_slice(text).map_err(|error| match error.classify() {
            Category::Data => Fault::Foreign,
            _ => damaged(&error),
        })?;
        if mark.hookwright_tokens != FORMAT {
            return Err(Fault::Newer(mark.hookwright_tokens));
        }
        serde_json::from_slice(text).map_err(|error| damaged(&error))
    }

    pub(super) fn text(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    pub(super) fn get(&self, shop: &ShopDomain) -> Option<Entry> {
        self.shops.get(shop).map(Record::entry)
    }

    /// Replaces the entry of the shop, and keeps its unknown keys.
    pub(super) fn put(&mut self, shop: &ShopDomain, entry: Entry) {
        let mut record = Record::from(entry);
        if let Some(old) = self.shops.remove(shop) {
            record.rest = old.rest;
            if let (Some(refresh), Some(old)) = (&mut record.refresh, old.refresh) {
                refresh.rest = old.rest;
            }
        }
        self.shops.insert(shop.clone(), record);
    }
}

impl Record {
    fn entry(&self) -> Entry {
        // Every field is named, so that a new one must be handled here.
        let Self { access_token, scopes, obtained_at, expires_at, refresh, online_user, client_id, rest: _ } =
            self.clone();
        let refresh = refresh.map(|RefreshRecord { token, expires_at, previous, rest: _ }| Refresh {
            token: token.0,
            expires_at: expires_at.map(|time| time.0),
            previous: previous.map(|secret| secret.0),
        });
        Entry {
            access_token: access_token.0,
            scopes,
            obtained_at: obtained_at.0,
            expires_at: expires_at.map(|time| time.0),
            refresh,
            online_user,
            client_id,
        }
    }
}

impl From<Entry> for Record {
    fn from(entry: Entry) -> Self {
        let Entry { access_token, scopes, obtained_at, expires_at, refresh, online_user, client_id } = entry;
        let refresh = refresh.map(|Refresh { token, expires_at, previous }| RefreshRecord {
            token: Secret(token),
            expires_at: expires_at.map(Time),
            previous: previous.map(Secret),
            rest: Map::new(),
        });
        Self {
            access_token: Secret(access_token),
            scopes,
            obtained_at: Time(obtained_at),
            expires_at: expires_at.map(Time),
            refresh,
            online_user,
            client_id,
            rest: Map::new(),
        }
    }
}

/// Reports the position only: the parser's messages quote the text, which contains secrets.
fn damaged(error: &serde_json::Error) -> Fault {
    let what = match error.classify() {
        Category::Eof => "it is truncated",
        Category::Data => "a key is missing, duplicate or has a value of the wrong type",
        Category::Syntax | Category::Io => "it is not valid JSON",
    };
    Fault::Damaged(format!("{what} (line {}, column {})", error.line(), error.column()))
}

/// Refuses duplicate shops, which would silently lose an entry.
fn each_shop_once<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<ShopDomain, Record>, D::Error> {
    struct Shops;
    impl<'de> Visitor<'de> for Shops {
        type Value = BTreeMap<ShopDomain, Record>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("entries by shop")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut shops = BTreeMap::new();
            while let Some((shop, record)) = map.next_entry()? {
                match shops.entry(shop) {
                    Slot::Vacant(slot) => slot.insert(record),
                    Slot::Occupied(_) => return Err(A::Error::custom("duplicate shop")),
                };
            }
            Ok(shops)
        }
    }
    from.deserialize_map(Shops)
}

#[derive(Clone)]
struct Secret(SecretString);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(text.into()))
    }
}

/// A time in RFC 3339.
#[derive(Clone)]
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Self).map_err(D::Error::custom)
    }
}
