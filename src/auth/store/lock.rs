//! Locks between processes, and between two stores in one process.
//!
//! A lock is the system's lock on an empty file, so that a killed process releases it. The files are never deleted: a
//! process that opened a file just before its deletion would hold a lock that no other process can see.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::StoreError;
use super::folder::make_private;

/// How to wait for a lock. The system's own blocking wait would occupy a thread and delay the end of the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The longest pause between two attempts.
    pub(super) beat: Duration,
    /// The maximum total wait, after which `StoreError::Busy` is returned.
    pub(super) limit: Duration,
}

/// The first pause between two attempts; each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// A lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file also releases the lock, but on Windows with a delay.
        let _ = self.file.unlock();
    }
}

/// Takes the lock at `path`. `permits` bounds the number of held locks; no permit is kept while waiting, so that a shop
/// that another process holds does not block other shops.
pub(super) async fn take(
    path: PathBuf,
    patience: Patience,
    permits: Option<&Arc<Semaphore>>,
) -> Result<Lock, StoreError> {
    let path = Arc::new(path);
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE.min(patience.beat));
    loop {
        let permit = match permits {
            Some(permits) => Some(Arc::clone(permits).acquire_owned().await.map_err(|_| stopped(&path))?),
            None => None,
        };
        let at = Arc::clone(&path);
        let tried = tokio::task::spawn_blocking(move || attempt(&at)).await.map_err(|_| stopped(&path))?;
        if let Some(file) = tried.map_err(StoreError::io(&path, "be locked"))? {
            return Ok(Lock { file, _permit: permit });
        }
        drop(permit);
        if waited >= patience.limit {
            return Err(StoreError::Busy { lock: path.display().to_string(), seconds: patience.limit.as_secs() });
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(patience.beat);
    }
}

/// Tries once. Returns `None` if another process or store holds the lock.
fn attempt(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    // NFS locks only files that are open for writing.
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                make_private(folder)?;
            }
            options.open(path)?
        }
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn stopped(path: &Path) -> StoreError {
    StoreError::Stopped { path: path.display().to_string() }
}
