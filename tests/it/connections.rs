//! Causes of failed connections: the proxy, TLS, or the address that replaces Shopify's. Over real sockets of this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::world::{Run, World, manifest};

const SECRET: &str = "s3cr3t-of-the-proxy";

fn world() -> World {
    World::new(&manifest("  - { shop: acme, bindings: [] }\n"), "sandbox: 1\nshops: []\n")
}

/// Plans in this environment; a failed connection is tried again for a second.
fn plan(world: &World, vars: &[(&str, &str)]) -> Run {
    let mut command = world.command(&["plan", "--timeout", "1s"]);
    command.env("TOKEN_ACME", "shpat_0123456789abcdef0123456789abcdef").env_remove("NO_PROXY");
    command.envs(vars.iter().copied());
    let run = Run::of(&command.output().unwrap());
    run.lacks(SECRET).lacks("shpat_");
    assert_ne!(run.code, 0, "{run}");
    run
}

/// A port where each caller gets `answer`; without an answer, a closed port.
fn port(answer: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    if let Some(answer) = answer {
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
    }
    port
}

/// A port behind TLS with this certificate.
fn tls(certificate: &str, key: &KeyPair) -> u16 {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap().port()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = acceptor.accept(stream).await;
            }
        });
    });
    heard.recv().unwrap()
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Returns the output of a plan at a server whose certificate an authority issued, where `trusted` is in SSL_CERT_FILE.
fn with_certificate(world: &World, name: &str, expired: bool, trusted: Option<&str>) -> Run {
    let (issuer, key) = (authority("issuer"), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 1, 1));
    }
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    behind(world, tls(&certificate, &key), trusted.unwrap_or(&issuer.pem()))
}

fn behind(world: &World, port: u16, trusted: &str) -> Run {
    world.write("trusted.pem", trusted);
    let trusted = world.path("trusted.pem");
    let url = format!("https://localhost:{port}/{{shop}}");
    plan(world, &[("HOOKWRIGHT_ADMIN_URL", &url), ("SSL_CERT_FILE", path(&trusted))])
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_proxy_that_fails_is_named_and_not_the_shop() {
    let world = world();
    let refused = port(None);
    let run = plan(&world, &[("https_proxy", &format!("http://user:{SECRET}@127.0.0.1:{refused}"))]);
    run.out_has(&format!("cannot connect to the proxy 127.0.0.1:{refused} from https_proxy: "));
    run.out_has("add the host to `NO_PROXY` to connect without a proxy");
    run.lacks("the shop's name");

    let asks = port(Some("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"));
    let run = plan(&world, &[("HTTPS_PROXY", &format!("127.0.0.1:{asks}"))]);
    run.out_has(&format!("the proxy 127.0.0.1:{asks} from HTTPS_PROXY requires a user name and a password"));

    let forbids = port(Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"));
    let run = plan(&world, &[("ALL_PROXY", &format!("http://127.0.0.1:{forbids}"))]);
    run.out_has(&format!("the proxy 127.0.0.1:{forbids} from ALL_PROXY refused to connect to acme.myshopify.com"));
}

#[test]
fn a_tls_error_has_a_plain_message() {
    let world = world();
    let ca = authority("another");
    let run = behind(&world, tls(&ca.pem(), ca.key()), &ca.pem());
    run.out_has("its certificate belongs to an authority (CA), not to a server");
    run.lacks("CaUsedAsEndEntity");

    let run = with_certificate(&world, "localhost", false, Some(&ca.pem()));
    run.out_has("issued by an authority that this machine does not trust").out_has("set `SSL_CERT_FILE`");
    with_certificate(&world, "localhost", true, None)
        .out_has("its certificate has expired")
        .out_has("this machine's clock");
    with_certificate(&world, "other.example", false, None).out_has("its certificate is for another host name");
    let run = behind(&world, port(Some("HTTP/1.1 400 Bad Request\r\n\r\n")), &ca.pem());
    run.out_has("it does not respond with TLS; the port probably uses plain http");
}

#[cfg(all(unix, not(target_vendor = "apple")))]
#[test]
fn unreadable_certificate_authorities_are_an_error_before_anything_is_sent() {
    let world = world();
    world.write("no.pem", "version: 1 # s3cr3t-of-the-proxy\n");
    world.write("rotten.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    let url = format!("https://localhost:{}/{{shop}}", port(None));
    for (file, why) in [
        ("nope.pem", "file not found"),
        ("", "it is a folder, not a regular file"),
        ("no.pem", "the file contains no certificate in PEM format"),
        ("rotten.pem", "none of the certificates in the file is valid"),
    ] {
        let file = world.path(file);
        let run = plan(&world, &[("HOOKWRIGHT_ADMIN_URL", &url), ("SSL_CERT_FILE", path(&file))]);
        run.exits(3).err_has(&format!("error: SSL_CERT_FILE={}: {why}", path(&file))).err_has("in PEM format");
        let run = plan(&world, &[("SSL_CERT_FILE", path(&file))]);
        run.exits(3).err_has(why);
        // The connection to this server is not encrypted, so no authority is trusted.
        let plain = format!("http://127.0.0.1:{}/{{shop}}", port(None));
        let run = plan(&world, &[("HOOKWRIGHT_ADMIN_URL", &plain), ("SSL_CERT_FILE", path(&file))]);
        run.exits(1).out_has("cannot connect to 127.0.0.1:");
    }
    let run = plan(&world, &[("HOOKWRIGHT_ADMIN_URL", &url), ("SSL_CERT_FILE", "")]);
    run.exits(3).err_has("error: SSL_CERT_FILE=: the value is empty");
}

#[test]
fn an_error_at_a_replaced_admin_url_names_its_variable() {
    let world = world();
    let at = |port: u16| format!("http://127.0.0.1:{port}/{{shop}}");
    let closed = port(None);
    let run = plan(&world, &[("HOOKWRIGHT_ADMIN_URL", &at(closed))]);
    run.out_has(&format!("cannot connect to 127.0.0.1:{closed}: "));
    run.out_has("Check that `HOOKWRIGHT_ADMIN_URL` is correct and that its server is running");
    run.lacks("the shop's name");

    let answers = port(Some("HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nNot Found"));
    let run = plan(&world, &[("HOOKWRIGHT_ADMIN_URL", &at(answers))]);
    run.out_has(&format!("127.0.0.1:{answers} returned 404 for acme.myshopify.com (\"Not Found\"): "));
    run.out_has("`HOOKWRIGHT_ADMIN_URL` has a wrong path, or the server does not have this shop");

    // The alert of a server that expects TLS.
    let encrypted = port(Some("\x15\x03\x01\x00\x02\x02F"));
    let run = plan(&world, &[("HOOKWRIGHT_ADMIN_URL", &at(encrypted))]);
    run.out_has(&format!("the response of 127.0.0.1:{encrypted} is not HTTP; the port probably uses https"));
}
