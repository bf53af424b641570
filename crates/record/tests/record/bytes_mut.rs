//! Opening in a `BytesMut`: the plaintext is split off where it lies.

use bytes::BytesMut;
use oxtls_record::{Alert, BytesRecord, ContentType, OpenedBytes};

use crate::common::{pair, raw, seal};

#[test]
fn records_are_split_off_without_moving() {
    let (mut writer, mut reader) = pair(0);
    let mut input = BytesMut::new();
    for text in ["one", "two"] {
        input.extend_from_slice(&seal(&mut writer, ContentType::ApplicationData, text.as_bytes()));
    }
    input.extend_from_slice(&[23]);
    let start = input.as_ptr() as usize;
    let len = 3 + 22;
    for (n, text) in ["one", "two"].into_iter().enumerate() {
        let opened = reader.open_bytes(&mut input).unwrap();
        assert_eq!(opened.consumed, len);
        let Some(BytesRecord::ApplicationData(data)) = opened.record else { panic!("{opened:?}") };
        assert_eq!(data, text);
        assert_eq!(data.as_ptr() as usize, start + n * len + 5);
    }
    assert_eq!(reader.open_bytes(&mut input).unwrap(), OpenedBytes { needed: 5, ..OpenedBytes::default() });
    assert_eq!(input[..], [23]);
}

#[test]
fn other_records_leave_the_buffer_too() {
    let (mut writer, mut reader) = pair(0);
    let mut input = BytesMut::new();
    input.extend_from_slice(&raw(20, &[1]));
    input.extend_from_slice(&seal(&mut writer, ContentType::Handshake, &[4, 0, 0, 0]));
    input.extend_from_slice(&seal(&mut writer, ContentType::Alert, &[1, 0]));
    assert_eq!(reader.open_bytes(&mut input).unwrap().record, None);
    let Some(BytesRecord::Handshake(fragment)) = reader.open_bytes(&mut input).unwrap().record else {
        panic!()
    };
    assert_eq!(fragment[..], [4, 0, 0, 0]);
    let alert = Alert { level: 1, description: 0 };
    assert_eq!(reader.open_bytes(&mut input).unwrap().record, Some(BytesRecord::Alert(alert)));
    assert!(input.is_empty());
}
