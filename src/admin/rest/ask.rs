//! One request and its answer: waits for the bucket, tries again where that is safe, tells a refusal from a failure.

use reqwest::Method;
use serde_json::{Map, Value};

use super::refusal;
use crate::admin::classify;
use crate::admin::error::AdminError;
use crate::admin::http::{Answer, Request};
use crate::admin::refusal::UserError;
use crate::admin::retry::{Purpose, Tally, retry_after};
use crate::admin::session::{Failure, Session};
use crate::admin::throttle::Bucket;
use crate::json::names_a_key_twice;

pub(super) struct Ask {
    pub(super) purpose: Purpose,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) body: Option<Vec<u8>>,
}

pub(super) enum Reply {
    /// It was done.
    Body(Body),
    /// It was looked at and refused; nothing happened.
    Refused(Vec<UserError>),
}

pub(super) struct Body {
    pub(super) json: Map<String, Value>,
    /// In bytes.
    pub(super) size: usize,
    pub(super) link: Option<String>,
    pub(super) served_version: Option<String>,
    pub(super) deprecated_reason: Option<String>,
}

/// Every request takes one of the bucket's calls.
const CALL: f64 = 1.0;

/// Sends a request until it is answered or there is no use in trying.
pub(super) async fn ask(session: &mut Session, ask: &Ask) -> Result<Reply, AdminError> {
    let mut tally = Tally::default();
    loop {
        session.before(Some(CALL), ask.purpose).await.map_err(|error| tally.cause(error, ask.purpose))?;
        match exchange(session, ask).await {
            Ok(reply) => return Ok(reply),
            Err(failure) => session.again(failure, &mut tally, Some(CALL), ask.purpose).await?,
        }
    }
}

async fn exchange(session: &mut Session, ask: &Ask) -> Result<Reply, Failure> {
    let Ask { purpose, method, url, body } = ask;
    let request = Request { method: method.clone(), url, body: body.clone() };
    let answer = session.send(request, *purpose).await?;
    learn(session, &answer);
    if matches!(answer.status, 200 | 201) {
        let json = match serde_json::from_slice(&answer.body) {
            Ok(Value::Object(json)) if !names_a_key_twice(&answer.body) && !says_errors(&json) => json,
            _ => return Err(classify::unreadable(&answer, "REST", &session.redactor).into()),
        };
        let Answer { link, served_version, deprecated_reason, body, .. } = answer;
        return Ok(Reply::Body(Body { json, size: body.len(), link, served_version, deprecated_reason }));
    }
    if *purpose == Purpose::Mutate
        && let Some(errors) = refusal::of(&answer, *method != Method::POST, &session.redactor)
    {
        return Ok(Reply::Refused(errors));
    }
    let asked = answer.retry_after.as_deref().and_then(retry_after);
    Err(Failure { error: session.status_error(&answer, url.contains("/admin/api/")), asked })
}

/// An answer with errors in it is none, whatever its status and whatever else it has.
fn says_errors(json: &Map<String, Value>) -> bool {
    ["errors", "error"].iter().any(|key| json.get(*key).is_some_and(|said| !classify::words(said).is_empty()))
}

/// Takes what the answer says of the bucket; where it says nothing, one call more was taken, and after 429 all.
fn learn(session: &mut Session, answer: &Answer) {
    let now = session.now_ms();
    let said = answer.call_limit.as_deref().and_then(|header| Bucket::of_calls(header, now));
    let guessed = session.bucket.map(|bucket| match answer.status {
        429 => bucket.spent(bucket.available_at(now), now),
        _ => bucket.spent(CALL, now),
    });
    session.bucket = said.or(guessed);
}
