//! `hookwright`; the commands come last.

fn main() {}
