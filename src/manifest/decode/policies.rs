//! Decodes `policies`.

use crate::diagnostic::{Code, Severity};
use crate::manifest::document::{PolicyBlock, Spanned};
use crate::manifest::tree::{Node, Pair};

use super::Decoder;

const KEYS: [&str; 4] = ["when", "require", "message", "severity"];

impl Decoder {
    pub(super) fn policies(&mut self, node: &Node) -> Vec<PolicyBlock> {
        let Some(pairs) = self.pairs(node, "`policies`", &[]) else { return Vec::new() };
        pairs.into_iter().filter_map(|pair| self.policy(pair)).collect()
    }

    fn policy(&mut self, pair: &Pair) -> Option<PolicyBlock> {
        let name = self.defined_name(pair, "a policy");
        let fields = self.fields(&pair.value, "a policy", &KEYS)?;
        for key in ["require", "message"] {
            if fields.get(key).is_none() && !fields.meant(&[key]) {
                let message = format!("missing key `{key}` in a policy");
                let hint = match key {
                    "require" => {
                        "write the condition that a binding must meet, such as `require: include_fields.size() > 0`"
                    }
                    _ => "say what the policy wants and why, in one sentence",
                };
                self.report(self.diagnostic(Code::MissingKey, pair.value.range, message).hint(hint));
            }
        }
        let mut expression = |key: &'static str| {
            let pair = fields.get(key)?;
            let text = self.text(&pair.value, &format!("`{key}` of a policy"))?.to_owned();
            Some(Spanned::new(text, self.span(pair.value.range)))
        };
        let (when, require, message) = (expression("when"), expression("require"), expression("message"));
        let words = [("error", Severity::Error), ("warning", Severity::Warning)];
        let severity = fields.get("severity").and_then(|pair| self.word(&pair.value, "`severity`", &words));
        Some(PolicyBlock {
            name,
            when,
            require,
            message: message.map(|message| message.value).unwrap_or_default(),
            severity: severity.unwrap_or(Severity::Error),
        })
    }
}
