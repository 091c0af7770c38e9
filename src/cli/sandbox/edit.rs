//! Arguments of `hookwright sandbox edit`, and the edits that they stand for.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use crate::sandbox::{
    self, Edit, InletAction, InletEdit, InletKind, Invalidation, Jwk, RunStatus, SandboxError, ShopStatus,
};

#[derive(Debug, Subcommand)]
pub(crate) enum EditCommand {
    /// Tell what is there
    #[command(after_help = "\
Examples:
  hookwright sandbox edit list
  hookwright sandbox edit list --shop acme")]
    List {
        /// Only this shop
        #[arg(long, value_name = "SHOP")]
        shop: Option<String>,
    },
    /// Add a subscription
    #[command(after_help = "\
Examples:
  hookwright sandbox edit add --shop acme --topic shop/update --address https://example.com/hook")]
    Add {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Topic, as in orders/create
        #[arg(long, value_name = "TOPIC")]
        topic: String,
        /// Where it delivers to
        #[arg(long, value_name = "ADDRESS")]
        address: String,
        /// json or xml
        #[arg(long, value_name = "FORMAT")]
        format: Option<String>,
        /// Shopify search syntax
        #[arg(long, value_name = "FILTER")]
        filter: Option<String>,
        /// Payload field; may be repeated
        #[arg(long, value_name = "FIELD")]
        include_field: Vec<String>,
        /// Metafield namespace; may be repeated
        #[arg(long, value_name = "NAMESPACE")]
        metafield_namespace: Vec<String>,
        /// Name, unique in the shop
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Change fields of a subscription
    #[command(after_help = "\
Examples:
  hookwright sandbox edit set --shop acme --id 1 address=https://example.com/hook
  hookwright sandbox edit set --shop acme --id 1 include_fields=id,email")]
    Set {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Number or global id
        #[arg(long, value_name = "ID")]
        id: String,
        /// As in address=https://… or include_fields=id,email
        #[arg(value_name = "KEY=VALUE", required = true)]
        fields: Vec<String>,
    },
    /// Remove a subscription, or all of a topic
    #[command(after_help = "\
Examples:
  hookwright sandbox edit remove --shop acme --topic orders/create
  hookwright sandbox edit remove --shop acme --id 1")]
    Remove {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Number or global id
        #[arg(long, value_name = "ID", conflicts_with = "topic", required_unless_present = "topic")]
        id: Option<String>,
        /// Topic, as in orders/create
        #[arg(long, value_name = "TOPIC")]
        topic: Option<String>,
    },
    /// Set how a shop answers
    #[command(after_help = "\
Examples:
  hookwright sandbox edit status --shop acme frozen
  hookwright sandbox edit status --shop acme ok")]
    Status {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// ok, token_refused, frozen, payment_required, forbidden, not_found, locked or uninstalled
        #[arg(value_name = "STATUS")]
        status: ShopStatus,
    },
    /// Set the scopes that a shop has granted
    #[command(after_help = "\
Examples:
  hookwright sandbox edit scopes --shop acme read_orders,read_customers
  hookwright sandbox edit scopes --shop acme \"\"     none at all")]
    Scopes {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// All of them, separated by commas; empty for none
        #[arg(value_name = "SCOPES", value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// Set the only token that a shop accepts
    #[command(after_help = "\
Examples:
  hookwright sandbox edit token --shop acme s3cret
  hookwright sandbox edit token --shop acme \"\"     any will do")]
    Token {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// The token; empty for any
        #[arg(value_name = "TOKEN")]
        token: String,
    },
    /// End what OAuth gave: revoke tokens, or let them expire now
    #[command(group = ArgGroup::new("end").required(true), after_help = "\
Examples:
  hookwright sandbox edit tokens --shop acme --expire-tokens
  hookwright sandbox edit tokens --shop acme --revoke-tokens     as when the app is uninstalled")]
    Tokens {
        /// Handle or domain
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// All tokens and codes are gone, as when the merchant takes the access back
        #[arg(long, group = "end")]
        revoke_tokens: bool,
        /// Access tokens that end some time end now
        #[arg(long, group = "end")]
        expire_tokens: bool,
        /// Refresh tokens end now
        #[arg(long, group = "end")]
        expire_refresh_tokens: bool,
        /// Authorization codes end now
        #[arg(long, group = "end")]
        expire_codes: bool,
    },
    /// Register a public key of the app, or remove one, as in the Dev Dashboard
    #[command(group = ArgGroup::new("change").required(true), after_help = "\
Examples:
  hookwright sandbox edit key --jwk public.json
  hookwright sandbox edit key --jwk public.json --key-id pipeline-1   under another id
  hookwright sandbox edit key --remove pipeline-1")]
    Key {
        /// File with the public key as a JWK, as `auth key new` prints it
        #[arg(long, value_name = "FILE", group = "change")]
        jwk: Option<PathBuf>,
        /// Id of the key, in place of the `kid` in the JWK
        #[arg(long, value_name = "ID", requires = "jwk")]
        key_id: Option<String>,
        /// Remove the key with this id
        #[arg(long, value_name = "ID", group = "change")]
        remove: Option<String>,
    },
    /// Change a dataflow at Adobe, as somebody would in Adobe's tools
    #[command(after_help = "\
Examples:
  hookwright sandbox edit flow orders --recreate     another id, another address
  hookwright sandbox edit flow orders --settle 10m   as if that was a while ago
  hookwright sandbox edit flow orders --run failed --received 10 --failed 10")]
    Flow(InletArgs),
    /// Change an HTTP API connection at Adobe
    #[command(after_help = "\
Examples:
  hookwright sandbox edit connection raw --disable
  hookwright sandbox edit connection raw --require-authentication")]
    Connection(InletArgs),
}

#[derive(Debug, Args)]
// Not required by clap: a man page cannot break the line of nine alternatives in angle brackets.
#[command(group = ArgGroup::new("act"))]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each act; the group lets one of them through")]
pub(crate) struct InletArgs {
    /// Name or id
    #[arg(value_name = "NAME")]
    pub(crate) which: String,
    /// It takes data
    #[arg(long, group = "act")]
    pub(crate) enable: bool,
    /// It takes none
    #[arg(long, group = "act")]
    pub(crate) disable: bool,
    /// It is made again: another id and address, made just now
    #[arg(long, group = "act")]
    pub(crate) recreate: bool,
    /// It is gone
    #[arg(long, group = "act")]
    pub(crate) delete: bool,
    /// It was changed just now
    #[arg(long, group = "act")]
    pub(crate) touch: bool,
    /// It was made and last changed so long ago, such as 10m
    #[arg(long, group = "act", value_name = "AGE", value_parser = age)]
    pub(crate) settle: Option<i64>,
    /// It takes only requests with a token of Adobe's: a connection, or a dataflow over one
    #[arg(long, group = "act")]
    pub(crate) require_authentication: bool,
    /// A dataflow ran in the hour that just ended: success, partial or failed
    #[arg(long, group = "act", value_name = "STATUS", value_parser = run_status)]
    pub(crate) run: Option<RunStatus>,
    /// Records that came, with --run
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "run")]
    pub(crate) received: u64,
    /// Records that were refused, with --run
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "run")]
    pub(crate) failed: u64,
}

fn age(text: &str) -> Result<i64, String> {
    sandbox::age(text).ok_or_else(|| "write it like 90s, 10m, 2h or 30d".to_owned())
}

fn run_status(text: &str) -> Result<RunStatus, String> {
    match text {
        "success" => Ok(RunStatus::Success),
        "partial" => Ok(RunStatus::Partial),
        "failed" => Ok(RunStatus::Failed),
        _ => Err("one of success, partial, failed".to_owned()),
    }
}

impl EditCommand {
    /// The edit that the command stands for. Reads the file of a key.
    pub(crate) fn edit(self) -> Result<Edit, SandboxError> {
        Ok(match self {
            Self::List { shop } => Edit::List { shop },
            Self::Add { shop, topic, address, format, filter, include_field, metafield_namespace, name } => {
                let list = |values: Vec<String>| (!values.is_empty()).then(|| values.join(","));
                let fields = [
                    ("address", Some(address)),
                    ("format", format),
                    ("filter", filter),
                    ("include_fields", list(include_field)),
                    ("metafield_namespaces", list(metafield_namespace)),
                    ("name", name),
                ];
                let fields = fields.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?))).collect();
                Edit::Add { shop, topic, fields }
            }
            Self::Set { shop, id, fields } => Edit::Set { shop, id, fields },
            Self::Remove { shop, id, topic } => Edit::Remove { shop, id, topic },
            Self::Status { shop, status } => Edit::Status { shop, status },
            Self::Scopes { shop, scopes } => {
                Edit::Scopes { shop, scopes: scopes.into_iter().filter(|scope| !scope.is_empty()).collect() }
            }
            Self::Flow(args) => Edit::Inlet(args.edit(InletKind::Flow)?),
            Self::Connection(args) => Edit::Inlet(args.edit(InletKind::Connection)?),
            Self::Token { shop, token } => Edit::Token { shop, token },
            Self::Key { remove: Some(key_id), .. } => Edit::RemoveKey { key_id },
            Self::Key { jwk, key_id, .. } => Edit::Key { jwk: Jwk::read(&jwk.unwrap_or_default(), key_id)? },
            // The argument group requires one of them.
            Self::Tokens { shop, revoke_tokens, expire_tokens, expire_refresh_tokens, expire_codes: _ } => {
                let end = if revoke_tokens {
                    Invalidation::Revoke
                } else if expire_tokens {
                    Invalidation::ExpireTokens
                } else if expire_refresh_tokens {
                    Invalidation::ExpireRefreshTokens
                } else {
                    Invalidation::ExpireCodes
                };
                Edit::Tokens { shop, end }
            }
        })
    }
}

impl InletArgs {
    fn edit(self, kind: InletKind) -> Result<InletEdit, SandboxError> {
        let act = match self {
            Self { run: Some(status), received, failed, .. } => InletAction::Run { status, received, failed },
            Self { settle: Some(ago), .. } => InletAction::Settle(ago),
            Self { enable: true, .. } => InletAction::Enable,
            Self { recreate: true, .. } => InletAction::Recreate,
            Self { delete: true, .. } => InletAction::Delete,
            Self { touch: true, .. } => InletAction::Touch,
            Self { require_authentication: true, .. } => InletAction::RequireAuthentication,
            Self { disable: true, .. } => InletAction::Disable,
            _ => {
                let acts = "--enable, --disable, --recreate, --delete, --touch, --settle AGE, --require-authentication or --run STATUS";
                return Err(SandboxError::Edit(format!("say what is done to it: {acts}")));
            }
        };
        Ok(InletEdit { kind, which: self.which, act })
    }
}
