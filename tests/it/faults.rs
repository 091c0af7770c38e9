//! Nothing is lost, duplicated or reported wrongly: the built binary against a sandbox with faults, judged by the
//! sandbox's own state.
//!
//! `cargo test --test it faults -- --nocapture` prints the table of the README. No test here measures time.

#![allow(clippy::single_match_else, reason = "there, and not there, are two cases of one rank")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what one runs this for")]
#![allow(clippy::format_push_string, reason = "manifests read better as they are put together")]

mod alone;
mod audit;
mod bench;
mod duel;
mod interrupts;
mod kills;
mod shops;
mod table;
