//! `hookwright`: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    hookwright::main()
}
