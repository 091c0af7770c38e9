//! Runs a program and returns its standard output, within limits of time and size.
//!
//! Standard output is a secret and is never shown. Standard error is shown if the program fails, without the texts that
//! were on standard output.

use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::http::Redactor;

/// The part of standard error that is kept, in bytes: enough to show the problem.
const STDERR_LIMIT: u64 = 64 * 1024;

/// Returns the output of the program, or the problem.
pub(super) async fn run(command: &[String], limit: Duration, size: u64) -> Result<SecretString, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("has no program name".to_owned()) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot be started: {}", crate::words::of_io(&error)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let finished = async {
        let (stdout, stderr) = tokio::join!(read(stdout, size + 1), read(stderr, STDERR_LIMIT));
        (child.wait().await, stdout, stderr)
    };
    let Ok((status, stdout, stderr)) = tokio::time::timeout(limit, finished).await else {
        return Err(format!("timed out after {} s and was stopped", limit.as_secs_f32()));
    };
    let status = status.map_err(|error| format!("has an unknown exit status: {}", crate::words::of_io(&error)))?;
    if status.success() {
        return super::text(stdout);
    }
    // Each line is redacted, too, because a secret may have several lines.
    let printed = String::from_utf8_lossy(&stdout);
    let secrets = std::iter::once(printed.trim()).chain(printed.lines().map(str::trim));
    let said = Redactor::of_all(secrets.map(SecretString::from)).clean(&String::from_utf8_lossy(&stderr));
    let said = if said.is_empty() { "; stderr is empty".to_owned() } else { format!("; stderr: {said}") };
    Err(match status.code() {
        Some(code) => format!("failed with exit code {code}{said}"),
        None => format!("was terminated by a signal{said}"),
    })
}

/// Keeps the first `limit` bytes and reads to the end, so that a full pipe never blocks the program.
async fn read(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return kept };
    // A broken pipe yields its output so far; the exit status shows the failure.
    let _ = (&mut pipe).take(limit).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    kept
}
