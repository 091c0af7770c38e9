//! The manifest of a run: read, complained about, and read again once the addresses of its destinations are known.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::{Output, load as files, manifest_options};
use super::Run;
use crate::diagnostic::{self, Code, Diagnostic, Place, Report};
use crate::error::Failure;
use crate::manifest::{Manifest, Options};
use crate::progress::Verbosity;

/// A manifest and what stands beside it.
pub(crate) struct Loaded {
    pub(crate) manifest: Manifest,
    /// As they were given to -f; none, if nothing was read.
    pub(super) paths: Vec<PathBuf>,
    /// Seeds beside the manifest; `None`: a sandbox is not given the shops of the manifest.
    pub(crate) seeds: Option<Vec<PathBuf>>,
    /// What was said of it.
    pub(super) said: Vec<Diagnostic>,
}

impl Loaded {
    /// A manifest that nobody wrote, of shops that were named: they are there or not.
    pub(crate) fn of_names(manifest: Manifest) -> Self {
        Self { manifest, paths: Vec::new(), seeds: None, said: Vec::new() }
    }
}

/// Loads a manifest, with what a sandbox starts with. Its problems go to stderr; warnings too, unless nobody is there
/// to read them.
pub(crate) fn load(paths: &[PathBuf], verbosity: Verbosity, output: Output) -> Result<Loaded, Failure> {
    load_with(paths, &manifest_options(), verbosity, &[], output)
}

/// Loads it once more, where options are other ones: what was said before is not said again.
pub(super) fn load_with(
    paths: &[PathBuf],
    options: &Options,
    verbosity: Verbosity,
    said: &[Diagnostic],
    output: Output,
) -> Result<Loaded, Failure> {
    let (loaded, seeds) = files::load(paths, options);
    let report = loaded.report();
    let summary = diagnostic::text::summary(report);
    if report.errors() > 0 || verbosity == Verbosity::Normal {
        let said: HashSet<_> = said.iter().map(key).collect();
        let fresh: Vec<_> = report.diagnostics.iter().filter(|one| !said.contains(&key(one))).cloned().collect();
        let mut problems = Vec::new();
        let _ = diagnostic::text::write(&mut problems, Report { diagnostics: &fresh, ..report }, output.stderr_color);
        output.error(&String::from_utf8_lossy(&problems));
    }
    let said = report.diagnostics.to_vec();
    match loaded.manifest {
        Some(manifest) => Ok(Loaded { manifest, paths: paths.to_vec(), seeds: Some(seeds), said }),
        None => Err(Failure::invalid(format!("the manifest is not valid: {summary}; nothing was sent"))),
    }
}

fn key(said: &Diagnostic) -> (Code, &Place, &str) {
    (said.code, &said.place, &said.message)
}

/// Loads the base manifest, if one is named. What was looked up for the run counts for it, too.
pub(crate) fn base(paths: &[PathBuf], run: &Run, output: Output) -> Result<Option<Arc<Manifest>>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    // Its warnings were dealt with where it came from.
    let options = Options { found: run.looked.found.clone(), ..Options::default() };
    let loaded = load_with(paths, &options, Verbosity::Quiet, &[], output);
    let loaded = loaded.map_err(|failure| failure.hint("this is about the --base manifest"))?;
    Ok(Some(Arc::new(loaded.manifest)))
}
