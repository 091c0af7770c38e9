//! Selects the subscriptions of each shop that the manifest contains.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::binding::{self, BindingForm};
use super::{ReadShop, Refused, Request};
use crate::diagnostic::{Code, Severity};
use crate::manifest::{self, AdminApi, Options, SourceFile, Transport, prefix_for};
use crate::model::{Address, Live, Topic, Visibility};
use crate::state::{Entry, Ownership, Prefix, Unmanaged};

/// The selected bindings of one shop.
#[derive(Debug, Default)]
pub(super) struct SelectedShop {
    pub(super) forms: BTreeMap<BindingForm, BTreeSet<Topic>>,
    /// The lines of the comment on the shop.
    pub(super) comments: Vec<String>,
}

impl SelectedShop {
    pub(super) fn count(&self) -> usize {
        self.forms.values().map(BTreeSet::len).sum()
    }
}

/// The selected bindings of all shops.
pub(super) struct Selected {
    /// The shops, in the order of the request.
    pub(super) shops: Vec<SelectedShop>,
    pub(super) refused: Vec<Refused>,
    /// The indices of shops with unmanaged subscriptions that are left out, and the number of those.
    pub(super) unmanaged: Vec<(usize, usize)>,
    /// The ownership rule to write.
    pub(super) ownership: Ownership,
    /// The codes that `lint.allow` must silence for the manifest to be valid: a live subscription works, even if the
    /// catalogue does not know its topic.
    pub(super) allow: BTreeSet<Code>,
}

/// A live subscription that the manifest can contain.
struct Writable<'a> {
    live: &'a Entry<Live>,
    form: BindingForm,
    /// The part of the subscription that is left out.
    without: Option<&'static str>,
    allow: BTreeSet<Code>,
}

pub(super) fn select(request: &Request) -> Selected {
    let mut probe = Probe { api: &request.admin_api, answers: BTreeMap::new() };
    let mut refused: Vec<(usize, &Entry<Live>, String)> = Vec::new();
    let mut writable: Vec<Vec<Writable<'_>>> = Vec::new();
    for (at, shop) in request.shops.iter().enumerate() {
        let mut entries: Vec<&Entry<Live>> = shop.observed.entries.iter().collect();
        // Oldest first, in the order in which the diff matches.
        entries.sort_by(|a, b| (&a.meta.created_at, &a.meta.id).cmp(&(&b.meta.created_at, &b.meta.id)));
        let mut list = Vec::new();
        for live in entries {
            let managed = request.ownership.covers(&live.binding.address);
            if !managed && !request.all {
                continue;
            }
            match probe.ask(live) {
                Ok((form, without, allow)) => list.push(Writable { live, form, without, allow }),
                Err(why) => refused.push((at, live, why)),
            }
        }
        writable.push(list);
    }

    let ownership = widened(request, &writable, &refused);
    let written = writable.iter().flatten().filter(|writable| ownership.covers(&writable.live.binding.address));
    let allow = written.flat_map(|writable| &writable.allow).copied().collect();
    let mut shops = Vec::new();
    let mut unmanaged = Vec::new();
    for (at, (shop, list)) in request.shops.iter().zip(writable).enumerate() {
        let refused_here = refused.iter().filter(|(place, _, _)| *place == at).map(|(_, live, _)| &live.meta.id);
        let refused_here: HashSet<_> = refused_here.collect();
        let outside = shop.observed.entries.iter().filter(|e| !ownership.covers(&e.binding.address));
        let outside = outside.filter(|e| !refused_here.contains(&e.meta.id)).count();
        if outside > 0 {
            unmanaged.push((at, outside));
        }
        shops.push(selected(shop, list, &ownership));
    }
    let refused = refused.into_iter().map(|(at, live, why)| Refused {
        shop: request.shops[at].shop.clone(),
        topic: live.binding.topic.to_string(),
        id: live.meta.id.to_string(),
        why,
        managed: ownership.covers(&live.binding.address),
    });
    let mut refused: Vec<Refused> = refused.collect();
    refused.sort();
    Selected { shops, refused, unmanaged, ownership, allow }
}

/// Returns the ownership rule with the prefixes that unmanaged subscriptions need. Adds no prefix that covers a
/// subscription that the manifest cannot contain, because a plan would delete it.
fn widened(request: &Request, writable: &[Vec<Writable<'_>>], refused: &[(usize, &Entry<Live>, String)]) -> Ownership {
    let mut ownership = request.ownership.clone();
    if ownership.unmanaged == Unmanaged::Delete {
        ownership.unmanaged = Unmanaged::Report;
    }
    if !request.all {
        return ownership;
    }
    let addresses: BTreeSet<&Address> = writable.iter().flatten().map(|w| &w.live.binding.address).collect();
    let hands_off: Vec<&Address> = refused.iter().map(|(_, live, _)| &live.binding.address).collect();
    for address in addresses {
        if ownership.covers(address) {
            continue;
        }
        let candidates = [prefix_for(address), address.as_str().to_owned()];
        let usable = candidates.iter().filter_map(|text| Prefix::parse(text).ok()).find(|prefix| {
            let alone = Ownership { address_prefixes: vec![prefix.clone()], unmanaged: Unmanaged::Report };
            alone.covers(address) && !hands_off.iter().any(|other| alone.covers(other))
        });
        ownership.address_prefixes.extend(usable);
    }
    ownership
}

fn selected(shop: &ReadShop, list: Vec<Writable<'_>>, ownership: &Ownership) -> SelectedShop {
    let mut out = SelectedShop::default();
    let mut keys: HashMap<_, Vec<&Entry<Live>>> = HashMap::new();
    let mut names = HashSet::new();
    for Writable { live, mut form, mut without, allow: _ } in list {
        if !ownership.covers(&live.binding.address) {
            continue;
        }
        let same = keys.entry(live.binding.key()).or_default();
        same.push(live);
        if same.len() > 1 {
            continue;
        }
        if let Some((name, _)) = &form.name
            && !names.insert(name.to_ascii_lowercase())
        {
            (form.name, without) = (None, Some("its name, which another subscription also has"));
        }
        if let Some(what) = without {
            out.comments.push(format!("{} ({}): written without {what}", live.binding.topic, live.meta.id));
        }
        out.forms.entry(form).or_default().insert(live.binding.topic.clone());
    }
    for same in keys.into_values().filter(|same| same.len() > 1) {
        let ids: Vec<&str> = same.iter().map(|live| live.meta.id.as_str()).collect();
        out.comments.push(format!("{}: {}", same[0].binding.topic, repeated(&ids, same[0])));
    }
    if shop.observed.entries.is_empty() {
        out.comments.push("this shop has no live subscriptions".to_owned());
    }
    out.comments.sort();
    out
}

/// The binding to write, the part that is left out and the codes to silence; or the message of `validate`.
type Answer = Result<(BindingForm, Option<&'static str>, BTreeSet<Code>), String>;

/// Checks whether a binding is valid, once for each form and topic.
struct Probe<'a> {
    api: &'a AdminApi,
    answers: BTreeMap<(Topic, BindingForm), Answer>,
}

impl Probe<'_> {
    fn ask(&mut self, live: &Entry<Live>) -> Answer {
        let form = BindingForm::of(live, self.api.transport == Transport::Rest);
        let key = (live.binding.topic.clone(), form);
        if let Some(known) = self.answers.get(&key) {
            return known.clone();
        }
        let answer = self.best(live, &key.1);
        self.answers.insert(key, answer.clone());
        answer
    }

    /// Tries the binding without its name or its metafields if necessary: keys that a binding does not set are not
    /// compared.
    fn best(&self, live: &Entry<Live>, form: &BindingForm) -> Answer {
        let why = match self.writes(live, form) {
            Ok(allow) => return Ok((form.clone(), None, allow)),
            Err(why) => why,
        };
        let nameless = BindingForm { name: None, ..form.clone() };
        let bare = BindingForm { metafields: Vec::new(), ..form.clone() };
        let plain = BindingForm { name: None, ..bare.clone() };
        let attempts = [
            (nameless, "its name, which a manifest cannot contain"),
            (bare, "its metafields, which a manifest cannot contain"),
            (plain, "its name and metafields, which a manifest cannot contain"),
        ];
        let mut less = attempts.into_iter().filter(|(less, _)| less != form);
        less.find_map(|(form, without)| self.writes(live, &form).ok().map(|allow| (form, Some(without), allow)))
            .ok_or(why)
    }

    /// Checks whether the binding is valid and equals the live subscription. Returns the codes to silence.
    fn writes(&self, live: &Entry<Live>, form: &BindingForm) -> Result<BTreeSet<Code>, String> {
        let load = |allow: &BTreeSet<Code>| {
            let text = binding::probe(self.api, &live.binding.topic, form, &prefix_for(&form.address), allow);
            let file = SourceFile { path: String::new(), bytes: text.into_bytes() };
            manifest::load(vec![file], &Options::default())
        };
        let mut loaded = load(&BTreeSet::new());
        let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code);
        let allow: BTreeSet<Code> = errors.filter(|code| code.can_be_silenced()).collect();
        if !allow.is_empty() {
            loaded = load(&allow);
        }
        let Some(manifest) = loaded.manifest else {
            // The probe created the prefix, so only problems of the address itself are reported.
            let own = |code| code == Code::BadPrefix || code == Code::NotOwned;
            let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error && !own(d.code));
            let first = errors.map(|d| format!("{}: {}", d.code, d.message)).next();
            return Err(first.unwrap_or_else(|| "a manifest cannot contain it".to_owned()));
        };
        let desired = manifest.shops.iter().filter_map(|shop| shop.desired().ok());
        let asked = desired.flat_map(|desired| &desired.entries).map(|entry| &entry.binding);
        let exact = asked.clone().count() == 1
            && asked.clone().all(|b| b.key() == live.binding.key() && live.differs_from(b).is_empty());
        if exact { Ok(allow) } else { Err("a manifest cannot describe it exactly".to_owned()) }
    }
}

/// Describes a binding that is live several times.
fn repeated(ids: &[&str], live: &Entry<Live>) -> String {
    let count = ids.len();
    let ids = ids.join(", ");
    match live.meta.visibility {
        Visibility::Whole => format!("live {count} times ({ids}), written once; a plan deletes the others"),
        Visibility::WithoutFilterAndName => {
            format!("live {count} times ({ids}), written once; REST does not show filters, in which they may differ")
        }
    }
}
