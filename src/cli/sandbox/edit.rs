//! Arguments of `hookwright sandbox edit`, and their conversion to edits.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use crate::sandbox::{
    self, Edit, InletAction, InletEdit, InletKind, Invalidation, Jwk, RunStatus, SandboxError, ShopStatus,
};

#[derive(Debug, Subcommand)]
pub(crate) enum EditCommand {
    /// List shops and subscriptions
    #[command(after_help = "\
Examples:
  hookwright sandbox edit list
  hookwright sandbox edit list --shop acme")]
    List {
        /// List only this shop
        #[arg(long, value_name = "SHOP")]
        shop: Option<String>,
    },
    /// Add a subscription
    #[command(
        override_usage = "hookwright sandbox edit add [OPTIONS] --shop <SHOP> --topic <TOPIC> \\\n           --address <ADDRESS>",
        after_help = "\
Examples:
  hookwright sandbox edit add --shop acme --topic shop/update --address https://a.example/"
    )]
    Add {
        /// Handle or domain of the shop
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Topic, such as orders/create
        #[arg(long, value_name = "TOPIC")]
        topic: String,
        /// Address of the endpoint
        #[arg(long, value_name = "ADDRESS")]
        address: String,
        /// Format: json or xml
        #[arg(long, value_name = "FORMAT")]
        format: Option<String>,
        /// Filter in Shopify search syntax
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
    #[command(
        override_usage = "hookwright sandbox edit set [OPTIONS] --shop <SHOP> --id <ID> \\\n           <KEY=VALUE>...",
        after_help = "\
Examples:
  hookwright sandbox edit set --shop acme --id 1 address=https://example.com/hook
  hookwright sandbox edit set --shop acme --id 1 include_fields=id,email"
    )]
    Set {
        /// Handle or domain of the shop
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Number or global id of the subscription
        #[arg(long, value_name = "ID")]
        id: String,
        /// Field, such as address=https://… or include_fields=id,email
        #[arg(value_name = "KEY=VALUE", required = true)]
        fields: Vec<String>,
    },
    /// Delete a subscription or all subscriptions of a topic
    #[command(after_help = "\
Examples:
  hookwright sandbox edit remove --shop acme --topic orders/create
  hookwright sandbox edit remove --shop acme --id 1")]
    Remove {
        /// Handle or domain of the shop
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Number or global id of the subscription
        #[arg(long, value_name = "ID", conflicts_with = "topic", required_unless_present = "topic")]
        id: Option<String>,
        /// Topic, such as orders/create
        #[arg(long, value_name = "TOPIC")]
        topic: Option<String>,
    },
    /// Set the status of a shop
    #[command(after_help = "\
Examples:
  hookwright sandbox edit status --shop acme frozen
  hookwright sandbox edit status --shop acme ok")]
    Status {
        /// Handle or domain of the shop
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Status of the shop
        ///
        /// One of ok, token_refused, frozen, payment_required, forbidden, not_found, locked and uninstalled.
        #[arg(value_name = "STATUS")]
        status: ShopStatus,
    },
    /// Set the granted scopes of a shop
    #[command(after_help = "\
Examples:
  hookwright sandbox edit scopes --shop acme read_orders,read_customers
  hookwright sandbox edit scopes --shop acme \"\"")]
    Scopes {
        /// Handle or domain of the shop
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// All granted scopes, separated by commas; empty for none
        #[arg(value_name = "SCOPES", value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// Set the only accepted token of a shop
    #[command(after_help = "\
Examples:
  hookwright sandbox edit token --shop acme s3cret
  hookwright sandbox edit token --shop acme \"\"   accept any token")]
    Token {
        /// Handle or domain of the shop
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Token; empty to accept any token
        #[arg(value_name = "TOKEN")]
        token: String,
    },
    /// Revoke or expire tokens and codes that OAuth issued
    #[command(group = ArgGroup::new("end").required(true), override_usage = "hookwright sandbox edit tokens --shop <SHOP> <OPTION>", after_help = "\
Examples:
  hookwright sandbox edit tokens --shop acme --expire-tokens
  hookwright sandbox edit tokens --shop acme --revoke-tokens")]
    Tokens {
        /// Handle or domain of the shop
        #[arg(long, value_name = "SHOP")]
        shop: String,
        /// Revoke all tokens and codes, as after an uninstallation
        #[arg(long, group = "end")]
        revoke_tokens: bool,
        /// Expire all access tokens that have an expiry
        #[arg(long, group = "end")]
        expire_tokens: bool,
        /// Expire all refresh tokens
        #[arg(long, group = "end")]
        expire_refresh_tokens: bool,
        /// Expire all authorization codes
        #[arg(long, group = "end")]
        expire_codes: bool,
    },
    /// Register or remove a public key of the app
    #[command(group = ArgGroup::new("change").required(true), after_help = "\
Examples:
  hookwright sandbox edit key --jwk public.json
  hookwright sandbox edit key --jwk public.json --key-id pipeline-1
  hookwright sandbox edit key --remove pipeline-1")]
    Key {
        /// File with the public key (JWK) that `auth key new` printed
        #[arg(long, value_name = "FILE", group = "change")]
        jwk: Option<PathBuf>,
        /// Id of the key; replaces the `kid` in the JWK
        #[arg(long, value_name = "ID", requires = "jwk")]
        key_id: Option<String>,
        /// Remove the key with this id
        #[arg(long, value_name = "ID", group = "change")]
        remove: Option<String>,
    },
    /// Change a dataflow at Adobe
    #[command(after_help = "\
Examples:
  hookwright sandbox edit flow orders --recreate     another id and address
  hookwright sandbox edit flow orders --settle 10m   unchanged for 10 minutes
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
// Not required by clap, because a man page cannot break the line of nine alternatives in angle brackets.
#[command(group = ArgGroup::new("act"))]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each action; the group accepts one of them")]
pub(crate) struct InletArgs {
    /// Name or id of the dataflow or connection
    #[arg(value_name = "NAME")]
    pub(crate) which: String,
    /// Enable it
    #[arg(long, group = "act")]
    pub(crate) enable: bool,
    /// Disable it
    #[arg(long, group = "act")]
    pub(crate) disable: bool,
    /// Delete it and create it again, with another id and address
    #[arg(long, group = "act")]
    pub(crate) recreate: bool,
    /// Delete it
    #[arg(long, group = "act")]
    pub(crate) delete: bool,
    /// Set the time of its last change to now
    #[arg(long, group = "act")]
    pub(crate) touch: bool,
    /// Set the age of its creation and last change, such as 10m
    #[arg(long, group = "act", value_name = "AGE", value_parser = age)]
    pub(crate) settle: Option<i64>,
    /// Require an Adobe token on each request
    ///
    /// Applies to connections and to dataflows that use a connection.
    #[arg(long, group = "act")]
    pub(crate) require_authentication: bool,
    /// Add a run in the last hour: success, partial or failed
    #[arg(long, group = "act", value_name = "STATUS", value_parser = run_status)]
    pub(crate) run: Option<RunStatus>,
    /// Number of received records, with --run
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "run")]
    pub(crate) received: u64,
    /// Number of refused records, with --run
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "run")]
    pub(crate) failed: u64,
}

fn age(text: &str) -> Result<i64, String> {
    sandbox::age(text).ok_or_else(|| "expected an age such as 90s, 10m, 2h or 30d".to_owned())
}

fn run_status(text: &str) -> Result<RunStatus, String> {
    match text {
        "success" => Ok(RunStatus::Success),
        "partial" => Ok(RunStatus::Partial),
        "failed" => Ok(RunStatus::Failed),
        _ => Err("expected `success`, `partial` or `failed`".to_owned()),
    }
}

impl EditCommand {
    /// Converts the arguments to an edit. Reads the file of a key.
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
                let acts = "`--enable`, `--disable`, `--recreate`, `--delete`, `--touch`, `--settle AGE`, `--require-authentication` and `--run STATUS`";
                return Err(SandboxError::Edit(format!("missing action; expected one of {acts}")));
            }
        };
        Ok(InletEdit { kind, which: self.which, act })
    }
}
