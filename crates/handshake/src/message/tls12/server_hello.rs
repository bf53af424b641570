//! ServerHello as TLS 1.2 has it (RFC 5246 section 7.4.1.3): most of what TLS 1.3 moved to EncryptedExtensions is here.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{
    self, Context, ExtensionType, OfferedSet, application_layer_protocol_negotiation as alpn,
    ec_point_formats, extended_master_secret, record_size_limit, renegotiation_info, session_ticket,
    signed_certificate_timestamp,
};
use crate::message::{HandshakeType, encoded, message};
use crate::suite::{CipherSuite, ProtocolVersion};

/// A ServerHello that chose TLS 1.2, received or to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// The server's random.
    pub random: &'a [u8; 32],
    /// The session's ID; the client's own: resumed. At most 32 bytes.
    pub session_id: &'a [u8],
    /// The suite that was chosen.
    pub cipher_suite: CipherSuite,
    /// Compression, which must be 0.
    pub compression_method: u8,
    /// What the extensions say.
    pub extensions: ServerHelloExtensions<'a>,
}

/// What the extensions of a TLS 1.2 ServerHello say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerHelloExtensions<'a> {
    /// renegotiated_connection (RFC 5746), empty in an initial handshake.
    pub renegotiation_info: Option<&'a [u8]>,
    /// extended_master_secret (RFC 7627).
    pub extended_master_secret: bool,
    /// ec_point_formats was there and has uncompressed points, or was not there (RFC 8422 section 5.2).
    pub ec_point_formats: Option<bool>,
    /// The application protocol that was chosen.
    pub alpn: Option<&'a [u8]>,
    /// A NewSessionTicket will come.
    pub session_ticket: bool,
    /// A CertificateStatus may come.
    pub status_request: bool,
    /// The SCT list, encoded.
    pub scts: Option<&'a [u8]>,
    /// The server's record_size_limit.
    pub record_size_limit: Option<u16>,
    /// The name was used.
    pub server_name: bool,
}

impl<'a> ServerHello<'a> {
    /// Reads the body of a ServerHello that is known to choose TLS 1.2. `offered` is what the client sent.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`extension::read`]'s.
    pub fn parse(body: &'a [u8], offered: OfferedSet) -> Result<Self, Error> {
        let mut r = Reader::new(body, "ServerHello");
        r.u16()?;
        let random = r.array()?;
        let session_id = r.vec_u8()?;
        if session_id.len() > 32 {
            return Err(Error::Malformed { what: "session_id" });
        }
        let cipher_suite = CipherSuite(r.u16()?);
        let compression_method = r.u8()?;
        let mut extensions = ServerHelloExtensions::default();
        // A hello may end without extensions at all.
        if !r.is_empty() {
            extension::read(&mut r, Context::ServerHelloTls12, offered, |typ, r| extensions.take(typ, r))?;
        }
        r.finish()?;
        Ok(Self { random, session_id, cipher_suite, compression_method, extensions })
    }

    /// The whole message. Without an extension it ends before them: a client that has sent none may not know that there
    /// is a block (RFC 5246 section 7.4.1.3).
    ///
    /// # Errors
    /// [`Error::TooLong`] if a field outgrows its length.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        encoded(|w| self.write(w))
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::SERVER_HELLO, |w| {
            w.u16(ProtocolVersion::TLS1_2.0);
            w.bytes(self.random);
            w.vec_u8(self.session_id);
            w.u16(self.cipher_suite.0);
            w.u8(self.compression_method);
            if self.extensions != ServerHelloExtensions::default() {
                w.block_u16(|w| self.extensions.write(w));
            }
        });
    }
}

impl<'a> ServerHelloExtensions<'a> {
    fn take(&mut self, typ: ExtensionType, r: &mut Reader<'a>) -> Result<(), Error> {
        match typ {
            ExtensionType::RENEGOTIATION_INFO => {
                self.renegotiation_info = Some(renegotiation_info::parse(r)?)
            }
            ExtensionType::EXTENDED_MASTER_SECRET => self.extended_master_secret = true,
            ExtensionType::EC_POINT_FORMATS => self.ec_point_formats = Some(ec_point_formats::parse(r)?),
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => {
                self.alpn = Some(alpn::parse_selected(r)?);
            }
            ExtensionType::SESSION_TICKET => self.session_ticket = true,
            ExtensionType::STATUS_REQUEST => self.status_request = true,
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => {
                self.scts = Some(signed_certificate_timestamp::parse_response(r)?);
            }
            ExtensionType::RECORD_SIZE_LIMIT => self.record_size_limit = Some(record_size_limit::parse(r)?),
            ExtensionType::SERVER_NAME => self.server_name = true,
            _ => {
                r.rest();
            }
        }
        Ok(())
    }

    fn write(&self, w: &mut Writer) {
        if self.renegotiation_info.is_some() {
            renegotiation_info::write(w);
        }
        if self.extended_master_secret {
            extended_master_secret::write(w);
        }
        if self.ec_point_formats.is_some() {
            ec_point_formats::write(w);
        }
        if self.server_name {
            extension::write(w, ExtensionType::SERVER_NAME, |_| {});
        }
        if let Some(protocol) = self.alpn {
            alpn::write(w, &[protocol]);
        }
        if self.session_ticket {
            session_ticket::write(w, &[]);
        }
        if self.status_request {
            extension::write(w, ExtensionType::STATUS_REQUEST, |_| {});
        }
        if let Some(scts) = self.scts {
            signed_certificate_timestamp::write_response(w, scts);
        }
        if let Some(limit) = self.record_size_limit {
            record_size_limit::write(w, limit);
        }
    }
}
