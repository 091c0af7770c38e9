//! The help of every command: examples that parse, and lines of at most 80 columns.

use clap::{Command, CommandFactory as _, Parser as _};

use super::Cli;

/// Returns the path of every command and its help in a terminal of this width.
fn commands(width: usize) -> Vec<(String, String)> {
    let mut found = Vec::new();
    visit(&Cli::command(), &[], &mut |path, command| {
        let help = command.clone().term_width(width).render_long_help().to_string();
        found.push((path.join(" "), help));
    });
    found
}

fn visit(command: &Command, path: &[String], report: &mut impl FnMut(&[String], &Command)) {
    report(path, command);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        visit(sub, &[path, &[sub.get_name().to_owned()]].concat(), report);
    }
}

/// Splits a command line, up to a pipe, a redirection or the remark after three spaces.
fn words(line: &str) -> Vec<String> {
    let line = line.split("   ").next().unwrap_or_default();
    let words = line.split_whitespace().take_while(|word| !["|", "<", ">", ">>"].contains(word));
    words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}

#[test]
fn every_command_has_examples_that_parse() {
    let found = commands(100);
    assert!(found.len() > 20, "{found:?}");
    for (path, help) in found {
        let (_, examples) =
            help.split_once("Examples:\n").unwrap_or_else(|| panic!("{path:?} has no examples:\n{help}"));
        let examples: Vec<&str> = examples.lines().take_while(|line| line.starts_with("  ")).collect();
        assert!(!examples.is_empty(), "{path:?}");
        for line in &examples {
            let words = words(line.trim());
            assert_eq!(words.first().map(String::as_str), Some("hookwright"), "{path:?}: {line}");
            Cli::try_parse_from(&words).unwrap_or_else(|e| panic!("{path:?}: {line}\n{e}"));
        }
        let own = examples.iter().any(|line| line.trim().starts_with(format!("hookwright {path}").trim_end()));
        assert!(own, "{path:?}: no example uses the command itself");
    }
}

/// A paragraph with a line break of its own is wrapped twice: the line before the break ends early.
#[test]
fn paragraphs_of_the_help_are_wrapped_once() {
    let mut wrong = Vec::new();
    for width in [80, 100] {
        for (path, help) in commands(width) {
            let lines: Vec<&str> = help.lines().collect();
            for pair in lines.windows(2) {
                let [line, next] = [pair[0], pair[1]].map(str::trim_end);
                let is_text = |text: &str| !text.is_empty() && !text.starts_with(' ') && !text.ends_with(':');
                let word = next.split_whitespace().next().unwrap_or_default();
                if is_text(line) && is_text(next) && line.chars().count() + 1 + word.chars().count() <= width {
                    wrong.push(format!("{path:?} at {width}: {line:?} ends before {word:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// clap measures help for the terminal; `max_term_width` limits it to 80 columns.
#[test]
fn no_line_of_the_help_is_over_80_columns() {
    let mut wrong = Vec::new();
    for name in ["-h", "--help"] {
        visit(&Cli::command(), &[], &mut |path, _| {
            let args = ["hookwright"].into_iter().chain(path.iter().map(String::as_str)).chain([name]);
            let help = Cli::try_parse_from(args).expect_err("help").to_string();
            let wide = help.lines().filter(|line| line.chars().count() > 80);
            wrong.extend(wide.map(|line| format!("{path:?} {name}: {line}")));
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Short help is a list of options, one phrase each. Defaults and possible values may follow on a second line.
#[test]
fn the_short_help_of_an_option_is_at_most_65_characters() {
    let mut wrong = Vec::new();
    visit(&Cli::command(), &[], &mut |path, command| {
        let helps = command.get_arguments().filter_map(clap::Arg::get_help).chain(command.get_about());
        let long = helps.map(ToString::to_string).filter(|help| !path.is_empty() && help.chars().count() > 65);
        wrong.extend(long.map(|help| format!("{path:?}: {help}")));
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Tables inside the help of an option are indented by 10 columns.
#[test]
fn tables_of_an_option_fit_into_80_columns() {
    let mut wrong = Vec::new();
    visit(&Cli::command(), &[], &mut |path, command| {
        for help in command.get_arguments().filter_map(clap::Arg::get_long_help) {
            let long = help.to_string();
            let wide = long.lines().filter(|line| line.starts_with("  ") && line.chars().count() > 70);
            wrong.extend(wide.map(|line| format!("{path:?}: {line}")));
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
