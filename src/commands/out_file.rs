//! The files that a command writes. They are checked before anything is sent, and written completely or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::files::{is_seed, is_yaml};
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;

/// Refuses an output that is also an input or another output, because it would be overwritten. Opens no file. `outputs` are
/// options with their paths; `-` is standard output. Every YAML file below a folder of `inputs` is an input.
pub(super) fn apart(inputs: &[&Path], outputs: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let named = outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?)));
    let named: Vec<_> = named.filter(|(_, path)| path.as_os_str() != "-").collect();
    let clash = |option: &str, path: &Path, what: &str| {
        Err(Failure::invalid(format!("`{option} {}` {what}; nothing was read or written", path.display()))
            .hint("use another file"))
    };
    for (at, (option, path)) in named.iter().enumerate() {
        let Some(identity) = files::identity(path) else { continue };
        for (other, other_path) in &named[..at] {
            if files::identity(other_path).as_ref() == Some(&identity) {
                return clash(option, path, &format!("is also the file of `{other}`"));
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
                    &format!("would be read as a sandbox seed, because it is beside {}", input.display()),
                );
            }
            if input.is_dir() && is_yaml(path) && files::is_below(path, input) {
                return clash(option, path, &format!("would be read as part of the manifest in {}", input.display()));
            }
        }
    }
    Ok(())
}

/// A file that was checked to be writable.
pub(super) struct OutFile {
    path: PathBuf,
    way: Way,
}

enum Way {
    /// A regular or a new file. A temporary file beside it is renamed to it. The temporary file is created when its content is
    /// complete, so that a killed run leaves none behind.
    Replace(PathBuf),
    /// A device or a pipe, which is not replaced.
    InPlace(std::fs::File),
}

impl OutFile {
    /// Checks that the file can be written. Called before anything is sent, so that a wrong path has no consequences.
    pub(super) fn prepare(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Err(Failure::invalid("`-` is not a file; this option requires the name of a file")
                .hint("to print JSON to standard output, pass `--format json`"));
        }
        let way = way(path).map_err(|e| Failure::invalid(format!("cannot write {}: {}", path.display(), plain(&e))))?;
        Ok(Self { path: path.to_owned(), way })
    }

    /// Writes the text.
    pub(super) fn write(self, text: &str) -> Result<(), Failure> {
        self.write_with(|out| out.write_all(text.as_bytes()))
    }

    /// Writes indented JSON.
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
        // A dangling link: its target is created.
        Err(_) if path.is_symlink() => beside(&path.parent().unwrap_or(Path::new("")).join(path.read_link()?)),
        Err(_) => beside(path),
    }
}

/// Checks that a file can be created there.
fn beside(target: &Path) -> io::Result<Way> {
    // The file has no name if the system supports that, so that a killed run leaves nothing behind.
    tempfile::tempfile_in(files::parent(target))?;
    Ok(Way::Replace(target.to_owned()))
}

fn neighbour(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hookwright-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The umask applies, as for files of other programs.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(files::parent(target))
}

/// Returns the error in words, without the name of the temporary file.
fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        _ if error.kind() == io::ErrorKind::NotFound => "the folder does not exist".to_owned(),
        Some(code) => crate::words::of_io(&io::Error::from_raw_os_error(code)),
        None if error.kind() == io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        None => error.to_string(),
    }
}
