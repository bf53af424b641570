//! Opening: what is refused, with which alert, and what is delivered.

use oxtls_record::limits::{MAX_CHANGE_CIPHER_SPECS, MAX_CIPHERTEXT, MAX_EMPTY_RECORDS, MAX_FRAGMENT};
use oxtls_record::{
    Alert, ApplicationDataMode, ChangeCipherSpecMode, ContentType, Mode, Opened, Reader, Record, RecordError,
};

use crate::common::{ACCEPT, Forger, open_one, pair, raw, read_key, seal};

const DATA: ContentType = ContentType::ApplicationData;

fn refused(reader: &mut Reader, record: &[u8]) -> RecordError {
    let input = record.to_vec();
    let by_copy = {
        let mut out = vec![0; 20_000];
        let mut twin = twin(reader);
        twin.open_into(&input, &mut out).unwrap_err()
    };
    let error = reader.open(&mut input.clone()).unwrap_err();
    assert_eq!(error, by_copy, "in place and out of place must agree");
    error
}

/// A reader in the same state, for those states that these tests use: a fresh key, or none.
fn twin(reader: &Reader) -> Reader {
    let mut twin = Reader::new();
    if reader.key().is_some_and(|key| key.sequence() == 0) {
        twin.install(read_key(0, 7));
    }
    twin.set_mode(reader.mode());
    twin
}

fn protected() -> (Forger, Reader) {
    (Forger::new(0), pair(0).1)
}

#[test]
fn nothing_is_consumed_before_the_record_is_whole() {
    let (mut writer, mut reader) = pair(0);
    let record = seal(&mut writer, DATA, b"hello");
    for len in 0..record.len() {
        let opened = reader.open(&mut record.clone()[..len]).unwrap();
        let needed = if len < 5 { 5 } else { record.len() };
        assert_eq!(opened, Opened { needed, ..Opened::default() });
        assert_eq!(reader.open_into(&record[..len], &mut []).unwrap(), opened);
    }
    assert!(open_one(&mut reader, &record).is_ok());
}

#[test]
fn one_record_is_opened_and_nothing_behind_it_is_touched() {
    let (mut writer, mut reader) = pair(0);
    let mut input = seal(&mut writer, DATA, b"hello");
    let len = input.len();
    input.extend(seal(&mut writer, DATA, b"again"));
    let behind = input[len..].to_vec();
    let opened = reader.open(&mut input).unwrap();
    assert_eq!((opened.consumed, opened.record), (len, Some(Record::ApplicationData(5..10))));
    assert_eq!(&input[5..10], b"hello");
    assert_eq!(input[len..], behind);
}

#[test]
fn out_of_place_the_plaintext_lands_in_the_destination() {
    let (mut writer, mut reader) = pair(0);
    let record = seal(&mut writer, DATA, b"hello");
    let mut out = [0; 8];
    let too_small = reader.open_into(&record, &mut out[..5]);
    assert_eq!(too_small, Err(RecordError::OutputTooSmall { needed: 6 }));
    let opened = reader.open_into(&record, &mut out).unwrap();
    assert_eq!((opened.consumed, opened.record), (record.len(), Some(Record::ApplicationData(0..5))));
    assert_eq!(&out[..5], b"hello");
    assert_eq!(out[6..], [0, 0]);

    let mut clear = Reader::new();
    assert_eq!(
        clear.open_into(&raw(22, b"hello"), &mut [0; 4]),
        Err(RecordError::OutputTooSmall { needed: 5 })
    );
    let opened = clear.open_into(&raw(22, b"HELLO"), &mut out).unwrap();
    assert_eq!(opened.record, Some(Record::Handshake(0..5)));
    assert_eq!(&out[..5], b"HELLO");
    let opened = clear.open_into(&raw(21, &[2, 40]), &mut []).unwrap();
    assert_eq!(opened.record, Some(Record::Alert(Alert { level: 2, description: 40 })));
}

#[test]
fn inner_types_are_delivered_as_what_they_are() {
    let (mut forger, mut reader) = protected();
    let opened = open_one(&mut reader, &forger.seal(&[9, 9, 22, 0, 0])).unwrap();
    assert_eq!(opened.record, Some(Record::Handshake(5..7)));
    let opened = open_one(&mut reader, &forger.seal(&[1, 0, 21])).unwrap();
    assert_eq!(opened.record, Some(Record::Alert(Alert { level: 1, description: 0 })));
    let opened = open_one(&mut reader, &forger.seal(&[0, 0, 23, 0])).unwrap();
    assert_eq!(opened.record, Some(Record::ApplicationData(5..7)));
}

#[test]
fn a_record_of_zeros_has_no_type() {
    for inner in [&[][..], &[0], &[0; 300]] {
        let (mut forger, mut reader) = protected();
        let error = refused(&mut reader, &forger.seal(inner));
        assert_eq!((error, error.alert()), (RecordError::AllPadding, 10));
    }
}

#[test]
fn an_unknown_inner_type_is_refused() {
    for byte in [1, 19, 24, 255] {
        let (mut forger, mut reader) = protected();
        let error = refused(&mut reader, &forger.seal(&[1, 2, byte, 0]));
        assert_eq!((error, error.alert()), (RecordError::UnknownContentType(byte), 10));
    }
}

#[test]
fn a_protected_change_cipher_spec_is_refused() {
    let (mut forger, mut reader) = protected();
    let error = refused(&mut reader, &forger.seal(&[1, 20]));
    assert_eq!((error, error.alert()), (RecordError::ProtectedChangeCipherSpec, 10));
}

#[test]
fn handshake_and_alert_records_without_content_are_refused() {
    let (mut forger, mut reader) = protected();
    assert_eq!(refused(&mut reader, &forger.seal(&[22, 0])), RecordError::EmptyHandshakeFragment);
    let (mut forger, mut reader) = protected();
    assert_eq!(refused(&mut reader, &forger.seal(&[21])), RecordError::EmptyAlert);
    assert_eq!(refused(&mut Reader::new(), &raw(22, &[])), RecordError::EmptyHandshakeFragment);
    assert_eq!(refused(&mut Reader::new(), &raw(21, &[])), RecordError::EmptyAlert);
    assert_eq!(RecordError::EmptyHandshakeFragment.alert(), 10);
}

#[test]
fn an_alert_record_holds_one_alert() {
    let (mut forger, mut reader) = protected();
    assert_eq!(refused(&mut reader, &forger.seal(&[1, 0, 1, 0, 21])), RecordError::SeveralAlerts);
    let (mut forger, mut reader) = protected();
    assert_eq!(refused(&mut reader, &forger.seal(&[2, 21])), RecordError::MalformedAlert { length: 1 });
    assert_eq!(refused(&mut Reader::new(), &raw(21, &[2, 0, 1])), RecordError::MalformedAlert { length: 3 });
}

#[test]
fn a_ciphertext_over_the_bound_is_refused_at_its_header() {
    let mut reader = pair(0).1;
    let header = |length: usize| [23, 3, 3, (length >> 8) as u8, (length & 255) as u8];
    let error = refused(&mut reader, &header(MAX_CIPHERTEXT + 1));
    assert_eq!(error, RecordError::TooLong { length: MAX_CIPHERTEXT + 1, limit: MAX_CIPHERTEXT });
    assert_eq!(error.alert(), 22);
    let opened = reader.open(&mut header(MAX_CIPHERTEXT)).unwrap();
    assert_eq!(opened.needed, MAX_CIPHERTEXT + 5);
}

#[test]
fn a_plaintext_over_the_bound_is_refused_at_its_header() {
    for kind in [21, 22] {
        let error = refused(&mut Reader::new(), &[kind, 3, 1, 0x40, 1]);
        assert_eq!(error, RecordError::TooLong { length: MAX_FRAGMENT + 1, limit: MAX_FRAGMENT });
        assert_eq!(Reader::new().open(&mut [kind, 3, 1, 0x40, 0]).unwrap().needed, MAX_FRAGMENT + 5);
    }
}

#[test]
fn an_inner_plaintext_over_the_bound_is_refused_even_if_it_is_padding() {
    for filler in [0, 1] {
        let (mut forger, mut reader) = protected();
        let mut inner = vec![filler; MAX_FRAGMENT + 2];
        inner[MAX_FRAGMENT / 2] = 23;
        inner[MAX_FRAGMENT + 1] = if filler == 0 { 0 } else { 23 };
        let error = refused(&mut reader, &forger.seal(&inner));
        assert_eq!(error, RecordError::TooLong { length: MAX_FRAGMENT + 2, limit: MAX_FRAGMENT + 1 });
        assert_eq!(error.alert(), 22);
    }
    let (mut forger, mut reader) = protected();
    let mut inner = vec![5; MAX_FRAGMENT + 1];
    inner[MAX_FRAGMENT] = 23;
    let opened = open_one(&mut reader, &forger.seal(&inner)).unwrap();
    assert_eq!(opened.record, Some(Record::ApplicationData(5..5 + MAX_FRAGMENT)));
}

#[test]
fn our_record_size_limit_is_enforced_with_type_and_padding() {
    for (inner_len, good) in [(64, true), (65, false), (80, false)] {
        let (mut forger, mut reader) = protected();
        reader.set_record_size_limit(64);
        let mut inner = vec![0; inner_len];
        inner[0] = 1;
        inner[1] = 23;
        let result = reader.open(&mut forger.seal(&inner));
        assert_eq!(result.is_ok(), good, "{inner_len}");
        assert!(good || result.unwrap_err().alert() == 22);
    }
}

#[test]
fn our_record_size_limit_refuses_what_cannot_keep_to_it_at_the_header() {
    let mut reader = pair(0).1;
    reader.set_record_size_limit(64);
    let error = reader.open(&mut [23, 3, 3, 0, 81]).unwrap_err();
    assert_eq!(error, RecordError::TooLong { length: 81, limit: 80 });
    assert_eq!(reader.open(&mut [23, 3, 3, 0, 80]).unwrap().needed, 85);
}

#[test]
fn our_record_size_limit_spares_plaintext_and_early_data() {
    let mut reader = Reader::new();
    reader.set_record_size_limit(64);
    assert!(open_one(&mut reader, &raw(22, &[1; 1000])).is_ok());
    let mut forger = Forger::new(0);
    reader.install(read_key(0, 7).early());
    reader.set_mode(ACCEPT);
    let mut inner = [1; 1000];
    inner[999] = 23;
    assert!(open_one(&mut reader, &forger.seal(&inner)).is_ok());
}

#[test]
fn unprotected_records_are_refused_under_a_key() {
    for kind in [ContentType::Alert, ContentType::Handshake] {
        let mut reader = pair(0).1;
        let error = refused(&mut reader, &raw(kind.to_byte(), &[2, 40]));
        assert_eq!((error, error.alert()), (RecordError::DecryptFailed, 20), "it is taken for protected");
    }
}

#[test]
fn an_unprotected_alert_is_taken_where_the_mode_says_so_until_a_record_has_opened() {
    let (mut forger, mut reader) = protected();
    reader.set_mode(Mode { plaintext_alert: true, ..ACCEPT });
    let alert = raw(21, &[2, 40]);
    let opened = open_one(&mut reader, &alert).unwrap();
    assert_eq!(opened.record, Some(Record::Alert(Alert { level: 2, description: 40 })));
    assert_eq!(refused(&mut reader, &raw(21, &[2])), RecordError::MalformedAlert { length: 1 });
    assert_eq!(refused(&mut reader, &raw(22, &[1])), RecordError::DecryptFailed);
    assert!(open_one(&mut reader, &forger.seal(&[1, 22])).is_ok());
    assert!(!reader.mode().plaintext_alert);
    let error = reader.open(&mut alert.clone()).unwrap_err();
    assert_eq!(error, RecordError::DecryptFailed);
    // The next key starts afresh.
    reader.install(read_key(0, 7));
    reader.set_mode(Mode { plaintext_alert: true, ..ACCEPT });
    assert!(open_one(&mut reader, &alert).is_ok());
}

#[test]
fn setting_the_mode_again_does_not_bring_the_plaintext_alert_back() {
    let (mut forger, mut reader) = protected();
    assert!(open_one(&mut reader, &forger.seal(&[1, 22])).is_ok());
    reader.set_mode(Mode { plaintext_alert: true, ..ACCEPT });
    let error = reader.open(&mut raw(21, &[2, 40])).unwrap_err();
    assert_eq!(error, RecordError::DecryptFailed);
}

#[test]
fn application_data_is_refused_unless_the_mode_takes_it() {
    assert_eq!(refused(&mut Reader::new(), &raw(23, b"x")), RecordError::ApplicationDataRefused);
    let mut clear = Reader::new();
    for mode in [
        ApplicationDataMode::Accept,
        ApplicationDataMode::Early { limit: 100 },
        ApplicationDataMode::SkipUndecryptable { limit: 100 },
    ] {
        clear.set_mode(Mode { application_data: mode, ..ACCEPT });
        assert_eq!(refused(&mut clear, &raw(23, b"x")), RecordError::ApplicationDataRefused);
    }
    let (mut forger, mut reader) = protected();
    reader.set_mode(Mode::default());
    let error = refused(&mut reader, &forger.seal(&[1, 23]));
    assert_eq!((error, error.alert()), (RecordError::ApplicationDataRefused, 10));
}

#[test]
fn early_data_is_limited_by_its_plaintext() {
    let (mut forger, mut reader) = protected();
    reader.set_mode(Mode { application_data: ApplicationDataMode::Early { limit: 10 }, ..ACCEPT });
    // Padding and the type are not charged.
    assert!(open_one(&mut reader, &forger.seal(&[1, 1, 1, 1, 23, 0, 0, 0, 0, 0, 0, 0])).is_ok());
    assert!(open_one(&mut reader, &forger.seal(&[20, 0, 0, 22])).is_ok());
    assert!(open_one(&mut reader, &forger.seal(&[1, 1, 1, 1, 1, 1, 23])).is_ok());
    let error = reader.open(&mut forger.seal(&[1, 23])).unwrap_err();
    assert_eq!((error, error.alert()), (RecordError::EarlyDataTooMuch { limit: 10 }, 10));
}

#[test]
fn empty_application_data_is_dropped_and_only_so_many_in_a_row() {
    let (mut forger, mut reader) = protected();
    for _ in 0..2 {
        for _ in 0..MAX_EMPTY_RECORDS {
            let opened = open_one(&mut reader, &forger.seal(&[23, 0])).unwrap();
            assert_eq!((opened.record, opened.content_type), (None, Some(DATA)));
        }
        // Content breaks the row.
        assert!(open_one(&mut reader, &forger.seal(&[1, 23])).unwrap().record.is_some());
    }
    for _ in 0..MAX_EMPTY_RECORDS {
        assert!(open_one(&mut reader, &forger.seal(&[23])).is_ok());
    }
    let error = reader.open(&mut forger.seal(&[23])).unwrap_err();
    assert_eq!((error, error.alert()), (RecordError::TooManyEmptyRecords, 10));
}

#[test]
fn a_change_cipher_spec_is_one_byte_1() {
    for (mut reader, key) in [(Reader::new(), false), (pair(0).1, true)] {
        for bad in [&[][..], &[0], &[2], &[1, 1]] {
            let error = refused(&mut reader, &raw(20, bad));
            assert_eq!((error, error.alert()), (RecordError::BadChangeCipherSpec, 10), "{key}");
        }
        let opened = open_one(&mut reader, &raw(20, &[1])).unwrap();
        assert_eq!((opened.record, opened.content_type), (None, Some(ContentType::ChangeCipherSpec)));
    }
}

#[test]
fn a_change_cipher_spec_is_delivered_where_the_mode_says_so() {
    let mut reader = Reader::new();
    reader.set_mode(Mode { change_cipher_spec: ChangeCipherSpecMode::Deliver, ..Mode::default() });
    for _ in 0..100 {
        assert_eq!(open_one(&mut reader, &raw(20, &[1])).unwrap().record, Some(Record::ChangeCipherSpec));
    }
}

#[test]
fn only_so_many_change_cipher_specs_are_dropped_on_a_connection() {
    let mut reader = Reader::new();
    for n in 0..MAX_CHANGE_CIPHER_SPECS {
        if n == 5 {
            reader.install(read_key(0, 7));
            reader.set_mode(ACCEPT);
        }
        assert!(open_one(&mut reader, &raw(20, &[1])).is_ok());
    }
    let error = reader.open(&mut raw(20, &[1])).unwrap_err();
    assert_eq!((error, error.alert()), (RecordError::TooManyChangeCipherSpecs, 10));
}

#[test]
fn a_record_that_does_not_open_does_not_move_the_sequence() {
    let (mut writer, mut reader) = pair(0);
    let good = seal(&mut writer, DATA, b"hello");
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 1;
        if matches!(position, 0..=4) {
            continue; // another type, not TLS, another version, or another length
        }
        let error = refused(&mut reader, &bad);
        assert_eq!((error, error.alert()), (RecordError::DecryptFailed, 20), "{position}");
        assert_eq!(reader.key().unwrap().sequence(), 0);
    }
    assert!(open_one(&mut reader, &good).is_ok());
}

#[test]
fn a_record_without_room_for_a_tag_does_not_open() {
    for len in 0..16 {
        let mut reader = pair(0).1;
        assert_eq!(refused(&mut reader, &raw(23, &vec![0; len])), RecordError::DecryptFailed);
    }
}

#[test]
fn what_is_no_tls_is_refused_by_its_first_five_bytes() {
    let error = refused(&mut Reader::new(), b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(error.alert(), 50);
    assert!(error.to_string().contains("HTTP request"));
    assert_eq!(refused(&mut Reader::new(), &[99, 3, 3, 0, 0]), RecordError::UnknownContentType(99));
}

#[test]
fn every_error_has_a_sentence_and_an_alert() {
    let errors = [
        RecordError::NotTls { first: [1, 2, 3, 4, 5] },
        RecordError::UnknownContentType(1),
        RecordError::TooLong { length: 2, limit: 1 },
        RecordError::DecryptFailed,
        RecordError::BadChangeCipherSpec,
        RecordError::ProtectedChangeCipherSpec,
        RecordError::TooManyChangeCipherSpecs,
        RecordError::ApplicationDataRefused,
        RecordError::EarlyDataTooMuch { limit: 1 },
        RecordError::SkippedTooMuch { limit: 1 },
        RecordError::InterleavedFragment(ContentType::Alert),
        RecordError::MessageTooLong { length: 2, limit: 1 },
        RecordError::AllPadding,
        RecordError::TooManyEmptyRecords,
        RecordError::WrongOuterType(ContentType::Alert),
        RecordError::WrongVersion(0x0301),
        RecordError::OutputTooSmall { needed: 1 },
        RecordError::KeyExhausted,
        RecordError::Internal("x"),
    ];
    for error in errors {
        assert!(error.to_string().len() > 20, "{error}");
        assert!([10, 20, 22, 47, 50, 70, 80].contains(&error.alert()), "{error}");
    }
}

#[test]
fn a_protected_record_is_of_version_0x0303() {
    let (mut writer, mut reader) = pair(0);
    let mut record = seal(&mut writer, DATA, b"hello");
    record[2] = 1;
    let error = refused(&mut reader, &record);
    assert_eq!((error, error.alert()), (RecordError::WrongVersion(0x0301), 70));
}

#[test]
fn a_protected_record_that_shows_another_type_is_refused_though_it_opens() {
    let header = [22, 3, 3, 0, 1 + 1 + 16];
    let hash = oxtls_crypto::Hash::Sha256;
    let traffic = crate::common::secret(hash, 7);
    let key =
        oxtls_crypto::aead::AeadKey::expand_label(crate::common::SUITES[0].0, hash, &traffic, "key").unwrap();
    let iv = oxtls_crypto::aead::Iv::expand_label(hash, &traffic, "iv").unwrap();
    let nonces = oxtls_crypto::aead::Nonces::Xor(iv);
    let mut sealer = oxtls_crypto::aead::SealingKey::new(crate::common::SUITES[0].0, &key, nonces).unwrap();
    let mut record = [&header[..], &[0; 18]].concat();
    let (ciphertext, tail) = record[5..].split_at_mut(1);
    sealer.seal_scatter(&header, b"x", ciphertext, &[22], tail).unwrap();
    let error = refused(&mut pair(0).1, &record);
    assert_eq!((error, error.alert()), (RecordError::WrongOuterType(ContentType::Handshake), 10));
}
