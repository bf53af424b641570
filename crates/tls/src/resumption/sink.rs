//! Where a client's new sessions go: into a cache, or to its user.

use std::collections::VecDeque;
use std::time::Duration;

use oxtls_handshake::session::Session;

use super::cache::SessionCache;
use super::policy_hash::PolicyHash;
use super::session::ClientSession;
use crate::clock::Clock;

/// Most sessions that wait for their user; the oldest makes room.
const MOST_WAITING: usize = 8;

/// What a client's connection keeps for the tickets that may come.
#[derive(Debug)]
pub(crate) struct Sink {
    to: To,
    policy: PolicyHash,
    /// When the server's chain ends.
    expires_at: Option<Duration>,
    clock: Clock,
}

#[derive(Debug)]
enum To {
    Cache(SessionCache),
    User(VecDeque<ClientSession>),
}

impl Sink {
    /// Into this cache, or, without one, to the user.
    pub(crate) fn new(
        cache: Option<SessionCache>,
        policy: PolicyHash,
        expires_at: Option<Duration>,
        clock: Clock,
    ) -> Self {
        let to = cache.map_or_else(|| To::User(VecDeque::new()), To::Cache);
        Self { to, policy, expires_at, clock }
    }

    /// The present time, since the Unix epoch.
    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Whether the user takes the sessions, and not a cache.
    pub(crate) fn is_users(&self) -> bool {
        matches!(self.to, To::User(_))
    }

    /// Takes a session; whether it now waits for the user.
    pub(crate) fn put(&mut self, mut session: Box<Session>) -> bool {
        session.policy = *self.policy.as_bytes();
        session.expires_at = self.expires_at;
        match &mut self.to {
            To::Cache(cache) => {
                cache.put(self.policy, session);
                false
            }
            To::User(waiting) => {
                if waiting.len() >= MOST_WAITING {
                    waiting.pop_front();
                }
                waiting.push_back(ClientSession(session));
                true
            }
        }
    }

    /// The oldest session that waits for the user.
    pub(crate) fn take(&mut self) -> Option<ClientSession> {
        match &mut self.to {
            To::Cache(_) => None,
            To::User(waiting) => waiting.pop_front(),
        }
    }
}
