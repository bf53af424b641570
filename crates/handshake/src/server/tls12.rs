//! A full TLS 1.2 handshake, from the version chosen to Done (RFC 5246 section 7.3, RFC 8422, RFC 7627). That of a session
//! that is resumed is in `tls12_resumed`; who asks for which is decided here.
//!
//! Only ECDHE with AEADs. What was weak in TLS 1.2 is not here: no static RSA, no CBC, no compression, no
//! renegotiation, no master secret that is not bound to its handshake unless the configuration allows it.

use core::mem;
use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup, Seed};
use oxtls_crypto::signature::SignatureScheme;

use crate::alert::AlertDescription;
use crate::authentication::{self, ClaimedPeer, ProvedPeer};
use crate::config::{ClientAuth, Common, Credential, Randomness, ServerHandshake};
use crate::defaults;
use crate::error::Error;
use crate::machine::{FinishedVerified, Incoming, Out, PeerVerified, WRONG_ANSWER};
use crate::message::HandshakeType;
use crate::message::certificate_verify::CertificateVerify;
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::tls12::{
    certificate, certificate_request, certificate_status, client_key_exchange, server_hello_done,
    server_key_exchange,
};
use crate::need::{AnswerKind, ChooseCredential, NameToVerify, Need, SealTicket, Sign, VerifyPeer};
use crate::outcome::{Outcome, PeerCertificates};
use crate::post_handshake::PostHandshake;
use crate::server::drawn::Drawn;
use crate::server::in_common::InCommon;
use crate::server::peer::Client;
use crate::server::tls12_hello::{Connection, Full, Says, Secrets, read_mode};
use crate::server::tls12_session::{self, Keeping};
use crate::server::{State, negotiate, tls12_resumed};
use crate::session::Session;
use crate::step::{ApplicationData, Direction, Level};
use crate::suite::{Authentication, ProtocolVersion, Tls12Suite};

type Result<T> = core::result::Result<T, Error>;

/// What a TLS 1.2 server waits for.
#[derive(Debug, Default)]
pub(super) enum Due {
    /// Nothing: the handshake is done, or a step is under way.
    #[default]
    Over,
    /// FindSession is out; nothing has been sent. Is the session known by a ticket?
    Session(bool),
    /// AcceptSession is out; nothing has been sent.
    Acceptance(tls12_resumed::Found),
    /// A session is resumed and SealTicket is out; ServerHello has been sent.
    Renewal(Client),
    /// A session is resumed, our flight is out, and the client's next record must change its key.
    ResumedChangeCipherSpec(Client),
    /// A session is resumed: the client's last message.
    ResumedFinished(Client),
    /// ChooseCredential is out; nothing has been sent.
    Credential(Negotiated),
    /// Sign is out; ServerHello to CertificateStatus have been sent. With ServerECDHParams.
    Signature(Vec<u8>),
    /// Our flight is out and a certificate was asked for.
    Certificate,
    /// The client's public key is due.
    KeyExchange(Option<Box<ClaimedPeer>>),
    /// The client sent certificates.
    CertificateVerify(Box<ClaimedPeer>),
    /// VerifyPeer is out.
    Verdict(ProvedPeer),
    /// The client's next record must change its key.
    ChangeCipherSpec(Client),
    /// The client's last message.
    Finished(Client),
    /// SealTicket is out; the client's Finished has verified.
    Ticket(Client, FinishedVerified),
}

/// Before our flight.
#[derive(Debug)]
pub(super) struct Negotiated {
    group: NamedGroup,
    schemes: Vec<SignatureScheme>,
}

impl Connection {
    /// The client's messages, in their order; what is due next.
    pub(super) fn message(&mut self, due: Due, message: Incoming<'_>, out: &mut Out) -> Result<Due> {
        match due {
            Due::Certificate => self.client_certificate(&message),
            Due::KeyExchange(peer) => self.client_key_exchange(peer, &message, out),
            Due::CertificateVerify(peer) => self.certificate_verify(*peer, &message, out),
            Due::ChangeCipherSpec(_) | Due::ResumedChangeCipherSpec(_) => {
                Err(message.unexpected("ChangeCipherSpec"))
            }
            Due::Finished(client) => self.finished(client, &message, out),
            Due::ResumedFinished(client) => self.resumed_finished(client, &message, out),
            Due::Session(..)
            | Due::Acceptance(_)
            | Due::Renewal(_)
            | Due::Credential(_)
            | Due::Signature(_)
            | Due::Verdict(_)
            | Due::Ticket(..)
            | Due::Over => Err(message.unexpected("the answer to a Need")),
        }
    }

    /// The client's ChangeCipherSpec: good at one place only. One that came earlier would have keys used that were
    /// made from nothing but public values.
    pub(super) fn change_cipher_spec(&mut self, due: Due, more: bool, out: &mut Out) -> Result<Due> {
        // Part of a message that was begun in the clear must not be ended under the key.
        let next = match due {
            Due::ChangeCipherSpec(client) if !more => Due::Finished(client),
            Due::ResumedChangeCipherSpec(client) if !more => Due::ResumedFinished(client),
            _ => return Err(Error::UnexpectedChangeCipherSpec),
        };
        out.keys_tls12(Direction::Read, self.suite.suite, self.secrets.agreed()?.client_key());
        out.read(read_mode(ApplicationData::Refuse, defaults::MAX_SHORT_MESSAGE));
        Ok(next)
    }

    /// The outside's answers, in their order; what is due next.
    pub(super) fn answer(&mut self, due: Due, answer: AnswerKind, out: &mut Out) -> Result<Due> {
        match (due, answer) {
            (Due::Session(by_ticket), AnswerKind::Session(found)) => self.found(by_ticket, found, out),
            (Due::Acceptance(found), AnswerKind::Accept(answer)) => self.accepted(found, answer, out),
            (Due::Renewal(client), AnswerKind::Ticket { ticket, lifetime }) => {
                self.renewed_ticket(client, ticket, lifetime, out)
            }
            (Due::Credential(negotiated), AnswerKind::Credential(choice)) => {
                self.server_hello_to_certificate_status(negotiated, choice, out)
            }
            (Due::Signature(params), AnswerKind::Signature(signature)) => {
                self.server_key_exchange_to_done(&params, &signature, out)
            }
            (Due::Verdict(peer), answer) => {
                let proof = PeerVerified::from_answer(&answer)?;
                Ok(Due::ChangeCipherSpec(Client::Verified(peer, proof)))
            }
            (Due::Ticket(client, proof), AnswerKind::Ticket { ticket, lifetime }) => {
                // NewSessionTicket is part of the handshake here.
                self.new_session_ticket(ticket, lifetime, out)?;
                self.our_finished((client, proof), None, out)
            }
            _ => Err(WRONG_ANSWER),
        }
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
    let offer = tls12_resumed::offer(&config, parsed);
    let connection = Connection::new(config, now, (hello, parsed), suites, alpn)?;
    let due = match offer {
        Some(offer) => tls12_resumed::ask(&connection, offer, out)?,
        None => connection.ask_for_credential(parsed, out)?,
    };
    Ok(State::Tls12(connection, due))
}

/// The suite: the credential has chosen it.
fn suite_of(scheme: SignatureScheme, suites: &InCommon<Tls12Suite>) -> Result<Tls12Suite> {
    suites
        .iter()
        .find(|suite| Some(suite.authentication) == Authentication::of(scheme))
        .ok_or(Error::Internal("schemes are of suites in common"))
}

impl Connection {
    /// A full handshake: everything is chosen but the suite, which depends on the credential.
    pub(super) fn ask_for_credential(&self, hello: &ClientHello<'_>, out: &mut Out) -> Result<Due> {
        let group = negotiate::group_tls12(&self.config, hello)?;
        let schemes = negotiate::schemes_tls12(hello, &self.messages.hello()?.suites)?;
        let request = negotiate::credential_request(ProtocolVersion::TLS1_2, hello, schemes.clone());
        out.ask(|serial| Need::ChooseCredential(ChooseCredential { request, serial }));
        Ok(Due::Credential(Negotiated { group, schemes }))
    }

    /// ServerHello, Certificate, CertificateStatus: all that needs no signature.
    fn server_hello_to_certificate_status(
        &mut self,
        negotiated: Negotiated,
        choice: Option<(Arc<Credential>, SignatureScheme)>,
        out: &mut Out,
    ) -> Result<Due> {
        let Negotiated { group, schemes } = negotiated;
        let Some((credential, scheme)) = choice else {
            return Err(Error::NoCommonSignatureScheme { peer: schemes.into() });
        };
        authentication::check_choice(&credential, scheme, schemes.contains(&scheme))?;
        let suite = suite_of(scheme, &self.messages.hello()?.suites)?;
        let Drawn { random, session_id, seed } = Drawn::new(&self.config.common)?;
        let session = Keeping::of(&self.config, &self.asked, &session_id);
        let hello = self.begin(suite, random)?;
        self.keep_messages(&hello);
        let common = &self.config.common;
        out.read(read_mode(
            ApplicationData::Refuse,
            match self.config.client_auth {
                ClientAuth::None => defaults::MAX_SHORT_MESSAGE,
                _ => common.max_message,
            },
        ));
        self.limits(out);
        let exchange = key_exchange(common, group, seed)?;
        let params = server_key_exchange::params(group, exchange.share())?;
        self.secrets = Secrets::Ours(exchange);
        let (session_id, ticket) = session.said();
        self.server_hello(Says { session_id, ticket, credential: Some(&credential) }, out)?;
        self.send(out, |w| certificate::write(w, &credential.chain))?;
        if let Some(response) = credential.ocsp.as_deref().filter(|_| self.asked.status_request) {
            self.send(out, |w| certificate_status::write(w, response))?;
        }
        let message = server_key_exchange::signed_content(&self.client_random, &self.server_random, &params);
        self.full = Some(Full { group, credential: Arc::clone(&credential), scheme, session });
        out.ask(|serial| Need::Sign(Sign { scheme, message, credential, serial }));
        Ok(Due::Signature(params))
    }

    /// ServerKeyExchange, CertificateRequest, ServerHelloDone.
    fn server_key_exchange_to_done(&mut self, params: &[u8], signature: &[u8], out: &mut Out) -> Result<Due> {
        if signature.is_empty() {
            return Err(Error::SigningFailed(None));
        }
        let scheme = self.full()?.scheme;
        self.send(out, |w| server_key_exchange::write(w, params, scheme, signature))?;
        let asks = self.config.client_auth != ClientAuth::None;
        if asks {
            let schemes = negotiate::client_schemes_tls12(&self.config.common);
            let config = Arc::clone(&self.config);
            self.send(out, |w| certificate_request::write(w, &schemes, &config.authorities))?;
        }
        self.send(out, server_hello_done::write)?;
        Ok(if asks { Due::Certificate } else { Due::KeyExchange(None) })
    }

    /// What the client says it is. It may say nothing where the configuration allows it.
    fn client_certificate(&mut self, message: &Incoming<'_>) -> Result<Due> {
        let body = message.expect(HandshakeType::CERTIFICATE, Level::Initial, "Certificate")?;
        let chain = certificate::parse(body, self.config.common.max_chain)?;
        self.add(message)?;
        let Some(chain) = chain else {
            return if self.config.client_auth == ClientAuth::Required {
                Err(Error::CertificateRequired { alert: AlertDescription::HANDSHAKE_FAILURE })
            } else {
                self.unhashed = None;
                Ok(Due::KeyExchange(None))
            };
        };
        let peer = ClaimedPeer::new(PeerCertificates { chain, ocsp: None, scts: None })?;
        if !negotiate::takes_curve(&self.config.common, peer.key_algorithm()) {
            return Err(Error::IllegalParameter { what: "a certificate on a curve that is not taken" });
        }
        Ok(Due::KeyExchange(Some(Box::new(peer))))
    }

    /// The client's public key, and with it all secrets.
    fn client_key_exchange(
        &mut self,
        peer: Option<Box<ClaimedPeer>>,
        message: &Incoming<'_>,
        out: &mut Out,
    ) -> Result<Due> {
        let body = message.expect(HandshakeType::CLIENT_KEY_EXCHANGE, Level::Initial, "ClientKeyExchange")?;
        if peer.is_none() {
            // Nothing but ChangeCipherSpec can follow.
            message.must_end_its_record()?;
        }
        let Secrets::Ours(exchange) = mem::replace(&mut self.secrets, Secrets::Nothing) else {
            return Err(Error::Internal("our half of the key exchange is made before the client's"));
        };
        let premaster = exchange.finish(client_key_exchange::parse(body)?).map_err(|error| match error {
            oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(error),
            error => Error::Crypto(error),
        })?;
        self.add(message)?;
        let master = self.master_secret(&premaster)?;
        self.agree(master, out)?;
        Ok(match peer {
            Some(peer) => Due::CertificateVerify(peer),
            None => Due::ChangeCipherSpec(Client::Anonymous),
        })
    }

    /// Proof of possession first, then the question who it is.
    fn certificate_verify(
        &mut self,
        peer: ClaimedPeer,
        message: &Incoming<'_>,
        out: &mut Out,
    ) -> Result<Due> {
        let due = "CertificateVerify";
        let body = message.expect(HandshakeType::CERTIFICATE_VERIFY, Level::Initial, due)?;
        message.must_end_its_record()?;
        let CertificateVerify { algorithm, signature } = CertificateVerify::parse(body)?;
        let offered = negotiate::client_schemes_tls12(&self.config.common);
        let messages = self.unhashed.take().ok_or(Error::Internal("the messages are kept until here"))?;
        let peer = peer.prove_tls12(algorithm, signature, &offered, messages.bytes())?;
        self.messages.transcript()?.add(message.encoded());
        let certificates = peer.certificates.clone();
        out.ask(|serial| {
            Need::VerifyPeer(VerifyPeer {
                peer: certificates,
                resumed: false,
                name: NameToVerify::Configured,
                serial,
            })
        });
        Ok(Due::Verdict(peer))
    }

    /// The client's Finished, and ours behind it, unless a ticket comes between.
    fn finished(&mut self, client: Client, message: &Incoming<'_>, out: &mut Out) -> Result<Due> {
        let proof = self.check_finished(message, false)?;
        self.add(message)?;
        let session = match &self.full()?.session {
            Keeping::Nothing => None,
            Keeping::Ticket => {
                let session = Box::new(tls12_session::session(self, &client, message.now)?);
                out.ask(|serial| Need::SealTicket(SealTicket { session, serial }));
                return Ok(Due::Ticket(client, proof));
            }
            Keeping::Id(id) if id.is_empty() => None,
            Keeping::Id(id) => Some(Box::new(Session {
                session_id: id.clone(),
                ..tls12_session::session(self, &client, message.now)?
            })),
        };
        self.our_finished((client, proof), session, out)
    }

    /// Our ChangeCipherSpec and Finished, and Done.
    fn our_finished(
        &mut self,
        (client, proof): (Client, FinishedVerified),
        session: Option<Box<Session>>,
        out: &mut Out,
    ) -> Result<Due> {
        self.change_cipher_spec_and_finished(out)?;
        out.read(read_mode(ApplicationData::Accept, defaults::MAX_SHORT_MESSAGE));
        let full = self.full()?;
        let (group, scheme, credential) = (full.group, full.scheme, Arc::clone(&full.credential));
        let outcome = Outcome {
            group: Some(group),
            signature_scheme: Some(scheme),
            credential: Some(credential),
            session,
            ..self.outcome(client)?
        };
        out.done(proof, outcome, PostHandshake::server_tls12());
        Ok(Due::Over)
    }
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
