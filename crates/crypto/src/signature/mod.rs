//! Signatures: what TLS and certificates call them, public keys that verify them, private keys that make them.

mod der;
mod identifier;
mod key_error;
mod load;
#[cfg(test)]
mod load_tests;
mod oid;
mod pss;
mod public_key;
mod scheme;
mod signing_key;
mod spki;
#[cfg(test)]
mod tests;

use core::fmt;

use crate::error::Error;

pub use key_error::KeyError;
pub use public_key::PublicKey;
pub use scheme::{KeyAlgorithm, SignatureAlgorithm, SignatureScheme};
pub use signing_key::SigningKey;
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

/// Whether the signer's key is the one that a DER certificate is about.
///
/// The whole SubjectPublicKeyInfo must be the same, so an RSA-PSS key and its certificate must also agree on their
/// parameters: a key that may sign more than its certificate allows would be refused by peers.
///
/// # Errors
/// [`Error::InvalidPublicKey`] when the certificate cannot be read.
///
/// ```
/// # use oxtls_crypto::signature::{KeyAlgorithm, Signer, SigningKey, matches_certificate};
/// let key = SigningKey::generate(KeyAlgorithm::Ed25519)?;
/// assert!(matches_certificate(&key, b"no certificate").is_err());
/// # Ok::<(), oxtls_crypto::Error>(())
/// ```
pub fn matches_certificate(signer: &dyn Signer, certificate: &[u8]) -> Result<bool, Error> {
    Ok(spki_of_certificate(certificate)? == signer.spki())
}
