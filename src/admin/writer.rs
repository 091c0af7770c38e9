//! Changes one shop: a batch of mutations as one document (REST: one by one), always with one answer for each.
//!
//! Makes no decisions about the changes. It only distinguishes changes that happened, did not happen, or are unknown.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::{Answer, RefusalKind, UserError, made};
use super::documents::{self, Mutation};
use super::envelope::{Envelope, GraphqlError};
use super::error::{AdminError, AdminErrorKind};
use super::reader::{Reading, ShopReader};
use super::retry::Purpose;
use super::throttle::Bucket;
use super::{AdminClient, Renew, decode, rest};
use crate::http::{Classified as _, Proof, Redactor};
use crate::model::{ShopDomain, Topic, Transport};

/// Changes one shop, and can read it.
pub(crate) struct ShopWriter {
    reader: ShopReader,
    cost_each: f64,
    read_at: Option<Instant>,
}

/// The result of one document.
enum Outcome {
    Answered(Envelope),
    /// Refused as a whole; nothing was changed.
    Refused(Envelope, AdminError),
    Failed(AdminError),
}

impl ShopWriter {
    pub(super) fn new(client: AdminClient, shop: &ShopDomain, token: &SecretString) -> Self {
        // Recorded: 10 a mutation, 11 with metafields selected.
        Self { reader: ShopReader::new(client, shop, token), cost_each: 11.0, read_at: None }
    }

    /// Sets the function that replaces a refused token, after which the request is sent again once.
    #[must_use]
    pub(crate) fn renewing(mut self, renew: Renew) -> Self {
        self.reader.session().renew_with(renew);
        self
    }

    /// Reads the whole shop, or fails.
    pub(crate) async fn read(&mut self) -> Result<Reading, AdminError> {
        self.read_at = Some(Instant::now());
        self.reader.read().await
    }

    /// Returns the time since the last reading began; `None` if there was none.
    pub(crate) fn since_read(&self) -> Option<Duration> {
        self.read_at.map(|at| at.elapsed())
    }

    /// Returns the number of mutations to send at once. It is exact after the first response.
    pub(crate) fn batch_limit(&self) -> usize {
        if self.reader.transport() == Transport::Rest {
            return rest::BATCH;
        }
        self.reader.bucket().map_or(Bucket::UNKNOWN_BATCH_LIMIT, |bucket| bucket.batch_limit())
    }

    /// Sends the batch and returns an answer for each mutation, in the same order.
    pub(crate) async fn send(&mut self, batch: &[Mutation]) -> Vec<Answer> {
        match self.reader.transport() {
            Transport::GraphQl => self.send_document(batch).await,
            Transport::Rest => rest::send(self.reader.session(), batch).await,
        }
    }

    /// Sends the batch as one document.
    ///
    /// A document that is refused as a whole changed nothing: the mutations that its errors name fail, and the others
    /// are sent again without them. If no mutation is named, each is sent alone.
    async fn send_document(&mut self, batch: &[Mutation]) -> Vec<Answer> {
        let mut answers: Vec<Option<Answer>> = batch.iter().map(|_| None).collect();
        let mut groups: Vec<Vec<usize>> = vec![(0..batch.len()).collect()];
        let mut stopped: Option<AdminError> = None;
        while let Some(mut group) = groups.pop() {
            if group.is_empty() {
                continue;
            }
            if let Some(error) = &stopped {
                for n in group {
                    answers[n] = Some(Answer::Failed(error.clone().proven()));
                }
                continue;
            }
            match self.document(batch, &group).await {
                Outcome::Answered(mut envelope) => {
                    for n in group {
                        answers[n] = Some(self.answer(&mut envelope, &batch[n], n));
                    }
                }
                Outcome::Refused(envelope, error) => {
                    let named = named(&envelope.errors, batch, &group, &self.reader.session().redactor);
                    if named.is_empty() && group.len() > 1 {
                        // Popped from the end, so that they are sent in order.
                        groups.extend(group.iter().rev().map(|&n| vec![n]));
                        continue;
                    }
                    if named.is_empty() {
                        answers[group[0]] = Some(Answer::Failed(error));
                        continue;
                    }
                    group.retain(|n| !named.iter().any(|(m, _)| m == n));
                    for (n, error) in named {
                        answers[n] = Some(Answer::Failed(error));
                    }
                    groups.push(group);
                }
                Outcome::Failed(error) => {
                    let answer = match error.proof {
                        Proof::NothingHappened => Answer::Failed(error.clone()),
                        Proof::Unknown => Answer::Lost(error.clone()),
                    };
                    for n in group {
                        answers[n] = Some(answer.clone());
                    }
                    if error.kind.ends_shop() {
                        stopped = Some(error);
                    }
                }
            }
        }
        answers
            .into_iter()
            .map(|answer| {
                answer.unwrap_or_else(|| {
                    Answer::Lost(decode::unexpected("no result for a mutation", &self.reader.session().redactor))
                })
            })
            .collect()
    }

    async fn document(&mut self, batch: &[Mutation], group: &[usize]) -> Outcome {
        let document = documents::mutations(batch, group);
        #[expect(clippy::cast_precision_loss, reason = "a batch has at most a few dozen")]
        let count = group.len() as f64;
        let cost = Some(self.cost_each * count);
        let session = self.reader.session();
        match session.call(&document, cost, Purpose::Mutate).await {
            Ok(envelope) => {
                let refusal = envelope.first_error(&session.redactor).filter(|_| envelope.is_refusal());
                if let Some(cost) = envelope.requested_cost {
                    self.cost_each = self.cost_each.max(cost / count);
                }
                match refusal {
                    Some(error) if error.kind.ends_shop() => Outcome::Failed(error),
                    Some(error) => Outcome::Refused(envelope, error),
                    None => Outcome::Answered(envelope),
                }
            }
            Err(error) => Outcome::Failed(error),
        }
    }

    fn answer(&mut self, envelope: &mut Envelope, mutation: &Mutation, n: usize) -> Answer {
        let redactor = &self.reader.session().redactor;
        let alias = mutation.alias(n);
        let payload = envelope.data.as_mut().and_then(|data| data.remove(&alias));
        let payload = payload.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null);
        let its = envelope.errors.iter().find(|error| error.path.first() == Some(&alias));
        if let Some(error) = its {
            // An error on the alias itself proves that it was not carried out; an error below it does not.
            let denied = error.kind() == AdminErrorKind::AccessDenied && error.path.len() == 1 && payload.is_null();
            let failure = error.to_failure(redactor);
            return if denied { Answer::Failed(failure.proven()) } else { Answer::Lost(failure) };
        }
        if payload.is_null() {
            let error = envelope.first_error(redactor);
            return Answer::Lost(
                error.unwrap_or_else(|| decode::unexpected(&format!("`{alias}` is missing"), redactor)),
            );
        }
        judge(payload, mutation, redactor).unwrap_or_else(Answer::Lost)
    }
}

/// Reads the payload of one alias.
fn judge(mut payload: Value, mutation: &Mutation, redactor: &Redactor) -> Result<Answer, AdminError> {
    let Some(Value::Array(list)) = payload.get("userErrors") else {
        return Err(decode::unexpected("`userErrors` is missing", redactor));
    };
    let errors: Vec<_> = list.iter().map(|error| UserError::read(error, redactor)).collect();
    if !errors.is_empty() {
        let kind = RefusalKind::of(&errors);
        return Ok(Answer::Refused { errors, kind });
    }
    if let Mutation::Delete { id } = mutation {
        let deleted = payload.get("deletedWebhookSubscriptionId").and_then(Value::as_str);
        return if deleted == Some(id.as_str()) {
            Ok(Answer::Done(None))
        } else {
            Err(decode::unexpected("the id of the deleted subscription is missing", redactor))
        };
    }
    let entry = decode::subscription(payload["webhookSubscription"].take(), redactor)?;
    made(mutation, entry, redactor)
}

/// Returns the mutations of `group` that the errors of a refused document name, by an alias in the path or by a
/// variable.
fn named(
    errors: &[GraphqlError],
    batch: &[Mutation],
    group: &[usize],
    redactor: &Redactor,
) -> Vec<(usize, AdminError)> {
    let its = |n: usize| {
        let alias = batch[n].alias(n);
        errors.iter().find(|error| error.path.contains(&alias) || variable_of(&error.message) == Some(n))
    };
    let failure = |n: usize, error: &GraphqlError| {
        let failure = error.to_failure(redactor);
        match &batch[n] {
            Mutation::Create { topic, .. } if is_topic_of(&error.message, n) => failure.saying(unknown_topic(topic)),
            _ => failure,
        }
    };
    group.iter().filter_map(|&n| Some((n, failure(n, its(n)?).proven()))).collect()
}

/// Returns whether a message is about the variable with the topic of mutation `n`.
fn is_topic_of(message: &str, n: usize) -> bool {
    variable_of(message) == Some(n) && message.split_once('$').is_some_and(|(_, rest)| rest.starts_with('t'))
}

/// Replaces Shopify's text, which names an internal variable and lists every topic.
fn unknown_topic(topic: &Topic) -> String {
    format!(
        "the topic {topic} ({}) does not exist in this version of the shop's Admin API. Correct it in the manifest \
         (`hookwright topics WORD` searches), set another `admin_api.version`, or remove the binding",
        topic.graphql()
    )
}

/// Returns the number in the first `$t3`, `$i3` or `$d3` of a message such as "Variable $i3 of type … was provided
/// invalid value". Only the first counts, because the rest may quote the user's values.
fn variable_of(message: &str) -> Option<usize> {
    let rest = message.split_once('$')?.1;
    let rest = rest.strip_prefix(['t', 'i', 'd'])?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let ends_there = !rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    rest[..end].parse().ok().filter(|_| ends_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_of_a_message_is_read() {
        for (message, n) in [
            ("Variable $t0 of type WebhookSubscriptionTopic! was provided invalid value", Some(0)),
            ("Variable $i12 of type X! was provided invalid value for filter ($t3)", Some(12)),
            ("Variable $i1x is odd", None),
            ("Variable $topic of type X", None),
            ("Throttled", None),
            ("$", None),
        ] {
            assert_eq!(variable_of(message), n, "{message}");
        }
    }
}
