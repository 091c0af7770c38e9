//! Options and commands of other tools. An error message names the equivalent of Hookwright.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// An option of another tool, and its equivalent.
struct Habit {
    /// The names of the option, without dashes.
    names: &'static [&'static str],
    /// The command to which the answer applies; empty: every command.
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

/// The first match is used.
const HABITS: &[Habit] = &[
    habit(OUT, "plan", "out", "use `--out FILE` to save a plan"),
    habit(OUT, "drift", "out", "use `--out FILE` to save a drift report"),
    habit(OUT, "show", "", "the output goes to stdout: `hookwright show FILE > PAGE`"),
    habit(OUT, "apply", "report", "use `--report FILE` to write the outcomes of an apply"),
    habit(OUT, "", "out", "use `--out FILE` to write to a file"),
    habit(YES, "", "auto-approve", "use `--auto-approve` to apply without confirmation"),
    habit(YES, "", "file", "this command does not ask for confirmation. Remove the option"),
    habit(
        ALLOW,
        "plan",
        "",
        "`hookwright apply` and `hookwright show --check` accept consents. A plan changes nothing",
    ),
    habit(ALLOW, "drift", "", "`hookwright apply` accepts consents. `hookwright drift` changes nothing"),
    habit(
        &["expect-digest", "report", "journal", "checked"],
        "plan",
        "",
        "this is an option of `hookwright apply`, which applies a plan saved with `--out FILE`",
    ),
    habit(DRY, "apply", "", "`hookwright plan` shows the changes without applying them"),
    habit(DRY, "plan", "", "`hookwright plan` changes nothing. Remove the option"),
    habit(DRY, "drift", "", "`hookwright drift` changes nothing. Remove the option"),
    habit(&["refresh-only"], "", "", "`hookwright drift` compares the live subscriptions with the manifest"),
    habit(&["target", "t", "s", "store", "only"], "", "shop", "use `--shop PATTERN` to select shops"),
    habit(&["exclude", "skip"], "", "exclude-shop", "use `--exclude-shop PATTERN` to exclude shops"),
    habit(&["l", "selector"], "", "label", "use `--label KEY=VALUE` to select shops by label"),
    habit(FILE, "show", "", "files are positional arguments: `hookwright show FILE`"),
    habit(FILE, "", "file", "use `-f PATH` to name a manifest"),
    habit(
        &["j", "jobs", "concurrency"],
        "",
        "parallelism",
        "use `--parallelism N` to limit how many shops are processed at the same time",
    ),
    habit(&["json"], "", "format", "use `--format json` to print JSON"),
    habit(&["no-color", "no-colour"], "", "color", "use `--color never` to print without colors"),
    habit(&["q", "silent"], "", "quiet", "use `--quiet` to print only errors"),
    habit(&["d", "debug"], "", "verbose", "use `-vv` to log requests"),
];

/// Commands of other tools, and their equivalents.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["diff", "preview"], "`hookwright plan` shows the changes"),
    (&["up", "deploy", "sync"], "`hookwright apply` applies the changes"),
    (&["refresh", "status", "check"], "`hookwright drift` compares the live subscriptions with the manifest"),
    (&["lint", "fmt"], "`hookwright validate` checks a manifest"),
    (&["version"], "`hookwright --version` prints the version"),
    (
        &["destroy", "delete"],
        "write `bindings: []` for the shop. `hookwright apply` then deletes its managed subscriptions",
    ),
    (
        &["state", "list", "ls"],
        "`hookwright import` prints the live subscriptions as a manifest, and `hookwright drift` compares them with the manifest",
    ),
    (&["login"], "`hookwright auth login` obtains a token for a shop"),
];

const fn habit(
    names: &'static [&'static str],
    command: &'static str,
    needs: &'static str,
    ours: &'static str,
) -> Habit {
    Habit { names, command, needs, ours }
}

/// Returns the message for a command line that clap refused, if it contains an option or command of another tool. `args`
/// begin with the name of the program.
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
            let ours = COMMANDS.iter().find(|(names, _)| names.contains(&word.as_str())).map(|(_, ours)| *ours);
            let meant = suggested(refused, ContextKind::SuggestedSubcommand);
            let ours = ours.map(str::to_owned).or_else(|| Some(format!("did you mean `hookwright {}`?", meant?)))?;
            Some(format!("unknown command `{word}`: {ours}"))
        }
        ErrorKind::UnknownArgument => {
            let mut options = args.iter().skip(1).take_while(|arg| *arg != "--");
            let known = options.find_map(|arg| option(command, arg));
            let known = known.or_else(|| positional(&path, command, invalid.filter(|word| !word.starts_with('-'))?));
            let meant = || suggested(refused, ContextKind::SuggestedArg);
            known.or_else(|| Some(format!("unknown option `{}`: did you mean `{}`?", invalid?, meant()?)))
        }
        _ => None,
    }
}

/// Returns the path of the command that the arguments name, and the command.
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

/// Returns the word that clap suggests.
fn suggested(refused: &clap::Error, kind: ContextKind) -> Option<String> {
    match refused.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => words.first().cloned(),
        _ => None,
    }
}

/// Returns the argument of the command with this long name.
fn long<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(name))
}

/// Returns the message for an option that the command does not have.
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
    let dashed = || (name.len() > 1 && has(name)).then(|| format!("long options have two dashes: `--{name}`"));
    ours.or_else(dashed).map(|ours| format!("unknown option `{arg}`: {ours}"))
}

/// Returns the message for a positional argument that the command does not accept.
fn positional(path: &str, command: &Command, word: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    let shown = if word.chars().all(plain) { word } else { "PATH" };
    let ours = if command.get_name() == "apply" {
        "`hookwright apply` takes one plan; `-f` names a manifest".to_owned()
    } else if Path::new(word).extension().is_some_and(|ext| ext.eq_ignore_ascii_case("json")) {
        format!("`hookwright show {shown}` renders a saved plan, `hookwright apply {shown}` applies it")
    } else if word.contains(['.', '/']) && !word.ends_with(".myshopify.com") {
        long(command, "file")?;
        format!("use `-f` to name a manifest: `{path} -f {shown}`")
    } else {
        long(command, "shop")?;
        format!("use `--shop` to select a shop: `{path} --shop {shown}`")
    };
    Some(format!("unexpected argument `{word}`: {ours}"))
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
            ("plan -out plan.json", "unknown option `-out`: use `--out FILE` to save a plan"),
            ("plan -o plan.json", "unknown option `-o`: use `--out FILE` to save a plan"),
            ("plan -out=plan.json", "unknown option `-out`: use `--out FILE` to save a plan"),
            ("drift -o a.json", "unknown option `-o`: use `--out FILE` to save a drift report"),
            ("import --output a", "unknown option `--output`: use `--out FILE` to write to a file"),
            (
                "apply -auto-approve",
                "unknown option `-auto-approve`: use `--auto-approve` to apply without confirmation",
            ),
            ("apply --yes", "unknown option `--yes`: use `--auto-approve` to apply without confirmation"),
            ("apply -y", "unknown option `-y`: use `--auto-approve` to apply without confirmation"),
            (
                "apply --dry-run",
                "unknown option `--dry-run`: `hookwright plan` shows the changes without applying them",
            ),
            ("plan --dry-run", "unknown option `--dry-run`: `hookwright plan` changes nothing. Remove the option"),
            ("plan -target=a", "unknown option `-target`: use `--shop PATTERN` to select shops"),
            ("auth status --target a", "unknown option `--target`: use `--shop PATTERN` to select shops"),
            (
                "plan -detailed-exitcode",
                "unknown option `-detailed-exitcode`: long options have two dashes: `--detailed-exitcode`",
            ),
            ("show -f a.json", "unknown option `-f`: files are positional arguments: `hookwright show FILE`"),
            ("plan --no-color", "unknown option `--no-color`: use `--color never` to print without colors"),
            (
                "plan hooks/a.yaml",
                "unexpected argument `hooks/a.yaml`: use `-f` to name a manifest: `hookwright plan -f hooks/a.yaml`",
            ),
            (
                "drift plan.json",
                "unexpected argument `plan.json`: `hookwright show plan.json` renders a saved plan, \
                 `hookwright apply plan.json` applies it",
            ),
            (
                "plan tea-house",
                "unexpected argument `tea-house`: use `--shop` to select a shop: `hookwright plan --shop tea-house`",
            ),
            ("diff", "unknown command `diff`: `hookwright plan` shows the changes"),
        ] {
            assert_eq!(answered(&format!("hookwright {line}")).as_deref(), Some(ours), "{line}");
        }
    }

    #[test]
    fn a_misspelt_option_or_command_is_answered_with_a_suggestion_and_other_errors_are_left_to_clap() {
        for line in ["plan --parallelsm 3", "plan --timeout", "show", "frobnicate", "plan -z", "topics --out a -- -o"] {
            let _ = answered(&format!("hookwright {line}"));
        }
        let option = "unknown option `--parallelsm`: did you mean `--parallelism`?";
        assert_eq!(answered("hookwright plan --parallelsm 3").as_deref(), Some(option));
        assert_eq!(
            answered("hookwright vlidate").as_deref(),
            Some("unknown command `vlidate`: did you mean `hookwright validate`?")
        );
        assert_eq!(answered("hookwright frobnicate"), None);
        assert_eq!(answered("hookwright plan --out"), None);
    }

    #[test]
    fn every_option_that_an_answer_names_exists_and_no_command_has_the_name_of_another_tools_command() {
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
