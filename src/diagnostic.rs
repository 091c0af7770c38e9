//! What is wrong with a manifest, as data: a stable code, a place, a message that says what to do.
//!
//! Whoever finds a problem makes a [`Diagnostic`]; the emitters below it only print. Pure: writers and colour are
//! handed in, source texts come with the [`Report`].

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

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The manifest is refused.
    Error,
    /// The manifest is taken; `--deny` makes it an error.
    Warning,
}

impl Severity {
    /// The word in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place in a file. Line and column are 1-based, the column counts characters; 0 means: the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The path as the user gave it.
    pub file: Arc<str>,
    /// 1-based line, 0 for the whole file.
    pub line: u32,
    /// 1-based column in characters, 0 for the whole file.
    pub column: u32,
    /// First byte of what the caret points at.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

impl Place {
    /// A file as a whole.
    pub fn file(path: &str) -> Self {
        Self { file: path.into(), line: 0, column: 0, start: 0, end: 0 }
    }
}

/// Another place that matters, such as the first of two duplicates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// Why it matters.
    pub message: String,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// The code's own severity, unless `--deny` raised or an unknown Admin API version lowered it.
    pub severity: Severity,
    /// What is wrong, in one sentence, without the final dot.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What to do about it.
    pub hint: Option<String>,
    /// Further places.
    pub related: Vec<Related>,
    /// The shops that have it, where it is a matter of shops.
    pub shops: Option<Shops>,
    /// Further places of the same problem, where one cause has several.
    pub also: Vec<Place>,
}

/// The shops that one diagnostic was folded over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shops {
    /// The first of them.
    pub first: ShopDomain,
    /// The others.
    pub others: Vec<ShopDomain>,
}

impl Shops {
    /// How many.
    pub fn count(&self) -> usize {
        self.others.len() + 1
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &ShopDomain> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// What a further place of the same problem is called.
pub(crate) const ALSO: &str = "the same here";

/// More shops or places than this are counted in a text; JSON has them all.
const MOST_NAMES: usize = 40;

impl Diagnostic {
    /// A diagnostic with its code's own severity.
    ///
    /// Tokens are taken out of every text here, so that no emitter can echo one.
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

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        // A hint may have lines, a message may not.
        let lines: Vec<String> = hint.into().lines().map(|line| mask::clean(line.to_owned())).collect();
        self.hint = Some(lines.join("\n"));
        self
    }

    /// Adds what to do, if there is something.
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

    /// The message with the shops that it is about.
    pub fn full_message(&self) -> String {
        match &self.shops {
            Some(Shops { first, others }) if others.is_empty() => format!("{} ({first})", self.message),
            Some(shops) => format!("{} ({} shops, such as {})", self.message, shops.count(), shops.first),
            None => self.message.clone(),
        }
    }

    /// What the message leaves out: every shop where there are several, and further places, unless each shop has one.
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

/// What an emitter prints: the diagnostics and the texts they point into.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// In the order of files and lines.
    pub diagnostics: &'a [Diagnostic],
    /// The files, with secrets masked.
    pub sources: &'a Sources,
    /// What the paths of SARIF and of annotations are seen from; without it they are as the user gave them.
    pub root: Option<&'a Root>,
}

impl<'a> Report<'a> {
    /// The same, seen from there.
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

    /// The exit code of a command that does nothing else: 0 or 3.
    pub fn exit_code(&self) -> u8 {
        if self.errors() > 0 { 3 } else { 0 }
    }
}
