//! What a client makes of sessions: which it keeps, which it offers, and what one must pass before.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oxtls_handshake::session::{Psk, Session};
use oxtls_x509::{Report, Stapled, VerifiedPath, Verifier};
use pki_types::{ServerName, UnixTime};

use super::cache::SessionCache;
use super::policy_hash::PolicyHash;
use super::sink::Sink;
use crate::clock::Clock;

/// A client's settings, checked.
#[derive(Debug)]
pub(crate) struct ClientResumption {
    /// `None`: sessions go to the user.
    pub(crate) cache: Option<SessionCache>,
    /// What is the same for all names.
    pub(crate) policy: PolicyHash,
    pub(crate) max_since_verified: Duration,
}

/// Why a session is not offered; the handshake is a full one then.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionRefusal {
    /// The configuration makes no sessions.
    Disabled,
    /// It was made with other credentials, or in another context.
    OtherContext,
    /// Its time has passed: its own, that of the server's chain, or the longest since the server last signed.
    Expired,
    /// The server's chain does not hold here any more, or not for this name.
    Untrusted(Box<Report>),
    /// There is no chain in it to check, or nothing here to check it against.
    Unverifiable,
}

impl fmt::Display for SessionRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("the configuration makes and offers no sessions"),
            Self::OtherContext => {
                f.write_str("the session was made with other credentials or in another context")
            }
            Self::Expired => f.write_str("the session's time has passed"),
            Self::Untrusted(report) => write!(f, "the session's server is not trusted here: {report}"),
            Self::Unverifiable => f.write_str("the session's server cannot be verified here"),
        }
    }
}

impl std::error::Error for SessionRefusal {}

impl ClientResumption {
    /// A session of the cache for this name, checked again; `policy` is this one's [of the name](PolicyHash::of_name).
    pub(crate) fn take(
        &self,
        policy: &PolicyHash,
        name: &ServerName<'_>,
        verifier: Option<&Verifier>,
        now: Duration,
    ) -> Option<(Arc<Psk>, Option<Duration>)> {
        let psk = self.cache.as_ref()?.take(policy, now)?;
        let ends = self.check_under(policy, psk.session()?, name, verifier, now).ok()?;
        Some((psk, ends))
    }

    /// Whether a session may be offered to the server of this name, and when the server's chain ends. What was accepted
    /// under the very same policy was accepted; everything else is judged anew.
    pub(crate) fn check(
        &self,
        session: &Session,
        name: &ServerName<'_>,
        verifier: Option<&Verifier>,
        now: Duration,
    ) -> Result<Option<Duration>, SessionRefusal> {
        self.check_under(&self.policy.of_name(name), session, name, verifier, now)
    }

    /// The same with the policy for this name, which takes a hash to make.
    fn check_under(
        &self,
        policy: &PolicyHash,
        session: &Session,
        name: &ServerName<'_>,
        verifier: Option<&Verifier>,
        now: Duration,
    ) -> Result<Option<Duration>, SessionRefusal> {
        if !policy.has_context_of(&session.policy) {
            return Err(SessionRefusal::OtherContext);
        }
        if !session.is_usable_at(now) || now >= session.verified_at.saturating_add(self.max_since_verified) {
            return Err(SessionRefusal::Expired);
        }
        if policy.has_policy_of(&session.policy) {
            return Ok(session.expires_at);
        }
        let verifier = verifier.ok_or(SessionRefusal::Unverifiable)?;
        judge(session, name, verifier, now).map(Some)
    }

    /// The same for a session that came from outside: its claim to have been accepted here counts for nothing.
    pub(crate) fn check_loaded(
        &self,
        session: &Session,
        name: &ServerName<'_>,
        verifier: Option<&Verifier>,
        now: Duration,
    ) -> Result<Option<Duration>, SessionRefusal> {
        let ends = self.check(session, name, verifier, now)?;
        match verifier {
            Some(verifier) => judge(session, name, verifier, now).map(Some),
            // Who verifies for himself has the session from his own hands.
            None => Ok(ends),
        }
    }

    /// Where the sessions of a connection go.
    pub(crate) fn sink(&self, policy: PolicyHash, expires_at: Option<Duration>, clock: Clock) -> Sink {
        Sink::new(self.cache.clone(), policy, expires_at, clock)
    }

    /// Forgets a session of TLS 1.2 that did not work out.
    pub(crate) fn forget(&self, policy: &PolicyHash, psk: &Arc<Psk>) {
        if let Some(cache) = &self.cache {
            cache.forget(policy, psk);
        }
    }
}

fn judge(
    session: &Session,
    name: &ServerName<'_>,
    verifier: &Verifier,
    now: Duration,
) -> Result<Duration, SessionRefusal> {
    let peer = session.peer.as_ref().ok_or(SessionRefusal::Unverifiable)?;
    let stapled = Stapled { ocsp: peer.ocsp.as_deref(), scts: peer.scts.as_deref() };
    verifier
        .verify_server_with(&peer.chain, name, stapled, UnixTime::since_unix_epoch(now))
        .map(|path| end_of(&path))
        .map_err(SessionRefusal::Untrusted)
}

/// The end of a path, since the Unix epoch: the first moment in which it does not hold any more.
pub(crate) fn end_of(path: &VerifiedPath) -> Duration {
    Duration::from_secs(path.earliest_expiry().as_secs().saturating_add(1))
}
