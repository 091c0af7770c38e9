//! `init`: writes a first manifest, the schema that its first line names, and a `.gitignore` entry for local state.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::Output;
use super::target::word;
use crate::cli::init::InitArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::files;
use crate::printer::Form;
use crate::schema;
use crate::words::of_io;

/// The manifest to write. It passes `validate` without a warning and works with the sandbox without changes.
const TEMPLATE: &str = include_str!("init/hookwright.yaml");
/// The name of the schema, as in the first line of the template.
const SCHEMA: &str = "hookwright.schema.json";
/// The folder of sandbox states and token stores, in the working directory.
const IGNORED: &str = ".hookwright/";

pub(super) fn run(args: &InitArgs, output: Output) -> Result<Exit, Failure> {
    output.plain(Form::Text, |out, err| write(args, Path::new("."), out, err))
}

/// Writes the manifest, the schema and the `.gitignore` entry; `here` is the working directory. Does not prompt and
/// does not overwrite files. Returns 0, or 3 if the manifest was not written.
fn write(args: &InitArgs, here: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let path = args.path.display();
    if args.path.is_dir() {
        writeln!(err, "error: {path} is a folder; nothing was written")?;
        let file = args.path.join(crate::cli::DEFAULT_MANIFEST);
        writeln!(err, "  help: name a file in the folder: `hookwright init {}`", word(&file.display().to_string()))?;
        return Ok(3);
    }
    // Best effort: the error of creating the file is reported below.
    let _ = std::fs::create_dir_all(files::parent(&args.path));
    match create(&args.path, TEMPLATE.as_bytes()) {
        Ok(()) => writeln!(out, "Wrote {path}, a first manifest.")?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            writeln!(err, "error: {path} already exists; nothing was written")?;
            writeln!(err, "  help: name another file, such as `hookwright init other.yaml`")?;
            return Ok(3);
        }
        Err(error) => {
            writeln!(err, "error: cannot write {path}: {}", of_io(&error))?;
            return Ok(3);
        }
    }
    write_schema(&files::parent(&args.path).join(SCHEMA), out, err)?;
    ignore(&here.join(".gitignore"), out, err)?;

    let option = if args.path.as_os_str() == crate::cli::DEFAULT_MANIFEST {
        String::new()
    } else {
        format!(" -f {}", word(&path.to_string()))
    };
    writeln!(out, "\nThe manifest has an example shop and works with the built-in sandbox without changes:\n")?;
    writeln!(out, "    hookwright validate{option}")?;
    writeln!(out, "    hookwright plan{option} --sandbox\n")?;
    writeln!(out, "Then replace the example with your own shops, destinations and topics.")?;
    Ok(0)
}

fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Writes the schema for editors, unless the file already exists.
fn write_schema(path: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    let path = path.strip_prefix(".").unwrap_or(path);
    let shown = path.display();
    let content = format!("{:#}\n", schema::of(schema::PublishedFormat::Manifest));
    match create(path, content.as_bytes()) {
        Ok(()) => writeln!(out, "Wrote {shown}, the schema that editors use to complete and check the manifest."),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            writeln!(out, "Kept {shown}, which already exists.")
        }
        Err(error) => {
            writeln!(err, "warning: cannot write {shown}: {}", of_io(&error))?;
            writeln!(err, "  help: write it with `hookwright schema manifest > {}`", word(&shown.to_string()))
        }
    }
}

/// Adds the entry for local state, unless the file already has it.
fn ignore(path: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    let shown = path.strip_prefix(".").unwrap_or(path).display();
    let done = match files::read(path, files::WRITTEN) {
        _ if path.is_symlink() => Err(io::Error::other("it is a symbolic link, which Git does not follow")),
        Ok(text) if text.split(|byte| *byte == b'\n').any(ignores) => return Ok(()),
        Ok(text) => {
            let start = if text.is_empty() || text.ends_with(b"\n") { "" } else { "\n" };
            let file = OpenOptions::new().append(true).open(path);
            file.and_then(|mut file| writeln!(file, "{start}{IGNORED}")).map(|()| format!("Added {IGNORED} to {shown}"))
        }
        Err(files::ReadError::Missing) => {
            create(path, format!("{IGNORED}\n").as_bytes()).map(|()| format!("Wrote {shown} with {IGNORED}"))
        }
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(done) => writeln!(out, "{done}, the folder of sandbox states and tokens."),
        Err(error) => {
            writeln!(err, "warning: cannot write {shown}: {}", of_io(&error))?;
            writeln!(
                err,
                "  help: add the line `{IGNORED}` to it, because the folder contains sandbox states and tokens"
            )
        }
    }
}

/// Whether a line of a `.gitignore` names the folder.
fn ignores(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"**").unwrap_or(line);
    let line = line.strip_prefix(b"/").unwrap_or(line);
    line.strip_suffix(b"/").unwrap_or(line) == b".hookwright"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, Options, SourceFile};

    fn init(folder: &Path) -> (u8, String, String) {
        let args = InitArgs { path: folder.join("hookwright.yaml") };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = write(&args, folder, &mut out, &mut err).expect("run");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (code, text(out), text(err))
    }

    #[test]
    fn the_written_manifest_is_valid_without_a_warning_and_no_file_is_overwritten() {
        let folder = tempfile::tempdir().expect("folder");
        let read = |name: &str| std::fs::read(folder.path().join(name)).expect("file");
        assert_eq!(init(folder.path()).0, 0);
        let first = String::from_utf8(read("hookwright.yaml")).expect("text");
        assert!(first.starts_with(&format!("# yaml-language-server: $schema={SCHEMA}\n")), "{first}");
        let loaded = manifest::load(vec![SourceFile { path: "x".into(), bytes: first.into() }], &Options::default());
        assert!(loaded.manifest.is_some() && loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let schema: serde_json::Value = serde_json::from_slice(&read(SCHEMA)).expect("JSON");
        assert_eq!(
            (schema, read(".gitignore")),
            (schema::of(schema::PublishedFormat::Manifest), b".hookwright/\n".to_vec())
        );

        for name in ["hookwright.yaml", SCHEMA, ".gitignore"] {
            std::fs::write(folder.path().join(name), "mine").expect("write");
        }
        let (code, out, err) = init(folder.path());
        assert!(code == 3 && out.is_empty() && err.contains("nothing was written"), "{out}{err}");
        assert_eq!((read("hookwright.yaml"), read(SCHEMA)), (b"mine".to_vec(), b"mine".to_vec()));
        assert_eq!(read(".gitignore"), b"mine");
    }

    #[test]
    fn existing_files_are_kept_and_one_line_is_added() {
        for (before, after) in [
            ("", ".hookwright/\n"),
            ("/target\n", "/target\n.hookwright/\n"),
            ("/target", "/target\n.hookwright/\n"),
            ("/target\r\n/.hookwright/\r\n", "/target\r\n/.hookwright/\r\n"),
            (".hookwright", ".hookwright"),
            ("**/.hookwright/", "**/.hookwright/"),
            (".hookwright-old/\n", ".hookwright-old/\n.hookwright/\n"),
        ] {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join(".gitignore");
            std::fs::write(&path, before).expect("write");
            std::fs::write(folder.path().join(SCHEMA), "mine").expect("write");
            let (code, out, err) = init(folder.path());
            assert!(code == 0 && err.is_empty() && out.contains("Kept "), "{out}{err}");
            assert_eq!(out.contains("Added .hookwright/ to "), before != after, "{out}");
            assert_eq!(std::fs::read_to_string(&path).expect("file"), after);
            assert_eq!(std::fs::read(folder.path().join(SCHEMA)).expect("file"), b"mine");
        }
        #[cfg(unix)]
        {
            let folder = tempfile::tempdir().expect("folder");
            std::fs::write(folder.path().join("elsewhere"), "mine").expect("write");
            std::os::unix::fs::symlink("elsewhere", folder.path().join(".gitignore")).expect("link");
            let (code, _, err) = init(folder.path());
            assert!(code == 0 && err.contains("symbolic link"), "{err}");
            assert_eq!(std::fs::read(folder.path().join("elsewhere")).expect("file"), b"mine");
        }
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir(folder.path().join(".gitignore")).expect("folder");
        let (code, _, err) = init(folder.path());
        assert!(code == 0 && err.contains("warning: ") && err.contains("add the line `.hookwright/`"), "{err}");
    }
}
