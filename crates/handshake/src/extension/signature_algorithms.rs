//! signature_algorithms and signature_algorithms_cert (RFC 9846 section 4.3.3): what the sender can verify, in
//! CertificateVerify and inside certificates.

use oxtls_crypto::signature::SignatureScheme;

use crate::codec::{List16, Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads a SignatureSchemeList; both extensions have the same.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<List16<'a, SignatureScheme>, Error> {
    List16::parse(r.vec_u16()?, "signature_algorithms")
}

/// Writes signature_algorithms.
pub fn write(w: &mut Writer, schemes: &[SignatureScheme]) {
    write_as(w, ExtensionType::SIGNATURE_ALGORITHMS, schemes);
}

/// Writes signature_algorithms_cert.
pub fn write_cert(w: &mut Writer, schemes: &[SignatureScheme]) {
    write_as(w, ExtensionType::SIGNATURE_ALGORITHMS_CERT, schemes);
}

fn write_as(w: &mut Writer, typ: ExtensionType, schemes: &[SignatureScheme]) {
    extension::write(w, typ, |w| {
        w.block_u16(|w| schemes.iter().for_each(|scheme| w.u16(scheme.0)));
    });
}
