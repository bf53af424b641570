//! Protocol versions and cipher suites.

use core::fmt;
use oxtls_crypto::aead::AeadAlgorithm;
use oxtls_crypto::hash::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureAlgorithm, SignatureScheme};

/// A protocol version as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion(pub u16);

impl ProtocolVersion {
    /// SSL 3.0: never spoken, named in errors.
    pub const SSL3: Self = Self(0x0300);
    /// TLS 1.0: never spoken, named in errors.
    pub const TLS1_0: Self = Self(0x0301);
    /// TLS 1.1: never spoken, named in errors.
    pub const TLS1_1: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 9846).
    pub const TLS1_3: Self = Self(0x0304);
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SSL3 => f.write_str("SSL 3.0"),
            Self::TLS1_0 => f.write_str("TLS 1.0"),
            Self::TLS1_1 => f.write_str("TLS 1.1"),
            Self::TLS1_2 => f.write_str("TLS 1.2"),
            Self::TLS1_3 => f.write_str("TLS 1.3"),
            Self(other) => write!(f, "version {other:#06x}"),
        }
    }
}

impl fmt::Debug for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<u16> for ProtocolVersion {
    fn from(value: u16) -> Self {
        Self(value)
    }
}

/// A cipher suite as on the wire (RFC 9846 appendix B.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// TLS 1.3, AES-128-GCM with SHA-256.
    pub const TLS_AES_128_GCM_SHA256: Self = Self(0x1301);
    /// TLS 1.3, AES-256-GCM with SHA-384.
    pub const TLS_AES_256_GCM_SHA384: Self = Self(0x1302);
    /// TLS 1.3, ChaCha20-Poly1305 with SHA-256.
    pub const TLS_CHACHA20_POLY1305_SHA256: Self = Self(0x1303);
    /// TLS 1.2, ECDHE and ECDSA, AES-128-GCM with SHA-256 (RFC 5289).
    pub const TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: Self = Self(0xc02b);
    /// TLS 1.2, ECDHE and ECDSA, AES-256-GCM with SHA-384 (RFC 5289).
    pub const TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: Self = Self(0xc02c);
    /// TLS 1.2, ECDHE and ECDSA, ChaCha20-Poly1305 with SHA-256 (RFC 7905).
    pub const TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: Self = Self(0xcca9);
    /// TLS 1.2, ECDHE and RSA, AES-128-GCM with SHA-256 (RFC 5289).
    pub const TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: Self = Self(0xc02f);
    /// TLS 1.2, ECDHE and RSA, AES-256-GCM with SHA-384 (RFC 5289).
    pub const TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: Self = Self(0xc030);
    /// TLS 1.2, ECDHE and RSA, ChaCha20-Poly1305 with SHA-256 (RFC 7905).
    pub const TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: Self = Self(0xcca8);
    /// Not a suite: signals secure renegotiation (RFC 5746).
    pub const TLS_EMPTY_RENEGOTIATION_INFO_SCSV: Self = Self(0x00ff);
    /// Not a suite: signals a version fallback (RFC 7507).
    pub const TLS_FALLBACK_SCSV: Self = Self(0x5600);

    /// AEAD and hash of a TLS 1.3 suite that this library has, or `None`.
    #[must_use]
    pub const fn tls13(self) -> Option<Tls13Suite> {
        match self {
            Self::TLS_AES_128_GCM_SHA256 => {
                Some(Tls13Suite { suite: self, aead: AeadAlgorithm::Aes128Gcm, hash: Hash::Sha256 })
            }
            Self::TLS_AES_256_GCM_SHA384 => {
                Some(Tls13Suite { suite: self, aead: AeadAlgorithm::Aes256Gcm, hash: Hash::Sha384 })
            }
            Self::TLS_CHACHA20_POLY1305_SHA256 => {
                Some(Tls13Suite { suite: self, aead: AeadAlgorithm::ChaCha20Poly1305, hash: Hash::Sha256 })
            }
            _ => None,
        }
    }

    /// Primitives of a TLS 1.2 suite that this library has, or `None`.
    #[must_use]
    pub const fn tls12(self) -> Option<Tls12Suite> {
        use Authentication::{Ecdsa, Rsa};
        let (aead, hash, authentication) = match self {
            Self::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => (AeadAlgorithm::Aes128Gcm, Hash::Sha256, Ecdsa),
            Self::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => (AeadAlgorithm::Aes256Gcm, Hash::Sha384, Ecdsa),
            Self::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
                (AeadAlgorithm::ChaCha20Poly1305, Hash::Sha256, Ecdsa)
            }
            Self::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => (AeadAlgorithm::Aes128Gcm, Hash::Sha256, Rsa),
            Self::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => (AeadAlgorithm::Aes256Gcm, Hash::Sha384, Rsa),
            Self::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
                (AeadAlgorithm::ChaCha20Poly1305, Hash::Sha256, Rsa)
            }
            _ => return None,
        };
        Some(Tls12Suite { suite: self, aead, hash, authentication })
    }

    /// What kind of suite it is, of all that were ever in common use: for reports on peers that have no other. `None` for
    /// what is no suite, or unknown.
    pub(crate) const fn kind(self) -> Option<&'static str> {
        Some(match self.0 {
            0x1301..=0x1305 => "TLS 1.3",
            0xc02b | 0xc02c | 0xc02f | 0xc030 | 0xc0ac..=0xc0af | 0xcca8 | 0xcca9 => "ECDHE AEAD",
            0x009e | 0x009f | 0x00a2 | 0x00a3 | 0xc09e | 0xc09f | 0xc0a2 | 0xc0a3 | 0xccaa => "DHE AEAD",
            0x009c | 0x009d | 0xc09c | 0xc09d | 0xc0a0 | 0xc0a1 => "static RSA AEAD",
            0x0003 | 0x0006 | 0x0008 | 0x000b | 0x000e | 0x0011 | 0x0014 | 0x0017 | 0x0019 => "export",
            0x0000..=0x0002 | 0x002c..=0x002e | 0x003b | 0xc001 | 0xc006 | 0xc00b | 0xc010 | 0xc015 => "NULL",
            0x0004 | 0x0005 | 0x0018 | 0xc002 | 0xc007 | 0xc00c | 0xc011 | 0xc016 => "RC4",
            0x0007..=0x001b | 0x002f..=0x0046 | 0x0067..=0x006d | 0x0084..=0x0089 => "CBC",
            0x0096..=0x009b | 0x00ba..=0x00c5 | 0xc003..=0xc019 | 0xc023..=0xc02a => "CBC",
            _ => return None,
        })
    }

    /// The registry's name of a suite that this library has, or `None`.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::TLS_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
            Self::TLS_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
            Self::TLS_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
            Self::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            Self::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            Self::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
            }
            Self::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            Self::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            Self::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
            }
            Self::TLS_EMPTY_RENEGOTIATION_INFO_SCSV => "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
            Self::TLS_FALLBACK_SCSV => "TLS_FALLBACK_SCSV",
            _ => return None,
        })
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "suite {:#06x}", self.0),
        }
    }
}

impl fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<u16> for CipherSuite {
    fn from(value: u16) -> Self {
        Self(value)
    }
}

/// A TLS 1.3 suite resolved to its primitives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls13Suite {
    /// The code point.
    pub suite: CipherSuite,
    /// What protects records.
    pub aead: AeadAlgorithm,
    /// What the transcript and the key schedule hash with.
    pub hash: Hash,
}

/// What a TLS 1.2 suite has the server's certificate be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// An ECDSA or Ed25519 key (RFC 8422 section 5.10).
    Ecdsa,
    /// An RSA key.
    Rsa,
}

impl Authentication {
    /// Whether a key of this kind can prove the server of such a suite.
    #[must_use]
    pub const fn fits(self, key: KeyAlgorithm) -> bool {
        match self {
            Self::Ecdsa => key.is_ecdsa() || matches!(key, KeyAlgorithm::Ed25519),
            Self::Rsa => matches!(key, KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss),
        }
    }

    /// What signatures of this scheme prove; `None` for a scheme that TLS 1.2 does not have.
    #[must_use]
    pub const fn of(scheme: SignatureScheme) -> Option<Self> {
        match scheme.algorithm() {
            Some(SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519) => Some(Self::Ecdsa),
            Some(SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_)) => Some(Self::Rsa),
            _ => None,
        }
    }
}

/// A TLS 1.2 suite resolved to its primitives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls12Suite {
    /// The code point.
    pub suite: CipherSuite,
    /// What protects records.
    pub aead: AeadAlgorithm,
    /// What the PRF and the transcript hash with.
    pub hash: Hash,
    /// What the server's certificate must be.
    pub authentication: Authentication,
}
