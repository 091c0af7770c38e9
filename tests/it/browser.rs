//! What a browser makes of our pages: the built binary writes them, headless Chromium shows them, and chromedriver is
//! asked over plain HTTP. Without a browser the tests say so and pass; with HOOKWRIGHT_CI_TOOLS=1 they fail.
//!
//! A further scenario is a file of its own under tests/it/browser/, with [`driver::Browser`] as its hands and eyes.

#![allow(clippy::print_stderr, reason = "a test that was skipped says so")]

mod driver;
mod fleet;
mod html;
mod large;
mod login;
