//! compress_certificate (RFC 8879 section 3): compressions that the sender can undo.

use crate::codec::{List16, Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads the list, the same in ClientHello and CertificateRequest.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<List16<'a, u16>, Error> {
    List16::parse(r.vec_u8()?, "compress_certificate")
}

/// Writes the extension.
pub fn write(w: &mut Writer, algorithms: &[u16]) {
    extension::write(w, ExtensionType::COMPRESS_CERTIFICATE, |w| {
        w.block_u8(|w| algorithms.iter().for_each(|algorithm| w.u16(*algorithm)));
    });
}
