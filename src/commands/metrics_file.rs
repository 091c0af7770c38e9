//! `drift --metrics`: the textfile of a run, written at its end, successful or not. After a killed run, the file of the previous
//! run remains, with its time of the last run.

use std::collections::BTreeMap;
use std::path::Path;

use super::now;
use super::out_file::OutFile;
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;
use crate::render::{self, DriftRun, Successes};
use crate::wire::plan::Plan;

/// The result of a run.
pub(super) struct Found {
    pub(super) plan: Plan,
    /// The time when each shop's token stops working without a login or a migration, in seconds since the epoch.
    pub(super) token_ends: BTreeMap<String, i64>,
}

/// A writable textfile, and the content of the previous one.
pub(super) struct MetricsFile {
    file: OutFile,
    /// The name of the run, or else that of the file without its extension.
    name: String,
    before: Successes,
}

impl MetricsFile {
    /// Reads the previous file and checks that it can be replaced. `name` is the name of the run, or else that of the file. Called before any request is sent.
    pub(super) fn prepare(path: &Path, name: Option<&str>) -> Result<Self, Failure> {
        // Reading a pipe or a device would wait for a writer.
        let before = if path.is_file() {
            let bytes = files::read(path, files::OWN);
            let bytes = bytes.map_err(|e| Failure::invalid(format!("cannot read {}: {e}", path.display())))?;
            Successes::parse(&String::from_utf8_lossy(&bytes))
        } else {
            Successes::default()
        };
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.map_or_else(stem, str::to_owned);
        Ok(Self { file: OutFile::prepare(path)?, name, before })
    }

    /// Writes the result of the run.
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
