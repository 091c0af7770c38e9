//! The commands that a drift report proposes.

use std::path::{Path, PathBuf};

use super::target::{manifest_options, sandbox_options};
use crate::cli::Tolerate;
use crate::cli::drift::DriftArgs;
use crate::plan::{Plan, Selection};
use crate::wire::plan::Commands;
use crate::words::word;

/// Returns the commands of a drift report that was just made. `options` make commands use the same manifest and target.
pub(super) fn of_run(plan: &Plan, args: &DriftArgs, options: &str) -> Commands {
    let repair = match args.out.as_deref() {
        Some(file) => apply(plan, file, options),
        // Without `--shard`, the command repairs the shops of the other shards, too.
        None => format!("hookwright apply{}{}{options}", selection(&plan.selection), tolerated(&args.run.tolerate)),
    };
    // Without its own file, the windows would lack this report.
    let files = args.out.iter().flat_map(|out| args.since.iter().filter(move |path| *path != out).chain([out]));
    Commands {
        repair,
        judges: plan.selection.shard.is_some() && args.out.is_some(),
        destinations: format!("hookwright destinations{options}"),
        gaps: gaps(files.map(PathBuf::as_path)),
    }
}

/// Returns the commands of a saved drift report.
pub(super) fn of_file(plan: &Plan, file: &Path) -> Commands {
    let sandbox = plan.settings.sandbox.as_ref().map(|sandbox| sandbox_options(Path::new(&sandbox.state)));
    let sandbox = sandbox.unwrap_or_default();
    let manifest: Vec<PathBuf> = plan.manifest.iter().map(PathBuf::from).collect();
    let options = manifest_options(&manifest) + &sandbox;
    Commands {
        repair: apply(plan, file, &options),
        judges: plan.selection.shard.is_some(),
        destinations: format!("hookwright destinations{options}"),
        gaps: gaps([file]),
    }
}

/// Returns the command that applies a report, or that judges the report of a shard with those of the others.
fn apply(plan: &Plan, file: &Path, options: &str) -> String {
    match plan.selection.shard {
        Some(_) => format!("hookwright show --check --out checked.json {} …", argument(file)),
        None => format!("hookwright apply {}{options}", argument(file)),
    }
}

/// Returns a path as an argument that is not taken for an option.
fn argument(path: &Path) -> String {
    let text = path.display().to_string();
    word(&if text.starts_with('-') { format!("./{text}") } else { text })
}

/// Returns the command that lists the windows of some files; `None` without files.
fn gaps<'a>(files: impl IntoIterator<Item = &'a Path>) -> Option<String> {
    let files: Vec<String> = files.into_iter().map(argument).collect();
    (!files.is_empty()).then(|| format!("hookwright gaps {} --format csv", files.join(" ")))
}

/// Returns the options that select the same shops, apart from the shard.
fn selection(selection: &Selection) -> String {
    let Selection { shops, labels, shard: _, only: _ } = selection;
    let shops = shops.iter().map(|pattern| match pattern.strip_prefix('!') {
        Some(pattern) => format!(" --exclude-shop {}", word(pattern)),
        None => format!(" --shop {}", word(pattern)),
    });
    let labels = labels.iter().map(|label| format!(" --label {}", word(label)));
    shops.chain(labels).collect()
}

fn tolerated(states: &[Tolerate]) -> String {
    let name = |state: &Tolerate| match state {
        Tolerate::Uninstalled => "uninstalled",
        Tolerate::Frozen => "frozen",
        Tolerate::Locked => "locked",
    };
    states.iter().map(name).fold(String::new(), |out, name| out + " --tolerate " + name)
}
