//! The log on stderr, disabled without `-v`. It contains no secrets, because the type of secrets cannot be printed.

use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, OutputArgs};
use crate::printer::{self, Form};

/// Initializes the log of this process.
pub(crate) fn init(args: &OutputArgs) {
    let level = match args.verbose {
        0 => "off",
        1 => "hookwright=info",
        2 => "hookwright=debug",
        _ => "hookwright=trace",
    };
    let form = if matches!(args.log_format, LogFormat::Json) { Form::Json } else { Form::Text };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(move || printer::stderr(form))
        .with_ansi(false)
        .with_target(false);
    // This fails only if the process already has a subscriber. That is a defect, but not a reason to fail a run.
    let _ = match args.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
