//! TLS 1.2 from ServerHello to the server's ServerHelloDone (RFC 5246 section 7.4, RFC 8422 section 5). Our flight is in
//! `tls12_flight.rs`, the end in `tls12_finish.rs`; a session that is resumed goes there at once (`tls12_resumed.rs`).

use core::mem;
use std::sync::Arc;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::SharedSecret;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureAlgorithm, SignatureScheme};

use crate::authentication::{ClaimedPeer, ProvedPeer};
use crate::client::hello::{NO_HELLO, Waiting, bad_share};
use crate::client::our_hello::{OurHello, key_exchange};
use crate::client::proof::ask_to_verify;
use crate::client::session_id::SessionId;
use crate::client::tls12_flight::Verified;
use crate::client::tls12_resumed;
use crate::client::{State, check_protocol};
use crate::config::Told;
use crate::error::Error;
use crate::machine::{Incoming, Out, WRONG_ANSWER};
use crate::message::HandshakeType;
use crate::message::tls12::certificate_request::{CertificateRequest, ECDSA_SIGN, RSA_SIGN};
use crate::message::tls12::server_hello::{ServerHello, ServerHelloExtensions};
use crate::message::tls12::server_key_exchange::{ServerKeyExchange, signed_content};
use crate::message::tls12::{certificate, certificate_status, server_hello_done};
use crate::need::{AnswerKind, CredentialRequest};
use crate::outcome::PeerCertificates;
use crate::step::{ApplicationData, ChangeCipherSpec, Level, ReadMode};
use crate::suite::{ProtocolVersion, Tls12Suite};
use crate::transcript::{Transcript, append};

type Result<T> = core::result::Result<T, Error>;

/// The most bytes of content that a record of TLS 1.2 has (RFC 5246 section 6.2.1): what record_size_limit is at most.
const MAX_PLAINTEXT: u16 = 1 << 14;

/// What a TLS 1.2 client waits for, until the server's flight is over.
#[derive(Debug, Default)]
pub(crate) enum Due {
    /// Only while a step is under way.
    #[default]
    Nothing,
    Certificate,
    /// CertificateStatus, which may be left out, or ServerKeyExchange.
    CertificateStatus(ClaimedPeer),
    ServerKeyExchange(ClaimedPeer),
    /// CertificateRequest or ServerHelloDone.
    CertificateRequest(Agreed, ProvedPeer),
    ServerHelloDone(Agreed, ProvedPeer),
    /// The answer to VerifyPeer.
    PeerVerified(Agreed, ProvedPeer),
}

/// What the server writes under.
pub(super) type ReadKey = (AeadKey, FixedIv);

/// What both hellos say: it holds to the end.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) config: Told,
    pub(super) suite: Tls12Suite,
    pub(super) client_random: [u8; 32],
    pub(super) server_random: [u8; 32],
    pub(super) extended_master_secret: bool,
    pub(super) alpn: Option<Vec<u8>>,
    /// The server's, if sessions are kept.
    pub(super) session_id: SessionId,
    /// A NewSessionTicket will come.
    pub(super) ticket: bool,
}

/// What a client knows and holds from ServerHello to the end of the server's flight.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) connection: Connection,
    /// A CertificateStatus may come.
    status: bool,
    scts: Option<Arc<[u8]>>,
    pub(super) request: Option<Box<CredentialRequest>>,
    pub(super) messages: Messages,
}

/// The messages so far: hashed, and as they are for as long as a CertificateRequest may come or has come, as our
/// CertificateVerify signs the messages themselves, by a hash of its own.
#[derive(Debug)]
pub(crate) struct Messages {
    pub(super) transcript: Transcript,
    pub(super) whole: Option<Vec<u8>>,
}

impl Messages {
    pub(super) fn add(&mut self, message: &[u8]) {
        self.transcript.add(message);
        if let Some(whole) = &mut self.whole {
            append(whole, message);
        }
    }
}

/// What came of the key exchange.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(super) group: NamedGroup,
    pub(super) share: Vec<u8>,
    pub(super) premaster: SharedSecret,
}

/// ServerHello (RFC 5246 section 7.4.1.3), known to choose TLS 1.2. A server that echoes our session ID resumes the
/// session that we offered.
pub(super) fn server_hello(state: &mut State, message: Incoming<'_>, out: &mut Out) -> Result<()> {
    let State::Hello(Waiting { ours, offered, mut first_hello, .. }) = mem::take(state) else {
        return Err(NO_HELLO);
    };
    let hello = ServerHello::parse(message.message.body, offered)?;
    let echoed = !ours.session_id.is_empty() && hello.session_id == ours.session_id.as_bytes();
    let suite = check(&ours, &hello)?;
    let (extensions, common) = (&hello.extensions, ours.config.common());
    let resumed = match (echoed, ours.tls12_session) {
        (false, _) => None,
        (true, Some(session)) => Some(session.resumed(suite, extensions)?),
        // The ID is of middlebox compatibility and names no session: nothing can be resumed by it.
        (true, None) => {
            return Err(Error::IllegalParameter { what: "session_id of a session that was not offered" });
        }
    };
    let alpn = check_protocol(common, extensions.alpn)?;
    out.read(read_mode(ApplicationData::Refuse, common.max_message));
    if let (Some(send), Some(receive)) = (extensions.record_size_limit, common.record_size_limit) {
        if send > MAX_PLAINTEXT {
            return Err(Error::IllegalParameter { what: "record_size_limit" });
        }
        out.limits(send, receive.min(MAX_PLAINTEXT));
    }
    let connection = Connection {
        suite,
        client_random: ours.random,
        server_random: *hello.random,
        extended_master_secret: extensions.extended_master_secret,
        alpn,
        session_id: SessionId::new(hello.session_id)
            .filter(|_| ours.config.all().resumption)
            .unwrap_or_default(),
        ticket: extensions.session_ticket,
        config: ours.config,
    };
    let mut transcript = first_hello.start(suite.hash);
    transcript.add(message.encoded());
    match resumed {
        Some(psk) => tls12_resumed::begin(connection, psk, transcript, state, out),
        None => {
            let mut whole = first_hello.into_bytes();
            append(&mut whole, message.encoded());
            let messages = Messages { transcript, whole: Some(whole) };
            let core = Core {
                connection,
                status: extensions.status_request,
                scts: extensions.scts.map(Arc::from),
                request: None,
                messages,
            };
            *state = State::Tls12(core, Due::Certificate);
            Ok(())
        }
    }
}

/// What must hold of every ServerHello; the suite that was chosen.
fn check(ours: &OurHello, hello: &ServerHello<'_>) -> Result<Tls12Suite> {
    if hello.compression_method != 0 {
        return Err(Error::IllegalParameter { what: "compression_method" });
    }
    if !ours.config.shared.lists().suites.contains(&hello.cipher_suite) {
        return Err(Error::WrongCipherSuite(hello.cipher_suite));
    }
    let suite = hello.cipher_suite.tls12().ok_or(Error::WrongCipherSuite(hello.cipher_suite))?;
    check_extensions(ours, &hello.extensions)?;
    Ok(suite)
}

fn check_extensions(ours: &OurHello, extensions: &ServerHelloExtensions<'_>) -> Result<()> {
    if extensions.ec_point_formats == Some(false) {
        return Err(Error::IllegalParameter { what: "ec_point_formats without uncompressed" });
    }
    // Without it somebody between can splice our handshake onto one of his own as its renegotiation (RFC 5746
    // section 1), and no client would see it.
    let may_be_missing =
        !ours.config.all().require_renegotiation_info && extensions.renegotiation_info.is_none();
    if extensions.renegotiation_info != Some(&[]) && !may_be_missing {
        return Err(Error::NoSecureRenegotiation);
    }
    if ours.config.common().require_extended_master_secret && !extensions.extended_master_secret {
        return Err(Error::NoExtendedMasterSecret);
    }
    Ok(())
}

/// The group of a certificate's curve; Ed25519's is none of ECDSA's.
const fn curve_of(key: KeyAlgorithm) -> Option<NamedGroup> {
    match key {
        KeyAlgorithm::EcdsaP256 => Some(NamedGroup::SECP256R1),
        KeyAlgorithm::EcdsaP384 => Some(NamedGroup::SECP384R1),
        KeyAlgorithm::EcdsaP521 => Some(NamedGroup::SECP521R1),
        _ => None,
    }
}

impl Core {
    /// The server's flight, in its order; what is due next.
    pub(super) fn message(&mut self, due: Due, message: Incoming<'_>, out: &mut Out) -> Result<Due> {
        match due {
            Due::Certificate => self.certificate(message),
            Due::CertificateStatus(peer) => self.certificate_status(peer, message),
            Due::ServerKeyExchange(peer) => self.server_key_exchange(peer, message, "ServerKeyExchange"),
            Due::CertificateRequest(agreed, peer) if message.typ() == HandshakeType::CERTIFICATE_REQUEST => {
                self.certificate_request(agreed, peer, message)
            }
            Due::CertificateRequest(agreed, peer) => {
                self.server_hello_done(agreed, peer, (message, "CertificateRequest or ServerHelloDone"), out)
            }
            Due::ServerHelloDone(agreed, peer) => {
                self.server_hello_done(agreed, peer, (message, "ServerHelloDone"), out)
            }
            // A Need is out, and the shell takes no message meanwhile.
            Due::PeerVerified(..) | Due::Nothing => Err(message.unexpected("an answer")),
        }
    }

    /// The answer to VerifyPeer, and with it our flight.
    pub(super) fn answer(self, due: Due, answer: &AnswerKind, out: &mut Out) -> Result<State> {
        match due {
            Due::PeerVerified(agreed, peer) => {
                Verified { core: self, agreed, peer: peer.verified(answer)? }.flight(out)
            }
            _ => Err(WRONG_ANSWER),
        }
    }

    /// The server's chain (RFC 5246 section 7.4.2), whose key must be of the suite's kind.
    fn certificate(&mut self, message: Incoming<'_>) -> Result<Due> {
        let body = message.expect(HandshakeType::CERTIFICATE, Level::Initial, "Certificate")?;
        let chain = certificate::parse(body, self.connection.config.common().max_chain)?;
        let chain = chain.ok_or(Error::Malformed { what: "Certificate without a certificate" })?;
        let certificates = PeerCertificates { chain, ocsp: None, scts: self.scts.clone() };
        let peer = ClaimedPeer::new(certificates)?;
        if !self.connection.suite.authentication.fits(peer.key_algorithm()) {
            return Err(Error::IllegalParameter {
                what: "a certificate that is not of the cipher suite's kind",
            });
        }
        // RFC 8422 section 5.1: supported_groups says which curves a certificate may have, too.
        if curve_of(peer.key_algorithm())
            .is_some_and(|curve| !self.connection.config.common().groups.contains(&curve))
        {
            return Err(Error::IllegalParameter { what: "a certificate on a curve that was not offered" });
        }
        self.messages.add(message.encoded());
        Ok(if self.status { Due::CertificateStatus(peer) } else { Due::ServerKeyExchange(peer) })
    }

    /// The OCSP response, which a server may leave out though it has promised it (RFC 6066 section 8).
    fn certificate_status(&mut self, mut peer: ClaimedPeer, message: Incoming<'_>) -> Result<Due> {
        const DUE: &str = "CertificateStatus or ServerKeyExchange";
        if message.typ() != HandshakeType::CERTIFICATE_STATUS {
            return self.server_key_exchange(peer, message, DUE);
        }
        let body = message.expect(HandshakeType::CERTIFICATE_STATUS, Level::Initial, DUE)?;
        peer.staple(certificate_status::parse(body)?);
        self.messages.add(message.encoded());
        Ok(Due::ServerKeyExchange(peer))
    }

    /// The server's share, signed with the certificate's key together with both randoms (RFC 8422 section 5.4).
    fn server_key_exchange(
        &mut self,
        peer: ClaimedPeer,
        message: Incoming<'_>,
        due: &'static str,
    ) -> Result<Due> {
        let body = message.expect(HandshakeType::SERVER_KEY_EXCHANGE, Level::Initial, due)?;
        let theirs = ServerKeyExchange::parse(body)?;
        let common = self.connection.config.common();
        if !common.groups.contains(&theirs.group) || theirs.group.is_post_quantum() {
            return Err(Error::WrongGroup);
        }
        let content =
            signed_content(&self.connection.client_random, &self.connection.server_random, theirs.params);
        let peer = peer.prove_tls12(theirs.algorithm, theirs.signature, &common.verify_schemes, &content)?;
        let ours = key_exchange(common, theirs.group, None).map_err(Error::Crypto)?;
        let share = ours.share().to_vec();
        let premaster = ours.finish(theirs.public).map_err(bad_share)?;
        self.messages.add(message.encoded());
        Ok(Due::CertificateRequest(Agreed { group: theirs.group, share, premaster }, peer))
    }

    /// Kept until the server's certificate is accepted: a stranger learns nothing of our credentials.
    fn certificate_request(
        &mut self,
        agreed: Agreed,
        peer: ProvedPeer,
        message: Incoming<'_>,
    ) -> Result<Due> {
        let due = "CertificateRequest";
        let body = message.expect(HandshakeType::CERTIFICATE_REQUEST, Level::Initial, due)?;
        self.request = Some(Box::new(credential_request(&CertificateRequest::parse(body)?)));
        self.messages.add(message.encoded());
        Ok(Due::ServerHelloDone(agreed, peer))
    }

    /// The server's flight is over: who is it?
    fn server_hello_done(
        &mut self,
        agreed: Agreed,
        peer: ProvedPeer,
        (message, due): (Incoming<'_>, &'static str),
        out: &mut Out,
    ) -> Result<Due> {
        let body = message.expect(HandshakeType::SERVER_HELLO_DONE, Level::Initial, due)?;
        server_hello_done::parse(body)?;
        if self.request.is_none() {
            self.messages.whole = None;
        }
        self.messages.add(message.encoded());
        ask_to_verify(&peer, out);
        Ok(Due::PeerVerified(agreed, peer))
    }
}

/// What the outside chooses a credential by: the schemes, as far as their kind of key is asked for.
fn credential_request(request: &CertificateRequest<'_>) -> CredentialRequest {
    let asked_for = |scheme: &SignatureScheme| {
        let kind = match scheme.algorithm() {
            Some(SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_)) => RSA_SIGN,
            _ => ECDSA_SIGN,
        };
        scheme.usable_in_tls12_handshake() && request.certificate_types.contains(&kind)
    };
    CredentialRequest {
        version: ProtocolVersion::TLS1_2,
        schemes: request.signature_algorithms.iter().filter(asked_for).collect(),
        certificate_schemes: request.signature_algorithms.to_vec(),
        authorities: request.certificate_authorities.to_vec(),
        server_name: None,
        ocsp: false,
        sct: false,
        compression: Vec::new(),
        certificate_types: request.certificate_types.to_vec(),
    }
}

/// Every ChangeCipherSpec is judged here.
pub(super) const fn read_mode(application_data: ApplicationData, max_message: u32) -> ReadMode {
    ReadMode {
        change_cipher_spec: ChangeCipherSpec::Deliver,
        application_data,
        plaintext_alert: false,
        max_message,
    }
}
