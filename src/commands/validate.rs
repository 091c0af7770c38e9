//! `validate`: checks the manifest offline.

use std::io::{self, Write};

use super::Output;
use crate::cli::validate::{ValidateArgs, ValidateFormat};
use crate::diagnostic::{Root, github, sarif, text};
use crate::error::Failure;
use crate::exit::Exit;
use crate::manifest::{Loaded, Options};
use crate::text::plural;
use crate::wire;

use crate::run::{files, manifest_options};
use crate::state::aep::Resolutions;

pub(super) fn run(args: &ValidateArgs, output: Output) -> Result<Exit, Failure> {
    output.plain(args.format.printed(), |out, _| write(args, out, output.stdout_color))
}

/// Prints the diagnostics. Returns 0, or 3 if there is an error.
fn write(args: &ValidateArgs, out: &mut dyn Write, color: bool) -> io::Result<u8> {
    let options = Options { deny: args.deny.clone(), ..manifest_options() };
    let (draft, _) = files::load(&args.manifest.paths(), &options);
    let loaded = draft.map_or_else(|unread| unread, |draft| draft.resolve(&Resolutions::new()));
    let root = root();
    let report = root.as_ref().map_or(loaded.report(), |root| loaded.report().seen_from(root));
    match args.format {
        ValidateFormat::Text => {
            text::write(out, report, color)?;
            writeln!(out, "{}", summary(&loaded))?;
        }
        ValidateFormat::Json => wire::validate::write(out, report)?,
        ValidateFormat::Sarif => sarif::write(out, report)?,
        ValidateFormat::Github => github::write(out, report)?,
    }
    Ok(report.exit_code())
}

/// Returns the base of the printed paths: the checkout in GitHub Actions, otherwise the working directory.
fn root() -> Option<Root> {
    let here = std::env::current_dir().ok()?;
    let workspace = std::env::var("GITHUB_WORKSPACE").ok();
    Some(Root::new(here.to_str()?, workspace.as_deref()))
}

fn summary(loaded: &Loaded) -> String {
    let report = loaded.report();
    let Some(manifest) = &loaded.manifest else { return text::summary(report) };
    let bindings: usize = manifest.shops.iter().map(|shop| shop.topics().len()).sum();
    let size = format!("{}, {}", plural(manifest.shops.len(), "shop"), plural(bindings, "binding"));
    match report.warnings() {
        0 => format!("The manifest is valid: {size}."),
        warnings => format!("The manifest is valid: {size}; {}.", plural(warnings, "warning")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ManifestArgs;

    #[test]
    fn the_last_line_is_a_summary() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("x.yaml");
        let validate = |content: &str, format| {
            std::fs::write(&file, content).expect("write");
            let args = ValidateArgs {
                manifest: ManifestArgs { file: vec![file.clone()], policies: Vec::new() },
                format,
                deny: Vec::new(),
            };
            let mut out = Vec::new();
            let code = write(&args, &mut out, false).expect("run");
            let out = String::from_utf8(out).expect("utf-8");
            (code, out.lines().last().unwrap_or_default().to_owned())
        };
        let good = "version: 1\nshops: [{ shop: a, bindings: [] }]\n";
        let valid = "The manifest is valid: 1 shop, 0 bindings.";
        assert_eq!(validate(good, ValidateFormat::Text), (0, valid.to_owned()));
        let bad = "version: 2\nshops: [{ shop: a, bindings: [] }]\n";
        assert_eq!(validate(bad, ValidateFormat::Text), (3, "1 error in 1 file".to_owned()));
        for format in [ValidateFormat::Json, ValidateFormat::Sarif, ValidateFormat::Github] {
            assert_eq!(validate(good, format).0, 0);
            assert_eq!(validate(bad, format).0, 3);
        }
    }

    #[test]
    fn every_format_ends_with_a_line_break_whether_the_manifest_is_valid_or_not() {
        let folder = tempfile::tempdir().expect("folder");
        let (valid, invalid) = (folder.path().join("valid.yaml"), folder.path().join("invalid.yaml"));
        std::fs::write(&valid, "version: 1\nshops: [{ shop: acme, bindings: [] }]\n").expect("file");
        std::fs::write(&invalid, "version: 2\nshops: acme\n").expect("file");
        for (path, exit) in [(&valid, 0), (&invalid, 3), (&folder.path().join("missing.yaml"), 3)] {
            for format in [ValidateFormat::Text, ValidateFormat::Json, ValidateFormat::Sarif, ValidateFormat::Github] {
                let args = ValidateArgs {
                    manifest: ManifestArgs { file: vec![path.clone()], policies: Vec::new() },
                    format,
                    deny: Vec::new(),
                };
                let mut out = Vec::new();
                assert_eq!(write(&args, &mut out, false).expect("write"), exit);
                let out = String::from_utf8(out).expect("text");
                assert!(out.is_empty() && exit == 0 || out.ends_with('\n'), "{format:?} {out:?}");
            }
        }
    }
}
