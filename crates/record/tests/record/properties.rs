//! Properties over random sizes, windows, paddings and split points.

use core::num::NonZeroU16;

use oxtls_record::limits::{MAX_FRAGMENT, PROTECTED_OVERHEAD};
use oxtls_record::{ContentType, Padding, Reassembly, Record, RecordError, SealError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::{pair, seal};

const DATA: ContentType = ContentType::ApplicationData;

fn padding() -> impl Strategy<Value = Padding> {
    prop_oneof![
        Just(Padding::None),
        Just(Padding::ToMaximum),
        Just(Padding::Custom(|content| content % 700)),
        (1..5000_u16).prop_map(|n| Padding::ToMultiple(NonZeroU16::new(n).unwrap())),
    ]
}

/// A size that is often near a bound.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![0..200_usize, MAX_FRAGMENT - 30..MAX_FRAGMENT + 30, 0..60_000_usize]
}

fn plaintext(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 251) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_through_any_windows_opens_to_the_same_bytes(
        suite in 0..3_usize,
        len in size(),
        windows in vec(prop_oneof![1..100_usize, 1..20_000_usize, 30_000..70_000_usize], 1..8),
        limit in prop_oneof![Just(u16::MAX), 64..2000_u16],
        padding in padding(),
        out_of_place: bool,
    ) {
        let (mut writer, mut reader) = pair(suite);
        writer.set_padding(padding);
        writer.set_record_size_limit(limit);
        reader.set_record_size_limit(limit);
        let plaintext = plaintext(len);
        let mut opened = Vec::new();
        let mut taken = 0;
        let mut windows = windows.into_iter().cycle();
        let mut destination = vec![0; 17_000];
        while taken < len {
            // Windows too small to help are skipped; one large enough always comes in the end.
            let window = windows.next().unwrap() + usize::from(rand_bit(taken)) * PROTECTED_OVERHEAD;
            let mut out = vec![0xa5; window.max(PROTECTED_OVERHEAD + 1)];
            let sealed = writer.seal(DATA, &plaintext[taken..], &mut out).unwrap();
            prop_assert!(sealed.taken > 0 && sealed.written <= out.len());
            prop_assert!(out[sealed.written..].iter().all(|&byte| byte == 0xa5));
            taken += sealed.taken;
            let mut input = &mut out[..sealed.written];
            while !input.is_empty() {
                let record = if out_of_place {
                    reader.open_into(input, &mut destination)
                } else {
                    reader.open(input)
                };
                let record = record.unwrap();
                let Some(Record::ApplicationData(range)) = record.record else { panic!("{record:?}") };
                opened.extend_from_slice(if out_of_place { &destination[range] } else { &input[range] });
                input = &mut input[record.consumed..];
            }
        }
        prop_assert_eq!(opened, plaintext);
    }

    #[test]
    fn sealed_len_and_records_are_exact(
        len in size(),
        limit in prop_oneof![Just(u16::MAX), 64..2000_u16],
        padding in padding(),
        content_type in prop_oneof![Just(DATA), Just(ContentType::Handshake)],
    ) {
        let (mut writer, _) = pair(0);
        writer.set_padding(padding);
        writer.set_record_size_limit(limit);
        let expected = writer.sealed_len(content_type, len);
        let records = writer.records(content_type, len);
        let mut out = vec![0; expected + 100];
        let sealed = writer.seal(content_type, &plaintext(len), &mut out).unwrap();
        prop_assert_eq!((sealed.taken, sealed.written), (len, expected));
        prop_assert_eq!(writer.key().unwrap().sequence(), records);
        if let Some(short) = expected.checked_sub(1) {
            let refused = writer.seal_whole(content_type, &plaintext(len), &mut out[..short]);
            prop_assert_eq!(refused, Err(SealError::TooSmall { needed: expected }));
        }
        prop_assert_eq!(writer.seal_whole(content_type, &plaintext(len), &mut out), Ok(expected));
    }

    #[test]
    fn bytes_that_arrive_in_any_pieces_open_alike(
        lens in vec(1..3000_usize, 1..6),
        pieces in vec(1..2000_usize, 1..20),
    ) {
        let (mut writer, mut reader) = pair(0);
        let sent: Vec<_> = lens.iter().map(|&len| plaintext(len)).collect();
        let wire: Vec<u8> = sent.iter().flat_map(|data| seal(&mut writer, DATA, data)).collect();
        let mut received = Vec::new();
        let mut pieces = pieces.into_iter().cycle();
        let (mut at, mut data, mut needed) = (0, Vec::new(), 5);
        while data.len() < sent.len() {
            let end = (at + pieces.next().unwrap()).min(wire.len());
            received.extend_from_slice(&wire[at..end]);
            at = end;
            loop {
                let opened = reader.open(&mut received).unwrap();
                let Some(record) = opened.record else {
                    prop_assert_eq!(opened.consumed, 0);
                    prop_assert!(opened.needed > received.len());
                    break;
                };
                prop_assert!(received.len() >= needed, "opened with less than it had asked for");
                needed = 5;
                let Record::ApplicationData(range) = record else { panic!("{record:?}") };
                data.push(received[range].to_vec());
                received.drain(..opened.consumed);
            }
        }
        prop_assert_eq!(data, sent);
    }

    #[test]
    fn messages_come_out_alike_however_they_are_cut_into_records(
        lens in vec(prop_oneof![0..10_usize, 0..3000_usize], 1..12),
        cuts in vec(any::<Index>(), 0..12),
        suspend in any::<u16>(),
    ) {
        let messages: Vec<Vec<u8>> = lens.iter().enumerate().map(|(n, &len)| {
            let mut message = vec![n as u8];
            message.extend_from_slice(&(len as u32).to_be_bytes()[1..]);
            message.extend(plaintext(len));
            message
        }).collect();
        let stream = messages.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        cuts.dedup();

        // By the definition: `more` unless the message ends where its record does.
        let mut end = 0;
        let expected: Vec<(Vec<u8>, bool)> = messages.into_iter().map(|message| {
            end += message.len();
            (message, !cuts.contains(&end))
        }).collect();

        let mut reassembly = Reassembly::new();
        let mut out = Vec::new();
        for record in cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]) {
            prop_assert!(!reassembly.has_whole());
            let (mut fragment, mut cursor) = (record, 0);
            while let Some(message) = reassembly.next(fragment, &mut cursor, 1 << 16).unwrap() {
                out.push((message.bytes.to_vec(), message.more));
                if suspend >> (out.len() % 16) & 1 == 1 && cursor < fragment.len() {
                    reassembly.hold(&fragment[cursor..]).unwrap();
                    (fragment, cursor) = (&[], 0);
                }
            }
            prop_assert_eq!(cursor, fragment.len());
        }
        prop_assert!(reassembly.is_empty());
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn a_flipped_bit_anywhere_behind_the_header_is_found(
        suite in 0..3_usize,
        len in 1..2000_usize,
        position in any::<Index>(),
        bit in 0..8_u32,
    ) {
        let (mut writer, mut reader) = pair(suite);
        let mut record = seal(&mut writer, DATA, &plaintext(len));
        let position = 5 + position.index(record.len() - 5);
        record[position] ^= 1 << bit;
        prop_assert_eq!(reader.open(&mut record), Err(RecordError::DecryptFailed));
        prop_assert_eq!(reader.key().unwrap().sequence(), 0);
    }
}

/// A bit that varies, so that windows of both kinds meet every state.
fn rand_bit(n: usize) -> bool {
    n.wrapping_mul(0x9e37_79b9).count_ones() % 2 == 1
}
