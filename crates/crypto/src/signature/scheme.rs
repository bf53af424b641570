//! The names of signatures: as TLS negotiates them, as certificates carry them, and what each kind of key can make.

use core::fmt;

use crate::hash::Hash;

/// A signature scheme as TLS names it on the wire (RFC 9846 section 4.3.3).
///
/// Any 16-bit value can be held, because a peer may offer schemes that nobody here knows;
/// [`SignatureScheme::is_supported`] says which ones can be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignatureScheme(pub u16);

/// A signature algorithm without TLS's bindings to key types and curves: what a certificate names and what a key
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 8017 section 8.1), MGF1 with the same hash, a salt as long as the hash.
    RsaPss(Hash),
    /// ECDSA, its signature a DER sequence of two integers.
    Ecdsa(Hash),
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ML-DSA-44 (FIPS 204), empty context.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204), empty context.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204), empty context.
    MlDsa87,
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// An RSA key for any padding (rsaEncryption).
    Rsa,
    /// An RSA key for PSS only (id-RSASSA-PSS, RFC 4055).
    RsaPss,
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on NIST P-521.
    EcdsaP521,
    /// Ed25519.
    Ed25519,
    /// ML-DSA-44.
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
}

impl SignatureScheme {
    /// RSASSA-PKCS1-v1_5 with SHA-1. Named so that it can be recognised; never supported.
    pub const RSA_PKCS1_SHA1: Self = Self(0x0201);
    /// ECDSA with SHA-1. Named so that it can be recognised; never supported.
    pub const ECDSA_SHA1: Self = Self(0x0203);
    /// RSASSA-PKCS1-v1_5 with SHA-256: TLS 1.2 and certificates only.
    pub const RSA_PKCS1_SHA256: Self = Self(0x0401);
    /// ECDSA with SHA-256, in TLS 1.3 on P-256.
    pub const ECDSA_SECP256R1_SHA256: Self = Self(0x0403);
    /// RSASSA-PKCS1-v1_5 with SHA-384: TLS 1.2 and certificates only.
    pub const RSA_PKCS1_SHA384: Self = Self(0x0501);
    /// ECDSA with SHA-384, in TLS 1.3 on P-384.
    pub const ECDSA_SECP384R1_SHA384: Self = Self(0x0503);
    /// RSASSA-PKCS1-v1_5 with SHA-512: TLS 1.2 and certificates only.
    pub const RSA_PKCS1_SHA512: Self = Self(0x0601);
    /// ECDSA with SHA-512, in TLS 1.3 on P-521.
    pub const ECDSA_SECP521R1_SHA512: Self = Self(0x0603);
    /// RSASSA-PSS with SHA-256 and an rsaEncryption key.
    pub const RSA_PSS_RSAE_SHA256: Self = Self(0x0804);
    /// RSASSA-PSS with SHA-384 and an rsaEncryption key.
    pub const RSA_PSS_RSAE_SHA384: Self = Self(0x0805);
    /// RSASSA-PSS with SHA-512 and an rsaEncryption key.
    pub const RSA_PSS_RSAE_SHA512: Self = Self(0x0806);
    /// Ed25519.
    pub const ED25519: Self = Self(0x0807);
    /// RSASSA-PSS with SHA-256 and an id-RSASSA-PSS key.
    pub const RSA_PSS_PSS_SHA256: Self = Self(0x0809);
    /// RSASSA-PSS with SHA-384 and an id-RSASSA-PSS key.
    pub const RSA_PSS_PSS_SHA384: Self = Self(0x080a);
    /// RSASSA-PSS with SHA-512 and an id-RSASSA-PSS key.
    pub const RSA_PSS_PSS_SHA512: Self = Self(0x080b);
    /// ML-DSA-44: TLS 1.3 only (draft-ietf-tls-mldsa).
    pub const ML_DSA_44: Self = Self(0x0904);
    /// ML-DSA-65: TLS 1.3 only (draft-ietf-tls-mldsa).
    pub const ML_DSA_65: Self = Self(0x0905);
    /// ML-DSA-87: TLS 1.3 only (draft-ietf-tls-mldsa).
    pub const ML_DSA_87: Self = Self(0x0906);

    /// Every scheme that this crate can verify.
    pub const SUPPORTED: &'static [Self] = &[
        Self::ECDSA_SECP256R1_SHA256,
        Self::ECDSA_SECP384R1_SHA384,
        Self::ECDSA_SECP521R1_SHA512,
        Self::ED25519,
        Self::ML_DSA_44,
        Self::ML_DSA_65,
        Self::ML_DSA_87,
        Self::RSA_PSS_RSAE_SHA256,
        Self::RSA_PSS_RSAE_SHA384,
        Self::RSA_PSS_RSAE_SHA512,
        Self::RSA_PSS_PSS_SHA256,
        Self::RSA_PSS_PSS_SHA384,
        Self::RSA_PSS_PSS_SHA512,
        Self::RSA_PKCS1_SHA256,
        Self::RSA_PKCS1_SHA384,
        Self::RSA_PKCS1_SHA512,
    ];

    /// The name that RFC 9846 gives it, or `"unknown"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RSA_PKCS1_SHA1 => "rsa_pkcs1_sha1",
            Self::ECDSA_SHA1 => "ecdsa_sha1",
            Self::RSA_PKCS1_SHA256 => "rsa_pkcs1_sha256",
            Self::RSA_PKCS1_SHA384 => "rsa_pkcs1_sha384",
            Self::RSA_PKCS1_SHA512 => "rsa_pkcs1_sha512",
            Self::ECDSA_SECP256R1_SHA256 => "ecdsa_secp256r1_sha256",
            Self::ECDSA_SECP384R1_SHA384 => "ecdsa_secp384r1_sha384",
            Self::ECDSA_SECP521R1_SHA512 => "ecdsa_secp521r1_sha512",
            Self::RSA_PSS_RSAE_SHA256 => "rsa_pss_rsae_sha256",
            Self::RSA_PSS_RSAE_SHA384 => "rsa_pss_rsae_sha384",
            Self::RSA_PSS_RSAE_SHA512 => "rsa_pss_rsae_sha512",
            Self::ED25519 => "ed25519",
            Self::RSA_PSS_PSS_SHA256 => "rsa_pss_pss_sha256",
            Self::RSA_PSS_PSS_SHA384 => "rsa_pss_pss_sha384",
            Self::RSA_PSS_PSS_SHA512 => "rsa_pss_pss_sha512",
            Self::ML_DSA_44 => "mldsa44",
            Self::ML_DSA_65 => "mldsa65",
            Self::ML_DSA_87 => "mldsa87",
            _ => "unknown",
        }
    }

    /// Whether this crate can verify the scheme.
    pub const fn is_supported(self) -> bool {
        self.algorithm().is_some()
    }

    /// The algorithm behind the scheme; `None` when it is not supported.
    pub const fn algorithm(self) -> Option<SignatureAlgorithm> {
        use SignatureAlgorithm::{Ecdsa, Ed25519, MlDsa44, MlDsa65, MlDsa87, RsaPkcs1, RsaPss};
        Some(match self {
            Self::RSA_PKCS1_SHA256 => RsaPkcs1(Hash::Sha256),
            Self::RSA_PKCS1_SHA384 => RsaPkcs1(Hash::Sha384),
            Self::RSA_PKCS1_SHA512 => RsaPkcs1(Hash::Sha512),
            Self::RSA_PSS_RSAE_SHA256 | Self::RSA_PSS_PSS_SHA256 => RsaPss(Hash::Sha256),
            Self::RSA_PSS_RSAE_SHA384 | Self::RSA_PSS_PSS_SHA384 => RsaPss(Hash::Sha384),
            Self::RSA_PSS_RSAE_SHA512 | Self::RSA_PSS_PSS_SHA512 => RsaPss(Hash::Sha512),
            Self::ECDSA_SECP256R1_SHA256 => Ecdsa(Hash::Sha256),
            Self::ECDSA_SECP384R1_SHA384 => Ecdsa(Hash::Sha384),
            Self::ECDSA_SECP521R1_SHA512 => Ecdsa(Hash::Sha512),
            Self::ED25519 => Ed25519,
            Self::ML_DSA_44 => MlDsa44,
            Self::ML_DSA_65 => MlDsa65,
            Self::ML_DSA_87 => MlDsa87,
            _ => return None,
        })
    }

    /// Whether a TLS 1.3 CertificateVerify may use the scheme: PKCS#1 v1.5 may only appear in certificates there
    /// (RFC 9846 section 4.3.3).
    pub const fn usable_in_tls13_handshake(self) -> bool {
        !matches!(self.algorithm(), None | Some(SignatureAlgorithm::RsaPkcs1(_)))
    }

    /// Whether TLS 1.2 may sign its handshake with the scheme: ML-DSA is for TLS 1.3 only.
    pub const fn usable_in_tls12_handshake(self) -> bool {
        use SignatureAlgorithm::{Ecdsa, Ed25519, RsaPkcs1, RsaPss};
        matches!(self.algorithm(), Some(RsaPkcs1(_) | RsaPss(_) | Ecdsa(_) | Ed25519))
    }

    /// Whether a key of this kind may sign a TLS 1.3 CertificateVerify with the scheme: a scheme names its curve,
    /// and tells the two kinds of RSA key apart.
    pub const fn fits_tls13(self, key: KeyAlgorithm) -> bool {
        match self {
            Self::RSA_PSS_RSAE_SHA256 | Self::RSA_PSS_RSAE_SHA384 | Self::RSA_PSS_RSAE_SHA512 => {
                matches!(key, KeyAlgorithm::Rsa)
            }
            Self::RSA_PSS_PSS_SHA256 | Self::RSA_PSS_PSS_SHA384 | Self::RSA_PSS_PSS_SHA512 => {
                matches!(key, KeyAlgorithm::RsaPss)
            }
            Self::ECDSA_SECP256R1_SHA256 => matches!(key, KeyAlgorithm::EcdsaP256),
            Self::ECDSA_SECP384R1_SHA384 => matches!(key, KeyAlgorithm::EcdsaP384),
            Self::ECDSA_SECP521R1_SHA512 => matches!(key, KeyAlgorithm::EcdsaP521),
            Self::ED25519 => matches!(key, KeyAlgorithm::Ed25519),
            Self::ML_DSA_44 => matches!(key, KeyAlgorithm::MlDsa44),
            Self::ML_DSA_65 => matches!(key, KeyAlgorithm::MlDsa65),
            Self::ML_DSA_87 => matches!(key, KeyAlgorithm::MlDsa87),
            _ => false,
        }
    }

    /// Whether a key of this kind may sign in TLS 1.2 with the scheme: there an ECDSA scheme means a hash and any
    /// curve (RFC 9846 section 4.3.3), and PKCS#1 v1.5 is still used.
    pub const fn fits_tls12(self, key: KeyAlgorithm) -> bool {
        match self.algorithm() {
            Some(SignatureAlgorithm::RsaPkcs1(_)) => matches!(key, KeyAlgorithm::Rsa),
            Some(SignatureAlgorithm::Ecdsa(_)) => key.is_ecdsa(),
            Some(SignatureAlgorithm::RsaPss(_) | SignatureAlgorithm::Ed25519) => self.fits_tls13(key),
            _ => false,
        }
    }

    /// Whether the scheme belongs to this kind of key in any version of TLS.
    pub(crate) const fn fits(self, key: KeyAlgorithm) -> bool {
        self.fits_tls13(key) || self.fits_tls12(key)
    }
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "unknown" => write!(f, "unknown signature scheme 0x{:04x}", self.0),
            name => f.write_str(name),
        }
    }
}

impl fmt::Debug for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureScheme({self})")
    }
}

impl SignatureAlgorithm {
    /// The hash that is signed; `None` where the algorithm takes the message itself.
    pub const fn hash(self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss(hash) | Self::Ecdsa(hash) => Some(hash),
            Self::Ed25519 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => None,
        }
    }
}

impl KeyAlgorithm {
    /// A name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::RsaPss => "RSA-PSS",
            Self::EcdsaP256 => "ECDSA P-256",
            Self::EcdsaP384 => "ECDSA P-384",
            Self::EcdsaP521 => "ECDSA P-521",
            Self::Ed25519 => "Ed25519",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// What such a key signs with here, best first and TLS 1.3's before what only TLS 1.2 allows. A curve signs with
    /// the hash of its own size; other pairs can be verified (TLS 1.2, certificates) but are not made.
    pub const fn schemes(self) -> &'static [SignatureScheme] {
        match self {
            Self::Rsa => &[
                SignatureScheme::RSA_PSS_RSAE_SHA256,
                SignatureScheme::RSA_PSS_RSAE_SHA384,
                SignatureScheme::RSA_PSS_RSAE_SHA512,
                SignatureScheme::RSA_PKCS1_SHA256,
                SignatureScheme::RSA_PKCS1_SHA384,
                SignatureScheme::RSA_PKCS1_SHA512,
            ],
            Self::RsaPss => &[
                SignatureScheme::RSA_PSS_PSS_SHA256,
                SignatureScheme::RSA_PSS_PSS_SHA384,
                SignatureScheme::RSA_PSS_PSS_SHA512,
            ],
            Self::EcdsaP256 => &[SignatureScheme::ECDSA_SECP256R1_SHA256],
            Self::EcdsaP384 => &[SignatureScheme::ECDSA_SECP384R1_SHA384],
            Self::EcdsaP521 => &[SignatureScheme::ECDSA_SECP521R1_SHA512],
            Self::Ed25519 => &[SignatureScheme::ED25519],
            Self::MlDsa44 => &[SignatureScheme::ML_DSA_44],
            Self::MlDsa65 => &[SignatureScheme::ML_DSA_65],
            Self::MlDsa87 => &[SignatureScheme::ML_DSA_87],
        }
    }

    /// Whether the key is one of the ECDSA kinds.
    pub const fn is_ecdsa(self) -> bool {
        matches!(self, Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521)
    }

    /// Whether a key of this kind can make or check the algorithm's signatures.
    pub const fn fits(self, algorithm: SignatureAlgorithm) -> bool {
        match algorithm {
            SignatureAlgorithm::RsaPkcs1(_) => matches!(self, Self::Rsa),
            SignatureAlgorithm::RsaPss(_) => matches!(self, Self::Rsa | Self::RsaPss),
            SignatureAlgorithm::Ecdsa(_) => self.is_ecdsa(),
            SignatureAlgorithm::Ed25519 => matches!(self, Self::Ed25519),
            SignatureAlgorithm::MlDsa44 => matches!(self, Self::MlDsa44),
            SignatureAlgorithm::MlDsa65 => matches!(self, Self::MlDsa65),
            SignatureAlgorithm::MlDsa87 => matches!(self, Self::MlDsa87),
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<u16> for SignatureScheme {
    fn from(value: u16) -> Self {
        Self(value)
    }
}
