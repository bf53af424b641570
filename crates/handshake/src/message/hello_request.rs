//! HelloRequest (RFC 5246 section 7.4.1.1): TLS 1.2 only, and only to be ignored.

use crate::codec::Reader;
use crate::error::Error;

/// Checks that the body is empty.
///
/// # Errors
/// [`Error::Malformed`] if it is not.
pub fn parse(body: &[u8]) -> Result<(), Error> {
    Reader::new(body, "HelloRequest").finish()
}
