//! The command line of the benchmark, which is that of its helper processes, too: `name --option value …`.

use std::str::FromStr;

/// What stands on the command line.
pub struct Args {
    /// Names without dashes: sections, or the role of a helper process.
    pub names: Vec<String>,
    options: Vec<(String, String)>,
}

impl Args {
    /// Cargo adds `--bench`, which says nothing.
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut names, mut options) = (Vec::new(), Vec::new());
        let mut args = args.filter(|arg| arg != "--bench");
        while let Some(arg) = args.next() {
            match arg.strip_prefix("--") {
                None => names.push(arg),
                Some(name) => {
                    let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
                    options.push((name.to_owned(), value));
                }
            }
        }
        Ok(Self { names, options })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A value, or what it is without one.
    pub fn value<T: FromStr>(&self, name: &str, default: T) -> T {
        self.text(name).map_or(default, |text| parsed(name, text))
    }

    /// Values with commas between them.
    pub fn list<T: FromStr + Clone>(&self, name: &str, default: &[T]) -> Vec<T> {
        self.text(name).map_or(default.to_vec(), |text| text.split(',').map(|part| parsed(name, part)).collect())
    }
}

fn parsed<T: FromStr>(name: &str, text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("--{name} {text:?} is not understood"))
}
