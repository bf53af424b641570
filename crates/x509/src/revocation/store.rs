//! The CRLs that a verifier consults.

use core::fmt;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pki_types::pem::PemObject;
use pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::certificate::Certificate;
use crate::name::Name;
use crate::reader::{ParseError, at, tag};
use crate::trust::sha256;

use super::Crl;

/// A set of CRLs, found by issuer, and certificates of CRL issuers that peers do not send.
///
/// Nothing in it is trusted: each CRL must be signed by its issuer, whose path must end at the anchor of the
/// certificate in question (RFC 5280 section 6.3.3 (f)). It is made once and shared; to change it, make another and
/// give it to a new [`Verifier`](crate::Verifier).
#[derive(Clone, Debug, Default)]
pub struct CrlStore {
    crls: Vec<Arc<Crl>>,
    by_issuer: HashMap<u64, Vec<usize>>,
    issuers: Vec<CertificateDer<'static>>,
    names: RandomState,
}

impl CrlStore {
    /// A store without CRLs: every status is unknown, unless the peer staples one.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a CRL. Of CRLs of one scope the newest counts; one added twice is kept once.
    pub fn add(&mut self, crl: impl Into<Arc<Crl>>) {
        let crl = crl.into();
        let bucket = self.by_issuer.entry(self.names.hash_one(crl.issuer())).or_default();
        let mut known = bucket.iter().filter_map(|&index| self.crls.get(index));
        if !known.any(|known| known.digest() == crl.digest()) {
            bucket.push(self.crls.len());
            self.crls.push(crl);
        }
    }

    /// Adds a DER CRL.
    ///
    /// # Errors
    /// As [`Crl::from_der`].
    pub fn add_der(&mut self, der: impl Into<Vec<u8>>) -> Result<(), ParseError> {
        self.add(Crl::from_der(der)?);
        Ok(())
    }

    /// Adds every `X509 CRL` section of a PEM file and returns how many there were (at least 1).
    ///
    /// # Errors
    /// If the file can't be read, is not PEM, holds no CRL, or one of them can't be parsed; nothing is added then. Every
    /// error names the file.
    pub fn add_pem_file(&mut self, path: impl AsRef<Path>) -> Result<usize, CrlFileError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|error| CrlFileError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
        if bytes.first() == Some(&tag::SEQUENCE) && Crl::from_der(bytes.as_slice()).is_ok() {
            return Err(CrlFileError::Der { path: path.to_owned() });
        }
        self.add_pem_slice(&bytes).map_err(|error| CrlFileError::Malformed { path: path.to_owned(), error })
    }

    /// Adds every `X509 CRL` section of a PEM text and returns how many there were (at least 1).
    ///
    /// # Errors
    /// As [`Crl::from_der`], also if the text is not well-formed PEM or holds no CRL; nothing is added then.
    pub fn add_pem_slice(&mut self, pem: &[u8]) -> Result<usize, ParseError> {
        let mut crls = Vec::new();
        for der in CertificateRevocationListDer::pem_slice_iter(pem) {
            let der = der.map_err(|_| at(0, "not well-formed PEM"))?;
            crls.push(Crl::from_der(der.as_ref())?);
        }
        if crls.is_empty() {
            return Err(at(0, "no X509 CRL section in the PEM text"));
        }
        let count = crls.len();
        crls.into_iter().for_each(|crl| self.add(crl));
        Ok(count)
    }

    /// Adds the certificate of a CRL issuer, or of a CA above one, for CRLs that are not signed by the CA whose
    /// certificates they list. It becomes no trust anchor: its path is validated each time.
    ///
    /// # Errors
    /// If it cannot be parsed.
    pub fn add_issuer(&mut self, certificate: &CertificateDer<'_>) -> Result<(), ParseError> {
        Certificate::parse(certificate)?;
        if !self.issuers.iter().any(|known| known.as_ref() == certificate.as_ref()) {
            self.issuers.push(certificate.clone().into_owned());
        }
        Ok(())
    }

    /// How many CRLs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.crls.len()
    }

    /// Whether there is no CRL.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.crls.is_empty()
    }

    /// The CRLs in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Crl>> {
        self.crls.iter()
    }

    /// SHA-256 over the CRLs and issuers' certificates, whatever their order. The digest of each CRL was made when it
    /// was loaded.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut digests: Vec<_> = self.crls.iter().map(|crl| *crl.digest()).collect();
        digests.extend(self.issuers.iter().map(|certificate| sha256(&[b"issuer", certificate])));
        digests.sort_unstable();
        sha256(&[b"oxtls crls 1", digests.concat().as_slice()])
    }

    /// The CRLs of an issuer.
    pub(super) fn of(&self, issuer: Name<'_>) -> impl Iterator<Item = &Crl> {
        let bucket = self.by_issuer.get(&self.names.hash_one(issuer)).map_or(&[][..], Vec::as_slice);
        bucket.iter().filter_map(|&index| self.crls.get(index)).map(Arc::as_ref)
    }

    /// Certificates of CRL issuers.
    pub(super) fn issuers(&self) -> &[CertificateDer<'static>] {
        &self.issuers
    }
}

/// Why the CRLs of a file could not be added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrlFileError {
    /// The file could not be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It is a CRL as DER, where PEM is wanted.
    Der {
        /// The file.
        path: PathBuf,
    },
    /// It is not PEM, holds no CRL, or one that can't be parsed.
    Malformed {
        /// The file.
        path: PathBuf,
        /// The rule broken and where.
        error: ParseError,
    },
}

impl fmt::Display for CrlFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => write!(f, "cannot read CRLs from {}: {why}", path.display()),
            Self::Der { path } => write!(
                f,
                "{} is a CRL in DER (binary), not in PEM: give its bytes to `add_der`, or convert it, with OpenSSL by \
                 `openssl crl -inform der -in FILE -out FILE.pem`",
                path.display()
            ),
            Self::Malformed { path, error } => {
                write!(f, "{} holds no CRLs that can be read: {error}", path.display())
            }
        }
    }
}

impl core::error::Error for CrlFileError {}
