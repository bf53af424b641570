//! The logs that a verifier counts.

use core::fmt;
use std::sync::Arc;

use oxtls_crypto::signature::{KeyAlgorithm, PublicKey};
use pki_types::UnixTime;

use crate::trust::sha256;

/// One log: a key, who runs it, and when it was in service.
#[derive(Clone, Debug)]
pub struct Log {
    id: [u8; 32],
    key: Arc<PublicKey>,
    operator: String,
    /// Timestamps from this second on do not count.
    retired: Option<i64>,
    /// The certificates it takes: those that expire within, the end excluded.
    expiring: Option<(i64, i64)>,
}

/// Why a log can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogError {
    /// The key can't be read.
    MalformedKey,
    /// Logs sign with ECDSA on P-256 or with RSA of at least 2048 bits (RFC 6962 section 2.1.4).
    UnsupportedKey,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MalformedKey => "the log's key cannot be read",
            Self::UnsupportedKey => "a log's key is P-256 or RSA of at least 2048 bits",
        })
    }
}

impl core::error::Error for LogError {}

impl Log {
    /// A log in service, by its SubjectPublicKeyInfo (DER) and its operator's name.
    ///
    /// # Errors
    /// If the key is malformed or none that logs may have.
    pub fn from_spki(spki: &[u8], operator: &str) -> Result<Self, LogError> {
        let key = PublicKey::from_spki(spki).map_err(|_| LogError::MalformedKey)?;
        let supported = match key.key_algorithm() {
            KeyAlgorithm::EcdsaP256 => true,
            _ => key.rsa_bits().is_some_and(|bits| bits >= 2048),
        };
        if !supported {
            return Err(LogError::UnsupportedKey);
        }
        let id = sha256(&[spki]);
        let operator = operator.to_owned();
        Ok(Self { id, key: Arc::new(key), operator, retired: None, expiring: None })
    }

    /// Timestamps from this time on do not count.
    #[must_use]
    pub fn retired(mut self, from: UnixTime) -> Self {
        self.retired = Some(seconds(from));
        self
    }

    /// It takes only certificates that expire in this interval, its end excluded.
    #[must_use]
    pub fn expiring(mut self, from: UnixTime, until: UnixTime) -> Self {
        self.expiring = Some((seconds(from), seconds(until)));
        self
    }

    /// SHA-256 of its key.
    #[must_use]
    pub const fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// Who runs it.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.operator
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether a timestamp of this second for a certificate that expires then counts.
    pub(super) fn serves(&self, timestamp: i64, not_after: i64) -> bool {
        self.retired.is_none_or(|retired| timestamp < retired)
            && self.expiring.is_none_or(|(from, until)| from <= not_after && not_after < until)
    }

    fn digest(&self) -> [u8; 32] {
        let retired = self.retired.unwrap_or(i64::MAX).to_be_bytes();
        let (from, until) = self.expiring.unwrap_or((i64::MIN, i64::MAX));
        sha256(&[&self.id, &retired, &from.to_be_bytes(), &until.to_be_bytes(), self.operator.as_bytes()])
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// The logs that count.
#[derive(Clone, Debug, Default)]
pub struct LogList {
    logs: Vec<Log>,
}

impl LogList {
    /// A list without logs.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a log, in place of one with the same key.
    pub fn add(&mut self, log: Log) {
        self.logs.retain(|known| known.id != log.id);
        self.logs.push(log);
    }

    /// How many logs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.logs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// SHA-256 over the logs, whatever their order.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut digests: Vec<_> = self.logs.iter().map(Log::digest).collect();
        digests.sort_unstable();
        sha256(&[digests.concat().as_slice()])
    }

    /// The log with this identifier.
    pub(super) fn find(&self, id: &[u8; 32]) -> Option<&Log> {
        self.logs.iter().find(|log| log.id == *id)
    }
}
