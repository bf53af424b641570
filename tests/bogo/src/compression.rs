//! The suite's own algorithms to compress certificates by: none that anybody would use.

use oxtls::{CertificateCompression, CertificateCompressor};

use crate::flags::Config;

/// Makes everything four bytes longer.
const EXPANDING: u16 = 0xff02;
/// Strips two leading zeros, which a Certificate message of a server begins with.
const SHRINKING: u16 = 0xff01;
/// Never gives the same twice.
const RANDOM: u16 = 0xff03;

/// Those that the flags install, in order of preference.
pub(crate) fn algorithms(config: &Config) -> Vec<CertificateCompression> {
    let installed = |algorithm: u16| {
        config.install_cert_compression_algs || config.install_one_cert_compression_alg == Some(algorithm)
    };
    let mut algorithms = Vec::new();
    if installed(EXPANDING) {
        algorithms.push(CertificateCompression::custom(EXPANDING, Expanding));
    }
    if installed(SHRINKING) {
        algorithms.push(CertificateCompression::custom(SHRINKING, Shrinking));
    }
    if installed(RANDOM) {
        algorithms.push(CertificateCompression::custom(RANDOM, Random));
    }
    algorithms
}

fn of_length(certificate: Vec<u8>, length: usize) -> Option<Vec<u8>> {
    (certificate.len() == length).then_some(certificate)
}

#[derive(Debug)]
struct Expanding;

impl CertificateCompressor for Expanding {
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        Some([&[1, 2, 3, 4], certificate].concat())
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        of_length(compressed.strip_prefix(&[1, 2, 3, 4])?.to_vec(), length)
    }
}

#[derive(Debug)]
struct Shrinking;

impl CertificateCompressor for Shrinking {
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        certificate.strip_prefix(&[0, 0]).map(<[u8]>::to_vec)
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        of_length([&[0, 0], compressed].concat(), length)
    }
}

#[derive(Debug)]
struct Random;

impl CertificateCompressor for Random {
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        let byte: [u8; 1] = oxtls::crypto::random::array().ok()?;
        Some([&byte[..], certificate].concat())
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        of_length(compressed.get(1..)?.to_vec(), length)
    }
}
