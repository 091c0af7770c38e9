//! Man pages, one for each command. clap provides name, synopsis, description and options. This module adds the exit codes,
//! environment variables and files that apply to several commands.

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::{Cli, DEFAULT_MANIFEST};
use crate::exit::Exit;

/// Returns the page of the command that `path` names. The error is the first unknown word of `path`.
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
    /// The command line of the parent command.
    pub(crate) parent: String,
}

/// Returns all pages with their file names.
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

/// Returns a command and all its subcommands.
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
    // Writes to memory cannot fail.
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

/// Removes what `mandoc -Tlint` reports in the output of clap_mangen: empty lines between breaks and trailing spaces.
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

/// Returns the lines of the examples and the paragraphs after them.
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

/// Writes the parent, the siblings and the subcommands.
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

/// The commands to which a row applies.
enum Concerns {
    All,
    /// The page of the program, and commands with one of these arguments.
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

/// The commands that send requests to shops: all of them have this argument.
const SHOPS: Concerns = Concerns::With(&["timeout"]);

/// Returns the commands that can end with an exit code.
fn concerned(exit: Exit) -> Concerns {
    match exit {
        Exit::Done | Exit::Error | Exit::Invalid => Concerns::All,
        Exit::Changes => Concerns::With(&["detailed_exitcode", "since"]),
        Exit::Auth | Exit::RateLimit | Exit::Partial => SHOPS,
        Exit::Refused => Concerns::With(&["allow"]),
        Exit::Stale => Concerns::With(&["expect_digest"]),
    }
}

/// Returns the text with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_ascii_uppercase(), letters.as_str()))
}

const ENVIRONMENT: &[(&str, &str, Concerns)] = &[
    (
        "HOOKWRIGHT_ADMIN_URL",
        "Replaces the scheme and host of every request to Shopify, for a sandbox server or a proxy. {shop} is replaced by \
         the full domain of the shop; without {shop} the selection must contain only one shop. Plain http is accepted \
         only for loopback addresses.",
        SHOPS,
    ),
    (
        "HOOKWRIGHT_TRUST_HOSTS",
        "Hosts, separated by commas, that HOOKWRIGHT_ADMIN_URL may name in addition to loopback addresses. They receive \
         the tokens of the shops.",
        SHOPS,
    ),
    (
        "HOOKWRIGHT_ALLOW_COMMANDS",
        "The value 1 allows the manifest to run commands that print secrets, like --allow-commands.",
        SHOPS,
    ),
    ("HTTPS_PROXY, ALL_PROXY, NO_PROXY", "The proxy, and the hosts that are reached without it.", SHOPS),
    ("SSL_CERT_FILE", "A PEM file with trusted certificate authorities. It replaces those of the system.", SHOPS),
    (
        "GITHUB_WORKSPACE",
        "The base folder of the paths in --format sarif and github, if it contains the working directory. The default is \
         the working directory.",
        Concerns::With(&["deny"]),
    ),
    ("NO_COLOR", "If set and not empty, --color auto means never.", Concerns::All),
    (
        "SOURCE_DATE_EPOCH",
        "Seconds since 1970, written instead of the current time to make outputs reproducible.",
        Concerns::With(&["timeout", "all"]),
    ),
];

const FILES: &[(&str, &str, Concerns)] = &[
    (DEFAULT_MANIFEST, "The manifest, unless -f names another file or a folder.", Concerns::With(&["file", "files"])),
    (
        ".hookwright/sandbox.json",
        "The state of the sandbox, unless --sandbox-state (or --state of the sandbox commands) names another file.",
        Concerns::With(&["sandbox_state", "state"]),
    ),
    (
        "*.sandbox.yaml",
        "Seed files in the folder of the manifest. They fill a new sandbox and are never read as manifests.",
        Concerns::With(&["sandbox_state"]),
    ),
];
