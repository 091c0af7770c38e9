//! The command line of the benchmark and of its helper processes: `name --option value …`.

use std::str::FromStr;

/// The parsed command line.
pub struct Args {
    /// Names without dashes: sections, or the role of a helper process.
    pub names: Vec<String>,
    options: Vec<(String, String)>,
}

impl Args {
    /// Parses arguments. `--bench`, which Cargo adds, is ignored.
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut names, mut options) = (Vec::new(), Vec::new());
        let mut args = args.filter(|arg| arg != "--bench");
        while let Some(arg) = args.next() {
            match arg.strip_prefix("--") {
                None => names.push(arg),
                Some(name) => {
                    let value = args.next().ok_or_else(|| format!("{arg} requires a value"))?;
                    options.push((name.to_owned(), value));
                }
            }
        }
        Ok(Self { names, options })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of an option, or the default.
    pub fn value<T: FromStr>(&self, name: &str, default: T) -> T {
        self.text(name).map_or(default, |text| parsed(name, text))
    }

    /// Returns the values of an option that are separated by commas, or the default.
    pub fn list<T: FromStr + Clone>(&self, name: &str, default: &[T]) -> Vec<T> {
        self.text(name).map_or(default.to_vec(), |text| text.split(',').map(|part| parsed(name, part)).collect())
    }
}

fn parsed<T: FromStr>(name: &str, text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("invalid value {text:?} for --{name}"))
}
