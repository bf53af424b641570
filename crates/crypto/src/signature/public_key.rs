//! Public keys: read strictly from a SubjectPublicKeyInfo, used to verify.

use core::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    self as aws, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};

use crate::error::Error;
use crate::hash::Hash;

use super::der::{self, AlgorithmIdentifier, OBJECT_IDENTIFIER, Reader, SEQUENCE};
use super::pss::{self, Parameters};
use super::spki::Spki;
use super::{KeyAlgorithm, SignatureAlgorithm, SignatureScheme, oid};

/// A public key that can verify signatures.
///
/// It owns its SubjectPublicKeyInfo, so that it can be compared, pinned and shown.
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    key: Key,
}

enum Key {
    /// Verified from its components: the library binds a parsed key to one padding and hash, and building the key
    /// anew costs a tenth of a verification.
    Rsa(RsaKey),
    /// Parsed for the algorithm's only (or, for a curve, natural) hash. It keeps the SubjectPublicKeyInfo.
    Parsed(ParsedPublicKey),
}

struct RsaKey {
    spki: Box<[u8]>,
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
    /// The only hash that a restricted RSA-PSS key may be used with.
    only_hash: Option<Hash>,
}

/// Sizes of RSA modulus that are accepted, in bits. 2048 is the least that RFC 9325 section 4.5 and every public CA
/// allow; beyond 8192 a peer could buy our time too cheaply.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;
/// Longest public exponent, in bits: all real ones are 3, 17 or 65537, and long ones only cost time.
const RSA_EXPONENT_BITS: usize = 33;

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo (RFC 5280 section 4.1), which must be all of `spki`.
    ///
    /// Strict, so that one key has one encoding: parameters exactly as each algorithm's standard has them, named
    /// curves only, uncompressed points only, RSA of 2048 to 8192 bits with an odd modulus and an odd exponent of 3
    /// to 33 bits' length. A point must be on its curve. RSA-PSS parameters restrict the key to their hash.
    ///
    /// # Errors
    /// [`Error::InvalidPublicKey`] when it breaks such a rule, [`Error::UnsupportedKey`] when it is of a kind that
    /// this crate does not verify with.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Error> {
        let parts = Spki::read(spki).ok_or(Error::InvalidPublicKey("it is not a SubjectPublicKeyInfo"))?;
        let (algorithm, key) = match parts.algorithm.oid {
            oid::RSA_ENCRYPTION => {
                if !parts.algorithm.has_null() {
                    return Err(Error::InvalidPublicKey("its RSA algorithm parameters are not NULL"));
                }
                (KeyAlgorithm::Rsa, Key::Rsa(RsaKey::read(spki, parts.key, None)?))
            }
            oid::RSASSA_PSS => {
                let only_hash = pss_restriction(&parts.algorithm).map_err(Error::UnsupportedKey)?;
                (KeyAlgorithm::RsaPss, Key::Rsa(RsaKey::read(spki, parts.key, only_hash)?))
            }
            oid::EC_PUBLIC_KEY => {
                let algorithm = curve(&parts.algorithm)?;
                check_point(algorithm, parts.key)?;
                (algorithm, Key::Parsed(parse(algorithm, spki, "its point is not on its curve")?))
            }
            other => {
                let algorithm = without_parameters(other, &parts.algorithm)?;
                check_length(algorithm, parts.key)?;
                (algorithm, Key::Parsed(parse(algorithm, spki, "it is not a key of its algorithm")?))
            }
        };
        Ok(Self { algorithm, key })
    }

    /// The kind of the key.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The SubjectPublicKeyInfo that the key was read from.
    pub fn spki(&self) -> &[u8] {
        match &self.key {
            Key::Rsa(key) => &key.spki,
            Key::Parsed(key) => key.as_ref(),
        }
    }

    /// The size of the modulus in bits, for RSA keys.
    pub fn rsa_bits(&self) -> Option<usize> {
        match &self.key {
            Key::Rsa(key) => Some(bits(&key.modulus)),
            Key::Parsed(_) => None,
        }
    }

    /// Verifies a signature over `message` (not over its hash).
    ///
    /// Every pair of curve and hash can be verified, as certificates and TLS 1.2 need.
    ///
    /// # Errors
    /// [`Error::UnsupportedScheme`] when the key is of another kind or restricted to another hash,
    /// [`Error::BadSignature`] when the signature is not the key's over this message.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        if !self.algorithm.fits(algorithm) {
            return Err(Error::UnsupportedScheme);
        }
        match &self.key {
            Key::Rsa(key) => key.verify(algorithm, message, signature),
            Key::Parsed(key) => self.verify_parsed(key, algorithm, message, signature),
        }
    }

    /// Verifies a signature that TLS made with `scheme`, which must belong to this kind of key: `rsae` schemes to
    /// rsaEncryption keys, `pss` schemes to RSA-PSS keys.
    ///
    /// Whether the scheme suits the *version* (the curve of an ECDSA scheme, no PKCS#1 v1.5 in TLS 1.3) is for
    /// [`SignatureScheme::fits_tls13`] and [`SignatureScheme::fits_tls12`] to say.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_tls(&self, scheme: SignatureScheme, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        if !scheme.fits(self.algorithm) {
            return Err(Error::UnsupportedScheme);
        }
        self.verify(scheme.algorithm().ok_or(Error::UnsupportedScheme)?, message, signature)
    }

    fn verify_parsed(
        &self,
        key: &ParsedPublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let verified = match (mixed_ecdsa(self.algorithm, algorithm), algorithm) {
            (Some(mixed), _) => aws::UnparsedPublicKey::new(mixed, key.as_ref()).verify(message, signature),
            // By the digest: hashing at once takes the library no context and no allocation.
            (None, SignatureAlgorithm::Ecdsa(hash)) => {
                key.verify_digest_sig(&digest::digest(hash.algorithm(), message), signature)
            }
            (None, _) => key.verify_sig(message, signature),
        };
        verified.map_err(|_| Error::BadSignature)
    }
}

impl RsaKey {
    fn read(spki: &[u8], key: &[u8], only_hash: Option<Hash>) -> Result<Self, Error> {
        let (modulus, exponent) =
            rsa_components(key).ok_or(Error::InvalidPublicKey("it is not an RSAPublicKey"))?;
        check_rsa_modulus(modulus).map_err(Error::InvalidPublicKey)?;
        if !odd(exponent) || exponent == [1] || bits(exponent) > RSA_EXPONENT_BITS {
            return Err(Error::InvalidPublicKey(
                "its RSA exponent is even, 1, or longer than any in use (33 bits)",
            ));
        }
        Ok(Self { spki: spki.into(), modulus: modulus.into(), exponent: exponent.into(), only_hash })
    }

    fn verify(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        if self.only_hash.is_some() && self.only_hash != algorithm.hash() {
            return Err(Error::UnsupportedScheme);
        }
        let parameters = rsa_parameters(algorithm).ok_or(Error::UnsupportedScheme)?;
        RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent }
            .verify(parameters, message, signature)
            .map_err(|_| Error::BadSignature)
    }
}

/// Modulus and exponent of a DER RSAPublicKey (RFC 8017 appendix A.1.1).
fn rsa_components(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = Reader::new(der::only(key, SEQUENCE)?);
    let modulus = fields.unsigned()?;
    let exponent = fields.unsigned()?;
    fields.end()?;
    Some((modulus, exponent))
}

/// Checks the size and the last bit of a modulus; the reason is a sentence's end.
pub(super) fn check_rsa_modulus(modulus: &[u8]) -> Result<(), &'static str> {
    if bits(modulus) < *RSA_BITS.start() {
        return Err("its RSA modulus is shorter than 2048 bits");
    }
    if bits(modulus) > *RSA_BITS.end() {
        return Err("its RSA modulus is longer than 8192 bits");
    }
    if !odd(modulus) {
        return Err("its RSA modulus is even");
    }
    Ok(())
}

/// The number of bits of a magnitude without leading zero bytes.
pub(super) fn bits(magnitude: &[u8]) -> usize {
    let zeros = magnitude.first().map_or(0, |first| first.leading_zeros());
    magnitude.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).unwrap_or(0))
}

fn odd(magnitude: &[u8]) -> bool {
    magnitude.last().is_some_and(|last| last & 1 == 1)
}

/// What the parameters of an id-RSASSA-PSS key allow: any hash when there are none.
pub(super) fn pss_restriction(algorithm: &AlgorithmIdentifier<'_>) -> Result<Option<Hash>, &'static str> {
    let Some(parameters) = algorithm.parameters else {
        return Ok(None);
    };
    match Parameters::read(parameters.whole) {
        Some(parameters) if parameters.usable_as_restriction() => Ok(Some(parameters.hash)),
        _ => Err(pss::UNUSABLE),
    }
}

/// The curve that an id-ecPublicKey algorithm names.
fn curve(algorithm: &AlgorithmIdentifier<'_>) -> Result<KeyAlgorithm, Error> {
    let parameters = algorithm.parameters.filter(|parameters| parameters.tag == OBJECT_IDENTIFIER).ok_or(
        // Explicit curve parameters let the key's author choose the arithmetic (CVE-2020-0601).
        Error::InvalidPublicKey("its curve is not given by name"),
    )?;
    named_curve(parameters.content).ok_or(Error::UnsupportedKey("its curve is not P-256, P-384 or P-521"))
}

/// The kind of key that belongs to a curve's object identifier.
pub(super) fn named_curve(curve: &[u8]) -> Option<KeyAlgorithm> {
    match curve {
        oid::SECP256R1 => Some(KeyAlgorithm::EcdsaP256),
        oid::SECP384R1 => Some(KeyAlgorithm::EcdsaP384),
        oid::SECP521R1 => Some(KeyAlgorithm::EcdsaP521),
        _ => None,
    }
}

/// The kind of key of the algorithms whose identifier says everything.
fn without_parameters(oid: &[u8], algorithm: &AlgorithmIdentifier<'_>) -> Result<KeyAlgorithm, Error> {
    let kind = standalone(oid)
        .ok_or(Error::UnsupportedKey("its algorithm is not RSA, RSA-PSS, ECDSA, Ed25519 or ML-DSA"))?;
    match algorithm.parameters {
        None => Ok(kind),
        Some(_) => Err(Error::InvalidPublicKey("its algorithm must not have parameters")),
    }
}

/// The kind of key that an algorithm identifier means on its own.
pub(super) fn standalone(oid: &[u8]) -> Option<KeyAlgorithm> {
    match oid {
        oid::ED25519 => Some(KeyAlgorithm::Ed25519),
        oid::ML_DSA_44 => Some(KeyAlgorithm::MlDsa44),
        oid::ML_DSA_65 => Some(KeyAlgorithm::MlDsa65),
        oid::ML_DSA_87 => Some(KeyAlgorithm::MlDsa87),
        _ => None,
    }
}

/// The library would take compressed and hybrid forms too, which are second encodings of the same key.
fn check_point(algorithm: KeyAlgorithm, point: &[u8]) -> Result<(), Error> {
    let len = match algorithm {
        KeyAlgorithm::EcdsaP256 => 65,
        KeyAlgorithm::EcdsaP384 => 97,
        _ => 133,
    };
    if point.len() != len || point.first() != Some(&0x04) {
        return Err(Error::InvalidPublicKey("its point is not in uncompressed form"));
    }
    Ok(())
}

fn check_length(algorithm: KeyAlgorithm, key: &[u8]) -> Result<(), Error> {
    let len = match algorithm {
        KeyAlgorithm::Ed25519 => 32,
        KeyAlgorithm::MlDsa44 => 1312,
        KeyAlgorithm::MlDsa65 => 1952,
        _ => 2592,
    };
    if key.len() != len {
        return Err(Error::InvalidPublicKey("it has the wrong length for its algorithm"));
    }
    Ok(())
}

/// Parses a SubjectPublicKeyInfo whose form has been checked. (The library also takes bare keys, but tries this
/// form first and validates a bare point twice.)
fn parse(algorithm: KeyAlgorithm, spki: &[u8], refused: &'static str) -> Result<ParsedPublicKey, Error> {
    ParsedPublicKey::new(natural(algorithm)?, spki).map_err(|_| Error::InvalidPublicKey(refused))
}

/// The algorithm that a key of one kind is parsed for.
fn natural(algorithm: KeyAlgorithm) -> Result<&'static dyn VerificationAlgorithm, Error> {
    Ok(match algorithm {
        KeyAlgorithm::EcdsaP256 => &aws::ECDSA_P256_SHA256_ASN1,
        KeyAlgorithm::EcdsaP384 => &aws::ECDSA_P384_SHA384_ASN1,
        KeyAlgorithm::EcdsaP521 => &aws::ECDSA_P521_SHA512_ASN1,
        KeyAlgorithm::Ed25519 => &aws::ED25519,
        KeyAlgorithm::MlDsa44 => &aws::ML_DSA_44,
        KeyAlgorithm::MlDsa65 => &aws::ML_DSA_65,
        KeyAlgorithm::MlDsa87 => &aws::ML_DSA_87,
        KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss => {
            return Err(Error::Internal("an RSA key has no natural algorithm"));
        }
    })
}

/// The algorithm of a curve with another hash than its own.
fn mixed_ecdsa(
    key: KeyAlgorithm,
    algorithm: SignatureAlgorithm,
) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (key, algorithm) {
        (KeyAlgorithm::EcdsaP256, SignatureAlgorithm::Ecdsa(Hash::Sha384)) => &aws::ECDSA_P256_SHA384_ASN1,
        (KeyAlgorithm::EcdsaP256, SignatureAlgorithm::Ecdsa(Hash::Sha512)) => &aws::ECDSA_P256_SHA512_ASN1,
        (KeyAlgorithm::EcdsaP384, SignatureAlgorithm::Ecdsa(Hash::Sha256)) => &aws::ECDSA_P384_SHA256_ASN1,
        (KeyAlgorithm::EcdsaP384, SignatureAlgorithm::Ecdsa(Hash::Sha512)) => &aws::ECDSA_P384_SHA512_ASN1,
        (KeyAlgorithm::EcdsaP521, SignatureAlgorithm::Ecdsa(Hash::Sha256)) => &aws::ECDSA_P521_SHA256_ASN1,
        (KeyAlgorithm::EcdsaP521, SignatureAlgorithm::Ecdsa(Hash::Sha384)) => &aws::ECDSA_P521_SHA384_ASN1,
        _ => return None,
    })
}

fn rsa_parameters(algorithm: SignatureAlgorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        SignatureAlgorithm::RsaPkcs1(Hash::Sha256) => &aws::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha384) => &aws::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha512) => &aws::RSA_PKCS1_2048_8192_SHA512,
        SignatureAlgorithm::RsaPss(Hash::Sha256) => &aws::RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::RsaPss(Hash::Sha384) => &aws::RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::RsaPss(Hash::Sha512) => &aws::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PublicKey");
        out.field("algorithm", &self.algorithm);
        if let Some(bits) = self.rsa_bits() {
            out.field("bits", &bits);
        }
        out.finish_non_exhaustive()
    }
}
