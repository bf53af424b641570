//! renegotiation_info (RFC 5746): TLS 1.2's binding of a renegotiation, which is never done here: always empty.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads renegotiated_connection; empty in an initial handshake.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    r.vec_u8()
}

/// Writes the extension of an initial handshake.
pub fn write(w: &mut Writer) {
    extension::write(w, ExtensionType::RENEGOTIATION_INFO, |w| w.vec_u8(&[]));
}
