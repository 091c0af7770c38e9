//! The messages of diagnostics, in every format.

use super::*;

#[test]
fn a_forgotten_base_file_is_one_error_per_cause_and_every_format_names_the_shops() {
    let mut yaml = String::from("version: 1\nshops:\n");
    for shop in 0..30 {
        let _ = writeln!(
            yaml,
            "  - {{ shop: s{shop}, use: [orders, stock], bindings: [{{ topic: orders/paid, destination: c }}] }}"
        );
    }
    let loaded = load(&[("shops.yaml", &yaml)]);
    assert_eq!(codes(&loaded), ["HW024", "HW024", "HW023"]);
    let names: Vec<String> = (0..30).map(|shop| format!("s{shop}")).collect();
    let shown = text(&loaded);
    assert!(shown.contains("unknown binding set `orders` (30 shops, such as s0.myshopify.com)"), "{shown}");
    assert!(shown.lines().count() < 60, "{shown}");
    assert!(shown.contains("note: shops: s0, s1, s2") && shown.contains("s28, s29\n"), "{shown}");
    // Several places in one shop are named as well.
    let twice = "version: 1\nshops:\n  - shop: a\n    bindings:\n      - { topic: orders/paid, destination: c }\n      - { topic: orders/create, destination: c }\n";
    let twice = load(&[("shops.yaml", twice)]);
    assert!(codes(&twice) == ["HW023"] && text(&twice).contains("note: also at: shops.yaml:6\n"), "{}", text(&twice));
    let emitted = |emit: fn(&mut dyn std::io::Write, diagnostic::Report<'_>) -> std::io::Result<()>| {
        let mut out = Vec::new();
        emit(&mut out, loaded.report()).expect("write");
        String::from_utf8(out).expect("utf-8")
    };
    let github = emitted(diagnostic::github::write);
    assert_eq!((github.lines().count(), github.matches(&names.join(", ")).count()), (3, 3), "{github}");
    let sarif: Value = serde_json::from_str(&emitted(diagnostic::sarif::write)).expect("json");
    let result = &sarif["runs"][0]["results"][0];
    assert!(result["message"]["text"].as_str().unwrap_or_default().contains(&names.join(", ")), "{result}");
    assert_eq!(result["relatedLocations"].as_array().map(Vec::len), Some(29));
    let json: Value = serde_json::from_str(&emitted(wire::validate::write)).expect("json");
    let first = &json["diagnostics"][0];
    assert_eq!((&first["shops"], first["all_shops"].as_array().map(Vec::len)), (&json!(30), Some(30)));
    assert_eq!((&first["all_shops"][29], &first["related"][28]["line"]), (&json!("s29.myshopify.com"), &json!(32)));
}

#[test]
fn messages_have_the_expected_form() {
    let yaml = format!(
        "version: 1\ndestinations:\n  commerce: {A}\n  other: https://hooks.example.com/shopify\nshops:\n  - shop: https://acme.myshopify.com/admin\n    bindings:\n\t- topic: x\n"
    );
    insta::assert_snapshot!(text(&load(&[("tab.yaml", &yaml)])), @r#"
error[HW003]: tab in the indentation; YAML requires spaces
 --> tab.yaml:8:1
  |
8 |     - topic: x
  | ^^^^
  |
  = help: replace the tab with spaces, two for each level
"#);
    let yaml = format!(
        "version: 1\nauth: {{ access_token: shpat_0123456789abcdef }}\ndestinations:\n  commerce: {A}\n  other: https://hooks.example.com/shopify\nshops:\n  - shop: acme.myshopify.com\n    bindings:\n      - topic: orders/create\n        destination: comerce\n      - {{ topics: [orders/update, orders/paid, orders/paid], destination: commerce }}\n"
    );
    insta::assert_snapshot!(text(&load(&[("shop.yaml", &yaml)])), @r#"
error[HW016]: expected a reference to a secret for `access_token`, found a literal value
 --> shop.yaml:2:23
  |
2 | auth: { access_token: ************************
  |                       ^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: store the secret in an environment variable or a file, and write a reference to it, such as
          access_token: { env: "SHOPIFY_TOKEN_{SHOP}" }
          or `{ file: PATH }`. If this manifest was ever shared, replace the secret at Shopify

error[HW032]: no prefix of `ownership` covers https://hooks.example.com/shopify
 --> shop.yaml:5:10
  |
5 |   other: https://hooks.example.com/shopify
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: Hookwright would create the subscription, and then treat it as unmanaged. If the address is correct, write:
          ownership: { address_prefixes: ["https://dcs.adobedc.net/collection/", "https://hooks.example.com/shopify"] }

error[HW023]: unknown destination `comerce` (acme.myshopify.com)
  --> shop.yaml:10:22
   |
10 |         destination: comerce
   |                      ^^^^^^^
   |
   = help: did you mean `commerce`?

error[HW100]: unknown topic `orders/update` (acme.myshopify.com)
  --> shop.yaml:11:20
   |
11 |       - { topics: [orders/update, orders/paid, orders/paid], destination: commerce }
   |                    ^^^^^^^^^^^^^
   |
   = help: did you mean `orders/updated`?

error[HW030]: duplicate binding: `orders/paid` with the same address, format and filter (acme.myshopify.com)
  --> shop.yaml:11:48
   |
11 |       - { topics: [orders/update, orders/paid, orders/paid], destination: commerce }
   |                                                ^^^^^^^^^^^
   |
  --> shop.yaml:11:35
   |
11 |       - { topics: [orders/update, orders/paid, orders/paid], destination: commerce }
   |                                   ----------- first used here
   |
   = help: remove one of the two. A shop that uses a set can leave a topic out: `{ set: NAME, except: [topic] }`
"#);
}

#[test]
fn the_message_for_a_prefix_with_a_scheme_does_not_ask_for_one() {
    let (_, loaded) = load_file(Path::new("tests/fixtures/manifests/bad/bad-prefixes.yaml"));
    let said: Vec<_> =
        loaded.diagnostics.iter().map(|d| d.message.split(&[',', ':'][..]).next().unwrap_or_default()).collect();
    assert_eq!(
        said,
        [
            "the prefix is empty",
            "the prefix has no scheme",
            "the prefix has only a scheme",
            "the prefix covers nothing"
        ]
    );
}

/// Returns the hint of each diagnostic of a code.
fn hints(loaded: &Loaded, code: Code) -> Vec<&str> {
    loaded.diagnostics.iter().filter(|d| d.code == code).filter_map(|d| d.hint.as_deref()).collect()
}

#[test]
fn an_unowned_address_is_suggested_as_a_prefix_and_a_web_page_is_not() {
    let hint = |address: &str| {
        let yaml = format!(
            "version: 1\nownership: {{ address_prefixes: [\"https://dcs.adobedc.net/collection/aa\"] }}\ndestinations: {{ a: \"{address}\" }}\nshops: [{{ shop: a, bindings: [] }}]\n"
        );
        let loaded = load(&[("x.yaml", &yaml)]);
        hints(&loaded, Code::NotOwned).concat()
    };
    for address in [A, &format!("{A}?x-adobe-flow-id=1"), "https://x.example/a/b?c=d", "pubsub://my-project:orders"] {
        let proposed = format!("address_prefixes: [\"https://dcs.adobedc.net/collection/aa\", \"{address}\"]");
        assert!(hint(address).contains(&proposed), "{}", hint(address));
    }
    for (page, kind) in [
        (
            "https://experience.adobe.com/#/@acme/sname:prod/platform/source/dataflows",
            "https://dcs.adobedc.net/collection/<64",
        ),
        ("https://console.cloud.google.com/cloudpubsub/topic/detail/orders?project=my-project", "pubsub://<project"),
        ("https://eu-west-1.console.aws.amazon.com/events/home", "arn:aws:events:<region>"),
    ] {
        assert!(hint(page).contains(kind) && !hint(page).contains("address_prefixes"), "{}", hint(page));
    }
    assert!(hint("https://notexperience.adobe.com.example/").contains("address_prefixes"));
}

#[test]
fn sarif_and_json_have_the_shape_that_readers_expect() {
    let loaded = load(&[("a b.yaml", "version: 1\nshops: [{ shop: a, bindings: [], x: 1 }]\n")]);
    let mut out = Vec::new();
    diagnostic::sarif::write(&mut out, loaded.report()).expect("write");
    let sarif: Value = serde_json::from_slice(&out).expect("json");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(result["ruleId"], "HW010");
    let rule = usize::try_from(result["ruleIndex"].as_u64().expect("index")).expect("small");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][rule]["id"], "HW010");
    assert_eq!(
        result["locations"][0]["physicalLocation"],
        json!({ "artifactLocation": { "uri": "a%20b.yaml" }, "region": { "startLine": 2, "startColumn": 34 } })
    );

    let document = serde_json::to_value(wire::validate::document(loaded.report())).expect("json");
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = generator.into_root_schema_for::<wire::validate::Validation>().to_value();
    assert!(jsonschema::validator_for(&schema).expect("schema").is_valid(&document));
    assert_eq!(
        document,
        json!({
            "format_version": "1.0", "valid": false, "error_count": 1, "warning_count": 0, "exit_code": 3,
            "diagnostics": [{
                "code": "HW010", "name": "unknown-key", "severity": "error", "message": "unknown key `x` in a shop",
                "file": "a b.yaml", "line": 2, "column": 34,
                "hint": "known keys: `shop`, `labels`, `scopes`, `destinations`, `use`, `bindings`, `auth`, `token_expiry`, `safety`, `lint` and `tolerate`"
            }]
        })
    );
}
