//! Strings that must not be blank.
#![allow(dead_code)] // never constructed, as in `schema`

use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"\S"))]
pub(super) struct NonBlank(String);

/// A string without surrounding spaces.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"^\S([\s\S]*\S)?$"))]
pub(super) struct Item(String);
