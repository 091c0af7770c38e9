//! Every command's help has examples, and what they say can be typed.

use clap::{Command, CommandFactory as _, Parser as _};

use super::Cli;

/// Every command: the words that lead to it, and its help as a pipe gets it, where a longer line would wrap.
fn commands(command: &Command, path: &[String], found: &mut Vec<(String, String)>) {
    let help = command.clone().term_width(100).render_long_help().to_string();
    found.push((path.join(" "), help));
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        commands(sub, &[path, &[sub.get_name().to_owned()]].concat(), found);
    }
}

/// The words of a command line, up to a pipe, a redirection or the remark after three blanks.
fn words(line: &str) -> Vec<String> {
    let line = line.split("   ").next().unwrap_or_default();
    let words = line.split_whitespace().take_while(|word| !["|", "<", ">", ">>"].contains(word));
    words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}

#[test]
fn every_command_has_examples_that_can_be_typed() {
    let mut found = Vec::new();
    commands(&Cli::command(), &[], &mut found);
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
        assert!(own, "{path:?}: no example is of the command itself");
    }
}
