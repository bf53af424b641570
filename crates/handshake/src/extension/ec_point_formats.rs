//! ec_point_formats (RFC 8422 section 5.1.2): TLS 1.2 only, where all but uncompressed points are history.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

const UNCOMPRESSED: u8 = 0;

/// Reads the list; whether uncompressed points are in it, as RFC 8422 demands of TLS 1.2.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list.
pub fn parse(r: &mut Reader<'_>) -> Result<bool, Error> {
    match r.vec_u8()? {
        [] => Err(r.malformed()),
        formats => Ok(formats.contains(&UNCOMPRESSED)),
    }
}

/// Writes the extension with uncompressed points alone.
pub fn write(w: &mut Writer) {
    extension::write(w, ExtensionType::EC_POINT_FORMATS, |w| w.vec_u8(&[UNCOMPRESSED]));
}
