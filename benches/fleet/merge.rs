//! Merges the plans of shards and compares the result with another plan. Used by the benchmark and by tests/it/shards.rs.

use serde_json::Value;

/// Removes the parts in which a shard may differ from the unsharded plan: the selection, the hazards of the run, which `show`
/// checks for all shards together, and values derived from these.
pub fn without_selection(mut plan: Value) -> Value {
    if let Value::Object(members) = &mut plan {
        for key in ["selection", "plan_digest", "created_at", "exit_code"] {
            members.remove(key);
        }
    }
    if let Some(hazards) = plan["hazards"].as_array_mut() {
        hazards.retain(|hazard| hazard.get("shop").is_some_and(Value::is_string));
    }
    plan
}

/// Merges the plans of all shards: shops and hazards in order, counts summed, other values as in each plan.
pub fn merged(parts: Vec<Value>) -> Value {
    let mut parts = parts.into_iter().map(without_selection);
    let mut whole = parts.next().unwrap();
    for mut part in parts {
        add(&mut whole["summary"], &part["summary"]);
        for list in LISTS {
            let more = std::mem::take(part[list].as_array_mut().unwrap());
            whole[list].as_array_mut().unwrap().extend(more);
        }
        let complete = whole["complete"].as_bool().unwrap() && part["complete"].as_bool().unwrap();
        whole["complete"] = complete.into();
        for (key, value) in part.as_object().unwrap() {
            if !matches!(key.as_str(), "summary" | "complete") && !LISTS.contains(&key.as_str()) {
                assert_eq!(&whole[key], value, "{key} differs between shards");
            }
        }
    }
    for list in LISTS {
        // Stable: the hazards of a shop keep their order.
        whole[list].as_array_mut().unwrap().sort_by(|a, b| a["shop"].as_str().cmp(&b["shop"].as_str()));
    }
    whole
}

const LISTS: [&str; 2] = ["shops", "hazards"];

fn add(to: &mut Value, more: &Value) {
    match (&mut *to, more) {
        (Value::Object(to), Value::Object(more)) => to.iter_mut().for_each(|(key, value)| add(value, &more[key])),
        (_, Value::Number(more)) => *to = (to.as_u64().unwrap() + more.as_u64().unwrap()).into(),
        _ => {}
    }
}

/// Returns a rendering without the line that names the selection.
pub fn text(rendered: &[u8]) -> String {
    let text = String::from_utf8_lossy(rendered);
    text.lines().filter(|line| !line.starts_with("Selection: ")).collect::<Vec<_>>().join("\n")
}

/// Returns the first difference of two documents.
pub fn difference(place: &str, a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let null = Value::Null;
            let mut keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.find_map(|key| {
                difference(&format!("{place}/{key}"), a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null))
            })
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().find_map(|(at, (a, b))| difference(&format!("{place}/{at}"), a, b))
        }
        _ => (a != b).then(|| format!("at {place}: {:.300} differs from {:.300}", a.to_string(), b.to_string())),
    }
}
