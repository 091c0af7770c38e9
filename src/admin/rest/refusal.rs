//! Answers that say that a mutation was looked at and refused. Pure.
//!
//! REST says attribute -> messages where GraphQL says whole sentences; they are made whole here, so that one table of
//! texts serves both.

use serde_json::Value;

use crate::admin::classify::{is_uninstalled, upstream_text, words};
use crate::admin::http::Answer;
use crate::admin::redact::Redactor;
use crate::admin::refusal::UserError;

/// What was refused, or `None` if the answer does not say so. `names_one`: the request named a subscription.
pub(super) fn of(answer: &Answer, names_one: bool, redactor: &Redactor) -> Option<Vec<UserError>> {
    // Shopify, or what stands before it, did not take the request. An app that is gone is said with 400, too.
    if matches!(answer.status, 400 | 406 | 415) && !is_uninstalled(&answer.body) {
        let status = format!("status {}", answer.status);
        let said = Some(upstream_text(&answer.body)).filter(|said| !said.is_empty());
        let message = said.map_or_else(|| status.clone(), |said| format!("{said} ({status})"));
        return Some(vec![error(None, &message, redactor)]);
    }
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let says_so = body.get("errors").or_else(|| body.get("error")).filter(|errors| !words(errors).is_empty());
    match answer.status {
        404 if names_one && body.is_object() => Some(vec![UserError {
            field: vec!["id".to_owned()],
            message: "Webhook subscription does not exist".to_owned(),
        }]),
        422 => says_so.map(|errors| match errors {
            Value::Object(attributes) if !attributes.contains_key("message") => {
                attributes.iter().flat_map(|(attribute, said)| of_attribute(attribute, said, redactor)).collect()
            }
            Value::Array(list) => list.iter().map(|said| error(None, &words(said), redactor)).collect(),
            _ => vec![error(None, &upstream_text(&answer.body), redactor)],
        }),
        // One topic's trouble, and no word on the token or the shop (one report).
        403 if upstream_text(&answer.body).to_ascii_lowercase().contains("protected customer data") => {
            Some(vec![error(None, &upstream_text(&answer.body), redactor)])
        }
        _ => None,
    }
}

fn of_attribute(attribute: &str, said: &Value, redactor: &Redactor) -> Vec<UserError> {
    let messages = match said {
        Value::Array(list) => list.iter().map(words).collect(),
        said => vec![words(said)],
    };
    let whole = |message: String| error(Some(attribute), &sentence(attribute, &message), redactor);
    messages.into_iter().map(whole).collect()
}

/// "Address for this topic has already been taken" of `address` and "for this topic has already been taken". A message
/// that starts like a sentence is one.
fn sentence(attribute: &str, message: &str) -> String {
    if attribute == "base" || message.starts_with(char::is_uppercase) {
        return message.to_owned();
    }
    let mut letters = attribute.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let name: String = first.chain(letters).map(|c| if c == '_' { ' ' } else { c }).collect();
    format!("{name} {message}")
}

fn error(field: Option<&str>, message: &str, redactor: &Redactor) -> UserError {
    let field = field.map(|attribute| redactor.clean(attribute)).into_iter().collect();
    UserError { field, message: redactor.clean(message) }
}
