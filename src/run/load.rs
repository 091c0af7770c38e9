//! Loads manifests and prints their problems.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Comparison, Run, files};
use crate::clock::now;
use crate::diagnostic::{self, Code, Diagnostic, Place, Report};
use crate::error::Failure;
use crate::manifest::{Draft, Loaded, Manifest, Options};
use crate::output::Output;
use crate::plan::Origin;
use crate::progress::Verbosity;
use crate::state::aep::Resolutions;

/// A manifest and the files beside it.
pub(crate) struct LoadedManifest {
    pub(crate) draft: Draft,
    /// The manifest, whose destinations are not resolved yet.
    pub(crate) manifest: Manifest,
    /// Paths as given to `-f`, or the default; empty if no file was read.
    pub(crate) paths: Vec<PathBuf>,
    /// Seeds beside the manifest. If `None`, the shops of the manifest are not added to a sandbox.
    pub(crate) seeds: Option<Vec<PathBuf>>,
    /// Problems that were printed.
    pub(crate) printed: Vec<Diagnostic>,
}

/// Returns the options for checking a manifest, with the current day.
pub(crate) fn manifest_options() -> Options {
    let today = crate::plan::day(now());
    Options { today: Some(today), ..Options::default() }
}

/// Loads a manifest and finds the seeds of the sandbox. Prints errors to stderr, and also warnings unless output is
/// quiet.
pub(crate) fn load(paths: &[PathBuf], verbosity: Verbosity, output: Output) -> Result<LoadedManifest, Failure> {
    let (draft, seeds) = draft(paths, &manifest_options(), output)?;
    let loaded = draft.resolve(&Resolutions::new());
    print(&loaded, &[], verbosity, output);
    let (manifest, printed) = valid(loaded)?;
    Ok(LoadedManifest {
        draft,
        manifest,
        paths: files::given(paths).into_iter().map(Into::into).collect(),
        seeds: Some(seeds),
        printed,
    })
}

fn draft(paths: &[PathBuf], options: &Options, output: Output) -> Result<(Draft, Vec<PathBuf>), Failure> {
    let (draft, seeds) = files::load(paths, options);
    let draft = draft.map_err(|unread| {
        print(&unread, &[], Verbosity::Quiet, output);
        invalid(&unread)
    });
    Ok((draft?, seeds))
}

/// Prints the problems that are not in `printed`. If there are only warnings, prints them only with normal verbosity.
pub(super) fn print(loaded: &Loaded, printed: &[Diagnostic], verbosity: Verbosity, output: Output) {
    let report = loaded.report();
    if report.errors() > 0 || verbosity == Verbosity::Normal {
        let printed: HashSet<_> = printed.iter().map(key).collect();
        let fresh: Vec<_> = report.diagnostics.iter().filter(|one| !printed.contains(&key(one))).cloned().collect();
        let mut problems = Vec::new();
        let _ = diagnostic::text::write(&mut problems, Report { diagnostics: &fresh, ..report }, output.stderr_color);
        output.error(&String::from_utf8_lossy(&problems));
    }
}

fn key(printed: &Diagnostic) -> (Code, &Place, &str) {
    (printed.code, &printed.place, &printed.message)
}

/// Returns the manifest and its warnings, or a failure if it has errors.
pub(super) fn valid(loaded: Loaded) -> Result<(Manifest, Vec<Diagnostic>), Failure> {
    match loaded {
        Loaded { manifest: Some(manifest), diagnostics, .. } => Ok((manifest, diagnostics)),
        loaded => Err(invalid(&loaded)),
    }
}

fn invalid(loaded: &Loaded) -> Failure {
    let summary = diagnostic::text::summary(loaded.report());
    Failure::invalid(format!("the manifest is invalid: {summary}; nothing was sent"))
}

impl Run {
    /// Loads the base manifest, if one is given, and resolves it with the lookups of the run. Looks up destinations that
    /// only the base manifest has, because their addresses belonged to this manifest.
    pub(crate) async fn base(
        &self,
        paths: &[PathBuf],
        only: Option<Origin>,
        output: Output,
    ) -> Result<Option<Comparison>, Failure> {
        if paths.is_empty() {
            return Ok(None);
        }
        let about = |failure: Failure| failure.hint("the errors concern the manifest given with `--base`");
        // Warnings of the base manifest are not printed, because they are reported on its own branch.
        let valid = |loaded: Loaded| {
            print(&loaded, &[], Verbosity::Quiet, output);
            valid(loaded).map(|(manifest, _)| manifest).map_err(about)
        };
        let (draft, _) =
            draft(paths, &Options { ignore_policies: true, ..Options::default() }, output).map_err(about)?;
        let known = &self.lookups.addresses;
        let mut manifest = valid(draft.resolve(known))?;
        let more = self.addresses_of_base(&manifest).await;
        if !more.is_empty() {
            manifest = valid(draft.resolve(&known.clone().into_iter().chain(more).collect()))?;
        }
        Ok(Some(Comparison { manifest: Arc::new(manifest), only }))
    }
}
