//! EndOfEarlyData (RFC 9846 section 4.6): all 0-RTT data has been sent.

use crate::codec::Reader;
use crate::error::Error;
use crate::message::HandshakeType;

/// The whole message; its body is empty.
pub const ENCODED: [u8; 4] = [HandshakeType::END_OF_EARLY_DATA.0, 0, 0, 0];

/// Checks that the body is empty.
///
/// # Errors
/// [`Error::Malformed`] if it is not.
pub fn parse(body: &[u8]) -> Result<(), Error> {
    Reader::new(body, "EndOfEarlyData").finish()
}
