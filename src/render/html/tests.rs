//! The page contains text as text and the data for its script, and its policy allows only its own script and style.

#![allow(clippy::unwrap_used, reason = "a failed test should name the line")]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::super::document::{Point, Section, Weight};
use super::super::support::*;
use super::super::{laws, plans_html, reports_html};
use super::{MAX_LINES, SCRIPT, csp_hash, lines};
use crate::render::escape;
use crate::wire::plan::{Bound, Origin, Plan, Sandbox, Selection, Severity, Shop, ShopStatus, Summary};
use crate::wire::report::{OutcomeResult, Report, ReportShopStatus};

fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    html.split_once(start).unwrap().1.split_once(end).unwrap().0
}

fn island(html: &str) -> Value {
    serde_json::from_str(between(html, "<script id=\"data\" type=\"application/json\">", "</script>")).unwrap()
}

/// Returns the entries of a row in the data of the page: action, topic, source, sides.
fn entries(data: &Value, row: usize) -> Vec<String> {
    let at = |list: &str, place: &Value| data[list][usize::try_from(place.as_u64().unwrap()).unwrap()].clone();
    let side = |side: &Value| match side {
        Value::Null => "none".to_owned(),
        side => format!("{} {} {}", side["address"], side["filter"], side["include_fields"]),
    };
    let rows = data["rows"][row]["entries"].as_array().unwrap();
    let lines = rows.iter().map(|entry| {
        let change = at("changes", &entry["change"]);
        let source = entry.get("source").map_or(Value::Null, |place| at("sources", place));
        let (before, after) = (side(&change["before"]), side(&change["after"]));
        format!("{} {} {source} {before} {after}", change["action"], at("topics", &change["topic"]))
    });
    lines.collect()
}

/// Returns the same lines for changes.
fn changes<'a>(all: impl Iterator<Item = &'a crate::wire::plan::Change>) -> Vec<String> {
    let json = |text: &str| Value::from(escape(text));
    let side = |side: &Option<std::sync::Arc<crate::wire::plan::Subscription>>| match side {
        None => "none".to_owned(),
        Some(side) => {
            let fields: Vec<Value> = side.include_fields.iter().map(|field| json(field)).collect();
            let filter = side.filter.as_deref().map_or(Value::Null, json);
            format!("{} {filter} {}", json(&side.address), Value::from(fields))
        }
    };
    let lines = all.map(|c| {
        let source = c.source.as_ref().map_or(Value::Null, |s| json(&format!("{}:{}", s.file, s.line)));
        let action = serde_json::to_value(c.action).unwrap();
        format!("{action} {} {source} {} {}", json(&c.topic), side(&c.before), side(&c.after))
    });
    lines.collect()
}

/// Checks that elements are nested correctly, and that the template has no others.
fn well_formed(html: &str) -> Result<(), TestCaseError> {
    let known = [
        "html", "head", "title", "style", "body", "header", "h1", "h2", "p", "dl", "div", "dt", "dd", "main",
        "section", "form", "label", "select", "option", "button", "datalist", "noscript", "script", "span", "code",
        "footer", "ul", "li", "b", "details", "summary", "pre",
    ];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>").unwrap();
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            prop_assert_eq!(open.pop(), Some(name));
            continue;
        }
        if ["meta", "input"].contains(&name) {
            continue;
        }
        prop_assert!(known.contains(&name), "<{tag}>");
        prop_assert!(!tag.contains("onerror") && !tag.contains("src="), "<{tag}>");
        if ["script", "style"].contains(&name) {
            rest = rest.split_once(&format!("</{name}>")).unwrap().1;
        } else {
            open.push(name);
        }
    }
    prop_assert_eq!(open, Vec::<&str>::new());
    Ok(())
}

#[test]
fn the_head_of_a_plan() {
    let mut odd = plan(vec![
        shop(
            "alpha",
            vec![origin(Origin::Drift, create("orders/create", Some("commerce"), to(&inlet('a')), at("o.yaml", 7)))],
        ),
        lost("beta", ShopStatus::Failed, "token_refused", "the token was refused"),
    ]);
    odd.hazards = vec![hazard("empty_shop", Some("alpha"), "leaves <none> & nothing")];
    odd.settings.endpoint = "sandbox".into();
    odd.settings.sandbox = Some(Sandbox { id: "1".into(), state: "a & b.json".into() });
    odd.selection.labels = vec!["env=prod".into()];
    insta::assert_snapshot!(between(&plans_html(&[odd], &[]), "<body>\n", "<section id=\"matrix\""), @r#"
    <header class="top bad">
    <p class="target">Target: sandbox (a &amp; b.json)</p>
    <h1>Plan incomplete: 1 to add, 0 to change, 0 to destroy; 0 blocked, 1 shop not read.</h1>
    <p class="counts">2 shops: 1 with changes, 1 not read.</p>
    <p class="links"></p>
    <dl class="facts">
    <div><dt>Selection</dt><dd>label env=prod</dd></div>
    </dl>
    </header>
    <main>
    <section class="hazards" aria-label="Hazards">
    <h2>Hazards <span>1 hazard needs consent; without it, <code>hookwright apply</code> sends nothing</span></h2>
    <ul>
    <li class="decision open">
    <p class="kind"><b>empty_shop</b> <span class="badge">needs consent</span> <span class="who">alpha.myshopify.com</span></p>
    <p>leaves &lt;none&gt; &amp; nothing</p>
    <details><summary>How to consent</summary><p>Add a consent to the manifest and create a new plan:</p><pre>consents:
      - allow: &quot;empty_shop:alpha&quot;
        reason: &quot;…&quot;
        expires: 2026-12-07
    </pre></details>
    </li>
    </ul>
    </section>
    <section class="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">Changes <span>1 change in 1 shop</span></h2>
    <ul class="routes">
    <li class="route create"><span class="sign" aria-hidden="true">+</span>
    <p class="way">create → <b>commerce</b><span class="tag">drift</span></p><p class="topics">orders/create</p><p class="figures">1 change in 1 shop</p>
    <button type="button" class="show" data-route="0" aria-pressed="false" hidden>Show<span class="hidden"> create → <b>commerce</b></span></button></li>
    </ul>
    </section>
    "#);
}

/// The readers of the page do not run commands.
#[test]
fn the_page_names_no_options() {
    let noisy = |n: u32| finding("scope_missing", Severity::Attention, Some(&format!("t/{n}")), "no scope");
    let quiet = finding("adopted", Severity::Info, None, "adopted");
    let topics = (0..30).map(|n| create(&format!("orders/{n}"), Some("commerce"), to(&inlet('a')), at("o.yaml", n)));
    let all = shop("alpha", topics.collect());
    let mut plan = plan(vec![Shop { findings: (0..30).map(noisy).chain([quiet]).collect(), ..all }]);
    plan.hazards = vec![hazard("empty_shop", Some("alpha"), "gone"), hazard("protected_topics", Some("alpha"), "lost")];
    plan.allowed = vec!["empty_shop:alpha".into()];
    plan.selection = Selection {
        shops: vec!["alpha".into(), "!beta".into()],
        labels: vec!["env=prod".into()],
        only: Some(Origin::Manifest),
        ..plan.selection
    };
    plan.summary = Summary { add: 0, left_out: 1, ..plan.summary };
    plan.former_addresses = vec![inlet('f')];
    let html = plans_html(&[plan], &[]);
    let words = format!(
        "{}{}",
        between(&html, "<body>", "<script id=\"data\""),
        between(&html, "<section class=\"body\"", "</body>")
    );
    assert!(words.contains("shop alpha, without shop beta, label env=prod, only changes of the manifest"));
    assert!(words.contains("<code>empty_shop:alpha</code>, given on the command line"));
    assert!(words.contains("more (scope_missing); the matrix shows them"));
    assert!(words.contains("1 informational finding; the matrix shows it"));
    for option in [" -v", "`-v", "--allow", "--shop", "--exclude-shop", "--label", "--only", "--base"] {
        assert!(!words.contains(option), "{option} in {words}");
    }
}

/// Equal lists of bindings are stored once, so that the page of a large fleet stays small.
#[test]
fn shops_share_a_list_of_bindings() {
    let bound = vec![Bound { topic: "orders/create".into(), destination: "commerce".into(), count: 1 }];
    let shops = ["alpha", "beta", "gamma"].map(|handle| Shop { bound: bound.clone().into(), ..shop(handle, vec![]) });
    let data = island(&plans_html(&[plan(shops.into())], &[]));
    assert_eq!(data["bounds"], serde_json::json!([[[0, 0, 1]]]));
    assert_eq!(data["rows"][2]["bound"], 0);
}

/// A live address is named as a former address of the manifest, or of the destination at Adobe that replaces it.
#[test]
fn old_addresses_have_names() {
    let sides = || [live(1, to(&inlet('f'))), to(&inlet('a'))];
    let moved = || update("orders/create", ["", "commerce"], sides(), &["address"]);
    let route = |plan: Plan| island(&plans_html(&[plan], &[]))["routes"][0].as_str().unwrap().to_owned();
    let unnamed = plan(vec![shop("alpha", vec![moved()])]);
    assert_eq!(route(unnamed.clone()), format!("update|update||{}|commerce", inlet('f')));
    let former = Plan { former_addresses: vec![inlet('f')], ..unnamed };
    assert_eq!(route(former), "update|update||…/collection/ffffffff…ffffffff (former)|commerce");
}

#[test]
fn shards_are_one_page() {
    let part = |k: &str, handle: &str| {
        let mut part = plan(vec![shop(handle, vec![create("orders/create", None, to(&inlet('a')), None)])]);
        part.selection.shard = Some(k.into());
        part
    };
    let two = [part("2/2", "zeta"), part("1/2", "alpha")];
    let html = plans_html(&two, &[]);
    assert!(html.contains("<h1>Plan: 2 to add, 0 to change, 0 to destroy.</h1>"));
    assert!(html.contains("all 2 shards") && html.contains("sha256:0 (shard 2/2)"));
    let data = island(&html);
    assert_eq!(
        (&data["rows"][0]["shop"], &data["rows"][1]["shop"]),
        (&"alpha.myshopify.com".into(), &"zeta.myshopify.com".into())
    );
    assert_eq!(data["changes"].as_array().unwrap().len(), 1, "equal changes are stored once");

    let many: Vec<Plan> = (1..=16).map(|k| part(&format!("{k}/17"), &format!("shop-{k}"))).collect();
    let html = plans_html(&many, &[]);
    assert!(
        html.contains("<header class=\"top bad\">\n<p class=\"target\">16 of 17 shards: 17/17 is missing. This is not")
    );
    assert_eq!(html.matches("<dt>Created</dt>").count(), 1);
    assert!(html.contains("sha256:0 (shard 4/17)</dd>") && html.contains("<dd>… and 12 more</dd>"));
}

#[test]
fn a_report_has_outcomes() {
    let failed =
        outcome(create("orders/create", Some("commerce"), to(&inlet('a')), at("o.yaml", 7)), OutcomeResult::Failed);
    let failed = crate::wire::report::Outcome { error: Some(error("refused", "Address is invalid").into()), ..failed };
    let html = reports_html(&[report(vec![report_shop("alpha", ReportShopStatus::Incomplete, vec![failed])])], &[]);
    assert!(
        html.contains("<h1>Apply incomplete! Resources: 0 added, 0 changed, 0 destroyed; 1 failed, 0 skipped.</h1>")
    );
    let entry = &island(&html)["rows"][0]["entries"][0];
    assert_eq!(entry["outcome"]["result"], "failed");
    assert_eq!(entry["outcome"]["error"]["message"], "Address is invalid");
}

#[test]
fn an_empty_plan_is_a_page() {
    for html in [plans_html(&[plan(vec![])], &[]), plans_html(&[], &[]), reports_html(&[], &[])] {
        well_formed(&html).unwrap();
        assert_eq!(island(&html)["rows"], Value::Array(vec![]));
    }
    assert!(plans_html(&[plan(vec![])], &[]).contains("No shop matches the selection."));
}

/// The policy has the hashes of the script and the style, and the page has no URL.
#[test]
fn the_policy_allows_only_the_script_and_style_of_the_page() {
    let html = plans_html(&[plan(vec![])], &[]);
    let policy = between(&html, "http-equiv=\"Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let style = hash(between(&html, "<style>", "</style>"));
    let script = hash(between(&html, "<script>", "</script>"));
    let expected =
        format!("default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'");
    assert_eq!(policy, expected);
    assert_eq!(csp_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    for word in ["http://", "https://", "@import", "url(", "href=", "src="] {
        assert!(!html.contains(word), "{word} could fetch something");
    }
}

/// The script creates elements and text nodes, and does not convert text to markup.
#[test]
fn the_script_does_not_convert_text_to_markup() {
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "DOMParser",
        "fetch(",
        "import(",
    ] {
        assert!(!SCRIPT.contains(word), "{word}");
    }
    assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--"));
}

#[test]
fn lines_beyond_the_limit_are_counted() {
    let points = (1..MAX_LINES + 1234).map(|_| Point::Address("line".to_owned())).collect();
    let section = Section::list(Weight::Uncovered, "title", points).unwrap();
    let html = lines(&[&section], MAX_LINES).unwrap().into_string();
    assert_eq!(html.matches("<div").count(), MAX_LINES);
    assert!(html.ends_with("… and 1,234 more lines; the matrix has all changes"));
}

/// Replaces every string of the plan by a hostile one.
fn poisoned(mut plan: Plan, hostile: &str) -> Plan {
    for shop in &mut plan.shops {
        shop.shop = hostile.into();
        shop.labels = std::sync::Arc::new([(hostile.to_owned(), hostile.to_owned())].into());
        for change in &mut shop.changes {
            change.topic = hostile.into();
            change.destination.after = Some(hostile.into());
        }
        for finding in &mut shop.findings {
            finding.kind = hostile.into();
            finding.message = hostile.into();
        }
    }
    plan.settings.endpoint = hostile.into();
    plan.created_at = hostile.into();
    plan.plan_digest = hostile.into();
    plan.selection.labels = vec![hostile.into()];
    plan.hazards = vec![hazard(hostile, Some(hostile), hostile)];
    plan
}

proptest! {
    #[test]
    fn any_plan_is_a_page(plan in laws::plan()) {
        let html = plans_html(std::slice::from_ref(&plan), &[]);
        well_formed(&html)?;
        let data = island(&html);
        let mut shops: Vec<_> = plan.shops.iter().collect();
        shops.sort_by(|a, b| a.shop.cmp(&b.shop));
        for (row, shop) in shops.iter().enumerate() {
            prop_assert_eq!(entries(&data, row), changes(shop.changes.iter()));
        }
    }

    #[test]
    fn any_report_is_a_page(report in laws::report()) {
        let html = reports_html(std::slice::from_ref(&report), &[]);
        well_formed(&html)?;
        let data = island(&html);
        let Report { mut shops, .. } = report;
        shops.sort_by(|a, b| a.shop.cmp(&b.shop));
        for (row, shop) in shops.iter().enumerate() {
            prop_assert_eq!(entries(&data, row), changes(shop.outcomes.iter().map(|o| &o.change)));
        }
    }

    /// Hostile text does not break out of a text, an attribute, a comment, a script or a template.
    #[test]
    fn hostile_text_is_text(plan in laws::plan(), which in 0usize..5) {
        let hostile = [
            "</script><img src=x onerror=alert(1)>",
            "\"><svg onload=alert(1)>' onmouseover='alert(1)",
            "<!--<script>\u{2028}alert(1)",
            "{{script}}{{island}}</title></style>",
            "\u{1b}[31m<b>\u{202e}&lt;",
        ][which];
        let html = plans_html(&[poisoned(plan, hostile)], &[]);
        well_formed(&html)?;
        let acting = ['\u{2028}', '\u{1b}', '\u{202e}'];
        prop_assert!(!html.contains(acting));
        prop_assert_eq!(html.matches("<script").count(), 2);
        prop_assert_eq!(html.matches("</script").count(), 2);
    }
}
