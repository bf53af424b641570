//! Signatures: what TLS and certificates call them, public keys that verify them, private keys that make them.

mod der;
mod identifier;
mod oid;
mod pss;
mod public_key;
mod scheme;
mod spki;

use core::fmt;

use crate::error::Error;

pub use public_key::PublicKey;
pub use scheme::{KeyAlgorithm, SignatureAlgorithm, SignatureScheme};
pub use spki::spki_of_certificate;

/// A private key that can sign, wherever it lives: in this process ([`SigningKey`]), in hardware, in a service.
///
/// The handshake stops with a `Sign` need and goes on when it is answered, so an implementation that takes long can
/// be called from wherever its caller likes to wait.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The kind of the key.
    fn key_algorithm(&self) -> KeyAlgorithm;

    /// The public key as a DER SubjectPublicKeyInfo (RFC 5280 section 4.1), to be compared with the certificate's.
    fn spki(&self) -> &[u8];

    /// What the key can sign with, best first.
    fn schemes(&self) -> &[SignatureScheme] {
        self.key_algorithm().schemes()
    }

    /// Signs `message` (not its hash).
    ///
    /// # Errors
    /// [`Error::UnsupportedScheme`] for a scheme outside of [`Signer::schemes`], [`Error::SigningFailed`] when the
    /// key fails.
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error>;
}
