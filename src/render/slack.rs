//! Prints a document as a message for Slack (Block Kit), to be posted as it is. The verdict is first and complete; the
//! sections follow by weight, as far as they fit.

use serde_json::{Value, json};

use super::document::{Block, Document, Emphasis, Section, Span, Weight, runs, titled};
use super::text::{Elsewhere, Lines, labelled};
use super::{Link, Style, escape};
use crate::text::plural;

/// Limits of Slack, in characters (documented for its blocks, and checked by Slack's own libraries). The limit of a whole
/// message is not documented; messages of more than about 13,200 were rejected (reported for Slack's JavaScript library).
const HEADER: usize = 150;
const SECTION: usize = 3_000;
const MESSAGE: usize = 10_000;
const CONTEXT: usize = 2_000;

/// Room in a section for its fence and the count of what was cut.
const RESERVE: usize = 80;

const ELSEWHERE: Elsewhere = Elsewhere { all: "the file has all", it: "the file has it", them: "the file has them" };
const STYLE: Style = Style { color: false, width: None, verbose: false };

/// Prints a document.
pub(super) fn print(document: &Document<'_>) -> Value {
    let title = titled(document);
    let mut message = Message::new(&title);
    message.context(&links(document.links));
    let facts = document.facts.iter().map(|fact| {
        let (label, value) = labelled(fact, &STYLE);
        let strong = if matches!(fact.emphasis, Emphasis::Target | Emphasis::Strong) { "*" } else { "" };
        format!("{strong}{}{strong}", clean(&format!("{label}: {value}")))
    });
    message.context(&facts.collect::<Vec<_>>().join("\n"));
    message.prose(document.incomplete.as_deref().unwrap_or_default());
    let mut sections: Vec<&Section<'_>> = document.sections.iter().filter(|section| is_shown(section)).collect();
    sections.sort_by_key(|section| section.weight);
    for section in sections {
        message.section(section);
    }
    let digests: Vec<&str> = document.digests.iter().copied().take(1).collect();
    message.finish(digests.first().copied())
}

/// Prints the verdicts of several runs.
pub(super) fn side_by_side(documents: &[Document<'_>], links: &[Link]) -> Value {
    let mut message = Message::new(&runs(documents));
    message.context(&self::links(links));
    for document in documents {
        message.prose(&titled(document));
    }
    message.finish(None)
}

/// Returns whether a section says what happened or what to do; the others are in the file.
fn is_shown(section: &Section<'_>) -> bool {
    section.weight < Weight::Names && !matches!(section.block, Block::Names(_) | Block::Unlisted(_))
}

fn links(links: &[Link]) -> String {
    let links = links.iter().map(|Link { name, url }| format!("<{}|{}>", clean(url), clean(name).replace('|', "/")));
    links.collect::<Vec<_>>().join(" · ")
}

/// Escapes control characters, and what Slack interprets.
fn clean(text: &str) -> String {
    inert(&escape(text))
}

/// Escapes what Slack interprets: mentions, channels and links are in `<…>`, and three backticks begin or end code.
fn inert(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("```", "'''")
}

/// The blocks of a message, and how much room is left.
struct Message {
    title: String,
    blocks: Vec<Value>,
    left: usize,
    /// The number of sections that did not fit.
    omitted: usize,
}

impl Message {
    fn new(title: &str) -> Self {
        let title = cut(&escape(title), HEADER);
        let header = json!({ "type": "header", "text": { "type": "plain_text", "text": title } });
        Self { title, blocks: vec![header], left: MESSAGE, omitted: 0 }
    }

    fn push(&mut self, block: Value, length: usize) {
        self.left = self.left.saturating_sub(length);
        self.blocks.push(block);
    }

    fn context(&mut self, text: &str) {
        if !text.trim().is_empty() {
            let text = cut(text, CONTEXT);
            let element = json!({ "type": "mrkdwn", "text": text });
            self.push(json!({ "type": "context", "elements": [element] }), text.chars().count());
        }
    }

    fn prose(&mut self, text: &str) {
        let text = clean(text);
        if !text.trim().is_empty() {
            self.mrkdwn(&cut(&text, SECTION));
        }
    }

    fn mrkdwn(&mut self, text: &str) {
        let block = json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
        self.push(block, text.chars().count());
    }

    /// Adds a section, with its first lines if not all fit.
    fn section(&mut self, section: &Section<'_>) {
        let mut lines = Vec::new();
        Lines::new(&STYLE, ELSEWHERE, |indent, spans: &[Span]| {
            let text: String = spans.iter().map(|span| span.text.as_str()).collect();
            // The printer of lines has escaped control characters.
            // A star begins bold text.
            let text = text.strip_prefix("* ").map_or_else(|| inert(&text), |text| format!("• {}", inert(text)));
            lines.push(format!("{}{text}", " ".repeat(indent)));
        })
        .without_legend()
        .sections([section]);
        let room = SECTION.min(self.left).saturating_sub(RESERVE);
        let mut text = String::new();
        let mut shown = 0;
        for line in &lines {
            if text.chars().count() + line.chars().count() + 1 > room {
                break;
            }
            text.push_str(line);
            text.push('\n');
            shown += 1;
        }
        let title = usize::from(!section.title.is_empty());
        if shown <= title {
            self.omitted += 1;
            return;
        }
        let (heading, body) =
            if title == 1 { text.split_once('\n').unwrap_or((&text, "")) } else { ("", text.as_str()) };
        let body = body.trim_end();
        let heading = if heading.is_empty() { String::new() } else { format!("*{}*\n", heading.replace('*', "∗")) };
        let body = if is_code(&section.block) {
            format!("```\n{}\n```", body.trim_start_matches('\n'))
        } else {
            body.to_owned()
        };
        let more = lines.len() - shown;
        let more = if more > 0 { format!("\n… and {}", plural(more, "more line")) } else { String::new() };
        let text = format!("{heading}{body}{more}");
        // Slack rejects a message with an empty text.
        if !text.trim().is_empty() {
            self.mrkdwn(&text);
        }
    }

    fn finish(mut self, digest: Option<&str>) -> Value {
        let omitted = (self.omitted > 0).then(|| format!("{} in the file", plural(self.omitted, "more section")));
        let digest = digest.map(|digest| format!("Plan digest: `{}`", clean(digest)));
        let last: Vec<String> = omitted.into_iter().chain(digest).collect();
        self.context(&last.join("\n"));
        json!({ "text": self.title, "blocks": self.blocks })
    }
}

/// Returns whether the lines of a block are aligned, so that they are printed as code.
fn is_code(block: &Block<'_>) -> bool {
    match block {
        Block::Planned(..)
        | Block::Applied(_)
        | Block::AlreadySo(_)
        | Block::LeftOut(_)
        | Block::NotApplied { .. }
        | Block::Drifted(_) => true,
        Block::Line(_)
        | Block::Unchanged(..)
        | Block::Hazards(..)
        | Block::Points(_)
        | Block::Steps(_)
        | Block::Names(_)
        | Block::Unlisted(_) => false,
    }
}

/// Cuts a text after `max` characters.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::laws::{plan, report};
    use super::super::{plans_slack, reports_slack};
    use super::*;

    /// Checks the limits of Slack, and that no text of others is a mention or a link.
    fn check(message: &Value) -> Result<(), TestCaseError> {
        let blocks = message["blocks"].as_array().expect("blocks");
        prop_assert!(blocks.len() <= 50);
        let mut length = 0;
        for block in blocks {
            let (max, text) = match block["type"].as_str() {
                Some("header") => (HEADER, &block["text"]["text"]),
                Some("context") => (SECTION, &block["elements"][0]["text"]),
                Some("section") => (SECTION, &block["text"]["text"]),
                other => panic!("{other:?}"),
            };
            let text = text.as_str().expect("a text");
            let chars = text.chars().count();
            prop_assert!(!text.trim().is_empty() && chars <= max, "{chars} of {max}");
            prop_assert!(block["type"] == "header" || !text.contains('<'), "{text}");
            prop_assert_eq!(text.matches("```").count() % 2, 0);
            length += chars;
        }
        prop_assert!(length < 13_000, "{length}");
        Ok(())
    }

    proptest! {
        #[test]
        fn any_plan_is_a_message_within_the_limits(plan in plan(), drift in any::<bool>()) {
            let plan = crate::wire::plan::Plan { drift, ..plan };
            check(&plans_slack(std::slice::from_ref(&plan), &[]))?;
        }

        #[test]
        fn any_report_is_a_message_within_the_limits(report in report()) {
            check(&reports_slack(std::slice::from_ref(&report), &[]))?;
        }
    }

    #[test]
    fn links_are_links_and_a_long_section_is_cut() {
        use super::super::support::{create, inlet, shop, to};
        let links = [Link { name: "run <1>".into(), url: "https://ci.example.com/a?b&c".into() }];
        // Shops with different changes are not one group.
        let shops = (0..400).map(|n| {
            let topic = format!("orders/created-in-number-{n}");
            shop(
                &format!("a-shop-with-a-long-name-{n:03}"),
                vec![create(&topic, Some("commerce"), to(&inlet('a')), None)],
            )
        });
        let message = plans_slack(&[super::super::support::plan(shops.collect())], &links);
        assert_eq!(message["text"], "Plan: 400 to add, 0 to change, 0 to destroy.");
        assert_eq!(message["blocks"][1]["elements"][0]["text"], "<https://ci.example.com/a?b&amp;c|run &lt;1&gt;>");
        let text = message["blocks"]
            .as_array()
            .expect("blocks")
            .iter()
            .find_map(|block| block["text"]["text"].as_str().filter(|text| text.contains("more line")));
        let text = text.expect("a section that is cut");
        assert!(text.starts_with("*Hookwright will perform the following actions:*\n```\n"), "{text}");
        assert!(text.ends_with(" more lines"), "{text}");
    }
}
