//! What a server that repeats everything can make this room say: nothing.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::test_server::{CLIENT_SECRET, Server, granted, respond};
use super::{By, InletKind, Wanted};

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_server_that_repeats_all_that_it_was_sent_gives_nothing_away() {
    // With one subscriber in the process, tracing asks the thread that comes to a line first whether the line matters, for
    // all threads; tests beside this one would say no. With two it asks the subscribers.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let wanted = Wanted { kind: InletKind::Flow, by: By::Id("a".to_owned()) };
    let mut printed = Vec::new();
    for status in [200, 302, 400, 401, 403, 404, 429, 500] {
        for of_ims in [true, false] {
            for html in [true, false] {
                let server = Server::start(move |_, seen| {
                    if seen.is_token() && !of_ims {
                        return granted(1, &json!(86_399));
                    }
                    let key = seen.header("x-api-key");
                    let heard = format!("{} {key} {} {CLIENT_SECRET}", seen.header("authorization"), seen.body);
                    let json = json!({ "error": heard, "error_code": heard, "message": { "deep": [heard] } });
                    let body = if html { format!("<title>{heard}</title>") } else { json.to_string() };
                    let mut response = respond(status, body);
                    let header = axum::http::HeaderValue::from_str(&heard).expect("header");
                    response.headers_mut().insert("location", header.clone());
                    response.headers_mut().insert("x-request-id", header);
                    response
                })
                .await;
                let client = server.client();
                let error = client.find(&wanted).await.expect_err("an error");
                printed.push(format!("{error}\n{error:?}\n{client:?}\n{:?}", client.account()));
            }
        }
    }
    let logged = String::from_utf8_lossy(&log.0.lock().expect("log")).into_owned();
    assert!(logged.contains("trying again") && logged.contains("got a token from IMS"), "the log was not read");
    let printed = printed.join("\n");
    assert!(printed.contains("[redacted]"));
    for text in [&printed, &logged] {
        for secret in ["tok3n", "cl1ent", "s3cr3t"] {
            let at = text.find(secret).map(|at| &text[at.saturating_sub(200)..(at + 60).min(text.len())]);
            assert_eq!(at, None, "{secret}");
        }
    }
}
