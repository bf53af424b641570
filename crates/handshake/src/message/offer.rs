//! ClientHello (RFC 9846 section 4.2.2) as a client writes it.

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::codec::Writer;
use crate::error::Error;
use crate::extension::key_share::{self, KeyShareEntry};
use crate::extension::ticket_request::{self, TicketRequest};
use crate::extension::{
    ExtensionType, OfferedSet, application_layer_protocol_negotiation as alpn, certificate_authorities,
    compress_certificate, cookie, psk_key_exchange_modes, quic_transport_parameters, record_size_limit,
    server_name, signature_algorithms, signed_certificate_timestamp, status_request, supported_groups,
    supported_versions,
};
use crate::message::{HandshakeType, message};
use crate::suite::{CipherSuite, ProtocolVersion};

/// What a client offers. Empty lists and `None` send no extension, but `key_shares`, whose empty list asks for a
/// HelloRetryRequest.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The client's random.
    pub random: &'a [u8; 32],
    /// At most 32 bytes.
    pub session_id: &'a [u8],
    /// Suites, most preferred first.
    pub cipher_suites: &'a [CipherSuite],
    /// Versions, most preferred first.
    pub supported_versions: &'a [ProtocolVersion],
    /// Name of the server.
    pub server_name: Option<&'a str>,
    /// Groups, most preferred first.
    pub supported_groups: &'a [NamedGroup],
    /// Key shares, in the order of the groups.
    pub key_shares: &'a [KeyShareEntry<'a>],
    /// Schemes for CertificateVerify.
    pub signature_algorithms: &'a [SignatureScheme],
    /// Schemes inside certificates, when they differ.
    pub signature_algorithms_cert: Option<&'a [SignatureScheme]>,
    /// Application protocols, most preferred first.
    pub alpn: &'a [Vec<u8>],
    /// The cookie of the HelloRetryRequest that this hello answers.
    pub cookie: Option<&'a [u8]>,
    /// Tickets are welcome: psk_key_exchange_modes with psk_dhe_ke.
    pub psk_dhe_ke: bool,
    /// Authorities that we trust, DER names.
    pub certificate_authorities: &'a [Vec<u8>],
    /// An OCSP response is wanted.
    pub status_request: bool,
    /// Signed certificate timestamps are wanted.
    pub signed_certificate_timestamp: bool,
    /// The largest record that we take (RFC 8449), plaintext bytes.
    pub record_size_limit: Option<u16>,
    /// Compressions that we can undo.
    pub compress_certificate: &'a [u16],
    /// QUIC's transport parameters.
    pub quic_transport_parameters: Option<&'a [u8]>,
    /// How many tickets are wanted.
    pub ticket_request: Option<TicketRequest>,
}

impl Offer<'_> {
    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if the extensions together outgrow 65,535 bytes: a server's cookie can do that.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        message(HandshakeType::CLIENT_HELLO, |w| {
            w.u16(ProtocolVersion::TLS1_2.0);
            w.bytes(self.random);
            w.vec_u8(self.session_id);
            w.block_u16(|w| self.cipher_suites.iter().for_each(|suite| w.u16(suite.0)));
            w.vec_u8(&[0]);
            w.block_u16(|w| {
                self.write_negotiation(w);
                self.write_authentication(w);
                self.write_other(w);
            });
        })
    }

    fn write_negotiation(&self, w: &mut Writer) {
        if let Some(name) = self.server_name {
            server_name::write(w, name);
        }
        supported_versions::write(w, self.supported_versions);
        supported_groups::write(w, self.supported_groups);
        key_share::write(w, self.key_shares);
        if !self.alpn.is_empty() {
            alpn::write(w, self.alpn);
        }
        if let Some(cookie) = self.cookie {
            cookie::write(w, cookie);
        }
        if self.psk_dhe_ke {
            psk_key_exchange_modes::write(w);
        }
    }

    fn write_authentication(&self, w: &mut Writer) {
        signature_algorithms::write(w, self.signature_algorithms);
        if let Some(schemes) = self.signature_algorithms_cert {
            signature_algorithms::write_cert(w, schemes);
        }
        if !self.certificate_authorities.is_empty() {
            certificate_authorities::write(w, self.certificate_authorities);
        }
        if self.status_request {
            status_request::write_request(w);
        }
        if self.signed_certificate_timestamp {
            signed_certificate_timestamp::write_request(w);
        }
        if !self.compress_certificate.is_empty() {
            compress_certificate::write(w, self.compress_certificate);
        }
    }

    fn write_other(&self, w: &mut Writer) {
        if let Some(limit) = self.record_size_limit {
            record_size_limit::write(w, limit);
        }
        if let Some(parameters) = self.quic_transport_parameters {
            quic_transport_parameters::write(w, parameters);
        }
        if let Some(request) = self.ticket_request {
            ticket_request::write(w, request);
        }
    }

    /// The extensions that [`Offer::encode`] sends: what the server's responses are judged by.
    #[must_use]
    pub fn offered(&self) -> OfferedSet {
        [
            (self.server_name.is_some(), ExtensionType::SERVER_NAME),
            (true, ExtensionType::SUPPORTED_VERSIONS),
            (true, ExtensionType::SUPPORTED_GROUPS),
            (true, ExtensionType::KEY_SHARE),
            (!self.alpn.is_empty(), ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION),
            (self.cookie.is_some(), ExtensionType::COOKIE),
            (self.psk_dhe_ke, ExtensionType::PSK_KEY_EXCHANGE_MODES),
            (true, ExtensionType::SIGNATURE_ALGORITHMS),
            (self.signature_algorithms_cert.is_some(), ExtensionType::SIGNATURE_ALGORITHMS_CERT),
            (!self.certificate_authorities.is_empty(), ExtensionType::CERTIFICATE_AUTHORITIES),
            (self.status_request, ExtensionType::STATUS_REQUEST),
            (self.signed_certificate_timestamp, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP),
            (!self.compress_certificate.is_empty(), ExtensionType::COMPRESS_CERTIFICATE),
            (self.record_size_limit.is_some(), ExtensionType::RECORD_SIZE_LIMIT),
            (self.quic_transport_parameters.is_some(), ExtensionType::QUIC_TRANSPORT_PARAMETERS),
            (self.ticket_request.is_some(), ExtensionType::TICKET_REQUEST),
        ]
        .into_iter()
        .filter_map(|(sent, typ)| sent.then_some(typ))
        .collect()
    }
}
