//! Which signatures and keys a path may have, where somebody allows fewer than can be verified.

use oxtls_crypto::signature::{KeyAlgorithm, PublicKey, SignatureAlgorithm};

use crate::rules::Rule;
use crate::trust::sha256;

/// The signatures and the keys that the certificates of a path may have, fewer than this crate can verify: what NIST SP
/// 800-52, RFC 9151 and the like ask for. See [`Policy::with_allowed_algorithms`](crate::Policy::with_allowed_algorithms).
///
/// They hold for CRLs, for OCSP responses and for who signs them as well: one that breaks them says nothing.
///
/// A key's curve and a signature's hash are told apart: ECDSA with SHA-384 alone still allows a P-256 key to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a certificate has nothing else that an algorithm could be in")]
pub struct AllowedAlgorithms {
    /// What certificates may be signed with. An anchor's own signature is not looked at.
    pub signatures: Vec<SignatureAlgorithm>,
    /// The kinds of key that certificates may hold, the peer's, the intermediates' and the anchor's.
    pub keys: Vec<KeyAlgorithm>,
    /// The fewest bits of an RSA modulus. Below 2,048 it means nothing: such keys are always refused.
    pub min_rsa_bits: usize,
}

impl AllowedAlgorithms {
    /// The rule that a key breaks, and in which words.
    pub(crate) fn broken_by(&self, spki: &[u8]) -> Option<(Rule, &'static str)> {
        let Ok(key) = PublicKey::from_spki(spki) else {
            return Some((Rule::KeyAlgorithm, "not readable"));
        };
        if !self.keys.contains(&key.key_algorithm()) {
            return Some((Rule::KeyAlgorithm, "of a kind that the policy does not allow"));
        }
        let is_short = key.rsa_bits().is_some_and(|bits| bits < self.min_rsa_bits);
        is_short.then_some((Rule::KeyStrength, "shorter than the policy allows"))
    }

    /// All of it, for fingerprints, however it is ordered.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let signatures = sorted(self.signatures.iter().map(|algorithm| format!("{algorithm:?}")));
        let keys = sorted(self.keys.iter().map(|algorithm| format!("{algorithm:?}")));
        let text = format!("{signatures};{keys};{}", self.min_rsa_bits);
        sha256(&[text.as_bytes()])
    }
}

fn sorted(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.join(" ")
}
