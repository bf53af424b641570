//! How records are to be read: what the handshake, which knows what may come, tells the read half.

use crate::limits::DEFAULT_MAX_MESSAGE;

/// What to do with a well-formed ChangeCipherSpec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeCipherSpecMode {
    /// Drop it, up to [`MAX_CHANGE_CIPHER_SPECS`](crate::limits::MAX_CHANGE_CIPHER_SPECS) times (RFC 9846 section 5).
    Drop,
    /// Deliver it: the handshake knows whether it belongs there.
    Deliver,
}

/// What to do with application data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationDataMode {
    /// Refuse it.
    Refuse,
    /// Deliver it.
    Accept,
    /// Deliver it as early data, so many bytes of plaintext at most (RFC 9846 section 4.3.10).
    Early {
        /// The limit in bytes.
        limit: u32,
    },
    /// The key can't open the early data that was rejected: drop records that do not open, so many bytes of payload
    /// at most, until the first that does. From there on every record must open and application data is refused.
    SkipUndecryptable {
        /// The limit in bytes.
        limit: u32,
    },
    /// Early data was rejected by a HelloRetryRequest: drop application data records unread, so many bytes of payload
    /// at most, until the first handshake record. From there on application data is refused.
    SkipUntilClientHello {
        /// The limit in bytes.
        limit: u32,
    },
}

/// How records are to be read. Setting a mode starts its counts afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// What to do with a ChangeCipherSpec.
    pub change_cipher_spec: ChangeCipherSpecMode,
    /// What to do with application data.
    pub application_data: ApplicationDataMode,
    /// Take an unprotected alert until a record has opened under the present key: a client that could not read our
    /// ServerHello has no key to protect its alert with. Later it would be a forgery.
    pub plaintext_alert: bool,
    /// The longest handshake message body, in bytes. The reader hands it to nobody: pass it to
    /// [`Reassembly::next`](crate::Reassembly::next).
    pub max_message: u32,
}

impl Default for Mode {
    /// The most careful mode: nothing but handshake messages and alerts.
    fn default() -> Self {
        Self {
            change_cipher_spec: ChangeCipherSpecMode::Drop,
            application_data: ApplicationDataMode::Refuse,
            plaintext_alert: false,
            max_message: DEFAULT_MAX_MESSAGE,
        }
    }
}
