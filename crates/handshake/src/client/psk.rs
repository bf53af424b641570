//! A TLS 1.3 session on offer (RFC 9846 section 4.3.11): whether there is one, its binder, and whether the server took
//! it.

use core::time::Duration;
use std::sync::Arc;

use crate::config::Told;
use crate::error::Error;
use crate::extension::pre_shared_key::{self, PskIdentity};
use crate::key_schedule::tls13::{EarlySecret, finished_mac};
use crate::message::offer;
use crate::session::{Psk, Session};
use crate::suite::{ProtocolVersion, Tls13Suite};
use crate::transcript::Transcript;

/// The session that our hellos offer. There is never more than one, so its index is 0.
#[derive(Debug)]
pub(super) struct OfferedPsk {
    psk: Arc<Psk>,
    pub(super) suite: Tls13Suite,
    pub(super) secret: EarlySecret,
}

impl OfferedPsk {
    /// The configured session, if it is one of TLS 1.3 that can be offered among these suites.
    pub(super) fn choose(config: &Told, now: Duration) -> Option<Self> {
        let session = config.session_to_offer(ProtocolVersion::TLS1_3, now)?;
        let suite = session.suite.tls13()?;
        if session.ticket.is_empty() || session.secret.len() != suite.hash.output_len() {
            return None;
        }
        let psk = Arc::clone(config.session.as_ref()?);
        Some(Self { suite, secret: EarlySecret::new(suite.hash, Some(&session.secret)), psk })
    }

    /// What was agreed on when the session was made.
    pub(super) fn session(&self) -> Option<&Session> {
        self.psk.session()
    }

    /// What a hello says of it at this time.
    pub(super) fn offer(&self, now: Duration) -> Option<offer::OfferedPsk<'_>> {
        self.session().map(|session| offer::OfferedPsk {
            identity: PskIdentity {
                identity: &session.ticket,
                obfuscated_ticket_age: obfuscated_age(session, now),
            },
            hash: self.suite.hash,
        })
    }

    /// Puts the binder into its place at the end of `hello`: a MAC over all that stands before the list of binders,
    /// which proves that we have the secret of the ticket. `transcript` is what came before this hello; gives it with
    /// the hello.
    pub(super) fn bind(&self, hello: &mut [u8], mut transcript: Transcript) -> Result<Transcript, Error> {
        const TOO_SHORT: Error = Error::Internal("a ClientHello without binders");
        let hash = self.suite.hash;
        let truncated = hello.len().checked_sub(pre_shared_key::binders_len(hash)).ok_or(TOO_SHORT)?;
        let (front, binders) = hello.split_at_mut_checked(truncated).ok_or(TOO_SHORT)?;
        transcript.add(front);
        let binder = finished_mac(hash, &self.secret.binder_key(false)?, &transcript.current())?;
        let place = binders.iter_mut().rev().zip(binder.as_bytes().iter().rev());
        place.for_each(|(to, from)| *to = *from);
        transcript.add(binders);
        Ok(transcript)
    }
}

/// The age of the ticket in milliseconds, behind a number that only the server knows besides us, so that nobody who
/// watches can tell which connections a client's tickets come from (RFC 9846 section 4.3.11.1).
fn obfuscated_age(session: &Session, now: Duration) -> u32 {
    let age = now.saturating_sub(session.made_at).as_millis() & u128::from(u32::MAX);
    u32::try_from(age).unwrap_or_default().wrapping_add(session.age_add)
}

/// Where the key schedule begins: with the session that the server selected, or without one.
pub(super) fn selected(
    offered: Option<OfferedPsk>,
    selected_identity: Option<u16>,
    suite: Tls13Suite,
) -> Result<(Option<Arc<Psk>>, EarlySecret), Error> {
    match (offered, selected_identity) {
        (Some(psk), Some(0)) if psk.suite.hash == suite.hash => Ok((Some(psk.psk), psk.secret)),
        (Some(_), Some(0)) => {
            Err(Error::IllegalParameter { what: "a cipher suite of another hash than the session's" })
        }
        (_, Some(_)) => Err(Error::IllegalParameter { what: "selected_identity" }),
        (_, None) => Ok((None, EarlySecret::new(suite.hash, None))),
    }
}
