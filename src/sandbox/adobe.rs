//! Adobe's side of the sandbox: IMS gives tokens, Flow Service tells of dataflows, connections and runs.
//!
//! Shapes and error codes as in Adobe's tutorials, API description and troubleshooting pages. What those do not
//! establish (the JSON around Flow Service's own error codes, the size of a page) is chosen here and marked so. Reads
//! only, as the tool does.

mod answer;
mod edit;
mod query;
mod seed;
mod shape;
mod world;

pub(super) use answer::{Ask, answer};
pub(super) use seed::SeedAdobe;
pub(super) use seed::age;
pub(super) use world::Adobe;

pub use edit::{Act, InletEdit};
pub use world::{InletKind, RunStatus};
