//! Records a run while it is in progress: in the journal, which is on the disk before a mutation is sent, and in the
//! event stream.

mod sink;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::wire::events::{Event, FORMAT_VERSION, Line, Step, StepOutcome, Stream, Version};
pub(crate) use sink::OpenError;
use sink::Sink;

/// Writes the lines of one run to the journal and the event stream, if these are open.
pub(crate) struct Recorder {
    run: String,
    now: fn() -> jiff::Timestamp,
    journal: Option<Sink>,
    events: Option<Sink>,
    /// Whether the journal contains a line of this run.
    begun: AtomicBool,
}

impl Recorder {
    /// Opens the journal and the event stream. The path `-` for events means standard output.
    pub(crate) fn open(
        journal: Option<&Path>,
        events: Option<&Path>,
        now: fn() -> jiff::Timestamp,
    ) -> Result<Self, OpenError> {
        // The journal is opened first: if this fails, the file of events is not truncated.
        let journal = journal.map(Sink::journal).transpose()?;
        let events = match events {
            Some(path) if path.as_os_str() == "-" => Some(Sink::stdout()),
            Some(path) => Some(Sink::file(path)?),
            None => None,
        };
        // The random part distinguishes runs of the same second.
        let run = format!("{}-{:08x}", now().strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..));
        let recorder = Self { run, now, journal, events, begun: AtomicBool::new(false) };
        recorder.event(recorder.version(Stream::Events, None));
        Ok(recorder)
    }

    fn version(&self, stream: Stream, plan_digest: Option<String>) -> Event {
        Event::Version(Version {
            stream,
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: (self.now)().to_string(),
            plan_digest,
        })
    }

    fn text(&self, event: Event) -> String {
        let line = Line { event, at: (self.now)().to_string(), run: self.run.clone() };
        serde_json::to_string(&line).map(|text| text + "\n").unwrap_or_default()
    }

    /// Writes the first line of this run to the journal.
    pub(crate) async fn begin(&self, plan_digest: &str) -> Result<(), String> {
        let Some(journal) = &self.journal else { return Ok(()) };
        self.begun.store(true, Ordering::SeqCst);
        journal.put_and_wait(self.text(self.version(Stream::Journal, Some(plan_digest.to_owned())))).await
    }

    /// Writes a line to the event stream only.
    pub(crate) fn event(&self, event: Event) {
        if let Some(events) = &self.events {
            events.put(self.text(event));
        }
    }

    /// Writes the steps that are about to be sent. They must not be sent before this returns `Ok`.
    pub(crate) async fn intents(&self, steps: Vec<Step>) -> Result<(), String> {
        if let Some(journal) = &self.journal {
            let lines = steps.iter().map(|step| self.text(Event::Intent(step.clone())));
            journal.put_and_wait(lines.collect()).await?;
        }
        for step in steps {
            self.event(Event::ApplyStart(step));
        }
        Ok(())
    }

    /// Writes outcomes. The changes are already made, so an error of the journal is reported at the end.
    pub(crate) async fn outcomes(&self, outcomes: Vec<StepOutcome>) {
        if let Some(journal) = &self.journal {
            let lines = outcomes.iter().map(|outcome| self.text(Event::Outcome(outcome.clone())));
            let _ = journal.put_and_wait(lines.collect()).await;
        }
        self.outcomes_of_untouched(outcomes);
    }

    /// Writes outcomes of a shop to which nothing was sent, to the event stream only.
    pub(crate) fn outcomes_of_untouched(&self, outcomes: Vec<StepOutcome>) {
        for outcome in outcomes {
            self.event(Event::ApplyOutcome(outcome));
        }
    }

    /// Fails if a previous line was not written.
    pub(crate) async fn health(&self) -> Result<(), String> {
        self.both(String::new()).await
    }

    /// Writes the last line to the journal and the event stream. Fails if a line was not written.
    pub(crate) async fn end(&self, summary: crate::wire::events::Summary) -> Result<(), String> {
        self.both(self.text(Event::Summary(summary))).await
    }

    async fn both(&self, text: String) -> Result<(), String> {
        let journal = self.journal.as_ref().filter(|_| self.begun.load(Ordering::SeqCst));
        for (what, sink) in [("the journal", journal), ("the events", self.events.as_ref())] {
            if let Some(sink) = sink {
                let written = sink.put_and_wait(text.clone()).await;
                written.map_err(|why| format!("{what} could not be written completely: {why}"))?;
            }
        }
        Ok(())
    }
}
