//! CompressedCertificate (RFC 8879 section 4): a Certificate message, compressed.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::message::{HandshakeType, encoded, message};

/// The shortest Certificate: an empty context and an empty list, one and three bytes of length.
const MIN_CERTIFICATE: u32 = 4;

/// A parsed CompressedCertificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressedCertificate<'a> {
    /// The algorithm.
    pub algorithm: u16,
    /// Bytes of the Certificate's body once decompressed: at most 2^24-1, and judged by the receiver before it
    /// decompresses anything.
    pub uncompressed_length: u32,
    /// The compressed body of a Certificate.
    pub bytes: &'a [u8],
}

impl<'a> CompressedCertificate<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`], also if no Certificate can come out.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "CompressedCertificate");
        let algorithm = r.u16()?;
        let uncompressed_length = r.u24()?;
        let bytes = r.vec_u24()?;
        if bytes.is_empty() || uncompressed_length < MIN_CERTIFICATE {
            return Err(r.malformed());
        }
        r.finish()?;
        Ok(Self { algorithm, uncompressed_length, bytes })
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a length does not fit 24 bits.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        encoded(|w| self.write(w))
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::COMPRESSED_CERTIFICATE, |w| {
            w.u16(self.algorithm);
            w.u24(self.uncompressed_length);
            w.vec_u24(self.bytes);
        });
    }
}
