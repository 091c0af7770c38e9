//! Reports progress on stderr: a bar over the shops on a terminal, plain lines otherwise.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::printer::{self, Form};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The minimum interval between progress lines if stderr is not a terminal.
const EVERY: Duration = Duration::from_secs(10);

/// How much progress a run reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// A bar on a terminal, lines otherwise.
    Normal,
    /// A bar on a terminal, nothing otherwise, because cron mails any output.
    TerminalOnly,
    /// No progress.
    Quiet,
}

/// Counts the finished shops of each phase of a run.
pub(crate) struct Progress {
    phase: Mutex<(&'static str, usize)>,
    done: AtomicUsize,
    failed: AtomicUsize,
    bar: Option<ProgressBar>,
    lines: Option<Mutex<Instant>>,
}

impl Progress {
    /// Creates a progress reporter before the first phase.
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && verbosity != Verbosity::Quiet).then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} shops {prefix}, {rate}  {wide_msg}");
            let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{:.0} per second", state.per_sec());
            };
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
            bar
        });
        let lines = (!terminal && verbosity == Verbosity::Normal).then(|| Mutex::new(Instant::now()));
        Self { phase: Mutex::new(("", 0)), done: AtomicUsize::new(0), failed: AtomicUsize::new(0), bar, lines }
    }

    /// Starts a phase over `total` shops. `verb` is a past participle: `read`, `applied`.
    pub(crate) fn start(&self, verb: &'static str, total: usize) {
        if let Ok(mut phase) = self.phase.lock() {
            *phase = (verb, total);
        }
        self.done.store(0, Ordering::Relaxed);
        self.failed.store(0, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.set_length(total as u64);
            bar.set_message("");
            bar.set_prefix(verb);
        }
    }

    /// Counts a finished shop; `well` is false if it failed.
    pub(crate) fn tick(&self, well: bool) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let failed = self.failed.fetch_add(usize::from(!well), Ordering::Relaxed) + usize::from(!well);
        let (verb, total) = self.phase.lock().map_or(("", 0), |phase| *phase);
        if let Some(bar) = &self.bar {
            if failed > 0 {
                bar.set_prefix(format!("processed, {failed} failed"));
            }
            bar.inc(1);
        }
        self.line(|| progress_line(verb, total, done, failed));
    }

    /// Reports that a shop or a service waits for `duration`.
    pub(crate) fn wait(&self, who: &str, duration: Duration, reason: &str) {
        let text = format!("{who} waits {:.1} s: {reason}", duration.as_secs_f64());
        if let Some(bar) = &self.bar {
            bar.set_message(text.clone());
        }
        self.line(|| text);
    }

    /// Prints a line before the first phase, unless this run reports no progress.
    pub(crate) fn remark(&self, text: &str) {
        if self.bar.is_some() || self.lines.is_some() {
            let _ = writeln!(printer::stderr(Form::Text), "{text}");
        }
    }

    fn line(&self, text: impl FnOnce() -> String) {
        let Some(lines) = &self.lines else { return };
        let Ok(mut last) = lines.lock() else { return };
        if last.elapsed() >= EVERY {
            *last = Instant::now();
            let _ = writeln!(printer::stderr(Form::Text), "{}", text());
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Returns `37 of 40 shops read, 3 failed`. Failed shops are not counted as read.
fn progress_line(verb: &str, total: usize, done: usize, failed: usize) -> String {
    let well = done.saturating_sub(failed);
    let failures = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{well} of {total} shop{} {verb}{failures}", if total == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_that_failed_is_not_counted_as_done() {
        assert_eq!(progress_line("read", 40, 37, 0), "37 of 40 shops read");
        assert_eq!(progress_line("read", 3, 3, 3), "0 of 3 shops read, 3 failed");
        assert_eq!(progress_line("applied", 1, 1, 0), "1 of 1 shop applied");
    }
}
