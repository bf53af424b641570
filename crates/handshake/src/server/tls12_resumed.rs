//! A TLS 1.2 session that is resumed, by its ID or by its ticket: found by the outside, accepted by it, and the
//! abbreviated handshake (RFC 5246 section 7.3, RFC 5077, RFC 7627 section 5.3).
//!
//! The client shows that it has the session's secret by its Finished, which comes last here.

use core::time::Duration;
use std::sync::Arc;

use crate::config::ServerHandshake;
use crate::defaults;
use crate::error::Error;
use crate::key_schedule::tls12::MasterSecret;
use crate::machine::{Incoming, Out, SessionAccepted};
use crate::message::client_hello::ClientHello;
use crate::message::tls12::new_session_ticket::NewSessionTicket;
use crate::need::{AcceptSession, AcceptedSession, FindSession, Need, Offered, SealTicket, SessionOffer};
use crate::post_handshake::PostHandshake;
use crate::server::drawn::Drawn;
use crate::server::peer::Client;
use crate::server::psk::shows_enough;
use crate::server::tls12::Due;
use crate::server::tls12_hello::{Choice, Connection, Says, read_mode};
use crate::server::tls12_session;
use crate::session::{Psk, Session};
use crate::step::ApplicationData;
use crate::suite::{ProtocolVersion, Tls12Suite};

type Result<T> = core::result::Result<T, Error>;

/// AcceptSession is out.
#[derive(Debug)]
pub(super) struct Found {
    suite: Tls12Suite,
    psk: Arc<Psk>,
    by_ticket: bool,
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
pub(super) fn ask(connection: &Connection, offer: SessionOffer<'_>, out: &mut Out) -> Result<Due> {
    let by_ticket = matches!(offer, SessionOffer::Ticket(_));
    let hello = connection.messages.hello()?.hello.clone();
    let offered = match offer {
        SessionOffer::Ticket(ticket) => Offered::Ticket(hello.part(ticket)?),
        SessionOffer::SessionId(id) => Offered::SessionId(hello.part(id)?),
        SessionOffer::PskIdentity { .. } => return Err(Error::Internal("TLS 1.2 has no PSK identities")),
    };
    let hash = connection.suite.hash;
    out.ask(|serial| Need::FindSession(FindSession { hash, hello, offered, serial }));
    Ok(Due::Session(by_ticket))
}

/// The suite of a session that this connection can be made with: one still on offer and still taken here, under the
/// same name (RFC 6066 section 3), in its time.
fn usable_suite(psk: &Psk, connection: &Connection) -> Result<Option<Tls12Suite>> {
    let Psk::Session(session) = psk else { return Ok(None) };
    let Choice { suites, .. } = connection.messages.hello()?;
    let Connection { asked, config, now, .. } = connection;
    let suite = suites.iter().find(|suite| suite.suite == session.suite);
    // A session that is not bound to its handshake may be one of two connections that somebody between has made share a
    // secret: not resumed, unless the configuration wants it, and never by a client that could make a new one that is
    // bound (RFC 7627 section 5.3).
    let unbound =
        !asked.extended_master_secret && session.peer.is_none() && tls12_session::resumes_unbound(config);
    let usable = session.version == ProtocolVersion::TLS1_2
        && (session.extended_master_secret || unbound)
        && session.is_of_same_name(asked.server_name.as_deref())
        && session.is_usable_at(*now)
        && shows_enough(session, config);
    Ok(suite.filter(|_| usable))
}

impl Connection {
    /// It is known, or not.
    pub(super) fn found(
        &mut self,
        by_ticket: bool,
        found: Option<(usize, Psk)>,
        out: &mut Out,
    ) -> Result<Due> {
        let Some((0, psk)) = found else { return self.not_resumed(out) };
        let Some(suite) = usable_suite(&psk, self)? else { return self.not_resumed(out) };
        // Who takes the extension out of a hello wants a session to be used without what makes it safe (RFC 7627 section
        // 5.3).
        let bound = psk.session().is_some_and(|session| session.extended_master_secret);
        if bound && !self.asked.extended_master_secret {
            return Err(Error::NoExtendedMasterSecret);
        }
        let psk = Arc::new(psk);
        let asked = Arc::clone(&psk);
        out.ask(|serial| {
            Need::AcceptSession(AcceptSession { psk: asked, early_data: None, age_skew: 0, serial })
        });
        Ok(Due::Acceptance(Found { suite, psk, by_ticket }))
    }

    /// No session is resumed.
    fn not_resumed(&self, out: &mut Out) -> Result<Due> {
        let hello = self.messages.hello()?.hello.clone();
        self.ask_for_credential(&hello.parse()?, out)
    }

    /// The session is resumed, or its client goes to a full handshake.
    pub(super) fn accepted(&mut self, found: Found, answer: AcceptedSession, out: &mut Out) -> Result<Due> {
        match (SessionAccepted::from_answer(answer), answer) {
            (Some(accepted), AcceptedSession::Resume { renew, .. }) => {
                self.server_hello_resumed(found, accepted, renew, out)
            }
            _ => self.not_resumed(out),
        }
    }

    /// ServerHello, with the client's own ID, and the keys. A client that came by its ticket is given a new one, if the
    /// outside wants that.
    fn server_hello_resumed(
        &mut self,
        found: Found,
        accepted: SessionAccepted,
        renew: bool,
        out: &mut Out,
    ) -> Result<Due> {
        let Found { suite, psk, by_ticket } = found;
        let Psk::Session(session) = &*psk else { return Err(Error::Internal("TLS 1.2 has sessions only")) };
        let ticket = renew && by_ticket;
        let Drawn { random, .. } = Drawn::new(&self.config.common)?;
        let hello = self.begin(suite, random)?;
        self.server_hello(Says { session_id: hello.session_id(), ticket, credential: None }, out)?;
        // Nothing asks for it any more, and the keys take room of their own.
        drop(hello);
        out.read(read_mode(ApplicationData::Refuse, defaults::MAX_SHORT_MESSAGE));
        self.limits(out);
        self.agree(MasterSecret::resumed(suite.hash, &session.secret)?, out)?;
        if ticket {
            let session = Box::new(renewed(session, self));
            out.ask(|serial| Need::SealTicket(SealTicket { session, serial }));
            return Ok(Due::Renewal(Client::Resumed(psk, accepted)));
        }
        self.our_resumed_finished(Client::Resumed(psk, accepted), out)
    }

    /// NewSessionTicket, then the rest of our flight. `lifetime`: from when the session was made.
    pub(super) fn renewed_ticket(
        &mut self,
        client: Client,
        ticket: Option<Vec<u8>>,
        lifetime: Duration,
        out: &mut Out,
    ) -> Result<Due> {
        let end = match &client {
            Client::Resumed(psk, _) => match &**psk {
                Psk::Session(session) => session.made_at.saturating_add(lifetime),
                Psk::External { .. } => Duration::ZERO,
            },
            _ => Duration::ZERO,
        };
        self.new_session_ticket(ticket, end.saturating_sub(self.now), out)?;
        self.our_resumed_finished(client, out)
    }

    /// Ours comes first here.
    fn our_resumed_finished(&mut self, client: Client, out: &mut Out) -> Result<Due> {
        self.change_cipher_spec_and_finished(out)?;
        Ok(Due::ResumedChangeCipherSpec(client))
    }

    /// The client's Finished, which shows that it has the session's secret, and Done.
    pub(super) fn resumed_finished(
        &mut self,
        client: Client,
        message: &Incoming<'_>,
        out: &mut Out,
    ) -> Result<Due> {
        let proof = self.check_finished(message, true)?;
        out.read(read_mode(ApplicationData::Accept, defaults::MAX_SHORT_MESSAGE));
        out.done(proof, self.outcome(client)?, PostHandshake::server_tls12());
        Ok(Due::Over)
    }

    /// NewSessionTicket (RFC 5077 section 3.3); an empty ticket says that there is none after all.
    pub(super) fn new_session_ticket(
        &mut self,
        ticket: Option<Vec<u8>>,
        lifetime: Duration,
        out: &mut Out,
    ) -> Result<()> {
        let ticket = ticket.unwrap_or_default();
        let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        let lifetime_hint = if ticket.is_empty() { 0 } else { seconds.max(1) };
        self.send(out, |w| NewSessionTicket { lifetime_hint, ticket: &ticket }.write(w))
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
