//! Exporters (RFC 9846 section 7.5, RFC 5705): keying material for what runs above TLS.

use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;

use crate::error::Error;
use crate::key_schedule::{tls12, tls13};

/// What keying material is exported from. It outlives the handshake, and nothing of the connection's own keys can be
/// computed from it in TLS 1.3. In TLS 1.2 it is the master secret itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Exporter {
    hash: Hash,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Tls13(Secret),
    Tls12 { master: Secret, randoms: Box<[[u8; 32]; 2]> },
}

impl Exporter {
    /// From TLS 1.3's exporter_secret or early_exporter_secret.
    #[must_use]
    pub const fn tls13(hash: Hash, secret: Secret) -> Self {
        Self { hash, kind: Kind::Tls13(secret) }
    }

    /// From TLS 1.2's master secret, which must be an extended one (RFC 7627 section 5.4), and both randoms.
    #[must_use]
    pub fn tls12(hash: Hash, master: Secret, client_random: [u8; 32], server_random: [u8; 32]) -> Self {
        Self { hash, kind: Kind::Tls12 { master, randoms: Box::new([client_random, server_random]) } }
    }

    /// Fills `out` with keying material for `label` and `context`. No context and an empty one are the same in TLS
    /// 1.3 and differ in TLS 1.2.
    ///
    /// # Errors
    /// [`Error::Crypto`] (1.3) if `label` has over 249 bytes or `out` over 255 times the hash's; [`Error::TooLong`]
    /// (1.2) if the context has over 65,535 bytes.
    pub fn export(&self, label: &str, context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Error> {
        match &self.kind {
            Kind::Tls13(secret) => tls13::exporter(self.hash, secret, label, context, out),
            Kind::Tls12 { master, randoms } => tls12::export(self.hash, master, randoms, label, context, out),
        }
    }
}
