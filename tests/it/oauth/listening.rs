//! The listener of `auth login`: the requests that it accepts and refuses, and the use of the code.

use crate::scene::{CLIENT_SECRET, Login, SHOPS, STORE, Scene, approve, http, parameter, with};

const LOGIN: &[&str] = &["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser"];

#[test]
fn only_a_get_of_the_callback_path_reaches_the_login_and_other_requests_are_reported_once() {
    let scene = Scene::new(STORE, "", SHOPS);
    let login = Login::start(&mut scene.command(LOGIN));
    let callback = approve(&login.url);
    let status = |method: &str, url: &str| http(method, url, "").0;
    // A preview of the link must not use the code.
    assert_eq!(status("HEAD", &callback), 405);
    assert_eq!(status("POST", &callback), 405);
    assert_eq!(status("GET", &format!("{callback}&long={}", "x".repeat(8 * 1024))), 414);
    assert_eq!(status("GET", &callback.replace("/callback", "/callback/")), 404);
    for n in 0..20 {
        let (_, _, page) = http("GET", &with(&callback, "state", &format!("guessed-{n}")), "");
        assert!(page.contains("does not belong to the current login"), "{page}");
    }
    assert_eq!(scene.grants(), [], "something of that was taken for the merchant");
    let (_, _, page) = http("GET", &callback, "");
    assert!(page.contains("The shop is connected"), "{page}");
    let run = login.end();
    run.exits(0);
    assert_eq!(run.err.matches("Rejected a callback of another login (its `state` differs)").count(), 1, "{run}");
}

/// The status of a GET with these headers.
fn status_with(url: &str, headers: &str) -> u16 {
    use std::io::{Read as _, Write as _};
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn only_a_navigation_to_this_machine_is_answered() {
    let scene = Scene::new(STORE, "", SHOPS);
    let login = Login::start(&mut scene.command(LOGIN));
    let callback = approve(&login.url);
    for headers in [
        "Host: evil.example\r\n",
        "Host: evil.example:4000\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: localhost\r\nOrigin: https://evil.example\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
    ] {
        assert_eq!(status_with(&callback, headers), 403, "{headers}");
    }
    assert_eq!(scene.grants(), [], "something of that was taken for the merchant");
    // As a browser returns from Shopify.
    let browser = "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    assert_eq!(status_with(&callback, browser), 200);
    login.end().exits(0);
}

#[test]
fn a_tunnel_may_forward_its_own_host_and_no_other() {
    let scene = Scene::new(STORE, "", SHOPS);
    let uri = ["--redirect-uri", "https://example.com/callback"];
    let login = Login::start(&mut scene.command(&[LOGIN, &uri].concat()));
    let callback = approve(&login.url);
    let here = login.said.split(" must forward to ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let url = callback.replace("https://example.com/callback", &here);
    assert_eq!(status_with(&url, "Host: evil.example\r\n"), 403);
    assert_eq!(status_with(&url, "Host: example.com\r\n"), 200);
    login.end().exits(0);
}

#[test]
fn idle_connections_do_not_block_the_browser() {
    let scene = Scene::new(STORE, "", SHOPS);
    // As many open files as macOS gives a process.
    let Some(mut limited) = crate::world::tool("prlimit") else { return };
    let command = scene.command(LOGIN);
    limited.arg("--nofile=256:256").arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(command.get_current_dir().unwrap());
    let login = Login::start(&mut limited);
    let callback = approve(&login.url);
    let address = callback.trim_start_matches("http://").split('/').next().unwrap();
    let idle: Vec<_> = (0..300).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    let (_, _, page) = http("GET", &callback, "");
    assert!(page.contains("The shop is connected"), "{page}");
    drop(idle);
    login.end().exits(0);
}

#[test]
fn a_loopback_redirect_uri_must_point_to_the_listener() {
    let scene = Scene::new(STORE, "", SHOPS);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let login = |uri: &str| {
        let args = [
            "auth",
            "login",
            "--shop",
            "acme",
            "--listen",
            &listen,
            "--no-browser",
            "--wait",
            "30s",
            "--redirect-uri",
            uri,
        ];
        scene.command(&args)
    };
    for uri in ["http://127.0.0.1:1/callback", "http://localhost/callback", &format!("https://{listen}/callback")] {
        let run = crate::world::Run::of(&login(uri).output().unwrap());
        run.exits(3).err_has("but the login listens at").err_has("--listen");
        assert!(!run.err.contains("authorize"), "the link was printed all the same: {run}");
    }
    // Another name of it, and another path, are as good.
    let waiting = Login::start(&mut login(&format!("http://localhost:{port}/shopify/back")));
    let callback = approve(&waiting.url);
    assert!(callback.starts_with(&format!("http://localhost:{port}/shopify/back?")), "{callback}");
    assert_eq!(
        http("GET", &callback.replace("/shopify/back", "/callback").replace("localhost", "127.0.0.1"), "").0,
        404
    );
    let (_, _, page) = http("GET", &callback.replace("localhost", "127.0.0.1"), "");
    assert!(page.contains("The shop is connected"), "{page}");
    waiting.end().exits(0);
}

#[test]
fn with_a_tunnel_the_path_of_the_redirect_uri_is_checked_and_the_local_address_is_printed() {
    let scene = Scene::new(STORE, "", SHOPS);
    let uri = ["--redirect-uri", "https://example.com/callback"];
    let login = Login::start(&mut scene.command(&[LOGIN, &uri].concat()));
    let callback = approve(&login.url);
    assert!(callback.starts_with("https://example.com/callback?"), "{callback}");
    let here = login.said.split(" must forward to ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert!(here.starts_with("http://127.0.0.1:") && here.ends_with("/callback"), "{}", login.said);
    let (_, _, page) = http("GET", &callback.replace("https://example.com/callback", &here), "");
    assert!(page.contains("The shop is connected"), "{page}");
    login.end().exits(0);

    let unreached = scene.run(&[LOGIN, &uri, &["--wait", "100ms"]].concat());
    unreached
        .exits(5)
        .err_has("the app whose client id is in environment variable ID must allow https://example.com/callback");
    unreached.err_has("the tunnel must forward to http://127.0.0.1:");
}

#[test]
fn a_store_that_becomes_unwritable_during_a_login_is_detected_before_the_code_is_used() {
    let scene = Scene::new(STORE, "", SHOPS);
    let login = Login::start(&mut scene.command(LOGIN));
    let callback = approve(&login.url);
    std::fs::write(scene.world.path(&scene.store()), "{").unwrap();
    let (_, _, page) = http("GET", &callback, "");
    assert!(page.contains("The shop is not connected"), "{page}");
    login.end().exits(4).err_has("token store tokens.json").err_has("nothing was sent");
    assert_eq!(scene.grants(), []);
    // The code is still valid.
    std::fs::remove_file(scene.world.path(&scene.store())).unwrap();
    scene.run(&["auth", "exchange", "--shop", "acme", "--callback", &callback]).exits(0);
}

/// The callback as Shopify would have sent it at another time.
fn signed_at(callback: &str, timestamp: i64) -> String {
    use hmac::{KeyInit as _, Mac as _};
    let callback = with(callback, "timestamp", &timestamp.to_string());
    let query = callback.split_once('?').unwrap().1;
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("hmac=")).collect();
    pairs.sort_unstable();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(CLIENT_SECRET.as_bytes()).unwrap();
    mac.update(pairs.join("&").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    with(&callback, "hmac", &hex)
}

#[test]
fn a_clock_difference_is_reported() {
    let scene = Scene::new(STORE, "", SHOPS);
    for (shift, told) in [(-7_200, "ahead of Shopify"), (7_200, "behind Shopify")] {
        let login = Login::start(&mut scene.command(LOGIN));
        let callback = approve(&login.url);
        let now: i64 = parameter(&callback, "timestamp").parse().unwrap();
        assert_eq!(signed_at(&callback, now), callback, "the signature is made as Shopify makes it");
        let (_, _, page) = http("GET", &signed_at(&callback, now + shift), "");
        assert!(page.contains("The shop is not connected") && page.contains(told), "{page}");
        let run = login.end();
        run.exits(4).err_has("this machine's clock is ").err_has(told).err_has("correct the clock");
        assert!(!run.err.contains("--max-age"), "{run}");
    }
    assert_eq!(scene.grants(), [], "a code was sent");
}
