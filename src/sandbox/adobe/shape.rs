//! The JSON of items, as in Adobe's tutorials.

use serde_json::{Value, json};

use super::world::{Inlet, InletKind, Run, uuid};

/// HTTP API sources (documented).
const HTTP_API: &str = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb";
/// Flows and sources of Adobe's streaming template (documented).
const STREAMING_FLOW: &str = "e77fde5a-22a8-11ed-861d-0242ac120002";
const STREAMING_SOURCE: &str = "e77fd9d2-22a8-11ed-861d-0242ac120002";
const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";
/// Flows of HTTP API sources with a mapping (documented).
const HTTP_API_FLOW: &str = "c1a19761-d2c7-4702-b9fa-fe91f0613e81";

fn common(inlet: &Inlet, org: &str, id: &str) -> Value {
    let etag = format!("\"{}\"", uuid(&[id, &inlet.updated_at.to_string(), &inlet.state]));
    json!({
        "id": id,
        "createdAt": inlet.created_at,
        "updatedAt": inlet.updated_at,
        "createdBy": "sandbox@AdobeID",
        "updatedBy": "sandbox@AdobeID",
        "createdClient": "sandbox",
        "updatedClient": "sandbox",
        "sandboxId": uuid(&["sandbox", &inlet.sandbox]),
        "sandboxName": inlet.sandbox,
        "imsOrgId": org,
        "name": inlet.name,
        "description": inlet.name,
        "state": inlet.state,
        "version": etag,
        "etag": etag,
    })
}

fn with(mut item: Value, more: Value) -> Value {
    if let (Some(item), Value::Object(more)) = (item.as_object_mut(), more) {
        item.extend(more);
    }
    item
}

fn source_id(inlet: &Inlet) -> String {
    uuid(&["source", &inlet.id])
}

fn base_id(inlet: &Inlet) -> String {
    uuid(&["base", &inlet.id])
}

/// Items of `/flows`.
pub(super) fn flow(inlet: &Inlet, org: &str) -> Option<Value> {
    if inlet.kind != InletKind::Flow {
        return None;
    }
    let (source, target) = (source_id(inlet), uuid(&["target", &inlet.id]));
    let (flow_spec, source_spec) =
        if inlet.over_connection { (HTTP_API_FLOW, HTTP_API) } else { (STREAMING_FLOW, STREAMING_SOURCE) };
    let mut item = with(
        common(inlet, org, &inlet.id),
        json!({
            "flowSpec": { "id": flow_spec, "version": "1.0" },
            "sourceConnectionIds": [source],
            "targetConnectionIds": [target],
            "inheritedAttributes": {
                "properties": { "isSourceFlow": true },
                "sourceConnections": [{ "id": source, "connectionSpec": { "id": source_spec, "version": "1.0" } }],
                "targetConnections": [{ "id": target, "connectionSpec": { "id": DATA_LAKE, "version": "1.0" } }],
            },
            "transformations": [{ "name": "Mapping", "params": { "mappingId": uuid(&["mapping", &inlet.id]), "mappingVersion": 0 } }],
            "runs": format!("/runs?property=flowId=={}", inlet.id),
            "providerRefId": uuid(&["provider", &inlet.id]),
            "lastOperation": { "started": 0, "updated": 0, "operation": "enable" },
        }),
    );
    if !inlet.over_connection {
        item["options"] = json!({ "inletUrl": inlet.address });
    }
    // Absent until the first run.
    if let Some(last) = inlet.runs.iter().max_by_key(|run| run.started_at) {
        item["lastRunDetails"] = json!({
            "id": run_id(inlet, last),
            "state": last.status.word(),
            "startedAtUTC": last.started_at,
            "completedAtUTC": last.started_at + 3_600_000,
        });
    }
    Some(item)
}

/// Items of `/connections`: HTTP API connections, and the base connections of dataflows over one.
pub(super) fn connection(inlet: &Inlet, org: &str) -> Option<Value> {
    let id = match inlet.kind {
        InletKind::Connection => inlet.id.clone(),
        InletKind::Flow if inlet.over_connection => base_id(inlet),
        InletKind::Flow => return None,
    };
    let auth = json!({
        "specName": "Streaming Connection",
        "params": {
            "sourceId": inlet.name,
            "inletUrl": inlet.address,
            "authenticationRequired": inlet.authentication_required,
            "inletId": inlet.address.rsplit('/').next().unwrap_or_default(),
            "dataType": "raw",
            "name": inlet.name,
        },
    });
    Some(with(common(inlet, org, &id), json!({ "connectionSpec": { "id": HTTP_API, "version": "1.0" }, "auth": auth })))
}

/// Items of `/sourceConnections`.
pub(super) fn source(inlet: &Inlet, org: &str) -> Option<Value> {
    if inlet.kind != InletKind::Flow {
        return None;
    }
    let spec = if inlet.over_connection { HTTP_API } else { STREAMING_SOURCE };
    let mut item = with(
        common(inlet, org, &source_id(inlet)),
        json!({ "connectionSpec": { "id": spec, "version": "1.0" }, "data": { "format": "json" } }),
    );
    if inlet.over_connection {
        item["baseConnectionId"] = base_id(inlet).into();
    }
    Some(item)
}

/// Items of `/runs`.
pub(super) fn runs(inlet: &Inlet, org: &str) -> Vec<Value> {
    let one = |run: &Run| {
        let ended = run.started_at + 3_600_000;
        let errors = if run.failed > 0 {
            json!([{ "code": "MAPPER-3700-199", "message": "Some records could not be mapped." }])
        } else {
            json!([])
        };
        json!({
            "id": run_id(inlet, run),
            "flowId": inlet.id,
            "createdAt": ended,
            "updatedAt": ended,
            "etag": format!("\"{}\"", run_id(inlet, run)),
            "imsOrgId": org,
            "sandboxName": inlet.sandbox,
            "metrics": {
                "durationSummary": { "startedAtUTC": run.started_at, "completedAtUTC": ended },
                "recordSummary": {
                    "inputRecordCount": run.received,
                    "outputRecordCount": run.received.saturating_sub(run.failed),
                    "createdRecordCount": run.received.saturating_sub(run.failed),
                    "failedRecordCount": run.failed,
                },
                "statusSummary": { "status": run.status.word(), "errors": errors },
            },
            "activities": [],
        })
    };
    inlet.runs.iter().map(one).collect()
}

fn run_id(inlet: &Inlet, run: &Run) -> String {
    uuid(&["run", &inlet.id, &run.started_at.to_string()])
}
