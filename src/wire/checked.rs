//! The file of `show --check --out`, version 1: which plans were judged together, and with which consents. A minor version
//! adds keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Object;
use crate::words;

/// Plans that were judged together.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// `1.x`
    pub format_version: String,
    /// Of the manifest that all of them were made from.
    pub manifest_digest: String,
    /// Of each plan.
    pub plan_digests: Vec<String>,
    /// The consents that were given, one for each hazard, as in `--allow`.
    #[serde(default)]
    pub consents: Vec<String>,
}

/// Why a file is not taken as a checked file.
#[derive(Debug, thiserror::Error)]
pub enum CheckedFileError {
    /// Other JSON, or none.
    #[error("{0}")]
    NotChecked(String),
    /// A format of the future.
    #[error("{0:?}")]
    Version(String),
}

impl Checked {
    /// A document of this version.
    pub fn new(manifest_digest: String, plan_digests: Vec<String>, consents: Vec<String>) -> Self {
        Self { format_version: "1.0".to_owned(), manifest_digest, plan_digests, consents }
    }

    /// Parses a file.
    pub fn read(bytes: &[u8]) -> Result<Self, CheckedFileError> {
        let Object(checked): Object<Self> =
            serde_json::from_slice(bytes).map_err(|e| CheckedFileError::NotChecked(words::of_json(&e)))?;
        match checked.format_version.split('.').next() {
            Some("1") => Ok(checked),
            _ => Err(CheckedFileError::Version(checked.format_version)),
        }
    }
}
