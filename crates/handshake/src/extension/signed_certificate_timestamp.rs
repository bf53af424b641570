//! signed_certificate_timestamp (RFC 6962 section 3.3.1): proof that a certificate is in a public log.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads a certificate entry's SignedCertificateTimestampList and returns it encoded, its length field included, as
/// an embedded list is.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list or timestamp.
pub fn parse_response<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    let encoded = r.peek();
    let mut list = r.named("SignedCertificateTimestampList").reader_u16()?;
    r.vec_u16()?;
    if list.is_empty() {
        return Err(list.malformed());
    }
    while !list.is_empty() {
        list.nonempty_u16()?;
    }
    Ok(encoded)
}

/// Writes the empty request of ClientHello and CertificateRequest.
pub fn write_request(w: &mut Writer) {
    extension::write(w, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, |_| {});
}

/// Writes a certificate entry's list, encoded with its length field.
pub fn write_response(w: &mut Writer, encoded: &[u8]) {
    extension::write(w, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, |w| w.bytes(encoded));
}
