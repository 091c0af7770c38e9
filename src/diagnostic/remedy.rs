//! The remedy for each code, for places that explain a rule without a diagnostic. It holds for every diagnostic of the
//! code; the hint of a diagnostic holds for that one only.

use super::Code;

impl Code {
    /// The remedy, in one or two sentences.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::File => "Pass an existing, readable file with `-f`, or create one with `hookwright init`.",
            Self::Encoding => "Save the file as UTF-8.",
            Self::Syntax => {
                "Correct the YAML at the place shown. Indent with spaces, not tabs; tags and several documents in one file are not supported."
            }
            Self::Budget => "Split the manifest into several files; `-f` accepts a folder.",
            Self::NotAMapping => "Start the file with `version: 1`, followed by other top-level keys such as `shops:`.",
            Self::UnknownKey => "Correct the key, or remove it. `hookwright schema manifest` describes all keys.",
            Self::DuplicateKey => "Remove one of the two, or merge their contents under one key.",
            Self::WrongType => "Write a value of the expected type. A string that looks like a number needs quotes.",
            Self::MissingKey => "Add the key.",
            Self::Conflict => "Keep exactly one of the keys.",
            Self::BadValue => "Use one of the allowed values.",
            Self::LiteralSecret => {
                "Remove the secret, rotate it if it was committed, and write a reference instead: `{ env: NAME }`, `{ file: PATH }` or `{ command: [...] }`."
            }
            Self::NoShop => "Add `shops:` with at least one shop, or pass the file that contains it with `-f`.",
            Self::RepeatedBlock => "Keep the block in one file only.",
            Self::RepeatedName => "Rename one of the two, or merge them.",
            Self::UnknownDestination => "Define the destination under `destinations`, or correct the name.",
            Self::UnknownSet => "Define the set under `binding_sets`, or correct the name.",
            Self::UnknownAccount => "Define the account under `aep`, or correct the name.",
            Self::OthersSecret => {
                "Replace the handle in the reference with `{shop}` or `{SHOP}`, or correct the handle. A token must be sent only to its own shop."
            }
            Self::DuplicateBinding => {
                "Remove one of the two. A shop that uses a set can leave a topic out: `{ set: NAME, except: [topic] }`."
            }
            Self::DuplicateName => "Give each subscription of a shop a different name, or no name.",
            Self::NotOwned => {
                "Correct the address, or add it to `ownership.address_prefixes`, so that Hookwright manages it."
            }
            Self::BadPrefix => "Write a prefix with its scheme, such as `https://host/path/`.",
            Self::BadAddress => {
                "Write a public `https://` address, `pubsub://project:topic` or the ARN of an EventBridge event source."
            }
            Self::NotSubscribable => {
                "Declare compliance topics in the app's `shopify.app.toml`, and remove the binding."
            }
            Self::TopicAddress => "Use an address and a format that Shopify allows for the topic.",
            Self::TypeFilter => "Add a filter with the metaobject's type, such as `type:lookbook`.",
            Self::BadFilter => "Correct the filter; it must be valid in Shopify's search syntax.",
            Self::BadNamespace => {
                "Write a namespace such as `loyalty`, `$app` or `$app:NAME`, and a metafield as `namespace.key`."
            }
            Self::DcsAddress => {
                "Use `format: json` and an address without `syncValidation` for Adobe's collection endpoint."
            }
            Self::Rest => "Use `transport: graphql`, or remove the field.",
            Self::OldVersion => "Set `admin_api.version` to a version that Shopify serves, such as the default.",
            Self::UnknownTopic => {
                "Correct the topic; `hookwright topics WORD` searches the catalogue. If Shopify added the topic later, silence the code."
            }
            Self::TopicVersion => "Set `admin_api.version` to a version that has the topic, or remove the binding.",
            Self::Undocumented => {
                "Silence the code if Shopify accepts the topic in your shops; otherwise remove the binding."
            }
            Self::TopicSpelling => "Write the topic in its slash form, such as `orders/create`.",
            Self::UnknownVersion => {
                "Correct the version if Shopify does not serve it: Shopify answers 404 for a version that does not exist. Otherwise ignore the warning."
            }
            Self::ScopeMissing => "Add a scope that allows the topic to `scopes`; the shop must grant it to the app.",
            Self::SharedToken => {
                "Write `{shop}` or `{SHOP}` in the reference, so that each shop has its own token. A Shopify token is valid for one shop only."
            }
            Self::SampleId => "Replace the sample with the address of your own inlet.",
            Self::UnusualDcs => "Compare the address with the one that Adobe shows for the inlet.",
            Self::MixedInlet => "Use a separate inlet for each kind of topic, because an inlet has one schema.",
            Self::FilterField => "Add the field to `include_fields`, or remove it from the filter.",
            Self::UnknownScope => "Correct the scope. If Shopify added the scope later, silence the code.",
            Self::RemovedField => "Remove the field from `include_fields` and from the filter.",
            Self::ConstantPayload => "Add `updated_at`, or another field that changes, to `include_fields`.",
            Self::AppConfig => "Correct the path under `app_config`.",
            Self::BadConsent => {
                "Correct the consent: a glob on the handle, and a day at most 90 days ahead, such as `expires: 2026-12-31`."
            }
            Self::LabelWithoutValue => "Add the label to the shop, or a value for it to the destination.",
            Self::NoBindings => "Name a set with `use`, or list the bindings; for none, write `bindings: []`.",
            Self::BadPolicy => "Correct the CEL expression of the policy.",
            Self::Policy => "Change the binding as the message of the policy says, or change the policy.",
            Self::ExpiredConsent => "Remove the consent. If its change is still pending, have it reviewed again.",
            Self::UselessConsent => "Correct the shop of the consent, or remove the consent.",
            Self::BroadConsent => "Name only the shops that need the consent.",
            Self::NotCompared => {
                "Correct the app's `shopify.app.toml` at the place shown, or silence the code. Hookwright does not detect double delivery there."
            }
            Self::DoubleDelivery => {
                "Remove the topic from the app's `shopify.app.toml`, or remove the binding. Shopify keeps both and delivers each event twice."
            }
            Self::VersionSupport => "Set `admin_api.version` to a newer version, such as the default.",
            Self::TwoPayloads => {
                "Give the binding or the app's event another address. A dataflow has one mapping, and the payload of an event has its own shape."
            }
            Self::ExceptNothing => "Correct the topic under `except`, or remove it.",
        }
    }
}
