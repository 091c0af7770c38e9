//! Changes of the file, committed together: those that come while the file is being written wait, and then share one
//! write and one fsync, so that thousands of shops that refresh do not rewrite the file thousands of times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use super::StoreError;
use super::document::Document;
use super::file::StoreFile;
use super::lock::{self, Lock, Patience};

/// The lock of the file. No shop is called so.
const LOCK: &str = "write.lock";
/// The most between two tries for the lock of the file, which is held for a write and no longer.
const BEAT: Duration = Duration::from_millis(10);
/// Between two writes the lock is free for longer than anybody waits between two tries, so that processes take turns.
const TURN: Duration = Duration::from_millis(15);

/// Changes the document, and says so.
pub(super) type Change = Box<dyn FnOnce(&mut Document) -> Did + Send>;

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    Nothing,
    /// The document is another one now.
    Change,
    /// Nothing, but it wants to know that a change would be written.
    Rehearse,
}

type Answer = Result<Did, StoreError>;

struct Job {
    /// `None` once it is made.
    change: Option<Change>,
    /// The shop's lock is freed when the change is on the disk, also when nobody waits for the answer any more.
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

/// The file and who wants to change it.
pub(super) struct Commits {
    file: StoreFile,
    limit: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// Lives as long as somebody writes, who will look here again.
    writer: Weak<()>,
    /// How often the file was replaced.
    writes: usize,
}

impl Commits {
    /// Touches nothing. `limit` is how long the lock is waited for.
    pub(super) fn new(file: StoreFile, limit: Duration) -> Self {
        Self { file, limit, waiting: Mutex::default() }
    }

    pub(super) fn file(&self) -> &StoreFile {
        &self.file
    }

    /// Hands the change in at once, whether or not the future is polled; it yields what the change said, once that is on
    /// the disk.
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
                // While nobody can hand anything in: whoever comes next starts a writer.
                drop(alive);
                return;
            }
        }
    }

    /// Takes the lock and writes what has come until then.
    async fn write(self: &Arc<Self>) -> Result<(), StoreError> {
        let lock = lock::take(self.file.lock(LOCK)?, Patience { beat: BEAT, limit: self.limit }, None).await?;
        let me = Arc::clone(self);
        tokio::task::spawn_blocking(move || me.commit(lock)).await.map_err(|_| self.stopped())
    }

    /// On a thread that may block.
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
    /// How often this process replaced the file.
    pub(super) fn writes(&self) -> usize {
        self.waiting().writes
    }

    /// Whether a change waits to be written.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting().jobs.is_empty()
    }
}
