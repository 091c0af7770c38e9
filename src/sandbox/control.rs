//! `/__sandbox/…`: what a test or a person does to the sandbox itself, and the way another process asks for it.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::desk::{self, Desk};
use super::edit::{self, Edit};
use super::error::SandboxError;
use super::faults::Faults;
use super::files::FORMAT;
use super::gate::refused;
use super::reply::Reply;
use super::seed;
use crate::words;

/// Answers a request below `/__sandbox/`.
pub(super) fn answer(desk: &Desk, method: &Method, path: &str, query: Option<&str>, body: &Bytes) -> Reply {
    let done = match (method.as_str(), path) {
        // A client makes up a token only after this answer.
        ("GET", "identity") => Ok(json!({ "hookwright_sandbox": FORMAT, "id": desk.id() })),
        ("GET", "state") => Ok(desk.snapshot()),
        ("GET", "log") => Ok(desk.log()),
        ("POST", "reset") => desk.reset().map(|done| json!(done)),
        ("POST", "seed") => {
            let replace = query.is_some_and(|query| query.split('&').any(|part| part == "replace=true"));
            seed::parse_one(&String::from_utf8_lossy(body), Path::new("seed"))
                .and_then(|seed| desk.seed(&seed, replace))
                .map(|done| json!(done))
        }
        ("POST", "edit") => serde_json::from_slice::<Edit>(body)
            .map_err(|error| SandboxError::Edit(words::of_json(&error)))
            .and_then(|wanted| desk.edit(|state| edit::apply(&mut state.world, &wanted, &desk::rfc3339(desk::now()))))
            .map(|told| json!(told)),
        ("GET", "faults") => Ok(desk.faults()),
        ("POST", "faults") => Faults::parse(&String::from_utf8_lossy(body), Path::new("faults")).map(|faults| {
            desk.set_faults(faults);
            desk.faults()
        }),
        ("DELETE", "faults") => {
            desk.set_faults(Faults::default());
            Ok(desk.faults())
        }
        _ => return refused(404, "Not Found"),
    };
    match done {
        Ok(body) => Reply::json(200, body),
        Err(error) => refused(422, error.to_string()),
    }
}

/// Asks the sandbox that listens on `server`; what it refuses is an error in its words.
pub(super) fn post<T: DeserializeOwned>(server: SocketAddr, path: &str, body: &str) -> Result<T, SandboxError> {
    let answer = exchange(server, path, body).map_err(|error| {
        SandboxError::Edit(format!(
            "the process that holds the sandbox state does not answer on {server}: {}",
            words::of_io(&error)
        ))
    })?;
    match answer.get("errors") {
        Some(errors) => Err(SandboxError::Edit(errors.as_str().map_or_else(|| errors.to_string(), str::to_owned))),
        None => serde_json::from_value(answer).map_err(|error| SandboxError::Edit(words::of_json(&error))),
    }
}

/// One request over loopback, without an HTTP client: a body of known length, and the connection closed after it.
fn exchange(server: SocketAddr, path: &str, body: &str) -> io::Result<Value> {
    let patience = Some(Duration::from_secs(10));
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(patience)?;
    let length = body.len();
    let head = format!(
        "POST /__sandbox/{path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(serde_json::from_str(body)?)
}
