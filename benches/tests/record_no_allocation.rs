//! In the steady state the record layer allocates nothing.

use oxtls_benches::allocations::{Counting, count};
use oxtls_crypto::aead::AeadAlgorithm;
use oxtls_crypto::{Hash, Secret};
use oxtls_record::{
    ApplicationDataMode, ContentType, Mode, Padding, ReadKey, Reader, Reassembly, Record, WriteKey, Writer,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZES: [usize; 6] = [1, 100, 1024, 5000, 1 << 14, 40_000];
const RECORDS: usize = 10_000;

fn pair(algorithm: AeadAlgorithm) -> (Writer, Reader) {
    let secret = || Secret::new(&[9; 32]).unwrap();
    let mut writer = Writer::new();
    writer.install(WriteKey::tls13(algorithm, Hash::Sha256, secret()).unwrap());
    let mut reader = Reader::new();
    reader.install(ReadKey::tls13(algorithm, Hash::Sha256, secret()).unwrap());
    reader.set_mode(Mode { application_data: ApplicationDataMode::Accept, ..Mode::default() });
    (writer, reader)
}

/// Seals `plaintext` and opens every record of it, half of them in place and half out of place; counts the records.
fn exchange(
    (writer, reader): (&mut Writer, &mut Reader),
    plaintext: &[u8],
    (wire, out): (&mut [u8], &mut [u8]),
) -> usize {
    let sealed = writer.seal(ContentType::ApplicationData, plaintext, wire).unwrap();
    assert_eq!(sealed.taken, plaintext.len());
    let (mut input, mut opened, mut records) = (&mut wire[..sealed.written], 0, 0);
    while !input.is_empty() {
        let result = if records % 2 == 0 { reader.open(input) } else { reader.open_into(input, out) };
        let result = result.unwrap();
        let Some(Record::ApplicationData(range)) = result.record else { panic!("{result:?}") };
        opened += range.len();
        records += 1;
        input = &mut input[result.consumed..];
    }
    assert_eq!(opened, plaintext.len());
    records
}

#[test]
fn the_allocator_counts() {
    let before = count();
    drop(std::hint::black_box(vec![1_u8; 100]));
    assert_eq!(count(), before + 1);
}

#[test]
fn sealing_and_opening_allocate_nothing() {
    let plaintext = vec![0x5a; 40_000];
    let (mut wire, mut out) = (vec![0; 50_000], vec![0; 17_000]);
    for algorithm in [AeadAlgorithm::Aes128Gcm, AeadAlgorithm::Aes256Gcm, AeadAlgorithm::ChaCha20Poly1305] {
        let (mut writer, mut reader) = pair(algorithm);
        for padding in [Padding::None, Padding::Custom(|content| content % 700)] {
            writer.set_padding(padding);
            let mut sizes = SIZES.iter().cycle();
            exchange((&mut writer, &mut reader), &plaintext[..1], (&mut wire, &mut out));
            let (before, mut records) = (count(), 0);
            while records < RECORDS / 2 {
                let &size = sizes.next().unwrap();
                records += exchange((&mut writer, &mut reader), &plaintext[..size], (&mut wire, &mut out));
            }
            assert_eq!(count() - before, 0, "{algorithm} allocated over {records} records");
        }
    }
}

#[test]
fn handshake_messages_within_one_record_allocate_nothing() {
    let (mut writer, mut reader) = pair(AeadAlgorithm::Aes128Gcm);
    let mut reassembly = Reassembly::new();
    let mut wire = [0; 200];
    let before = count();
    for _ in 0..1000 {
        let written =
            writer.seal_whole(ContentType::Handshake, &[4, 0, 0, 1, 7, 4, 0, 0, 0], &mut wire).unwrap();
        let record = reader.open(&mut wire[..written]).unwrap().record;
        let Some(Record::Handshake(range)) = record else { panic!("{record:?}") };
        let (fragment, mut cursor, mut messages) = (&wire[range], 0, 0);
        while reassembly.next(fragment, &mut cursor, 100).unwrap().is_some() {
            messages += 1;
        }
        assert_eq!(messages, 2);
    }
    assert_eq!(count() - before, 0);
}
