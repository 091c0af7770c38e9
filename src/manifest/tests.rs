//! Tests of the manifest from text to desired state, and of its diagnostics.

mod hostile;
mod messages;
mod schema_agreement;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::diagnostic::{self, Code, Severity};
use crate::manifest::{self, Loaded, Manifest, Options, SourceFile, schema};
use crate::wire;

/// Loads a manifest, given the paths and texts of its files.
fn load(files: &[(&str, &str)]) -> Loaded {
    let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), bytes: text.as_bytes().to_vec() };
    manifest::load(files.iter().map(file).collect(), &Options::default())
}

fn text(loaded: &Loaded) -> String {
    let mut out = Vec::new();
    diagnostic::text::write(&mut out, loaded.report(), false).expect("write");
    String::from_utf8(out).expect("utf-8")
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|d| d.code.as_str()).collect()
}

#[track_caller]
fn valid(files: &[(&str, &str)]) -> Manifest {
    let loaded = load(files);
    let shown = text(&loaded);
    loaded.manifest.unwrap_or_else(|| panic!("{shown}"))
}

/// Runs all four emitters, which must not panic.
fn emit_all(loaded: &Loaded) -> String {
    let mut out = Vec::new();
    diagnostic::text::write(&mut out, loaded.report(), true).expect("write");
    wire::validate::write(&mut out, loaded.report()).expect("write");
    diagnostic::sarif::write(&mut out, loaded.report()).expect("write");
    diagnostic::github::write(&mut out, loaded.report()).expect("write");
    String::from_utf8(out).expect("utf-8")
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/fixtures/manifests").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("folder").map(|e| e.expect("entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn load_file(path: &Path) -> (String, Loaded) {
    let text = std::fs::read_to_string(path).expect("file");
    let file = SourceFile { path: path.display().to_string(), bytes: text.clone().into_bytes() };
    let read = |path: &str| std::fs::read(path).map_err(|_| "file not found".to_owned());
    let options = Options { today: Some(jiff::civil::date(2026, 11, 26)), ..Options::default() };
    let loaded = manifest::load_with(vec![file], &options, &read);
    (text, loaded)
}

/// Loads a manifest with one `shopify.app.toml` in the same folder.
fn with_app(yaml: &str, toml: &[u8]) -> Loaded {
    let file = SourceFile { path: "conf/m.yaml".to_owned(), bytes: yaml.as_bytes().to_vec() };
    let read = |path: &str| match path {
        "conf/shopify.app.toml" => Ok(toml.to_vec()),
        _ => Err("file not found".to_owned()),
    };
    manifest::load_with(vec![file], &Options::default(), &read)
}

#[test]
fn each_bad_fixture_is_rejected_with_the_codes_that_it_names() {
    let mut wrong = String::new();
    for path in fixtures("bad") {
        let (text_of_file, loaded) = load_file(&path);
        let expected = text_of_file.lines().next().and_then(|line| line.strip_prefix("# expect: ")).expect("expect");
        let found = codes(&loaded).join(" ");
        if found != expected {
            let _ = writeln!(wrong, "{}: expected {expected}, found {found}\n{}", path.display(), text(&loaded));
        }
        emit_all(&loaded);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_except_those_of_reading_files_has_a_bad_fixture() {
    let all: BTreeSet<&str> = fixtures("bad").iter().flat_map(|path| codes(&load_file(path).1)).collect();
    let elsewhere = [Code::File, Code::Encoding, Code::Budget, Code::RepeatedBlock];
    for code in Code::ALL {
        assert!(all.contains(code.as_str()) || elsewhere.contains(code), "{code} has no fixture");
    }
}

#[test]
fn each_good_fixture_is_valid_without_a_warning() {
    for path in fixtures("good") {
        let (_, loaded) = load_file(&path);
        assert!(loaded.manifest.is_some() && loaded.diagnostics.is_empty(), "{}\n{}", path.display(), text(&loaded));
    }
}

const A: &str = "https://dcs.adobedc.net/collection/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn every_key_has_an_effect_on_the_manifest() {
    let (_, loaded) = load_file(Path::new("tests/fixtures/manifests/good/everything.yaml"));
    let manifest = loaded.manifest.expect("manifest");
    let [shop, empty] = manifest.shops.as_slice() else { panic!("two shops") };
    assert_eq!(shop.shop.as_str(), "connnectors-test.myshopify.com");
    assert_eq!(empty.shop.as_str(), "empty.myshopify.com");
    assert!(empty.desired().expect("resolved").entries.is_empty());
    let bound: Vec<_> = shop
        .desired()
        .expect("resolved")
        .entries
        .iter()
        .map(|e| format!("{} {} {}", e.binding.topic, e.meta.destination.as_deref().unwrap_or("-"), e.meta.source.line))
        .collect();
    assert_eq!(
        bound,
        [
            "orders/create commerce 16",
            "orders/updated commerce 16",
            "products/create bus 19",
            "customers/update loyalty 50"
        ]
    );
    // The shop's own destination takes precedence over the common one.
    assert!(shop.desired().expect("resolved").entries[0].binding.address.as_str().ends_with("00aa"));
    assert!(empty.destinations["commerce"].as_str().ends_with("cdef"));
    let scopes: Vec<_> = shop.scopes().into_iter().flat_map(|s| s.iter().map(ToString::to_string)).collect();
    assert_eq!(scopes, ["customer_write_customers", "read_customers", "read_products", "write_orders"]);
    assert_eq!(manifest.addresses.len(), 4);
    let customers = &shop.desired().expect("resolved").entries[3].binding;
    assert_eq!(customers.filter.as_deref(), Some("email:*@example.com"));
    assert_eq!(customers.metafields.as_deref(), Some(["custom.size".to_owned(), "$app.tier".to_owned()].as_slice()));
    assert_eq!(customers.name.as_deref(), Some("customers-loyalty"));
    let consents = manifest.consents.iter().map(|c| (c.consent.as_str(), c.expires.to_string(), c.source.line));
    let expires = || "2026-12-31".to_owned();
    assert_eq!(
        consents.collect::<Vec<_>>(),
        [("protected_topic:conn*", expires(), 36), ("max_address_change_percent", expires(), 39)]
    );
}

#[test]
fn files_are_merged_and_a_block_may_appear_in_one_file_only() {
    let base = format!("version: 1\nscopes: [write_orders]\ndestinations: {{ c: \"{A}\" }}\n");
    let sets = "version: 1\nbinding_sets:\n  orders: [{ topic: orders/create, destination: c }]\n";
    let prod = "version: 1\nshops:\n  - { shop: b, use: [orders] }\n";
    let more = "version: 1\nshops:\n  - { shop: a, use: [orders] }\n";
    let files = [("base.yaml", base.as_str()), ("sets.yaml", sets), ("prod.yaml", prod), ("more.yaml", more)];
    let manifest = valid(&files);
    assert_eq!(manifest.shops.iter().map(|s| s.shop.handle()).collect::<Vec<_>>(), ["a", "b"]);

    let again = "version: 1\nscopes: []\ndestinations: { c: \"https://dcs.adobedc.net/collection/x\" }\n\
                 binding_sets:\n  orders: []\nshops:\n  - { shop: A, bindings: [] }\n";
    let loaded = load(&[files.as_slice(), &[("again.yaml", again)]].concat());
    let errors: Vec<_> = loaded
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| {
            let first = &d.related[0].place;
            format!("{} {}:{} <- {}:{}", d.code, d.place.file, d.place.line, first.file, first.line)
        })
        .collect();
    assert_eq!(
        errors,
        [
            "HW021 again.yaml:2 <- base.yaml:2",
            "HW022 again.yaml:3 <- base.yaml:3",
            "HW022 again.yaml:5 <- sets.yaml:3",
            "HW022 again.yaml:7 <- more.yaml:3"
        ]
    );
}

#[test]
fn the_digest_depends_on_the_meaning_only() {
    let one = format!(
        "version: 1\nscopes: [write_orders, read_products]\ndestinations: {{ c: \"{A}\" }}\nbinding_sets:\n  s: [{{ topics: [orders/create, orders/updated], destination: c }}]\nshops:\n  - {{ shop: a, labels: {{ x: \"1\", y: \"2\" }}, use: [s] }}\n  - {{ shop: b, bindings: [] }}\n"
    );
    let two = [
        "# other\nversion: 1\nshops:\n  - { bindings: [], shop: B.myshopify.com }\n".to_owned(),
        format!(
            "version: 1\nshops:\n  - shop: a\n    bindings:\n      - {{ destination: c, topic: orders/updated }}\n      - {{ topic: orders/create, format: json, destination: c }}\n    labels: {{ y: \"2\", x: \"1\" }}\nscopes: [read_products, write_orders]\ndestinations: {{ c: \"{A}\" }}\n"
        ),
    ];
    let digest = |files: &[(&str, &str)]| valid(files).digest;
    let first = digest(&[("one.yaml", &one)]);
    assert!(first.starts_with("sha256:") && first.len() == 71);
    assert_eq!(first, digest(&[("x.yaml", &two[0]), ("y.yaml", &two[1])]));
    for (from, to) in [
        ("orders/create", "orders/paid"),
        ("\"1\"", "\"3\""),
        ("read_products", "read_reports"),
        ("shop: b", "shop: c"),
        ("0123456789abcdef\" }", "0123456789abcdee\" }"),
        ("version: 1\n", "version: 1\nsafety: { max_delete_percent: 31 }\n"),
        ("version: 1\n", "version: 1\nownership: { unmanaged: ignore }\n"),
        ("version: 1\n", "version: 1\nadmin_api: { version: \"2026-07\" }\n"),
        ("version: 1\n", "version: 1\nauth: { access_token: { env: X } }\n"),
        ("bindings: []", "bindings: [], tolerate: [locked]"),
    ] {
        assert!(one.contains(from), "{from}");
        assert_ne!(first, digest(&[("one.yaml", &one.replacen(from, to, 1))]), "{from} -> {to}");
    }
}

#[test]
fn a_binding_that_duplicates_an_app_subscription_is_reported_with_both_places() {
    let (_, loaded) = load_file(Path::new("tests/fixtures/manifests/bad/warn-double-delivery.yaml"));
    insta::assert_snapshot!(text(&loaded));
    let silenced = "version: 1\napp_config: shopify.app.toml\nownership: { address_prefixes: [\"https://x.example/\"] }\n\
                    lint: { allow: [HW110] }\nshops: [{ shop: a, bindings: [{ topic: orders/create, address: \"https://x.example/\" }] }]\n";
    let toml = b"[[webhooks.subscriptions]]\ntopics = ['orders/create']\nuri = 'https://X.example'\n";
    assert_eq!(codes(&with_app(silenced, toml)), [""; 0]);
    assert_eq!(codes(&with_app(&silenced.replace("HW110", "HW107"), toml)), ["HW110"]);
}

#[test]
fn an_app_configuration_that_cannot_be_compared_is_a_warning_at_its_line() {
    let yaml = "version: 1\napp_config: [shopify.app.toml]\nshops: [{ shop: a, bindings: [] }]\n";
    let place = |toml: &[u8]| {
        let loaded = with_app(yaml, toml);
        emit_all(&loaded);
        assert!(loaded.manifest.is_some(), "{}", text(&loaded));
        let told = loaded.diagnostics.iter().map(|d| format!("{} {}:{}", d.code, d.place.file, d.place.line));
        let told = told.collect::<Vec<_>>().join(" ");
        let shown = text(&loaded);
        assert!(!["struct", "sequence", "expected"].iter().any(|word| shown.contains(word)), "{shown}");
        told
    };
    for (toml, expected) in [
        (&b""[..], ""),
        (b"webhooks = { api_version = '2026-10', privacy_compliance = {} }\n[other]\nx = 1\n", ""),
        (b"a = 1\n\nb = = 2\n", "HW116 conf/shopify.app.toml:3"),
        (b"a = 1\n[webhooks]\nsubscriptions = 7\n", "HW116 conf/shopify.app.toml:3"),
        (b"\n[[webhooks.subscriptions]]\ntopics = ['orders/create']\n", "HW116 conf/shopify.app.toml:3"),
        (b"[[webhooks.subscriptions]]\ntopics = ['a/b']\nuri = '/hooks'\n", "HW116 conf/shopify.app.toml:3"),
        (b"webhooks = 'x'\n", "HW116 conf/shopify.app.toml:1"),
        (b"[webhooks.subscriptions]\ntopics = ['a/b']\n", "HW116 conf/shopify.app.toml:1"),
        (b"[[webhooks.subscriptions]]\ntopic = 'a/b'\nuri = '/x'\n", "HW116 conf/shopify.app.toml:1"),
        (b"[[webhooks.subscriptions]]\ntopics = 'a/b'\nuri = '/x'\n", "HW116 conf/shopify.app.toml:2"),
        (b"[[webhooks.subscriptions]]\ntopics = ['a/b',\n7]\nuri = '/x'\n", "HW116 conf/shopify.app.toml:3"),
        (b"[[webhooks.subscriptions]]\ntopics = ['a/b']\nuri = 7\n", "HW116 conf/shopify.app.toml:3"),
        (
            b"application_url = ''\n[[webhooks.subscriptions]]\ntopics = ['a/b']\nuri = '/x'\n",
            "HW116 conf/shopify.app.toml:4",
        ),
        (b"[[webhooks.subscriptions]]\ncompliance_topics = ['a/b']\nuri = '/x'\n", ""),
        (b"a = 1\nb = '\xff'\n", "HW116 conf/shopify.app.toml:2"),
    ] {
        assert_eq!(place(toml), expected, "{}", String::from_utf8_lossy(toml));
    }
    let missing = with_app(&yaml.replace("shopify", "none"), b"");
    assert!(
        missing.diagnostics[0]
            .message
            .contains("cannot read conf/none.app.toml, which `app_config` names: file not found")
    );
    assert_eq!((missing.diagnostics[0].place.line, missing.diagnostics.len()), (2, 1));
    // `load` reads no other files.
    assert_eq!(codes(&load(&[("m.yaml", yaml)])), ["HW043"]);
}

#[test]
fn the_digest_covers_the_app_configuration() {
    let yaml = "version: 1\napp_config: shopify.app.toml\nshops: [{ shop: a, bindings: [] }]\n";
    let digest = |toml: &str| with_app(yaml, toml.as_bytes()).manifest.expect("manifest").digest;
    let without = valid(&[("m.yaml", &yaml.replace("app_config: shopify.app.toml\n", ""))]).digest;
    assert_eq!(digest("name = 'x'"), without, "what it declares counts, not that it is named");
    let one = "[[webhooks.subscriptions]]\ntopics = ['a/b', 'a/c']\nuri = 'https://x.example/'\n";
    assert_ne!(digest(one), without);
    assert_eq!(digest(one), digest(&format!("# other\n{}", one.replace("'a/b', 'a/c'", "'a/c', 'a/b'"))));
    assert_ne!(digest(one), digest(&format!("{one}filter = 'id:*'\n")));
    assert_ne!(digest(one), digest(&one.replace("x.example", "y.example")));
    let event = "[[events.subscription]]\ntopic = 'Product'\nactions = ['update']\nuri = 'https://x.example/'\n";
    assert_ne!(digest(event), without);
    assert_eq!(digest(event), digest(&event.replace("'update'", "'update', 'update'")));
    assert_ne!(digest(event), digest(&event.replace("'update'", "'create'")));
}

#[test]
fn a_version_causes_a_warning_from_sixty_days_before_it_leaves_support() {
    let said = |version: &str, today: &str, more: &str| {
        let yaml = format!(
            "version: 1\nadmin_api: {{ version: \"{version}\" }}\n{more}shops: [{{ shop: a, bindings: [] }}]\n"
        );
        let file = SourceFile { path: "m.yaml".to_owned(), bytes: yaml.into_bytes() };
        let today = (!today.is_empty()).then(|| today.parse().expect("date"));
        let loaded = manifest::load(vec![file], &Options { today, ..Options::default() });
        assert!(loaded.manifest.is_some());
        loaded.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect::<Vec<_>>().join("; ")
    };
    for (version, today, expected) in [
        ("2026-04", "2027-01-30", ""),
        ("2026-04", "2027-01-31", "HW118 support for version 2026-04 of the Admin API ends on 2027-04-01, in 60 days"),
        ("2026-04", "2027-03-31", "HW118 support for version 2026-04 of the Admin API ends on 2027-04-01, in 1 day"),
        ("2026-04", "2027-04-01", "HW118 support for version 2026-04 of the Admin API ended on 2027-04-01"),
        ("2026-04", "2028-01-01", "HW118 support for version 2026-04 of the Admin API ended on 2027-04-01"),
        ("2026-04", "", ""),
        ("2027-01", "2026-11-26", ""),
        (
            "2027-04",
            "2026-11-26",
            "HW103 this version of Hookwright was not checked against version 2027-04 of the Admin API",
        ),
        ("unstable", "2099-01-01", ""),
    ] {
        assert_eq!(said(version, today, ""), expected, "{version} on {today}");
    }
    assert_eq!(said("2026-04", "2027-03-31", "lint: { allow: [HW118] }\n"), "");
}

#[test]
fn the_same_warning_for_forty_shops_is_reported_once() {
    let mut yaml = String::from("version: 1\nscopes: [read_products]\nshops:\n");
    for shop in 0..40 {
        let allow = if shop == 7 { "    lint: { allow: [HW104] }\n" } else { "" };
        let _ = writeln!(
            yaml,
            "  - shop: shop-{shop}\n{allow}    bindings: [{{ topics: [orders/create, orders/paid], address: \"{A}\" }}]"
        );
    }
    let loaded = load(&[("fleet.yaml", &yaml)]);
    let found: Vec<_> =
        loaded.diagnostics.iter().map(|d| (d.code, d.shops.as_ref().map(diagnostic::Shops::count))).collect();
    assert_eq!(found, [(Code::ScopeMissing, Some(39)), (Code::ScopeMissing, Some(39))]);
    assert!(loaded.manifest.is_some());
    insta::assert_snapshot!(text(&loaded).split("\n\n").next().unwrap_or_default(), @r#"
warning[HW104]: `scopes` do not allow the topic `orders/create`, which needs `read_orders` or `read_marketplace_orders` (39 shops, such as shop-0.myshopify.com)
 --> fleet.yaml:5:27
  |
5 |     bindings: [{ topics: [orders/create, orders/paid], address: "https://dcs.adobedc.net/collection/0123456789abcdef0123456789abcdef0...
  |                           ^^^^^^^^^^^^^
  |
 --> fleet.yaml:2:1
  |
2 | scopes: [read_products]
  | ------ the scopes that apply here
  |
  = note: shops: shop-0, shop-1, shop-2, shop-3, shop-4, shop-5, shop-6, shop-8, shop-9, shop-10, shop-11,
          shop-12, shop-13, shop-14, shop-15, shop-16, shop-17, shop-18, shop-19, shop-20, shop-21, shop-22,
          shop-23, shop-24, shop-25, shop-26, shop-27, shop-28, shop-29, shop-30, shop-31, shop-32, shop-33,
          shop-34, shop-35, shop-36, shop-37, shop-38, shop-39
  = help: add one of them to `scopes`; a `write_` scope includes its `read_` scope
"#);

    let silenced = yaml.replace("shops:\n", "lint: { allow: [HW104] }\nshops:\n");
    assert_eq!(codes(&load(&[("fleet.yaml", &silenced)])), [""; 0]);
}

#[test]
fn a_misspelt_key_is_one_error_and_its_content_is_used() {
    let yaml = |destinations: &str, sets: &str, topic: &str| {
        format!(
            "version: 1\n{destinations}: {{ c: \"{A}\" }}\n{sets}:\n  orders: [{{ {topic}: orders/create, destination: c }}]\nshops:\n  - {{ shop: a, use: [orders] }}\n  - {{ shop: b, use: [orders] }}\n"
        )
    };
    assert_eq!(codes(&load(&[("x.yaml", &yaml("destinations", "binding_sets", "topic"))])), [""; 0]);
    assert_eq!(codes(&load(&[("x.yaml", &yaml("destination", "sets", "topik"))])), ["HW010", "HW010", "HW010"]);
    // Problems in its content are reported as well.
    let broken = yaml("destination", "binding_set", "topic").replace("orders/create", "order/create");
    assert_eq!(codes(&load(&[("x.yaml", &broken)])), ["HW010", "HW010", "HW100"]);
    // A wrong type of its value is not reported.
    for more in ["shop: acme", "scope: read_orders", "api_version: \"2026-10\"", "safty: 5"] {
        let loaded = load(&[("x.yaml", &format!("version: 1\n{more}\nshops: [{{ shop: a, bindings: [] }}]\n"))]);
        assert_eq!(codes(&loaded), ["HW010"], "{more}");
    }
    // The same misspelling at several places is one error.
    let twice = yaml("destinations", "binding_sets", "topic").replace("use:", "uses:");
    let loaded = load(&[("x.yaml", &twice)]);
    assert_eq!(codes(&loaded), ["HW010"]);
    assert!(
        text(&loaded).contains("x.yaml:6:16") && text(&loaded).contains("note: also at: x.yaml:7\n"),
        "{}",
        text(&loaded)
    );
    // The correctly spelt key takes precedence.
    let both = format!(
        "version: 1\nshops: [{{ shop: a, bindings: [{{ topic: orders/create, topcs: [x], address: \"{A}\" }}] }}]\n"
    );
    assert_eq!(codes(&load(&[("x.yaml", &both)])), ["HW010"]);
}

/// Returns the codes with their severity, such as `error HW100`.
fn told(yaml: &str) -> Vec<String> {
    let loaded = load(&[("x.yaml", yaml)]);
    let told: Vec<_> = loaded.diagnostics.iter().map(|d| format!("{} {}", d.severity.as_str(), d.code)).collect();
    assert_eq!(loaded.manifest.is_none(), told.iter().any(|told| told.starts_with("error")), "{}", text(&loaded));
    told
}

#[test]
fn some_problems_are_errors_in_a_known_version_and_can_be_silenced() {
    let sample = "9d411a24aa3c0a3eded92bac6c64d0da986ee7a8212f87168c5fb42d9ddc3227";
    let yaml = |settings: &str| {
        format!(
            "version: 1\n{settings}destinations:\n  a: https://dcs.adobedc.net/collection/YOUR_ID\n  b: {}\n  c: \
             https://dcs.adobedc.net/collection/{sample}\nshops:\n  - shop: acme\n    bindings:\n      - topics: \
             [order/create, checkouts/paid, attributed_sessions/first]\n        destination: a\n",
            &A[..A.len() - 1]
        )
    };
    let all = ["HW106", "HW106", "HW105", "HW100", "HW101"];
    let expected = |severity: &str, codes: &[&str]| {
        let mut told: Vec<_> = codes.iter().map(|code| format!("{severity} {code}")).collect();
        told.push("warning HW112".to_owned());
        told
    };
    for known in ["", "admin_api: { version: \"2026-10\" }\n", "admin_api: { version: \"2026-04\" }\n"] {
        assert_eq!(told(&yaml(known)), expected("error", &all), "{known}");
    }
    let newer = told(&yaml("admin_api: { version: \"2027-01\" }\n"));
    assert_eq!(newer, expected("warning", &all));
    // `checkouts/paid` is in `unstable`.
    let unstable = told(&yaml("admin_api: { version: unstable }\n"));
    assert_eq!(unstable, expected("warning", &all[..4]));
    for version in ["", "admin_api: { version: unstable }\n"] {
        let allow = "lint: { allow: [HW100, HW101, HW105, HW106] }\n";
        assert_eq!(told(&yaml(&format!("{version}{allow}"))), ["warning HW112"]);
    }
}

#[test]
fn deny_turns_a_warning_into_an_error_unless_it_is_silenced() {
    let yaml =
        format!("version: 1\nshops:\n  - {{ shop: a, bindings: [{{ topic: ORDERS_PAID, address: \"{A}\" }}] }}\n");
    let denied = |yaml: &str| {
        let file = SourceFile { path: "x.yaml".to_owned(), bytes: yaml.as_bytes().to_vec() };
        manifest::load(vec![file], &Options { deny: vec![Code::TopicSpelling], ..Options::default() })
    };
    assert!(load(&[("x.yaml", &yaml)]).manifest.is_some());
    let loaded = denied(&yaml);
    assert!(loaded.manifest.is_none() && loaded.report().exit_code() == 3 && codes(&loaded) == ["HW102"]);
    assert!(denied(&format!("{yaml}lint: {{ allow: [HW102] }}\n")).manifest.is_some());
}

#[test]
fn a_warning_of_a_set_is_reported_unless_every_shop_that_uses_it_silences_it() {
    let yaml = |lint: &str| {
        format!(
            "version: 1\nbinding_sets:\n  s: [{{ topic: orders/update, address: \"{A}\" }}]\nshops:\n  - {{ shop: a, use: [s], lint: {{ allow: [HW100] }} }}\n  - {{ shop: b, use: [s]{lint} }}\n"
        )
    };
    assert_eq!(codes(&load(&[("x.yaml", &yaml(""))])), ["HW100"]);
    assert_eq!(codes(&load(&[("x.yaml", &yaml(", lint: { allow: [HW100] }"))])), [""; 0]);
}

#[test]
fn a_mistake_in_anchored_text_is_reported_once() {
    let yaml = format!(
        "version: 1\nshops:\n  - {{ shop: a, bindings: &b [{{ topic: orders/create, addres: \"{A}\" }}] }}\n  - {{ shop: b, bindings: *b }}\n  - {{ shop: c, bindings: *b }}\n"
    );
    assert_eq!(codes(&load(&[("x.yaml", &yaml)])), ["HW010"]);
}

#[test]
fn a_file_that_cannot_be_parsed_causes_no_errors_in_other_files() {
    let destinations = "version: 1\ndestinations: {\n";
    let shops = "version: 1\nshops:\n  - { shop: a, bindings: [{ topic: orders/create, destination: c }] }\n";
    assert_eq!(codes(&load(&[("d.yaml", destinations), ("s.yaml", shops)])), ["HW003"]);
}
