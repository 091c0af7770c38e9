//! `auth rotation`: prints the steps of a client secret rotation, with the apps and inlets of the manifest. Offline.

mod apps;
mod text;

use crate::cli::SelectArgs;
use crate::cli::auth::RotationArgs;
use crate::commands::Output;
use crate::error::Failure;
use crate::exit::Exit;
use crate::manifest::{Manifest, ShopIndex};
use crate::model::{Auth, SecretRef};
use crate::run::target::{manifest_options, word};
use crate::run::{self, LoadedManifest};

pub(super) fn run(args: &RotationArgs, output: Output) -> Result<Exit, Failure> {
    let LoadedManifest { manifest, .. } = run::load(&args.manifest.paths(), output.verbosity(), output)?;
    let shops = run::select(&manifest, &args.select)?;
    let commands = if runs_commands(&manifest, &shops) { " --allow-commands" } else { "" };
    let options = format!("{}{commands}{}", manifest_options(&args.manifest.file), selection(&args.select));
    let apps = apps::of(&manifest, &shops);
    output.print(&text::text(&apps, &options, !manifest.aep.is_empty(), &output.style()))?;
    Ok(Exit::Done)
}

/// Returns whether a run over these shops requires `--allow-commands`.
fn runs_commands(manifest: &Manifest, shops: &[ShopIndex]) -> bool {
    let of_shops = shops.iter().filter_map(|at| manifest[*at].auth.as_deref()).any(|auth| match auth {
        Auth::AccessToken(token) => is_command(token),
        Auth::ClientAssertion(of) => is_command(&of.client_id) || is_command(&of.private_key),
        Auth::ClientCredentials(app) | Auth::TokenStore { app, .. } => {
            let old = app.old_client_secret.as_ref();
            is_command(&app.client_id) || is_command(&app.client_secret) || old.is_some_and(is_command)
        }
    });
    of_shops || manifest.aep.iter().any(|aep| is_command(&aep.client_id) || is_command(&aep.client_secret))
}

fn is_command(reference: &SecretRef) -> bool {
    matches!(reference, SecretRef::Command(_))
}

/// Returns the options that select the same shops again.
fn selection(select: &SelectArgs) -> String {
    let SelectArgs { shop, exclude_shop, label, shard, shard_index, shard_count } = select;
    let many = |option: &str, values: &[String]| -> String {
        values.iter().flat_map(|value| [" --", option, " ", &word(value)].map(str::to_owned)).collect()
    };
    let one = |option: &str, value: Option<String>| -> String {
        value.map_or_else(String::new, |value| format!(" --{option} {}", word(&value)))
    };
    [
        many("shop", shop),
        many("exclude-shop", exclude_shop),
        many("label", label),
        one("shard", shard.clone()),
        one("shard-index", shard_index.map(|n| n.to_string())),
        one("shard-count", shard_count.map(|n| n.to_string())),
    ]
    .concat()
}
