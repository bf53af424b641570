//! Private keys held in this process.

use core::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, AsRawBytes, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self as aws, EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair, RsaEncoding};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::hash::Hash;

use super::der::{self, AlgorithmIdentifier, BIT_STRING, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use super::{KeyAlgorithm, SignatureAlgorithm, SignatureScheme, Signer, oid};

/// A private key in memory, of any algorithm that this crate knows.
///
/// It is loaded by [`SigningKey::from_pem`], [`SigningKey::from_der`] and their neighbours, or made by
/// [`SigningKey::generate`]. The library erases the key's memory when it is dropped.
pub struct SigningKey {
    algorithm: KeyAlgorithm,
    pair: Pair,
    spki: Vec<u8>,
    /// For RSA-PSS: the key's own parameters (a whole element) and the hash that they restrict it to.
    restriction: Option<Restriction>,
}

/// The key pairs of the library.
pub(super) enum Pair {
    Rsa(rsa::KeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair),
}

/// What an RSA-PSS key's parameters say.
#[derive(Debug)]
pub(super) struct Restriction {
    pub(super) hash: Hash,
    pub(super) parameters: Vec<u8>,
}

impl SigningKey {
    /// Makes a fresh key. RSA keys have 2048 bits and take a noticeable time (tenths of a second); RSA-PSS keys
    /// carry no restriction.
    ///
    /// # Errors
    /// [`Error::Internal`] when the library fails.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, Error> {
        let pair = match algorithm {
            KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss => {
                rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map(Pair::Rsa)
            }
            KeyAlgorithm::EcdsaP256 => {
                EcdsaKeyPair::generate(&aws::ECDSA_P256_SHA256_ASN1_SIGNING).map(Pair::Ecdsa)
            }
            KeyAlgorithm::EcdsaP384 => {
                EcdsaKeyPair::generate(&aws::ECDSA_P384_SHA384_ASN1_SIGNING).map(Pair::Ecdsa)
            }
            KeyAlgorithm::EcdsaP521 => {
                EcdsaKeyPair::generate(&aws::ECDSA_P521_SHA512_ASN1_SIGNING).map(Pair::Ecdsa)
            }
            KeyAlgorithm::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
            KeyAlgorithm::MlDsa44 => PqdsaKeyPair::generate(&aws::ML_DSA_44_SIGNING).map(Pair::MlDsa),
            KeyAlgorithm::MlDsa65 => PqdsaKeyPair::generate(&aws::ML_DSA_65_SIGNING).map(Pair::MlDsa),
            KeyAlgorithm::MlDsa87 => PqdsaKeyPair::generate(&aws::ML_DSA_87_SIGNING).map(Pair::MlDsa),
        };
        let pair = pair.map_err(|_| Error::Internal("a signing key could not be generated"))?;
        Self::from_pair(algorithm, pair, None)
    }

    pub(super) fn from_pair(
        algorithm: KeyAlgorithm,
        pair: Pair,
        restriction: Option<Restriction>,
    ) -> Result<Self, Error> {
        let spki = match (&pair, algorithm) {
            (Pair::Rsa(pair), KeyAlgorithm::RsaPss) => {
                let identifier = pss_identifier(restriction.as_ref());
                let key = der::encode(BIT_STRING, &[&[0], pair.public_key().as_ref()]);
                Ok(der::encode(SEQUENCE, &[&identifier, &key]).to_vec())
            }
            (Pair::Rsa(pair), _) => pair.public_key().as_der().map(|der| der.as_ref().to_vec()),
            (Pair::Ecdsa(pair), _) => pair.public_key().as_der().map(|der| der.as_ref().to_vec()),
            (Pair::Ed25519(pair), _) => pair.public_key().as_der().map(|der| der.as_ref().to_vec()),
            (Pair::MlDsa(pair), _) => pair.public_key().as_der().map(|der| der.as_ref().to_vec()),
        };
        let spki = spki.map_err(|_| Error::Internal("a public key could not be encoded"))?;
        Ok(Self { algorithm, pair, spki, restriction })
    }

    /// The kind of the key.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The public key as a DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// What the key can sign with, best first: a restricted RSA-PSS key only with its hash.
    pub fn schemes(&self) -> &'static [SignatureScheme] {
        match self.restriction.as_ref().map(|restriction| restriction.hash) {
            None => self.algorithm.schemes(),
            Some(Hash::Sha256) => &[SignatureScheme::RSA_PSS_PSS_SHA256],
            Some(Hash::Sha384) => &[SignatureScheme::RSA_PSS_PSS_SHA384],
            Some(Hash::Sha512) => &[SignatureScheme::RSA_PSS_PSS_SHA512],
        }
    }

    /// Signs `message` (not its hash) as TLS does.
    ///
    /// # Errors
    /// [`Error::UnsupportedScheme`] for what is not in [`SigningKey::schemes`]; [`Error::SigningFailed`] when the
    /// library fails.
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        if !self.schemes().contains(&scheme) {
            return Err(Error::UnsupportedScheme);
        }
        self.sign_with(scheme.algorithm().ok_or(Error::UnsupportedScheme)?, message)
    }

    /// What this key signs certificates with: PKCS#1 v1.5 with SHA-256 for RSA, for ECDSA the hash of the curve's
    /// size, for RSA-PSS its own hash or else SHA-256.
    pub fn certificate_algorithm(&self) -> SignatureAlgorithm {
        match self.algorithm {
            KeyAlgorithm::Rsa => SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            KeyAlgorithm::RsaPss => {
                let hash = self.restriction.as_ref().map_or(Hash::Sha256, |restriction| restriction.hash);
                SignatureAlgorithm::RsaPss(hash)
            }
            KeyAlgorithm::EcdsaP256 => SignatureAlgorithm::Ecdsa(Hash::Sha256),
            KeyAlgorithm::EcdsaP384 => SignatureAlgorithm::Ecdsa(Hash::Sha384),
            KeyAlgorithm::EcdsaP521 => SignatureAlgorithm::Ecdsa(Hash::Sha512),
            KeyAlgorithm::Ed25519 => SignatureAlgorithm::Ed25519,
            KeyAlgorithm::MlDsa44 => SignatureAlgorithm::MlDsa44,
            KeyAlgorithm::MlDsa65 => SignatureAlgorithm::MlDsa65,
            KeyAlgorithm::MlDsa87 => SignatureAlgorithm::MlDsa87,
        }
    }

    /// The DER AlgorithmIdentifier of [`SigningKey::certificate_algorithm`], for who builds certificates.
    pub fn algorithm_identifier_der(&self) -> &'static [u8] {
        self.certificate_algorithm().identifier_der()
    }

    /// Signs a certificate, CRL or request (the DER of its to-be-signed part) with
    /// [`SigningKey::certificate_algorithm`].
    ///
    /// # Errors
    /// [`Error::SigningFailed`] when the library fails.
    pub fn sign_certificate(&self, to_be_signed: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_with(self.certificate_algorithm(), to_be_signed)
    }

    fn sign_with(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        // The library draws its own randomness whatever it is given (and says so).
        let random = SystemRandom::new();
        let failed = |_| Error::SigningFailed;
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding = rsa_encoding(algorithm).ok_or(Error::UnsupportedScheme)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Pair::Ecdsa(pair) => {
                // Of the digest: hashing at once takes the library no context and no allocation.
                let hash = algorithm.hash().ok_or(Error::UnsupportedScheme)?;
                let digest = digest::digest(hash.algorithm(), message);
                copied(&pair.sign_digest(&digest))
            }
            Pair::Ed25519(pair) => copied(&pair.try_sign(message)),
            Pair::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let len = pair.sign(message, &mut signature).map_err(failed)?;
                signature.truncate(len);
                Ok(signature)
            }
        }
    }

    /// The key as an unencrypted PKCS#8 PrivateKeyInfo (RFC 5208), erased when dropped.
    ///
    /// # Errors
    /// [`Error::Internal`] when the library fails.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let failed = |_| Error::Internal("a private key could not be encoded");
        match &self.pair {
            Pair::Rsa(pair) => {
                let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map_err(failed)?;
                match self.algorithm {
                    KeyAlgorithm::RsaPss => self.rewrap_pss(pkcs8.as_ref()),
                    _ => Ok(erased_copy(pkcs8.as_ref())),
                }
            }
            Pair::Ecdsa(pair) => Ok(erased_copy(pair.to_pkcs8v1().map_err(failed)?.as_ref())),
            Pair::Ed25519(pair) => Ok(erased_copy(pair.to_pkcs8v1().map_err(failed)?.as_ref())),
            Pair::MlDsa(pair) => match pair.to_pkcs8v1() {
                Ok(pkcs8) => Ok(erased_copy(pkcs8.as_ref())),
                // A key that was loaded in its expanded form has no seed, all that the library can write.
                Err(_) => self.expanded_ml_dsa(pair),
            },
        }
    }

    /// Puts an RSA key under the identifier id-RSASSA-PSS.
    fn rewrap_pss(&self, rsa_pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let key = inner_key(rsa_pkcs8).ok_or(Error::Internal("an RSA private key could not be encoded"))?;
        let identifier = pss_identifier(self.restriction.as_ref());
        Ok(private_key_info(&identifier, key))
    }

    /// What [`SigningKey::to_pkcs8_der`] writes when there is no seed.
    #[cfg(test)]
    pub(super) fn expanded_ml_dsa_for_tests(&self) -> Vec<u8> {
        match &self.pair {
            Pair::MlDsa(pair) => self.expanded_ml_dsa(pair).unwrap().to_vec(),
            _ => Vec::new(),
        }
    }

    /// PKCS#8 with the expandedKey form of RFC 9881 section 6.
    fn expanded_ml_dsa(&self, pair: &PqdsaKeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
        let failed = Error::Internal("an ML-DSA private key could not be encoded");
        let key_oid = match self.algorithm {
            KeyAlgorithm::MlDsa44 => oid::ML_DSA_44,
            KeyAlgorithm::MlDsa65 => oid::ML_DSA_65,
            KeyAlgorithm::MlDsa87 => oid::ML_DSA_87,
            _ => return Err(failed),
        };
        let identifier = der::encode(SEQUENCE, &[&der::encode(OBJECT_IDENTIFIER, &[key_oid])]);
        let expanded = pair.private_key().as_raw_bytes().map_err(|_| failed)?;
        Ok(private_key_info(&identifier, &der::encode(OCTET_STRING, &[expanded.as_ref()])))
    }
}

impl Signer for SigningKey {
    fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm()
    }

    fn spki(&self) -> &[u8] {
        self.spki()
    }

    fn schemes(&self) -> &[SignatureScheme] {
        self.schemes()
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign(scheme, message)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A signature of the library's, which lies in 4,640 bytes and is copied out of where it stands, not moved.
fn copied<E>(signature: &Result<aws::Signature, E>) -> Result<Vec<u8>, Error> {
    match signature {
        Ok(signature) => Ok(signature.as_ref().to_vec()),
        Err(_) => Err(Error::SigningFailed),
    }
}

fn erased_copy(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

/// The key inside of a PrivateKeyInfo.
fn inner_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let mut fields = der::Reader::new(der::only(pkcs8, SEQUENCE)?);
    fields.small()?;
    AlgorithmIdentifier::read(&mut fields)?;
    fields.read(OCTET_STRING)
}

fn private_key_info(identifier: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let version = der::encode(INTEGER, &[&[0]]);
    der::encode(SEQUENCE, &[&version, identifier, &der::encode(OCTET_STRING, &[key])])
}

fn pss_identifier(restriction: Option<&Restriction>) -> Zeroizing<Vec<u8>> {
    let identifier = der::encode(OBJECT_IDENTIFIER, &[oid::RSASSA_PSS]);
    let parameters = restriction.map_or(&[][..], |restriction| &restriction.parameters);
    der::encode(SEQUENCE, &[&identifier, parameters])
}

fn rsa_encoding(algorithm: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        SignatureAlgorithm::RsaPkcs1(Hash::Sha256) => &aws::RSA_PKCS1_SHA256,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha384) => &aws::RSA_PKCS1_SHA384,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha512) => &aws::RSA_PKCS1_SHA512,
        SignatureAlgorithm::RsaPss(Hash::Sha256) => &aws::RSA_PSS_SHA256,
        SignatureAlgorithm::RsaPss(Hash::Sha384) => &aws::RSA_PSS_SHA384,
        SignatureAlgorithm::RsaPss(Hash::Sha512) => &aws::RSA_PSS_SHA512,
        _ => return None,
    })
}
