//! zlib (RFC 1950).

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};

use super::CertificateCompressor;

#[derive(Debug)]
pub(super) struct Zlib;

impl CertificateCompressor for Zlib {
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(certificate).ok()?;
        encoder.finish().ok().filter(|compressed| compressed.len() < certificate.len())
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut state = Decompress::new(true);
        let mut certificate = vec![0; length];
        let status = state.decompress(compressed, &mut certificate, FlushDecompress::Finish).ok()?;
        let whole = usize::try_from(state.total_in()) == Ok(compressed.len())
            && usize::try_from(state.total_out()) == Ok(length);
        (status == Status::StreamEnd && whole).then_some(certificate)
    }
}
