//! early_data (RFC 9846 section 4.3.10): empty in ClientHello and EncryptedExtensions, a size in NewSessionTicket.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads max_early_data_size of a NewSessionTicket: plaintext bytes.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_max_size(r: &mut Reader<'_>) -> Result<u32, Error> {
    r.u32()
}

/// Writes the empty extension of ClientHello and EncryptedExtensions.
pub fn write(w: &mut Writer) {
    extension::write(w, ExtensionType::EARLY_DATA, |_| {});
}

/// Writes max_early_data_size of a NewSessionTicket: plaintext bytes.
pub fn write_max_size(w: &mut Writer, max_early_data_size: u32) {
    extension::write(w, ExtensionType::EARLY_DATA, |w| w.u32(max_early_data_size));
}
