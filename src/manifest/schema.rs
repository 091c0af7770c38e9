//! The manifest's JSON Schema, for editors and other tools.
//!
//! These types are used only to generate the schema. The decoder reads the tree of `manifest::tree`, because serde
//! loses the places of values. A test in `manifest/tests.rs` compares the schema with the decoder.
#![allow(dead_code, clippy::struct_field_names)] // never constructed; the names are the keys of the manifest

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
use crate::state::{HazardName, Prefix, Safety as Limits};

pub use plain::without_rust_formats;

use aep::{Aep, ConnectionDestination, FlowDestination};
use auth::{Auth, TokenExpiry};
use plain::plainly;
use text::{Item, NonBlank};

/// Returns the schema that is committed under `schemas/`.
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

/// The webhook subscriptions that Shopify shops should have.
#[derive(JsonSchema)]
#[schemars(title = "Hookwright manifest, version 1", deny_unknown_fields)]
struct Manifest {
    /// Version of the manifest's format. Required in each file.
    #[schemars(extend("const" = 1))]
    version: u8,
    /// The Admin API to use. In one file only.
    admin_api: Option<AdminApi>,
    /// The source of the access tokens of all shops; a shop may have its own. In one file only.
    auth: Option<Auth>,
    /// Declares the expiry of tokens for which Hookwright does not know it, and so silences the finding
    /// `non_expiring_token`. A shop may have its own. In one file only.
    token_expiry: Option<TokenExpiry>,
    /// The access scopes that every shop should have granted; a shop may replace the list. In one file only.
    #[schemars(extend("examples" = [["write_orders", "read_customers"]]))]
    scopes: Option<Vec<Scope>>,
    /// Path of the app's `shopify.app.toml`, or several paths, relative to this file. Hookwright warns of a binding
    /// that duplicates a subscription in it, because Shopify delivers such events twice. In one file only.
    app_config: Option<AppConfig>,
    /// The Adobe account for looking up destinations in Adobe Experience Platform, or several accounts by name. In one
    /// file only.
    aep: Option<Aep>,
    /// Delivery addresses by name.
    #[schemars(extend("propertyNames" = name_pattern()))]
    destinations: Option<BTreeMap<String, Destination>>,
    /// Lists of bindings by name, which several shops can use.
    #[schemars(extend("propertyNames" = name_pattern()))]
    binding_sets: Option<BTreeMap<String, Vec<Binding>>>,
    /// The binding sets of all shops that have no `use`. In one file only.
    #[schemars(rename = "use", extend("examples" = [["orders"]]))]
    uses: Option<Vec<Use>>,
    /// The rule that decides which live subscriptions the manifest manages. In one file only.
    ownership: Option<Ownership>,
    /// Limits above which a plan needs consent. In one file only.
    safety: Option<Safety>,
    /// Rules that each binding must meet, by name. May be in several files.
    #[schemars(extend("propertyNames" = name_pattern()))]
    policies: Option<BTreeMap<String, Policy>>,
    /// Consents to hazards. They are reviewed together with the change that needs them, and may be in several files.
    consents: Option<Vec<Consent>>,
    /// The diagnostics to silence for all shops.
    lint: Option<Lint>,
    /// The shops. Each may be in its own file.
    shops: Option<Vec<Shop>>,
}

/// One path or several paths.
#[derive(JsonSchema)]
#[schemars(untagged, extend("examples" = ["shopify.app.toml"]))]
enum AppConfig {
    /// A path.
    One(NonBlank),
    /// Several paths.
    Several(Vec<NonBlank>),
}

/// The Admin API to use.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AdminApi {
    /// Version of the Admin API: YYYY-01, YYYY-04, YYYY-07, YYYY-10 or `unstable`.
    #[schemars(
        regex(pattern = r"^([0-9]{4}-(01|04|07|10)|unstable)$"),
        extend("default" = ApiVersion::DEFAULT, "examples" = ["2026-10", "2026-07", "unstable"])
    )]
    version: Option<String>,
    /// The GraphQL Admin API or the REST Admin API.
    #[schemars(extend("default" = "graphql"))]
    transport: Option<Transport>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Transport {
    /// The GraphQL Admin API.
    Graphql,
    /// The REST Admin API, which supports neither filters nor names nor metafields.
    Rest,
}

/// An access scope.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = "^(unauthenticated_|customer_)?(read|write)_[a-z0-9_]+$",
    "examples" = ["write_orders", "read_customers", "customer_read_customers"]
))]
struct Scope(String);

/// A delivery address: an https URL, `pubsub://project:topic` or the ARN of an EventBridge event source.
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

/// A rule that each binding must meet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Policy {
    /// The bindings to which the rule applies, in CEL; without it, all bindings.
    #[schemars(extend("examples" = ["labels.region == \"emea\" && topic.startsWith(\"customers/\")"]))]
    when: Option<NonBlank>,
    /// The condition that these bindings must meet, in CEL.
    #[schemars(extend("examples" = ["include_fields.size() > 0"]))]
    require: NonBlank,
    /// What the policy wants and why.
    message: NonBlank,
    /// Whether a violation is an error or a warning.
    #[schemars(extend("default" = "error"))]
    severity: Option<PolicySeverity>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum PolicySeverity {
    /// The manifest is invalid.
    Error,
    /// The violation is reported only.
    Warning,
}

/// An address, a lookup at Adobe, or one of several by a label of the shop.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Destination {
    /// The same for all shops.
    Fixed(FixedDestination),
    /// A label of the shop chooses.
    ByLabel(ByLabelDestination),
}

/// A destination for each value of a label.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ByLabelDestination {
    /// The key of the label.
    #[schemars(extend("examples" = ["env"]))]
    by_label: NonBlank,
    /// The destination for each value of the label.
    #[schemars(extend("minProperties" = 1))]
    values: BTreeMap<String, FixedDestination>,
}

/// An address, as a string or under `address`, or a lookup at Adobe.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum FixedDestination {
    /// The address.
    Plain(Address),
    /// The address.
    Address(AddressDestination),
    /// The dataflow whose streaming endpoint is the address.
    Flow(FlowDestination),
    /// The HTTP API connection whose streaming endpoint is the address.
    Connection(ConnectionDestination),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AddressDestination {
    /// The delivery address.
    address: Address,
}

/// A webhook topic in its slash form.
///
/// Any string in the form of a topic is accepted, because Shopify adds topics; `validate` reports a topic that is not
/// in the catalogue (HW100).
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

/// A webhook topic of the catalogue, in its slash form.
#[derive(JsonSchema)]
#[schemars(extend("oneOf" = topics()))]
struct KnownTopic(String);

/// Any webhook topic, whether it is in the catalogue or not.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = "^[A-Za-z][A-Za-z0-9_]*([/.][A-Za-z0-9_]+)*$"))]
struct NewTopic(String);

/// A topic and its destination. Requires exactly one of `topic` and `topics`, and exactly one of `destination` and
/// `address`.
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
    /// Several topics with the same settings.
    #[schemars(extend("minItems" = 1))]
    topics: Option<Vec<Topic>>,
    /// Name of a destination.
    destination: Option<NonBlank>,
    /// An address instead of a destination.
    address: Option<Address>,
    /// Format of the payload.
    #[schemars(extend("default" = "json"))]
    format: Option<Format>,
    /// The payload fields to deliver, as dotted paths.
    #[schemars(extend("examples" = [["id", "email", "updated_at"]]))]
    include_fields: Option<Vec<Item>>,
    /// The metafield namespaces to include in the payload; `$app` and `$app:NAMESPACE` are the app's own.
    #[schemars(extend("examples" = [["loyalty", "$app", "$app:scores"]]))]
    metafield_namespaces: Option<Vec<Item>>,
    /// The metafields to include, as `namespace.key`. Without this key, live ones are kept (`metafields_unnamed`);
    /// `[]` removes them.
    #[schemars(extend("examples" = [["custom.size"]]))]
    metafields: Option<Vec<Item>>,
    /// A filter in Shopify's search syntax; only events that match it are delivered.
    #[schemars(extend("examples" = ["email:*@example.com", "type:lookbook"]))]
    filter: Option<String>,
    /// Name of the subscription, unique in the shop. Without this key, a live name is kept (`name_kept`); it cannot be
    /// removed.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,50}$"), extend("examples" = ["customers-loyalty"]))]
    name: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Format {
    /// JSON.
    Json,
    /// XML. Adobe's collection endpoint, Pub/Sub and EventBridge do not support it.
    Xml,
}

/// The rule that decides which live subscriptions the manifest manages.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Ownership {
    /// A live subscription is managed if one of these prefixes covers its address. A prefix that ends with `/` or `:`
    /// covers all addresses that start with it; any other covers only the identical address, for https also with a query.
    #[schemars(extend("default" = [Prefix::DEFAULT]))]
    address_prefixes: Option<Vec<String>>,
    /// What a plan does with unmanaged subscriptions.
    #[schemars(extend("default" = "report"))]
    unmanaged: Option<Unmanaged>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Unmanaged {
    /// List each of them in the plan.
    Report,
    /// Only count them.
    Ignore,
    /// Plan their deletion, which needs consent.
    Delete,
}

/// Limits above which a plan needs consent.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Safety {
    /// Maximum share of deletes in a shop, in percent of its managed subscriptions. If it has fewer than 5, one delete
    /// is allowed.
    #[schemars(range(min = 0, max = 100), extend("default" = Limits::default().max_delete_percent))]
    max_delete_percent: Option<u8>,
    /// Maximum share of deletes in the run, in percent of its managed subscriptions. If it has fewer than 50, four are
    /// allowed.
    #[schemars(range(min = 0, max = 100), extend("default" = Limits::default().max_total_delete_percent))]
    max_total_delete_percent: Option<u8>,
    /// Maximum share of changes of address in the run, in percent, counted like deletes.
    #[schemars(range(min = 0, max = 100), extend("default" = Limits::default().max_address_change_percent))]
    max_address_change_percent: Option<u8>,
    /// Maximum share of the live managed subscriptions of one destination that the run deletes or moves to another address,
    /// in percent. Applies to destinations with at least 5.
    #[schemars(range(min = 0, max = 100), extend("default" = Limits::default().max_destination_loss_percent))]
    max_destination_loss_percent: Option<u8>,
    /// Topics whose deletes and changes of address or filter always need consent.
    protected_topics: Option<Vec<Topic>>,
}

/// The limits of one shop.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ShopSafety {
    /// Replaces the common limit.
    #[schemars(range(min = 0, max = 100))]
    max_delete_percent: Option<u8>,
    /// Replaces the common list.
    protected_topics: Option<Vec<Topic>>,
}

/// A consent to hazards: their changes are intended.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Consent {
    /// The hazards that the consent covers, as for `--allow`: `KIND:SHOP` for a hazard of a shop, where `SHOP` is a handle
    /// or a glob, or `KIND` for a hazard of the run.
    #[schemars(extend("pattern" = consent_pattern(), "examples" = ["protected_topic:acme-*", "max_address_change_percent"]))]
    allow: String,
    /// Why the hazards are intended, such as a ticket.
    #[schemars(extend("examples" = ["orders move to the new inlet, CHG-1234"]))]
    reason: NonBlank,
    /// The last day on which the consent is valid, in UTC; at most 90 days ahead.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), extend("examples" = ["2026-12-31"]))]
    expires: String,
}

/// The diagnostics to silence.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Lint {
    /// Codes from HW100 on: warnings, and errors that may be caused by an outdated catalogue.
    allow: Option<Vec<WarningCode>>,
}

/// The code of a diagnostic that can be silenced.
#[derive(JsonSchema)]
#[schemars(extend("oneOf" = warnings()))]
struct WarningCode(String);

/// One shop. Requires `use`, `bindings` or both.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Shop {
    /// The permanent domain, or only the handle.
    #[schemars(
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}(\.[mM][yY][sS][hH][oO][pP][iI][fF][yY]\.[cC][oO][mM])?$"),
        extend("examples" = ["acme.myshopify.com", "acme"])
    )]
    shop: String,
    /// Labels for the option `--label KEY=VALUE`.
    #[schemars(extend("propertyNames" = name_pattern(), "examples" = [{ "env": "prod", "region": "emea" }]))]
    labels: Option<BTreeMap<String, String>>,
    /// Replaces the common scopes.
    scopes: Option<Vec<Scope>>,
    /// The shop's own destinations, which take precedence over common ones with the same name.
    #[schemars(extend("propertyNames" = name_pattern()))]
    destinations: Option<BTreeMap<String, Destination>>,
    /// The binding sets of the shop. Replaces the common `use`. Without both, the shop needs `bindings`.
    #[schemars(rename = "use", extend("examples" = [["orders", { "set": "catalogue", "except": ["products/delete"] }]]))]
    uses: Option<Vec<Use>>,
    /// The shop's own bindings; `[]` for none.
    bindings: Option<Vec<Binding>>,
    /// Replaces the common `auth`.
    auth: Option<Auth>,
    /// Replaces the common `token_expiry`.
    token_expiry: Option<TokenExpiry>,
    /// The shop's own limits.
    safety: Option<ShopSafety>,
    /// The diagnostics to silence for this shop.
    lint: Option<Lint>,
    /// States of the shop that do not cause a run to fail.
    tolerate: Option<Vec<Tolerate>>,
}

/// A set, complete or without some of its topics.
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
    /// The topics to leave out.
    except: Option<Vec<Topic>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Tolerate {
    /// The app is no longer installed. No effect with `access_token`, because Shopify then answers 401, as for a wrong
    /// token.
    Uninstalled,
    /// The shop's Shopify plan lapsed (402).
    Frozen,
    /// Shopify locked the shop (423).
    Locked,
}

fn name_pattern() -> Value {
    json!({ "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$" })
}

fn consent_pattern() -> String {
    let names = |of_shop: bool| {
        let names = HazardName::ALL.iter().filter(|name| name.is_of_shop() == of_shop).map(|name| name.as_str());
        names.collect::<Vec<_>>().join("|")
    };
    format!("^(({}):[^,]*|({}))$", names(true), names(false))
}

fn token_pattern() -> Value {
    json!({ "pattern": "^(shp(at|ca|ua|pa|ss|rt)_|-----BEGIN )" })
}

fn subscribable() -> impl Iterator<Item = &'static catalog::TopicInfo> {
    catalog::all().iter().filter(|topic| !topic.is_compliance())
}

/// Returns the topics with their requirements.
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
