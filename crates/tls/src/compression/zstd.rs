//! Zstandard (RFC 8878).

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::CertificateCompressor;

#[derive(Debug)]
pub(super) struct Zstd;

/// The largest window to take, bytes: what RFC 8878 section 3.1.1.1.2 wants of every decoder. Memory is used for what
/// comes out, not for the window.
const MAX_WINDOW: u64 = 8 << 20;

impl CertificateCompressor for Zstd {
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        let compressed = compress_to_vec(certificate, CompressionLevel::Fastest);
        Some(compressed).filter(|compressed| compressed.len() < certificate.len())
    }

    /// One frame and nothing behind it. It is decoded by whole blocks, which bring 128 KiB at most (RFC 8878 section
    /// 3.1.1.2.4), and about 1 MiB where the decoder lets a block's literals run over that: so much more than `length`
    /// is held for a moment when a peer sends too much.
    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        let mut rest = compressed;
        decoder.init(&mut rest).ok()?;
        let too_much = BlockDecodingStrategy::UptoBytes(length.saturating_add(1));
        let finished = decoder.decode_blocks(&mut rest, too_much).ok()?;
        if !finished || !rest.is_empty() || decoder.can_collect() != length {
            return None;
        }
        decoder.collect()
    }
}
