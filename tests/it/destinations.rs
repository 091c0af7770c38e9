//! Destinations that are looked up at Adobe, and addresses that are checked there: the sandbox's other side.

mod led;
mod parts;
mod trouble;
mod verdicts;

use serde_json::Value;

use crate::scene::{Server, http};
use crate::world::{A, Run, World};

const ORG: &str = "0123456789ABCDEF01234567@AdobeOrg";
const ORDERS: &str = "4982698b-e6b3-48c2-8dcf-040e20121fd2";
const ORDERS_AT: &str =
    "https://dcs.adobedc.net/collection/e75dcb5247eb65e7385df30270192e80b145566f52ed74d570505bd2e82463f3";
const SETTLED: &str = "--settle=10m";

/// Two shops that bind to the dataflow of that name, and one that binds to an address.
fn manifest(orders: &str) -> String {
    format!(
        "version: 1\nauth: {{ access_token: {{ env: \"TOKEN_{{SHOP}}\" }} }}\n\
         aep: {{ org: {ORG}, client_id: {{ env: AEP_ID }}, client_secret: {{ env: AEP_SECRET }}, scopes: [openid, AdobeID] }}\n\
         destinations:\n  orders: {orders}\n  pasted: {A}\n\
         shops:\n\
         \x20 - {{ shop: one, bindings: [{{ topic: orders/create, destination: orders }}] }}\n\
         \x20 - {{ shop: two, bindings: [{{ topic: orders/create, destination: orders }}] }}\n\
         \x20 - {{ shop: three, bindings: [{{ topic: products/create, destination: pasted }}] }}\n"
    )
}

const BY_NAME: &str = "{ flow: { name: \"Shopify orders (prod)\" } }";

/// Lines of `flows:` and whatever else belongs under `adobe:`; what goes wrong.
fn seed(more: &str, faults: &str) -> String {
    let shop = |name: &str, topic: &str, address: &str| {
        format!(
            "  - {{ shop: {name}, scopes: [write_orders, read_products], subscriptions: [{{ topic: {topic}, address: \"{address}\" }}] }}\n"
        )
    };
    let shops = [
        shop("one", "orders/create", ORDERS_AT),
        shop("two", "orders/create", ORDERS_AT),
        shop("three", "products/create", A),
    ];
    format!(
        "sandbox: 1\nadobe:\n  org: {ORG}\n  page_size: 1\n  flows:\n    \
         - {{ name: \"Shopify orders (prod)\", id: {ORDERS}, address: \"{ORDERS_AT}\" }}\n    \
         - {{ name: Loyalty }}\n{more}faults: [{faults}]\nshops:\n{}",
        shops.concat()
    )
}

fn world() -> World {
    World::new(&manifest(BY_NAME), &seed("", ""))
}

fn flow(world: &World, act: &str) {
    world.edit(&["flow", "Shopify orders (prod)", act]);
}

fn adobe(world: &World) -> Vec<String> {
    of_adobe(&world.requests())
}

/// Paths of what was asked at Adobe.
fn of_adobe(requests: &[Value]) -> Vec<String> {
    let paths = requests.iter().filter_map(|r| r["path"].as_str()).filter(|path| path.contains("__adobe"));
    paths.map(|path| path.rsplit("/__adobe").next().unwrap().replace("/data/foundation/flowservice", "")).collect()
}

/// A sandbox that is served, shops and Adobe, so that faults can be set while it runs.
struct Served {
    world: World,
    server: Server,
}

impl Served {
    fn new(world: World) -> Self {
        let server = Server::start(&world);
        Self { world, server }
    }

    fn base(&self) -> &str {
        self.server.url.split("/{shop}").next().unwrap()
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut command = self.world.command(args);
        command.env("HOOKWRIGHT_ADMIN_URL", &self.server.url);
        command.env("HOOKWRIGHT_ADOBE_URL", format!("{}/__adobe", self.base()));
        for name in ["AEP_ID", "AEP_SECRET", "TOKEN_ONE", "TOKEN_TWO", "TOKEN_THREE"] {
            command.env(name, "a-secret-of-the-test");
        }
        Run::of(&command.output().unwrap())
    }

    /// How many of Flow Service's questions come before the first one like that.
    fn before(&self, part: &str) -> usize {
        let log = self.world.read("served.json.log.jsonl");
        let requests: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut asked = of_adobe(&requests);
        asked.retain(|path| !path.starts_with("/ims"));
        asked.iter().position(|path| path.contains(part)).unwrap_or_else(|| panic!("{part} is not in {asked:?}"))
    }

    fn faults(&self, faults: &str) {
        let (status, _, body) = http("POST", &format!("{}/__sandbox/faults", self.base()), faults);
        assert_eq!(status, 200, "{body}");
    }
}

fn destination<'a>(plan: &'a Value, name: &str) -> &'a Value {
    plan["destinations"].as_array().unwrap().iter().find(|d| d["name"] == name).unwrap()
}

fn one<'a>(plan: &'a Value, shop: &str) -> &'a Value {
    plan["shops"].as_array().unwrap().iter().find(|s| s["shop"] == format!("{shop}.myshopify.com")).unwrap()
}

/// The shop with a pasted address is planned, the others are failed, and nothing is to be deleted.
fn only_pasted_is_planned(run: &Run, kind: &str) -> Value {
    let plan = run.json();
    for shop in ["one", "two"] {
        let shop = one(&plan, shop);
        assert_eq!((shop["status"].as_str(), shop["error"]["kind"].as_str()), (Some("failed"), Some(kind)), "{shop}");
        assert_eq!(shop["changes"], serde_json::json!([]));
    }
    assert_eq!(one(&plan, "three")["status"], "unchanged");
    assert_eq!(plan["summary"]["destroy"], 0);
    plan
}
