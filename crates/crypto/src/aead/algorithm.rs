//! The AEAD algorithms, their sizes and their limits.

use core::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Algorithm, CHACHA20_POLY1305};

/// Length in bytes of every algorithm's authentication tag.
pub const TAG_LEN: usize = 16;
/// Length in bytes of every algorithm's nonce.
pub const NONCE_LEN: usize = 12;

/// The AEAD algorithms of the TLS cipher suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AeadAlgorithm {
    /// AES-128 in Galois/counter mode.
    Aes128Gcm,
    /// AES-256 in Galois/counter mode.
    Aes256Gcm,
    /// ChaCha20-Poly1305 (RFC 8439).
    ChaCha20Poly1305,
}

impl AeadAlgorithm {
    /// Length in bytes of the authentication tag.
    pub const TAG_LEN: usize = TAG_LEN;
    /// Length in bytes of the nonce.
    pub const NONCE_LEN: usize = NONCE_LEN;

    /// Key length in bytes.
    #[inline]
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Length in bytes of the fixed part of TLS 1.2's nonce, which its key block yields: the 4-byte salt of AES-GCM
    /// (RFC 5288 section 3), all 12 bytes for ChaCha20-Poly1305 (RFC 7905 section 2).
    #[inline]
    #[must_use]
    pub const fn tls12_fixed_iv_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 4,
            Self::ChaCha20Poly1305 => NONCE_LEN,
        }
    }

    /// How many full-size records (2^14 bytes) one key may seal before an attacker's advantage in telling its
    /// ciphertexts from noise grows past 2^-57 (RFC 9846 section 5.5): 2^24.5 for AES-GCM, rounded down. The sequence
    /// number ends first for ChaCha20-Poly1305, so there it is [`u64::MAX`].
    #[inline]
    #[must_use]
    pub const fn confidentiality_limit(self) -> u64 {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 23_726_566,
            Self::ChaCha20Poly1305 => u64::MAX,
        }
    }

    /// How many forgeries may be tried against one key before it must be given up: 2^52 for AES-GCM, 2^36 for
    /// ChaCha20-Poly1305 (RFC 9001 section 6.6, for QUIC; DTLS takes 2^36 for all, RFC 9147 section 4.5.3).
    ///
    /// Stream TLS ends at the first record that fails to open and never comes near; who goes on must count.
    #[inline]
    #[must_use]
    pub const fn integrity_limit(self) -> u64 {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 1 << 52,
            Self::ChaCha20Poly1305 => 1 << 36,
        }
    }

    pub(super) fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Aes128Gcm => &AES_128_GCM,
            Self::Aes256Gcm => &AES_256_GCM,
            Self::ChaCha20Poly1305 => &CHACHA20_POLY1305,
        }
    }
}

impl fmt::Display for AeadAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes128Gcm => "AES-128-GCM",
            Self::Aes256Gcm => "AES-256-GCM",
            Self::ChaCha20Poly1305 => "ChaCha20-Poly1305",
        })
    }
}
