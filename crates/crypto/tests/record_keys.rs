//! Record keys: what is sealed opens, counters move exactly when they should, no nonce is ever used twice.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may be blunt")]

use std::collections::HashSet;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use oxtls_crypto::aead::{NONCE_LEN, TAG_LEN};
use oxtls_crypto::{AeadAlgorithm, AeadKey, Error, FixedIv, Iv, Nonces, OpeningKey, SealingKey};
use proptest::prelude::*;

const ALL: [AeadAlgorithm; 3] =
    [AeadAlgorithm::Aes128Gcm, AeadAlgorithm::Aes256Gcm, AeadAlgorithm::ChaCha20Poly1305];
const KEY: [u8; 32] = [0x42; 32];
const IV: [u8; NONCE_LEN] = [0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87, 0x98, 0xa9, 0xba, 0xcb];
const SALT: [u8; 4] = [0xf0, 0xe1, 0xd2, 0xc3];

fn key(algorithm: AeadAlgorithm) -> AeadKey {
    AeadKey::new(algorithm, &KEY[..algorithm.key_len()]).unwrap()
}

fn nonces(explicit: bool) -> Nonces {
    if explicit { Nonces::Explicit(SALT) } else { Nonces::Xor(Iv::new(IV)) }
}

fn sealing(algorithm: AeadAlgorithm, explicit: bool) -> SealingKey {
    SealingKey::new(algorithm, &key(algorithm), nonces(explicit)).unwrap()
}

fn opening(algorithm: AeadAlgorithm, explicit: bool) -> OpeningKey {
    OpeningKey::new(algorithm, &key(algorithm), nonces(explicit)).unwrap()
}

/// Seals `plaintext` alone, out of place.
fn seal(key: &mut SealingKey, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = vec![0; plaintext.len() + TAG_LEN];
    let (ciphertext, tag) = out.split_at_mut(plaintext.len());
    key.seal_scatter(aad, plaintext, ciphertext, &[], tag)?;
    Ok(out)
}

/// The library's own key, to see which nonce a record was sealed under.
fn raw(algorithm: AeadAlgorithm) -> LessSafeKey {
    let library = match algorithm {
        AeadAlgorithm::Aes128Gcm => &AES_128_GCM,
        AeadAlgorithm::Aes256Gcm => &AES_256_GCM,
        AeadAlgorithm::ChaCha20Poly1305 => &CHACHA20_POLY1305,
    };
    LessSafeKey::new(UnboundKey::new(library, &KEY[..algorithm.key_len()]).unwrap())
}

fn bytes(len: usize, seed: u8) -> Vec<u8> {
    (0..=250u8).cycle().map(|byte| byte ^ seed).take(len).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every way of sealing with every way of opening, several records under one pair of keys.
    #[test]
    fn what_is_sealed_opens_to_itself(
        algorithm in prop::sample::select(ALL.to_vec()),
        explicit: bool,
        start in prop_oneof![Just(0), any::<u64>()],
        records in prop::collection::vec((0usize..20_000, 0usize..300, 0usize..40, any::<u8>(), any::<[bool; 2]>()), 1..5),
    ) {
        let (mut sealer, mut opener) = (sealing(algorithm, explicit), opening(algorithm, explicit));
        let start = start.min(u64::MAX - 10);
        sealer.skip_to(start).unwrap();
        opener.skip_to(start).unwrap();
        for (index, (len, extra_len, aad_len, seed, [seal_in_place, open_in_place])) in (0u64..).zip(records) {
            let (plaintext, extra, aad) = (bytes(len, seed), bytes(extra_len, !seed), bytes(aad_len, 0x33));
            let whole = [plaintext.as_slice(), &extra].concat();
            let sent = sealer.next_explicit_nonce();
            prop_assert_eq!(sent, explicit.then_some((start + index).to_be_bytes()));

            let mut record = plaintext.clone();
            let mut tail = vec![0; extra.len() + TAG_LEN];
            if seal_in_place {
                sealer.seal_in_place_scatter(&aad, &mut record, &extra, &mut tail).unwrap();
            } else {
                sealer.seal_scatter(&aad, &plaintext, &mut record, &extra, &mut tail).unwrap();
            }
            record.extend(tail);
            prop_assert_eq!(sealer.sequence(), start + index + 1);

            let opened = if open_in_place {
                let len = match sent {
                    None => opener.open_in_place(&aad, &mut record),
                    Some(explicit) => opener.open_in_place_explicit(&aad, &mut record, explicit),
                }
                .unwrap();
                record[..len].to_vec()
            } else {
                let (ciphertext, tag) = record.split_at(whole.len());
                let mut out = vec![0; whole.len()];
                match sent {
                    None => opener.open_separate(&aad, ciphertext, tag, &mut out),
                    Some(explicit) => opener.open_separate_explicit(&aad, ciphertext, tag, &mut out, explicit),
                }
                .unwrap();
                out
            };
            prop_assert!(opened == whole);
            prop_assert_eq!(opener.sequence(), sealer.sequence());
            prop_assert_eq!(opener.remaining(), u64::MAX - opener.sequence());
        }
    }

    /// A single changed bit anywhere is found, whichever way the record is opened.
    #[test]
    fn one_flipped_bit_is_refused(
        algorithm in prop::sample::select(ALL.to_vec()),
        len in 0usize..2_000,
        at: prop::sample::Index,
        bit in 0u32..8,
        in_aad: bool,
    ) {
        let plaintext = bytes(len, 0x77);
        let mut aad = bytes(5, 1);
        let mut record = seal(&mut sealing(algorithm, false), &aad, &plaintext).unwrap();
        let target = if in_aad { &mut aad } else { &mut record };
        let at = at.index(target.len());
        target[at] ^= 1 << bit;

        let mut opener = opening(algorithm, false);
        let (ciphertext, tag) = record.split_at(len);
        let mut out = vec![0; len];
        prop_assert_eq!(opener.open_separate(&aad, ciphertext, tag, &mut out), Err(Error::DecryptFailed));
        prop_assert!(len < 8 || out != plaintext, "a failure released the plaintext");
        prop_assert_eq!(opener.open_in_place(&aad, &mut record), Err(Error::DecryptFailed));
        prop_assert!(len < 8 || record[..len] != plaintext, "a failure released the plaintext");
        prop_assert_eq!(opener.sequence(), 0);
    }
}

#[test]
fn a_nonce_is_the_iv_xor_the_sequence_number() {
    for algorithm in ALL {
        for sequence in [0, 1, 0xff, 0x100, 0x0102_0304_0506_0708, u64::MAX - 1] {
            let mut sealer = sealing(algorithm, false);
            sealer.skip_to(sequence).unwrap();
            let mut record = seal(&mut sealer, b"aad", b"plaintext").unwrap();

            let mut nonce = IV;
            for (byte, number) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
                *byte ^= number;
            }
            let nonce = Nonce::assume_unique_for_key(nonce);
            let opened = raw(algorithm).open_in_place(nonce, Aad::from(b"aad"), &mut record).unwrap();
            assert_eq!(opened, b"plaintext", "{algorithm}, {sequence}");
        }
    }
}

#[test]
fn an_explicit_nonce_is_the_salt_and_the_eight_bytes_sent() {
    for algorithm in [AeadAlgorithm::Aes128Gcm, AeadAlgorithm::Aes256Gcm] {
        let fixed = FixedIv::new(algorithm, &SALT).unwrap();
        let mut sealer = SealingKey::new(algorithm, &key(algorithm), fixed.nonces().unwrap()).unwrap();
        sealer.skip_to(0x0102_0304_0506_0708).unwrap();
        let sent = sealer.next_explicit_nonce().unwrap();
        assert_eq!(sent, [1, 2, 3, 4, 5, 6, 7, 8]);
        let mut record = seal(&mut sealer, b"aad", b"plaintext").unwrap();
        let nonce = [SALT.as_slice(), &sent].concat().try_into().unwrap();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = raw(algorithm).open_in_place(nonce, Aad::from(b"aad"), &mut record).unwrap();
        assert_eq!(opened, b"plaintext");
    }
    // RFC 7905: no explicit part for ChaCha20-Poly1305.
    let fixed = FixedIv::new(AeadAlgorithm::ChaCha20Poly1305, &IV).unwrap();
    assert!(matches!(fixed.nonces().unwrap(), Nonces::Xor(ref iv) if *iv.as_bytes() == IV));
}

#[test]
fn the_peer_chooses_explicit_nonces_as_it_likes() {
    let algorithm = AeadAlgorithm::Aes128Gcm;
    let mut opener = opening(algorithm, true);
    for (index, chosen) in (0u64..).zip([7, 3, u64::MAX, 0]) {
        let nonce = [SALT.as_slice(), &u64::to_be_bytes(chosen)].concat().try_into().unwrap();
        let mut record = b"content".to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        raw(algorithm).seal_in_place_append_tag(nonce, Aad::from(b"aad"), &mut record).unwrap();
        assert_eq!(opener.sequence(), index, "the record's number counts records, whatever its nonce");
        let opened = opener.open_in_place_explicit(b"aad", &mut record, chosen.to_be_bytes());
        assert_eq!(opened, Ok(7));
        assert_eq!(&record[..7], b"content");
    }
}

#[test]
fn no_two_records_of_a_key_are_sealed_alike() {
    for algorithm in ALL {
        for explicit in [false, true] {
            let mut sealer = sealing(algorithm, explicit);
            let mut seen = HashSet::new();
            for _ in 0..1_000 {
                let sent = sealer.next_explicit_nonce();
                assert!(seen.insert((seal(&mut sealer, b"", b"the same sixteen").unwrap(), sent)));
            }
            let ciphertexts: HashSet<_> = seen.iter().map(|(record, _)| &record[..16]).collect();
            assert_eq!(ciphertexts.len(), 1_000, "a repeated key stream");
        }
    }
}

#[test]
fn the_last_sequence_number_is_refused_and_never_wraps() {
    for algorithm in ALL {
        let (mut sealer, mut opener) = (sealing(algorithm, false), opening(algorithm, false));
        sealer.skip_to(u64::MAX - 1).unwrap();
        opener.skip_to(u64::MAX - 1).unwrap();
        assert_eq!((sealer.remaining(), opener.remaining()), (1, 1));
        let record = seal(&mut sealer, b"", b"last").unwrap();
        assert_eq!(opener.open_in_place(b"", &mut record.clone()), Ok(4));
        for _ in 0..3 {
            assert_eq!((sealer.remaining(), opener.remaining()), (0, 0));
            let (mut out, mut tag) = ([0; 4], [0; TAG_LEN]);
            assert_eq!(
                sealer.seal_scatter(b"", b"more", &mut out, b"", &mut tag),
                Err(Error::CounterExhausted)
            );
            assert_eq!((out, tag), ([0; 4], [0; TAG_LEN]), "a refusal writes nothing");
            let mut in_out = *b"more";
            let refused = sealer.seal_in_place_scatter(b"", &mut in_out, b"", &mut tag);
            assert_eq!((refused, &in_out), (Err(Error::CounterExhausted), b"more"));
            assert_eq!(opener.open_in_place(b"", &mut record.clone()), Err(Error::CounterExhausted));
            let refused = opener.open_separate(b"", &record[..4], &record[4..], &mut out);
            assert_eq!((refused, out), (Err(Error::CounterExhausted), [0; 4]));
            assert_eq!((sealer.sequence(), opener.sequence()), (u64::MAX, u64::MAX));
        }
    }
}

#[test]
fn a_counter_never_goes_back() {
    let (mut sealer, mut opener) =
        (sealing(AeadAlgorithm::Aes128Gcm, false), opening(AeadAlgorithm::Aes128Gcm, false));
    sealer.skip_to(7).unwrap();
    opener.skip_to(7).unwrap();
    for back in [0, 6] {
        assert!(sealer.skip_to(back).is_err() && opener.skip_to(back).is_err());
        assert_eq!((sealer.sequence(), opener.sequence()), (7, 7));
    }
    assert!(sealer.skip_to(7).is_ok() && opener.skip_to(7).is_ok());
}

#[test]
fn a_failed_seal_uses_up_no_sequence_number() {
    for algorithm in ALL {
        let mut sealer = sealing(algorithm, false);
        let (mut short, mut long) = ([0; 4], [0; 6]);
        let (mut tag, mut extra_and_tag) = ([0; TAG_LEN], [0; TAG_LEN + 1]);
        for refused in [
            sealer.seal_scatter(b"", b"plain", &mut short, b"", &mut tag),
            sealer.seal_scatter(b"", b"plain", &mut long, b"", &mut tag),
            sealer.seal_scatter(b"", b"plain", &mut [0; 5], b"", &mut tag[1..]),
            sealer.seal_scatter(b"", b"plain", &mut [0; 5], b"", &mut extra_and_tag),
            sealer.seal_scatter(b"", b"plain", &mut [0; 5], b"\x17", &mut tag),
            sealer.seal_in_place_scatter(b"", &mut [0; 5], b"", &mut []),
            sealer.seal_in_place_scatter(b"", &mut [0; 5], b"\x17", &mut tag),
        ] {
            assert!(matches!(refused, Err(Error::InvalidLength(_))), "{algorithm}: {refused:?}");
        }
        assert_eq!(sealer.sequence(), 0);
        let record = seal(&mut sealer, b"", b"plain").unwrap();
        assert_eq!(record, seal(&mut sealing(algorithm, false), b"", b"plain").unwrap(), "still record 0");
    }
}

#[test]
fn a_failed_open_leaves_the_key_as_it_was() {
    for algorithm in ALL {
        let mut sealer = sealing(algorithm, false);
        let records: Vec<_> = (0..3).map(|_| seal(&mut sealer, b"aad", b"content").unwrap()).collect();
        let mut opener = opening(algorithm, false);
        for (sequence, record) in (0u64..).zip(&records) {
            // Garbage, records out of turn, the wrong header: as many as the peer likes.
            for other in records.iter().filter(|other| *other != record) {
                assert_eq!(opener.open_in_place(b"aad", &mut other.clone()), Err(Error::DecryptFailed));
            }
            assert_eq!(opener.open_in_place(b"AAD", &mut record.clone()), Err(Error::DecryptFailed));
            assert_eq!(opener.open_in_place(b"aad", &mut [0; 100]), Err(Error::DecryptFailed));
            assert_eq!(opener.sequence(), sequence);
            assert_eq!(opener.open_in_place(b"aad", &mut record.clone()), Ok(7));
            assert_eq!(opener.sequence(), sequence + 1);
            assert_eq!(
                opener.open_in_place(b"aad", &mut record.clone()),
                Err(Error::DecryptFailed),
                "a replay"
            );
        }
    }
}

#[test]
fn a_failed_open_releases_no_plaintext() {
    for algorithm in ALL {
        for len in [16, 100, 16_384] {
            let plaintext = bytes(len, 0x5c);
            let mut record = seal(&mut sealing(algorithm, false), b"", &plaintext).unwrap();
            *record.last_mut().unwrap() ^= 1;
            let mut opener = opening(algorithm, false);
            let (ciphertext, tag) = record.split_at(len);
            let mut out = vec![0; len];
            assert_eq!(opener.open_separate(b"", ciphertext, tag, &mut out), Err(Error::DecryptFailed));
            assert_eq!(opener.open_in_place(b"", &mut record), Err(Error::DecryptFailed));
            for left in [&out, &record] {
                assert!(!left.chunks_exact(16).zip(plaintext.chunks_exact(16)).any(|(a, b)| a == b));
            }
        }
    }
}

#[test]
fn a_truncated_or_extended_tag_is_refused() {
    for algorithm in ALL {
        let record = seal(&mut sealing(algorithm, false), b"", b"content").unwrap();
        let (ciphertext, tag) = record.split_at(7);
        let mut opener = opening(algorithm, false);
        let mut out = [0; 7];
        for len in 0..TAG_LEN {
            assert_eq!(
                opener.open_separate(b"", ciphertext, &tag[..len], &mut out),
                Err(Error::DecryptFailed)
            );
            assert_eq!(opener.open_in_place(b"", &mut record[..len].to_vec()), Err(Error::DecryptFailed));
        }
        let longer = [tag, &[0]].concat();
        assert_eq!(opener.open_separate(b"", ciphertext, &longer, &mut out), Err(Error::DecryptFailed));
        for mut wrong in [vec![0; 6], vec![0; 8]] {
            let refused = opener.open_separate(b"", ciphertext, tag, &mut wrong);
            assert!(matches!(refused, Err(Error::InvalidLength(_))));
        }
        assert_eq!(opener.sequence(), 0);
        assert_eq!(opener.open_separate(b"", ciphertext, tag, &mut out), Ok(()));
        assert_eq!(&out, b"content");
    }
}

#[test]
fn the_two_kinds_of_nonces_cannot_be_mixed_up() {
    let record = seal(&mut sealing(AeadAlgorithm::Aes128Gcm, false), b"", b"content").unwrap();
    let (ciphertext, tag) = record.split_at(7);
    let mut out = [0; 7];
    let mut implicit = opening(AeadAlgorithm::Aes128Gcm, false);
    let refused = implicit.open_in_place_explicit(b"", &mut record.clone(), [0; 8]);
    assert!(matches!(refused, Err(Error::Internal(_))));
    let refused = implicit.open_separate_explicit(b"", ciphertext, tag, &mut out, [0; 8]);
    assert!(matches!(refused, Err(Error::Internal(_))));
    let mut explicit = opening(AeadAlgorithm::Aes128Gcm, true);
    assert!(matches!(explicit.open_in_place(b"", &mut record.clone()), Err(Error::Internal(_))));
    assert!(matches!(explicit.open_separate(b"", ciphertext, tag, &mut out), Err(Error::Internal(_))));
    assert_eq!(sealing(AeadAlgorithm::Aes128Gcm, false).next_explicit_nonce(), None);
}

#[test]
fn limits_are_those_of_the_rfcs() {
    for algorithm in [AeadAlgorithm::Aes128Gcm, AeadAlgorithm::Aes256Gcm] {
        // RFC 9846 section 5.5: 2^24.5 records.
        let limit = algorithm.confidentiality_limit();
        assert!(limit * limit <= 1 << 49 && (limit + 1) * (limit + 1) > 1 << 49);
        assert_eq!(algorithm.integrity_limit(), 1 << 52);
    }
    assert_eq!(AeadAlgorithm::ChaCha20Poly1305.confidentiality_limit(), u64::MAX);
    assert_eq!(AeadAlgorithm::ChaCha20Poly1305.integrity_limit(), 1 << 36);
}

#[test]
fn a_key_that_rests_does_nothing_and_wakes_where_it_was() {
    for algorithm in ALL {
        let (mut one, mut other) = (sealing(algorithm, false), sealing(algorithm, false));
        let (mut reader, plaintext) = (opening(algorithm, false), bytes(100, 1));
        for n in 0..4 {
            if n == 2 {
                one.rest();
                reader.rest();
                assert!(one.is_resting() && reader.is_resting());
                assert!(matches!(seal(&mut one, b"aad", &plaintext), Err(Error::Internal(_))));
                assert!(matches!(reader.open_in_place(b"aad", &mut bytes(50, 2)), Err(Error::Internal(_))));
                one.wake(&key(algorithm), nonces(false)).unwrap();
                reader.wake(&key(algorithm), nonces(false)).unwrap();
                assert!(!one.is_resting() && !reader.is_resting());
            }
            let mut record = seal(&mut one, b"aad", &plaintext).unwrap();
            assert_eq!(record, seal(&mut other, b"aad", &plaintext).unwrap(), "{algorithm:?} {n}");
            assert_eq!(reader.open_in_place(b"aad", &mut record), Ok(plaintext.len()));
            assert_eq!(one.sequence(), other.sequence());
        }
    }
}
