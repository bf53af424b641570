//! Finished (RFC 9846 section 4.5.3): a MAC over the whole handshake. What is in it is made and checked by the key
//! schedule, [`finished_mac`](crate::key_schedule::tls13::finished_mac) and
//! [`verify_finished`](crate::key_schedule::tls13::verify_finished).

use oxtls_crypto::hash::Hash;
use oxtls_crypto::hmac::Tag;

use crate::codec::Writer;
use crate::error::Error;
use crate::message::{HandshakeType, encoded, message};

/// Reads verify_data, which has the length of the hash's output.
///
/// # Errors
/// [`Error::BadFinished`] for any other length: a MAC that is cut short is never compared.
pub fn parse(hash: Hash, body: &[u8]) -> Result<&[u8], Error> {
    if body.len() == hash.output_len() { Ok(body) } else { Err(Error::BadFinished) }
}

/// The whole message.
///
/// # Errors
/// [`Error::TooLong`], which no hash is long enough for.
pub fn encode(verify_data: &Tag) -> Result<Vec<u8>, Error> {
    encoded(|w| write(w, verify_data))
}

/// Writes the whole message.
pub fn write(w: &mut Writer, verify_data: &Tag) {
    message(w, HandshakeType::FINISHED, |w| w.bytes(verify_data.as_bytes()));
}
