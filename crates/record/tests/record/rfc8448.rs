//! RFC 8448: every record of the simple and the resumed handshake, sealed and opened byte for byte.

use std::collections::HashMap;

use oxtls_crypto::{Hash, Secret, aead::AeadAlgorithm};
use oxtls_record::{
    ApplicationDataMode, ContentType, Mode, Opened, ReadKey, Reader, Record, WriteKey, Writer,
};

use crate::common::ACCEPT;

type Secrets = HashMap<String, Secret>;

struct Sent {
    by: String,
    content_type: ContentType,
    payload: Vec<u8>,
    record: Vec<u8>,
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn trace(name: &str) -> (Secrets, Vec<Sent>) {
    let mut secrets = Secrets::new();
    let mut sent: Vec<Sent> = Vec::new();
    for line in include_str!("rfc8448.txt").lines().filter(|line| line.starts_with(name)) {
        let [_, what, value] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let value = hex(value);
        if what.ends_with("_traffic") {
            secrets.insert(what.into(), Secret::new(&value).unwrap());
        } else if what.ends_with("_record") {
            sent.last_mut().unwrap().record = value;
        } else {
            let (by, kind) = what.split_once('_').unwrap();
            let content_type = match kind {
                "handshake_payload" => ContentType::Handshake,
                "application_data_payload" => ContentType::ApplicationData,
                "alert_payload" => ContentType::Alert,
                _ => panic!("{kind}"),
            };
            sent.push(Sent { by: by.into(), content_type, payload: value, record: Vec::new() });
        }
    }
    (secrets, sent)
}

fn write_key(secrets: &Secrets, name: &str) -> WriteKey {
    WriteKey::tls13(AeadAlgorithm::Aes128Gcm, Hash::Sha256, secrets[name].duplicate()).unwrap()
}

fn read_key(secrets: &Secrets, name: &str) -> ReadKey {
    ReadKey::tls13(AeadAlgorithm::Aes128Gcm, Hash::Sha256, secrets[name].duplicate()).unwrap()
}

/// Seals and opens what one side sends. `keys` names the key to install before the record of that index.
fn replay(name: &str, side: &str, keys: &[(usize, &str)]) {
    let (secrets, sent) = trace(name);
    let (mut writer, mut reader) = (Writer::new(), Reader::new());
    reader.set_mode(ACCEPT);
    for (index, sent) in sent.iter().filter(|sent| sent.by == side).enumerate() {
        if let Some((_, key)) = keys.iter().find(|(at, _)| *at == index) {
            writer.install(write_key(&secrets, key));
            reader.install(read_key(&secrets, key));
        }
        // Only the first ClientHello of a trace bears 0x0301.
        writer.set_plaintext_version(if side == "client" { 0x0301 } else { 0x0303 });

        let mut out = vec![0; sent.record.len()];
        assert_eq!(writer.sealed_len(sent.content_type, sent.payload.len()), out.len());
        let sealed = writer.seal(sent.content_type, &sent.payload, &mut out).unwrap();
        assert_eq!((sealed.taken, sealed.written), (sent.payload.len(), out.len()));
        assert_eq!(out, sent.record, "{name} {side} {index}");

        let Opened { consumed, record, .. } = reader.open(&mut out).unwrap();
        assert_eq!(consumed, out.len());
        match record.unwrap() {
            Record::Handshake(range) | Record::ApplicationData(range) => {
                assert_eq!(out[range], sent.payload);
            }
            Record::Alert(alert) => assert_eq!(alert.encode()[..], sent.payload),
            Record::ChangeCipherSpec => panic!("the traces have none"),
        }
    }
}

#[test]
fn the_simple_handshakes_client_records_match() {
    replay("simple", "client", &[(1, "c_hs_traffic"), (2, "c_ap_traffic")]);
}

#[test]
fn the_simple_handshakes_server_records_match() {
    replay("simple", "server", &[(1, "s_hs_traffic"), (2, "s_ap_traffic")]);
}

#[test]
fn the_resumed_handshakes_client_records_match() {
    replay("resumed", "client", &[(1, "c_e_traffic"), (3, "c_hs_traffic"), (4, "c_ap_traffic")]);
}

#[test]
fn the_resumed_handshakes_server_records_match() {
    replay("resumed", "server", &[(1, "s_hs_traffic"), (2, "s_ap_traffic")]);
}

#[test]
fn the_resumed_handshakes_early_data_is_skipped_by_a_server_that_rejected_it() {
    let (secrets, sent) = trace("resumed");
    let client: Vec<_> = sent.iter().filter(|sent| sent.by == "client").collect();
    let mut reader = Reader::new();
    reader.install(read_key(&secrets, "c_hs_traffic"));
    reader.set_mode(Mode {
        application_data: ApplicationDataMode::SkipUndecryptable { limit: 16_384 },
        ..Mode::default()
    });
    // Early data, EndOfEarlyData (which such a client would not send), then Finished, which opens.
    for skipped in &client[1..3] {
        assert_eq!(reader.open(&mut skipped.record.clone()).unwrap().record, None);
    }
    let mut finished = client[3].record.clone();
    assert_eq!(reader.open(&mut finished).unwrap().record, Some(Record::Handshake(5..41)));
    assert_eq!(finished[5..41], client[3].payload);
}
