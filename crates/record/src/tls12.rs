//! TLS 1.2's protection with AEADs (RFC 5246 section 6.2.3.3, RFC 5288, RFC 7905): the content type shows, the sequence
//! number is authenticated, and GCM's nonce travels with the record.

use core::ops::Range;

use oxtls_crypto::Error;
use oxtls_crypto::aead::{AeadAlgorithm, OpeningKey, SealingKey, TAG_LEN};

use crate::error::RecordError;
use crate::header::HEADER_LEN;
use crate::keys::Content;

/// Bytes of the nonce that travel with a record under AES-GCM (RFC 5288 section 3).
const EXPLICIT_NONCE_LEN: usize = 8;

/// additional_data: sequence number, type, version, length of the content.
type AdditionalData = [u8; 13];

/// The bytes of the nonce that travel with each record.
pub(crate) const fn explicit_nonce_len(algorithm: AeadAlgorithm) -> usize {
    match algorithm {
        AeadAlgorithm::Aes128Gcm | AeadAlgorithm::Aes256Gcm => EXPLICIT_NONCE_LEN,
        AeadAlgorithm::ChaCha20Poly1305 => 0,
    }
}

/// `header` is that of the record; its length counts nonce and tag, which the additional data's does not.
#[inline]
fn additional_data(sequence: u64, header: &[u8; HEADER_LEN], content: usize) -> AdditionalData {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sequence.to_be_bytes();
    let [typ, major, minor, _, _] = *header;
    // A record's content never has more than 2^14 bytes.
    let [l0, l1] = u16::try_from(content).unwrap_or(u16::MAX).to_be_bytes();
    [s0, s1, s2, s3, s4, s5, s6, s7, typ, major, minor, l0, l1]
}

/// Seals `content` into `body`, which has exactly the room for nonce, ciphertext and tag.
#[inline]
pub(crate) fn seal(
    key: &mut SealingKey,
    header: &[u8; HEADER_LEN],
    content: Content<'_>,
    body: &mut [u8],
) -> Result<(), Error> {
    let too_short = Error::InvalidLength("a record body as long as its content");
    let data = additional_data(key.sequence(), header, content.len());
    let body = match key.next_explicit_nonce() {
        None => body,
        Some(nonce) => {
            let (explicit, rest) = body.split_first_chunk_mut().ok_or(too_short)?;
            *explicit = nonce;
            rest
        }
    };
    let (ciphertext, tag) = body.split_at_mut_checked(content.len()).ok_or(too_short)?;
    content.seal(key, &data, ciphertext, &[], tag)
}

/// Opens `body` in place; the content is then at this range of it.
#[inline]
pub(crate) fn open_in_place(
    key: &mut OpeningKey,
    header: &[u8; HEADER_LEN],
    body: &mut [u8],
) -> Result<Range<usize>, RecordError> {
    let start = explicit_nonce_len(key.algorithm());
    let content = content_len(body.len(), start)?;
    let data = additional_data(key.sequence(), header, content);
    let (nonce, protected) = body.split_at_mut_checked(start).ok_or(RecordError::DecryptFailed)?;
    let len = match nonce.first_chunk() {
        None => key.open_in_place(&data, protected)?,
        Some(explicit) => key.open_in_place_explicit(&data, protected, *explicit)?,
    };
    Ok(start..start.saturating_add(len))
}

/// Opens `body` into the front of `out`; the content is this long.
#[inline]
pub(crate) fn open_into(
    key: &mut OpeningKey,
    header: &[u8; HEADER_LEN],
    body: &[u8],
    out: &mut [u8],
) -> Result<usize, RecordError> {
    let start = explicit_nonce_len(key.algorithm());
    let needed = content_len(body.len(), start)?;
    let data = additional_data(key.sequence(), header, needed);
    let (nonce, protected) = body.split_at_checked(start).ok_or(RecordError::DecryptFailed)?;
    let (ciphertext, tag) = protected.split_last_chunk::<TAG_LEN>().ok_or(RecordError::DecryptFailed)?;
    let out = out.get_mut(..needed).ok_or(RecordError::OutputTooSmall { needed })?;
    match nonce.first_chunk() {
        None => key.open_separate(&data, ciphertext, tag, out)?,
        Some(explicit) => key.open_separate_explicit(&data, ciphertext, tag, out, *explicit)?,
    }
    Ok(needed)
}

fn content_len(body: usize, explicit: usize) -> Result<usize, RecordError> {
    body.checked_sub(explicit.saturating_add(TAG_LEN)).ok_or(RecordError::DecryptFailed)
}
