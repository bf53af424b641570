//! Certificate transparency logs.

use std::time::{SystemTime, UNIX_EPOCH};

use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, SigningKey};
use pki_types::CertificateDer;

use crate::crl::extension;
use crate::der::{contents, elements, first, tlv};
use crate::{Ca, RawExtension};

/// The extension of embedded timestamps.
pub const EMBEDDED_SCTS: &str = "1.3.6.1.4.1.11129.2.4.2";
/// The extension of an OCSP response with timestamps.
pub const OCSP_SCTS: &str = "1.3.6.1.4.1.11129.2.4.5";

/// A log that promises whatever it is asked to.
#[derive(Debug)]
pub struct TestLog {
    key: SigningKey,
}

impl TestLog {
    /// A log with a key of this kind.
    #[must_use]
    pub fn new(key: KeyAlgorithm) -> Self {
        Self { key: SigningKey::generate(key).expect("a key can be made") }
    }

    /// Its SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        self.key.spki()
    }

    /// A timestamp of now for a certificate as it is.
    #[must_use]
    pub fn stamp(&self, certificate: &CertificateDer<'_>) -> Vec<u8> {
        self.stamp_at(certificate, now())
    }

    /// A timestamp of this second.
    #[must_use]
    pub fn stamp_at(&self, certificate: &CertificateDer<'_>, seconds: u64) -> Vec<u8> {
        let mut entry = vec![0, 0];
        entry.extend(vector24(certificate));
        self.sign(seconds, &entry)
    }

    /// A timestamp of now for a precertificate: the signed part that the certificate has but for its timestamps.
    #[must_use]
    pub fn stamp_precertificate(&self, tbs: &[u8], issuer: &Ca) -> Vec<u8> {
        let mut entry = vec![0, 1];
        entry.extend_from_slice(Hash::Sha256.digest(issuer.key().spki()).as_ref());
        entry.extend(vector24(tbs));
        self.sign(now(), &entry)
    }

    fn sign(&self, seconds: u64, entry: &[u8]) -> Vec<u8> {
        let milliseconds = (seconds * 1_000).to_be_bytes();
        let message = [&[0, 0], &milliseconds[..], entry, &[0, 0]].concat();
        let signature = self.key.sign_certificate(&message).expect("the key signs");
        let kind = if matches!(self.key.key_algorithm(), KeyAlgorithm::EcdsaP256) { 3 } else { 1 };
        let id = Hash::Sha256.digest(self.key.spki());
        [&[0], id.as_ref(), &milliseconds, &[0, 0], &[4, kind], &vector16(&signature)].concat()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A SignedCertificateTimestampList.
#[must_use]
pub fn sct_list(timestamps: &[Vec<u8>]) -> Vec<u8> {
    let all: Vec<u8> = timestamps.iter().flat_map(|timestamp| vector16(timestamp)).collect();
    vector16(&all)
}

/// The signed part of a certificate.
#[must_use]
pub fn tbs<'a>(certificate: &'a CertificateDer<'_>) -> &'a [u8] {
    first(contents(certificate))
}

impl Ca {
    /// The same certificate with a list of timestamps in it, signed anew. The list stands between other extensions.
    #[must_use]
    pub fn embed(&self, certificate: &CertificateDer<'_>, list: &[u8]) -> CertificateDer<'static> {
        let value = tlv(0x04, &[list]);
        let ours = extension(&RawExtension { oid: EMBEDDED_SCTS.to_owned(), critical: false, value });
        let mut all = Vec::new();
        for field in elements(contents(tbs(certificate))) {
            if field[0] != 0xa3 {
                all.extend_from_slice(field);
                continue;
            }
            let mut extensions = elements(contents(contents(field)));
            extensions.insert(1, &ours);
            all.extend(tlv(0xa3, &[&tlv(0x30, &[&extensions.concat()])]));
        }
        self.sign_tbs(&tlv(0x30, &[&all]))
    }
}

fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn vector24(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[1..], bytes].concat()
}
