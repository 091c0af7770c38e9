//! Manual pages: one for each command. Name, synopsis, description and options are clap's; what holds for several commands,
//! such as exit codes and environment variables, is said here once and stands in each page that it concerns.

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::{Cli, DEFAULT_MANIFEST};
use crate::exit::Exit;

/// The page of a command, or the words of `path` that name none.
pub(crate) fn named(path: &[String], date: &str) -> Result<String, Unknown> {
    let root = root();
    let mut command = &root;
    for name in path {
        command = command
            .find_subcommand(name)
            .ok_or_else(|| Unknown { command: name.clone(), parent: display_name(command).replace('-', " ") })?;
    }
    Ok(page(&root, command, date))
}

/// A command that does not exist.
pub(crate) struct Unknown {
    pub(crate) command: String,
    /// The command line of the command above it.
    pub(crate) parent: String,
}

/// Every page, with the name of its file.
pub(crate) fn all(date: &str) -> Vec<(String, String)> {
    let root = root();
    tree(&root)
        .into_iter()
        .map(|command| (format!("{}.1", display_name(command)), page(&root, command, date)))
        .collect()
}

fn root() -> Command {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    root
}

/// A command and all below it.
fn tree(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().filter(|sub| !sub.is_hide_set()).flat_map(tree);
    std::iter::once(command).chain(below).collect()
}

/// `hookwright-sandbox-serve`
fn display_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(root: &Command, command: &Command, date: &str) -> String {
    let name = display_name(command);
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(date)
        .source(format!("hookwright {}", env!("CARGO_PKG_VERSION")))
        .manual("Hookwright Manual");
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = man.render_title(&mut text);
    let _ = man.render_name_section(&mut text);
    let _ = man.render_synopsis_section(&mut text);
    let _ = man.render_description_section(&mut text);
    let (examples, notes) = after_help(command);
    let mut more = Roff::new();
    for note in notes {
        more.control("PP", []).text([roman(note)]);
    }
    let _ = more.to_writer(&mut text);
    if command.has_subcommands() {
        let _ = man.render_subcommands_section(&mut text);
    }
    let _ = man.render_options_section(&mut text);
    let mut rest = Roff::new();
    let holds = |concerns: &Concerns| concerns.hold(command);
    let codes = Exit::MEANINGS.into_iter().filter(|(exit, _)| concerned(*exit).hold(command));
    table(&mut rest, "EXIT STATUS", codes.map(|(exit, meaning)| ((exit as u8).to_string(), sentence(meaning))));
    table(&mut rest, "ENVIRONMENT", ENVIRONMENT.iter().filter(|row| holds(&row.2)).map(|row| (row.0, row.1)));
    table(&mut rest, "FILES", FILES.iter().filter(|row| holds(&row.2)).map(|row| (row.0, row.1)));
    rest.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in examples {
        rest.text([roman(line)]);
    }
    rest.control("fi", []);
    see_also(&mut rest, root, command);
    let _ = rest.to_writer(&mut text);
    tidy(&String::from_utf8_lossy(&text))
}

/// What clap_mangen writes and `mandoc -Tlint` complains of: an empty line between breaks, blanks at the end.
fn tidy(page: &str) -> String {
    let page = page.replace("\n.br\n\n.br\n", "\n.sp\n");
    page.lines().map(str::trim_end).fold(String::with_capacity(page.len()), |out, line| out + line + "\n")
}

fn table(roff: &mut Roff, title: &str, rows: impl Iterator<Item = (impl Into<String>, impl Into<String>)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    roff.control("SH", [title]);
    for (name, meaning) in rows {
        roff.control("TP", []).text([bold(name)]).text([roman(meaning)]);
    }
}

/// The lines of the examples, and the paragraphs after them.
fn after_help(command: &Command) -> (Vec<String>, Vec<String>) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (mut examples, mut notes) = (Vec::new(), Vec::new());
    for paragraph in text.split("\n\n") {
        match paragraph.strip_prefix("Examples:\n") {
            Some(lines) => examples.extend(lines.lines().map(|line| line.trim().to_owned())),
            None if paragraph.starts_with("Exit codes:") => {}
            None => notes.push(paragraph.replace('\n', " ")),
        }
    }
    notes.retain(|note| !note.is_empty());
    (examples, notes)
}

/// The command above, those beside it and those below.
fn see_also(roff: &mut Roff, root: &Command, command: &Command) {
    let own = display_name(command);
    let above = own.rsplit_once('-').map(|(above, _)| above);
    let related = tree(root).into_iter().map(display_name).filter(|name| {
        let parent = name.rsplit_once('-').map(|(parent, _)| parent);
        *name != own && (parent == Some(own) || Some(*name) == above || (parent.is_some() && parent == above))
    });
    let mut inlines: Vec<Inline> = Vec::new();
    for name in related {
        if !inlines.is_empty() {
            inlines.push(roman(", "));
        }
        inlines.extend([bold(name), roman("(1)")]);
    }
    roff.control("SH", ["SEE ALSO"]).text(inlines);
}

/// Which commands a row is about.
enum Concerns {
    All,
    /// The program's own page, and those with one of these arguments.
    With(&'static [&'static str]),
}

impl Concerns {
    fn hold(&self, command: &Command) -> bool {
        match self {
            Self::All => true,
            Self::With(ids) => {
                !display_name(command).contains('-')
                    || command.get_arguments().any(|arg| ids.contains(&arg.get_id().as_str()))
            }
        }
    }
}

/// An argument that every command has that talks to shops.
const SHOPS: Concerns = Concerns::With(&["timeout"]);

/// The commands that an exit code is about.
fn concerned(exit: Exit) -> Concerns {
    match exit {
        Exit::Done | Exit::Error | Exit::Invalid => Concerns::All,
        Exit::Changes => Concerns::With(&["detailed_exitcode", "since"]),
        Exit::Auth | Exit::RateLimit | Exit::Partial => SHOPS,
        Exit::Refused => Concerns::With(&["allow"]),
        Exit::Stale => Concerns::With(&["expect_digest"]),
    }
}

/// A sentence from a part of one.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_ascii_uppercase(), letters.as_str()))
}

const ENVIRONMENT: &[(&str, &str, Concerns)] = &[
    (
        "HOOKWRIGHT_ADMIN_URL",
        "Replaces scheme and host of every request to Shopify, for a sandbox server or a proxy. {shop} in it stands for \
         the shop's full domain; without {shop} the selection must be one shop. Plain http is taken for loopback \
         addresses only.",
        SHOPS,
    ),
    (
        "HOOKWRIGHT_TRUST_HOSTS",
        "Hosts, separated by commas, that are no loopback addresses and may stand in HOOKWRIGHT_ADMIN_URL. They are \
         sent the shops' tokens.",
        SHOPS,
    ),
    (
        "HOOKWRIGHT_ALLOW_COMMANDS",
        "1 lets the manifest run commands to fetch secrets, as --allow-commands does.",
        SHOPS,
    ),
    ("HTTPS_PROXY, ALL_PROXY, NO_PROXY", "The proxy to go through, and the hosts to reach without it.", SHOPS),
    ("SSL_CERT_FILE", "A PEM file with the authorities to trust, in place of the system's.", SHOPS),
    (
        "GITHUB_WORKSPACE",
        "The folder that paths in --format sarif and github are relative to, if the working directory is in it; without \
         it the working directory.",
        Concerns::With(&["deny"]),
    ),
    ("NO_COLOR", "If it is set and not empty, --color auto means never.", Concerns::All),
    (
        "SOURCE_DATE_EPOCH",
        "Seconds since 1970 that are written in place of the present time, for outputs that can be reproduced.",
        Concerns::With(&["timeout", "all"]),
    ),
];

const FILES: &[(&str, &str, Concerns)] = &[
    (DEFAULT_MANIFEST, "The manifest, unless -f names another file or a folder.", Concerns::With(&["file", "files"])),
    (
        ".hookwright/sandbox.json",
        "The state of the sandbox, unless --sandbox-state or, of the sandbox commands, --state names another.",
        Concerns::With(&["sandbox_state", "state"]),
    ),
    (
        "*.sandbox.yaml",
        "Seeds beside the manifest, which fill a new sandbox. They are never read as manifests.",
        Concerns::With(&["sandbox_state"]),
    ),
];
