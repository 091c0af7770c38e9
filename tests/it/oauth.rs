//! The OAuth flow, client credentials, client assertions and the token store, against a served sandbox that takes no other tokens.
//!
//! A merchant's browser is played by plain HTTP requests here; tests/it/browser.rs has a real one.

mod assertion;
mod expiry;
mod flow;
mod key;
mod listening;
mod pyjwt;
mod refresh;
mod refusals;
mod renewal;
mod trouble;
