//! Hostile bytes: whatever comes, nothing panics, nothing outside the record is touched, nothing false is accepted.

use oxtls_record::{
    ApplicationDataMode, ChangeCipherSpecMode, ContentType, Mode, Opened, Reader, Reassembly, Record,
    RecordError,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::common::{pair, read_key, seal};

fn mode() -> impl Strategy<Value = Mode> {
    let data = prop_oneof![
        Just(ApplicationDataMode::Refuse),
        Just(ApplicationDataMode::Accept),
        (0..1000_u32).prop_map(|limit| ApplicationDataMode::Early { limit }),
        (0..1000_u32).prop_map(|limit| ApplicationDataMode::SkipUndecryptable { limit }),
        (0..1000_u32).prop_map(|limit| ApplicationDataMode::SkipUntilClientHello { limit }),
    ];
    let change = select(vec![ChangeCipherSpecMode::Drop, ChangeCipherSpecMode::Deliver]);
    (data, change, any::<bool>()).prop_map(|(application_data, change_cipher_spec, plaintext_alert)| Mode {
        change_cipher_spec,
        application_data,
        plaintext_alert,
        max_message: 1000,
    })
}

/// Bytes that often look like records.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let header =
        (18..26_u8, select(vec![0, 1, 2, 3, 16, 17, 18, 200, 0x4000, 0x4001, 0x4100, 0x4101, 0xffff_u16]));
    let record = (header, vec(any::<u8>(), 0..250)).prop_map(|((kind, length), body)| {
        let mut bytes = vec![kind, 3, 3];
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend(body);
        bytes
    });
    prop_oneof![vec(any::<u8>(), 0..300), record]
}

/// What must hold of any result.
fn check(opened: &Opened, before: &[u8], after: &[u8]) {
    if opened.consumed == 0 {
        assert!(opened.record.is_none() && opened.content_type.is_none());
        assert!(opened.needed > before.len() || opened.needed == 5);
        assert_eq!(before, after, "bytes were touched that were not consumed");
        return;
    }
    assert!(opened.consumed <= before.len() && opened.consumed >= 5);
    assert_eq!(opened.consumed, 5 + usize::from(u16::from_be_bytes([before[3], before[4]])));
    assert_eq!(before[opened.consumed..], after[opened.consumed..], "bytes behind the record were touched");
    if let Some(Record::Handshake(range) | Record::ApplicationData(range)) = &opened.record {
        assert!(range.start >= 5 && range.start < range.end && range.end <= opened.consumed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics_and_is_never_accepted_as_protected(
        keyed: bool,
        mode in mode(),
        limit: u16,
        inputs in vec(noise(), 1..6),
    ) {
        let mut reader = Reader::new();
        reader.set_record_size_limit(limit);
        reader.set_mode(mode);
        if keyed {
            reader.install(read_key(0, 7));
        }
        for input in inputs {
            let mut bytes = input.clone();
            let Ok(opened) = reader.open(&mut bytes) else { break };
            check(&opened, &input, &bytes);
            if keyed {
                // Only what may come in the clear; the key has opened nothing.
                prop_assert!(matches!(
                    opened.record,
                    None | Some(Record::Alert(_) | Record::ChangeCipherSpec)
                ));
                prop_assert_eq!(reader.key().unwrap().sequence(), 0);
            } else {
                prop_assert!(!matches!(opened.record, Some(Record::ApplicationData(_))));
            }
        }
    }

    #[test]
    fn a_mutated_record_is_refused_or_waited_for(
        len in 1..300_usize,
        kind in select(vec![ContentType::ApplicationData, ContentType::Handshake]),
        mutations in vec((any::<Index>(), 1..=255_u8), 1..4),
        truncate in proptest::option::of(any::<Index>()),
        out_of_place: bool,
    ) {
        let (mut writer, mut reader) = pair(0);
        let good = seal(&mut writer, kind, &vec![0x42; len]);
        let mut bad = good.clone();
        for (at, flip) in mutations {
            let at = at.index(bad.len());
            bad[at] ^= flip;
        }
        if let Some(at) = truncate {
            bad.truncate(at.index(bad.len()));
        }
        if bad == good {
            return Ok(());
        }
        let before = bad.clone();
        let mut out = [0; 400];
        let result = if out_of_place { reader.open_into(&bad, &mut out) } else { reader.open(&mut bad) };
        match result {
            // Cut short, or its length grew; or the whole became a ChangeCipherSpec, which is dropped.
            Ok(opened) if !out_of_place => {
                check(&opened, &before, &bad);
                prop_assert!(opened.record.is_none());
            }
            Ok(opened) => prop_assert!(opened.record.is_none()),
            Err(RecordError::Internal(_) | RecordError::KeyExhausted) => panic!("no peer can do that"),
            Err(error) => prop_assert!([10, 20, 22, 50, 70, 80].contains(&error.alert())),
        }
        prop_assert_eq!(reader.key().unwrap().sequence(), 0);
    }

    #[test]
    fn fragments_of_noise_never_panic_and_never_make_more_bytes_than_came(
        fragments in vec(vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..300), 0..10),
        max_message in 0..2000_u32,
        hold: bool,
    ) {
        let mut reassembly = Reassembly::new();
        let (mut came, mut went) = (0, 0);
        'records: for fragment in &fragments {
            came += fragment.len();
            let (mut fragment, mut cursor) = (&fragment[..], 0);
            loop {
                match reassembly.next(fragment, &mut cursor, max_message) {
                    Ok(Some(message)) => {
                        prop_assert!(message.bytes.len() as u32 <= max_message + 4);
                        went += message.bytes.len();
                    }
                    Ok(None) => break,
                    Err(error) => {
                        prop_assert_eq!(error.alert(), 47);
                        break 'records;
                    }
                }
                prop_assert!(cursor <= fragment.len());
                if hold {
                    reassembly.hold(&fragment[cursor..]).unwrap();
                    (fragment, cursor) = (&[], 0);
                }
            }
            prop_assert!(went <= came);
            prop_assert_eq!(reassembly.is_empty(), went == came);
            prop_assert!(!reassembly.has_whole());
        }
    }
}
