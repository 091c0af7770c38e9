//! Hookwright keeps the webhook subscriptions of many Shopify shops equal to a YAML manifest.

pub mod admin;
pub mod auth;
pub mod catalog;
pub mod diagnostic;
pub mod diff;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod render;
pub mod report;
pub mod sandbox;
pub mod state;
