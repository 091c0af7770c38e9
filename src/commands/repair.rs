//! The commands that a drift report proposes.

use std::path::{Path, PathBuf};

use super::target::{manifest_options, sandbox_options};
use crate::plan::{Plan, Selection};
use crate::wire::plan::Commands;
use crate::words::word;

/// Returns the commands of a drift report that was just made. `since` are the earlier files, `file` is the file of the report;
/// `options` make commands use the same manifest and target.
pub(super) fn of_run(plan: &Plan, since: &[PathBuf], file: Option<&Path>, options: &str) -> Commands {
    let what = match file {
        Some(file) => format!(" {}", word(&file.display().to_string())),
        None => selection(&plan.selection),
    };
    Commands {
        repair: format!("hookwright apply{what}{options}"),
        destinations: format!("hookwright destinations{options}"),
        gaps: gaps(since.iter().map(PathBuf::as_path).filter(|path| Some(*path) != file).chain(file)),
    }
}

/// Returns the commands of a saved drift report. `apply` takes the manifest from the report.
pub(super) fn of_file(plan: &Plan, file: &Path) -> Commands {
    let sandbox = plan.settings.sandbox.as_ref().map(|sandbox| sandbox_options(Path::new(&sandbox.state)));
    let sandbox = sandbox.unwrap_or_default();
    let manifest: Vec<PathBuf> = plan.manifest.iter().map(PathBuf::from).collect();
    Commands {
        repair: format!("hookwright apply {}{sandbox}", word(&file.display().to_string())),
        destinations: format!("hookwright destinations{}{sandbox}", manifest_options(&manifest)),
        gaps: gaps([file]),
    }
}

/// Returns the command that lists the windows of some files; `None` without files.
fn gaps<'a>(files: impl IntoIterator<Item = &'a Path>) -> Option<String> {
    let files: Vec<String> = files.into_iter().map(|file| word(&file.display().to_string())).collect();
    (!files.is_empty()).then(|| format!("hookwright gaps {} --format csv", files.join(" ")))
}

/// Returns the options that select the same shops.
fn selection(selection: &Selection) -> String {
    let Selection { shops, labels, shard, only: _ } = selection;
    let shops = shops.iter().map(|pattern| match pattern.strip_prefix('!') {
        Some(pattern) => format!(" --exclude-shop {}", word(pattern)),
        None => format!(" --shop {}", word(pattern)),
    });
    let labels = labels.iter().map(|label| format!(" --label {}", word(label)));
    let shard = shard.iter().map(|shard| format!(" --shard {shard}"));
    shops.chain(labels).chain(shard).collect()
}
