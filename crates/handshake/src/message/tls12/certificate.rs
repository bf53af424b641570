//! Certificate (RFC 5246 section 7.4.2): the sender's chain, leaf first, without extensions.

use std::sync::Arc;

use pki_types::CertificateDer;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::message::{HEADER_LEN, HandshakeType, encoded, message};

/// Reads the body; an empty list, which is `None`, is a client's way to say that it has none. A chain of over `max_chain`
/// is refused.
///
/// # Errors
/// [`Error::Malformed`]; [`Error::IllegalParameter`] if there are too many certificates.
pub fn parse(body: &[u8], max_chain: usize) -> Result<Option<Arc<[CertificateDer<'static>]>>, Error> {
    let mut r = Reader::new(body, "Certificate");
    let mut list = r.reader_u24()?;
    r.finish()?;
    let mut entries = list;
    let mut count = 0_usize;
    while !list.is_empty() {
        if count >= max_chain {
            return Err(Error::IllegalParameter { what: "a chain of more certificates than we take" });
        }
        if list.vec_u24()?.is_empty() {
            return Err(list.malformed());
        }
        count = count.saturating_add(1);
    }
    // Now that all of it has been read it is known how many there are: they are copied into one allocation.
    let copy = |_| CertificateDer::from(entries.vec_u24().unwrap_or_default().to_vec());
    Ok((count > 0).then(|| (0..count).map(copy).collect()))
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
