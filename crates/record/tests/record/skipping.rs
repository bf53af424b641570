//! Rejected early data (RFC 9846 section 4.3.10): skipped within its limit, and not a record further.

use oxtls_record::{Alert, ApplicationDataMode, ContentType, Mode, Reader, Record, RecordError};

use crate::common::{ACCEPT, Forger, open_one, raw, read_key};

fn skipping(limit: u32) -> Reader {
    let mut reader = Reader::new();
    reader.install(read_key(0, 7));
    reader.set_mode(Mode {
        application_data: ApplicationDataMode::SkipUndecryptable { limit },
        plaintext_alert: true,
        ..ACCEPT
    });
    reader
}

fn awaiting_client_hello(limit: u32) -> Reader {
    let mut reader = Reader::new();
    reader.set_mode(Mode {
        application_data: ApplicationDataMode::SkipUntilClientHello { limit },
        ..Mode::default()
    });
    reader
}

#[test]
fn undecryptable_records_are_dropped_until_one_opens() {
    let mut reader = skipping(1000);
    let mut forger = Forger::new(0);
    for _ in 0..3 {
        let opened = open_one(&mut reader, &raw(23, &[0x55; 100])).unwrap();
        assert_eq!((opened.record, opened.content_type), (None, Some(ContentType::ApplicationData)));
        assert_eq!(reader.key().unwrap().sequence(), 0);
    }
    let opened = open_one(&mut reader, &forger.seal(&[20, 0, 0, 22])).unwrap();
    assert_eq!(opened.record, Some(Record::Handshake(5..8)));
    let error = reader.open(&mut raw(23, &[0x55; 100])).unwrap_err();
    assert_eq!(error, RecordError::DecryptFailed);
}

#[test]
fn out_of_place_undecryptable_records_are_dropped_too() {
    let mut reader = skipping(200);
    let mut out = [0; 200];
    for _ in 0..2 {
        let opened = reader.open_into(&raw(23, &[0x55; 100]), &mut out).unwrap();
        assert_eq!((opened.consumed, opened.record), (105, None));
    }
    assert_eq!(
        reader.open_into(&raw(23, &[0x55; 100]), &mut out),
        Err(RecordError::SkippedTooMuch { limit: 200 })
    );
}

#[test]
fn a_destination_too_small_is_no_reason_to_skip() {
    let mut reader = skipping(100);
    let record = Forger::new(0).seal(&[20, 0, 0, 0, 22]);
    for _ in 0..10 {
        let refused = reader.open_into(&record, &mut [0; 4]);
        assert_eq!(refused, Err(RecordError::OutputTooSmall { needed: 5 }));
    }
    let opened = reader.open_into(&record, &mut [0; 5]).unwrap();
    assert_eq!(opened.record, Some(Record::Handshake(0..4)));
}

#[test]
fn skipping_ends_at_its_limit_of_payload_bytes() {
    let mut reader = skipping(300);
    for _ in 0..3 {
        assert!(open_one(&mut reader, &raw(23, &[0x55; 100])).is_ok());
    }
    let error = reader.open(&mut raw(23, &[0x55; 17])).unwrap_err();
    assert_eq!((error, error.alert()), (RecordError::SkippedTooMuch { limit: 300 }, 10));
}

#[test]
fn empty_records_cannot_be_skipped_for_ever() {
    for mut reader in [skipping(1000), awaiting_client_hello(1000)] {
        let taken = (0..1000).take_while(|_| open_one(&mut reader, &raw(23, &[])).is_ok()).count();
        assert_eq!(taken, 1000 / 17);
    }
}

#[test]
fn application_data_under_the_handshake_key_is_not_skipped() {
    let mut reader = skipping(1000);
    let error = reader.open(&mut Forger::new(0).seal(&[1, 23])).unwrap_err();
    assert_eq!(error, RecordError::ApplicationDataRefused);
}

#[test]
fn alerts_in_the_clear_and_change_cipher_specs_pass_between_skipped_records() {
    let mut reader = skipping(1000);
    assert!(open_one(&mut reader, &raw(23, &[0x55; 100])).is_ok());
    assert_eq!(open_one(&mut reader, &raw(20, &[1])).unwrap().record, None);
    assert!(open_one(&mut reader, &raw(23, &[0x55; 100])).is_ok());
    let opened = open_one(&mut reader, &raw(21, &[2, 40])).unwrap();
    assert_eq!(opened.record, Some(Record::Alert(Alert { level: 2, description: 40 })));
}

#[test]
fn skipping_is_not_bound_by_our_record_size_limit() {
    let mut reader = skipping(20_000);
    reader.set_record_size_limit(64);
    assert!(open_one(&mut reader, &raw(23, &[0x55; 16_000])).is_ok());
}

#[test]
fn after_a_hello_retry_request_data_is_dropped_until_a_handshake_record() {
    let mut reader = awaiting_client_hello(1000);
    for _ in 0..3 {
        let opened = open_one(&mut reader, &raw(23, &[0x55; 100])).unwrap();
        assert_eq!((opened.record, opened.content_type), (None, Some(ContentType::ApplicationData)));
    }
    assert_eq!(open_one(&mut reader, &raw(20, &[1])).unwrap().record, None);
    let opened = open_one(&mut reader, &raw(22, &[1, 0, 0, 0])).unwrap();
    assert_eq!(opened.record, Some(Record::Handshake(5..9)));
    let error = reader.open(&mut raw(23, &[0x55; 100])).unwrap_err();
    assert_eq!(error, RecordError::ApplicationDataRefused);
}

#[test]
fn after_a_hello_retry_request_the_limit_counts_payload_bytes() {
    let mut reader = awaiting_client_hello(300);
    for _ in 0..3 {
        assert!(open_one(&mut reader, &raw(23, &[0x55; 100])).is_ok());
    }
    let error = reader.open(&mut raw(23, &[0x55; 1])).unwrap_err();
    assert_eq!((error, error.alert()), (RecordError::SkippedTooMuch { limit: 300 }, 10));
}

#[test]
fn awaiting_a_client_hello_under_a_key_skips_nothing() {
    let mut reader = awaiting_client_hello(1000);
    reader.install(read_key(0, 7));
    assert_eq!(reader.open(&mut raw(23, &[0x55; 100])).unwrap_err(), RecordError::DecryptFailed);
}

#[test]
fn setting_a_mode_counts_afresh() {
    let mut reader = skipping(150);
    assert!(open_one(&mut reader, &raw(23, &[0x55; 100])).is_ok());
    reader.set_mode(reader.mode());
    assert!(open_one(&mut reader, &raw(23, &[0x55; 100])).is_ok());
    assert!(reader.open(&mut raw(23, &[0x55; 100])).is_err());
}
