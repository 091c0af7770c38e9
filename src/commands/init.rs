//! `init`: a first manifest.

use std::fs::OpenOptions;
use std::io::{self, Write};

use crate::cli::init::InitArgs;

/// What is written. It passes `validate` without a warning and works on the sandbox as it is.
const TEMPLATE: &str = include_str!("init/hookwright.yaml");

/// Writes the manifest, or says why not. 0 or 3.
pub(crate) fn run(args: &InitArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let path = args.path.display();
    let written = OpenOptions::new().write(true).create_new(true).open(&args.path).and_then(|mut file| {
        file.write_all(TEMPLATE.as_bytes())?;
        file.sync_all()
    });
    match written {
        Ok(()) => {
            writeln!(out, "Wrote {path}. It names an example shop and works on the built-in sandbox as it is:\n")?;
            let option = if args.path.as_os_str() == crate::cli::DEFAULT_MANIFEST {
                String::new()
            } else {
                format!(" -f {path}")
            };
            writeln!(out, "    hookwright validate{option}")?;
            writeln!(out, "    hookwright plan{option} --sandbox\n")?;
            writeln!(out, "Then put in your own shops, destinations and topics.")?;
            Ok(0)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            writeln!(err, "error: {path} exists already and is not overwritten")?;
            writeln!(err, "  = help: name another file: hookwright init other.yaml")?;
            Ok(3)
        }
        Err(error) => {
            writeln!(err, "error: {path} cannot be written: {}", crate::words::of_io(&error))?;
            Ok(3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, Options, SourceFile};

    #[test]
    fn what_it_writes_is_valid_without_a_warning_and_never_overwrites() {
        let folder = tempfile::tempdir().expect("folder");
        let args = InitArgs { path: folder.path().join("hookwright.yaml") };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        assert_eq!(run(&args, &mut out, &mut err).expect("run"), 0);
        let bytes = std::fs::read(&args.path).expect("file");
        let loaded = manifest::load(vec![SourceFile { path: "x".into(), bytes }], &Options::default());
        assert!(loaded.manifest.is_some() && loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);

        std::fs::write(&args.path, "mine").expect("write");
        assert_eq!(run(&args, &mut out, &mut err).expect("run"), 3);
        assert_eq!(std::fs::read(&args.path).expect("file"), b"mine");
    }
}
