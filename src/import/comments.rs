//! The comment at the top of the manifest: counts, what is missing, and what could not be read.

use super::Request;
use super::binding::BindingForm;
use super::document::{Document, count};
use super::select::{Selected, SelectedShop};
use crate::manifest::Transport;
use crate::state::Unmanaged;

/// Maximum number of lines of one list in a comment; it counts the rest.
const MOST: usize = 50;

/// Returns the lines of the comment.
pub(super) fn header(request: &Request, selected: &Selected, document: &Document<'_>) -> Vec<String> {
    let written: usize = selected.shops.iter().map(SelectedShop::count).sum();
    let (destinations, sets) = document.sizes();
    let mut out = vec![format!(
        "Written by `hookwright import` from the live subscriptions of {}: {}, {}, {}.",
        count(request.shops.len(), "shop"),
        count(written, "subscription"),
        count(destinations, "destination"),
        count(sets, "binding set"),
    )];
    if !request.unread.is_empty() {
        out.push(String::new());
        let missing = count(request.unread.len(), "shop");
        out.push(format!("NOT READ, so missing below (they may have subscriptions): {missing}"));
        list(request.unread.iter().map(|unread| format!("{}: {}", unread.shop, unread.why)), &mut out);
    }
    if !selected.refused.is_empty() {
        out.push(String::new());
        let what = count(selected.refused.len(), "subscription");
        out.push(format!("LEFT OUT, because a manifest cannot contain them: {what}"));
        let line = |refused: &super::Refused| {
            let then = if refused.managed { "; the next plan proposes to delete this subscription" } else { "" };
            format!("{}: {} ({}): {}{then}", refused.shop, refused.topic, refused.id, refused.why)
        };
        list(selected.refused.iter().map(line), &mut out);
    }
    let unmanaged: usize = selected.unmanaged.iter().map(|(_, count)| count).sum();
    if unmanaged > 0 {
        out.push(String::new());
        let shops = count(selected.unmanaged.len(), "shop");
        let how = if request.all {
            "`--all` cannot include them, because a prefix that covers their addresses would cover other unmanaged ones, too"
        } else {
            "`--all` includes them"
        };
        out.push(format!("Unmanaged and left out: {} in {shops}; {how}.", count(unmanaged, "subscription")));
    }
    if request.ownership.unmanaged == Unmanaged::Delete {
        out.push(String::new());
        out.push("The given manifest contains `unmanaged: delete`, which was not copied.".to_owned());
    }
    if request.admin_api.transport == Transport::Rest {
        out.push(String::new());
        out.push(
            "Read over REST, which shows neither filters nor names, so subscriptions below may have them. A plan"
                .into(),
        );
        out.push("changes nothing for that reason. To include them, read with `transport: graphql`.".into());
        if selected.shops.iter().flat_map(|shop| shop.forms.keys()).any(BindingForm::names_own_app) {
            out.push(
                "REST does not show the number of the app either: a `$app:` namespace below may belong to another app."
                    .into(),
            );
        }
    }
    out
}

fn list(lines: impl ExactSizeIterator<Item = String>, out: &mut Vec<String>) {
    let more = lines.len().saturating_sub(MOST);
    out.extend(lines.take(MOST).map(|line| format!("  {line}")));
    if more > 0 {
        out.push(format!("  and {more} more"));
    }
}
