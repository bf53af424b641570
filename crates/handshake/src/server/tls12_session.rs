//! The session that a full TLS 1.2 handshake leaves, and how it will be known: by an ID (RFC 5246) or by a ticket (RFC
//! 5077).

use core::time::Duration;

use crate::config::{ClientAuth, Randomness, ServerHandshake};
use crate::defaults;
use crate::error::Error;
use crate::server::peer::Client;
use crate::server::tls12_hello::{Asked, Connection};
use crate::session::Session;
use crate::suite::ProtocolVersion;

/// How the session of a full handshake will be known.
#[derive(Debug)]
pub(super) enum Keeping {
    /// Not at all.
    Nothing,
    /// By the ID that ServerHello gave it.
    Id(Vec<u8>),
    /// By a ticket.
    Ticket,
}

impl Keeping {
    /// By a ticket where both want one, by an ID otherwise. What is not bound to its handshake is not kept (RFC 7627
    /// section 5.3), unless the configuration wants it. No ID is given out for nothing: it would be offered again, and
    /// looked for. `fresh`: an ID that nobody has.
    pub(super) fn of(config: &ServerHandshake, asked: &Asked, fresh: &[u8; 32]) -> Self {
        if !config.resumption || !(asked.extended_master_secret || resumes_unbound(config)) {
            return Self::Nothing;
        }
        if config.tls12_tickets && asked.session_ticket {
            return Self::Ticket;
        }
        Self::Id(match &config.common.randomness {
            Randomness::Recorded(recorded) => recorded.session_id.clone(),
            Randomness::System => fresh.to_vec(),
        })
    }

    /// The ID for ServerHello, and whether a ticket will come.
    pub(super) fn said(&self) -> (&[u8], bool) {
        match self {
            Self::Nothing => (&[], false),
            Self::Id(id) => (id, false),
            Self::Ticket => (&[], true),
        }
    }
}

/// Whether sessions without extended_master_secret are kept and resumed here: where the configuration has opted for it,
/// and no client is asked who it is. Who sits between a client and two servers could otherwise be taken for that client
/// (RFC 7627 section 1).
pub(super) fn resumes_unbound(config: &ServerHandshake) -> bool {
    config.common.resume_unbound_sessions && config.client_auth == ClientAuth::None
}

/// The session that was made, at this time.
pub(super) fn session(connection: &Connection, client: &Client, now: Duration) -> Result<Session, Error> {
    Ok(Session {
        version: ProtocolVersion::TLS1_2,
        suite: connection.suite.suite,
        secret: connection.secrets.agreed()?.master.secret().duplicate(),
        ticket: Vec::new(),
        session_id: Vec::new(),
        server_name: connection.asked.server_name.clone(),
        alpn: connection.alpn.clone(),
        peer: client.certificates().cloned(),
        made_at: now,
        lifetime: defaults::TICKET_LIFETIME,
        verified_at: now,
        age_add: 0,
        max_early_data: 0,
        extended_master_secret: connection.asked.extended_master_secret,
        resumption_across_names: false,
        policy: [0; 32],
        expires_at: None,
        guard: None,
        context: Vec::new(),
    })
}
