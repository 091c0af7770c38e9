//! The control endpoints below `/__sandbox/`, and a client for them that other `hookwright` processes use.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::edit::{self, Edit};
use super::error::SandboxError;
use super::faults::Faults;
use super::files::FORMAT;
use super::reply::Reply;
use super::seed;
use super::service::{self, Service};
use crate::words;

/// Answers a request below `/__sandbox/`.
pub(super) fn answer(service: &Service, method: &Method, path: &str, query: Option<&str>, body: &Bytes) -> Reply {
    let done = match (method.as_str(), path) {
        // A client invents a token only after this response.
        ("GET", "identity") => Ok(json!({ "hookwright_sandbox": FORMAT, "id": service.id() })),
        ("GET", "state") => Ok(service.snapshot()),
        ("GET", "log") => Ok(service.log()),
        ("POST", "reset") => service.reset().map(|done| json!(done)),
        ("POST", "seed") => {
            let replace = query.is_some_and(|query| query.split('&').any(|part| part == "replace=true"));
            seed::parse_one(&String::from_utf8_lossy(body), Path::new("seed"))
                .and_then(|seed| service.seed(&seed, replace))
                .map(|done| json!(done))
        }
        ("POST", "edit") => serde_json::from_slice::<Edit>(body)
            .map_err(|error| SandboxError::Edit(words::of_json(&error)))
            .and_then(|wanted| {
                service.edit(|state| edit::apply(&mut state.world, &wanted, &service::rfc3339(service::now())))
            })
            .map(|message| json!(message)),
        ("GET", "faults") => Ok(service.faults()),
        ("POST", "faults") => Faults::parse(&String::from_utf8_lossy(body), Path::new("faults")).map(|faults| {
            service.set_faults(faults);
            service.faults()
        }),
        ("DELETE", "faults") => {
            service.set_faults(Faults::default());
            Ok(service.faults())
        }
        _ => return Reply::errors(404, "Not Found"),
    };
    match done {
        Ok(body) => Reply::json(200, body),
        Err(error) => Reply::errors(422, error.to_string()),
    }
}

/// Sends a request to the sandbox that listens on `server`. An error response becomes an error with its message.
pub(super) fn post<T: DeserializeOwned>(server: SocketAddr, path: &str, body: &str) -> Result<T, SandboxError> {
    let answer = exchange(server, path, body).map_err(|error| {
        SandboxError::Edit(format!(
            "the process that uses the sandbox state does not answer on {server}: {}",
            words::of_io(&error)
        ))
    })?;
    match answer.get("errors") {
        Some(errors) => Err(SandboxError::Edit(errors.as_str().map_or_else(|| errors.to_string(), str::to_owned))),
        None => serde_json::from_value(answer).map_err(|error| SandboxError::Edit(words::of_json(&error))),
    }
}

/// Sends one HTTP request over loopback and reads the response until the connection is closed.
fn exchange(server: SocketAddr, path: &str, body: &str) -> io::Result<Value> {
    let timeout = Some(Duration::from_secs(10));
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(timeout)?;
    stream.set_write_timeout(timeout)?;
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
