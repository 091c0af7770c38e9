//! Files that a command writes: made sure of before anything is sent, written whole or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Failure;
use crate::exit::Exit;

/// A file that can be written.
pub(super) struct OutFile {
    path: PathBuf,
    way: Way,
}

enum Way {
    /// A regular file, or none yet: a neighbour takes its place in one step.
    Replace(NamedTempFile, PathBuf),
    /// A device or a pipe is written to, never replaced.
    InPlace(std::fs::File),
}

impl OutFile {
    /// Makes sure that the file can be written. Nothing has been sent yet, so a mistake in a path costs nothing.
    pub(super) fn prepare(path: &Path) -> Result<Self, Failure> {
        let way = way(path).map_err(|e| Failure::invalid(format!("cannot write {}: {}", path.display(), plain(&e))))?;
        Ok(Self { path: path.to_owned(), way })
    }

    /// Writes the text.
    pub(super) fn write(self, text: &str) -> Result<(), Failure> {
        self.write_with(|out| out.write_all(text.as_bytes()))
    }

    /// Writes pretty JSON.
    pub(super) fn write_json(self, value: &impl serde::Serialize) -> Result<(), Failure> {
        self.write_with(|out| super::write_json(out, value))
    }

    fn write_with(self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
        let written = match self.way {
            Way::Replace(mut file, target) => write(&mut file)
                .and_then(|()| file.as_file().sync_all())
                .and_then(|()| file.persist(target).map(drop).map_err(|e| e.error)),
            Way::InPlace(mut file) => write(&mut file).and_then(|()| file.flush()),
        };
        written.map_err(|e| Failure::new(Exit::Error, format!("cannot write {}: {}", self.path.display(), plain(&e))))
    }
}

fn way(path: &Path) -> io::Result<Way> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => beside(&path.canonicalize()?),
        Ok(meta) if meta.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        Ok(_) => std::fs::OpenOptions::new().write(true).open(path).map(Way::InPlace),
        // A link to nothing: what it points to is made.
        Err(_) if path.is_symlink() => beside(&path.parent().unwrap_or(Path::new("")).join(path.read_link()?)),
        Err(_) => beside(path),
    }
}

fn beside(target: &Path) -> io::Result<Way> {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hookwright-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any file that a program writes: the umask decides.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    Ok(Way::Replace(builder.tempfile_in(folder)?, target.to_owned()))
}

/// The system's words without the name of the temporary file.
fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code).to_string(),
        None if error.kind() == io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        None if error.kind() == io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        None => error.to_string(),
    }
}
