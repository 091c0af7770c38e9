//! Checks that JSON parsers omit: duplicate keys in an object, and a list instead of an object. Pure.
//!
//! Parsers use the last of two values, or the first. So a response with two `data` or two `userErrors` is ambiguous
//! and must be rejected.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

const TWICE: &str = "duplicate key";

/// Whether an object in this JSON, at any depth, has a duplicate key. `false` if the text is not JSON.
pub(crate) fn names_a_key_twice(body: &[u8]) -> bool {
    let mut json = serde_json::Deserializer::from_slice(body);
    Unique.deserialize(&mut json).is_err_and(|error| error.is_data() && error.to_string().starts_with(TWICE))
}

/// A struct that must be an object in JSON. A derived `Deserialize` also accepts a list of the fields in order, so it
/// could read a response of another shape as an empty one.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfMap(PhantomData))
    }
}

struct OfMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMap<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key) {
                return Err(A::Error::custom(TWICE));
            }
            map.next_value_seed(Unique)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Unique)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_not_an_object() {
        #[derive(Deserialize)]
        struct Page {
            nodes: Vec<String>,
            more: bool,
        }
        let read = |text: &str| serde_json::from_str::<Object<Page>>(text).map(|Object(page)| (page.nodes, page.more));
        assert_eq!(read(r#"{"nodes":["a"],"more":true}"#).expect("object"), (vec!["a".to_owned()], true));
        assert!(serde_json::from_str::<Page>("[[],false]").is_ok(), "serde accepts it without `Object`");
        assert!(read("[[],false]").is_err());
    }

    #[test]
    fn a_duplicate_key_is_found_at_any_depth_and_in_any_notation() {
        for twice in [
            r#"{"data":1,"data":2}"#,
            r#"{"data":{"a":[{"x":null,"x":1.5}]}}"#,
            r#"[{"a":"","\u0061":true}]"#,
            r#"{"a":1,"a":2"#,
        ] {
            assert!(names_a_key_twice(twice.as_bytes()), "{twice}");
        }
        for once in [r#"{"a":{"b":1},"b":{"a":-1}}"#, r#"{"a":[{"x":1},{"x":1}]}"#, "", "<html>", r#"{"a":1"#] {
            assert!(!names_a_key_twice(once.as_bytes()), "{once}");
        }
    }
}
