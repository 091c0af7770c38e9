//! What people write who come from other tools, and what to write instead. Pure.

/// Keys of a manifest, after which a missing blank is recognised.
const KEYS: [&str; 24] = [
    "version",
    "admin_api",
    "auth",
    "access_token",
    "env",
    "file",
    "scopes",
    "destinations",
    "binding_sets",
    "ownership",
    "safety",
    "lint",
    "allow",
    "shops",
    "shop",
    "labels",
    "use",
    "bindings",
    "topic",
    "topics",
    "destination",
    "address",
    "filter",
    "name",
];

/// Instead of what belongs to such a credential. Adobe Developer Console's documentation: end of life since 2025-06-30,
/// refused since 2026-03-01 at the latest.
pub(super) const RETIRED: &str = "Adobe has retired Service Account (JWT) credentials: make an OAuth Server-to-Server \
                                  credential in the project at Adobe Developer Console, and write its client_id, \
                                  client_secret and scopes, without `token_url`";

/// What to do about an expression of a template language; `None`: the text has none.
pub(super) fn template(text: &str) -> Option<&'static str> {
    let templates = "nothing expands a manifest: render the template first (`helm template`, Jinja, \
                     `envsubst`), and give Hookwright the result with -f";
    let variables = "a manifest has no variables: write the value itself; a shop may have `destinations` of its own, and a \
                     secret is written { env: NAME }";
    if ["{{", "{%", "<%"].iter().any(|open| text.contains(open)) {
        Some(templates)
    } else if text.contains("${") || text.contains("$(") {
        Some(variables)
    } else {
        None
    }
}

/// A key with its value right behind the colon, as in `shop:acme`: the line to write.
pub(super) fn blank_missing(text: &str) -> Option<String> {
    let (key, value) = text.split_once(':')?;
    let known = KEYS.contains(&key) && !value.is_empty() && !value.starts_with([' ', '/']);
    known.then(|| format!("a blank is missing after the `:`; write `{key}: {value}`"))
}

/// Whether a key takes a secret, or a reference to one.
pub(super) fn takes_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    matches!(key.as_str(), "env" | "file" | "command")
        || ["token", "secret", "password", "key"].iter().any(|word| key.contains(word))
}

/// A mistake in a line: its place in bytes, what it is, and what to write.
pub(super) type Mistake = (usize, &'static str, String);

/// Finds a mistake in a line that the YAML parser could not read.
pub(super) fn in_line(line: &str) -> Option<Mistake> {
    let code = line.split(" #").next().unwrap_or_default();
    if code.trim_start().starts_with('#') {
        return None;
    }
    if let Some(hint) = template(code) {
        let at = ["{{", "{%", "<%", "${", "$("].iter().filter_map(|open| code.find(open)).min()?;
        let what = "this is a template expression, and a manifest is plain YAML";
        return Some((at, what, hint.to_owned()));
    }
    if let Some(at) = dash_without_blank(code) {
        let hint = "write `- ` and then the item, as in `- shop: acme`";
        return Some((at, "a blank is missing after the `-`", hint.to_owned()));
    }
    let start = code.len() - code.trim_start_matches([' ', '-']).len();
    let text = code[start..].trim_end();
    let word = text.bytes().take_while(|c| c.is_ascii_alphanumeric() || *c == b'_').count();
    let (key, rest) = text.split_at(word);
    if word > 0 && rest.trim_start().starts_with('=') {
        let hint = if key.bytes().any(|c| c.is_ascii_lowercase()) {
            format!("write `{key}: …`; YAML has a colon and a blank between key and value")
        } else {
            format!("set the variable {key} in the environment, and name it where a secret is wanted: {{ env: {key} }}")
        };
        return Some((start, "this is `key=value`, and a manifest wants `key: value`", hint));
    }
    let value = rest.strip_prefix(':')?;
    let missing = KEYS.contains(&key) && !value.is_empty() && !value.starts_with([' ', '/']);
    missing.then(|| (start, "a blank is missing after the `:`", format!("write `{key}: ` and then the value")))
}

/// The place of a dash right before the mapping or list that is its item, as in `-shop: acme`.
fn dash_without_blank(code: &str) -> Option<usize> {
    let text = code.trim_start();
    let item = text.strip_prefix('-')?;
    let word = item.bytes().take_while(|c| c.is_ascii_alphanumeric() || *c == b'_').count();
    let rest = item[word..].trim_end();
    let found = if word == 0 { rest.starts_with(['[', '{']) } else { rest == ":" || rest.starts_with(": ") };
    found.then(|| code.len() - text.len())
}

/// What a file is whose whole text is one scalar: what to do instead.
pub(super) fn other_file(text: &str) -> Option<(&'static str, &'static str)> {
    let first = text.trim_start();
    if ["resource \"", "variable \"", "provider \"", "module \"", "terraform {", "locals {"]
        .iter()
        .any(|block| first.starts_with(block))
    {
        return Some((
            "the file is written in Terraform's language, and a manifest is YAML",
            "`hookwright init` writes a first manifest",
        ));
    }
    let name = first.split('=').next().unwrap_or_default().trim_end();
    let name = name.strip_prefix("export ").unwrap_or(name);
    let named = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    (named && first.contains('=')).then_some((
        "the file holds `KEY=value` lines, as a file of environment variables does, and a manifest is YAML",
        "load it into the environment before the run (`set -a; . ./FILE; set +a`), and name its variables in the manifest: \
         { env: NAME }",
    ))
}

/// What to write instead of a key that belongs elsewhere, and the key of this place that it replaces, whose absence is then
/// not reported.
pub(super) fn misplaced(key: &str, place: &[&str]) -> Option<(&'static str, Option<&'static str>)> {
    let plain = key.to_ascii_lowercase().replace(['-', '_'], "");
    let plain = plain.as_str();
    let token = matches!(plain, "token" | "accesstoken" | "apikey" | "apitoken" | "clientid" | "clientsecret");
    if token && place.contains(&"auth") {
        return Some((
            "a token is never in a manifest: write auth: { access_token: { env: \"SHOPIFY_TOKEN_{SHOP}\" } }",
            None,
        ));
    }
    if place.contains(&"token_url") {
        let retired = matches!(
            plain,
            "privatekey"
                | "technicalaccountid"
                | "technicalaccount"
                | "metascopes"
                | "jwt"
                | "jwttoken"
                | "certificate"
        );
        return retired.then_some((RETIRED, None));
    }
    let top = place.contains(&"shops");
    let shop = place.contains(&"use");
    Some(match plain {
        "apiversion" | "shopifyapiversion" if top => (
            "the version of the Admin API is written admin_api: { version: \"2026-10\" }; `version: 1` at the top is the \
             version of the manifest's format",
            Some("version"),
        ),
        "kind" | "metadata" | "spec" | "data" if top => (
            "a manifest is no Kubernetes resource: its keys (`version: 1`, `shops:` …) stand at the top, without `kind`, \
             `metadata` and `spec`",
            None,
        ),
        "webhooks" | "subscriptions" | "bindings" | "topics" | "topic" if top => (
            "bindings belong to a shop, or to a set that shops name: write shops: [{ shop: acme, bindings: [{ topic: \
             orders/create, destination: NAME }] }], or binding_sets: { NAME: [ … ] } and `use: [NAME]` in each shop",
            Some("shops"),
        ),
        "shop" | "store" | "domain" | "shopdomain" if top => {
            ("write `shops:`, and below it `- shop: acme` for each shop", Some("shops"))
        }
        "vars" | "variables" | "variable" | "values" | "locals" | "resource" | "provider" | "env" | "environment"
            if top =>
        {
            (
                "a manifest has no variables: write each value where it is used; `destinations` gives addresses a name, and \
             secrets are references such as { env: NAME }",
                None,
            )
        }
        "tolerate" | "labels" if top => (
            "it belongs to a shop: write it below the shop's `- shop: …`; `--tolerate` and `--label` hold for a run",
            None,
        ),
        "transport" if top => ("write admin_api: { transport: rest }", None),
        "url" | "uri" | "host" | "hostname" | "handle" | "name" | "id" if shop => {
            ("write the shop's domain or handle as `shop: acme`", Some("shop"))
        }
        "topic" | "topics" | "destination" | "address" if shop => (
            "it belongs to a binding of the shop: write bindings: [{ topic: orders/create, destination: NAME }]",
            Some("bindings"),
        ),
        "apiversion" | "adminapi" if shop => {
            ("it is the same for all shops: write admin_api: { version: … } at the top", None)
        }
        _ => return None,
    })
}

/// A text where a list is wanted, such as `read_orders read_customers`: the list to write.
pub(super) fn as_list(text: &str) -> String {
    let items: Vec<&str> = text.split([',', ' ']).filter(|item| !item.is_empty()).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_other_tools_are_recognised_and_lines_of_a_manifest_are_not() {
        for (line, at) in [
            ("  commerce: {{ .Values.address }}", Some(12)),
            ("{% if x %}", Some(0)),
            ("auth: { access_token: ${TOKEN} }", Some(22)),
            ("SHOP=acme", Some(0)),
            ("  version = 1", Some(2)),
            ("  - shop:acme", Some(4)),
            ("version:1", Some(0)),
            ("  -shop: acme", Some(2)),
            ("-{ topic: orders/create }", Some(0)),
            ("  -bindings:", Some(2)),
            ("---", None),
            ("  - -1", None),
            ("  -x", None),
            ("  - shop: acme", None),
            ("  commerce: https://x.example/?a=b", None),
            ("# SHOP=acme ${x}", None),
            ("https://x.example", None),
            ("", None),
            ("é: {", None),
        ] {
            assert_eq!(in_line(line).map(|(at, _, _)| at), at, "{line}");
        }
    }

    #[test]
    fn lists_written_as_texts_are_taken_apart() {
        assert_eq!(as_list("read_orders read_customers"), "[read_orders, read_customers]");
        assert_eq!(as_list("id, email"), "[id, email]");
        assert_eq!(as_list("orders"), "[orders]");
    }
}
