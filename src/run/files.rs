//! Finds and reads the files of a manifest. No other module reads manifests from the disk.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::target::word;
use crate::cli::DEFAULT_MANIFEST;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::files::{self, ReadError, Tree, TreeError};
use crate::json::Object;
use crate::manifest::{Draft, Loaded, Options, SourceFile};

/// The files of a manifest.
#[derive(Debug, Default)]
struct Found {
    /// Manifest files in the given order, sorted within folders, without duplicates.
    pub files: Vec<SourceFile>,
    /// `*.sandbox.yaml` beside a given file or below a given folder, sorted. Never manifests.
    pub sandbox_seeds: Vec<PathBuf>,
    /// Problems of files that could not be read.
    pub problems: Vec<Diagnostic>,
    /// Folders in which the manifest may name further files.
    tree: Tree,
}

/// Finds and reads the manifest at `paths` (`hookwright.yaml` if there is none). Returns the draft, or the problems of
/// files that cannot be read; and the seeds of the sandbox.
pub(crate) fn load(paths: &[PathBuf], options: &Options) -> (Result<Draft, Loaded>, Vec<PathBuf>) {
    let Found { files, sandbox_seeds, problems, tree } = find(paths);
    if !problems.is_empty() {
        // An incomplete manifest is not checked.
        let loaded = Loaded { manifest: None, diagnostics: problems, sources: Arc::default() };
        return (Err(loaded), sandbox_seeds);
    }
    (Ok(Draft::new(files, options, &|path| named(&tree, Path::new(path)))), sandbox_seeds)
}

/// Returns the paths of a manifest: `hookwright.yaml` if none is given.
pub(crate) fn given(paths: &[PathBuf]) -> Vec<&Path> {
    if paths.is_empty() { vec![Path::new(DEFAULT_MANIFEST)] } else { paths.iter().map(PathBuf::as_path).collect() }
}

/// Finds and reads the files.
fn find(paths: &[PathBuf]) -> Found {
    let given = given(paths);
    let mut search = Search::default();
    for path in &given {
        search.found.tree.admit(path);
    }
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
                    self.problem(
                        path,
                        "the folder contains no YAML file",
                        "manifest files are named `*.yaml` or `*.yml`",
                    );
                }
            }
            Ok(_) => {
                // The user named the file, so it can be a pipe or a link to any place.
                self.file(path, |_, path| Ok(files::bounded(path, files::WRITTEN)?));
                for entry in fs::read_dir(files::parent(path)).into_iter().flatten().flatten() {
                    if is_seed(&entry.path()) {
                        self.seed(&entry.path());
                    }
                }
            }
            Err(error) => self.unreadable(path, &ReadError::from(error).into()),
        }
    }

    fn folder(&mut self, folder: &Path, any: &mut bool) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(folder, &ReadError::from(error).into()),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            // Links to files are followed; links to folders are not, because they can form a loop.
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if hidden {
            } else if meta.is_dir() {
                self.folder(&path, any);
            } else if is_seed(&path) {
                self.seed(&path);
            } else if is_yaml(&path) && !path.is_dir() {
                *any = true;
                self.file(&plain(&path), Search::within);
            }
        }
    }

    /// Reads a file below a given folder.
    fn within(&self, path: &Path) -> Result<Vec<u8>, TreeError> {
        self.found.tree.read(path, files::WRITTEN)
    }

    fn file(&mut self, path: &Path, read: impl FnOnce(&Self, &Path) -> Result<Vec<u8>, TreeError>) {
        let identity = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert(identity) {
            return;
        }
        match read(self, path) {
            Ok(bytes) if is_plan(&bytes) => {
                let name = word(&path.display().to_string());
                let hint = format!(
                    "apply it with `hookwright apply {name}` (add `-f` for its manifest), or show it with `hookwright \
                     show {name}`"
                );
                self.problem(path, "the file is a saved plan, not a manifest", &hint);
            }
            Ok(bytes) => self.found.files.push(SourceFile { path: path.display().to_string(), bytes }),
            Err(error) => self.unreadable(path, &error),
        }
    }

    /// Adds a seed, which the sandbox reads later. Rejects a link to a file outside the manifest's folder.
    fn seed(&mut self, path: &Path) {
        let within = self.found.tree.within(path).and_then(|real| Ok(files::regular(&real)?));
        match within {
            Ok(()) => drop(self.seeds.insert(plain(path))),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &TreeError) {
        if !matches!(error, TreeError::Read(ReadError::Missing)) {
            let hint = match error {
                TreeError::Outside => "move it into the folder, or pass its own folder with `-f`, too",
                TreeError::Read(ReadError::TooLarge(_)) => "split it into several files",
                TreeError::Read(ReadError::NotRegular(_)) => "replace it with a regular file, or remove it",
                TreeError::Read(_) => "check its permissions",
            };
            return self.problem(path, &format!("cannot read the file: {error}"), hint);
        }
        let hint = if path == Path::new("-") {
            "a manifest cannot be read from standard input; pass a file or a folder"
        } else if path.to_string_lossy().contains(',') {
            "commas do not separate paths; repeat `-f` for each path"
        } else if path == Path::new(DEFAULT_MANIFEST) {
            "`hookwright init` creates a first manifest; use `-f PATH` for another file or folder"
        } else {
            "check the path. Without `-f` the manifest is `hookwright.yaml`, which `hookwright init` creates"
        };
        self.problem(path, "the file or folder does not exist", hint);
    }

    fn problem(&mut self, path: &Path, message: &str, hint: &str) {
        let place = Place::file(&path.display().to_string());
        self.found.problems.push(Diagnostic::new(Code::File, place, message).hint(hint));
    }
}

/// Reads a file that a manifest names. Accepts only TOML, so that no diagnostic shows a line of another kind of file.
fn named(tree: &Tree, path: &Path) -> Result<Vec<u8>, String> {
    let real = tree.within(path).map_err(|error| error.to_string())?;
    if real.extension() != Some(OsStr::new("toml")) {
        return Err("it is not a TOML file such as shopify.app.toml".to_owned());
    }
    files::read(&real, files::WRITTEN).map_err(|error| error.to_string())
}

/// Returns whether the bytes are a saved plan.
fn is_plan(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Sealed {
        #[serde(rename = "plan_digest")]
        _digest: serde::de::IgnoredAny,
    }
    serde_json::from_slice::<Object<Sealed>>(bytes).is_ok()
}

/// Returns whether a file below a folder has the name of a manifest.
pub(crate) fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("yaml") || ext.eq_ignore_ascii_case("yml"))
}

/// Returns whether a file has the name of a seed of the sandbox.
pub(crate) fn is_seed(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    !name.starts_with('.') && (name.ends_with(".sandbox.yaml") || name.ends_with(".sandbox.yml"))
}

/// Removes a leading `./`.
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
    fn files_that_cannot_be_read_are_reported() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir(folder.path().join("empty")).expect("folder");
        let (draft, _) = load(&[folder.path().join("none.yaml"), folder.path().join("empty")], &Options::default());
        let loaded = draft.err().expect("problems");
        let messages: Vec<_> = loaded.diagnostics.iter().map(|d| (d.code, d.message.as_str())).collect();
        assert_eq!(
            messages,
            [(Code::File, "the file or folder does not exist"), (Code::File, "the folder contains no YAML file")]
        );
        assert!(loaded.diagnostics.iter().any(|d| d.hint.as_deref().is_some_and(|h| h.contains("hookwright init"))));
    }
}
