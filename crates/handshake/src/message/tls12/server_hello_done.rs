//! ServerHelloDone (RFC 5246 section 7.4.5): the server's flight is over.

use crate::codec::Writer;
use crate::error::Error;
use crate::message::{HandshakeType, encoded, message};

/// Reads the body, which is empty.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse(body: &[u8]) -> Result<(), Error> {
    if body.is_empty() { Ok(()) } else { Err(Error::Malformed { what: "ServerHelloDone" }) }
}

/// The whole message.
///
/// # Errors
/// None: it is empty.
pub fn encode() -> Result<Vec<u8>, Error> {
    encoded(write)
}

/// Writes the whole message.
pub fn write(w: &mut Writer) {
    message(w, HandshakeType::SERVER_HELLO_DONE, |_| {});
}
