//! A TLS 1.2 session that is resumed, by its ID or by its ticket: found by the outside, accepted by it, and the
//! abbreviated handshake (RFC 5246 section 7.3, RFC 5077, RFC 7627 section 5.3).
//!
//! The client shows that it has the session's secret by its Finished, which comes last here.

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::aead::{AeadKey, FixedIv};

use crate::config::ServerHandshake;
use crate::defaults;
use crate::error::Error;
use crate::key_schedule::key_log;
use crate::key_schedule::tls12::{KeyBlock, MasterSecret, Sender, VERIFY_DATA_LEN};
use crate::machine::{FinishedVerified, Incoming, Out, SessionAccepted};
use crate::message::client_hello::ClientHello;
use crate::message::tls12::finished;
use crate::message::tls12::new_session_ticket::NewSessionTicket;
use crate::message::{HEADER_LEN, HandshakeType};
use crate::need::{AcceptSession, AcceptedSession, FindSession, Need, Offered, SealTicket, SessionOffer};
use crate::post_handshake::PostHandshake;
use crate::server::drawn::Drawn;
use crate::server::peer::Client;
use crate::server::psk::shows_enough;
use crate::server::tls12::{self, State};
use crate::server::tls12_hello::{Chosen, Connection, Says, read_mode};
use crate::server::tls12_session;
use crate::session::{Psk, Session};
use crate::step::{ApplicationData, Direction, Level};
use crate::suite::{ProtocolVersion, Tls12Suite};

type Result<T> = core::result::Result<T, Error>;

/// Bytes of a Finished.
pub(super) const FINISHED: usize = HEADER_LEN + VERIFY_DATA_LEN;

/// AcceptSession is out.
#[derive(Debug)]
pub(super) struct Found {
    chosen: Box<Chosen>,
    suite: Tls12Suite,
    psk: Arc<Psk>,
}

/// ServerHello has been sent, and both sides know the keys.
#[derive(Debug)]
pub(super) struct Resuming {
    connection: Connection,
    client: Client,
    master: MasterSecret,
    keys: KeyBlock,
    /// When the hello came.
    now: Duration,
}

/// Our Finished has been sent.
#[derive(Debug)]
pub(super) struct Finishing {
    connection: Connection,
    client: Client,
    master: MasterSecret,
}

/// What the hello offers, if sessions are looked for: its ticket, or else its ID. Of a client that sends both, the ID is
/// one that it made itself, to see by its echo whether the ticket was good (RFC 5077 section 3.4).
pub(super) fn offer<'a>(config: &ServerHandshake, hello: &ClientHello<'a>) -> Option<SessionOffer<'a>> {
    if !config.resumption {
        return None;
    }
    match hello.extensions.session_ticket {
        Some(ticket) if config.tls12_tickets && !ticket.is_empty() => {
            (ticket.len() <= defaults::MAX_TICKET).then_some(SessionOffer::Ticket(ticket))
        }
        _ if hello.session_id.is_empty() => None,
        _ => Some(SessionOffer::SessionId(hello.session_id)),
    }
}

/// Asks whether it is known.
pub(super) fn ask(mut chosen: Box<Chosen>, offer: SessionOffer<'_>, out: &mut Out) -> Result<State> {
    let first = chosen.suites.first().ok_or(Error::Internal("there is a suite in common"))?;
    chosen.by_ticket = matches!(offer, SessionOffer::Ticket(_));
    let offered = match offer {
        SessionOffer::Ticket(ticket) => Offered::Ticket(chosen.hello.part(ticket)?),
        SessionOffer::SessionId(id) => Offered::SessionId(chosen.hello.part(id)?),
        SessionOffer::PskIdentity { .. } => return Err(Error::Internal("TLS 1.2 has no PSK identities")),
    };
    let (hello, hash) = (chosen.hello.clone(), first.hash);
    out.ask(|serial| Need::FindSession(FindSession { hash, hello, offered, serial }));
    Ok(State::Session(chosen))
}

/// It is known, or not.
pub(super) fn found(chosen: Box<Chosen>, found: Option<(usize, Psk)>, out: &mut Out) -> Result<State> {
    let Some((0, psk)) = found else { return full(chosen, out) };
    let Some(suite) = usable_suite(&psk, &chosen) else { return full(chosen, out) };
    // Who takes the extension out of a hello wants a session to be used without what makes it safe (RFC 7627 section
    // 5.3).
    let bound = psk.session().is_some_and(|session| session.extended_master_secret);
    if bound && !chosen.asked.extended_master_secret {
        return Err(Error::NoExtendedMasterSecret);
    }
    let psk = Arc::new(psk);
    let asked = Arc::clone(&psk);
    out.ask(|serial| {
        Need::AcceptSession(AcceptSession { psk: asked, early_data: None, age_skew: 0, serial })
    });
    Ok(State::Acceptance(Found { chosen, suite, psk }))
}

/// No session is resumed.
fn full(chosen: Box<Chosen>, out: &mut Out) -> Result<State> {
    let hello = chosen.hello.clone();
    tls12::ask_for_credential(chosen, &hello.parse()?, out)
}

/// The suite of a session that this connection can be made with: one still on offer and still taken here, under the
/// same name (RFC 6066 section 3), in its time.
fn usable_suite(psk: &Psk, chosen: &Chosen) -> Option<Tls12Suite> {
    let Psk::Session(session) = psk else { return None };
    let asked = &chosen.asked;
    let suite = chosen.suites.iter().find(|suite| suite.suite == session.suite);
    // A session that is not bound to its handshake may be one of two connections that somebody between has made share a
    // secret: not resumed, unless the configuration wants it, and never by a client that could make a new one that is
    // bound (RFC 7627 section 5.3).
    let unbound = !asked.extended_master_secret
        && session.peer.is_none()
        && tls12_session::resumes_unbound(&chosen.config);
    let usable = session.version == ProtocolVersion::TLS1_2
        && (session.extended_master_secret || unbound)
        && session.is_of_same_name(asked.server_name.as_deref())
        && session.is_usable_at(chosen.now)
        && shows_enough(session, &chosen.config);
    suite.filter(|_| usable)
}

impl Found {
    /// The session is resumed, or its client goes to a full handshake.
    pub(super) fn accepted(self, answer: AcceptedSession, out: &mut Out) -> Result<State> {
        match (SessionAccepted::from_answer(answer), answer) {
            (Some(accepted), AcceptedSession::Resume { renew, .. }) => {
                self.server_hello(accepted, renew, out)
            }
            _ => full(self.chosen, out),
        }
    }

    /// ServerHello, with the client's own ID, and the keys. A client that came by its ticket is given a new one, if the
    /// outside wants that.
    fn server_hello(self, accepted: SessionAccepted, renew: bool, out: &mut Out) -> Result<State> {
        let Self { chosen, suite, psk } = self;
        let Psk::Session(session) = &*psk else { return Err(Error::Internal("TLS 1.2 has sessions only")) };
        let (hello, now) = (chosen.hello.clone(), chosen.now);
        let ticket = renew && chosen.by_ticket;
        let Drawn { random, .. } = Drawn::new(&chosen.config.common)?;
        let mut connection = Connection::new(*chosen, suite, random);
        let says = Says { session_id: hello.session_id(), ticket, credential: None };
        connection.server_hello(says, out)?;
        out.read(read_mode(ApplicationData::Refuse, defaults::MAX_SHORT_MESSAGE));
        connection.limits(out);
        let master = MasterSecret::resumed(suite.hash, &session.secret)?;
        out.key_log(key_log::CLIENT_RANDOM, master.secret());
        let keys = master.key_block(suite, &connection.client_random, &connection.server_random)?;
        let renewed = ticket.then(|| renewed(session, &connection));
        let client = Client::Resumed(psk, accepted);
        let resuming = Resuming { connection, client, master, keys, now };
        match renewed {
            None => resuming.change_cipher_spec_and_finished(out),
            Some(session) => {
                let session = Box::new(session);
                out.ask(|serial| Need::SealTicket(SealTicket { session, serial }));
                Ok(State::Renewal(Box::new(resuming)))
            }
        }
    }
}

/// The session for a new ticket: the same secret, and so the same end. What was accepted of the peer, and when, stays.
fn renewed(session: &Session, connection: &Connection) -> Session {
    Session {
        version: session.version,
        suite: session.suite,
        secret: session.secret.duplicate(),
        ticket: Vec::new(),
        session_id: Vec::new(),
        server_name: session.server_name.clone(),
        alpn: connection.alpn.clone(),
        peer: session.peer.clone(),
        made_at: session.made_at,
        lifetime: session.lifetime,
        verified_at: session.verified_at,
        age_add: session.age_add,
        max_early_data: session.max_early_data,
        extended_master_secret: session.extended_master_secret,
        resumption_across_names: false,
        policy: session.policy,
        expires_at: session.expires_at,
        guard: session.guard,
        context: session.context.clone(),
    }
}

impl Resuming {
    /// NewSessionTicket, then the rest of our flight. `lifetime`: from when the session was made.
    pub(super) fn new_session_ticket(
        mut self,
        ticket: Option<Vec<u8>>,
        lifetime: Duration,
        out: &mut Out,
    ) -> Result<State> {
        let end = match &self.client {
            Client::Resumed(psk, _) => match &**psk {
                Psk::Session(session) => session.made_at.saturating_add(lifetime),
                Psk::External { .. } => Duration::ZERO,
            },
            _ => Duration::ZERO,
        };
        new_session_ticket(&mut self.connection, ticket, end.saturating_sub(self.now), out)?;
        self.change_cipher_spec_and_finished(out)
    }

    fn change_cipher_spec_and_finished(self, out: &mut Out) -> Result<State> {
        let Self { mut connection, client, master, keys, .. } = self;
        out.change_cipher_spec(connection.suite.suite, keys.server);
        let verify_data = master.verify_data(Sender::Server, &connection.transcript.current());
        connection.hash(out.message(Level::Application, FINISHED, |w| finished::write(w, &verify_data))?);
        let finishing = Box::new(Finishing { connection, client, master });
        Ok(State::ResumedChangeCipherSpec(finishing, keys.client))
    }
}

/// NewSessionTicket (RFC 5077 section 3.3); an empty ticket says that there is none after all.
pub(super) fn new_session_ticket(
    connection: &mut Connection,
    ticket: Option<Vec<u8>>,
    lifetime: Duration,
    out: &mut Out,
) -> Result<()> {
    let ticket = ticket.unwrap_or_default();
    let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
    let lifetime_hint = if ticket.is_empty() { 0 } else { seconds.max(1) };
    connection.send(out, |w| NewSessionTicket { lifetime_hint, ticket: &ticket }.write(w))
}

impl Finishing {
    /// The client's ChangeCipherSpec.
    pub(super) fn change_cipher_spec(self: Box<Self>, key: (AeadKey, FixedIv), out: &mut Out) -> State {
        out.keys_tls12(Direction::Read, self.connection.suite.suite, key);
        out.read(read_mode(ApplicationData::Refuse, defaults::MAX_SHORT_MESSAGE));
        State::ResumedFinished(self)
    }

    /// The client's Finished, which shows that it has the session's secret, and Done.
    pub(super) fn finished(self, message: Incoming<'_>, out: &mut Out) -> Result<()> {
        let body = message.expect(HandshakeType::FINISHED, Level::Application, "Finished")?;
        let Self { mut connection, client, master } = self;
        let transcript = connection.transcript.current();
        let proof = FinishedVerified::check_tls12(&master, Sender::Client, &transcript, body)?;
        out.read(read_mode(ApplicationData::Accept, defaults::MAX_SHORT_MESSAGE));
        out.done(proof, connection.outcome(client, &master), PostHandshake::server_tls12());
        Ok(())
    }
}
