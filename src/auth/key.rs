//! The private key of client assertions: reads it from PEM, generates it, and derives the public key as a JSON Web Key.
//!
//! aws-lc-rs generates keys and signs. No error contains key material; errors describe the form only.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Characters on a line of PEM (RFC 7468, section 2).
const LINE: usize = 64;
/// The remedy for an unusable key.
const MAKE: &str = "To create a key, run `hookwright auth key new --out FILE`";

/// A private RSA key.
pub(crate) struct Key(RsaKeyPair);

/// The public half of a key in the format that the Dev Dashboard accepts (RFC 7517).
#[derive(Debug, Serialize)]
pub(crate) struct PublicJwk {
    kty: &'static str,
    n: String,
    e: String,
    pub(crate) kid: String,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

impl Key {
    /// Generates a key of 3072 bits, the size in Shopify's tutorial.
    pub(crate) fn generate() -> Result<Self, String> {
        RsaKeyPair::generate(KeySize::Rsa3072)
            .map(Self)
            .map_err(|_| "the system's random number generator failed; no key was created".to_owned())
    }

    /// Reads PKCS#8 or PKCS#1 in PEM. The error continues a sentence that starts with the reference: `is not an RSA
    /// key`.
    pub(crate) fn parse(pem: &str) -> Result<Self, String> {
        if let Some(problem) = wrong_kind(pem) {
            return Err(format!("{problem}. {MAKE}"));
        }
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| format!("is not valid PEM: it may be truncated or have lost its line breaks. {MAKE}"))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(format!("is not an RSA key. {MAKE}")),
        };
        pair.map(Self).map_err(|_| format!("is not an RSA key of 2048 to 8192 bits. {MAKE}"))
    }

    /// Returns the key as PKCS#8 in PEM.
    pub(crate) fn pem(&self) -> Result<SecretString, String> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| "the key cannot be encoded".to_owned())?;
        let text = STANDARD.encode(der.as_ref());
        let mut pem = String::with_capacity(text.len() + text.len() / LINE + 60);
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        for (at, c) in text.chars().enumerate() {
            if at > 0 && at % LINE == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem.push_str("\n-----END PRIVATE KEY-----\n");
        Ok(pem.into())
    }

    /// Returns the public half. The default key id is the thumbprint of the key (RFC 7638).
    pub(crate) fn public(&self, key_id: Option<&str>) -> PublicJwk {
        let public = self.0.public_key();
        let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        let kid = key_id.map_or_else(|| thumbprint(&n, &e), str::to_owned);
        PublicJwk { kty: "RSA", n, e, kid, alg: "RS256", usage: "sig" }
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256 (RS256).
    pub(super) fn sign(&self, text: &str) -> Result<Vec<u8>, String> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
        signed.map(|()| signature).map_err(|_| "the private key cannot sign".to_owned())
    }
}

/// Returns the SHA-256 thumbprint of a public RSA key (RFC 7638).
fn thumbprint(n: &str, e: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)))
}

/// Returns why a text is not an unencrypted private key in PEM, as far as its markers show.
fn wrong_kind(text: &str) -> Option<&'static str> {
    let has = |marker: &str| text.contains(marker);
    if text.trim().is_empty() {
        Some("is empty. Store the private key there")
    } else if !has("-----BEGIN ") {
        Some("is not a private key in PEM form")
    } else if !text.trim().contains('\n') {
        Some("has a key without line breaks. Keep the line breaks, or use `file` in place of `env`")
    } else if has("-----BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") {
        Some("is encrypted with a passphrase. To remove it, run `openssl pkey -in FILE -out NEW`")
    } else if !has("PRIVATE KEY-----") {
        Some("has a public key or a certificate, not a private key")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_new_key_can_be_read_from_its_pem() {
        let key = Key::generate().expect("key");
        let pem = key.pem().expect("pem");
        assert!(pem.expose_secret().lines().all(|line| line.len() <= LINE), "lines");
        let again = Key::parse(pem.expose_secret()).expect("read");
        let (first, second) = (key.public(None), again.public(None));
        assert_eq!((&first.n, &first.e, &first.kid), (&second.n, &second.e, &second.kid));
        assert_eq!((first.e.as_str(), first.n.len(), first.kid.len()), ("AQAB", 512, 43));
        assert_eq!(key.public(Some("mine")).kid, "mine");
    }

    #[test]
    fn the_error_of_an_unusable_key_names_the_problem_and_not_the_text() {
        let pem = Key::generate().expect("key").pem().expect("pem").expose_secret().to_owned();
        let relabelled = |label: &str| pem.replace("PRIVATE KEY", label);
        // PKCS#8 of a P-256 key (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256).
        let curve = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\nOF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n-----END PRIVATE KEY-----\n";
        for (text, problem) in [
            (String::new(), "is empty"),
            ("shpss_0123456789".to_owned(), "is not a private key in PEM form"),
            (pem.replace('\n', "\\n"), "without line breaks"),
            (relabelled("ENCRYPTED PRIVATE KEY"), "is encrypted with a passphrase"),
            (relabelled("PUBLIC KEY"), "not a private key"),
            (relabelled("EC PRIVATE KEY"), "is not an RSA key"),
            (curve.to_owned(), "is not an RSA key"),
            (pem[..pem.len() / 2].to_owned(), "is not valid PEM"),
        ] {
            let told = Key::parse(&text).err().expect(problem);
            assert!(told.contains(problem) && told.contains("hookwright auth key new"), "{told}");
            let shown = |line: &str| line.len() > 20 && !line.starts_with("-----") && told.contains(line);
            assert!(!pem.lines().chain(curve.lines()).any(shown) && !told.contains("0123456789"), "{told}");
        }
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(thumbprint(n, "AQAB"), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
