//! EncryptedExtensions (RFC 9846 section 4.4.1): the server's answers that belong to no certificate.

use oxtls_crypto::key_exchange::NamedGroup;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{
    self, Context, ExtensionType, OfferedSet, application_layer_protocol_negotiation as alpn, early_data,
    encrypted_client_hello, quic_transport_parameters, record_size_limit, server_name, supported_groups,
    ticket_request,
};
use crate::message::{HandshakeType, encoded, message};

/// EncryptedExtensions, borrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptedExtensions<'a> {
    /// The server has used the client's server_name.
    pub server_name: bool,
    /// Groups that the server has, its order; empty: not said. For later connections, never for this one.
    pub supported_groups: Vec<NamedGroup>,
    /// The application protocol that was chosen.
    pub alpn: Option<&'a [u8]>,
    /// The largest record that the server takes (RFC 8449), plaintext bytes with content type.
    pub record_size_limit: Option<u16>,
    /// 0-RTT was accepted.
    pub early_data: bool,
    /// QUIC's transport parameters, not decoded.
    pub quic_transport_parameters: Option<&'a [u8]>,
    /// How many tickets to expect.
    pub ticket_request: Option<u8>,
    /// ECH configurations to retry with, not decoded.
    pub encrypted_client_hello: Option<&'a [u8]>,
}

impl<'a> EncryptedExtensions<'a> {
    /// Reads the body. `offered` is what the client sent.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`extension::read`]'s.
    pub fn parse(body: &'a [u8], offered: OfferedSet) -> Result<Self, Error> {
        let mut r = Reader::new(body, "EncryptedExtensions");
        let mut this = Self::default();
        extension::read(&mut r, Context::EncryptedExtensions, offered, |typ, r| {
            match typ {
                ExtensionType::SERVER_NAME => this.server_name = true,
                ExtensionType::SUPPORTED_GROUPS => {
                    this.supported_groups = supported_groups::parse(r)?.to_vec()
                }
                ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => {
                    this.alpn = Some(alpn::parse_selected(r)?);
                }
                ExtensionType::RECORD_SIZE_LIMIT => {
                    this.record_size_limit = Some(record_size_limit::parse(r)?)
                }
                ExtensionType::EARLY_DATA => this.early_data = true,
                ExtensionType::QUIC_TRANSPORT_PARAMETERS => this.quic_transport_parameters = Some(r.rest()),
                ExtensionType::TICKET_REQUEST => this.ticket_request = Some(ticket_request::parse_hint(r)?),
                ExtensionType::ENCRYPTED_CLIENT_HELLO => this.encrypted_client_hello = Some(r.rest()),
                _ => {
                    r.rest();
                }
            }
            Ok(())
        })?;
        r.finish()?;
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
        message(w, HandshakeType::ENCRYPTED_EXTENSIONS, |w| w.block_u16(|w| self.write_extensions(w)));
    }

    /// In the order of RFC 8448's traces, so that they can be made again.
    fn write_extensions(&self, w: &mut Writer) {
        if !self.supported_groups.is_empty() {
            supported_groups::write(w, &self.supported_groups);
        }
        if let Some(protocol) = self.alpn {
            alpn::write(w, &[protocol]);
        }
        if let Some(limit) = self.record_size_limit {
            record_size_limit::write(w, limit);
        }
        if self.server_name {
            server_name::write_acknowledgement(w);
        }
        if self.early_data {
            early_data::write(w);
        }
        if let Some(parameters) = self.quic_transport_parameters {
            quic_transport_parameters::write(w, parameters);
        }
        if let Some(expected) = self.ticket_request {
            ticket_request::write_hint(w, expected);
        }
        if let Some(configs) = self.encrypted_client_hello {
            encrypted_client_hello::write(w, configs);
        }
    }
}
