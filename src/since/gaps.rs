//! The windows in which wanted bindings were not live, from the records of earlier files. No API reports when a subscription
//! was removed, so a window is an upper bound: it begins with the last record that shows the binding live.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _};

use super::{History, How, Route};
use crate::model::{ShopDomain, Topic};
use crate::plan::{BindingKey, OLD_ENDPOINT_HOURS};

/// A window in which a wanted binding was not live.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The shop of the binding.
    pub shop: ShopDomain,
    /// The topic of the binding.
    pub topic: Topic,
    /// The address, format and filter of the binding.
    pub key: BindingKey,
    /// The name of the destination, if a file has one.
    pub destination: Option<String>,
    /// Why the binding was not live.
    pub cause: GapCause,
    /// The last time at which the binding was live, or at which an apply removed it; `None` if no file shows it live before.
    pub last_live: Option<Timestamp>,
    /// The first time at which a file shows that it was not live.
    pub first_missing: Timestamp,
    /// The first time after that at which it was live again; `None` if no file shows it.
    pub restored: Option<Timestamp>,
}

/// Why a binding was not live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapCause {
    /// It was live, and no apply removed it.
    Removed,
    /// An apply removed it, and a later manifest wanted it.
    RemovedByApply,
    /// The live subscription had another address, format or filter.
    Changed,
    /// It could not be created or updated, so it is not known whether it was live.
    Blocked,
    /// No file shows it live before.
    NeverLive,
}

impl Gap {
    /// Returns the time from which on events can be lost: before Shopify removes a subscription, its deliveries fail for up to
    /// four hours. `None` if no file shows the binding live before.
    pub fn loss_from(&self) -> Option<Timestamp> {
        match self.cause {
            GapCause::Removed | GapCause::Blocked => self.last_live?.checked_sub(OLD_ENDPOINT_HOURS.hours()).ok(),
            GapCause::RemovedByApply | GapCause::Changed | GapCause::NeverLive => self.last_live,
        }
    }
}

/// What a file shows about a binding. Of the same time, the evidence that makes a window longer is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    Live,
    /// An apply removed it.
    Removed,
    Missing(How),
}

/// Evidence from between two times: a run reads or changes its shops one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    to: Timestamp,
    what: Evidence,
    from: Timestamp,
}

impl History {
    /// Returns the windows of all bindings, sorted by shop, topic, key and time.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut missing: BTreeMap<Route, (Option<String>, Vec<Record>)> = BTreeMap::new();
        for (shop, readings) in &self.readings {
            for reading in readings {
                for ((topic, key), of) in &reading.missing {
                    let route = (shop.clone(), topic.clone(), key.clone());
                    let (name, records) = missing.entry(route).or_default();
                    let times = of.known_since.into_iter().chain([reading.at]);
                    records.extend(times.map(|at| Record { from: at, to: at, what: Evidence::Missing(of.how) }));
                    *name = name.take().or_else(|| of.destination.clone());
                }
            }
        }
        let gaps = missing.into_iter().flat_map(|(route, (destination, mut records))| {
            records.extend(self.evidence(&route));
            records.sort();
            windows(&route, destination.as_deref(), records)
        });
        gaps.collect()
    }

    /// Returns when the files show a binding live, or removed by an apply.
    fn evidence(&self, route: &Route) -> Vec<Record> {
        let (shop, topic, key) = route;
        let records = self.routes.get(route).into_iter().flatten();
        let records = records.map(|seen| {
            let what = if seen.live { Evidence::Live } else { Evidence::Removed };
            Record { from: seen.from, to: seen.at, what }
        });
        // A report does not list what is as wanted. If another reading with the same wanted state lists the binding as missing,
        // this one wanted it, too.
        let wanted = (topic.clone(), key.clone());
        let readings = || self.readings.get(shop).into_iter().flatten();
        let wants = |digest: &str| readings().any(|r| *r.desired_digest == *digest && r.missing.contains_key(&wanted));
        let live = readings().filter(|reading| {
            !reading.missing.contains_key(&wanted)
                && !reading.blocked.iter().any(|(blocked, _)| blocked == topic)
                && wants(&reading.desired_digest)
        });
        records.chain(live.map(|r| Record { from: r.from, to: r.at, what: Evidence::Live })).collect()
    }
}

/// Returns the windows between records, which are sorted.
fn windows(route: &Route, destination: Option<&str>, records: Vec<Record>) -> Vec<Gap> {
    let (mut out, mut open): (Vec<Gap>, Option<Gap>) = (Vec::new(), None);
    let mut last: Option<(Timestamp, GapCause)> = None;
    for Record { from, to, what } in records {
        match what {
            Evidence::Live => {
                out.extend(open.take().map(|gap| Gap { restored: Some(to), ..gap }));
                last = Some((from, GapCause::Removed));
            }
            Evidence::Removed => last = Some((from, GapCause::RemovedByApply)),
            Evidence::Missing(how) if open.is_none() => {
                let (shop, topic, key) = route.clone();
                let cause = match (last, how) {
                    (None, _) => GapCause::NeverLive,
                    (Some(_), How::Blocked) => GapCause::Blocked,
                    (Some((_, GapCause::Removed)), How::Changed) => GapCause::Changed,
                    (Some((_, cause)), How::Missing | How::Changed) => cause,
                };
                open = Some(Gap {
                    shop,
                    topic,
                    key,
                    destination: destination.map(str::to_owned),
                    cause,
                    last_live: last.map(|(at, _)| at),
                    first_missing: to,
                    restored: None,
                });
            }
            Evidence::Missing(_) => {}
        }
    }
    out.extend(open);
    out
}
