//! A server that repeats what it was told: no secret comes back in a message.

use std::process::Command;

use serde_json::json;

use crate::{Server, ok, respond};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_that_the_admin_api_echoes_is_not_printed() {
    let server = Server::start(|_, body| match body["client_secret"].as_str() {
        Some(_) => ok(&json!({ "access_token": "granted-token-1", "scope": "write_orders", "expires_in": 86_399 })),
        None => respond(403, r#"{"errors":"you are s3cr3t-of-the-app with granted-token-1"}"#),
    })
    .await;
    let folder = tempfile::tempdir().expect("folder");
    let manifest = "version: 1\nauth: { client_credentials: { client_id: { env: ID }, client_secret: { env: SECRET } } }\n\
                    shops: [{ shop: a, bindings: [] }]\n";
    std::fs::write(folder.path().join("hookwright.yaml"), manifest).expect("manifest");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwright"));
    command.args(["plan", "-vvv"]).current_dir(folder.path()).env_clear().env("NO_PROXY", "*");
    command.env("HOOKWRIGHT_ADMIN_URL", format!("{}/{{shop}}", server.url));
    command.env("ID", "the-client-id").env("SECRET", "s3cr3t-of-the-app");
    let output = tokio::task::spawn_blocking(move || command.output().expect("run")).await.expect("run");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("you are [redacted] with [redacted]"), "{said}");
    assert!(!said.contains("s3cr3t-of-the-app") && !said.contains("granted-token-1"), "{said}");
}
