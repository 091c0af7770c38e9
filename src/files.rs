//! Reads regular files up to a maximum size, and files that a manifest names only inside its folder or repository.
//!
//! A pull request can change the paths in a manifest, and `validate` runs on pull requests from forks. So a path in a
//! manifest must not give access to other files of the machine, or reveal whether they exist.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

/// The maximum size of a plan, a report, a journal or another file that Hookwright writes, in bytes.
pub(crate) const OWN: u64 = 2 << 30;
/// The maximum size of a file that users write, such as a manifest or an app's configuration, in bytes.
pub(crate) const WRITTEN: u64 = 64 << 20;

/// Why a file cannot be read. Never contains its content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The file does not exist.
    #[error("file not found")]
    Missing,
    /// A folder, a device, a pipe, a socket or a virtual file of the kernel.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// The file is larger than the limit, in bytes.
    #[error("it is larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// The operating system returned an error.
    #[error("{}", crate::words::of_io(.0))]
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Missing => io::ErrorKind::NotFound.into(),
            ReadError::Io(error) => error,
            error => Self::other(error.to_string()),
        }
    }
}

/// Reads a regular file of at most `limit` bytes. Other files are not opened: a pipe would wait for a writer, and a
/// device may have no end.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    regular(path)?;
    bounded(path, limit)
}

/// Reads a file that the user named, which may be a pipe (`-f <(kustomize build)`), of at most `limit` bytes.
pub(crate) fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(ReadError::TooLarge(limit)) } else { Ok(bytes) }
}

/// Checks that a path is a regular file. Files in /proc and /sys claim to be regular, but some of them have no end.
pub(crate) fn regular(path: &Path) -> Result<(), ReadError> {
    let meta = fs::metadata(path)?;
    let kind = meta.file_type();
    if meta.is_dir() {
        return Err(ReadError::NotRegular("a folder"));
    }
    if !kind.is_file() {
        return Err(ReadError::NotRegular(special(kind)));
    }
    let real = path.canonicalize()?;
    if ["/proc", "/sys"].iter().any(|made_up| real.starts_with(made_up)) {
        return Err(ReadError::NotRegular("a virtual file of the kernel"));
    }
    Ok(())
}

#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_: fs::FileType) -> &'static str {
    "a device"
}

/// Reads a regular file of UTF-8 text, as [`read`].
pub(crate) fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// The folders in which a manifest may name files: the folders that the user named, or the repositories that contain
/// them.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    roots: BTreeSet<PathBuf>,
}

/// Why a file that a manifest names cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    /// The file is outside the folders, directly or through a link. The message does not reveal whether it exists.
    #[error("it is outside the folder or repository of the manifest, directly or through a link")]
    Outside,
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Tree {
    /// Allows a manifest that the user named, a file or a folder, to name files in its folder or repository.
    pub(crate) fn admit(&mut self, given: &Path) {
        let folder = if given.is_dir() { given } else { parent(given) };
        let Some(folder) = resolve(folder) else { return };
        let repository = folder.ancestors().find(|folder| folder.join(".git").exists());
        self.roots.insert(repository.unwrap_or(&folder).to_owned());
    }

    /// Reads a regular file inside the folders, with links resolved.
    pub(crate) fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, TreeError> {
        // Reads the path without links, which is the one that was checked.
        Ok(read(&self.within(path)?, limit)?)
    }

    /// Returns the path without links, if it is inside the folders.
    pub(crate) fn within(&self, path: &Path) -> Result<PathBuf, TreeError> {
        let real = resolve(path).ok_or(TreeError::Outside)?;
        if self.roots.iter().any(|root| real.starts_with(root)) { Ok(real) } else { Err(TreeError::Outside) }
    }
}

/// Returns whether a path is inside a folder, with links resolved. The path need not exist.
pub(crate) fn is_inside(folder: &Path, path: &Path) -> bool {
    resolve(folder).zip(resolve(path)).is_some_and(|(folder, path)| path.starts_with(folder))
}

/// Returns the folder of a path.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The maximum number of links to follow, as in Linux.
const LINKS: usize = 40;

/// Returns the absolute path without links, `.` and `..`, whether it exists or not, so that the result does not reveal
/// which files exist. `None` for a cycle of links.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut real = PathBuf::new();
    let absolute = std::path::absolute(path).ok()?;
    // `absolute` keeps `..`, which must be resolved after the links before it.
    let mut rest: Vec<PathBuf> = parts(&absolute);
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.components().next() {
            Some(Component::ParentDir) => drop(real.pop()),
            Some(Component::CurDir) | None => {}
            Some(_) => {
                real.push(&part);
                if let Ok(target) = fs::read_link(&real) {
                    links += 1;
                    if links > LINKS {
                        return None;
                    }
                    real.pop();
                    rest.extend(parts(&target));
                }
            }
        }
    }
    Some(real)
}

/// Returns the components of a path in reverse order. Pushing the root of an absolute path restarts at the root.
fn parts(path: &Path) -> Vec<PathBuf> {
    path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect()
}

/// Identifies a file, to find out whether two paths name the same file: the file itself if it exists, otherwise its
/// path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Device and inode, which are the same for all hard links.
    File(u64, u64),
    Place(PathBuf),
}

/// Returns the identity of a file. `None` for a file that is not regular, because two outputs may share a terminal or
/// /dev/null.
pub(crate) fn identity(path: &Path) -> Option<Identity> {
    match fs::metadata(path) {
        Ok(meta) if !meta.is_file() => None,
        #[cfg(unix)]
        Ok(meta) => {
            use std::os::unix::fs::MetadataExt as _;
            Some(Identity::File(meta.dev(), meta.ino()))
        }
        _ => resolve(path).map(Identity::Place),
    }
}

/// Whether a path is inside a folder, with links resolved.
pub(crate) fn is_below(path: &Path, folder: &Path) -> bool {
    matches!((resolve(path), resolve(folder)), (Some(path), Some(folder)) if path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_manifest_reads_only_files_inside_its_tree() {
        use std::os::unix::fs::symlink;
        let top = tempfile::tempdir().expect("folder");
        let at = |name: &str| top.path().join(name);
        for folder in ["repo/.git", "repo/shops", "plain/inner", "outside"] {
            fs::create_dir_all(at(folder)).expect("folder");
        }
        for file in ["repo/app.toml", "repo/shops/a.yaml", "plain/b.toml", "outside/secret"] {
            fs::write(at(file), file).expect("file");
        }
        for (link, target) in [
            ("repo/out", "../outside"),
            ("repo/out.toml", "../outside/secret"),
            ("repo/dangling.toml", "../outside/nothing"),
            ("repo/in.toml", "app.toml"),
            ("repo/absolute.toml", "/etc/hostname"),
            ("repo/circle", "circle"),
            ("outside/back", "../repo"),
        ] {
            symlink(target, at(link)).expect("link");
        }
        let mut tree = Tree::default();
        tree.admit(&at("repo/shops"));
        let read = |name: &str| tree.read(&at(name), 1000).map_err(|error| error.to_string());
        for inside in ["repo/app.toml", "repo/shops/../app.toml", "repo/in.toml", "outside/back/app.toml"] {
            assert!(read(inside).is_ok(), "{inside}");
        }
        let outside = TreeError::Outside.to_string();
        for elsewhere in [
            "outside/secret",
            "outside/nothing",
            "repo/out/secret",
            "repo/out/nothing",
            "repo/out.toml",
            "repo/dangling.toml",
            "repo/absolute.toml",
            "repo/circle",
            "repo/shops/../../outside/secret",
            "repo-2/app.toml",
            "plain/b.toml",
        ] {
            assert_eq!(read(elsewhere), Err(outside.clone()), "{elsewhere}");
        }
        assert_eq!(read("repo/nothing"), Err("file not found".to_owned()));
        assert_eq!(read("repo/shops"), Err("it is a folder, not a regular file".to_owned()));
        // Without a repository, only the folder itself is allowed.
        let mut tree = Tree::default();
        tree.admit(&at("plain/inner"));
        assert!(matches!(tree.within(&at("plain/b.toml")), Err(TreeError::Outside)));
    }

    #[cfg(unix)]
    #[test]
    fn irregular_files_are_not_opened_and_large_files_are_not_read() {
        let folder = tempfile::tempdir().expect("folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("socket");
        let said = |path: &Path| read(path, 4).map_err(|error| error.to_string());
        assert_eq!(said(&pipe), Err("it is a pipe, not a regular file".to_owned()));
        assert_eq!(said(&folder.path().join("socket")), Err("it is a socket, not a regular file".to_owned()));
        assert_eq!(said(Path::new("/dev/zero")), Err("it is a device, not a regular file".to_owned()));
        if Path::new("/proc/self/environ").exists() {
            assert_eq!(
                said(Path::new("/proc/self/environ")),
                Err("it is a virtual file of the kernel, not a regular file".to_owned())
            );
        }
        fs::write(folder.path().join("long"), "12345").expect("file");
        assert_eq!(said(&folder.path().join("long")), Err("it is larger than 0 MiB".to_owned()));
        fs::write(folder.path().join("fits"), "1234").expect("file");
        assert_eq!(said(&folder.path().join("fits")), Ok(b"1234".to_vec()));
    }

    #[test]
    fn two_names_of_one_file_are_identical() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").expect("file");
        fs::hard_link(at("a"), at("b")).expect("link");
        assert_eq!(identity(&at("a")), identity(&at("b")));
        assert_eq!(identity(&at("new")), identity(&at("./x/../new")));
        assert_ne!(identity(&at("new")), identity(&at("a")));
        assert_eq!(identity(folder.path()), None);
    }
}
