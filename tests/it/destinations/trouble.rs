//! Adobe does not answer, refuses, or is not Adobe.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::{BY_NAME, ORG, Served, adobe, destination, manifest, only_pasted_is_planned, seed};
use crate::scene::Server;
use crate::world::{A, Run, World};

#[test]
fn pasted_destinations_are_planned_if_adobe_is_unavailable() {
    for (fault, timeout, kind, exit) in [
        ("{ fault: drop, on: adobe }", "2m", "adobe_unavailable", 8),
        ("{ fault: server_error, on: ims }", "2m", "adobe_unavailable", 8),
        ("{ fault: html, on: adobe }", "2m", "adobe_bad_answer", 8),
        ("{ fault: truncated, on: adobe }", "2m", "adobe_bad_answer", 8),
        ("{ fault: rate_limited, on: adobe, retry_after: 60 }", "20s", "adobe_rate_limited", 5),
        ("{ fault: token_revoked, on: adobe }", "2m", "adobe_token_refused", 4),
        // No answer: the shops still have most of the time.
        ("{ fault: latency, on: adobe, ms: 60000 }", "12s", "adobe_unavailable", 8),
    ] {
        let world = World::new(&manifest(BY_NAME), &seed("", fault));
        // If the shop counted as planned, subscriptions outside the manifest would be deleted.
        world.edit(&["add", "--shop", "one", "--topic", "orders/paid", "--address", A]);
        let run = world.plan(&["--format", "json", "--timeout", timeout]);
        run.exits(exit);
        let plan = only_pasted_is_planned(&run, kind);
        assert_eq!(destination(&plan, "orders")["verdict"], "unknown");
        let asked: Vec<Value> = world.requests().into_iter().filter(|r| r["operation"] == "query").collect();
        assert_eq!(asked.len(), 1, "{fault}: the others are not asked anything");
    }
}

#[test]
fn a_temporary_error_is_retried() {
    for fault in [
        "{ fault: drop, on: adobe, times: 1 }",
        "{ fault: cut_body, on: adobe, times: 1 }",
        "{ fault: server_error, on: ims, times: 1 }",
        "{ fault: rate_limited, on: adobe, retry_after: 0.1, times: 2 }",
        "{ fault: token_revoked, on: adobe, times: 1 }",
    ] {
        let world = World::new(&manifest(BY_NAME), &seed("", fault));
        world.plan(&[]).exits(0).ends("No changes. The live webhooks match the manifest.");
    }
}

#[test]
fn credentials_that_adobe_refuses_have_their_own_error() {
    let client = "  client_id: aep\n  client_secret: s3cret-of-adobe\n";
    let world = World::new(&manifest(BY_NAME), &seed(client, ""));
    let with = |id: &str, secret: &str| {
        let mut command = world.command(&["plan", "--sandbox", "--format", "json", "-vvv"]);
        command.env("AEP_ID", id).env("AEP_SECRET", secret);
        Run::of(&command.output().unwrap())
    };
    let refused = with("aep", "not-the-s3cret");
    refused.exits(4);
    only_pasted_is_planned(&refused, "adobe_client_refused");
    refused.lacks("not-the-s3cret");
    let good = with("aep", "s3cret-of-adobe");
    good.exits(0);
    // The sandbox's tokens begin so, and its state file does too.
    let logged = good.err.replace("sandbox.json", "").replace("sandbox.yaml", "");
    for secret in ["s3cret-of-adobe", "Bearer", "sandbox."] {
        assert!(!logged.contains(secret), "{secret}: {good}");
    }
    assert!(good.err.contains("/__adobe/ims/token/v3"), "it does log: {good}");

    let elsewhere = manifest(BY_NAME).replace(ORG, "ABC@AdobeOrg");
    World::new(&elsewhere, &seed("", "")).plan(&[]).exits(4).out_has("adobe_forbidden").out_has("403025");
    let lost = manifest(BY_NAME).replace("scopes: [openid", "sandbox: nowhere, scopes: [openid");
    World::new(&lost, &seed("", "")).plan(&[]).exits(8).out_has("adobe_not_found").out_has("nowhere");
}

#[test]
fn a_secret_is_sent_only_to_adobe_or_to_a_host_that_the_operator_trusts() {
    let world = World::new(&manifest(BY_NAME), &seed("", ""));
    let server = Server::start(&world);
    let adobe_url = format!("{}/__adobe", server.url.split("/{shop}").next().unwrap());
    let plan = |manifest: &str, vars: &[(&str, &str)]| {
        world.write("hookwright.yaml", manifest);
        let mut command = world.command(&["plan"]);
        command.env("HOOKWRIGHT_ADMIN_URL", &server.url).env("AEP_ID", "aep").env("AEP_SECRET", "s3cret-of-adobe");
        for shop in ["ONE", "TWO", "THREE"] {
            command.env(format!("TOKEN_{shop}"), "token-of-a-shop");
        }
        Run::of(&command.envs(vars.iter().copied()).output().unwrap())
    };
    let to =
        |url: &str| manifest(BY_NAME).replace("scopes: [openid", &format!("token_url: \"{url}\", scopes: [openid"));
    for url in [
        "https://runtime.adobe.io/api/v1/web/anybody/x",
        "https://ims-na1.adobelogin.com.evil.example/token",
        "http://ims-na1.adobelogin.com/x",
        &format!("{adobe_url}/ims/token/v3"),
    ] {
        plan(&to(url), &[]).exits(3).err_has("hookwright.yaml:3: aep `default`: `token_url`");
    }
    assert!(adobe(&world).is_empty(), "nothing is sent");
    let trusted = manifest(BY_NAME).replace(
        "scopes: [openid",
        &format!("token_url: \"{adobe_url}/ims/token/v3\", base_url: \"{adobe_url}/data/foundation/flowservice\", scopes: [openid"),
    );
    plan(&trusted, &[("HOOKWRIGHT_TRUST_HOSTS", "127.0.0.1")]).exits(0).out_has("Shopify orders (prod)");
    // A host that the operator names is trusted in any manifest.
    plan(&manifest(BY_NAME), &[("HOOKWRIGHT_ADOBE_URL", &adobe_url)]).exits(0).out_has("Shopify orders (prod)");
}

/// A server that claims to be the sandbox and stores the requests.
fn claims_to_be_the_sandbox() -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/__adobe", listener.local_addr().unwrap());
    let sent = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let mut request = Vec::new();
            let _ = stream.read_to_end(&mut request);
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&request));
            let body = "{\"hookwright_sandbox\": 1, \"access_token\": \"t\", \"expires_in\": 60}";
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    (url, sent)
}

#[test]
fn a_real_secret_is_not_sent_with_a_placeholder_client_id() {
    let world = World::new(&manifest(BY_NAME), &seed("", ""));
    let server = Server::start(&world);
    let (url, sent) = claims_to_be_the_sandbox();
    let mut command = world.command(&["plan", "--timeout", "20s"]);
    command.env("HOOKWRIGHT_ADMIN_URL", &server.url).env("HOOKWRIGHT_ADOBE_URL", &url);
    let run = Run::of(&command.env("AEP_SECRET", "s3cret-of-adobe").output().unwrap());
    let sent = sent.lock().unwrap();
    assert!(sent.contains("client_secret") && sent.contains("sandbox-secret"), "{run}\n{sent}");
    assert!(!sent.contains("s3cret-of-adobe"), "{sent}");
}

#[test]
fn an_unverified_destination_is_unknown_and_not_applied() {
    let verified = ["drift", "--verify-destinations", "--timeout", "4s"];
    let served = Served::new(World::new(&manifest(BY_NAME), &seed("", "")));
    let one = [&verified[..], &["--shop", "one"]].concat();
    served.run(&one).exits(0);
    let runs = served.before("/runs");
    served.faults(&format!("faults: [{{ fault: server_error, on: adobe, after: {runs} }}]\n"));
    served
        .run(&one)
        .exits(8)
        .out_has("unknown: its last run is unknown, because Adobe did not return the runs")
        .out_has("Flow Service");

    // Whether the dataflow that an address names is there is not known where it could not be asked for.
    let other = "0a0a0a0a-e6b3-48c2-8dcf-040e20121fd2";
    let over = format!(
        "    - {{ name: Over, id: {other}, inlet: connection, address: \"{A}\" }}\n    \
         - {{ name: Products, address: \"{A}\" }}\n"
    );
    let pasted = manifest(BY_NAME).replace(A, &format!("\"{A}?x-adobe-flow-id={}\"", other.to_uppercase()));
    let served = Served::new(World::new(&pasted, &seed(&over, "")));
    let three = [&verified[..], &["--shop", "three"]].concat();
    let good = served.run(&three);
    good.lacks("address_differs");
    let asked = served.before("/runs") - 1;
    served.faults(&format!("faults: [{{ fault: server_error, on: adobe, after: {asked} }}]\n"));
    let bad = served.run(&three);
    bad.out_has("unknown:").lacks("address_differs").lacks("are lost");
}

#[test]
fn slow_lookups_leave_time_for_shops_with_pasted_addresses() {
    let names: String = (0..40).map(|n| format!("  d{n}: {{ flow: {{ name: \"Flow {n}\" }} }}\n")).collect();
    let many = manifest(BY_NAME).replace("destinations:\n", &format!("destinations:\n{names}"));
    for args in [vec!["plan"], vec!["plan", "--verify-destinations"]] {
        let served = Served::new(World::new(&many, &seed("", "")));
        served.faults("faults: [{ fault: latency, ms: 20000, on: adobe }]\n");
        let plan = served.run(&[args, vec!["--timeout", "8s", "--format", "json"]].concat());
        only_pasted_is_planned(&plan, "adobe_unavailable");
    }
}
