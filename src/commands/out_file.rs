//! Files that a command writes: made sure of before anything is sent, written whole or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::files::{is_seed, is_yaml};
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;

/// Refuses an output that is also an input or another output, before anything is opened: it would be lost. `outputs` come
/// with the options that name them; `-` is standard output. Below a folder of `inputs` every YAML file is read.
pub(super) fn apart(inputs: &[&Path], outputs: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let named = outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?)));
    let named: Vec<_> = named.filter(|(_, path)| path.as_os_str() != "-").collect();
    let clash = |option: &str, path: &Path, what: &str| {
        Err(Failure::invalid(format!("{option} {} {what}: nothing was read or written", path.display()))
            .hint("name another file"))
    };
    for (at, (option, path)) in named.iter().enumerate() {
        let Some(identity) = files::identity(path) else { continue };
        for (other, other_path) in &named[..at] {
            if files::identity(other_path).as_ref() == Some(&identity) {
                return clash(option, path, &format!("is also the file of {other}"));
            }
        }
        for input in inputs {
            if files::identity(input).as_ref() == Some(&identity) {
                return clash(option, path, "is also an input of this command");
            }
            if is_seed(path) && !input.is_dir() && files::is_below(path, files::parent(input)) {
                return clash(
                    option,
                    path,
                    &format!("would be read as a seed of the sandbox beside {}", input.display()),
                );
            }
            if input.is_dir() && is_yaml(path) && files::is_below(path, input) {
                return clash(option, path, &format!("would be read as a part of the manifest in {}", input.display()));
            }
        }
    }
    Ok(())
}

/// A file that can be written.
pub(super) struct OutFile {
    path: PathBuf,
    way: Way,
}

enum Way {
    /// A regular file, or none yet: a neighbour takes its place in one step. It is made when all is there to be written,
    /// so that a run that is killed leaves none behind.
    Replace(PathBuf),
    /// A device or a pipe is written to, never replaced.
    InPlace(std::fs::File),
}

impl OutFile {
    /// Makes sure that the file can be written. Nothing has been sent yet, so a mistake in a path costs nothing.
    pub(super) fn prepare(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Err(Failure::invalid("`-` is no file: an option that writes a file needs its name")
                .hint("--format json prints to standard output"));
        }
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
            Way::Replace(target) => neighbour(&target).and_then(|mut file| {
                write(&mut file)?;
                file.as_file().sync_all()?;
                file.persist(target).map(drop).map_err(|e| e.error)
            }),
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

/// Makes sure that a file can be made there.
fn beside(target: &Path) -> io::Result<Way> {
    // Without a name, where the system has such files: a kill at this moment leaves nothing, either.
    tempfile::tempfile_in(files::parent(target))?;
    Ok(Way::Replace(target.to_owned()))
}

fn neighbour(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hookwright-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any file that a program writes: the umask decides.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(files::parent(target))
}

/// The system's words without the name of the temporary file.
fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        _ if error.kind() == io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        Some(code) => crate::words::of_io(&io::Error::from_raw_os_error(code)),
        None if error.kind() == io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        None => error.to_string(),
    }
}
