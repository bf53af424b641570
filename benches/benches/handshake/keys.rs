//! Signatures without a message around them, by kind of key.

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
