//! Finished (RFC 5246 section 7.4.9): a MAC of 12 bytes over the whole handshake, made and checked by
//! [`MasterSecret`](crate::key_schedule::tls12::MasterSecret), which refuses any other length.

use crate::codec::Writer;
use crate::error::Error;
use crate::key_schedule::tls12::VERIFY_DATA_LEN;
use crate::message::{HandshakeType, encoded, message};

/// The whole message.
///
/// # Errors
/// [`Error::TooLong`], which 12 bytes are not.
pub fn encode(verify_data: &[u8; VERIFY_DATA_LEN]) -> Result<Vec<u8>, Error> {
    encoded(|w| write(w, verify_data))
}

/// Writes the whole message.
pub fn write(w: &mut Writer, verify_data: &[u8; VERIFY_DATA_LEN]) {
    message(w, HandshakeType::FINISHED, |w| w.bytes(verify_data));
}
