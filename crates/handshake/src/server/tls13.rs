//! From everything chosen to Done in TLS 1.3: the server's flight, the client's certificate if one is asked for, the
//! client's Finished (RFC 9846 sections 4.2.3 and 4.4 to 4.5).

use std::sync::Arc;

use oxtls_crypto::key_exchange::{self, Answer, NamedGroup};
use oxtls_crypto::random;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::SignatureScheme;

use crate::authentication::{self, ClaimedPeer, ProvedPeer};
use crate::config::{self, ClientAuth, Common, Credential, Randomness, ServerHandshake};
use crate::defaults;
use crate::error::Error;
use crate::extension::grease::Grease;
use crate::extension::key_share::KeyShareEntry;
use crate::extension::record_size_limit;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::key_log;
use crate::key_schedule::tls13::{self, EarlySecret, HandshakeSecret, HandshakeSecrets, MainSecret};
use crate::machine::{FinishedVerified, Incoming, Out, PeerVerified, Step, WRONG_ANSWER};

use crate::message::certificate_request::NewCertificateRequest;
use crate::message::certificate_verify::{SignerRole, signed_content};
use crate::message::encrypted_extensions::EncryptedExtensions;
use crate::message::server_hello::ServerHello;
use crate::message::{HandshakeType, finished};
use crate::need::{AnswerKind, Need, Sign};
use crate::outcome::{EchStatus, Outcome, PeerCertificates};
use crate::post_handshake::PostHandshake;
use crate::server::hello::Chosen;
use crate::server::negotiate;
use crate::step::{
    ApplicationData, ChangeCipherSpec, Direction, EarlyData, EarlyDataRejection, Level, ReadMode, Transport,
};
use crate::suite::{ProtocolVersion, Tls13Suite};
use crate::transcript::Transcript;

type Result<T> = core::result::Result<T, Error>;

/// Where a TLS 1.3 server stands.
#[derive(Debug)]
pub(super) enum State {
    /// ChooseCredential is out; nothing has been sent but perhaps a HelloRetryRequest.
    Credential(Box<Negotiated>),
    /// Sign is out; ServerHello to Certificate have been sent.
    Signature(Box<Flight>),
    /// Our flight is out and a certificate was asked for.
    Certificate(Box<Finishing>),
    /// Decompress is out; the length that must come out.
    Decompressed(Box<Finishing>, u32),
    /// The client sent certificates.
    CertificateVerify(Box<Finishing>, ClaimedPeer),
    /// VerifyPeer is out.
    Verdict(Box<Finishing>, ProvedPeer),
    /// The client's last message.
    Finished(Box<Finishing>, Client),
}

impl State {
    pub(super) fn await_credential(chosen: Chosen, asked: Asked) -> Self {
        Self::Credential(Box::new(Negotiated { chosen, asked }))
    }

    /// The client's messages, in their order.
    pub(super) fn message(self, message: Incoming<'_>, out: &mut Out) -> Step<Self> {
        if out.is_quic() && message.typ() == HandshakeType::END_OF_EARLY_DATA {
            return Err(Error::QuicViolation("there is no EndOfEarlyData over QUIC").into());
        }
        match self {
            Self::Certificate(state) => Ok(Some(state.certificate(message, out)?)),
            Self::CertificateVerify(state, peer) => Ok(Some(state.certificate_verify(peer, message, out)?)),
            Self::Finished(state, client) => {
                finished(*state, client, message, out)?;
                Ok(None)
            }
            Self::Credential(_) | Self::Signature(_) | Self::Decompressed(..) | Self::Verdict(..) => {
                Err(message.unexpected("the answer to a Need").into())
            }
        }
    }

    /// The outside's answers, in their order.
    pub(super) fn answer(self, answer: AnswerKind, out: &mut Out) -> Result<Self> {
        match (self, answer) {
            (Self::Credential(state), AnswerKind::Credential(choice)) => {
                server_hello_to_certificate(*state, choice, out)
            }
            (Self::Signature(state), AnswerKind::Signature(signature)) => {
                certificate_verify_and_finished(*state, &signature, out)
            }
            (Self::Decompressed(state, length), AnswerKind::Decompressed(body)) => {
                state.decompressed(&body, length)
            }
            (Self::Verdict(state, peer), answer) => {
                let proof = PeerVerified::from_answer(&answer)?;
                Ok(Self::Finished(state, Client::Verified(peer, proof)))
            }
            _ => Err(WRONG_ANSWER),
        }
    }
}

/// What the hello asked for that is still of use after it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) group: NamedGroup,
    pub(super) share: Vec<u8>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) ocsp: bool,
    pub(super) sct: bool,
    pub(super) compression: Vec<u16>,
    pub(super) server_name: Option<String>,
    pub(super) session_id: Vec<u8>,
    pub(super) record_size_limit: Option<u16>,
    pub(super) early_data: bool,
    pub(super) tickets: bool,
    pub(super) transport_parameters: Option<Vec<u8>>,
}

/// Before our flight.
#[derive(Debug)]
pub(super) struct Negotiated {
    chosen: Chosen,
    asked: Asked,
}

/// Amid our flight: everything up to Certificate is sent.
#[derive(Debug)]
pub(super) struct Flight {
    connection: Connection,
    scheme: SignatureScheme,
    client: Secret,
    server: Secret,
    handshake: HandshakeSecret,
}

/// After our flight.
#[derive(Debug)]
pub(super) struct Finishing {
    pub(super) connection: Connection,
    scheme: SignatureScheme,
    /// The client's handshake traffic secret: its Finished is made with it.
    client: Secret,
    client_application: Secret,
    exporter: Option<Secret>,
    /// Kept only where tickets can follow.
    main: Option<MainSecret>,
}

/// What holds from the hello to Done.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) config: Arc<ServerHandshake>,
    suite: Tls13Suite,
    group: NamedGroup,
    alpn: Option<Vec<u8>>,
    server_name: Option<String>,
    pub(super) transcript: Transcript,
    retried: bool,
    tickets: bool,
    credential: Arc<Credential>,
}

/// Who the client is.
#[derive(Debug)]
pub(super) enum Client {
    /// It was not asked, or had no certificate and needs none.
    Anonymous,
    /// It proved possession, and the outside accepted it.
    Verified(ProvedPeer, PeerVerified),
}

/// ServerHello, EncryptedExtensions, CertificateRequest, Certificate: all that needs no signature.
fn server_hello_to_certificate(
    state: Negotiated,
    choice: Option<(Arc<Credential>, SignatureScheme)>,
    out: &mut Out,
) -> Result<State> {
    let Negotiated { chosen, asked } = state;
    let Some((credential, scheme)) = choice else {
        return Err(Error::NoCommonSignatureScheme { peer: asked.schemes.into() });
    };
    authentication::check_choice(&credential, scheme, &asked.schemes)?;
    let Chosen { transport, config, suite, alpn, mut transcript, retried } = chosen;
    let skip = asked.early_data && !retried;
    if skip {
        out.early_data(EarlyData::Rejected(EarlyDataRejection::Disabled));
    }
    if let Some(parameters) = &asked.transport_parameters {
        out.peer_parameters(parameters);
    }
    let secrets = server_hello(&config.common, suite, &asked, &mut transcript, out)?;
    install_handshake_keys(&config, suite, &secrets, skip, out);
    limits(&config.common, &asked, out);

    let mut connection = Connection {
        group: asked.group,
        server_name: asked.server_name.clone(),
        tickets: asked.tickets,
        config,
        suite,
        alpn,
        transcript,
        retried,
        credential: Arc::clone(&credential),
    };
    connection.send(encrypted_extensions(&connection, &asked, &transport)?, out);
    if connection.config.client_auth != ClientAuth::None {
        let grease = grease(&connection.config)?;
        connection
            .send(NewCertificateRequest { grease, ..certificate_request(&connection.config) }.encode()?, out);
    }
    let stapled = config::Asked { ocsp: asked.ocsp, scts: asked.sct, compression: &asked.compression };
    connection.send(credential.message(stapled)?, out);

    let message = signed_content(SignerRole::Server, &connection.transcript.current());
    out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
    let HandshakeSecrets { client, server, next } = secrets;
    Ok(State::Signature(Box::new(Flight { connection, scheme, client, server, handshake: next })))
}

/// The key exchange and ServerHello. From here on the handshake is encrypted.
fn server_hello(
    common: &Common,
    suite: Tls13Suite,
    asked: &Asked,
    transcript: &mut Transcript,
    out: &mut Out,
) -> Result<HandshakeSecrets> {
    let answer = key_exchange_answer(common, asked)?;
    let message = ServerHello {
        legacy_version: ProtocolVersion::TLS1_2,
        random: &server_random(common)?,
        session_id_echo: &asked.session_id,
        cipher_suite: suite.suite,
        compression_method: 0,
        selected_version: Some(ProtocolVersion::TLS1_3),
        key_share: Some(KeyShareEntry { group: asked.group, key_exchange: &answer.share }),
        pre_shared_key: None,
    }
    .encode()?;
    transcript.add(&message);
    out.send(Level::Initial, message);
    out.compatibility_change_cipher_spec();
    EarlySecret::new(suite.hash, None).into_handshake(&answer.secret, &transcript.current())
}

/// Both handshake keys at once: the next that the client sends is under its own, unless it could not read our hello
/// and says so in the clear.
fn install_handshake_keys(
    config: &ServerHandshake,
    suite: Tls13Suite,
    secrets: &HandshakeSecrets,
    skip_early_data: bool,
    out: &mut Out,
) {
    out.key_log(key_log::CLIENT_HANDSHAKE_TRAFFIC_SECRET, &secrets.client);
    out.key_log(key_log::SERVER_HANDSHAKE_TRAFFIC_SECRET, &secrets.server);
    out.keys(Level::Handshake, Direction::Write, suite.suite, secrets.server.duplicate());
    out.keys(Level::Handshake, Direction::Read, suite.suite, secrets.client.duplicate());
    let application_data = if skip_early_data {
        ApplicationData::SkipUndecryptable { limit: defaults::early_data_skip(config.max_early_data) }
    } else {
        ApplicationData::Refuse
    };
    out.read(ReadMode {
        change_cipher_spec: ChangeCipherSpec::Drop,
        application_data,
        plaintext_alert: true,
        max_message: match config.client_auth {
            ClientAuth::None => defaults::MAX_SHORT_MESSAGE,
            _ => config.common.max_message,
        },
    });
}

/// Record size limits hold when both name one (RFC 8449 section 4).
fn limits(common: &Common, asked: &Asked, out: &mut Out) {
    if let (Some(theirs), Some(ours)) = (asked.record_size_limit, common.record_size_limit) {
        out.limits(theirs.min(record_size_limit::MAX), ours);
    }
}

/// EncryptedExtensions (RFC 9846 section 4.4.1): answers to what the hello asked, nothing else but our groups.
fn encrypted_extensions(connection: &Connection, asked: &Asked, transport: &Transport) -> Result<Vec<u8>> {
    let config = &connection.config;
    EncryptedExtensions {
        server_name: asked.server_name.is_some(),
        alpn: connection.alpn.as_deref(),
        supported_groups: if negotiate::announces_groups(config, connection.group) {
            config.common.groups.clone()
        } else {
            Vec::new()
        },
        record_size_limit: asked.record_size_limit.and(config.common.record_size_limit),
        quic_transport_parameters: match transport {
            Transport::Quic { parameters } => Some(parameters),
            Transport::Stream => None,
        },
        ..EncryptedExtensions::default()
    }
    .encode()
}

/// CertificateRequest (RFC 9846 section 4.4.2); also what a client's Certificate is judged by.
pub(super) fn certificate_request(config: &ServerHandshake) -> NewCertificateRequest<'_> {
    let common = &config.common;
    NewCertificateRequest {
        signature_algorithms: &common.verify_schemes,
        signature_algorithms_cert: common.certificate_schemes.as_deref(),
        certificate_authorities: &config.authorities,
        status_request: common.ocsp,
        signed_certificate_timestamp: common.sct,
        compress_certificate: &common.decompress,
        grease: None,
    }
}

/// Values that mean nothing, if the configuration wants them (RFC 8701).
fn grease(config: &ServerHandshake) -> Result<Option<Grease>> {
    if !config.grease {
        return Ok(None);
    }
    let seed = match &config.common.randomness {
        Randomness::Recorded(recorded) => recorded.random.first_chunk().copied().unwrap_or_default(),
        Randomness::System => random::array().map_err(Error::Crypto)?,
    };
    Ok(Some(Grease::new(seed)))
}

/// CertificateVerify and Finished, and the application keys: ours is in use from here, the client's waits for its
/// Finished.
fn certificate_verify_and_finished(state: Flight, signature: &[u8], out: &mut Out) -> Result<State> {
    let Flight { mut connection, scheme, client, server, handshake } = state;
    let hash = connection.suite.hash;
    connection.send(authentication::certificate_verify(scheme, signature)?, out);
    let verify_data = tls13::finished_mac(hash, &server, &connection.transcript.current())?;
    connection.send(finished::encode(&verify_data)?, out);

    let config = &connection.config;
    let main = handshake.into_main();
    let application = main.application(&connection.transcript.current(), config.common.exporter)?;
    out.key_log(key_log::CLIENT_TRAFFIC_SECRET_0, &application.client);
    out.key_log(key_log::SERVER_TRAFFIC_SECRET_0, &application.server);
    if let Some(exporter) = &application.exporter {
        out.key_log(key_log::EXPORTER_SECRET, exporter);
    }
    out.keys(Level::Application, Direction::Write, connection.suite.suite, application.server);
    // Where a certificate is required nothing of value is said to a client that has not shown one.
    if config.half_rtt && config.client_auth != ClientAuth::Required {
        out.half_rtt();
    }
    let asked_for_certificate = config.client_auth != ClientAuth::None;
    let finishing = Box::new(Finishing {
        main: connection.tickets.then_some(main),
        connection,
        scheme,
        client,
        client_application: application.client,
        exporter: application.exporter,
    });
    Ok(if asked_for_certificate {
        State::Certificate(finishing)
    } else {
        State::Finished(finishing, Client::Anonymous)
    })
}

/// The client's Finished: its application key, and Done.
fn finished(state: Finishing, client: Client, message: Incoming<'_>, out: &mut Out) -> Result<()> {
    let body = message.expect(HandshakeType::FINISHED, Level::Handshake, "Finished")?;
    let Finishing { mut connection, scheme, client: client_secret, client_application, exporter, main } =
        state;
    let Tls13Suite { suite, hash, .. } = connection.suite;
    let verify_data = finished::parse(hash, body)?;
    let proof = FinishedVerified::check(hash, &client_secret, &connection.transcript.current(), verify_data)?;
    connection.transcript.add(message.encoded());
    let config = connection.config;
    out.keys(Level::Application, Direction::Read, suite, client_application);
    out.read(ReadMode {
        change_cipher_spec: ChangeCipherSpec::Deliver,
        application_data: ApplicationData::Accept,
        plaintext_alert: false,
        max_message: defaults::MAX_SHORT_MESSAGE,
    });
    let resumption = match main {
        Some(main) => Some(main.into_resumption(&connection.transcript.current())?),
        None => None,
    };
    let (peer, peer_signature_scheme) = client.into_parts();
    let outcome = Outcome {
        version: ProtocolVersion::TLS1_3,
        suite,
        group: Some(connection.group),
        extended_master_secret: true,
        alpn: connection.alpn,
        server_name: connection.server_name,
        peer,
        peer_signature_scheme,
        signature_scheme: Some(scheme),
        credential: Some(connection.credential),
        psk: None,
        hello_retry_request: connection.retried,
        early_data: false,
        ech: EchStatus::NotOffered,
        exporter: exporter.map(|secret| Exporter::tls13(hash, secret)),
        session: None,
    };
    let mut post_handshake = PostHandshake::server_tls13(&outcome, hash, resumption, out.is_quic());
    if let Some(tickets) = &mut post_handshake.tickets {
        tickets.grease(config.grease);
    }
    out.done(proof, outcome, post_handshake);
    Ok(())
}

impl Connection {
    /// Sends a message under the handshake key.
    fn send(&mut self, message: Vec<u8>, out: &mut Out) {
        self.transcript.add(&message);
        out.send(Level::Handshake, message);
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

/// ServerHello.random.
fn server_random(common: &Common) -> Result<[u8; 32]> {
    let mut random = match &common.randomness {
        Randomness::Recorded(recorded) => recorded.random,
        Randomness::System => random::array().map_err(Error::Crypto)?,
    };
    negotiate::mark_downgrade(&mut random, ProtocolVersion::TLS1_3, common.max_version);
    Ok(random)
}

/// Our share and the shared secret.
fn key_exchange_answer(common: &Common, asked: &Asked) -> Result<Answer> {
    let recorded = match &common.randomness {
        Randomness::Recorded(recorded) => {
            recorded.private_keys.iter().find(|(group, _)| *group == asked.group)
        }
        Randomness::System => None,
    };
    match recorded {
        Some((group, private)) => key_exchange::answer_with_private_key(*group, &asked.share, private),
        None => key_exchange::answer(asked.group, &asked.share),
    }
    .map_err(|error| match error {
        oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(error),
        error => Error::Crypto(error),
    })
}
