//! The sessions that a TLS 1.3 client offers (RFC 9846 section 4.3.11): found by the outside, proved by the binder, then
//! accepted by the outside, or not.
//!
//! In this order nobody learns anything of a session, or uses it up, who does not have its secret.

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::hash::Digest;
use oxtls_crypto::key_exchange::NamedGroup;

use crate::config::{ClientAuth, ServerHandshake};
use crate::error::Error;
use crate::extension::pre_shared_key::OfferedPsks;
use crate::key_schedule::tls13::{EarlySecret, finished_mac};
use crate::machine::{Out, SessionAccepted};
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::need::{AcceptSession, AcceptedSession, FindSession, Need, Offered, usable_identities};
use crate::server::asked::Asked;
use crate::server::early_data::{self, Wish};
use crate::server::hello::{Chosen, Hello};
use crate::server::tls13::{self, State};
use crate::session::{Psk, ReplayKey, Session};
use crate::suite::ProtocolVersion;

type Result<T> = core::result::Result<T, Error>;

/// What a hello offers, and what its binders are made over.
#[derive(Debug)]
pub(super) struct Offer {
    hello: OwnedClientHello,
    now: Duration,
    offered: Offered,
    /// How much of the hello the binders are made over.
    covered: usize,
}

/// FindSession is out.
#[derive(Debug)]
pub(super) struct Finding {
    chosen: Chosen,
    group: NamedGroup,
    hello: OwnedClientHello,
    now: Duration,
    truncated: Digest,
}

/// The client has shown that it has the session's secret.
#[derive(Debug)]
pub(super) struct Proved {
    psk: Arc<Psk>,
    place: u16,
    early: EarlySecret,
    wish: Wish,
}

/// A PSK that is used: what the flight is made with.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) psk: Arc<Psk>,
    /// Its place among the client's identities.
    pub(super) place: u16,
    pub(super) early: EarlySecret,
    pub(super) accepted: SessionAccepted,
}

impl Offer {
    /// What the hello offers, if that can be of use: sessions are looked for, and the client would do a key exchange
    /// with one.
    pub(super) fn of(chosen: &Chosen, hello: &Hello<'_>) -> Option<Self> {
        let extensions = &hello.parsed.extensions;
        let usable = extensions.psk_key_exchange_modes.is_some_and(|modes| modes.psk_dhe_ke());
        let psks = extensions.pre_shared_key.filter(|_| usable && chosen.config.resumption)?;
        usable_identities(psks.identities()).next()?;
        let offered = Offered::Psks(hello.owned.part(psks.identity_list()).ok()?);
        let covered = hello.owned.raw().len().saturating_sub(psks.binders_len());
        Some(Self { hello: hello.owned.clone(), now: hello.now, offered, covered })
    }

    /// Asks whether one of them is known. `chosen.transcript` is what came before the hello, which is added here: once,
    /// with a look at the hash in front of the binders.
    pub(super) fn ask(self, mut chosen: Chosen, group: NamedGroup, out: &mut Out) -> State {
        let Self { hello, now, offered, covered } = self;
        let (front, binders) = hello.raw().split_at_checked(covered).unwrap_or_default();
        chosen.transcript.add(front);
        let truncated = chosen.transcript.current();
        chosen.transcript.add(binders);
        let (hash, asked) = (chosen.suite.hash, hello.clone());
        out.ask(|serial| Need::FindSession(FindSession { hash, hello: asked, offered, serial }));
        State::Session(Box::new(Finding { chosen, group, hello, now, truncated }))
    }
}

impl Finding {
    /// One was found, or none: the binder of one that can be resumed must verify, whatever becomes of it then.
    pub(super) fn found(self: Box<Self>, found: Option<(usize, Psk)>, out: &mut Out) -> Result<State> {
        let Self { chosen, hello, now, truncated, .. } = &*self;
        let parsed = hello.parse()?;
        let offered = |offer| usable_identities(parsed.extensions.pre_shared_key?.identities()).nth(offer);
        let found = found
            .filter(|(_, psk)| fits(psk, chosen, &parsed, *now))
            .and_then(|(offer, psk)| Some((offered(offer)?, psk)));
        let Some(((place, identity), psk)) = found else { return self.full(out) };
        let binder = binder(&parsed, place)?;
        let early = check_binder(chosen, &psk, truncated, binder)?;
        let age_skew = age_skew(&psk, identity.obfuscated_ticket_age, *now);
        let wish = early_data::wish(chosen, &parsed, (&psk, place), age_skew);
        let replay_key = (wish == Wish::Possible).then(|| ReplayKey(binder.to_vec()));
        let psk = Arc::new(psk);
        let asked = Arc::clone(&psk);
        out.ask(|serial| {
            Need::AcceptSession(AcceptSession { psk: asked, early_data: replay_key, age_skew, serial })
        });
        Ok(State::Acceptance(self, Proved { psk, place, early, wish }))
    }

    /// The session is resumed, or its client goes to a full handshake.
    pub(super) fn accepted(
        self: Box<Self>,
        proved: Proved,
        answer: AcceptedSession,
        out: &mut Out,
    ) -> Result<State> {
        let Proved { psk, place, early, wish } = proved;
        match (SessionAccepted::from_answer(answer), answer) {
            (Some(accepted), AcceptedSession::Resume { early_data, .. }) => {
                let Self { chosen, group, hello, .. } = *self;
                let selected = Selected { psk, place, early, accepted };
                let parsed = hello.parse()?;
                let asked = Asked::of(&chosen, &parsed, group, true)?;
                let early_data = wish.decide(early_data, &chosen.config, &selected.psk);
                tls13::server_hello_to_finished(chosen, &asked, selected, early_data, out)
            }
            _ => self.full(out),
        }
    }

    /// No session is resumed.
    fn full(self, out: &mut Out) -> Result<State> {
        let Self { chosen, group, hello, .. } = self;
        tls13::ask_for_credential(chosen, (&hello, &hello.parse()?), group, out)
    }
}

/// Whether this connection can be made with that PSK. A session is of one version, one hash, one name and its time; one
/// without a client certificate is none where that is required; and one of a suite that its client no longer offers is let
/// go, since what the client has since given up may be why.
fn fits(psk: &Psk, chosen: &Chosen, hello: &ClientHello<'_>, now: Duration) -> bool {
    let session = match psk {
        Psk::External { hash, .. } => return *hash == chosen.suite.hash,
        Psk::Session(session) => session,
    };
    let same_hash = session.suite.tls13().is_some_and(|suite| suite.hash == chosen.suite.hash);
    session.version == ProtocolVersion::TLS1_3
        && same_hash
        && hello.cipher_suites.iter().any(|suite| suite == session.suite)
        && is_of_name(session, hello, &chosen.config)
        && session.is_usable_at(now)
        && shows_enough(session, &chosen.config)
}

/// A session is resumed under the name that it was made for only, unless its ticket and this configuration say otherwise.
fn is_of_name(session: &Session, hello: &ClientHello<'_>, config: &ServerHandshake) -> bool {
    let name = hello.extensions.server_name;
    if config.resumption_across_names { session.is_of_name(name) } else { session.is_of_same_name(name) }
}

/// Nobody gets in without a certificate by a session that was made where none was required.
pub(super) fn shows_enough(session: &Session, config: &ServerHandshake) -> bool {
    session.peer.is_some() || config.client_auth != ClientAuth::Required
}

/// The binder of this place.
fn binder<'a>(hello: &ClientHello<'a>, place: u16) -> Result<&'a [u8]> {
    let mut binders = hello.extensions.pre_shared_key.iter().flat_map(OfferedPsks::binders);
    binders.nth(usize::from(place)).ok_or(Error::Internal("the PSK that was found is one of the hello's"))
}

/// The binder is the Finished MAC of the PSK over the hello up to the binders (RFC 9846 section 4.3.11.2), compared in
/// constant time.
fn check_binder(chosen: &Chosen, psk: &Psk, truncated: &Digest, binder: &[u8]) -> Result<EarlySecret> {
    let hash = chosen.suite.hash;
    let (secret, external) = match psk {
        Psk::Session(session) => (&session.secret, false),
        Psk::External { secret, .. } => (secret, true),
    };
    let early = EarlySecret::new(hash, Some(secret));
    let expected = finished_mac(hash, &early.binder_key(external)?, truncated)?;
    expected.verify(binder).map_err(|_| Error::BadBinder)?;
    Ok(early)
}

/// The client's view of the ticket's age less ours, ms (RFC 9846 section 8.3). An external PSK has no age.
fn age_skew(psk: &Psk, obfuscated: u32, now: Duration) -> i64 {
    let Psk::Session(session) = psk else { return 0 };
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let theirs = i64::from(obfuscated.wrapping_sub(session.age_add));
    theirs.saturating_sub(millis(now).saturating_sub(millis(session.made_at)))
}

#[cfg(test)]
mod tests {
    use oxtls_crypto::secret::Secret;

    use super::*;
    use crate::suite::CipherSuite;

    fn session(made_at: Duration, age_add: u32) -> Psk {
        Psk::Session(Box::new(Session {
            version: ProtocolVersion::TLS1_3,
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            secret: Secret::new(&[7; 32]).unwrap(),
            ticket: Vec::new(),
            session_id: Vec::new(),
            server_name: None,
            alpn: None,
            peer: None,
            made_at,
            lifetime: Duration::from_secs(60),
            verified_at: made_at,
            age_add,
            max_early_data: 0,
            extended_master_secret: false,
            resumption_across_names: false,
            policy: [0; 32],
            expires_at: None,
            guard: None,
            context: Vec::new(),
        }))
    }

    #[test]
    fn the_skew_of_a_ticket_is_the_clients_age_less_ours_whatever_was_added_to_it() {
        let made = Duration::from_secs(1_790_000_000);
        for (age_add, theirs, ours, skew) in [
            (0, 5000, 5000, 0),
            (u32::MAX, 5000, 5000, 0),
            (0x8000_0000, 5000, 2000, 3000),
            (7, 0, 11_000, -11_000),
        ] {
            let psk = session(made, age_add);
            let obfuscated = age_add.wrapping_add(theirs);
            assert_eq!(age_skew(&psk, obfuscated, made + Duration::from_millis(ours)), skew);
        }
        // A clock that was set back, and one that says nonsense.
        assert_eq!(age_skew(&session(made, 0), 1000, made - Duration::from_secs(9)), 10_000);
        assert!(age_skew(&session(Duration::MAX, 0), u32::MAX, Duration::ZERO) > 0);
        assert!(age_skew(&session(Duration::ZERO, 0), 0, Duration::MAX) < 0);
        let external =
            Psk::External { secret: Secret::new(&[7; 32]).unwrap(), hash: oxtls_crypto::hash::Hash::Sha256 };
        assert_eq!(age_skew(&external, 1000, made), 0);
    }
}
