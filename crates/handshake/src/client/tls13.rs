//! TLS 1.3 from EncryptedExtensions to the server's Finished (RFC 9846 sections 4.4 and 4.5). What follows is in
//! `tls13_finish.rs`.

use core::mem;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;

use crate::authentication::{self, ClaimedPeer, ProvedPeer};
use crate::client::early_data::EarlyData;
use crate::client::proof::{Proved, Server, ask_to_verify, ask_to_verify_again};
use crate::client::tls13_finish::Finishing;
use crate::client::{State, check_protocol};
use crate::config::Told;
use crate::error::Error;
use crate::extension::{ExtensionType, OfferedSet, record_size_limit};
use crate::key_schedule::key_log;
use crate::key_schedule::tls13::HandshakeSecrets;
use crate::machine::{FinishedVerified, Incoming, Out, PeerVerified, WRONG_ANSWER};
use crate::message::certificate::Certificate;
use crate::message::certificate_request::CertificateRequest;
use crate::message::certificate_verify::SignerRole;
use crate::message::encrypted_extensions::EncryptedExtensions;
use crate::message::{HandshakeType, finished};
use crate::need::{AnswerKind, CredentialRequest};
use crate::session::Psk;
use crate::step::{Direction, EarlyDataRejection, Level};
use crate::suite::{ProtocolVersion, Tls13Suite};
use crate::transcript::Transcript;

/// What a TLS 1.3 client waits for, until the server's Finished.
#[derive(Debug, Default)]
pub(crate) enum Due {
    /// Only while a step is under way.
    #[default]
    Nothing,
    EncryptedExtensions,
    /// CertificateRequest or Certificate.
    CertificateRequest,
    Certificate,
    /// The answer to Decompress.
    Decompressed(u32),
    CertificateVerify(ClaimedPeer),
    /// The answer to VerifyPeer.
    PeerVerified(ProvedPeer),
    /// The answer to VerifyPeer about the session's server.
    SessionVerified(Arc<Psk>),
    Finished(Server),
}

/// What a client knows and holds from ServerHello to the server's Finished.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) config: Told,
    pub(super) offered: OfferedSet,
    pub(super) suite: Tls13Suite,
    pub(super) group: NamedGroup,
    pub(super) retried: bool,
    pub(super) transcript: Transcript,
    pub(super) secrets: HandshakeSecrets,
    /// The session that the server resumes: then it has no certificate to show, and asks for none.
    pub(super) psk: Option<Arc<Psk>>,
    pub(super) early_data: EarlyData,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) request: Option<Box<CredentialRequest>>,
}

/// The server's Finished; the state that follows is made where the last one lay.
pub(super) fn finished(state: &mut State, message: Incoming<'_>, out: &mut Out) -> Result<(), Error> {
    let State::Tls13(core, Due::Finished(server)) = mem::take(state) else {
        return Err(message.unexpected("an answer"));
    };
    *state = core.finished(message, server, out)?;
    Ok(())
}

impl Core {
    /// The server's flight, in its order, up to its Finished; what is due next.
    pub(super) fn message(&mut self, due: Due, message: Incoming<'_>, out: &mut Out) -> Result<Due, Error> {
        match due {
            Due::EncryptedExtensions => self.encrypted_extensions(message, out),
            Due::CertificateRequest if message.typ() == HandshakeType::CERTIFICATE_REQUEST => {
                self.certificate_request(message)
            }
            Due::CertificateRequest => self.certificate(message, out, "CertificateRequest or Certificate"),
            Due::Certificate => self.certificate(message, out, "Certificate"),
            Due::CertificateVerify(peer) => self.certificate_verify(message, peer, out),
            // A Need is out in the first three, and the shell takes no message meanwhile; Finished ends this state.
            Due::Decompressed(_)
            | Due::PeerVerified(_)
            | Due::SessionVerified(_)
            | Due::Finished(_)
            | Due::Nothing => Err(message.unexpected("an answer")),
        }
    }

    /// The outside's answers; what is due next.
    pub(super) fn answer(&self, due: Due, answer: &AnswerKind) -> Result<Due, Error> {
        match (due, answer) {
            (Due::Decompressed(length), AnswerKind::Decompressed(body)) => self.decompressed(body, length),
            (Due::PeerVerified(peer), answer) => {
                Ok(Due::Finished(Server::Certificate(peer.verified(answer)?)))
            }
            (Due::SessionVerified(psk), answer) => {
                PeerVerified::from_answer(answer)?;
                Ok(Due::Finished(Server::Session(psk)))
            }
            _ => Err(WRONG_ANSWER),
        }
    }

    /// What the server answers to the hello's extensions (RFC 9846 section 4.4.1). If it resumes a session, its Finished
    /// is all that follows.
    fn encrypted_extensions(&mut self, message: Incoming<'_>, out: &mut Out) -> Result<Due, Error> {
        let body =
            message.expect(HandshakeType::ENCRYPTED_EXTENSIONS, Level::Handshake, "EncryptedExtensions")?;
        let extensions = EncryptedExtensions::parse(body, self.offered)?;
        if !extensions.early_data {
            self.early_data_refused(out);
        }
        self.alpn = self.chosen_protocol(extensions.alpn, out)?;
        if out.is_quic() {
            let typ = ExtensionType::QUIC_TRANSPORT_PARAMETERS;
            out.peer_parameters(extensions.quic_transport_parameters.ok_or(Error::MissingExtension(typ))?);
        }
        if let (Some(send), Some(receive)) =
            (extensions.record_size_limit, self.config.common().record_size_limit)
        {
            if send > record_size_limit::MAX {
                return Err(Error::IllegalParameter { what: "record_size_limit" });
            }
            out.limits(send, receive);
        }
        if extensions.early_data {
            self.check_early_data()?;
            self.early_data.accept(out)?;
        }
        self.transcript.add(message.encoded());
        Ok(match self.psk.take() {
            // This message was under a key that only who has the session's secret can make.
            Some(psk) if ask_to_verify_again(&self.config, &psk, out)? => Due::SessionVerified(psk),
            Some(psk) => Due::Finished(Server::Session(psk)),
            None => Due::CertificateRequest,
        })
    }

    /// Nothing is read under the early key any more: what we send from here on, alerts too, is under the next.
    fn early_data_refused(&mut self, out: &mut Out) {
        if self.early_data.reject(EarlyDataRejection::PeerDeclined, out) && !out.is_quic() {
            let secret = self.secrets.client.duplicate();
            out.keys(Level::Handshake, Direction::Write, self.suite.suite, secret);
        }
    }

    /// Early data was under the session's suite and in its protocol: a server that goes on with others has not read it
    /// as what it is (RFC 9846 section 4.3.10).
    fn check_early_data(&self) -> Result<(), Error> {
        let session = self.psk.as_deref().and_then(Psk::session);
        let what = match session {
            None => "early_data without the session that it is of",
            Some(session) if session.suite != self.suite.suite => {
                "early_data with another cipher suite than its session's"
            }
            Some(session) if session.alpn != self.alpn => {
                "early_data with another application protocol than its session's"
            }
            Some(_) => return Ok(()),
        };
        Err(Error::IllegalParameter { what })
    }

    /// QUIC can't go on without a protocol (RFC 9001 section 8.1).
    fn chosen_protocol(&self, chosen: Option<&[u8]>, out: &Out) -> Result<Option<Vec<u8>>, Error> {
        match chosen {
            None if out.is_quic() => Err(Error::NoApplicationProtocol { peer: Vec::new().into() }),
            chosen => check_protocol(self.config.common(), chosen),
        }
    }

    /// Kept until the server's Finished: a server that has proved nothing learns nothing of our credentials.
    fn certificate_request(&mut self, message: Incoming<'_>) -> Result<Due, Error> {
        let body =
            message.expect(HandshakeType::CERTIFICATE_REQUEST, Level::Handshake, "CertificateRequest")?;
        let request = CertificateRequest::parse(body)?;
        if !request.context.is_empty() {
            return Err(Error::IllegalParameter { what: "certificate_request_context" });
        }
        self.request = Some(Box::new(credential_request(&request)));
        self.transcript.add(message.encoded());
        Ok(Due::Certificate)
    }

    /// The server's chain (RFC 9846 section 4.5.1), as it is or compressed (RFC 8879).
    fn certificate(&mut self, message: Incoming<'_>, out: &mut Out, due: &'static str) -> Result<Due, Error> {
        if message.typ() == HandshakeType::COMPRESSED_CERTIFICATE
            && !self.config.common().decompress.is_empty()
        {
            return self.compressed_certificate(message, out);
        }
        let body = message.expect(HandshakeType::CERTIFICATE, Level::Handshake, due)?;
        let peer = self.claimed_peer(body)?;
        self.transcript.add(message.encoded());
        Ok(Due::CertificateVerify(peer))
    }

    /// The chain is decompressed outside, and hashed as it came.
    fn compressed_certificate(&mut self, message: Incoming<'_>, out: &mut Out) -> Result<Due, Error> {
        let due = "CompressedCertificate";
        let body = message.expect(HandshakeType::COMPRESSED_CERTIFICATE, Level::Handshake, due)?;
        let length = authentication::ask_to_decompress(body, self.config.common(), out)?;
        self.transcript.add(message.encoded());
        Ok(Due::Decompressed(length))
    }

    fn decompressed(&self, body: &[u8], length: u32) -> Result<Due, Error> {
        authentication::check_decompressed(body, length)?;
        Ok(Due::CertificateVerify(self.claimed_peer(body)?))
    }

    fn claimed_peer(&self, body: &[u8]) -> Result<ClaimedPeer, Error> {
        let certificate = Certificate::parse(body, self.offered, self.config.common().max_chain)?;
        if !certificate.context.is_empty() {
            return Err(Error::IllegalParameter { what: "certificate_request_context" });
        }
        let peer = certificate.peer.ok_or(Error::Malformed { what: "Certificate without a certificate" })?;
        ClaimedPeer::new(peer)
    }

    /// Proof of possession first, then the question who it is (RFC 9846 section 4.5.2).
    fn certificate_verify(
        &mut self,
        message: Incoming<'_>,
        peer: ClaimedPeer,
        out: &mut Out,
    ) -> Result<Due, Error> {
        let body =
            message.expect(HandshakeType::CERTIFICATE_VERIFY, Level::Handshake, "CertificateVerify")?;
        let transcript = self.transcript.current();
        let peer = peer.prove(body, &self.config.common().verify_schemes, SignerRole::Server, &transcript)?;
        self.transcript.add(message.encoded());
        ask_to_verify(&peer, out);
        Ok(Due::PeerVerified(peer))
    }

    /// The server's Finished (RFC 9846 section 4.5.3): now the server is who its certificate or the session says, and
    /// nobody has changed a word. Handshake secrets end here, application secrets begin (section 7.1).
    fn finished(mut self, message: Incoming<'_>, server: Server, out: &mut Out) -> Result<State, Error> {
        let body = message.expect(HandshakeType::FINISHED, Level::Handshake, "Finished")?;
        let hash = self.suite.hash;
        let verify_data = finished::parse(hash, body)?;
        let finished =
            FinishedVerified::check(hash, &self.secrets.server, &self.transcript.current(), verify_data)?;
        self.transcript.add(message.encoded());
        let Self {
            config, suite, group, retried, mut transcript, secrets, early_data, alpn, request, ..
        } = self;
        let main = secrets.next.into_main();
        let application = main.application(&transcript.current(), config.common().exporter)?;
        out.key_log(key_log::CLIENT_TRAFFIC_SECRET_0, &application.client);
        out.key_log(key_log::SERVER_TRAFFIC_SECRET_0, &application.server);
        if let Some(exporter) = &application.exporter {
            out.key_log(key_log::EXPORTER_SECRET, exporter);
        }
        let finishing = Finishing {
            // Tickets need a secret over our Finished too; where none is kept, the Main Secret ends here.
            main: Some(main).filter(|_| config.all().resumption),
            config,
            suite,
            group,
            retried,
            transcript,
            handshake: secrets.client,
            application,
            early_data,
            alpn,
            proved: Proved::server(server),
            finished,
            finished_at: message.now,
        };
        finishing.begin(request, out)
    }
}

/// What the outside chooses a credential by.
fn credential_request(request: &CertificateRequest<'_>) -> CredentialRequest {
    CredentialRequest {
        version: ProtocolVersion::TLS1_3,
        schemes: request.signature_algorithms.iter().filter(|s| s.usable_in_tls13_handshake()).collect(),
        certificate_schemes: request.certificate_schemes().to_vec(),
        authorities: request.certificate_authorities.map(|names| names.to_vec()).unwrap_or_default(),
        server_name: None,
        ocsp: request.status_request,
        sct: request.signed_certificate_timestamp,
        compression: request.compress_certificate.map(|list| list.to_vec()).unwrap_or_default(),
        certificate_types: Vec::new(),
    }
}
