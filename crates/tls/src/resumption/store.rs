//! Sessions that a server keeps itself, and hands out keys to.

use std::sync::Arc;
use std::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_handshake::defaults::MAX_TICKET;
use oxtls_handshake::session::Session;
use oxtls_handshake::suite::ProtocolVersion;
use zeroize::Zeroizing;

use super::bounded::Bounded;
use super::policy_hash::PolicyHash;

/// A server's sessions, in the memory of this process: what clients get is a key to look one up by. Bounded: what does
/// not fit pushes out the oldest.
///
/// Nothing secret leaves the process, and what is gone from here cannot be resumed. In TLS 1.3 a session is used once;
/// in TLS 1.2, whose session IDs are fixed, as often as its client likes.
///
/// Cheap to clone; clones are one store. Configurations may share one: their
/// [contexts](crate::Resumption::context) keep their sessions apart.
#[derive(Clone, Debug)]
pub struct SessionStore(Arc<Bounded<Place, Zeroizing<Vec<u8>>>>);

/// Where a session is: the hash of its key, context and version.
type Place = [u8; 32];

impl SessionStore {
    /// A store of at most so many sessions. One takes some 300 bytes, and a client's chain if it has one; none takes
    /// more than 32 KiB.
    #[must_use]
    pub fn new(sessions: usize) -> Self {
        Self(Arc::new(Bounded::new(sessions)))
    }

    /// How many sessions there are, those included that have ended and were not pushed out yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets them all.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Keeps a session under this key; whether it was.
    pub(crate) fn put(&self, policy: &PolicyHash, key: &[u8], session: &Session) -> bool {
        let Some(bytes) = session.to_bytes().ok().filter(|bytes| bytes.len() <= MAX_TICKET) else {
            return false;
        };
        self.0.insert(place(policy, session.version, key), bytes);
        true
    }

    /// The session of this key, if its time has not passed.
    pub(crate) fn find(
        &self,
        policy: &PolicyHash,
        version: ProtocolVersion,
        key: &[u8],
        now: Duration,
    ) -> Option<Session> {
        let place = place(policy, version, key);
        let session = self.0.get(&place, |bytes| Session::from_bytes(bytes).ok()).flatten()?;
        if session.is_usable_at(now) {
            return Some(session);
        }
        self.0.take(&place);
        None
    }

    /// Takes the session of this key out: of several that want it, one gets it.
    pub(crate) fn take(&self, policy: &PolicyHash, version: ProtocolVersion, key: &[u8]) -> bool {
        self.0.take(&place(policy, version, key)).is_some()
    }
}

fn place(policy: &PolicyHash, version: ProtocolVersion, key: &[u8]) -> Place {
    let digest = Hash::Sha256.digest_parts(&[policy.context(), &version.0.to_be_bytes(), key]);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}
