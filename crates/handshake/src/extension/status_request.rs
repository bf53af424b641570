//! status_request (RFC 6066 section 8, RFC 9846 section 4.5.1.1): a stapled OCSP response.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

const OCSP: u8 = 1;

/// Reads a ClientHello's CertificateStatusRequest; whether it asks for OCSP. Responder IDs and request extensions are
/// checked for form only: a server staples what it has.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_request(r: &mut Reader<'_>) -> Result<bool, Error> {
    if r.u8()? != OCSP {
        r.rest();
        return Ok(false);
    }
    let mut responders = r.reader_u16()?;
    while !responders.is_empty() {
        responders.nonempty_u16()?;
    }
    r.vec_u16()?;
    Ok(true)
}

/// Reads a CertificateRequest's extension, which must be empty there. Some servers send a whole
/// CertificateStatusRequest, as in a ClientHello; that is taken as well.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_certificate_request(r: &mut Reader<'_>) -> Result<bool, Error> {
    if r.is_empty() { Ok(true) } else { parse_request(r) }
}

/// Reads a certificate entry's CertificateStatus: the OCSP response, DER.
///
/// # Errors
/// [`Error::Malformed`], also for an empty response; [`Error::IllegalParameter`] for another type than OCSP.
pub fn parse_response<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    if r.u8()? != OCSP {
        return Err(Error::IllegalParameter { what: "CertificateStatus.status_type" });
    }
    match r.vec_u24()? {
        [] => Err(r.malformed()),
        response => Ok(response),
    }
}

/// Writes a ClientHello's request: OCSP, of any responder.
pub fn write_request(w: &mut Writer) {
    extension::write(w, ExtensionType::STATUS_REQUEST, |w| {
        w.u8(OCSP);
        w.vec_u16(&[]);
        w.vec_u16(&[]);
    });
}

/// Writes a CertificateRequest's request.
pub fn write_certificate_request(w: &mut Writer) {
    extension::write(w, ExtensionType::STATUS_REQUEST, |_| {});
}

/// Writes a certificate entry's response, DER.
pub fn write_response(w: &mut Writer, response: &[u8]) {
    extension::write(w, ExtensionType::STATUS_REQUEST, |w| write_status(w, response));
}

/// Writes a CertificateStatus: in an entry's extension, or as TLS 1.2's message.
pub fn write_status(w: &mut Writer, response: &[u8]) {
    w.u8(OCSP);
    w.vec_u24(response);
}
