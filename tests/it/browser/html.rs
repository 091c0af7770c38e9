//! `show --format html`: filters, the panel, the keyboard, print, and hostile text.

use std::path::Path;

use serde_json::{Value, json};

use super::driver::{Browser, missing};
use super::fleet::{self, HOSTILE};

#[test]
fn filters_narrow_the_matrix_and_a_link_restores_them() {
    let Some(browser) = Browser::start() else { return };
    let world = fleet::world();
    let page = fleet::page(&world, "plan.json");
    browser.open_file(&page, "");
    assert_eq!(browser.text("h1"), "Plan incomplete: 3 to add, 3 to change, 4 to destroy; 1 blocked, 1 shop not read.");
    assert!(browser.text(".target").starts_with("Target: sandbox ("));
    assert_eq!((browser.count(".topic"), browser.count(".row")), (12, 5));

    browser.type_into("#f-topic", "orders/");
    assert_eq!(
        (browser.count(".topic"), browser.count(".row")),
        (3, 5),
        "three topics, and the shop that was not read"
    );
    browser.click(".chip.update");
    assert_eq!((browser.count(".topic"), browser.count(".row")), (2, 1), "willow, orders/create and orders/updated");
    assert!(browser.text("#shown").starts_with("1 of 5 shops, 2 of 12 topics."));
    browser.click(".cell.update");
    let address = browser.address();
    let hash = address.split_once('#').unwrap().1.to_owned();
    assert_eq!(hash, "topic=orders%2F&state=update&open=willow.myshopify.com%7Corders%2Fcreate");

    browser.open_file(&page, &format!("#{hash}"));
    assert_eq!((browser.count(".topic"), browser.count(".row")), (2, 1));
    assert_eq!(browser.text("#panel-title"), "orders/create");
    browser.click("#clear");
    assert_eq!((browser.count(".topic"), browser.count(".row")), (12, 5));

    browser.type_into("#f-to", "loyalty");
    assert_eq!(browser.count(".row"), 2, "oak and willow use loyalty");
    browser.click("#clear");
    browser.run("document.querySelector('#f-label').value = 'env=stage'", &json!([]));
    browser.run("document.querySelector('#f-label').dispatchEvent(new Event('input', { bubbles: true }))", &json!([]));
    assert_eq!(browser.count(".row"), 2, "cedar and willow");
    browser.type_into("#f-shop", "nobody");
    assert_eq!(browser.text("#shown"), "No shop matches these filters.");
    assert_eq!(browser.count("#grid"), 0);
    browser.quiet();
}

#[test]
fn a_click_shows_a_change_before_and_after_with_its_place() {
    let Some(browser) = Browser::start() else { return };
    let world = fleet::world();
    browser.open_file(&fleet::page(&world, "plan.json"), "#open=oak.myshopify.com%7Ccustomers%2Fupdate");
    let panel = browser.text("#panel");
    for text in
        ["update in-place → loyalty", "drift", "hookwright.yaml:20", "Before", "After", "− phone", "+ updated_at"]
    {
        assert!(panel.contains(text), "{text:?} is missing: {panel}");
    }
    browser.click(".close");
    assert_eq!(browser.count("#panel"), 0);

    browser.click(".cell.blocked");
    assert!(browser.text("#panel").contains("the scope `read_products` is not granted"));
    browser.click(".cell.whole");
    assert!(browser.text("#panel").contains("the shop does not exist"));
    browser.click(".row[data-place='3'] .shop");
    let panel = browser.text("#panel");
    assert!(panel.contains("create products/delete → commerce") && panel.contains("destroy carts/update"), "{panel}");
    browser.quiet();
}

#[test]
fn the_keyboard_reaches_every_cell() {
    let Some(browser) = Browser::start() else { return };
    let world = fleet::world();
    browser.open_file(&fleet::page(&world, "plan.json"), "");
    assert_eq!(browser.count("#grid [tabindex='0']"), 1, "one cell is in the tab order");
    browser.run("document.querySelector('#grid [tabindex=\"0\"]').focus()", &json!([]));
    assert_eq!(browser.focused(), "birch, with changes");
    browser.press(&["ArrowRight"]);
    assert_eq!(browser.focused(), "app/uninstalled: unmanaged: https://other.example/hook");
    browser.press(&["ArrowDown", "ArrowDown"]);
    assert_eq!(browser.focused(), "not read: not_found", "gone is one cell");
    browser.press(&["ArrowDown", "ArrowRight"]);
    assert_eq!(browser.focused(), "carts/update: to be destroyed (drift): commerce", "and the column is kept");
    browser.press(&["End"]);
    assert!(browser.focused().starts_with("themes/publish: unmanaged"));
    browser.press(&["Home", "ArrowLeft", "PageDown"]);
    assert_eq!(browser.focused(), "willow, with changes");
    browser.press(&["ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Enter"]);
    assert_eq!((browser.text("#panel-title"), browser.focused()), ("fulfillments/create".into(), "Close".into()));
    browser.press(&["Escape"]);
    assert_eq!(browser.count("#panel"), 0);
    assert!(browser.focused().starts_with("fulfillments/create: to be destroyed"), "the focus came back");
    assert_eq!(browser.count("#grid [tabindex='0']"), 1);
    browser.quiet();
}

#[test]
fn pictures() {
    let Some(browser) = Browser::start() else { return };
    let world = fleet::world();
    let page = fleet::page(&world, "plan.json");
    let open = "#open=willow.myshopify.com%7Corders%2Fcreate";
    for scheme in ["light", "dark"] {
        browser.media("screen", scheme);
        browser.size(1440, 1000);
        browser.open_file(&page, "");
        browser.screenshot(&format!("plan-{scheme}"));
        browser.open_file(&page, open);
        browser.screenshot(&format!("plan-{scheme}-open"));
        browser.size(390, 844);
        browser.screenshot(&format!("plan-{scheme}-narrow-open"));
        browser.open_file(&page, "");
        let inside =
            browser.run("const e = document.documentElement; return e.scrollWidth <= e.clientWidth", &json!([]));
        assert_eq!(inside, json!(true), "a narrow screen does not scroll horizontally");
        browser.screenshot(&format!("plan-{scheme}-narrow"));
        browser.run("document.querySelector('#states').scrollIntoView()", &json!([]));
        browser.screenshot(&format!("plan-{scheme}-narrow-matrix"));
    }
    browser.media("print", "light");
    browser.size(794, 1123);
    assert_eq!(browser.count("#matrix, #filters, .remark"), 0, "no controls in print");
    assert_eq!(browser.count("h1, .hazards, .body .text"), 3);
    browser.screenshot("plan-print");

    let report = world.run(&[
        "apply",
        "--sandbox",
        "plan.json",
        "--allow",
        "max_delete_percent:willow",
        "--report",
        "report.json",
    ]);
    assert!(world.path("report.json").exists(), "{report}");
    browser.media("screen", "light");
    browser.size(1440, 1000);
    browser.open_file(&fleet::page(&world, "report.json"), "");
    assert!(browser.text("h1").starts_with("Apply incomplete! Resources: 3 added, 3 changed, 4 destroyed"));
    assert_eq!(browser.count(".cell.applied"), 10);
    browser.screenshot("report");
    browser.click(".cell.did-update");
    assert!(browser.text("#panel").contains("✓ applied"));
    browser.quiet();
}

/// axe-core, the accessibility checker in the developer tools of browsers, reports no violations.
#[test]
fn axe_reports_no_violations() {
    let Some(browser) = Browser::start() else { return };
    let Some(axe) = axe() else { return };
    let world = fleet::world();
    let page = fleet::page(&world, "plan.json");
    for scheme in ["light", "dark"] {
        browser.media("screen", scheme);
        for hash in ["", "#state=bound", "#open=oak.myshopify.com", "#open=willow.myshopify.com%7Corders%2Fcreate"] {
            browser.open_file(&page, hash);
            browser.run(&axe, &json!([]));
            let check = "return (await axe.run()).violations.map((v) => [v.id, v.nodes.map((n) => n.html)])";
            assert_eq!(browser.run(check, &json!([])), json!([]), "{scheme} {hash}");
        }
    }
}

/// Returns the script of axe-core, which .ci/run installs. Without it the test is skipped.
pub fn axe() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/npm/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&path).ok();
    if axe.is_none() {
        missing(&format!("{} (npm install --prefix target/npm axe-core)", path.display()));
    }
    axe
}

#[test]
fn without_javascript_the_page_shows_the_text() {
    let Some(browser) = Browser::start() else { return };
    let world = fleet::world();
    let page = fleet::page(&world, "plan.json");
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open_file(&page, "");
    assert!(browser.text("h1").starts_with("Plan incomplete: "));
    assert!(browser.text("noscript").contains("requires JavaScript"));
    assert!(browser.text(".body").contains("Drift that will be repaired:"));
    assert_eq!(browser.count("#matrix"), 0);
    browser.screenshot("plan-without-javascript");
    browser.quiet();
}

#[test]
fn hostile_text_stays_text() {
    let Some(browser) = Browser::start() else { return };
    let world = fleet::world();
    let nothing_happened = || {
        let made = "return [document.images.length, document.scripts.length, document.title.includes('owned')]";
        assert_eq!(browser.run(made, &json!([])), json!([0, 2, false]));
        browser.quiet();
    };
    // A label and a live address of the plan are hostile.
    browser.open_file(&fleet::page(&world, "plan.json"), "#open=oak.myshopify.com%7Cthemes%2Fpublish");
    assert!(browser.text("#panel").contains(HOSTILE) && browser.text(".body").contains(HOSTILE));
    assert!(browser.text("#f-label").contains(HOSTILE));
    nothing_happened();

    // In a report, every string except keywords is hostile.
    world.run(&["apply", "--sandbox", "plan.json", "--allow", "max_delete_percent:*", "--report", "report.json"]);
    let mut report: Value = serde_json::from_str(&world.read("report.json")).unwrap();
    poison(&mut report);
    world.write("hostile.json", &report.to_string());
    let page = fleet::page(&world, "hostile.json");
    browser.open_file(&page, "");
    nothing_happened();
    for css in [".shop", ".cell.applied", ".cell.blocked"] {
        browser.click(css);
        assert!(browser.text("#panel").contains(HOSTILE));
        nothing_happened();
    }
}

/// Makes every string hostile, except keywords.
fn poison(value: &mut Value) {
    match value {
        Value::String(text) => HOSTILE.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(poison),
        Value::Object(map) => {
            let words =
                ["format_version", "report", "status", "action", "result", "confirmed_by", "severity", "origin"];
            map.iter_mut().filter(|(key, _)| !words.contains(&key.as_str())).for_each(|(_, value)| poison(value));
        }
        _ => {}
    }
}
