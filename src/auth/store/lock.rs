//! Locks that hold between processes, and between two stores in one.
//!
//! A lock is the system's lock on an empty file, so that a killed process frees its own. The files are never deleted:
//! whoever opened one just before it went would hold a lock that nobody else can see.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::StoreError;
use super::folder::make_private;

/// How a lock is waited for. The system's own waiting would hold a thread, and the end of the program with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The most that lies between two tries.
    pub(super) beat: Duration,
    /// Waiting ends here, with `StoreError::Busy`.
    pub(super) limit: Duration,
}

/// The first pause between two tries; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file frees the lock, too, but Windows takes its time with that.
        let _ = self.file.unlock();
    }
}

/// Takes the lock at `path`. `permits` bounds how many are held at a time; none is kept while waiting, so that a shop
/// that another process is busy with keeps no other shop from its turn.
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
        if let Some(file) = tried.map_err(StoreError::io(&path, "take its lock"))? {
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

/// `None` if somebody else holds it.
fn attempt(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    // NFS locks only what is open for writing.
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
