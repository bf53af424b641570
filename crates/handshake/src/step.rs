//! What a machine takes and what it yields.
//!
//! One door in, [`Input`]; one ordered queue out, [`Output`]: queue order is wire order. A
//! [`Need`] is the last output until it is answered; [`Output::Done`] and
//! [`Output::Failed`] are the last for ever.

use core::time::Duration;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;

use crate::alert::AlertDescription;
use crate::error::Error;
use crate::need::{Answer, Need};
use crate::outcome::Outcome;
use crate::post_handshake::PostHandshake;
use crate::suite::CipherSuite;

/// What carries the handshake; told when a machine is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Records over a byte stream (RFC 9846 section 5).
    Stream,
    /// CRYPTO frames (RFC 9001): no EndOfEarlyData, ChangeCipherSpec or KeyUpdate; transport parameters instead.
    Quic {
        /// Our transport parameters, encoded (RFC 9000 section 18).
        parameters: Vec<u8>,
    },
}

/// Encryption level of a message or key, in RFC 9001's words. TLS 1.2 uses `Initial` and `Application` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// In the clear (QUIC: Initial keys).
    Initial,
    /// 0-RTT.
    Early,
    /// Under handshake traffic keys.
    Handshake,
    /// Under application traffic keys (QUIC: 1-RTT).
    Application,
}

/// Which way a key protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What we receive.
    Read,
    /// What we send.
    Write,
}

/// One door in. Refused with [`Misuse`], state untouched, while outputs wait, or, for messages, while a Need is out.
#[derive(Debug)]
pub enum Input<'a> {
    /// One whole handshake message.
    Message {
        /// The level whose key opened it.
        level: Level,
        /// Header and body; exactly one message.
        bytes: &'a [u8],
        /// Bytes of handshake type follow it in the record that ended it (QUIC: in the CRYPTO stream of its level).
        more: bool,
        /// Time since the Unix epoch, for ticket ages.
        now: Duration,
    },
    /// A ChangeCipherSpec record, where [`ReadMode::change_cipher_spec`] says so.
    ChangeCipherSpec {
        /// A partial handshake message waits.
        more: bool,
    },
    /// The answer to the [`Need`] that is out.
    Answer(Answer),
    /// The outside fails: a bad record, a deadline, the refusal of any Need, a cancellation.
    Abort(Error),
}

/// Why an [`Input`] was not taken. The machine is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// Outputs wait to be taken first.
    OutputsWait,
    /// A Need is out: only its Answer, or Abort, is taken.
    NeedIsOut,
    /// The answer is to another Need than the one that is out.
    StaleAnswer,
    /// The handshake has ended.
    Ended,
    /// `bytes` are not exactly one handshake message.
    NotOneMessage,
}

impl core::fmt::Display for Misuse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::OutputsWait => "outputs of the machine wait to be taken first",
            Self::NeedIsOut => "a Need is out: answer it or abort",
            Self::StaleAnswer => "this answers another Need than the one that is out",
            Self::Ended => "the handshake has ended",
            Self::NotOneMessage => "the bytes are not exactly one handshake message",
        })
    }
}

impl std::error::Error for Misuse {}

/// One element of the ordered queue out.
#[derive(Debug)]
pub enum Output {
    /// Handshake messages to send, at the present write level (Stream): one or more, each of them whole, one behind the
    /// other as they may lie in one record. Messages that nothing comes between, no key, no question, are together; that
    /// no more of them follow, a `Send` does not say. [`message::each`](crate::message::each) tells them apart.
    Send {
        /// The level to send them at.
        level: Level,
        /// Header and body of each.
        bytes: Vec<u8>,
    },
    /// A ChangeCipherSpec record, unprotected.
    SendChangeCipherSpec,
    /// A key to install. Dropping the former one of that direction is the outside's (Stream).
    Keys(KeyChange),
    /// How the record layer must read from here on.
    Read(ReadMode),
    /// record_size_limit (RFC 8449) of protected records, except Early ones.
    Limits {
        /// What we may send: plaintext bytes of a record, content type included in 1.3.
        send: u16,
        /// What the peer may send.
        receive: u16,
    },
    /// What became of 0-RTT.
    EarlyData(EarlyData),
    /// The server may send application data before the client's Finished.
    HalfRtt,
    /// The peer's QUIC transport parameters, not authenticated before Done.
    PeerParameters(Vec<u8>),
    /// A secret for the key log (RFC 9850); only when configured.
    KeyLog {
        /// RFC 9850's label.
        label: &'static str,
        /// ClientHello.random.
        client_random: [u8; 32],
        /// The secret.
        secret: Box<Secret>,
    },
    /// A question that only the outside can answer; the last in the queue until it is answered.
    Need(Need),
    /// The handshake is complete; the last output.
    Done(Box<Outcome>, PostHandshake),
    /// The handshake has failed; the last output. What was queued before it is sent before the alert.
    Failed(Failure),
}

/// A key to install.
#[derive(Debug)]
pub struct KeyChange {
    /// Whose level it is.
    pub level: Level,
    /// Read or write.
    pub direction: Direction,
    /// The suite, whose AEAD and hash it is for.
    pub suite: CipherSuite,
    /// The key or the secret it comes from.
    pub secret: KeySecret,
}

impl KeyChange {
    /// The change, with zeros left where its secret was.
    pub(crate) fn take(&mut self) -> Self {
        // No kind of secret is longer than this one.
        let zeros = KeySecret::Tls13(Secret::zeros(Hash::Sha256));
        let Self { level, direction, suite, ref mut secret } = *self;
        Self { level, direction, suite, secret: core::mem::replace(secret, zeros) }
    }
}

/// What a key comes from; also tells the version.
#[derive(Debug)]
pub enum KeySecret {
    /// A traffic secret: key and IV are derived from it (RFC 9846 section 7.3).
    Tls13(Secret),
    /// Halves of the key block (RFC 5246 section 6.3).
    Tls12 {
        /// The AEAD key.
        key: AeadKey,
        /// The fixed part of the nonce.
        fixed_iv: FixedIv,
    },
}

/// How the record layer must read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMode {
    /// What to do with ChangeCipherSpec.
    pub change_cipher_spec: ChangeCipherSpec,
    /// What to do with application data.
    pub application_data: ApplicationData,
    /// An unprotected alert is good until one record has opened under this key.
    pub plaintext_alert: bool,
    /// Largest handshake message to hold, bytes with header; longer: illegal_parameter at its header.
    pub max_message: u32,
}

/// What to do with a ChangeCipherSpec record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeCipherSpec {
    /// Drop it, counted (TLS 1.3's compatibility mode).
    Drop,
    /// Hand it to the machine, which refuses it where it does not belong.
    Deliver,
}

/// What to do with application data records. Over a limit: unexpected_message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationData {
    /// unexpected_message.
    Refuse,
    /// Hand it to the caller.
    Accept,
    /// 0-RTT data.
    Early {
        /// Plaintext bytes.
        limit: u32,
    },
    /// Drop records that do not open, until one opens.
    SkipUndecryptable {
        /// Bytes of record payload.
        limit: u32,
    },
    /// Drop records of outer type 23 unread, until a handshake record.
    SkipUntilClientHello {
        /// Bytes of record payload.
        limit: u32,
    },
}

/// What became of 0-RTT.
#[derive(Debug)]
pub enum EarlyData {
    /// Client: data may be sent at [`Level::Early`].
    Offered {
        /// Plaintext bytes at most.
        limit: u32,
        /// The early exporter, when wanted.
        exporter: Option<Secret>,
    },
    /// The server took it.
    Accepted {
        /// The early exporter, when wanted (server; a client got it with `Offered`).
        exporter: Option<Secret>,
    },
    /// The server did not take it. At a client this takes the Early write key away.
    Rejected(EarlyDataRejection),
}

/// Why early data was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EarlyDataRejection {
    /// Not enabled here.
    Disabled,
    /// The peer negotiated another version.
    Version,
    /// A HelloRetryRequest was needed.
    HelloRetryRequest,
    /// The session was not resumed.
    NotResumed,
    /// The peer declined.
    PeerDeclined,
    /// The session does not allow it.
    UnsupportedForSession,
    /// ALPN differs from the session's.
    Alpn,
    /// The ticket's age is not what the clock says.
    TicketAge,
    /// The replay guard declined: seen before, no room to remember it, or a ticket that names another guard.
    Replay,
}

/// How a handshake failed.
#[derive(Debug)]
pub struct Failure {
    /// What to tell the peer.
    pub alert: AlertDescription,
    /// What to tell the caller.
    pub error: Error,
    /// Where to retry ECH, only when authenticated.
    pub ech: Option<EchRetry>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { alert: error.alert(), error, ech: None }
    }
}

/// What an authenticated refusal of ECH says (RFC 9849 section 6.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EchRetry {
    /// Retry with these configurations.
    Configs(Vec<u8>),
    /// ECH is securely disabled at this server.
    Disabled,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::CipherSuite;

    #[test]
    fn a_key_that_is_taken_leaves_zeros() {
        let secret = KeySecret::Tls13(Secret::new(&[7; 32]).unwrap());
        let (level, direction) = (Level::Handshake, Direction::Write);
        let suite = CipherSuite::TLS_AES_128_GCM_SHA256;
        let mut waiting = KeyChange { level, direction, suite, secret };
        let taken = waiting.take();
        assert_eq!((taken.level, taken.direction, taken.suite), (level, direction, suite));
        let bytes = |change: &KeyChange| match &change.secret {
            KeySecret::Tls13(secret) => secret.as_bytes().to_vec(),
            KeySecret::Tls12 { .. } => Vec::new(),
        };
        assert_eq!(bytes(&taken), [7; 32]);
        assert_eq!(bytes(&waiting), [0; 32]);
        assert!(size_of::<KeySecret>() <= size_of::<Secret>() + 1, "no kind is longer than that of TLS 1.3");
    }
}
