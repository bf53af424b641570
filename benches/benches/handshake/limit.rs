//! The cryptography that a TLS 1.3 handshake can't do without, and nothing else: no message is parsed or made, nothing
//! is looked up, copied or allocated but by the cryptographic library.
//!
//! Per side: the random of its hello and its key exchange, from one draw; its signature; the verification of each
//! of the peer's (chain and CertificateVerify); the transcript hashed once, with a digest at each point that the
//! key schedule or a signature needs; every derivation of RFC 9846 section 7.1 that this kind of handshake uses;
//! four record keys and the records of the handshake. One that resumes has a binder and a ticket in place of
//! signatures, and with early data its key and its two records. HMAC is the cheapest there is here, one-shot
//! digests over blocks laid out by hand (`oxtls_crypto::hmac`).

#[path = "keys.rs"]
pub(crate) mod keys;

use std::cell::RefCell;
use std::hint::black_box;

use keys::{Key, Signatures};
use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, Iv, Nonces, OpeningKey, SealingKey, TAG_LEN};
use oxtls_crypto::hash::{Digest, HashContext};
use oxtls_crypto::hmac::hmac;
use oxtls_crypto::key_exchange::{self, KeyExchange, NamedGroup, Seed};
use oxtls_crypto::{Hash, Secret, hkdf, random};
use oxtls_test_pki::{Ca, Issued};

const HASH: Hash = Hash::Sha256;
const AEAD: AeadAlgorithm = AeadAlgorithm::Aes128Gcm;

/// What kind of handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server shows a certificate.
    Full,
    /// Both do.
    Mutual,
    /// A session is resumed, and one ticket follows.
    Resumed,
    /// The same, with [`EARLY`] bytes of early data.
    Early,
}

/// Early data of a client that has some, bytes.
pub(crate) const EARLY: usize = 1024;

/// The inputs, made once.
pub(crate) struct Limit {
    kind: Kind,
    group: NamedGroup,
    client_share: Vec<u8>,
    key: Key,
    /// As long as a two-certificate chain's parts are.
    certificate: Vec<u8>,
    signatures: Signatures,
    hello: Vec<u8>,
    /// Room for two records, which costs nothing to have.
    room: RefCell<[u8; 2 * MAX_RECORD]>,
}

/// No record of these handshakes is longer.
const MAX_RECORD: usize = 4096;

impl Limit {
    pub(crate) fn new(kind: Kind, group: NamedGroup, root: &Ca, server: &Issued) -> Self {
        let key = Key::new(server);
        let client_share = KeyExchange::offer(group).unwrap().share().to_vec();
        let signatures = Signatures::new(&key, [root.certificate(), &server.chain[0]]);
        let certificate = server.chain.iter().flat_map(|der| der.iter().copied()).collect();
        // A hello of ours without its key share.
        let hello = [vec![0; 220], client_share.clone()].concat();
        let room = RefCell::new([0; 2 * MAX_RECORD]);
        Self { kind, group, client_share, key, certificate, signatures, hello, room }
    }

    pub(crate) fn server(&self) {
        let answer = key_exchange::answer_seeded(self.group, &self.client_share, draw()).unwrap();
        let signed = || black_box(self.key.sign(&[0; 130]));
        match self.kind {
            Kind::Full => self.symmetric(answer.secret.as_bytes(), &answer.share, false, signed),
            Kind::Mutual => {
                self.symmetric(answer.secret.as_bytes(), &answer.share, false, signed);
                self.verify_peer();
            }
            Kind::Resumed | Kind::Early => self.resumed(answer.secret.as_bytes(), &answer.share, false),
        }
    }

    pub(crate) fn client(&self) {
        let offer = KeyExchange::offer_seeded(self.group, draw()).unwrap();
        let share = self.server_share(offer.share());
        let secret = offer.finish(&share).unwrap();
        if matches!(self.kind, Kind::Resumed | Kind::Early) {
            return self.resumed(secret.as_bytes(), &share, true);
        }
        self.symmetric(secret.as_bytes(), &share, true, Vec::new);
        self.verify_peer();
        if self.kind == Kind::Mutual {
            black_box(self.key.sign(&[0; 130]));
        }
    }

    /// An ECDH share of anybody's will do; an ML-KEM ciphertext must be as long as one, and decapsulates to something
    /// at the same cost whatever it holds.
    fn server_share(&self, client: &[u8]) -> Vec<u8> {
        match self.group {
            NamedGroup::X25519_MLKEM768 => {
                let mut share = vec![7; 1088];
                share.extend_from_slice(&client[client.len() - 32..]);
                share
            }
            _ => self.client_share.clone(),
        }
    }

    fn verify_peer(&self) {
        self.signatures.verify(&self.key);
    }

    fn symmetric(&self, shared: &[u8], share: &[u8], opens: bool, sign: impl FnOnce() -> Vec<u8>) {
        let mut transcript = HashContext::new(HASH);
        transcript.update(&self.hello);
        transcript.update(&[0; 90]);
        transcript.update(share);
        let hellos = transcript.current();
        // The early secret of no PSK, and what is derived of it, are constants.
        let handshake = hkdf::extract(HASH, &[1; 32], shared);
        let (client, server) =
            (derive(&handshake, "c hs traffic", &hellos), derive(&handshake, "s hs traffic", &hellos));
        let derived = derive(&handshake, "derived", &HASH.empty_digest());
        let (ours, theirs) = if opens { (&client, &server) } else { (&server, &client) };
        let (mut seal, mut open) = (sealing(ours), opening(theirs));
        transcript.update(&[0; 20]);
        self.protect(&mut seal, &mut open, &[0; 20], opens);
        transcript.update(&self.certificate);
        self.protect(&mut seal, &mut open, &self.certificate, opens);
        black_box(transcript.current());
        let signature = sign();
        transcript.update(&[0; 8]);
        transcript.update(self.signatures.of_a_handshake());
        self.protect(&mut seal, &mut open, self.signatures.of_a_handshake(), opens);
        drop(signature);
        transcript.update(finished(&server, &transcript.current()).as_bytes());
        self.protect(&mut seal, &mut open, &[0; 36], opens);
        let flight = transcript.current();
        let main = hkdf::extract(HASH, derived.as_bytes(), &[0; 32]);
        let (client_data, server_data) =
            (derive(&main, "c ap traffic", &flight), derive(&main, "s ap traffic", &flight));
        black_box(derive(&main, "exp master", &flight));
        if self.kind == Kind::Mutual {
            transcript.update(&self.certificate);
            self.protect(&mut seal, &mut open, &self.certificate, !opens);
            black_box(transcript.current());
            transcript.update(self.signatures.of_a_handshake());
            self.protect(&mut seal, &mut open, self.signatures.of_a_handshake(), !opens);
        }
        black_box(finished(&client, &transcript.current()));
        self.protect(&mut seal, &mut open, &[0; 36], !opens);
        black_box((sealing(&client_data), opening(&server_data)));
    }

    /// The same without certificates, but with a binder, and with a ticket behind it: its PSK, and on the server the key
    /// and the AEAD that it is sealed with, as another was opened.
    fn resumed(&self, shared: &[u8], share: &[u8], opens: bool) {
        let early = hkdf::extract(HASH, &[], &[1; 32]);
        let binder_key = derive(&early, "res binder", &HASH.empty_digest());
        let mut transcript = HashContext::new(HASH);
        // A hello of ours with a ticket of 230 bytes.
        transcript.update(&self.hello);
        transcript.update(&[0; 240]);
        black_box(finished(&binder_key, &transcript.current()));
        transcript.update(&[0; 35]);
        if self.kind == Kind::Early {
            self.early_data(&derive(&early, "c e traffic", &transcript.current()), opens);
        }
        transcript.update(&[0; 90]);
        transcript.update(share);
        let hellos = transcript.current();
        let derived = derive(&early, "derived", &HASH.empty_digest());
        let handshake = hkdf::extract(HASH, derived.as_bytes(), shared);
        let (client, server) =
            (derive(&handshake, "c hs traffic", &hellos), derive(&handshake, "s hs traffic", &hellos));
        let derived = derive(&handshake, "derived", &HASH.empty_digest());
        let (ours, theirs) = if opens { (&client, &server) } else { (&server, &client) };
        let (mut seal, mut open) = (sealing(ours), opening(theirs));
        transcript.update(&[0; 20]);
        transcript.update(finished(&server, &transcript.current()).as_bytes());
        self.protect(&mut seal, &mut open, &[0; 56], opens);
        let flight = transcript.current();
        let main = hkdf::extract(HASH, derived.as_bytes(), &[0; 32]);
        let (client_data, server_data) =
            (derive(&main, "c ap traffic", &flight), derive(&main, "s ap traffic", &flight));
        black_box(derive(&main, "exp master", &flight));
        if self.kind == Kind::Early {
            // EndOfEarlyData.
            transcript.update(&[0; 4]);
        }
        transcript.update(finished(&client, &transcript.current()).as_bytes());
        self.protect(&mut seal, &mut open, &[0; 36], !opens);
        let (ours, theirs) = if opens { (&client_data, &server_data) } else { (&server_data, &client_data) };
        let (mut seal, mut open) = (sealing(ours), opening(theirs));
        let resumption = derive(&main, "res master", &transcript.current());
        let psk = hkdf::expand_label_secret(HASH, &resumption, "resumption", &[0; 4]).unwrap();
        if !opens {
            let mut ticket = sealing(&psk);
            self.protect(&mut ticket, &mut opening(&psk), &[0; 180], false);
            let mut ticket = opening(&psk);
            self.protect(&mut sealing(&psk), &mut ticket, &[0; 180], true);
        }
        self.protect(&mut seal, &mut open, &[0; 250], opens);
    }

    /// The data and EndOfEarlyData, two records of the client's.
    fn early_data(&self, secret: &Secret, is_client: bool) {
        let contents = [&[0; EARLY][..], &[0; 4]];
        if is_client {
            let mut key = sealing(secret);
            contents.iter().for_each(|content| self.seal(&mut key, content));
        } else {
            let mut key = opening(secret);
            contents.iter().for_each(|content| self.open(&mut key, content));
        }
    }

    /// One record, on the side that opens it a failure: the work of an AEAD is the same.
    fn protect(&self, seal: &mut SealingKey, open: &mut OpeningKey, content: &[u8], opens: bool) {
        if opens { self.open(open, content) } else { self.seal(seal, content) }
    }

    fn seal(&self, key: &mut SealingKey, content: &[u8]) {
        let mut room = self.room.borrow_mut();
        let (ciphertext, rest) = room.split_at_mut(content.len());
        key.seal_scatter(&[0; 5], content, ciphertext, &[22], &mut rest[..=TAG_LEN]).unwrap();
    }

    fn open(&self, key: &mut OpeningKey, content: &[u8]) {
        let mut room = self.room.borrow_mut();
        let (record, out) = room.split_at_mut(MAX_RECORD);
        let (ciphertext, tag) = record[..content.len() + TAG_LEN].split_at(content.len());
        let _ = black_box(key.open_separate(&[0; 5], ciphertext, tag, &mut out[..content.len()]));
    }
}

/// The random of a hello, and what an X25519 key is made of: one draw costs the same whatever its size.
pub(crate) fn draw() -> Seed {
    let drawn: [u8; 64] = black_box(random::array().unwrap());
    Seed::new(drawn.last_chunk().unwrap())
}

fn derive(secret: &Secret, label: &str, transcript: &Digest) -> Secret {
    hkdf::derive_secret(HASH, secret, label, transcript).unwrap()
}

fn finished(secret: &Secret, transcript: &Digest) -> Secret {
    let key = hkdf::expand_label_secret(HASH, secret, "finished", &[]).unwrap();
    Secret::new(hmac(HASH, key.as_bytes(), &[transcript.as_bytes()]).as_bytes()).unwrap()
}

fn material(secret: &Secret) -> (AeadKey, Nonces) {
    let key = AeadKey::expand_label(AEAD, HASH, secret, "key").unwrap();
    (key, Nonces::Xor(Iv::expand_label(HASH, secret, "iv").unwrap()))
}

fn sealing(secret: &Secret) -> SealingKey {
    let (key, nonces) = material(secret);
    SealingKey::new(AEAD, &key, nonces).unwrap()
}

fn opening(secret: &Secret) -> OpeningKey {
    let (key, nonces) = material(secret);
    OpeningKey::new(AEAD, &key, nonces).unwrap()
}
