//! TLS 1.2 from ServerHello to Done (RFC 5246 section 7.4, RFC 8422 section 5).

use std::sync::Arc;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::SharedSecret;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureAlgorithm, SignatureScheme};

use crate::authentication::{self, ClaimedPeer, ProvedPeer, VerifiedPeer};
use crate::client::{check_protocol, hello};
use crate::config::{ClientHandshake, Credential};
use crate::defaults;
use crate::error::Error;
use crate::extension::OfferedSet;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::key_log;
use crate::key_schedule::tls12::{Binding, KeyBlock, MasterSecret, Sender};
use crate::machine::{FinishedVerified, Incoming, Out, Step, WRONG_ANSWER};
use crate::message::tls12::certificate_request::{CertificateRequest, ECDSA_SIGN, RSA_SIGN};
use crate::message::tls12::server_hello::{ServerHello, ServerHelloExtensions};
use crate::message::tls12::server_key_exchange::{ServerKeyExchange, signed_content};
use crate::message::tls12::{
    certificate, certificate_status, client_key_exchange, finished, server_hello_done,
};
use crate::message::{HandshakeType, hello_request};
use crate::need::{AnswerKind, ChooseCredential, CredentialRequest, NameToVerify, Need, Sign, VerifyPeer};
use crate::outcome::{EchStatus, Outcome, PeerCertificates};
use crate::post_handshake::PostHandshake;
use crate::step::{ApplicationData, ChangeCipherSpec, Direction, Level, ReadMode};
use crate::suite::{CipherSuite, ProtocolVersion, Tls12Suite};
use crate::transcript::{Transcript, Unhashed};

type Result<T> = core::result::Result<T, Error>;

/// The most bytes of content that a record of TLS 1.2 has (RFC 5246 section 6.2.1): what record_size_limit is at most.
const MAX_PLAINTEXT: u16 = 1 << 14;

/// Where a TLS 1.2 client stands, named after what it waits for.
#[derive(Debug)]
pub(crate) enum State {
    Certificate(Box<Core>),
    /// CertificateStatus, which may be left out, or ServerKeyExchange.
    CertificateStatus(Box<Core>, ClaimedPeer),
    ServerKeyExchange(Box<Core>, ClaimedPeer),
    /// CertificateRequest or ServerHelloDone.
    CertificateRequest(Box<Core>, Agreed, ProvedPeer),
    ServerHelloDone(Box<Core>, Agreed, ProvedPeer),
    /// The answer to VerifyPeer.
    PeerVerified(Box<Core>, Agreed, ProvedPeer),
    /// The answer to ChooseCredential.
    Credential(Box<Verified>, CredentialRequest),
    /// The answer to Sign.
    Signature(Box<Finishing>, KeyBlock, SignatureScheme),
    /// The server's ChangeCipherSpec, which brings this key.
    ChangeCipherSpec(Box<Finishing>, (AeadKey, FixedIv)),
    Finished(Box<Finishing>),
}

/// What our hello says that a ServerHello of TLS 1.2 is judged by.
#[derive(Debug)]
pub(super) struct OurHello {
    pub(super) config: ClientHandshake,
    pub(super) suites: Vec<CipherSuite>,
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    pub(super) extensions: OfferedSet,
}

/// What a client knows and holds from ServerHello to the end of the server's flight.
#[derive(Debug)]
pub(crate) struct Core {
    config: ClientHandshake,
    suite: Tls12Suite,
    client_random: [u8; 32],
    server_random: [u8; 32],
    extended_master_secret: bool,
    /// A CertificateStatus may come.
    status: bool,
    scts: Option<Arc<[u8]>>,
    alpn: Option<Vec<u8>>,
    request: Option<CredentialRequest>,
    /// Not hashed yet: our CertificateVerify signs the messages themselves, by a hash of its own.
    messages: Unhashed,
}

/// What came of the key exchange.
#[derive(Debug)]
pub(crate) struct Agreed {
    group: NamedGroup,
    share: Vec<u8>,
    premaster: SharedSecret,
}

/// What a client holds once the server's certificate is accepted.
#[derive(Debug)]
pub(crate) struct Verified {
    core: Core,
    agreed: Agreed,
    peer: VerifiedPeer,
}

/// What a client holds from its ClientKeyExchange to the end.
#[derive(Debug)]
pub(crate) struct Finishing {
    config: ClientHandshake,
    suite: Tls12Suite,
    group: NamedGroup,
    client_random: [u8; 32],
    server_random: [u8; 32],
    extended_master_secret: bool,
    alpn: Option<Vec<u8>>,
    peer: VerifiedPeer,
    transcript: Transcript,
    master: MasterSecret,
    credential: Option<Arc<Credential>>,
    signed_with: Option<SignatureScheme>,
}

/// The HelloRequests of a handshake, which a client in the middle of one ignores (RFC 5246 section 7.4.1.1) and no
/// transcript has.
#[derive(Debug, Default)]
pub(crate) struct HelloRequests(u8);

impl HelloRequests {
    /// A server has use for none; more than these are sent to keep us busy.
    const MOST: u8 = 16;

    /// Whether the message is one, and so is not to be looked at any more.
    pub(super) fn ignores(&mut self, message: Incoming<'_>) -> Result<bool> {
        if message.typ() != HandshakeType::HELLO_REQUEST {
            return Ok(false);
        }
        hello_request::parse(message.message.body)?;
        self.0 = self.0.saturating_add(1);
        if self.0 > Self::MOST { Err(message.unexpected("the handshake's next message")) } else { Ok(true) }
    }
}

/// ServerHello (RFC 5246 section 7.4.1.3), known to choose TLS 1.2; `messages` has our hello.
pub(super) fn server_hello(
    ours: OurHello,
    mut messages: Unhashed,
    message: Incoming<'_>,
    out: &mut Out,
) -> Result<State> {
    let hello = ServerHello::parse(message.message.body, ours.extensions)?;
    let suite = ours.check(&hello)?;
    let extensions = &hello.extensions;
    let common = &ours.config.common;
    let alpn = check_protocol(common, extensions.alpn)?;
    out.read(read_mode(ApplicationData::Refuse, common.max_message));
    if let (Some(send), Some(receive)) = (extensions.record_size_limit, common.record_size_limit) {
        if send > MAX_PLAINTEXT {
            return Err(Error::IllegalParameter { what: "record_size_limit" });
        }
        out.limits(send, receive.min(MAX_PLAINTEXT));
    }
    messages.add(message.encoded());
    Ok(State::Certificate(Box::new(Core {
        suite,
        client_random: ours.random,
        server_random: *hello.random,
        extended_master_secret: extensions.extended_master_secret,
        status: extensions.status_request,
        scts: extensions.scts.map(Arc::from),
        alpn,
        request: None,
        messages,
        config: ours.config,
    })))
}

impl OurHello {
    /// What must hold of every ServerHello; the suite that was chosen.
    fn check(&self, hello: &ServerHello<'_>) -> Result<Tls12Suite> {
        // The ID is of middlebox compatibility and names no session: nothing can be resumed by it.
        if !self.session_id.is_empty() && hello.session_id == self.session_id {
            return Err(Error::IllegalParameter { what: "session_id of a session that was not offered" });
        }
        if hello.compression_method != 0 {
            return Err(Error::IllegalParameter { what: "compression_method" });
        }
        if !self.suites.contains(&hello.cipher_suite) {
            return Err(Error::WrongCipherSuite(hello.cipher_suite));
        }
        let suite = hello.cipher_suite.tls12().ok_or(Error::WrongCipherSuite(hello.cipher_suite))?;
        self.check_extensions(&hello.extensions)?;
        Ok(suite)
    }

    fn check_extensions(&self, extensions: &ServerHelloExtensions<'_>) -> Result<()> {
        if extensions.ec_point_formats == Some(false) {
            return Err(Error::IllegalParameter { what: "ec_point_formats without uncompressed" });
        }
        // Without it somebody between can splice our handshake onto one of his own as its renegotiation (RFC 5746
        // section 1), and no client would see it.
        if extensions.renegotiation_info != Some(&[]) {
            return Err(Error::NoSecureRenegotiation);
        }
        if self.config.common.require_extended_master_secret && !extensions.extended_master_secret {
            return Err(Error::NoExtendedMasterSecret);
        }
        Ok(())
    }
}

impl State {
    /// The server's flight, in its order, and its Finished.
    pub(super) fn message(self, message: Incoming<'_>, out: &mut Out) -> Step<Self> {
        Ok(Some(match self {
            Self::Certificate(core) => core.certificate(message)?,
            Self::CertificateStatus(core, peer) => core.certificate_status(peer, message)?,
            Self::ServerKeyExchange(core, peer) => {
                core.server_key_exchange(peer, message, "ServerKeyExchange")?
            }
            Self::CertificateRequest(core, agreed, peer)
                if message.typ() == HandshakeType::CERTIFICATE_REQUEST =>
            {
                core.certificate_request(agreed, peer, message)?
            }
            Self::CertificateRequest(core, agreed, peer) => {
                core.server_hello_done(agreed, peer, (message, "CertificateRequest or ServerHelloDone"), out)?
            }
            Self::ServerHelloDone(core, agreed, peer) => {
                core.server_hello_done(agreed, peer, (message, "ServerHelloDone"), out)?
            }
            Self::Finished(finishing) => {
                finishing.finished(message, out)?;
                return Ok(None);
            }
            Self::ChangeCipherSpec(..) => return Err(message.unexpected("ChangeCipherSpec").into()),
            // A Need is out in these, and the shell takes no message meanwhile.
            Self::PeerVerified(..) | Self::Credential(..) | Self::Signature(..) => {
                return Err(message.unexpected("an answer").into());
            }
        }))
    }

    /// The server's ChangeCipherSpec: only between our Finished and the server's, and not inside a message, which
    /// would begin in the clear and end under a key (RFC 5246 section 7.1).
    pub(super) fn change_cipher_spec(self, more: bool, out: &mut Out) -> Result<Self> {
        match self {
            Self::ChangeCipherSpec(finishing, key) if !more => {
                out.keys_tls12(Direction::Read, finishing.suite.suite, key);
                let max_message = defaults::MAX_SHORT_MESSAGE.min(finishing.config.common.max_message);
                out.read(read_mode(ApplicationData::Refuse, max_message));
                Ok(Self::Finished(finishing))
            }
            _ => Err(Error::UnexpectedChangeCipherSpec),
        }
    }

    /// The outside's answers.
    pub(super) fn answer(self, answer: AnswerKind, out: &mut Out) -> Result<Self> {
        match (self, answer) {
            (Self::PeerVerified(core, agreed, peer), answer) => {
                let peer = peer.verified(&answer)?;
                Box::new(Verified { core: *core, agreed, peer }).flight(out)
            }
            (Self::Credential(verified, request), AnswerKind::Credential(Some((credential, scheme)))) => {
                verified.our_certificate(&request, credential, scheme, out)
            }
            (Self::Credential(verified, _), AnswerKind::Credential(None)) => verified.no_certificate(out),
            (Self::Signature(finishing, keys, scheme), AnswerKind::Signature(signature)) => {
                finishing.our_certificate_verify(keys, scheme, &signature, out)
            }
            _ => Err(WRONG_ANSWER),
        }
    }
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
    /// The server's chain (RFC 5246 section 7.4.2), whose key must be of the suite's kind.
    fn certificate(mut self: Box<Self>, message: Incoming<'_>) -> Result<State> {
        let body = message.expect(HandshakeType::CERTIFICATE, Level::Initial, "Certificate")?;
        let chain = certificate::parse(body, self.config.common.max_chain)?;
        if chain.is_empty() {
            return Err(Error::Malformed { what: "Certificate without a certificate" });
        }
        let certificates = PeerCertificates { chain: chain.into(), ocsp: None, scts: self.scts.clone() };
        let peer = ClaimedPeer::new(certificates)?;
        if !self.suite.authentication.fits(peer.key_algorithm()) {
            return Err(Error::IllegalParameter {
                what: "a certificate that is not of the cipher suite's kind",
            });
        }
        // RFC 8422 section 5.1: supported_groups says which curves a certificate may have, too.
        if curve_of(peer.key_algorithm()).is_some_and(|curve| !self.config.common.groups.contains(&curve)) {
            return Err(Error::IllegalParameter { what: "a certificate on a curve that was not offered" });
        }
        self.messages.add(message.encoded());
        Ok(if self.status {
            State::CertificateStatus(self, peer)
        } else {
            State::ServerKeyExchange(self, peer)
        })
    }

    /// The OCSP response, which a server may leave out though it has promised it (RFC 6066 section 8).
    fn certificate_status(
        mut self: Box<Self>,
        mut peer: ClaimedPeer,
        message: Incoming<'_>,
    ) -> Result<State> {
        const DUE: &str = "CertificateStatus or ServerKeyExchange";
        if message.typ() != HandshakeType::CERTIFICATE_STATUS {
            return self.server_key_exchange(peer, message, DUE);
        }
        let body = message.expect(HandshakeType::CERTIFICATE_STATUS, Level::Initial, DUE)?;
        peer.staple(certificate_status::parse(body)?);
        self.messages.add(message.encoded());
        Ok(State::ServerKeyExchange(self, peer))
    }

    /// The server's share, signed with the certificate's key together with both randoms (RFC 8422 section 5.4).
    fn server_key_exchange(
        mut self: Box<Self>,
        peer: ClaimedPeer,
        message: Incoming<'_>,
        due: &'static str,
    ) -> Result<State> {
        let body = message.expect(HandshakeType::SERVER_KEY_EXCHANGE, Level::Initial, due)?;
        let theirs = ServerKeyExchange::parse(body)?;
        let common = &self.config.common;
        if !common.groups.contains(&theirs.group) || theirs.group.is_post_quantum() {
            return Err(Error::WrongGroup);
        }
        let content = signed_content(&self.client_random, &self.server_random, theirs.params);
        let peer = peer.prove_tls12(theirs.algorithm, theirs.signature, &common.verify_schemes, &content)?;
        let ours = hello::key_exchange(common, theirs.group).map_err(Error::Crypto)?;
        let share = ours.share().to_vec();
        let premaster = ours.finish(theirs.public).map_err(|error| match error {
            invalid @ oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(invalid),
            other => Error::Crypto(other),
        })?;
        self.messages.add(message.encoded());
        Ok(State::CertificateRequest(self, Agreed { group: theirs.group, share, premaster }, peer))
    }

    /// Kept until the server's certificate is accepted: a stranger learns nothing of our credentials.
    fn certificate_request(
        mut self: Box<Self>,
        agreed: Agreed,
        peer: ProvedPeer,
        message: Incoming<'_>,
    ) -> Result<State> {
        let due = "CertificateRequest";
        let body = message.expect(HandshakeType::CERTIFICATE_REQUEST, Level::Initial, due)?;
        self.request = Some(credential_request(&CertificateRequest::parse(body)?));
        self.messages.add(message.encoded());
        Ok(State::ServerHelloDone(self, agreed, peer))
    }

    /// The server's flight is over: who is it?
    fn server_hello_done(
        mut self: Box<Self>,
        agreed: Agreed,
        peer: ProvedPeer,
        (message, due): (Incoming<'_>, &'static str),
        out: &mut Out,
    ) -> Result<State> {
        let body = message.expect(HandshakeType::SERVER_HELLO_DONE, Level::Initial, due)?;
        server_hello_done::parse(body)?;
        self.messages.add(message.encoded());
        let certificates = peer.certificates.clone();
        out.ask(|serial| {
            Need::VerifyPeer(VerifyPeer { peer: certificates, name: NameToVerify::Configured, serial })
        });
        Ok(State::PeerVerified(self, agreed, peer))
    }
}

impl Verified {
    /// Our flight begins with a certificate, if one was asked for.
    fn flight(mut self: Box<Self>, out: &mut Out) -> Result<State> {
        let Some(request) = self.core.request.take() else {
            return self.key_exchange(None, out);
        };
        let question = request.clone();
        out.ask(|serial| Need::ChooseCredential(ChooseCredential { request: question, serial }));
        Ok(State::Credential(self, request))
    }

    /// No certificate fits: an empty Certificate says so, and no CertificateVerify follows.
    fn no_certificate(mut self: Box<Self>, out: &mut Out) -> Result<State> {
        self.send(certificate::encode(&[])?, out);
        self.key_exchange(None, out)
    }

    fn our_certificate(
        mut self: Box<Self>,
        request: &CredentialRequest,
        credential: Arc<Credential>,
        scheme: SignatureScheme,
        out: &mut Out,
    ) -> Result<State> {
        authentication::check_choice(&credential, scheme, &request.schemes)?;
        self.send(certificate::encode(&credential.chain)?, out);
        self.key_exchange(Some((credential, scheme)), out)
    }

    /// ClientKeyExchange, and the secrets that come of it (RFC 7627 section 4, RFC 5246 section 8.1). A certificate is
    /// proved by signing everything so far.
    fn key_exchange(
        mut self: Box<Self>,
        credential: Option<(Arc<Credential>, SignatureScheme)>,
        out: &mut Out,
    ) -> Result<State> {
        self.send(client_key_exchange::encode(&self.agreed.share)?, out);
        let Self { core, agreed, peer } = *self;
        let Core { suite, client_random, server_random, extended_master_secret, .. } = core;
        let to_sign = credential.map(|credential| (credential, core.messages.bytes().to_vec()));
        let transcript = core.messages.start(suite.hash);
        let session_hash = transcript.current();
        let binding = if extended_master_secret {
            Binding::Session(&session_hash)
        } else {
            Binding::Randoms { client: &client_random, server: &server_random }
        };
        let master = MasterSecret::new(suite.hash, &agreed.premaster, binding)?;
        out.key_log(key_log::CLIENT_RANDOM, master.secret());
        let keys = master.key_block(suite, &client_random, &server_random)?;
        let mut finishing = Box::new(Finishing {
            config: core.config,
            suite,
            group: agreed.group,
            client_random,
            server_random,
            extended_master_secret,
            alpn: core.alpn,
            peer,
            transcript,
            master,
            credential: None,
            signed_with: None,
        });
        let Some(((credential, scheme), message)) = to_sign else {
            return finishing.our_finished(keys, out);
        };
        finishing.credential = Some(Arc::clone(&credential));
        out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
        Ok(State::Signature(finishing, keys, scheme))
    }

    fn send(&mut self, message: Vec<u8>, out: &mut Out) {
        self.core.messages.add(&message);
        out.send(Level::Initial, message);
    }
}

impl Finishing {
    fn our_certificate_verify(
        mut self: Box<Self>,
        keys: KeyBlock,
        scheme: SignatureScheme,
        signature: &[u8],
        out: &mut Out,
    ) -> Result<State> {
        let message = authentication::certificate_verify(scheme, signature)?;
        self.transcript.add(&message);
        out.send(Level::Initial, message);
        self.signed_with = Some(scheme);
        self.our_finished(keys, out)
    }

    /// Our ChangeCipherSpec and Finished; nothing more is sent before the server's have come.
    fn our_finished(mut self: Box<Self>, keys: KeyBlock, out: &mut Out) -> Result<State> {
        let KeyBlock { client, server } = keys;
        out.change_cipher_spec(self.suite.suite, client);
        let verify_data = self.master.verify_data(Sender::Client, &self.transcript.current());
        let message = finished::encode(&verify_data)?;
        self.transcript.add(&message);
        out.send(Level::Application, message);
        Ok(State::ChangeCipherSpec(self, server))
    }

    /// The server's Finished (RFC 5246 section 7.4.9): nobody has changed a word. What came of it all.
    fn finished(self: Box<Self>, message: Incoming<'_>, out: &mut Out) -> Result<()> {
        let verify_data = message.expect(HandshakeType::FINISHED, Level::Application, "Finished")?;
        let transcript = self.transcript.current();
        let finished = FinishedVerified::check_tls12(&self.master, Sender::Server, &transcript, verify_data)?;
        let max_message = defaults::MAX_SHORT_MESSAGE.min(self.config.common.max_message);
        out.read(read_mode(ApplicationData::Accept, max_message));
        let exporter = (self.config.common.exporter && self.extended_master_secret).then(|| {
            let master = self.master.secret().duplicate();
            Exporter::tls12(self.suite.hash, master, self.client_random, self.server_random)
        });
        let outcome = Outcome {
            version: ProtocolVersion::TLS1_2,
            suite: self.suite.suite,
            group: Some(self.group),
            extended_master_secret: self.extended_master_secret,
            alpn: self.alpn,
            server_name: self.config.server_name,
            peer: Some(self.peer.certificates),
            peer_signature_scheme: Some(self.peer.scheme),
            signature_scheme: self.signed_with,
            credential: self.credential,
            psk: None,
            hello_retry_request: false,
            early_data: false,
            ech: EchStatus::NotOffered,
            exporter,
            session: None,
        };
        out.done(finished, outcome, PostHandshake::client_tls12());
        Ok(())
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
    }
}

/// Every ChangeCipherSpec is judged here.
const fn read_mode(application_data: ApplicationData, max_message: u32) -> ReadMode {
    ReadMode {
        change_cipher_spec: ChangeCipherSpec::Deliver,
        application_data,
        plaintext_alert: false,
        max_message,
    }
}
