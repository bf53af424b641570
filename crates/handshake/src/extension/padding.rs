//! padding (RFC 7685): zeros that make a ClientHello longer.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads the padding.
///
/// # Errors
/// [`Error::IllegalParameter`] if it is not all zeros (RFC 7685 section 3 allows to check: bytes here are a channel
/// that nothing else looks at).
pub fn parse(r: &mut Reader<'_>) -> Result<(), Error> {
    if r.rest().iter().any(|&byte| byte != 0) {
        return Err(Error::IllegalParameter { what: "padding that is not zero" });
    }
    Ok(())
}

/// Writes `len` bytes of padding.
pub fn write(w: &mut Writer, len: u16) {
    extension::write(w, ExtensionType::PADDING, |w| (0..len).for_each(|_| w.u8(0)));
}
