//! The client's Certificate and CertificateVerify in TLS 1.3 (RFC 9846 sections 4.5.1 and 4.5.2), where the server has
//! asked for them.

use crate::alert::AlertDescription;
use crate::authentication::{self, ClaimedPeer};
use crate::config::ClientAuth;
use crate::error::Error;
use crate::machine::{Incoming, Out};
use crate::message::HandshakeType;
use crate::message::certificate::Certificate;
use crate::message::certificate_verify::SignerRole;
use crate::need::{NameToVerify, Need, VerifyPeer};
use crate::server::flight::certificate_request;
use crate::server::peer::Client;
use crate::server::tls13::{Connection, State};
use crate::step::Level;

type Result<T> = core::result::Result<T, Error>;

impl Connection {
    /// The client's Certificate, as it is or compressed (RFC 8879).
    pub(super) fn certificate(mut self: Box<Self>, message: Incoming<'_>, out: &mut Out) -> Result<State> {
        let common = &self.config.common;
        let compressed = HandshakeType::COMPRESSED_CERTIFICATE;
        if message.typ() == compressed && !common.decompress.is_empty() {
            let body = message.expect(compressed, Level::Handshake, "CompressedCertificate")?;
            let length = authentication::ask_to_decompress(body, common, out)?;
            // It is hashed as it came.
            self.transcript.add(message.encoded());
            return Ok(State::Decompressed(self, length));
        }
        let body = message.expect(HandshakeType::CERTIFICATE, Level::Handshake, "Certificate")?;
        self.transcript.add(message.encoded());
        self.claimed(body)
    }

    pub(super) fn decompressed(self: Box<Self>, body: &[u8], length: u32) -> Result<State> {
        authentication::check_decompressed(body, length)?;
        self.claimed(body)
    }

    /// What the client says it is. It may say nothing where the configuration allows it.
    fn claimed(self: Box<Self>, body: &[u8]) -> Result<State> {
        let config = &self.config;
        let offered = certificate_request(config).offered();
        let certificate = Certificate::parse(body, offered, config.common.max_chain)?;
        if !certificate.context.is_empty() {
            return Err(Error::IllegalParameter { what: "certificate_request_context" });
        }
        match certificate.peer {
            Some(peer) => Ok(State::CertificateVerify(self, ClaimedPeer::new(peer)?)),
            None if config.client_auth == ClientAuth::Required => {
                Err(Error::CertificateRequired { alert: AlertDescription::CERTIFICATE_REQUIRED })
            }
            None => Ok(State::Finished(self, Client::Anonymous)),
        }
    }

    /// Proof of possession first, then the question who it is.
    pub(super) fn certificate_verify(
        mut self: Box<Self>,
        peer: ClaimedPeer,
        message: Incoming<'_>,
        out: &mut Out,
    ) -> Result<State> {
        let body =
            message.expect(HandshakeType::CERTIFICATE_VERIFY, Level::Handshake, "CertificateVerify")?;
        let transcript = self.transcript.current();
        let offered = &self.config.common.verify_schemes;
        let peer = peer.prove(body, offered, SignerRole::Client, &transcript)?;
        self.transcript.add(message.encoded());
        let certificates = peer.certificates.clone();
        out.ask(|serial| {
            Need::VerifyPeer(VerifyPeer {
                peer: certificates,
                resumed: false,
                name: NameToVerify::Configured,
                serial,
            })
        });
        Ok(State::Verdict(self, peer))
    }
}
