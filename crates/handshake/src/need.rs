//! Questions that only the outside can answer.
//!
//! A token is the question plus a serial number: owned, `Send`, not `Clone`. Answering consumes it, so an answer is
//! of the right kind by type and of the right Need of the right machine by serial. The state stays in the machine: a
//! dropped token harms nothing. Refusing is [`Input::Abort`](crate::step::Input::Abort) with the outside's error.

use core::time::Duration;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::signature::SignatureScheme;

use crate::config::{Credential, ServerHandshake};
use crate::defaults;
use crate::extension::pre_shared_key::{PskIdentity, identities_of};
use crate::message::client_hello::{OwnedClientHello, Part};
use crate::outcome::PeerCertificates;
use crate::session::{Psk, ReplayKey, Session};
use crate::suite::ProtocolVersion;

/// Tells a Need from every other, of whatever machine.
///
/// A late answer that reaches the wrong connection (its own has gone, and something of its place is used again) must
/// not let a stranger in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Serial(u64);

impl Serial {
    /// One that no other Need has.
    ///
    /// It is what nothing hashes to under keys that std draws for each thread and changes with each call: no allocation,
    /// and nothing that the threads of a process would have to share, as a counter of them all is. Two are the same one
    /// time in 2^64. That is enough: nobody chooses them or is shown them, so a stray answer, which is a mistake of the
    /// caller's in itself, has one try, against the one Need that is out where it went astray.
    pub(crate) fn next() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }
}

/// A question; the machine stands still until its [`Answer`] comes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Need {
    /// Server: decrypt an Encrypted Client Hello.
    OpenEch(OpenEch),
    /// Server: choose the configuration by what the hello says.
    ChooseConfig(ChooseConfig),
    /// Server: find a session among the offers.
    FindSession(FindSession),
    /// Server: accept the session that was found, its binder verified.
    AcceptSession(AcceptSession),
    /// Choose a certificate and a scheme that the peer accepts.
    ChooseCredential(ChooseCredential),
    /// Decompress the peer's certificate message.
    Decompress(Decompress),
    /// Decide about the peer's certificates; it has proved possession of the key.
    VerifyPeer(VerifyPeer),
    /// Sign.
    Sign(Sign),
    /// Server, TLS 1.2: seal the session into a ticket.
    SealTicket(SealTicket),
}

impl Need {
    /// What is asked, by the name of its type: `VerifyPeer`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OpenEch(_) => "OpenEch",
            Self::ChooseConfig(_) => "ChooseConfig",
            Self::FindSession(_) => "FindSession",
            Self::AcceptSession(_) => "AcceptSession",
            Self::ChooseCredential(_) => "ChooseCredential",
            Self::Decompress(_) => "Decompress",
            Self::VerifyPeer(_) => "VerifyPeer",
            Self::Sign(_) => "Sign",
            Self::SealTicket(_) => "SealTicket",
        }
    }
}

/// The answer to one Need. Opaque: made by the token only.
#[derive(Debug)]
pub struct Answer {
    pub(crate) serial: Serial,
    pub(crate) kind: AnswerKind,
}

impl Answer {
    /// What it answers, by the name of the Need's type: `VerifyPeer`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            AnswerKind::RefuseEch { .. } => "OpenEch",
            AnswerKind::Config { .. } => "ChooseConfig",
            AnswerKind::Session(_) => "FindSession",
            AnswerKind::Accept(_) => "AcceptSession",
            AnswerKind::Credential(_) => "ChooseCredential",
            AnswerKind::Decompressed(_) => "Decompress",
            AnswerKind::PeerAccepted => "VerifyPeer",
            AnswerKind::Signature(_) => "Sign",
            AnswerKind::Ticket { .. } => "SealTicket",
        }
    }
}

/// What an [`Answer`] says.
#[derive(Debug)]
pub(crate) enum AnswerKind {
    #[expect(dead_code, reason = "ECH is not asked for yet")]
    RefuseEch {
        retry_configs: Option<Vec<u8>>,
    },
    Config {
        config: Arc<ServerHandshake>,
        cookie: Option<Vec<u8>>,
    },
    Session(Option<(usize, Psk)>),
    Accept(AcceptedSession),
    Credential(Option<(Arc<Credential>, SignatureScheme)>),
    Decompressed(Vec<u8>),
    PeerAccepted,
    Signature(Vec<u8>),
    Ticket {
        ticket: Option<Vec<u8>>,
        /// How long the client is told that its session lives, from when that was made.
        lifetime: Duration,
    },
}

/// What an answer to [`AcceptSession`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcceptedSession {
    Resume { early_data: bool, renew: bool },
    Decline,
}

/// Decrypt an Encrypted Client Hello (RFC 9849 section 7.1).
#[derive(Debug)]
pub struct OpenEch {
    /// Which of the server's configurations it names.
    pub config_id: u8,
    /// KDF of the HPKE suite.
    pub kdf_id: u16,
    /// AEAD of the HPKE suite.
    pub aead_id: u16,
    /// Encapsulated key.
    pub enc: Vec<u8>,
    /// ClientHelloOuterAAD.
    pub aad: Vec<u8>,
    /// The encrypted inner hello.
    pub payload: Vec<u8>,
    pub(crate) serial: Serial,
}

impl OpenEch {
    /// Go on with the outer hello and send `retry_configs`, an encoded ECHConfigList.
    #[must_use]
    pub fn refuse(self, retry_configs: Option<Vec<u8>>) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::RefuseEch { retry_configs } }
    }
}

/// Choose the configuration by what the hello says: name, protocols, schemes, versions.
#[derive(Debug)]
pub struct ChooseConfig {
    /// The hello; the inner one when `ech`.
    pub hello: OwnedClientHello,
    /// The hello came encrypted.
    pub ech: bool,
    /// When the hello came, since the Unix epoch.
    pub now: Duration,
    pub(crate) serial: Serial,
}

impl ChooseConfig {
    /// Go on with this configuration, which has passed [`ServerHandshake::check`]: that is not done again for each
    /// connection, and of lists with an entry twice, or one that this library has not, some may not count. A `cookie` (1 to
    /// 65,535 bytes) forces a HelloRetryRequest; where the version turns out to be TLS 1.2, which has none, it is ignored.
    #[must_use]
    pub fn answer(self, config: Arc<ServerHandshake>, cookie: Option<Vec<u8>>) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Config { config, cookie } }
    }
}

/// One session that a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOffer<'a> {
    /// TLS 1.3 PSK identity (RFC 9846 section 4.3.11).
    PskIdentity {
        /// The identity: a ticket or an external name.
        identity: &'a [u8],
        /// Age in ms plus ticket_age_add, modulo 2^32.
        obfuscated_age: u32,
    },
    /// TLS 1.2 ticket (RFC 5077).
    Ticket(&'a [u8]),
    /// TLS 1.2 session ID.
    SessionId(&'a [u8]),
}

/// Where in a hello its offers lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offered {
    /// The list of PSK identities.
    Psks(Part),
    Ticket(Part),
    SessionId(Part),
}

/// Those PSK identities that are looked for, with their places among all.
pub(crate) fn usable_identities<'a>(
    identities: impl Iterator<Item = PskIdentity<'a>>,
) -> impl Iterator<Item = (u16, PskIdentity<'a>)> {
    (0..)
        .zip(identities)
        .take(defaults::MAX_PSK_IDENTITIES)
        .filter(|(_, psk)| psk.identity.len() <= defaults::MAX_TICKET)
}

/// Find a session among the offers, in the client's order.
#[derive(Debug)]
pub struct FindSession {
    /// The hash of the suite that was chosen: only a PSK of this hash is of use. TLS 1.2 looks for the session before the
    /// suite: there it is that of the suite that a full handshake would prefer, and sessions of others are of use too.
    pub hash: Hash,
    pub(crate) hello: OwnedClientHello,
    pub(crate) offered: Offered,
    pub(crate) serial: Serial,
}

impl FindSession {
    /// What the client offers, in its order, bounded.
    pub fn offers(&self) -> impl Iterator<Item = SessionOffer<'_>> {
        let bytes = |part| self.hello.bytes_of(part);
        let (psks, other) = match self.offered {
            Offered::Psks(list) => (bytes(list), None),
            Offered::Ticket(ticket) => (&[][..], Some(SessionOffer::Ticket(bytes(ticket)))),
            Offered::SessionId(id) => (&[][..], Some(SessionOffer::SessionId(bytes(id)))),
        };
        let psks = usable_identities(identities_of(psks)).map(|(_, psk)| SessionOffer::PskIdentity {
            identity: psk.identity,
            obfuscated_age: psk.obfuscated_ticket_age,
        });
        psks.chain(other)
    }

    /// The offer of this index among [`offers`](Self::offers) is this session. One that cannot be resumed here (its
    /// version, hash, name or time) is as none.
    #[must_use]
    pub fn found(self, offer: usize, psk: Psk) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Session(Some((offer, psk))) }
    }

    /// None of them is known.
    #[must_use]
    pub fn none(self) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Session(None) }
    }
}

/// Accept the session that was found: recheck of its peer under the current policy, caps, single use, replay.
#[derive(Debug)]
pub struct AcceptSession {
    /// The session. In TLS 1.3 its binder has verified: the client has its secret. In TLS 1.2 that is only seen by the
    /// client's Finished: take nothing off a store for it here.
    pub psk: Arc<Psk>,
    /// 0-RTT is possible, and this is what a replay guard keys on.
    pub early_data: Option<ReplayKey>,
    /// Client's view of the ticket's age less ours when the hello came, ms. An answer that comes later than a replay guard
    /// remembers must be without early data.
    pub age_skew: i64,
    pub(crate) serial: Serial,
}

impl AcceptSession {
    /// Resume. `early_data` counts only if the field of that name was `Some`.
    #[must_use]
    pub fn resume(self, early_data: bool) -> Answer {
        self.accept(AcceptedSession::Resume { early_data, renew: false })
    }

    /// Resume, and send a client of TLS 1.2 a new ticket in place of its own (RFC 5077 section 3.3), because that is
    /// sealed under a key that will soon be gone. The same as [`resume`](Self::resume) without early data elsewhere.
    #[must_use]
    pub fn renew(self) -> Answer {
        self.accept(AcceptedSession::Resume { early_data: false, renew: true })
    }

    /// Go to a full handshake.
    #[must_use]
    pub fn decline(self) -> Answer {
        self.accept(AcceptedSession::Decline)
    }

    fn accept(self, accepted: AcceptedSession) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Accept(accepted) }
    }
}

/// What the peer can verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRequest {
    /// The version that was chosen: in TLS 1.3 a scheme of ECDSA names its curve too, in TLS 1.2 only its hash.
    pub version: ProtocolVersion,
    /// Schemes for the handshake signature, the peer's order, only those that the negotiated version can use.
    pub schemes: Vec<SignatureScheme>,
    /// Schemes for signatures inside certificates (signature_algorithms_cert), or the same.
    pub certificate_schemes: Vec<SignatureScheme>,
    /// DER names of authorities that the peer trusts; empty: no preference.
    pub authorities: Vec<Vec<u8>>,
    /// The name that the client asked for (server only).
    pub server_name: Option<String>,
    /// The peer takes a stapled OCSP response.
    pub ocsp: bool,
    /// The peer takes signed certificate timestamps.
    pub sct: bool,
    /// Certificate compression algorithms that the peer has (RFC 8879), its order.
    pub compression: Vec<u16>,
    /// ClientCertificateType of each kind of key that a TLS 1.2 server takes, its order, unknown ones included (RFC 5246
    /// section 7.4.4); empty in TLS 1.3 and at a server. `schemes` has been held to them already.
    pub certificate_types: Vec<u8>,
}

/// Choose a certificate and a scheme that the peer accepts.
#[derive(Debug)]
pub struct ChooseCredential {
    /// What the peer can verify.
    pub request: Box<CredentialRequest>,
    pub(crate) serial: Serial,
}

impl ChooseCredential {
    /// Use this credential and sign with this scheme, which must be among the request's.
    #[must_use]
    pub fn answer(self, credential: Arc<Credential>, scheme: SignatureScheme) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Credential(Some((credential, scheme))) }
    }

    /// There is none: a client sends an empty Certificate, a server fails with handshake_failure.
    #[must_use]
    pub fn none(self) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Credential(None) }
    }
}

/// Decompress the peer's certificate message (RFC 8879). The peer has proved nothing yet: stop at `length` bytes,
/// whatever else would come out. What cannot be decompressed, or not to this length, is refused by
/// [`Error::DecompressionFailed`](crate::error::Error::DecompressionFailed).
#[derive(Debug)]
pub struct Decompress {
    /// The algorithm, one that we offered.
    pub algorithm: u16,
    /// Compressed bytes.
    pub bytes: Vec<u8>,
    /// Length that must come out, bytes; bounded by the largest message that is held.
    pub length: u32,
    pub(crate) serial: Serial,
}

impl Decompress {
    /// The decompressed Certificate message, without its header.
    #[must_use]
    pub fn answer(self, certificate: Vec<u8>) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Decompressed(certificate) }
    }
}

/// Whose name the peer's certificate must carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameToVerify {
    /// The one that the configuration says; servers: none.
    Configured,
    /// The public name of an ECH configuration: the server refused ECH (RFC 9849 section 6.1.7).
    EchPublicName(String),
}

/// Decide about the peer's certificates. Its signature has proved possession of the leaf's key: in this handshake, or, if
/// it resumes a session, in the one that the session comes from.
#[derive(Debug)]
pub struct VerifyPeer {
    /// What the peer sent; of a session, what it sent then.
    pub peer: PeerCertificates,
    /// The certificates are those of the session that the server resumes
    /// ([`ClientHandshake::verify_resumed`](crate::config::ClientHandshake::verify_resumed)). In TLS 1.3 the server has
    /// proved that it has the session's secret; in TLS 1.2 its Finished, which does, is still to come.
    pub resumed: bool,
    /// Whose name to check.
    pub name: NameToVerify,
    pub(crate) serial: Serial,
}

impl VerifyPeer {
    /// The peer is who it should be.
    #[must_use]
    pub fn accept(self) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::PeerAccepted }
    }
}

/// Sign with the chosen credential's key.
#[derive(Debug)]
pub struct Sign {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// What is signed, not hashed (TLS 1.2's CertificateVerify: the whole transcript).
    pub message: Vec<u8>,
    /// The credential that was chosen.
    pub credential: Arc<Credential>,
    pub(crate) serial: Serial,
}

impl Sign {
    /// The signature.
    #[must_use]
    pub fn answer(self, signature: Vec<u8>) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Signature(signature) }
    }
}

/// Seal a session into a ticket (RFC 5077); TLS 1.2 only, where the ticket is part of the handshake.
#[derive(Debug)]
pub struct SealTicket {
    /// What to seal.
    pub session: Box<Session>,
    pub(crate) serial: Serial,
}

impl SealTicket {
    /// The sealed ticket; `None` sends an empty one (RFC 5077 section 3.3). The client is told (ticket_lifetime_hint) how
    /// long the session lives, as [`session`](Self::session) has it.
    #[must_use]
    pub fn answer(self, ticket: Option<Vec<u8>>) -> Answer {
        let lifetime = self.session.lifetime;
        self.answer_promising(ticket, lifetime)
    }

    /// The same, the client being told that its session lives so long from when it was made: less than it does, where it
    /// may come back to a server whose clock is ahead.
    #[must_use]
    pub fn answer_promising(self, ticket: Option<Vec<u8>>, lifetime: Duration) -> Answer {
        Answer { serial: self.serial, kind: AnswerKind::Ticket { ticket, lifetime } }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn no_two_needs_of_any_thread_have_the_same_number() {
        const EACH: usize = 20_000;
        let draw = || (0..EACH).map(|_| Serial::next().0).collect::<Vec<_>>();
        let threads = [(); 4].map(|()| thread::spawn(draw));
        let drawn = threads.map(|thread| thread.join().unwrap());
        assert_eq!(drawn.iter().flatten().collect::<HashSet<_>>().len(), 4 * EACH);
    }

    #[test]
    fn a_number_says_nothing_of_those_before_and_behind_it() {
        let mut drawn: Vec<u64> = (0..1000).map(|_| Serial::next().0).collect();
        assert!(!drawn.is_sorted(), "not counted");
        drawn.sort_unstable();
        let nearest = drawn.windows(2).map(|pair| pair[1] - pair[0]).min();
        // A thousand of 2^64 are 2^44 apart where they are nearest; closer than 2^16 one time in 2^28.
        assert!(nearest > Some(1 << 16), "{nearest:?}");
    }
}
