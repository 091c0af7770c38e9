//! Habits of other tools: an option or a word that hookwright does not have is answered in one line with the one that it has.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// An option of another tool, and what hookwright has instead.
struct Habit {
    /// The names of the option, without dashes.
    names: &'static [&'static str],
    /// The one command where the answer holds; empty: every command.
    command: &'static str,
    /// The option that the command must have for this answer; empty: none.
    needs: &'static str,
    ours: &'static str,
}

const OUT: &[&str] = &["out", "o", "output", "save"];
const ALLOW: &[&str] = &["allow", "consent"];
const YES: &[&str] = &["auto-approve", "y", "yes", "assume-yes", "approve", "force"];
const DRY: &[&str] = &["dry-run", "n", "check", "what-if", "noop"];
const FILE: &[&str] = &["file", "f", "manifest", "config", "filename", "chdir"];

/// The first that fits counts.
const HABITS: &[Habit] = &[
    habit(OUT, "plan", "out", "hookwright writes a plan with --out FILE"),
    habit(OUT, "drift", "out", "hookwright writes a drift report with --out FILE"),
    habit(OUT, "show", "", "hookwright show prints to standard output: `hookwright show FILE > PAGE`"),
    habit(OUT, "apply", "report", "hookwright writes the outcomes of an apply with --report FILE"),
    habit(OUT, "", "out", "hookwright writes to a file with --out FILE"),
    habit(YES, "", "auto-approve", "hookwright applies without asking with --auto-approve"),
    habit(YES, "", "file", "this command asks nothing, so leave the option out"),
    habit(
        ALLOW,
        "plan",
        "",
        "consents are given to `hookwright apply` or `hookwright show --check`; plan changes nothing",
    ),
    habit(ALLOW, "drift", "", "consents are given to `hookwright apply`; drift changes nothing"),
    habit(
        &["expect-digest", "report", "journal", "checked"],
        "plan",
        "",
        "it belongs to `hookwright apply`, which carries out a plan that `plan --out FILE` saved",
    ),
    habit(DRY, "apply", "", "`hookwright plan` shows what an apply would do, and changes nothing"),
    habit(DRY, "plan", "", "hookwright plan changes nothing, so leave the option out"),
    habit(DRY, "drift", "", "hookwright drift changes nothing, so leave the option out"),
    habit(&["refresh-only"], "", "", "`hookwright drift` compares the live webhooks with the manifest"),
    habit(&["target", "t", "s", "store", "only"], "", "shop", "hookwright selects shops with --shop PATTERN"),
    habit(&["exclude", "skip"], "", "exclude-shop", "hookwright leaves out shops with --exclude-shop PATTERN"),
    habit(&["l", "selector"], "", "label", "hookwright selects shops by label with --label KEY=VALUE"),
    habit(FILE, "show", "", "hookwright show takes files without an option: `hookwright show FILE`"),
    habit(FILE, "", "file", "hookwright reads a manifest with -f PATH"),
    habit(
        &["j", "jobs", "concurrency"],
        "",
        "parallelism",
        "hookwright limits the shops at a time with --parallelism N",
    ),
    habit(&["json"], "", "format", "hookwright prints JSON with --format json"),
    habit(&["no-color", "no-colour"], "", "color", "hookwright prints without colours with --color never"),
    habit(&["q", "silent"], "", "quiet", "hookwright is silent with --quiet"),
    habit(&["d", "debug"], "", "verbose", "hookwright logs requests with -vv"),
];

/// Commands of other tools, and what hookwright has instead.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["diff", "preview"], "`hookwright plan` shows what would change"),
    (&["up", "deploy", "sync"], "`hookwright apply` makes the changes"),
    (&["refresh", "status", "check"], "`hookwright drift` compares the live webhooks with the manifest"),
    (&["lint", "fmt"], "`hookwright validate` checks a manifest"),
    (&["version"], "`hookwright --version` prints the version"),
    (&["destroy", "delete"], "write `bindings: []` for the shop, and `hookwright apply` deletes what is managed there"),
    (
        &["state", "list", "ls"],
        "`hookwright drift` compares what is live with the manifest, `hookwright import` prints it",
    ),
    (&["login"], "`hookwright auth login` has a shop approve the app"),
];

const fn habit(
    names: &'static [&'static str],
    command: &'static str,
    needs: &'static str,
    ours: &'static str,
) -> Habit {
    Habit { names, command, needs, ours }
}

/// The answer to a command line that clap refused, if it shows a habit. `args` begin with the program's name.
pub(crate) fn answer(args: &[String], refused: &clap::Error) -> Option<String> {
    let root = Cli::command();
    let (path, command) = command(&root, args);
    let invalid = match refused.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) => Some(word.as_str()),
        _ => None,
    };
    match refused.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = args.iter().skip(1).find(|arg| !arg.starts_with('-'))?;
            let ours = COMMANDS.iter().find(|(names, _)| names.contains(&word.as_str()))?.1;
            Some(format!("unknown command {word}: {ours}"))
        }
        ErrorKind::UnknownArgument => {
            let mut options = args.iter().skip(1).take_while(|arg| *arg != "--");
            let known = options.find_map(|arg| option(command, arg));
            known.or_else(|| positional(&path, command, invalid.filter(|word| !word.starts_with('-'))?))
        }
        _ => None,
    }
}

/// The command that the words lead to, and the words.
fn command<'a>(root: &'a Command, args: &[String]) -> (String, &'a Command) {
    let (mut path, mut command) = (root.get_name().to_owned(), root);
    for arg in args.iter().skip(1) {
        if let Some(sub) = command.find_subcommand(arg) {
            path = format!("{path} {arg}");
            command = sub;
        }
    }
    (path, command)
}

/// The command's own options, and those of every command.
fn long<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(name))
}

/// The answer to an option that the command does not have.
fn option(command: &Command, arg: &str) -> Option<String> {
    let arg = arg.split('=').next().unwrap_or_default();
    let (dashes, name) = match arg.strip_prefix("--") {
        Some(name) => (2, name),
        None => (1, arg.strip_prefix('-')?),
    };
    let everywhere = Cli::command();
    let has = |name: &str| long(command, name).is_some() || long(&everywhere, name).is_some();
    let short = command.get_arguments().filter_map(Arg::get_short).any(|c| name.strip_prefix(c) == Some(""));
    if (dashes == 2 && has(name)) || (dashes == 1 && short) {
        return None;
    }
    let fits = |habit: &&Habit| {
        habit.names.contains(&name)
            && (habit.command.is_empty() || habit.command == command.get_name())
            && (habit.needs.is_empty() || has(habit.needs))
    };
    let ours = HABITS.iter().find(fits).map(|habit| habit.ours.to_owned());
    let dashed = || (name.len() > 1 && has(name)).then(|| format!("an option has two dashes, --{name}"));
    ours.or_else(dashed).map(|ours| format!("unknown option {arg}: {ours}"))
}

/// The answer to a word that the command does not take.
fn positional(path: &str, command: &Command, word: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    let shown = if word.chars().all(plain) { word } else { "PATH" };
    let ours = if Path::new(word).extension().is_some_and(|ext| ext.eq_ignore_ascii_case("json")) {
        format!("`hookwright show {shown}` renders a saved plan, and `hookwright apply {shown}` applies it")
    } else if word.contains(['.', '/']) && !word.ends_with(".myshopify.com") {
        long(command, "file")?;
        format!("a manifest is named with -f: `{path} -f {shown}`")
    } else {
        long(command, "shop")?;
        format!("a shop is named with --shop: `{path} --shop {shown}`")
    };
    Some(format!("unexpected argument {word}: {ours}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn answered(line: &str) -> Option<String> {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        answer(&args, &Cli::try_parse_from(&args).expect_err(line))
    }

    #[test]
    fn an_option_of_another_tool_is_answered_with_ours() {
        for (line, ours) in [
            ("plan -out plan.json", "unknown option -out: hookwright writes a plan with --out FILE"),
            ("plan -o plan.json", "unknown option -o: hookwright writes a plan with --out FILE"),
            ("plan -out=plan.json", "unknown option -out: hookwright writes a plan with --out FILE"),
            ("drift -o a.json", "unknown option -o: hookwright writes a drift report with --out FILE"),
            ("import --output a", "unknown option --output: hookwright writes to a file with --out FILE"),
            (
                "apply -auto-approve",
                "unknown option -auto-approve: hookwright applies without asking with --auto-approve",
            ),
            ("apply --yes", "unknown option --yes: hookwright applies without asking with --auto-approve"),
            ("apply -y", "unknown option -y: hookwright applies without asking with --auto-approve"),
            (
                "apply --dry-run",
                "unknown option --dry-run: `hookwright plan` shows what an apply would do, and changes nothing",
            ),
            ("plan --dry-run", "unknown option --dry-run: hookwright plan changes nothing, so leave the option out"),
            ("plan -target=a", "unknown option -target: hookwright selects shops with --shop PATTERN"),
            ("auth status --target a", "unknown option --target: hookwright selects shops with --shop PATTERN"),
            (
                "plan -detailed-exitcode",
                "unknown option -detailed-exitcode: an option has two dashes, --detailed-exitcode",
            ),
            (
                "show -f a.json",
                "unknown option -f: hookwright show takes files without an option: `hookwright show FILE`",
            ),
            ("plan --no-color", "unknown option --no-color: hookwright prints without colours with --color never"),
            (
                "plan hooks/a.yaml",
                "unexpected argument hooks/a.yaml: a manifest is named with -f: `hookwright plan -f hooks/a.yaml`",
            ),
            (
                "drift plan.json",
                "unexpected argument plan.json: `hookwright show plan.json` renders a saved plan, and \
                 `hookwright apply plan.json` applies it",
            ),
            (
                "plan tea-house",
                "unexpected argument tea-house: a shop is named with --shop: `hookwright plan --shop tea-house`",
            ),
            ("diff", "unknown command diff: `hookwright plan` shows what would change"),
        ] {
            assert_eq!(answered(&format!("hookwright {line}")).as_deref(), Some(ours), "{line}");
        }
    }

    #[test]
    fn what_is_no_habit_is_left_to_clap() {
        for line in ["plan --parallelsm 3", "plan --timeout", "show", "frobnicate", "plan -z", "topics --out a -- -o"] {
            let _ = answered(&format!("hookwright {line}"));
        }
        assert_eq!(answered("hookwright plan --parallelsm 3"), None);
        assert_eq!(answered("hookwright frobnicate"), None);
        assert_eq!(answered("hookwright plan --out"), None);
    }

    #[test]
    fn every_option_that_an_answer_needs_exists_and_no_command_has_the_habit_itself() {
        let root = Cli::command();
        let commands: Vec<&Command> =
            root.get_subcommands().flat_map(|c| std::iter::once(c).chain(c.get_subcommands())).collect();
        for Habit { command, needs, ours, .. } in HABITS {
            let fits = |c: &&&Command| command.is_empty() || c.get_name() == *command;
            let mut those = commands.iter().filter(fits);
            let found = needs.is_empty() || long(&root, needs).is_some() || those.any(|c| long(c, needs).is_some());
            assert!(found, "{ours}");
        }
        for (names, _) in COMMANDS {
            assert!(names.iter().all(|name| root.find_subcommand(name).is_none()), "{names:?}");
        }
    }
}
