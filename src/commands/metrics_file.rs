//! `drift --metrics`: the textfile of a run, written last and however the run ended. A run that was killed leaves the
//! file of the one before, whose time of the last run then grows old.

use std::collections::BTreeMap;
use std::path::Path;

use super::now;
use super::out_file::OutFile;
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;
use crate::render::{self, DriftRun, Successes};
use crate::wire::plan::Plan;

/// What a run found.
pub(super) struct Found {
    pub(super) plan: Plan,
    /// When each shop's token stops to work unless a person acts, in seconds since the epoch.
    pub(super) token_ends: BTreeMap<String, i64>,
}

/// A textfile that can be written, and what the one before says.
pub(super) struct MetricsFile {
    file: OutFile,
    /// The file's own name without its extension.
    name: String,
    before: Successes,
}

impl MetricsFile {
    /// Reads the file before, and makes sure that it can be replaced. Nothing has been sent yet.
    pub(super) fn prepare(path: &Path) -> Result<Self, Failure> {
        // Not of a pipe or a device: reading one would wait for a writer.
        let before = if path.is_file() {
            let bytes = files::read(path, files::OWN);
            let bytes = bytes.map_err(|e| Failure::invalid(format!("cannot read {}: {e}", path.display())))?;
            Successes::parse(&String::from_utf8_lossy(&bytes))
        } else {
            Successes::default()
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { file: OutFile::prepare(path)?, name, before })
    }

    /// Writes what the run came to.
    pub(super) fn write(self, found: Option<&Found>, ended: &Result<Exit, Failure>) -> Result<(), Failure> {
        let exit = match ended {
            Ok(exit) => *exit,
            Err(failure) => failure.exit,
        };
        let none = BTreeMap::new();
        let run = DriftRun {
            name: &self.name,
            plan: found.map(|found| &found.plan),
            exit_code: exit as u8,
            now: now().as_second(),
            token_ends: found.map_or(&none, |found| &found.token_ends),
        };
        self.file.write(&render::metrics(&run, &self.before))
    }
}
