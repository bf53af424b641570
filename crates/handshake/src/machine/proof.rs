//! Proofs of what a state may rely on. They are made here only, of the check itself.

use oxtls_crypto::hash::{Digest, Hash};
use oxtls_crypto::secret::Secret;

use super::WRONG_ANSWER;
use crate::error::Error;
use crate::key_schedule::tls12::{MasterSecret, Sender};
use crate::key_schedule::tls13;
use crate::need::{AcceptedSession, AnswerKind};

/// Proof that the peer's Finished verified: nobody but a peer that holds the handshake secret wrote this transcript.
#[derive(Debug)]
pub(crate) struct FinishedVerified(());

impl FinishedVerified {
    /// Checks a received verify_data (RFC 9846 section 4.5.3), in constant time.
    pub(crate) fn check(
        hash: Hash,
        base: &Secret,
        transcript: &Digest,
        received: &[u8],
    ) -> Result<Self, Error> {
        tls13::verify_finished(hash, base, transcript, received)?;
        Ok(Self(()))
    }

    /// Checks a received verify_data of TLS 1.2 (RFC 5246 section 7.4.9), in constant time.
    pub(crate) fn check_tls12(
        master: &MasterSecret,
        sender: Sender,
        transcript: &Digest,
        received: &[u8],
    ) -> Result<Self, Error> {
        master.verify_finished(sender, transcript, received)?;
        Ok(Self(()))
    }
}

/// Proof that the outside accepted the peer's certificates, after the peer had proved possession of its key.
#[derive(Debug)]
pub(crate) struct PeerVerified(());

impl PeerVerified {
    /// The proof, if this is the answer that gives it.
    pub(crate) fn from_answer(answer: &AnswerKind) -> Result<Self, Error> {
        match answer {
            AnswerKind::PeerAccepted => Ok(Self(())),
            _ => Err(WRONG_ANSWER),
        }
    }
}

/// Proof that the outside accepted a session, after the client had proved that it has the session's secret (TLS 1.3) or
/// before it does by its Finished (TLS 1.2): what the session says of the peer holds for this connection.
#[derive(Debug)]
pub(crate) struct SessionAccepted(());

impl SessionAccepted {
    /// The proof, if this answer resumes the session.
    pub(crate) const fn from_answer(answer: AcceptedSession) -> Option<Self> {
        match answer {
            AcceptedSession::Resume { .. } => Some(Self(())),
            AcceptedSession::Decline => None,
        }
    }
}
