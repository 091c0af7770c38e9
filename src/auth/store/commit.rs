//! Group commit of the file: changes that arrive during a write wait, then share one write and one fsync, so that
//! thousands of shops that refresh do not rewrite the file thousands of times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use super::StoreError;
use super::document::Document;
use super::file::StoreFile;
use super::lock::{self, Lock, Patience};

/// The name of the file's lock. A shop cannot have this name.
const LOCK: &str = "write.lock";
/// The longest pause between two attempts to take the file's lock, which is held for one write only.
const BEAT: Duration = Duration::from_millis(10);
/// The pause between two writes. It is longer than the pause between two attempts, so that processes take turns.
const TURN: Duration = Duration::from_millis(15);

/// A change of the document. Returns its effect.
pub(super) type Change = Box<dyn FnOnce(&mut Document) -> Did + Send>;

/// The effect of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    Nothing,
    /// The document was changed.
    Change,
    /// The document was not changed, but a write must be rehearsed.
    Rehearse,
}

type Answer = Result<Did, StoreError>;

struct Job {
    /// `None` after it was applied.
    change: Option<Change>,
    /// The shop's lock, released after the change is on the disk, even if nothing waits for the answer.
    lock: Option<Lock>,
    done: oneshot::Sender<Answer>,
}

impl Job {
    fn carry_out(&mut self, document: &mut Document) -> Did {
        self.change.take().map_or(Did::Nothing, |change| change(document))
    }

    fn answer(self, answer: Answer) {
        drop(self.lock);
        let _ = self.done.send(answer);
    }
}

/// The file and its pending changes.
pub(super) struct Commits {
    file: StoreFile,
    limit: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// Alive while a writer runs, which will take the pending jobs.
    writer: Weak<()>,
    /// The number of times that the file was replaced.
    writes: usize,
}

impl Commits {
    /// Creates the queue without touching the file. `limit`: the longest wait for the lock.
    pub(super) fn new(file: StoreFile, limit: Duration) -> Self {
        Self { file, limit, waiting: Mutex::default() }
    }

    pub(super) fn file(&self) -> &StoreFile {
        &self.file
    }

    /// Queues the change at once, whether or not the future is polled. The future yields the effect of the change after
    /// it is on the disk.
    pub(super) fn submit(
        self: &Arc<Self>,
        change: Change,
        lock: Option<Lock>,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let (done, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            waiting.jobs.push(Job { change: Some(change), lock, done });
            if waiting.writer.strong_count() == 0 {
                let alive = Arc::new(());
                waiting.writer = Arc::downgrade(&alive);
                tokio::spawn(Arc::clone(self).work(alive));
            }
        }
        let me = Arc::clone(self);
        async move { answer.await.unwrap_or_else(|_| Err(me.stopped())) }
    }

    async fn work(self: Arc<Self>, alive: Arc<()>) {
        loop {
            if let Err(error) = self.write().await {
                let jobs = std::mem::take(&mut self.waiting().jobs);
                for job in jobs {
                    job.answer(Err(error.clone()));
                }
            }
            tokio::time::sleep(TURN).await;
            let waiting = self.waiting();
            if waiting.jobs.is_empty() {
                // Dropped while the queue is locked: the next submission starts a writer.
                drop(alive);
                return;
            }
        }
    }

    /// Takes the lock and writes the changes that are pending by then.
    async fn write(self: &Arc<Self>) -> Result<(), StoreError> {
        let lock = lock::take(self.file.lock(LOCK)?, Patience { beat: BEAT, limit: self.limit }, None).await?;
        let me = Arc::clone(self);
        tokio::task::spawn_blocking(move || me.commit(lock)).await.map_err(|_| self.stopped())
    }

    /// Runs on a thread that may block.
    fn commit(&self, lock: Lock) {
        let mut jobs = std::mem::take(&mut self.waiting().jobs);
        let result = self.carry_out(&mut jobs);
        drop(lock);
        let answers = match result {
            Ok(did) => did.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); jobs.len()],
        };
        for (job, answer) in jobs.into_iter().zip(answers) {
            job.answer(answer);
        }
    }

    fn carry_out(&self, jobs: &mut [Job]) -> Result<Vec<Did>, StoreError> {
        let mut document = Document::clone(&*self.file.read()?);
        let did: Vec<Did> = jobs.iter_mut().map(|job| job.carry_out(&mut document)).collect();
        if did.contains(&Did::Change) {
            self.file.replace(document)?;
            let writes = {
                let mut waiting = self.waiting();
                waiting.writes += 1;
                waiting.writes
            };
            tracing::debug!(changes = did.len(), writes, "token store written");
        } else if did.contains(&Did::Rehearse) {
            self.file.rehearse(&document)?;
        }
        Ok(did)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> StoreError {
        StoreError::Stopped { path: self.file.path().display().to_string() }
    }
}

#[cfg(test)]
impl Commits {
    /// Returns how often this process replaced the file.
    pub(super) fn writes(&self) -> usize {
        self.waiting().writes
    }

    /// Returns whether a change waits to be written.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting().jobs.is_empty()
    }
}
