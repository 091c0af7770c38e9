//! Input that is hostile or contains a secret: it is rejected quickly, with a clear message, and secrets are never
//! printed.

use super::*;

#[test]
fn a_thousand_uses_of_one_anchor_are_allowed() {
    let mut yaml = format!(
        "version: 1\nshops:\n  - {{ shop: s, labels: &l {{ env: prod }}, bindings: [{{ topic: orders/create, address: \"{A}\" }}] }}\n"
    );
    for shop in 0..1000 {
        let _ = writeln!(yaml, "  - {{ shop: s{shop}, labels: *l, bindings: [] }}");
    }
    assert_eq!(valid(&[("x.yaml", &yaml)]).shops.len(), 1001);
}

#[test]
fn hostile_text_is_rejected_quickly_with_a_clear_message() {
    let deep = "[".repeat(10_000_000);
    let dashes = "- ".repeat(500_000);
    let mut bomb = String::from("version: 1\na: &a [x, x, x, x, x, x, x, x, x]\n");
    for (from, to) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        let _ = writeln!(
            bomb,
            "{to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}]"
        );
    }
    for yaml in [deep, dashes, bomb, "version: 1\nshops: &a [*a]\n".to_owned(), "{a: ".repeat(100_000)] {
        let loaded = load(&[("x.yaml", &yaml)]);
        assert_eq!(codes(&loaded), ["HW004"], "{}", text(&loaded));
        emit_all(&loaded);
    }
    for (bytes, code) in
        [(b"version: \xff".to_vec(), "HW002"), (b"\xff\xfev\0".to_vec(), "HW002"), (Vec::new(), "HW005")]
    {
        let loaded = manifest::load(vec![SourceFile { path: "x.yaml".into(), bytes }], &Options::default());
        assert_eq!(codes(&loaded), [code]);
        emit_all(&loaded);
    }
    valid(&[("bom.yaml", "\u{feff}version: 1\r\nshops:\r\n  - shop: a\r\n    bindings: []\r\n")]);
}

#[test]
fn no_format_prints_a_secret() {
    let secrets = ["shpat_0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", "hunter2-hunter2"];
    let wraps = [
        "auth: { access_token: SECRET }",
        "auth: { access_token: \"SECRET\" }",
        "auth:\n  access_token: |\n    SECRET\n",
        "auth:\n  access_token:\n    SECRET\n",
        "auth: { access_token: [SECRET] }",
        "auth: { access_token: { value: SECRET } }",
        "auth: { access_token: { env: $SECRET } }",
        "auth: { access_token: { env: \"SECRET!\" } }",
        "auth: SECRET",
        "auth: { token: SECRET }",
        "auth: { client_credentials: { client_id: { env: ID }, client_secret: SECRET } }",
        "access_token: SECRET",
        "auth: { access_token: SECRET",
        "auth:\n  access_token: SECRET\n bad",
        "auth: &a { access_token: SECRET }\nx: *a",
    ];
    for wrap in wraps {
        for secret in secrets {
            let yaml =
                format!("version: 1\n{}\nshops: [{{ shop: a, bindings: [] }}]\n", wrap.replace("SECRET", secret));
            let loaded = load(&[("x.yaml", &yaml)]);
            let shown = emit_all(&loaded) + &format!("{:?}", loaded.diagnostics);
            assert!(!loaded.diagnostics.is_empty() && loaded.manifest.is_none(), "{yaml}");
            assert!(!shown.contains(secret), "{yaml}\n{}", text(&loaded));
        }
    }
    // Tokens are recognised by their prefix at any place.
    for wrap in ["scopes: [SECRET]", "shops: [SECRET]", "SECRET: x", "destinations: { c: SECRET }", "x: [ SECRET"] {
        let yaml = format!("version: 1\n{}\n", wrap.replace("SECRET", secrets[0]));
        assert!(!emit_all(&load(&[("x.yaml", &yaml)])).contains(secrets[0]), "{yaml}");
    }
}

#[test]
fn no_format_prints_a_private_key() {
    const BODY: &str = "MIIG/QIBADANBgkqhkiG9w0BAQEFAASCBucwggbj";
    let pem = |indent: &str| format!("-----BEGIN PRIVATE KEY-----\n{indent}{BODY}\n{indent}-----END PRIVATE KEY-----");
    let form = "auth:\n  client_assertion:\n    client_id: { env: ID }\n    ";
    for (head, tail) in [
        ("private_key: |\n      ", "\n    key_id: k"),
        ("privat_key: |\n      ", "\n    key_id: k"),
        ("pem: |\n      ", "\n    key_id: k"),
        ("private_key: { file: k }\n    key_id: |\n      ", ""),
        ("private_key: { file: k }\n    key_id: k\n    audience: |\n      ", ""),
        ("private_key: { file: k }\n    key_id: k\n    lifetime: |\n      ", ""),
        ("private_key: { file: \"", "\" }\n    key_id: k"),
        ("private_key: { env: \"", "\" }\n    key_id: k"),
        ("private_key: { value: \"", "\" }\n    key_id: k"),
        ("private_key: [\"", "\"]\n    key_id: k"),
        ("private_key: |\n      ", "\n    key_id: k\n  bad: [\n"),
    ] {
        let yaml = format!("version: 1\n{form}{head}{}{tail}\nshops: [{{ shop: a, bindings: [] }}]\n", pem("      "));
        never_shown(&yaml, BODY);
    }
    // Pasted without `|`, so that YAML reads it as other values.
    for indent in ["", "    ", "      "] {
        for head in ["private_key: ", "private_key:\n", "pem: ", "private_key: |\n", "key_id: k, private_key: "] {
            never_shown(&format!("version: 1\n{form}{head}{indent}{}\n    key_id: k\n", pem(indent)), BODY);
        }
        never_shown(&format!("version: 1\nauth: {}\n", pem(indent)), BODY);
        never_shown(&format!("{indent}{}\n", pem(indent)), BODY);
    }
}

#[track_caller]
fn never_shown(yaml: &str, secret: &str) {
    let loaded = load(&[("x.yaml", yaml)]);
    let shown = emit_all(&loaded) + &format!("{:?}", loaded.diagnostics);
    assert!(!loaded.diagnostics.is_empty() && loaded.manifest.is_none(), "{yaml}");
    assert!(!shown.contains(secret), "{yaml}\n{}", text(&loaded));
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let yaml = "version: 1\n\"\\e[31m\\u202e\": x\nshops:\n  - { shop: \"a\\e]0;x\\a\", bindings: [] }\n# \u{202e}\n";
    let mut out = Vec::new();
    let loaded = load(&[("x.yaml", yaml)]);
    diagnostic::text::write(&mut out, loaded.report(), false).expect("write");
    diagnostic::github::write(&mut out, loaded.report()).expect("write");
    let shown = String::from_utf8(out).expect("utf-8");
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
}
