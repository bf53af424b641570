//! A server's tickets (RFC 9846 section 4.7.1).

use core::time::Duration;

use oxtls_crypto::random;

use super::{QUIC_MAX_EARLY_DATA, Resumption};
use crate::defaults;
use crate::error::Error;
use crate::extension::grease::Grease;
use crate::message::new_session_ticket::{MAX_LIFETIME, NewSessionTicket};
use crate::session::Session;

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
    /// None are due yet.
    pub(super) const fn new(resumption: Box<Resumption>, quic: bool) -> Self {
        Self {
            resumption,
            next_nonce: 0,
            due: 0,
            grease: false,
            lifetime: defaults::TICKET_LIFETIME,
            max_early_data: 0,
            resumption_across_names: false,
            quic,
        }
    }

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
