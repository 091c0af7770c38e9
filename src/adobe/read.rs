//! Flow Service's answers, read leniently: `options` is not in Adobe's own API description, and samples lack keys.
//!
//! Shapes as in Adobe's tutorials for streaming sources and HTTP API connections (documented).

use jiff::Timestamp;
use serde_json::Value;

use crate::state::aep::InletKind;

/// The connection specification of HTTP API sources (documented).
pub(super) const HTTP_API: &str = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb";

/// A dataflow or a connection that data can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inlet {
    pub(crate) kind: InletKind,
    pub(crate) id: String,
    pub(crate) name: String,
    /// `enabled`, `disabled`, …; empty if Adobe does not say.
    pub(crate) state: String,
    pub(crate) address: Option<String>,
    /// Whether requests need a bearer token of Adobe's.
    pub(crate) authentication_required: bool,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    /// A dataflow without an address of its own has one through this source connection.
    pub(super) base: Option<String>,
}

/// The run of a dataflow: for streaming ones a window of an hour (documented).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) status: Option<String>,
    /// Records that were refused.
    pub(crate) failed: Option<u64>,
    pub(crate) first_error: Option<String>,
}

/// Who an item says that it belongs to.
pub(super) struct Belongs<'a> {
    pub(super) org: Option<&'a str>,
    pub(super) sandbox: Option<&'a str>,
}

pub(super) fn belongs(item: &Value) -> Belongs<'_> {
    Belongs { org: text(item, &["imsOrgId"]), sandbox: text(item, &["sandboxName"]) }
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path)?.as_str().filter(|text| !text.is_empty())
}

/// Milliseconds since 1970, as a number or a text.
fn time(value: &Value, path: &[&str]) -> Option<Timestamp> {
    let value = at(value, path)?;
    let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    Timestamp::from_millisecond(millis).ok().filter(|_| millis > 0)
}

/// `None`: it has no id, so nothing can be said of it.
pub(super) fn flow(item: &Value) -> Option<Inlet> {
    let address = text(item, &["options", "inletUrl"]);
    let base = at(item, &["sourceConnectionIds"]).and_then(|ids| ids.get(0)).and_then(Value::as_str);
    Some(Inlet {
        kind: InletKind::Flow,
        address: address.map(str::to_owned),
        authentication_required: false,
        base: base.filter(|_| address.is_none()).map(str::to_owned),
        ..common(item)?
    })
}

/// As [`flow`].
pub(super) fn connection(item: &Value) -> Option<Inlet> {
    let required = at(item, &["auth", "params", "authenticationRequired"]);
    Some(Inlet {
        kind: InletKind::Connection,
        address: text(item, &["auth", "params", "inletUrl"]).map(str::to_owned),
        // Older answers lack the key, and take anybody.
        authentication_required: required.is_some_and(|r| r.as_bool() == Some(true) || r.as_str() == Some("true")),
        ..common(item)?
    })
}

fn common(item: &Value) -> Option<Inlet> {
    Some(Inlet {
        kind: InletKind::Flow,
        id: text(item, &["id"])?.to_owned(),
        name: text(item, &["name"]).unwrap_or_default().to_owned(),
        state: text(item, &["state"]).unwrap_or_default().to_owned(),
        address: None,
        authentication_required: false,
        created_at: time(item, &["createdAt"]),
        updated_at: time(item, &["updatedAt"]),
        base: None,
    })
}

/// The base connection of a source connection.
pub(super) fn base_connection(item: &Value) -> Option<&str> {
    text(item, &["baseConnectionId"])
}

pub(super) fn is_http_api(item: &Value) -> bool {
    text(item, &["connectionSpec", "id"]) == Some(HTTP_API)
}

pub(super) fn run(item: &Value) -> Run {
    let metrics = at(item, &["metrics"]).unwrap_or(&Value::Null);
    let first = at(metrics, &["statusSummary", "errors"]).and_then(|errors| errors.get(0));
    let first_error = first.and_then(|error| text(error, &["message"]).or_else(|| text(error, &["code"])));
    Run {
        started_at: time(metrics, &["durationSummary", "startedAtUTC"]).or_else(|| time(item, &["createdAt"])),
        completed_at: time(metrics, &["durationSummary", "completedAtUTC"]).or_else(|| time(item, &["updatedAt"])),
        status: text(metrics, &["statusSummary", "status"]).map(str::to_owned),
        failed: at(metrics, &["recordSummary", "failedRecordCount"]).and_then(Value::as_u64),
        first_error: first_error.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_samples_of_adobes_tutorials_are_understood() {
        let customer_io = json!({
            "id": "4982698b-e6b3-48c2-8dcf-040e20121fd2", "createdAt": 1_676_629_979_503_i64,
            "updatedAt": 1_676_629_985_390_i64, "sandboxName": "prod", "imsOrgId": "A@AdobeOrg",
            "name": "Streaming Dataflow for Customer.io", "state": "enabled",
            "sourceConnectionIds": ["133bb51f-f310-4b4a-b8b2-731aef1e223c"],
            "options": { "inletUrl": "https://dcs.adobedc.net/collection/e75d" },
        });
        let inlet = flow(&customer_io).expect("inlet");
        assert_eq!(inlet.address.as_deref(), Some("https://dcs.adobedc.net/collection/e75d"));
        assert_eq!((inlet.state.as_str(), inlet.base), ("enabled", None));
        assert_eq!(inlet.updated_at.expect("time").to_string(), "2023-02-17T10:33:05.39Z");
        let params = json!({ "inletUrl": "https://dcs.adobedc.net/collection/667b", "authenticationRequired": true });
        let http = json!({ "id": "a59d368a", "name": "ACME", "state": "enabled", "auth": { "params": params } });
        let inlet = connection(&http).expect("inlet");
        assert!(inlet.authentication_required && inlet.address.is_some());
    }

    #[test]
    fn what_is_missing_is_missing() {
        assert_eq!(flow(&json!({ "name": "no id" })), None);
        let bare = flow(&json!({ "id": "x", "sourceConnectionIds": ["y"], "createdAt": "soon" })).expect("inlet");
        assert_eq!((bare.address, bare.base.as_deref(), bare.created_at), (None, Some("y"), None));
        assert!(!connection(&json!({ "id": "x" })).expect("inlet").authentication_required);
        assert_eq!(run(&json!([])).status, None);
        let failing = run(&json!({ "metrics": {
            "recordSummary": { "failedRecordCount": 3 },
            "statusSummary": { "status": "failed", "errors": [{ "code": "MAPPER-3700-199", "message": "no such field" }] },
        } }));
        assert_eq!((failing.failed, failing.first_error.as_deref()), (Some(3), Some("no such field")));
    }
}
