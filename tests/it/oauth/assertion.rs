//! Client assertions: the tool signs, the served sandbox verifies. Each does it with code and a library of its own.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::scene::{ASSERTION, CLIENT_ID, SHOPS, Scene, http, key, new_key};
use crate::world::Run;

/// The parameters of a request for a token besides the assertion.
const PARAMETERS: &str = "grant_type=client_credentials&\
                          client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

/// A plan of one shop against a server that refuses its one request for a token with what `answer` makes of the body. The
/// run, and the body.
pub(super) fn captured(scene: &Scene, shop: &str, answer: fn(&str) -> Value) -> (Run, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{{shop}}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let body = body_of(&mut stream);
        let answer = answer(&body).to_string();
        let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close";
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).unwrap();
        body
    });
    let run = scene.command(&["plan", "--shop", shop, "-vvv"]).env("HOOKWRIGHT_ADMIN_URL", url).output().unwrap();
    (Run::of(&run), serde_json::from_str(&served.join().unwrap()).unwrap())
}

fn body_of(stream: &mut TcpStream) -> String {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut part).unwrap();
        assert!(length > 0, "the request ended early");
        request.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == wanted.parse::<usize>().unwrap() {
            return body.to_owned();
        }
    }
}

/// An assertion of the tool for this shop, which no server has seen.
pub(super) fn assertion(scene: &Scene, shop: &str) -> String {
    let (_, body) = captured(scene, shop, |_| json!({ "error": "invalid_client" }));
    body["client_assertion"].as_str().unwrap().to_owned()
}

/// What the sandbox answers to an assertion: status and body.
pub(super) fn present(scene: &Scene, shop: &str, assertion: &str, more: &str) -> (u16, String) {
    let url = scene.server.url.replace("{shop}", &format!("{shop}.myshopify.com"));
    let form = format!("{PARAMETERS}&client_assertion={assertion}{more}");
    let (status, _, body) = http("POST", &format!("{url}/admin/oauth/access_token"), &form);
    (status, body)
}

/// The paths of the requests that the sandbox got.
fn paths(scene: &Scene) -> Vec<String> {
    let log = scene.world.read("served.json.log.jsonl");
    let path = |line: &str| serde_json::from_str::<Value>(line).unwrap()["path"].as_str().unwrap().to_owned();
    log.lines().map(path).collect()
}

fn manifest_with(scene: &Scene, more: &str) {
    let text = scene.world.read("hookwright.yaml").replace("key_id: k1", &format!("key_id: k1, {more}"));
    scene.world.write("hookwright.yaml", &text);
}

#[test]
fn a_token_is_fetched_once_for_each_shop_and_run() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    scene
        .run(&["plan"])
        .exits(4)
        .out_has("scope_missing")
        .out_has("The next run then has it; see `hookwright auth status`")
        .lacks("auth url")
        .ends("Plan incomplete: 2 to add, 0 to change, 0 to destroy; 1 blocked, 0 shops not read.");
    assert_eq!(scene.grants(), vec![("client_assertion".to_owned(), 200); 2]);
    scene.run(&["apply", "--auto-approve"]).exits(4).out_has("Apply incomplete! Resources: 2 added");
    assert_eq!(scene.grants().len(), 4, "reading and applying in one run share their tokens");
    scene.run(&["auth", "login", "--shop", "acme"]).exits(3).err_has("`client_assertion` requires no login");
    scene.run(&["auth", "status"]).exits(2).out_has("client assertion, key k1 in secret file app.pem");
    let status = scene.run(&["auth", "status", "--format", "json"]).json();
    assert_eq!(status["shops"][0]["source"]["kind"], "client_assertion", "{status}");
}

#[test]
fn a_token_of_a_public_app_lives_for_an_hour_and_of_another_app_for_a_day() {
    for (category, life) in [("public", 3_600), ("custom", 86_400), ("other", 86_400)] {
        let scene = Scene::new(ASSERTION, &format!(", category: {category}"), SHOPS);
        let status = scene.run(&["auth", "status", "--shop", "bolt", "--format", "json"]);
        let status = status.exits(0).json();
        let end: jiff::Timestamp = status["shops"][0]["expires_at"].as_str().unwrap().parse().unwrap();
        let left = end.duration_since(jiff::Timestamp::now()).as_secs();
        assert!((life - 60..=life).contains(&left), "{category}: {left}");
    }
}

#[test]
fn a_public_app_gets_tokens_of_all_shops_that_installed_it_and_another_app_of_its_organisation() {
    let shops = "  - { shop: acme, scopes: [write_orders, read_customers], status: uninstalled }\n  \
                 - { shop: bolt, scopes: [write_orders, read_customers], foreign_organization: true }\n";
    let public = Scene::new(ASSERTION, ", category: public", shops);
    public.run(&["plan", "--shop", "bolt"]).exits(0);
    let plan = public.run(&["plan"]);
    plan.exits(4).out_has("uninstalled: the app is not installed").out_has("1 shop not read");
    assert!(
        !paths(&public).iter().any(|path| path.contains("acme") && path.contains("/admin/api/")),
        "a token was used"
    );
    public.run(&["plan", "--shop", "acme", "--tolerate", "uninstalled", "--detailed-exitcode"]).exits(0);
    let custom = Scene::new(ASSERTION, "", shops);
    let plan = custom.run(&["plan", "--shop", "bolt"]);
    plan.exits(4).out_has("shop_not_permitted").out_has("only for shops of its own organisation");
}

#[test]
fn a_wrong_or_unregistered_key_is_refused_with_a_remedy() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let plan = || scene.run(&["plan", "--shop", "bolt"]);
    let (_, other) = new_key("k1");
    scene.world.write("other.json", &other.to_string());
    scene.edit(&["key", "--jwk", scene.world.path("other.json").to_str().unwrap()]);
    let wrong = plan();
    wrong.exits(4).out_has("client_refused").out_has("The signature of the client assertion is not valid");
    wrong
        .out_has("under the key id `k1`")
        .out_has("(it agrees with the server's)")
        .out_has("app is installed in this shop");
    wrong.out_has("`https://bolt.myshopify.com/admin/oauth/access_token`");
    scene.edit(&["key", "--remove", "k1"]);
    plan()
        .exits(4)
        .out_has("client_refused")
        .out_has("The key id of the client assertion is not registered for this app");
    scene.world.write("own.json", &key().1.to_string());
    scene.edit(&["key", "--jwk", scene.world.path("own.json").to_str().unwrap(), "--key-id", "k1"]);
    plan().exits(0);
    assert_eq!(scene.grants().iter().filter(|(_, status)| *status == 400).count(), 2, "a refusal is not sent again");
    let output = scene.command(&["plan", "--shop", "bolt"]).env("ID", "another-app").output().unwrap();
    Run::of(&output).exits(4).out_has("The subject of the client assertion is not the client id of an app");
}

#[test]
fn a_clock_difference_is_reported_with_its_size() {
    for (ahead, refused) in [
        (600, Some(("The client assertion has expired", " behind the server's)"))),
        (-600, Some(("The client assertion was issued in the future", " ahead of the server's)"))),
        (250, None),
        (-50, None),
    ] {
        let scene = Scene::new(ASSERTION, &format!(", clock_ahead_seconds: {ahead}"), SHOPS);
        let plan = scene.run(&["plan", "--shop", "bolt"]);
        match refused {
            Some((said, clock)) => plan.exits(4).out_has("client_refused").out_has(said).out_has(clock),
            None => plan.exits(0),
        };
    }
}

#[test]
fn audience_and_lifetime_of_the_manifest_are_those_of_the_assertion() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    manifest_with(&scene, "audience: \"https://{shop}/\"");
    let plan = scene.run(&["plan", "--shop", "bolt"]);
    plan.exits(4)
        .out_has("The audience of the client assertion is not this shop's")
        .out_has("`https://bolt.myshopify.com/`");
    let scene = Scene::new(ASSERTION, ", assertion_audiences: [\"https://{shop}/\"], clock_ahead_seconds: 1000", SHOPS);
    manifest_with(&scene, "audience: \"https://{shop}/\", lifetime: 1h");
    scene.run(&["plan", "--shop", "bolt"]).exits(0);
}

#[test]
fn an_assertion_is_accepted_once_and_only_for_its_shop() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let of_acme = assertion(&scene, "acme");
    let (status, body) = present(&scene, "bolt", &of_acme, "");
    assert!(status == 400 && body.contains("audience"), "{status} {body}");
    let (status, body) = present(&scene, "acme", &of_acme, "");
    assert!(status == 200 && body.contains("access_token"), "{status} {body}");
    let (status, body) = present(&scene, "acme", &of_acme, "");
    assert!(status == 400 && body.contains("jti of the client assertion has already been used"), "{status} {body}");
    assert_ne!(assertion(&scene, "acme"), of_acme);
}

#[test]
fn a_repeated_request_has_a_new_assertion() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    scene.faults("faults: [{ fault: drop, on: oauth, commit: after, times: 1 }]\n");
    scene.run(&["plan", "--shop", "bolt"]).exits(0);
    // The first answer was lost after the sandbox had accepted the assertion.
    let statuses: Vec<u64> = scene.grants().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, [500, 200]);
}

#[test]
fn a_forged_assertion_is_refused() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let genuine = assertion(&scene, "acme");
    let parts: Vec<&str> = genuine.split('.').collect();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["exp"] = (claims["exp"].as_i64().unwrap() + 60).into();
    let longer = part(claims);
    for (forged, said) in [
        (format!("{}.{longer}.{}", parts[0], parts[2]), "signature"),
        (format!("{}.{}.", part(json!({ "alg": "none", "kid": "k1" })), parts[1]), "must be signed with RS256"),
        (
            format!("{}.{}.{}", part(json!({ "alg": "HS256", "kid": "k1" })), parts[1], parts[2]),
            "must be signed with RS256",
        ),
        (format!("{}.{}", parts[0], parts[1]), "is not a JWT"),
        (format!("{genuine}.x"), "is not a JWT"),
    ] {
        let (status, body) = present(&scene, "acme", &forged, "");
        assert!(status == 400 && body.contains(said), "{said}: {status} {body}");
    }
    for (more, said) in [("&client_secret=x", "cannot be used together"), ("&client_id=x", "is not the subject")] {
        let (status, body) = present(&scene, "acme", &assertion(&scene, "acme"), more);
        assert!(status == 400 && body.contains(said), "{said}: {status} {body}");
    }
    let (status, body) = present(&scene, "acme", &genuine, &format!("&client_id={CLIENT_ID}"));
    assert_eq!(status, 200, "the genuine one is still good: {body}");
}

#[test]
fn a_key_of_the_wrong_form_is_refused_before_anything_is_sent() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let pem = &key().0;
    let secret = pem.lines().nth(3).unwrap();
    for (text, said) in [
        (pem.replace('\n', "\\n"), "secret file app.pem has a key without line breaks"),
        (pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "app.pem is encrypted with a passphrase"),
        (pem.replace("PRIVATE KEY", "PUBLIC KEY"), "app.pem has a public key or a certificate"),
        (pem[..pem.len() / 2].to_owned(), "app.pem is not valid PEM"),
        ("shpss_0123456789abcdef".to_owned(), "app.pem is not a private key in PEM form"),
    ] {
        scene.world.write("app.pem", &text);
        let plan = scene.run(&["plan", "--shop", "bolt", "-vvv"]);
        plan.exits(4).out_has("secret_unavailable").out_has(said);
        assert!(!plan.to_string().contains(secret) && !plan.to_string().contains("0123456789"), "{plan}");
    }
    assert!(paths(&scene).is_empty(), "{:?}", paths(&scene));
    std::fs::remove_file(scene.world.path("app.pem")).unwrap();
    let plan = scene.run(&["plan", "--shop", "bolt"]);
    plan.exits(4).out_has("token_refused").out_has("placeholder token, because secret file app.pem cannot be read");
}

#[test]
fn the_embedded_sandbox_knows_the_key_or_needs_none() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let plan = || {
        let mut command = scene.world.command(&["plan", "--shop", "bolt", "--sandbox", "--sandbox-state", "own.json"]);
        Run::of(&command.env("ID", "an-app-of-its-own").output().unwrap())
    };
    scene.world.write("app.pem", &new_key("k1").0);
    manifest_with(&scene, "audience: \"https://{shop}/\"");
    plan().exits(0);
    assert!(scene.world.read("own.json.log.jsonl").contains("\"grant\":\"client_assertion\""));
    for file in ["app.pem", "own.json", "own.json.journal", "own.json.log.jsonl"] {
        std::fs::remove_file(scene.world.path(file)).unwrap();
    }
    scene
        .world
        .write("world.sandbox.yaml", "sandbox: 1\nshops: [{ shop: bolt, scopes: [write_orders, read_customers] }]\n");
    plan().exits(0);
    assert!(!scene.world.read("own.json.log.jsonl").contains("grant"));
}

#[test]
fn no_output_file_or_log_holds_a_key_an_assertion_or_a_token() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let mut seen = String::new();
    for (args, code) in [
        (&["plan", "--shop", "bolt", "--out", "plan.json", "--events", "events.jsonl"][..], 0),
        (&["apply", "plan.json", "--journal", "j.jsonl", "--report", "report.json", "--log-format", "json"], 0),
        (&["drift", "--shop", "bolt"], 0),
        (&["auth", "status", "--format", "json"], 2),
        (&["auth", "key", "public", "app.pem"], 0),
    ] {
        let run = scene.run(&[args, &["-vvv"]].concat());
        seen += &run.exits(code).to_string();
    }
    for file in ["plan.json", "events.jsonl", "j.jsonl", "report.json", "served.json.log.jsonl"] {
        seen += &scene.world.read(file);
    }
    // A server that repeats what it was sent.
    let (run, body) = captured(&scene, "bolt", |body| json!({ "error": "invalid_client", "error_description": body }));
    seen += &run.exits(4).out_has("client_refused").out_has("[redacted]").to_string();
    let sent = body["client_assertion"].as_str().unwrap();
    assert!(
        seen.contains("fetched a token with the client credentials grant") && seen.contains("DEBUG"),
        "the logs were on: {seen}"
    );
    let secret_lines = key().0.lines().filter(|line| !line.starts_with("-----"));
    for secret in secret_lines.chain([sent, sent.rsplit_once('.').unwrap().1, "shpat_", "PRIVATE KEY"]) {
        assert!(!seen.contains(secret), "{secret} was shown: {seen}");
    }
}
