//! A client's sessions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::suite::ProtocolVersion;

use super::bounded::Bounded;
use super::policy_hash::PolicyHash;

/// Sessions of one server that are kept: as many as a browser opens connections at once, or more tickets than servers
/// send.
const PER_SERVER: usize = 8;

/// Most bytes of a session's ticket and chain together: the longest ticket, and a chain with post-quantum signatures.
/// Both are the server's choice, and a handshake takes more than is worth keeping for each of many servers.
const LARGEST: usize = 64 * 1024;

/// A client's sessions with the servers that it has spoken to, in memory. Bounded: what does not fit pushes out the
/// oldest.
///
/// It is keyed by the server's name, by what the configuration trusts, by its credentials and its
/// [context](crate::ClientConfigBuilder::session_context): configurations that differ in any of them may share a cache
/// and never see each other's sessions.
///
/// A connection puts in the tickets that come before the server's first data or right behind it. Of those that come later a
/// connection that puts its sessions here keeps none, so that it holds nothing for them as long as it lives: whoever wants
/// them takes [sessions by hand](crate::ClientConfigBuilder::hand_out_sessions).
///
/// Cheap to clone; clones are one cache. A configuration has one of its own unless it is given another.
#[derive(Clone, Debug)]
pub struct SessionCache {
    sessions: Arc<Bounded<PolicyHash, VecDeque<Arc<Psk>>>>,
    reuse: bool,
}

impl SessionCache {
    /// A cache for at most so many servers, up to 8 sessions each. Most take a few KiB; of more than 64 KiB none is kept.
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
    pub(crate) fn put(&self, policy: PolicyHash, session: Box<Session>) {
        if size(&session) > LARGEST {
            return;
        }
        let psk = Arc::new(Psk::Session(session));
        let gone = self.sessions.update(policy, VecDeque::new, |sessions| {
            let mut gone =
                if is_tls12(&psk) { remove(sessions, |other| is_tls12(other)) } else { VecDeque::new() };
            if sessions.len() >= PER_SERVER {
                gone.extend(sessions.pop_back());
            }
            sessions.push_front(psk);
            gone
        });
        drop(gone);
    }

    /// The latest session that can be used at this time. One of TLS 1.3 is taken out.
    pub(crate) fn take(&self, policy: &PolicyHash, now: Duration) -> Option<Arc<Psk>> {
        // A session that stays is handed out under the lock that all share; to take one out, or away, one must be alone.
        let lasting = |sessions: &VecDeque<Arc<Psk>>| {
            let all_usable = !sessions.iter().any(|psk| is_over(psk, now));
            self.lasting(sessions).filter(|_| all_usable)
        };
        if let Some(psk) = self.sessions.get(policy, lasting)? {
            return Some(psk);
        }
        let latest = |sessions: &mut VecDeque<Arc<Psk>>| {
            let gone = remove(sessions, |psk| is_over(psk, now));
            (self.lasting(sessions).or_else(|| sessions.pop_front()), gone)
        };
        self.sessions.change(policy, latest, VecDeque::is_empty)?.0
    }

    /// The latest session, if it stays where it is when it is used.
    fn lasting(&self, sessions: &VecDeque<Arc<Psk>>) -> Option<Arc<Psk>> {
        let first = sessions.front()?;
        let stays = is_tls12(first) || (self.reuse && sessions.len() == 1);
        stays.then(|| Arc::clone(first))
    }

    /// Forgets a session of TLS 1.2 whose handshake or connection failed (RFC 5246 section 7.2.2).
    pub(crate) fn forget(&self, policy: &PolicyHash, psk: &Arc<Psk>) {
        let same = |sessions: &mut VecDeque<Arc<Psk>>| remove(sessions, |other| Arc::ptr_eq(other, psk));
        drop(self.sessions.change(policy, same, VecDeque::is_empty));
    }
}

/// Takes these out: to be dropped, and erased, where nobody waits for it.
fn remove(sessions: &mut VecDeque<Arc<Psk>>, mut which: impl FnMut(&Arc<Psk>) -> bool) -> VecDeque<Arc<Psk>> {
    if !sessions.iter().any(&mut which) {
        return VecDeque::new();
    }
    let (gone, kept) = std::mem::take(sessions).into_iter().partition(which);
    *sessions = kept;
    gone
}

/// Whether it can no longer be used.
fn is_over(psk: &Psk, now: Duration) -> bool {
    !matches!(psk, Psk::Session(session) if session.is_usable_at(now))
}

fn is_tls12(psk: &Psk) -> bool {
    matches!(psk, Psk::Session(session) if session.version == ProtocolVersion::TLS1_2)
}

/// Bytes that the server has chosen.
fn size(session: &Session) -> usize {
    let peer = session.peer.iter();
    let chain = peer.clone().flat_map(|peer| peer.chain.iter()).map(|certificate| certificate.len());
    let stapled = peer.flat_map(|peer| [&peer.ocsp, &peer.scts]).flatten().map(|part| part.len());
    chain.chain(stapled).fold(session.ticket.len(), usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use oxtls_crypto::secret::Secret;
    use oxtls_handshake::outcome::PeerCertificates;
    use oxtls_handshake::suite::CipherSuite;
    use pki_types::ServerName;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn session(ticket: usize, chain: usize, ocsp: usize) -> Session {
        let peer = PeerCertificates {
            chain: vec![vec![0; chain].into()].into(),
            ocsp: Some(vec![0; ocsp].into()),
            scts: None,
        };
        Session {
            version: ProtocolVersion::TLS1_3,
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            secret: Secret::new(&[7; 32]).unwrap(),
            ticket: vec![0; ticket],
            session_id: Vec::new(),
            server_name: None,
            alpn: None,
            peer: Some(peer),
            made_at: NOW,
            lifetime: Duration::from_secs(60),
            verified_at: NOW,
            age_add: 0,
            max_early_data: 0,
            extended_master_secret: false,
            resumption_across_names: false,
            policy: [0; 32],
            expires_at: None,
            guard: None,
            context: Vec::new(),
        }
    }

    #[test]
    fn servers_do_not_choose_how_much_memory_their_sessions_take() {
        let cache = SessionCache::new(4);
        let name = ServerName::try_from("a.test").unwrap();
        let policy = PolicyHash::client(b"", &[], None).of_name(&name);
        for (ticket, chain, ocsp) in [(1, LARGEST, 0), (LARGEST, 1, 0), (30_000, 30_000, 30_000)] {
            cache.put(policy, Box::new(session(ticket, chain, ocsp)));
            assert!(cache.is_empty(), "{ticket} {chain} {ocsp}");
        }
        for _ in 0..100 {
            cache.put(policy, Box::new(session(32 * 1024, 32 * 1024 - 1, 1)));
        }
        let kept = std::iter::from_fn(|| cache.take(&policy, NOW)).count();
        assert_eq!(kept, PER_SERVER);
    }

    #[test]
    fn what_is_over_goes_when_somebody_comes_for_what_stays() {
        let cache = SessionCache::new(1);
        let name = ServerName::try_from("a.test").unwrap();
        let policy = PolicyHash::client(b"", &[], None).of_name(&name);
        let tls12 = Session { version: ProtocolVersion::TLS1_2, ..session(1, 1, 1) };
        cache.put(policy, Box::new(Session { lifetime: Duration::from_secs(1), ..session(1, 1, 1) }));
        cache.put(policy, Box::new(tls12));
        let first = cache.take(&policy, NOW).unwrap();
        let kept = || cache.sessions.get(&policy, VecDeque::len);
        assert!(is_tls12(&first) && kept() == Some(2), "looked at, and nothing changed");
        assert!(Arc::ptr_eq(&cache.take(&policy, NOW + Duration::from_secs(1)).unwrap(), &first));
        assert_eq!(kept(), Some(1), "the other is over");
        assert!(cache.take(&policy, NOW + Duration::from_secs(60)).is_none());
        assert_eq!(kept(), None);
    }
}
