//! What kind of key a SubjectPublicKeyInfo holds (RFC 5280 section 4.1.2.7), without touching the crypto library:
//! enough to refuse weak and unknown keys before any arithmetic is done on them.

use crate::oid;
use crate::reader::{Parsed, Reader, tag};
use crate::rules::Rule;

/// Kind and size of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind<'a> {
    /// RSA: the bit length of its modulus, its public exponent (saturated), and whether it is restricted to PSS.
    Rsa { bits: u32, exponent: u64, pss: bool },
    /// An elliptic curve in use.
    Ec,
    /// A curve not supported, or explicit parameters (`None`).
    OtherCurve(Option<&'a [u8]>),
    /// Ed25519 or ML-DSA.
    Plain,
    /// Any other algorithm.
    Unknown(&'a [u8]),
}

impl<'a> KeyKind<'a> {
    /// Reads a whole SubjectPublicKeyInfo. Parameters must be as each algorithm's own document has them: NULL for RSA
    /// (RFC 3279 section 2.3.1), a named curve for elliptic curves (RFC 5480 section 2.1.1), nothing for Ed25519 (RFC
    /// 8410) and ML-DSA (RFC 9881). Points are uncompressed, as everybody writes them.
    pub(crate) fn read(spki: &'a [u8]) -> Parsed<Self> {
        let mut reader = Reader::new(spki, 0);
        let mut fields = reader.sequence("SubjectPublicKeyInfo expected")?;
        let mut algorithm = fields.sequence("AlgorithmIdentifier expected")?;
        let algorithm_oid = algorithm.oid()?;
        let key = fields.bit_string_octets()?;
        fields.end("bytes after the public key")?;
        let plain = |octets: usize, parameters: &Reader<'_>| match key.len() {
            length if length == octets => {
                parameters.end("parameters where there are none").map(|()| Self::Plain)
            }
            _ => Err(fields.error("a public key of another length")),
        };
        match algorithm_oid {
            oid::RSA_ENCRYPTION => {
                let null = algorithm.expect(tag::NULL, "NULL expected for an RSA key's parameters")?;
                algorithm.end("bytes after an RSA key's parameters")?;
                if null.value.is_empty() {
                    rsa(key, false)
                } else {
                    Err(algorithm.error("NULL has no contents"))
                }
            }
            oid::RSASSA_PSS => {
                algorithm.optional(tag::SEQUENCE)?;
                algorithm.end("bytes after a PSS key's parameters")?;
                rsa(key, true)
            }
            oid::EC_PUBLIC_KEY => {
                let octets = match algorithm.oid().ok() {
                    Some(oid::PRIME256V1) => 65,
                    Some(oid::SECP384R1) => 97,
                    Some(oid::SECP521R1) => 133,
                    other => return Ok(Self::OtherCurve(other)),
                };
                algorithm.end("bytes after the curve")?;
                if key.len() != octets || key.first() != Some(&4) {
                    return Err(fields.error("no uncompressed point of the curve"));
                }
                Ok(Self::Ec)
            }
            oid::ED25519 => plain(32, &algorithm),
            oid::ML_DSA_44 => plain(1_312, &algorithm),
            oid::ML_DSA_65 => plain(1_952, &algorithm),
            oid::ML_DSA_87 => plain(2_592, &algorithm),
            other => Ok(Self::Unknown(other)),
        }
    }

    /// The rule that the key breaks, if any.
    pub(crate) fn broken_rule(self) -> Option<Rule> {
        match self {
            Self::Rsa { bits, .. } if !crate::defaults::RSA_BITS.contains(&bits) => Some(Rule::KeyStrength),
            Self::Rsa { .. } | Self::Ec | Self::Plain => None,
            Self::OtherCurve(_) | Self::Unknown(_) => Some(Rule::KeyAlgorithm),
        }
    }

    /// For reports: what the key is.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Rsa { bits, .. } => format!("an RSA key of {bits} bits"),
            Self::Ec => "an elliptic-curve key".to_owned(),
            Self::OtherCurve(Some(curve)) => format!("a key on the curve {}", oid::Oid(curve)),
            Self::OtherCurve(None) => "an elliptic-curve key with explicit parameters".to_owned(),
            Self::Plain => "an Ed25519 or ML-DSA key".to_owned(),
            Self::Unknown(algorithm) => format!("a key of the algorithm {}", oid::Oid(algorithm)),
        }
    }
}

/// An RSAPublicKey (RFC 8017 appendix A.1.1). Modulus and exponent are positive and odd, the exponent at least 3: with an
/// exponent of 1 anybody could sign.
fn rsa<'a>(key: &[u8], pss: bool) -> Parsed<KeyKind<'a>> {
    let mut reader = Reader::new(key, 0);
    let mut fields = reader.sequence("RSAPublicKey expected")?;
    reader.end("bytes after an RSAPublicKey")?;
    let mut number = || {
        let octets = fields.integer()?;
        let positive = octets.first().is_some_and(|first| first & 0x80 == 0);
        let odd = octets.last().is_some_and(|last| last & 1 == 1);
        if positive && odd {
            Ok(octets)
        } else {
            Err(fields.error("an RSA key of numbers that are not positive and odd"))
        }
    };
    let (modulus, exponent) = (number()?, number()?);
    fields.end("bytes in an RSAPublicKey")?;
    let append =
        |sum: u64, &octet: &u8| sum.checked_mul(256).and_then(|sum| sum.checked_add(u64::from(octet)));
    let exponent = exponent.iter().try_fold(0u64, append).unwrap_or(u64::MAX);
    if exponent < 3 {
        return Err(reader.error("an RSA exponent of 1"));
    }
    let significant = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let leading = significant.first().map_or(0, |first| first.leading_zeros());
    let bits = u32::try_from(significant.len()).ok().and_then(|octets| octets.checked_mul(8));
    let bits = bits
        .and_then(|bits| bits.checked_sub(leading))
        .ok_or_else(|| reader.error("RSA modulus too long"))?;
    Ok(KeyKind::Rsa { bits, exponent, pss })
}
