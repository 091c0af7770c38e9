//! Destinations of lines. One thread per file writes the lines, so that lines which arrive during a write are written
//! together: hundreds of shops share one fsync.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use crate::printer::{self, Form};
use crate::wire::events::{EVENTS_HEAD, NotAJournal, is_journal};

/// Why a file cannot be opened for writing. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The file system reported an error.
    #[error("cannot open {path}: {}", crate::words::of_io(.error))]
    Io { path: String, error: io::Error },
    /// The file is not a journal.
    #[error("{0} was not changed, because it is {1}")]
    NotOurs(String, NotAJournal),
    /// The file is not an event stream.
    #[error("{0} was not changed, because it is not an event stream of Hookwright")]
    NotEvents(String),
    /// The path is a device, a pipe or a folder.
    #[error("{0} is not a regular file")]
    NotAFile(String),
}

/// Number of bytes that are read to recognise a file. The first line of Hookwright's files is shorter.
const HEAD: u64 = 8192;

struct Job {
    text: String,
    done: Option<oneshot::Sender<Result<(), String>>>,
}

/// One file, or standard output.
pub(super) struct Sink {
    jobs: Sender<Job>,
}

impl Sink {
    /// Opens a journal for appending. Rejects a file that is not a journal, and keeps a truncated last line.
    pub(super) fn journal(path: &Path) -> Result<Self, OpenError> {
        let name = || path.display().to_string();
        let failed = |error| OpenError::Io { path: name(), error };
        match std::fs::metadata(path) {
            Ok(there) if !there.is_file() => return Err(OpenError::NotAFile(name())),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > 0 {
            let mut head = Vec::new();
            (&file).take(HEAD).read_to_end(&mut head).map_err(failed)?;
            is_journal(&String::from_utf8_lossy(&head)).map_err(|why| OpenError::NotOurs(name(), why))?;
            let mut last = [0];
            file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(failed)?;
            if last != *b"\n" {
                file.write_all(b"\n").map_err(failed)?;
            }
        }
        file.sync_all().map_err(failed)?;
        // A new file name is on the disk only after its folder is synced.
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(Self::start(move |bytes| file.write_all(bytes).and_then(|()| file.sync_data())))
    }

    /// Opens an event stream, which replaces an earlier one. Rejects a regular file with other content.
    pub(super) fn file(path: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io { path: path.display().to_string(), error };
        if path.is_file() {
            let mut head = Vec::new();
            File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)).map_err(failed)?;
            // Also accepts an empty file, and one that was truncated within its first line.
            let ours = EVENTS_HEAD.as_bytes();
            if !(head.starts_with(ours) || ours.starts_with(&head)) {
                return Err(OpenError::NotEvents(path.display().to_string()));
            }
        }
        let mut file = File::create(path).map_err(failed)?;
        Ok(Self::start(move |bytes| file.write_all(bytes)))
    }

    /// Opens standard output. Ignores errors after the reader has closed it.
    pub(super) fn stdout() -> Self {
        Self::start(|bytes| {
            let mut out = printer::stdout(Form::Json);
            match out.write_all(bytes).and_then(|()| out.flush()) {
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => result,
            }
        })
    }

    pub(super) fn start(write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static) -> Self {
        let (jobs, queue) = channel();
        // If the thread cannot start, all jobs are dropped, and `put_and_wait` returns an error.
        let _ = std::thread::Builder::new().name("lines".to_owned()).spawn(move || work(&queue, write));
        Self { jobs }
    }

    /// Queues lines without waiting.
    pub(super) fn put(&self, text: String) {
        let _ = self.jobs.send(Job { text, done: None });
    }

    /// Queues lines and waits until they and all earlier lines are written. After the first error nothing more is
    /// written, because a line may have been truncated; all later calls return the same error.
    pub(super) async fn put_and_wait(&self, text: String) -> Result<(), String> {
        let (done, answer) = oneshot::channel();
        let _ = self.jobs.send(Job { text, done: Some(done) });
        answer.await.unwrap_or_else(|_| Err("the writer thread is not running".to_owned()))
    }
}

fn work(queue: &Receiver<Job>, mut write: impl FnMut(&[u8]) -> io::Result<()>) {
    let mut broken: Result<(), String> = Ok(());
    while let Ok(first) = queue.recv() {
        let jobs: Vec<Job> = std::iter::once(first).chain(queue.try_iter()).collect();
        let text: String = jobs.iter().map(|job| job.text.as_str()).collect();
        if broken.is_ok() && !text.is_empty() {
            broken = write(text.as_bytes()).map_err(|e| e.to_string());
        }
        for done in jobs.into_iter().filter_map(|job| job.done) {
            let _ = done.send(broken.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn after_an_error_nothing_more_is_written() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let there = Arc::clone(&written);
        let sink = Sink::start(move |bytes| {
            let mut list = there.lock().expect("lock");
            if list.len() == 2 {
                return Err(io::Error::other("disk full"));
            }
            list.push(String::from_utf8_lossy(bytes).into_owned());
            Ok(())
        });
        assert_eq!(sink.put_and_wait("a\n".into()).await, Ok(()));
        sink.put("b\n".into());
        // The thread may write b alone or together with c.
        let _ = sink.put_and_wait("c\n".into()).await;
        let _ = sink.put_and_wait("d\n".into()).await;
        assert_eq!(sink.put_and_wait("e\n".into()).await, Err("disk full".to_owned()));
        let whole = written.lock().expect("lock").concat();
        assert!(whole.starts_with("a\nb\n") && !whole.contains('e'), "{whole}");
    }

    #[test]
    fn a_file_that_is_not_a_journal_is_not_changed() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "my notes").expect("write");
        assert!(matches!(Sink::journal(&path), Err(OpenError::NotOurs(..))));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "my notes");
        assert!(matches!(Sink::journal(folder.path()), Err(OpenError::NotAFile(_))));
        assert!(matches!(Sink::journal(&folder.path().join("no/such/folder")), Err(OpenError::Io { .. })));
    }
}
