//! Trust anchors (RFC 5280 section 6.1.1 (d)): where paths may begin.

use core::fmt;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use oxtls_crypto::Hash;
use oxtls_crypto::signature::PublicKey;
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, TrustAnchor};

use crate::certificate::{Certificate, Fields};
use crate::extension::NameConstraints;
use crate::name::Name;
use crate::reader::{ParseError, Reader};

/// One trust anchor: a name and a key, and the limits of its certificate if it came as one.
///
/// An anchor added as a certificate keeps that certificate's limits (validity, basicConstraints, keyUsage,
/// extendedKeyUsage, nameConstraints); one added as a [`TrustAnchor`] has name constraints at most.
pub struct Anchor {
    subject: Box<[u8]>,
    spki: Box<[u8]>,
    name_constraints: Option<Box<[u8]>>,
    /// Read once: every path that ends here is held against its limits.
    certificate: Option<(Box<[u8]>, Fields)>,
    key_id: Option<Box<[u8]>>,
    key: OnceLock<Result<PublicKey, oxtls_crypto::Error>>,
    self_signed: OnceLock<bool>,
}

impl Anchor {
    pub(crate) fn from_certificate(der: &[u8]) -> Result<Self, ParseError> {
        let certificate = Certificate::parse(der)?;
        Ok(Self {
            subject: certificate.subject().contents().into(),
            spki: certificate.spki().into(),
            name_constraints: None,
            certificate: Some((der.into(), certificate.fields())),
            key_id: certificate.subject_key_id().map(|ski| ski.key_id.into()),
            key: OnceLock::new(),
            self_signed: OnceLock::new(),
        })
    }

    /// `TrustAnchor` holds the contents of each SEQUENCE without its header.
    fn from_trust_anchor(anchor: &TrustAnchor<'_>) -> Result<Self, ParseError> {
        Name::from_contents(anchor.subject.as_ref())?;
        let name_constraints = anchor.name_constraints.as_ref().map(|der| Box::<[u8]>::from(der.as_ref()));
        if let Some(contents) = &name_constraints {
            NameConstraints::read(Reader::new(contents, 0), true)?;
        }
        Ok(Self {
            subject: anchor.subject.as_ref().into(),
            spki: sequence(anchor.subject_public_key_info.as_ref()).into(),
            name_constraints,
            certificate: None,
            key_id: None,
            key: OnceLock::new(),
            self_signed: OnceLock::new(),
        })
    }

    /// The anchor's name.
    #[must_use]
    pub fn subject(&self) -> Name<'_> {
        Name::trusted(&self.subject)
    }

    /// The anchor's SubjectPublicKeyInfo, DER with its header.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The certificate, if the anchor was added as one.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate<'_>> {
        let (der, fields) = self.certificate.as_ref()?;
        Some(Certificate::parsed_before(der, *fields))
    }

    /// The certificate's encoding, if the anchor was added as one.
    pub(crate) fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate.as_ref().map(|(der, _)| &**der)
    }

    /// Name constraints that came with a [`TrustAnchor`].
    pub(crate) fn name_constraints(&self) -> Option<NameConstraints<'_>> {
        NameConstraints::read(Reader::new(self.name_constraints.as_deref()?, 0), true).ok()
    }

    /// The parsed key: parsed at its first use, then kept.
    pub(crate) fn key(&self) -> Result<&PublicKey, &oxtls_crypto::Error> {
        self.key.get_or_init(|| PublicKey::from_spki(&self.spki)).as_ref()
    }

    /// Whether it came as a certificate that its own key signed: looked at once, since a search may come back often.
    pub(crate) fn is_self_signed(&self) -> bool {
        *self
            .self_signed
            .get_or_init(|| self.certificate().is_some_and(|certificate| certificate.is_self_signed()))
    }

    /// The subject key identifier of its certificate.
    pub(crate) fn key_id(&self) -> Option<&[u8]> {
        self.key_id.as_deref()
    }

    fn is_same(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.spki == other.spki
            && self.name_constraints == other.name_constraints
            && self.certificate_der() == other.certificate_der()
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchor({})", self.subject())
    }
}

/// A set of trust anchors, found by name in constant time.
#[derive(Clone, Default, Debug)]
pub struct Roots {
    anchors: Vec<Arc<Anchor>>,
    by_subject: HashMap<u64, Vec<usize>>,
    /// Keyed: a peer must not be able to make names that collide.
    names: RandomState,
}

impl Roots {
    /// A set without anchors: every chain is refused.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same as [`empty`](Self::empty).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The roots that Mozilla trusts for TLS servers, as the crate `webpki-roots` lists them.
    #[cfg(feature = "webpki-roots")]
    #[must_use]
    pub fn webpki() -> Self {
        let mut roots = Self::empty();
        for anchor in webpki_roots::TLS_SERVER_ROOTS {
            // The list is compiled in and parsed by this crate's tests; an anchor that did not parse would be left out.
            let _ = roots.add_trust_anchor(anchor);
        }
        roots
    }

    /// The roots of the platform's store (`SSL_CERT_FILE` and `SSL_CERT_DIR` on Unix), and what could not be read.
    ///
    /// Stores hold odd certificates: those are left out and reported, never fatal. An empty set with errors means
    /// that no store was found.
    #[cfg(feature = "native-roots")]
    #[must_use]
    pub fn native() -> (Self, Vec<RootsError>) {
        let loaded = rustls_native_certs::load_native_certs();
        let mut roots = Self::empty();
        let mut errors: Vec<_> =
            loaded.errors.iter().map(|error| RootsError::Store { why: error.to_string() }).collect();
        for certificate in &loaded.certs {
            errors.extend(roots.add_der(certificate).err());
        }
        (roots, errors)
    }

    /// Adds a certificate as an anchor, self-signed or not. Adding one twice has no effect.
    ///
    /// # Errors
    /// [`RootsError::Certificate`] if it cannot be parsed.
    pub fn add_der(&mut self, certificate: &CertificateDer<'_>) -> Result<(), RootsError> {
        let anchor = Anchor::from_certificate(certificate).map_err(|error| RootsError::Certificate {
            path: None,
            number: 1,
            error,
        })?;
        self.insert(anchor);
        Ok(())
    }

    /// Adds an anchor that is a name, a key and perhaps name constraints.
    ///
    /// # Errors
    /// [`RootsError::Certificate`] if its parts cannot be parsed.
    pub fn add_trust_anchor(&mut self, anchor: &TrustAnchor<'_>) -> Result<(), RootsError> {
        let anchor = Anchor::from_trust_anchor(anchor).map_err(|error| RootsError::Certificate {
            path: None,
            number: 1,
            error,
        })?;
        self.insert(anchor);
        Ok(())
    }

    /// Adds every certificate of a PEM file and returns how many it held (at least 1).
    ///
    /// # Errors
    /// If the file can't be read, is not PEM, holds no certificate, or one of them can't be parsed; nothing is added
    /// then. Every error names the file.
    pub fn add_pem_file(&mut self, path: impl AsRef<Path>) -> Result<usize, RootsError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|error| RootsError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
        self.add_pem(&bytes, Some(path))
    }

    /// Adds every certificate of a PEM text and returns how many it held (at least 1).
    ///
    /// # Errors
    /// As [`add_pem_file`](Self::add_pem_file), without a file name.
    pub fn add_pem_slice(&mut self, pem: &[u8]) -> Result<usize, RootsError> {
        self.add_pem(pem, None)
    }

    fn add_pem(&mut self, pem: &[u8], path: Option<&Path>) -> Result<usize, RootsError> {
        let path = path.map(Path::to_owned);
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let number = anchors.len().saturating_add(1);
            let der = certificate
                .map_err(|error| RootsError::Pem { path: path.clone(), why: error.to_string() })?;
            let anchor = Anchor::from_certificate(&der).map_err(|error| RootsError::Certificate {
                path: path.clone(),
                number,
                error,
            })?;
            anchors.push(anchor);
        }
        if anchors.is_empty() && Certificate::parse(pem).is_ok() {
            return Err(RootsError::Der { path });
        }
        if anchors.is_empty() {
            return Err(RootsError::NoCertificate { path, found: describe_contents(pem) });
        }
        let count = anchors.len();
        anchors.into_iter().for_each(|anchor| self.insert(anchor));
        Ok(count)
    }

    fn insert(&mut self, anchor: Anchor) {
        let bucket = self.by_subject.entry(self.names.hash_one(anchor.subject())).or_default();
        let known =
            bucket.iter().filter_map(|&index| self.anchors.get(index)).any(|known| known.is_same(&anchor));
        if !known {
            bucket.push(self.anchors.len());
            self.anchors.push(Arc::new(anchor));
        }
    }

    /// How many anchors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there is no anchor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The anchors in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Anchor>> {
        self.anchors.iter()
    }

    /// The anchors' names as DER, for the `certificate_authorities` extension (RFC 9846 section 4.3.4) and the
    /// CertificateRequest of TLS 1.2.
    #[must_use]
    pub fn subjects_hints(&self) -> Vec<Vec<u8>> {
        self.anchors.iter().map(|anchor| sequence(&anchor.subject)).collect()
    }

    /// SHA-256 over the anchors, whatever their order: part of what a resumed session is bound to.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut digests: Vec<_> = self.anchors.iter().map(|anchor| anchor_digest(anchor)).collect();
        digests.sort_unstable();
        sha256(&[digests.concat().as_slice()])
    }

    /// The hash by which this set finds names.
    pub(crate) fn hash(&self, name: Name<'_>) -> u64 {
        self.names.hash_one(name)
    }

    /// Indices of the anchors whose name has this hash; names still have to be compared.
    pub(crate) fn bucket(&self, hash: u64) -> &[usize] {
        self.by_subject.get(&hash).map_or(&[], Vec::as_slice)
    }

    /// One anchor.
    pub(crate) fn anchor(&self, index: usize) -> Option<&Arc<Anchor>> {
        self.anchors.get(index)
    }
}

fn anchor_digest(anchor: &Anchor) -> [u8; 32] {
    match anchor.certificate_der() {
        Some(der) => sha256(&[b"certificate", der]),
        None => {
            let constraints = anchor.name_constraints.as_deref().unwrap_or(&[]);
            sha256(&[b"anchor", &sequence(&anchor.subject), &anchor.spki, constraints])
        }
    }
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest32(&Hash::Sha256.digest_parts(parts))
}

/// A digest of SHA-256 as an array.
pub(crate) fn digest32(digest: &oxtls_crypto::Digest) -> [u8; 32] {
    digest.as_ref().try_into().unwrap_or([0; 32])
}

/// Puts the header of a SEQUENCE before its contents.
pub(crate) fn sequence(contents: &[u8]) -> Vec<u8> {
    let mut der = Vec::with_capacity(contents.len().saturating_add(5));
    der.push(crate::reader::tag::SEQUENCE);
    let length = contents.len().to_be_bytes();
    let zeros = length.iter().take_while(|&&byte| byte == 0).count();
    match (contents.len(), length.get(zeros..)) {
        (0..=0x7f, _) => der.extend(length.last()),
        (_, Some(significant)) => {
            der.extend(u8::try_from(significant.len()).map(|count| 0x80 | count));
            der.extend_from_slice(significant);
        }
        (_, None) => {}
    }
    der.extend_from_slice(contents);
    der
}

/// What a file without certificates holds instead, for the error.
fn describe_contents(bytes: &[u8]) -> String {
    if bytes.first() == Some(&0x30) {
        return "binary data (DER, but no certificate; PKCS #12 or a key, perhaps)".to_owned();
    }
    let text = String::from_utf8_lossy(bytes);
    let labels: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
        .take(8)
        .map(describe_label)
        .collect();
    match labels.len() {
        0 if bytes.is_empty() => "nothing: it is empty".to_owned(),
        0 => "no PEM section".to_owned(),
        _ => labels.join(", "),
    }
}

fn describe_label(label: &str) -> String {
    let meaning = match label {
        "TRUSTED CERTIFICATE" => " (OpenSSL's own form: write it anew with `openssl x509 -in FILE -out NEW`)",
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            " (what is sent to a CA; the certificate is its answer)"
        }
        "PKCS7" | "CMS" => " (unpack it with `openssl pkcs7 -print_certs`)",
        _ => "",
    };
    format!("{}{meaning}", label.escape_debug())
}

/// Why anchors could not be added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootsError {
    /// The file could not be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The platform's store could not be read.
    Store {
        /// What it said.
        why: String,
    },
    /// The PEM framing or its base64 is broken.
    Pem {
        /// The file, if it was one.
        path: Option<PathBuf>,
        /// What was wrong.
        why: String,
    },
    /// It is a certificate as DER, where PEM is wanted.
    Der {
        /// The file, if it was one.
        path: Option<PathBuf>,
    },
    /// There is no certificate in it.
    NoCertificate {
        /// The file, if it was one.
        path: Option<PathBuf>,
        /// What it holds instead.
        found: String,
    },
    /// A certificate could not be parsed.
    Certificate {
        /// The file, if it was one.
        path: Option<PathBuf>,
        /// Which certificate of the file, from 1.
        number: usize,
        /// The rule broken and where.
        error: ParseError,
    },
}

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = |path: &Option<PathBuf>| {
            path.as_ref().map_or_else(|| "the PEM text".to_owned(), |path| path.display().to_string())
        };
        match self {
            Self::Unreadable { path, why } => {
                write!(f, "cannot read root certificates from {}: {why}", path.display())
            }
            Self::Store { why } => write!(f, "cannot read the platform's root certificates: {why}"),
            Self::Pem { path, why } => write!(f, "{} is not well-formed PEM: {why}", source(path)),
            Self::Der { path } => write!(
                f,
                "{} is a certificate in DER (binary), not in PEM: convert it, with OpenSSL by `openssl x509 -inform der \
                 -in FILE -out FILE.pem`",
                source(path)
            ),
            Self::NoCertificate { path, found } => {
                write!(f, "{} holds no CERTIFICATE section, but {found}", source(path))
            }
            Self::Certificate { path: None, error, .. } => {
                write!(f, "a root certificate is malformed: {error}")
            }
            Self::Certificate { path, number, error } => {
                write!(f, "root certificate number {number} in {} is malformed: {error}", source(path))
            }
        }
    }
}

impl core::error::Error for RootsError {}
