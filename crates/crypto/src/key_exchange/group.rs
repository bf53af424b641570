//! The names of the groups and the exact size of everything that travels for them.

use core::fmt;

use super::ecdh::Curve;
use super::ml_kem::ParameterSet;

/// A key exchange group as TLS names it on the wire (RFC 9846 section 4.3.7, draft-ietf-tls-ecdhe-mlkem).
///
/// Any 16-bit value can be held, because a peer may offer groups that nobody here knows;
/// [`NamedGroup::is_supported`] says which ones can be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamedGroup(pub u16);

impl NamedGroup {
    /// ECDH over NIST P-256.
    pub const SECP256R1: Self = Self(0x0017);
    /// ECDH over NIST P-384.
    pub const SECP384R1: Self = Self(0x0018);
    /// ECDH over NIST P-521.
    pub const SECP521R1: Self = Self(0x0019);
    /// X25519 (RFC 7748).
    pub const X25519: Self = Self(0x001d);
    /// ML-KEM-768 alone (draft-ietf-tls-mlkem): for those who must not have anything beside it.
    pub const MLKEM768: Self = Self(0x0201);
    /// ML-KEM-1024 alone (draft-ietf-tls-mlkem).
    pub const MLKEM1024: Self = Self(0x0202);
    /// Hybrid of P-256 and ML-KEM-768.
    pub const SECP256R1_MLKEM768: Self = Self(0x11eb);
    /// Hybrid of ML-KEM-768 and X25519.
    pub const X25519_MLKEM768: Self = Self(0x11ec);
    /// Hybrid of P-384 and ML-KEM-1024.
    pub const SECP384R1_MLKEM1024: Self = Self(0x11ed);

    /// Every group that this crate can use, post-quantum hybrids first, ML-KEM alone last.
    pub const SUPPORTED: &'static [Self] = &[
        Self::X25519_MLKEM768,
        Self::SECP256R1_MLKEM768,
        Self::SECP384R1_MLKEM1024,
        Self::X25519,
        Self::SECP256R1,
        Self::SECP384R1,
        Self::SECP521R1,
        Self::MLKEM1024,
        Self::MLKEM768,
    ];

    /// The name in the IANA registry, or `"unknown"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SECP256R1 => "secp256r1",
            Self::SECP384R1 => "secp384r1",
            Self::SECP521R1 => "secp521r1",
            Self::X25519 => "x25519",
            Self::MLKEM768 => "MLKEM768",
            Self::MLKEM1024 => "MLKEM1024",
            Self::SECP256R1_MLKEM768 => "SecP256r1MLKEM768",
            Self::X25519_MLKEM768 => "X25519MLKEM768",
            Self::SECP384R1_MLKEM1024 => "SecP384r1MLKEM1024",
            _ => "unknown",
        }
    }

    /// Whether this crate can exchange keys in the group.
    pub const fn is_supported(self) -> bool {
        self.shape().is_some()
    }

    /// Whether the group joins a classic and a post-quantum exchange.
    pub const fn is_hybrid(self) -> bool {
        matches!(self.shape(), Some(Shape::Hybrid { .. }))
    }

    /// Whether the secret stays safe from someone who records it today and owns a quantum computer later.
    pub const fn is_post_quantum(self) -> bool {
        matches!(self.shape(), Some(Shape::Hybrid { .. } | Shape::MlKem(_)))
    }

    /// Exact length in bytes of the share that a client offers; 0 for a group that is not supported.
    pub const fn offer_len(self) -> usize {
        match self.shape() {
            Some(Shape::Ecdh(curve)) => curve.share_len(),
            Some(Shape::Hybrid { curve, ml_kem, .. }) => {
                curve.share_len().saturating_add(ml_kem.encapsulation_key_len())
            }
            Some(Shape::MlKem(set)) => set.encapsulation_key_len(),
            None => 0,
        }
    }

    /// Exact length in bytes of the share that a server answers with; 0 for a group that is not supported.
    pub const fn answer_len(self) -> usize {
        match self.shape() {
            Some(Shape::Ecdh(curve)) => curve.share_len(),
            Some(Shape::Hybrid { curve, ml_kem, .. }) => {
                curve.share_len().saturating_add(ml_kem.ciphertext_len())
            }
            Some(Shape::MlKem(set)) => set.ciphertext_len(),
            None => 0,
        }
    }

    /// What the group is made of.
    pub(super) const fn shape(self) -> Option<Shape> {
        Some(match self {
            Self::X25519 => Shape::Ecdh(Curve::X25519),
            Self::SECP256R1 => Shape::Ecdh(Curve::P256),
            Self::SECP384R1 => Shape::Ecdh(Curve::P384),
            Self::SECP521R1 => Shape::Ecdh(Curve::P521),
            Self::MLKEM768 => Shape::MlKem(ParameterSet::MlKem768),
            Self::MLKEM1024 => Shape::MlKem(ParameterSet::MlKem1024),
            Self::X25519_MLKEM768 => Shape::Hybrid {
                curve: Curve::X25519,
                ml_kem: ParameterSet::MlKem768,
                order: Order::MlKemFirst,
            },
            Self::SECP256R1_MLKEM768 => {
                Shape::Hybrid { curve: Curve::P256, ml_kem: ParameterSet::MlKem768, order: Order::EcdhFirst }
            }
            Self::SECP384R1_MLKEM1024 => {
                Shape::Hybrid { curve: Curve::P384, ml_kem: ParameterSet::MlKem1024, order: Order::EcdhFirst }
            }
            _ => return None,
        })
    }
}

impl fmt::Display for NamedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "unknown" => write!(f, "unknown group 0x{:04x}", self.0),
            name => f.write_str(name),
        }
    }
}

impl fmt::Debug for NamedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedGroup({self})")
    }
}

/// What a group consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Ecdh(Curve),
    Hybrid { curve: Curve, ml_kem: ParameterSet, order: Order },
    MlKem(ParameterSet),
}

/// Which half comes first, in shares and in the secret alike. The draft gives X25519MLKEM768 the opposite order of
/// the two NIST hybrids (so that each secret begins with the output of a FIPS-approved method).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    EcdhFirst,
    MlKemFirst,
}

impl From<u16> for NamedGroup {
    fn from(value: u16) -> Self {
        Self(value)
    }
}
