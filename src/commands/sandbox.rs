//! `hookwright sandbox`.

use std::io::{self, Write};

use tokio::signal::ctrl_c;

use crate::cli::sandbox::{SandboxArgs, SandboxCommand, ServeArgs};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::ShopDomain;
use crate::printer::{self, Form};
use crate::run::embedded::failure;
use crate::sandbox::{self, Faults, OpenOptions, Running, SandboxError};
use crate::text::plural;

/// Runs the command.
pub(super) async fn run(args: SandboxArgs) -> Result<Exit, Failure> {
    let done = carry_out(args, &mut printer::stdout(Form::Text), &mut printer::stderr(Form::Text)).await;
    done.map(|()| Exit::Done).map_err(|error| failure(Exit::Invalid, &error))
}

async fn carry_out(args: SandboxArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), SandboxError> {
    let message = match args.command {
        SandboxCommand::Serve(args) => return serve(args, out, err).await,
        SandboxCommand::Seed(args) => {
            let done = sandbox::seed(&args.state.state, &args.files, args.replace)?;
            let (shops, subscriptions) = (plural(done.shops, "shop"), plural(done.subscriptions, "subscription"));
            format!("{} holds {shops} with {subscriptions}.", args.state.state.display())
        }
        SandboxCommand::Edit(args) => sandbox::edit(&args.state.state, &args.edit.edit()?)?,
    };
    say(out, &message)
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
                "warning: the sandbox listens on {address}, which other machines can reach. They can read and change its state \
             without a password. Use `--listen 127.0.0.1:{}` to accept only this machine",
                address.port()
            ),
        )?;
    }
    say(out, &greeting(&running))?;
    interrupted().await;
    running.stop().await
}

/// Returns the output of `serve`: commands for a shell, and how to log in.
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
         # The client id of the app is {id}. Its client secret is in the seed under `app` (default: sandbox-secret).\n\
         # To try a login, run `hookwright auth login --shop SHOP` or open this URL in a browser:\n\
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
    let _ = ctrl_c().await; // without signals, the wait ends at once
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), SandboxError> {
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|source: io::Error| SandboxError::Io { path: "standard output".into(), source })
}

/// Refuses `--sandbox` for commands that print a link: the embedded sandbox stops with the command, so the link would not work.
pub(super) fn not_in_process(sandbox: bool, shop: &ShopDomain) -> Result<(), Failure> {
    if !sandbox {
        return Ok(());
    }
    Err(Failure::invalid("`--sandbox` is not available here, because the embedded sandbox stops with this command and the link would not work").hint(
        format!(
            "run `hookwright auth login --shop {} --sandbox`, or start `hookwright sandbox serve` and set \
             HOOKWRIGHT_ADMIN_URL as it prints. To grant scopes, see `hookwright sandbox edit scopes --help`",
            shop.handle()
        ),
    ))
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

    async fn output_of(line: &[&str]) -> Result<String, SandboxError> {
        let cli = Cli::try_parse_from([&["sandbox"], line].concat()).expect("arguments");
        let mut out = Vec::new();
        carry_out(cli.sandbox, &mut out, &mut std::io::sink()).await?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[tokio::test]
    async fn serve_prints_how_to_reach_it_and_runs_until_interrupted() {
        let folder = tempfile::tempdir().expect("folder");
        let state = folder.path().join("new/state.json").display().to_string();
        let cli = Cli::try_parse_from(["sandbox", "serve", "--listen", "127.0.0.1:0", "--state", &state]);
        let mut out = Vec::new();
        let mut sink = std::io::sink();
        let serving = carry_out(cli.expect("arguments").sandbox, &mut out, &mut sink);
        let ended = tokio::time::timeout(std::time::Duration::from_millis(300), serving).await;
        assert!(ended.is_err(), "it serves until it is interrupted");
        let told = String::from_utf8(out).expect("text");
        let (line, more) = told.split_once('\n').expect("lines");
        let port =
            line.strip_prefix("export HOOKWRIGHT_ADMIN_URL=http://127.0.0.1:").and_then(|t| t.strip_suffix("/{shop}"));
        assert!(port.is_some_and(|port| port.parse::<u16>().is_ok()), "{told}");
        assert!(more.lines().all(|line| line.starts_with('#')), "a shell can read it: {told}");
        assert!(more.contains("client id of the app is sandbox-client."), "{told}");
    }

    #[tokio::test]
    async fn serve_on_all_addresses_warns_and_prints_a_usable_address() {
        let folder = tempfile::tempdir().expect("folder");
        let state = folder.path().join("state.json").display().to_string();
        let cli = Cli::try_parse_from(["sandbox", "serve", "--listen", "0.0.0.0:0", "--state", &state]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let serving = carry_out(cli.expect("arguments").sandbox, &mut out, &mut err);
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
    async fn a_state_is_seeded_listed_and_edited() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (state, seed) = (path("state.json"), path("a.sandbox.yaml"));
        std::fs::write(&seed, "sandbox: 1\nshops: [{shop: acme, scopes: [write_orders]}]\n").expect("write");
        let early = output_of(&["edit", "--state", &state, "list"]).await.expect_err("no state yet").to_string();
        assert!(early.contains("create it with `hookwright sandbox seed`"), "{early}");

        let seeded = output_of(&["seed", &seed, "--state", &state]).await.expect("seed");
        assert_eq!(seeded, format!("{state} holds 1 shop with 0 subscriptions.\n"));
        let again = output_of(&["seed", &seed, "--state", &state]).await.expect_err("twice").to_string();
        assert!(again.contains("--replace"), "{again}");
        output_of(&["seed", &seed, "--state", &state, "--replace"]).await.expect("replace");

        let add = ["edit", "add", "--shop", "acme", "--topic", "orders/create", "--address", "https://a.example/"];
        let add = [&add[..], &["--include-field", "id", "--include-field", "email", "--state", &state]].concat();
        assert!(output_of(&add).await.expect("add").starts_with("acme.myshopify.com: added 1"));
        output_of(&["edit", "scopes", "--shop", "acme", "read_products,read_orders", "--state", &state])
            .await
            .expect("scopes");
        for (flag, what) in [
            ("--revoke-tokens", "tokens and codes revoked"),
            ("--expire-tokens", "access tokens expired; non-expiring tokens can only be revoked"),
            ("--expire-refresh-tokens", "refresh tokens expired"),
            ("--expire-codes", "authorization codes expired"),
        ] {
            let ended =
                output_of(&["edit", "--state", &state, "tokens", "--shop", "acme", flag]).await.expect("tokens");
            assert_eq!(ended, format!("acme.myshopify.com: 0 {what}\n"));
        }
        assert!(Cli::try_parse_from(["sandbox", "edit", "tokens", "--shop", "acme"]).is_err(), "one of them");
        let list = output_of(&["edit", "--state", &state, "list"]).await.expect("list");
        assert!(list.starts_with("acme.myshopify.com  ok  scopes: read_products, read_orders\n"), "{list}");
        assert!(list.contains("orders/create  https://a.example/"), "{list}");
    }
}
