//! compress_certificate (RFC 8879 section 3): compressions that the sender can undo.

use crate::codec::{List16, Reader, Set16, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads the list, the same in ClientHello and CertificateRequest.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list; [`Error::IllegalParameter`] for one that names an algorithm twice.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<List16<'a, u16>, Error> {
    let list = List16::parse(r.vec_u8()?, "compress_certificate")?;
    let mut seen = Set16::default();
    if list.iter().all(|algorithm| seen.insert(algorithm)) {
        Ok(list)
    } else {
        Err(Error::IllegalParameter { what: "compress_certificate that names an algorithm twice" })
    }
}

/// Writes the extension.
pub fn write(w: &mut Writer, algorithms: &[u16]) {
    extension::write(w, ExtensionType::COMPRESS_CERTIFICATE, |w| {
        w.block_u8(|w| algorithms.iter().for_each(|algorithm| w.u16(*algorithm)));
    });
}
