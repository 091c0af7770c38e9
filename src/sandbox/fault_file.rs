//! Fault files: `{seed: 7, faults: [{fault: drop, on: mutation, times: 2}]}`, in YAML or JSON.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_yaml::Spanned;

use super::error::SandboxError;
use super::faults::{Faults, Rule};
use crate::{files, words};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    seed: Option<u64>,
    faults: Vec<Spanned<Map<String, Value>>>,
}

impl Faults {
    /// Reads fault files and single rules as the command line has them (`drop,on=mutation,times=2`); `seed` wins over
    /// what the files say.
    pub fn read(files: &[PathBuf], specs: &[String], seed: Option<u64>) -> Result<Self, SandboxError> {
        let mut faults = Self::default();
        for path in files {
            let text = files::read_text(path, files::WRITTEN).map_err(SandboxError::io(path))?;
            faults.extend(Self::parse(&text, path)?);
        }
        for spec in specs {
            faults.rules.push(Rule::parse_spec(spec).map_err(|message| SandboxError::Faults(vec![message]))?);
        }
        faults.seed = seed.unwrap_or(faults.seed);
        Ok(faults)
    }

    /// Parses the text of one fault file; `path` is for messages.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, SandboxError> {
        let file: File = serde_yaml::from_str_with_options(text, serde_yaml::options! { strict_booleans: true })
            .map_err(|error| {
                let at = error.location().map_or_else(String::new, |at| format!("{}:{}:", at.line(), at.column()));
                let message = words::of_yaml(&error);
                SandboxError::Faults(vec![format!("{}:{at} {message}", path.display())])
            })?;
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        for Spanned { value, referenced: at, .. } in file.faults {
            match Rule::parse(value) {
                Ok(rule) => rules.push(rule),
                Err(message) => errors.push(format!("{}:{}:{}: {message}", path.display(), at.line(), at.column())),
            }
        }
        let seed = file.seed.unwrap_or_default();
        if errors.is_empty() { Ok(Self { seed, rules }) } else { Err(SandboxError::Faults(errors)) }
    }

    /// Adds the rules of `more`; a seed that it gives wins.
    pub(super) fn extend(&mut self, more: Self) {
        self.rules.extend(more.rules);
        if more.seed != 0 {
            self.seed = more.seed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_single_rules_add_up_and_mistakes_have_their_place() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("faults.yaml");
        std::fs::write(&path, "seed: 3\nfaults:\n  - { fault: drop, on: mutation, times: 2 }\n").expect("write");
        let read = |specs: &[String], seed| Faults::read(std::slice::from_ref(&path), specs, seed);
        let faults = read(&["html".to_owned()], None).expect("faults");
        assert_eq!((faults.seed, faults.rules.len()), (3, 2));
        assert_eq!(read(&[], Some(9)).expect("faults").seed, 9);
        for (text, expected) in [
            ("faults:\n  - fault: drop\n    tims: 2\n", "f:2:5: drop: the key `tims` is unknown"),
            ("faults: []\nsed: 2\n", "f:2:1: the key `sed` is unknown; known keys: seed, faults"),
            ("{\"faults\": [{\"fault\": \"dorp\"}]}", "f:1:13: `dorp` is no fault; did you mean drop?"),
        ] {
            let message = Faults::parse(text, Path::new("f")).expect_err(text).to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
