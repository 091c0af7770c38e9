//! The REST webhook resource over the same store. Like Shopify's, it has no filter and no name.
//!
//! Texts and shapes are those of Shopify's documentation and libraries; REST responses were not recorded. Address errors
//! follow the rule that REST maps attributes to messages where GraphQL has sentences.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::catalog;
use crate::model::{Format, ShopDomain, Topic};

use super::bucket::Bucket;
use super::page::{MAX_PAGE, PageShift, base64, unbase64};
use super::reply::Reply;
use super::rules::{Attribute, Violation};
use super::store::{BucketSize, StoredShop};
use super::subscription::{Input, Subscription};
use super::version;

const DEFAULT_PAGE: usize = 50;
const RETRY_AFTER: &str = "2.0";

/// A REST request below `/admin/api/{version}/`.
pub(super) struct RestRequest<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) body: &'a [u8],
    pub(super) shift: Option<PageShift>,
}

/// The response, and the ids of the subscriptions that were created, changed or deleted.
pub(super) struct RestResult {
    pub(super) reply: Reply,
    pub(super) touched: Vec<u64>,
}

impl From<Reply> for RestResult {
    fn from(reply: Reply) -> Self {
        Self { reply, touched: Vec::new() }
    }
}

/// The bucket of REST requests: 40 requests and 2 a second where GraphQL has 2000 points and 100 a second.
pub(super) fn bucket_size(graphql: BucketSize) -> BucketSize {
    BucketSize { max: (graphql.max / 50).max(1), restore: (graphql.restore / 50).max(1) }
}

/// Answers a request. `at` is the time, RFC 3339.
pub(super) fn answer(
    domain: &ShopDomain,
    shop: &mut StoredShop,
    bucket: &mut Bucket,
    version: &'static str,
    request: &RestRequest<'_>,
    at: &str,
) -> RestResult {
    let size = bucket_size(shop.bucket);
    let limit = |bucket: &Bucket| format!("{}/{}", size.max - bucket.whole(), size.max);
    if !bucket.has(1) {
        let message = format!(
            "Exceeded {} calls per second for api client. Reduce request rates to resume uninterrupted service.",
            size.restore
        );
        let reply = Reply::errors(429, message).header("retry-after", RETRY_AFTER);
        return reply.header("x-shopify-shop-api-call-limit", limit(bucket)).into();
    }
    bucket.take(1);
    let mut done = route(domain, shop, version, request, at);
    done.reply = done.reply.header("x-shopify-shop-api-call-limit", limit(bucket));
    done
}

fn route(
    domain: &ShopDomain,
    shop: &mut StoredShop,
    version: &'static str,
    request: &RestRequest<'_>,
    at: &str,
) -> RestResult {
    let not_found = || Reply::errors(404, "Not Found").into();
    let parameters: HashMap<String, String> =
        form_urlencoded::parse(request.query.unwrap_or_default().as_bytes()).into_owned().collect();
    match (request.method, request.path) {
        ("GET", "webhooks.json") => list(domain, shop, version, &parameters, request.shift).into(),
        ("GET", "webhooks/count.json") => {
            let count = shop.subscriptions.values().filter(|s| matches(s, &parameters)).count();
            Reply::json(200, json!({ "count": count })).into()
        }
        ("POST", "webhooks.json") => match webhook(request.body) {
            Ok(webhook) => create(shop, version, &webhook, at),
            Err(reply) => reply.into(),
        },
        (method, path) => {
            let id = path.strip_prefix("webhooks/").and_then(|rest| rest.strip_suffix(".json")?.parse::<u64>().ok());
            let Some(id) = id.filter(|id| shop.subscriptions.contains_key(id)) else { return not_found() };
            match method {
                "GET" => one(200, &shop.subscriptions[&id]).into(),
                "PUT" => match webhook(request.body) {
                    Ok(webhook) => update(shop, id, &webhook, at),
                    Err(reply) => reply.into(),
                },
                "DELETE" => {
                    shop.subscriptions.remove(&id);
                    RestResult { reply: Reply::json(200, json!({})), touched: vec![id] }
                }
                _ => not_found(),
            }
        }
    }
}

fn webhook(body: &[u8]) -> Result<Map<String, Value>, Reply> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let missing = || Reply::errors(400, json!({"webhook": "Required parameter missing or invalid"}));
    body.get("webhook").and_then(Value::as_object).cloned().ok_or_else(missing)
}

fn input(webhook: &Map<String, Value>) -> Input {
    let texts = |name: &str| -> Option<Vec<String>> {
        let items = webhook.get(name)?.as_array()?;
        Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    };
    Input {
        uri: webhook.get("address").and_then(Value::as_str).map(str::to_owned),
        include_fields: texts("fields"),
        metafield_namespaces: texts("metafield_namespaces"),
        ..Input::default()
    }
}

fn create(shop: &mut StoredShop, version: &'static str, webhook: &Map<String, Value>, at: &str) -> RestResult {
    let text = |name: &str| webhook.get(name).and_then(Value::as_str).unwrap_or_default();
    let info = catalog::lookup(&Topic::from_slash(text("topic")));
    let allowed = |info: &&catalog::TopicInfo| version::has_topic(version, info) && shop.may_subscribe(&info.graphql());
    let Some(info) = info.filter(allowed) else {
        let topics: Vec<_> = catalog::all().iter().filter(allowed).map(|info| info.name).collect();
        let mut messages = vec![format!(
            "Invalid topic specified: {}. Does it exist? Is there a missing access scope? Topics allowed: {}",
            text("topic"),
            topics.join(", ")
        )];
        if text("topic").is_empty() {
            messages.push("can't be blank".into());
        }
        let mut errors = json!({ "topic": messages });
        if text("address").trim().is_empty() {
            errors["address"] = json!(["can't be blank"]);
        }
        return Reply::errors(422, errors).into();
    };
    let format = match webhook.get("format").map(|format| format.as_str().and_then(Format::parse)) {
        Some(None) => return Reply::errors(422, json!({"format": ["is invalid"]})).into(),
        format => format.flatten(),
    };
    let made = shop.create(&info.graphql(), Input { format, ..input(webhook) }, at);
    match made {
        Ok(id) => RestResult { reply: one(201, &shop.subscriptions[&id]), touched: vec![id] },
        Err(violations) => invalid(&violations).into(),
    }
}

/// Changes the address and the lists; nothing else can be changed.
fn update(shop: &mut StoredShop, id: u64, webhook: &Map<String, Value>, at: &str) -> RestResult {
    match shop.update(id, input(webhook), at) {
        Ok(()) => RestResult { reply: one(200, &shop.subscriptions[&id]), touched: vec![id] },
        Err(violations) => invalid(&violations).into(),
    }
}

fn invalid(violations: &[Violation]) -> Reply {
    let mut errors: Map<String, Value> = Map::new();
    for violation in violations {
        let key = match violation.attribute {
            Attribute::Id => "id",
            Attribute::Topic => "topic",
            Attribute::Address => "address",
            Attribute::Format => "format",
            Attribute::Name => "name",
            Attribute::Base => "base",
        };
        if let Value::Array(messages) = errors.entry(key).or_insert_with(|| json!([])) {
            messages.push(violation.message.clone().into());
        }
    }
    Reply::errors(422, errors)
}

fn one(status: u16, s: &Subscription) -> Reply {
    Reply::json(status, json!({ "webhook": object(s) }))
}

fn object(s: &Subscription) -> Value {
    let metafields: Vec<_> = s.metafields.iter().map(|m| json!({"namespace": m.namespace, "key": m.key})).collect();
    json!({
        "id": s.id,
        "address": s.uri,
        "topic": catalog::from_graphql(&s.topic).as_str(),
        "created_at": in_the_shops_zone(&s.created_at),
        "updated_at": in_the_shops_zone(&s.updated_at),
        "format": s.format.as_str(),
        "fields": s.include_fields,
        "metafield_namespaces": s.metafield_namespaces,
        "api_version": s.api_version,
        "private_metafield_namespaces": [],
        "metafield_identifiers": metafields,
    })
}

/// REST returns times with the offset of the shop. All shops of the sandbox are five hours behind UTC.
fn in_the_shops_zone(time: &str) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return time.to_owned() };
    time.to_zoned(TimeZone::fixed(Offset::constant(-5))).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn matches(s: &Subscription, parameters: &HashMap<String, String>) -> bool {
    let bound = |name: &str, time: &str, order: fn(&Timestamp, &Timestamp) -> bool| {
        let (Some(bound), Ok(time)) = (parameters.get(name), time.parse()) else { return true };
        bound.parse().is_ok_and(|bound| order(&time, &bound))
    };
    parameters.get("address").is_none_or(|address| *address == s.uri)
        && parameters.get("topic").is_none_or(|topic| Topic::from_slash(topic).graphql() == s.topic)
        && bound("created_at_min", &s.created_at, Timestamp::ge)
        && bound("created_at_max", &s.created_at, Timestamp::le)
        && bound("updated_at_min", &s.updated_at, Timestamp::ge)
        && bound("updated_at_max", &s.updated_at, Timestamp::le)
}

fn list(
    domain: &ShopDomain,
    shop: &StoredShop,
    version: &str,
    parameters: &HashMap<String, String>,
    shift: Option<PageShift>,
) -> Reply {
    let limit = parameters.get("limit").map_or(Some(DEFAULT_PAGE), |limit| limit.parse().ok());
    let Some(limit) = limit.filter(|limit| (1..=MAX_PAGE).contains(limit)) else {
        return Reply::errors(400, json!({"limit": format!("must be between 1 and {MAX_PAGE}")}));
    };
    let limit = shift.map_or(limit, |shift| limit.min(shift.size));
    // A cursor contains the filters of the first page.
    let mut filters = match parameters.get("page_info") {
        None => parameters.clone(),
        Some(cursor) => {
            let text = unbase64(&cursor.replace('-', "+").replace('_', "/"));
            let Some(text) = text.filter(|text| text.contains("_id=")) else {
                return Reply::errors(400, json!({"page_info": "Invalid value."}));
            };
            form_urlencoded::parse(text.as_bytes()).into_owned().collect()
        }
    };
    let number = |name: &str| filters.get(name).and_then(|id| id.parse::<u64>().ok());
    let (since, before) = (number("since_id"), number("before_id"));
    let all: Vec<_> = shop.subscriptions.values().filter(|s| matches(s, &filters)).collect();
    let begin = |id| {
        let start = all.partition_point(|s| s.id <= id);
        shift.map_or(start, |shift| shift.start(start, all.len()))
    };
    let start = since.map_or(0, begin);
    let end = before.map_or(all.len(), |id| all.partition_point(|s| s.id < id));
    let (from, to) = match before {
        Some(_) => (end.saturating_sub(limit), end),
        None => (start, all.len().min(start + limit)),
    };
    let page = &all[from..to];
    let mut objects: Vec<Value> = page.iter().map(|s| object(s)).collect();
    if let Some(fields) = parameters.get("fields") {
        let wanted: Vec<_> = fields.split(',').map(str::trim).collect();
        for object in objects.iter_mut().filter_map(Value::as_object_mut) {
            object.retain(|key, _| wanted.contains(&key.as_str()));
        }
    }
    filters.retain(|name, _| !["limit", "fields", "since_id", "before_id"].contains(&name.as_str()));
    let link = |name: &str, id: u64, relation: &str| {
        let mut sorted: Vec<_> = filters.iter().collect();
        sorted.sort();
        let cursor = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(sorted)
            .append_pair(name, &id.to_string())
            .finish();
        let cursor = base64(&cursor).replace('+', "-").replace('/', "_").replace('=', "");
        let url = format!("https://{domain}/admin/api/{version}/webhooks.json?limit={limit}&page_info={cursor}");
        format!("<{url}>; rel=\"{relation}\"")
    };
    let previous = page.first().filter(|_| from > 0 && parameters.contains_key("page_info"));
    let next = page.last().filter(|_| to < all.len());
    let links: Vec<_> = previous
        .map(|s| link("before_id", s.id, "previous"))
        .into_iter()
        .chain(next.map(|s| link("since_id", s.id, "next")))
        .collect();
    let reply = Reply::json(200, json!({ "webhooks": objects }));
    if links.is_empty() { reply } else { reply.header("link", links.join(", ")) }
}
