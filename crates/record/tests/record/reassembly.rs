//! Handshake messages out of fragments: whole, split, coalesced, held back, too long, interleaved.

use oxtls_record::limits::MAX_FRAGMENT;
use oxtls_record::{Alert, ContentType, Mode, Opened, Reader, Reassembly, Record, RecordError};

use crate::common::raw;

const MAX: u32 = 1 << 16;

fn message(kind: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&u32::try_from(len).unwrap().to_be_bytes()[1..]);
    bytes.extend((0..len).map(|n| n as u8));
    bytes
}

/// All messages that come out of one fragment, with their `more`.
fn feed(reassembly: &mut Reassembly, fragment: &[u8]) -> Result<Vec<(Vec<u8>, bool)>, RecordError> {
    let mut out = Vec::new();
    let mut cursor = 0;
    while let Some(message) = reassembly.next(fragment, &mut cursor, MAX)? {
        out.push((message.bytes.to_vec(), message.more));
    }
    assert_eq!(cursor, fragment.len());
    Ok(out)
}

#[test]
fn a_whole_message_is_borrowed_from_its_record() {
    let bytes = message(2, 50);
    let mut reassembly = Reassembly::new();
    let mut cursor = 0;
    let found = reassembly.next(&bytes, &mut cursor, MAX).unwrap().unwrap();
    assert_eq!(found.bytes.as_ptr(), bytes.as_ptr());
    assert_eq!((found.bytes, found.more, cursor), (&bytes[..], false, bytes.len()));
    assert!(reassembly.is_empty());
}

#[test]
fn coalesced_messages_come_one_by_one_and_all_but_the_last_have_more() {
    let (a, b, c) = (message(8, 2), message(11, 0), message(15, 100));
    let mut reassembly = Reassembly::new();
    let out = feed(&mut reassembly, &[&a[..], &b, &c].concat()).unwrap();
    assert_eq!(out, [(a, true), (b, true), (c, false)]);
}

#[test]
fn more_is_said_of_the_record_that_ended_the_message() {
    let (a, b) = (message(1, 10), message(2, 10));
    let bytes = [&a[..], &b].concat();
    let mut reassembly = Reassembly::new();
    assert_eq!(feed(&mut reassembly, &bytes[..5]).unwrap(), []);
    assert!(reassembly.has_partial() && !reassembly.is_empty() && !reassembly.has_whole());
    assert_eq!(feed(&mut reassembly, &bytes[5..a.len()]).unwrap(), [(a.clone(), false)]);
    assert!(!reassembly.has_partial() && reassembly.is_empty());

    assert_eq!(feed(&mut reassembly, &bytes[..5]).unwrap(), []);
    assert_eq!(feed(&mut reassembly, &bytes[5..=a.len()]).unwrap(), [(a, true)]);
    assert!(reassembly.has_partial());
    assert_eq!(feed(&mut reassembly, &bytes[15..]).unwrap(), [(b, false)]);
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let bytes = message(11, 300);
    let mut reassembly = Reassembly::new();
    for &byte in &bytes[..bytes.len() - 1] {
        assert_eq!(feed(&mut reassembly, &[byte]).unwrap(), []);
        assert!(reassembly.has_partial());
    }
    assert_eq!(feed(&mut reassembly, &bytes[bytes.len() - 1..]).unwrap(), [(bytes, false)]);
}

#[test]
fn a_message_too_long_is_refused_at_its_header_however_it_comes() {
    let header = [11, 0, 1, 1];
    let too_long = RecordError::MessageTooLong { length: 257, limit: 256 };
    assert_eq!(too_long.alert(), 47);
    for split in 0..4 {
        let mut reassembly = Reassembly::new();
        assert_eq!(reassembly.next(&header[..split], &mut 0, 256), Ok(None));
        assert_eq!(reassembly.next(&header[split..], &mut 0, 256), Err(too_long), "{split}");
    }
    assert_eq!(Reassembly::new().next(&message(11, 257), &mut 0, 256), Err(too_long));
    assert!(Reassembly::new().next(&message(11, 256), &mut 0, 256).unwrap().is_some());
    assert_eq!(Reassembly::new().next(&[11, 255, 255, 255], &mut 0, u32::MAX), Ok(None));
}

#[test]
fn what_is_held_back_continues_later_with_its_more() {
    let (a, b, c) = (message(1, 10), message(2, 20), message(3, 30));
    let bytes = [&a[..], &b, &c].concat();
    let (record, next_record) = bytes.split_at(bytes.len() - 7);
    let mut reassembly = Reassembly::new();
    let mut cursor = 0;
    let first = reassembly.next(record, &mut cursor, MAX).unwrap().unwrap();
    assert_eq!((first.bytes, first.more), (&a[..], true));
    reassembly.hold(&record[cursor..]).unwrap();
    assert!(reassembly.has_whole() && !reassembly.has_partial());

    assert_eq!(feed(&mut reassembly, &[]).unwrap(), [(b, true)]);
    assert!(!reassembly.has_whole() && reassembly.has_partial());
    assert_eq!(feed(&mut reassembly, next_record).unwrap(), [(c, false)]);
    assert!(reassembly.is_empty());
}

#[test]
fn what_follows_a_message_that_spanned_records_can_be_held_back() {
    let (a, b, c) = (message(1, 100), message(2, 5), message(3, 6));
    let bytes = [&a[..], &b, &c].concat();
    let mut reassembly = Reassembly::new();
    assert_eq!(feed(&mut reassembly, &bytes[..50]).unwrap(), []);
    let rest = &bytes[50..];
    let mut cursor = 0;
    let first = reassembly.next(rest, &mut cursor, MAX).unwrap().unwrap();
    assert_eq!((first.bytes, first.more), (&a[..], true));
    reassembly.hold(&rest[cursor..]).unwrap();
    assert_eq!(feed(&mut reassembly, &[]).unwrap(), [(b, true), (c, false)]);
}

#[test]
fn no_more_than_one_record_is_held_back() {
    let mut reassembly = Reassembly::new();
    assert!(reassembly.hold(&vec![0; MAX_FRAGMENT + 1]).is_err());
    assert!(reassembly.is_empty());
    assert!(reassembly.hold(&vec![0; MAX_FRAGMENT]).is_ok());
    assert!(reassembly.has_whole());
}

#[test]
fn nothing_but_handshake_records_comes_between_fragments() {
    let mut reader = Reader::new();
    let mut reassembly = Reassembly::new();
    reader.set_mode(Mode::default());
    assert_eq!(feed(&mut reassembly, &message(1, 100)[..50]).unwrap(), []);

    let dropped = reader.open(&mut raw(20, &[1])).unwrap();
    let error = reassembly.check_interleaving(&dropped).unwrap_err();
    assert_eq!(error, RecordError::InterleavedFragment(ContentType::ChangeCipherSpec));
    assert_eq!(error.alert(), 10);

    let data = Opened {
        consumed: 9,
        content_type: Some(ContentType::ApplicationData),
        record: Some(Record::ApplicationData(5..9)),
        ..Opened::default()
    };
    assert!(reassembly.check_interleaving(&data).is_err());
    let warning = reader.open(&mut raw(21, &[1, 0])).unwrap();
    assert!(reassembly.check_interleaving(&warning).is_err());
    // What ends nothing by itself would let the message go on behind it, fatal though it is called.
    for closure in [0, 90] {
        let closure = reader.open(&mut raw(21, &[Alert::FATAL, closure])).unwrap();
        assert!(reassembly.check_interleaving(&closure).is_err());
    }
    let fatal = reader.open(&mut raw(21, &[Alert::FATAL, 40])).unwrap();
    assert_eq!(reassembly.check_interleaving(&fatal), Ok(()));
    let fragment = reader.open(&mut raw(22, &[1])).unwrap();
    assert_eq!(reassembly.check_interleaving(&fragment), Ok(()));
    assert_eq!(reassembly.check_interleaving(&Opened::default()), Ok(()));

    assert_eq!(feed(&mut reassembly, &message(1, 100)[50..]).unwrap().len(), 1);
    for opened in [dropped, data, warning] {
        assert_eq!(reassembly.check_interleaving(&opened), Ok(()));
    }
}

#[test]
fn an_empty_reassembly_has_nothing() {
    let mut reassembly = Reassembly::new();
    assert!(reassembly.is_empty() && !reassembly.has_partial() && !reassembly.has_whole());
    assert_eq!(reassembly.next(&[], &mut 0, MAX), Ok(None));
    assert_eq!(reassembly.hold(&[]), Ok(()));
    assert!(reassembly.is_empty());
}
