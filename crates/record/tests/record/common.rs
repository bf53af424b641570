//! What the tests share: keys of fixed secrets, and records that no honest writer makes.

use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, Iv, Nonces, SealingKey, TAG_LEN};
use oxtls_crypto::{Hash, Secret};
use oxtls_record::{
    ApplicationDataMode, ContentType, Mode, Opened, ReadKey, Reader, Record, RecordError, WriteKey, Writer,
};

pub(crate) const SUITES: [(AeadAlgorithm, Hash); 3] = [
    (AeadAlgorithm::Aes128Gcm, Hash::Sha256),
    (AeadAlgorithm::Aes256Gcm, Hash::Sha384),
    (AeadAlgorithm::ChaCha20Poly1305, Hash::Sha256),
];

pub(crate) const ACCEPT: Mode = Mode {
    change_cipher_spec: oxtls_record::ChangeCipherSpecMode::Drop,
    application_data: ApplicationDataMode::Accept,
    plaintext_alert: false,
    max_message: 1 << 16,
};

pub(crate) fn secret(hash: Hash, seed: u8) -> Secret {
    Secret::new(&vec![seed; hash.output_len()]).unwrap()
}

pub(crate) fn write_key(suite: usize, seed: u8) -> WriteKey {
    let (algorithm, hash) = SUITES[suite];
    WriteKey::tls13(algorithm, hash, secret(hash, seed)).unwrap()
}

pub(crate) fn read_key(suite: usize, seed: u8) -> ReadKey {
    let (algorithm, hash) = SUITES[suite];
    ReadKey::tls13(algorithm, hash, secret(hash, seed)).unwrap()
}

/// A writer and the reader that understands it, which accepts application data.
pub(crate) fn pair(suite: usize) -> (Writer, Reader) {
    let mut writer = Writer::new();
    writer.install(write_key(suite, 7));
    let mut reader = Reader::new();
    reader.install(read_key(suite, 7));
    reader.set_mode(ACCEPT);
    (writer, reader)
}

/// All of `plaintext` in records, through a window that holds them all.
pub(crate) fn seal(writer: &mut Writer, content_type: ContentType, plaintext: &[u8]) -> Vec<u8> {
    let mut out = vec![0xa5; writer.sealed_len(content_type, plaintext.len())];
    let sealed = writer.seal(content_type, plaintext, &mut out).unwrap();
    assert_eq!((sealed.taken, sealed.written), (plaintext.len(), out.len()));
    out
}

/// A record in the clear, as it came, whatever is wrong with it.
pub(crate) fn raw(content_type: u8, content: &[u8]) -> Vec<u8> {
    let mut record = vec![content_type, 3, 3];
    record.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
    record.extend_from_slice(content);
    record
}

/// Seals inner plaintexts that an honest writer never makes, under the key of [`pair`].
pub(crate) struct Forger(SealingKey);

impl Forger {
    pub(crate) fn new(suite: usize) -> Self {
        let (algorithm, hash) = SUITES[suite];
        let secret = secret(hash, 7);
        let key = AeadKey::expand_label(algorithm, hash, &secret, "key").unwrap();
        let iv = Iv::expand_label(hash, &secret, "iv").unwrap();
        Self(SealingKey::new(algorithm, &key, Nonces::Xor(iv)).unwrap())
    }

    pub(crate) fn seal(&mut self, inner: &[u8]) -> Vec<u8> {
        let mut record = raw(23, &vec![0; inner.len() + TAG_LEN]);
        let (header, body) = record.split_at_mut(5);
        let (ciphertext, tag) = body.split_at_mut(inner.len());
        self.0.seal_scatter(header, inner, ciphertext, &[], tag).unwrap();
        record
    }
}

/// Opens one record that must be whole, and returns what it holds.
pub(crate) fn open_one(reader: &mut Reader, record: &[u8]) -> Result<Opened, RecordError> {
    let mut input = record.to_vec();
    let opened = reader.open(&mut input)?;
    assert_eq!(opened.consumed, record.len());
    assert_eq!(opened.needed, 0);
    Ok(opened)
}

/// Opens all records in `input` and returns their application data.
pub(crate) fn open_all(reader: &mut Reader, input: &mut [u8]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut at = 0;
    while at < input.len() {
        let opened = reader.open(&mut input[at..]).unwrap();
        match opened.record {
            Some(Record::ApplicationData(range)) => {
                data.extend_from_slice(&input[at + range.start..at + range.end]);
            }
            other => panic!("no application data: {other:?}"),
        }
        at += opened.consumed;
    }
    data
}
