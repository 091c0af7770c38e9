//! The document of a drift report: what happened, by cause, and what to do.

mod headline;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::changes::ByShop;
use super::document::{Block, Document, Drifted, Kind, Section, Step, Weight};
use super::merge::Plans;
use super::plan::{hazards, ignored, named, not_covered, unchanged};
use super::{destinations, facts, notes};
use crate::text::plural;
use crate::wire::plan::{Action, Change, Commands, FindingKind, Shop, Since};
use window::Window;

/// Why a live subscription is not as the manifest wants it. The order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// It was live, and no apply removed it.
    Removed,
    /// Fields differ from the manifest.
    Changed,
    /// The manifest does not contain it.
    Extra,
    /// No earlier file shows it live.
    NotCreated,
    /// An apply removed it, and the manifest contains it again.
    RemovedByApply,
    /// It is not live, and there are no earlier files.
    Missing,
}

impl Cause {
    /// Returns the heading of its section.
    fn title(self) -> &'static str {
        match self {
            Self::Removed => "Removed outside Hookwright",
            Self::Changed => "Different from the manifest",
            Self::Extra => "Live, but not in the manifest",
            Self::NotCreated => "Never live in the earlier files",
            Self::RemovedByApply => "Removed by an apply, and in the manifest again",
            Self::Missing => "Missing",
        }
    }
}

/// One difference between the live subscriptions and the manifest.
#[derive(Clone, Copy)]
struct Difference<'a> {
    shop: &'a Shop,
    /// The change that would remove the difference.
    change: &'a Change,
    cause: Cause,
    window: Window<'a>,
}

/// Builds the document of a drift report. `list_all` lists all information instead of its count.
pub(super) fn document<'a>(plan: &'a Plans<'a>, list_all: bool) -> Document<'a> {
    let all = differences(plan);
    let headline = Section::line(Weight::Verdict, headline::of(plan, &all)).strong();
    let mut sections = vec![headline];
    sections.extend(by_cause(plan, &all));
    sections.extend(notes::blocked(plan.shops.iter().flat_map(|s| s.blocked.iter().map(|b| (s.shop.as_str(), b)))));
    sections.extend(not_covered(plan, "report"));
    sections.extend(destinations::section(plan.destinations.iter().copied()));
    // A change of the report shows what these findings say.
    let told = |kind: &FindingKind| {
        use FindingKind::{KnownDrift, NeverMade, OldEndpoint, RemovedByApply, RemovedRemotely, Unavailable};
        matches!(kind, KnownDrift | NeverMade | OldEndpoint | RemovedByApply | RemovedRemotely | Unavailable)
    };
    let findings = plan.shops.iter().flat_map(|s| s.findings.iter().map(|f| (s.shop.as_str(), f)));
    let findings = notes::findings(findings.filter(|(_, f)| !told(&f.kind)), list_all, Weight::Minor);
    let (attention, other): (Vec<_>, Vec<_>) = findings.into_iter().partition(|s| s.weight == Weight::Attention);
    sections.extend(attention);
    sections.extend(steps(plan, &all));
    sections.extend(hazards(plan, "Hazards of the repair"));
    if all.iter().any(|one| one.cause == Cause::Removed) {
        sections.push(notes::removals());
    }
    sections.extend(named(all.iter().map(|one| one.change)));
    sections.extend(other);
    sections.extend(ignored(plan).map(|line| Section::line(Weight::Counts, line)));
    let unchanged = unchanged(plan);
    if !unchanged.is_empty() {
        sections.push(Section::new(Weight::Counts, "", Block::Unchanged(unchanged, "drift")));
    }
    let settings = plan.settings.iter().flat_map(|settings| facts::settings(settings));
    Document {
        kind: Kind::Drift,
        verdict: DriftCounts::of(plan, &all).last_line(),
        incomplete: plan.lacking.as_ref().map(|lacking| format!("{lacking}. This is not the whole run")),
        facts: settings.chain(facts::limits(&plan.shops)).chain(facts::selection(&plan.selections)).collect(),
        sections,
        digests: plan.digests.clone(),
        names: facts::names(&plan.settings),
        links: &[],
    }
}

/// Returns the differences of all shops, in the order of the report.
fn differences<'a>(plan: &Plans<'a>) -> Vec<Difference<'a>> {
    let since = plan.since.is_some();
    let mut all: Vec<Difference<'a>> = plan
        .shops
        .iter()
        .flat_map(|shop| {
            shop.changes.iter().enumerate().map(move |(index, change)| {
                let finding = shop.findings.iter().find(|finding| {
                    finding.details.get("index").and_then(serde_json::Value::as_u64) == u64::try_from(index).ok()
                });
                let cause = match (change.action, finding.map(|finding| &finding.kind)) {
                    (Action::Update, _) => Cause::Changed,
                    (Action::Delete, _) => Cause::Extra,
                    (Action::Create, Some(FindingKind::RemovedRemotely)) => Cause::Removed,
                    (Action::Create, Some(FindingKind::RemovedByApply)) => Cause::RemovedByApply,
                    (Action::Create, _) if since => Cause::NotCreated,
                    (Action::Create, _) => Cause::Missing,
                };
                Difference { shop, change, cause, window: Window::of(finding) }
            })
        })
        .collect();
    all.sort_by_key(|one| one.cause);
    all
}

/// Returns a section for each cause. With earlier files, new differences are before known ones.
fn by_cause<'a>(plan: &Plans<'a>, all: &[Difference<'a>]) -> Vec<Section<'a>> {
    let section = |same: &[Difference<'a>]| {
        let cause = same[0].cause;
        let mut groups: BTreeMap<Option<&str>, Vec<Difference<'a>>> = BTreeMap::new();
        for one in same {
            groups.entry(one.window.known_since).or_default().push(*one);
        }
        let groups = groups.into_iter().map(|(known_since, group)| Drifted {
            is_new: plan.since.is_some() && known_since.is_none(),
            known: if plan.since.is_some() { window::text(cause, &group, plan.created_at) } else { String::new() },
            shops: by_shop(&group),
        });
        let title = format!("{} ({})", cause.title(), counted(same));
        let remark = (cause == Cause::Changed)
            .then(|| "`+` marks a value that is only in the manifest, `-` one that is only in the shop; a changed value is shown as shop -> manifest".to_owned());
        Section { remark, ..Section::new(Weight::Changes, title, Block::Drifted(groups.collect())) }
    };
    all.chunk_by(|a, b| a.cause == b.cause).map(section).collect()
}

/// Returns `17 subscriptions in 7 shops`.
fn counted(all: &[Difference<'_>]) -> String {
    let shops = by_shop(all).len();
    format!("{} in {}", plural(all.len(), "subscription"), plural(shops, "shop"))
}

fn by_shop<'a>(all: &[Difference<'a>]) -> ByShop<'a> {
    let mut shops: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for one in all {
        shops.entry(&one.shop.shop).or_default().push(one.change);
    }
    shops.into_iter().collect()
}

/// Returns what to do: check the cause, repair, fetch what was lost.
fn steps<'a>(plan: &Plans<'_>, all: &[Difference<'_>]) -> Option<Section<'a>> {
    let of = |cause| all.iter().filter(|one| one.cause == cause).copied().collect::<Vec<_>>();
    let removed = of(Cause::Removed);
    let missing = removed.iter().chain(&of(Cause::Missing)).count() > 0;
    let commands = |command: fn(&Commands) -> &String| -> Vec<String> {
        let mut all: Vec<String> = plan.commands.iter().map(|commands| command(commands).clone()).collect();
        all.dedup();
        all
    };
    let mut steps = Vec::new();
    if missing {
        steps.push(if plan.destinations.is_empty() {
            let text = "Check how the deliveries failed: the Dev Dashboard shows the app's deliveries of the last 30 \
                        days. If the endpoint still fails, Shopify will also remove the subscriptions that the repair creates";
            Step { text: text.to_owned(), commands: Vec::new() }
        } else {
            let text =
                "Check the destinations. If a destination still fails, Shopify will also remove the subscriptions that the repair creates";
            Step { text: text.to_owned(), commands: commands(|commands| &commands.destinations) }
        });
    }
    if !all.is_empty() {
        let consent = if plan.hazards.iter().any(|hazard| hazard.consent.is_none()) {
            ". The hazards below need consent first"
        } else {
            ""
        };
        let text = if plan.commands.iter().any(|commands| commands.judges) {
            format!(
                "Repair{consent}. Judge the reports of all shards together, then apply each with --checked checked.json"
            )
        } else {
            format!("Repair{consent}")
        };
        steps.push(Step { text, commands: commands(|commands| &commands.repair) });
    }
    if missing {
        let since = window::lost_since(&removed);
        let since = since.unwrap_or_else(|| "since the last delivery in the Dev Dashboard".to_owned());
        let text = format!(
            "Fetch the missed events, because Shopify does not send them again. Use the Admin API to find the resources that \
             changed {since}"
        );
        // Without earlier files, the beginning of a window is unknown.
        let commands = plan.commands.iter().filter(|_| plan.since.is_some());
        let gaps: Vec<String> = commands.filter_map(|commands| commands.gaps.clone()).collect();
        let text = if gaps.is_empty() { text } else { format!("{text}. To list the time range for each binding, run") };
        steps.push(Step { text, commands: gaps });
    }
    (!steps.is_empty()).then(|| Section::new(Weight::Steps, "What to do", Block::Steps(steps)))
}

/// The counts of a drift report.
#[derive(Debug, Clone, Default)]
pub(crate) struct DriftCounts {
    /// Subscriptions that are not live, without earlier files.
    pub(crate) missing: usize,
    /// Subscriptions that were removed outside Hookwright.
    pub(crate) removed: usize,
    /// Subscriptions that differ from the manifest.
    pub(crate) changed: usize,
    /// Managed subscriptions that the manifest does not contain.
    pub(crate) extra: usize,
    /// Bindings that were not live in any earlier file, or were removed by an apply.
    pub(crate) not_created: usize,
    /// With earlier files: how many differences are new and known.
    pub(crate) since: Option<Since>,
    pub(crate) blocked: usize,
    /// Findings that need attention.
    pub(crate) attention: usize,
    /// Destinations with problems to which live subscriptions send events.
    pub(crate) destinations: usize,
    /// Shops that were not read.
    pub(crate) unread: usize,
    /// Whether every selected shop was read, and every lookup at Adobe was answered.
    pub(crate) complete: bool,
}

impl DriftCounts {
    fn of(plan: &Plans<'_>, all: &[Difference<'_>]) -> Self {
        let count = |cause| all.iter().filter(|one| one.cause == cause).count();
        let shops = &plan.summary.shops;
        // If no shop was read, nothing is known, even if that is tolerated.
        let tolerated = if shops.changed + shops.unchanged == 0 { shops.unavailable } else { 0 };
        Self {
            missing: count(Cause::Missing),
            removed: count(Cause::Removed),
            changed: count(Cause::Changed),
            extra: count(Cause::Extra),
            not_created: count(Cause::NotCreated) + count(Cause::RemovedByApply),
            since: plan.since,
            blocked: plan.summary.blocked,
            attention: plan.summary.attention,
            destinations: headline::bad_destinations(plan).len(),
            unread: shops.failed + tolerated,
            complete: plan.complete,
        }
    }

    /// Returns the last line of a drift report. Scripts read it, so its format is fixed.
    pub(crate) fn last_line(&self) -> String {
        let Self { missing, removed, changed, extra, not_created, since, blocked, .. } = self;
        let Self { attention, destinations, unread, complete, .. } = self;
        // Scripts read the numbers, so they have no thousands separators.
        let problems = match destinations {
            0 => None,
            1 => Some("1 destination has problems".to_owned()),
            n => Some(format!("{n} destinations have problems")),
        };
        let unknown = match unread {
            0 => None,
            1 => Some("unknown for 1 shop".to_owned()),
            n => Some(format!("unknown for {n} shops")),
        };
        let drift = missing + removed + changed + extra + not_created + blocked > 0;
        match (problems, unknown) {
            (_, Some(unknown)) if !drift => format!("Drift {unknown}."),
            (Some(problems), None) if !drift => format!("No drift, but {problems}."),
            (None, None) if !drift && !complete => {
                "Drift unknown, because destinations could not be checked.".to_owned()
            }
            (None, None) if !drift => match attention {
                0 => "No drift.".to_owned(),
                1 => "No drift, but 1 finding needs attention.".to_owned(),
                n => format!("No drift, but {n} findings need attention."),
            },
            (problems, unknown) => {
                let counts = match since {
                    Some(Since { new, known, .. }) => format!(
                        "{removed} removed, {changed} changed, {extra} extra, {not_created} not yet created; {new} reported for the \
                         first time, {known} reported before"
                    ),
                    None => format!("{missing} missing, {changed} changed, {extra} extra"),
                };
                let blocked = (*blocked > 0).then(|| format!("{blocked} blocked"));
                let parts = [Some(counts), blocked, problems, unknown].into_iter().flatten();
                format!("Drift: {}.", parts.collect::<Vec<_>>().join("; "))
            }
        }
    }
}
