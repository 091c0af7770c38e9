//! `auth login` in a browser: the consent page and the result page.

use super::driver::Browser;
use crate::scene::{CLIENT_ID, Login, SHOPS, STORE, Scene};
use crate::world::Run;

fn start(scene: &Scene) -> Login {
    let args = ["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser"];
    Login::start(&mut scene.command(&args))
}

#[test]
fn a_click_on_the_button_connects_the_shop_and_a_plan_works_with_the_token() {
    let Some(browser) = Browser::start() else { return };
    let scene = Scene::new(STORE, "", SHOPS);
    scene.run(&["plan", "--shop", "acme"]).exits(4).out_has("login_required");
    let login = start(&scene);
    browser.open(&login.url);
    browser.headed("Install Sandbox app on acme.myshopify.com?");
    let asked = browser.text("main");
    assert!(asked.contains("read_customers new") && asked.contains("write_orders"), "{asked}");
    browser.screenshot("login-asked");
    browser.click("#install");
    browser.headed("The shop is connected");
    assert_eq!(browser.text("#granted"), "read_customers\nwrite_orders");
    assert_eq!(browser.count("#missing"), 0);
    browser.screenshot("login-connected");
    browser.quiet();
    login.end().exits(0).out_has("acme.myshopify.com is connected.");
    let status = scene.run(&["auth", "status", "--shop", "acme"]);
    status.exits(0).out_has("granted: read_customers, read_orders, write_orders").out_has("1 ready");
    scene.run(&["plan", "--shop", "acme"]).exits(0).ends("Plan: 2 to add, 0 to change, 0 to destroy.");
}

#[test]
fn the_merchant_sees_why_a_login_failed_and_can_decline() {
    let Some(browser) = Browser::start() else { return };
    let scene = Scene::new(STORE, "", SHOPS);
    let login = start(&scene);
    browser.open(&login.url);
    // With the keyboard: the button is first in the tab order, Cancel is second.
    browser.press(&["Tab", "Tab", "Enter"]);
    browser.headed("Nothing was installed");
    assert_eq!(scene.grants(), [], "nothing was asked for");

    // The client secret of the app differs from that of Hookwright.
    let args = ["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser"];
    let wrong = Login::start(scene.command(&args).env("ID", CLIENT_ID).env("SECRET", "another-secret"));
    browser.open(&wrong.url);
    browser.click("#install");
    browser.headed("The shop is not connected");
    assert!(browser.text("#why").contains("`hmac` of the callback is invalid"), "{}", browser.text("#why"));
    browser.screenshot("login-failed");
    let Run { code, .. } = wrong.end();
    assert_eq!(code, 4);
}
