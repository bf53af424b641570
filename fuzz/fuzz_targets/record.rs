//! Records in the clear, read in every mode and put together to messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxtls_record::{ApplicationDataMode, ChangeCipherSpecMode, Mode, Reader, Reassembly, Record};

fuzz_target!(|input: &[u8]| {
    let Some((&[how, limit], input)) = input.split_first_chunk() else { return };
    let limit = u32::from(limit);
    let application_data = match how % 5 {
        0 => ApplicationDataMode::Refuse,
        1 => ApplicationDataMode::Accept,
        2 => ApplicationDataMode::Early { limit },
        3 => ApplicationDataMode::SkipUndecryptable { limit },
        _ => ApplicationDataMode::SkipUntilClientHello { limit },
    };
    let change_cipher_spec =
        if how & 0x80 == 0 { ChangeCipherSpecMode::Drop } else { ChangeCipherSpecMode::Deliver };
    let max_message = limit * 64;
    let mode = Mode { change_cipher_spec, application_data, plaintext_alert: how & 0x40 != 0, max_message };
    let mut reader = Reader::new();
    reader.set_mode(mode);
    let mut reassembly = Reassembly::new();
    let mut input = input.to_vec();
    loop {
        let mut copied = vec![0; input.len()];
        let Ok(opened) = reader.open(&mut input) else { return };
        assert!(opened.consumed <= input.len());
        if opened.consumed == 0 {
            assert!(opened.needed > input.len());
            return;
        }
        if reassembly.check_interleaving(&opened).is_err() {
            return;
        }
        if let Some(Record::Handshake(range)) = &opened.record {
            copied[range.clone()].copy_from_slice(&input[range.clone()]);
            let (fragment, mut cursor) = (&copied[range.clone()], 0);
            while let Ok(Some(message)) = reassembly.next(fragment, &mut cursor, max_message) {
                assert!(message.bytes.len() >= 4);
            }
        }
        if let Some(Record::ApplicationData(range)) = &opened.record {
            assert!(!range.is_empty() && range.end <= input.len());
        }
        input.drain(..opened.consumed);
    }
});
