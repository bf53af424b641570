//! oid_filters (RFC 9846 section 4.3.5): certificate extensions that a server wants to see. Filters that a client does
//! not know are to be ignored, and none is known here; their form is checked.

use crate::codec::Reader;
use crate::error::Error;

/// Reads a CertificateRequest's OIDFilterExtension and checks its form.
///
/// # Errors
/// [`Error::Malformed`], also for an empty OID.
pub fn parse(r: &mut Reader<'_>) -> Result<(), Error> {
    let mut filters = r.reader_u16()?;
    while !filters.is_empty() {
        if filters.vec_u8()?.is_empty() {
            return Err(filters.malformed());
        }
        filters.vec_u16()?;
    }
    Ok(())
}
