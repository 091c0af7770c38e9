//! The pages for merchants: self-contained, without scripts, accessible, in light and dark mode.

use std::fmt::Write as _;

use crate::model::{Scope, ShopDomain};

use super::authorize::AuthorizationRequest;
use crate::sandbox::reply::Reply;
use crate::sandbox::store::{ShopStatus, StoredShop};

const STYLE: &str = "\
:root{color-scheme:light dark;--back:#f1f2f4;--card:#fff;--text:#1d2025;--soft:#5a606b;--line:#d7dae0;--go:#1b5e3f;\
--on-go:#fff;--mark:#d9f2e3;--on-mark:#0c4a2c}\
@media(prefers-color-scheme:dark){:root{--back:#14161a;--card:#1e2126;--text:#eceef1;--soft:#a8aeb9;--line:#3a3f48;\
--go:#8fe3b5;--on-go:#0b2a1a;--mark:#1f4a34;--on-mark:#c9f5dc}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--back);color:var(--text);\
font:1rem/1.5 system-ui,sans-serif}\
main{width:100%;max-width:34rem;background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:2rem;\
overflow-wrap:anywhere}\
h1{font-size:1.4rem;line-height:1.3;margin:0 0 1rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}\
ul{list-style:none;margin:0;padding:0}li{padding:.45rem 0;border-top:1px solid var(--line)}\
code{font-size:.9em;color:var(--soft)}p{margin:.5rem 0}footer{margin-top:1.5rem;font-size:.875rem;color:var(--soft)}\
.new{background:var(--mark);color:var(--on-mark);border-radius:.4rem;padding:.05rem .4rem;font-size:.8rem}\
form{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.75rem}\
button,.button{font:inherit;font-weight:600;padding:.6rem 1.2rem;border-radius:.6rem;border:1px solid var(--line);\
color:var(--text);text-decoration:none;cursor:pointer}\
button{background:var(--go);border-color:var(--go);color:var(--on-go)}\
:focus-visible{outline:3px solid var(--text);outline-offset:2px}";

/// Escapes a text for an HTML element or attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A page; `main` is HTML.
fn page(status: u16, title: &str, main: &str) -> Reply {
    let title = escape(title);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\n\
         <body><main>\n{main}\n<footer>This is the sandbox of Hookwright. No real shop is touched.</footer>\n\
         </main></body></html>\n"
    );
    Reply::html(status, html)
        .header("cache-control", "no-store")
        .header("referrer-policy", "same-origin")
        // No form-action: browsers apply it to the redirect after the form, too.
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        )
}

/// An error page with Shopify's title.
pub(super) fn error(status: u16, error: &str, description: &str) -> Reply {
    let text = format!("Oauth error {error}: {description}");
    page(status, &format!("{status} - {text}"), &format!("<h1>{}</h1>", escape(&text)))
}

/// The page after "Cancel". As with Shopify, the app is not informed.
pub(super) fn cancelled(shop: &ShopDomain) -> Reply {
    let shop = escape(shop.as_str());
    let main = format!(
        "<h1>Nothing was installed</h1>\n<p>{shop} was not changed, and the app was not notified. You can close this page.</p>"
    );
    page(200, "Nothing was installed", &main)
}

/// The page that asks the merchant.
pub(super) fn consent(domain: &ShopDomain, shop: &StoredShop, asked: &AuthorizationRequest) -> Reply {
    let (app, at) = (escape(&asked.app.name), escape(domain.as_str()));
    let installed = shop.status != ShopStatus::Uninstalled;
    let before = if installed { shop.scope_handles() } else { Vec::new() };
    let mut main = format!("<h1>Install {app} on {at}?</h1>\n<p>{app} asks for access to this shop.</p>\n");
    // Writes to a String cannot fail.
    let _ = writeln!(main, "<h2 id=\"asked\">It will be able to</h2>\n<ul aria-labelledby=\"asked\">");
    for scope in &asked.scopes {
        let new = if before.contains(scope) { "" } else { " <span class=\"new\">new</span>" };
        let _ = writeln!(main, "<li>{} <code>{}</code>{new}</li>", escape(&words(scope)), escape(scope));
    }
    if asked.scopes.is_empty() {
        main.push_str("<li>View the name of the shop</li>\n");
    }
    main.push_str("</ul>\n");
    let implied: Vec<_> = asked.scopes.iter().filter_map(|scope| Scope::observed(scope).implied()).collect();
    let kept = |scope: &str| asked.scopes.iter().any(|s| s == scope) || implied.iter().any(|s| s.as_str() == scope);
    let lost: Vec<_> = before.iter().filter(|scope| !kept(scope)).collect();
    if !lost.is_empty() {
        main.push_str("<h2 id=\"lost\">It will no longer be able to</h2>\n<ul aria-labelledby=\"lost\">\n");
        for scope in lost {
            let _ = writeln!(main, "<li>{} <code>{}</code></li>", escape(&words(scope)), escape(scope));
        }
        main.push_str("</ul>\n");
    }
    main.push_str("<form method=\"post\" action=\"authorize\">\n");
    for (name, value) in &asked.fields {
        let _ = writeln!(main, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
    main.push_str(
        "<button type=\"submit\" id=\"install\">Install app</button>\n\
         <a class=\"button\" id=\"cancel\" href=\"authorize?cancelled=1\">Cancel</a>\n</form>",
    );
    page(200, &format!("Install {} on {domain}", asked.app.name), &main)
}

/// Describes a scope: `View and edit orders`.
fn words(scope: &str) -> String {
    let whose = [("unauthenticated_", " for visitors of the shop"), ("customer_", " for customers in their accounts")];
    let mut whose = whose.into_iter().filter_map(|(prefix, whose)| Some((scope.strip_prefix(prefix)?, whose)));
    let (rest, whose) = whose.next().unwrap_or((scope, ""));
    let (verb, what) = match rest.strip_prefix("write_") {
        Some(what) => ("View and edit", what),
        None => ("View", rest.strip_prefix("read_").unwrap_or(rest)),
    };
    format!("{verb} {}{whose}", what.replace('_', " "))
}
