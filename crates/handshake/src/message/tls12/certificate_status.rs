//! CertificateStatus (RFC 6066 section 8): the stapled OCSP response, a message of its own in TLS 1.2.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::status_request;
use crate::message::{HandshakeType, encoded, message};

/// Reads the body: the OCSP response, DER.
///
/// # Errors
/// As [`status_request::parse_response`].
pub fn parse(body: &[u8]) -> Result<&[u8], Error> {
    let mut r = Reader::new(body, "CertificateStatus");
    let response = status_request::parse_response(&mut r)?;
    r.finish()?;
    Ok(response)
}

/// The whole message.
///
/// # Errors
/// [`Error::TooLong`] if the response outgrows its length field.
pub fn encode(response: &[u8]) -> Result<Vec<u8>, Error> {
    encoded(|w| write(w, response))
}

/// Writes the whole message.
pub fn write(w: &mut Writer, response: &[u8]) {
    message(w, HandshakeType::CERTIFICATE_STATUS, |w| status_request::write_status(w, response));
}
