//! Sections as elements: hazards with their consents, and lists of points.

use jiff::civil::Date;

use super::markup::{Html, fill};
use super::{prose, text};
use crate::render::Style;
use crate::render::document::{Block, Point, Section};
use crate::render::hazards::{Decision, Given, yaml};
use crate::render::text::{handle, title};
use crate::text::{plural, thousands};
use crate::wire::plan::Hazard;

/// The maximum number of listed hazards of one kind. The others are counted.
const MAX_HAZARDS: usize = 20;

/// Returns a section of hazards or points.
pub(super) fn section(section: &Section<'_>) -> Html {
    let Section { weight: _, title, strong: _, block, remark } = section;
    let (class, list) = match block {
        Block::Hazards(decisions, expires) => ("hazards", Html::join(decisions.iter().map(|d| decision(d, *expires)))),
        Block::Points(points) => ("points", Html::join(points.iter().map(point))),
        _ => return Html::default(),
    };
    let remark = remark.as_deref().map_or_else(Html::default, prose);
    let values = [("class", &Html::own(class)), ("title", &text(title)), ("remark", &remark), ("list", &list)];
    fill(
        "<section class=\"{{class}}\" aria-label=\"{{title}}\">\n<h2>{{title}} <span>{{remark}}</span></h2>\n<ul>\n{{list}}</ul>\n</section>\n",
        &values,
    )
}

fn decision(decision: &Decision<'_>, expires: Option<Date>) -> Html {
    let Decision { kind, shops, message, allow, consents, hazards } = decision;
    let given = allow.is_empty();
    let shops = match &shops[..] {
        [] => "whole run".to_owned(),
        shops => title(shops, &Style::default()),
    };
    let consents = Html::join(consents.iter().map(|consent| {
        let consent = match consent {
            Given::Option(allow) => format!("`{allow}`, given on the command line"),
            Given::Manifest(text) => text.clone(),
        };
        fill("<p class=\"consent\">Consent: {{consent}}</p>\n", &[("consent", &prose(&consent))])
    }));
    let values = [
        ("state", &Html::own(if given { "consented" } else { "open" })),
        ("badge", &Html::own(if given { "consent given" } else { "needs consent" })),
        ("kind", &text(kind)),
        ("shops", &Html::text(&shops)),
        ("message", &prose(message)),
        ("consents", &consents),
        ("how", &how_to_consent(allow, expires)),
        ("each", &each(hazards)),
    ];
    fill(
        "<li class=\"decision {{state}}\">\n<p class=\"kind\"><b>{{kind}}</b> <span class=\"badge\">{{badge}}</span> <span class=\"who\">{{shops}}</span></p>\n<p>{{message}}</p>\n{{consents}}{{how}}{{each}}</li>\n",
        &values,
    )
}

/// Returns the lines of a manifest that consent, or nothing if there is a consent.
fn how_to_consent(allow: &[String], expires: Option<Date>) -> Html {
    let Some(expires) = expires.filter(|_| !allow.is_empty()) else { return Html::default() };
    let lines = yaml(allow, expires).join("\n");
    fill(
        "<details><summary>How to consent</summary><p>Add a consent to the manifest and create a new plan:</p><pre>{{lines}}</pre></details>\n",
        &[("lines", &Html::join(lines.lines().map(|line| Html::join([text(line), Html::own("\n")]))))],
    )
}

/// Returns the hazards of the single shops.
fn each(hazards: &[&Hazard]) -> Html {
    if hazards.len() < 2 {
        return Html::default();
    }
    let mut lines: Vec<String> = hazards
        .iter()
        .take(MAX_HAZARDS)
        .map(|Hazard { shop, message, .. }| format!("{}: {message}", handle(shop.as_deref().unwrap_or("the run"))))
        .collect();
    if hazards.len() > MAX_HAZARDS {
        lines.push(format!("… and {} more", thousands(hazards.len() - MAX_HAZARDS)));
    }
    let lines = Html::join(lines.iter().map(|line| fill("<li>{{line}}</li>\n", &[("line", &prose(line))])));
    fill(
        "<details><summary>{{n}}</summary><ul>\n{{lines}}</ul></details>\n",
        &[("n", &text(&plural(hazards.len(), "hazard"))), ("lines", &lines)],
    )
}

fn point(point: &Point<'_>) -> Html {
    let (message, shops) = match point {
        Point::Words(message) | Point::Address(message) => (message.clone(), None),
        Point::Note { kind: _, about, place, message, shops, members: _ } => {
            let about = about.as_ref().map_or_else(String::new, |about| format!("{about}: "));
            let place = place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
            (format!("{about}{message}{place}"), Some(shops))
        }
        Point::Unmanaged { what, shops, members: _ } => (what.clone(), Some(shops)),
        Point::Destination { name, found, address, remarks, strong: _ } => {
            let parts = [Some(name), found.as_ref(), address.as_ref()].into_iter().flatten().chain(remarks).cloned();
            (parts.collect::<Vec<_>>().join("; "), None)
        }
    };
    let shops = shops.map_or_else(Html::default, |shops| {
        fill("<b>{{shops}}</b> ", &[("shops", &Html::text(&title(shops, &Style::default())))])
    });
    fill("<li>{{shops}}{{message}}</li>\n", &[("shops", &shops), ("message", &prose(&message))])
}
