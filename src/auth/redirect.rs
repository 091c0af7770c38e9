//! The redirect URI of an authorization, to which Shopify sends the browser with the code. Pure.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::words;

/// An https URL, or an http URL of a loopback address.
#[derive(Debug, Clone)]
pub(crate) struct RedirectUri {
    /// The text as written. Shopify compares it, byte for byte, with the redirect URIs that the app allows.
    text: String,
    url: Url,
}

/// A redirect URI on this machine at which the login does not listen. The browser would not reach the login after the
/// merchant approved the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotTheListener;

impl RedirectUri {
    /// Parses a redirect URI. The error continues a sentence that starts with the option.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|e| format!("is not a URL: {}", words::of_url(e)))?;
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err("must start with `https://`, or with `http://` for a loopback address".to_owned()),
        }
        if url.fragment().is_some() {
            return Err("must not have a fragment (`#`)".to_owned());
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// Returns the text as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path of the URL.
    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    /// Returns the host of the URL.
    pub(crate) fn host(&self) -> Option<&str> {
        self.url.host_str()
    }

    /// Returns whether this URI reaches the listener only through another program, such as a tunnel.
    pub(crate) fn needs_tunnel(&self, listener: SocketAddr) -> Result<bool, NotTheListener> {
        let (loopback, same_host) = match self.url.host() {
            Some(Host::Domain(name)) => (name == "localhost", name == "localhost"),
            Some(Host::Ipv4(ip)) => (ip.is_loopback(), listener.ip() == ip),
            Some(Host::Ipv6(ip)) => (ip.is_loopback(), listener.ip() == ip),
            None => (false, false),
        };
        let same_port = self.url.port_or_known_default() == Some(listener.port());
        // https on another port of this machine: another program terminates TLS and may forward the request.
        if !loopback || (self.url.scheme() == "https" && !same_port) {
            return Ok(true);
        }
        if self.url.scheme() == "http" && same_host && same_port { Ok(false) } else { Err(NotTheListener) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_on_this_machine_must_be_the_listener() {
        let listener: SocketAddr = "127.0.0.1:8931".parse().expect("address");
        for (uri, answer) in [
            ("http://127.0.0.1:8931/callback", Ok(false)),
            ("http://localhost:8931/another?path=1", Ok(false)),
            ("https://tunnel.example/callback", Ok(true)),
            ("https://localhost:3000/callback", Ok(true)),
            ("http://127.0.0.1:8932/callback", Err(NotTheListener)),
            ("http://127.0.0.1/callback", Err(NotTheListener)),
            ("http://[::1]:8931/callback", Err(NotTheListener)),
            ("https://127.0.0.1:8931/callback", Err(NotTheListener)),
        ] {
            let parsed = RedirectUri::parse(uri).expect("a redirect URI");
            assert_eq!(parsed.needs_tunnel(listener), answer, "{uri}");
        }
    }
}
