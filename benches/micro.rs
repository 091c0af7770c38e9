//! Benchmarks of the core with the data of a fleet: `cargo bench --bench micro`.
//!
//! 10,000 shops of 20 bindings for the manifest, 5,000 shops of 20 bindings (100,000 bindings) for the later steps. The data
//! is generated; the benchmarks use neither files nor the network.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use divan::Bencher;
use hookwright::manifest::{self, Manifest, Options, SourceFile};
use hookwright::model::{Live, Scope, SubscriptionId, Visibility};
use hookwright::plan::{self, Context, DestinationHealth, PlanHeader, PlannedShop, ShopInput};
use hookwright::render::{self, Style};
use hookwright::state::{Entry, Observed};
use hookwright::wire;
use hookwright::wire::plan::Plan;

const ADDRESS: &str =
    "https://dcs.adobedc.net/collection/5e331f99e157309c495d985a4be804410e7b869f6b067c0d5d5ec958c2aaeb85";
const TOPICS: [&str; 20] = [
    "carts/create",
    "carts/update",
    "checkouts/create",
    "checkouts/delete",
    "checkouts/update",
    "collections/create",
    "collections/delete",
    "collections/update",
    "customers/create",
    "customers/delete",
    "customers/disable",
    "customers/enable",
    "customers/update",
    "orders/delete",
    "products/create",
    "products/delete",
    "products/update",
    "selling_plan_groups/create",
    "selling_plan_groups/delete",
    "tender_transactions/create",
];

/// Number of shops in the manifests.
const FLEET: usize = 10_000;
/// Number of shops that are compared, planned and rendered: 100,000 bindings.
const SHOPS: usize = 5_000;

fn main() {
    divan::main();
}

/// One set that every shop uses.
fn by_use(shops: usize) -> String {
    let mut text = head();
    let _ = write!(
        text,
        "binding_sets:\n  all:\n    - {{ topics: [{}], destination: commerce }}\nshops:\n",
        TOPICS.join(", ")
    );
    for n in 0..shops {
        let _ = writeln!(text, "  - {{ shop: shop-{n:06}, use: [all] }}");
    }
    text
}

/// Every binding of every shop.
fn one_by_one(shops: usize) -> String {
    let mut text = head() + "shops:\n";
    for n in 0..shops {
        let _ = write!(text, "  - shop: shop-{n:06}\n    bindings:\n");
        for topic in TOPICS {
            let _ = write!(text, "      - topic: {topic}\n        destination: commerce\n");
        }
    }
    text
}

fn head() -> String {
    format!("version: 1\nauth: {{ access_token: {{ env: TOKEN }} }}\ndestinations:\n  commerce: {ADDRESS}\n")
}

fn load(text: &str) -> Manifest {
    let file = SourceFile { path: "fleet.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
    manifest::load(vec![file], &Options::default()).manifest.unwrap()
}

/// Returns the live subscriptions of a shop: those of the manifest, without every `missing`th.
fn observed(manifest: &Manifest, missing: Option<usize>) -> Vec<Observed> {
    let scopes = ["read_orders", "read_products", "read_customers"].into_iter().filter_map(Scope::parse);
    let scopes = Some(scopes.collect());
    let live = |(at, binding): (usize, &hookwright::model::Binding)| Entry {
        binding: binding.clone(),
        meta: Live {
            id: SubscriptionId::new(&format!("gid://shopify/WebhookSubscription/{}", at + 1)),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
            updated_at: "2026-01-01T00:00:00Z".to_owned(),
            api_version: Some("2026-10".to_owned()),
            visibility: Visibility::Whole,
            app: None,
        },
    };
    let kept = |at: &usize| missing.is_none_or(|n| !at.is_multiple_of(n));
    let of_shop = |shop: &manifest::ManifestShop| {
        let bindings = shop.desired().unwrap().entries.iter().map(|entry| &entry.binding).enumerate();
        Observed { scopes: scopes.clone(), entries: bindings.filter(|(at, _)| kept(at)).map(live).collect() }
    };
    manifest.shops.iter().map(of_shop).collect()
}

fn parts(manifest: &Manifest, observed: &[Observed]) -> Vec<PlannedShop> {
    let addresses: HashSet<String> = manifest.addresses.iter().map(hookwright::model::Address::folded).collect();
    let inlets = DestinationHealth::default();
    let context =
        Context { ownership: &manifest.ownership, safety: &manifest.safety, addresses: &addresses, inlets: &inlets };
    let part = |(shop, observed): (&manifest::ManifestShop, &Observed)| {
        let desired = shop.desired().unwrap();
        let manifest::ManifestShop { shop, labels, destinations, limits, .. } = shop;
        let reading = Ok(observed);
        let findings = Vec::new();
        let desired_digest = &plan::desired_digest(desired, &manifest.ownership).into();
        let (approval, base) = ("", None);
        plan::shop(
            &context,
            ShopInput {
                shop,
                approval,
                labels,
                desired,
                desired_digest,
                destinations,
                limits,
                base,
                reading,
                findings,
            },
        )
    };
    manifest.shops.iter().zip(observed).map(part).collect()
}

fn frame(manifest: &Manifest) -> PlanHeader {
    let settings = plan::Settings {
        name: None,
        endpoint: "shopify".to_owned(),
        sandbox: None,
        adobe: None,
        admin_api: plan::AdminApi { version: "2026-10".to_owned(), transport: "graphql".to_owned() },
        ownership: manifest.ownership.clone(),
        safety: manifest.safety.clone(),
    };
    PlanHeader {
        manifest: Vec::new(),
        consents: Vec::new(),
        settings,
        selection: plan::Selection::default(),
        destinations: Vec::new(),
        manifest_digest: manifest.digest.clone(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        base_addresses: HashSet::new(),
        shops_left: BTreeMap::new(),
        is_drift: false,
        started_at: None,
        since: None,
    }
}

/// Plans of 5,000 shops: nothing to do, one binding of each shop missing, all missing.
#[derive(Clone, Copy, Debug)]
enum Case {
    NoOp,
    OneEach,
    Empty,
}

const CASES: [Case; 3] = [Case::NoOp, Case::OneEach, Case::Empty];

impl Case {
    fn missing(self) -> Option<usize> {
        match self {
            Self::NoOp => None,
            Self::OneEach => Some(TOPICS.len()),
            Self::Empty => Some(1),
        }
    }

    fn world(self) -> (Manifest, Vec<Observed>) {
        let manifest = load(&by_use(SHOPS));
        let observed = observed(&manifest, self.missing());
        (manifest, observed)
    }

    fn plan(self) -> Plan {
        let (manifest, observed) = self.world();
        plan::assemble(frame(&manifest), parts(&manifest, &observed), |_| 0, wire::plan::digest).into()
    }
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn manifest_by_use(bencher: Bencher<'_, '_>) {
    let text = by_use(FLEET);
    bencher.bench_local(|| load(&text));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn manifest_one_by_one(bencher: Bencher<'_, '_>) {
    let text = one_by_one(FLEET);
    bencher.bench_local(|| load(&text));
}

#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn diff(bencher: Bencher<'_, '_>, case: Case) {
    let (manifest, observed) = case.world();
    bencher.bench_local(|| {
        for (shop, observed) in manifest.shops.iter().zip(&observed) {
            divan::black_box(hookwright::diff::diff(shop.desired().unwrap(), observed, &manifest.ownership));
        }
    });
}

/// The comparison of each shop, and its conversion for the plan.
#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn plan_shops(bencher: Bencher<'_, '_>, case: Case) {
    let (manifest, observed) = case.world();
    bencher.bench_local(|| parts(&manifest, &observed));
}

/// Order, hazards of the run, summary, digest.
#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn plan_assemble(bencher: Bencher<'_, '_>, case: Case) {
    let (manifest, observed) = case.world();
    let parts = parts(&manifest, &observed);
    bencher
        .with_inputs(|| (frame(&manifest), parts.clone()))
        .bench_local_values(|(frame, parts)| plan::assemble(frame, parts, |_| 0, wire::plan::digest));
}

#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn plan_json(bencher: Bencher<'_, '_>, case: Case) {
    let plan = case.plan();
    bencher.bench_local(|| serde_json::to_string_pretty(&plan).unwrap());
}

/// A saved plan: parsed and its digest verified.
#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn plan_read(bencher: Bencher<'_, '_>, case: Case) {
    let text = serde_json::to_string_pretty(&case.plan()).unwrap();
    bencher.bench_local(|| wire::plan::read(text.as_bytes()).unwrap());
}

#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn render_text(bencher: Bencher<'_, '_>, case: Case) {
    let plan = case.plan();
    bencher.bench_local(|| render::plan_text(&plan, &Style::default()));
}

#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn render_html(bencher: Bencher<'_, '_>, case: Case) {
    let plans = [case.plan()];
    bencher.bench_local(|| render::plans_html(&plans, &[]));
}

/// Canonical JSON of 100,000 small objects, and its SHA-256.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn digest(bencher: Bencher<'_, '_>) {
    let object = |n: usize| {
        let topic = TOPICS[n % TOPICS.len()];
        let pairs: BTreeMap<_, _> = [("topic", topic), ("destination", "commerce"), ("address", ADDRESS)].into();
        serde_json::to_value(pairs).unwrap()
    };
    let value: Arc<serde_json::Value> = Arc::new((0..SHOPS * TOPICS.len()).map(object).collect());
    bencher.bench_local(|| plan::sha256(&value));
}
