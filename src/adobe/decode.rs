//! Converts Adobe's JSON to `Inlet` and `FlowRun`. Pure and lenient: a missing value, or one of another type, is
//! `None`, because Adobe's own description of the API (flow-service.yaml) omits many fields of its examples.

use jiff::Timestamp;
use serde_json::Value;

use super::{FlowRun, Inlet, InletKind};
use crate::http::Redactor;

/// The connection spec of the HTTP API source (Experience League, "Create an HTTP API streaming connection").
pub(super) const HTTP_API: &str = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb";
/// The flow specs of streaming sources: `GenericStreamingAEP`, which includes Shopify Streaming, and the HTTP API's
/// with and without transformations.
const STREAMING: [&str; 3] = [
    "e77fde5a-22a8-11ed-861d-0242ac120002",
    "c1a19761-d2c7-4702-b9fa-fe91f0613e81",
    "d8a6f005-7eaf-4153-983e-e8574508b877",
];
const HTTP_API_FLOWS: [&str; 2] = [STREAMING[1], STREAMING[2]];

/// Returns a page's items; `None` if it is not a page. The response to a request by id is a page with one item.
pub(super) fn items(page: &Value) -> Option<&Vec<Value>> {
    page.get("items")?.as_array()
}

/// Returns the query of the next page from `_links.next.href`. Its scheme, host and path are not used, so that no
/// response can redirect a token.
pub(super) fn next(page: &Value) -> Option<&str> {
    let href = page.pointer("/_links/next/href")?.as_str()?;
    let query = href.split_once('?')?.1.split('#').next()?;
    Some(query).filter(|query| !query.is_empty())
}

/// Parses a dataflow or connection; `None` without an id.
pub(super) fn inlet(kind: InletKind, item: &Value, redactor: &Redactor) -> Option<Inlet> {
    let params = item.pointer("/auth/params");
    let (address, authentication_required) = match kind {
        InletKind::Flow => (text(item.pointer("/options/inletUrl")), false),
        InletKind::Connection => (
            text(params.and_then(|params| params.get("inletUrl"))),
            params.and_then(|params| params.get("authenticationRequired")).is_some_and(is_true),
        ),
    };
    Some(Inlet {
        kind,
        id: id(item)?.to_owned(),
        name: item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        state: redactor.clean(item.get("state").and_then(Value::as_str).unwrap_or_default()),
        address,
        authentication_required,
        created_at: time(item.get("createdAt")),
        updated_at: time(item.get("updatedAt")),
        org: text(item.get("imsOrgId")),
        sandbox: text(item.get("sandboxName")),
        last_run_state: text(item.pointer("/lastRunDetails/state")).map(|state| redactor.clean(&state)),
    })
}

/// Parses a run; `None` without an id.
pub(super) fn run(item: &Value, redactor: &Redactor) -> Option<FlowRun> {
    let at = |path| time(item.pointer(path));
    let count = |path| item.pointer(path).and_then(Value::as_u64);
    let error = item.pointer("/metrics/statusSummary/errors/0").map(|error| {
        let part = |key: &str| error.get(key).and_then(|value| value.as_str().map(str::to_owned));
        let parts: Vec<String> = part("code").into_iter().chain(part("message")).collect();
        redactor.clean(&parts.join(": "))
    });
    Some(FlowRun {
        id: id(item)?.to_owned(),
        started_at: at("/metrics/durationSummary/startedAtUTC").or_else(|| at("/createdAt")),
        completed_at: at("/metrics/durationSummary/completedAtUTC"),
        status: text(item.pointer("/metrics/statusSummary/status")).map(|status| redactor.clean(&status)),
        received: count("/metrics/recordSummary/inputRecordCount"),
        created: count("/metrics/recordSummary/createdRecordCount")
            .or_else(|| count("/metrics/recordSummary/outputRecordCount")),
        failed: count("/metrics/recordSummary/failedRecordCount"),
        first_error: error.filter(|text| !text.is_empty()),
    })
}

pub(super) fn id(item: &Value) -> Option<&str> {
    item.get("id")?.as_str().filter(|id| !id.is_empty() && !id.contains(char::is_control))
}

/// Returns whether a dataflow is of a kind that can have a streaming address.
pub(super) fn is_streaming(flow: &Value) -> bool {
    flow.pointer("/flowSpec/id").and_then(Value::as_str).is_some_and(|spec| STREAMING.contains(&spec))
}

/// Returns whether the connection of a dataflow belongs to the HTTP API source, so that it may require authentication.
pub(super) fn is_http_api_flow(flow: &Value) -> bool {
    flow.pointer("/flowSpec/id").and_then(Value::as_str).is_some_and(|spec| HTTP_API_FLOWS.contains(&spec))
}

/// Returns whether a connection belongs to the HTTP API source. Without a connection spec it does, as requested.
pub(super) fn is_http_api(connection: &Value) -> bool {
    connection.pointer("/connectionSpec/id").and_then(Value::as_str).is_none_or(|spec| spec == HTTP_API)
}

/// The connections that may have a dataflow's address.
pub(super) struct Sources<'a> {
    /// Base connections in the dataflow itself.
    pub(super) bases: Vec<&'a str>,
    /// Source connections, which refer to their base connection.
    pub(super) sources: Vec<&'a str>,
}

/// Returns the source connections of a dataflow.
pub(super) fn sources(flow: &Value) -> Sources<'_> {
    let inherited = flow.pointer("/inheritedAttributes/sourceConnections").and_then(Value::as_array);
    let bases = inherited.into_iter().flatten().filter_map(|source| source.pointer("/baseConnection/id")?.as_str());
    let sources = flow.get("sourceConnectionIds").and_then(Value::as_array);
    Sources { bases: bases.collect(), sources: sources.into_iter().flatten().filter_map(Value::as_str).collect() }
}

fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Accepts `"true"` too, because mistaking it for false would lose events.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

/// Parses milliseconds since 1970, or RFC 3339. Adobe uses zero for "never".
fn time(value: Option<&Value>) -> Option<Timestamp> {
    match value? {
        Value::Number(number) => milliseconds(&number.to_string()),
        Value::String(text) => text.parse().ok().or_else(|| milliseconds(text)),
        _ => None,
    }
}

/// Parses a number of milliseconds, which may have a fraction.
fn milliseconds(number: &str) -> Option<Timestamp> {
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    Timestamp::from_millisecond(whole.parse().ok().filter(|ms| *ms > 0)?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FLOW: &str = include_str!("../../tests/fixtures/adobe/flow.json");
    const CONNECTION: &str = include_str!("../../tests/fixtures/adobe/connection.json");
    const RUNS: &str = include_str!("../../tests/fixtures/adobe/runs.json");

    fn item(page: &str) -> Value {
        items(&serde_json::from_str(page).expect("JSON")).expect("items")[0].clone()
    }

    fn at(ms: i64) -> Option<Timestamp> {
        Timestamp::from_millisecond(ms).ok()
    }

    #[test]
    fn the_documented_flow_is_parsed() {
        let item = item(FLOW);
        assert_eq!(
            inlet(InletKind::Flow, &item, &Redactor::default()).expect("inlet"),
            Inlet {
                kind: InletKind::Flow,
                id: "4982698b-e6b3-48c2-8dcf-040e20121fd2".into(),
                name: "Streaming Dataflow for Customer.io".into(),
                state: "enabled".into(),
                address: Some(
                    "https://dcs.adobedc.net/collection/e75dcb5247eb65e7385df30270192e80b145566f52ed74d570505bd2e82463f3"
                        .into()
                ),
                authentication_required: false,
                created_at: at(1_676_629_979_503),
                updated_at: at(1_676_629_985_390),
                org: Some("{ORG_ID}".into()),
                sandbox: Some("{SANDBOX_NAME}".into()),
                last_run_state: Some("partialSuccess".into()),
            }
        );
        assert!(is_streaming(&item) && !is_http_api_flow(&item));
        assert_eq!(sources(&item).sources, ["133bb51f-f310-4b4a-b8b2-731aef1e223c"]);
    }

    #[test]
    fn the_documented_connection_is_parsed() {
        let mut item = item(CONNECTION);
        let read = |item: &Value| inlet(InletKind::Connection, item, &Redactor::default()).expect("inlet");
        let found = read(&item);
        assert!(found.address.as_deref().is_some_and(|address| address.ends_with("18b62e1b985ec")), "{found:?}");
        assert!(!found.authentication_required && is_http_api(&item));
        for yes in [json!(true), json!("true")] {
            item["auth"]["params"]["authenticationRequired"] = yes;
            assert!(read(&item).authentication_required);
        }
        item["auth"]["params"] = json!({});
        assert_eq!((read(&item).address, read(&item).authentication_required), (None, false));
    }

    #[test]
    fn the_documented_run_is_parsed() {
        let run = run(&item(RUNS), &Redactor::default()).expect("run");
        assert_eq!(
            run,
            FlowRun {
                id: "65b7cfcc-6b2e-47c8-8194-13005b792752".into(),
                started_at: at(1_596_656_480_000),
                completed_at: at(1_596_656_540_000),
                status: Some("failed".into()),
                received: Some(1200),
                created: Some(1188),
                failed: Some(12),
                first_error: Some("DCVS-1106-400: 12 rows failed".into()),
            }
        );
    }

    #[test]
    fn a_missing_value_or_one_of_another_type_is_none() {
        for item in [
            json!({ "id": "a" }),
            json!({ "id": "a", "name": 1, "state": [], "options": "x", "auth": null, "createdAt": "soon", "updatedAt": 0,
                "imsOrgId": {}, "sandboxName": " ", "lastRunDetails": [], "metrics": { "recordSummary": -1 },
                "inheritedAttributes": { "sourceConnections": [1, { "baseConnection": {} }] },
                "sourceConnectionIds": [1] }),
        ] {
            for kind in [InletKind::Flow, InletKind::Connection] {
                let inlet = inlet(kind, &item, &Redactor::default()).expect("inlet");
                assert_eq!((inlet.name.as_str(), inlet.state.as_str(), inlet.address), ("", "", None));
                assert_eq!((inlet.created_at, inlet.updated_at, inlet.org, inlet.sandbox), (None, None, None, None));
            }
            let run = run(&item, &Redactor::default()).expect("run");
            assert_eq!((run.started_at, run.status, run.failed, run.first_error), (None, None, None, None));
            let sources = sources(&item);
            assert!(sources.bases.is_empty() && sources.sources.is_empty());
        }
        assert_eq!(inlet(InletKind::Flow, &json!({ "name": "a" }), &Redactor::default()), None);
        assert_eq!(time(Some(&json!("2026-01-01T00:00:00Z"))), at(1_767_225_600_000));
    }

    #[test]
    fn only_the_query_of_the_next_page_is_used() {
        let next_of = |href: Value| {
            let page = json!({ "items": [], "_links": { "next": { "href": href } } });
            next(&page).map(str::to_owned)
        };
        assert_eq!(next_of(json!("/flows?continuationToken=a+b%3D")).as_deref(), Some("continuationToken=a+b%3D"));
        assert_eq!(
            next_of(json!("https://evil.example/x?continuationToken=a#b")).as_deref(),
            Some("continuationToken=a")
        );
        for last in [json!(null), json!(""), json!("/flows"), json!("/flows?"), json!(7)] {
            assert_eq!(next_of(last.clone()), None, "{last}");
        }
        for page in [json!({}), json!({ "_links": {} }), json!({ "_links": null })] {
            assert_eq!(next(&page), None);
        }
    }
}
