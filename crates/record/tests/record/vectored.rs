//! Sealing of pieces: what comes out is what sealing their concatenation gives, byte for byte.

use std::io::IoSlice;

use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv};
use oxtls_record::limits::{MAX_FRAGMENT, PROTECTED_OVERHEAD, RESERVED_RECORDS};
use oxtls_record::{ContentType, Padding, SealError, Sealed, WriteKey, Writer};
use proptest::prelude::*;

use crate::common::{SUITES, pair, write_key};

const DATA: ContentType = ContentType::ApplicationData;
const VERSIONS: usize = 2 * SUITES.len();

/// Two writers that do the same, of a suite in TLS 1.3 or, behind those, in TLS 1.2.
fn twins(version: usize) -> (Writer, Writer) {
    let writer = || {
        let mut writer = Writer::new();
        let (algorithm, _) = SUITES[version % SUITES.len()];
        writer.install(if version < SUITES.len() { write_key(version, 7) } else { tls12_key(algorithm) });
        writer
    };
    (writer(), writer())
}

fn tls12_key(algorithm: AeadAlgorithm) -> WriteKey {
    let key = AeadKey::new(algorithm, &vec![7; algorithm.key_len()]).unwrap();
    let iv = FixedIv::new(algorithm, &vec![9; algorithm.tls12_fixed_iv_len()]).unwrap();
    WriteKey::tls12(algorithm, &key, &iv).unwrap()
}

fn slices<'a>(pieces: &'a [&'a [u8]]) -> Vec<IoSlice<'a>> {
    pieces.iter().map(|piece| IoSlice::new(piece)).collect()
}

/// Seals the pieces with one writer and their concatenation with the other, through windows of the same size: both must
/// say and do the same.
fn agree(
    (vectored, whole): &mut (Writer, Writer),
    pieces: &[&[u8]],
    window: usize,
) -> Result<Sealed, SealError> {
    let (mut out, mut expected) = (vec![0xa5; window], vec![0xa5; window]);
    let result = vectored.seal_vectored(DATA, &slices(pieces), &mut out);
    assert_eq!(result, whole.seal(DATA, &pieces.concat(), &mut expected));
    let written = result.map_or(0, |sealed| sealed.written);
    assert_eq!(out[..written], expected[..written]);
    assert!(out[written..].iter().all(|&byte| byte == 0xa5), "nothing is left behind the records");
    result
}

#[test]
fn pieces_share_a_record() {
    for version in 0..VERSIONS {
        let mut twins = twins(version);
        let pieces = [b"head".as_slice(), b"", b": ", b"body", b""];
        let sealed = agree(&mut twins, &pieces, 100).unwrap();
        assert_eq!((sealed.taken, sealed.written), (10, twins.0.sealed_len(DATA, 10)));
    }
}

#[test]
fn records_are_full_wherever_pieces_end() {
    let long = vec![3; MAX_FRAGMENT];
    for version in 0..VERSIONS {
        for before in [0, 1, 15, 16, MAX_FRAGMENT - 1] {
            let mut twins = twins(version);
            let pieces = [&long[..before], &long, b"x", &long, &long[..1]];
            let len = pieces.concat().len();
            let room = twins.0.sealed_len(DATA, len);
            assert_eq!(agree(&mut twins, &pieces, room).unwrap(), Sealed { taken: len, written: room });
        }
    }
}

#[test]
fn no_pieces_and_empty_ones_make_no_record() {
    for version in 0..VERSIONS {
        let mut twins = twins(version);
        for empty in 0..3 {
            assert_eq!(agree(&mut twins, &vec![b"".as_slice(); empty], 100), Ok(Sealed::default()));
        }
        // No sequence number was used up either.
        assert_eq!(twins.0.key().unwrap().sequence(), 0);
    }
}

#[test]
fn a_window_too_small_for_a_byte_is_refused_and_left_alone() {
    let (mut writer, _) = pair(0);
    let mut out = [0xa5; PROTECTED_OVERHEAD];
    let refused = writer.seal_vectored(DATA, &slices(&[b"", b"a", b"b"]), &mut out);
    assert_eq!(refused, Err(SealError::TooSmall { needed: PROTECTED_OVERHEAD + 1 }));
    assert_eq!(out, [0xa5; PROTECTED_OVERHEAD]);
}

#[test]
fn what_fits_the_window_is_taken_across_pieces() {
    let mut twins = twins(0);
    let sealed = agree(&mut twins, &[b"abc", b"def", b"ghi"], PROTECTED_OVERHEAD + 5).unwrap();
    assert_eq!(sealed, Sealed { taken: 5, written: PROTECTED_OVERHEAD + 5 });
}

#[test]
fn a_key_that_ends_among_pieces_ends_them() {
    let mut writer = Writer::new();
    writer.install(write_key(0, 7).with_limit(RESERVED_RECORDS + 2));
    writer.set_max_fragment(4);
    let pieces = slices(&[b"abc", b"def", b"ghi", b"j"]);
    let mut out = [0; 200];
    assert_eq!(writer.seal_vectored(DATA, &pieces, &mut out).unwrap().taken, 8);
    assert_eq!(writer.seal_vectored(DATA, &pieces, &mut out), Err(SealError::KeyExhausted));
}

#[test]
fn handshake_messages_come_in_pieces_too_and_alerts_do_not() {
    let mut clear = Writer::new();
    let mut out = [0; 20];
    let message = slices(&[&[11, 0, 0], &[1, 9]]);
    let sealed = clear.seal_vectored(ContentType::Handshake, &message, &mut out).unwrap();
    assert_eq!((sealed.taken, &out[..sealed.written]), (5, &[22, 3, 3, 0, 5, 11, 0, 0, 1, 9][..]));
    assert_eq!(clear.seal_vectored(DATA, &message, &mut out), Err(SealError::NoKey));
    for (content_type, content) in
        [(ContentType::Alert, [2, 40].as_slice()), (ContentType::ChangeCipherSpec, &[1])]
    {
        for pieces in [slices(&[content]), slices(&[])] {
            let refused = clear.seal_vectored(content_type, &pieces, &mut out);
            assert_eq!(refused, Err(SealError::InvalidContent(content_type)));
        }
    }
}

proptest! {
    #[test]
    fn any_pieces_through_any_windows_are_as_one(
        version in 0..VERSIONS,
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        windows in prop::collection::vec(0_usize..1500, 1..30),
        (limit, fragment) in (prop::sample::select(vec![64_u16, 100, 513, 16_385]), 2_u16..600),
        padding in prop::sample::select(vec![0_usize, 1, 7, 255, 256, 400]),
    ) {
        let mut twins = twins(version);
        for writer in [&mut twins.0, &mut twins.1] {
            writer.set_record_size_limit(limit);
            writer.set_max_fragment(fragment);
            // A rule can't know the number, so it is one of few.
            writer.set_padding(match padding {
                0 => Padding::None,
                1 => Padding::Custom(|_| 1),
                7 => Padding::Custom(|len| len % 7),
                255 => Padding::Custom(|_| 255),
                256 => Padding::Custom(|_| 256),
                _ => Padding::ToMaximum,
            });
        }
        let whole = pieces.concat();
        let mut at = 0;
        for window in windows {
            // What is left of the pieces, as they were cut.
            let (mut skip, mut rest) = (at, Vec::new());
            for piece in &pieces {
                rest.push(piece.get(skip..).unwrap_or_default());
                skip = skip.saturating_sub(piece.len());
            }
            if let Ok(sealed) = agree(&mut twins, &rest, window) {
                at += sealed.taken;
            }
        }
        prop_assert!(at <= whole.len());
    }
}
