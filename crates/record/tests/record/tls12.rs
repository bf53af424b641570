//! TLS 1.2's protection (RFC 5246 section 6.2.3.3, RFC 5288, RFC 7905).

use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv};
use oxtls_record::{
    Alert, ApplicationDataMode, ChangeCipherSpecMode, ContentType, Mode, Padding, ReadKey, Reader, Record,
    RecordError, WriteKey, Writer,
};
use proptest::prelude::*;

const ALGORITHMS: [(AeadAlgorithm, usize); 3] =
    [(AeadAlgorithm::Aes128Gcm, 29), (AeadAlgorithm::Aes256Gcm, 29), (AeadAlgorithm::ChaCha20Poly1305, 21)];

fn pair(algorithm: AeadAlgorithm) -> (Writer, Reader) {
    let key = AeadKey::new(algorithm, &vec![7; algorithm.key_len()]).unwrap();
    let iv = FixedIv::new(algorithm, &vec![9; algorithm.tls12_fixed_iv_len()]).unwrap();
    let (mut writer, mut reader) = (Writer::new(), Reader::new());
    writer.install(WriteKey::tls12(algorithm, &key, &iv).unwrap());
    reader.install(ReadKey::tls12(algorithm, &key, &iv).unwrap());
    reader.set_mode(Mode {
        change_cipher_spec: ChangeCipherSpecMode::Deliver,
        application_data: ApplicationDataMode::Accept,
        ..Mode::default()
    });
    (writer, reader)
}

fn seal(writer: &mut Writer, content_type: ContentType, content: &[u8]) -> Vec<u8> {
    let mut out = vec![0; writer.sealed_len(content_type, content.len())];
    let sealed = writer.seal(content_type, content, &mut out).unwrap();
    assert_eq!((sealed.taken, sealed.written), (content.len(), out.len()), "sealed_len is exact");
    out
}

#[test]
fn every_type_of_record_shows_its_type_and_comes_back() {
    for (algorithm, overhead) in ALGORITHMS {
        let (mut writer, mut reader) = pair(algorithm);
        for (content_type, content) in [
            (ContentType::Handshake, &[20, 0, 0, 0][..]),
            (ContentType::ApplicationData, b"hello"),
            (ContentType::Alert, &[1, 0]),
        ] {
            let mut wire = seal(&mut writer, content_type, content);
            assert_eq!(wire[0], content_type.to_byte());
            assert_eq!(wire.len(), content.len() + overhead);
            let opened = reader.open(&mut wire).unwrap();
            assert_eq!(opened.consumed, wire.len());
            match opened.record.unwrap() {
                Record::Handshake(range) | Record::ApplicationData(range) => {
                    assert_eq!(&wire[range], content)
                }
                Record::Alert(alert) => assert_eq!(alert, Alert { level: 1, description: 0 }),
                Record::ChangeCipherSpec => panic!("nobody sent one"),
            }
        }
    }
}

#[test]
fn gcm_sends_its_sequence_number_as_nonce() {
    let (mut writer, _) = pair(AeadAlgorithm::Aes128Gcm);
    for sequence in 0..3u64 {
        let wire = seal(&mut writer, ContentType::ApplicationData, b"x");
        assert_eq!(wire[5..13], sequence.to_be_bytes());
    }
}

#[test]
fn type_length_order_and_bytes_are_authenticated() {
    for (algorithm, _) in ALGORITHMS {
        for position in 0..40 {
            let (mut writer, mut reader) = pair(algorithm);
            let mut wire = seal(&mut writer, ContentType::ApplicationData, b"0123456789");
            if position >= wire.len() || (1..5).contains(&position) {
                continue;
            }
            wire[position] ^= 1;
            let error = reader.open(&mut wire).unwrap_err();
            assert!(matches!(error, RecordError::DecryptFailed), "byte {position}: {error}");
        }
        let (mut writer, mut reader) = pair(algorithm);
        let _first = seal(&mut writer, ContentType::ApplicationData, b"first");
        let mut second = seal(&mut writer, ContentType::ApplicationData, b"second");
        assert_eq!(reader.open(&mut second).unwrap_err(), RecordError::DecryptFailed);
    }
}

#[test]
fn a_record_too_short_for_nonce_and_tag_is_refused() {
    for (algorithm, overhead) in ALGORITHMS {
        for len in 0..overhead - 5 {
            let (_, mut reader) = pair(algorithm);
            let mut wire = vec![23, 3, 3, 0, u8::try_from(len).unwrap()];
            wire.resize(5 + len, 0);
            assert_eq!(reader.open(&mut wire).unwrap_err(), RecordError::DecryptFailed);
        }
    }
}

#[test]
fn full_records_and_limits_count_content_alone() {
    let (mut writer, mut reader) = pair(AeadAlgorithm::Aes256Gcm);
    let content = vec![5; 16_384];
    let mut wire = seal(&mut writer, ContentType::ApplicationData, &content);
    assert_eq!(wire.len(), 16_384 + 29);
    assert!(
        matches!(reader.open(&mut wire).unwrap().record, Some(Record::ApplicationData(range)) if range.len() == 16_384)
    );
    writer.set_record_size_limit(100);
    assert_eq!(seal(&mut writer, ContentType::ApplicationData, &[1; 200]).len(), 2 * 129);
}

#[test]
fn there_is_no_padding_and_no_key_update() {
    let (mut writer, mut reader) = pair(AeadAlgorithm::Aes128Gcm);
    writer.set_padding(Padding::ToMaximum);
    assert_eq!(seal(&mut writer, ContentType::ApplicationData, b"x").len(), 30);
    assert!(writer.update_key().is_err());
    assert!(reader.update_key().is_err());
    assert!(writer.key().unwrap().secret().is_none());
}

#[test]
fn a_change_cipher_spec_stays_in_the_clear_and_is_delivered() {
    let (mut writer, mut reader) = pair(AeadAlgorithm::Aes128Gcm);
    let mut wire = seal(&mut writer, ContentType::ChangeCipherSpec, &[1]);
    assert_eq!(wire, [20, 3, 3, 0, 1, 1]);
    assert_eq!(reader.open(&mut wire).unwrap().record, Some(Record::ChangeCipherSpec));
}

#[test]
fn plaintext_under_protection_does_not_open() {
    let (_, mut reader) = pair(AeadAlgorithm::Aes128Gcm);
    let mut alert = [21, 3, 3, 0, 2, 2, 40];
    assert_eq!(reader.open(&mut alert).unwrap_err(), RecordError::DecryptFailed);
}

proptest! {
    #[test]
    fn content_comes_back_in_place_and_elsewhere(
        content in prop::collection::vec(any::<u8>(), 1..40_000),
        which in 0usize..3,
    ) {
        let (mut writer, mut reader) = pair(ALGORITHMS[which].0);
        let mut wire = seal(&mut writer, ContentType::ApplicationData, &content);
        let (mut position, mut received, mut turn) = (0, Vec::new(), false);
        let mut out = vec![0; 17_000];
        while position < wire.len() {
            turn = !turn;
            let opened = if turn {
                reader.open_into(&wire[position..], &mut out).unwrap()
            } else {
                reader.open(&mut wire[position..]).unwrap()
            };
            let Some(Record::ApplicationData(range)) = opened.record else { panic!("not data") };
            received.extend_from_slice(if turn { &out[range] } else { &wire[position..][range] });
            position += opened.consumed;
        }
        prop_assert_eq!(received, content);
    }
}
