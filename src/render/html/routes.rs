//! The summary of changes: what happens between which destinations, in how many shops.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::markup::{Html, fill};
use super::names::Names;
use super::text;
use crate::render::changes::brief_address;
use crate::render::group::group_by;
use crate::text::{plural, thousands};
use crate::wire::plan::{Change, Origin};
use crate::wire::report::OutcomeResult;

/// The number of routes that are listed before the others are folded.
const MAX_ROUTES: usize = 6;
/// The maximum number of listed topics of one route.
const MAX_TOPICS: usize = 4;

/// A change of one shop with its outcome in a report.
pub(super) type Made<'a> = (&'a str, &'a Change, Option<OutcomeResult>);

/// What changes of one route have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Route<'a> {
    /// The action or, in a report, the result.
    state: &'static str,
    action: &'static str,
    is_drift: bool,
    from: Option<Cow<'a, str>>,
    to: Option<Cow<'a, str>>,
}

impl Route<'_> {
    /// Returns the route as the script computes it for a change.
    fn key(&self) -> String {
        let drift = if self.is_drift { "drift" } else { "" };
        let (from, to) = (self.from.as_deref().unwrap_or_default(), self.to.as_deref().unwrap_or_default());
        [self.state, self.action, drift, from, to].join("|")
    }

    fn words(&self) -> Html {
        let short = |name: &str| text(&brief_address(name));
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        match (from, to) {
            (Some(from), Some(to)) if from != to => {
                fill("<b>{{from}}</b> → <b>{{to}}</b>", &[("from", &short(from)), ("to", &short(to))])
            }
            (Some(one), _) | (None, Some(one)) => fill("→ <b>{{one}}</b>", &[("one", &short(one))]),
            (None, None) => Html::default(),
        }
    }
}

/// Returns the section of changes, empty if there are none, and the keys of its routes. The script filters the matrix by them.
pub(super) fn section<'a>(title: &str, changes: &[Made<'a>], names: &Names<'a>) -> (Html, Vec<String>) {
    let mut routes = group_by(changes.iter().map(|(shop, change, result)| {
        let side = |name: &'a Option<Arc<str>>, side: &'a Option<Arc<_>>| {
            side.as_deref().map(|side| names.of(name.as_deref(), change, side))
        };
        let route = Route {
            state: result.map_or(change.action.as_str(), result_word),
            action: change.action.as_str(),
            is_drift: result.is_none() && change.origin == Some(Origin::Drift),
            from: side(&change.destination.before, &change.before),
            to: side(&change.destination.after, &change.after),
        };
        (route, *shop, *change)
    }));
    if routes.is_empty() {
        return (Html::default(), Vec::new());
    }
    // The riskiest first: failures, then deletes, updates and creates.
    let risk = |route: &Route<'_>| {
        let result = ["failed", "skipped"].iter().position(|state| *state == route.state).unwrap_or(2);
        let action = ["delete", "update", "create"].iter().position(|action| *action == route.action);
        (result, action)
    };
    routes.sort_by(|(a, of_a), (b, of_b)| (risk(a), of_b.len()).cmp(&(risk(b), of_a.len())));
    let shops: BTreeSet<&str> = changes.iter().map(|(shop, ..)| *shop).collect();
    let counts = format!("{} in {}", plural(changes.len(), "change"), plural(shops.len(), "shop"));
    let keys = routes.iter().map(|(route, _)| route.key()).collect();
    let mut items: Vec<Html> =
        routes.iter().enumerate().map(|(at, (route, changes))| item(at, route, changes)).collect();
    let more = items.split_off(items.len().min(MAX_ROUTES));
    let more = if more.is_empty() {
        Html::default()
    } else {
        let n = text(&plural(more.len(), "more group"));
        fill(MORE, &[("n", &n), ("list", &Html::join(more))])
    };
    let values = [("title", &text(title)), ("counts", &text(&counts)), ("list", &Html::join(items)), ("more", &more)];
    (fill(SECTION, &values), keys)
}

const SECTION: &str = r#"<section class="changes" aria-labelledby="changes-title">
<h2 id="changes-title">{{title}} <span>{{counts}}</span></h2>
<ul class="routes">
{{list}}</ul>
{{more}}</section>
"#;
const MORE: &str = r#"<details class="more"><summary>{{n}}</summary><ul class="routes">
{{list}}</ul></details>
"#;
const ITEM: &str = r#"<li class="route {{state}}"><span class="sign" aria-hidden="true">{{sign}}</span>
<p class="way">{{words}} {{way}}{{result}}{{drift}}</p><p class="topics">{{topics}}</p><p class="figures">{{figures}}</p>
<button type="button" class="show" data-route="{{at}}" aria-pressed="false" hidden>Show<span class="hidden"> {{words}} {{way}}{{result}}</span></button></li>
"#;

fn item(at: usize, route: &Route<'_>, changes: &[(&str, &Change)]) -> Html {
    let shops: BTreeSet<&str> = changes.iter().map(|(shop, _)| *shop).collect();
    let topics: BTreeSet<&str> = changes.iter().map(|(_, change)| &*change.topic).collect();
    let mut listed: Vec<String> = topics.iter().take(MAX_TOPICS).map(|topic| (*topic).to_owned()).collect();
    if topics.len() > MAX_TOPICS {
        listed.push(format!("{} more", thousands(topics.len() - MAX_TOPICS)));
    }
    let (sign, words) = match route.action {
        "create" => ("+", "create"),
        "delete" => ("−", "destroy"),
        _ => ("~", "change"),
    };
    let result = match route.state {
        state if state == route.action => String::new(),
        "already_so" => ": already done before this run".to_owned(),
        state => format!(": {state}"),
    };
    let drift = if route.is_drift { Html::own("<span class=\"tag\">drift</span>") } else { Html::default() };
    let figures = format!("{} in {}", plural(changes.len(), "change"), plural(shops.len(), "shop"));
    let values = [
        ("state", &text(route.state)),
        ("sign", &Html::own(sign)),
        ("words", &Html::own(words)),
        ("result", &text(&result)),
        ("way", &route.words()),
        ("drift", &drift),
        ("topics", &text(&listed.join(", "))),
        ("figures", &text(&figures)),
        ("at", &text(&at.to_string())),
    ];
    fill(ITEM, &values)
}

/// Returns the value in the JSON.
fn result_word(result: OutcomeResult) -> &'static str {
    match result {
        OutcomeResult::Applied => "applied",
        OutcomeResult::AlreadySo => "already_so",
        OutcomeResult::Failed => "failed",
        OutcomeResult::Skipped => "skipped",
    }
}
