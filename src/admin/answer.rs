//! The answer to one mutation, over either transport, and the meaning of its `userErrors`. Pure.

use serde_json::Value;

use super::decode::unexpected;
use super::documents::Mutation;
use super::error::AdminError;
use crate::catalog;
use crate::http::{Class, Redactor};
use crate::model::Live;
use crate::state::Entry;

/// The answer to one mutation.
#[expect(clippy::large_enum_variant, reason = "there is one batch of them at a time")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Carried out; the subscription as the API now returns it (`None` for a delete).
    Done(Option<Entry<Live>>),
    /// Refused; nothing was changed.
    Refused {
        /// The errors in the answer.
        errors: Vec<UserError>,
        /// Their meaning.
        kind: RefusalKind,
    },
    /// Failed, and certainly nothing was changed.
    Failed(AdminError),
    /// The response was lost, so the result is unknown.
    Lost(AdminError),
}

/// One of the `userErrors` of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserError {
    /// The path to the input field.
    pub field: Vec<String>,
    /// The message, free of secrets and control characters.
    pub message: String,
}

impl UserError {
    pub(super) fn read(error: &Value, redactor: &Redactor) -> Self {
        let field = error.get("field").and_then(Value::as_array).into_iter().flatten();
        Self {
            field: field.filter_map(Value::as_str).map(|part| redactor.clean(part)).collect(),
            message: redactor
                .clean(error.get("message").and_then(Value::as_str).unwrap_or("refused without a message")),
        }
    }
}

/// The meaning of a refusal, from its text; Shopify returns no codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RefusalKind {
    /// A subscription with the same topic, address, format and filter exists.
    AlreadyTaken,
    /// No subscription has this id.
    DoesNotExist,
    /// Another subscription has the name.
    NameTaken,
    /// The topic cannot be subscribed, because its scope is missing.
    TopicRefused,
    /// The app is not approved for protected customer data.
    ProtectedData,
    /// The address is invalid.
    InvalidAddress,
    /// The filter is invalid.
    InvalidFilter,
    /// The format is not supported for the topic or the address.
    InvalidFormat,
    /// The name is invalid.
    InvalidName,
    /// Anything else.
    Invalid,
}

impl RefusalKind {
    /// Every kind.
    pub(crate) const ALL: &[Self] = &[
        Self::AlreadyTaken,
        Self::DoesNotExist,
        Self::NameTaken,
        Self::TopicRefused,
        Self::ProtectedData,
        Self::InvalidAddress,
        Self::InvalidFilter,
        Self::InvalidFormat,
        Self::InvalidName,
        Self::Invalid,
    ];

    /// Returns the stable name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyTaken => "already_taken",
            Self::DoesNotExist => "does_not_exist",
            Self::NameTaken => "name_taken",
            Self::TopicRefused => "topic_refused",
            Self::ProtectedData => "protected_data",
            Self::InvalidAddress => "invalid_address",
            Self::InvalidFilter => "invalid_filter",
            Self::InvalidFormat => "invalid_format",
            Self::InvalidName => "invalid_name",
            Self::Invalid => "invalid",
        }
    }

    /// Returns the class of exit codes.
    pub(crate) fn class(self) -> Class {
        match self {
            Self::TopicRefused | Self::ProtectedData => Class::Auth,
            _ => Class::Other,
        }
    }

    /// Determines the kind from the texts that were recorded from the live API. An invalid field is recognized by its
    /// name.
    pub(super) fn of(errors: &[UserError]) -> Self {
        let texts = [
            ("has already been taken", Self::AlreadyTaken),
            ("does not exist", Self::DoesNotExist),
            ("name already exists", Self::NameTaken),
            ("protected customer data", Self::ProtectedData),
            ("with the specified topic", Self::TopicRefused),
            ("invalid topic specified", Self::TopicRefused),
            ("address ", Self::InvalidAddress),
            ("filter", Self::InvalidFilter),
            ("format", Self::InvalidFormat),
            ("name ", Self::InvalidName),
        ];
        let says = |text: &str| errors.iter().any(|error| error.message.to_ascii_lowercase().contains(text));
        texts.into_iter().find(|(text, _)| says(text)).map_or(Self::Invalid, |(_, kind)| kind)
    }
}

/// Returns the answer to a create or an update, if its subscription is the one that was sent.
pub(super) fn made(mutation: &Mutation, entry: Entry<Live>, redactor: &Redactor) -> Result<Answer, AdminError> {
    match mutation {
        Mutation::Create { topic, .. } if catalog::from_graphql(topic.graphql()) != entry.binding.topic => {
            let what = format!("the created subscription has the topic {}, not {topic}", entry.binding.topic);
            Err(unexpected(&what, redactor))
        }
        Mutation::Update { id, .. } if *id != entry.meta.id => {
            Err(unexpected(&format!("the changed subscription is {}, not {id}", entry.meta.id), redactor))
        }
        _ => Ok(Answer::Done(Some(entry))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_texts_have_their_kinds() {
        for (message, kind) in [
            ("Address for this topic has already been taken", RefusalKind::AlreadyTaken),
            ("Webhook subscription does not exist", RefusalKind::DoesNotExist),
            ("Name already exists, no duplicate allowed", RefusalKind::NameTaken),
            ("You cannot create a webhook subscription with the specified topic", RefusalKind::TopicRefused),
            (
                "Invalid topic specified: orders/create. Does it exist? Is there a missing access scope? Topics \
                 allowed: app/uninstalled",
                RefusalKind::TopicRefused,
            ),
            (
                "This app is not approved to subscribe to webhook topics containing protected customer data. See …",
                RefusalKind::ProtectedData,
            ),
            ("Address is invalid", RefusalKind::InvalidAddress),
            ("Address is not a valid GCP pub/sub format. Format should be …", RefusalKind::InvalidAddress),
            ("The specified filter is invalid, please ensure …", RefusalKind::InvalidFilter),
            ("Format 'xml' is invalid for this webhook topic. Allowed formats: json", RefusalKind::InvalidFormat),
            ("Name is too short (minimum is 1 character)", RefusalKind::InvalidName),
            ("Something new", RefusalKind::Invalid),
        ] {
            let error = UserError { field: vec![], message: message.to_owned() };
            assert_eq!(RefusalKind::of(&[error]), kind, "{message}");
        }
    }
}
