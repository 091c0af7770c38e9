//! Explains failed connections: names the proxy if it is the cause, and describes TLS errors.

use std::error::Error as _;

use reqwest::Url;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

use crate::quote::Redactor;

/// A failed connection.
pub(crate) struct Unconnected {
    /// The problem and the remedy.
    pub(crate) message: String,
    /// Whether a server responded, but TLS with it failed.
    pub(crate) tls: bool,
    /// Whether the cause is permanent, so that a retry is useless.
    pub(crate) lasting: bool,
}

/// Explains an error for which `is_connect` is true. `host`: the intended server. `check`: what to check if it was not
/// reached.
pub(crate) fn unconnected(error: &reqwest::Error, host: &str, check: &str, redactor: &Redactor) -> Unconnected {
    let proxy = Proxy::of(|name| std::env::var(name).ok());
    if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<TlsError>()) {
        let (what, then) = of_tls(tls);
        let message = redactor.clean(&format!("no secure connection to {host}: {what}. {then}"));
        return Unconnected { message, tls: true, lasting: true };
    }
    let cause = redactor.clean(&root_cause(error));
    // The type of this error is private to hyper-util.
    let tunnel =
        causes(error).map(ToString::to_string).find_map(|text| Some(text.strip_prefix("tunnel error: ")?.to_owned()));
    let (message, lasting) = match tunnel {
        None if cause == "tls handshake eof" => {
            let what = format!("no secure connection to {host}: the connection was closed during the TLS handshake");
            (format!("{what}. {check}, and that the port uses https"), false)
        }
        None => {
            let and = proxy.map(|proxy| format!(", and the proxy {proxy}")).unwrap_or_default();
            (format!("cannot connect to {host}: {cause}. {check}{and}"), false)
        }
        Some(why) => {
            let proxy = proxy.map_or_else(|| "of the system".to_owned(), |proxy| proxy.to_string());
            of_proxy(&why, &proxy, host, &cause)
        }
    };
    Unconnected { message, tls: false, lasting }
}

/// Explains an error of a proxy. Returns the message, and whether the cause is permanent.
fn of_proxy(why: &str, proxy: &str, host: &str, cause: &str) -> (String, bool) {
    const THEN: &str = "Correct that variable, or add the host to `NO_PROXY` to connect without a proxy";
    match why {
        "failed to create underlying connection" => {
            (format!("cannot connect to the proxy {proxy}: {cause}. {THEN}"), false)
        }
        "proxy authorization required" => {
            let then = "Set that variable to `http://USER:PASSWORD@HOST:PORT`";
            (format!("the proxy {proxy} requires a user name and a password. {then}"), true)
        }
        "unsuccessful" => (format!("the proxy {proxy} refused to connect to {host}. {THEN}"), false),
        _ => (format!("the proxy {proxy} did not respond like a proxy to a request for {host}. {THEN}"), false),
    }
}

/// The proxy for https in the environment, without its credentials.
struct Proxy {
    variable: &'static str,
    address: String,
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} from {}", self.address, self.variable)
    }
}

impl Proxy {
    /// Returns the proxy. The order is the one of the HTTP client.
    fn of(var: impl Fn(&str) -> Option<String>) -> Option<Self> {
        [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]].into_iter().find_map(|names| {
            let (variable, value) = names.into_iter().find_map(|name| Some((name, var(name)?)))?;
            let whole = if value.contains("://") { value } else { format!("http://{value}") };
            let url = Url::parse(&whole).ok()?;
            let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
            Some(Self { variable, address: format!("{}{port}", url.host_str()?) })
        })
    }
}

/// Explains a TLS error. Returns the problem and the remedy.
fn of_tls(error: &TlsError) -> (String, String) {
    const CLOCK: &str = "Renew it, and check this machine's clock";
    const AUTHORITY: &str = "If the server, or a proxy on the way, has a certificate of a private authority, set \
                             `SSL_CERT_FILE` to a PEM file with the authority's certificate (it replaces the system's \
                             authorities)";
    const SERVER: &str = "Install a certificate that an authority issued for this server";
    let (what, then) = match error {
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => {
                ("its certificate was issued by an authority that this machine does not trust", AUTHORITY)
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ("its certificate has expired", CLOCK)
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ("its certificate is not valid yet", CLOCK)
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                "its certificate is for another host name",
                "Check the host name, and whether a proxy on the way responds in place of the server",
            ),
            CertificateError::BadSignature => {
                ("its certificate is not signed by the authority that it names", AUTHORITY)
            }
            CertificateError::Revoked => ("its certificate has been revoked", SERVER),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                ("its certificate is not for a server", SERVER)
            }
            // The error of the certificate library has no public type.
            CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                ("its certificate belongs to an authority (CA), not to a server", SERVER)
            }
            _ => ("its certificate is not valid", SERVER),
        },
        TlsError::InvalidMessage(_) => (
            "it does not respond with TLS; the port probably uses plain http",
            "Check the port and the proxies on the way; a server on this machine may use `http://`",
        ),
        TlsError::PeerIncompatible(_) | TlsError::AlertReceived(AlertDescription::ProtocolVersion) => (
            "it supports neither TLS 1.2 nor TLS 1.3 with a cipher that Hookwright supports",
            "Update the server, or the proxy on the way",
        ),
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => {
            ("it has no certificate for that host name", "Check the host name")
        }
        TlsError::AlertReceived(_) => {
            ("it ended the TLS handshake with an alert", "Check the proxies on the way, and the server's log")
        }
        _ => ("the TLS handshake failed", "Check the proxies, the root certificates and this machine's clock"),
    };
    (what.to_owned(), then.to_owned())
}

type Cause = dyn std::error::Error + 'static;

/// Returns the chain of causes, the innermost last.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &Cause> {
    std::iter::successors(error.source(), |cause| inner(*cause))
}

/// Returns the next cause. The `source` of an `io::Error` skips the error that it wraps.
fn inner(cause: &Cause) -> Option<&Cause> {
    match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

/// Returns the text of the innermost cause, which is the specific one.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let text = causes(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    // Rust appends the number of an error of the system, which helps no reader.
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_its_variable_and_without_its_credentials() {
        let named = |vars: &[(&str, &str)]| {
            Proxy::of(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())).map(|p| p.to_string())
        };
        let of = |name: &str, value: &str| named(&[(name, value)]);
        assert_eq!(of("https_proxy", "127.0.0.1:9").as_deref(), Some("127.0.0.1:9 from https_proxy"));
        assert_eq!(of("HTTPS_PROXY", "http://user:s3cr3t@p.example").as_deref(), Some("p.example:80 from HTTPS_PROXY"));
        assert_eq!(of("ALL_PROXY", "http://s3cr3t@[::1]:3128/x").as_deref(), Some("[::1]:3128 from ALL_PROXY"));
        assert_eq!(of("HTTP_PROXY", "http://p.example"), None, "plain http stays on this machine");
        assert_eq!(of("https_proxy", ""), None);
        let both = [("https_proxy", "a:1"), ("HTTPS_PROXY", "b:2")];
        assert_eq!(named(&both).as_deref(), Some("b:2 from HTTPS_PROXY"));
    }
}
