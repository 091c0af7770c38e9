//! The schema of `aep` and of destinations that are looked up at Adobe.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{NonBlank, token_pattern};

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct FlowDestination {
    /// The dataflow whose streaming endpoint is the address: exactly one of these.
    flow: LookupBy,
    /// Name of the account under `aep`; required if there are several.
    aep: Option<NonBlank>,
    /// Whether to append `?x-adobe-flow-id=<id of the dataflow>` to the address.
    #[schemars(extend("default" = false))]
    with_flow_id: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ConnectionDestination {
    /// The HTTP API connection whose streaming endpoint is the address: exactly one of these.
    connection: LookupBy,
    /// Name of the account under `aep`; required if there are several.
    aep: Option<NonBlank>,
}

/// Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum LookupBy {
    /// The name that Adobe Experience Platform shows. It must be unique.
    #[schemars(extend("examples" = ["Shopify orders (prod)"]))]
    Name(NonBlank),
    /// The id.
    Id(Uuid),
}

#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
    "examples" = ["4982698b-e6b3-48c2-8dcf-040e20121fd2"]
))]
struct Uuid(String);

/// One account, or several accounts by name.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Aep {
    /// One account.
    One(AepAccount),
    /// Accounts by name.
    Several(AepAccounts),
}

#[derive(JsonSchema)]
#[schemars(extend("minProperties" = 1, "propertyNames" = account_name()))]
pub(super) struct AepAccounts(BTreeMap<String, AepAccount>);

/// Credentials for one organisation and one of its sandboxes.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct AepAccount {
    /// The IMS organisation ID.
    #[schemars(regex(pattern = "^[0-9A-Za-z]+@AdobeOrg$"), extend("examples" = ["0123456789ABCDEF01234567@AdobeOrg"]))]
    org: String,
    /// The name of the Adobe sandbox.
    #[schemars(regex(pattern = "^[0-9a-z-]+$"), extend("default" = "prod", "examples" = ["prod"]))]
    sandbox: Option<String>,
    /// The client id of the OAuth Server-to-Server credential.
    client_id: AepSecretRef,
    /// The client secret of the credential.
    client_secret: AepSecretRef,
    /// The scopes that Adobe Developer Console lists for the credential.
    #[schemars(extend("minItems" = 1, "examples" = [["openid", "AdobeID", "read_organizations"]]))]
    scopes: Vec<ImsScope>,
    /// The token endpoint of IMS. A host that does not belong to Adobe must be named in HOOKWRIGHT_TRUST_HOSTS.
    #[schemars(extend("default" = "https://ims-na1.adobelogin.com/ims/token/v3"))]
    token_url: Option<AdobeUrl>,
    /// The base URL of Flow Service. A host that does not belong to Adobe must be named in HOOKWRIGHT_TRUST_HOSTS.
    #[schemars(extend("default" = "https://platform.adobe.io/data/foundation/flowservice"))]
    base_url: Option<AdobeUrl>,
}

#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"^https?://[^@ ?#]+$", "not" = json!({ "pattern": "/ims/exchange/jwt" })))]
struct AdobeUrl(String);

#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"\S", "not" = json!({ "pattern": "[, ]|adobelogin\\.com/s/|^ent_.*_sdk$" })))]
struct ImsScope(String);

/// A reference to a secret, never the secret itself: exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum AepSecretRef {
    /// Name of an environment variable.
    Env(AepEnv),
    /// Path of a file that contains the secret.
    File(AepFile),
    /// A program with its arguments, whose output is the secret. Runs only with `--allow-commands`.
    #[schemars(extend("examples" = [["op", "read", "op://vault/aep/secret"]]))]
    Command(AepCommand),
}

#[derive(JsonSchema)]
#[schemars(extend("pattern" = "^[A-Za-z0-9_]+$", "not" = token_pattern(), "examples" = ["AEP_CLIENT_SECRET"]))]
struct AepEnv(String);

#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = r"\S",
    "not" = json!({ "anyOf": [token_pattern(), { "pattern": OF_A_SHOP }] }),
    "examples" = ["/run/secrets/aep"]
))]
struct AepFile(String);

#[derive(JsonSchema)]
#[schemars(extend("minItems" = 1))]
struct AepCommand(Vec<AepArgument>);

#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"\S", "not" = json!({ "anyOf": [token_pattern(), { "pattern": OF_A_SHOP }] })))]
struct AepArgument(String);

const OF_A_SHOP: &str = r"\{(shop|SHOP)\}";

/// Excludes the keys of an account, so that one account and several can be distinguished.
fn account_name() -> Value {
    let keys = ["org", "sandbox", "client_id", "client_secret", "scopes", "token_url", "base_url"];
    json!({ "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$", "not": { "enum": keys } })
}
