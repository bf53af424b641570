//! Compression of certificates (RFC 8879): by algorithms of this crate, each behind a feature of its name, by the
//! user's own, or by whoever answers [`Need::Decompress`](crate::Need::Decompress).
//!
//! What is compressed is our own chain: once, when a configuration is built, never during a handshake. What is
//! decompressed comes from a peer that has proved nothing yet, so it is bounded: nothing comes out beyond the length
//! that the peer said, and that length by the largest message that is taken.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "zlib")]
mod zlib;
#[cfg(feature = "zstd")]
mod zstd;

use std::fmt;
use std::sync::Arc;

/// One algorithm to compress certificates by, for
/// [`certificate_compression`](crate::ClientConfigBuilder::certificate_compression). Cheap to clone.
///
/// ```
/// use oxtls::CertificateCompression;
///
/// // An algorithm of a network of one's own: every certificate there begins with the same 26 bytes.
/// #[derive(Debug)]
/// struct Prefix([u8; 26]);
///
/// impl oxtls::CertificateCompressor for Prefix {
///     fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
///         certificate.strip_prefix(&self.0).map(<[u8]>::to_vec)
///     }
///
///     fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
///         let certificate = [&self.0, compressed].concat();
///         (certificate.len() == length).then_some(certificate)
///     }
/// }
/// let ours = CertificateCompression::custom(0x4001, Prefix([0x30; 26]));
/// assert_eq!(ours.algorithm(), 0x4001);
/// ```
#[derive(Clone, Debug)]
pub struct CertificateCompression {
    algorithm: u16,
    compressor: Option<Arc<dyn CertificateCompressor>>,
    sends: bool,
    receives: bool,
}

/// What an algorithm does.
pub trait CertificateCompressor: fmt::Debug + Send + Sync {
    /// Compresses the body of a Certificate message of ours. `None`: this one is not to be sent compressed, for
    /// instance because it would not get smaller.
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>>;

    /// Decompresses what a peer sent, which must be `length` bytes, and stops where more would come out. `None`: it
    /// cannot be decompressed, or not to this length; the peer gets bad_certificate.
    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>>;
}

impl CertificateCompression {
    /// zlib (RFC 1950), algorithm 1.
    #[cfg(feature = "zlib")]
    #[must_use]
    pub fn zlib() -> Self {
        Self::custom(1, zlib::Zlib)
    }

    /// Brotli (RFC 7932), algorithm 2: the one that browsers offer.
    #[cfg(feature = "brotli")]
    #[must_use]
    pub fn brotli() -> Self {
        Self::custom(2, brotli::Brotli)
    }

    /// Zstandard (RFC 8878), algorithm 3.
    #[cfg(feature = "zstd")]
    #[must_use]
    pub fn zstd() -> Self {
        Self::custom(3, zstd::Zstd)
    }

    /// An algorithm of the user's own; 16,384 to 65,535 are for experiments.
    #[must_use]
    pub fn custom(algorithm: u16, compressor: impl CertificateCompressor + 'static) -> Self {
        Self { algorithm, compressor: Some(Arc::new(compressor)), sends: true, receives: true }
    }

    /// An algorithm that is offered to peers and undone by the connection's caller, who answers
    /// [`Need::Decompress`](crate::Need::Decompress). Nothing of ours is compressed by it.
    #[must_use]
    pub fn by_caller(algorithm: u16) -> Self {
        Self { algorithm, compressor: None, sends: false, receives: true }
    }

    /// Compress our certificates, take none that are compressed.
    #[must_use]
    pub fn sending_only(self) -> Self {
        Self { receives: false, ..self }
    }

    /// Take compressed certificates, compress none of ours.
    #[must_use]
    pub fn receiving_only(self) -> Self {
        Self { sends: false, ..self }
    }

    /// The algorithm's number in the registry of RFC 8879 section 7.3.
    #[must_use]
    pub const fn algorithm(&self) -> u16 {
        self.algorithm
    }

    /// Whether it is offered to peers.
    pub(crate) const fn receives(&self) -> bool {
        self.receives
    }

    /// What our certificates are compressed by, if they are.
    pub(crate) fn sender(&self) -> Option<&dyn CertificateCompressor> {
        self.compressor.as_deref().filter(|_| self.sends)
    }

    /// What compressed certificates are undone by, if it is here.
    pub(crate) fn receiver(&self) -> Option<&dyn CertificateCompressor> {
        self.compressor.as_deref().filter(|_| self.receives)
    }
}

#[cfg(all(test, feature = "zlib", feature = "brotli", feature = "zstd"))]
mod tests;
