//! An independent library (PyJWT) verifies an assertion of the tool, and the sandbox accepts one of PyJWT.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::assertion::{assertion, present};
use crate::scene::{ASSERTION, CLIENT_ID, SHOPS, Scene};

const AUDIENCE: &str = "https://acme.myshopify.com/admin/oauth/access_token";

/// Python with PyJWT: that of `.ci/run`, or the one on the path. If it is missing, the test is skipped with a remark; with
/// HOOKWRIGHT_CI_TOOLS=1 it fails.
#[allow(clippy::print_stderr, reason = "a test that does nothing should say so")]
fn python() -> Option<Command> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
    let program = if installed.exists() { installed } else { "python3".into() };
    let found = Command::new(&program).args(["-c", "import jwt, cryptography"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        let mut command = Command::new(program);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oauth/pyjwt.py"));
        return Some(command);
    }
    let required = std::env::var_os("HOOKWRIGHT_CI_TOOLS").is_some_and(|v| v == "1");
    assert!(!required, "PyJWT is not installed, and HOOKWRIGHT_CI_TOOLS=1 says that it is");
    eprintln!("skipped: python3 with PyJWT[crypto] not found");
    None
}

fn answer(mut command: Command, input: &str) -> Option<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn an_independent_library_verifies_an_assertion_of_the_tool() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let assertion = assertion(&scene, "acme");
    let public = scene.run(&["auth", "key", "public", "app.pem", "--key-id", "k1"]);
    scene.world.write("public.json", &public.exits(0).out);
    let verify = |audience: &str, assertion: &str| {
        let mut command = python()?;
        command.arg("verify").arg(scene.world.path("public.json")).arg(audience);
        Some(answer(command, assertion))
    };
    let Some(claims) = verify(AUDIENCE, &assertion) else { return };
    let claims: Value = serde_json::from_str(&claims.expect("PyJWT refused it")).unwrap();
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(CLIENT_ID), Some(CLIENT_ID)));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_eq!(verify("https://bolt.myshopify.com/", &assertion), Some(None), "another audience");
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{first}{}", &signature[1..]);
    assert_eq!(verify(AUDIENCE, &forged), Some(None), "another signature");
}

#[test]
fn the_sandbox_accepts_an_assertion_of_an_independent_library() {
    let scene = Scene::new(ASSERTION, "", SHOPS);
    let Some(mut command) = python() else { return };
    command.arg("make").arg(scene.world.path("app.pem")).args(["k1", CLIENT_ID, AUDIENCE]);
    let assertion = answer(command, "").expect("an assertion");
    let (status, body) = present(&scene, "acme", &assertion, "");
    assert!(status == 200 && body.contains("access_token"), "{status} {body}");
    let (status, body) = present(&scene, "acme", &assertion, "");
    assert!(status == 400 && body.contains("already been used"), "{status} {body}");
}
