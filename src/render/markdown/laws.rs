//! For any plan or report, the comment is within the limit, has the verdict and every delete, and no markup of others.

use proptest::prelude::*;

use super::super::laws::{frozen, plan, report, text};
use super::super::support::{self, delete, inlet, live, to};
use super::super::{plan_last_line, plans_markdown, report_last_line, reports_markdown};
use crate::wire::plan::{Action, Plan};
use crate::wire::report::OutcomeResult;

/// Returns the lines outside fences, without their code spans. A renderer interprets only these. Fails if a fence is not closed.
fn markup(page: &str) -> Vec<String> {
    let mut fence: Option<String> = None;
    let mut out = Vec::new();
    for line in page.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if ticks.len() >= open.len() && line.len() == ticks.len() => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => out.push(without_spans(line)),
        }
    }
    assert_eq!(fence, None, "a fence is not closed:\n{page}");
    out
}

/// Removes code spans as defined by `CommonMark`: from a run of backticks to the next run of the same length.
fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let mut search = at + run;
        let end = loop {
            let Some(next) = rest[search..].find('`') else { panic!("a code span is not closed: {line}") };
            let start = search + next;
            let length = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            search = start + length;
            if length == run {
                break search;
            }
        };
        out.push('·');
        rest = &rest[end..];
    }
    out + rest
}

/// Checks the rules for every comment.
fn check(page: &str, marker: &[&str], verdict: &str) -> Result<(), TestCaseError> {
    prop_assert!(page.len() < 65_000 && page.encode_utf16().count() < 65_000, "{} bytes", page.len());
    let mut lines = page.lines();
    prop_assert!(marker.contains(&lines.next().unwrap_or_default()));
    prop_assert_eq!(lines.next().unwrap_or_default(), format!("## {verdict}"));
    prop_assert!(frozen(verdict));
    prop_assert!(!page.chars().any(|c| c != '\n' && c.is_control()));
    let mut depth = 0;
    for line in markup(page).iter().skip(2) {
        let ours = line.strip_prefix("<details><summary>").and_then(|l| l.strip_suffix("</summary>"));
        depth += i32::from(ours.is_some()) - i32::from(line == "</details>");
        prop_assert!((0..=1).contains(&depth), "{page}");
        let words = if line == "</details>" { "" } else { ours.unwrap_or(line) };
        prop_assert!(!words.contains(['<', '>', '[', ']', '|', '@', '\\', '_', '&', '~', '!', '$']), "{line}");
        prop_assert!(!words.trim_start_matches('#').contains('#') && !words.contains("://"), "{line}");
        prop_assert!(!words.trim_start_matches("- **Target").trim_end_matches("**").contains('*'), "{line}");
    }
    prop_assert_eq!(depth, 0);
    Ok(())
}

/// Returns the number of deletes in the heading.
fn told(page: &str) -> usize {
    let number = |text: &str| text.replace(',', "").parse::<usize>().unwrap_or_else(|_| panic!("{text}"));
    let heading = page.lines().find(|l| l.starts_with("### ") && l.contains(" delete") && !l.contains(" update"));
    heading.map_or(0, |line| number(line[4..].split(' ').next().unwrap_or_default()))
}

/// Returns the sums of the counts by topic and by shop.
fn sums(page: &str) -> (usize, usize) {
    let number = |text: &str| text.replace(',', "").parse::<usize>().unwrap_or(0);
    let more = |part: &str| {
        let note =
            part.lines().find_map(|l| l.strip_prefix("… and ")?.split_once(" more delete").map(|(n, _)| number(n)));
        note.unwrap_or(0)
    };
    let (topics, rest) = page.split_once("<details><summary>Deletes by shop").unwrap_or_default();
    let shops = rest.split("</details>").next().unwrap_or_default();
    let of_topics: usize = topics
        .lines()
        .filter_map(|l| l.strip_prefix("  ")?.trim_start().split_once("  "))
        .map(|(n, _)| number(n))
        .sum();
    let mut each = 0;
    let mut of_shops = 0;
    for line in shops.lines() {
        if let Some(n) = line.strip_suffix(" in each of:") {
            each = number(n);
        } else if let Some(names) = line.strip_prefix("    ") {
            of_shops += each * names.split(", ").count();
        }
    }
    (of_topics + more(topics), of_shops + more(shops))
}

const OF_PLANS: [&str; 2] = ["<!-- hookwright: plan -->", "<!-- hookwright: drift -->"];

proptest! {
    #[test]
    fn any_plan_is_a_comment(mut plan in plan(), kind in text(), shop in prop::option::of(text()), message in text()) {
        let allow = format!("{kind}:{message}");
        plan.hazards = vec![crate::wire::plan::Hazard { kind: kind.as_str().into(), shop, message, allow, consent: None, details: serde_json::Map::new() }];
        plan.settings.safety.protected_topics = vec![plan.hazards[0].allow.clone()];
        plan.selection.labels = vec![plan.hazards[0].allow.clone()];
        plan.shops_left = vec![plan.hazards[0].message.clone()];
        let page = plans_markdown(std::slice::from_ref(&plan), &[]);
        check(&page, &OF_PLANS, &plan_last_line(&plan.summary, plan.complete, 0))?;
        prop_assert!(page.contains("\n### Hazards\n\n1 hazard needs consent; "));
    }

    #[test]
    fn every_delete_is_shown(plan in plan()) {
        let page = plans_markdown(std::slice::from_ref(&plan), &[]);
        let changes = || plan.shops.iter().flat_map(|s| &s.changes);
        let deletes = changes().filter(|c| c.action == Action::Delete).count();
        prop_assert_eq!(told(&page), deletes, "{}", page);
    }

    #[test]
    fn any_report_is_a_comment(report in report()) {
        let page = reports_markdown(std::slice::from_ref(&report), &[]);
        check(&page, &["<!-- hookwright: apply -->"], &report_last_line(&report.summary, report.complete))?;
        let made = report.shops.iter().flat_map(|s| &s.outcomes).filter(|o| {
            o.result == OutcomeResult::Applied && o.change.action == Action::Delete
        });
        prop_assert_eq!(told(&page), made.count());
    }

    /// The order of shards has no effect.
    #[test]
    fn the_order_of_files_means_nothing(mut plans in prop::collection::vec(plan(), 0..4)) {
        for (i, plan) in plans.iter_mut().enumerate() {
            plan.plan_digest = format!("sha256:{i}");
            for (j, shop) in plan.shops.iter_mut().enumerate() {
                shop.shop = format!("s{i}-{j}.myshopify.com");
            }
        }
        let one = plans_markdown(&plans, &[]);
        plans.reverse();
        prop_assert_eq!(one, plans_markdown(&plans, &[]));
    }
}

proptest! {
    // These plans are large and slow to generate.
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A plan with texts of any length is cut to the limit.
    #[test]
    fn a_huge_plan_is_cut(shops in 1usize..3000, each in 1u32..4, length in 1usize..400, ticks in 0usize..40) {
        let plan = huge(shops, each, length, ticks);
        let page = plans_markdown(std::slice::from_ref(&plan), &[]);
        check(&page, &OF_PLANS, &plan_last_line(&plan.summary, plan.complete, 0))?;
        let deletes = shops * each as usize;
        prop_assert_eq!(told(&page), deletes);
        if page.contains("Deletes by shop") {
            prop_assert_eq!(sums(&page), (deletes, deletes), "{}", page);
        }
    }
}

/// Returns a plan whose shops all differ.
fn huge(shops: usize, each: u32, length: usize, ticks: usize) -> Plan {
    let shops = (0..shops).map(|i| {
        let topic = |n: u32| format!("t{}/{n}", i % 997);
        let filter = format!("{i}{}{}", "`".repeat(ticks), "x".repeat(length));
        let mut changes: Vec<_> = (0..each)
            .map(|n| delete(&topic(n), None, "not_in_manifest", live(n, to(&format!("https://{i}.example/{n}")))))
            .collect();
        let mut made = to(&inlet('a'));
        made.filter = Some(filter.clone());
        changes.push(support::create(&topic(0), Some("commerce"), made, None));
        let mut shop = support::shop(&format!("s{i}"), changes);
        shop.blocked = vec![support::blocked(&topic(0), "scope", &[], &filter)];
        shop.findings = vec![support::unmanaged(&topic(0), &filter)];
        shop
    });
    let mut plan = support::plan(shops.collect());
    let hazards =
        plan.shops.iter().map(|s| support::hazard("empty_shop", Some(super::super::text::handle(&s.shop)), "gone"));
    plan.hazards = hazards.collect();
    plan
}
