//! What to do about each code, for the places that explain a rule apart from a finding. Holds for every finding of the
//! code; what holds for one only is its hint.

use super::Code;

impl Code {
    /// What to do about it, in a sentence or two.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::File => {
                "Name a file that exists and can be read with -f, or write a first one with `hookwright init`."
            }
            Self::Encoding => "Save the file as UTF-8.",
            Self::Syntax => {
                "Mend the YAML at the place shown. Tabs do not indent; anchors, tags and several documents in one file are not taken."
            }
            Self::Budget => "Split the manifest into several files; -f takes a folder.",
            Self::NotAMapping => "Begin the file with `version: 1` and keys beside it.",
            Self::UnknownKey => {
                "Correct the spelling of the key, or remove it. `hookwright schema manifest` lists all keys."
            }
            Self::DuplicateKey => "Keep one of the two, or bring their contents together under one key.",
            Self::WrongType => {
                "Write a value of the type that is asked for; a text that looks like a number needs quotes."
            }
            Self::MissingKey => "Add the key.",
            Self::Conflict => "Keep exactly one of the keys.",
            Self::BadValue => "Use one of the values that are allowed.",
            Self::LiteralSecret => {
                "Take the secret out, rotate it if it was committed, and refer to it: { env: NAME }, { file: PATH } or { command: [...] }."
            }
            Self::NoShop => "Add `shops:` with at least one shop, or name the file that has it with -f.",
            Self::RepeatedBlock => "Keep the block in one of the files.",
            Self::RepeatedName => "Rename one of the two, or bring them together.",
            Self::UnknownDestination => "Define the destination under `destinations`, or correct the name.",
            Self::UnknownSet => "Define the set under `binding_sets`, or correct the name.",
            Self::UnknownAccount => "Define the account under `aep`, or correct the name.",
            Self::OthersSecret => {
                "Write {shop} or {SHOP} in the reference where the handle stands, or correct the handle: a token is sent to its own shop only."
            }
            Self::DuplicateBinding => {
                "Remove one of the two; a shop that uses a set can leave a topic out: { set: NAME, except: [topic] }."
            }
            Self::DuplicateName => "Give each subscription of a shop a name of its own, or none.",
            Self::NotOwned => {
                "Correct the address, or add it to ownership.address_prefixes, so that hookwright may manage it."
            }
            Self::BadPrefix => "Write a prefix with its scheme, as in https://host/path/.",
            Self::BadAddress => "Write a public https:// address, pubsub://project:topic or an EventBridge source ARN.",
            Self::NotSubscribable => {
                "Declare the compliance topics in the app's shopify.app.toml, and remove the binding."
            }
            Self::TopicAddress => {
                "Deliver the topic to an address of a kind that Shopify allows for it, in a format that it takes."
            }
            Self::TypeFilter => "Add a filter with the metaobject's type, as in `type:lookbook`.",
            Self::BadFilter => "Mend the filter in Shopify's search syntax.",
            Self::BadNamespace => {
                "Write a namespace such as `loyalty`, `$app` or `$app:NAME`, and a metafield as namespace.key."
            }
            Self::DcsAddress => {
                "Use format json and an address without `syncValidation` for Adobe's collection endpoint."
            }
            Self::Rest => "Use `transport: graphql`, or leave out what REST does not know.",
            Self::OldVersion => "Set admin_api.version to a version that Shopify serves, such as the default.",
            Self::UnknownTopic => {
                "Correct the spelling (`hookwright topics WORD` searches), or silence the code if Shopify has added the topic since."
            }
            Self::TopicVersion => "Set admin_api.version to one that has the topic, or remove the binding.",
            Self::Undocumented => "Silence the code if Shopify takes the topic in your shops, or remove the binding.",
            Self::TopicSpelling => "Write the topic in its slash form, as in orders/create.",
            Self::UnknownVersion => {
                "Nothing, if Shopify serves the version; otherwise correct it: Shopify answers 404 to a version that does not exist."
            }
            Self::ScopeMissing => "Add a scope that allows the topic to `scopes`, and have the shop grant it.",
            Self::SharedToken => {
                "Write {shop} or {SHOP} in the reference, so that each shop has a token of its own; Shopify's tokens are good for one shop."
            }
            Self::SampleId => "Replace the sample by the id of your own inlet.",
            Self::UnusualDcs => "Compare the address with the one that Adobe shows for the inlet.",
            Self::MixedInlet => "Give unlike topics inlets of their own, since an inlet has one schema.",
            Self::FilterField => "Add the field to include_fields, or drop it from the filter.",
            Self::UnknownScope => "Correct the spelling, or silence the code if Shopify has added the scope since.",
            Self::RemovedField => "Remove the field from include_fields and from the filter.",
            Self::ConstantPayload => "Add `updated_at`, or another field that changes, to include_fields.",
            Self::AppConfig => "Correct the path under `app_config`.",
            Self::NotCompared => {
                "Correct the app's shopify.app.toml at the place shown, or silence the code: double delivery is then not looked for there."
            }
            Self::DoubleDelivery => {
                "Remove the topic from the app's shopify.app.toml, or the binding: the two do not see each other."
            }
            Self::VersionSupport => "Set admin_api.version to a newer version, such as the default.",
            Self::TwoPayloads => {
                "Give the binding or the app's event another address: a dataflow has one mapping, and an event's payload is its own."
            }
            Self::ExceptNothing => "Correct the topic under `except`, or remove it.",
        }
    }
}
