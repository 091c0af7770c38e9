//! `import`: reads the shops and writes a manifest of their live subscriptions.

use std::path::Path;
use std::sync::Arc;

use super::out_file::OutFile;
use super::{Output, event_log};
use crate::admin::{AdminError, Reading};
use crate::cli::import::ImportArgs;
use crate::cli::{Format, SelectArgs};
use crate::diagnostic::Code;
use crate::error::Failure;
use crate::exit::{self, Cause, Exit};
use crate::import::{self, Imported, ReadShop, Request, Unread};
use crate::manifest::{Draft, Options, ShopIndex, SourceFile, auth_value};
use crate::model::{Scope, ScopeSet, ShopDomain};
use crate::run::{self, LoadedManifest, Opened};
use crate::state::Observed;
use crate::state::aep::Resolutions;
use crate::text::{escape, plural};

pub(super) async fn run(args: ImportArgs, output: Output) -> Result<Exit, Failure> {
    // As with `--events`, `-` is standard output.
    let to_file = args.out.as_deref().filter(|path| path.as_os_str() != "-");
    let out = to_file.map(|path| prepare(path, args.force)).transpose()?;
    let (recorder, _) = event_log::open(None, None, Format::Text, output)?;
    let verbosity = output.verbosity();
    let opened = if args.file.is_empty() {
        let loaded = named(&args)?;
        // The manifest was created from these exact names, so there is nothing to select.
        let select = SelectArgs { shop: Vec::new(), ..args.select.clone() };
        run::open_loaded(loaded, &select, &args.run, verbosity, None, recorder).await?
    } else {
        let loaded = run::load(&args.file, verbosity, output)?;
        run::open_loaded(loaded, &args.select, &args.run, verbosity, None, recorder).await?
    };
    if opened.shops.is_empty() {
        opened.session.target.close().await?;
        output.remark("This shard contains no shop; nothing was written.\n");
        return Ok(Exit::Done);
    }

    let shops = opened.shops.iter().map(|at| (*at, ())).collect();
    let keep = |at, (), reading: Result<Reading, AdminError>| (at, reading.map(|r| r.observed));
    let readings = opened.session.read(&opened.manifest, shops, keep, |_| false).await;
    let (request, causes) = request(&args, &opened, readings, output);
    opened.session.target.close().await?;
    let read = request.shops.len();
    if read == 0 {
        let exit = exit::of_causes(causes, false);
        if exit == Exit::Done {
            output.remark("No shop could be read, and all their states are tolerated; nothing was written.\n");
        } else {
            output.error("error: no shop could be read; nothing was written\n");
        }
        return Ok(exit);
    }
    let imported = import::import(request);
    for refused in &imported.refused {
        let import::Refused { shop, topic, id, why, managed } = refused;
        let what = format!("{shop}: {topic} ({id}) cannot be imported: {why}");
        if *managed {
            output.error(&escaped(&format!("error: {what}; a plan of this manifest deletes it")));
        } else {
            output.error(&escaped(&format!("warning: {what}; it stays unmanaged")));
        }
    }
    match (out, to_file) {
        (Some(file), Some(path)) => {
            file.write(&imported.yaml)?;
            output.remark(&summary(&imported, read, path));
        }
        _ => output.print(&imported.yaml)?,
    }
    let refused = imported.refused.iter().filter(|refused| refused.managed).map(|_| Cause::Other);
    Ok(exit::of_causes(causes.into_iter().chain(refused), true))
}

fn prepare(path: &Path, force: bool) -> Result<OutFile, Failure> {
    if !force && path.symlink_metadata().is_ok_and(|meta| !meta.file_type().is_dir()) {
        let message = format!("{} already exists", path.display());
        return Err(Failure::invalid(message).hint("name another file with `--out`, or overwrite it with `--force`"));
    }
    OutFile::prepare(path)
}

/// Returns an empty manifest of the named shops. The shops are not created in a sandbox.
fn named(args: &ImportArgs) -> Result<LoadedManifest, Failure> {
    if args.select.shop.is_empty() {
        return Err(Failure::invalid("no shop given")
            .hint("name shops with `--shop NAME`, or a manifest that defines them with `-f hookwright.yaml`"));
    }
    if !args.select.label.is_empty() {
        return Err(
            Failure::invalid("`--label` requires a manifest that defines labels").hint("name a manifest with `-f`")
        );
    }
    let mut shops = Vec::new();
    for name in &args.select.shop {
        let domain = ShopDomain::parse(name).map_err(|e| {
            let hint = "write the name of each shop. A pattern requires a manifest: add `-f hookwright.yaml`";
            Failure::invalid(format!("--shop {name:?}: {e}")).hint(hint)
        })?;
        if !shops.contains(&domain) {
            shops.push(domain);
        }
    }
    let shops = shops.iter().map(|shop| serde_json::json!({ "shop": shop.as_str(), "bindings": [] }));
    let mut document = serde_json::json!({
        "version": 1,
        "auth": { "access_token": { "env": args.token_env } },
        "shops": shops.collect::<Vec<_>>(),
    });
    if let Some(version) = &args.api_version {
        document["admin_api"] = serde_json::json!({ "version": version.as_str() });
    }
    // JSON is YAML, so the manifest's own checks apply to the name of the environment variable.
    let file = SourceFile { path: "--token-env".to_owned(), bytes: document.to_string().into_bytes() };
    let draft = Draft::new(vec![file], &Options::default(), &|_| Err("this command reads no other files".to_owned()));
    let loaded = draft.resolve(&Resolutions::new());
    let manifest = loaded.manifest.ok_or_else(|| {
        let first = loaded.diagnostics.first();
        let why = first.map_or_else(|| "invalid value".to_owned(), |d| d.message.clone());
        let option = if first.is_some_and(|d| d.code == Code::OldVersion) { "--api-version" } else { "--token-env" };
        let failure = Failure::invalid(format!("{option}: {why}"));
        first.iter().filter_map(|d| d.hint.as_deref()).flat_map(str::lines).fold(failure, Failure::hint)
    })?;
    Ok(LoadedManifest { draft, manifest, paths: Vec::new(), seeds: None, printed: Vec::new() })
}

/// Returns the request for the import from the readings, and the causes of shops that were not read.
fn request(
    args: &ImportArgs,
    opened: &Opened,
    readings: Vec<(ShopIndex, Result<Observed, AdminError>)>,
    output: Output,
) -> (Request, Vec<Cause>) {
    let manifest = Arc::clone(&opened.manifest);
    let (mut shops, mut unread, mut causes) = (Vec::new(), Vec::new(), Vec::new());
    for (at, reading) in readings {
        let shop = &manifest[at];
        match reading {
            Ok(observed) => shops.push(ReadShop {
                shop: shop.shop.clone(),
                labels: (*shop.labels).clone(),
                tolerate: shop.tolerate.iter().map(|kind| kind.as_str()).collect(),
                auth: shop.auth.as_deref().map(auth_value),
                scopes: if args.scopes {
                    observed.scopes.as_ref().map(without_implied)
                } else {
                    shop.scopes().cloned()
                },
                observed,
            }),
            Err(error) => {
                let kind = error.kind.as_str();
                let why = format!("{kind}: {error}");
                if opened.session.tolerates(shop, kind) {
                    output.remark(&escaped(&format!("{}: not read (tolerated): {why}", shop.shop)));
                } else {
                    output.error(&escaped(&format!("error: {}: not read: {why}", shop.shop)));
                    causes.push(Cause::of_kind(&kind.into()));
                }
                unread.push(Unread { shop: shop.shop.clone(), why });
            }
        }
    }
    let names = manifest.shops.iter().flat_map(|shop| shop.destinations.iter());
    let request = Request {
        admin_api: manifest.admin_api.clone(),
        ownership: manifest.ownership.clone(),
        all: args.all,
        destinations: names.map(|(name, address)| (name.to_string(), address.clone())).collect(),
        shops,
        unread,
    };
    (request, causes)
}

/// Returns the scopes without implied ones: Shopify lists the read scope in addition to the write scope that includes
/// it.
fn without_implied(granted: &ScopeSet) -> ScopeSet {
    let implied: Vec<Scope> = granted.iter().filter_map(Scope::implied).collect();
    granted.iter().filter(|scope| !implied.contains(scope)).cloned().collect()
}

fn escaped(line: &str) -> String {
    format!("{}\n", escape(line))
}

fn summary(imported: &Imported, shops: usize, path: &Path) -> String {
    let Imported { written, unmanaged, .. } = imported;
    let left = if *unmanaged > 0 {
        format!("; {} left out", plural(*unmanaged, "unmanaged subscription"))
    } else {
        String::new()
    };
    let (written, shops) = (plural(*written, "subscription"), plural(shops, "shop"));
    format!("Wrote {written} of {shops} to {}{left}\n", path.display())
}
