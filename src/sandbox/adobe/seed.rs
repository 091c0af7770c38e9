//! `adobe:` in seed files.

use serde::Deserialize;
use serde_yaml::{Location, Spanned};

use super::world::{Adobe, Inlet, InletKind, Run, RunStatus, address, uuid};

const DAY: i64 = 86_400_000;

/// What a seed says of Adobe.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct SeedAdobe {
    org: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    token_seconds: Option<i64>,
    page_size: Option<usize>,
    #[serde(default)]
    flows: Vec<Spanned<SeedInlet>>,
    #[serde(default)]
    connections: Vec<Spanned<SeedInlet>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedInlet {
    name: String,
    id: Option<String>,
    sandbox: Option<String>,
    state: Option<String>,
    address: Option<String>,
    age: Option<String>,
    /// Of a dataflow: `flow`, or `connection` if its address is at the base connection of its source.
    inlet: Option<InletKind>,
    #[serde(default)]
    authentication_required: bool,
    #[serde(default)]
    runs: Vec<SeedRun>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedRun {
    age: String,
    status: RunStatus,
    #[serde(default)]
    received: u64,
    #[serde(default)]
    failed: u64,
}

/// Milliseconds of `90s`, `10m`, `2h` or `30d`.
pub(in super::super) fn age(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().ok().filter(|n| *n >= 0)?;
    let millis = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY,
        _ => return None,
    };
    number.checked_mul(millis)
}

impl SeedAdobe {
    /// Tells every mistake.
    pub(in super::super) fn check(&self, wrong: &mut impl FnMut(Location, String)) {
        let mut ids = std::collections::HashSet::new();
        for Spanned { value: inlet, referenced: at, .. } in self.flows.iter().chain(&self.connections) {
            for age in inlet.age.iter().chain(inlet.runs.iter().map(|run| &run.age)) {
                if self::age(age).is_none() {
                    wrong(*at, format!("`{age}` is no age; write it like 90s, 10m, 2h or 30d"));
                }
            }
            if let Some(id) = &inlet.id {
                let groups: Vec<usize> = id.split('-').map(str::len).collect();
                if groups != [8, 4, 4, 4, 12] || !id.bytes().all(|c| c == b'-' || c.is_ascii_hexdigit()) {
                    wrong(*at, format!("`{id}` is no id; Adobe's are UUIDs"));
                }
                if !ids.insert(id.to_ascii_lowercase()) {
                    wrong(*at, format!("the id {id} stands twice"));
                }
            }
        }
    }

    /// What it makes of Adobe at the time `now`.
    pub(in super::super) fn make(&self, now: i64) -> Adobe {
        let mut adobe = Adobe {
            org: self.org.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            token_seconds: self.token_seconds,
            page_size: self.page_size,
            ..Adobe::default()
        };
        let flows = self.flows.iter().map(|seed| (InletKind::Flow, seed));
        for (at, (kind, seed)) in flows.chain(self.connections.iter().map(|s| (InletKind::Connection, s))).enumerate() {
            let seed = &seed.value;
            let sandbox = seed.sandbox.clone().unwrap_or_else(|| "prod".to_owned());
            let id = seed.id.as_deref().map(str::to_ascii_lowercase);
            let id = id.unwrap_or_else(|| uuid(&[&seed.name, &sandbox, &at.to_string()]));
            let ago = |text: &str| now.saturating_sub(age(text).unwrap_or_default());
            let made = seed.age.as_deref().map_or(now - 30 * DAY, ago);
            let runs = seed.runs.iter().map(|run| Run {
                started_at: ago(&run.age),
                status: run.status,
                received: run.received,
                failed: run.failed,
            });
            adobe.inlets.push(Inlet {
                kind,
                name: seed.name.clone(),
                sandbox,
                state: seed.state.clone().unwrap_or_else(|| "enabled".to_owned()),
                address: seed.address.clone().unwrap_or_else(|| address(&id)),
                id,
                over_connection: kind == InletKind::Flow && seed.inlet == Some(InletKind::Connection),
                authentication_required: seed.authentication_required,
                created_at: made,
                updated_at: made,
                runs: runs.collect(),
            });
        }
        adobe
    }
}
