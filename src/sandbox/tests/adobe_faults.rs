//! Faults of Adobe's side, over HTTP: the response that a caller gets, and the requests that are not affected.

use serde_json::{Value, json};

use super::adobe::{Adobe, SEED, headers};
use crate::sandbox::Faults;

impl Adobe {
    fn fail(&self, spec: &str) {
        self.running.set_faults(Faults::read(&[], &[spec.to_owned()], None).expect(spec));
    }

    /// Status, Retry-After and text of an answer; `None` if it is missing or incomplete.
    async fn raw(&self, request: reqwest::RequestBuilder) -> Option<(u16, Option<String>, String)> {
        let answer = request.send().await.ok()?;
        let after = answer.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
        Some((answer.status().as_u16(), after, answer.text().await.ok()?))
    }

    fn flows(&self, bearer: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/data/foundation/flowservice/flows", self.running.adobe_url());
        headers(bearer, "prod").iter().fold(self.http.get(url), |request, (name, value)| request.header(*name, *value))
    }

    fn ims(&self) -> reqwest::RequestBuilder {
        let form = "grant_type=client_credentials&client_id=me&client_secret=mine&scope=openid";
        self.http.post(format!("{}/ims/token/v2", self.running.adobe_url())).body(form)
    }
}

#[tokio::test]
async fn each_fault_has_its_effect_on_its_side_only() {
    let adobe = Adobe::seeded(SEED).await;
    let bearer = format!("Bearer {}", adobe.token().await);
    // (fault, status, part of the body); status 0: no answer, or half of one.
    for (fault, status, says) in [
        ("latency,ms=5", 200, "\"inletUrl\""),
        ("rate_limited,retry_after=2", 429, "{\"error_code\":\"429050\",\"message\":\"Too many requests\"}"),
        ("server_error,status=502", 502, "unexpected error"),
        ("html,status=503", 503, "<!DOCTYPE html>"),
        ("empty", 200, ""),
        ("truncated", 200, "\"items\""),
        ("slow_body,ms=40", 200, "\"inletUrl\""),
        ("cut_body", 0, ""),
        ("drop", 0, ""),
    ] {
        adobe.fail(&format!("{fault},on=adobe"));
        let answer = adobe.raw(adobe.flows(&bearer)).await;
        assert_eq!(answer.is_none(), status == 0, "{fault}: {answer:?}");
        if let Some((got, after, text)) = answer {
            assert_eq!((got, text.is_empty()), (status, says.is_empty()), "{fault}: {text}");
            assert!(text.contains(says), "{fault}: {text}");
            assert_eq!(after.as_deref(), (status == 429).then_some("2.0"), "{fault}");
            let whole = ["latency,ms=5", "slow_body,ms=40"].contains(&fault) || [429, 502].contains(&status);
            assert_eq!(serde_json::from_str::<Value>(&text).is_ok(), whole, "{fault}: {text}");
        }
        assert_eq!(adobe.raw(adobe.ims()).await.expect("IMS is spared").0, 200, "{fault}");

        adobe.fail(&format!("{fault},on=ims"));
        let answer = adobe.raw(adobe.ims()).await;
        assert_eq!(answer.map_or(0, |(status, ..)| status), status, "{fault}");
        assert_eq!(adobe.raw(adobe.flows(&bearer)).await.expect("Flow Service is spared").0, 200, "{fault}");
    }
    adobe.fail("server_error");
    let spared = adobe.raw(adobe.flows(&bearer)).await.expect("`any` means any request to a shop");
    assert_eq!(spared.0, 200);
}

#[tokio::test]
async fn revoked_tokens_are_refused_new_ones_are_accepted_and_the_log_contains_neither() {
    let adobe = Adobe::seeded(SEED).await;
    let old = adobe.token().await;
    adobe.fail("token_revoked,on=adobe,times=1");
    for _ in 0..2 {
        let (status, _, text) = adobe.raw(adobe.flows(&format!("Bearer {old}"))).await.expect("an answer");
        let answer: Value = serde_json::from_str(&text).expect("json");
        let dead = json!({ "error_code": "401013", "message": "Oauth token is not valid" });
        assert_eq!((status, answer), (401, dead));
    }
    let new = adobe.token().await;
    assert_eq!(adobe.raw(adobe.flows(&format!("Bearer {new}"))).await.expect("an answer").0, 200);

    let log = format!("{}/__sandbox/log", adobe.running.adobe_url().trim_end_matches("/__adobe"));
    let log = adobe.raw(adobe.http.get(log)).await.expect("the log").2;
    let entries: Vec<Value> = serde_json::from_str(&log).expect("json");
    let seen: Vec<_> = entries.iter().map(|e| (e["path"].as_str(), e["status"].as_u64())).collect();
    let (ims, flows) = (Some("/__adobe/ims/token/v3"), Some("/__adobe/data/foundation/flowservice/flows"));
    assert_eq!(seen, [(ims, Some(200)), (flows, Some(401)), (flows, Some(401)), (ims, Some(200)), (flows, Some(200))]);
    assert_eq!(entries[1]["faults"], json!(["token_revoked"]));
    for secret in [old.as_str(), new.as_str(), "mine"] {
        assert!(!log.contains(secret), "{log}");
    }
}
