//! A client's sessions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::suite::ProtocolVersion;

use super::bounded::Bounded;
use super::policy::PolicyHash;

/// Sessions of one server that are kept: as many as a browser opens connections at once, or more tickets than servers
/// send.
const PER_SERVER: usize = 8;

/// A client's sessions with the servers that it has spoken to, in memory. Bounded: what does not fit pushes out the
/// oldest.
///
/// It is keyed by the server's name, by what the configuration trusts, by its credentials and its
/// [context](crate::ClientConfigBuilder::session_context): configurations that differ in any of them may share a cache
/// and never see each other's sessions.
///
/// Cheap to clone; clones are one cache. A configuration has one of its own unless it is given another.
#[derive(Clone, Debug)]
pub struct SessionCache {
    sessions: Arc<Bounded<PolicyHash, VecDeque<Arc<Psk>>>>,
    reuse: bool,
}

impl SessionCache {
    /// A cache for at most so many servers, up to 8 sessions each.
    #[must_use]
    pub fn new(servers: usize) -> Self {
        Self { sessions: Arc::new(Bounded::new(servers)), reuse: false }
    }

    /// Use TLS 1.3 tickets more than once, when there is none left that was not. Off by default: whoever watches the
    /// network can tell that two connections with the same ticket are of one client (RFC 9846 appendix C.4), and a
    /// server that uses sessions once makes a full handshake.
    #[must_use]
    pub fn reuse_tickets(mut self, on: bool) -> Self {
        self.reuse = on;
        self
    }

    /// How many servers there are sessions of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all sessions: after a change of identity, or to be a stranger to every server again.
    pub fn clear(&self) {
        self.sessions.clear();
    }

    /// Keeps a session. Of TLS 1.2, whose sessions are used again and again, the latest is enough.
    pub(crate) fn put(&self, policy: PolicyHash, session: Session) {
        let psk = Arc::new(Psk::Session(Box::new(session)));
        self.sessions.update(policy, VecDeque::new, |sessions| {
            if is_tls12(&psk) {
                sessions.retain(|other| !is_tls12(other));
            }
            if sessions.len() >= PER_SERVER {
                sessions.pop_back();
            }
            sessions.push_front(psk);
        });
    }

    /// The latest session that can be used at this time. One of TLS 1.3 is taken out.
    pub(crate) fn take(&self, policy: &PolicyHash, now: Duration) -> Option<Arc<Psk>> {
        let taken = self.sessions.get(policy, |sessions| {
            sessions.retain(|psk| matches!(&**psk, Psk::Session(session) if session.is_usable_at(now)));
            let first = sessions.front()?;
            let keep = is_tls12(first) || (self.reuse && sessions.len() == 1);
            if keep { Some(Arc::clone(first)) } else { sessions.pop_front() }
        });
        self.sessions.remove_if(policy, VecDeque::is_empty);
        taken.flatten()
    }

    /// Forgets a session of TLS 1.2 whose handshake or connection failed (RFC 5246 section 7.2.2).
    pub(crate) fn forget(&self, policy: &PolicyHash, psk: &Arc<Psk>) {
        self.sessions.get(policy, |sessions| sessions.retain(|other| !Arc::ptr_eq(other, psk)));
    }
}

fn is_tls12(psk: &Psk) -> bool {
    matches!(psk, Psk::Session(session) if session.version == ProtocolVersion::TLS1_2)
}
