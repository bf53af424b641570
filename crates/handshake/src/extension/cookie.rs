//! cookie (RFC 9846 section 4.3.2): what a HelloRetryRequest gives and the second ClientHello gives back.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads a cookie, the same in both messages.
///
/// # Errors
/// [`Error::Malformed`], also for an empty one.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    r.nonempty_u16()
}

/// Writes the extension.
pub fn write(w: &mut Writer, cookie: &[u8]) {
    extension::write(w, ExtensionType::COOKIE, |w| w.vec_u16(cookie));
}
