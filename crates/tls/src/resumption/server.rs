//! What a server makes of sessions: how they are kept, for whom, and for how long.

use std::time::Duration;

use oxtls_crypto::random;
use oxtls_crypto::salted::Salt;
use oxtls_crypto::signature::SignatureScheme;
use oxtls_handshake::config::{ClientAuth, ServerHandshake};
use oxtls_handshake::extension::ticket_request::TicketRequest;
use oxtls_handshake::message::new_session_ticket::MAX_LIFETIME;
use oxtls_handshake::need::{FindSession, SessionOffer};
use oxtls_handshake::session::Session;
use oxtls_handshake::suite::ProtocolVersion;
use oxtls_x509::Verifier;

use super::keys::TicketKeys;
use super::policy_hash::PolicyHash;
use super::replay::ReplayGuard;
use super::store::SessionStore;
use super::ticket;
use crate::config::{ConfigError, Decision};
use crate::defaults;
use crate::policy::ProtocolPolicy;

/// How a server's sessions are resumed: a shorter handshake, without certificates, for clients that come back.
///
/// By default, without any of this, a server resumes: TLS 1.3 sessions by tickets under
/// [rotating keys](TicketKeys::rotating) of its configuration's own, TLS 1.2 sessions by their IDs, of which it keeps
/// the last 1,024. No early data. Where the caller verifies clients ([`VerifyPeer`](crate::Decision::VerifyPeer)) it makes
/// none without being told to: with this, the caller's verdict stands for the lifetime of a session.
///
/// ```no_run
/// # fn f(credential: oxtls::Credential) -> Result<(), oxtls::ConfigError> {
/// let keys = oxtls::TicketKeys::rotating();
/// let guard = oxtls::ReplayGuard::new(100_000)?;
/// let resumption = oxtls::Resumption::tickets(keys).context("www").early_data(guard, 14_336);
/// let config = oxtls::ServerConfig::builder().credential(credential).resumption(resumption).build()?;
/// # Ok(())
/// # }
/// ```
///
/// # It never widens trust
/// A session is bound to the policy that its client was accepted under (whether certificates are asked for, and what the
/// configuration trusts), and to the [context](Self::context). A session of another context is not known. Under another
/// policy the client's chain, or that it has none, is judged again when it comes back. What fails, has outlived its
/// path's earliest expiry, its [lifetime](Self::lifetime) or the [cap](Self::max_since_verified) since the client last
/// signed, goes to a full handshake.
#[derive(Clone, Debug)]
#[must_use]
pub struct Resumption {
    kept: Kept,
    /// Sessions of TLS 1.2 that go by their IDs.
    ids: Option<SessionStore>,
    context: Vec<u8>,
    tickets: u8,
    most_tickets: u8,
    lifetime: Duration,
    max_since_verified: Duration,
    tls12_tickets: bool,
    across_names: bool,
    early_data: Option<EarlyDataPolicy>,
}

/// How sessions come back.
#[derive(Clone, Debug)]
enum Kept {
    /// In the ticket itself.
    Sealed(TicketKeys),
    /// Here, under a key that is the ticket.
    Stored(SessionStore),
    /// The caller knows.
    Elsewhere,
}

/// Whether early data is taken, and what keeps it from being taken twice.
#[derive(Clone, Debug)]
struct EarlyDataPolicy {
    guard: Judge,
    max_bytes: u32,
    max_age_skew: Duration,
}

#[derive(Clone, Debug)]
enum Judge {
    Guard(ReplayGuard),
    /// The caller, who answers AcceptSession; the id of the store that it asks.
    Caller([u8; 16]),
}

impl Default for Resumption {
    fn default() -> Self {
        Self::tickets(TicketKeys::rotating())
    }
}

impl Resumption {
    fn with(kept: Kept, ids: Option<SessionStore>) -> Self {
        Self {
            kept,
            ids,
            context: Vec::new(),
            tickets: defaults::TICKETS,
            most_tickets: defaults::MOST_TICKETS,
            lifetime: oxtls_handshake::defaults::TICKET_LIFETIME,
            max_since_verified: defaults::MAX_SINCE_VERIFIED,
            tls12_tickets: false,
            across_names: false,
            early_data: None,
        }
    }

    /// Sessions are sealed into tickets under these keys: nothing is kept here, and any server with the keys can resume.
    /// TLS 1.2 sessions go by IDs, of which the last 1,024 are kept here, unless
    /// [`tls12_tickets`](Self::tls12_tickets) is on.
    pub fn tickets(keys: TicketKeys) -> Self {
        Self::with(Kept::Sealed(keys), Some(SessionStore::new(defaults::STORED_SESSIONS)))
    }

    /// Sessions are kept in this store, of both versions; tickets are keys to it. Each TLS 1.3 session is used once.
    pub fn stored(store: SessionStore) -> Self {
        Self::with(Kept::Stored(store.clone()), Some(store))
    }

    /// Sessions are sealed or kept elsewhere: the connection hands its caller
    /// [`Need::FindSession`](crate::Need::FindSession) and [`Need::SealTicket`](crate::Need::SealTicket), after a TLS
    /// 1.3 handshake the tickets themselves ([`take_tickets`](crate::Connection::take_tickets)), and after one of TLS
    /// 1.2 the session of its ID, in [`Outcome::session`](crate::handshake::outcome::Outcome::session).
    pub fn elsewhere() -> Self {
        Self::with(Kept::Elsewhere, None)
    }

    /// Where the sessions belong (empty by default): servers with the same ticket keys or store resume each other's
    /// sessions only if their contexts are the same. Give virtual servers that must not mix one each.
    pub fn context(mut self, id: impl AsRef<[u8]>) -> Self {
        self.context = id.as_ref().to_vec();
        self
    }

    /// Where sessions of TLS 1.2 that go by their IDs are kept.
    pub fn tls12_store(mut self, store: SessionStore) -> Self {
        self.ids = Some(store);
        self
    }

    /// How many tickets a TLS 1.3 client gets after a full handshake if it does not say (RFC 9149); default 2, one for
    /// each of two connections at once. After a resumption it gets one for the one that it has used.
    pub fn tickets_per_connection(mut self, count: u8) -> Self {
        self.tickets = count;
        self
    }

    /// Most tickets that a client gets, however many it wishes for; default 8.
    pub fn most_tickets(mut self, count: u8) -> Self {
        self.most_tickets = count;
        self
    }

    /// How long a session may be resumed after it was made: default a day, at most seven
    /// (RFC 9846 section 4.7.1) and no longer than the keys of its ticket live.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How long after the peers last proved by signature who they are a session may be resumed, through however many
    /// resumptions it was handed on; default seven days.
    pub fn max_since_verified(mut self, cap: Duration) -> Self {
        self.max_since_verified = cap;
        self
    }

    /// Seal TLS 1.2 sessions into tickets too (RFC 5077). Off by default, because of what is in them: in that version a
    /// ticket holds the secret of the very connection that it was made in. Whoever steals a ticket key reads every
    /// recorded TLS 1.2 connection that had a ticket under it, forward secrecy or not. Session IDs have no such key.
    pub fn tls12_tickets(mut self, on: bool) -> Self {
        self.tls12_tickets = on;
        self
    }

    /// Tell clients that their sessions of TLS 1.3 are resumed under every name of this server's certificate, and resume
    /// them so (draft-ietf-tls-cross-sni-resumption). Off by default: a session is resumed under the name that it was made
    /// for.
    ///
    /// Only for a server that is the same under all names of its certificates: one that chooses a configuration by the
    /// name, with other clients let in or other things done for them, gives each its own [context](Self::context), and a
    /// session still comes back in its own alone. No early data is taken under another name.
    pub fn across_names(mut self, on: bool) -> Self {
        self.across_names = on;
        self
    }

    /// Take early data (0-RTT), at most `max_bytes` of plaintext a connection, that this guard has not seen before.
    ///
    /// This is the one way to switch it on. Early data is not what other data is: an attacker can deliver it again to a
    /// server that this guard does not guard, and it has no forward secrecy towards the ticket's key. It comes as
    /// [`Event::EarlyData`](crate::Event::EarlyData); let nothing of it have an effect that must not happen twice.
    pub fn early_data(mut self, guard: ReplayGuard, max_bytes: u32) -> Self {
        self.early_data = Some(EarlyDataPolicy {
            guard: Judge::Guard(guard),
            max_bytes,
            max_age_skew: oxtls_handshake::defaults::MAX_AGE_SKEW,
        });
        self
    }

    /// The same with a store of replay keys elsewhere, which the caller asks when it answers
    /// [`Need::AcceptSession`](crate::Need::AcceptSession) by
    /// [`accept_session`](crate::Connection::accept_session). Give each store an `id` of its own, which no other has
    /// ever had: a new random one if it has lost what it knew.
    pub fn early_data_judged_elsewhere(mut self, id: [u8; 16], max_bytes: u32) -> Self {
        self.early_data = Some(EarlyDataPolicy {
            guard: Judge::Caller(id),
            max_bytes,
            max_age_skew: oxtls_handshake::defaults::MAX_AGE_SKEW,
        });
        self
    }

    /// How far the age of a ticket, as its client has it, may lie from ours for early data to be taken (RFC 9846 section
    /// 8.3); default 10 seconds. Without effect unless early data is on, so call it after that.
    pub fn max_age_skew(mut self, skew: Duration) -> Self {
        if let Some(early_data) = &mut self.early_data {
            early_data.max_age_skew = skew;
        }
        self
    }
}

/// A [`Resumption`], checked, with what it is bound to.
#[derive(Debug)]
pub(crate) struct ServerResumption {
    settings: Resumption,
    pub(crate) policy: PolicyHash,
    client_auth: ClientAuth,
}

/// A session that was found.
pub(crate) struct FoundSession {
    pub(crate) offer: usize,
    pub(crate) session: Box<Session>,
    /// Its ticket is sealed under a key that will soon be gone.
    pub(crate) old_key: bool,
}

/// What is known of the connection that tickets are made in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// When the hello came.
    pub(crate) hello_at: Duration,
    /// When its client's chain ends.
    pub(crate) expires_at: Option<Duration>,
    /// When its client last signed, if that was before.
    pub(crate) verified_at: Option<Duration>,
    /// How many tickets its client wishes for.
    pub(crate) wish: Option<TicketRequest>,
}

impl ServerResumption {
    pub(crate) fn new(
        settings: Resumption,
        client_auth: ClientAuth,
        verifier: Option<&Verifier>,
    ) -> Result<Self, ConfigError> {
        if let Some(early_data) = &settings.early_data
            && let Judge::Guard(guard) = &early_data.guard
            && guard.window() < early_data.max_age_skew.saturating_mul(2)
        {
            return Err(ConfigError::Invalid(format!(
                "the replay guard remembers for {:?}, which is less than twice the age skew of {:?}",
                guard.window(),
                early_data.max_age_skew
            )));
        }
        let policy = PolicyHash::server(&settings.context, client_auth, verifier);
        Ok(Self { settings, policy, client_auth })
    }

    /// Refuses early data that nobody would judge.
    pub(crate) fn check(&self, settings: &crate::config::Settings) -> Result<(), ConfigError> {
        let elsewhere =
            self.settings.early_data.as_ref().is_some_and(|early| matches!(early.guard, Judge::Caller(_)));
        if elsewhere && !settings.asks(Decision::AcceptSession) {
            return Err(ConfigError::Missing(
                "early data is judged elsewhere, so the decision AcceptSession must be the caller's",
            ));
        }
        Ok(())
    }

    /// The same settings under another policy.
    pub(crate) fn under(
        &self,
        client_auth: ClientAuth,
        verifier: Option<&Verifier>,
    ) -> Result<Self, ConfigError> {
        Self::new(self.settings.clone(), client_auth, verifier)
    }

    /// The same where clients must sign by one of these schemes.
    pub(crate) fn signed_by(mut self, schemes: &[SignatureScheme]) -> Self {
        self.policy = self.policy.signed_by(schemes);
        self
    }

    /// The same under a policy of protocols.
    pub(crate) fn within(mut self, policy: Option<&ProtocolPolicy>) -> Self {
        self.policy = self.policy.within(policy);
        self
    }

    /// Tells the machine.
    pub(crate) fn tell(&self, handshake: &mut ServerHandshake) {
        handshake.resumption_across_names = self.settings.across_names;
        handshake.resumption = true;
        handshake.tls12_tickets = self.settings.tls12_tickets;
        handshake.max_tickets = self.settings.most_tickets;
        if let Some(early_data) = &self.settings.early_data {
            handshake.early_data = true;
            handshake.max_early_data = early_data.max_bytes;
            handshake.max_age_skew = early_data.max_age_skew;
        }
    }

    /// Whether the caller finds and seals.
    pub(crate) fn is_elsewhere(&self) -> bool {
        matches!(self.settings.kept, Kept::Elsewhere)
    }

    /// The guard that stands in tickets.
    fn guard_id(&self) -> Option<[u8; 16]> {
        self.settings.early_data.as_ref().map(|early_data| match &early_data.guard {
            Judge::Guard(guard) => guard.id(),
            Judge::Caller(id) => *id,
        })
    }

    /// The guard that judges early data of this session; `None`: none of ours can.
    pub(crate) fn guard(&self, session: &Session) -> Option<&ReplayGuard> {
        match &self.settings.early_data.as_ref()?.guard {
            Judge::Guard(guard) => Some(guard).filter(|guard| session.guard == Some(guard.id())),
            Judge::Caller(_) => None,
        }
    }

    /// Whether a guard elsewhere, that the caller asks, can judge early data of this session.
    pub(crate) fn caller_judges(&self, session: &Session) -> bool {
        let judge = self.settings.early_data.as_ref().map(|early_data| &early_data.guard);
        matches!(judge, Some(Judge::Caller(id)) if session.guard == Some(*id))
    }

    /// Whether a hello that came at `came`, by whose ticket the client's clock was `age_skew` ms off, is fresh still: a
    /// guard remembers for as long as hellos look fresh, so that one whose answers took longer may be a replay of what is
    /// forgotten.
    pub(crate) fn is_fresh_still(&self, age_skew: i64, came: Duration, now: Duration) -> bool {
        let millis = |time: Duration| i128::try_from(time.as_millis()).unwrap_or(i128::MAX);
        let skew = i128::from(age_skew).saturating_add(millis(came)).saturating_sub(millis(now));
        self.settings
            .early_data
            .as_ref()
            .is_some_and(|early_data| skew.unsigned_abs() <= early_data.max_age_skew.as_millis())
    }

    /// Looks for a session among the offers, in the client's order.
    pub(crate) fn find(&self, need: &FindSession, now: Duration) -> Option<FoundSession> {
        need.offers().enumerate().find_map(|(offer, offered)| {
            let (session, old_key) = match offered {
                SessionOffer::PskIdentity { identity, .. } => {
                    self.open(ProtocolVersion::TLS1_3, identity, now)
                }
                SessionOffer::Ticket(ticket) if self.settings.tls12_tickets => {
                    self.open(ProtocolVersion::TLS1_2, ticket, now)
                }
                SessionOffer::SessionId(id) => {
                    let session =
                        self.settings.ids.as_ref()?.find(&self.policy, ProtocolVersion::TLS1_2, id, now)?;
                    Some((Box::new(session), false))
                }
                SessionOffer::Ticket(_) => None,
            }?;
            let fits = session.is_usable_at(now)
                && (session.version != ProtocolVersion::TLS1_3
                    || session.suite.tls13().is_some_and(|suite| suite.hash == need.hash));
            fits.then_some(FoundSession { offer, session, old_key })
        })
    }

    fn open(&self, version: ProtocolVersion, ticket: &[u8], now: Duration) -> Option<(Box<Session>, bool)> {
        match &self.settings.kept {
            Kept::Sealed(keys) => {
                let opened = ticket::open(keys, &self.policy, version, ticket, now)?;
                Some((opened.session, opened.old_key))
            }
            Kept::Stored(store) => {
                let mut session = Box::new(store.find(&self.policy, version, ticket, now)?);
                session.ticket = ticket.to_vec();
                Some((session, false))
            }
            Kept::Elsewhere => None,
        }
    }

    /// Whether a session may be used once more by its own count: one of TLS 1.3 that is kept here is used once, by
    /// whoever has just proved to know its secret.
    pub(crate) fn spend(&self, session: &Session) -> bool {
        match &self.settings.kept {
            Kept::Stored(store) if session.version == ProtocolVersion::TLS1_3 => {
                store.take(&self.policy, session.version, &session.ticket)
            }
            _ => true,
        }
    }

    /// Whether a session that was found belongs here and is within its time.
    pub(crate) fn is_within_caps(&self, session: &Session, now: Duration) -> bool {
        self.policy.has_context_of(&session.policy)
            && session.is_usable_at(now)
            && now < session.made_at.saturating_add(self.settings.lifetime)
            && now < session.verified_at.saturating_add(self.settings.max_since_verified)
    }

    /// Whether a client without a certificate is welcome under the present policy.
    pub(crate) fn welcomes_strangers(&self) -> bool {
        self.client_auth != ClientAuth::Required
    }

    /// How many tickets to send.
    pub(crate) fn count(&self, origin: &Origin, resumed: bool) -> u8 {
        let wish =
            origin.wish.map(|wish| if resumed { wish.resumption_count } else { wish.new_session_count });
        let ours = if resumed { self.settings.tickets.min(1) } else { self.settings.tickets };
        wish.unwrap_or(ours).min(self.settings.most_tickets)
    }

    /// How long sessions made now may live, in whole seconds: as long as every cap allows.
    pub(crate) fn lifetime(&self, origin: &Origin, now: Duration) -> Duration {
        let keys = match &self.settings.kept {
            Kept::Sealed(keys) => keys.longest_lifetime(),
            Kept::Stored(_) | Kept::Elsewhere => None,
        };
        let verified = origin.verified_at.unwrap_or(now).saturating_add(self.settings.max_since_verified);
        let ends = origin.expires_at.unwrap_or(Duration::MAX).min(verified).saturating_sub(now);
        let lifetime = self.settings.lifetime.min(keys.unwrap_or(Duration::MAX)).min(ends);
        Duration::from_secs(lifetime.as_secs().min(MAX_LIFETIME.into()))
    }

    /// How long the client is told of a lifetime. Where processes with clocks of their own share the keys, that is less
    /// than it is given: the client may come to one whose clock is ahead of the clock that its ticket was made by, and a
    /// promise would be broken.
    pub(crate) fn promise(&self, lifetime: Duration) -> Duration {
        let shared = matches!(&self.settings.kept, Kept::Sealed(keys) if keys.are_shared());
        let apart =
            oxtls_handshake::defaults::MAX_CLOCK_DIFFERENCE.min(lifetime.checked_div(4).unwrap_or_default());
        if shared { lifetime.saturating_sub(apart) } else { lifetime }
    }

    /// Most early data that tickets allow.
    pub(crate) fn max_early_data(&self) -> u32 {
        self.settings.early_data.as_ref().map_or(0, |early_data| early_data.max_bytes)
    }

    /// Writes into a session of TLS 1.2 what the machine does not know. One whose ticket is renewed was made some time ago,
    /// and its lifetime counts from then.
    pub(crate) fn complete(&self, session: &mut Session, origin: &Origin, now: Duration) {
        let ends = now.saturating_add(self.lifetime(origin, now));
        let lifetime = self.settings.lifetime.min(ends.saturating_sub(session.made_at));
        session.lifetime = session.lifetime.min(lifetime);
        self.fill(session, origin);
    }

    /// Writes into a session what the machine does not know.
    pub(crate) fn fill(&self, session: &mut Session, origin: &Origin) {
        session.policy = *self.policy.as_bytes();
        session.expires_at = origin.expires_at;
        session.guard = self.guard_id().filter(|_| session.max_early_data > 0);
    }

    /// The ticket of a session: it sealed, or the key that it is stored under. `None`: there will be none.
    pub(crate) fn seal(&self, session: &Session, salt: Salt, now: Duration) -> Option<Vec<u8>> {
        match &self.settings.kept {
            Kept::Sealed(keys) => ticket::seal(keys, &self.policy, session, salt, now),
            Kept::Stored(store) => {
                let key = random::array::<32>().ok()?;
                store.put(&self.policy, &key, session).then(|| key.to_vec())
            }
            Kept::Elsewhere => None,
        }
    }

    /// Keeps a session of TLS 1.2 under its ID; gives it back if its caller must.
    pub(crate) fn keep(&self, session: Box<Session>) -> Option<Box<Session>> {
        match &self.settings.ids {
            Some(store) if !session.session_id.is_empty() => {
                store.put(&self.policy, &session.session_id, &session);
                None
            }
            _ => Some(session),
        }
    }
}
