//! Controls headless Chromium with chromedriver: the WebDriver calls that the scenarios need.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The paths of the programs in Debian's packages chromium and chromium-driver.
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";

/// Limits the tests to one browser at a time, because two in parallel are slower on a small machine.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Prints that a test is skipped because a tool is missing. Fails in CI, where .ci/run installs it.
pub fn missing(tool: &str) {
    assert!(std::env::var_os("HOOKWRIGHT_CI_TOOLS").is_none_or(|v| v != "1"), "{tool} is not installed");
    eprintln!("skipped: {tool} is not installed");
}

/// A browser window. Dropping it ends the processes that it started.
pub struct Browser {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    /// The URL of the WebDriver session.
    url: String,
    driver: Child,
    profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts a browser. Without an installed browser, prints a remark and returns `None`, or fails in CI.
    pub fn start() -> Option<Self> {
        if let Some(missing_tool) = [CHROMEDRIVER, CHROMIUM].into_iter().find(|path| !Path::new(path).exists()) {
            missing(&format!("{missing_tool} (Debian's packages chromium and chromium-driver)"));
            return None;
        }
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut driver = Command::new(CHROMEDRIVER)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = said.map_while(Result::ok).find_map(|line| {
            let port = line.split_once("on port ")?.1.trim_end_matches('.').parse::<u16>();
            port.ok().filter(|port| *port != 0)
        });
        let port = port.expect("chromedriver did not say its port");
        // Plain HTTP uses no certificates, but the client is built with TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut browser = Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(2)).build().unwrap(),
            url: format!("http://127.0.0.1:{port}"),
            driver,
            profile: tempfile::tempdir().unwrap(),
            _turn: turn,
        };
        let profile = format!("--user-data-dir={}", browser.profile.path().display());
        let session = browser.ask(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": {
                "goog:loggingPrefs": { "browser": "ALL" },
                "goog:chromeOptions": { "binary": CHROMIUM, "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--disable-dev-shm-usage", "--force-color-profile=srgb", "--window-size=1280,960", profile,
                ] },
            } } }),
        );
        browser.url = format!("{}/session/{}", browser.url, session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    /// Opens a file with the given fragment of the URL.
    pub fn open_file(&self, path: &Path, hash: &str) {
        // A change of only the fragment would not load the page.
        self.open("about:blank");
        self.open(&format!("file://{}{hash}", path.display()));
    }

    /// Returns the URL of the page.
    pub fn address(&self) -> String {
        self.ask("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// Clicks the middle of the first element that matches the selector.
    #[track_caller]
    pub fn click(&self, css: &str) {
        self.ask("POST", &format!("/element/{}/click", self.find(css)), &json!({}));
    }

    /// Types into the first element that matches the selector.
    #[track_caller]
    pub fn type_into(&self, css: &str, text: &str) {
        self.ask("POST", &format!("/element/{}/value", self.find(css)), &json!({ "text": text }));
    }

    /// Presses keys in order on the focused element: `Tab`, `Enter`, `ArrowDown`, …
    pub fn press(&self, keys: &[&str]) {
        let strokes = keys.iter().flat_map(|key| {
            let key = code(key);
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key }))
        });
        let strokes: Vec<Value> = strokes.collect();
        self.ask("POST", "/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] }));
    }

    /// Returns the visible text of the first element that matches the selector.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        let text = self.ask("GET", &format!("/element/{}/text", self.find(css)), &Value::Null);
        text.as_str().unwrap().to_owned()
    }

    /// Waits for the page with this heading, because a click returns before the next page is loaded.
    #[track_caller]
    pub fn headed(&self, heading: &str) {
        let patience = std::time::Instant::now() + Duration::from_secs(30);
        let script = "return document.querySelector('h1')?.textContent ?? ''";
        loop {
            let now = self.run(script, &json!([]));
            if now == heading {
                return;
            }
            assert!(std::time::Instant::now() < patience, "the heading is {now}, not {heading:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the number of visible elements that match the selector.
    pub fn count(&self, css: &str) -> usize {
        let count = self.run(
            "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility()).length",
            &json!([css]),
        );
        usize::try_from(count.as_u64().unwrap()).unwrap()
    }

    /// Runs the body of a function in the page and returns its result.
    pub fn run(&self, script: &str, arguments: &Value) -> Value {
        self.ask("POST", "/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Returns the label or the text of the focused element.
    pub fn focused(&self) -> String {
        let script = "const e = document.activeElement; return e.getAttribute('aria-label') ?? e.textContent";
        self.run(script, &json!([])).as_str().unwrap().to_owned()
    }

    /// Sets the size of the viewport in CSS pixels.
    pub fn size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Sets the medium (`screen` or `print`) and the colour scheme (`light` or `dark`).
    pub fn media(&self, media: &str, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "media": media, "features": features }));
    }

    /// Sends a command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Writes a screenshot as a PNG file under target/screenshots/.
    pub fn screenshot(&self, name: &str) {
        let png = self.ask("GET", "/screenshot", &Value::Null);
        let png = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, png.as_str().unwrap()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// Checks that the console has no new entries: no errors, no warnings, no violations of the policy.
    #[track_caller]
    pub fn quiet(&self) {
        let log = self.ask("POST", "/se/log", &json!({ "type": "browser" }));
        // Entries of Chromium's own start page are ignored.
        let own = |entry: &&Value| entry["message"].as_str().is_some_and(|message| message.starts_with("chrome://"));
        let ours: Vec<&Value> = log.as_array().unwrap().iter().filter(|entry| !own(entry)).collect();
        assert!(ours.is_empty(), "the console is not empty: {ours:?}");
    }

    #[track_caller]
    fn find(&self, css: &str) -> String {
        let found = self.ask("POST", "/element", &json!({ "using": "css selector", "value": css }));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    /// Sends a WebDriver request and returns the `value` of the response.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.url);
        let request = if method == "GET" { self.http.get(&url) } else { self.http.post(&url).json(body) };
        let answer: Value = self.runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() });
        let value = answer["value"].clone();
        assert!(value.get("error").is_none(), "{method} {path} {body}: {}", value["message"]);
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session. Otherwise it would outlive the driver.
        let _ = self.runtime.block_on(async { self.http.delete(&self.url).send().await });
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Returns the code point that WebDriver defines for a key without a character.
fn code(key: &str) -> &str {
    match key {
        "Tab" => "\u{e004}",
        "Enter" => "\u{e007}",
        "Escape" => "\u{e00c}",
        "PageUp" => "\u{e00e}",
        "PageDown" => "\u{e00f}",
        "End" => "\u{e010}",
        "Home" => "\u{e011}",
        "ArrowLeft" => "\u{e012}",
        "ArrowUp" => "\u{e013}",
        "ArrowRight" => "\u{e014}",
        "ArrowDown" => "\u{e015}",
        character => character,
    }
}
