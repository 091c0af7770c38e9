//! Reads saved plans, judges the hazards of all shards together, and reads and writes the result of that.

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

/// Reads a file that an earlier run wrote.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, files::OWN).map_err(|e| Failure::invalid(format!("cannot read {}: {e}", path.display())))
}

/// Reads and verifies a plan file.
pub(super) fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let bytes = read_file(path)?;
    wire::plan::read(&bytes).map_err(|e| perhaps_manifest(path, Failure::invalid(format!("{}: {e}", path.display()))))
}

/// Adds a remedy to the failure if the name of the file is that of a manifest.
pub(super) fn perhaps_manifest(path: &Path, failure: Failure) -> Failure {
    if !is_yaml(path) {
        return failure;
    }
    let name = word(&path.display().to_string());
    failure.hint(format!("to use a manifest, pass `-f`: `hookwright plan -f {name}` or `hookwright apply -f {name}`"))
}

/// Refuses hazards without consent. The error lists them with the options that consent to them. A consent that was `given` and
/// covers no hazard is mentioned, because it can be misspelt.
pub(super) fn refuse<'a>(
    hazards: impl IntoIterator<Item = &'a Hazard>,
    consents: &[Consent],
    given: &[Consent],
) -> Result<(), Failure> {
    consented(hazards, consents, given, "nothing was sent: the plan has")
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
    let (details, consent) = render::refused_hazards(&wired.iter().collect::<Vec<_>>());
    failure.details = details;
    failure = failure.hint(consent);
    for unused in given.iter().filter(|consent| !hazards.iter().any(|hazard| consent.covers(hazard))) {
        failure =
            failure.hint(format!("`--allow {}` covers no hazard of the plan; check its spelling", unused.as_str()));
    }
    Err(failure)
}

/// Returns the consents in the file of `show --check --out`. The plan of a shard is refused without such a file, because hazards
/// of the run must be judged over all shards.
pub(super) fn checked_consents(plan: &Plan, checked: Option<&Path>) -> Result<Vec<Consent>, Failure> {
    let Some(path) = checked else {
        let Some(shard) = &plan.selection.shard else { return Ok(Vec::new()) };
        return Err(Failure::new(
            Exit::Refused,
            format!("the plan covers only shard {shard}, so the hazards of the whole run are not checked"),
        )
        .hint(
            "check all shards together with `hookwright show --check --out checked.json SHARD…`, then apply with \
             `--checked checked.json`",
        ));
    };
    let read = read_file(path)?;
    let checked = Checked::read(&read).map_err(|e| match e {
        CheckedFileError::NotChecked(why) => not_checked(path, &why),
        CheckedFileError::Version(format) => {
            let expected = "but this version of Hookwright requires 1.x";
            Failure::invalid(format!("{} has format version {format:?}, {expected}", path.display()))
        }
    })?;
    if checked.manifest_digest == plan.manifest_digest && checked.plan_digests.contains(&plan.plan_digest) {
        let consents = checked.consents.iter().map(|text| Consent::parse(text)).collect::<Result<_, _>>();
        return consents.map_err(|e| Failure::invalid(format!("{}: {e}", path.display())));
    }
    Err(Failure::new(Exit::Refused, format!("{} was written for other plans", path.display())))
}

fn not_checked(path: &Path, why: &str) -> Failure {
    Failure::invalid(format!("{} was not written by `hookwright show --check --out`: {why}", path.display()))
        .hint("create the file with `hookwright show --check --out checked.json SHARD…`")
}

/// Judges the hazards of all plans together.
pub(super) fn together(plans: &[Plan], consents: &[Consent]) -> Result<Option<Checked>, Failure> {
    let Some(first) = plans.first() else { return Ok(None) };
    let hazards = plan::together(plans);
    consented(&hazards, consents, consents, "the plans together have")?;
    Ok(Some(Checked::new(
        first.manifest_digest.clone(),
        plans.iter().map(|p| p.plan_digest.clone()).collect(),
        // One consent for each hazard, instead of the patterns, so that later hazards have no consent.
        plan::consented(&hazards, consents).map(Hazard::allow).collect(),
    )))
}

/// Writes the result of the check, if a file is given.
pub(super) fn write(checked: Option<Checked>, out: Option<&Path>) -> Result<(), Failure> {
    match (checked, out) {
        (Some(checked), Some(path)) => OutFile::prepare(path)?.write_json(&checked),
        _ => Ok(()),
    }
}

/// Refuses plans that are not different parts of one run. With `whole`, also refuses a missing part.
pub(super) fn one_run(plans: &[Plan], whole: bool) -> Result<(), Failure> {
    plan::one_run(plans).map_err(|error| {
        let failure = Failure::invalid(&error);
        if matches!(error, NotOneRun::Adobe(_)) {
            failure.hint("create the plans of all shards again")
        } else {
            failure
        }
    })?;
    match plan::lacking(plans.iter().map(|p| p.selection.shard)) {
        Some(lacking) if whole => Err(Failure::invalid(lacking).hint("pass the plans of all shards of the run")),
        _ => Ok(()),
    }
}
