//! Reads saved plans, judges the hazards of all shards together, and reads and writes the result of that.

use std::path::Path;

use super::consents::{Consents, Words};
use super::files::is_yaml;
use super::now;
use super::out_file::OutFile;
use super::target::word;
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;
use crate::plan::{self, Consent, Hazard, NotOneRun, Plan};
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

/// Adds the consents in the file of `show --check --out`. The plan of a shard is refused without such a file, because hazards
/// of the run must be judged over all shards. A hazard of the run to which only a manifest consented needs a consent of this
/// manifest, because the judged plan files are not signed.
pub(super) fn add_checked(consents: &mut Consents<'_>, plan: &Plan, checked: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = checked else {
        let Some(shard) = &plan.selection.shard else { return Ok(()) };
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
    if checked.manifest_digest != plan.manifest_digest || !checked.plan_digests.contains(&plan.plan_digest) {
        return Err(Failure::new(Exit::Refused, format!("{} was written for other plans", path.display())));
    }
    if let Some(hazard) = checked.manifest_consents.iter().find(|hazard| !consents.has(hazard)) {
        let what = format!("nothing was sent: the manifest has no valid consent to the hazard `{hazard}` of the run");
        let mut failure = Failure::new(Exit::Refused, what);
        failure.hints = consents.expired_for(hazard);
        return Err(failure.hint(format!("add it under `consents`, or check the plans again with `--allow {hazard}`")));
    }
    let added = checked.consents.iter().map(|text| Consent::parse(text)).collect::<Result<_, _>>();
    consents.add(added.map_err(|e| Failure::invalid(format!("{}: {e}", path.display())))?);
    Ok(())
}

fn not_checked(path: &Path, why: &str) -> Failure {
    Failure::invalid(format!("{} was not written by `hookwright show --check --out`: {why}", path.display()))
        .hint("create the file with `hookwright show --check --out checked.json SHARD…`")
}

/// Judges the hazards of all plans together, with the consents of `--allow` and those of the manifest in the plans.
pub(super) fn together(plans: &[Plan], given: &[Consent]) -> Result<Option<Checked>, Failure> {
    let Some(first) = plans.first() else { return Ok(None) };
    let hazards = plan::together(plans);
    let of_manifest = plan::consents_together(plans.iter().flat_map(|plan| &plan.consents), &hazards);
    let consents = Consents::with(given, plan::valid_consents(&of_manifest, now()));
    let lacking = consents.lacking(&hazards);
    if !lacking.is_empty() {
        let all: Vec<&Hazard> = hazards.iter().collect();
        let shops: Vec<&str> = plans.iter().flat_map(|plan| &plan.shops).map(|shop| shop.shop.as_str()).collect();
        return Err(consents.refusal(&lacking, &all, &shops, &Words { what: "the plan has", then: "", way: "add" }));
    }
    let is_given = |hazard: &&Hazard| given.iter().any(|consent| plan::covers(consent, hazard));
    let of_run = hazards.iter().filter(|hazard| hazard.shop.is_none());
    let manifest_consents = of_run.filter(|hazard| !is_given(hazard) && consents.has(&hazard.allow()));
    Ok(Some(Checked::new(
        first.manifest_digest.clone(),
        plans.iter().map(|p| p.plan_digest.clone()).collect(),
        // One consent for each hazard, instead of the patterns, so that later hazards have no consent.
        plan::consented(&hazards, given).map(Hazard::allow).collect(),
        manifest_consents.map(Hazard::allow).collect(),
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
