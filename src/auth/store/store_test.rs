//! Tests of the token store, on real files.
