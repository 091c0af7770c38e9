//! A server that echoes requests: no secret appears in a message.

use serde_json::json;

use crate::server::{Server, respond};
use crate::world::{Run, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_that_the_admin_api_echoes_is_not_printed() {
    let server = Server::start(|_, seen| match seen.body["client_secret"].as_str() {
        Some(_) => {
            let granted = json!({ "access_token": "granted-token-1", "scope": "write_orders", "expires_in": 86_399 });
            respond(200, granted.to_string())
        }
        None => respond(403, r#"{"errors":"you are s3cr3t-of-the-app with granted-token-1"}"#),
    })
    .await;
    let manifest = "version: 1\nauth: { client_credentials: { client_id: { env: ID }, client_secret: { env: SECRET } } }\n\
                    shops: [{ shop: a, bindings: [] }]\n";
    let world = World::new(manifest, "");
    let mut command = world.command(&["plan", "-vvv"]);
    command.env("HOOKWRIGHT_ADMIN_URL", format!("{}/{{shop}}", server.url));
    command.env("ID", "the-client-id").env("SECRET", "s3cr3t-of-the-app");
    let run = Run::of(&tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
    run.out_has("you are [redacted] with [redacted]").lacks("s3cr3t-of-the-app").lacks("granted-token-1");
}
