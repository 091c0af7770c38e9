//! `hookwright sandbox` in a build without the feature `sandbox`: an error that names the missing feature.

use std::future::{Ready, ready};

use crate::cli::sandbox::SandboxArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::ShopDomain;
use crate::run::embedded::missing;

pub(super) fn run(_: SandboxArgs) -> Ready<Result<Exit, Failure>> {
    ready(Err(missing()))
}

/// Refuses `--sandbox`.
pub(super) fn not_in_process(sandbox: bool, _shop: &ShopDomain) -> Result<(), Failure> {
    if sandbox { Err(missing()) } else { Ok(()) }
}
