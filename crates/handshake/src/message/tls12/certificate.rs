//! Certificate (RFC 5246 section 7.4.2): the sender's chain, leaf first, without extensions.

use pki_types::CertificateDer;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::message::{HEADER_LEN, HandshakeType, encoded, message};

/// Reads the body; an empty list is a client's way to say that it has none. A chain of over `max_chain` is refused.
///
/// # Errors
/// [`Error::Malformed`]; [`Error::IllegalParameter`] if there are too many certificates.
pub fn parse(body: &[u8], max_chain: usize) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut r = Reader::new(body, "Certificate");
    let mut list = r.reader_u24()?;
    r.finish()?;
    let mut chain = Vec::new();
    while !list.is_empty() {
        if chain.len() >= max_chain {
            return Err(Error::IllegalParameter { what: "a chain of more certificates than we take" });
        }
        let certificate = list.vec_u24()?;
        if certificate.is_empty() {
            return Err(list.malformed());
        }
        chain.push(CertificateDer::from(certificate.to_vec()));
    }
    Ok(chain)
}

/// The whole message.
///
/// # Errors
/// [`Error::TooLong`] if the chain outgrows its length field.
pub fn encode(chain: &[CertificateDer<'_>]) -> Result<Vec<u8>, Error> {
    encoded(|w| write(w, chain))
}

/// As many bytes as the message has.
pub(crate) fn len(chain: &[CertificateDer<'_>]) -> usize {
    chain
        .iter()
        .map(|certificate| certificate.len().saturating_add(3))
        .fold(HEADER_LEN.saturating_add(3), usize::saturating_add)
}

/// Writes the whole message.
pub fn write(w: &mut Writer, chain: &[CertificateDer<'_>]) {
    message(w, HandshakeType::CERTIFICATE, |w| {
        w.block_u24(|w| {
            for certificate in chain {
                w.vec_u24(certificate);
            }
        });
    });
}
