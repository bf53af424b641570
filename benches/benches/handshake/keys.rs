//! Signatures without a message around them, by kind of key.

use std::cell::Cell;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_test_pki::Issued;

/// One key, for certificates and for handshakes alike.
pub(crate) enum Key {
    Ecdsa(EcdsaKeyPair, &'static dyn VerificationAlgorithm),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    pub(crate) fn new(issued: &Issued) -> Self {
        let der = issued.key_der();
        let der = der.secret_der();
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).unwrap();
        match issued.key.key_algorithm() {
            KeyAlgorithm::Rsa => Self::Rsa(RsaKeyPair::from_pkcs8(der).unwrap()),
            KeyAlgorithm::EcdsaP256 => {
                Self::Ecdsa(ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING), &ECDSA_P256_SHA256_ASN1)
            }
            KeyAlgorithm::EcdsaP384 => {
                Self::Ecdsa(ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING), &ECDSA_P384_SHA384_ASN1)
            }
            KeyAlgorithm::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).unwrap()),
            other => panic!("no limit is known for {other:?}"),
        }
    }

    /// As a handshake is signed: RSA by PSS.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_by(&RSA_PSS_SHA256, message)
    }

    /// As certificates are signed: RSA by PKCS#1.
    pub(crate) fn sign_certificate(&self, message: &[u8]) -> Vec<u8> {
        self.sign_by(&RSA_PKCS1_SHA256, message)
    }

    fn sign_by(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(key, _) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) {
        self.verify_by(&RSA_PSS_2048_8192_SHA256, message, signature);
    }

    pub(crate) fn verify_certificate(&self, message: &[u8], signature: &[u8]) {
        self.verify_by(&RSA_PKCS1_2048_8192_SHA256, message, signature);
    }

    fn verify_by(&self, rsa: &'static dyn VerificationAlgorithm, message: &[u8], signature: &[u8]) {
        let (algorithm, key): (&'static dyn VerificationAlgorithm, &[u8]) = match self {
            Self::Ecdsa(key, algorithm) => (*algorithm, key.public_key().as_ref()),
            Self::Ed25519(key) => (&ED25519, key.public_key().as_ref()),
            Self::Rsa(key) => (rsa, key.public_key().as_ref()),
        };
        UnparsedPublicKey::new(algorithm, key).verify(message, signature).unwrap();
    }
}

/// Signatures to verify, as a client meets them: those of a chain are the same each time, that of a handshake never is.
/// ECDSA is verified in time that depends on the signature, and a processor foresees what it has seen often: one
/// signature again and again costs up to a tenth less than a new one.
pub(crate) struct Signatures {
    chain: [(Vec<u8>, Vec<u8>); 2],
    handshakes: Vec<([u8; 130], Vec<u8>)>,
    next: Cell<usize>,
}

impl Signatures {
    /// More than a processor remembers.
    const HANDSHAKES: u16 = 256;

    /// By `key`, of these certificates' bytes.
    pub(crate) fn new(key: &Key, certificates: [&[u8]; 2]) -> Self {
        let chain = certificates.map(|tbs| (tbs.to_vec(), key.sign_certificate(tbs)));
        let handshake = |number: u16| {
            let mut content = [0; 130];
            content[..2].copy_from_slice(&number.to_be_bytes());
            (content, key.sign(&content))
        };
        Self { chain, handshakes: (0..Self::HANDSHAKES).map(handshake).collect(), next: Cell::new(0) }
    }

    /// One of the right length.
    pub(crate) fn of_a_handshake(&self) -> &[u8] {
        &self.handshakes[0].1
    }

    /// Verifies a chain of two and another handshake's signature than the last time.
    pub(crate) fn verify(&self, key: &Key) {
        for (tbs, signature) in &self.chain {
            key.verify_certificate(tbs, signature);
        }
        let next = self.next.get();
        self.next.set((next + 1) % self.handshakes.len());
        let (content, signature) = &self.handshakes[next];
        key.verify(content, signature);
    }
}
