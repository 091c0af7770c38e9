//! Fault rules: which faults the sandbox injects into which requests.
//!
//! Rules come from the command line (`drop,on=mutation,times=2`) or from fault files in YAML or JSON:
//! `{seed: 7, faults: [{fault: drop, on: mutation, times: 2}]}`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use serde_yaml::Spanned;

use crate::model::{ShopDomain, ShopPattern};
use crate::{files, words};

use super::error::SandboxError;
use super::fault::{Fault, NAMES};
use super::suggest;

/// Fault rules and the seed of their random numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    pub(super) seed: u64,
    pub(super) rules: Vec<Rule>,
}

/// A fault and the requests into which it is injected.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    /// A glob on the handle or domain; `None` matches every shop.
    shop: Option<(String, ShopPattern)>,
    on: RequestKind,
    /// Number of matching requests of a shop that pass before the first fault.
    after: u64,
    /// Maximum number of injections in a shop; `None` means no limit.
    times: Option<u64>,
    probability: Option<f64>,
}

/// The kind of request that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RequestKind {
    Query,
    Mutation,
    /// A request for a token.
    Oauth,
    /// A request to Flow Service.
    Adobe,
    /// A request for a token at Adobe.
    Ims,
    /// Any request to a shop.
    Any,
}

const COMMON: [&str; 6] = ["fault", "shop", "on", "after", "times", "probability"];

impl Rule {
    /// Parses a rule. The error has a hint.
    pub(super) fn parse(mut map: Map<String, Value>) -> Result<Self, String> {
        let name = map.get("fault").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !NAMES.contains(&name.as_str()) {
            let what = if name.is_empty() { "`fault` is required".into() } else { format!("unknown fault `{name}`") };
            return Err(format!("{what}{}; expected one of {}", suggest(&name, NAMES), NAMES.join(", ")));
        }
        let wrong = |key: &str, expected: &str| format!("`{key}` of {name}: {expected}");
        let mut take = |key: &'static str| map.remove(key);
        let shop = match take("shop") {
            None => None,
            Some(text) => {
                let text =
                    text.as_str().ok_or_else(|| wrong("shop", "expected a glob on the handle or domain"))?.to_owned();
                let pattern = ShopPattern::parse(&text).map_err(|error| wrong("shop", &error.to_string()))?;
                Some((text, pattern))
            }
        };
        let on = take("on").map_or(Ok(RequestKind::Any), serde_json::from_value);
        let on = on.map_err(|_| wrong("on", "expected one of query, mutation, oauth, any, adobe, ims"))?;
        let number = |key: &'static str, value: Option<Value>| {
            value.map(|value| value.as_u64().ok_or_else(|| wrong(key, "expected an integer of at least 0"))).transpose()
        };
        let after = number("after", take("after"))?.unwrap_or_default();
        let times = number("times", take("times"))?;
        let probability = take("probability")
            .map(|value| value.as_f64().filter(|p| (0.0..=1.0).contains(p)))
            .map(|value| value.ok_or_else(|| wrong("probability", "expected a number from 0 to 1")))
            .transpose()?;
        let keys: Vec<String> = map.keys().filter(|key| *key != "fault").cloned().collect();
        let fault: Fault = serde_json::from_value(map.into()).map_err(|error| {
            let hints = keys.iter().map(|key| suggest(key, COMMON.into_iter().filter(|name| name != key)));
            format!("{name}: {}{}", words::of_data(&error.to_string()), hints.collect::<String>())
        })?;
        fault.check().map_err(|message| format!("{name}: {message}"))?;
        if matches!(on, RequestKind::Adobe | RequestKind::Ims) {
            if shop.is_some() {
                return Err(wrong("shop", "not allowed with `on: adobe` or `on: ims`, because Adobe has no shops"));
            }
            let only_shops = fault.changes_shop() && !matches!(fault, Fault::TokenRevoked {});
            if only_shops
                || matches!(fault, Fault::Throttled {} | Fault::InternalError { .. } | Fault::ShiftingPages { .. })
            {
                return Err(wrong("on", "this fault is not possible at Adobe"));
            }
        }
        Ok(Self { fault, shop, on, after, times, probability })
    }

    /// Parses a rule of the command line: `drop,on=mutation,commit=after,times=2`.
    pub(super) fn parse_spec(spec: &str) -> Result<Self, String> {
        let mut map = Map::new();
        for (at, part) in spec.split(',').map(str::trim).enumerate() {
            match part.split_once('=') {
                None if at == 0 => drop(map.insert("fault".into(), part.into())),
                None => return Err(format!("`{part}` in `{spec}`: expected key=value")),
                Some(("set", value)) => drop(map.insert("set".into(), json!([value]))),
                Some((key, value)) => {
                    let number = serde_json::from_str::<serde_json::Number>(value).ok();
                    map.insert(key.into(), number.map_or_else(|| value.into(), Value::Number));
                }
            }
        }
        Self::parse(map).map_err(|message| format!("`{spec}`: {message}"))
    }

    pub(super) fn to_json(&self) -> Value {
        let mut value = json!(self.fault);
        let rest = json!({
            "shop": self.shop.as_ref().map(|(text, _)| text), "on": self.on, "after": self.after, "times": self.times,
            "probability": self.probability,
        });
        if let (Some(value), Value::Object(rest)) = (value.as_object_mut(), rest) {
            value.extend(rest);
        }
        value
    }

    /// Whether the rule is about requests of this kind to this shop.
    pub(super) fn matches(&self, shop: &ShopDomain, kind: RequestKind) -> bool {
        let named = self.shop.as_ref().is_none_or(|(_, pattern)| pattern.matches(shop));
        let of_shops = !matches!(kind, RequestKind::Adobe | RequestKind::Ims);
        named && (self.on == kind || (self.on == RequestKind::Any && of_shops))
    }

    /// Whether the fault is injected into the matching request number `seen` of a shop, after `injected` times before.
    /// `chance` is a random number of 0 or more and less than 1.
    pub(super) fn applies(&self, seen: u64, injected: u64, chance: f64) -> bool {
        seen > self.after
            && self.times.is_none_or(|times| injected < times)
            && self.probability.is_none_or(|probability| chance < probability)
    }
}

/// A fault file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    seed: Option<u64>,
    faults: Vec<Spanned<Map<String, Value>>>,
}

impl Faults {
    /// Reads fault files and single rules of the command line. `seed` overrides the seeds of the files.
    pub(crate) fn read(files: &[PathBuf], specs: &[String], seed: Option<u64>) -> Result<Self, SandboxError> {
        let mut faults = Self::default();
        for path in files {
            let text = files::read_text(path, files::WRITTEN).map_err(SandboxError::io(path))?;
            faults.extend(Self::parse(&text, path)?);
        }
        for spec in specs {
            faults.rules.push(Rule::parse_spec(spec).map_err(|message| SandboxError::Faults(vec![message]))?);
        }
        faults.seed = seed.unwrap_or(faults.seed);
        Ok(faults)
    }

    /// Parses a fault file. `path` is used in error messages.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, SandboxError> {
        let file: File = serde_yaml::from_str_with_options(text, serde_yaml::options! { strict_booleans: true })
            .map_err(|error| SandboxError::Faults(vec![SandboxError::yaml(path, &error)]))?;
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        for Spanned { value, referenced: at, .. } in file.faults {
            match Rule::parse(value) {
                Ok(rule) => rules.push(rule),
                Err(message) => errors.push(format!("{}:{}:{}: {message}", path.display(), at.line(), at.column())),
            }
        }
        let seed = file.seed.unwrap_or_default();
        if errors.is_empty() { Ok(Self { seed, rules }) } else { Err(SandboxError::Faults(errors)) }
    }

    /// Adds the rules of `more`. Its seed overrides this one unless it is 0.
    pub(super) fn extend(&mut self, more: Self) {
        self.rules.extend(more.rules);
        if more.seed != 0 {
            self.seed = more.seed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::NAMES;
    use super::*;

    #[test]
    fn files_and_single_rules_are_combined_and_errors_name_their_place() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("faults.yaml");
        std::fs::write(&path, "seed: 3\nfaults:\n  - { fault: drop, on: mutation, times: 2 }\n").expect("write");
        let read = |specs: &[String], seed| Faults::read(std::slice::from_ref(&path), specs, seed);
        let faults = read(&["html".to_owned()], None).expect("faults");
        assert_eq!((faults.seed, faults.rules.len()), (3, 2));
        assert_eq!(read(&[], Some(9)).expect("faults").seed, 9);
        for (text, expected) in [
            ("faults:\n  - fault: drop\n    tims: 2\n", "f:2:5: drop: unknown key `tims`"),
            ("faults: []\nsed: 2\n", "f:2:1: unknown key `sed`; known keys: seed, faults"),
            ("{\"faults\": [{\"fault\": \"dorp\"}]}", "f:1:13: unknown fault `dorp`; did you mean drop?"),
        ] {
            let message = Faults::parse(text, Path::new("f")).expect_err(text).to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn invalid_rules_are_refused_with_a_hint() {
        for (spec, hint) in [
            ("dorp", "did you mean drop?"),
            ("drop,tims=2", "did you mean times?"),
            ("latency,mz=2", "unknown key `mz`; known keys: ms, jitter_ms"),
            ("drop,on=write", "one of query, mutation, oauth, any"),
            ("drop,on=adobe,shop=a", "not allowed with `on: adobe` or `on: ims`, because Adobe has no shops"),
            ("frozen,on=ims", "this fault is not possible at Adobe"),
            ("throttled,on=adobe", "this fault is not possible at Adobe"),
            ("drop,commit=never", "unknown value `never`; known values: before, after"),
            ("drop,probability=2", "a number from 0 to 1"),
            ("drop,times=some", "expected an integer of at least 0"),
            ("drop,shop=[", "`shop` of drop"),
            ("drop,before", "expected key=value"),
            ("server_error,status=404", "one of 500, 502, 503, 504"),
            ("html,status=302", "200, or 400 to 599"),
            ("rate_limited,retry_after=-1", "0 to 3600 seconds"),
            ("shifting_pages,size=0", "1 to 250 entries"),
            ("shifting_pages,size=2,by=-2", "a shift must be smaller than a page"),
            ("shifting_pages,on=adobe", "this fault is not possible at Adobe"),
            ("other_writer,act=add", "requires `address`"),
            ("other_writer,act=edit", "requires `set`"),
            ("other_writer", "missing key `act`"),
            ("", "`fault` is required"),
        ] {
            let message = Rule::parse_spec(spec).expect_err(spec);
            assert!(message.contains(hint), "{spec}: {message}");
        }
    }

    #[test]
    fn every_fault_is_written_and_parsed_under_its_name() {
        for name in NAMES {
            let more = match name {
                "other_writer" => ",act=delete",
                _ => "",
            };
            let rule = Rule::parse_spec(&format!("{name}{more},times=3,shop=a,on=query")).expect(name);
            assert_eq!(rule.fault.name(), name);
            let Value::Object(written) = rule.to_json() else { panic!("{name}") };
            let known = written.into_iter().filter(|(_, value)| !value.is_null()).collect();
            assert_eq!(Rule::parse(known).expect(name).to_json(), rule.to_json());
        }
    }
}
