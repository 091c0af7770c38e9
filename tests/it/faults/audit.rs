//! Compares a report with the store: exactly one outcome claims each change of the store, and no outcome claims a change
//! that does not exist.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bench::{Run, Store};
use super::shops::MANAGED;

/// One run, seen from outside.
pub struct Seen<'a> {
    pub run: &'a Run,
    /// The saved plan that it carried out, if it did.
    pub plan: Option<&'a Value>,
    pub before: &'a Store,
    pub after: &'a Store,
    /// The effects of faults on shops during the run.
    pub deeds: &'a [String],
}

/// The number in a global id.
fn number(id: &Value) -> Option<u64> {
    id.as_str()?.rsplit('/').next()?.parse().ok()
}

/// The ids in the deeds of faults, which another writer touched.
fn touched(deeds: &[String]) -> BTreeSet<u64> {
    deeds.iter().flat_map(|deed| deed.split_whitespace()).filter_map(|word| word.parse().ok()).collect()
}

/// Whether a subscription of the store is as `after` of a change says.
fn is_as(subscription: &Value, topic: &str, after: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let set = |value: &Value| -> BTreeSet<String> { value.as_array().into_iter().flatten().map(text).collect() };
    text(&subscription["topic"]) == topic.to_uppercase().replace('/', "_")
        && text(&subscription["uri"]) == text(&after["address"])
        && text(&subscription["format"]) == text(&after["format"])
        && text(&subscription["filter"]) == text(&after["filter"])
        && set(&subscription["include_fields"]) == set(&after["include_fields"])
        && set(&subscription["metafield_namespaces"]) == set(&after["metafield_namespaces"])
        && (after["name"].is_null() || subscription["name"] == after["name"])
}

/// Returns the number of reported changes, and the errors of the report.
pub fn audit(seen: &Seen<'_>) -> (usize, Vec<String>) {
    let Some(report) = &seen.run.report else {
        return (0, vec![format!("no report: exit {} {}", seen.run.code, seen.run.text)]);
    };
    let mut wrong = Vec::new();
    let shops = report["shops"].as_array().unwrap();
    let mut changes = 0;
    for shop in shops {
        let outcomes = shop["outcomes"].as_array().unwrap();
        changes += outcomes.len();
        let complaints = of_shop(seen, shop["shop"].as_str().unwrap(), outcomes);
        if (!complaints.is_empty() || shop["status"] != "done") && std::env::var_os("FAULT").is_some() {
            let brief = |o: &Value| {
                format!("{} {} {} {}", o["result"], o["change"]["action"], o["change"]["before"]["id"], o["error"])
            };
            let all: Vec<String> = outcomes.iter().map(brief).collect();
            eprintln!("{}: {}\n{:?}", shop["shop"], all.join("\n  "), seen.deeds);
        }
        wrong.extend(complaints.into_iter().map(|complaint| format!("{}: {complaint}", shop["shop"])));
    }
    for (shop, before) in seen.before {
        let reported = shops.iter().any(|s| s["shop"] == shop.as_str());
        if !reported && seen.after.get(shop) != Some(before) && !seen.deeds.iter().any(|d| d.starts_with(shop)) {
            wrong.push(format!("{shop} changed and is not in the report"));
        }
    }
    wrong.extend(counts(seen.run, report, shops));
    if let Some(plan) = seen.plan {
        wrong.extend(one_outcome_a_change(plan, shops));
    }
    (changes, wrong)
}

fn of_shop(seen: &Seen<'_>, shop: &str, outcomes: &[Value]) -> Vec<String> {
    let (before, after) = (&seen.before[shop], &seen.after[shop]);
    if seen.deeds.iter().any(|deed| deed.starts_with(shop) && deed.ends_with("status uninstalled")) {
        return Vec::new(); // whatever was made is gone with the app
    }
    let theirs = touched(seen.deeds);
    let ids = |a: &std::collections::BTreeMap<u64, Value>, keep: &dyn Fn(&u64, &Value) -> bool| -> BTreeSet<u64> {
        a.iter().filter(|(id, s)| keep(id, s) && !theirs.contains(id)).map(|(id, _)| *id).collect()
    };
    let mut created = ids(after, &|id, _| !before.contains_key(id));
    let mut gone = ids(before, &|id, _| !after.contains_key(id));
    let mut changed = ids(after, &|id, now| before.get(id).is_some_and(|then| then != now));
    let mut wrong = Vec::new();
    let mut unknown: Vec<&Value> = Vec::new();
    for (at, outcome) in outcomes.iter().enumerate() {
        let change = &outcome["change"];
        let (action, topic) = (change["action"].as_str().unwrap(), change["topic"].as_str().unwrap());
        let id = if action == "create" { number(&outcome["id"]) } else { number(&change["before"]["id"]) };
        let said = format!("{} {action} {topic} {id:?} {}", outcome["result"], outcome["error"]);
        let mut complain = |what: &str| wrong.push(format!("{what}: {said}"));
        let may_be_done = |o: &Value| {
            matches!(o["result"].as_str(), Some("applied" | "already_so")) || o["error"]["kind"] == "outcome_unknown"
        };
        // Of several changes of one subscription the last one made shows.
        let last = !outcomes[at + 1..]
            .iter()
            .any(|later| may_be_done(later) && number(&later["change"]["before"]["id"]) == id);
        let foreign = id.is_some_and(|id| theirs.contains(&id));
        let shows = || id.and_then(|id| after.get(&id)).is_some_and(|now| is_as(now, topic, &change["after"]));
        match (outcome["result"].as_str().unwrap(), action, id) {
            ("applied" | "already_so", _, None) => complain("no id"),
            (_, _, Some(_)) if foreign && outcome["result"] != "failed" => {}
            ("applied", "create", Some(id)) => {
                if !created.remove(&id) {
                    complain("not created by this run, or claimed twice");
                } else if last && !shows() {
                    complain("created otherwise");
                }
            }
            ("applied", "update", Some(id)) => {
                changed.remove(&id);
                if last && !shows() {
                    complain("not so");
                }
            }
            ("applied", _, Some(id)) => {
                if !gone.remove(&id) {
                    complain("not deleted by this run, or claimed twice");
                }
            }
            ("already_so", "delete", Some(id)) if before.contains_key(&id) => complain("was there before"),
            ("already_so", "delete", _) => {}
            ("already_so", _, Some(id)) => {
                if last && (!before.contains_key(&id) || !shows()) {
                    complain("was not so before, or is not so");
                }
            }
            ("failed", ..) if outcome["error"]["kind"] == "outcome_unknown" => unknown.push(change),
            ("failed", ..) if outcome["error"]["kind"] == "changed_meanwhile" && seen.deeds.is_empty() => {
                complain("blames another writer, but there was none");
            }
            ("failed", ..) if outcome["error"].is_null() => complain("failed without an error"),
            ("skipped", ..) if outcome["reason"].is_null() => complain("skipped without a reason"),
            ("failed" | "skipped", ..) => {}
            _ => complain("an outcome that is none"),
        }
    }
    // A change with an unknown outcome may have been made once.
    for change in unknown {
        match (change["action"].as_str().unwrap(), number(&change["before"]["id"])) {
            ("update", Some(id)) => drop(changed.remove(&id)),
            ("delete", Some(id)) => drop(gone.remove(&id)),
            _ => {
                let topic = change["topic"].as_str().unwrap();
                let found = created.iter().find(|id| is_as(&after[id], topic, &change["after"])).copied();
                found.map(|id| created.remove(&id));
            }
        }
    }
    for (what, ids) in [("created", created), ("changed", changed), ("deleted", gone)] {
        wrong.extend(ids.into_iter().map(|id| format!("{id} was {what}, and no outcome says so")));
    }
    let unmanaged = |store: &std::collections::BTreeMap<u64, Value>| -> Vec<Value> {
        let list =
            store.iter().filter(|(id, s)| !s["uri"].as_str().unwrap().starts_with(MANAGED) && !theirs.contains(id));
        list.map(|(_, s)| s.clone()).collect()
    };
    if unmanaged(before) != unmanaged(after) {
        wrong.push("an unmanaged subscription was touched".into());
    }
    wrong
}

/// Checks that the summary and the exit code match the outcomes.
fn counts(run: &Run, report: &Value, shops: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let outcomes = || shops.iter().flat_map(|s| s["outcomes"].as_array().unwrap());
    let count = |result: &str, action: &str| {
        outcomes().filter(|o| o["result"] == result && (action.is_empty() || o["change"]["action"] == action)).count()
    };
    for (key, expected) in [
        ("added", count("applied", "create")),
        ("changed", count("applied", "update")),
        ("destroyed", count("applied", "delete")),
        ("already_so", count("already_so", "")),
        ("failed", count("failed", "")),
        ("skipped", count("skipped", "")),
    ] {
        if report["summary"][key] != expected {
            wrong.push(format!("summary.{key} is {}, the outcomes say {expected}", report["summary"][key]));
        }
    }
    let undone = count("failed", "") + count("skipped", "");
    let blocked: usize = shops.iter().map(|s| s["blocked"].as_array().unwrap().len()).sum();
    let unread = shops.iter().filter(|s| s["status"] == "not_read" || s["status"] == "stale").count();
    let complete = undone + blocked + unread == 0;
    if report["complete"] != complete {
        wrong.push(format!("complete is {}", report["complete"]));
    }
    if report["exit_code"] != run.code || (run.code == 0) != complete {
        wrong.push(format!("exit {}, exit_code {}, complete {complete}", run.code, report["exit_code"]));
    }
    wrong
}

/// The outcomes of each shop are those of its planned changes, one each, in order.
fn one_outcome_a_change(plan: &Value, shops: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for planned in plan["shops"].as_array().unwrap() {
        let changes: Vec<&Value> = planned["changes"].as_array().unwrap().iter().collect();
        let reported = shops.iter().find(|s| s["shop"] == planned["shop"]);
        let outcomes: Vec<&Value> = reported
            .map(|s| s["outcomes"].as_array().unwrap().iter().map(|o| &o["change"]).collect())
            .unwrap_or_default();
        if changes != outcomes {
            wrong.push(format!("{}: {} changes, {} outcomes", planned["shop"], changes.len(), outcomes.len()));
        }
    }
    wrong
}
