//! The file that `show --check --out` writes, version 1: plans that were judged together, and the consents that were
//! given. A minor version adds keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Object;
use crate::words;

/// Plans that were judged together.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// `1.x`
    pub format_version: String,
    /// `manifest_digest` of the plans.
    pub manifest_digest: String,
    /// `plan_digest` of each plan.
    pub plan_digests: Vec<String>,
    /// Consents that were given with `--allow`, one for each hazard, as for `--allow`.
    #[serde(default)]
    pub consents: Vec<String>,
    /// Hazards of the run that only consents of the manifest cover. `apply` requires that its manifest has these consents,
    /// because a plan file is not signed. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifest_consents: Vec<String>,
}

/// Why a file is not accepted by `--checked`.
#[derive(Debug, thiserror::Error)]
pub enum CheckedFileError {
    /// The file is not JSON, or is other JSON.
    #[error("{0}")]
    NotChecked(String),
    /// The format has another major version.
    #[error("{0:?}")]
    Version(String),
}

impl Checked {
    /// Creates a document of this version.
    pub fn new(
        manifest_digest: String,
        plan_digests: Vec<String>,
        consents: Vec<String>,
        manifest_consents: Vec<String>,
    ) -> Self {
        Self { format_version: "1.1".to_owned(), manifest_digest, plan_digests, consents, manifest_consents }
    }

    /// Parses a file. Fails if it is not a checked file of version 1.
    pub fn read(bytes: &[u8]) -> Result<Self, CheckedFileError> {
        let Object(checked): Object<Self> =
            serde_json::from_slice(bytes).map_err(|e| CheckedFileError::NotChecked(words::of_json(&e)))?;
        match checked.format_version.split('.').next() {
            Some("1") => Ok(checked),
            _ => Err(CheckedFileError::Version(checked.format_version)),
        }
    }
}
