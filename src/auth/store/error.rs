//! Why the token store could not be read or written. Names the file, never what stands in it.

use std::io;
use std::path::Path;

use crate::words::word;

/// What is the matter with the token store, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The system says no.
    #[error("token store {path}: cannot {doing}: {why}; nothing was changed")]
    Io { path: String, doing: &'static str, why: String },
    /// The file's new content stands in its place, but may not outlive a power failure.
    #[error("token store {path}: written, but the disk did not confirm it: {why}; check the disk, then run this again")]
    Unconfirmed { path: String, why: String },
    /// Others than the owner may read or write the file.
    #[error("token store {path} is open to other users of this machine; close it with: chmod 600 {}", word(path))]
    Exposed { path: String },
    /// A folder, a device or a pipe.
    #[error("token store {path} is no regular file; name another path under `token_store` in the manifest")]
    NotAFile { path: String },
    /// Some other program's file.
    #[error(
        "{path} is no token store of Hookwright and was left as it is; name another path under `token_store` in the \
         manifest"
    )]
    Foreign { path: String },
    /// A token store that is cut short or was edited by mistake.
    #[error(
        "token store {path} is damaged: {why}; it was left as it is. Repair it, put a backup in its place, or move it \
         away and log in again with `hookwright auth login --shop SHOP`"
    )]
    Damaged { path: String, why: String },
    /// A newer program's file.
    #[error("token store {path} has format {format}, and this program knows format 1; update hookwright")]
    Newer { path: String, format: u64 },
    /// Somebody has held a lock for too long.
    #[error(
        "token store: another process has held the lock {lock} for {seconds} seconds; `lsof` names the process: wait \
         for it or end it, then try again (the file itself locks nothing and may stay)"
    )]
    Busy { lock: String, seconds: u64 },
    /// The program is ending.
    #[error("token store {path}: the program ended before it was read or written; run it again")]
    Stopped { path: String },
}

impl StoreError {
    /// Makes an error of what the system said.
    pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |error| Self::Io { path, doing, why: words(&error) }
    }
}

/// What the system said, without the names of temporary files.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::Unsupported => {
            "this file system cannot do that; keep the token store on a local disk".to_owned()
        }
        _ => {
            let system = error.raw_os_error().map(io::Error::from_raw_os_error);
            crate::words::of_io(&system.unwrap_or_else(|| error.kind().into()))
        }
    }
}
