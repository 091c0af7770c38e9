//! Adobe's side of the sandbox, over HTTP: tokens, headers, lists, and edits.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::sandbox::{self, Edit, InletAction, InletEdit, InletKind, OpenOptions, RunStatus, Running};

pub(super) const ORG: &str = "A0@AdobeOrg";
pub(super) const SEED: &str = "sandbox: 1\nadobe:\n  org: A0@AdobeOrg\n  client_id: me\n  client_secret: mine\n  page_size: 2\n  flows:\n    \
    - { name: one, runs: [{ age: 3h, status: success, received: 5 }, { age: 2h, status: partial, received: 5, failed: 2 }] }\n    \
    - { name: two, state: disabled }\n    - { name: three, inlet: connection }\n    - { name: four, sandbox: dev }\n    - { name: one }\n  \
    connections:\n    - { name: raw, authentication_required: true }\nshops: [{ shop: acme }]\n";

pub(super) struct Adobe {
    folder: tempfile::TempDir,
    state: PathBuf,
    pub(super) running: Running,
    pub(super) http: reqwest::Client,
}

impl Adobe {
    async fn start() -> Self {
        Self::seeded(SEED).await
    }

    pub(super) async fn seeded(seed: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("a.sandbox.yaml"), seed).expect("write");
        Self::open(folder).await
    }

    async fn open(folder: tempfile::TempDir) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (seed, state) = (folder.path().join("a.sandbox.yaml"), folder.path().join("state.json"));
        let options = OpenOptions { state: Some(state.clone()), seeds: vec![seed], today: None };
        let running = sandbox::start(&options, ([127, 0, 0, 1], 0).into()).await.expect("start");
        let http = reqwest::Client::builder().no_proxy().build().expect("client");
        Self { folder, state, running, http }
    }

    /// The same state in another server, as in the next process; `between` is done to the state's file.
    async fn restarted(self, between: impl FnOnce(&PathBuf)) -> Self {
        self.running.stop().await.expect("stop");
        between(&self.state);
        Self::open(self.folder).await
    }

    async fn token_with(&self, form: &str) -> (u16, Value) {
        let url = format!("{}/ims/token/v3", self.running.adobe_url());
        let request =
            self.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        let answer = request.send().await.expect("answer");
        (answer.status().as_u16(), answer.json().await.expect("json"))
    }

    pub(super) async fn token(&self) -> String {
        let form = "grant_type=client_credentials&client_id=me&client_secret=mine&scope=openid,AdobeID";
        let (status, answer) = self.token_with(form).await;
        assert_eq!((status, &answer["token_type"], &answer["expires_in"]), (200, &json!("bearer"), &json!(86_399)));
        answer["access_token"].as_str().expect("token").to_owned()
    }

    pub(super) async fn with(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/data/foundation/flowservice{path}", self.running.adobe_url());
        let request = headers.iter().fold(self.http.get(url), |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.expect("answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        self.get_in("prod", path).await
    }

    async fn get_in(&self, sandbox: &str, path: &str) -> Value {
        let bearer = format!("Bearer {}", self.token().await);
        let (status, answer) = self.with(path, &headers(&bearer, sandbox)).await;
        assert!(status == 200 || answer["errorCode"].is_string(), "{status} {answer}");
        answer
    }

    fn edit(&self, kind: InletKind, which: &str, act: InletAction) -> Result<String, String> {
        let edit = Edit::Inlet(InletEdit { kind, which: which.into(), act });
        sandbox::edit(&self.state, &edit).map_err(|e| e.to_string())
    }
}

/// The headers of every request to Flow Service.
pub(super) fn headers<'a>(bearer: &'a str, sandbox: &'a str) -> [(&'static str, &'a str); 4] {
    [("authorization", bearer), ("x-api-key", "me"), ("x-gw-ims-org-id", ORG), ("x-sandbox-name", sandbox)]
}

fn names(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().expect("items").iter().filter_map(|item| item["name"].as_str()).collect()
}

#[tokio::test]
async fn a_token_requires_valid_credentials() {
    let adobe = Adobe::start().await;
    for (form, status, error) in [
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("{\"grant_type\": \"client_credentials\"}", 400, "invalid_request"),
        ("grant_type=client_credentials&client_secret=mine&scope=openid", 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=me&scope=openid", 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=me&client_secret=wrong&scope=openid", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=me&client_secret=mine", 400, "invalid_scope"),
        ("grant_type=client_credentials&client_id=me&client_secret=mine&scope=openid%20AdobeID", 400, "invalid_scope"),
    ] {
        let (got, answer) = adobe.token_with(form).await;
        assert_eq!((got, answer["error"].as_str()), (status, Some(error)), "{form}");
    }
}

#[tokio::test]
async fn every_required_header_is_checked() {
    let adobe = Adobe::start().await;
    let bearer = format!("Bearer {}", adobe.token().await);
    let good = headers(&bearer, "prod");
    assert_eq!(adobe.with("/flows", &good).await.0, 200);
    for (at, value, status, code) in [
        (0, None, 403, "403010"),
        (0, Some("Bearer sandbox.99999999999999.00"), 401, "401013"),
        (1, None, 403, "403000"),
        (1, Some("you"), 403, "403003"),
        (2, None, 400, "400003"),
        (2, Some("B0@AdobeOrg"), 403, "403025"),
        (3, None, 400, "2105-400"),
        (3, Some("nowhere"), 404, "2100-404"),
    ] {
        let mut headers = good.to_vec();
        match value {
            Some(value) => headers[at].1 = value,
            None => drop(headers.remove(at)),
        }
        let (got, answer) = adobe.with("/flows", &headers).await;
        let found = answer["error_code"].as_str().or(answer["errorCode"].as_str());
        assert_eq!((got, found), (status, Some(code)), "{answer}");
    }
}

#[tokio::test]
async fn lists_have_pages_and_filters_and_contain_only_the_named_adobe_sandbox() {
    let adobe = Adobe::start().await;
    let first = adobe.get("/flows").await;
    assert_eq!(names(&first), ["one", "two"]);
    let next = first["_links"]["next"]["href"].as_str().expect("next").to_owned();
    let second = adobe.get(&next).await;
    assert_eq!((names(&second), &second["_links"]), (vec!["three", "one"], &json!({})));
    assert_eq!(names(&adobe.get("/flows?property=name==one").await).len(), 2, "names may repeat");
    assert_eq!(names(&adobe.get("/flows?property=state==disabled").await), ["two"]);
    assert_eq!(names(&adobe.get("/connections?property=name==raw").await), ["raw"]);
    assert_eq!(adobe.get("/flows?limit=1&count=true").await["errorCode"], "1401-400");

    let id = first["items"][0]["id"].as_str().expect("id");
    let one = adobe.get(&format!("/flows/{id}")).await;
    assert_eq!(one["items"][0]["options"]["inletUrl"].as_str().expect("address").len(), 99);
    assert_eq!((&one["items"][0]["imsOrgId"], &one["items"][0]["sandboxName"]), (&json!(ORG), &json!("prod")));
    assert_eq!(one["items"][0]["lastRunDetails"]["state"], "partialSuccess");
    assert_eq!(first["items"][1].get("lastRunDetails"), None, "it never ran");
    assert_eq!(adobe.get("/flows/00000000-0000-0000-0000-000000000000").await["errorCode"], "1101-404");

    let runs = adobe.get(&format!("/runs?property=flowId=={id}&orderby=-createdAt&limit=1")).await;
    assert_eq!(runs["items"][0]["metrics"]["recordSummary"]["failedRecordCount"], 2);
}

#[tokio::test]
async fn the_address_of_a_flow_over_a_connection_is_at_its_base_connection() {
    let adobe = Adobe::start().await;
    let flow = adobe.get("/flows?property=name==three").await;
    assert_eq!(flow["items"][0].get("options"), None);
    let source = flow["items"][0]["sourceConnectionIds"][0].as_str().expect("source");
    let source = adobe.get(&format!("/sourceConnections/{source}")).await;
    let base = source["items"][0]["baseConnectionId"].as_str().expect("base");
    let base = adobe.get(&format!("/connections/{base}")).await;
    assert!(base["items"][0]["auth"]["params"]["inletUrl"].is_string(), "{base}");
}

// `edit` sends a request to the server and waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn edits_change_dataflows_as_adobes_tools_do() {
    let adobe = Adobe::start().await;
    let of = async |name: &str| adobe.get(&format!("/flows?property=name=={name}")).await["items"][0].clone();
    let before = of("two").await;
    adobe.edit(InletKind::Flow, "two", InletAction::Enable).expect("enable");
    assert_eq!(of("two").await["state"], "enabled");
    adobe.edit(InletKind::Flow, "two", InletAction::Recreate).expect("recreate");
    let after = of("two").await;
    assert!(before["id"] != after["id"] && before["options"] != after["options"], "{after}");
    assert!(after["updatedAt"].as_i64() > before["updatedAt"].as_i64());
    adobe.edit(InletKind::Flow, "two", InletAction::Settle(600_000)).expect("settle");
    assert!(of("two").await["updatedAt"].as_i64() < after["updatedAt"].as_i64());
    adobe.edit(InletKind::Flow, "two", InletAction::Delete).expect("delete");
    assert_eq!(of("two").await, Value::Null);

    let several = adobe.edit(InletKind::Flow, "one", InletAction::Disable).expect_err("two have that name");
    assert!(several.contains("use an id"), "{several}");
    let none = adobe.edit(InletKind::Connection, "two", InletAction::Disable).expect_err("no such");
    assert!(none.contains("connection \"two\" not found; available: \"raw\""), "{none}");
    assert!(!std::fs::read_to_string(&adobe.state).expect("state").contains("sandbox.1"), "no token is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_edit_without_a_visible_effect_is_refused_and_a_touch_is_visible() {
    let adobe = Adobe::start().await;
    let before = adobe.get("/flows?property=name==three").await["items"][0].clone();
    adobe.edit(InletKind::Flow, "three", InletAction::Touch).expect("touch");
    let after = adobe.get("/flows?property=name==three").await["items"][0].clone();
    assert_eq!((&before["createdAt"], &before["id"]), (&after["createdAt"], &after["id"]));
    assert!(before["updatedAt"].as_i64() < after["updatedAt"].as_i64() && before["etag"] != after["etag"], "{after}");

    let told =
        adobe.edit(InletKind::Flow, "two", InletAction::RequireAuthentication).expect_err("an address of its own");
    assert!(told.contains("inlet: connection"), "{told}");
    adobe.edit(InletKind::Flow, "three", InletAction::RequireAuthentication).expect("over a connection");
    let bases = adobe.get("/connections?property=name==three").await;
    assert_eq!(bases["items"][0]["auth"]["params"]["authenticationRequired"], true);

    let run = |status, failed| InletAction::Run { status, received: 9, failed };
    let told = adobe.edit(InletKind::Connection, "raw", run(RunStatus::Success, 0)).expect_err("no runs");
    assert!(told.contains("has no runs"), "{told}");
    for (status, failed) in [(RunStatus::Failed, 9), (RunStatus::Partial, 1)] {
        adobe.edit(InletKind::Flow, "three", run(status, failed)).expect("a run");
    }
    let id = after["id"].as_str().expect("id");
    let runs = adobe.get(&format!("/runs?property=flowId=={id}&orderby=-createdAt")).await;
    let failed: Vec<_> = runs["items"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|r| &r["metrics"]["recordSummary"]["failedRecordCount"])
        .collect();
    assert_eq!(failed, [1, 9], "the later one is the last");
}

#[tokio::test]
async fn a_filter_applies_to_all_pages() {
    let flow = |n: u32| {
        format!("    - {{ name: f{n}, state: {} }}\n", if n.is_multiple_of(2) { "enabled" } else { "disabled" })
    };
    let flows: String = (0..10).map(flow).collect();
    let adobe = Adobe::seeded(&format!("sandbox: 1\nadobe:\n  page_size: 2\n  flows:\n{flows}")).await;
    let (mut next, mut seen) = ("/flows?property=state==disabled&orderby=-name".to_owned(), Vec::new());
    loop {
        let page = adobe.get(&next).await;
        seen.push(names(&page).join(" "));
        match page["_links"]["next"]["href"].as_str() {
            Some(href) => href.clone_into(&mut next),
            None => break assert_eq!(page["_links"], json!({}), "the last page"),
        }
    }
    assert_eq!(seen, ["f9 f7", "f5 f3", "f1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_and_edits_survive_a_restart_without_shops() {
    let seed = "sandbox: 1\nadobe: { flows: [{ name: one }, { name: two, sandbox: dev }] }\n";
    let adobe = Adobe::seeded(seed).await;
    assert!(adobe.running.has_adobe());
    let bearer = format!("Bearer {}", adobe.token().await);
    adobe.edit(InletKind::Flow, "one", InletAction::Disable).expect("disable");
    adobe.edit(InletKind::Flow, "two", InletAction::Delete).expect("delete");
    assert_eq!(adobe.get_in("dev", "/flows").await["items"], json!([]), "an emptied sandbox is still there");
    assert_eq!(adobe.get_in("nowhere", "/flows").await["errorCode"], "2100-404");

    let adobe = adobe.restarted(|_| ()).await;
    let (status, flows) = adobe.with("/flows", &headers(&bearer, "prod")).await;
    assert_eq!((status, &flows["items"][0]["state"]), (200, &json!("disabled")));
    assert_eq!(names(&flows), ["one"], "nothing was seeded again");
    let mut another = headers(&bearer, "prod");
    another[1].1 = "you";
    let (status, answer) = adobe.with("/flows", &another).await;
    assert_eq!((status, &answer["error_code"]), (403, &json!("403003")), "not the client of that token");
    let other_path = adobe.http.post(format!("{}/data/foundation/flowservice/flows", adobe.running.adobe_url()));
    assert_eq!(other_path.send().await.expect("answer").status(), 405);
}

#[tokio::test]
async fn a_state_without_adobes_side_can_be_loaded() {
    let adobe = Adobe::seeded("sandbox: 1\nshops: [{ shop: acme }]\n").await;
    let adobe = adobe
        .restarted(|state| {
            let text = std::fs::read_to_string(state).expect("state");
            assert!(!text.contains("adobe"), "a state without has no word of it: {text}");
        })
        .await;
    assert!(!adobe.running.has_adobe());
    assert_eq!(adobe.get_in("anything", "/flows").await, json!({ "items": [], "_links": {} }), "there are no flows");
}
