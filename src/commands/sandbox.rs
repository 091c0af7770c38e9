//! `hookwright sandbox`: the local Admin API from the command line.

use std::io::{self, Write};
use std::path::Path;

use tokio::signal::ctrl_c;

use crate::cli::sandbox::{EditCommand, InletArgs, SandboxArgs, SandboxCommand, ServeArgs};
use crate::files;
use crate::sandbox::{self, Act, Edit, End, Faults, InletEdit, InletKind, Jwk, OpenOptions, Running, SandboxError};
use crate::text::plural;

/// Carries out the command; what it has to say goes to `out`, warnings to `err`.
pub(crate) async fn run(args: SandboxArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), SandboxError> {
    let told = match args.command {
        SandboxCommand::Serve(args) => return serve(args, out, err).await,
        SandboxCommand::Seed(args) => {
            let done = sandbox::seed(&args.state.state, &args.files, args.replace)?;
            let (shops, subscriptions) = (plural(done.shops, "shop"), plural(done.subscriptions, "subscription"));
            format!("{} holds {shops} with {subscriptions}.", args.state.state.display())
        }
        SandboxCommand::Edit(args) => sandbox::edit(&args.state.state, &edit(args.edit)?)?,
    };
    say(out, &told)
}

async fn serve(args: ServeArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), SandboxError> {
    let options = OpenOptions { state: Some(args.state.state), seeds: args.seed, today: crate::clock::fixed_now() };
    let faults = (!args.faults.is_empty() || !args.fault.is_empty() || args.fault_seed.is_some())
        .then(|| Faults::read(&args.faults, &args.fault, args.fault_seed))
        .transpose()?;
    let running = sandbox::start(&options, args.listen).await?;
    if let Some(faults) = faults {
        running.set_faults(faults);
    }
    if let Some(address) = running.open_to_others() {
        say(
            err,
            &format!(
                "warning: the sandbox listens on {address}, where other machines reach it: they can read and change its state \
             without a password; --listen 127.0.0.1:{} keeps it to this machine",
                address.port()
            ),
        )?;
    }
    say(out, &greeting(&running))?;
    interrupted().await;
    running.stop().await
}

/// Lines for a shell to read: where it is, and how to log in there.
fn greeting(running: &Running) -> String {
    let (url, id) = (running.url(), running.client_id());
    let page = format!("{}/admin/oauth/authorize", url.replace("{shop}", "SHOP.myshopify.com"));
    let adobe = if running.has_adobe() {
        format!("export HOOKWRIGHT_ADOBE_URL={}\n", running.adobe_url())
    } else {
        String::new()
    };
    format!(
        "export HOOKWRIGHT_ADMIN_URL={url}\n\
         {adobe}\
         # The app here has the client id {id}; its secret stands in the seed under `app` (without one: sandbox-secret).\n\
         # To try a login: hookwright auth login --shop SHOP, or open in a browser\n\
         #   {page}?client_id={id}&scope=read_orders&redirect_uri=http://127.0.0.1:8080/"
    )
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = ctrl_c().await; // without signals there is nothing to wait for
}

fn edit(command: EditCommand) -> Result<Edit, SandboxError> {
    Ok(match command {
        EditCommand::List { shop } => Edit::List { shop },
        EditCommand::Add { shop, topic, address, format, filter, include_field, metafield_namespace, name } => {
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
        EditCommand::Set { shop, id, fields } => Edit::Set { shop, id, fields },
        EditCommand::Remove { shop, id, topic } => Edit::Remove { shop, id, topic },
        EditCommand::Status { shop, status } => Edit::Status { shop, status },
        EditCommand::Scopes { shop, scopes } => {
            Edit::Scopes { shop, scopes: scopes.into_iter().filter(|scope| !scope.is_empty()).collect() }
        }
        EditCommand::Flow(args) => Edit::Inlet(inlet(InletKind::Flow, args)?),
        EditCommand::Connection(args) => Edit::Inlet(inlet(InletKind::Connection, args)?),
        EditCommand::Token { shop, token } => Edit::Token { shop, token },
        EditCommand::Key { remove: Some(key_id), .. } => Edit::RemoveKey { key_id },
        EditCommand::Key { jwk, key_id, .. } => Edit::Key { jwk: key(&jwk.unwrap_or_default(), key_id)? },
        // One of them is given: the argument group holds that.
        EditCommand::Tokens { shop, revoke_tokens, expire_tokens, expire_refresh_tokens, expire_codes: _ } => {
            let end = if revoke_tokens {
                End::Revoke
            } else if expire_tokens {
                End::ExpireTokens
            } else if expire_refresh_tokens {
                End::ExpireRefreshTokens
            } else {
                End::ExpireCodes
            };
            Edit::Tokens { shop, end }
        }
    })
}

/// The public key in a file.
fn key(path: &Path, key_id: Option<String>) -> Result<Jwk, SandboxError> {
    let wrong = |problem: String| SandboxError::Edit(format!("{}: {problem}", path.display()));
    let text = files::read_text(path, files::WRITTEN).map_err(|error| wrong(error.to_string()))?;
    let jwk: Jwk = serde_json::from_str(&text).map_err(|error| {
        wrong(format!(
            "is not the JWK of a public RSA key (line {}, column {}); `hookwright auth key public FILE` prints one",
            error.line(),
            error.column()
        ))
    })?;
    Ok(match key_id {
        Some(id) => jwk.with_id(id),
        None => jwk,
    })
}

fn inlet(kind: InletKind, args: InletArgs) -> Result<InletEdit, SandboxError> {
    let act = match args {
        InletArgs { run: Some(status), received, failed, .. } => Act::Run { status, received, failed },
        InletArgs { settle: Some(ago), .. } => Act::Settle(ago),
        InletArgs { enable: true, .. } => Act::Enable,
        InletArgs { recreate: true, .. } => Act::Recreate,
        InletArgs { delete: true, .. } => Act::Delete,
        InletArgs { touch: true, .. } => Act::Touch,
        InletArgs { require_authentication: true, .. } => Act::RequireAuthentication,
        InletArgs { disable: true, .. } => Act::Disable,
        _ => {
            let acts = "--enable, --disable, --recreate, --delete, --touch, --settle AGE, --require-authentication or --run STATUS";
            return Err(SandboxError::Edit(format!("say what is done to it: {acts}")));
        }
    };
    Ok(InletEdit { kind, which: args.which, act })
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), SandboxError> {
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|source: io::Error| SandboxError::Io { path: "standard output".into(), source })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        sandbox: SandboxArgs,
    }

    async fn told(line: &[&str]) -> Result<String, SandboxError> {
        let cli = Cli::try_parse_from([&["sandbox"], line].concat()).expect("arguments");
        let mut out = Vec::new();
        run(cli.sandbox, &mut out, &mut std::io::sink()).await?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[tokio::test]
    async fn serving_says_how_to_reach_it_and_goes_on() {
        let folder = tempfile::tempdir().expect("folder");
        let state = folder.path().join("new/state.json").display().to_string();
        let cli = Cli::try_parse_from(["sandbox", "serve", "--listen", "127.0.0.1:0", "--state", &state]);
        let mut out = Vec::new();
        let mut sink = std::io::sink();
        let serving = run(cli.expect("arguments").sandbox, &mut out, &mut sink);
        let ended = tokio::time::timeout(std::time::Duration::from_millis(300), serving).await;
        assert!(ended.is_err(), "it serves until it is interrupted");
        let told = String::from_utf8(out).expect("text");
        let (line, more) = told.split_once('\n').expect("lines");
        let port =
            line.strip_prefix("export HOOKWRIGHT_ADMIN_URL=http://127.0.0.1:").and_then(|t| t.strip_suffix("/{shop}"));
        assert!(port.is_some_and(|port| port.parse::<u16>().is_ok()), "{told}");
        assert!(more.lines().all(|line| line.starts_with('#')), "a shell can read it: {told}");
        assert!(more.contains("client id sandbox-client;"), "{told}");
    }

    #[tokio::test]
    async fn beyond_loopback_it_warns_and_says_an_address_that_a_client_can_use() {
        let folder = tempfile::tempdir().expect("folder");
        let state = folder.path().join("state.json").display().to_string();
        let cli = Cli::try_parse_from(["sandbox", "serve", "--listen", "0.0.0.0:0", "--state", &state]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let serving = run(cli.expect("arguments").sandbox, &mut out, &mut err);
        let ended = tokio::time::timeout(std::time::Duration::from_millis(300), serving).await;
        assert!(ended.is_err(), "it serves until it is interrupted");
        let (out, err) = (String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"));
        assert!(out.starts_with("export HOOKWRIGHT_ADMIN_URL=http://127.0.0.1:") && !out.contains("0.0.0.0"), "{out}");
        assert!(
            err.starts_with("warning: the sandbox listens on 0.0.0.0:") && err.contains("--listen 127.0.0.1:"),
            "{err}"
        );
    }

    #[tokio::test]
    async fn a_state_is_seeded_listed_and_edited_from_the_command_line() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (state, seed) = (path("state.json"), path("a.sandbox.yaml"));
        std::fs::write(&seed, "sandbox: 1\nshops: [{shop: acme, scopes: [write_orders]}]\n").expect("write");
        let early = told(&["edit", "--state", &state, "list"]).await.expect_err("no state yet").to_string();
        assert!(early.contains("`hookwright sandbox seed` makes one"), "{early}");

        let seeded = told(&["seed", &seed, "--state", &state]).await.expect("seed");
        assert_eq!(seeded, format!("{state} holds 1 shop with 0 subscriptions.\n"));
        let again = told(&["seed", &seed, "--state", &state]).await.expect_err("twice").to_string();
        assert!(again.contains("--replace"), "{again}");
        told(&["seed", &seed, "--state", &state, "--replace"]).await.expect("replace");

        let add = ["edit", "add", "--shop", "acme", "--topic", "orders/create", "--address", "https://a.example/"];
        let add = [&add[..], &["--include-field", "id", "--include-field", "email", "--state", &state]].concat();
        assert!(told(&add).await.expect("add").starts_with("acme.myshopify.com: added 1"));
        told(&["edit", "scopes", "--shop", "acme", "read_products,read_orders", "--state", &state])
            .await
            .expect("scopes");
        for (flag, what) in [
            ("--revoke-tokens", "tokens and codes revoked"),
            ("--expire-tokens", "access tokens expired (those without an end can be revoked)"),
            ("--expire-refresh-tokens", "refresh tokens expired"),
            ("--expire-codes", "authorization codes expired"),
        ] {
            let ended = told(&["edit", "--state", &state, "tokens", "--shop", "acme", flag]).await.expect("tokens");
            assert_eq!(ended, format!("acme.myshopify.com: 0 {what}\n"));
        }
        assert!(Cli::try_parse_from(["sandbox", "edit", "tokens", "--shop", "acme"]).is_err(), "one of them");
        let list = told(&["edit", "--state", &state, "list"]).await.expect("list");
        assert!(list.starts_with("acme.myshopify.com  ok  scopes: read_products, read_orders\n"), "{list}");
        assert!(list.contains("orders/create  https://a.example/"), "{list}");
    }
}
