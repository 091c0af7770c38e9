//! `topics`: lists the topics of the catalogue.

use std::io::{self, Write};

use super::Output;
use crate::catalog::{self, TopicInfo};
use crate::cli::topics::{TopicsArgs, TopicsFormat};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::{Scope, ScopeSet};
use crate::wire::topics;

pub(super) fn run(args: &TopicsArgs, output: Output) -> Result<Exit, Failure> {
    output.plain(args.format.printed(), |out, err| write(args, out, err))
}

/// Prints the topics that match. Returns 0, or 3 if a scope is invalid.
fn write(args: &TopicsArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut granted = Vec::new();
    for text in &args.scope {
        let Some(scope) = Scope::parse(text) else {
            writeln!(err, "error: `{}` is not an access scope", text.escape_debug())?;
            writeln!(err, "  help: write a scope such as `read_orders` or `write_customers`")?;
            return Ok(3);
        };
        if let Some(meant) = catalog::meant_scope(&scope) {
            writeln!(err, "error: unknown scope `{scope}`")?;
            writeln!(err, "  help: did you mean `{meant}`?")?;
            return Ok(3);
        }
        granted.push(scope);
    }
    let granted = (!granted.is_empty()).then(|| granted.into_iter().collect::<ScopeSet>());
    let words: Vec<String> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let topics: Vec<&TopicInfo> = catalog::all().iter().filter(|info| fits(info, &words, granted.as_ref())).collect();
    match args.format {
        TopicsFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &topics::document(&topics))?;
            writeln!(out)?;
        }
        TopicsFormat::Text if topics.is_empty() => {
            writeln!(err, "No topic matches; `hookwright topics` lists all {} topics.", catalog::all().len())?;
        }
        TopicsFormat::Text => columns(&topics, out)?,
    }
    Ok(0)
}

/// Whether a topic matches: its slash form or GraphQL name contains each word, and the scopes grant one of its
/// alternatives.
fn fits(info: &TopicInfo, words: &[String], granted: Option<&ScopeSet>) -> bool {
    let graphql = info.graphql().to_lowercase();
    words.iter().all(|word| info.name.contains(word.as_str()) || graphql.contains(word.as_str()))
        && granted.is_none_or(|granted| info.scopes().any(|scope| granted.grants(scope)))
}

fn columns(topics: &[&TopicInfo], out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 5]> = topics
        .iter()
        .map(|info| {
            let scopes: Vec<&str> = info.scopes().collect();
            let scopes = if scopes.is_empty() { "-".to_owned() } else { scopes.join(" or ") };
            let event =
                topics::event(info).map_or_else(|| "-".to_owned(), |(topic, action)| format!("{topic} {action}"));
            [info.name.to_owned(), info.graphql(), event, info.note.to_owned(), scopes]
        })
        .collect();
    let head = ["TOPIC", "GRAPHQL", "EVENT", "NOTE", "SCOPE"].map(str::to_owned);
    let width = |column: usize| rows.iter().chain([&head]).map(|row| row[column].len()).max().unwrap_or(0);
    // The scopes come last, because one topic has a long list of them.
    let widths = [width(0), width(1), width(2), width(3)];
    for [name, graphql, event, note, scopes] in std::iter::once(&head).chain(&rows) {
        let [a, b, c, d] = widths;
        let line = format!("{name:a$}  {graphql:b$}  {event:c$}  {note:d$}  {scopes}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_with(words: &[&str], scope: &[&str], format: TopicsFormat) -> (u8, String, String) {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let args = TopicsArgs { words: texts(words), scope: texts(scope), format };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = write(&args, &mut out, &mut err).expect("run");
        (code, String::from_utf8(out).expect("utf-8"), String::from_utf8(err).expect("utf-8"))
    }

    #[test]
    fn words_and_scopes_filter_the_list() {
        let (code, out, _) = run_with(&["ORDERS_CREATE"], &["write_orders"], TopicsFormat::Json);
        let topics: serde_json::Value = serde_json::from_str(&out).expect("json");
        let names: Vec<_> =
            topics.as_array().expect("array").iter().map(|topic| topic["name"].as_str().unwrap_or_default()).collect();
        assert_eq!((code, names), (0, vec!["orders/create"]));
        let (_, all, _) = run_with(&[], &[], TopicsFormat::Text);
        assert_eq!(all.lines().count(), catalog::all().len() + 1);
        assert!(all.lines().all(|line| line == line.trim_end()));
    }

    #[test]
    fn the_corresponding_event_is_a_column_and_a_key() {
        let (_, out, _) = run_with(&["orders/updated"], &[], TopicsFormat::Text);
        let columns: Vec<&str> = out.lines().flat_map(|line| line.split("  ")).map(str::trim).collect();
        assert!(columns.contains(&"EVENT") && columns.contains(&"Order update"), "{out}");
        let (_, out, _) = run_with(&["products/"], &[], TopicsFormat::Json);
        let topics: serde_json::Value = serde_json::from_str(&out).expect("json");
        let event = |name: &str| {
            topics.as_array().expect("array").iter().find(|t| t["name"] == name).expect(name)["event"].clone()
        };
        assert_eq!(event("products/delete"), serde_json::json!({ "topic": "Product", "action": "delete" }));
        let (_, out, _) = run_with(&["orders/paid"], &[], TopicsFormat::Json);
        assert!(out.contains("\"event\": null"), "{out}");
    }

    #[test]
    fn no_match_is_reported_and_an_invalid_scope_is_rejected() {
        let (code, out, err) = run_with(&["frobnicate"], &[], TopicsFormat::Text);
        assert!(code == 0 && out.is_empty() && err.contains("No topic matches"));
        assert_eq!(run_with(&[], &["orders"], TopicsFormat::Text).0, 3);
        let (code, _, err) = run_with(&[], &["read_order"], TopicsFormat::Text);
        assert!(code == 3 && err.contains("did you mean `read_orders`?"), "{err}");
        assert_eq!(run_with(&["frobnicate"], &[], TopicsFormat::Json).1, "[]\n");
    }
}
