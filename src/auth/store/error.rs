//! Why the token store cannot be read or written. Names the file, never its content.

use std::io;
use std::path::Path;

use crate::words::word;

/// A problem of the token store, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// The operating system reported an error.
    #[error("token store {path} cannot {doing}: {why}. Nothing was changed")]
    Io { path: String, doing: &'static str, why: String },
    /// The file was replaced, but its new content may not survive a power failure.
    #[error(
        "token store {path} was written, but may not be on the disk: {why}. Check the disk, then run this command again"
    )]
    Unconfirmed { path: String, why: String },
    /// Users other than the owner may read or write the file.
    #[error("token store {path} is accessible to other users of this machine. Run `chmod 600 {}`", word(path))]
    Exposed { path: String },
    /// A folder, a device or a pipe.
    #[error("token store {path} is not a regular file. Set another path under `token_store` in the manifest")]
    NotAFile { path: String },
    /// A file of another program.
    #[error(
        "{path} is not a token store of Hookwright and was not changed. Set another path under `token_store` in the \
         manifest"
    )]
    Foreign { path: String },
    /// A token store that is truncated or was edited by mistake.
    #[error(
        "token store {path} is damaged: {why}. It was not changed. Repair it, restore a backup, or move it away and \
         run `hookwright auth login --shop SHOP`"
    )]
    Damaged { path: String, why: String },
    /// A file of a later version.
    #[error(
        "token store {path} has format {format}, but this version of Hookwright supports format 1. Update Hookwright"
    )]
    Newer { path: String, format: u64 },
    /// Another process has held a lock for too long.
    #[error(
        "timed out after {seconds} seconds waiting for the lock {lock} of the token store, which another process \
         holds. To find the process, run `lsof {}`; wait for it or end it, then try again (do not delete the lock \
         file)",
        word(lock)
    )]
    Busy { lock: String, seconds: u64 },
    /// The process is ending.
    #[error("token store {path}: Hookwright ended before it was read or written. Run the command again")]
    Stopped { path: String },
}

impl StoreError {
    /// Creates an error from the operating system's.
    pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |error| Self::Io { path, doing, why: words(&error) }
    }
}

/// Describes an error of the operating system, without the names of temporary files.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the file or folder does not exist".to_owned(),
        io::ErrorKind::Unsupported => {
            "the file system does not support this operation; keep the token store on a local disk".to_owned()
        }
        _ => {
            let system = error.raw_os_error().map(io::Error::from_raw_os_error);
            crate::words::of_io(&system.unwrap_or_else(|| error.kind().into()))
        }
    }
}
