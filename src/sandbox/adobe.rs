//! Adobe's side of the sandbox: IMS issues tokens, Flow Service returns dataflows, connections and runs. Read-only.
//!
//! Shapes and error codes are those of Adobe's tutorials, API description and troubleshooting pages. What those do not
//! establish (the JSON around the error codes of Flow Service, the size of a page) is chosen here and marked.

mod answer;
mod edit;
mod query;
mod seed;
mod shape;
mod world;

pub(super) use answer::{AdobeRequest, answer};
pub(super) use seed::{SeedAdobe, age};
pub(super) use world::Adobe;

pub(crate) use edit::{InletAction, InletEdit};
pub(crate) use world::{InletKind, RunStatus};
