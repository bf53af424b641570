//! ClientKeyExchange (RFC 8422 section 5.7): the client's ephemeral public key.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::message::{HandshakeType, encoded, message};

/// Reads the body: the public key, not empty.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse(body: &[u8]) -> Result<&[u8], Error> {
    let mut r = Reader::new(body, "ClientKeyExchange");
    let public = r.vec_u8()?;
    if public.is_empty() {
        return Err(r.malformed());
    }
    r.finish()?;
    Ok(public)
}

/// The whole message.
///
/// # Errors
/// [`Error::TooLong`] if the key has over 255 bytes.
pub fn encode(public: &[u8]) -> Result<Vec<u8>, Error> {
    encoded(|w| write(w, public))
}

/// Writes the whole message.
pub fn write(w: &mut Writer, public: &[u8]) {
    message(w, HandshakeType::CLIENT_KEY_EXCHANGE, |w| w.vec_u8(public));
}
