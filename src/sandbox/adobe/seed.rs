//! Adobe's side in seed files: `adobe`.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_yaml::{Location, Spanned};

use super::super::oauth::Secret;
use super::super::suggest;
use super::world::{Adobe, Inlet, InletKind, Run, RunStatus, address, uuid};

const DAY: i64 = 86_400_000;
/// The maximum number of repetitions by `every`.
const MOST_RUNS: i64 = 1_000;
/// The states in Adobe's API description and its pages on errors.
const STATES: [&str; 9] = [
    "enabled",
    "disabled",
    "initializing",
    "inProgress",
    "updating",
    "enabling",
    "disabling",
    "enabled-finalizing",
    "delete-finalizing",
];

/// Adobe's side of a seed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct SeedAdobe {
    org: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    token_seconds: Option<i64>,
    page_size: Option<Spanned<usize>>,
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
    /// For a dataflow: `flow`, or `connection` if the base connection of its source has the address.
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
    /// Repeats the run from `age` until now.
    every: Option<String>,
    status: RunStatus,
    #[serde(default)]
    received: u64,
    #[serde(default)]
    failed: u64,
}

impl SeedRun {
    /// The starts of the run and its repetitions, in milliseconds before now. Returns `None` if the texts are invalid
    /// or if there are too many.
    fn starts(&self) -> Option<Vec<i64>> {
        let first = age(&self.age)?;
        let Some(every) = &self.every else { return Some(vec![first]) };
        let every = age(every).filter(|every| *every > 0)?;
        let times = first / every + 1;
        (times <= MOST_RUNS).then(|| (0..times).map(|n| first - n * every).collect())
    }
}

/// Parses `90s`, `10m`, `2h` or `30d` to milliseconds.
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
    /// Reports all mistakes with their places.
    pub(in super::super) fn check(&self, wrong: &mut impl FnMut(Location, String)) {
        let mut ids = HashSet::new();
        if let Some(size) = self.page_size.as_ref().filter(|size| size.value == 0) {
            wrong(size.referenced, "`page_size` must be at least 1".to_owned());
        }
        for (kind, Spanned { value: inlet, referenced: at, .. }) in self.inlets() {
            if let Some(state) = inlet.state.as_deref().filter(|state| !STATES.contains(state)) {
                let hint = suggest(state, STATES);
                wrong(*at, format!("unknown state `{state}`{hint}; expected one of {}", STATES.join(", ")));
            }
            for age in inlet.age.iter().chain(inlet.runs.iter().map(|run| &run.age)) {
                if self::age(age).is_none() {
                    wrong(*at, format!("`{age}` is not an age; expected a form such as 90s, 10m, 2h or 30d"));
                }
            }
            for run in &inlet.runs {
                if let Some(every) = run.every.as_ref().filter(|_| run.starts().is_none()) {
                    let why = "write a form such as 1h or 1d that repeats the run at most 1,000 times";
                    wrong(*at, format!("`every: {every}` is invalid with the age {}; {why}", run.age));
                }
            }
            if let Some(id) = &inlet.id {
                let groups: Vec<usize> = id.split('-').map(str::len).collect();
                if groups != [8, 4, 4, 4, 12] || !id.bytes().all(|c| c == b'-' || c.is_ascii_hexdigit()) {
                    wrong(*at, format!("`{id}` is not an id; expected a UUID"));
                }
                if !ids.insert(id.to_ascii_lowercase()) {
                    wrong(*at, format!("duplicate id {id}"));
                }
            }
            match kind {
                InletKind::Connection if inlet.inlet.is_some() || !inlet.runs.is_empty() => {
                    wrong(*at, "`inlet` and `runs` are allowed only for dataflows".to_owned());
                }
                InletKind::Flow if inlet.authentication_required && inlet.inlet != Some(InletKind::Connection) => {
                    let why = "a dataflow with an address of its own cannot require a token; add `inlet: connection`";
                    wrong(*at, format!("`authentication_required`: {why}"));
                }
                InletKind::Flow | InletKind::Connection => {}
            }
        }
    }

    fn inlets(&self) -> impl Iterator<Item = (InletKind, &Spanned<SeedInlet>)> {
        let flows = self.flows.iter().map(|seed| (InletKind::Flow, seed));
        flows.chain(self.connections.iter().map(|seed| (InletKind::Connection, seed)))
    }

    /// Builds Adobe's side at the time `now`.
    pub(in super::super) fn make(&self, now: i64) -> Adobe {
        let mut adobe = Adobe {
            org: self.org.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            token_seconds: self.token_seconds,
            page_size: self.page_size.as_ref().map(|size| size.value),
            ..Adobe::default()
        };
        // Names may repeat. The number among its namesakes does not depend on other names.
        let mut namesakes: HashMap<(String, &str), usize> = HashMap::new();
        for (kind, seed) in self.inlets() {
            let seed = &seed.value;
            let sandbox = seed.sandbox.clone().unwrap_or_else(|| "prod".to_owned());
            let id = seed.id.as_deref().map(str::to_ascii_lowercase);
            let namesake = namesakes.entry((sandbox.clone(), &seed.name)).or_default();
            *namesake += 1;
            let id = id.unwrap_or_else(|| uuid(&[&seed.name, &sandbox, &namesake.to_string()]));
            let ago = |text: &str| now.saturating_sub(age(text).unwrap_or_default());
            let made = seed.age.as_deref().map_or(now - 30 * DAY, ago);
            let runs = seed.runs.iter().flat_map(|run| {
                let at = |started: i64| Run {
                    started_at: now.saturating_sub(started),
                    status: run.status,
                    received: run.received,
                    failed: run.failed,
                };
                run.starts().unwrap_or_default().into_iter().map(at)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::super::seed::parse_one;
    use super::super::super::store::World;
    use super::*;

    fn adobe(rest: &str) -> Result<Adobe, String> {
        let text = format!("sandbox: 1\nadobe:\n{rest}");
        let mut world = World::default();
        let seed = parse_one(&text, Path::new("a.sandbox.yaml")).map_err(|error| error.to_string())?;
        seed.fill(&mut world, 100 * DAY).map_err(|error| error.to_string())?;
        Ok(world.adobe)
    }

    #[test]
    fn errors_have_their_place() {
        let id = "4982698b-e6b3-48c2-8dcf-040e20121fd2";
        let flow = |rest: &str| format!("  flows:\n    - {{ name: one, {rest} }}\n");
        for (text, expected) in [
            ("  orgs: a\n".to_owned(), "a.sandbox.yaml:3:3: unknown key `orgs`"),
            ("  page_size: 0\n".to_owned(), "a.sandbox.yaml:3:14: `page_size` must be at least 1"),
            (flow("colour: red"), "a.sandbox.yaml:4:20: unknown key `colour`"),
            (
                flow("state: enabeld"),
                "a.sandbox.yaml:4:7: unknown state `enabeld`; did you mean enabled?; expected one of",
            ),
            (flow("id: 4982698b"), "a.sandbox.yaml:4:7: `4982698b` is not an id; expected a UUID"),
            (flow("age: soon"), "a.sandbox.yaml:4:7: `soon` is not an age; expected a form such as 90s"),
            (flow("inlet: floww"), "a.sandbox.yaml:4:27: unknown value `floww`; known values: flow, connection"),
            (flow("runs: [{ age: 1h, status: fine }]"), "unknown value `fine`"),
            (flow("runs: [{ age: 1y, status: success }]"), "`1y` is not an age"),
            (
                flow("runs: [{ age: 20d, every: 0h, status: failed }]"),
                "`every: 0h` is invalid with the age 20d; write a form such as 1h or 1d",
            ),
            (flow("runs: [{ age: 20d, every: 1m, status: failed }]"), "repeats the run at most 1,000 times"),
            (flow("authentication_required: true"), "a.sandbox.yaml:4:7: `authentication_required`: a dataflow"),
            (
                format!(
                    "  flows: [{{ name: a, id: {id} }}]\n  connections:\n    - {{ name: b, id: {} }}\n",
                    id.to_uppercase()
                ),
                "a.sandbox.yaml:5:7: duplicate id 4982698B-E6B3-48C2-8DCF-040E20121FD2",
            ),
            (
                "  connections:\n    - { name: b, inlet: flow }\n".to_owned(),
                "a.sandbox.yaml:4:7: `inlet` and `runs` are allowed",
            ),
        ] {
            let message = adobe(&text).expect_err(&text);
            assert!(message.contains(expected), "{text}\n{message}");
        }
    }

    #[test]
    fn ids_and_addresses_are_stable() {
        let one =
            adobe("  flows: [{ name: one }, { name: one }, { name: two, sandbox: dev, age: 2h }]\n").expect("a seed");
        assert_eq!(
            one,
            adobe("  flows: [{ name: one }, { name: one }, { name: two, sandbox: dev, age: 2h }]\n").expect("again")
        );
        let ids = |adobe: &Adobe| adobe.inlets.iter().map(|i| (i.id.clone(), i.address.clone())).collect::<Vec<_>>();
        let more = adobe("  flows: [{ name: new }, { name: one }, { name: one }]\n").expect("a seed");
        assert_eq!(ids(&more)[1..], ids(&one)[..2]);
        assert_eq!(ids(&one).into_iter().collect::<HashSet<_>>().len(), 3, "no two are one");
        assert_eq!([one.inlets[0].created_at, one.inlets[2].updated_at], [70 * DAY, 100 * DAY - DAY / 12]);
    }

    #[test]
    fn every_repeats_a_run_until_now() {
        let runs = "{ age: 3d, status: success }, { age: 2d, every: 1d, status: failed, failed: 1 }";
        let adobe = adobe(&format!("  flows: [{{ name: one, runs: [{runs}] }}]\n")).expect("a seed");
        let starts: Vec<i64> = adobe.inlets[0].runs.iter().map(|run| run.started_at / DAY).collect();
        assert_eq!(starts, [97, 98, 99, 100]);
    }

    #[test]
    fn a_second_adobe_part_is_refused_and_secrets_are_not_shown() {
        let text = "sandbox: 1\nadobe: { client_id: me, client_secret: s3cret }\n";
        let seed = parse_one(text, Path::new("b.sandbox.yaml")).expect("a seed");
        let mut world = World::default();
        seed.fill(&mut world, 0).expect("the first");
        assert!(!format!("{seed:?} {world:?}").contains("s3cret"));
        let message = seed.fill(&mut world, 0).expect_err("the second").to_string();
        assert!(message.starts_with("b.sandbox.yaml:2:8: ") && message.contains("--replace"), "{message}");
    }
}
