//! A full TLS 1.2 handshake, from the version chosen to Done (RFC 5246 section 7.3, RFC 8422, RFC 7627). That of a session
//! that is resumed is in `tls12_resumed`; who asks for which is decided here.
//!
//! Only ECDHE with AEADs. What was weak in TLS 1.2 is not here: no static RSA, no CBC, no compression, no
//! renegotiation, no master secret that is not bound to its handshake unless the configuration allows it.

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup, Seed};
use oxtls_crypto::signature::SignatureScheme;

use crate::alert::AlertDescription;
use crate::authentication::{self, ClaimedPeer, ProvedPeer};
use crate::config::{ClientAuth, Common, Credential, Randomness, ServerHandshake};
use crate::defaults;
use crate::error::Error;
use crate::key_schedule::key_log;
use crate::key_schedule::tls12::{KeyBlock, MasterSecret, Sender};
use crate::machine::{FinishedVerified, Incoming, Out, PeerVerified, Step, WRONG_ANSWER};
use crate::message::HandshakeType;
use crate::message::certificate_verify::CertificateVerify;
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::tls12::{
    certificate, certificate_request, certificate_status, client_key_exchange, finished, server_hello_done,
    server_key_exchange,
};
use crate::need::{AnswerKind, ChooseCredential, NameToVerify, Need, SealTicket, Sign, VerifyPeer};
use crate::outcome::{Outcome, PeerCertificates};
use crate::post_handshake::PostHandshake;
use crate::server::drawn::Drawn;
use crate::server::in_common::InCommon;
use crate::server::peer::Client;
use crate::server::tls12_hello::{Asked, Chosen, Connection, Says, read_mode};
use crate::server::tls12_session::{self, Keeping};
use crate::server::{negotiate, tls12_resumed};
use crate::session::Session;
use crate::step::{ApplicationData, Direction, Level};
use crate::suite::{Authentication, ProtocolVersion, Tls12Suite};

type Result<T> = core::result::Result<T, Error>;

/// Where a TLS 1.2 server stands.
#[derive(Debug)]
pub(super) enum State {
    /// FindSession is out; nothing has been sent.
    Session(Box<Chosen>),
    /// AcceptSession is out; nothing has been sent.
    Acceptance(tls12_resumed::Found),
    /// A session is resumed and SealTicket is out; ServerHello has been sent.
    Renewal(Box<tls12_resumed::Resuming>),
    /// A session is resumed, our flight is out, and the client's next record must change its key.
    ResumedChangeCipherSpec(Box<tls12_resumed::Finishing>, (AeadKey, FixedIv)),
    /// A session is resumed: the client's last message.
    ResumedFinished(Box<tls12_resumed::Finishing>),
    /// ChooseCredential is out; nothing has been sent.
    Credential(Negotiated),
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
    /// SealTicket is out; the client's Finished has verified.
    Ticket(Box<Finishing>, Client, FinishedVerified),
}

/// Before our flight.
#[derive(Debug)]
pub(super) struct Negotiated {
    chosen: Box<Chosen>,
    group: NamedGroup,
    schemes: Vec<SignatureScheme>,
}

/// What is shown in a full handshake, and how the session will be known.
#[derive(Debug)]
pub(super) struct Full {
    group: NamedGroup,
    credential: Arc<Credential>,
    scheme: SignatureScheme,
    session: Keeping,
}

/// Until both sides know the premaster secret.
#[derive(Debug)]
pub(super) struct Flight {
    connection: Connection,
    full: Full,
    exchange: KeyExchange,
    /// ServerECDHParams.
    params: Vec<u8>,
}

/// Both sides know the keys, and none is in use.
#[derive(Debug)]
pub(super) struct Keyed {
    connection: Connection,
    full: Full,
    master: MasterSecret,
    keys: KeyBlock,
}

/// The client's key is in use.
#[derive(Debug)]
pub(super) struct Finishing {
    connection: Connection,
    full: Full,
    master: MasterSecret,
    key: (AeadKey, FixedIv),
}

impl State {
    /// The client's messages, in their order.
    pub(super) fn message(self, message: Incoming<'_>, out: &mut Out) -> Step<Self> {
        match self {
            Self::Certificate(state) => Ok(Some(client_certificate(state, message)?)),
            Self::KeyExchange(state, peer) => Ok(Some(client_key_exchange(*state, peer, message, out)?)),
            Self::CertificateVerify(state, peer) => Ok(Some(certificate_verify(state, peer, message, out)?)),
            Self::ChangeCipherSpec(..) | Self::ResumedChangeCipherSpec(..) => {
                Err(message.unexpected("ChangeCipherSpec").into())
            }
            Self::Finished(state, client) => Ok(finished(state, client, message, out)?),
            Self::ResumedFinished(state) => {
                state.finished(message, out)?;
                Ok(None)
            }
            Self::Session(_)
            | Self::Acceptance(_)
            | Self::Renewal(_)
            | Self::Credential(_)
            | Self::Signature(_)
            | Self::Verdict(..)
            | Self::Ticket(..) => Err(message.unexpected("the answer to a Need").into()),
        }
    }

    /// The client's ChangeCipherSpec: good at one place only. One that came earlier would have keys used that were
    /// made from nothing but public values.
    pub(super) fn change_cipher_spec(self, more: bool, out: &mut Out) -> Step<Self> {
        match self {
            // Part of a message that was begun in the clear must not be ended under the key.
            Self::ChangeCipherSpec(state, client) if !more => {
                let Keyed { connection, full, master, keys } = *state;
                out.keys_tls12(Direction::Read, connection.suite.suite, keys.client);
                out.read(read_mode(ApplicationData::Refuse, defaults::MAX_SHORT_MESSAGE));
                let finishing = Finishing { connection, full, master, key: keys.server };
                Ok(Some(Self::Finished(Box::new(finishing), client)))
            }
            Self::ResumedChangeCipherSpec(state, key) if !more => {
                Ok(Some(state.change_cipher_spec(key, out)))
            }
            _ => Err(Error::UnexpectedChangeCipherSpec.into()),
        }
    }

    /// The outside's answers, in their order.
    pub(super) fn answer(self, answer: AnswerKind, out: &mut Out) -> Step<Self> {
        Ok(Some(match (self, answer) {
            (Self::Session(chosen), AnswerKind::Session(found)) => tls12_resumed::found(chosen, found, out)?,
            (Self::Acceptance(state), AnswerKind::Accept(answer)) => state.accepted(answer, out)?,
            (Self::Renewal(state), AnswerKind::Ticket { ticket, lifetime }) => {
                state.new_session_ticket(ticket, lifetime, out)?
            }
            (Self::Credential(state), AnswerKind::Credential(choice)) => {
                server_hello_to_certificate_status(state, choice, out)?
            }
            (Self::Signature(state), AnswerKind::Signature(signature)) => {
                server_key_exchange_to_done(state, &signature, out)?
            }
            (Self::Verdict(state, peer), answer) => {
                let proof = PeerVerified::from_answer(&answer)?;
                Self::ChangeCipherSpec(state, Client::Verified(peer, proof))
            }
            (Self::Ticket(state, client, proof), AnswerKind::Ticket { ticket, lifetime }) => {
                new_session_ticket_to_finished(*state, client, proof, ticket, lifetime, out)?;
                return Ok(None);
            }
            _ => return Err(WRONG_ANSWER.into()),
        }))
    }
}

/// A hello that gets a TLS 1.2 handshake: of which session, or else with which credential?
pub(super) fn choose(
    (hello, parsed): (&OwnedClientHello, &ClientHello<'_>),
    now: Duration,
    config: Arc<ServerHandshake>,
    out: &mut Out,
) -> Result<State> {
    negotiate::check_tls12(&config, parsed)?;
    let suites = negotiate::suites_tls12(&config, parsed)?;
    let alpn = negotiate::alpn(&config, parsed, out.is_quic())?;
    if config.common.key_log {
        out.enable_key_log(*parsed.random);
    }
    let (hello, asked) = (hello.clone(), Asked::of(parsed));
    let chosen = Box::new(Chosen { config, hello, now, suites, alpn, asked, by_ticket: false });
    match tls12_resumed::offer(&chosen.config, parsed) {
        Some(offer) => tls12_resumed::ask(chosen, offer, out),
        None => ask_for_credential(chosen, parsed, out),
    }
}

/// A full handshake: everything is chosen but the suite, which depends on the credential.
pub(super) fn ask_for_credential(
    chosen: Box<Chosen>,
    hello: &ClientHello<'_>,
    out: &mut Out,
) -> Result<State> {
    let group = negotiate::group_tls12(&chosen.config, hello)?;
    let schemes = negotiate::schemes_tls12(hello, &chosen.suites)?;
    let request = negotiate::credential_request(ProtocolVersion::TLS1_2, hello, schemes.clone());
    out.ask(|serial| Need::ChooseCredential(ChooseCredential { request, serial }));
    Ok(State::Credential(Negotiated { chosen, group, schemes }))
}

/// ServerHello, Certificate, CertificateStatus: all that needs no signature.
fn server_hello_to_certificate_status(
    state: Negotiated,
    choice: Option<(Arc<Credential>, SignatureScheme)>,
    out: &mut Out,
) -> Result<State> {
    let Negotiated { chosen, group, schemes } = state;
    let Some((credential, scheme)) = choice else {
        return Err(Error::NoCommonSignatureScheme { peer: schemes.into() });
    };
    authentication::check_choice(&credential, scheme, schemes.contains(&scheme))?;
    let suite = suite_of(scheme, &chosen.suites)?;
    let Drawn { random, session_id, seed } = Drawn::new(&chosen.config.common)?;
    let session = Keeping::of(&chosen.config, &chosen.asked, &session_id);
    let hello = chosen.hello.clone();
    let mut connection = Connection::new(*chosen, suite, random);
    connection.keep_messages(&hello);
    let common = &connection.config.common;
    out.read(read_mode(
        ApplicationData::Refuse,
        match connection.config.client_auth {
            ClientAuth::None => defaults::MAX_SHORT_MESSAGE,
            _ => common.max_message,
        },
    ));
    connection.limits(out);
    let exchange = key_exchange(common, group, seed)?;
    let (session_id, ticket) = session.said();
    let says = Says { session_id, ticket, credential: Some(&credential) };
    connection.server_hello(says, out)?;
    connection.send(out, |w| certificate::write(w, &credential.chain))?;
    if let Some(response) = credential.ocsp.as_deref().filter(|_| connection.asked.status_request) {
        connection.send(out, |w| certificate_status::write(w, response))?;
    }
    let params = server_key_exchange::params(group, exchange.share())?;
    let Connection { client_random, server_random, .. } = &connection;
    let message = server_key_exchange::signed_content(client_random, server_random, &params);
    let full = Full { group, credential: Arc::clone(&credential), scheme, session };
    out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
    Ok(State::Signature(Box::new(Flight { connection, full, exchange, params })))
}

/// The suite: the credential has chosen it.
fn suite_of(scheme: SignatureScheme, suites: &InCommon<Tls12Suite>) -> Result<Tls12Suite> {
    suites
        .iter()
        .find(|suite| Some(suite.authentication) == Authentication::of(scheme))
        .ok_or(Error::Internal("schemes are of suites in common"))
}

/// ServerKeyExchange, CertificateRequest, ServerHelloDone.
fn server_key_exchange_to_done(mut state: Box<Flight>, signature: &[u8], out: &mut Out) -> Result<State> {
    if signature.is_empty() {
        return Err(Error::SigningFailed(None));
    }
    let Flight { connection, full, params, .. } = &mut *state;
    connection.send(out, |w| server_key_exchange::write(w, params, full.scheme, signature))?;
    let asks = connection.config.client_auth != ClientAuth::None;
    if asks {
        let schemes = negotiate::client_schemes_tls12(&connection.config.common);
        let config = Arc::clone(&connection.config);
        connection.send(out, |w| certificate_request::write(w, &schemes, &config.authorities))?;
    }
    connection.send(out, server_hello_done::write)?;
    Ok(if asks { State::Certificate(state) } else { State::KeyExchange(state, None) })
}

/// What the client says it is. It may say nothing where the configuration allows it.
fn client_certificate(mut state: Box<Flight>, message: Incoming<'_>) -> Result<State> {
    let body = message.expect(HandshakeType::CERTIFICATE, Level::Initial, "Certificate")?;
    let connection = &mut state.connection;
    let chain = certificate::parse(body, connection.config.common.max_chain)?;
    connection.add(&message);
    let Some(chain) = chain else {
        return if connection.config.client_auth == ClientAuth::Required {
            Err(Error::CertificateRequired { alert: AlertDescription::HANDSHAKE_FAILURE })
        } else {
            connection.messages = None;
            Ok(State::KeyExchange(state, None))
        };
    };
    let peer = ClaimedPeer::new(PeerCertificates { chain, ocsp: None, scts: None })?;
    if !negotiate::takes_curve(&connection.config.common, peer.key_algorithm()) {
        return Err(Error::IllegalParameter { what: "a certificate on a curve that is not taken" });
    }
    Ok(State::KeyExchange(state, Some(peer)))
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
    let Flight { mut connection, full, exchange, .. } = state;
    let premaster = exchange.finish(client_key_exchange::parse(body)?).map_err(|error| match error {
        oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(error),
        error => Error::Crypto(error),
    })?;
    connection.add(&message);
    let master = connection.master_secret(&premaster)?;
    out.key_log(key_log::CLIENT_RANDOM, master.secret());
    let keys = master.key_block(connection.suite, &connection.client_random, &connection.server_random)?;
    let keyed = Box::new(Keyed { connection, full, master, keys });
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
        Need::VerifyPeer(VerifyPeer {
            peer: certificates,
            resumed: false,
            name: NameToVerify::Configured,
            serial,
        })
    });
    Ok(State::Verdict(state, peer))
}

/// The client's Finished, and ours behind it, unless a ticket comes between.
fn finished(
    mut state: Box<Finishing>,
    client: Client,
    message: Incoming<'_>,
    out: &mut Out,
) -> Result<Option<State>> {
    let body = message.expect(HandshakeType::FINISHED, Level::Application, "Finished")?;
    let transcript = state.connection.transcript.current();
    let proof = FinishedVerified::check_tls12(&state.master, Sender::Client, &transcript, body)?;
    state.connection.add(&message);
    let session = match &state.full.session {
        Keeping::Nothing => None,
        Keeping::Ticket => {
            let session =
                Box::new(tls12_session::session(&state.connection, &state.master, &client, message.now));
            out.ask(|serial| Need::SealTicket(SealTicket { session, serial }));
            return Ok(Some(State::Ticket(state, client, proof)));
        }
        Keeping::Id(id) if id.is_empty() => None,
        Keeping::Id(id) => Some(Box::new(Session {
            session_id: id.clone(),
            ..tls12_session::session(&state.connection, &state.master, &client, message.now)
        })),
    };
    change_cipher_spec_and_finished(*state, (client, proof), session, out)?;
    Ok(None)
}

/// NewSessionTicket, which is part of the handshake here, then the rest.
fn new_session_ticket_to_finished(
    mut state: Finishing,
    client: Client,
    proof: FinishedVerified,
    ticket: Option<Vec<u8>>,
    lifetime: Duration,
    out: &mut Out,
) -> Result<()> {
    tls12_resumed::new_session_ticket(&mut state.connection, ticket, lifetime, out)?;
    change_cipher_spec_and_finished(state, (client, proof), None, out)
}

/// Our ChangeCipherSpec and Finished, and Done.
fn change_cipher_spec_and_finished(
    state: Finishing,
    (client, proof): (Client, FinishedVerified),
    session: Option<Box<Session>>,
    out: &mut Out,
) -> Result<()> {
    let Finishing { mut connection, full, master, key } = state;
    out.change_cipher_spec(connection.suite.suite, key);
    let verify_data = master.verify_data(Sender::Server, &connection.transcript.current());
    out.message(Level::Application, tls12_resumed::FINISHED, |w| finished::write(w, &verify_data))?;
    out.read(read_mode(ApplicationData::Accept, defaults::MAX_SHORT_MESSAGE));
    let outcome = Outcome {
        group: Some(full.group),
        signature_scheme: Some(full.scheme),
        credential: Some(full.credential),
        session,
        ..connection.outcome(client, &master)
    };
    out.done(proof, outcome, PostHandshake::server_tls12());
    Ok(())
}

/// Our half of the key exchange.
fn key_exchange(common: &Common, group: NamedGroup, seed: Option<Seed>) -> Result<KeyExchange> {
    let recorded = match &common.randomness {
        Randomness::Recorded(recorded) => recorded.private_keys.iter().find(|(of, _)| *of == group),
        Randomness::System => None,
    };
    match (recorded, seed) {
        (Some((group, private)), _) => KeyExchange::from_private_key(*group, private),
        (None, Some(seed)) => KeyExchange::offer_seeded(group, seed),
        (None, None) => KeyExchange::offer(group),
    }
    .map_err(Error::Crypto)
}
