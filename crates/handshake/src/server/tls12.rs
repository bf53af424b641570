//! A TLS 1.2 handshake, from the version chosen to Done (RFC 5246 section 7.3, RFC 8422, RFC 7627).
//!
//! Only ECDHE with AEADs. What was weak in TLS 1.2 is not here: no static RSA, no CBC, no compression, no
//! renegotiation, no master secret that is not bound to its handshake unless the configuration allows it.

use std::sync::Arc;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup};
use oxtls_crypto::random;
use oxtls_crypto::secret::SharedSecret;
use oxtls_crypto::signature::SignatureScheme;

use crate::alert::AlertDescription;
use crate::authentication::{self, ClaimedPeer, ProvedPeer};
use crate::config::{ClientAuth, Common, Credential, Randomness, ServerHandshake};
use crate::defaults;
use crate::error::Error;
use crate::extension::record_size_limit;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::key_log;
use crate::key_schedule::tls12::{Binding, KeyBlock, MasterSecret, Sender};
use crate::machine::{FinishedVerified, Incoming, Out, PeerVerified, Step, WRONG_ANSWER};
use crate::message::HandshakeType;
use crate::message::certificate_verify::CertificateVerify;
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::tls12::server_hello::{ServerHello, ServerHelloExtensions};
use crate::message::tls12::{
    certificate, certificate_request, certificate_status, client_key_exchange, finished, server_hello_done,
    server_key_exchange,
};
use crate::need::{AnswerKind, ChooseCredential, CredentialRequest, NameToVerify, Need, Sign, VerifyPeer};
use crate::outcome::{EchStatus, Outcome, PeerCertificates};
use crate::post_handshake::PostHandshake;
use crate::server::negotiate;
use crate::step::{ApplicationData, ChangeCipherSpec, Direction, Level, ReadMode};
use crate::suite::{Authentication, CipherSuite, ProtocolVersion, Tls12Suite};
use crate::transcript::{Transcript, Unhashed};

type Result<T> = core::result::Result<T, Error>;

/// Where a TLS 1.2 server stands.
#[derive(Debug)]
pub(super) enum State {
    /// ChooseCredential is out; nothing has been sent.
    Credential(Box<Negotiated>),
    /// Sign is out; ServerHello to CertificateStatus have been sent.
    Signature(Box<Flight>),
    /// Our flight is out and a certificate was asked for.
    Certificate(Box<Flight>),
    /// The client's public key is due.
    KeyExchange(Box<Flight>, Option<ClaimedPeer>),
    /// The client sent certificates.
    CertificateVerify(Box<Keyed>, ClaimedPeer),
    /// VerifyPeer is out.
    Verdict(Box<Keyed>, ProvedPeer),
    /// The client's next record must change its key.
    ChangeCipherSpec(Box<Keyed>, Client),
    /// The client's last message.
    Finished(Box<Finishing>, Client),
}

/// Before our flight.
#[derive(Debug)]
pub(super) struct Negotiated {
    config: Arc<ServerHandshake>,
    hello: OwnedClientHello,
    group: NamedGroup,
    alpn: Option<Vec<u8>>,
    schemes: Vec<SignatureScheme>,
}

/// Until both sides know the premaster secret.
#[derive(Debug)]
pub(super) struct Flight {
    connection: Connection,
    exchange: KeyExchange,
    /// ServerECDHParams.
    params: Vec<u8>,
}

/// Both sides know the keys, and none is in use.
#[derive(Debug)]
pub(super) struct Keyed {
    connection: Connection,
    master: MasterSecret,
    keys: KeyBlock,
}

/// The client's key is in use.
#[derive(Debug)]
pub(super) struct Finishing {
    connection: Connection,
    master: MasterSecret,
    key: (AeadKey, FixedIv),
}

/// What holds from our flight to Done.
#[derive(Debug)]
pub(super) struct Connection {
    config: Arc<ServerHandshake>,
    suite: Tls12Suite,
    group: NamedGroup,
    client_random: [u8; 32],
    server_random: [u8; 32],
    extended_master_secret: bool,
    alpn: Option<Vec<u8>>,
    server_name: Option<String>,
    credential: Arc<Credential>,
    scheme: SignatureScheme,
    transcript: Transcript,
    /// The messages themselves, until the client's CertificateVerify says which hash it signs them by.
    messages: Option<Unhashed>,
}

/// Who the client is.
#[derive(Debug)]
pub(super) enum Client {
    /// It was not asked, or had no certificate and needs none.
    Anonymous,
    /// It proved possession, and the outside accepted it.
    Verified(ProvedPeer, PeerVerified),
}

impl State {
    /// The client's messages, in their order.
    pub(super) fn message(self, message: Incoming<'_>, out: &mut Out) -> Step<Self> {
        match self {
            Self::Certificate(state) => Ok(Some(client_certificate(state, message)?)),
            Self::KeyExchange(state, peer) => Ok(Some(client_key_exchange(*state, peer, message, out)?)),
            Self::CertificateVerify(state, peer) => Ok(Some(certificate_verify(state, peer, message, out)?)),
            Self::ChangeCipherSpec(..) => Err(message.unexpected("ChangeCipherSpec").into()),
            Self::Finished(state, client) => {
                finished(*state, client, message, out)?;
                Ok(None)
            }
            Self::Credential(_) | Self::Signature(_) | Self::Verdict(..) => {
                Err(message.unexpected("the answer to a Need").into())
            }
        }
    }

    /// The client's ChangeCipherSpec: good at one place only. One that came earlier would have keys used that were
    /// made from nothing but public values.
    pub(super) fn change_cipher_spec(self, more: bool, out: &mut Out) -> Step<Self> {
        match self {
            // Part of a message that was begun in the clear must not be ended under the key.
            Self::ChangeCipherSpec(state, client) if !more => {
                let Keyed { connection, master, keys } = *state;
                out.keys_tls12(Direction::Read, connection.suite.suite, keys.client);
                out.read(read_mode(ApplicationData::Refuse, defaults::MAX_SHORT_MESSAGE));
                let finishing = Finishing { connection, master, key: keys.server };
                Ok(Some(Self::Finished(Box::new(finishing), client)))
            }
            _ => Err(Error::UnexpectedChangeCipherSpec.into()),
        }
    }

    /// The outside's answers, in their order.
    pub(super) fn answer(self, answer: AnswerKind, out: &mut Out) -> Result<Self> {
        match (self, answer) {
            (Self::Credential(state), AnswerKind::Credential(choice)) => {
                server_hello_to_certificate_status(*state, choice, out)
            }
            (Self::Signature(state), AnswerKind::Signature(signature)) => {
                server_key_exchange_to_done(state, &signature, out)
            }
            (Self::Verdict(state, peer), answer) => {
                let proof = PeerVerified::from_answer(&answer)?;
                Ok(Self::ChangeCipherSpec(state, Client::Verified(peer, proof)))
            }
            _ => Err(WRONG_ANSWER),
        }
    }
}

/// A hello that gets a TLS 1.2 handshake: everything is chosen but the suite, which depends on the credential.
pub(super) fn choose(owned: OwnedClientHello, config: Arc<ServerHandshake>, out: &mut Out) -> Result<State> {
    let hello = owned.parse()?;
    negotiate::check_tls12(&config, &hello)?;
    let suites = negotiate::suites_tls12(&config, &hello)?;
    let group = negotiate::group_tls12(&config, &hello)?;
    let alpn = negotiate::alpn(&config, &hello, out.is_quic())?;
    let schemes = negotiate::schemes_tls12(&hello, &suites)?;
    if config.common.key_log {
        out.enable_key_log(*hello.random);
    }
    let extensions = &hello.extensions;
    let request = CredentialRequest {
        version: ProtocolVersion::TLS1_2,
        certificate_schemes: extensions.certificate_schemes().unwrap_or_default().to_vec(),
        schemes: schemes.clone(),
        authorities: extensions.certificate_authorities.map(|names| names.to_vec()).unwrap_or_default(),
        server_name: extensions.server_name.map(str::to_owned),
        ocsp: extensions.status_request,
        sct: extensions.signed_certificate_timestamp,
        compression: Vec::new(),
    };
    out.ask(|serial| Need::ChooseCredential(ChooseCredential { request, serial }));
    Ok(State::Credential(Box::new(Negotiated { config, hello: owned, group, alpn, schemes })))
}

/// ServerHello, Certificate, CertificateStatus: all that needs no signature.
fn server_hello_to_certificate_status(
    state: Negotiated,
    choice: Option<(Arc<Credential>, SignatureScheme)>,
    out: &mut Out,
) -> Result<State> {
    let Some((credential, scheme)) = choice else {
        return Err(Error::NoCommonSignatureScheme { peer: state.schemes.into() });
    };
    authentication::check_choice(&credential, scheme, &state.schemes)?;
    let hello = state.hello.parse()?;
    let mut connection = connect(&state, &hello, Arc::clone(&credential), scheme)?;
    let common = &connection.config.common;
    out.read(read_mode(
        ApplicationData::Refuse,
        match connection.config.client_auth {
            ClientAuth::None => defaults::MAX_SHORT_MESSAGE,
            _ => common.max_message,
        },
    ));
    let limits = hello.extensions.record_size_limit.zip(our_limit(common));
    if let Some((theirs, ours)) = limits {
        out.limits(theirs.min(MAX_RECORD_SIZE_LIMIT), ours);
    }
    let exchange = key_exchange(common, state.group)?;
    connection.send(server_hello(&connection, &hello)?, out);
    connection.send(certificate::encode(&credential.chain)?, out);
    if let Some(response) = credential.ocsp.as_deref().filter(|_| hello.extensions.status_request) {
        connection.send(certificate_status::encode(response)?, out);
    }
    let params = server_key_exchange::params(state.group, exchange.share())?;
    let Connection { client_random, server_random, .. } = &connection;
    let message = server_key_exchange::signed_content(client_random, server_random, &params);
    out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
    Ok(State::Signature(Box::new(Flight { connection, exchange, params })))
}

/// What is settled once the credential has chosen the suite.
fn connect(
    state: &Negotiated,
    hello: &ClientHello<'_>,
    credential: Arc<Credential>,
    scheme: SignatureScheme,
) -> Result<Connection> {
    let config = Arc::clone(&state.config);
    let suite = negotiate::suites_tls12(&config, hello)?
        .into_iter()
        .find(|suite| Some(suite.authentication) == Authentication::of(scheme))
        .ok_or(Error::Internal("schemes are of suites in common"))?;
    let mut transcript = Transcript::new(suite.hash);
    transcript.add(state.hello.raw());
    let keep = config.client_auth != ClientAuth::None;
    Ok(Connection {
        suite,
        group: state.group,
        client_random: *hello.random,
        server_random: server_random(&config.common)?,
        extended_master_secret: hello.extensions.extended_master_secret,
        alpn: state.alpn.clone(),
        server_name: hello.extensions.server_name.map(str::to_owned),
        credential,
        scheme,
        transcript,
        messages: keep.then(|| Unhashed::new(state.hello.raw().to_vec())),
        config,
    })
}

/// ServerHello: answers to what the hello asked, nothing else.
fn server_hello(connection: &Connection, hello: &ClientHello<'_>) -> Result<Vec<u8>> {
    let Connection { config, credential, .. } = connection;
    let asked = &hello.extensions;
    let scsv = CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV;
    let secure_renegotiation = asked.renegotiation_info.is_some() || hello.cipher_suites.contains(scsv);
    ServerHello {
        random: &connection.server_random,
        // No session is kept. A client that sent an ID to look like TLS 1.2 must not see it again.
        session_id: &[],
        cipher_suite: connection.suite.suite,
        compression_method: 0,
        extensions: ServerHelloExtensions {
            renegotiation_info: secure_renegotiation.then_some(&[]),
            extended_master_secret: connection.extended_master_secret,
            ec_point_formats: asked.uncompressed_points,
            alpn: connection.alpn.as_deref(),
            session_ticket: false,
            status_request: asked.status_request && credential.ocsp.is_some(),
            scts: credential.scts.as_deref().filter(|_| asked.signed_certificate_timestamp),
            record_size_limit: asked.record_size_limit.and(our_limit(&config.common)),
            server_name: asked.server_name.is_some(),
        },
    }
    .encode()
}

/// ServerKeyExchange, CertificateRequest, ServerHelloDone.
fn server_key_exchange_to_done(mut state: Box<Flight>, signature: &[u8], out: &mut Out) -> Result<State> {
    if signature.is_empty() {
        return Err(Error::SigningFailed(None));
    }
    let Flight { connection, params, .. } = &mut *state;
    connection.send(server_key_exchange::encode(params, connection.scheme, signature)?, out);
    let asks = connection.config.client_auth != ClientAuth::None;
    if asks {
        let schemes = negotiate::client_schemes_tls12(&connection.config.common);
        let request = certificate_request::encode(&schemes, &connection.config.authorities)?;
        connection.send(request, out);
    }
    connection.send(server_hello_done::encode()?, out);
    Ok(if asks { State::Certificate(state) } else { State::KeyExchange(state, None) })
}

/// What the client says it is. It may say nothing where the configuration allows it.
fn client_certificate(mut state: Box<Flight>, message: Incoming<'_>) -> Result<State> {
    let body = message.expect(HandshakeType::CERTIFICATE, Level::Initial, "Certificate")?;
    let connection = &mut state.connection;
    let chain = certificate::parse(body, connection.config.common.max_chain)?;
    connection.add(&message);
    if chain.is_empty() {
        return if connection.config.client_auth == ClientAuth::Required {
            Err(Error::CertificateRequired { alert: AlertDescription::HANDSHAKE_FAILURE })
        } else {
            connection.messages = None;
            Ok(State::KeyExchange(state, None))
        };
    }
    let peer = PeerCertificates { chain: chain.into(), ocsp: None, scts: None };
    Ok(State::KeyExchange(state, Some(ClaimedPeer::new(peer)?)))
}

/// The client's public key, and with it all secrets.
fn client_key_exchange(
    state: Flight,
    peer: Option<ClaimedPeer>,
    message: Incoming<'_>,
    out: &mut Out,
) -> Result<State> {
    let body = message.expect(HandshakeType::CLIENT_KEY_EXCHANGE, Level::Initial, "ClientKeyExchange")?;
    if peer.is_none() {
        // Nothing but ChangeCipherSpec can follow.
        message.must_end_its_record()?;
    }
    let Flight { mut connection, exchange, .. } = state;
    let premaster = exchange.finish(client_key_exchange::parse(body)?).map_err(|error| match error {
        oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(error),
        error => Error::Crypto(error),
    })?;
    connection.add(&message);
    let master = connection.master_secret(&premaster)?;
    out.key_log(key_log::CLIENT_RANDOM, master.secret());
    let keys = master.key_block(connection.suite, &connection.client_random, &connection.server_random)?;
    let keyed = Box::new(Keyed { connection, master, keys });
    Ok(match peer {
        Some(peer) => State::CertificateVerify(keyed, peer),
        None => State::ChangeCipherSpec(keyed, Client::Anonymous),
    })
}

/// Proof of possession first, then the question who it is.
fn certificate_verify(
    mut state: Box<Keyed>,
    peer: ClaimedPeer,
    message: Incoming<'_>,
    out: &mut Out,
) -> Result<State> {
    let due = "CertificateVerify";
    let body = message.expect(HandshakeType::CERTIFICATE_VERIFY, Level::Initial, due)?;
    message.must_end_its_record()?;
    let connection = &mut state.connection;
    let CertificateVerify { algorithm, signature } = CertificateVerify::parse(body)?;
    let offered = negotiate::client_schemes_tls12(&connection.config.common);
    let messages = connection.messages.take().ok_or(Error::Internal("the messages are kept until here"))?;
    let peer = peer.prove_tls12(algorithm, signature, &offered, messages.bytes())?;
    connection.transcript.add(message.encoded());
    let certificates = peer.certificates.clone();
    out.ask(|serial| {
        Need::VerifyPeer(VerifyPeer { peer: certificates, name: NameToVerify::Configured, serial })
    });
    Ok(State::Verdict(state, peer))
}

/// The client's Finished, ours, and Done.
fn finished(state: Finishing, client: Client, message: Incoming<'_>, out: &mut Out) -> Result<()> {
    let body = message.expect(HandshakeType::FINISHED, Level::Application, "Finished")?;
    let Finishing { mut connection, master, key } = state;
    let transcript = connection.transcript.current();
    let proof = FinishedVerified::check_tls12(&master, Sender::Client, &transcript, body)?;
    connection.add(&message);
    let suite = connection.suite.suite;
    out.change_cipher_spec(suite, key);
    let verify_data = master.verify_data(Sender::Server, &connection.transcript.current());
    out.send(Level::Application, finished::encode(&verify_data)?);
    out.read(read_mode(ApplicationData::Accept, defaults::MAX_SHORT_MESSAGE));
    let outcome = outcome(connection, client, &master);
    out.done(proof, outcome, PostHandshake::server_tls12());
    Ok(())
}

/// What came of it all.
fn outcome(connection: Connection, client: Client, master: &MasterSecret) -> Outcome {
    let Connection { client_random, server_random, extended_master_secret, .. } = connection;
    let (peer, peer_signature_scheme) = client.into_parts();
    // Without the binding two connections can have the same keying material (RFC 7627 section 5.4).
    let exports = connection.config.common.exporter && extended_master_secret;
    let hash = connection.suite.hash;
    Outcome {
        version: ProtocolVersion::TLS1_2,
        suite: connection.suite.suite,
        group: Some(connection.group),
        extended_master_secret,
        alpn: connection.alpn,
        server_name: connection.server_name,
        peer,
        peer_signature_scheme,
        signature_scheme: Some(connection.scheme),
        credential: Some(connection.credential),
        psk: None,
        hello_retry_request: false,
        early_data: false,
        ech: EchStatus::NotOffered,
        exporter: exports
            .then(|| Exporter::tls12(hash, master.secret().duplicate(), client_random, server_random)),
        session: None,
    }
}

impl Connection {
    /// Sends a message in the clear.
    fn send(&mut self, message: Vec<u8>, out: &mut Out) {
        self.hash(&message);
        out.send(Level::Initial, message);
    }

    /// Adds a message of the client to the transcript.
    fn add(&mut self, message: &Incoming<'_>) {
        self.hash(message.encoded());
    }

    fn hash(&mut self, message: &[u8]) {
        self.transcript.add(message);
        if let Some(messages) = &mut self.messages {
            messages.add(message);
        }
    }

    /// The master secret, bound to everything up to ClientKeyExchange, or to the randoms alone where the client cannot
    /// do better and may.
    fn master_secret(&self, premaster: &SharedSecret) -> Result<MasterSecret> {
        let session_hash = self.transcript.current();
        let binding = if self.extended_master_secret {
            Binding::Session(&session_hash)
        } else {
            Binding::Randoms { client: &self.client_random, server: &self.server_random }
        };
        MasterSecret::new(self.suite.hash, premaster, binding)
    }
}

impl Client {
    fn into_parts(self) -> (Option<PeerCertificates>, Option<SignatureScheme>) {
        match self {
            Self::Anonymous => (None, None),
            Self::Verified(ProvedPeer { certificates, scheme }, PeerVerified { .. }) => {
                (Some(certificates), Some(scheme))
            }
        }
    }
}

/// TLS 1.2's limit counts no content type.
const MAX_RECORD_SIZE_LIMIT: u16 = record_size_limit::MAX - 1;

/// Our record_size_limit.
fn our_limit(common: &Common) -> Option<u16> {
    common.record_size_limit.map(|limit| limit.min(MAX_RECORD_SIZE_LIMIT))
}

/// Every ChangeCipherSpec is judged by the state.
const fn read_mode(application_data: ApplicationData, max_message: u32) -> ReadMode {
    ReadMode {
        change_cipher_spec: ChangeCipherSpec::Deliver,
        application_data,
        plaintext_alert: false,
        max_message,
    }
}

/// ServerHello.random.
fn server_random(common: &Common) -> Result<[u8; 32]> {
    let mut random = match &common.randomness {
        Randomness::Recorded(recorded) => recorded.random,
        Randomness::System => random::array().map_err(Error::Crypto)?,
    };
    if common.speaks(ProtocolVersion::TLS1_3) {
        negotiate::mark_downgrade(&mut random, ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
    }
    Ok(random)
}

/// Our half of the key exchange.
fn key_exchange(common: &Common, group: NamedGroup) -> Result<KeyExchange> {
    let recorded = match &common.randomness {
        Randomness::Recorded(recorded) => recorded.private_keys.iter().find(|(of, _)| *of == group),
        Randomness::System => None,
    };
    match recorded {
        Some((group, private)) => KeyExchange::from_private_key(*group, private),
        None => KeyExchange::offer(group),
    }
    .map_err(Error::Crypto)
}
