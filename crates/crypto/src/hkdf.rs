//! HKDF (RFC 5869), and the key schedule's functions over it (RFC 9846 section 7.1).

use crate::error::Error;
use crate::hash::{Digest, Hash};
use crate::hmac::{Message, hmac_into};
use crate::secret::Secret;

/// What RFC 9846 section 7.1 puts before every label.
const LABEL_PREFIX: [u8; 6] = *b"tls13 ";

/// HKDF-Extract: concentrates the input keying material `ikm` into a pseudorandom key of the hash's length. An empty
/// `salt` means a salt of zeros, as RFC 5869 section 2.2 defines it.
#[inline]
#[must_use]
pub fn extract(hash: Hash, salt: &[u8], ikm: &[u8]) -> Secret {
    let mut prk = Secret::zeros(hash);
    hmac_into(hash, salt, &Message { head: &[], parts: &[ikm], tail: &[] }, prk.as_mut_bytes());
    prk
}

/// HKDF-Expand: fills `out` from the pseudorandom key `prk` and the concatenation of `info`.
///
/// # Errors
/// [`Error::OutputTooLong`] if `out` is longer than 255 times the hash's output (RFC 5869 section 2.3).
#[inline]
pub fn expand(hash: Hash, prk: &Secret, info: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
    if out.len() > hash.output_len().saturating_mul(255) {
        return Err(Error::OutputTooLong);
    }
    let mut chunks = out.chunks_mut(hash.output_len());
    let Some(first) = chunks.next() else { return Ok(()) };
    hmac_into(hash, prk.as_bytes(), &Message { head: &[], parts: info, tail: &[1] }, first);

    let mut previous: &mut [u8] = first;
    for (chunk, counter) in chunks.zip(2..=u8::MAX) {
        hmac_into(hash, prk.as_bytes(), &Message { head: &[previous], parts: info, tail: &[counter] }, chunk);
        previous = chunk;
    }
    Ok(())
}

/// HKDF-Expand-Label: fills `out`. The prefix `tls13 ` is added to `label` here.
///
/// # Errors
/// [`Error::InvalidLength`] if `label` has over 249 bytes or `context` over 255 (they must fit their length bytes);
/// [`Error::OutputTooLong`] as [`expand`].
#[inline]
pub fn expand_label(
    hash: Hash,
    secret: &Secret,
    label: &str,
    context: &[u8],
    out: &mut [u8],
) -> Result<(), Error> {
    let out_len = u16::try_from(out.len()).map_err(|_| Error::OutputTooLong)?;
    let label_len = u8::try_from(label.len().saturating_add(LABEL_PREFIX.len()))
        .map_err(|_| Error::InvalidLength("a label of at most 249 bytes"))?;
    let context_len =
        u8::try_from(context.len()).map_err(|_| Error::InvalidLength("a context of at most 255 bytes"))?;
    let [high, low] = out_len.to_be_bytes();
    let [t, l, s, one, three, space] = LABEL_PREFIX;
    let front = [high, low, label_len, t, l, s, one, three, space];
    expand(hash, secret, &[&front, label.as_bytes(), &[context_len], context], out)
}

/// HKDF-Expand-Label with an output of the hash's length, which is again a secret.
///
/// # Errors
/// As [`expand_label`].
#[inline]
pub fn expand_label_secret(
    hash: Hash,
    secret: &Secret,
    label: &str,
    context: &[u8],
) -> Result<Secret, Error> {
    let mut out = Secret::zeros(hash);
    expand_label(hash, secret, label, context, out.as_mut_bytes())?;
    Ok(out)
}

/// Derive-Secret: HKDF-Expand-Label over a transcript hash.
///
/// # Errors
/// As [`expand_label`].
#[inline]
pub fn derive_secret(hash: Hash, secret: &Secret, label: &str, transcript: &Digest) -> Result<Secret, Error> {
    expand_label_secret(hash, secret, label, transcript.as_bytes())
}
