//! KeyUpdate (RFC 9846 section 4.7.3): the sender's next record is under its next key.

use crate::codec::Reader;
use crate::error::Error;
use crate::message::HandshakeType;

/// Whether the receiver must update its own sending key in turn (update_requested).
///
/// # Errors
/// [`Error::Malformed`] if the body is not one byte, [`Error::IllegalParameter`] if that is neither 0 nor 1.
pub fn parse(body: &[u8]) -> Result<bool, Error> {
    let mut r = Reader::new(body, "KeyUpdate");
    let request_update = r.u8()?;
    r.finish()?;
    match request_update {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::IllegalParameter { what: "KeyUpdate.request_update" }),
    }
}

/// The whole message; `request`: the receiver is asked to update its key as well.
#[must_use]
pub const fn encode(request: bool) -> [u8; 5] {
    [HandshakeType::KEY_UPDATE.0, 0, 0, 1, if request { 1 } else { 0 }]
}
