//! The TLS 1.2 pseudorandom function (RFC 5246 section 5).

use crate::hash::Hash;
use crate::hmac::{Keyed, Message};
use crate::secret::Secret;

/// Fills `out` with P_hash of `secret` over `label` and the concatenation of `seed`. There is no limit on the length
/// of any of them.
pub fn prf(hash: Hash, secret: &[u8], label: &str, seed: &[&[u8]], out: &mut [u8]) {
    let mut keyed = Keyed::new(hash, secret);
    // A(1); its successors are A(i) = HMAC(secret, A(i - 1)).
    let mut a = Secret::zeros(hash);
    keyed.hmac_into(&Message { head: &[label.as_bytes()], parts: seed, tail: &[] }, a.as_mut_bytes());

    let mut chunks = out.chunks_mut(hash.output_len()).peekable();
    while let Some(chunk) = chunks.next() {
        keyed.hmac_into(&Message { head: &[a.as_bytes(), label.as_bytes()], parts: seed, tail: &[] }, chunk);
        if chunks.peek().is_some() {
            let mut next = Secret::zeros(hash);
            keyed.hmac_into(&Message { head: &[a.as_bytes()], parts: &[], tail: &[] }, next.as_mut_bytes());
            a = next;
        }
    }
}
