//! The built binary, as its users run it: against the embedded sandbox, over real HTTP, in a scrubbed environment, with
//! no network but loopback. Nothing here uses the library: unit tests are next to their modules.

#![allow(unreachable_pub, reason = "the helpers of a test binary are for the whole of it")]
#![allow(clippy::format_collect, reason = "small YAML texts; a fold would hide what they say")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod advice;
mod app_config;
mod app_files;
mod architecture;
mod browser;
mod catalogue;
mod clusters;
mod completions;
mod connections;
mod consents;
mod destinations;
mod echo;
mod environments;
mod events;
mod examples;
mod faults;
mod files;
mod forged;
mod habits;
mod hazards;
mod import;
mod journal;
mod lost;
mod machine;
mod metrics;
mod oauth;
mod only;
mod options;
mod order;
mod plans;
mod policies;
mod review;
mod rotation;
mod runners;
mod scene;
mod schemas;
mod secrets;
#[path = "../../src/admin/tests/server.rs"]
mod server;
mod shards;
mod show;
mod since;
mod story;
mod transports;
mod wording;
#[cfg(unix)]
mod workflows;
mod world;
