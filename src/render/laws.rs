//! For any plan, rendering does not panic, is deterministic, and ends with one of the fixed last lines.

use std::sync::Arc;

use proptest::prelude::*;

use super::support::{self, PLAIN};
use super::{Style, plan_text, plans_markdown, report_text, reports_text};
use crate::wire::plan::{
    Action, Change, Destinations, Origin, Plan, Severity, Shop, ShopStatus, Since, Source, Subscription,
};
use crate::wire::report::{Outcome, OutcomeResult, Report, ReportShopStatus};

/// Returns whether a line is one of the fixed last lines, with N for its numbers.
pub(super) fn frozen(line: &str) -> bool {
    let words = line.split_inclusive(' ').map(|word| {
        let digits = word.trim_end();
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            word.replace(digits, "N")
        } else {
            word.to_owned()
        }
    });
    [
        "Plan: N to add, N to change, N to destroy.",
        "Plan incomplete: N to add, N to change, N to destroy; N blocked, N shop not read.",
        "Plan incomplete: N to add, N to change, N to destroy; N blocked, N shops not read.",
        "No changes, but N finding needs attention.",
        "No changes, but N findings need attention.",
        "No changes. The live webhooks match the manifest.",
        "Apply complete! Resources: N added, N changed, N destroyed.",
        "Apply incomplete! Resources: N added, N changed, N destroyed; N failed, N skipped.",
    ]
    .contains(&words.collect::<String>().as_str())
}

/// Generates mostly a few values that collide, and sometimes any text.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["", "orders/create", "a", "address", "hookwright-step-77", "filter"]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a`@<> |#*()\\[\\].,:;~_!$&-]{0,24}",
        1 => Just(support::inlet('f')),
        1 => Just("--shop a gid://shopify/WebhookSubscription/12 2026-11-23T00:00:00Z".to_owned()),
    ]
}

fn subscription() -> impl Strategy<Value = Subscription> {
    let list = || prop::collection::vec(text(), 0..3);
    let option = || prop::option::of(text());
    (option(), text(), text(), list(), list(), option(), option(), prop::option::of(list())).prop_map(
        |(id, address, format, include_fields, metafield_namespaces, filter, name, metafields)| Subscription {
            id,
            format,
            include_fields,
            metafield_namespaces,
            filter,
            name,
            metafields,
            ..support::to(&address)
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let action = prop::sample::select(vec![Action::Create, Action::Update, Action::Delete]);
    let reason = prop_oneof![Just("name_step".to_owned()), Just("duplicate".to_owned()), text()];
    let field = prop_oneof![3 => prop::sample::select(vec!["address", "filter", "name", "include_fields", "metafields"]).prop_map(str::to_owned), 1 => text()];
    let origin = prop::option::of(prop::sample::select(vec![Origin::Drift, Origin::Manifest]));
    let source = prop::option::of((text(), any::<u32>()).prop_map(|(file, line)| Source { file: file.into(), line }));
    let names = (prop::option::of(text()), prop::option::of(text()));
    let sides = (prop::option::of(subscription()), prop::option::of(subscription()));
    (action, text(), reason, origin, prop::collection::vec(field, 0..4), names, source, sides).prop_map(
        |(action, topic, reason, origin, fields, (from, into), source, (before, after))| Change {
            action,
            topic: topic.into(),
            reason: reason.as_str().into(),
            origin,
            fields: fields.iter().map(|field| field.as_str().into()).collect(),
            destination: Destinations { before: from.map(Into::into), after: into.map(Into::into) },
            source,
            before: before.map(Arc::new),
            after: after.map(Arc::new),
        },
    )
}

fn shop() -> impl Strategy<Value = Shop> {
    let status = prop::sample::select(vec![
        ShopStatus::Changed,
        ShopStatus::Unchanged,
        ShopStatus::Failed,
        ShopStatus::Unavailable,
    ]);
    let severity = prop::sample::select(vec![Severity::Info, Severity::Warning, Severity::Attention]);
    let kind = prop_oneof![Just("unmanaged".to_owned()), Just("old_endpoint".to_owned()), text()];
    let finding = (kind, severity, prop::option::of(text()), text())
        .prop_map(|(kind, severity, topic, message)| support::finding(&kind, severity, topic.as_deref(), &message));
    let blocked = (text(), text()).prop_map(|(topic, message)| support::blocked(&topic, "scope", &[], &message));
    (
        text(),
        status,
        prop::collection::vec(change(), 0..8),
        prop::collection::vec(finding, 0..4),
        prop::collection::vec(blocked, 0..2),
    )
        .prop_map(|(name, status, changes, findings, blocked)| Shop {
            status,
            blocked,
            findings,
            ..support::shop(&name, changes)
        })
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    (prop::collection::vec(shop(), 0..9), any::<bool>(), any::<usize>()).prop_map(|(shops, complete, add)| {
        let mut plan = support::plan(shops);
        plan.complete = complete;
        // A file can contain any number.
        plan.summary.add = if add % 3 == 0 { add } else { plan.summary.add };
        plan
    })
}

pub(super) fn report() -> impl Strategy<Value = Report> {
    let result = prop::sample::select(vec![
        OutcomeResult::Applied,
        OutcomeResult::AlreadySo,
        OutcomeResult::Failed,
        OutcomeResult::Skipped,
    ]);
    let outcome = (change(), result, prop::option::of(text())).prop_map(|(change, result, reason)| {
        let error = reason.as_deref().map(|text| support::error("kind", text));
        Outcome { reason, error: error.map(Box::new), ..support::outcome(change, result) }
    });
    let status = prop::sample::select(vec![
        ReportShopStatus::Done,
        ReportShopStatus::Incomplete,
        ReportShopStatus::Stale,
        ReportShopStatus::NotRead,
    ]);
    let shop = (text(), status, prop::collection::vec(outcome, 0..6))
        .prop_map(|(name, status, outcomes)| support::report_shop(&name, status, outcomes));
    prop::collection::vec(shop, 0..6).prop_map(support::report)
}

fn style() -> impl Strategy<Value = Style> {
    (any::<bool>(), prop::option::of(0u16..200), any::<bool>()).prop_map(|(color, width, verbose)| Style {
        color,
        width,
        verbose,
    })
}

/// Checks that the last line is one of the fixed ones, and that the text has no control characters of others.
fn check(text: &str, style: &Style) -> Result<(), TestCaseError> {
    prop_assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
    let last = text.lines().last().unwrap_or_default();
    prop_assert!(frozen(last), "last line {last:?}");
    prop_assert!(style.color || !text.chars().any(|c| c != '\n' && c.is_control()), "{text:?}");
    Ok(())
}

proptest! {
    #[test]
    fn any_plan_can_be_rendered(plan in plan(), style in style()) {
        let text = plan_text(&plan, &style);
        check(&text, &style)?;
        prop_assert_eq!(&text, &plan_text(&plan, &style));
        let last = text.lines().last().unwrap_or_default();
        let shops = &plan.summary.shops;
        let read = shops.changed + shops.unchanged > 0 || shops.unavailable == 0;
        let whole = plan.complete && plan.summary.blocked == 0 && shops.failed == 0 && read;
        prop_assert!(whole != last.starts_with("Plan incomplete"), "{last}");
        prop_assert!(!last.starts_with("No changes") || plan.shops.iter().all(|s| s.changes.is_empty()));
    }

    /// A drift report has its own last lines. "No drift" is said only of a complete report without differences.
    #[test]
    fn any_drift_report_can_be_rendered(plan in plan(), style in style(), since in prop::option::of((0..9_usize, 0..9_usize))) {
        let since = since.map(|(new, known)| Since { new, known, ..Since::default() });
        let plan = Plan { drift: true, since, ..plan };
        let text = plan_text(&plan, &style);
        prop_assert_eq!(&text, &plan_text(&plan, &style));
        let last = text.lines().last().unwrap_or_default();
        prop_assert!(last.starts_with("No drift") || last.starts_with("Drift"), "{last}");
        let changes = plan.shops.iter().any(|shop| !shop.changes.is_empty());
        let unread = plan.summary.shops.failed > 0;
        let whole = plan.complete && plan.summary.blocked == 0 && !unread && !changes;
        prop_assert!(whole || !last.starts_with("No drift."), "{last}");
        let page = plans_markdown(std::slice::from_ref(&plan), &[]);
        prop_assert!(page.len() < 65_000);
        prop_assert!(page.starts_with("<!-- hookwright: drift -->\n## "), "{page}");
    }

    /// The order of distinct shops in a file has no effect.
    #[test]
    fn the_order_of_shops_does_not_matter(mut shops in prop::collection::vec(shop(), 0..6)) {
        for (i, shop) in shops.iter_mut().enumerate() {
            shop.shop = format!("s{i}.myshopify.com");
        }
        let one = plan_text(&support::plan(shops.clone()), &PLAIN);
        shops.reverse();
        prop_assert_eq!(one, plan_text(&support::plan(shops), &PLAIN));
    }

    /// Each change of a plan is in exactly one entry.
    #[test]
    fn no_change_is_lost(mut plan in plan(), copies in 1usize..3) {
        for shop in &mut plan.shops {
            shop.changes = vec![shop.changes.clone(); copies].concat();
        }
        let shops: Vec<_> = plan.shops.iter().map(|s| (s.shop.as_str(), s.changes.iter().collect::<Vec<_>>())).collect();
        let all: usize = plan.shops.iter().map(|s| s.changes.len()).sum();
        for verbose in [false, true] {
            let shown: usize = super::group::blocks(&shops, verbose).iter().flat_map(|b| &b.entries).map(|e| e.all.len()).sum();
            prop_assert_eq!(all, shown);
        }
    }

    #[test]
    fn any_report_can_be_rendered(report in report(), style in style()) {
        let text = report_text(&report, &style);
        check(&text, &style)?;
        prop_assert_eq!(text, report_text(&report, &style));
        prop_assert_eq!(report.complete, report_text(&report, &style).contains("Apply complete! Resources: "));
    }

    #[test]
    fn several_reports_are_complete_only_together(a in report(), b in report()) {
        let text = reports_text(&[a.clone(), b.clone()], &PLAIN);
        let last = text.lines().last().unwrap_or_default();
        prop_assert_eq!(a.complete && b.complete, last.starts_with("Apply complete!"));
    }
}
