//! The page that shows how the login ended. Pure.

use std::fmt::Write as _;

const TEMPLATE: &str = include_str!("page.html");

/// The content of the page.
pub(crate) enum Page<'a> {
    Connected {
        shop: &'a str,
        granted: &'a [String],
        missing: &'a [String],
    },
    Failed {
        shop: &'a str,
        why: &'a str,
    },
    /// A request that does not belong to this login.
    Stranger,
}

impl Page<'_> {
    pub(crate) fn html(&self) -> String {
        let list = |scopes: &[String]| {
            scopes.iter().fold(String::new(), |mut out, scope| {
                let _ = write!(out, "<li>{}</li>", escape(scope));
                out
            })
        };
        let (state, title, body) = match self {
            Self::Connected { shop, granted, missing } => {
                let mut body = format!("<p>Hookwright now has access to <strong>{}</strong>.</p>", escape(shop));
                if !granted.is_empty() {
                    let _ = write!(body, "<h2>Granted</h2><ul id=\"granted\">{}</ul>", list(granted));
                }
                if !missing.is_empty() {
                    let _ = write!(
                        body,
                        "<h2>Required, but not granted</h2><ul id=\"missing\">{}</ul><p>Hookwright has reported this \
                         to its operator.</p>",
                        list(missing)
                    );
                }
                ("ok", "The shop is connected", body + "<p>You can close this page.</p>")
            }
            Self::Failed { shop, why } => {
                let body = format!(
                    "<p><strong>{}</strong> was not connected:</p><p id=\"why\">{}</p><p>Hookwright has reported this \
                     to its operator.</p>",
                    escape(shop),
                    escape(why)
                );
                ("failed", "The shop is not connected", body)
            }
            Self::Stranger => {
                let body = "<p>This page was opened with a state that does not belong to the current login. Use the \
                            link that Hookwright printed last.</p>";
                ("failed", "This link does not belong to the current login", body.to_owned())
            }
        };
        TEMPLATE.replace("{{state}}", state).replace("{{title}}", title).replace("{{body}}", &body)
    }
}

fn escape(text: &str) -> String {
    let text = crate::text::escape(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_escaped() {
        let page =
            Page::Failed { shop: "acme.myshopify.com", why: "<script>alert('{{title}}')</script> & \"x\"" }.html();
        assert!(page.contains("&lt;script&gt;alert(&#39;{{title}}&#39;)&lt;/script&gt; &amp; &quot;x&quot;"), "{page}");
        let page = Page::Connected { shop: "a", granted: &["<b>".to_owned()], missing: &[] }.html();
        assert!(page.contains("<li>&lt;b&gt;</li>") && !page.contains("id=\"missing\"") && !page.contains("{{"));
    }
}
