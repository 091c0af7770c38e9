//! Destinations at Adobe: what was looked for, what was found, and where that leads.

use super::page::{Ink, Page};
use super::{Style, escape};
use crate::text::plural;
use crate::wire::plan::{Destination, InletKind, Severity};

/// Above destinations.
pub(super) const HEADING: &str = "Destinations at Adobe Experience Platform";

/// One destination in words. Every text is disarmed.
pub(super) struct Said {
    /// `orders`, `orders of acme.myshopify.com`
    pub(super) name: String,
    /// `flow 4982698b-… "Shopify orders (prod)", enabled, in sandbox prod`
    pub(super) found: Option<String>,
    pub(super) address: Option<String>,
    /// What is the matter, with the verdict in front.
    pub(super) verdict: Option<String>,
    /// What gives way to it.
    pub(super) replaces: Vec<String>,
    pub(super) strong: bool,
}

/// In words.
pub(super) fn said(destination: &Destination) -> Said {
    let Destination { name, shop, wanted, kind, id, title, state, sandbox, address, verdict, message, .. } =
        destination;
    let of = shop.as_deref().map_or_else(String::new, |shop| format!(" of {}", escape(shop)));
    let name = name.as_deref().filter(|name| !name.is_empty());
    let found = id.as_deref().map(|id| {
        let title = title.as_deref().map_or_else(String::new, |title| format!(" {:?}", escape(title)));
        let state = state
            .as_deref()
            .filter(|state| !state.is_empty())
            .map_or_else(String::new, |state| format!(", {}", escape(state)));
        let sandbox =
            sandbox.as_deref().map_or_else(String::new, |sandbox| format!(", in sandbox {}", escape(sandbox)));
        format!("{} {}{title}{state}{sandbox}", escape(kind.as_ref().map_or("inlet", InletKind::as_str)), escape(id))
    });
    let verdict = (!message.is_empty()).then(|| format!("{}: {}", escape(verdict), escape(message)));
    let replaces = destination.replaces.iter().map(|replaced| {
        format!(
            "{} in {} have {} instead: {}",
            plural(replaced.subscriptions, "live subscription"),
            plural(replaced.shops, "shop"),
            escape(&replaced.address),
            escape(&replaced.message)
        )
    });
    Said {
        name: format!("{}{of}", name.map_or_else(|| escape(wanted).into_owned(), |name| escape(name).into_owned())),
        found,
        address: address
            .as_deref()
            .filter(|address| name.is_some() || address != wanted)
            .map(|a| escape(a).into_owned()),
        verdict,
        replaces: replaces.collect(),
        strong: destination.severity == Severity::Attention || destination.error.is_some(),
    }
}

/// Destinations, each with what Adobe says.
pub(super) fn write(page: &mut Page<'_>, destinations: &[&Destination]) {
    if destinations.is_empty() {
        return;
    }
    page.heading(&format!("{HEADING}:"));
    for Said { name, found, address, verdict, replaces, strong } in destinations.iter().map(|d| said(d)) {
        let way: Vec<String> = [Some(name), found, address].into_iter().flatten().collect();
        page.point(Some(Ink::Strong).filter(|_| strong), &way.join(" -> "));
        for line in verdict.into_iter().chain(replaces) {
            page.prose(4, &line);
        }
    }
}

/// What `destinations` prints.
pub(super) fn text(destinations: &[Destination], style: &Style) -> String {
    let mut page = Page::new(style);
    write(&mut page, &destinations.iter().collect::<Vec<_>>());
    let with = |wanted: &dyn Fn(&Destination) -> bool| destinations.iter().filter(|d| wanted(d)).count();
    let (bad, unknown) = (with(&|d| d.severity == Severity::Attention), with(&|d| d.error.is_some()));
    let last = match destinations.len() {
        0 => "No destination of the manifest leads to Adobe Experience Platform.".to_owned(),
        all => {
            let mut words = vec![plural(all, "destination")];
            words.extend((bad > 0).then(|| format!("{bad} {} attention", if bad == 1 { "needs" } else { "need" })));
            words.extend((unknown > 0).then(|| format!("{unknown} could not be checked")));
            format!("{}.", words.join(", "))
        }
    };
    page.finish(&last)
}
