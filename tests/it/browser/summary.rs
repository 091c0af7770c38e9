//! `show --format html`: the summary of the changes, groups of equal rows, changes that a plan leaves out, and shops that left.

use serde_json::json;

use super::driver::Browser;
use super::{fleet, html};
use crate::world::{A, B, World};

fn manifest(address: &str, shops: &[&str]) -> String {
    let shops: String = shops.iter().map(|shop| format!("  - {{ shop: {shop}, use: [s] }}\n")).collect();
    format!(
        "version: 1\nauth: {{ access_token: {{ env: \"TOKEN_{{SHOP}}\" }} }}\ndestinations:\n  commerce: {address}\n\
         binding_sets:\n  s:\n    - {{ topics: [orders/create, orders/paid], destination: commerce }}\nshops:\n{shops}"
    )
}

/// Returns a world in which the manifest moves four shops from A to B. `acme` lost orders/paid, and `zeta` left.
fn world(only: &[&str]) -> World {
    let shops = ["acme", "beta", "delta", "gamma"];
    let live = |topic: &str| format!("      - {{ topic: {topic}, address: \"{A}\" }}\n");
    let seed: String = shops
        .iter()
        .map(|shop| {
            let paid = if *shop == "acme" { String::new() } else { live("orders/paid") };
            let create = live("orders/create");
            format!("  - shop: {shop}\n    scopes: [write_orders]\n    subscriptions:\n{create}{paid}")
        })
        .collect();
    let world = World::new(&manifest(B, &shops), &format!("sandbox: 1\nshops:\n{seed}"));
    world.write("base/hookwright.yaml", &manifest(A, &[&shops[..], &["zeta"]].concat()));
    world.plan(&[&["--base", "base/hookwright.yaml", "--out", "plan.json"], only].concat()).out_has("Plan");
    world
}

#[test]
fn shops_with_equal_rows_are_one_line_that_expands() {
    let Some(browser) = Browser::start() else { return };
    let world = world(&[]);
    let page = fleet::page(&world, "plan.json");
    browser.open_file(&page, "");
    assert_eq!((browser.count(".row"), browser.text(".row.group .shop b")), (3, "3 shops".into()));
    browser.click(".row.group .cell.update");
    assert!(browser.text("#panel").contains("3 shops with equal rows"), "{}", browser.text("#panel"));
    let open = browser.address().split_once('#').unwrap().1.to_owned();
    browser.click(".row.group .shop");
    assert_eq!((browser.count(".row"), browser.count(".shop.inside")), (6, 3));
    assert!(browser.focused().starts_with("3 shops with equal rows: beta, delta, gamma"), "{}", browser.focused());
    browser.press(&["ArrowDown", "Enter"]);
    assert!(browser.text("#panel").contains("beta.myshopify.com"));
    browser.press(&["Escape", "ArrowUp", "Enter"]);
    assert_eq!(browser.count(".row"), 3, "Enter collapses the group");

    browser.open_file(&page, &format!("#{open}"));
    assert_eq!((browser.count(".row"), browser.text("#panel-title")), (3, "orders/create".into()));
    browser.open_file(&page, "#open=gamma.myshopify.com%7Corders%2Fpaid");
    assert_eq!((browser.count(".row"), browser.count(".cell.at")), (6, 1), "the group of the shop is expanded");
    browser.type_into("#f-shop", "gamma");
    assert_eq!((browser.count(".row"), browser.count(".row.group")), (1, 0));
    browser.quiet();
}

#[test]
fn a_line_of_the_summary_filters_the_matrix() {
    let Some(browser) = Browser::start() else { return };
    let world = world(&[]);
    let page = fleet::page(&world, "plan.json");
    browser.open_file(&page, "");
    assert!(browser.text(".changes h2").ends_with("8 changes in 4 shops"), "{}", browser.text(".changes h2"));
    let lines = browser.text(".routes");
    for text in ["(former) → commerce", "orders/create, orders/paid", "7 changes in 4 shops", "create → commerce"] {
        assert!(lines.contains(text), "{text:?} is missing: {lines}");
    }
    browser.click(".route.create .show");
    assert_eq!((browser.count(".row"), browser.count(".topic")), (1, 1));
    assert!(browser.text("#shown").starts_with("Only create → commerce"), "{}", browser.text("#shown"));
    assert_eq!(browser.count(".show[aria-pressed=true]"), 1);
    let hash = browser.address().split_once('#').unwrap().1.to_owned();
    browser.open_file(&page, &format!("#{hash}"));
    assert_eq!(browser.count(".row"), 1, "a link restores the filter");
    browser.click("#clear");
    assert_eq!((browser.count(".row"), browser.count(".show[aria-pressed=true]")), (3, 0));
    browser.quiet();
}

#[test]
fn a_plan_of_one_origin_marks_the_cells_that_it_leaves_out() {
    let Some(browser) = Browser::start() else { return };
    let world = world(&["--only", "manifest"]);
    let page = fleet::page(&world, "plan.json");
    browser.open_file(&page, "");
    assert_eq!(browser.count(".cell.left_out"), 1);
    assert_eq!(browser.count(".cell.create, .route.create"), 0);
    browser.click(".cell.left_out");
    assert!(browser.focused() == "Close" && browser.text("#panel").contains("Left out of this plan."));
    assert!(browser.text("#panel").contains("leaves drift out"), "{}", browser.text("#panel"));
    assert!(browser.text(".facts").contains("only changes of the manifest"));
    browser.quiet();
}

#[test]
fn a_shop_that_left_the_manifest_has_a_row() {
    let Some(browser) = Browser::start() else { return };
    let world = world(&[]);
    let page = fleet::page(&world, "plan.json");
    browser.open_file(&page, "");
    assert_eq!(browser.text(".row.left"), "zeta\nleft the manifest; 2 bindings continue to deliver");
    assert!(browser.text(".points").contains("zeta.myshopify.com"));
    browser.click(".chip.left");
    assert_eq!(browser.count(".row"), 1);
    browser.click(".row.left .shop");
    assert!(browser.text("#panel").contains("2 bindings continue to deliver. To end them"));
    browser.quiet();
}

#[test]
fn the_first_screen_of_a_phone_shows_the_verdict_and_the_changes() {
    let Some(browser) = Browser::start() else { return };
    let world = world(&[]);
    let page = fleet::page(&world, "plan.json");
    browser.size(390, 844);
    browser.open_file(&page, "");
    let inside = "const e = document.documentElement, box = document.querySelector('.route').getBoundingClientRect();
         return e.scrollWidth <= e.clientWidth && box.bottom <= innerHeight";
    assert_eq!(browser.run(inside, &json!([])), json!(true));
    browser.screenshot("summary-narrow");
}

#[test]
fn axe_reports_no_violations_in_groups() {
    let Some(browser) = Browser::start() else { return };
    let Some(axe) = html::axe() else { return };
    let world = world(&["--only", "manifest"]);
    let page = fleet::page(&world, "plan.json");
    for scheme in ["light", "dark"] {
        browser.media("screen", scheme);
        for open in ["", ".row.group .shop", ".row.group .cell", ".row.left .shop", ".decision summary"] {
            browser.open_file(&page, "");
            if !open.is_empty() {
                browser.click(open);
            }
            browser.run(&axe, &json!([]));
            let check = "return (await axe.run()).violations.map((v) => [v.id, v.nodes.map((n) => n.html)])";
            assert_eq!(browser.run(check, &json!([])), json!([]), "{scheme} {open}");
        }
    }
}
