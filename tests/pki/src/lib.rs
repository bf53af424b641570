//! Certificate authorities and certificates made per run: no test depends on a checked-in key or date.
//!
//! ```
//! use oxtls_crypto::signature::KeyAlgorithm;
//! use oxtls_test_pki::{Ca, LeafSpec};
//!
//! let root = Ca::new("Test Root", KeyAlgorithm::EcdsaP256);
//! let intermediate = root.intermediate("Test Intermediate", KeyAlgorithm::EcdsaP384);
//! let server = intermediate.issue(LeafSpec::server("localhost").ip([127, 0, 0, 1].into()));
//! assert_eq!(server.chain.len(), 2);
//! let _roots_pem = root.certificate_pem();
//! let (_chain_pem, _key_pem) = (server.chain_pem(), server.key_pem());
//! ```
//!
//! Everything panics on failure: it can fail only on nonsense in a specification (a subject that is no RFC 4514 name,
//! a date before 1970) or when the machine has no randomness.
#![forbid(unsafe_code)]

mod builder_key;
mod crl;
pub mod der;
mod log;
mod ocsp;
mod spec;

use std::path::Path;
use std::str::FromStr;

use ::der::Encode;
use ::der::asn1::OctetString;
use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, SigningKey};
use pki_types::{CertificateDer, PrivateKeyDer};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

pub use builder_key::BuilderKey;
pub use crl::{CrlSpec, many};
pub use log::{EMBEDDED_SCTS, OCSP_SCTS, TestLog, sct_list, tbs};
pub use ocsp::{OcspSpec, name_der, respond, serial, subject};
pub use spec::{CLIENT_AUTH, CaSpec, LeafSpec, RawExtension, SERVER_AUTH};

use spec::Common;

/// A certificate authority: a root, or an intermediate below one.
#[derive(Debug)]
pub struct Ca {
    subject: String,
    key: SigningKey,
    certificate: CertificateDer<'static>,
    /// This CA's certificate and those above it, without the root's: what a server appends to its own certificate.
    path: Vec<CertificateDer<'static>>,
}

impl Ca {
    /// A self-signed root with critical basicConstraints and keyUsage (certificate and CRL signing) and a subject
    /// key identifier, valid from yesterday for ten years.
    #[must_use]
    pub fn new(name: &str, key: KeyAlgorithm) -> Self {
        Self::with(CaSpec::new(name, key))
    }

    /// A self-signed root as specified.
    #[must_use]
    pub fn with(spec: CaSpec) -> Self {
        let key = SigningKey::generate(spec.common.key).expect("a key can be made");
        Self::with_key(spec, key)
    }

    /// A self-signed root as specified, over a key that exists.
    #[must_use]
    pub fn with_key(spec: CaSpec, key: SigningKey) -> Self {
        let subject = spec.common.subject.clone();
        let certificate = build(spec.into_common(), &subject, &key, key.spki());
        Self { subject, key, certificate, path: Vec::new() }
    }

    /// An intermediate CA below this one.
    #[must_use]
    pub fn intermediate(&self, name: &str, key: KeyAlgorithm) -> Self {
        self.intermediate_with(CaSpec::new(name, key))
    }

    /// An intermediate CA as specified.
    #[must_use]
    pub fn intermediate_with(&self, spec: CaSpec) -> Self {
        let key = SigningKey::generate(spec.common.key).expect("a key can be made");
        let subject = spec.common.subject.clone();
        let certificate = build(spec.into_common(), &self.subject, &self.key, key.spki());
        let mut path = vec![certificate.clone()];
        path.extend(self.path.iter().cloned());
        Self { subject, key, certificate, path }
    }

    /// A certificate by this CA for another CA's name and key.
    #[must_use]
    pub fn cross_sign(&self, other: &Self) -> CertificateDer<'static> {
        let spec = CaSpec::with_subject(&other.subject, other.key.key_algorithm());
        build(spec.into_common(), &self.subject, &self.key, other.key.spki())
    }

    /// A certificate with a fresh key.
    #[must_use]
    pub fn issue(&self, spec: LeafSpec) -> Issued {
        let key = SigningKey::generate(spec.common.key).expect("a key can be made");
        self.issue_for(spec, key)
    }

    /// A certificate for a key that exists.
    #[must_use]
    pub fn issue_for(&self, spec: LeafSpec, key: SigningKey) -> Issued {
        let mut chain = vec![build(spec.into_common(), &self.subject, &self.key, key.spki())];
        chain.extend(self.path.iter().cloned());
        Issued { chain, key }
    }

    /// Edits the signed part of a certificate (a TBSCertificate with its header) and signs it anew: for certificates
    /// that no builder would make.
    #[must_use]
    pub fn resign(
        &self,
        certificate: &CertificateDer<'_>,
        edit: impl FnOnce(&mut Vec<u8>),
    ) -> CertificateDer<'static> {
        let mut tbs = der::first(der::contents(certificate)).to_vec();
        edit(&mut tbs);
        self.sign_tbs(&tbs)
    }

    /// A certificate around any bytes: this CA's algorithm identifier and signature over them.
    #[must_use]
    pub fn sign_tbs(&self, tbs: &[u8]) -> CertificateDer<'static> {
        let signature = self.key.sign_certificate(tbs).expect("the key signs");
        let signature = der::tlv(0x03, &[&[0], signature.as_slice()]);
        CertificateDer::from(der::tlv(0x30, &[tbs, self.key.algorithm_identifier_der(), &signature]))
    }

    /// The subject, in the form of RFC 4514.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The CA's key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The CA's own certificate: what a verifier adds to its roots.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The CA's own certificate and those above it, without the root's.
    #[must_use]
    pub fn path(&self) -> &[CertificateDer<'static>] {
        &self.path
    }

    /// The CA's own certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// Writes the CA's own certificate as a PEM file.
    pub fn write_certificate(&self, path: impl AsRef<Path>) {
        write(path.as_ref(), &self.certificate_pem());
    }
}

/// A certificate, its chain without the root, and its key.
#[derive(Debug)]
pub struct Issued {
    /// The certificate, then the intermediates in order.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub key: SigningKey,
}

impl Issued {
    /// The certificate itself.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.chain.first().expect("a chain has a leaf")
    }

    /// The private key as PKCS#8.
    #[must_use]
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        self.key.to_private_key_der().expect("the key can be encoded")
    }

    /// The chain as PEM, the certificate first.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect()
    }

    /// The private key as PEM (PKCS#8, not encrypted).
    #[must_use]
    pub fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key.to_pkcs8_der().expect("the key can be encoded"))
    }

    /// Writes the chain and the key as PEM files.
    pub fn write(&self, chain: impl AsRef<Path>, key: impl AsRef<Path>) {
        write(chain.as_ref(), &self.chain_pem());
        write(key.as_ref(), &self.key_pem());
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// PEM text of one section (RFC 7468).
#[must_use]
pub fn pem(label: &str, contents: &[u8]) -> String {
    ::der::pem::encode_string(label, ::der::pem::LineEnding::LF, contents)
        .expect("a label and bytes make a PEM")
}

/// Issues one certificate.
fn build(spec: Common, issuer: &str, issuer_key: &SigningKey, spki: &[u8]) -> CertificateDer<'static> {
    let public_key = SubjectPublicKeyInfoOwned::try_from(spki).expect("a key's SPKI parses");
    let serial = spec.serial.unwrap_or_else(random_serial);
    let profile = Everything {
        issuer: name(issuer),
        subject: name(&spec.subject),
        key_ids: spec.key_ids,
        is_ca: spec.is_ca,
        extensions: spec.extensions,
    };
    let serial = SerialNumber::new(&serial).expect("a serial number of 1 to 20 octets");
    let validity = spec::validity(spec.not_before, spec.not_after);
    let builder =
        CertificateBuilder::new(profile, serial, validity, public_key).expect("the builder takes its parts");
    let certificate = builder.build(&BuilderKey(issuer_key)).expect("the certificate can be built");
    CertificateDer::from(certificate.to_der().expect("the certificate can be encoded"))
}

fn name(text: &str) -> Name {
    if text.is_empty() { Name::default() } else { Name::from_str(text).expect("an RFC 4514 name") }
}

/// 16 random octets that make a positive number of full length.
fn random_serial() -> Vec<u8> {
    let mut serial = oxtls_crypto::random::array::<16>().expect("the machine has randomness");
    serial[0] = serial[0] & 0x3f | 0x40;
    serial.to_vec()
}

/// A profile without opinions: what the specification says, plus key identifiers.
struct Everything {
    issuer: Name,
    subject: Name,
    key_ids: bool,
    is_ca: bool,
    extensions: Vec<RawExtension>,
}

impl BuilderProfile for Everything {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let mut all: Vec<_> = self.extensions.iter().map(extension).collect();
        if self.key_ids {
            let own = der::tlv(0x04, &[&key_id(key)]);
            all.push(extension(&RawExtension { oid: "2.5.29.14".into(), critical: false, value: own }));
            if !(self.is_ca && self.issuer == self.subject) {
                let issuer = der::tlv(0x30, &[&der::tlv(0x80, &[&key_id(issuer_key)])]);
                all.push(extension(&RawExtension {
                    oid: "2.5.29.35".into(),
                    critical: false,
                    value: issuer,
                }));
            }
        }
        Ok(all)
    }
}

fn extension(raw: &RawExtension) -> Extension {
    Extension {
        extn_id: ObjectIdentifier::new(&raw.oid).expect("an extension has an object identifier"),
        critical: raw.critical,
        extn_value: OctetString::new(raw.value.as_slice()).expect("a value fits an OCTET STRING"),
    }
}

/// The leftmost 160 bits of SHA-256 over the public key (RFC 7093 section 2, method 1).
fn key_id(key: SubjectPublicKeyInfoRef<'_>) -> Vec<u8> {
    let digest = Hash::Sha256.digest(key.subject_public_key.raw_bytes());
    digest.as_ref()[..20].to_vec()
}
