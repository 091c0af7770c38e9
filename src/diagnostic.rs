//! Problems of a manifest as data: a stable code, a place, a message and a remedy.
//!
//! The checks create [`Diagnostic`]s; the emitters in the submodules only print them. Pure: callers pass the writer and
//! the choice of colour, and a [`Report`] carries the source texts.

mod code;
pub(crate) mod github;
mod mask;
mod paths;
mod remedy;
pub(crate) mod sarif;
mod source;
pub(crate) mod text;

use std::sync::Arc;

use crate::model::ShopDomain;
pub(crate) use code::Code;
pub(crate) use mask::looks_like_token;
pub(crate) use paths::Root;
pub(crate) use source::{SourceText, Sources};

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The manifest is rejected.
    Error,
    /// The manifest is accepted; `--deny` turns the warning into an error.
    Warning,
}

impl Severity {
    /// The name in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place in a file. Line and column are 1-based, and the column counts characters; 0 means the whole file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The path as the user gave it.
    pub file: Arc<str>,
    /// 1-based line, 0 for the whole file.
    pub line: u32,
    /// 1-based column in characters, 0 for the whole file.
    pub column: u32,
    /// Byte offset of the first byte that the caret marks.
    pub start: u32,
    /// Byte offset after the last one.
    pub end: u32,
}

impl Place {
    /// Returns the place of a whole file.
    pub fn file(path: &str) -> Self {
        Self { file: path.into(), line: 0, column: 0, start: 0, end: 0 }
    }
}

/// Another place that matters, such as the first of two duplicates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Related {
    /// The place.
    pub place: Place,
    /// Why the place matters.
    pub message: String,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// The severity: the code's default, unless `--deny` raised it or an unknown Admin API version lowered it.
    pub severity: Severity,
    /// The problem, in one sentence without a full stop.
    pub message: String,
    /// The place of the problem.
    pub place: Place,
    /// The remedy, printed as `help: …`. It may have several lines.
    pub hint: Option<String>,
    /// Other places that explain the problem.
    pub related: Vec<Related>,
    /// The affected shops, if the problem belongs to shops.
    pub shops: Option<Shops>,
    /// Further places of the same problem, if one cause appears in several.
    pub also: Vec<Place>,
}

/// The shops that share one diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shops {
    /// The first shop.
    pub first: ShopDomain,
    /// The other shops.
    pub others: Vec<ShopDomain>,
}

impl Shops {
    /// The number of shops.
    pub fn count(&self) -> usize {
        self.others.len() + 1
    }

    /// All shops.
    pub fn iter(&self) -> impl Iterator<Item = &ShopDomain> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// The label of a further place of the same problem.
pub(crate) const ALSO: &str = "the same problem here";

/// Maximum number of shops or places that a text names. It counts the rest; JSON lists all of them.
const MOST_NAMES: usize = 40;

impl Diagnostic {
    /// Creates a diagnostic with the default severity of its code.
    ///
    /// Masks tokens in the message, so that no emitter can print one.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        let message = mask::clean(message.into());
        Self {
            code,
            severity: code.severity(),
            message,
            place,
            hint: None,
            related: Vec::new(),
            shops: None,
            also: Vec::new(),
        }
    }

    /// Adds a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        // A hint may have several lines; a message has one.
        let lines: Vec<String> = hint.into().lines().map(|line| mask::clean(line.to_owned())).collect();
        self.hint = Some(lines.join("\n"));
        self
    }

    /// Adds a remedy, if there is one.
    #[must_use]
    pub fn hint_if(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related { place, message: mask::clean(message.into()) });
        self
    }

    /// Returns the message with the affected shops.
    pub fn full_message(&self) -> String {
        match &self.shops {
            Some(Shops { first, others }) if others.is_empty() => format!("{} ({first})", self.message),
            Some(shops) => format!("{} ({} shops, such as {})", self.message, shops.count(), shops.first),
            None => self.message.clone(),
        }
    }

    /// Returns what the message leaves out: the names of several shops, and further places unless each shop has one of
    /// its own.
    pub fn notes(&self) -> Vec<String> {
        let count = self.shops.as_ref().map_or(0, Shops::count);
        let shops = self.shops.as_ref().filter(|_| count > 1);
        let shops = shops.map(|shops| named("shops", count, shops.iter().map(|shop| shop.handle().to_owned())));
        let places = self.also.iter().map(|Place { file, line, .. }| format!("{file}:{line}"));
        let also = (self.also.len() >= count.max(1)).then(|| named("also at", self.also.len(), places));
        shops.into_iter().chain(also).collect()
    }
}

/// `shops: a, b and 3 more`
fn named(what: &str, count: usize, names: impl Iterator<Item = String>) -> String {
    let more = count.saturating_sub(MOST_NAMES);
    let names: Vec<String> = names.take(MOST_NAMES).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{what}: {}{more}", names.join(", "))
}

/// The input of an emitter: the diagnostics and the texts that they point into.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// In the order of files and lines.
    pub diagnostics: &'a [Diagnostic],
    /// The files, with secrets masked.
    pub sources: &'a Sources,
    /// The base of the paths in SARIF and annotations. Without it, they are the paths that the user gave.
    pub root: Option<&'a Root>,
}

impl<'a> Report<'a> {
    /// Returns the report with paths relative to `root`.
    #[must_use]
    pub fn seen_from(self, root: &'a Root) -> Self {
        Self { root: Some(root), ..self }
    }

    /// Number of errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// Number of warnings.
    pub fn warnings(&self) -> usize {
        self.diagnostics.len() - self.errors()
    }

    /// The exit code of `validate`: 0, or 3 if there is an error.
    pub fn exit_code(&self) -> u8 {
        if self.errors() > 0 { 3 } else { 0 }
    }
}
