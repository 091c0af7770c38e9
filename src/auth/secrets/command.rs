//! Runs a program for its standard output, bounded in time and size.
//!
//! Standard output is a secret and never shown; standard error is shown where the program fails, without what stood
//! on standard output.

use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::http::Redactor;

/// Enough of standard error to see what is wrong.
const STDERR_LIMIT: u64 = 64 * 1024;

/// The output of the program, or what went wrong.
pub(super) async fn run(command: &[String], limit: Duration, size: u64) -> Result<SecretString, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("names no program".to_owned()) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("could not be started: {}", crate::words::of_io(&error)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let finished = async {
        let (stdout, stderr) = tokio::join!(read(stdout, size + 1), read(stderr, STDERR_LIMIT));
        (child.wait().await, stdout, stderr)
    };
    let Ok((status, stdout, stderr)) = tokio::time::timeout(limit, finished).await else {
        return Err(format!("did not finish in {} s and was ended", limit.as_secs_f32()));
    };
    let status = status.map_err(|error| format!("could not be waited for: {}", crate::words::of_io(&error)))?;
    if status.success() {
        return super::text(stdout);
    }
    // Each line, too: a secret may have several.
    let printed = String::from_utf8_lossy(&stdout);
    let secrets = std::iter::once(printed.trim()).chain(printed.lines().map(str::trim));
    let said = Redactor::of_all(secrets.map(SecretString::from)).clean(&String::from_utf8_lossy(&stderr));
    let said = if said.is_empty() { "and said nothing".to_owned() } else { format!("and said: {said}") };
    Err(match status.code() {
        Some(code) => format!("failed with exit code {code} {said}"),
        None => format!("was ended by a signal {said}"),
    })
}

/// Keeps the first `limit` bytes and reads on to the end, so that the program is never stuck on a full pipe.
async fn read(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return kept };
    // A pipe that breaks yields what it had; the exit status tells the rest.
    let _ = (&mut pipe).take(limit).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    kept
}
