//! Tokens: resolved by reference, sent only to their own shop, printed nowhere.

use crate::advice;
use crate::scene::{
    ASSERTION, CLIENT_SECRET, CREDENTIALS, Login, SHOPS, STORE, Scene, Server, approve, http, parameter, with,
};
use crate::world::{Run, World, manifest};

const TOKEN: &str = "shpat_0123456789abcdef0123456789abcdef";

fn world() -> World {
    let shops = "  - { shop: acme, bindings: [{ topic: orders/create, destination: a }] }\n  \
                 - { shop: two-words, bindings: [{ topic: orders/create, destination: a }] }\n";
    let seed = format!(
        "sandbox: 1\nshops:\n  - {{ shop: acme, scopes: [write_orders], token: {TOKEN} }}\n  \
         - {{ shop: two-words, scopes: [write_orders], token: other }}\n"
    );
    World::new(&manifest(shops), &seed)
}

#[test]
fn an_unset_variable_is_named_and_fails_only_its_shop() {
    let world = world();
    let server = Server::start(&world);
    let mut command = world.command(&["plan", "--detailed-exitcode"]);
    let output = command.env("HOOKWRIGHT_ADMIN_URL", &server.url).env("TOKEN_ACME", TOKEN).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{out}");
    assert!(out.contains("token_refused") && out.contains("because environment variable TOKEN_TWO_WORDS"), "{out}");
    assert!(out.starts_with(&format!("Target: {}", server.url)), "{out}");
    assert!(
        out.ends_with("Plan incomplete: 1 to add, 0 to change, 0 to destroy; 0 blocked, 1 shop not read.\n"),
        "{out}"
    );
}

#[test]
fn a_served_sandbox_needs_no_secrets() {
    for auth in [CREDENTIALS, ASSERTION, "{ access_token: { env: \"TOKEN_{SHOP}\" } }"] {
        let shops = "  - { shop: acme, bindings: [] }\n  - { shop: two-words, bindings: [] }\n";
        let seed = "sandbox: 1\nshops: [{ shop: acme }, { shop: two-words }]\n";
        let world = World::new(&format!("version: 1\nauth: {auth}\nshops:\n{shops}"), seed);
        let server = Server::start(&world);
        let plan = || Run::of(&world.command(&["plan"]).env("HOOKWRIGHT_ADMIN_URL", &server.url).output().unwrap());
        plan().exits(0).ends("No changes. The live webhooks match the manifest.");
    }
}

#[test]
fn only_a_sandbox_receives_placeholder_tokens() {
    use std::io::{Read as _, Write as _};
    let world = world();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{{shop}}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 15\r\n\r\n{\"state\": \"ok\"}";
        stream.write_all(answer.as_bytes()).unwrap();
        drop((stream, listener));
        String::from_utf8_lossy(&request[..length]).to_lowercase()
    });
    let run = Run::of(&world.command(&["plan"]).env("HOOKWRIGHT_ADMIN_URL", url).output().unwrap());
    run.exits(4).out_has("secret_unavailable").out_has("TOKEN_ACME").out_has("TOKEN_TWO_WORDS");
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("get /__sandbox/identity http") && !asked.contains("token"), "{asked}");
}

#[test]
fn no_output_of_any_command_holds_a_token() {
    let world = world();
    let server = Server::start(&world);
    let mut seen = String::new();
    for args in [
        &["plan", "-vvv", "--out", "plan.json"][..],
        &["apply", "-vvv", "plan.json", "--report", "report.json", "--journal", "j.jsonl", "--events", "e.jsonl"],
        &["drift", "-vvv", "--log-format", "json"],
        &["show", "-vvv", "plan.json", "report.json"],
    ] {
        let mut command = world.command(args);
        command
            .env("HOOKWRIGHT_ADMIN_URL", &server.url)
            .env("TOKEN_ACME", TOKEN)
            .env("TOKEN_TWO_WORDS", "wrong-token-value");
        let output = command.output().unwrap();
        seen.push_str(&String::from_utf8(output.stdout).unwrap());
        seen.push_str(&String::from_utf8(output.stderr).unwrap());
    }
    for file in ["plan.json", "report.json", "j.jsonl", "e.jsonl", "served.json.log.jsonl"] {
        seen.push_str(&world.read(file));
    }
    advice::try_out(&seen);
    assert!(seen.contains("token_refused") && seen.contains("response"), "the log was on: {seen}");
    assert!(!seen.contains(TOKEN) && !seen.contains("wrong-token-value"), "{seen}");
}

#[test]
fn a_login_shows_no_code_no_signature_and_no_token_however_much_it_logs() {
    let scene = Scene::new(STORE, "", SHOPS);
    let login = ["auth", "login", "--shop", "acme", "--listen", "127.0.0.1:0", "--no-browser", "-vvv"];
    let (mut seen, mut secrets) = (String::new(), vec![CLIENT_SECRET.to_owned()]);
    for (signature, code) in [("wrong", 4), ("right", 0)] {
        let waiting = Login::start(&mut scene.command(&login));
        let callback = approve(&waiting.url);
        secrets.extend([parameter(&callback, "code"), parameter(&callback, "hmac")]);
        // Strangers' requests are not logged either, nor one whose signature does not hold.
        let (_, _, page) = http("GET", &with(&callback, "state", "guessed"), "");
        seen += &page;
        let forged = "f".repeat(64);
        let last = if signature == "wrong" { with(&callback, "hmac", &forged) } else { callback };
        secrets.push(forged);
        let (_, _, page) = http("GET", &last, "");
        seen += &page;
        let run = waiting.end();
        run.exits(code);
        seen += &run.to_string();
    }
    let acme = scene.tokens("acme");
    for token in [&acme["access_token"], &acme["refresh"]["token"]] {
        secrets.push(token.as_str().unwrap().to_owned());
    }
    seen += &scene.world.read("served.json.log.jsonl");
    assert!(seen.contains("DEBUG") && seen.contains("\"grant\":\"authorization_code\""), "the logs were on: {seen}");
    for secret in secrets {
        assert!(!seen.contains(&secret), "{secret} was shown: {seen}");
    }
}

#[test]
fn a_command_for_a_secret_runs_only_if_allowed() {
    let world = world();
    let text = world.read("hookwright.yaml").replace(
        "{ env: \"TOKEN_{SHOP}\" }",
        "{ command: [sh, -c, 'touch ran; echo \"{\\\"acme\\\": \\\"shpat_0123456789abcdef0123456789abcdef\\\", \\\"two-words\\\": \\\"other\\\"}\"'] }",
    );
    world.write("hookwright.yaml", &text);
    let server = Server::start(&world);
    let run = |args: &[&str]| world.command(args).env("HOOKWRIGHT_ADMIN_URL", &server.url).output().unwrap();
    let refused = run(&["plan"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("--allow-commands"));
    assert!(!world.path("ran").exists());
    let allowed = run(&["plan", "--allow-commands"]);
    assert_eq!(allowed.status.code(), Some(0), "{}", String::from_utf8_lossy(&allowed.stdout));
    assert!(world.path("ran").exists());
}

#[test]
fn a_manifest_cannot_read_a_secret_outside_the_pins() {
    let world = world();
    let server = Server::start(&world);
    let run = |pin: &str| {
        let mut command = world.command(&["plan"]);
        command.env("HOOKWRIGHT_ADMIN_URL", &server.url).env("TOKEN_ACME", TOKEN).env("TOKEN_TWO_WORDS", "other");
        let output = command.args(["--secrets", pin]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run("env:TOKEN_{SHOP}").0, Some(0));
    let (code, out) = run("env:TOKEN_ACME");
    assert_eq!(code, Some(4), "{out}");
    assert!(out.contains("is not allowed by `--secrets`") && out.contains("1 to add") && !out.contains(TOKEN), "{out}");
    // The sandbox received a placeholder token and refused it.
    let requests = world.read("served.json.log.jsonl");
    let taken = |line: &&str| line.contains("two-words") && line.contains("\"status\":200");
    assert_eq!(requests.lines().filter(taken).count(), 1, "{requests}");
}

#[test]
fn a_url_without_loopback_address_or_shop_placeholder_is_refused() {
    let world = world();
    let run = |url: &str, args: &[&str]| {
        let output = world.command(args).env("HOOKWRIGHT_ADMIN_URL", url).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for url in ["http://10.0.0.1/{shop}", "https://evil.example/{shop}", "ftp://127.0.0.1/{shop}", "nonsense"] {
        let (code, err) = run(url, &["plan"]);
        assert_eq!(code, Some(3), "{url}: {err}");
        assert!(err.contains("HOOKWRIGHT_ADMIN_URL"), "{err}");
    }
    let (code, err) = run("http://127.0.0.1:9", &["plan"]);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("{shop}"), "{err}");
}

#[test]
fn without_a_network_every_shop_reports_the_error() {
    let world = world();
    // A port that nothing listens on: bound once, then free again.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = world.command(&["plan", "--timeout", "3s"]);
    command.env("HOOKWRIGHT_ADMIN_URL", format!("http://127.0.0.1:{port}/{{shop}}"));
    let output = command.env("TOKEN_ACME", TOKEN).env("TOKEN_TWO_WORDS", "x").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(matches!(output.status.code(), Some(1 | 5)), "{out}");
    assert!(
        out.ends_with("Plan incomplete: 0 to add, 0 to change, 0 to destroy; 0 blocked, 2 shops not read.\n"),
        "{out}"
    );
}

#[test]
fn a_malformed_secret_is_refused_before_anything_is_sent() {
    let world = world();
    let server = Server::start(&world);
    let digits = &TOKEN["shpat_".len()..];
    let plan = |manifest: &str, variables: &[(&str, &str)]| {
        world.write("hookwright.yaml", manifest);
        let mut command = world.command(&["plan", "--shop", "acme"]);
        let output = command.env("HOOKWRIGHT_ADMIN_URL", &server.url).envs(variables.iter().copied()).output().unwrap();
        let run = crate::world::Run::of(&output);
        run.lacks(digits);
        run
    };
    let own = world.read("hookwright.yaml");
    for (value, said) in [
        (format!("\"{TOKEN}\""), "environment variable TOKEN_ACME begins or ends with a quote (\")"),
        (
            format!("shpss_{digits}"),
            "TOKEN_ACME has a client secret (it begins with `shpss_`), but an access token is expected",
        ),
        (format!("shprt_{digits}"), "TOKEN_ACME has a refresh token (it begins with `shprt_`)"),
        (format!("TOKEN={TOKEN}"), "TOKEN_ACME begins with a name and `=`"),
        (format!("{TOKEN} "), "TOKEN_ACME begins or ends with a blank"),
        (format!("Bearer {TOKEN}"), "TOKEN_ACME contains a blank"),
        (format!("{TOKEN}\n{TOKEN}"), "TOKEN_ACME has more than one line"),
        ("${TOKEN}".to_owned(), "TOKEN_ACME contains a placeholder instead of a secret"),
    ] {
        plan(&own, &[("TOKEN_ACME", &value)]).exits(4).out_has("secret_unavailable").out_has(said);
    }
    let app = own.replace(
        "access_token: { env: \"TOKEN_{SHOP}\" }",
        "client_credentials: { client_id: { env: ID }, client_secret: { env: SECRET } }",
    );
    assert!(app.contains("client_credentials"), "{app}");
    let run = plan(&app, &[("ID", "app"), ("SECRET", TOKEN)]);
    run.exits(4).out_has(
        "environment variable SECRET has an access token (it begins with `shpat_`), but the app's client secret",
    );
    let run = plan(&app, &[("ID", &format!("shpss_{digits}")), ("SECRET", "x")]);
    run.exits(4)
        .out_has("environment variable ID has a client secret (it begins with `shpss_`), but the app's client id");
    let sent = world.read("served.json.log.jsonl");
    assert_eq!(sent.lines().count(), 0, "nothing was sent: {sent}");
    // What is fine stays so: a line end after the token, and a form that is not known.
    plan(&own, &[("TOKEN_ACME", &format!("{TOKEN}\n"))]).exits(0);
}

#[test]
fn a_secret_used_as_a_key_or_after_a_misspelt_key_is_not_printed() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let world = World::new("", "");
    for auth in [
        "{ access_token: { env:SECRET } }",
        "{ access_token: { \"env:SECRET\": 1 } }",
        "{ access_token: { SECRET } }",
        "{ access_token: { SECRET, SECRET } }",
        "{ access_token: [ env:SECRET ] }",
        "{ access_token: { env: X }, client_secret:SECRET }",
        "{ access_token: { env: X }, SECRET }",
        "{ api_key: SECRET }",
        "{ client_credentials: SECRET }",
        "{ client_credentials: env:SECRET }",
        "{ client_credentials: { client_id: { env: X }, client_secret:SECRET } }",
        "{ token_store: [SECRET] }",
    ] {
        let yaml =
            format!("version: 1\nauth: {auth}\nshops: [{{ shop: acme, api_key: SECRET, access_token:SECRET }}]\n");
        world.write("m.yaml", &yaml.replace("SECRET", SECRET));
        for format in ["text", "json", "github", "sarif"] {
            let run = world.run(&["validate", "-f", "m.yaml", "--format", format]);
            run.exits(3).out_has("HW01").lacks(&SECRET[..16]);
        }
    }
}
