//! Loading private keys: PKCS#8, PKCS#1 and SEC 1, in PEM or DER.

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, PqdsaKeyPair, PqdsaSigningAlgorithm,
};
use pki_types::pem::{self, PemObject, SectionKind};
use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::der::{
    self, AlgorithmIdentifier, BIT_STRING, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE,
    explicit,
};
use super::public_key::{bits, check_rsa_modulus, named_curve, pss_restriction, standalone};
use super::signing_key::{Pair, Restriction};
use super::{KeyAlgorithm, KeyError, SigningKey, oid};

/// Most section labels that an error lists.
const LABELS_LISTED: usize = 16;
/// Most characters of a label that an error shows.
const LABEL_SHOWN: usize = 40;

const PKCS8: &str = "PKCS#8";
const PKCS1: &str = "PKCS#1 (RSAPrivateKey)";
const SEC1: &str = "SEC 1 (ECPrivateKey)";

const NOT_DER: &str = "it is not DER, is cut short, or has data behind its end";

impl SigningKey {
    /// Loads the only private key in PEM text. Certificates and anything else beside it are passed over.
    ///
    /// # Errors
    /// [`KeyError`] says what was found and what was wanted.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let pem = pem.as_ref();
        let outline = Outline::read(pem);
        outline.check(pem)?;
        let mut keys = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            let (kind, der) = section.map_err(explain_pem)?;
            let der = Zeroizing::new(der);
            if matches!(
                kind,
                SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey
            ) {
                keys.push((kind, der));
            }
        }
        match keys.as_slice() {
            [] => Err(KeyError::NoPrivateKey { found: outline.labels }),
            [(SectionKind::RsaPrivateKey, der)] => Self::from_pkcs1_der(der),
            [(SectionKind::EcPrivateKey, der)] => Self::from_sec1_der(der),
            [(_, der)] => Self::from_pkcs8_der(der),
            several => Err(KeyError::SeveralPrivateKeys { count: several.len() }),
        }
    }

    /// Loads a private key whose form is known.
    ///
    /// # Errors
    /// [`KeyError`] says what was found and what was wanted.
    pub fn from_der(key: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        match key {
            PrivateKeyDer::Pkcs8(key) => Self::from_pkcs8_der(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => Self::from_pkcs1_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Sec1(key) => Self::from_sec1_der(key.secret_sec1_der()),
            _ => Err(KeyError::Internal("a form of private key that is not known here")),
        }
    }

    /// Loads a private key in whichever of the three DER forms it is.
    ///
    /// # Errors
    /// [`KeyError`] says what was found and what was wanted.
    pub fn from_any_der(key: &[u8]) -> Result<Self, KeyError> {
        match Form::of(key) {
            Form::Pkcs8 => Self::from_pkcs8_der(key),
            Form::Pkcs1 => Self::from_pkcs1_der(key),
            Form::Sec1 => Self::from_sec1_der(key),
            form => Err(form.unwanted("a private key in PKCS#8, PKCS#1 or SEC 1 form")),
        }
    }

    /// Loads a PKCS#8 PrivateKeyInfo (RFC 5208, RFC 5958), unencrypted.
    ///
    /// # Errors
    /// [`KeyError`] says what was found and what was wanted.
    pub fn from_pkcs8_der(key: &[u8]) -> Result<Self, KeyError> {
        let Form::Pkcs8 = Form::of(key) else {
            return Err(Form::of(key).unwanted("a private key in PKCS#8 form"));
        };
        let info = PrivateKeyInfo::read(key).ok_or(KeyError::Malformed {
            form: PKCS8,
            reason: "its fields are not those of a PrivateKeyInfo",
        })?;
        match info.algorithm.oid {
            oid::RSA_ENCRYPTION => load_rsa(KeyAlgorithm::Rsa, info.key, None),
            oid::RSASSA_PSS => load_rsa_pss(&info),
            oid::EC_PUBLIC_KEY => {
                let algorithm = pkcs8_curve(&info.algorithm)?;
                let pair = EcdsaKeyPair::from_pkcs8(ecdsa(algorithm)?, key);
                finish(algorithm, pair.map(Pair::Ecdsa))
            }
            other => {
                let algorithm = standalone(other)
                    .ok_or_else(|| KeyError::UnsupportedAlgorithm { found: oid::describe(other) })?;
                let pair = match ml_dsa(algorithm) {
                    Some(parameters) => PqdsaKeyPair::from_pkcs8(parameters, key).map(Pair::MlDsa),
                    None => Ed25519KeyPair::from_pkcs8(key).map(Pair::Ed25519),
                };
                finish(algorithm, pair)
            }
        }
    }

    /// Loads a PKCS#1 RSAPrivateKey (RFC 8017 appendix A.1.2).
    ///
    /// # Errors
    /// [`KeyError`] says what was found and what was wanted.
    pub fn from_pkcs1_der(key: &[u8]) -> Result<Self, KeyError> {
        match Form::of(key) {
            Form::Pkcs1 => load_rsa(KeyAlgorithm::Rsa, key, None),
            form => Err(form.unwanted("an RSA private key in PKCS#1 form")),
        }
    }

    /// Loads a SEC 1 ECPrivateKey (RFC 5915), which must name its curve.
    ///
    /// # Errors
    /// [`KeyError`] says what was found and what was wanted.
    pub fn from_sec1_der(key: &[u8]) -> Result<Self, KeyError> {
        let Form::Sec1 = Form::of(key) else {
            return Err(Form::of(key).unwanted("an elliptic curve private key in SEC 1 form"));
        };
        let malformed = |reason| KeyError::Malformed { form: SEC1, reason };
        let curve = sec1_curve(key)
            .ok_or(malformed("its fields are not those of an ECPrivateKey"))?
            .ok_or(malformed("it does not name its curve"))?;
        let curve = der::only(curve, OBJECT_IDENTIFIER).ok_or(malformed("its curve is not given by name"))?;
        let algorithm =
            named_curve(curve).ok_or_else(|| KeyError::UnsupportedCurve { found: oid::describe(curve) })?;
        finish(algorithm, EcdsaKeyPair::from_private_key_der(ecdsa(algorithm)?, key).map(Pair::Ecdsa))
    }

    /// The key as `pki_types` has it: PKCS#8, erased when dropped.
    ///
    /// # Errors
    /// As [`SigningKey::to_pkcs8_der`].
    pub fn to_private_key_der(&self) -> Result<PrivateKeyDer<'static>, crate::error::Error> {
        Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.to_pkcs8_der()?.to_vec())))
    }
}

/// What the text of a PEM file looks like before any of it is decoded.
struct Outline {
    labels: Vec<String>,
    encrypted: bool,
}

impl Outline {
    fn read(pem: &[u8]) -> Self {
        let mut outline = Self { labels: Vec::new(), encrypted: false };
        for line in pem.split(|byte| matches!(byte, b'\n' | b'\r')) {
            if let Some(rest) = line.strip_prefix(b"-----BEGIN ") {
                let label: String = String::from_utf8_lossy(rest)
                    .trim_end()
                    .trim_end_matches('-')
                    .chars()
                    .filter(|character| !character.is_control())
                    .take(LABEL_SHOWN)
                    .collect();
                outline.encrypted |= label == "ENCRYPTED PRIVATE KEY";
                if outline.labels.len() < LABELS_LISTED {
                    outline.labels.push(label);
                }
            }
            // The header of a key encrypted in OpenSSL's old way (RFC 1421), whose label does not show it.
            outline.encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
        }
        outline
    }

    fn check(&self, pem: &[u8]) -> Result<(), KeyError> {
        if pem.iter().all(u8::is_ascii_whitespace) {
            return Err(KeyError::Empty);
        }
        if self.encrypted {
            return Err(KeyError::Encrypted);
        }
        if self.labels.is_empty() {
            return Err(KeyError::NotPem { looks_like_der: pem.first() == Some(&SEQUENCE) });
        }
        Ok(())
    }
}

/// Says what the PEM reader found without repeating any of the content, which may be key material.
fn explain_pem(error: pem::Error) -> KeyError {
    KeyError::BadPem(match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no line that ends it".into(),
        pem::Error::IllegalSectionStart { .. } => "a `-----BEGIN` line does not end with five dashes".into(),
        pem::Error::Base64Decode(_) => "a section is not valid base64".into(),
        pem::Error::SectionTooLarge => "a section is too large".into(),
        _ => "it cannot be read".into(),
    })
}

/// What a DER structure is, by its outermost fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Pkcs8,
    Pkcs1,
    Sec1,
    EncryptedPkcs8,
    Other(&'static str),
    NotDer,
}

impl Form {
    fn of(der: &[u8]) -> Self {
        if der::only(der, OBJECT_IDENTIFIER).is_some() {
            return Self::Other("the name of an elliptic curve (EC PARAMETERS)");
        }
        let Some(content) = der::only(der, SEQUENCE) else {
            return Self::NotDer;
        };
        let mut fields = Reader::new(content);
        let (Some(first), second) = (fields.element(), fields.element()) else {
            return Self::NotDer;
        };
        match (first.tag, second.map(|second| second.tag)) {
            (INTEGER, Some(SEQUENCE)) => Self::Pkcs8,
            (INTEGER, Some(OCTET_STRING)) => Self::Sec1,
            (INTEGER, Some(INTEGER)) if fields.is_empty() => {
                Self::Other("a public key (PKCS#1 RSAPublicKey)")
            }
            (INTEGER, Some(INTEGER)) => Self::Pkcs1,
            (SEQUENCE, Some(OCTET_STRING)) => Self::EncryptedPkcs8,
            (SEQUENCE, Some(BIT_STRING)) => Self::Other("a public key (SubjectPublicKeyInfo)"),
            (SEQUENCE, Some(SEQUENCE)) => Self::Other("a certificate or another signed object"),
            _ => Self::Other("DER of an unknown kind"),
        }
    }

    /// The error for a structure of this form where another was wanted.
    fn unwanted(self, wanted: &'static str) -> KeyError {
        let found = match self {
            Self::Pkcs8 => "a private key in PKCS#8 form",
            Self::Pkcs1 => "an RSA private key in PKCS#1 form",
            Self::Sec1 => "an elliptic curve private key in SEC 1 form",
            Self::EncryptedPkcs8 => return KeyError::Encrypted,
            Self::Other(found) => found,
            Self::NotDer => return KeyError::Malformed { form: "DER", reason: NOT_DER },
        };
        KeyError::NotAPrivateKey { found, wanted }
    }
}

/// The fields of a PrivateKeyInfo that matter here.
struct PrivateKeyInfo<'a> {
    algorithm: AlgorithmIdentifier<'a>,
    key: &'a [u8],
}

impl<'a> PrivateKeyInfo<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut fields = Reader::new(der::only(der, SEQUENCE)?);
        // Version 1 (RFC 5958) may carry the public key, version 0 may not.
        fields.small().filter(|version| *version <= 1)?;
        let algorithm = AlgorithmIdentifier::read(&mut fields)?;
        let key = fields.read(OCTET_STRING)?;
        Some(Self { algorithm, key })
    }
}

fn load_rsa_pss(info: &PrivateKeyInfo<'_>) -> Result<SigningKey, KeyError> {
    let hash = pss_restriction(&info.algorithm).map_err(|_| KeyError::UnsupportedPssParameters)?;
    let restriction = hash
        .zip(info.algorithm.parameters)
        .map(|(hash, parameters)| Restriction { hash, parameters: parameters.whole.to_vec() });
    // The library knows no PKCS#8 of RSA-PSS keys, but what is inside is an ordinary RSAPrivateKey.
    load_rsa(KeyAlgorithm::RsaPss, info.key, restriction)
}

fn load_rsa(
    algorithm: KeyAlgorithm,
    pkcs1: &[u8],
    restriction: Option<Restriction>,
) -> Result<SigningKey, KeyError> {
    let malformed = |reason| KeyError::Malformed { form: PKCS1, reason };
    let (version, modulus) =
        rsa_modulus(pkcs1).ok_or(malformed("its fields are not those of an RSAPrivateKey"))?;
    if version != 0 {
        return Err(malformed("it has more than two primes"));
    }
    if check_rsa_modulus(modulus).is_err() {
        return Err(match bits(modulus) {
            2048..=8192 => KeyError::Inconsistent { algorithm },
            bits => KeyError::UnsupportedRsaSize { bits },
        });
    }
    let pair = rsa::KeyPair::from_der(pkcs1).map_err(|_| KeyError::Inconsistent { algorithm })?;
    SigningKey::from_pair(algorithm, Pair::Rsa(pair), restriction)
        .map_err(|_| KeyError::Internal("a public key could not be encoded"))
}

/// Version and modulus of an RSAPrivateKey that is all of `pkcs1`.
fn rsa_modulus(pkcs1: &[u8]) -> Option<(u8, &[u8])> {
    let mut fields = Reader::new(der::only(pkcs1, SEQUENCE)?);
    Some((fields.small()?, fields.unsigned()?))
}

/// The curve that the PKCS#8 algorithm names.
fn pkcs8_curve(algorithm: &AlgorithmIdentifier<'_>) -> Result<KeyAlgorithm, KeyError> {
    let curve = algorithm
        .parameters
        .filter(|parameters| parameters.tag == OBJECT_IDENTIFIER)
        .ok_or(KeyError::Malformed { form: PKCS8, reason: "its curve is not given by name" })?;
    named_curve(curve.content)
        .ok_or_else(|| KeyError::UnsupportedCurve { found: oid::describe(curve.content) })
}

/// The curve parameters of an ECPrivateKey: `None` when it is malformed, `Some(None)` when it has none.
fn sec1_curve(sec1: &[u8]) -> Option<Option<&[u8]>> {
    let mut fields = Reader::new(der::only(sec1, SEQUENCE)?);
    fields.small().filter(|version| *version == 1)?;
    fields.read(OCTET_STRING)?;
    fields.optional(explicit(0))
}

fn ecdsa(algorithm: KeyAlgorithm) -> Result<&'static EcdsaSigningAlgorithm, KeyError> {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => Ok(&aws::ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyAlgorithm::EcdsaP384 => Ok(&aws::ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyAlgorithm::EcdsaP521 => Ok(&aws::ECDSA_P521_SHA512_ASN1_SIGNING),
        _ => Err(KeyError::Internal("not a curve")),
    }
}

fn ml_dsa(algorithm: KeyAlgorithm) -> Option<&'static PqdsaSigningAlgorithm> {
    match algorithm {
        KeyAlgorithm::MlDsa44 => Some(&aws::ML_DSA_44_SIGNING),
        KeyAlgorithm::MlDsa65 => Some(&aws::ML_DSA_65_SIGNING),
        KeyAlgorithm::MlDsa87 => Some(&aws::ML_DSA_87_SIGNING),
        _ => None,
    }
}

fn finish<E>(algorithm: KeyAlgorithm, pair: Result<Pair, E>) -> Result<SigningKey, KeyError> {
    let pair = pair.map_err(|_| KeyError::Inconsistent { algorithm })?;
    SigningKey::from_pair(algorithm, pair, None)
        .map_err(|_| KeyError::Internal("a public key could not be encoded"))
}
