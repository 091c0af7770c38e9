//! How shops, and numbers of things, are written.

use super::{Style, escape};
use crate::text::{plural, thousands};

/// A shop without the ending that all have.
pub(super) fn handle(shop: &str) -> &str {
    shop.strip_suffix(".myshopify.com").unwrap_or(shop)
}

/// `alpha.myshopify.com`, or `3 shops: alpha, beta, gamma`. A list of more than about two lines is cut.
pub(crate) fn title(shops: &[&str], style: &Style) -> String {
    match shops {
        [shop] => escape(shop).into_owned(),
        shops => format!("{}: {}", plural(shops.len(), "shop"), list(shops, style)),
    }
}

/// `alpha, beta, … and 998 more`; all of them if verbose.
pub(super) fn list(shops: &[&str], style: &Style) -> String {
    let names: Vec<_> = shops.iter().map(|shop| escape(handle(shop))).collect();
    let length = |names: &[std::borrow::Cow<'_, str>]| names.iter().map(|n| n.chars().count() + 2).sum::<usize>();
    let room = usize::from(style.width.unwrap_or(80)).max(40) * 2 - 16;
    if style.verbose || length(&names) <= room {
        return names.join(", ");
    }
    let room = room - " … and 1,000 more".len();
    let fitting = (1..names.len()).take_while(|&n| n == 1 || length(&names[..n]) <= room).last().unwrap_or(1);
    format!("{}, … and {} more", names[..fitting].join(", "), thousands(names.len() - fitting))
}
