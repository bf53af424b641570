//! What a TLS 1.2 handshake can't do without: the random of its hello, its key exchange, signature and verifications where
//! it is a full one, the transcript once, the derivations of RFC 5246 sections 6.3, 7.4.9 and 8.1 and RFC 7627, two record
//! keys, and a ticket opened where a session is resumed by one. Nothing is parsed, made, copied or looked up.

use std::hint::black_box;

use oxtls_crypto::Hash;
use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, Iv, Nonces, OpeningKey, SealingKey, TAG_LEN};
use oxtls_crypto::hash::HashContext;
use oxtls_crypto::key_exchange::{self, KeyExchange, NamedGroup};
use oxtls_crypto::prf::prf;
use oxtls_test_pki::{Ca, Issued};

use crate::limit::draw;
use crate::limit::keys::{Key, Signatures};

const HASH: Hash = Hash::Sha256;
const AEAD: AeadAlgorithm = AeadAlgorithm::Aes128Gcm;
/// What a client's hello and a server's come to, and a ticket that a client brings.
const HELLO: usize = 200;
const SERVER_HELLO: usize = 90;
const TICKET: usize = 180;

pub(crate) struct Tls12 {
    resumed: bool,
    key: Key,
    share: Vec<u8>,
    certificate: Vec<u8>,
    signatures: Signatures,
}

impl Tls12 {
    /// P-256 certificates and X25519: the only case of TLS 1.2.
    pub(crate) fn new(resumed: bool, root: &Ca, server: &Issued) -> Self {
        let key = Key::new(server);
        Self {
            resumed,
            signatures: Signatures::new(&key, [root.certificate(), &server.chain[0]]),
            key,
            share: KeyExchange::offer(NamedGroup::X25519).unwrap().share().to_vec(),
            certificate: server.chain.iter().flat_map(|der| der.iter().copied()).collect(),
        }
    }

    pub(crate) fn server(&self) {
        let seed = draw();
        if self.resumed {
            let mut ticket = SealingKey::new(AEAD, &AeadKey::new(AEAD, &[7; 16]).unwrap(), nonces()).unwrap();
            open(&mut ticket);
            return self.symmetric(None);
        }
        let secret = key_exchange::answer_seeded(NamedGroup::X25519, &self.share, seed).unwrap().secret;
        black_box(self.key.sign(&[0; 32 + 32 + 36]));
        self.symmetric(Some(secret.as_bytes()));
    }

    pub(crate) fn client(&self) {
        let seed = draw();
        if self.resumed {
            return self.symmetric(None);
        }
        let offer = KeyExchange::offer_seeded(NamedGroup::X25519, seed).unwrap();
        let secret = offer.finish(&self.share).unwrap();
        self.signatures.verify(&self.key);
        self.symmetric(Some(secret.as_bytes()));
    }

    /// What is the same on both sides; with a fresh secret, or with the master secret of a session.
    fn symmetric(&self, fresh: Option<&[u8]>) {
        let mut transcript = HashContext::new(HASH);
        transcript.update(&[0; HELLO + SERVER_HELLO]);
        let mut master = [1; 48];
        if let Some(secret) = fresh {
            transcript.update(&self.certificate);
            transcript.update(self.signatures.of_a_handshake());
            transcript.update(&[0; 40 + 4 + 37]);
            let session = transcript.current();
            prf(HASH, secret, "extended master secret", &[session.as_bytes()], &mut master);
        } else {
            transcript.update(&[0; TICKET]);
        }
        // Two keys of 16 bytes, two fixed parts of nonces of 4.
        let mut keys = [0; 2 * (16 + 4)];
        prf(HASH, &master, "key expansion", &[&[0; 64]], &mut keys);
        let (first, second) = keys.split_at(16);
        let key = |bytes: &[u8]| AeadKey::new(AEAD, bytes).unwrap();
        let mut seal = SealingKey::new(AEAD, &key(first), nonces()).unwrap();
        let mut open_key = OpeningKey::new(AEAD, &key(&second[..16]), nonces()).unwrap();
        for label in ["client finished", "server finished"] {
            let mut verify = [0; 12];
            prf(HASH, &master, label, &[transcript.current().as_bytes()], &mut verify);
            transcript.update(&verify);
        }
        let (mut out, mut tail) = ([0; 16], [0; TAG_LEN]);
        seal.seal_scatter(&[0; 13], &[0; 16], &mut out, &[], &mut tail).unwrap();
        let _ = black_box(open_key.open_separate(&[0; 13], &out, &tail, &mut [0; 16]));
    }
}

fn nonces() -> Nonces {
    Nonces::Xor(Iv::new([0; 12]))
}

/// A ticket, sealed as it is opened: the work of an AEAD is the same.
fn open(key: &mut SealingKey) {
    let (mut out, mut tail) = ([0; TICKET], [0; TAG_LEN]);
    key.seal_scatter(&[], &[0; TICKET], &mut out, &[], &mut tail).unwrap();
    black_box(out);
}
