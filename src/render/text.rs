//! Prints a document as text: indented lines, wrapped prose and colour. The HTML page has the same lines. [`Lines`] escapes all
//! text once.

use std::fmt::Write as _;

use super::changes::{ByShop, Depth, Detail, Item, Label, Value, items, words_changed};
use super::document::{Block, Document, Drifted, Emphasis, Fact, Ink, Point, Section, Span, Step};
use super::hazards::{self, Decision};
use super::{Style, escape};
use crate::text::{plural, thousands};
use crate::wire::plan::{Action, Hazard};

/// The maximum number of listed points of one kind. The others are counted.
pub(super) const MAX_OF_A_KIND: usize = 10;
/// The maximum number of listed addresses of one destination name.
pub(super) const MAX_ADDRESSES: usize = 3;

/// Where the reader finds the items that are not listed.
#[derive(Clone, Copy)]
pub(super) struct Elsewhere {
    pub(super) all: &'static str,
    pub(super) it: &'static str,
    pub(super) them: &'static str,
}

const VERBOSE: Elsewhere = Elsewhere { all: "`-v` shows all", it: "`-v` lists it", them: "`-v` lists them" };

/// Prints a document. Scripts read its last line, so it is neither coloured nor wrapped, and nothing follows it.
pub(super) fn print(document: &Document<'_>, style: &Style) -> String {
    let mut out = String::new();
    let mut lines = Lines::new(style, VERBOSE, |indent, spans: &[Span]| terminal(&mut out, style.color, indent, spans));
    for fact in &document.facts {
        lines.fact(fact);
    }
    if let Some(incomplete) = &document.incomplete {
        lines.prose(Some(Ink::Strong), 0, incomplete);
    }
    lines.sections(&document.sections);
    lines.last(&document.verdict);
    out
}

fn terminal(out: &mut String, color: bool, indent: usize, spans: &[Span]) {
    out.extend(std::iter::repeat_n(' ', indent));
    for Span { ink, text } in spans {
        match ink {
            Some(ink) if color && !text.is_empty() => {
                let style = ink.ansi();
                // Writing to a String cannot fail.
                let _ = write!(out, "{style}{text}{style:#}");
            }
            _ => out.push_str(text),
        }
    }
    out.push('\n');
}

impl Ink {
    fn ansi(self) -> anstyle::Style {
        let color = |color: anstyle::AnsiColor| anstyle::Style::new().fg_color(Some(color.into()));
        match self {
            Self::Added => color(anstyle::AnsiColor::Green),
            Self::Changed => color(anstyle::AnsiColor::Yellow),
            Self::Removed => color(anstyle::AnsiColor::Red),
            Self::Strong => anstyle::Style::new().bold(),
            Self::Faint => anstyle::Style::new().dimmed(),
        }
    }
}

/// Prints lines: each is passed to `write` with its indentation and its escaped spans.
pub(super) struct Lines<'s, W> {
    style: &'s Style,
    elsewhere: Elsewhere,
    write: W,
    /// Whether the last line has text, so that a blank line may follow.
    after_text: bool,
    /// Whether the legend of the symbols is printed.
    has_legend: bool,
}

impl<'s, W: FnMut(usize, &[Span])> Lines<'s, W> {
    pub(super) fn new(style: &'s Style, elsewhere: Elsewhere, write: W) -> Self {
        Self { style, elsewhere, write, after_text: false, has_legend: false }
    }

    /// Prints no legend of the symbols.
    pub(super) fn without_legend(self) -> Self {
        Self { has_legend: true, ..self }
    }

    /// Prints one line without wrapping it.
    fn line(&mut self, indent: usize, spans: impl IntoIterator<Item = Span>) {
        let spans: Vec<Span> =
            spans.into_iter().map(|Span { ink, text }| Span { ink, text: escape(&text).into_owned() }).collect();
        (self.write)(indent, &spans);
        self.after_text = true;
    }

    fn plain(&mut self, indent: usize, text: &str) {
        self.line(indent, [Span::plain(text)]);
    }

    /// Prints prose, wrapped at spaces if the style has a width. A long word, such as an address, is not broken.
    fn prose(&mut self, ink: Option<Ink>, indent: usize, text: &str) {
        for line in self.wrapped(indent, text) {
            self.line(indent, [Span { ink, text: line }]);
        }
    }

    fn wrapped(&self, indent: usize, text: &str) -> Vec<String> {
        let width = self.style.width.map_or(usize::MAX, |w| usize::from(w).saturating_sub(indent).max(20));
        wrap(&escape(text), width)
    }

    /// Prints an item of a list: `! text` if it needs action, else `* text`.
    fn point(&mut self, strong: bool, text: &str) {
        let (mark, ink) = if strong { ("! ", Some(Ink::Strong)) } else { ("* ", None) };
        for (i, line) in self.wrapped(4, text).into_iter().enumerate() {
            let span = Span { ink, text: line };
            if i == 0 { self.line(2, [Span::plain(mark), span]) } else { self.line(4, [span]) }
        }
    }

    fn heading(&mut self, text: &str) {
        self.gap();
        self.prose(Some(Ink::Strong), 0, text);
    }

    /// Prints a blank line, unless the last line is blank or there is none.
    fn gap(&mut self) {
        if std::mem::take(&mut self.after_text) {
            (self.write)(0, &[]);
        }
    }

    fn last(&mut self, line: &str) {
        self.gap();
        self.plain(0, line);
    }

    fn fact(&mut self, fact: &Fact<'_>) {
        let (label, value) = labelled(fact, self.style);
        let text = format!("{label}: {value}");
        match fact.emphasis {
            Emphasis::Target | Emphasis::Strong => self.line(0, [Span::new(Ink::Strong, text)]),
            Emphasis::Plain => self.plain(0, &text),
            Emphasis::Prose => self.prose(None, 0, &text),
        }
    }

    pub(super) fn sections<'d, 'a: 'd>(&mut self, sections: impl IntoIterator<Item = &'d Section<'a>> + Clone) {
        let all = sections.clone();
        for section in sections {
            if matches!(section.block, Block::Planned(..)) && !std::mem::replace(&mut self.has_legend, true) {
                self.legend(all.clone());
            }
            self.section(section);
        }
    }

    fn legend<'d, 'a: 'd>(&mut self, sections: impl IntoIterator<Item = &'d Section<'a>>) {
        let planned = sections.into_iter().filter_map(|section| match &section.block {
            Block::Planned(_, shops) => Some(shops),
            _ => None,
        });
        let actions: std::collections::BTreeSet<Action> =
            planned.flatten().flat_map(|(_, changes)| changes).map(|change| change.action).collect();
        self.heading("Changes are indicated with the following symbols:");
        for action in actions {
            let words = match action {
                Action::Create => "create",
                Action::Update => "update in-place",
                Action::Delete => "destroy",
            };
            self.line(2, [symbol(action), Span::plain(format!(" {words}"))]);
        }
    }

    fn section(&mut self, section: &Section<'_>) {
        let Section { weight: _, title, strong, block, remark } = section;
        if title.is_empty() {
            self.gap();
        } else {
            self.heading(&format!("{title}:"));
        }
        if let (Block::Hazards(..), Some(remark)) = (block, remark) {
            self.prose(None, 2, remark);
        }
        match block {
            Block::Line(text) => self.prose(Some(Ink::Strong).filter(|_| *strong), 0, text),
            Block::Unchanged(shops, what) => {
                let counted = format!("{} without {what}", plural(shops.len(), "shop"));
                if self.style.verbose {
                    self.prose(None, 0, &format!("{counted}: {}.", list(shops, self.style)));
                } else {
                    self.plain(0, &format!("{counted}."));
                }
            }
            Block::Hazards(all, _) => self.hazards(all),
            Block::Points(points) => self.points(*strong, points),
            Block::Planned(_, shops) => {
                self.gap();
                self.changes(2, Depth::Full, symbol, shops);
            }
            Block::Drifted(groups) => {
                for Drifted { is_new, known, shops } in groups {
                    let updates = shops.iter().flat_map(|(_, changes)| changes).all(|c| c.action == Action::Update);
                    let depth = if updates { Depth::Full } else { Depth::Brief };
                    if known.is_empty() {
                        self.changes(2, depth, drift_symbol, shops);
                    } else {
                        self.point(*is_new, known);
                        self.changes(4, depth, drift_symbol, shops);
                    }
                }
            }
            Block::Steps(steps) => {
                for (n, Step { text, commands }) in (1..).zip(steps) {
                    let end = if commands.is_empty() { "." } else { ":" };
                    self.prose(None, 2, &format!("{n}. {text}{end}"));
                    for command in commands {
                        self.plain(7, command);
                    }
                }
            }
            Block::Applied(shops) | Block::AlreadySo(shops) | Block::LeftOut(shops) => {
                self.changes(2, Depth::Line, symbol, shops);
            }
            Block::NotApplied { causes, all: _ } => {
                for (cause, shops) in causes {
                    self.point(*strong, cause);
                    self.changes(4, Depth::Line, symbol, shops);
                }
            }
            Block::Names(names) => self.names(names),
            Block::Unlisted(n) => {
                let lists = if *n == 1 { self.elsewhere.it } else { self.elsewhere.them };
                self.plain(0, &format!("{}; {lists}", plural(*n, "informational finding")));
            }
        }
        if let Some(remark) = remark.as_ref().filter(|_| !matches!(block, Block::Hazards(..))) {
            self.prose(None, 2, remark);
        }
    }

    fn hazards(&mut self, decisions: &[Decision<'_>]) {
        for Decision { kind, shops, message, allow, consents, hazards } in decisions {
            let strong = !allow.is_empty();
            match &shops[..] {
                [] => self.point(strong, &format!("{kind}: {message}")),
                [shop] => self.point(strong, &format!("{kind}, {shop}: {message}")),
                many => {
                    self.point(strong, &format!("{kind}, {}: {message}", plural(many.len(), "shop")));
                    self.prose(None, 4, &list(many, self.style));
                }
            }
            if self.style.verbose && hazards.len() > 1 {
                for Hazard { shop, message, .. } in hazards {
                    self.prose(None, 4, &format!("{}: {message}", handle(shop.as_deref().unwrap_or_default())));
                }
            }
            for consent in consents {
                self.prose(None, 4, &format!("consent: {}", consent.text()));
            }
            if strong {
                let options: Vec<String> = allow.iter().map(|allow| hazards::option(allow)).collect();
                self.plain(4, &format!("help: to consent, apply with `{}`", options.join(" ")));
            }
        }
    }

    fn points(&mut self, strong: bool, points: &[Point<'_>]) {
        let kind = |point: &Point<'_>| match point {
            Point::Note { kind, .. } => Some((2, format!("({kind})"))),
            Point::Unmanaged { .. } => Some((0, "unmanaged subscriptions".to_owned())),
            _ => None,
        };
        for alike in points.chunk_by(|a, b| kind(a) == kind(b)) {
            let kind = alike.first().and_then(kind).filter(|_| !self.style.verbose);
            let shown = if kind.is_some() { alike.len().min(MAX_OF_A_KIND) } else { alike.len() };
            for point in &alike[..shown] {
                self.one(strong, point);
            }
            let more = alike.len() - shown;
            if let Some((indent, kind)) = kind.filter(|_| more > 0) {
                self.plain(indent, &format!("… and {} more {kind}; {}", thousands(more), self.elsewhere.them));
            }
        }
    }

    fn one(&mut self, strong: bool, point: &Point<'_>) {
        match point {
            Point::Words(text) => self.point(strong, text),
            Point::Address(address) => self.plain(2, address),
            Point::Note { kind, about, place, message, shops, members: _ } => {
                let about = about.as_ref().map_or_else(String::new, |about| format!(", {about}"));
                let place = place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
                self.point(strong, &format!("{kind}{about}{place}: {message}"));
                self.prose(None, 4, &title(shops, self.style));
            }
            Point::Unmanaged { what, shops, members: _ } => {
                self.plain(0, &format!("unmanaged: {what} ({})", title(shops, self.style)));
            }
            Point::Destination { name, found, address, remarks, strong } => {
                let found = found.as_ref().map(|found| format!(": {found}")).unwrap_or_default();
                self.point(*strong, &format!("{name}{found}"));
                for remark in address.iter().chain(remarks) {
                    self.prose(None, 4, remark);
                }
            }
        }
    }

    /// Prints changes under the shops that have them.
    fn changes(&mut self, indent: usize, depth: Depth, symbol: fn(Action) -> Span, shops: &ByShop<'_>) {
        for (i, (shops, items)) in items(shops, depth, self.style.verbose).into_iter().enumerate() {
            if i > 0 && depth == Depth::Full {
                self.gap();
            }
            let title = title(&shops, self.style);
            self.prose(Some(Ink::Strong).filter(|_| depth == Depth::Full), indent, &title);
            for Item { action, head, fields, changes: _ } in items {
                let topics = format!(" {}", head.topics.join(", "));
                let start = [symbol(action), Span::plain(topics)];
                self.line(indent + 2, start.into_iter().chain(head.rest(self.elsewhere.all)));
                for field in &fields {
                    self.field(indent + 6, field);
                }
            }
        }
    }

    fn field(&mut self, indent: usize, field: &Detail) {
        let label = Span::plain(format!("{}: ", field.label));
        let note = Span::new(Ink::Faint, field.note(self.elsewhere.all));
        let (before, after, long) = match &field.value {
            Value::Is(spans) => {
                let spans = std::iter::once(label).chain(spans.iter().cloned()).chain([note]);
                return self.line(indent, spans);
            }
            Value::Becomes { before, after, long } if self.style.color => {
                let (before, after) = words_changed(before, after);
                (before, after, *long)
            }
            Value::Becomes { before, after, long } => {
                (vec![Span::plain(before.text())], vec![Span::plain(after.text())], *long)
            }
        };
        let before = std::iter::once(label).chain(before);
        let after = after.into_iter().chain([note]);
        if long {
            self.line(indent, before);
            // The arrow ends in the column before the value above it.
            let indent = indent + (field.label.len() + 2).saturating_sub(3);
            self.line(indent, std::iter::once(Span::plain("-> ")).chain(after));
        } else {
            self.line(indent, before.chain([Span::plain(" -> ")]).chain(after));
        }
    }

    fn names(&mut self, names: &[Label<'_>]) {
        for (name, addresses) in names {
            if let [(address, _)] = addresses[..] {
                self.plain(2, &format!("{name}: {address}"));
                continue;
            }
            let of = plural(addresses.len(), "address");
            if !self.style.verbose && addresses.len() > MAX_ADDRESSES {
                let one = addresses.first().map_or("", |(address, _)| address);
                let all = self.elsewhere.all;
                self.plain(2, &format!("{name}: {of} in different shops, such as {one} ({all})"));
                continue;
            }
            self.plain(2, &format!("{name}: {of} in different shops"));
            for (address, _) in addresses {
                self.plain(4, address);
            }
        }
    }
}

fn symbol(action: Action) -> Span {
    match action {
        Action::Create => Span::new(Ink::Added, "+"),
        Action::Update => Span::new(Ink::Changed, "~"),
        Action::Delete => Span::new(Ink::Removed, "-"),
    }
}

/// Returns the symbol of a difference, given the change that would remove it: what must be created is missing.
fn drift_symbol(action: Action) -> Span {
    match action {
        Action::Create => Span::new(Ink::Removed, "-"),
        Action::Update => symbol(Action::Update),
        Action::Delete => Span::new(Ink::Added, "+"),
    }
}

/// Returns the label and the value of a fact, with the shops that it applies to.
pub(super) fn labelled(fact: &Fact<'_>, style: &Style) -> (String, String) {
    let Fact { label, shops, value, words: _, emphasis: _ } = fact;
    match shops.as_slice() {
        [] => ((*label).to_owned(), value.clone()),
        [shop] => (format!("{label} {shop}"), value.clone()),
        many => (format!("{label} {}", plural(many.len(), "shop")), format!("{}: {value}", list(many, style))),
    }
}

/// Breaks a text into lines at single spaces.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += chars;
    }
    lines.push(line);
    lines
}

/// Returns the name of a shop without `.myshopify.com`.
pub(super) fn handle(shop: &str) -> &str {
    shop.strip_suffix(".myshopify.com").unwrap_or(shop)
}

/// Returns `alpha.myshopify.com`, or `3 shops: alpha, beta, gamma`, escaped. A list longer than about two lines is cut.
pub(crate) fn title(shops: &[&str], style: &Style) -> String {
    match shops {
        [shop] => escape(shop).into_owned(),
        shops => format!("{}: {}", plural(shops.len(), "shop"), list(shops, style)),
    }
}

/// Returns `alpha, beta, … and 998 more`, escaped. All shops are listed if the style is verbose.
pub(super) fn list(shops: &[&str], style: &Style) -> String {
    let names: Vec<_> = shops.iter().map(|shop| escape(handle(shop))).collect();
    let length = |names: &[std::borrow::Cow<'_, str>]| names.iter().map(|n| n.chars().count() + 2).sum::<usize>();
    let max = usize::from(style.width.unwrap_or(80)).max(40) * 2 - 16;
    if style.verbose || length(&names) <= max {
        return names.join(", ");
    }
    let max = max - " … and 1,000 more".len();
    let fitting = (1..names.len()).take_while(|&n| n == 1 || length(&names[..n]) <= max).last().unwrap_or(1);
    format!("{}, … and {} more", names[..fitting].join(", "), thousands(names.len() - fitting))
}
