//! A TLS 1.2 session on offer, and how the abbreviated handshake that comes of it begins (RFC 5246 section 7.3, RFC 5077,
//! RFC 7627 section 5.3). It has no certificates and no key exchange: both ends have the master secret of the session.

use core::time::Duration;
use std::sync::Arc;

use crate::client::State;
use crate::client::proof::{Proved, Server, ask_to_verify_again};
use crate::client::session_id::SessionId;
use crate::client::tls12::Connection;
use crate::client::tls12_finish::{Due, Finishing};
use crate::config::Told;
use crate::error::Error;
use crate::key_schedule::tls12::{KeyBlock, MASTER_SECRET_LEN, MasterSecret};
use crate::machine::Out;
use crate::message::tls12::server_hello::ServerHelloExtensions;
use crate::session::Psk;
use crate::suite::{ProtocolVersion, Tls12Suite};
use crate::transcript::Transcript;

/// The session that our hello offers.
#[derive(Debug)]
pub(super) struct OfferedSession {
    psk: Arc<Psk>,
    /// It goes by its ticket, otherwise by its ID.
    by_ticket: bool,
}

impl OfferedSession {
    /// The configured session, if it is one of TLS 1.2 that can be offered among these suites, and the ID that our hello
    /// has. A session that goes by its ticket needs an ID of our own beside it, which names none, and whose echo says that
    /// it was resumed (RFC 5077 section 3.4).
    pub(super) fn choose(config: &Told, own_id: SessionId, now: Duration) -> Option<(Self, SessionId)> {
        let session = config.session_to_offer(ProtocolVersion::TLS1_2, now)?;
        // Without extended master secret the session could be resumed into the connection of another: RFC 7627
        // section 5.3. A configuration may want to live with that.
        let bound = session.extended_master_secret || config.common().resume_unbound_sessions;
        if !bound || session.secret.len() != MASTER_SECRET_LEN {
            return None;
        }
        let by_ticket = !session.ticket.is_empty() && config.all().tls12_tickets && !own_id.is_empty();
        let id = if by_ticket {
            own_id
        } else {
            SessionId::new(&session.session_id).filter(|id| !id.is_empty())?
        };
        Some((Self { psk: Arc::clone(config.session.as_ref()?), by_ticket }, id))
    }

    /// The ticket, if the session goes by that.
    pub(super) fn ticket(&self) -> Option<&[u8]> {
        self.psk.session().filter(|_| self.by_ticket).map(|session| &session.ticket[..])
    }

    /// The server resumes it, and so must do as was agreed when it was made.
    pub(super) fn resumed(
        self,
        suite: Tls12Suite,
        extensions: &ServerHelloExtensions<'_>,
    ) -> Result<Arc<Psk>, Error> {
        let session = self.psk.session().filter(|session| session.suite == suite.suite);
        let session = session.ok_or(Error::WrongCipherSuite(suite.suite))?;
        // RFC 7627 section 5.3: both connections have it, or neither.
        match (session.extended_master_secret, extensions.extended_master_secret) {
            (true, false) => Err(Error::NoExtendedMasterSecret),
            (false, true) => Err(Error::UnboundSession),
            _ => Ok(self.psk),
        }
    }
}

/// The server resumes the session: its ChangeCipherSpec is next, or the ticket that replaces ours, and its Finished.
pub(super) fn begin(
    connection: Connection,
    psk: Arc<Psk>,
    transcript: Transcript,
    state: &mut State,
    out: &mut Out,
) -> Result<(), Error> {
    let secret = &psk.session().ok_or(Error::Internal("a session that is none"))?.secret;
    let master = MasterSecret::resumed(connection.suite.hash, secret)?;
    let KeyBlock { client, server } = connection.keys(&master, out)?;
    let due = if ask_to_verify_again(&connection.config, &psk, out)? {
        Due::SessionVerified(server)
    } else {
        connection.ticket_or_change_cipher_spec(server)
    };
    *state = State::Tls12Finishing(
        Finishing {
            connection,
            proved: Proved::server(Server::Session(psk)),
            transcript,
            master,
            group: None,
            write_key: Some(client),
            ticket: None,
        },
        due,
    );
    Ok(())
}
