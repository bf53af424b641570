//! record_size_limit (RFC 8449): the largest record that the sender takes.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// The smallest limit that may be sent: bytes of plaintext, content type included in TLS 1.3.
pub const MIN: u16 = 64;

/// The largest limit of TLS 1.3: 2^14 bytes of content and the content type (RFC 8449 section 4).
pub const MAX: u16 = 16_385;

/// Reads a limit: bytes of plaintext, content type included in TLS 1.3. One over what the version allows means no
/// limit, which is the reader's to see.
///
/// # Errors
/// [`Error::Malformed`]; [`Error::IllegalParameter`] under [`MIN`].
pub fn parse(r: &mut Reader<'_>) -> Result<u16, Error> {
    match r.u16()? {
        limit if limit < MIN => Err(Error::IllegalParameter { what: "record_size_limit under 64" }),
        limit => Ok(limit),
    }
}

/// Writes the extension.
pub fn write(w: &mut Writer, limit: u16) {
    extension::write(w, ExtensionType::RECORD_SIZE_LIMIT, |w| w.u16(limit));
}
