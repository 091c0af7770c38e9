//! Shops with some of everything: creates, updates, deletes, names that move and swap, subscriptions of others.

use std::fmt::Write as _;

use serde_json::Value;

use super::bench::Store;

pub const A: &str =
    "https://dcs.adobedc.net/collection/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const B: &str =
    "https://dcs.adobedc.net/collection/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub const MANAGED: &str = "https://dcs.adobedc.net/collection/";
pub const FOREIGN: &str = "https://other.example/hook";

/// How the binary talks to the shops. REST knows neither names nor filters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transport {
    GraphQl,
    Rest,
}

/// The transports of the program.
pub const TRANSPORTS: [Transport; 2] = [Transport::GraphQl, Transport::Rest];

impl Transport {
    pub fn word(self) -> &'static str {
        match self {
            Self::GraphQl => "graphql",
            Self::Rest => "rest",
        }
    }

    /// The changes that a plan over one shop as seeded has.
    pub fn changes(self) -> usize {
        match self {
            Self::GraphQl => 13,
            Self::Rest => 8,
        }
    }

    /// The requests of an apply of a saved plan to one shop: a read and two documents, or two reads and the changes.
    pub fn requests(self) -> u64 {
        match self {
            Self::GraphQl => 3,
            Self::Rest => 2 + self.changes() as u64,
        }
    }

    /// The fields of a subscription that the transport shows. Hidden fields cannot be repaired.
    pub fn shown(self, subscription: &Value) -> Value {
        let mut subscription = subscription.clone();
        if !self.knows_names_and_filters() {
            subscription["filter"] = Value::Null;
            subscription["name"] = Value::Null;
        }
        subscription
    }

    fn knows_names_and_filters(self) -> bool {
        self == Self::GraphQl
    }
}

/// (topic, address, more fields); `name` and `filter` only where the transport knows them.
type Line = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const WANTED: &[Line] = &[
    ("orders/create", A, &[]),
    ("orders/updated", A, &[]),
    ("orders/cancelled", A, &[]),
    ("orders/cancelled", B, &[]),
    ("orders/paid", A, &[("name", "feed")]),
    ("products/update", B, &[("include_fields", "[id, title]")]),
    ("products/create", B, &[("filter", "\"id:1\"")]),
    ("customers/create", A, &[("name", "one")]),
    ("customers/update", A, &[("name", "two")]),
];

const LIVE: &[Line] = &[
    ("orders/updated", B, &[]),
    ("orders/updated", A, &[("filter", "\"id:9\""), ("include_fields", "[id]")]),
    ("orders/cancelled", A, &[]),
    ("orders/fulfilled", B, &[("name", "feed")]),
    ("products/update", B, &[]),
    ("products/create", B, &[("filter", "\"id:2\"")]),
    ("products/delete", A, &[]),
    ("customers/create", A, &[("name", "two")]),
    ("customers/update", A, &[("name", "one")]),
    // Unmanaged.
    ("orders/create", FOREIGN, &[("include_fields", "[id]"), ("filter", "\"\"")]),
    ("orders/paid", FOREIGN, &[("metafield_namespaces", "[custom]"), ("name", "theirs")]),
    ("products/delete", "https://dcs.adobedc.net/elsewhere", &[("format", "xml")]),
];

fn lines(lines: &[Line], transport: Transport, destination: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for (topic, address, more) in lines {
        let known = |key: &str| transport.knows_names_and_filters() || !matches!(key, "name" | "filter");
        let more: String = more.iter().filter(|(k, _)| known(k)).map(|(k, v)| format!(", {k}: {v}")).collect();
        writeln!(text, "      - {{ topic: {topic}, {}{more} }}", destination(address)).unwrap();
    }
    text
}

/// The head of a manifest that lets everything through.
pub fn head(transport: Transport, version: &str) -> String {
    format!(
        "version: 1\nadmin_api: {{ version: \"{version}\", transport: {} }}\n\
         auth: {{ access_token: {{ env: FAULT_TOKEN }} }}\n\
         safety: {{ max_delete_percent: 100, max_total_delete_percent: 100, max_address_change_percent: 100, max_destination_loss_percent: 100 }}\n",
        transport.word()
    )
}

pub fn manifest(transport: Transport, shops: usize) -> String {
    let mut text = head(transport, "2026-10") + &format!("destinations:\n  a: {A}\n  b: {B}\nshops:\n");
    let bindings = lines(WANTED, transport, |address| format!("destination: {}", if address == A { "a" } else { "b" }));
    for n in 1..=shops {
        write!(text, "  - shop: s{n}\n    bindings:\n{bindings}").unwrap();
    }
    text
}

pub fn seed(transport: Transport, shops: usize) -> String {
    let live = lines(LIVE, transport, |address| format!("address: \"{address}\""));
    let mut text = "sandbox: 1\ndefaults: { scopes: [write_orders, read_customers, read_products], \
                    bucket: { max: 100000, restore: 100000 } }\nshops:\n"
        .to_owned();
    for n in 1..=shops {
        write!(text, "  - shop: s{n}\n    subscriptions:\n{live}").unwrap();
    }
    text
}

/// The compared fields of a subscription, as one text.
pub fn line(subscription: &Value) -> String {
    let text = |key: &str| subscription[key].as_str().unwrap_or_default();
    let mut fields: Vec<&str> =
        subscription["include_fields"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    fields.sort_unstable();
    format!(
        "{} {} {} filter={} fields={} name={}",
        text("topic"),
        text("uri"),
        text("format"),
        text("filter"),
        fields.join(","),
        text("name")
    )
}

/// What `line` says of each wanted subscription of a shop.
pub fn wanted(transport: Transport) -> Vec<String> {
    let of = |more: &[(&str, &str)], key: &str| -> String {
        let known = transport.knows_names_and_filters() || !matches!(key, "name" | "filter");
        let value = more.iter().find(|(k, _)| *k == key && known).map_or("", |(_, v)| v);
        value.trim_matches(['"', '[', ']']).replace(", ", ",")
    };
    let line = |(topic, address, more): &Line| {
        let topic = topic.to_uppercase().replace('/', "_");
        let (filter, fields, name) = (of(more, "filter"), of(more, "include_fields"), of(more, "name"));
        format!("{topic} {address} json filter={filter} fields={fields} name={name}")
    };
    let mut all: Vec<String> = WANTED.iter().map(line).collect();
    all.sort();
    all
}

/// The differences between the wanted and the live subscriptions of all shops: (missing, superfluous), with a description.
pub fn compare(transport: Transport, store: &Store, shops: usize, said: &mut Vec<String>) -> (usize, usize) {
    let (mut lost, mut doubled) = (0, 0);
    assert_eq!(store.len(), shops);
    for (shop, subscriptions) in store {
        let managed = subscriptions.values().filter(|s| s["uri"].as_str().unwrap().starts_with(MANAGED));
        let mut there: Vec<String> = managed.map(|s| line(&transport.shown(s))).collect();
        for wanted in wanted(transport) {
            match there.iter().position(|line| *line == wanted) {
                Some(at) => drop(there.swap_remove(at)),
                None => {
                    lost += 1;
                    said.push(format!("{shop} lacks {wanted}"));
                }
            }
        }
        doubled += there.len();
        said.extend(there.into_iter().map(|line| format!("{shop} has too many: {line}")));
    }
    (lost, doubled)
}
