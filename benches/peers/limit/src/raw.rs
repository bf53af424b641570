//! Records without a protocol: one call of the AEAD each, in place, no header made and nothing copied.

use std::time::Instant;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use driver::{Case, Failure, Samples};

/// The most plaintext of a record.
const RECORD: usize = 16 * 1024;
const TAG_LEN: usize = 16;
/// Where a buffer or a key may begin, as the allocator has it, in a line of the cache.
const PLACES: usize = 4;
const PLACE: usize = 16;
/// What both versions authenticate beside the record: five bytes of header, or thirteen.
const HEADERS: (usize, usize) = (5, 13);

/// Times of sealing and opening `size` bytes as many records as they need.
pub(crate) fn bulk(case: Case, size: usize, units: usize) -> Result<String, Failure> {
    let keys = keys()?;
    let batch = driver::batch(size);
    // Where each write lies, as sealed records would behind each other.
    let mut room = vec![7; batch * size + PLACES * PLACE];
    let mut tags = vec![[0; TAG_LEN]; batch * size.div_ceil(RECORD)];
    let header = &[0; HEADERS.1][..if case.tls12 { HEADERS.1 } else { HEADERS.0 }];
    let mut samples = Samples::default();
    let mut sequence = 0_u64;
    for (at, (key, _)) in (0..units.div_ceil(batch)).zip(keys.iter().cycle()) {
        let place = (at / PLACES % PLACES) * PLACE;
        let wire = &mut room[place..place + batch * size];
        let first = sequence;
        let start = Instant::now();
        for (record, tag) in wire.chunks_mut(size.min(RECORD)).zip(&mut tags) {
            let sealed = key.seal_in_place_separate_tag(nonce(sequence), Aad::from(header), record)?;
            tag.copy_from_slice(sealed.as_ref());
            sequence += 1;
        }
        let sealing = start.elapsed();
        sequence = first;
        let start = Instant::now();
        for (record, tag) in wire.chunks_mut(size.min(RECORD)).zip(&tags) {
            key.open_in_place_separate_tag(nonce(sequence), Aad::from(header), tag, record)?;
            sequence += 1;
        }
        samples.add(sealing, start.elapsed());
    }
    Ok(samples.least(units, batch))
}

/// The same key where its tables lie otherwise: a quarter of the speed of long records hangs on how they meet the lines
/// of the cache, which is luck to everybody. The limit has the best of it.
fn keys() -> Result<Vec<(LessSafeKey, Vec<u8>)>, Failure> {
    let key = |place| {
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16])?);
        // Shifts what is allocated next.
        Ok((key, Vec::with_capacity(24 + PLACE * place)))
    };
    (0..PLACES).map(key).collect()
}

fn nonce(sequence: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&sequence.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}
