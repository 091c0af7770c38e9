//! `--sandbox` in a build without the feature `sandbox`: always fails.

use std::future::{Ready, ready};
use std::path::PathBuf;

use serde_json::Value;

use crate::cli::AccessArgs;
use crate::error::Failure;
use crate::manifest::Manifest;

pub(crate) fn missing() -> Failure {
    Failure::invalid("this build has no sandbox, because it was built without the Cargo feature `sandbox`")
        .hint("install a build with the default features: `cargo install --path .` without `--no-default-features`")
}

/// The sandbox of `--sandbox`. The type has no values, because the sandbox cannot be started.
pub(super) enum Embedded {}

impl Embedded {
    pub(super) fn start(
        _: &AccessArgs,
        _: &Manifest,
        _: Option<Vec<PathBuf>>,
    ) -> Ready<Result<(Self, Option<String>), Failure>> {
        ready(Err(missing()))
    }

    pub(super) fn url(&self) -> String {
        match *self {}
    }

    pub(super) fn adobe_url(&self) -> String {
        match *self {}
    }

    pub(super) fn id(&self) -> &str {
        match *self {}
    }

    pub(super) fn registrar(&self) -> Registrar {
        match *self {}
    }

    pub(super) fn stop(self) -> Ready<Result<(), Failure>> {
        match self {}
    }
}

/// Registers apps at the sandbox. The type has no values.
pub(super) enum Registrar {}

impl Registrar {
    pub(super) fn app(&self, _client_id: &str, _client_secret: &str) {
        match *self {}
    }

    pub(super) fn key(&self, _client_id: &str, _jwk: Value, _audience: Option<&str>) {
        match *self {}
    }
}
