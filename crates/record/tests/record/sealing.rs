//! Sealing: sizes, windows, padding, and what must not be sealed.

use core::num::NonZeroU16;

use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv};
use oxtls_record::limits::{MAX_FRAGMENT, PROTECTED_OVERHEAD};
use oxtls_record::{
    ContentType, Mode, Padding, Reader, Record, RecordError, SealError, Sealed, WriteKey, Writer,
};

use crate::common::{open_all, open_one, pair, raw, read_key, seal, write_key};

const DATA: ContentType = ContentType::ApplicationData;
const HANDSHAKE: ContentType = ContentType::Handshake;

/// The lengths of the records in `out`, headers included.
fn record_lens(mut out: &[u8]) -> Vec<usize> {
    let mut lens = Vec::new();
    while !out.is_empty() {
        let len = 5 + usize::from(u16::from_be_bytes([out[3], out[4]]));
        lens.push(len);
        out = &out[len..];
    }
    lens
}

#[test]
fn sealed_len_is_exact() {
    let (mut writer, _) = pair(0);
    for len in [0, 1, 2, 100, MAX_FRAGMENT - 1, MAX_FRAGMENT, MAX_FRAGMENT + 1, 3 * MAX_FRAGMENT, 100_000] {
        let records = len.div_ceil(MAX_FRAGMENT);
        assert_eq!(writer.records(DATA, len), records as u64);
        assert_eq!(writer.sealed_len(DATA, len), len + records * PROTECTED_OVERHEAD);
        assert_eq!(seal(&mut writer, DATA, &vec![1; len]).len(), writer.sealed_len(DATA, len));
    }
}

#[test]
fn every_record_is_full_but_the_last() {
    let (mut writer, mut reader) = pair(0);
    let mut out = seal(&mut writer, DATA, &vec![9; 2 * MAX_FRAGMENT + 5]);
    let full = MAX_FRAGMENT + PROTECTED_OVERHEAD;
    assert_eq!(record_lens(&out), [full, full, 5 + PROTECTED_OVERHEAD]);
    assert_eq!(open_all(&mut reader, &mut out), vec![9; 2 * MAX_FRAGMENT + 5]);
}

#[test]
fn an_empty_plaintext_makes_no_record() {
    let (mut writer, _) = pair(0);
    assert_eq!(writer.seal(DATA, &[], &mut [0; 100]), Ok(Sealed::default()));
    assert_eq!(writer.seal(HANDSHAKE, &[], &mut [0; 100]), Ok(Sealed::default()));
    assert_eq!(writer.key().unwrap().sequence(), 0);
}

#[test]
fn a_small_window_is_filled_with_a_smaller_record() {
    let (mut writer, mut reader) = pair(0);
    let mut out = [0; PROTECTED_OVERHEAD + 10];
    let sealed = writer.seal(DATA, &[4; 1000], &mut out).unwrap();
    assert_eq!(sealed, Sealed { taken: 10, written: out.len() });
    assert_eq!(open_all(&mut reader, &mut out), [4; 10]);
}

#[test]
fn a_window_is_filled_to_the_end_if_one_more_byte_fits() {
    let full = MAX_FRAGMENT + PROTECTED_OVERHEAD;
    for (extra, taken) in [(0, 0), (PROTECTED_OVERHEAD, 0), (PROTECTED_OVERHEAD + 1, 1), (1000, 1000 - 22)] {
        let (mut writer, _) = pair(0);
        let mut out = vec![0; full + extra];
        let sealed = writer.seal(DATA, &[4; 50_000], &mut out).unwrap();
        assert_eq!(sealed.taken, MAX_FRAGMENT + taken);
    }
}

#[test]
fn too_small_a_window_names_what_is_needed_and_changes_nothing() {
    let (mut writer, _) = pair(0);
    for room in 0..=PROTECTED_OVERHEAD {
        let mut out = vec![0xa5; room];
        let needed = PROTECTED_OVERHEAD + 1;
        assert_eq!(writer.seal(DATA, b"abc", &mut out), Err(SealError::TooSmall { needed }));
        assert_eq!(out, vec![0xa5; room]);
    }
    assert_eq!(writer.key().unwrap().sequence(), 0);
    let sealed = writer.seal(DATA, b"abc", &mut [0; PROTECTED_OVERHEAD + 1]).unwrap();
    assert_eq!(sealed, Sealed { taken: 1, written: PROTECTED_OVERHEAD + 1 });
}

#[test]
fn an_alert_is_never_split() {
    let (mut writer, mut reader) = pair(0);
    let needed = PROTECTED_OVERHEAD + 2;
    let mut out = [0; PROTECTED_OVERHEAD + 2];
    let (short, _) = out.split_at_mut(needed - 1);
    assert_eq!(writer.seal(ContentType::Alert, &[2, 40], short), Err(SealError::TooSmall { needed }));
    assert_eq!(writer.seal(ContentType::Alert, &[2, 40], &mut out).unwrap().taken, 2);
    let opened = open_one(&mut reader, &out).unwrap();
    assert!(matches!(opened.record, Some(Record::Alert(alert)) if alert.description == 40));

    let mut clear = Writer::new();
    assert_eq!(clear.seal(ContentType::Alert, &[2, 40], &mut [0; 6]), Err(SealError::TooSmall { needed: 7 }));
    let mut out = [0; 7];
    assert_eq!(clear.seal(ContentType::Alert, &[2, 40], &mut out).unwrap().written, 7);
    assert_eq!(out, [21, 3, 3, 0, 2, 2, 40]);
}

#[test]
fn seal_whole_seals_all_or_nothing() {
    let (mut writer, mut reader) = pair(0);
    let update = [24, 0, 0, 1, 0];
    let needed = writer.sealed_len(HANDSHAKE, update.len());
    let mut out = vec![0; needed + 7];
    assert_eq!(
        writer.seal_whole(HANDSHAKE, &update, &mut out[..needed - 1]),
        Err(SealError::TooSmall { needed })
    );
    assert_eq!(writer.key().unwrap().sequence(), 0);
    assert_eq!(writer.seal_whole(HANDSHAKE, &update, &mut out), Ok(needed));
    assert_eq!(open_one(&mut reader, &out[..needed]).unwrap().record, Some(Record::Handshake(5..10)));
    assert_eq!(out[needed..], [0; 7]);
}

#[test]
fn application_data_is_never_sent_in_the_clear() {
    let mut writer = Writer::new();
    assert_eq!(writer.seal(DATA, b"secret", &mut [0; 100]), Err(SealError::NoKey));
    assert_eq!(writer.seal_whole(DATA, b"secret", &mut [0; 100]), Err(SealError::NoKey));
    writer.install(write_key(0, 7));
    writer.remove_key();
    assert_eq!(writer.seal(DATA, b"secret", &mut [0; 100]), Err(SealError::NoKey));
}

#[test]
fn what_is_no_alert_and_no_change_cipher_spec_is_not_sealed_as_one() {
    let (mut writer, _) = pair(0);
    for bad in [&[][..], &[2], &[2, 40, 0]] {
        let refused = Err(SealError::InvalidContent(ContentType::Alert));
        assert_eq!(writer.seal(ContentType::Alert, bad, &mut [0; 100]), refused);
    }
    for bad in [&[][..], &[2], &[1, 1]] {
        let refused = Err(SealError::InvalidContent(ContentType::ChangeCipherSpec));
        assert_eq!(writer.seal(ContentType::ChangeCipherSpec, bad, &mut [0; 100]), refused);
    }
}

#[test]
fn a_change_cipher_spec_is_in_the_clear_under_any_key() {
    let (mut writer, mut reader) = pair(0);
    let record = seal(&mut writer, ContentType::ChangeCipherSpec, &[1]);
    assert_eq!(record, [20, 3, 3, 0, 1, 1]);
    assert_eq!(writer.key().unwrap().sequence(), 0);
    assert_eq!(open_one(&mut reader, &record).unwrap().record, None);
}

#[test]
fn plaintext_records_carry_the_version_that_was_set() {
    let mut writer = Writer::new();
    writer.set_plaintext_version(0x0301);
    assert_eq!(seal(&mut writer, HANDSHAKE, b"hi"), [22, 3, 1, 0, 2, b'h', b'i']);
    writer.set_plaintext_version(0x0303);
    assert_eq!(seal(&mut writer, HANDSHAKE, b"hi"), [22, 3, 3, 0, 2, b'h', b'i']);
    writer.set_plaintext_version(0x0301);
    writer.install(write_key(0, 7));
    assert_eq!(seal(&mut writer, HANDSHAKE, b"hi")[..3], [23, 3, 3]);
}

#[test]
fn a_long_handshake_message_is_fragmented_in_the_clear_too() {
    let mut writer = Writer::new();
    let out = seal(&mut writer, HANDSHAKE, &vec![1; MAX_FRAGMENT + 1]);
    assert_eq!(record_lens(&out), [MAX_FRAGMENT + 5, 6]);
    assert_eq!(writer.records(HANDSHAKE, MAX_FRAGMENT + 1), 2);
}

/// What `seal_in_place` makes of a message behind other bytes, with room for all.
fn sealed_in_place(writer: &mut Writer, message: &[u8]) -> (Result<bool, SealError>, Vec<u8>) {
    let before = [0xee; 3];
    let mut buffer = Vec::with_capacity(before.len() + writer.sealed_len(HANDSHAKE, message.len()).max(600));
    buffer.extend_from_slice(&before);
    buffer.resize(before.len() + writer.content_start(HANDSHAKE), 0xee);
    buffer.extend_from_slice(message);
    let place = buffer.as_ptr();
    let sealed = writer.seal_in_place(HANDSHAKE, &mut buffer, before.len());
    assert_eq!(buffer.as_ptr(), place, "in its own allocation");
    assert_eq!(buffer[..3], before);
    (sealed, buffer.split_off(3))
}

#[test]
fn a_message_is_sealed_where_it_lies_as_it_would_be_elsewhere() {
    for padding in [Padding::None, Padding::ToMultiple(NonZeroU16::new(100).unwrap()), Padding::ToMaximum] {
        for len in [1, 64, MAX_FRAGMENT] {
            let writers = || {
                let mut clear = Writer::new();
                clear.set_plaintext_version(0x0301);
                let mut protected = Writer::new();
                protected.install(write_key(0, 7));
                let mut tls12 = Writer::new();
                let algorithm = AeadAlgorithm::Aes128Gcm;
                let (key, iv) = (AeadKey::new(algorithm, &[7; 16]), FixedIv::new(algorithm, &[9; 4]));
                tls12.install(WriteKey::tls12(algorithm, &key.unwrap(), &iv.unwrap()).unwrap());
                [clear, protected, tls12].map(|mut writer| {
                    writer.set_padding(padding);
                    writer
                })
            };
            for (mut here, mut elsewhere) in writers().into_iter().zip(writers()) {
                let message: Vec<u8> = (0..=255).cycle().take(len).collect();
                let (sealed, record) = sealed_in_place(&mut here, &message);
                assert_eq!(sealed, Ok(true));
                assert!(record == seal(&mut elsewhere, HANDSHAKE, &message), "{padding:?}, {len}");
            }
        }
    }
}

#[test]
fn what_is_not_one_record_is_not_sealed_where_it_lies() {
    let mut writer = Writer::new();
    for len in [0, MAX_FRAGMENT + 1] {
        let (sealed, left) = sealed_in_place(&mut writer, &vec![7; len]);
        assert_eq!(sealed, Ok(false));
        assert!(left[..5] == [0xee; 5] && left[5..] == vec![7; len]);
    }
    writer.set_max_fragment(64);
    assert_eq!(sealed_in_place(&mut writer, &[7; 65]).0, Ok(false));
    assert_eq!(sealed_in_place(&mut writer, &[7; 64]).0, Ok(true));
    assert_eq!(writer.seal_in_place(HANDSHAKE, &mut Vec::new(), 9), Ok(false), "nothing is there");
}

#[test]
fn a_key_that_is_used_up_leaves_nothing_where_the_record_was_to_be() {
    let mut writer = Writer::new();
    writer.install(write_key(0, 7).with_limit(1));
    assert_eq!(sealed_in_place(&mut writer, b"last").0, Ok(true));
    let (sealed, left) = sealed_in_place(&mut writer, b"too late");
    assert_eq!((sealed, left), (Err(SealError::KeyExhausted), Vec::new()));
}

#[test]
fn what_is_sealed_where_it_lies_is_checked_as_elsewhere() {
    let (ccs, alert) = (ContentType::ChangeCipherSpec, ContentType::Alert);
    let mut writer = Writer::new();
    writer.install(write_key(0, 7));
    assert_eq!(writer.content_start(ccs), 5);
    let mut buffer = vec![0, 0, 0, 0, 0, 1];
    assert_eq!(writer.seal_in_place(ccs, &mut buffer, 0), Ok(true));
    assert_eq!(buffer, [20, 3, 3, 0, 1, 1], "never protected");
    for (content_type, content) in [(ccs, [1, 1].as_slice()), (alert, &[2, 0, 0])] {
        buffer = [&[0; 5], content].concat();
        let refused = Err(SealError::InvalidContent(content_type));
        assert_eq!(writer.seal_in_place(content_type, &mut buffer, 0), refused);
        assert!(buffer.is_empty());
    }
    buffer = vec![7; 6];
    assert_eq!(Writer::new().seal_in_place(DATA, &mut buffer, 0), Err(SealError::NoKey));
}

#[test]
fn the_record_size_limit_covers_content_type_and_padding() {
    let (mut writer, mut reader) = pair(0);
    writer.set_record_size_limit(64);
    reader.set_record_size_limit(64);
    for padding in [Padding::None, Padding::ToMaximum, Padding::Custom(|_| 1000)] {
        writer.set_padding(padding);
        let mut out = seal(&mut writer, DATA, &[5; 200]);
        let lens = record_lens(&out);
        assert_eq!(lens.len(), 4);
        assert_eq!(lens[..3], [63 + PROTECTED_OVERHEAD; 3]);
        assert_eq!(open_all(&mut reader, &mut out), [5; 200]);
    }
    assert_eq!(writer.records(DATA, 200), 4);
}

#[test]
fn the_record_size_limit_spares_plaintext_and_early_data() {
    let mut writer = Writer::new();
    writer.set_record_size_limit(64);
    assert_eq!(writer.records(HANDSHAKE, 1000), 1);
    writer.install(write_key(0, 7).early());
    assert_eq!(writer.records(DATA, 1000), 1);
    writer.install(write_key(0, 7));
    assert_eq!(writer.records(DATA, 1000), 1000_u64.div_ceil(63));
}

#[test]
fn a_fragment_limit_of_ours_binds_plaintext_too() {
    let mut plain = Writer::new();
    plain.set_max_fragment(512);
    assert_eq!(record_lens(&seal(&mut plain, HANDSHAKE, &[1; 1025])), [5 + 512, 5 + 512, 5 + 1]);
    let (mut writer, _) = pair(0);
    writer.set_max_fragment(512);
    assert_eq!(
        record_lens(&seal(&mut writer, DATA, &[1; 600])),
        [512, 88].map(|len| len + PROTECTED_OVERHEAD)
    );
    // The peer's limit counts the content type, and the smaller one holds.
    writer.set_record_size_limit(65);
    assert_eq!(record_lens(&seal(&mut writer, DATA, &[1; 64])), [64 + PROTECTED_OVERHEAD]);
    assert_eq!(writer.sealed_len(DATA, 65), 65 + 2 * PROTECTED_OVERHEAD);
}

#[test]
fn a_record_size_limit_out_of_range_is_brought_into_it() {
    let (mut writer, _) = pair(0);
    writer.set_record_size_limit(u16::MAX);
    assert_eq!(writer.records(DATA, MAX_FRAGMENT), 1);
    assert_eq!(writer.records(DATA, MAX_FRAGMENT + 1), 2);
    writer.set_record_size_limit(0);
    assert_eq!(writer.records(DATA, 63), 1);
    assert_eq!(writer.records(DATA, 64), 2);
}

#[test]
fn padding_hides_lengths_and_is_stripped() {
    let (mut writer, mut reader) = pair(1);
    writer.set_padding(Padding::ToMultiple(NonZeroU16::new(4096).unwrap()));
    for len in [1, 2, 4000, 4096] {
        let mut out = seal(&mut writer, DATA, &vec![0; len]);
        assert_eq!(out.len(), 4096 + PROTECTED_OVERHEAD);
        assert_eq!(open_all(&mut reader, &mut out), vec![0; len]);
    }
    writer.set_padding(Padding::ToMaximum);
    for content_type in [HANDSHAKE, ContentType::Alert] {
        let out = seal(&mut writer, content_type, &[1, 2]);
        assert_eq!(out.len(), MAX_FRAGMENT + PROTECTED_OVERHEAD);
        assert_eq!(open_one(&mut reader, &out).unwrap().content_type, Some(content_type));
    }
}

#[test]
fn every_length_of_padding_is_sealed() {
    let (mut writer, mut reader) = pair(0);
    for (index, rule) in [|_| 1, |_| 254, |_| 255, |_| 256, |_| 257, |_| 16_383_usize].into_iter().enumerate()
    {
        writer.set_padding(Padding::Custom(rule));
        let mut out = seal(&mut writer, DATA, b"p");
        assert_eq!(out.len(), 1 + rule(1) + PROTECTED_OVERHEAD, "{index}");
        assert_eq!(open_all(&mut reader, &mut out), b"p");
    }
}

#[test]
fn padding_is_cut_to_the_window_and_content_comes_first() {
    let (mut writer, mut reader) = pair(0);
    writer.set_padding(Padding::ToMaximum);
    let mut out = [0; PROTECTED_OVERHEAD + 40];
    let sealed = writer.seal(DATA, &[6; 30], &mut out).unwrap();
    assert_eq!(sealed, Sealed { taken: 30, written: out.len() });
    assert_eq!(open_all(&mut reader, &mut out), [6; 30]);
}

#[test]
fn records_in_the_clear_are_not_padded() {
    let mut writer = Writer::new();
    writer.set_padding(Padding::ToMaximum);
    assert_eq!(seal(&mut writer, HANDSHAKE, &[1, 2, 3]), raw(22, &[1, 2, 3]));
}

#[test]
fn a_padding_rule_that_changes_its_mind_is_found_out() {
    use core::sync::atomic::{AtomicUsize, Ordering};
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let (mut writer, mut reader) = pair(0);
    writer.set_padding(Padding::Custom(|_| CALLS.fetch_add(1, Ordering::Relaxed) * 50));
    // Whatever happens, what was written opens, and nothing panics.
    let mut out = [0; 500];
    if let Ok(written) = writer.seal_whole(DATA, b"abc", &mut out) {
        assert_eq!(open_all(&mut reader, &mut out[..written]), b"abc");
    }
}

#[test]
fn removing_the_key_goes_back_to_the_clear() {
    let (mut writer, _) = pair(0);
    writer.remove_key();
    assert!(writer.key().is_none());
    let record = seal(&mut writer, HANDSHAKE, &[1, 0, 0, 0]);
    let opened = open_one(&mut Reader::new(), &record).unwrap();
    assert_eq!(opened.record, Some(Record::Handshake(5..9)));
}

#[test]
fn what_was_sealed_for_another_place_in_the_stream_does_not_open() {
    let (mut writer, mut reader) = pair(0);
    let first = seal(&mut writer, DATA, b"first");
    let second = seal(&mut writer, DATA, b"second");
    assert_eq!(open_one(&mut reader, &second), Err(RecordError::DecryptFailed));
    assert!(open_one(&mut reader, &first).is_ok());
    assert_eq!(open_one(&mut reader, &first), Err(RecordError::DecryptFailed));
}

#[test]
fn installing_a_key_on_both_sides_changes_over() {
    let mut writer = Writer::new();
    let mut reader = Reader::new();
    let hello = seal(&mut writer, HANDSHAKE, &[1, 0, 0, 0]);
    assert!(open_one(&mut reader, &hello).is_ok());
    writer.install(write_key(2, 9));
    reader.install(read_key(2, 9));
    reader.set_mode(Mode::default());
    let finished = seal(&mut writer, HANDSHAKE, &[20, 0, 0, 0]);
    assert_eq!(open_one(&mut reader, &finished).unwrap().record, Some(Record::Handshake(5..9)));
}

#[test]
fn a_fragment_of_our_own_choice_binds_every_record() {
    let (mut writer, mut reader) = pair(0);
    let mut clear = Writer::new();
    for writer in [&mut writer, &mut clear] {
        writer.set_max_fragment(512);
    }
    assert_eq!(clear.sealed_len(ContentType::Handshake, 1024), 2 * (5 + 512));
    let record = seal(&mut writer, ContentType::ApplicationData, &[1; 1024]);
    assert_eq!(record.len(), 2 * (512 + 22));
    assert!(open_one(&mut reader, &record[..534]).is_ok());
    writer.set_record_size_limit(101);
    assert_eq!(seal(&mut writer, ContentType::ApplicationData, &[1; 200]).len(), 2 * (100 + 22));
}
