//! After the handshake (RFC 9846 section 4.7): messages that arrive at the reader, tickets that the writer pulls.
//!
//! The two halves need nothing of each other, so that they can live in the two halves of a split connection. Nothing
//! here delays data: what is received is one thing at most, and a ticket is self-contained while it is being sealed.

mod receive;
mod tickets;

use core::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;

use crate::error::Error;
use crate::key_schedule::tls13;
use crate::message::key_update as key_update_message;
use crate::outcome::{Outcome, PeerCertificates};
use crate::session::{Psk, Session};
use crate::suite::{CipherSuite, ProtocolVersion};

pub use receive::{Receive, Received};
pub use tickets::{NewTicket, Tickets};

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
        let resumption = resumption.map(|dated| Resumption::new(outcome, hash, dated));
        Self { receive: Receive::client(resumption, quic), tickets: None }
    }

    /// A server's part after a TLS 1.3 handshake: tickets are sent if there is a resumption secret, which goes with the
    /// time of the handshake as at a client.
    pub(crate) fn server_tls13(
        outcome: &Outcome,
        hash: Hash,
        resumption: Option<(Secret, Duration)>,
        quic: bool,
    ) -> Self {
        let resumption = resumption.map(|dated| Resumption::new(outcome, hash, dated));
        let tickets = resumption.map(|resumption| Tickets::new(resumption, quic));
        Self { receive: Receive::server(quic), tickets }
    }

    /// A client's part after a TLS 1.2 handshake: it tells requests to renegotiate from what does not belong there.
    pub(crate) const fn client_tls12() -> Self {
        Self { receive: Receive::client_tls12(), tickets: None }
    }

    /// A server's part after a TLS 1.2 handshake, whose tickets are part of the handshake.
    pub(crate) const fn server_tls12() -> Self {
        Self { receive: Receive::server_tls12(), tickets: None }
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
    /// Of a resumption secret, and the time of the handshake that it comes from.
    fn new(outcome: &Outcome, hash: Hash, (secret, now): (Secret, Duration)) -> Box<Self> {
        Box::new(Self {
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
        })
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

/// A KeyUpdate to send (RFC 9846 section 4.7.3), the writer's own act: it seals this under its present key and goes on
/// with the next, as one step. `request`: the peer is asked to update its key as well.
#[must_use]
pub const fn key_update(request: bool) -> [u8; 5] {
    key_update_message::encode(request)
}

#[cfg(test)]
mod tests;
