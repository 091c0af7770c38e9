//! Saved plans: read, judged together over shards, and what says that they were.

use std::path::Path;

use super::clock;
use super::files::is_yaml;
use super::out_file::OutFile;
use super::target::word;
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;
use crate::plan::{self, Consent, Hazard, NotOneRun, Plan};
use crate::render::{self};
use crate::text::plural;
use crate::wire;
use crate::wire::checked::{Checked, CheckedFileError};

/// Reads a file that this program wrote once.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, files::OWN).map_err(|e| Failure::invalid(format!("cannot read {}: {e}", path.display())))
}

/// Reads and verifies a plan file.
pub(super) fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let bytes = read_file(path)?;
    wire::plan::read(&bytes).map_err(|e| perhaps_manifest(path, Failure::invalid(format!("{}: {e}", path.display()))))
}

/// The failure with what to do where the name of the file says that it is a manifest.
pub(super) fn perhaps_manifest(path: &Path, failure: Failure) -> Failure {
    if !is_yaml(path) {
        return failure;
    }
    let name = word(&path.display().to_string());
    failure.hint(format!("a manifest is named with -f: `hookwright plan -f {name}`, `hookwright apply -f {name}`"))
}

/// Refuses hazards without consent, with figures and the way out. A consent that was `given` here and covers nothing is
/// mentioned: it may be misspelt.
pub(super) fn refuse<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
    given: &[Consent],
) -> Result<(), Failure> {
    consented(hazards, consents, given, "refused, and nothing was sent: the plan has")
}

fn consented<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
    given: &[Consent],
    what: &str,
) -> Result<(), Failure> {
    let hazards: Vec<&Hazard> = hazards.into_iter().collect();
    let refused = plan::refused(hazards.iter().copied(), consents, clock());
    if refused.is_empty() {
        return Ok(());
    }
    let message = format!("{what} {} without consent", plural(refused.len(), "hazard"));
    let mut failure = Failure::new(Exit::Refused, message);
    let wired: Vec<wire::plan::Hazard> = refused.into_iter().map(Into::into).collect();
    failure.hints = render::refused_hazards(&wired.iter().collect::<Vec<_>>());
    for unused in given.iter().filter(|consent| !hazards.iter().any(|hazard| consent.covers(hazard))) {
        failure = failure.hint(format!("--allow {} covers none of the plan's hazards", unused.as_str()));
    }
    Err(failure)
}

/// Returns the consents of the file of `show --check --out`. A plan over a part of the shops is refused without one: it
/// cannot judge the run, and the file says that all parts were judged together.
pub(super) fn checked_consents(plan: &Plan, checked: Option<&Path>) -> Result<Vec<Consent>, Failure> {
    let Some(path) = checked else {
        let Some(shard) = &plan.selection.shard else { return Ok(Vec::new()) };
        return Err(Failure::new(
            Exit::Refused,
            format!("the plan covers shard {shard} only, so the hazards of the whole run were not judged"),
        )
        .hint("judge all shards with `hookwright show --check --out checked.json SHARD…`, then apply with --checked checked.json"));
    };
    let read = read_file(path)?;
    let checked = Checked::read(&read).map_err(|e| match e {
        CheckedFileError::NotChecked(why) => not_checked(path, &why),
        CheckedFileError::Version(format) => {
            Failure::invalid(format!("{} has the format {format:?}; this hookwright reads 1.x", path.display()))
        }
    })?;
    if checked.manifest_digest == plan.manifest_digest && checked.plan_digests.contains(&plan.plan_digest) {
        let consents = checked.consents.iter().map(|text| Consent::parse(text)).collect::<Result<_, _>>();
        return consents.map_err(|e| Failure::invalid(format!("{}: {e}", path.display())));
    }
    Err(Failure::new(Exit::Refused, format!("{} was written for other plans than this one", path.display())))
}

fn not_checked(path: &Path, why: &str) -> Failure {
    Failure::invalid(format!("{} is not a file of `show --check --out`: {why}", path.display()))
        .hint("write it with `hookwright show --check --out checked.json SHARD…`")
}

/// Judges the hazards over all plans together.
pub(super) fn together(plans: &[Plan], consents: &[Consent]) -> Result<Option<Checked>, Failure> {
    let Some(first) = plans.first() else { return Ok(None) };
    let hazards = plan::together(plans);
    consented(&hazards, consents, consents, "not checked: the plans together have")?;
    Ok(Some(Checked::new(
        first.manifest_digest.clone(),
        plans.iter().map(|p| p.plan_digest.clone()).collect(),
        // One consent for each hazard, not the patterns: a hazard that appears later has none.
        plan::consented(&hazards, consents).map(Hazard::allow).collect(),
    )))
}

/// Writes which plans were judged together, if a file is given.
pub(super) fn write(checked: Option<Checked>, out: Option<&Path>) -> Result<(), Failure> {
    match (checked, out) {
        (Some(checked), Some(path)) => OutFile::prepare(path)?.write_json(&checked),
        _ => Ok(()),
    }
}

/// Refuses plans that are not parts of one run, each once; and, to judge the `whole` run, a missing part.
pub(super) fn one_run(plans: &[Plan], whole: bool) -> Result<(), Failure> {
    plan::one_run(plans).map_err(|error| {
        let failure = Failure::invalid(&error);
        if matches!(error, NotOneRun::Adobe(_)) { failure.hint("plan all shards again") } else { failure }
    })?;
    match plan::lacking(plans.iter().map(|p| p.selection.shard)) {
        Some(lacking) if whole => {
            Err(Failure::invalid(lacking).hint("judge the plans of all shards of one run together"))
        }
        _ => Ok(()),
    }
}
