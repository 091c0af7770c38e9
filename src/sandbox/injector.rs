//! Applies fault rules to requests.
//!
//! Pure. The rules, their seed, the shop and the number of the request in its shop decide which faults are injected. The
//! order in which requests of different shops arrive has no influence, so a run can be repeated.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::model::ShopDomain;

use super::fault::{Commit, Fault};
use super::faults::{Faults, RequestKind, Rule};

/// The faults that are injected into one request.
#[derive(Debug, Default)]
pub(super) struct InjectedFault {
    /// Milliseconds to wait before the request is carried out, and before its response is sent.
    pub(super) wait: (u64, u64),
    /// Faults that change the shop before the request is carried out, each with its random number.
    pub(super) shop_faults: Vec<(Fault, u64)>,
    /// The fault that changes the response, with its random number.
    pub(super) fault: Option<(Fault, u64)>,
    /// The number of the request in its shop, starting at 1.
    pub(super) request: u64,
    /// Names of all injected faults.
    pub(super) names: Vec<&'static str>,
}

/// The rules with the counts of each shop.
#[derive(Debug, Default)]
pub(super) struct Injector {
    faults: Faults,
    shops: HashMap<ShopDomain, Counts>,
    /// Messages of the faults that changed a shop, as `sandbox edit` prints them.
    pub(super) carried_out: Vec<String>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    /// For each rule, the number of requests that it matched and the number of faults that it injected.
    rules: Vec<(u64, u64)>,
}

impl Injector {
    /// Replaces the rules and resets all counts.
    pub(super) fn set(&mut self, faults: Faults) {
        *self = Self { faults, ..Self::default() };
    }

    pub(super) fn is_idle(&self) -> bool {
        self.faults.rules.is_empty()
    }

    /// The rules, and how many faults each of them injected.
    pub(super) fn to_json(&self) -> Value {
        let injected = |at: usize| -> u64 { self.shops.values().filter_map(|c| c.rules.get(at)).map(|r| r.1).sum() };
        let rule = |(at, rule): (usize, &Rule)| {
            let mut rule = rule.to_json();
            rule["struck"] = injected(at).into();
            rule
        };
        let rules: Vec<Value> = self.faults.rules.iter().enumerate().map(rule).collect();
        json!({ "seed": self.faults.seed, "faults": rules, "deeds": self.carried_out })
    }

    /// Returns the faults of the next request to Adobe's side, which counts as one more shop.
    pub(super) fn next_at_adobe(&mut self, kind: RequestKind) -> InjectedFault {
        match ShopDomain::parse("adobe") {
            Ok(adobe) => self.next(&adobe, kind),
            Err(_) => InjectedFault::default(),
        }
    }

    /// Returns the faults of the next request to `shop`.
    pub(super) fn next(&mut self, shop: &ShopDomain, kind: RequestKind) -> InjectedFault {
        let Faults { seed, rules } = &self.faults;
        let counts = self.shops.entry(shop.clone()).or_default();
        counts.requests += 1;
        counts.rules.resize(rules.len(), (0, 0));
        let mut injected = InjectedFault { request: counts.requests, ..InjectedFault::default() };
        for (at, (rule, (seen, times))) in rules.iter().zip(&mut counts.rules).enumerate() {
            if !rule.matches(shop, kind) {
                continue;
            }
            *seen += 1;
            let roll = roll(*seed, at, shop, counts.requests);
            // The upper 53 bits as a number of 0 or more and less than 1.
            #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
            let chance = (roll >> 11) as f64 / (1_u64 << 53) as f64;
            // Only one fault can change the response.
            let taken =
                injected.fault.is_some() && !rule.fault.changes_shop() && !matches!(rule.fault, Fault::Latency { .. });
            if taken || !rule.applies(*seen, *times, chance) {
                continue;
            }
            *times += 1;
            injected.names.push(rule.fault.name());
            match &rule.fault {
                Fault::Latency { ms, jitter_ms, commit } => {
                    let wait = match commit {
                        Commit::Before => &mut injected.wait.0,
                        Commit::After => &mut injected.wait.1,
                    };
                    *wait += ms + if *jitter_ms == 0 { 0 } else { roll % (jitter_ms + 1) };
                }
                fault if fault.changes_shop() => injected.shop_faults.push((fault.clone(), roll)),
                fault => injected.fault = Some((fault.clone(), roll)),
            }
        }
        injected
    }
}

/// A pseudo-random number that is always the same for the same rule and request.
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
mod tests {
    use super::*;

    fn shop(name: &str) -> ShopDomain {
        ShopDomain::parse(name).expect("domain")
    }

    fn injector(seed: u64, specs: &[&str]) -> Injector {
        let rules = specs.iter().map(|spec| Rule::parse_spec(spec).expect(spec)).collect();
        let mut injector = Injector::default();
        injector.set(Faults { seed, rules });
        injector
    }

    fn names(injector: &mut Injector, name: &str, asked: &[RequestKind]) -> Vec<String> {
        asked.iter().map(|on| injector.next(&shop(name), *on).names.join("+")).collect()
    }

    #[test]
    fn rules_count_their_requests_for_each_shop_separately() {
        use RequestKind::{Mutation, Query};
        let mut injector = injector(0, &["drop,on=mutation,after=1,times=2,shop=a*", "latency,ms=5,on=query", "html"]);
        let asked = [Query, Mutation, Mutation, Mutation, Mutation];
        let a = ["latency+html", "html", "drop", "drop", "html"];
        assert_eq!(names(&mut injector, "a1", &asked), a);
        assert_eq!(names(&mut injector, "b", &asked), ["latency+html", "html", "html", "html", "html"]);
        assert_eq!(names(&mut injector, "a2", &asked), a, "a shop does not use up another's");
    }

    #[test]
    fn probabilities_depend_only_on_the_seed_the_shop_and_the_request() {
        let specs = ["drop,probability=0.5", "latency,ms=10,jitter_ms=90"];
        let asked = [RequestKind::Query; 64];
        let run = |seed: u64, order: &[&str]| {
            let mut injector = injector(seed, &specs);
            let mut all: Vec<_> =
                order.iter().map(|name| ((*name).to_owned(), names(&mut injector, name, &asked))).collect();
            all.sort();
            all
        };
        assert_eq!(run(7, &["a", "b"]), run(7, &["b", "a"]));
        assert_ne!(run(7, &["a", "b"]), run(8, &["a", "b"]));
        let drops = run(7, &["a"])[0].1.iter().filter(|names| names.contains("drop")).count();
        assert!((16..48).contains(&drops), "{drops} of 64");
        let waits: Vec<_> = (0..50).map(|_| injector(7, &specs).next(&shop("a"), RequestKind::Query).wait).collect();
        assert!(waits.iter().all(|wait| (10..=100).contains(&wait.0) && *wait == waits[0]));
    }
}
