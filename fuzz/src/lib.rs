//! What the fuzz targets share: the key that signs what they make up, and the form of a chain's input.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use oxtls_crypto::signature::{KeyAlgorithm, SigningKey};
use oxtls_test_pki::{Ca, CaSpec, LeafSpec, der};
use oxtls_x509::{Purpose, Revocation, RevocationStatus, Roots, SignatureCache, Stapled, Verifier};
use pki_types::{CertificateDer, ServerName, UnixTime};

/// When everything is validated: the corpus must mean the same tomorrow. 2026-12-01 00:00:00 UTC.
pub const NOW: u64 = 1_796_083_200;

/// The one key of all certificates of a made-up chain (P-256): the scalar is 32 octets of 1.
pub fn key() -> SigningKey {
    let mut pkcs8 = vec![0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    pkcs8.extend([6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20]);
    pkcs8.extend([1; 32]);
    SigningKey::from_pkcs8_der(&pkcs8).expect("a key")
}

/// Puts a signature by [`key`] around a TBSCertificate. Those made before are remembered: mutants differ in one part.
pub fn signed(tbs: &[u8]) -> CertificateDer<'static> {
    thread_local! {
        static KEY: SigningKey = key();
        static KNOWN: RefCell<HashMap<Vec<u8>, Vec<u8>>> = RefCell::default();
    }
    let signature = KNOWN.with_borrow_mut(|known| {
        if known.len() > 20_000 {
            known.clear();
        }
        let sign = || KEY.with(|key| key.sign_certificate(tbs).expect("a signature"));
        known.entry(tbs.to_vec()).or_insert_with(sign).clone()
    });
    wrapped(tbs, &signature)
}

/// A certificate around a TBSCertificate and a signature.
pub fn wrapped(tbs: &[u8], signature: &[u8]) -> CertificateDer<'static> {
    let algorithm = der::tlv(0x30, &[&der::oid("1.2.840.10045.4.3.2")]);
    CertificateDer::from(der::tlv(0x30, &[tbs, &algorithm, &der::tlv(3, &[&[0], signature])]))
}

/// A chain whose status is asked for: its names, serial number and key are the same in every process, its leaf's own
/// key apart.
pub struct Judged {
    pub root: Ca,
    pub chain: Vec<CertificateDer<'static>>,
    roots: Roots,
    /// The chain's own signature is always the same.
    signatures: Arc<SignatureCache>,
}

impl Judged {
    pub fn new() -> Self {
        let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let (from, until) = (time(NOW - 86_400), time(NOW + 864_000));
        let root = CaSpec::new("Root", KeyAlgorithm::EcdsaP256).valid_from(from).valid_until(until);
        let root = Ca::with_key(root, key());
        let leaf = LeafSpec::server("example.com").valid_from(from).valid_until(until).serial(&[5]);
        let chain = root.issue(leaf).chain;
        let mut roots = Roots::empty();
        roots.add_der(root.certificate()).expect("a root");
        Self { root, chain, roots, signatures: Arc::new(SignatureCache::new(8).expect("randomness")) }
    }

    /// Validates the chain with what is known of its status. Whatever that is, it must end well. Gives the status, where
    /// the chain is accepted.
    pub fn judge(&self, revocation: Revocation, stapled: Stapled<'_>) -> Option<RevocationStatus> {
        let verifier = Verifier::new(self.roots.clone(), Purpose::ServerAuth)
            .with_signature_cache(Arc::clone(&self.signatures))
            .with_revocation(revocation);
        let name = ServerName::try_from("example.com").expect("a name");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        match verifier.verify_peer(&self.chain, &(&name).into(), stapled, now) {
            Ok(path) => {
                assert_eq!(path.positions().count(), 1);
                path.possession_proved();
                Some(path.revocation())
            }
            Err(report) => {
                assert!(report.explain().len() < 100_000);
                None
            }
        }
    }
}

impl Default for Judged {
    fn default() -> Self {
        Self::new()
    }
}

/// An input of the target `chain`: how to validate, how many of the parts are roots, and the parts, each with its
/// length (16 bits) before it.
pub struct ChainInput<'a> {
    pub flags: u8,
    pub roots: usize,
    pub parts: Vec<&'a [u8]>,
}

impl<'a> ChainInput<'a> {
    pub fn parse(input: &'a [u8]) -> Option<Self> {
        let (&[flags, roots], mut rest) = input.split_first_chunk()?;
        let mut parts = Vec::new();
        while let Some((length, tail)) = rest.split_first_chunk() {
            if parts.len() == 16 {
                break;
            }
            let length = usize::from(u16::from_be_bytes(*length)).min(tail.len());
            let (part, tail) = tail.split_at(length);
            parts.push(part);
            rest = tail;
        }
        Some(Self { flags, roots: usize::from(roots % 4), parts })
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut input = vec![self.flags, u8::try_from(self.roots).expect("few")];
        for part in &self.parts {
            input.extend(u16::try_from(part.len()).expect("short").to_be_bytes());
            input.extend_from_slice(part);
        }
        input
    }
}
