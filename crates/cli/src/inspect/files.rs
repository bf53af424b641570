//! Certificates out of files.

use std::io::Read;
use std::path::Path;

use oxtls::Roots;
use oxtls::pki_types::CertificateDer;
use oxtls::pki_types::pem::PemObject;

use crate::exit::Failure;

/// No chain is longer.
const MOST: u64 = 64 << 20;

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
