//! Nothing lost, nothing doubled, nothing reported that is not so: the built binary against a sandbox with faults, judged
//! by the sandbox's own state.
//!
//! `cargo test --test faults -- --nocapture` prints the table of the README. No test here measures time.

#![allow(unreachable_pub, reason = "the helpers of a test binary are for the whole of it")]
#![allow(clippy::single_match_else, reason = "there, and not there, are two cases of one rank")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what one runs this for")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "manifests read better as they are put together")]

#[path = "faults/alone.rs"]
mod alone;
#[path = "faults/audit.rs"]
mod audit;
#[path = "faults/bench.rs"]
mod bench;
#[path = "faults/duel.rs"]
mod duel;
#[path = "faults/interrupts.rs"]
mod interrupts;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/shops.rs"]
mod shops;
#[path = "faults/table.rs"]
mod table;
