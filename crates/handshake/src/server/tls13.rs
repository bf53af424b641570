//! From everything chosen to Done in TLS 1.3: the server's flight, of a full handshake or of one that resumes a session,
//! the client's certificate if one is asked for, the client's Finished (RFC 9846 sections 4.2.3 and 4.4 to 4.6).

use core::mem;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::SignatureScheme;

use crate::authentication::{self, ClaimedPeer, ProvedPeer};
use crate::config::{self, ClientAuth, Credential, ServerHandshake};
use crate::defaults;
use crate::error::Error;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::key_log;
use crate::key_schedule::tls13::{self, HandshakeSecret, HandshakeSecrets, MainSecret};
use crate::machine::{FinishedVerified, Incoming, Out, PeerVerified, Step, WRONG_ANSWER};
use crate::message::certificate_verify::{CertificateVerify, SignerRole, signed_content};
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::{HandshakeType, finished};
use crate::need::{AnswerKind, ChooseCredential, Need, Sign};
use crate::outcome::{EchStatus, Outcome};
use crate::post_handshake::PostHandshake;
use crate::server::asked::{Asked, Remembered};
use crate::server::early_data::{self, Decision};
use crate::server::hello::Chosen;
use crate::server::peer::{Client, Who};
use crate::server::psk::{Finding, Proved, Selected};
use crate::server::{flight, negotiate};
use crate::step::{ApplicationData, ChangeCipherSpec, Direction, Level, ReadMode, Transport};
use crate::suite::{ProtocolVersion, Tls13Suite};
use crate::transcript::Transcript;

type Result<T> = core::result::Result<T, Error>;

/// Room beside a chain for what goes out with it, EncryptedExtensions, CertificateVerify of ECDSA and Finished, or for some
/// of these alone.
const SHORT_MESSAGES: usize = 144;

/// Room beside a chain for what goes out ahead of it, ServerHello and ChangeCipherSpec in the clear, and for what sealing
/// adds: whoever sends all as one needs no other buffer.
const RECORDS: usize = 168;

/// Where a TLS 1.3 server stands. From ServerHello to Done its [`Connection`] stays in one place, and changes there.
#[derive(Debug)]
pub(super) enum State {
    /// FindSession is out; nothing has been sent but perhaps a HelloRetryRequest. So in the next two.
    Session(Box<Finding>),
    /// AcceptSession is out.
    Acceptance(Box<Finding>, Proved),
    /// ChooseCredential is out.
    Credential(Box<Negotiated>),
    /// Sign is out; ServerHello to Certificate have been sent.
    Signature(Box<Connection>),
    /// Our flight is out, and early data comes in.
    EndOfEarlyData(Box<Connection>, Client),
    /// Our flight is out and a certificate was asked for.
    Certificate(Box<Connection>),
    /// Decompress is out; the length that must come out.
    Decompressed(Box<Connection>, u32),
    /// The client sent certificates.
    CertificateVerify(Box<Connection>, ClaimedPeer),
    /// VerifyPeer is out.
    Verdict(Box<Connection>, ProvedPeer),
    /// The client's last message.
    Finished(Box<Connection>, Client),
}

impl State {
    /// The client's messages, in their order.
    pub(super) fn message(self, message: Incoming<'_>, out: &mut Out) -> Step<Self> {
        if out.is_quic() && message.typ() == HandshakeType::END_OF_EARLY_DATA {
            return Err(Error::QuicViolation("there is no EndOfEarlyData over QUIC").into());
        }
        match self {
            Self::EndOfEarlyData(state, client) => Ok(Some(state.end_of_early_data(client, message, out)?)),
            Self::Certificate(state) => Ok(Some(state.certificate(message, out)?)),
            Self::CertificateVerify(state, peer) => Ok(Some(state.certificate_verify(peer, message, out)?)),
            Self::Finished(state, client) => {
                finished(state, client, message, out)?;
                Ok(None)
            }
            Self::Session(_)
            | Self::Acceptance(..)
            | Self::Credential(_)
            | Self::Signature(_)
            | Self::Decompressed(..)
            | Self::Verdict(..) => Err(message.unexpected("the answer to a Need").into()),
        }
    }

    /// The outside's answers, in their order.
    pub(super) fn answer(self, answer: AnswerKind, out: &mut Out) -> Result<Self> {
        match (self, answer) {
            (Self::Session(state), AnswerKind::Session(found)) => state.found(found, out),
            (Self::Acceptance(state, proved), AnswerKind::Accept(answer)) => {
                state.accepted(proved, answer, out)
            }
            (Self::Credential(state), AnswerKind::Credential(choice)) => {
                server_hello_to_certificate(*state, choice, out)
            }
            (Self::Signature(state), AnswerKind::Signature(signature)) => {
                certificate_verify_and_finished(state, &signature, out)
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

/// Before the flight of a full handshake.
#[derive(Debug)]
pub(super) struct Negotiated {
    chosen: Chosen,
    hello: OwnedClientHello,
    remembered: Remembered,
    early_data: Decision,
}

/// What holds from ServerHello to Done.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) config: Arc<ServerHandshake>,
    pub(super) suite: Tls13Suite,
    pub(super) group: NamedGroup,
    pub(super) alpn: Option<Vec<u8>>,
    server_name: Option<String>,
    pub(super) transcript: Transcript,
    retried: bool,
    pub(super) tickets: Option<u8>,
    early_data: bool,
    /// What we show and sign with; nothing where a session is resumed.
    shown: Option<(Arc<Credential>, SignatureScheme)>,
    /// The client's handshake traffic secret: its Finished is made with it.
    pub(super) client: Secret,
    secrets: Secrets,
}

/// Secrets beside the client's of the handshake.
#[derive(Debug, Default)]
enum Secrets {
    /// Amid our flight: our handshake traffic secret, which our Finished is made with, and what follows from the handshake's.
    Handshake(Secret, HandshakeSecret),
    /// Our flight is out.
    Application {
        client: Secret,
        exporter: Option<Secret>,
        /// Kept only where tickets can follow.
        main: Option<MainSecret>,
    },
    /// Only while a step is under way.
    #[default]
    Taken,
}

/// A full handshake: which credential?
pub(super) fn ask_for_credential(
    chosen: Chosen,
    (hello, parsed): (&OwnedClientHello, &ClientHello<'_>),
    group: NamedGroup,
    out: &mut Out,
) -> Result<State> {
    let request = negotiate::credential_request(ProtocolVersion::TLS1_3, parsed, negotiate::schemes(parsed)?);
    out.ask(|serial| Need::ChooseCredential(ChooseCredential { request, serial }));
    let early_data = early_data::without_session(&chosen, parsed);
    let remembered = Asked::of(&chosen, parsed, group, false)?.remember(hello)?;
    Ok(State::Credential(Box::new(Negotiated { chosen, hello: hello.clone(), remembered, early_data })))
}

/// ServerHello, EncryptedExtensions, CertificateRequest, Certificate: all that needs no signature.
fn server_hello_to_certificate(
    state: Negotiated,
    choice: Option<(Arc<Credential>, SignatureScheme)>,
    out: &mut Out,
) -> Result<State> {
    let Negotiated { mut chosen, hello, remembered, early_data } = state;
    let asked = remembered.of(&hello);
    let Some((credential, scheme)) = choice else {
        return Err(Error::NoCommonSignatureScheme {
            peer: negotiate::usable_schemes(asked.schemes)?.into(),
        });
    };
    authentication::check_choice(&credential, scheme, negotiate::offers_scheme(asked.schemes, scheme))?;
    let secrets = flight::server_hello(&mut chosen, &asked, None, early_data, out)?;
    let (mut connection, transport) = Connection::new(chosen, &asked, secrets);
    let compression = asked.compression.to_vec();
    let stapled = config::WantedForm { ocsp: asked.ocsp, scts: asked.scts, compression: &compression };
    let certificate = credential.shown(stapled);
    let room = certificate.len().saturating_add(SHORT_MESSAGES).saturating_add(RECORDS);
    let extensions = flight::encrypted_extensions(&connection, &asked, &transport, None);
    connection.transcript.add(out.message(Level::Handshake, room, |w| extensions.write(w))?);
    if connection.config.client_auth != ClientAuth::None {
        let request = flight::new_certificate_request(&connection.config)?;
        connection.transcript.add(out.message(Level::Handshake, room, |w| request.write(w))?);
    }
    connection.transcript.add(out.message(Level::Handshake, room, |w| certificate.write(w))?);

    let message = signed_content(SignerRole::Server, &connection.transcript.current());
    connection.shown = Some((Arc::clone(&credential), scheme));
    out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
    Ok(State::Signature(connection))
}

/// CertificateVerify and Finished.
fn certificate_verify_and_finished(
    mut connection: Box<Connection>,
    signature: &[u8],
    out: &mut Out,
) -> Result<State> {
    authentication::check_signature(signature)?;
    let Some((_, algorithm)) = connection.shown else { return Err(WRONG_ANSWER) };
    let verify = CertificateVerify { algorithm, signature };
    let room = signature.len().saturating_add(SHORT_MESSAGES);
    connection.transcript.add(out.message(Level::Handshake, room, |w| verify.write(w))?);
    connection.our_finished(out)?;
    // Where a certificate is required nothing of value is said to a client that has not shown one.
    let client_auth = connection.config.client_auth;
    if connection.config.half_rtt && client_auth != ClientAuth::Required {
        out.half_rtt();
    }
    Ok(match client_auth {
        ClientAuth::None => State::Finished(connection, Client::Anonymous),
        _ => State::Certificate(connection),
    })
}

/// A session is resumed: ServerHello, EncryptedExtensions, Finished.
pub(super) fn server_hello_to_finished(
    mut chosen: Chosen,
    asked: &Asked<'_>,
    selected: Selected,
    early_data: Decision,
    out: &mut Out,
) -> Result<State> {
    let Selected { psk, place, early, accepted } = selected;
    let secrets = flight::server_hello(&mut chosen, asked, Some((place, early)), early_data, out)?;
    let (mut connection, transport) = Connection::new(chosen, asked, secrets);
    let taken = matches!(early_data, Decision::Accept { .. });
    let extensions = flight::encrypted_extensions(&connection, asked, &transport, Some(taken));
    connection.transcript.add(out.message(Level::Handshake, SHORT_MESSAGES, |w| extensions.write(w))?);
    connection.early_data = taken;
    connection.our_finished(out)?;
    // Whoever has no secret of this session reads nothing of what is said now.
    if connection.config.half_rtt {
        out.half_rtt();
    }
    let client = Client::Resumed(psk, accepted);
    // QUIC knows the end of early data from its packets (RFC 9001 section 8.3).
    Ok(match taken && !out.is_quic() {
        true => State::EndOfEarlyData(connection, client),
        false => State::Finished(connection, client),
    })
}

impl Connection {
    fn new(chosen: Chosen, asked: &Asked<'_>, secrets: HandshakeSecrets) -> (Box<Self>, Transport) {
        let Chosen { transport, config, suite, alpn, transcript, retried } = chosen;
        let HandshakeSecrets { client, server, next } = secrets;
        let connection = Box::new(Self {
            config,
            suite,
            group: asked.group,
            alpn,
            server_name: asked.server_name.map(str::to_owned),
            transcript,
            retried,
            tickets: asked.tickets,
            early_data: false,
            shown: None,
            client,
            secrets: Secrets::Handshake(server, next),
        });
        (connection, transport)
    }

    /// Finished and the application keys: ours is in use from here, the client's waits for its Finished.
    fn our_finished(&mut self, out: &mut Out) -> Result<()> {
        let Secrets::Handshake(server, next) = mem::take(&mut self.secrets) else {
            return Err(Error::Internal("our flight is over already"));
        };
        let verify_data = tls13::finished_mac(self.suite.hash, &server, &self.transcript.current())?;
        let message = out.message(Level::Handshake, SHORT_MESSAGES, |w| finished::write(w, &verify_data))?;
        self.transcript.add(message);

        let main = next.into_main();
        let application = main.application(&self.transcript.current(), self.config.common.exporter)?;
        out.key_log(key_log::CLIENT_TRAFFIC_SECRET_0, &application.client);
        out.key_log(key_log::SERVER_TRAFFIC_SECRET_0, &application.server);
        if let Some(exporter) = &application.exporter {
            out.key_log(key_log::EXPORTER_SECRET, exporter);
        }
        out.keys(Level::Application, Direction::Write, self.suite.suite, application.server);
        self.secrets = Secrets::Application {
            client: application.client,
            exporter: application.exporter,
            main: self.tickets.is_some().then_some(main),
        };
        Ok(())
    }
}

/// The client's Finished: its application key, and Done.
fn finished(
    mut connection: Box<Connection>,
    client: Client,
    message: Incoming<'_>,
    out: &mut Out,
) -> Result<()> {
    let body = message.expect(HandshakeType::FINISHED, Level::Handshake, "Finished")?;
    let Tls13Suite { suite, hash, .. } = connection.suite;
    let verify_data = finished::parse(hash, body)?;
    let transcript = connection.transcript.current();
    let proof = FinishedVerified::check(hash, &connection.client, &transcript, verify_data)?;
    connection.transcript.add(message.encoded());
    let Secrets::Application { client: application, exporter, main } = mem::take(&mut connection.secrets)
    else {
        return Err(Error::Internal("the client's Finished comes behind our flight"));
    };
    out.keys(Level::Application, Direction::Read, suite, application);
    out.read(ReadMode {
        change_cipher_spec: ChangeCipherSpec::Deliver,
        application_data: ApplicationData::Accept,
        plaintext_alert: false,
        max_message: defaults::MAX_SHORT_MESSAGE,
    });
    let resumption = match main {
        Some(main) => Some((main.into_resumption(&connection.transcript.current())?, message.now)),
        None => None,
    };
    let (due, grease) = (connection.tickets.unwrap_or_default(), connection.config.grease);
    let across_names = connection.config.resumption_across_names;
    let exporter = exporter.map(|secret| Exporter::tls13(hash, secret));
    let outcome = Outcome { exporter, ..outcome(*connection, client) };
    let mut post_handshake = PostHandshake::server_tls13(&outcome, hash, resumption, out.is_quic());
    if let Some(tickets) = &mut post_handshake.tickets {
        tickets.grease(grease);
        tickets.resumption_across_names(across_names);
        tickets.set_due(due);
    }
    out.done(proof, outcome, post_handshake);
    Ok(())
}

/// What came of it all, but for the exporter.
fn outcome(connection: Connection, client: Client) -> Outcome {
    let (credential, signature_scheme) = connection.shown.unzip();
    let Who { peer, peer_signature_scheme, psk } = client.into();
    Outcome {
        version: ProtocolVersion::TLS1_3,
        suite: connection.suite.suite,
        group: Some(connection.group),
        extended_master_secret: true,
        alpn: connection.alpn,
        server_name: connection.server_name,
        peer,
        peer_signature_scheme,
        signature_scheme,
        credential,
        psk,
        hello_retry_request: connection.retried,
        early_data: connection.early_data,
        ech: EchStatus::NotOffered,
        exporter: None,
        session: None,
    }
}
