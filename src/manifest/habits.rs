//! Mistakes that are common among users of other tools, and what to write instead. Pure.

/// Keys of a manifest after which a missing space is recognised.
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

/// The remedy for keys of a Service Account (JWT) credential. Adobe Developer Console's documentation: end of life on
/// 2025-06-30, rejected since 2026-03-01 at the latest.
pub(super) const RETIRED: &str = "Adobe no longer accepts Service Account (JWT) credentials. Create an OAuth \
                                  Server-to-Server credential in the project in Adobe Developer Console, and write its \
                                  `client_id`, `client_secret` and `scopes`, without `token_url`";

/// Returns the remedy for an expression of a template language; `None` if the text contains none.
pub(super) fn template(text: &str) -> Option<&'static str> {
    let templates = "render the template first (`helm template`, Jinja, `envsubst`), and pass the result to \
                     Hookwright with `-f`";
    let variables = "write the value itself, because a manifest has no variables. A shop can have its own `destinations`; for a \
                     secret, write `{ env: NAME }`";
    if ["{{", "{%", "<%"].iter().any(|open| text.contains(open)) {
        Some(templates)
    } else if text.contains("${") || text.contains("$(") {
        Some(variables)
    } else {
        None
    }
}

/// Returns the remedy for a key without a space after the colon, such as `shop:acme`.
pub(super) fn blank_missing(text: &str) -> Option<String> {
    let (key, value) = text.split_once(':')?;
    let known = KEYS.contains(&key) && !value.is_empty() && !value.starts_with([' ', '/']);
    known.then(|| format!("add the missing space after the `:`: `{key}: {value}`"))
}

/// Whether a key takes a secret or a reference to one.
pub(super) fn takes_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    matches!(key.as_str(), "env" | "file" | "command")
        || ["token", "secret", "password", "key"].iter().any(|word| key.contains(word))
}

/// A mistake in a line: its byte offset, the problem and the remedy.
pub(super) type Mistake = (usize, &'static str, String);

/// Finds a mistake in a line that the YAML parser rejected.
pub(super) fn in_line(line: &str) -> Option<Mistake> {
    let code = line.split(" #").next().unwrap_or_default();
    if code.trim_start().starts_with('#') {
        return None;
    }
    if let Some(hint) = template(code) {
        let at = ["{{", "{%", "<%", "${", "$("].iter().filter_map(|open| code.find(open)).min()?;
        let what = "template expression; a manifest must be plain YAML";
        return Some((at, what, hint.to_owned()));
    }
    if let Some(at) = dash_without_blank(code) {
        let hint = "write `- ` before the item, for example `- shop: acme`";
        return Some((at, "missing space after the `-`", hint.to_owned()));
    }
    let start = code.len() - code.trim_start_matches([' ', '-']).len();
    let text = code[start..].trim_end();
    let word = text.bytes().take_while(|c| c.is_ascii_alphanumeric() || *c == b'_').count();
    let (key, rest) = text.split_at(word);
    if word > 0 && rest.trim_start().starts_with('=') {
        let hint = if key.bytes().any(|c| c.is_ascii_lowercase()) {
            format!("write `{key}: …`, with a colon and a space")
        } else {
            format!(
                "set the environment variable `{key}`, and refer to it in the place of a secret: `{{ env: {key} }}`"
            )
        };
        return Some((start, "expected `key: value`, found `key=value`", hint));
    }
    let value = rest.strip_prefix(':')?;
    let missing = KEYS.contains(&key) && !value.is_empty() && !value.starts_with([' ', '/']);
    missing.then(|| (start, "missing space after the `:`", format!("write `{key}: ` before the value")))
}

/// Returns the byte offset of a dash directly before its item, such as in `-shop: acme`.
fn dash_without_blank(code: &str) -> Option<usize> {
    let text = code.trim_start();
    let item = text.strip_prefix('-')?;
    let word = item.bytes().take_while(|c| c.is_ascii_alphanumeric() || *c == b'_').count();
    let rest = item[word..].trim_end();
    let found = if word == 0 { rest.starts_with(['[', '{']) } else { rest == ":" || rest.starts_with(": ") };
    found.then(|| code.len() - text.len())
}

/// Recognises a file of another tool whose whole text is one scalar. Returns the problem and the remedy.
pub(super) fn other_file(text: &str) -> Option<(&'static str, &'static str)> {
    let first = text.trim_start();
    if ["resource \"", "variable \"", "provider \"", "module \"", "terraform {", "locals {"]
        .iter()
        .any(|block| first.starts_with(block))
    {
        return Some((
            "expected a YAML manifest, found Terraform's language",
            "write a first manifest with `hookwright init`",
        ));
    }
    let name = first.split('=').next().unwrap_or_default().trim_end();
    let name = name.strip_prefix("export ").unwrap_or(name);
    let named = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    (named && first.contains('=')).then_some((
        "expected a YAML manifest, found `KEY=value` lines of a file of environment variables",
        "load the file into the environment (`set -a; . ./FILE; set +a`), and refer to its variables in the manifest: \
         `{ env: NAME }`",
    ))
}

/// Returns the remedy for a key in the wrong place, and the key of this place that it replaces, whose absence is
/// then not reported.
pub(super) fn misplaced(key: &str, place: &[&str]) -> Option<(&'static str, Option<&'static str>)> {
    let plain = key.to_ascii_lowercase().replace(['-', '_'], "");
    let plain = plain.as_str();
    let token = matches!(plain, "token" | "accesstoken" | "apikey" | "apitoken" | "clientid" | "clientsecret");
    if token && place.contains(&"auth") {
        return Some((
            "write a reference, because a manifest must not contain a token: `auth: { access_token: { env: \"SHOPIFY_TOKEN_{SHOP}\" } }`",
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
    let shop = place.contains(&"tolerate");
    Some(match plain {
        "apiversion" | "shopifyapiversion" if top => (
            "write the version of the Admin API as `admin_api: { version: \"2026-10\" }`. The top-level `version: 1` is the \
             version of the manifest's format",
            Some("version"),
        ),
        "kind" | "metadata" | "spec" | "data" if top => (
            "write `version: 1`, `shops:` and the other keys at the top level; a manifest is not a Kubernetes resource",
            None,
        ),
        "webhooks" | "subscriptions" | "bindings" | "topics" | "topic" if top => (
            "write bindings in a shop, `shops: [{ shop: acme, bindings: [{ topic: orders/create, destination: NAME }] }]`, \
             or in a set, `binding_sets: { NAME: [ … ] }`, with `use: [NAME]` in each shop",
            Some("shops"),
        ),
        "shop" | "store" | "domain" | "shopdomain" if top => {
            ("write `shops:`, and below it `- shop: acme` for each shop", Some("shops"))
        }
        "vars" | "variables" | "variable" | "values" | "locals" | "resource" | "provider" | "env" | "environment"
            if top =>
        {
            (
                "write each value where it is used, because a manifest has no variables. `destinations` gives names to \
             addresses; for a secret, write `{ env: NAME }`",
                None,
            )
        }
        "tolerate" | "labels" if top => (
            "write it in the entry of a shop, below `- shop: …`. For one run, use the options `--tolerate` and `--label`",
            None,
        ),
        "transport" if top => ("write `admin_api: { transport: rest }`", None),
        "url" | "uri" | "host" | "hostname" | "handle" | "name" | "id" if shop => {
            ("write the shop's domain or handle as `shop: acme`", Some("shop"))
        }
        "topic" | "topics" | "destination" | "address" if shop => (
            "write it in a binding of the shop: `bindings: [{ topic: orders/create, destination: NAME }]`",
            Some("bindings"),
        ),
        "apiversion" | "adminapi" if shop => {
            ("write `admin_api: { version: … }` at the top level; it applies to all shops", None)
        }
        _ => return None,
    })
}

/// Returns the list to write in place of a string such as `read_orders read_customers`.
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
    fn lists_written_as_strings_are_split() {
        assert_eq!(as_list("read_orders read_customers"), "[read_orders, read_customers]");
        assert_eq!(as_list("id, email"), "[id, email]");
        assert_eq!(as_list("orders"), "[orders]");
    }
}
