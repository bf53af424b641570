//! After the handshake (RFC 9846 section 4.7): messages that arrive at the reader, tickets that the writer pulls.
//!
//! The two halves need nothing of each other, so that they can live in the two halves of a split connection. Nothing
//! here delays data: what is received is one thing at most, and a ticket is self-contained while it is being sealed.

use core::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::random;
use oxtls_crypto::secret::Secret;

use crate::defaults;
use crate::error::Error;
use crate::extension::grease::Grease;
use crate::key_schedule::tls13;
use crate::message::new_session_ticket::{MAX_LIFETIME, NewSessionTicket};
use crate::message::{Handshake, HandshakeType, hello_request, key_update as key_update_message};
use crate::outcome::{Outcome, PeerCertificates};
use crate::session::{Psk, Session};
use crate::step::Failure;
use crate::suite::{CipherSuite, ProtocolVersion};

/// The only max_early_data_size that QUIC allows (RFC 9001 section 4.6.1).
const QUIC_MAX_EARLY_DATA: u32 = u32::MAX;

/// What goes on after the handshake.
#[derive(Debug)]
pub struct PostHandshake {
    /// For whoever reads.
    pub receive: Receive,
    /// For whoever writes, at a server that may send tickets.
    pub tickets: Option<Tickets>,
}

impl PostHandshake {
    /// A client's part after a TLS 1.3 handshake: tickets are kept if there is a resumption secret. It goes with the time
    /// of the handshake, since the Unix epoch: a server has proved who it is then, whenever its tickets come.
    pub(crate) fn client_tls13(
        outcome: &Outcome,
        hash: Hash,
        resumption: Option<(Secret, Duration)>,
        quic: bool,
    ) -> Self {
        let resumption =
            resumption.map(|(secret, now)| Box::new(Resumption::new(outcome, hash, secret, now)));
        Self { receive: Receive { resumption, role: Role::Client, quic }, tickets: None }
    }

    /// A server's part after a TLS 1.3 handshake: tickets are sent if there is a resumption secret, which goes with the
    /// time of the handshake as at a client.
    pub(crate) fn server_tls13(
        outcome: &Outcome,
        hash: Hash,
        resumption: Option<(Secret, Duration)>,
        quic: bool,
    ) -> Self {
        let tickets = resumption.map(|(secret, now)| Tickets {
            resumption: Box::new(Resumption::new(outcome, hash, secret, now)),
            next_nonce: 0,
            due: 0,
            grease: false,
            lifetime: defaults::TICKET_LIFETIME,
            max_early_data: 0,
            resumption_across_names: false,
            quic,
        });
        Self { receive: Receive { resumption: None, role: Role::Server, quic }, tickets }
    }

    /// A client's part after a TLS 1.2 handshake: it tells requests to renegotiate from what does not belong there.
    pub(crate) const fn client_tls12() -> Self {
        let role = Role::ClientTls12 { hello_requests: 0 };
        Self { receive: Receive { resumption: None, role, quic: false }, tickets: None }
    }

    /// A server's part after a TLS 1.2 handshake, whose tickets are part of the handshake.
    pub(crate) const fn server_tls12() -> Self {
        let role = Role::ServerTls12;
        Self { receive: Receive { resumption: None, role, quic: false }, tickets: None }
    }
}

/// What every session of a connection has in common.
#[derive(Debug)]
struct Resumption {
    hash: Hash,
    secret: Secret,
    suite: CipherSuite,
    server_name: Option<String>,
    alpn: Option<Vec<u8>>,
    peer: Option<PeerCertificates>,
    /// When the handshake was, or of the session that it resumed.
    verified_at: Duration,
}

impl Resumption {
    fn new(outcome: &Outcome, hash: Hash, secret: Secret, now: Duration) -> Self {
        Self {
            hash,
            secret,
            suite: outcome.suite,
            server_name: outcome.server_name.clone(),
            alpn: outcome.alpn.clone(),
            peer: outcome.peer.clone(),
            verified_at: match outcome.psk.as_deref() {
                Some(Psk::Session(session)) => session.verified_at,
                _ => now,
            },
        }
    }

    /// The session of one ticket; its PSK is of this nonce alone.
    fn session(&self, nonce: &[u8], made_at: Duration) -> Result<Session, Error> {
        Ok(Session {
            version: ProtocolVersion::TLS1_3,
            suite: self.suite,
            secret: tls13::resumption_psk(self.hash, &self.secret, nonce)?,
            ticket: Vec::new(),
            session_id: Vec::new(),
            server_name: self.server_name.clone(),
            alpn: self.alpn.clone(),
            peer: self.peer.clone(),
            made_at,
            lifetime: Duration::ZERO,
            verified_at: self.verified_at,
            age_add: 0,
            max_early_data: 0,
            extended_master_secret: false,
            resumption_across_names: false,
            policy: [0; 32],
            expires_at: None,
            guard: None,
            context: Vec::new(),
        })
    }
}

/// Takes the messages that come after the handshake.
#[derive(Debug)]
pub struct Receive {
    /// What a client's sessions are made of; `None`: it keeps no tickets.
    resumption: Option<Box<Resumption>>,
    role: Role,
    quic: bool,
}

#[derive(Debug)]
enum Role {
    Client,
    Server,
    ClientTls12 { hello_requests: u8 },
    ServerTls12,
}

/// What a message after the handshake means. At most one thing each.
#[derive(Debug)]
pub enum Received {
    /// The peer's next record is under its next key; with `reply`, it asks for the same of us.
    KeyUpdate {
        /// The peer asked.
        reply: bool,
    },
    /// A session to resume later.
    StoreSession(Box<Session>),
}

impl Receive {
    /// Keeps no tickets from here on: the resumption secret is erased, and the hold on the peer's chain is gone.
    pub fn keep_no_tickets(&mut self) {
        self.resumption = None;
    }

    /// Holds the peer's certificates here, in an allocation that others share, instead of its own equal ones.
    pub fn share_peer(&mut self, peer: PeerCertificates) {
        if let Some(resumption) = &mut self.resumption
            && resumption.peer.as_ref() == Some(&peer)
        {
            resumption.peer = Some(peer);
        }
    }

    /// Takes one whole message, header included. `more`: handshake bytes follow it in the record that ended it;
    /// `now`: time since the Unix epoch.
    ///
    /// # Errors
    /// A [`Failure`] with the alert to send: [`Error::Malformed`], [`Error::IllegalParameter`],
    /// [`Error::UnexpectedMessage`], [`Error::ExcessHandshakeData`] behind a KeyUpdate, [`Error::QuicViolation`],
    /// [`Error::Renegotiation`] for a second ClientHello in TLS 1.2: the connection ends.
    pub fn message(&mut self, bytes: &[u8], more: bool, now: Duration) -> Result<Option<Received>, Failure> {
        let message = Handshake::parse_exact(bytes)?;
        Ok(match (message.typ, &mut self.role) {
            (_, Role::ClientTls12 { hello_requests }) => {
                client_tls12(&message, hello_requests)?;
                None
            }
            (received, Role::ServerTls12) => return Err(server_tls12(received).into()),
            (HandshakeType::KEY_UPDATE, _) if !self.quic => {
                // What follows would be under the old key and read as if it were under the new one.
                if more {
                    return Err(Error::ExcessHandshakeData { after: message.typ }.into());
                }
                Some(Received::KeyUpdate { reply: key_update_message::parse(message.body)? })
            }
            (HandshakeType::NEW_SESSION_TICKET, Role::Client) => {
                let ticket = NewSessionTicket::parse(message.body)?;
                check_early_data(&ticket, self.quic)?;
                match &self.resumption {
                    Some(resumption)
                        if ticket.lifetime > 0 && ticket.ticket.len() <= defaults::MAX_TICKET =>
                    {
                        Some(Received::StoreSession(Box::new(store(resumption, &ticket, now)?)))
                    }
                    _ => None,
                }
            }
            (received, Role::Client) => {
                let expected = if self.quic { "NewSessionTicket" } else { "NewSessionTicket or KeyUpdate" };
                return Err(Error::UnexpectedMessage { received, expected }.into());
            }
            (received, Role::Server) => {
                let expected = if self.quic { "no handshake message" } else { "KeyUpdate" };
                return Err(Error::UnexpectedMessage { received, expected }.into());
            }
        })
    }
}

fn check_early_data(ticket: &NewSessionTicket<'_>, quic: bool) -> Result<(), Error> {
    if quic && ticket.max_early_data.is_some_and(|size| size != QUIC_MAX_EARLY_DATA) {
        return Err(Error::QuicViolation("max_early_data_size of a ticket is not 0xffffffff"));
    }
    Ok(())
}

/// A TLS 1.2 server may ask for a renegotiation, and a client may ignore it (RFC 5246 section 7.4.1.1).
fn client_tls12(message: &Handshake<'_>, hello_requests: &mut u8) -> Result<(), Error> {
    let unexpected = Error::UnexpectedMessage { received: message.typ, expected: "no handshake message" };
    if message.typ != HandshakeType::HELLO_REQUEST || *hello_requests >= defaults::MAX_HELLO_REQUESTS {
        return Err(unexpected);
    }
    hello_request::parse(message.body)?;
    *hello_requests = hello_requests.saturating_add(1);
    Ok(())
}

/// A TLS 1.2 client may want to renegotiate, which is never done: what was said before and after would be taken for one
/// conversation with one peer.
const fn server_tls12(received: HandshakeType) -> Error {
    match received {
        HandshakeType::CLIENT_HELLO => Error::Renegotiation,
        _ => Error::UnexpectedMessage { received, expected: "no handshake message" },
    }
}

/// What a client remembers of a ticket.
fn store(resumption: &Resumption, ticket: &NewSessionTicket<'_>, now: Duration) -> Result<Session, Error> {
    Ok(Session {
        ticket: ticket.ticket.to_vec(),
        lifetime: Duration::from_secs(ticket.lifetime.min(MAX_LIFETIME).into()),
        age_add: ticket.age_add,
        max_early_data: ticket.max_early_data.unwrap_or_default(),
        resumption_across_names: ticket.resumption_across_names,
        ..resumption.session(ticket.nonce, now)?
    })
}

/// Makes a server's tickets, any time after the handshake and as many as policy says. Dropping it erases the
/// resumption secret.
#[derive(Debug)]
pub struct Tickets {
    resumption: Box<Resumption>,
    next_nonce: u32,
    due: u8,
    grease: bool,
    lifetime: Duration,
    max_early_data: u32,
    resumption_across_names: bool,
    quic: bool,
}

impl Tickets {
    /// Puts an extension that means nothing into every ticket (RFC 8701).
    pub(crate) const fn grease(&mut self, on: bool) {
        self.grease = on;
    }

    /// Says in every ticket that its session is resumed under other names, too.
    pub(crate) const fn resumption_across_names(&mut self, on: bool) {
        self.resumption_across_names = on;
    }

    /// Sets how many the client expects.
    pub(crate) const fn set_due(&mut self, due: u8) {
        self.due = due;
    }

    /// How many tickets are still to be made: as many as the client asked for by ticket_request (RFC 9149), up to
    /// [`max_tickets`](crate::config::ServerHandshake::max_tickets), or [`defaults::TICKETS`]; one less with each
    /// [`next`](Self::next). More may be made: later, say, when those have grown old.
    #[must_use]
    pub const fn due(&self) -> u8 {
        self.due
    }

    /// Sets how long tickets from here on may be used: whole seconds, cut to seven days. The default is
    /// [`defaults::TICKET_LIFETIME`].
    pub fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    /// Sets how much early data tickets from here on allow, plaintext bytes; 0, the default: none. Over QUIC, which
    /// has limits of its own, any other value means that early data is allowed.
    pub fn set_max_early_data(&mut self, max_early_data: u32) {
        self.max_early_data = match max_early_data {
            0 => 0,
            _ if self.quic => QUIC_MAX_EARLY_DATA,
            size => size,
        };
    }

    /// The next ticket, with a PSK, a nonce and a ticket_age_add of its own. `now`: time since the Unix epoch.
    ///
    /// # Errors
    /// [`Error::Crypto`] without randomness; [`Error::Internal`] after 2^32 tickets.
    pub fn next(&mut self, now: Duration) -> Result<NewTicket, Error> {
        self.next_with(random::array().map_err(Error::Crypto)?, now)
    }

    /// The same for a caller that draws what randomness a ticket takes at once. `random`: uniformly random, and used for
    /// nothing else.
    ///
    /// # Errors
    /// [`Error::Internal`] after 2^32 tickets.
    pub fn next_with(&mut self, random: [u8; 8], now: Duration) -> Result<NewTicket, Error> {
        const EXHAUSTED: Error = Error::Internal("no ticket nonce is left");
        let nonce = self.next_nonce;
        self.next_nonce = nonce.checked_add(1).ok_or(EXHAUSTED)?;
        self.due = self.due.saturating_sub(1);
        let nonce = nonce.to_be_bytes();
        let seconds = u32::try_from(self.lifetime.as_secs()).unwrap_or(MAX_LIFETIME).min(MAX_LIFETIME);
        let [a, b, c, d, grease @ ..] = random;
        let session = Session {
            lifetime: Duration::from_secs(seconds.into()),
            age_add: u32::from_be_bytes([a, b, c, d]),
            max_early_data: self.max_early_data,
            resumption_across_names: self.resumption_across_names,
            ..self.resumption.session(&nonce, now)?
        };
        Ok(NewTicket { session, seconds, nonce, grease: self.grease.then(|| Grease::new(grease)) })
    }
}

/// A ticket on its way: seal [`NewTicket::session`] at leisure, in any thread, then send [`NewTicket::message`].
/// Dropping it harms nothing.
#[derive(Debug)]
pub struct NewTicket {
    session: Session,
    seconds: u32,
    nonce: [u8; 4],
    grease: Option<Grease>,
}

impl NewTicket {
    /// What to seal into the ticket, or to store under it.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The same, to fill in what only the outside knows: policy, expiry, replay guard, context.
    pub const fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The whole NewSessionTicket with this ticket (1 to 65,535 bytes), to be sent at the application level.
    ///
    /// # Errors
    /// [`Error::Internal`] if `ticket` is empty, [`Error::TooLong`] if it does not fit.
    pub fn message(self, ticket: &[u8]) -> Result<Vec<u8>, Error> {
        if ticket.is_empty() {
            return Err(Error::Internal("a ticket must not be empty"));
        }
        NewSessionTicket {
            lifetime: self.seconds,
            age_add: self.session.age_add,
            nonce: &self.nonce,
            ticket,
            max_early_data: Some(self.session.max_early_data).filter(|&size| size > 0),
            resumption_across_names: self.session.resumption_across_names,
        }
        .encode_with(self.grease)
    }
}

/// A KeyUpdate to send (RFC 9846 section 4.7.3), the writer's own act: it seals this under its present key and goes on
/// with the next, as one step. `request`: the peer is asked to update its key as well.
#[must_use]
pub const fn key_update(request: bool) -> [u8; 5] {
    key_update_message::encode(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::EchStatus;
    use crate::rfc8448::Trace;

    const NOW: Duration = Duration::from_millis(1_700_000_000_123);

    fn outcome() -> Outcome {
        Outcome {
            version: ProtocolVersion::TLS1_3,
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            group: None,
            extended_master_secret: true,
            alpn: Some(b"h2".to_vec()),
            server_name: Some("example.org".into()),
            peer: None,
            peer_signature_scheme: None,
            signature_scheme: None,
            credential: None,
            psk: None,
            hello_retry_request: false,
            early_data: false,
            ech: EchStatus::NotOffered,
            exporter: None,
            session: None,
        }
    }

    fn secret() -> Option<Secret> {
        Some(Secret::new(Trace::simple().get("tls13 res master")).unwrap())
    }

    /// A minute before the tickets of these tests come.
    const FINISHED: Duration = NOW.saturating_sub(Duration::from_secs(60));

    fn client(quic: bool) -> Receive {
        client_after(&outcome(), quic)
    }

    fn client_after(outcome: &Outcome, quic: bool) -> Receive {
        let secret = secret().map(|secret| (secret, FINISHED));
        PostHandshake::client_tls13(outcome, Hash::Sha256, secret, quic).receive
    }

    fn server(quic: bool) -> PostHandshake {
        PostHandshake::server_tls13(&outcome(), Hash::Sha256, secret().map(|secret| (secret, NOW)), quic)
    }

    fn ticket(lifetime: u32, max_early_data: Option<u32>) -> Vec<u8> {
        NewSessionTicket {
            lifetime,
            age_add: 5,
            nonce: b"n",
            ticket: b"ticket",
            max_early_data,
            resumption_across_names: false,
        }
        .encode()
        .unwrap()
    }

    fn stored(receive: &mut Receive, message: &[u8]) -> Option<Session> {
        match receive.message(message, false, NOW).unwrap() {
            Some(Received::StoreSession(session)) => Some(*session),
            None => None,
            Some(Received::KeyUpdate { .. }) => panic!("not a KeyUpdate"),
        }
    }

    #[test]
    fn ticket_of_rfc8448_becomes_its_session() {
        let trace = Trace::simple();
        let session = stored(&mut client(false), trace.get("server NewSessionTicket")).unwrap();
        assert_eq!(session.secret.as_bytes(), trace.get("tls13 resumption"));
        assert_eq!(session.lifetime, Duration::from_secs(30));
        assert_eq!(session.age_add, 0x933d_0932);
        assert_eq!(session.max_early_data, 1024);
        assert_eq!(session.made_at, NOW);
        assert_eq!(session.verified_at, FINISHED, "not when the ticket came");
        assert_eq!(session.alpn.as_deref(), Some(&b"h2"[..]));
        assert_eq!(session.server_name.as_deref(), Some("example.org"));
        assert_eq!(session.ticket.len(), 178);
    }

    #[test]
    fn both_sides_of_a_ticket_have_the_same_session() {
        let mut tickets = server(false).tickets.unwrap();
        tickets.set_max_early_data(99);
        tickets.resumption_across_names(true);
        let mut receive = client(false);
        let first = tickets.next(NOW).unwrap();
        let second = tickets.next(NOW).unwrap();
        assert_ne!(first.session().secret, second.session().secret, "each ticket has a PSK of its own");
        assert_ne!(first.session().age_add, second.session().age_add);
        for (ticket, sealed) in [(second, &b"two"[..]), (first, b"one")] {
            let theirs = ticket.session().secret.duplicate();
            let age_add = ticket.session().age_add;
            assert_eq!(ticket.session().lifetime, defaults::TICKET_LIFETIME);
            assert_eq!(ticket.session().made_at, NOW);
            let session = stored(&mut receive, &ticket.message(sealed).unwrap()).unwrap();
            assert_eq!(session.secret, theirs);
            assert_eq!(session.age_add, age_add);
            assert_eq!(session.ticket, sealed);
            assert_eq!(session.lifetime, defaults::TICKET_LIFETIME);
            assert_eq!(session.max_early_data, 99);
            assert!(session.resumption_across_names);
        }
    }

    #[test]
    fn lifetime_of_a_ticket_is_at_most_seven_days() {
        let week = Duration::from_secs(604_800);
        assert_eq!(stored(&mut client(false), &ticket(604_801, None)).unwrap().lifetime, week);
        let mut tickets = server(false).tickets.unwrap();
        tickets.set_lifetime(Duration::MAX);
        let ticket = tickets.next(NOW).unwrap();
        assert_eq!(ticket.session().lifetime, week);
        let message = ticket.message(b"t").unwrap();
        assert_eq!(NewSessionTicket::parse(&message[4..]).unwrap().lifetime, 604_800);
    }

    #[test]
    fn ticket_that_is_not_to_be_kept_is_checked_and_dropped() {
        assert!(stored(&mut client(false), &ticket(0, None)).is_none());
        let mut without = PostHandshake::client_tls13(&outcome(), Hash::Sha256, None, false).receive;
        assert!(stored(&mut without, &ticket(1, None)).is_none());
        let longest = vec![7; defaults::MAX_TICKET + 1];
        for (ticket, kept) in [(&longest[1..], true), (&longest, false)] {
            let message = NewSessionTicket {
                lifetime: 1,
                age_add: 5,
                nonce: b"n",
                ticket,
                max_early_data: None,
                resumption_across_names: true,
            };
            let message = message.encode().unwrap();
            assert_eq!(stored(&mut client(false), &message).is_some(), kept);
        }
        let malformed = [HandshakeType::NEW_SESSION_TICKET.0, 0, 0, 1, 0];
        let failure = without.message(&malformed, false, NOW).unwrap_err();
        assert!(matches!(failure.error, Error::Malformed { .. }));
    }

    #[test]
    fn server_without_a_resumption_secret_has_no_tickets() {
        assert!(PostHandshake::server_tls13(&outcome(), Hash::Sha256, None, false).tickets.is_none());
        assert!(PostHandshake::client_tls13(&outcome(), Hash::Sha256, None, false).tickets.is_none());
    }

    #[test]
    fn empty_or_overlong_ticket_is_not_sent() {
        let mut tickets = server(false).tickets.unwrap();
        assert!(matches!(tickets.next(NOW).unwrap().message(b""), Err(Error::Internal(_))));
        assert!(matches!(tickets.next(NOW).unwrap().message(&vec![0; 0x1_0000]), Err(Error::TooLong)));
        tickets.next(NOW).unwrap().message(&vec![0; 0xffff]).unwrap();
    }

    #[test]
    fn early_data_size_over_quic_is_all_or_nothing() {
        for (size, good) in [(None, true), (Some(u32::MAX), true), (Some(0), false), (Some(1), false)] {
            let result = client(true).message(&ticket(1, size), false, NOW);
            match result {
                Ok(Some(Received::StoreSession(session))) => {
                    assert!(good);
                    assert_eq!(session.max_early_data, size.unwrap_or_default());
                }
                Err(Failure { error: Error::QuicViolation(_), .. }) => assert!(!good),
                other => panic!("{other:?}"),
            }
        }
        let mut tickets = server(true).tickets.unwrap();
        tickets.set_max_early_data(1);
        assert_eq!(tickets.next(NOW).unwrap().session().max_early_data, u32::MAX);
        tickets.set_max_early_data(0);
        assert_eq!(tickets.next(NOW).unwrap().session().max_early_data, 0);
    }

    #[test]
    fn key_update_says_whether_a_reply_is_wanted() {
        for receive in [&mut client(false), &mut server(false).receive] {
            for request in [false, true] {
                match receive.message(&key_update(request), false, NOW).unwrap() {
                    Some(Received::KeyUpdate { reply }) => assert_eq!(reply, request),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn key_update_ends_its_record_and_is_zero_or_one() {
        let mut receive = client(false);
        let failure = receive.message(&key_update(false), true, NOW).unwrap_err();
        assert_eq!(failure.alert, crate::alert::AlertDescription::UNEXPECTED_MESSAGE);
        assert!(matches!(failure.error, Error::ExcessHandshakeData { after: HandshakeType::KEY_UPDATE }));
        let failure = receive.message(&[24, 0, 0, 1, 2], false, NOW).unwrap_err();
        assert!(matches!(failure.error, Error::IllegalParameter { .. }));
    }

    #[test]
    fn every_other_message_after_the_handshake_is_unexpected() {
        for (mut receive, ticket_is_due, key_update_is_due) in [
            (client(false), true, true),
            (client(true), true, false),
            (server(false).receive, false, true),
            (server(true).receive, false, false),
        ] {
            for typ in 0..=255 {
                let due = match HandshakeType(typ) {
                    HandshakeType::NEW_SESSION_TICKET => ticket_is_due,
                    HandshakeType::KEY_UPDATE => key_update_is_due,
                    _ => false,
                };
                let failure = receive.message(&[typ, 0, 0, 0], false, NOW).unwrap_err();
                let unexpected = matches!(failure.error, Error::UnexpectedMessage { .. });
                assert_eq!(unexpected, !due, "{typ}: {:?}", failure.error);
            }
        }
    }
}
