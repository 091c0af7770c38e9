//! Pages of other sites in a browser of this machine cannot read or change the sandbox.

use crate::sandbox::{self, OpenOptions};

#[tokio::test]
async fn only_this_machine_and_its_own_pages_reach_the_control_endpoints() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let running =
        sandbox::start(&OpenOptions::default(), "127.0.0.1:0".parse().expect("address")).await.expect("sandbox");
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let base = running.url().replace("/{shop}", "");
    let host = base.replace("http://", "");
    let status = async |path: &str, header: Option<(&str, &str)>| {
        let request = client.post(format!("{base}{path}")).body("latency: 9s");
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let answer = request.send().await.expect("answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    for (header, words) in [
        (("host", "rebound.example"), "localhost"),
        (("origin", "https://evil.example"), "another site"),
        (("origin", "null"), "another site"),
        (("sec-fetch-site", "cross-site"), "another site"),
        (("sec-fetch-site", "same-site"), "another site"),
    ] {
        for path in ["/__sandbox/faults", "/__sandbox/reset", "/__sandbox/edit", "/__sandbox/nothing"] {
            let (code, text) = status(path, Some(header)).await;
            assert!(code == 403 && text.contains(words), "{path} {header:?}: {code} {text}");
        }
    }
    for header in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        // A form of another site would approve an app in the merchant's place.
        assert_eq!(status("/acme.myshopify.com/admin/oauth/authorize", Some(header)).await.0, 403, "{header:?}");
        assert_eq!(status("/__adobe/ims/token/v3", Some(header)).await.0, 403, "{header:?}");
    }
    let named = format!("http://{host}");
    for header in [None, Some(("origin", named.as_str())), Some(("sec-fetch-site", "same-origin"))] {
        assert_eq!(status("/__sandbox/reset", header).await.0, 200, "{header:?}");
    }
    // A cluster reaches Shopify's own API by the name of a service.
    let path = "/acme.myshopify.com/admin/api/2026-10/graphql.json";
    assert_ne!(status(path, Some(("host", "sandbox.testing.svc:4000"))).await.0, 403);
    running.stop().await.expect("stop");
}
