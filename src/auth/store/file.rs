//! The file of the token store: read again only after a change, and replaced atomically.
//!
//! Nothing here locks; the caller that replaces the file holds its lock.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::document::{Document, Fault};
use super::error::words;
use super::{StoreError, folder};

/// The maximum size in bytes. A hundred thousand shops need a quarter of it; a larger file is not a token store.
const SIZE_LIMIT: u64 = 256 * 1024 * 1024;
/// The maximum number of symbolic links in a row, as on Linux.
const LINKS: usize = 40;

/// The file of the token store.
pub(super) struct StoreFile {
    path: PathBuf,
    seen: Mutex<Option<Seen>>,
}

/// The content of the file at its last reading.
struct Seen {
    stamp: Stamp,
    document: Arc<Document>,
    /// Kept open, so that the system does not give its inode number to a later file, whose stamp could look the same.
    /// (On systems other than Unix an open file cannot be replaced.)
    #[cfg(unix)]
    _file: File,
}

impl StoreFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default() }
    }

    /// The path as the user wrote it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of the lock `name`, in the folder of locks beside the file (not beside a link to it).
    pub(super) fn lock(&self, name: &str) -> Result<PathBuf, StoreError> {
        let mut locks = OsString::from(target(&self.path).map_err(StoreError::io(&self.path, "be found"))?);
        locks.push(".locks");
        Ok(PathBuf::from(locks).join(name))
    }

    /// Returns the current content of the file.
    pub(super) fn read(&self) -> Result<Arc<Document>, StoreError> {
        let failed = || StoreError::io(&self.path, "be read");
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let there = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *seen = None;
                return Ok(Arc::new(Document::empty()));
            }
            there => there.map_err(failed())?,
        };
        // Checked before opening, because opening a pipe would wait for its other end.
        self.check(&there)?;
        if let Some(seen) = seen.as_ref().filter(|seen| seen.stamp == Stamp::of(&there)) {
            return Ok(Arc::clone(&seen.document));
        }
        *seen = None;
        let mut file = File::open(&self.path).map_err(failed())?;
        let meta = file.metadata().map_err(failed())?;
        self.check(&meta)?;
        let mut text = Vec::new();
        (&mut file).take(SIZE_LIMIT).read_to_end(&mut text).map_err(failed())?;
        let document = Document::parse(&text).map_err(|fault| self.fault(fault))?;
        // Another process may have just replaced the file, and a token must survive a power failure before it is used.
        // If the folder cannot be synced, the file was not just written there.
        let _ = target(&self.path).and_then(|target| folder::sync(folder::of(&target)));
        Ok(Arc::clone(&seen.insert(Seen::new(&meta, document, file)).document))
    }

    /// Replaces the content of the file with `document` in one step. It is on the disk when this returns.
    pub(super) fn replace(&self, document: Document) -> Result<(), StoreError> {
        let failed = || StoreError::io(&self.path, "be written");
        let target = target(&self.path).map_err(failed())?;
        let file = self.write_beside(&target, &document)?;
        // Readers wait, because the new content is available in a moment.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = None;
        let file = file.persist(&target).map_err(|error| failed()(error.error))?;
        let unconfirmed = |error| StoreError::Unconfirmed { path: self.name(), why: words(&error) };
        folder::sync(folder::of(&target)).map_err(unconfirmed)?;
        let meta = file.metadata().map_err(unconfirmed)?;
        *seen = Some(Seen::new(&meta, document, file));
        Ok(())
    }

    /// Performs every step of `replace` except the last, and removes its temporary file: detects a full disk or a
    /// read-only mount.
    pub(super) fn rehearse(&self, document: &Document) -> Result<(), StoreError> {
        let failed = || StoreError::io(&self.path, "be written");
        let target = target(&self.path).map_err(failed())?;
        self.write_beside(&target, document)?.close().map_err(failed())
    }

    /// Writes the document to the disk, beside the target.
    fn write_beside(&self, target: &Path, document: &Document) -> Result<tempfile::NamedTempFile, StoreError> {
        let failed = || StoreError::io(&self.path, "be written");
        let text = document.text().map_err(io::Error::from).map_err(failed())?;
        let mut file = neighbour(target).map_err(failed())?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed())?;
        Ok(file)
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn check(&self, meta: &Metadata) -> Result<(), StoreError> {
        if !meta.is_file() {
            return Err(StoreError::NotAFile { path: self.name() });
        }
        if meta.len() > SIZE_LIMIT {
            return Err(StoreError::Foreign { path: self.name() });
        }
        #[cfg(unix)]
        if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o077 != 0 {
            return Err(StoreError::Exposed { path: self.name() });
        }
        Ok(())
    }

    fn fault(&self, fault: Fault) -> StoreError {
        let path = self.name();
        match fault {
            Fault::Foreign => StoreError::Foreign { path },
            Fault::Newer(format) => StoreError::Newer { path, format },
            Fault::Damaged(why) => StoreError::Damaged { path, why },
        }
    }
}

impl Seen {
    #[cfg_attr(not(unix), expect(unused_variables, clippy::needless_pass_by_value, reason = "kept open on Unix only"))]
    fn new(meta: &Metadata, document: Document, file: File) -> Self {
        Self {
            stamp: Stamp::of(meta),
            document: Arc::new(document),
            #[cfg(unix)]
            _file: file,
        }
    }
}

/// Detects a change of the file without reading it.
#[derive(PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    /// Device, inode, and time of the last change of any kind.
    #[cfg(unix)]
    file: (u64, u64, i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            length: meta.len(),
            modified: meta.modified().ok(),
            #[cfg(unix)]
            file: (meta.dev(), meta.ino(), meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// Resolves symbolic links, also if the target does not exist: replacing a link would leave its target unchanged.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&at) {
            Ok(to) => at = folder::of(&at).join(to),
            Err(_) => return Ok(at),
        }
    }
    Err(io::Error::other("its symbolic links form a loop"))
}

/// Creates a file beside the target that only the owner may access. Its name is constant, so that the file of a killed
/// process is found and removed; only the holder of the lock writes here.
fn neighbour(target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut name = OsString::from(".");
    name.push(target.file_name().ok_or(io::ErrorKind::IsADirectory)?);
    name.push(".new");
    let folder = folder::of(target);
    folder::make_private(folder)?;
    match fs::remove_file(folder.join(&name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(&name).rand_bytes(0);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    builder.tempfile_in(folder)
}
