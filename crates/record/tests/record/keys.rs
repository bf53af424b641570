//! Keys: generations, limits, what they show of themselves.

use oxtls_crypto::Hash;
use oxtls_record::limits::RESERVED_RECORDS;
use oxtls_record::{ContentType, Reader, RecordError, SealError, Writer};

use crate::common::{ACCEPT, SUITES, open_all, open_one, pair, read_key, seal, write_key};

#[test]
fn every_suite_protects_and_unprotects() {
    for suite in 0..SUITES.len() {
        let (mut writer, mut reader) = pair(suite);
        for n in 0..3 {
            let mut record = seal(&mut writer, ContentType::ApplicationData, b"hello");
            assert_eq!(record.len(), 5 + 5 + 1 + 16);
            assert_eq!(record[..5], [23, 3, 3, 0, 22]);
            assert_eq!(open_all(&mut reader, &mut record), b"hello");
            assert_eq!(writer.key().unwrap().sequence(), n + 1);
            assert_eq!(reader.key().unwrap().sequence(), n + 1);
        }
    }
}

#[test]
fn an_updated_key_is_another_key_that_counts_from_zero() {
    for (suite, (algorithm, _)) in SUITES.into_iter().enumerate() {
        let (mut writer, mut reader) = pair(suite);
        let old = writer.key().unwrap().secret().unwrap();
        seal(&mut writer, ContentType::ApplicationData, b"one");
        writer.update_key().unwrap();
        reader.update_key().unwrap();
        let key = writer.key().unwrap();
        assert_eq!(key.sequence(), 0);
        assert!(key.secret().unwrap() != old);
        assert!(key.secret() == reader.key().unwrap().secret());
        assert_eq!(key.algorithm(), algorithm);
        let mut record = seal(&mut writer, ContentType::ApplicationData, b"two");
        assert_eq!(open_all(&mut reader, &mut record), b"two");
    }
}

/// HKDF-Expand-Label(secret, "traffic upd", "", Hash.length) of a secret of bytes 7, computed with another program.
#[test]
fn the_next_generation_is_that_of_the_rfc() {
    let expected = [
        "e4e9fd5395b1b2c12d57c49ca803ccab1944c4b7404cffb80eae7a8737708e4c",
        "76eb5e0655ece81316ee028f0064bd573f0d57551094dd89316ce1d0f194da645649f31bf6f077cbf870aa584ca16022",
    ];
    for (suite, expected) in expected.into_iter().enumerate() {
        let (mut write, mut read) = (write_key(suite, 7), read_key(suite, 7));
        write.update().unwrap();
        read.update().unwrap();
        for secret in [write.secret().unwrap(), read.secret().unwrap()] {
            let hex: String = secret.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected);
        }
    }
}

#[test]
fn a_record_of_the_next_generation_does_not_open_before_the_update() {
    let (mut writer, mut reader) = pair(0);
    writer.update_key().unwrap();
    let record = seal(&mut writer, ContentType::ApplicationData, b"early");
    assert_eq!(open_one(&mut reader, &record), Err(RecordError::DecryptFailed));
    reader.update_key().unwrap();
    assert!(open_one(&mut reader, &record).is_ok());
}

#[test]
fn a_key_of_the_other_direction_does_not_open() {
    let (mut writer, mut reader) = pair(0);
    reader.install(read_key(0, 8));
    let record = seal(&mut writer, ContentType::ApplicationData, b"x");
    assert_eq!(open_one(&mut reader, &record), Err(RecordError::DecryptFailed));
}

#[test]
fn updating_without_a_key_is_an_error() {
    assert_eq!(Writer::new().update_key(), Err(SealError::NoKey));
    assert!(matches!(Reader::new().update_key(), Err(RecordError::Internal(_))));
}

#[test]
fn the_algorithm_sets_the_limit_and_a_policy_can_only_lower_it() {
    assert_eq!(write_key(0, 1).records_left(), 23_726_566);
    assert_eq!(read_key(1, 1).records_left(), 23_726_566);
    assert_eq!(write_key(2, 1).records_left(), u64::MAX);
    assert_eq!(write_key(0, 1).with_limit(100).records_left(), 100);
    assert_eq!(write_key(0, 1).with_limit(100).with_limit(200).records_left(), 100);
    assert_eq!(Writer::new().records_left(), u64::MAX);
}

#[test]
fn data_stops_short_of_the_limit_so_that_a_key_update_can_still_be_sealed() {
    let mut writer = Writer::new();
    writer.install(write_key(0, 7).with_limit(RESERVED_RECORDS + 2));
    let mut out = [0; 100];
    for _ in 0..2 {
        writer.seal(ContentType::ApplicationData, b"x", &mut out).unwrap();
    }
    assert_eq!(writer.seal(ContentType::ApplicationData, b"x", &mut out), Err(SealError::KeyExhausted));
    assert_eq!(writer.records_left(), RESERVED_RECORDS);
    assert!(writer.seal_whole(ContentType::Handshake, &[24, 0, 0, 1, 0], &mut out).is_ok());
    writer.update_key().unwrap();
    assert_eq!(writer.records_left(), RESERVED_RECORDS + 2);
    assert!(writer.seal(ContentType::ApplicationData, b"x", &mut out).is_ok());
}

#[test]
fn nothing_is_sealed_past_the_limit() {
    let mut writer = Writer::new();
    writer.install(write_key(0, 7).with_limit(2));
    let mut out = [0; 100];
    assert!(writer.seal(ContentType::Handshake, b"x", &mut out).is_ok());
    assert!(writer.seal(ContentType::Alert, &[1, 0], &mut out).is_ok());
    for content_type in [ContentType::Handshake, ContentType::Alert] {
        assert_eq!(writer.seal(content_type, &[1, 0], &mut out), Err(SealError::KeyExhausted));
        assert_eq!(writer.seal_whole(content_type, &[1, 0], &mut out), Err(SealError::KeyExhausted));
    }
}

#[test]
fn a_limit_reached_midway_leaves_what_was_sealed() {
    let mut writer = Writer::new();
    writer.install(write_key(0, 7).with_limit(RESERVED_RECORDS + 1));
    let mut reader = Reader::new();
    reader.install(read_key(0, 7));
    reader.set_mode(ACCEPT);
    let plaintext = vec![3; 40_000];
    let mut out = vec![0; 50_000];
    assert_eq!(
        writer.seal_whole(ContentType::ApplicationData, &plaintext, &mut out),
        Err(SealError::KeyExhausted)
    );
    let sealed = writer.seal(ContentType::ApplicationData, &plaintext, &mut out).unwrap();
    assert_eq!(sealed.taken, 1 << 14);
    assert_eq!(open_all(&mut reader, &mut out[..sealed.written]), plaintext[..1 << 14]);
}

#[test]
fn keys_print_no_secret() {
    let (writer, reader) = pair(0);
    let secret = format!("{:02x?}", [7_u8; 4]);
    for text in [format!("{writer:?}"), format!("{reader:?}")] {
        assert!(!text.contains("7, 7") && !text.contains("0707") && !text.contains(&secret), "{text}");
    }
    assert_eq!(writer.key().unwrap().secret().unwrap().len(), Hash::Sha256.output_len());
}

#[test]
fn keys_that_have_rested_go_on_with_the_next_record_and_the_next_generation() {
    for suite in 0..SUITES.len() {
        let (mut writer, mut reader) = pair(suite);
        for n in 0..6 {
            if n % 2 == 1 {
                writer.rest();
            }
            if n % 3 == 1 {
                reader.rest();
            }
            if n == 4 {
                // Between the two nothing is sealed: both rest while their keys move on.
                writer.update_key().unwrap();
                reader.update_key().unwrap();
                writer.rest();
            }
            let mut record = seal(&mut writer, ContentType::ApplicationData, b"hello");
            assert_eq!(open_all(&mut reader, &mut record), b"hello");
            assert_eq!(writer.key().unwrap().sequence(), n % 4 + 1);
        }
    }
    // Without a key nothing rests.
    Writer::new().rest();
    Reader::new().rest();
}
