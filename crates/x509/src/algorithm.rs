//! Signature AlgorithmIdentifiers (RFC 5280 section 4.1.1.2) to what the crypto crate can verify.
//!
//! Parameters must be as each algorithm's own document has them: RFC 4055 (RSA: NULL; PSS: hash, MGF1 over the same
//! hash, a salt as long as the hash), RFC 5758 (ECDSA: absent), RFC 8410 and RFC 9881 (absent).

use oxtls_crypto::Hash;
use oxtls_crypto::signature::SignatureAlgorithm;

use crate::oid::{self, Oid};
use crate::reader::{Parsed, Reader, small_integer, tag};

/// What a signature AlgorithmIdentifier names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateSignature<'a> {
    /// One that can be verified.
    Known(SignatureAlgorithm),
    /// One that is broken and never accepted: MD5 or SHA-1, by name.
    Broken(&'static str),
    /// One not supported, or with parameters that its standard does not allow.
    Unknown(Oid<'a>),
}

impl<'a> CertificateSignature<'a> {
    /// Reads the contents of an AlgorithmIdentifier.
    pub(crate) fn read(mut fields: Reader<'a>) -> Parsed<Self> {
        let algorithm = fields.oid()?;
        let known = |wanted: Parameters, found: SignatureAlgorithm| {
            if wanted.hold(fields) { Self::Known(found) } else { Self::Unknown(Oid(algorithm)) }
        };
        let broken = match algorithm {
            oid::SHA1_WITH_RSA => Some("sha1WithRSAEncryption"),
            oid::ECDSA_WITH_SHA1 => Some("ecdsa-with-SHA1"),
            oid::MD5_WITH_RSA => Some("md5WithRSAEncryption"),
            _ => None,
        };
        if let Some(name) = broken {
            return Ok(Self::Broken(name));
        }
        Ok(match algorithm {
            oid::SHA256_WITH_RSA => {
                known(Parameters::NullOrAbsent, SignatureAlgorithm::RsaPkcs1(Hash::Sha256))
            }
            oid::SHA384_WITH_RSA => {
                known(Parameters::NullOrAbsent, SignatureAlgorithm::RsaPkcs1(Hash::Sha384))
            }
            oid::SHA512_WITH_RSA => {
                known(Parameters::NullOrAbsent, SignatureAlgorithm::RsaPkcs1(Hash::Sha512))
            }
            oid::ECDSA_WITH_SHA256 => known(Parameters::Absent, SignatureAlgorithm::Ecdsa(Hash::Sha256)),
            oid::ECDSA_WITH_SHA384 => known(Parameters::Absent, SignatureAlgorithm::Ecdsa(Hash::Sha384)),
            oid::ECDSA_WITH_SHA512 => known(Parameters::Absent, SignatureAlgorithm::Ecdsa(Hash::Sha512)),
            oid::ED25519 => known(Parameters::Absent, SignatureAlgorithm::Ed25519),
            oid::ML_DSA_44 => known(Parameters::Absent, SignatureAlgorithm::MlDsa44),
            oid::ML_DSA_65 => known(Parameters::Absent, SignatureAlgorithm::MlDsa65),
            oid::ML_DSA_87 => known(Parameters::Absent, SignatureAlgorithm::MlDsa87),
            oid::RSASSA_PSS => match pss_hash(fields) {
                Some(hash) => Self::Known(SignatureAlgorithm::RsaPss(hash)),
                None => Self::Unknown(Oid(algorithm)),
            },
            other => Self::Unknown(Oid(other)),
        })
    }
}

/// What may follow the algorithm's identifier.
#[derive(Clone, Copy)]
enum Parameters {
    Absent,
    NullOrAbsent,
}

impl Parameters {
    /// RFC 4055 section 5 demands NULL for PKCS#1 v1.5 but has verifiers accept its absence.
    fn hold(self, mut rest: Reader<'_>) -> bool {
        match self {
            Self::Absent => rest.is_empty(),
            Self::NullOrAbsent => rest.is_empty() || (is_null(&mut rest) && rest.is_empty()),
        }
    }
}

fn is_null(reader: &mut Reader<'_>) -> bool {
    reader.expect(tag::NULL, "NULL").is_ok_and(|element| element.value.is_empty())
}

/// RSASSA-PSS-params (RFC 4055 section 3.1). The defaults mean SHA-1 and are refused with everything that deviates
/// from one hash used throughout.
fn pss_hash(mut fields: Reader<'_>) -> Option<Hash> {
    let mut params = fields.sequence("RSASSA-PSS-params").ok()?;
    fields.end("").ok()?;
    let mut explicit = |number: u8| {
        params
            .optional(tag::context_constructed(number))
            .ok()
            .map(|found| found.map(|element| element.reader()))
    };
    let hash = only(explicit(0)??, hash_identifier)?;
    let mask_hash = only(explicit(1)??, |reader| {
        let mut mask = reader.sequence("maskGenAlgorithm").ok()?;
        if mask.oid().ok()? != oid::MGF1 {
            return None;
        }
        only(mask, hash_identifier)
    })?;
    let salt = only(explicit(2)??, |reader| reader.integer().ok().and_then(small_integer))?;
    // trailerField has one legal value, its default: present it breaks DER.
    let whole = params.is_empty();
    let fits = mask_hash == hash && usize::try_from(salt).is_ok_and(|salt| salt == hash.output_len());
    (whole && fits).then_some(hash)
}

fn hash_identifier(reader: &mut Reader<'_>) -> Option<Hash> {
    let mut fields = reader.sequence("AlgorithmIdentifier").ok()?;
    let hash = match fields.oid().ok()? {
        oid::SHA256 => Hash::Sha256,
        oid::SHA384 => Hash::Sha384,
        oid::SHA512 => Hash::Sha512,
        _ => return None,
    };
    Parameters::NullOrAbsent.hold(fields).then_some(hash)
}

/// Applies `read` and demands that nothing is left over.
fn only<'a, T>(mut reader: Reader<'a>, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Option<T> {
    let value = read(&mut reader)?;
    reader.is_empty().then_some(value)
}
