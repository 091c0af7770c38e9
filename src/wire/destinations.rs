//! The JSON of `destinations`, version 1. A minor version adds keys.

use schemars::JsonSchema;
use serde::Serialize;

use super::plan::Destination;

/// The document that `destinations --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Destinations {
    /// `1.x`
    pub format_version: String,
    /// Version of Hookwright that wrote the document.
    pub tool_version: String,
    /// Exit code of the command.
    pub exit_code: u8,
    /// Destinations, sorted by name.
    pub destinations: Vec<Destination>,
}

impl Destinations {
    /// Creates a document of this version.
    pub fn new(exit_code: u8, destinations: Vec<Destination>) -> Self {
        let tool_version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format_version: "1.0".to_owned(), tool_version, exit_code, destinations }
    }
}
