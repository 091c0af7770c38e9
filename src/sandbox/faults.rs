//! Faults: what the sandbox does wrong because it was told to.
//!
//! Pure. Which rule strikes a request follows from the rules, their seed, the shop and the number of the request in that
//! shop, and from nothing else, so that a run can be repeated however its shops interleave.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::{ShopDomain, ShopPattern};

use super::fault::{Commit, Fault, NAMES};
use super::suggest;

/// Rules and what chance starts from.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub(super) seed: u64,
    pub(super) rules: Vec<Rule>,
}

/// When something goes wrong.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    /// A glob on handle or domain; `None`: every shop.
    shop: Option<(String, ShopPattern)>,
    on: On,
    /// So many requests that it would have struck are spared first; each shop has its own count.
    after: u64,
    /// How often it strikes a shop; `None`: for ever.
    times: Option<u64>,
    probability: Option<f64>,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum On {
    Query,
    Mutation,
    /// A request for a token.
    Oauth,
    /// A request to Flow Service.
    Adobe,
    /// A request for a token of Adobe's.
    Ims,
    /// Any request to a shop.
    Any,
}

const COMMON: [&str; 6] = ["fault", "shop", "on", "after", "times", "probability"];

impl Rule {
    /// Reads a rule; what is wrong with it is told with a hint.
    pub(super) fn parse(mut map: Map<String, Value>) -> Result<Self, String> {
        let name = map.get("fault").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !NAMES.contains(&name.as_str()) {
            let what =
                if name.is_empty() { "a rule names its `fault`".into() } else { format!("`{name}` is no fault") };
            return Err(format!("{what}{}; one of {}", suggest(&name, NAMES), NAMES.join(", ")));
        }
        let wrong = |key: &str, expected: &str| format!("`{key}` of {name}: {expected}");
        let mut take = |key: &'static str| map.remove(key);
        let shop = match take("shop") {
            None => None,
            Some(text) => {
                let text = text.as_str().ok_or_else(|| wrong("shop", "a glob on the handle or domain"))?.to_owned();
                let pattern = ShopPattern::parse(&text).map_err(|error| wrong("shop", &error.to_string()))?;
                Some((text, pattern))
            }
        };
        let on = take("on").map_or(Ok(On::Any), serde_json::from_value);
        let on = on.map_err(|_| wrong("on", "one of query, mutation, oauth, any, adobe, ims"))?;
        let number = |key: &'static str, value: Option<Value>| {
            value.map(|value| value.as_u64().ok_or_else(|| wrong(key, "a whole number"))).transpose()
        };
        let after = number("after", take("after"))?.unwrap_or_default();
        let times = number("times", take("times"))?;
        let probability = take("probability")
            .map(|value| value.as_f64().filter(|p| (0.0..=1.0).contains(p)))
            .map(|value| value.ok_or_else(|| wrong("probability", "a number from 0 to 1")))
            .transpose()?;
        let keys: Vec<String> = map.keys().filter(|key| *key != "fault").cloned().collect();
        let fault: Fault = serde_json::from_value(map.into()).map_err(|error| {
            let hints = keys.iter().map(|key| suggest(key, COMMON.into_iter().filter(|name| name != key)));
            format!("{name}: {}{}", crate::words::of_data(&error.to_string()), hints.collect::<String>())
        })?;
        fault.check().map_err(|message| format!("{name}: {message}"))?;
        if matches!(on, On::Adobe | On::Ims) {
            if shop.is_some() {
                return Err(wrong("shop", "Adobe's side has no shops; leave it out"));
            }
            let of_shops = fault.is_deed() && !matches!(fault, Fault::TokenRevoked {});
            if of_shops
                || matches!(fault, Fault::Throttled {} | Fault::InternalError { .. } | Fault::ShiftingPages { .. })
            {
                return Err(wrong("on", "Adobe's side knows no such thing"));
            }
        }
        Ok(Self { fault, shop, on, after, times, probability })
    }

    /// Reads a rule as the command line has it: `drop,on=mutation,commit=after,times=2`.
    pub(super) fn parse_spec(spec: &str) -> Result<Self, String> {
        let mut map = Map::new();
        for (at, part) in spec.split(',').map(str::trim).enumerate() {
            match part.split_once('=') {
                None if at == 0 => drop(map.insert("fault".into(), part.into())),
                None => return Err(format!("`{part}` in `{spec}`: write key=value")),
                Some(("set", value)) => drop(map.insert("set".into(), json!([value]))),
                Some((key, value)) => {
                    let number = serde_json::from_str::<serde_json::Number>(value).ok();
                    map.insert(key.into(), number.map_or_else(|| value.into(), Value::Number));
                }
            }
        }
        Self::parse(map).map_err(|message| format!("`{spec}`: {message}"))
    }

    fn to_json(&self) -> Value {
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

    fn concerns(&self, shop: &ShopDomain, on: On) -> bool {
        let named = self.shop.as_ref().is_none_or(|(_, pattern)| pattern.matches(shop));
        let of_shops = !matches!(on, On::Adobe | On::Ims);
        named && (self.on == on || (self.on == On::Any && of_shops))
    }
}

/// What a request meets.
#[derive(Debug, Default)]
pub(super) struct Strike {
    /// Milliseconds before it is carried out, and before its answer goes out.
    pub(super) wait: (u64, u64),
    /// What happens to the shop first, each with its roll of the dice.
    pub(super) deeds: Vec<(Fault, u64)>,
    /// What happens to the answer, with its roll of the dice.
    pub(super) fault: Option<(Fault, u64)>,
    /// The number of the request in its shop, from 1.
    pub(super) request: u64,
    /// Names of all that struck.
    pub(super) names: Vec<&'static str>,
}

/// Rules at work.
#[derive(Debug, Default)]
pub(super) struct Injector {
    faults: Faults,
    shops: HashMap<ShopDomain, Tally>,
    /// What was done to shops, in the words of `sandbox edit`.
    pub(super) deeds: Vec<String>,
}

#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    /// For each rule: the requests that it concerned, and how often it struck.
    rules: Vec<(u64, u64)>,
}

impl Injector {
    /// Counts from the beginning.
    pub(super) fn set(&mut self, faults: Faults) {
        *self = Self { faults, ..Self::default() };
    }

    pub(super) fn is_idle(&self) -> bool {
        self.faults.rules.is_empty()
    }

    /// The rules and how often each struck.
    pub(super) fn to_json(&self) -> Value {
        let struck = |at: usize| -> u64 { self.shops.values().filter_map(|t| t.rules.get(at)).map(|r| r.1).sum() };
        let rule = |(at, rule): (usize, &Rule)| {
            let mut rule = rule.to_json();
            rule["struck"] = struck(at).into();
            rule
        };
        let rules: Vec<Value> = self.faults.rules.iter().enumerate().map(rule).collect();
        json!({ "seed": self.faults.seed, "faults": rules, "deeds": self.deeds })
    }

    /// What the next request to Adobe's side meets: it counts as one more shop.
    pub(super) fn next_at_adobe(&mut self, on: On) -> Strike {
        match ShopDomain::parse("adobe") {
            Ok(adobe) => self.next(&adobe, on),
            Err(_) => Strike::default(),
        }
    }

    /// What the next request to `shop` meets.
    pub(super) fn next(&mut self, shop: &ShopDomain, on: On) -> Strike {
        let Faults { seed, rules } = &self.faults;
        let tally = self.shops.entry(shop.clone()).or_default();
        tally.requests += 1;
        tally.rules.resize(rules.len(), (0, 0));
        let mut strike = Strike { request: tally.requests, ..Strike::default() };
        for (at, (rule, (seen, struck))) in rules.iter().zip(&mut tally.rules).enumerate() {
            if !rule.concerns(shop, on) {
                continue;
            }
            *seen += 1;
            let roll = roll(*seed, at, shop, tally.requests);
            // The upper 53 bits, as a number from 0 to below 1.
            #[allow(clippy::cast_precision_loss)]
            let chance = (roll >> 11) as f64 / (1_u64 << 53) as f64;
            let taken = strike.fault.is_some() && !rule.fault.is_deed() && !matches!(rule.fault, Fault::Latency { .. });
            let strikes = *seen > rule.after
                && rule.times.is_none_or(|times| *struck < times)
                && rule.probability.is_none_or(|probability| chance < probability);
            if taken || !strikes {
                continue;
            }
            *struck += 1;
            strike.names.push(rule.fault.name());
            match &rule.fault {
                Fault::Latency { ms, jitter_ms, commit } => {
                    let wait = match commit {
                        Commit::Before => &mut strike.wait.0,
                        Commit::After => &mut strike.wait.1,
                    };
                    *wait += ms + if *jitter_ms == 0 { 0 } else { roll % (jitter_ms + 1) };
                }
                deed if deed.is_deed() => strike.deeds.push((deed.clone(), roll)),
                fault => strike.fault = Some((fault.clone(), roll)),
            }
        }
        strike
    }
}

/// A number that looks like chance and is always the same for the same request.
fn roll(seed: u64, rule: usize, shop: &ShopDomain, request: u64) -> u64 {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = shop.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    let mix = |a: u64, b: u64| splitmix(a ^ splitmix(b));
    mix(mix(mix(hash, seed), rule as u64), request)
}

/// The finaliser of SplitMix64.
pub(super) fn splitmix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
#[path = "faults_test.rs"]
mod tests;
