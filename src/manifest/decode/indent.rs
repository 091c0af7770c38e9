//! Sections whose keys are not indented: YAML reads the section as empty, and its keys as keys next to it.

use crate::diagnostic::Code;
use crate::manifest::tree::{Node, Value};
use crate::manifest::{habits, suggest};

use super::{Decoder, auth, blocks, shop, short};

/// The keys whose values are mappings.
const SECTIONS: [&str; 12] = [
    "admin_api",
    "auth",
    "access_token",
    "client_credentials",
    "client_assertion",
    "token_store",
    "aep",
    "destinations",
    "binding_sets",
    "ownership",
    "safety",
    "lint",
];

impl Decoder {
    /// Reports such sections and moves their keys into them, so that they cause no further problems.
    pub(super) fn indent(&mut self, root: &mut Node) {
        self.indent_below(root, &blocks::KEYS);
        let Value::Map(pairs) = &mut root.value else { return };
        for pair in pairs {
            match &mut pair.value.value {
                Value::List(shops) if pair.key == "shops" => {
                    for shop in shops {
                        self.indent_below(shop, &shop::KEYS);
                    }
                }
                Value::Map(_) if pair.key == "auth" => self.indent_below(&mut pair.value, &auth::FORMS),
                _ => {}
            }
        }
    }

    fn indent_below(&mut self, node: &mut Node, keys: &[&str]) {
        let Value::Map(pairs) = &mut node.value else { return };
        let mut at = 0;
        while at < pairs.len() {
            let (above, below) = pairs.split_at_mut(at + 1);
            at += 1;
            let Some(section) = above.last_mut() else { continue };
            let blank = matches!(section.value.value, Value::Null) && SECTIONS.contains(&section.key.as_str());
            if !blank || !keys.contains(&section.key.as_str()) {
                continue;
            }
            let unknown = |key: &str| !keys.contains(&key) && suggest::key(key, keys).is_none();
            let elsewhere = |key: &str| section.key != "auth" && habits::misplaced(key, keys).is_some();
            let count = below.iter().take_while(|pair| unknown(&pair.key) && !elsewhere(&pair.key)).count();
            let Some(first) = below.first().filter(|_| count > 0) else { continue };
            let message =
                format!("`{}` has no value, because `{}` below it is not indented", section.key, short(&first.key));
            let hint = format!("indent each line that belongs to `{}` by two more spaces", section.key);
            self.report(self.diagnostic(Code::WrongType, first.key_range, message).hint(hint));
            section.value.range = first.key_range;
            let moved = pairs.drain(at..at + count).collect();
            if let Some(section) = pairs.get_mut(at - 1) {
                section.value.value = Value::Map(moved);
            }
        }
    }
}
