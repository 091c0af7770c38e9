//! The JSON formats that Hookwright publishes, each with its own versioned types. Users' pipelines parse them.

pub mod auth_status;
pub mod checked;
pub mod destinations;
pub mod earlier;
pub mod events;
pub mod gaps;
mod kinds;
pub mod plan;
pub mod report;
pub mod topics;
pub mod validate;
