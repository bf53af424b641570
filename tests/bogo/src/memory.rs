//! What outlives a connection: ticket keys and stores of a server, the session of a client.

use std::time::Duration;

use oxtls::{ClientSession, Connection, Event, Need, ReplayGuard, Resumption, Role, SealError, Sealed};
use oxtls::{ConfigError, SessionStore, TicketKeys};

use crate::flags::Config;
use crate::tickets::TicketKey;

/// The age skew that the suite lets early data have.
const MAX_AGE_SKEW: Duration = Duration::from_secs(60);

/// Early data that the suite's own servers take.
const MAX_EARLY_DATA: u32 = 14_336;

/// More connections than a test has.
const MANY: usize = 16;

/// What the configurations of a server share.
pub(crate) struct Memory {
    keys: TicketKeys,
    guard: ReplayGuard,
    /// Sessions of TLS 1.2 that go by their IDs.
    pub(crate) ids: SessionStore,
}

impl Memory {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        let guard = ReplayGuard::with_window(MANY, MAX_AGE_SKEW.saturating_mul(2))?;
        Ok(Self { keys: TicketKeys::rotating(), guard, ids: SessionStore::new(MANY) })
    }

    /// How a server resumes. One without tickets takes none either.
    pub(crate) fn resumption(&self, config: &Config) -> Resumption {
        if config.ticket_key.is_some() {
            return Resumption::elsewhere().tls12_tickets(true);
        }
        let no_ticket = config.no_ticket || config.skip_ticket;
        let keys = if no_ticket { TicketKeys::rotating() } else { self.keys.clone() };
        let resumption = Resumption::tickets(keys).tls12_store(self.ids.clone()).tls12_tickets(!no_ticket);
        let resumption = if no_ticket { resumption.most_tickets(0) } else { resumption };
        let resumption = resumption.across_names(config.resumption_across_names_enabled);
        if config.enable_early_data {
            resumption.early_data(self.guard.clone(), MAX_EARLY_DATA).max_age_skew(MAX_AGE_SKEW)
        } else {
            resumption
        }
    }
}

/// A copy of a session, as its bytes.
pub(crate) fn copy(session: &ClientSession) -> Option<ClientSession> {
    session.to_bytes().ok().and_then(|bytes| ClientSession::from_bytes(&bytes).ok())
}

/// What only one of the roles can.
pub(crate) trait Side: Role + Sized {
    /// The newest session, if one came.
    fn take_session(tls: &mut Connection<Self>) -> Option<ClientSession>;
    /// How much early data may be sent now.
    fn early_data_left(tls: &Connection<Self>) -> u32;
    /// Seals early data.
    fn seal_early(tls: &mut Connection<Self>, data: &[u8], out: &mut [u8]) -> Result<Sealed, SealError>;
    /// Sends the tickets that are the shim's to seal.
    fn send_tickets(tls: &mut Connection<Self>, key: TicketKey<'_>) -> Result<(), SealError>;
}

impl Side for oxtls::Client {
    fn take_session(tls: &mut Connection<Self>) -> Option<ClientSession> {
        std::iter::from_fn(|| tls.take_session()).last()
    }

    fn early_data_left(tls: &Connection<Self>) -> u32 {
        tls.early_data_left()
    }

    fn seal_early(tls: &mut Connection<Self>, data: &[u8], out: &mut [u8]) -> Result<Sealed, SealError> {
        tls.seal_early(data, out)
    }

    fn send_tickets(_: &mut Connection<Self>, _: TicketKey<'_>) -> Result<(), SealError> {
        Ok(())
    }
}

impl Side for oxtls::Server {
    fn take_session(_: &mut Connection<Self>) -> Option<ClientSession> {
        None
    }

    fn early_data_left(_: &Connection<Self>) -> u32 {
        0
    }

    fn seal_early(_: &mut Connection<Self>, _: &[u8], _: &mut [u8]) -> Result<Sealed, SealError> {
        Err(SealError::NoEarlyData)
    }

    fn send_tickets(tls: &mut Connection<Self>, key: TicketKey<'_>) -> Result<(), SealError> {
        for ticket in tls.take_tickets() {
            let sealed = key.seal(ticket.session()).unwrap_or_default();
            tls.send_ticket(ticket, &sealed)?;
        }
        Ok(())
    }
}

/// What passed by during a handshake that the expectations ask for.
#[derive(Default)]
pub(crate) struct Seen {
    /// How often the peer's certificates were shown to us.
    pub(crate) verified: u32,
    /// A server: the hello had pre_shared_key. A client: a session was offered.
    pub(crate) session_offered: bool,
    /// A client: the session that was offered allows early data.
    pub(crate) session_allows_early_data: bool,
    /// The client's view of its ticket's age less ours, milliseconds.
    pub(crate) age_skew: Option<i64>,
    /// A server of TLS 1.2 keeps sessions by their IDs.
    pub(crate) has_session_id: bool,
    /// A client: the newest session that came.
    pub(crate) session: Option<ClientSession>,
}

impl Seen {
    /// What a Need says in passing.
    pub(crate) fn note(&mut self, need: &Need) {
        match need {
            Need::ChooseConfig(token) => {
                self.session_offered =
                    token.hello.parse().is_ok_and(|hello| hello.extensions.pre_shared_key.is_some());
            }
            Need::AcceptSession(token) => self.age_skew = Some(token.age_skew),
            _ => {}
        }
    }

    /// Takes a session that came.
    pub(crate) fn collect<S: Side>(&mut self, tls: &mut Connection<S>, event: &Event) {
        if matches!(event, Event::HandshakeDone | Event::SessionReceived)
            && let Some(session) = S::take_session(tls)
        {
            self.session = Some(session);
        }
    }
}
