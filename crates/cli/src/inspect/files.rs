//! Certificates out of files.

use std::io::Read;
use std::path::{Path, PathBuf};

use oxtls::Roots;
use oxtls::pki_types::CertificateDer;
use oxtls::pki_types::pem::PemObject;
use oxtls::x509::CrlStore;

use crate::exit::Failure;

/// No chain is longer.
const MOST: u64 = 64 << 20;

/// The longest CRL that is read, and one octet more.
const MOST_OF_A_CRL: u64 = (512 << 20) + 1;

/// The certificates of a file, PEM or one of DER; `-` is standard input. At least one.
pub(super) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let shown = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let cannot = |why: &dyn std::fmt::Display| {
        Failure::failed(format_args!("cannot read certificates from {shown}: {why}"))
    };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MOST).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    } else {
        let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
        file.take(MOST).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    }
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(|error| cannot(&error))?;
    if certificates.is_empty() {
        return Err(cannot(&"there is no CERTIFICATE section in it"));
    }
    Ok(certificates)
}

/// The CRLs of some files, each PEM or one of DER.
pub(super) fn crls(paths: &[PathBuf]) -> Result<CrlStore, Failure> {
    let mut store = CrlStore::empty();
    for path in paths {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::failed(format_args!("cannot read a CRL from {}: {why}", path.display()))
        };
        let bytes = read(path, MOST_OF_A_CRL).map_err(|error| cannot(&error))?;
        if bytes.first() == Some(&0x30) {
            store.add_der(bytes).map_err(|error| cannot(&error))?;
        } else {
            store.add_pem_slice(&bytes).map_err(|error| cannot(&error))?;
        }
    }
    Ok(store)
}

/// An OCSP response, DER. What it is worth is judged with the chain.
pub(super) fn response(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path, MOST).map_err(|error| {
        Failure::failed(format_args!("cannot read an OCSP response from {}: {error}", path.display()))
    })
}

fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The platform's roots.
pub(super) fn platform() -> Result<Roots, Failure> {
    let (roots, errors) = Roots::native();
    if roots.is_empty() {
        let why = errors.first().map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        return Err(Failure::failed(format_args!(
            "the platform's store of root certificates is of no use ({why}); name roots with --roots FILE"
        )));
    }
    Ok(roots)
}
