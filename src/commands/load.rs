//! Reads the files of a manifest: the only place where the manifest touches the disk.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cli::DEFAULT_MANIFEST;
use crate::diagnostic::{Code, Diagnostic, Place, Sources};
use crate::manifest::{self, Loaded, Options, SourceFile};

/// Largest file that is read as a manifest.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The files of one run.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Manifest files, in the order given, folders sorted; each once.
    pub files: Vec<SourceFile>,
    /// `*.sandbox.yaml` beside a given file or below a given folder, sorted. Never manifests.
    pub sandbox_seeds: Vec<PathBuf>,
    /// What could not be read.
    pub problems: Vec<Diagnostic>,
}

/// Finds, reads and loads the manifest at `paths` (`hookwright.yaml` if there is none).
pub(super) fn load(paths: &[PathBuf], options: &Options) -> (Loaded, Vec<PathBuf>) {
    let Found { files, sandbox_seeds, problems } = find(paths);
    if !problems.is_empty() {
        // A part of the manifest is no manifest: what is there is not judged without the rest.
        let loaded = Loaded { manifest: None, diagnostics: problems, sources: Sources::default() };
        return (loaded, sandbox_seeds);
    }
    (manifest::load_with(files, options, &named), sandbox_seeds)
}

/// Finds and reads the files.
pub(super) fn find(paths: &[PathBuf]) -> Found {
    let default = [PathBuf::from(DEFAULT_MANIFEST)];
    let given = if paths.is_empty() { &default } else { paths };
    let mut search = Search::default();
    for path in given {
        search.given(path);
    }
    let Search { found, seeds, .. } = search;
    Found { sandbox_seeds: seeds.into_iter().collect(), ..found }
}

#[derive(Default)]
struct Search {
    found: Found,
    seen: BTreeSet<PathBuf>,
    seeds: BTreeSet<PathBuf>,
}

impl Search {
    fn given(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {
                let before = self.found.files.len() + self.found.problems.len();
                let mut any = false;
                self.folder(path, &mut any);
                if !any && self.found.files.len() + self.found.problems.len() == before {
                    self.problem(path, "the folder has no YAML file", "manifests are named *.yaml or *.yml there");
                }
            }
            Ok(_) => {
                self.file(path);
                let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
                for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                    if is_seed(&entry.path()) {
                        self.seeds.insert(plain(&entry.path()));
                    }
                }
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn folder(&mut self, folder: &Path, any: &mut bool) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(folder, &error),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            // A link is followed to a file, never to a folder: that could be a loop.
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if hidden {
            } else if meta.is_dir() {
                self.folder(&path, any);
            } else if is_seed(&path) {
                self.seeds.insert(plain(&path));
            } else if is_yaml(&path) && path.is_file() {
                *any = true;
                self.file(&plain(&path));
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let identity = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert(identity) {
            return;
        }
        match read(path) {
            Ok(Some(bytes)) => {
                self.found.files.push(SourceFile { path: path.display().to_string(), bytes });
            }
            Ok(None) => {
                let hint = "split it into several files";
                self.problem(path, "the file is larger than 64 MiB", hint);
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            let reason = match error.kind() {
                io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
                _ => error.to_string(),
            };
            return self.problem(path, &format!("the file cannot be read: {reason}"), "check its permissions");
        }
        let hint = if path == Path::new(DEFAULT_MANIFEST) {
            "`hookwright init` writes a first manifest; -f names another file or folder"
        } else {
            "check the path after -f; without -f the manifest is hookwright.yaml, and `hookwright init` writes one"
        };
        self.problem(path, "there is no such file or folder", hint);
    }

    fn problem(&mut self, path: &Path, message: &str, hint: &str) {
        let place = Place::file(&path.display().to_string());
        self.found.problems.push(Diagnostic::new(Code::File, place, message).hint(hint));
    }
}

/// A file that a manifest names.
fn named(path: &str) -> Result<Vec<u8>, String> {
    match read(Path::new(path)) {
        Ok(bytes) => bytes.ok_or_else(|| "it is larger than 64 MiB".to_owned()),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            _ => error.to_string(),
        }),
    }
}

/// `None`: too large. Reads a bit more than allowed at most, also from a pipe or a device.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MAX_FILE_BYTES).then_some(bytes))
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("yaml") || ext.eq_ignore_ascii_case("yml"))
}

fn is_seed(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    !name.starts_with('.') && (name.ends_with(".sandbox.yaml") || name.ends_with(".sandbox.yml"))
}

/// Without a leading `./`.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_sorted_without_hidden_files_and_seeds_and_each_file_once() {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path();
        for (name, content) in [
            ("b.yaml", "version: 1\n"),
            ("a/z.yml", "version: 1\nshops: [{ shop: z, bindings: [] }]\n"),
            ("a/y.YAML", "version: 1\n"),
            (".hidden.yaml", "- no\n"),
            (".git/x.yaml", "- no\n"),
            ("demo.sandbox.yaml", "- no\n"),
            ("a/more.sandbox.yaml", "- no\n"),
            ("notes.txt", "- no\n"),
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            std::fs::write(path, content).expect("file");
        }
        let names = |paths: &[PathBuf]| {
            let found = find(paths);
            assert!(found.problems.is_empty());
            let relative = |path: &Path| path.strip_prefix(root).expect("below").display().to_string();
            let files: Vec<_> = found.files.iter().map(|f| relative(Path::new(&f.path))).collect();
            let seeds: Vec<_> = found.sandbox_seeds.iter().map(|path| relative(path)).collect();
            (files.join(" "), seeds.join(" "))
        };
        let all = names(&[root.to_owned()]);
        assert_eq!(all, ("a/y.YAML a/z.yml b.yaml".to_owned(), "a/more.sandbox.yaml demo.sandbox.yaml".to_owned()));
        let overlay = names(&[root.join("b.yaml"), root.join("a/../b.yaml"), root.to_owned()]);
        assert_eq!(overlay.0, "b.yaml a/y.YAML a/z.yml");
        assert_eq!(names(&[root.join("b.yaml")]).1, "demo.sandbox.yaml");
    }

    #[test]
    fn what_cannot_be_read_is_said_in_words() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir(folder.path().join("empty")).expect("folder");
        let (loaded, _) = load(&[folder.path().join("none.yaml"), folder.path().join("empty")], &Options::default());
        let messages: Vec<_> = loaded.diagnostics.iter().map(|d| (d.code, d.message.as_str())).collect();
        assert_eq!(
            messages,
            [(Code::File, "there is no such file or folder"), (Code::File, "the folder has no YAML file")]
        );
        assert!(loaded.diagnostics.iter().any(|d| d.hint.as_deref().is_some_and(|h| h.contains("hookwright init"))));
    }
}
