//! What either role does with sessions: found, judged and sealed at a server, offered and kept at a client.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use oxtls_crypto::salted::Salt;
use oxtls_handshake::need::{AcceptSession, Answer, ChooseConfig, FindSession, Need, SealTicket};
use oxtls_handshake::outcome::{Outcome, PeerCertificates};
use oxtls_handshake::post_handshake::{NewTicket, Tickets};
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::suite::ProtocolVersion;
use oxtls_x509::{PolicyInputs, Stapled, Verifier};

use super::info::Identity;
use super::role::{Client, Server, Settled};
use crate::config::Decision;
use crate::resumption::{FoundSession, ServerResumption, Sink, end_of};

/// What a role leaves behind when its handshake is done.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// NewSessionTicket messages to send.
    pub(crate) messages: Vec<Vec<u8>>,
    /// Tickets for the caller to seal.
    pub(crate) tickets: Vec<NewTicket>,
    /// Where a client's sessions go.
    pub(crate) sink: Option<Box<Sink>>,
    /// The server's certificates in an allocation that others have too.
    pub(crate) peer: Option<PeerCertificates>,
}

impl Server {
    /// Remembers when the hello came, and what it says of tickets.
    pub(crate) fn note_hello(&mut self, token: &ChooseConfig) {
        self.origin.hello_at = token.now;
        self.origin.wish = token.hello.ticket_request();
    }

    pub(crate) fn find(&mut self, token: FindSession) -> Answer {
        let now = self.config.settings.clock.now();
        let found = self.config.resumption.as_ref().and_then(|resumption| resumption.find(&token, now));
        match found {
            Some(FoundSession { offer, session, old_key }) => {
                self.old_key = old_key;
                token.found(offer, Psk::Session(session))
            }
            None => token.none(),
        }
    }

    /// Judges a session that was found. `early_data`: the caller has asked a guard of its own, and this is the verdict.
    pub(crate) fn accept(&mut self, token: AcceptSession, early_data: Option<bool>) -> Settled {
        let (Some(resumption), Some(session)) = (&self.config.resumption, token.psk.session()) else {
            // A key that was agreed elsewhere is judged there.
            return match token.psk.session() {
                Some(_) => Settled::Answer(token.decline()),
                None => Settled::Ask(Need::AcceptSession(token)),
            };
        };
        let now = self.config.settings.clock.now();
        if !resumption.is_within_caps(session, now) {
            return Settled::Answer(token.decline());
        }
        let Some((expires_at, identity)) = self.recheck(resumption, session) else {
            return Settled::Answer(token.decline());
        };
        if !resumption.spend(session) {
            return Settled::Answer(token.decline());
        }
        let fresh_still = resumption.is_fresh_still(token.age_skew, self.origin.hello_at, now);
        let early_data = match (&token.early_data, early_data) {
            (Some(_), _) if !fresh_still => false,
            (None, _) => false,
            (Some(_), Some(fresh)) => fresh && resumption.caller_judges(session),
            (Some(key), None) => {
                resumption.guard(session).is_some_and(|guard| guard.check(key, now).is_fresh())
            }
        };
        let renew = self.old_key && session.version == ProtocolVersion::TLS1_2;
        self.origin.verified_at = Some(session.verified_at);
        self.origin.expires_at = expires_at;
        self.identity = identity;
        Settled::Answer(if renew { token.renew() } else { token.resume(early_data) })
    }

    /// Judges the session's client again if it was accepted under another policy. Gives when its chain ends, and who it
    /// is; `None` if it does not pass.
    fn recheck(
        &self,
        resumption: &ServerResumption,
        session: &Session,
    ) -> Option<(Option<Duration>, Identity)> {
        let judge = self.config.judge();
        if resumption.policy.has_policy_of(&session.policy) && !judge.is_some_and(asks_for_policies) {
            let identity =
                if judge.is_some() { Identity::OfSession(OnceLock::new()) } else { Identity::Unknown };
            return Some((session.expires_at, identity));
        }
        match (&session.peer, judge) {
            (Some(peer), Some(verifier)) => {
                let stapled = Stapled { ocsp: peer.ocsp.as_deref(), scts: peer.scts.as_deref() };
                let now = self.config.settings.clock.unix_time();
                let path = verifier.verify_client_with(&peer.chain, stapled, now).ok()?;
                Some((Some(end_of(&path)), Identity::Verified(path.into_identity())))
            }
            // Nobody here can judge this client, which another policy did.
            (Some(_), None) => None,
            (None, _) => resumption.welcomes_strangers().then_some((None, Identity::Unknown)),
        }
    }

    /// Writes into a session of TLS 1.2 what the machine does not know.
    pub(crate) fn complete(&self, session: &mut Session) {
        if let Some(resumption) = &self.config.resumption {
            resumption.complete(session, &self.origin, self.config.settings.clock.now());
        }
    }

    /// Seals a session of TLS 1.2, which is complete.
    pub(crate) fn seal(&self, token: SealTicket) -> Answer {
        let now = self.config.settings.clock.now();
        let resumption = self.config.resumption.as_ref();
        let ticket =
            resumption.and_then(|resumption| resumption.seal(&token.session, Salt::random().ok()?, now));
        let lifetime = token.session.lifetime;
        token.answer_promising(ticket, resumption.map_or(lifetime, |resumption| resumption.promise(lifetime)))
    }

    /// Keeps the session of TLS 1.2, makes the tickets of TLS 1.3.
    pub(crate) fn leave(&mut self, outcome: &mut Outcome, tickets: Option<Tickets>) -> Left {
        let mut left = Left::default();
        let Some(resumption) = &self.config.resumption else { return left };
        if outcome.session.is_none() && tickets.is_none() {
            return left;
        }
        let now = self.config.settings.clock.now();
        if let Some(mut session) = outcome.session.take() {
            resumption.complete(&mut session, &self.origin, now);
            outcome.session = resumption.keep(session);
        }
        let (Some(mut tickets), lifetime) = (tickets, resumption.lifetime(&self.origin, now)) else {
            return left;
        };
        tickets.set_lifetime(resumption.promise(lifetime));
        tickets.set_max_early_data(resumption.max_early_data());
        let asks = self.config.settings.asks(Decision::SealTicket);
        let count =
            if lifetime.is_zero() { 0 } else { resumption.count(&self.origin, outcome.psk.is_some()) };
        for _ in 0..count {
            // The connection is there whether or not a ticket can be made.
            let Ok((salt, more)) = Salt::with_more() else { break };
            let Ok(mut ticket) = tickets.next_with(more, now) else { break };
            ticket.session_mut().lifetime = lifetime;
            resumption.fill(ticket.session_mut(), &self.origin);
            if asks {
                left.tickets.push(ticket);
                continue;
            }
            let Some(sealed) = resumption.seal(ticket.session(), salt, now) else { break };
            left.messages.extend(ticket.message(&sealed));
        }
        left
    }
}

/// Whether a path is asked for its certificate policies: what a session has not kept, and whoever asked wants to see.
fn asks_for_policies(verifier: &Verifier) -> bool {
    *verifier.policy().policy_inputs() != PolicyInputs::default()
}

impl Client {
    /// Who resumes need not verify: the peer is the session's. Tells where sessions go from here.
    pub(crate) fn leave(&mut self, outcome: &mut Outcome) -> Left {
        let mut left = Left::default();
        let resumed = outcome.psk.is_some();
        if resumed
            && matches!(self.identity, Identity::Unknown)
            && let Some(verifier) = self.config.judge()
        {
            self.identity =
                outcome.peer.as_ref().map(|peer| self.identity_of(peer, verifier)).unwrap_or_default();
        }
        if !resumed {
            left.peer = self.share_peer(outcome);
            self.forget();
        }
        let (Some(resumption), Some(policy)) = (&self.config.resumption, self.policy) else { return left };
        let session = outcome.session.take();
        let more_will_come = outcome.version >= ProtocolVersion::TLS1_3;
        if session.is_some() || more_will_come {
            let mut sink = resumption.sink(policy, self.expires_at, self.config.settings.clock.clone());
            let waits = session.is_some_and(|session| sink.put(session));
            left.sink = (waits || more_will_come).then(|| Box::new(sink));
        }
        left
    }

    /// Who the server of a resumed session is. The policies that its chain is valid for are found anew, where any are asked
    /// for; the chain itself was judged when the session was made or offered.
    fn identity_of(&self, peer: &PeerCertificates, verifier: &Verifier) -> Identity {
        let of_session = || Identity::OfSession(OnceLock::new());
        if !asks_for_policies(verifier) {
            return of_session();
        }
        let stapled = Stapled { ocsp: peer.ocsp.as_deref(), scts: peer.scts.as_deref() };
        let now = self.config.settings.clock.unix_time();
        let path = verifier.verify_server_with(&peer.chain, &self.name, stapled, now);
        path.map_or_else(|_| of_session(), |path| Identity::Verified(path.into_identity()))
    }

    /// The server has not resumed the session that it was offered, but has the same certificates still: then they are
    /// those of the session, and not kept a second time.
    fn share_peer(&self, outcome: &mut Outcome) -> Option<PeerCertificates> {
        let known = self.offered.as_deref().and_then(Psk::session)?.peer.as_ref();
        let known = known.filter(|&known| outcome.peer.as_ref() == Some(known)).cloned();
        if known.is_some() {
            outcome.peer.clone_from(&known);
        }
        known
    }

    /// The session of TLS 1.2 that was offered is worth nothing: the server does not know it, or the handshake failed.
    pub(crate) fn forget(&self) {
        if let (Some(resumption), Some(policy), Some(psk)) =
            (&self.config.resumption, &self.policy, &self.offered)
        {
            resumption.forget(policy, psk);
        }
    }

    /// Offers a session that the configuration keeps, if there is one for this server.
    pub(crate) fn take_session(&mut self, now: Duration) {
        if let (Some(resumption), Some(policy)) = (&self.config.resumption, &self.policy) {
            let offered = resumption.take(policy, &self.name, self.config.judge(), now);
            self.offer(offered);
        }
    }

    /// Makes the session that is offered to this server the connection's own.
    pub(crate) fn offer(&mut self, offered: Option<(Arc<Psk>, Option<Duration>)>) {
        if let Some((psk, expires_at)) = offered {
            self.offered = Some(psk);
            self.expires_at = expires_at;
        }
    }
}
