//! A small fleet whose plan contains each kind of change and finding.

use crate::world::{A, B, FOREIGN, World};

/// A text that would run a script if it became markup.
pub const HOSTILE: &str = "</script><img src=x onerror=\"document.title='owned';alert(1)\"><!--<script>";

/// The manifest of the base. `A` and `B` are replaced by addresses, `HOSTILE` by hostile text.
const BASE: &str = r#"version: 1
auth: { access_token: { env: "TOKEN_{SHOP}" } }
scopes: [write_orders, read_customers, read_products]
destinations:
  commerce: A
  loyalty: B
binding_sets:
  usual:
    - topics: [orders/create, orders/updated, orders/cancelled, customers/update, products/update]
      destination: commerce
shops:
  - { shop: birch, labels: { env: prod, region: emea, note: 'HOSTILE' }, use: [usual] }
  - { shop: cedar, labels: { env: stage }, use: [usual] }
  - { shop: gone, labels: { env: prod }, use: [usual] }
  - { shop: willow, labels: { env: stage }, use: [usual] }
  - shop: oak
    labels: { env: prod }
    use: [usual]
    bindings:
      - topic: customers/update
        destination: loyalty
        include_fields: [id, email, updated_at]
        filter: "email:*@example.com"
        name: loyal
"#;

/// The bindings that the pull request adds to oak.
const BROUGHT: &str = "      - { topic: refunds/create, destination: loyalty }
      - { topic: products/delete, destination: commerce }
";

const SEED: &str = "sandbox: 1
shops:
  - { shop: gone, status: not_found }
  - shop: birch
    scopes: [write_orders, read_customers, read_products]
    subscriptions:
      - { topic: orders/create, address: A }
      - { topic: orders/cancelled, address: A }
      - { topic: customers/update, address: A }
      - { topic: products/update, address: A }
      - { topic: app/uninstalled, address: FOREIGN }
  - shop: cedar
    scopes: [write_orders, read_customers]
    subscriptions:
      - { topic: orders/create, address: A }
      - { topic: orders/updated, address: A }
      - { topic: orders/cancelled, address: A }
      - { topic: customers/update, address: A }
  - shop: oak
    scopes: [write_orders, read_customers, read_products]
    subscriptions:
      - { topic: orders/create, address: A }
      - { topic: orders/updated, address: A }
      - { topic: orders/cancelled, address: A }
      - { topic: customers/update, address: A }
      - { topic: products/update, address: A }
      - { topic: carts/update, address: A }
      - { topic: themes/publish, address: 'https://evil.example/HOSTILE' }
      - topic: customers/update
        address: B
        include_fields: [id, phone]
        filter: 'email:*@example.com'
        name: loyal
  - shop: willow
    scopes: [write_orders, read_customers, read_products]
    subscriptions:
      - { topic: orders/create, address: B }
      - { topic: orders/updated, address: B }
      - { topic: orders/cancelled, address: A }
      - { topic: customers/update, address: A }
      - { topic: products/update, address: A }
      - { topic: fulfillments/create, address: A }
      - { topic: fulfillments/update, address: A }
      - { topic: refunds/create, address: A }
";

/// Returns the world with a plan in `plan.json`, compared with the base of the pull request.
pub fn world() -> World {
    // Only complete values are replaced, because single letters occur in words.
    let fill = |text: &str| {
        text.replace("HOSTILE", &HOSTILE.replace('\'', "''"))
            .replace("FOREIGN", FOREIGN)
            .replace(": A\n", &format!(": {A}\n"))
            .replace(": B\n", &format!(": {B}\n"))
            .replace(": A }", &format!(": \"{A}\" }}"))
            .replace(": B }", &format!(": \"{B}\" }}"))
    };
    let world = World::new(&fill(&format!("{BASE}{BROUGHT}")), &fill(SEED));
    world.write("base/base.yaml", &fill(BASE));
    let plan = world.plan(&["--base", "base/base.yaml", "--out", "plan.json"]);
    assert!(world.path("plan.json").exists(), "{plan}");
    world
}

/// Writes the HTML of `show` for a file beside it, and returns its path.
pub fn page(world: &World, file: &str) -> std::path::PathBuf {
    let page = world.run(&["show", file, "--format", "html"]);
    page.exits(0);
    let name = format!("{file}.html");
    world.write(&name, &page.out);
    world.path(&name)
}
