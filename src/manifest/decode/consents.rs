//! Decodes consents to hazards.

use jiff::civil::Date;

use crate::diagnostic::Code;
use crate::manifest::document::{ConsentBlock, Spanned};
use crate::manifest::tree::Node;
use crate::state::{Consent, ConsentError};

use super::{Decoder, short};

impl Decoder {
    /// Decodes the list. Leaves out invalid items.
    pub(super) fn consents(&mut self, node: &Node) -> Vec<ConsentBlock> {
        let items = self.list(node, "`consents`").unwrap_or_default();
        items.iter().filter_map(|item| self.consent(item)).collect()
    }

    fn consent(&mut self, node: &Node) -> Option<ConsentBlock> {
        let fields = self.fields(node, "a consent", &["allow", "reason", "expires"])?;
        for key in ["allow", "reason", "expires"] {
            if fields.get(key).is_none() && !fields.meant(&[key]) {
                let message = format!("missing key `{key}` in a consent");
                let hint = match key {
                    "allow" => "write the hazard as in `--allow`: `allow: \"protected_topic:acme\"`",
                    "reason" => "write why the hazard is intended, such as a ticket",
                    _ => "write the last day on which the consent is valid: `expires: YYYY-MM-DD`",
                };
                self.report(self.diagnostic(Code::MissingKey, node.range, message).hint(hint));
            }
        }
        let consent = fields.get("allow").and_then(|pair| self.consent_text(&pair.value));
        let reason = fields.get("reason").and_then(|pair| Some(self.text(&pair.value, "`reason`")?.trim().to_owned()));
        let expires = fields.get("expires").and_then(|pair| self.date(&pair.value, "`expires`"));
        Some(ConsentBlock { span: self.span(node.range), consent: consent?, reason: reason?, expires: expires? })
    }

    fn consent_text(&mut self, node: &Node) -> Option<Spanned<Consent>> {
        let text = self.text(node, "`allow` of a consent")?;
        match Consent::parse(text) {
            Ok(consent) => Some(Spanned::new(consent, self.span(node.range))),
            // The schema does not check globs.
            Err(error @ ConsentError::Pattern(_)) => {
                self.report(self.diagnostic(Code::BadConsent, node.range, short(&error.to_string())));
                None
            }
            Err(error) => {
                self.report(self.diagnostic(Code::BadValue, node.range, error.to_string()));
                None
            }
        }
    }

    fn date(&mut self, node: &Node, what: &str) -> Option<Spanned<Date>> {
        let text = self.text(node, what)?;
        let hint = "write a day such as `2026-12-31`; the consent is valid to the end of that day in UTC";
        let written = |(at, c): (usize, char)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() };
        if text.len() != 10 || !text.char_indices().all(written) {
            self.bad_value(node.range, format!("`{}` of {what} is not a date", short(text)), hint);
            return None;
        }
        let date = text.parse().ok();
        if date.is_none() {
            let message = format!("the day `{text}` of {what} does not exist");
            self.report(self.diagnostic(Code::BadConsent, node.range, message).hint(hint));
        }
        Some(Spanned::new(date?, self.span(node.range)))
    }
}
