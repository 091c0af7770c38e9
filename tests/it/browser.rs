//! The pages of Hookwright in a browser: the binary writes them, headless Chromium opens them, and the tests control it with
//! chromedriver over plain HTTP. Without a browser the tests print a remark and pass; with `HOOKWRIGHT_CI_TOOLS=1` they fail.
//!
//! Each scenario is a file under tests/it/browser/ that uses [`driver::Browser`].

#![allow(clippy::print_stderr, reason = "a skipped test prints a remark")]

mod driver;
mod fleet;
mod html;
mod large;
mod login;
mod summary;
