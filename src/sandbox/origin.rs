//! Protection against requests from web pages of other sites.
//!
//! A browser on this machine reaches a listener on loopback. A page can send it simple requests and, after DNS rebinding,
//! read the responses. Such requests are refused on the endpoints that read or change the sandbox itself.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

use super::reply::Reply;

/// Returns the error response of a request to the control endpoints if its `Host` does not name this machine or if it comes
/// from another site. `listening` is the address that the server is bound to.
pub(super) fn check_control(headers: &HeaderMap, listening: IpAddr) -> Option<Reply> {
    let named = headers.get_all(HOST).iter().all(|host| host.to_str().is_ok_and(|host| is_here(host, listening)));
    if headers.contains_key(HOST) && named {
        return check_site(headers);
    }
    let message = "the sandbox's own endpoints are reached by localhost or by an IP address of this machine, not by another \
                   name (the Host header): a name may point here by DNS rebinding";
    Some(Reply::errors(403, message))
}

/// Returns the error response of a request from a page of another site. Programs send neither header.
pub(super) fn check_site(headers: &HeaderMap) -> Option<Reply> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let own = match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => text(HOST.as_str()).is_some_and(|host| origin == format!("http://{host}")),
        (None, None) => true,
    };
    let message = "a page of another site made this request (Origin or Sec-Fetch-Site); the sandbox answers its own pages \
                   and programs, such as curl";
    (!own).then(|| Reply::errors(403, message))
}

/// Whether a `Host` header names this machine. Only names can be rebound, so any IP address is accepted if the server
/// listens on all addresses.
fn is_here(host: &str, listening: IpAddr) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || ip == listening || listening.is_unspecified())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn status(pairs: &[(&'static str, &'static str)], listening: &str) -> u16 {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        check_control(&headers, listening.parse().expect("address")).map_or(200, |reply| reply.status)
    }

    #[test]
    fn the_host_must_name_this_machine() {
        for host in ["localhost", "LOCALHOST:4000", "127.0.0.1:4000", "127.9.9.9", "[::1]:4000", "10.0.0.7:4000"] {
            assert_eq!(status(&[("host", host)], "10.0.0.7"), 200, "{host}");
        }
        for host in
            ["evil.example", "evil.example:4000", "localhost.evil.example", "10.0.0.8", "", "acme.myshopify.com"]
        {
            assert_eq!(status(&[("host", host)], "10.0.0.7"), 403, "{host}");
        }
        assert_eq!(status(&[("host", "10.0.0.8:1")], "0.0.0.0"), 200);
        assert_eq!(status(&[("host", "evil.example")], "0.0.0.0"), 403);
        assert_eq!(status(&[], "127.0.0.1"), 403);
        assert_eq!(status(&[("host", "localhost"), ("host", "evil.example")], "127.0.0.1"), 403);
    }

    #[test]
    fn requests_from_pages_of_other_sites_are_refused() {
        for (name, value, expected) in [
            ("origin", "http://localhost:4000", 200),
            ("origin", "http://localhost:3000", 403),
            ("origin", "https://evil.example", 403),
            ("origin", "null", 403),
            ("sec-fetch-site", "same-origin", 200),
            ("sec-fetch-site", "none", 200),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "cross-site", 403),
        ] {
            assert_eq!(status(&[("host", "localhost:4000"), (name, value)], "127.0.0.1"), expected, "{name}: {value}");
        }
    }
}
