//! The `hookwright` program. The library contains all of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    hookwright::main()
}
