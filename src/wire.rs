//! Every JSON format that Hookwright publishes, each with its own versioned types. Users' pipelines parse these.

pub mod events;
pub mod plan;
pub mod report;
