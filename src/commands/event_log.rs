//! Opens and closes the files of `--journal` and `--events` for all commands.

use std::path::Path;
use std::sync::Arc;

use super::{Output, now};
use crate::cli::Format;
use crate::error::Failure;
use crate::exit::Exit;
use crate::journal::Recorder;
use crate::wire::events::Summary;

/// The result of a command, for the events.
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) summary: Summary,
}

/// Opens the files. With events on standard output, text is printed on standard error.
pub(super) fn open(
    journal: Option<&Path>,
    events: Option<&Path>,
    format: Format,
    output: Output,
) -> Result<(Arc<Recorder>, Output), Failure> {
    let on_stdout = events.is_some_and(|path| path.as_os_str() == "-");
    if on_stdout && format == Format::Json {
        return Err(Failure::invalid("`--events -` and `--format json` both write to standard output").hint(
            "write one of them to a file: `--events FILE`, or `--out FILE` of `plan` and `--report FILE` of `apply`",
        ));
    }
    let recorder = Recorder::open(journal, events, now).map_err(Failure::invalid)?;
    Ok((Arc::new(recorder), Output { data_on_stderr: on_stdout, ..output }))
}

/// Writes the result to the journal and the events. A failure to write them is an error even after success.
pub(super) async fn close(recorder: &Recorder, ended: Result<Ended, Failure>, output: Output) -> Result<Exit, Failure> {
    let summary = match &ended {
        Ok(Ended { exit, summary }) => Summary { exit_code: *exit as u8, ..summary.clone() },
        Err(failure) => {
            Summary { exit_code: failure.exit as u8, message: failure.message.clone(), ..Summary::default() }
        }
    };
    let written = recorder.end(summary).await;
    let exit = ended?.exit;
    match written {
        Ok(()) => Ok(exit),
        Err(why) if exit == Exit::Done => Err(Failure::new(Exit::Error, why)),
        Err(why) => {
            output.error(&Failure::new(exit, why).text());
            Ok(exit)
        }
    }
}
