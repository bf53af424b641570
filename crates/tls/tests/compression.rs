//! Compressed certificates between two connections: algorithms of the user's own, of this crate, of the caller.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use oxtls::{
    AlertDescription, CertificateCompression, CertificateCompressor, ConfigError, Decision, ErrorKind,
    HandshakeError, Need,
};

/// Puts a mark ahead, and counts what it does.
#[derive(Clone, Debug, Default)]
struct Marked {
    compressed: Arc<AtomicUsize>,
    decompressed: Arc<AtomicUsize>,
}

impl CertificateCompressor for Marked {
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        self.compressed.fetch_add(1, Ordering::Relaxed);
        Some([b"mark", certificate].concat())
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        self.decompressed.fetch_add(1, Ordering::Relaxed);
        compressed.strip_prefix(b"mark").filter(|rest| rest.len() == length).map(<[u8]>::to_vec)
    }
}

/// Sends what it cannot undo itself.
#[derive(Debug)]
struct Broken;

impl CertificateCompressor for Broken {
    fn compress(&self, _: &[u8]) -> Option<Vec<u8>> {
        Some(b"nonsense".to_vec())
    }

    fn decompress(&self, _: &[u8], _: usize) -> Option<Vec<u8>> {
        None
    }
}

fn counts(marked: &Marked) -> (usize, usize) {
    (marked.compressed.load(Ordering::Relaxed), marked.decompressed.load(Ordering::Relaxed))
}

#[test]
fn each_credential_is_compressed_once_and_each_handshake_decompresses() {
    let (near, far) = (Marked::default(), Marked::default());
    let by = |marked: &Marked| [CertificateCompression::custom(0xff02, marked.clone())];
    let client = mutual_client_config().certificate_compression(by(&near)).no_sessions().build().unwrap();
    let server = mutual_server_config().certificate_compression(by(&far)).build().unwrap();
    for handshakes in 1..4 {
        let (mut client, mut server) = ends(&client, &server);
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(client.info().unwrap().peer_certificates(), PKI.server.chain());
        assert_eq!(server.info().unwrap().peer_certificates(), PKI.client.chain());
        assert_eq!(counts(&near), (1, handshakes));
        assert_eq!(counts(&far), (1, handshakes));
    }
}

#[test]
fn a_credential_that_was_compressed_before_is_not_compressed_again() {
    let marked = Marked::default();
    let by = [CertificateCompression::custom(0xff02, marked.clone())];
    let credential = PKI.server.clone().compressed(&by).unwrap();
    for _ in 0..3 {
        let config = oxtls::ServerConfig::builder().credential(credential.clone());
        config.certificate_compression(by.clone()).build().unwrap();
    }
    assert_eq!(counts(&marked).0, 1);
    // Another staple is another message.
    let stapled = credential.with_ocsp(b"a response".to_vec()).compressed(&by).unwrap();
    assert_eq!(counts(&marked).0, 3);
    let server = oxtls::ServerConfig::builder().credential(stapled).build().unwrap();
    let client = client_config().request_ocsp(true).certificate_compression(by).build().unwrap();
    let (mut client, mut server) = ends(&client, &server);
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(client.info().unwrap().stapled_ocsp(), Some(&b"a response"[..]));
    assert_eq!(counts(&marked).1, 1, "it came compressed");
}

#[test]
fn one_direction_can_be_switched_off() {
    let (near, far) = (Marked::default(), Marked::default());
    let by = |marked: &Marked| CertificateCompression::custom(0xff02, marked.clone());
    let client = mutual_client_config().certificate_compression([by(&near).receiving_only()]);
    let server = mutual_server_config().certificate_compression([by(&far).sending_only()]);
    let (mut client, mut server) = ends(&client.build().unwrap(), &server.build().unwrap());
    handshake(&mut client, &mut server).unwrap();
    assert_eq!((counts(&near), counts(&far)), ((0, 1), (1, 0)));
}

#[test]
fn what_cannot_be_decompressed_is_a_bad_certificate() {
    let by = || [CertificateCompression::custom(0xff01, Broken)];
    let client = client_config().certificate_compression(by()).build().unwrap();
    let server = server_config().certificate_compression(by()).build().unwrap();
    let (mut client, mut server) = ends(&client, &server);
    let error = handshake(&mut client, &mut server).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Handshake(HandshakeError::DecompressionFailed)), "{error}");
    assert_eq!(error.alert_sent(), Some(AlertDescription::BAD_CERTIFICATE));
}

#[test]
fn the_caller_can_decompress() {
    let server =
        server_config().certificate_compression([CertificateCompression::custom(0xff02, Marked::default())]);
    let server = server.build().unwrap();
    let asked = client_config().certificate_compression([CertificateCompression::by_caller(0xff02)]);
    let marked = [CertificateCompression::custom(0xff02, Marked::default())];
    let told_to_ask = client_config().certificate_compression(marked).ask(&[Decision::Decompress]);
    for config in [asked, told_to_ask] {
        let (mut client, mut server) = ends(&config.build().unwrap(), &server);
        let hello = drain(&mut client);
        feed(&mut server, &hello).unwrap();
        let fed = feed(&mut client, &drain(&mut server)).unwrap();
        let Some(Need::Decompress(need)) = fed.needs.into_iter().next() else { panic!("no Decompress") };
        assert_eq!(need.algorithm, 0xff02);
        let certificate = need.bytes[4..].to_vec();
        assert_eq!(u32::try_from(certificate.len()), Ok(need.length));
        client.answer(need.answer(certificate)).unwrap();
        feed(&mut client, &fed.rest).unwrap();
        handshake(&mut client, &mut server).unwrap();
    }
}

#[test]
fn nonsense_is_refused_when_the_configuration_is_built() {
    let by = |algorithms: &[u16]| {
        let algorithms: Vec<_> =
            algorithms.iter().map(|a| CertificateCompression::custom(*a, Marked::default())).collect();
        client_config().certificate_compression(algorithms).build()
    };
    assert!(by(&[1, 2]).is_ok());
    assert!(matches!(by(&[1, 1]), Err(ConfigError::Handshake(_))));
    assert!(matches!(by(&[0]), Err(ConfigError::Handshake(_))));
    #[derive(Debug)]
    struct Empty;
    impl CertificateCompressor for Empty {
        fn compress(&self, _: &[u8]) -> Option<Vec<u8>> {
            Some(Vec::new())
        }
        fn decompress(&self, _: &[u8], _: usize) -> Option<Vec<u8>> {
            None
        }
    }
    let empty = mutual_client_config().certificate_compression([CertificateCompression::custom(7, Empty)]);
    assert!(matches!(empty.build(), Err(ConfigError::Invalid(_))));
}

#[cfg(all(feature = "zlib", feature = "brotli", feature = "zstd"))]
mod algorithms {
    use super::*;
    use oxtls::{Credential, ServerConfig};

    /// The bytes of the server's first flight.
    fn flight(client: &[CertificateCompression], server: &[CertificateCompression]) -> usize {
        // A chain that is there twice can be compressed, whatever is in it.
        let chain = [PKI.server.chain(), &[PKI.ca.certificate().clone()], PKI.server.chain()].concat();
        let key = Signing(PKI.server.shared().signer.clone().unwrap());
        let credential = Credential::new(chain.clone(), key).unwrap();
        let client = client_config().certificate_compression(client.iter().cloned()).build().unwrap();
        let server = ServerConfig::builder()
            .credential(credential)
            .certificate_compression(server.iter().cloned())
            .build()
            .unwrap();
        let (mut client, mut server) = ends(&client, &server);
        feed(&mut server, &drain(&mut client)).unwrap();
        let flight = drain(&mut server);
        feed(&mut client, &flight).unwrap();
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(client.info().unwrap().peer_certificates(), chain);
        flight.len()
    }

    #[derive(Debug)]
    struct Signing(Arc<dyn oxtls::Signer>);

    impl oxtls::Signer for Signing {
        fn key_algorithm(&self) -> oxtls::KeyAlgorithm {
            self.0.key_algorithm()
        }

        fn spki(&self) -> &[u8] {
            self.0.spki()
        }

        fn schemes(&self) -> &[oxtls::SignatureScheme] {
            self.0.schemes()
        }

        fn sign(
            &self,
            scheme: oxtls::SignatureScheme,
            message: &[u8],
        ) -> Result<Vec<u8>, oxtls::crypto::Error> {
            self.0.sign(scheme, message)
        }
    }

    #[test]
    fn each_makes_the_flight_shorter() {
        let plain = flight(&[], &[]);
        for by in
            [CertificateCompression::zlib(), CertificateCompression::brotli(), CertificateCompression::zstd()]
        {
            let by = [by];
            let compressed = flight(&by, &by);
            assert!(compressed + 100 < plain, "{by:?}: {compressed} of {plain}");
            let offered_by_nobody = flight(&[], &by);
            assert!(offered_by_nobody.abs_diff(plain) < 20, "{offered_by_nobody} of {plain}");
        }
    }
}
