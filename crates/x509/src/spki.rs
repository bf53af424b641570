//! What kind of key a SubjectPublicKeyInfo holds (RFC 5280 section 4.1.2.7), without touching the crypto library:
//! enough to refuse weak and unknown keys before any arithmetic is done on them.

use crate::oid;
use crate::reader::{Parsed, Reader};
use crate::rules::Rule;

/// Kind and size of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind<'a> {
    /// RSA with the bit length of its modulus; restricted to PSS or not.
    Rsa { bits: u32 },
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
    /// Reads a whole SubjectPublicKeyInfo.
    pub(crate) fn read(spki: &'a [u8]) -> Parsed<Self> {
        let mut reader = Reader::new(spki, 0);
        let mut fields = reader.sequence("SubjectPublicKeyInfo expected")?;
        let mut algorithm = fields.sequence("AlgorithmIdentifier expected")?;
        let algorithm_oid = algorithm.oid()?;
        let key = fields.bit_string_octets()?;
        fields.end("bytes after the public key")?;
        Ok(match algorithm_oid {
            oid::RSA_ENCRYPTION | oid::RSASSA_PSS => Self::Rsa { bits: modulus_bits(key)? },
            oid::EC_PUBLIC_KEY => match algorithm.oid().ok() {
                Some(oid::PRIME256V1 | oid::SECP384R1 | oid::SECP521R1) => Self::Ec,
                other => Self::OtherCurve(other),
            },
            oid::ED25519 | oid::ML_DSA_44 | oid::ML_DSA_65 | oid::ML_DSA_87 => Self::Plain,
            other => Self::Unknown(other),
        })
    }

    /// The rule that the key breaks, if any.
    pub(crate) fn broken_rule(self) -> Option<Rule> {
        match self {
            Self::Rsa { bits } if !crate::defaults::RSA_BITS.contains(&bits) => Some(Rule::KeyStrength),
            Self::Rsa { .. } | Self::Ec | Self::Plain => None,
            Self::OtherCurve(_) | Self::Unknown(_) => Some(Rule::KeyAlgorithm),
        }
    }

    /// For reports: what the key is.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Rsa { bits } => format!("an RSA key of {bits} bits"),
            Self::Ec => "an elliptic-curve key".to_owned(),
            Self::OtherCurve(Some(curve)) => format!("a key on the curve {}", oid::Oid(curve)),
            Self::OtherCurve(None) => "an elliptic-curve key with explicit parameters".to_owned(),
            Self::Plain => "an Ed25519 or ML-DSA key".to_owned(),
            Self::Unknown(algorithm) => format!("a key of the algorithm {}", oid::Oid(algorithm)),
        }
    }
}

/// Bit length of the modulus in an RSAPublicKey (RFC 8017 appendix A.1.1).
fn modulus_bits(key: &[u8]) -> Parsed<u32> {
    let mut reader = Reader::new(key, 0);
    let mut fields = reader.sequence("RSAPublicKey expected")?;
    let modulus = fields.integer()?;
    let significant = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let leading = significant.first().map_or(0, |first| first.leading_zeros());
    u32::try_from(significant.len())
        .ok()
        .and_then(|octets| octets.checked_mul(8))
        .and_then(|bits| bits.checked_sub(leading))
        .ok_or_else(|| reader.error("RSA modulus too long"))
}
