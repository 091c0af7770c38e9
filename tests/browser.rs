//! What a browser makes of our pages: the built binary writes them, headless Chromium shows them, and chromedriver is
//! asked over plain HTTP. Without a browser the tests say so and pass; with HOOKWRIGHT_CI_TOOLS=1 they fail.
//!
//! A further scenario is a file of its own under tests/browser/, with [`driver::Browser`] as its hands and eyes.

#![allow(unreachable_pub, reason = "the helpers of a test binary are for the whole of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stderr, reason = "a test that was skipped says so")]

#[allow(dead_code, reason = "shared with the integration tests, which use all of it")]
#[path = "it/advice.rs"]
mod advice;
#[path = "browser/driver.rs"]
mod driver;
#[path = "browser/fleet.rs"]
mod fleet;
#[path = "browser/html.rs"]
mod html;
#[path = "browser/large.rs"]
mod large;
#[path = "browser/login.rs"]
mod login;
#[allow(dead_code, reason = "shared with the integration tests, which use all of it")]
#[path = "it/scene.rs"]
mod scene;
#[allow(dead_code, reason = "shared with the integration tests, which use all of it")]
#[path = "it/world.rs"]
mod world;
