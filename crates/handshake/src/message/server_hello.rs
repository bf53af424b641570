//! ServerHello (RFC 9846 section 4.2.3) and HelloRetryRequest (section 4.2.4), which share a type and a form.

use oxtls_crypto::key_exchange::NamedGroup;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::key_share::{self, KeyShareEntry};
use crate::extension::{
    self, Context, ExtensionType, OfferedSet, TypesInOrder, cookie, encrypted_client_hello, pre_shared_key,
    supported_versions,
};
use crate::message::{HandshakeType, encoded, message};
use crate::suite::{CipherSuite, ProtocolVersion};

/// The random that makes a ServerHello a HelloRetryRequest: SHA-256 of `HelloRetryRequest`.
pub const HELLO_RETRY_REQUEST_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The last eight bytes of the random of a TLS 1.3 server that negotiates TLS 1.2.
pub const DOWNGRADE_TLS12: [u8; 8] = *b"DOWNGRD\x01";

/// The last eight bytes of the random of a TLS 1.3 server that negotiates TLS 1.1 or older.
pub const DOWNGRADE_TLS11: [u8; 8] = *b"DOWNGRD\x00";

/// Checks the random of a ServerHello that negotiates TLS 1.2 or older, at a client that offered TLS 1.3: a sentinel
/// in it says that the server would have spoken TLS 1.3, so somebody between took it out of the offer.
///
/// # Errors
/// [`Error::Downgrade`].
pub fn check_downgrade(random: &[u8; 32]) -> Result<(), Error> {
    if random.ends_with(&DOWNGRADE_TLS12) || random.ends_with(&DOWNGRADE_TLS11) {
        return Err(Error::Downgrade);
    }
    Ok(())
}

/// A received message of type server_hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerHelloOrRetry<'a> {
    /// A ServerHello, of any version.
    ServerHello(ServerHello<'a>),
    /// A HelloRetryRequest.
    HelloRetryRequest(HelloRetryRequest<'a>),
}

/// A ServerHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// The version of old; 0x0303 in TLS 1.2 and 1.3.
    pub legacy_version: ProtocolVersion,
    /// The server's random.
    pub random: &'a [u8; 32],
    /// At most 32 bytes; in TLS 1.3 the client's.
    pub session_id_echo: &'a [u8],
    /// The suite that was chosen.
    pub cipher_suite: CipherSuite,
    /// 0 in TLS 1.3.
    pub compression_method: u8,
    /// The version that was chosen; `None` before TLS 1.3.
    pub selected_version: Option<ProtocolVersion>,
    /// The server's key share.
    pub key_share: Option<KeyShareEntry<'a>>,
    /// Index of the PSK that was chosen.
    pub pre_shared_key: Option<u16>,
}

/// A HelloRetryRequest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloRetryRequest<'a> {
    /// The version of old, 0x0303.
    pub legacy_version: ProtocolVersion,
    /// The client's legacy_session_id.
    pub session_id_echo: &'a [u8],
    /// The suite that was chosen; the ServerHello must choose the same.
    pub cipher_suite: CipherSuite,
    /// 0.
    pub compression_method: u8,
    /// The version that was chosen; the ServerHello must choose the same.
    pub selected_version: Option<ProtocolVersion>,
    /// The group that a share is asked of.
    pub selected_group: Option<NamedGroup>,
    /// A cookie to send back.
    pub cookie: Option<&'a [u8]>,
    /// Confirmation of ECH, not decoded.
    pub encrypted_client_hello: Option<&'a [u8]>,
}

impl<'a> ServerHelloOrRetry<'a> {
    /// Reads the body. `offered` is what the client sent.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`extension::read`]'s.
    pub fn parse(body: &'a [u8], offered: OfferedSet) -> Result<Self, Error> {
        let mut r = Reader::new(body, "ServerHello");
        let legacy_version = ProtocolVersion(r.u16()?);
        let random: &[u8; 32] = r.array()?;
        let session_id_echo = r.vec_u8()?;
        if session_id_echo.len() > 32 {
            return Err(Error::Malformed { what: "legacy_session_id_echo" });
        }
        let hello = ServerHello {
            legacy_version,
            random,
            session_id_echo,
            cipher_suite: CipherSuite(r.u16()?),
            compression_method: r.u8()?,
            selected_version: None,
            key_share: None,
            pre_shared_key: None,
        };
        let parsed = if *random == HELLO_RETRY_REQUEST_RANDOM {
            Self::HelloRetryRequest(HelloRetryRequest::parse(&hello, &mut r, offered)?)
        } else {
            Self::ServerHello(hello.parse_extensions(&mut r, offered)?)
        };
        r.finish()?;
        Ok(parsed)
    }
}

impl<'a> ServerHello<'a> {
    /// A ServerHello of an older version may end without extensions. Those that it has are checked for form only: they
    /// mean nothing before its version has been accepted, and a client that can't accept it should say so rather than
    /// complain of an extension.
    fn parse_extensions(mut self, r: &mut Reader<'a>, offered: OfferedSet) -> Result<Self, Error> {
        let mut types = TypesInOrder::new(r.peek().get(2..).unwrap_or_default());
        if !types.any(|typ| typ == ExtensionType::SUPPORTED_VERSIONS) {
            return if r.is_empty() { Ok(self) } else { extension::check_form(r).map(|()| self) };
        }
        extension::read(r, Context::ServerHello, offered, |typ, r| {
            match typ {
                ExtensionType::SUPPORTED_VERSIONS => {
                    self.selected_version = Some(supported_versions::parse_selected(r)?);
                }
                ExtensionType::KEY_SHARE => self.key_share = Some(key_share::parse_server(r)?),
                ExtensionType::PRE_SHARED_KEY => {
                    self.pre_shared_key = Some(pre_shared_key::parse_selected(r)?)
                }
                _ => {
                    r.rest();
                }
            }
            Ok(())
        })?;
        Ok(self)
    }

    /// The version that was chosen: selected_version, or without it legacy_version.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.selected_version.unwrap_or(self.legacy_version)
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field outgrows its length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        encoded(|w| self.write(w))
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::SERVER_HELLO, |w| {
            w.u16(self.legacy_version.0);
            w.bytes(self.random);
            w.vec_u8(self.session_id_echo);
            w.u16(self.cipher_suite.0);
            w.u8(self.compression_method);
            w.block_u16(|w| self.write_extensions(w));
        });
    }

    /// In the order of RFC 8448's traces, so that they can be made again.
    fn write_extensions(&self, w: &mut Writer) {
        if let Some(index) = self.pre_shared_key {
            pre_shared_key::write_selected(w, index);
        }
        if let Some(share) = self.key_share {
            key_share::write_server(w, share);
        }
        if let Some(version) = self.selected_version {
            supported_versions::write_selected(w, version);
        }
    }
}

impl<'a> HelloRetryRequest<'a> {
    fn parse(hello: &ServerHello<'a>, r: &mut Reader<'a>, offered: OfferedSet) -> Result<Self, Error> {
        let mut this = Self {
            legacy_version: hello.legacy_version,
            session_id_echo: hello.session_id_echo,
            cipher_suite: hello.cipher_suite,
            compression_method: hello.compression_method,
            selected_version: None,
            selected_group: None,
            cookie: None,
            encrypted_client_hello: None,
        };
        extension::read(r, Context::HelloRetryRequest, offered, |typ, r| {
            match typ {
                ExtensionType::SUPPORTED_VERSIONS => {
                    this.selected_version = Some(supported_versions::parse_selected(r)?);
                }
                ExtensionType::KEY_SHARE => this.selected_group = Some(key_share::parse_retry(r)?),
                ExtensionType::COOKIE => this.cookie = Some(cookie::parse(r)?),
                ExtensionType::ENCRYPTED_CLIENT_HELLO => this.encrypted_client_hello = Some(r.rest()),
                _ => {
                    r.rest();
                }
            }
            Ok(())
        })?;
        Ok(this)
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field outgrows its length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        encoded(|w| self.write(w))
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::SERVER_HELLO, |w| {
            w.u16(self.legacy_version.0);
            w.bytes(&HELLO_RETRY_REQUEST_RANDOM);
            w.vec_u8(self.session_id_echo);
            w.u16(self.cipher_suite.0);
            w.u8(self.compression_method);
            w.block_u16(|w| self.write_extensions(w));
        });
    }

    /// In the order of RFC 8448's traces, so that they can be made again.
    fn write_extensions(&self, w: &mut Writer) {
        if let Some(group) = self.selected_group {
            key_share::write_retry(w, group);
        }
        if let Some(cookie) = self.cookie {
            cookie::write(w, cookie);
        }
        if let Some(version) = self.selected_version {
            supported_versions::write_selected(w, version);
        }
        if let Some(confirmation) = self.encrypted_client_hello {
            encrypted_client_hello::write(w, confirmation);
        }
    }
}
