//! Renders a drift run as a Prometheus textfile for the textfile collector of node_exporter, from the wire format of the plan
//! and the previous file. The caller supplies the time. A number that this run did not observe is left out; it is neither
//! repeated nor 0. Only times of success are copied from the previous file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::wire::plan::{Action, FindingKind, Plan, Reason, Severity, Shop, ShopStatus};

const SHOP_SUCCESS: &str = "hookwright_shop_last_success_timestamp_seconds";
const RUN_SUCCESS: &str = "hookwright_drift_last_success_timestamp_seconds";

/// The times of earlier successes, in seconds since the epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Successes {
    /// The last successful run.
    pub run: Option<i64>,
    /// The last time that each shop was read, by domain.
    pub shops: BTreeMap<String, i64>,
}

impl Successes {
    /// Parses a file that [`metrics`] wrote. Other lines are ignored.
    pub fn parse(text: &str) -> Self {
        let mut out = Self::default();
        for line in text.lines() {
            if let Some(value) = line.strip_prefix(RUN_SUCCESS) {
                out.run = sample(value).map(|(_, time)| time).or(out.run);
            } else if let Some((shop, time)) = line.strip_prefix(SHOP_SUCCESS).and_then(shop_sample) {
                out.shops.insert(shop.to_owned(), time);
            }
        }
        out
    }
}

/// Returns the labels and the value of a sample: `{shop="a.myshopify.com",run="nightly"} 123`.
fn sample(rest: &str) -> Option<(&str, i64)> {
    let (labels, value) = rest.strip_prefix('{')?.rsplit_once("} ")?;
    Some((labels, value.trim().parse().ok()?))
}

/// Returns the shop of a sample, its first label, and the value. A domain contains no character that a label escapes.
fn shop_sample(rest: &str) -> Option<(&str, i64)> {
    let (labels, value) = sample(rest)?;
    let (shop, _) = labels.strip_prefix("shop=\"")?.split_once('"')?;
    Some((shop, value))
}

/// The result of a drift run.
#[derive(Debug, Clone, Copy)]
pub struct DriftRun<'a> {
    /// The name of this job, unique on the machine, for the label `run` of every sample. node_exporter serves no metrics while
    /// two files contain the same series.
    pub name: &'a str,
    /// The plan; `None` if the run ended before it had read the shops.
    pub plan: Option<&'a Plan>,
    /// The exit code of the process.
    pub exit_code: u8,
    /// The time of the run, in seconds since the epoch.
    pub now: i64,
    /// The time when the token of each shop expires without a login or a migration, by domain, in seconds since the epoch.
    pub token_ends: &'a BTreeMap<String, i64>,
}

/// Returns the text of the file: families in a fixed order, shops in the order of the plan.
pub fn metrics(run: &DriftRun<'_>, before: &Successes) -> String {
    let DriftRun { name, plan, exit_code, now, token_ends } = *run;
    let shops: &[Shop] = plan.map_or(&[], |plan| &plan.shops);
    let complete = plan.is_some_and(|plan| plan.complete);
    let mut page = Page::new(name);

    page.family("hookwright_build_info", "Version of Hookwright that wrote this file.");
    page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.run(
        "hookwright_drift_last_run_timestamp_seconds",
        "Time when the last run ended, successful or not.",
        Some(now),
    );
    page.run(
        "hookwright_drift_last_run_exit_code",
        "Exit code of the last run: 0 means no drift, 2 means drift or findings that need attention, other codes are errors.",
        Some(exit_code.into()),
    );
    page.run(
        "hookwright_drift_complete",
        "1 if the last run read every shop, except tolerated ones, 0 if not.",
        Some(complete.into()),
    );
    let success = if complete && matches!(exit_code, 0 | 2) { Some(now) } else { before.run };
    page.run(RUN_SUCCESS, "Time of the last run that was complete and exited with 0 or 2.", success);
    let counts = plan.map(|plan| &plan.summary.shops);
    page.run("hookwright_drift_shops", "Number of shops in the selection.", counts.map(|c| number(c.total)));
    page.run(
        "hookwright_drift_shops_failed",
        "Number of shops that could not be read.",
        counts.map(|c| number(c.failed)),
    );
    page.run(
        "hookwright_drift_shops_unavailable",
        "Number of shops that could not be read, which is tolerated.",
        counts.map(|c| number(c.unavailable)),
    );

    let readable = |shop: &Shop| Some(was_read(shop).into());
    page.shops("hookwright_shop_readable", "1 if the shop was read, 0 if not.", shops, readable);
    page.family(
        "hookwright_shop_error",
        "Always 1. The labels are the reason why a shop was not read, and whether that is tolerated.",
    );
    for shop in shops {
        if let Some(error) = &shop.error {
            let tolerated = if shop.status == ShopStatus::Unavailable { "true" } else { "false" };
            page.sample(&[("shop", &shop.shop), ("kind", error.kind.as_str()), ("tolerated", tolerated)], 1);
        }
    }
    for Count { name, help, of } in COUNTS {
        page.shops(name, help, shops, |shop| was_read(shop).then(|| number(of(shop))));
    }
    page.shops(
        "hookwright_shop_token_end_timestamp_seconds",
        "Time when the shop's token stops working without a login or a migration; 2027-01-01 for a token of a public app \
         that may have no expiry. Absent if the token is renewed.",
        shops,
        |shop| token_ends.get(&shop.shop).copied(),
    );
    page.family(SHOP_SUCCESS, "Time when the shop was last read.");
    for (shop, time) in successes(plan, now, before) {
        page.sample(&[("shop", shop)], time);
    }
    page.text
}

/// A count for each shop that was read.
struct Count {
    name: &'static str,
    help: &'static str,
    of: fn(&Shop) -> usize,
}

const COUNTS: &[Count] = &[
    Count { name: "hookwright_shop_desired", help: "Number of bindings in the manifest.", of: desired },
    Count { name: "hookwright_shop_observed", help: "Number of live managed subscriptions.", of: |shop| shop.managed },
    Count {
        name: "hookwright_shop_missing",
        help: "Number of bindings without a live subscription that can be created (creates).",
        of: |shop| changes(shop, Action::Create),
    },
    Count {
        name: "hookwright_shop_changed",
        help: "Number of live subscriptions that differ from the manifest (updates).",
        of: |shop| changes(shop, Action::Update),
    },
    Count {
        name: "hookwright_shop_extra",
        help: "Number of live subscriptions that are to be deleted (deletes).",
        of: |shop| changes(shop, Action::Delete),
    },
    Count {
        name: "hookwright_shop_blocked",
        help: "Number of bindings that cannot be created or updated now, because of a scope or a name.",
        of: |shop| shop.blocked.len(),
    },
    Count {
        name: "hookwright_shop_attention",
        help: "Number of findings that need attention.",
        of: |shop| shop.findings.iter().filter(|f| f.severity == Severity::Attention).count(),
    },
    Count {
        name: "hookwright_shop_scopes_missing",
        help: "Number of scopes that the manifest or its topics require and the shop has not granted.",
        of: |shop| scopes_missing(shop).len(),
    },
    Count {
        name: "hookwright_shop_unmanaged",
        help: "Number of live unmanaged subscriptions.",
        of: |shop| shop.unmanaged,
    },
];

fn was_read(shop: &Shop) -> bool {
    match shop.status {
        ShopStatus::Changed | ShopStatus::Unchanged => true,
        ShopStatus::Failed | ShopStatus::Unavailable => false,
    }
}

fn changes(shop: &Shop, action: Action) -> usize {
    shop.changes.iter().filter(|c| c.action == action).count()
}

/// Returns the number of bindings. The plan contains each binding of a shop that was read once: as bound, blocked, created or
/// updated. The binding of a name step is counted elsewhere.
fn desired(shop: &Shop) -> usize {
    let bound: usize = shop.bound.iter().map(|b| b.count).sum();
    let realised = shop.changes.iter().filter(|c| c.action == Action::Update && c.reason != Reason::NameStep).count();
    bound + shop.blocked.len() + changes(shop, Action::Create) + realised
}

/// Returns the missing scopes: the wanted ones, and the alternatives of a topic, unless one of them is wanted.
fn scopes_missing(shop: &Shop) -> BTreeSet<String> {
    let text = |v: &Value| v.as_str().map(ToOwned::to_owned);
    let of_kind = |kind| shop.findings.iter().filter(move |f| f.kind == kind);
    let mut missing: BTreeSet<String> =
        of_kind(FindingKind::ScopeMissing).filter_map(|f| f.details.get("scope").and_then(text)).collect();
    let lost = of_kind(FindingKind::ScopeLost)
        .filter_map(|f| f.details.get("any_of")?.as_array())
        .map(|list| list.iter().filter_map(text).collect());
    let blocked = shop.blocked.iter().map(|b| b.any_of.clone());
    for any_of in blocked.chain(lost).filter(|any_of: &Vec<String>| !any_of.is_empty()) {
        let grants = |s: &str| {
            missing.contains(s) || s.strip_prefix("read_").is_some_and(|s| missing.contains(&format!("write_{s}")))
        };
        if !any_of.iter().any(|s| grants(s)) {
            missing.insert(any_of.join(" or "));
        }
    }
    missing
}

/// Returns the shops of the plan that were read at least once; without a plan, those of the previous file.
fn successes<'a>(plan: Option<&'a Plan>, now: i64, before: &'a Successes) -> Vec<(&'a str, i64)> {
    let Some(plan) = plan else { return before.shops.iter().map(|(shop, &time)| (shop.as_str(), time)).collect() };
    let time = |shop: &Shop| if was_read(shop) { Some(now) } else { before.shops.get(&shop.shop).copied() };
    plan.shops.iter().filter_map(|shop| Some((shop.shop.as_str(), time(shop)?))).collect()
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The text of the file, by family. All metrics are gauges, because a file does not accumulate over runs.
struct Page<'a> {
    text: String,
    run: &'a str,
    name: &'static str,
    help: &'static str,
    headed: bool,
}

impl<'a> Page<'a> {
    fn new(run: &'a str) -> Self {
        Self { text: String::new(), run, name: "", help: "", headed: false }
    }

    /// Starts a family. Its header is written with the first sample; a family without samples is left out.
    fn family(&mut self, name: &'static str, help: &'static str) {
        (self.name, self.help, self.headed) = (name, help, false);
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: i64) {
        let Self { text, run, name, help, headed } = self;
        // Writing to a String cannot fail.
        if !std::mem::replace(headed, true) {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        }
        let _ = write!(text, "{name}{{");
        for (key, label) in labels {
            let _ = write!(text, "{key}=\"{}\",", escaped(label));
        }
        let _ = writeln!(text, "run=\"{}\"}} {value}", escaped(run));
    }

    fn run(&mut self, name: &'static str, help: &'static str, value: Option<i64>) {
        self.family(name, help);
        if let Some(value) = value {
            self.sample(&[], value);
        }
    }

    fn shops(&mut self, name: &'static str, help: &'static str, shops: &[Shop], of: impl Fn(&Shop) -> Option<i64>) {
        self.family(name, help);
        for shop in shops {
            if let Some(value) = of(shop) {
                self.sample(&[("shop", &shop.shop)], value);
            }
        }
    }
}

/// Returns the value of a label, escaped for the text format.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
