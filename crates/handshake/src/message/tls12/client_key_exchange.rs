//! ClientKeyExchange (RFC 8422 section 5.7): the client's ephemeral public key.

use crate::codec::Reader;
use crate::error::Error;
use crate::message::{HandshakeType, message};

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
    message(HandshakeType::CLIENT_KEY_EXCHANGE, |w| w.vec_u8(public))
}
