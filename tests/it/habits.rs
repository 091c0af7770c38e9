//! Habits from Helm, Jinja, Terraform, Docker and Shopify's own tools: the remedy names the mistake and the line to
//! write.

use crate::world::{A, World};

const BINDING: &str = "shops:\n  - shop: acme\n    bindings:\n      - { topic: orders/create, destination: a }\n";

fn head() -> String {
    format!("version: 1\nscopes: [write_orders]\ndestinations:\n  a: {A}\n")
}

/// One error at `place`, with `said` in its message or hint.
#[track_caller]
fn told(yaml: &str, place: &str, said: &str) {
    let world = World::new("", "");
    world.write("m.yaml", yaml);
    let run = world.run(&["validate", "-f", "m.yaml"]);
    run.exits(3).out_has(place).out_has(said).out_has("1 error in 1 file");
}

const RENDER: &str = "render the template first (`helm template`, Jinja, `envsubst`)";
const NO_VARIABLES: &str = "write the value itself, because a manifest has no variables";
const BELONG: &str = "write bindings in a shop, `shops: [{ shop: acme";

#[test]
fn templates_and_variables_are_named() {
    let head = head();
    told(&format!("{head}{{{{ .Values.extra }}}}\n{BINDING}"), "m.yaml:5:1", RENDER);
    told(&format!("{}{BINDING}", head.replace(A, "{{ .Values.address }}")), "m.yaml:4:6", RENDER);
    told(&format!("{head}{{{{- if .Values.x }}}}\n{BINDING}{{{{- end }}}}\n"), "m.yaml:5:1", RENDER);
    told(&format!("{head}{{% if x %}}\n{BINDING}{{% endif %}}\n"), "m.yaml:5:1", RENDER);
    told(&format!("{head}{}", BINDING.replace("acme", "\"{{ shop }}\"")), "m.yaml:6:11", RENDER);
    told(&format!("{head}{}", BINDING.replace("acme", "${var.shop}")), "m.yaml:6:11", NO_VARIABLES);
    told(
        &format!("{head}{}", BINDING.replace("topic: orders/create", "topics: \"${x}\"")),
        "m.yaml:8:19",
        NO_VARIABLES,
    );
    told(
        &format!("auth: {{ access_token: ${{TOKEN}} }}\n{head}{BINDING}"),
        "m.yaml:1:23",
        "for a secret, write `{ env: NAME }`",
    );
    told(&format!("vars: {{ a: b }}\n{head}{BINDING}"), "m.yaml:1:1", "a manifest has no variables");
}

#[test]
fn files_and_lines_of_other_tools_are_named() {
    let head = head();
    told("SHOPIFY_TOKEN=abc\nSHOP=acme\n", "m.yaml", "found `KEY=value` lines");
    told("resource \"shopify_webhook\" \"x\" {\n  topic = \"orders/create\"\n}\n", "m.yaml", "Terraform's language");
    told(&format!("{head}SHOP=acme\n{BINDING}"), "m.yaml:5:1", "set the environment variable `SHOP`");
    told(&format!("{}{BINDING}", head.replace("version: 1", "version = 1")), "m.yaml:1:1", "write `version: …`");
    told(&format!("{}{BINDING}", head.replace("version: 1", "version:1")), "m.yaml:1:1", "missing space after the `:`");
    let api = "write the version of the Admin API as `admin_api: { version: \"2026-10\" }`";
    told(&format!("api_version: 2026-10\n{head}{BINDING}"), "m.yaml:1:1", api);
    told(&format!("{}{BINDING}", head.replace("version: 1", "apiVersion: x/v1")), "m.yaml:1:1", api);
    told(
        &format!("{}{BINDING}", head.replace("version: 1", "version: \"2026-10\"")),
        "m.yaml:1:10",
        "write `version: 1`",
    );
    told(&format!("kind: Manifest\n{head}{BINDING}"), "m.yaml:1:1", "not a Kubernetes resource");
}

#[test]
fn sections_and_items_in_another_form_are_named_with_the_line_to_write() {
    let head = head();
    told(&format!("{head}shops:\n  - shop:acme\n"), "m.yaml:6:5", "add the missing space after the `:`: `shop: acme`");
    told(&format!("{head}shops:\n  - shop:acme\n    bindings: []\n"), "m.yaml:6:5", "missing space after the `:`");
    told(
        &format!("{head}shops:\n  acme: {{ bindings: [] }}\n"),
        "m.yaml:6:3",
        "write each shop as an item: `- shop: acme`",
    );
    for section in ["webhooks", "subscriptions", "bindings"] {
        told(&format!("{head}{section}:\n  - topic: orders/create\n"), "m.yaml:5:1", BELONG);
    }
    told(
        &format!("{head}{}", BINDING.replace("shop: acme", "url: acme.myshopify.com")),
        "m.yaml:6:5",
        "as `shop: acme`",
    );
    let binding = |from: &str, to: &str| format!("{head}{}", BINDING.replace(from, to));
    let several = binding("topic: orders/create", "topic: [orders/create, orders/paid]");
    told(&several, "m.yaml:8:18", "write `topics` for several topics: `topics: [orders/create, orders/paid]`");
    let one = binding("topic: orders/create", "topics: \"orders/create, orders/paid\"");
    told(&one, "m.yaml:8:19", "write a list: `[orders/create, orders/paid]`");
    told(
        &binding("{ topic: orders/create, destination: a }", "orders/create"),
        "m.yaml:8:9",
        "{ topic: orders/create, destination: NAME }",
    );
    told(&binding("topic: orders", "format: JSON, topic: orders"), "m.yaml:8:19", "did you mean `json`?");
    told(&binding("acme", "https://admin.shopify.com/store/acme"), "m.yaml:6:11", "write `acme.myshopify.com`");
    let scopes = format!("{}{BINDING}", head.replace("[write_orders]", "read_orders read_customers"));
    told(&scopes, "m.yaml:2:9", "write a list: `[read_orders, read_customers]`");
    told(&format!("access_token: {{ env: X }}\n{head}{BINDING}"), "m.yaml:1:1", "`auth: { access_token: ");
}

#[test]
fn credentials_at_adobe_of_the_retired_kind_are_named() {
    let aep = |lines: &str, scopes: &str| {
        format!(
            "version: 1\naep:\n  org: 0123456789ABCDEF01234567@AdobeOrg\n  client_id: {{ env: A }}\n  client_secret: {{ env: B }}\n  \
             scopes: [{scopes}]\n{lines}shops: [{{ shop: acme, bindings: [] }}]\n"
        )
    };
    let oauth = "Create an OAuth Server-to-Server credential in the project in Adobe Developer Console";
    told(&aep("", "openid, \"https://ims-na1.adobelogin.com/s/ent_dataservices_sdk\""), "m.yaml:6:20", oauth);
    told(&aep("", "ent_dataservices_sdk"), "m.yaml:6:12", "Adobe no longer accepts Service Account (JWT) credentials");
    told(&aep("  token_url: https://ims-na1.adobelogin.com/ims/exchange/jwt\n", "openid"), "m.yaml:7:14", oauth);
    told(&aep("  private_key: { file: key.pem }\n", "openid"), "m.yaml:7:3", oauth);
    told(
        &aep("  technical_account_id: x\n", "openid"),
        "m.yaml:7:3",
        "Adobe no longer accepts Service Account (JWT) credentials",
    );
}

#[test]
fn brackets_are_reported_at_their_position() {
    let head = head();
    let auth = |reference: &str| format!("auth:\n  access_token: {reference}\n{head}{BINDING}");
    let quotes = "put the whole string in quotes, for example `{ env: \"SHOPIFY_TOKEN_{SHOP}\" }`";
    told(&auth("{ env: SHOPIFY_TOKEN_{SHOP} }"), "m.yaml:2:38", quotes);
    told(&auth("{ env: {SHOP}_TOKEN }"), "m.yaml:2:24", quotes);
    told(&auth("{ file: /tok/{shop} }"), "m.yaml:2:30", quotes);
    told(&auth("{ env: \"X\""), "m.yaml:2:17", "write `}` at the end of the mapping");
    let binding = |from: &str, to: &str| format!("{head}{}", BINDING.replace(from, to));
    let open = binding("{ topic: orders/create, destination: a }", "topics: [orders/create\n        destination: a");
    told(&open, "m.yaml:8:17", "this `[` is not closed");
    told(&format!("{}{BINDING}", head.replace("orders]", "orders")), "m.yaml:2:9", "write `]` at the end of the list");
}

#[test]
fn a_missing_space_after_a_dash_and_a_missing_value_before_a_comma_are_named() {
    let head = head();
    let binding = |from: &str, to: &str| format!("{head}{}", BINDING.replace(from, to));
    let dash = "missing space after the `-`";
    told(&binding("- shop", "-shop"), "m.yaml:6:3", dash);
    told(&binding("- {", "-{"), "m.yaml:8:7", dash);
    told(&binding("- { topic: orders/create, ", "-topic: orders/create\n        "), "m.yaml:8:7", dash);
    let comma = "remove the comma, or add a value before it";
    let scopes = |list: &str| format!("{}{BINDING}", head.replace("[write_orders]", list));
    told(&scopes("[write_orders,, read_customers]"), "m.yaml:2:23", comma);
    told(&scopes("[, write_orders]"), "m.yaml:2:10", comma);
    told(&scopes("\n  -write_orders\n  -read_customers"), "m.yaml:3:3", "write each item as `- item`");
}

#[test]
fn a_section_whose_keys_are_not_indented_is_one_error() {
    let head = head();
    let flat = head.replace("  a: ", "a: ");
    told(
        &format!("{flat}{BINDING}"),
        "m.yaml:4:1",
        "`destinations` has no value, because `a` below it is not indented",
    );
    let two = format!("{flat}b: https://dcs.adobedc.net/collection/{}\n{BINDING}", "0".repeat(64));
    told(&two, "m.yaml:4:1", "indent each line that belongs to `destinations` by two more spaces");
    let auth = format!("auth:\naccess_token: {{ env: X }}\n{head}{BINDING}");
    told(&auth, "m.yaml:2:1", "`auth` has no value, because `access_token` below it");
    told(&format!("auth:\n  access_token:\n  env: X\n{head}{BINDING}"), "m.yaml:3:3", "`access_token` has no value");
    let set = "binding_sets:\norders:\n  - { topic: orders/create, destination: a }\nshops: [{ shop: acme, use: [orders] }]\n";
    told(&format!("{head}{set}"), "m.yaml:6:1", "`binding_sets` has no value, because `orders` below it");
    let shop = BINDING.replace("    bindings", "    safety:\n    max_delete_percent: 5\n    bindings");
    told(&format!("{head}{shop}"), "m.yaml:8:5", "`safety` has no value");
}
