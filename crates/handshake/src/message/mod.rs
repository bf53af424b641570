//! The handshake messages (RFC 9846 section 4), one file each: borrowed when parsed, whole (header and body) when
//! encoded.

pub mod certificate;
pub mod certificate_request;
pub mod certificate_verify;
pub mod client_hello;
pub mod compressed_certificate;
pub mod encrypted_extensions;
pub mod end_of_early_data;
pub mod finished;
pub mod hello_request;
pub mod key_update;
pub mod new_session_ticket;
pub mod offer;
pub mod server_hello;
pub mod tls12;

use core::fmt;

use crate::codec::{Reader, Writer};
use crate::error::Error;

/// Bytes of the header of a handshake message: type and 24-bit length.
pub const HEADER_LEN: usize = 4;

/// A handshake message's type, kept as received so that unknown ones survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandshakeType(pub u8);

macro_rules! handshake_types {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl HandshakeType {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The RFC's name of the message, or `None` if the type is unknown.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

handshake_types! {
    /// TLS 1.2's invitation to renegotiate (RFC 5246 section 7.4.1.1).
    HELLO_REQUEST = 0, "HelloRequest";
    /// RFC 9846 section 4.2.2.
    CLIENT_HELLO = 1, "ClientHello";
    /// RFC 9846 sections 4.2.3 and 4.2.4: HelloRetryRequest has the same type.
    SERVER_HELLO = 2, "ServerHello";
    /// RFC 9846 section 4.7.1.
    NEW_SESSION_TICKET = 4, "NewSessionTicket";
    /// RFC 9846 section 4.6.
    END_OF_EARLY_DATA = 5, "EndOfEarlyData";
    /// RFC 9846 section 4.4.1.
    ENCRYPTED_EXTENSIONS = 8, "EncryptedExtensions";
    /// RFC 9846 section 4.5.1.
    CERTIFICATE = 11, "Certificate";
    /// TLS 1.2 (RFC 5246 section 7.4.3).
    SERVER_KEY_EXCHANGE = 12, "ServerKeyExchange";
    /// RFC 9846 section 4.4.2.
    CERTIFICATE_REQUEST = 13, "CertificateRequest";
    /// TLS 1.2 (RFC 5246 section 7.4.5).
    SERVER_HELLO_DONE = 14, "ServerHelloDone";
    /// RFC 9846 section 4.5.2.
    CERTIFICATE_VERIFY = 15, "CertificateVerify";
    /// TLS 1.2 (RFC 5246 section 7.4.7).
    CLIENT_KEY_EXCHANGE = 16, "ClientKeyExchange";
    /// RFC 9846 section 4.5.3.
    FINISHED = 20, "Finished";
    /// TLS 1.2 (RFC 6066 section 8).
    CERTIFICATE_STATUS = 22, "CertificateStatus";
    /// RFC 9846 section 4.7.3.
    KEY_UPDATE = 24, "KeyUpdate";
    /// RFC 8879.
    COMPRESSED_CERTIFICATE = 25, "CompressedCertificate";
    /// Never on the wire: stands for the first ClientHello in the transcript (RFC 9846 section 4.1).
    MESSAGE_HASH = 254, "message_hash";
}

impl fmt::Display for HandshakeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "unknown message {}", self.0),
        }
    }
}

impl fmt::Debug for HandshakeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One whole handshake message, its body not yet parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// Its type.
    pub typ: HandshakeType,
    /// What follows the header.
    pub body: &'a [u8],
    /// Header and body, as the transcript wants them.
    pub encoded: &'a [u8],
}

impl<'a> Handshake<'a> {
    /// Takes `bytes` as exactly one message, of any type.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the length in the header is not that of `bytes`.
    pub fn parse_exact(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes, "handshake message");
        let typ = HandshakeType(r.u8()?);
        let body = r.vec_u24()?;
        r.finish()?;
        Ok(Self { typ, body, encoded: bytes })
    }
}

/// Writes a message: the header, then what `body` writes. What outgrows its length field is told by [`Writer::finish`],
/// here and wherever a message is written.
pub fn message(w: &mut Writer, typ: HandshakeType, body: impl FnOnce(&mut Writer)) {
    w.u8(typ.0);
    w.block_u24(body);
}

/// What `write` writes, in a buffer of its own.
///
/// # Errors
/// [`Error::TooLong`] if something outgrows its length field.
pub fn encoded(write: impl FnOnce(&mut Writer)) -> Result<Vec<u8>, Error> {
    let mut w = Writer::with_capacity(256);
    write(&mut w);
    w.finish()
}

/// The messages of a flight, which lie one behind the other, header and body each. What is no whole message any more is
/// the last.
pub fn each(mut flight: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let mut r = Reader::new(flight, "handshake message");
        let whole = r
            .u8()
            .and_then(|_| r.vec_u24())
            .map_or(flight.len(), |body| HEADER_LEN.saturating_add(body.len()));
        let (message, rest) = flight.split_at_checked(whole)?;
        flight = rest;
        (!message.is_empty()).then_some(message)
    })
}

#[cfg(test)]
mod tests;
