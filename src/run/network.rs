//! Checks environment variables of the HTTP client before anything is sent, because the client ignores invalid values.

use std::ffi::OsStr;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::Failure;
use crate::files;

/// Whether certificates come from files on this platform. Other platforms use the certificate store of the system.
const CERTIFICATES_OF_FILES: bool = cfg!(all(unix, not(target_vendor = "apple")));

/// Fails if `SSL_CERT_FILE` names a file without certificates.
pub(super) fn check_certificates() -> Result<(), Failure> {
    match std::env::var_os("SSL_CERT_FILE") {
        Some(file) if CERTIFICATES_OF_FILES => certificates(&file),
        _ => Ok(()),
    }
}

fn certificates(file: &OsStr) -> Result<(), Failure> {
    let name = file.to_string_lossy();
    let failed = |why: &str| {
        Failure::invalid(format!("SSL_CERT_FILE={name}: {why}")).hint(
            "set it to a file with the certificates of the authorities to trust, in PEM format (`-----BEGIN \
             CERTIFICATE-----`), or use those of the system: `env -u SSL_CERT_FILE hookwright …`",
        )
    };
    if file.is_empty() {
        return Err(failed("the value is empty"));
    }
    let bytes = files::read(Path::new(file), files::WRITTEN).map_err(|why| failed(&why.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(&bytes).flatten();
    match RootCertStore::empty().add_parsable_certificates(certificates) {
        (0, 0) => Err(failed("the file contains no certificate in PEM format")),
        (0, _) => Err(failed("none of the certificates in the file is valid")),
        _ => Ok(()),
    }
}
