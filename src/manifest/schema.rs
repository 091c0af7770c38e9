//! The manifest's JSON Schema, for editors and for checks outside this tool.
//!
//! These types exist for their schema only: the decoder reads the located tree, since serde loses places. A test
//! holds the two together (`manifest/tests.rs`).
#![allow(dead_code, clippy::struct_field_names)] // never constructed; names are the keys of the manifest

mod aep;
mod auth;
mod plain;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::catalog;
use crate::diagnostic::Code;
use crate::model::ApiVersion;
use crate::state::{Prefix, Safety as Limits};

pub use plain::without_rust_formats;

use aep::{Aep, ConnectionDestination, FlowDestination};
use auth::{Auth, TokenExpiry};
use plain::plainly;
use text::{Item, NonBlank};

/// The schema as it is committed under `schemas/`.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Manifest>().to_value();
    without_rust_formats(&mut schema);
    plainly(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("$id".to_owned(), json!("manifest.v1.schema.json"));
    }
    schema
}

/// Which webhook subscriptions which Shopify shops should have.
#[derive(JsonSchema)]
#[schemars(title = "Hookwright manifest, version 1", deny_unknown_fields)]
struct Manifest {
    /// Version of the manifest's format; stands in each file.
    #[schemars(extend("const" = 1))]
    version: u8,
    /// How to talk to Shopify. In one file only.
    admin_api: Option<AdminApi>,
    /// Where access tokens are to be had, for every shop; a shop may have its own. In one file only.
    auth: Option<Auth>,
    /// What is true of tokens whose expiry is unknown: it silences the finding `non_expiring_token`. A shop may say
    /// otherwise. In one file only.
    token_expiry: Option<TokenExpiry>,
    /// Access scopes that every shop should have granted; a shop may replace the list. In one file only.
    #[schemars(extend("examples" = [["write_orders", "read_customers"]]))]
    scopes: Option<Vec<Scope>>,
    /// The app's `shopify.app.toml`, or several, relative to this file: a binding that repeats what stands there is
    /// delivered twice, and reported. In one file only.
    app_config: Option<AppConfig>,
    /// Adobe Experience Platform: the account that looks up destinations there, or several under names. In one file
    /// only.
    aep: Option<Aep>,
    /// Addresses by name.
    #[schemars(extend("propertyNames" = name_pattern()))]
    destinations: Option<BTreeMap<String, Destination>>,
    /// Lists of bindings by name, for several shops to use.
    #[schemars(extend("propertyNames" = name_pattern()))]
    binding_sets: Option<BTreeMap<String, Vec<Binding>>>,
    /// Which live subscriptions are ours. In one file only.
    ownership: Option<Ownership>,
    /// Limits past which a plan needs consent. In one file only.
    safety: Option<Safety>,
    /// Which diagnostics to silence for all shops.
    lint: Option<Lint>,
    /// The shops. Each may stand in a file of its own.
    shops: Option<Vec<Shop>>,
}

/// One path, or several.
#[derive(JsonSchema)]
#[schemars(untagged, extend("examples" = ["shopify.app.toml"]))]
enum AppConfig {
    /// A path.
    One(NonBlank),
    /// Several paths.
    Several(Vec<NonBlank>),
}

/// How to talk to Shopify.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AdminApi {
    /// Version of the Admin API: YYYY-01, YYYY-04, YYYY-07, YYYY-10 or `unstable`.
    #[schemars(
        regex(pattern = r"^([0-9]{4}-(01|04|07|10)|unstable)$"),
        extend("default" = ApiVersion::DEFAULT, "examples" = ["2026-10", "2026-07", "unstable"])
    )]
    version: Option<String>,
    /// Which of Shopify's two Admin APIs.
    #[schemars(extend("default" = "graphql"))]
    transport: Option<Transport>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Transport {
    /// The GraphQL Admin API.
    Graphql,
    /// The REST Admin API, which knows neither filters nor names nor metafields.
    Rest,
}

/// An access scope.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = "^(unauthenticated_|customer_)?(read|write)_[a-z0-9_]+$",
    "examples" = ["write_orders", "read_customers", "customer_read_customers"]
))]
struct Scope(String);

/// A delivery address: https, `pubsub://project:topic` or an EventBridge ARN.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = r"\S",
    "examples" = [
        "https://dcs.adobedc.net/collection/<64 hexadecimal digits>",
        "pubsub://my-project:my-topic",
        "arn:aws:events:us-east-1::event-source/aws.partner/shopify.com/1234567/my-source"
    ]
))]
struct Address(String);

/// An address, by itself or under `address`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Destination {
    /// The address.
    Plain(Address),
    /// The address.
    Address(AddressDestination),
    /// The dataflow whose streaming endpoint is meant.
    Flow(FlowDestination),
    /// The HTTP API connection whose streaming endpoint is meant.
    Connection(ConnectionDestination),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AddressDestination {
    /// Where Shopify delivers to.
    address: Address,
}

/// A webhook topic in its slash form.
///
/// Any text that is written like a topic is accepted, since Shopify adds topics; `validate` reports one that the catalogue
/// does not know (HW100).
#[derive(JsonSchema)]
#[schemars(
    untagged,
    description = "A webhook topic in its slash form.",
    extend("examples" = ["orders/create", "customers/update"])
)]
enum Topic {
    Known(KnownTopic),
    New(NewTopic),
}

/// A webhook topic in its slash form, known to the catalogue.
#[derive(JsonSchema)]
#[schemars(extend("oneOf" = topics()))]
struct KnownTopic(String);

/// A webhook topic, whether the catalogue knows it or not.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = "^[A-Za-z][A-Za-z0-9_]*([/.][A-Za-z0-9_]+)*$"))]
struct NewTopic(String);

/// What is to be delivered where. Exactly one of `topic` and `topics`, exactly one of `destination` and `address`.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("allOf" = [
        { "oneOf": [{ "required": ["topic"] }, { "required": ["topics"] }] },
        { "oneOf": [{ "required": ["destination"] }, { "required": ["address"] }] }
    ])
)]
struct Binding {
    /// One topic.
    topic: Option<Topic>,
    /// Several topics with everything else in common.
    #[schemars(extend("minItems" = 1))]
    topics: Option<Vec<Topic>>,
    /// Name of a destination.
    destination: Option<NonBlank>,
    /// An address instead of a destination.
    address: Option<Address>,
    /// Format of the payload.
    #[schemars(extend("default" = "json"))]
    format: Option<Format>,
    /// Only these payload fields, as dotted paths.
    #[schemars(extend("examples" = [["id", "email", "updated_at"]]))]
    include_fields: Option<Vec<Item>>,
    /// Namespaces of metafields to send along; `$app` and `$app:NAMESPACE` for the app's own.
    #[schemars(extend("examples" = [["loyalty", "$app", "$app:scores"]]))]
    metafield_namespaces: Option<Vec<Item>>,
    /// Metafields to send along, as namespace.key. Without the key, live ones stay (`metafields_unnamed`); `[]` is none.
    #[schemars(extend("examples" = [["custom.size"]]))]
    metafields: Option<Vec<Item>>,
    /// Deliver only what matches, in Shopify's search syntax.
    #[schemars(extend("examples" = ["email:*@example.com", "type:lookbook"]))]
    filter: Option<String>,
    /// Name of the subscription, unique in the shop. Without the key, a live name stays (`name_kept`): none can be cleared.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,50}$"), extend("examples" = ["customers-loyalty"]))]
    name: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Format {
    /// JSON.
    Json,
    /// XML. Neither Adobe's endpoint nor the clouds take it.
    Xml,
}

/// Which live subscriptions are ours.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Ownership {
    /// A live subscription is managed if one of these covers its address. What ends in `/` or `:` covers all that
    /// begins with it, anything else only itself.
    #[schemars(extend("default" = [Prefix::DEFAULT]))]
    address_prefixes: Option<Vec<String>>,
    /// What becomes of the others.
    #[schemars(extend("default" = "report"))]
    unmanaged: Option<Unmanaged>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Unmanaged {
    /// Each is listed in the plan.
    Report,
    /// They are counted.
    Ignore,
    /// Their deletion is planned, and needs consent.
    Delete,
}

/// Limits past which a plan needs consent.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Safety {
    /// Deletes in a shop, in percent of its managed subscriptions; with fewer than 5, one delete is always within the limit.
    #[schemars(range(min = 0, max = 100), extend("default" = Limits::default().max_delete_percent))]
    max_delete_percent: Option<u8>,
    /// Deletes in the run, in percent of its managed subscriptions; with fewer than 50, four are always within the limit.
    #[schemars(range(min = 0, max = 100), extend("default" = Limits::default().max_total_delete_percent))]
    max_total_delete_percent: Option<u8>,
    /// Changes of address in the run, in percent, as for deletes.
    #[schemars(range(min = 0, max = 100), extend("default" = Limits::default().max_address_change_percent))]
    max_address_change_percent: Option<u8>,
    /// A delete, or a change of address or filter, of these always needs consent.
    protected_topics: Option<Vec<Topic>>,
}

/// A shop's own limits.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ShopSafety {
    /// Instead of the common one.
    #[schemars(range(min = 0, max = 100))]
    max_delete_percent: Option<u8>,
    /// Instead of the common ones.
    protected_topics: Option<Vec<Topic>>,
}

/// Which diagnostics to silence.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Lint {
    /// Codes from HW100 on: warnings, and errors of which the catalogue may be wrong.
    allow: Option<Vec<WarningCode>>,
}

/// Code of a diagnostic that can be silenced.
#[derive(JsonSchema)]
#[schemars(extend("oneOf" = warnings()))]
struct WarningCode(String);

/// One shop. It needs `use` or `bindings`, or both.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("anyOf" = [{ "required": ["use"] }, { "required": ["bindings"] }])
)]
struct Shop {
    /// The permanent domain, or the handle alone.
    #[schemars(
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}(\.[mM][yY][sS][hH][oO][pP][iI][fF][yY]\.[cC][oO][mM])?$"),
        extend("examples" = ["acme.myshopify.com", "acme"])
    )]
    shop: String,
    /// For `--label KEY=VALUE`.
    #[schemars(extend("propertyNames" = name_pattern(), "examples" = [{ "env": "prod", "region": "emea" }]))]
    labels: Option<BTreeMap<String, String>>,
    /// Instead of the common scopes.
    scopes: Option<Vec<Scope>>,
    /// This shop's own addresses; they win over the common ones.
    #[schemars(extend("propertyNames" = name_pattern()))]
    destinations: Option<BTreeMap<String, Destination>>,
    /// Binding sets.
    #[schemars(rename = "use", extend("examples" = [["orders", { "set": "catalogue", "except": ["products/delete"] }]]))]
    uses: Option<Vec<Use>>,
    /// This shop's own bindings; `[]` says that it has none.
    bindings: Option<Vec<Binding>>,
    /// Instead of the common one.
    auth: Option<Auth>,
    /// Instead of the common one.
    token_expiry: Option<TokenExpiry>,
    /// Limits of its own.
    safety: Option<ShopSafety>,
    /// Which diagnostics to silence for this shop.
    lint: Option<Lint>,
    /// States of the shop that do not make a run fail.
    tolerate: Option<Vec<Tolerate>>,
}

/// A set, by itself or without some of its topics.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Use {
    /// The name of a set.
    Whole(NonBlank),
    /// A set without some of its topics.
    Except(UseExcept),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct UseExcept {
    /// The name of a set.
    set: NonBlank,
    /// Topics to leave out.
    except: Option<Vec<Topic>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Tolerate {
    /// The app is no longer installed. It has no effect with access_token: there Shopify answers 401, as for a wrong token.
    Uninstalled,
    /// The shop's plan lapsed (402).
    Frozen,
    /// Shopify locked the shop (423).
    Locked,
}

fn name_pattern() -> Value {
    json!({ "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$" })
}

fn token_pattern() -> Value {
    json!({ "pattern": "^(shp(at|ca|ua|pa|ss|rt)_|-----BEGIN )" })
}

fn subscribable() -> impl Iterator<Item = &'static catalog::TopicInfo> {
    catalog::all().iter().filter(|topic| !topic.is_compliance())
}

/// Each topic with what it needs.
fn topics() -> Value {
    let option = |topic: &catalog::TopicInfo| match needs(topic) {
        needs if needs.is_empty() => json!({ "const": topic.name }),
        needs => json!({ "const": topic.name, "description": needs }),
    };
    subscribable().map(option).collect()
}

fn needs(topic: &catalog::TopicInfo) -> String {
    let scopes: Vec<&str> = topic.scopes().collect();
    let scopes = (!scopes.is_empty()).then(|| format!("needs {}", scopes.join(" or ")));
    let since = topic.since().map(|since| format!("since {since}"));
    let note = Some(topic.note.to_owned()).filter(|note| !note.is_empty());
    [scopes, since, note].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn warnings() -> Value {
    Code::silenceable().map(|code| json!({ "const": code.as_str(), "description": code.meaning() })).collect()
}
