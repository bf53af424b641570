//! Sessions in the caller's hands: offered by a client, judged, sealed and sent by a server.

use std::sync::Arc;

use oxtls_handshake::need::AcceptSession;
use oxtls_handshake::post_handshake::NewTicket;
use oxtls_handshake::session::Psk;
use pki_types::ServerName;

use super::role::{Client, Server, Settled};
use super::{Connection, Event, Role, SealError};
use crate::config::{ClientConfig, ConfigError};
use crate::error::{Error, ErrorKind};
use crate::resumption::{ClientSession, SessionRefusal, host};

impl Connection<Client> {
    /// As [`new`](Self::new), and offers this session instead of one that the configuration keeps. It is
    /// [checked](ClientSession::check) first, as if it came from a stranger: if it does not pass, the handshake is a full
    /// one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_session(
        config: &ClientConfig,
        name: ServerName<'static>,
        session: ClientSession,
    ) -> Result<Self, ConfigError> {
        let offered = session.judge(config, &name).ok();
        let offered = offered.map(|ends| (Arc::new(Psk::Session(session.0)), ends));
        let config = config.inner();
        let (host, now) = (host(&name), config.settings.clock.now());
        let mut role = Client::new(config, name, &host);
        role.offer(offered);
        Self::start(role, host, now)
    }

    /// The oldest session that waits to be taken; see
    /// [`hand_out_sessions`](crate::ClientConfigBuilder::hand_out_sessions). In TLS 1.2 it waits with
    /// [`HandshakeDone`](Event::HandshakeDone), in TLS 1.3 from [`SessionReceived`](Event::SessionReceived) on; eight at
    /// most wait, then the oldest is dropped.
    pub fn take_session(&mut self) -> Option<ClientSession> {
        self.receive.take_session()
    }
}

impl ClientSession {
    /// Whether it may be offered to the server of this name under this configuration: of the same credentials and
    /// context, within its time, and with a chain that holds under what the configuration trusts now. Nothing that the
    /// session says of itself is believed but its secret; where the caller verifies servers
    /// ([`VerifyPeer`](crate::Decision::VerifyPeer)), the caller is.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, config: &ClientConfig, name: &ServerName<'_>) -> Result<(), SessionRefusal> {
        self.judge(config, name).map(drop)
    }

    fn judge(
        &self,
        config: &ClientConfig,
        name: &ServerName<'_>,
    ) -> Result<Option<std::time::Duration>, SessionRefusal> {
        let config = config.inner();
        let resumption = config.resumption.as_ref().ok_or(SessionRefusal::Disabled)?;
        resumption.check_loaded(&self.0, name, config.judge(), config.settings.clock.now())
    }
}

impl Connection<Server> {
    /// Answers [`Need::AcceptSession`](crate::Need::AcceptSession) as the configuration would, but for early data:
    /// `early_data` is the verdict of a replay guard that the caller has asked about
    /// [`AcceptSession::early_data`], and counts only where the ticket names that guard
    /// ([`early_data_judged_elsewhere`](crate::Resumption::early_data_judged_elsewhere)).
    ///
    /// # Errors
    /// As [`answer`](Self::answer); [`ErrorKind::Misuse`] for a pre-shared key that is no session.
    pub fn accept_session(&mut self, token: AcceptSession, early_data: bool) -> Result<Option<Event>, Error> {
        let Some(handshaking) = self.handshaking.as_mut() else {
            return Err(Error::new(ErrorKind::Misuse("the handshake is over")));
        };
        match handshaking.role.accept(token, Some(early_data)) {
            Settled::Answer(answer) => self.answer(answer),
            Settled::Ask(_) => {
                Err(Error::new(ErrorKind::Misuse("the configuration cannot judge an external key")))
            }
        }
    }

    /// The tickets of TLS 1.3 that wait to be sealed by the caller, once the handshake is done; empty unless
    /// [`SealTicket`](crate::Decision::SealTicket) is asked of it. Seal each [session](NewTicket::session) at leisure, in
    /// any thread (its policy, expiry and guard are filled in), and [send](Self::send_ticket) it; a ticket that is dropped
    /// harms nothing.
    pub fn take_tickets(&mut self) -> Vec<NewTicket> {
        self.rare.as_mut().map(|rare| std::mem::take(&mut rare.tickets)).unwrap_or_default()
    }
}

impl<R: Role> Connection<R> {
    /// Sends a ticket that the caller has sealed, or the key that its session is stored under: `sealed` has 1 to 65,535
    /// bytes.
    ///
    /// # Errors
    /// [`SealError::BadTicket`] for another length; this side has closed, or the connection has failed.
    pub fn send_ticket(&mut self, ticket: NewTicket, sealed: &[u8]) -> Result<(), SealError> {
        self.send.ticket(ticket, sealed)
    }
}
