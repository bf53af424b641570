//! A certificate chain and the key that proves it, checked against each other when they are loaded.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use oxtls_crypto::signature::{
    KeyAlgorithm, PublicKey, SignatureScheme, Signer, SigningKey, spki_of_certificate,
};
use oxtls_handshake::config as handshake;
use oxtls_handshake::need::CredentialRequest;
use oxtls_handshake::suite::ProtocolVersion;
use oxtls_x509::Certificate;
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, DnsName, ServerName};

use super::error::ConfigError;
use crate::compression::CertificateCompression;

/// A certificate chain and the key that proves it. Cheap to clone.
///
/// ```no_run
/// let credential = oxtls::Credential::from_pem_files("server.pem", "server.key")?;
/// # Ok::<(), oxtls::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credential {
    inner: Arc<handshake::Credential>,
    facts: Arc<Facts>,
}

/// What a choice among credentials looks at, read once when the chain is loaded.
#[derive(Debug)]
struct Facts {
    /// The kind of the leaf's key.
    key: KeyAlgorithm,
    /// The issuers' names, DER, sorted: what a peer's certificate_authorities are looked up in.
    issuers: Vec<Vec<u8>>,
}

impl Credential {
    /// Reads a chain (PEM, leaf first) and its private key (PEM: PKCS#8, PKCS#1 or SEC1).
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, a key that is not the leaf's; the error names the file.
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let read =
            |path: &Path| fs::read(path).map_err(|error| ConfigError::File { path: path.to_owned(), error });
        let in_file =
            |path: &Path, error| ConfigError::InFile { path: path.to_owned(), error: Box::new(error) };
        let certificates = chain_from_pem(&read(chain)?).map_err(|error| in_file(chain, error))?;
        let key_pem = zeroize::Zeroizing::new(read(key)?);
        let signer =
            SigningKey::from_pem(&key_pem).map_err(|error| in_file(key, ConfigError::BadKey(error)))?;
        Self::new(certificates, signer).map_err(|error| {
            let place = if matches!(error, ConfigError::KeyMismatch { .. }) { key } else { chain };
            in_file(place, error)
        })
    }

    /// The same from memory.
    ///
    /// # Errors
    /// As [`Credential::from_pem_files`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, ConfigError> {
        let signer = SigningKey::from_pem(key).map_err(ConfigError::BadKey)?;
        Self::new(chain_from_pem(chain)?, signer)
    }

    /// From a chain, leaf first, and a key: ours, or a [`Signer`] of yours over a module or a service that answers at
    /// once. For one that takes its time, see [`Credential::remote`].
    ///
    /// # Errors
    /// An empty chain, certificates that cannot be read, a key that is not the leaf's.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: impl Signer + 'static) -> Result<Self, ConfigError> {
        let leaf_key = read_chain(&chain)?;
        let spki = spki_of_leaf(&chain)?;
        if spki != key.spki() {
            return Err(ConfigError::KeyMismatch {
                certificate: leaf_key.key_algorithm().name(),
                key: key.key_algorithm().name(),
            });
        }
        let schemes = key.schemes().to_vec();
        Ok(Self::make(chain, Some(Arc::new(key)), schemes, leaf_key.key_algorithm()))
    }

    /// A chain whose key is somewhere else: the connection hands out [`Need::Sign`](crate::Need::Sign) and waits for
    /// its answer, however long that takes. `schemes` is what the key can sign with, in order of preference. A key of
    /// ECDSA may have other hashes than its curve's, which are for TLS 1.2 alone: TLS 1.3 passes them over.
    ///
    /// # Errors
    /// An empty chain, certificates that cannot be read, no scheme that fits the leaf's key.
    pub fn remote(
        chain: Vec<CertificateDer<'static>>,
        schemes: &[SignatureScheme],
    ) -> Result<Self, ConfigError> {
        let algorithm = read_chain(&chain)?.key_algorithm();
        let fits = |scheme: &&SignatureScheme| scheme.fits_tls13(algorithm) || scheme.fits_tls12(algorithm);
        if !schemes.iter().all(|scheme| fits(&scheme)) || schemes.is_empty() {
            return Err(ConfigError::Invalid(format!(
                "signature schemes must fit the key of the certificate ({})",
                algorithm.name()
            )));
        }
        Ok(Self::make(chain, None, schemes.to_vec(), algorithm))
    }

    /// Staples this OCSP response, DER, for peers that ask (RFC 6066 section 8).
    #[must_use]
    pub fn with_ocsp(self, response: Vec<u8>) -> Self {
        self.with(|credential| credential.ocsp = Some(response))
    }

    /// Sends these signed certificate timestamps, an encoded SignedCertificateTimestampList (RFC 6962 section 3.3), to
    /// peers that ask.
    ///
    /// # Errors
    /// A list that is empty or has an empty timestamp, or whose lengths do not fit.
    pub fn with_scts(self, list: Vec<u8>) -> Result<Self, ConfigError> {
        if !is_sct_list(&list) {
            return Err(ConfigError::Invalid("the SCT list is not as RFC 6962 section 3.3 has it".into()));
        }
        Ok(self.with(|credential| credential.scts = Some(list)))
    }

    /// Compresses the chain, and what is stapled to it, by each of these algorithms that it is not compressed by yet
    /// (RFC 8879). A configuration does so by itself; do it before, and once, for a credential that several
    /// configurations share or that answers [`ChooseCredential`](crate::need::ChooseCredential). Staple before:
    /// stapling drops what was compressed.
    ///
    /// # Errors
    /// A form that is empty or of over 2^24 bytes, which can only be a [custom](CertificateCompression::custom)
    /// algorithm's.
    pub fn compressed(self, by: &[CertificateCompression]) -> Result<Self, ConfigError> {
        let is_new = |with: &&CertificateCompression| {
            let done = self.inner.compressed.iter().any(|form| form.algorithm() == with.algorithm());
            with.sender().is_some() && !done
        };
        if !by.iter().any(|with| is_new(&with)) {
            return Ok(self);
        }
        let mut inner = self.copy();
        inner.compressed.clone_from(&self.inner.compressed);
        for with in by.iter().filter(is_new) {
            let Some(compressor) = with.sender() else { continue };
            inner
                .add_compressed(with.algorithm(), |body| compressor.compress(body))
                .map_err(|error| ConfigError::Invalid(format!("a certificate was compressed: {error}")))?;
        }
        Ok(Self { inner: Arc::new(inner), facts: self.facts })
    }

    fn with(self, change: impl FnOnce(&mut handshake::Credential)) -> Self {
        let mut inner = self.copy();
        change(&mut inner);
        Self { inner: Arc::new(inner), facts: self.facts }
    }

    /// All but what was compressed.
    fn copy(&self) -> handshake::Credential {
        let shared = &self.inner;
        handshake::Credential {
            chain: shared.chain.clone(),
            signer: shared.signer.clone(),
            schemes: shared.schemes.clone(),
            ocsp: shared.ocsp.clone(),
            scts: shared.scts.clone(),
            compressed: Vec::new(),
        }
    }

    fn make(
        chain: Vec<CertificateDer<'static>>,
        signer: Option<Arc<dyn Signer>>,
        schemes: Vec<SignatureScheme>,
        key: KeyAlgorithm,
    ) -> Self {
        let parsed = chain.iter().filter_map(|der| Certificate::parse(der).ok());
        let mut issuers: Vec<_> = parsed.map(|certificate| certificate.issuer().to_der()).collect();
        issuers.sort_unstable();
        let inner =
            handshake::Credential { chain, signer, schemes, ocsp: None, scts: None, compressed: Vec::new() };
        Self { inner: Arc::new(inner), facts: Arc::new(Facts { key, issuers }) }
    }

    /// The chain, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.inner.chain
    }

    /// The form in which a [`ChooseCredential`](crate::need::ChooseCredential) takes it.
    #[must_use]
    pub fn shared(&self) -> Arc<handshake::Credential> {
        Arc::clone(&self.inner)
    }

    /// The kind of the leaf's key.
    pub(crate) fn key_algorithm(&self) -> KeyAlgorithm {
        self.facts.key
    }

    /// Whether the leaf carries this DNS name.
    pub(crate) fn carries(&self, name: &str) -> bool {
        let Ok(name) = DnsName::try_from(name) else { return false };
        let leaf = self.inner.chain.first().and_then(|leaf| Certificate::parse(leaf).ok());
        leaf.is_some_and(|leaf| leaf.is_valid_for(&ServerName::DnsName(name)))
    }

    /// The first of our schemes, in our order, that the peer accepts and the version has for this key.
    pub(crate) fn scheme_for(&self, request: &CredentialRequest) -> Option<SignatureScheme> {
        let fits = |scheme: &SignatureScheme| match request.version {
            ProtocolVersion::TLS1_2 => scheme.fits_tls12(self.facts.key),
            _ => scheme.fits_tls13(self.facts.key),
        };
        let mut ours = self.inner.schemes.iter().copied().filter(fits);
        ours.find(|scheme| request.schemes.contains(scheme))
    }

    /// Whether one of the chain's issuers is among these DER names. Peers may send thousands: each costs a look-up and
    /// no allocation.
    pub(crate) fn issued_by(&self, authorities: &[Vec<u8>]) -> bool {
        authorities.iter().any(|authority| self.facts.issuers.binary_search(authority).is_ok())
    }
}

/// A list of at least one timestamp, none empty, every length to the byte.
fn is_sct_list(list: &[u8]) -> bool {
    let Some((mut timestamps, [])) = split_vector(list) else { return false };
    while !timestamps.is_empty() {
        let Some((_, rest)) = split_vector(timestamps) else { return false };
        timestamps = rest;
    }
    true
}

/// What stands behind a length of two bytes, not empty, and what follows it.
fn split_vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    rest.split_at_checked(length).filter(|_| length > 0)
}

fn spki_of_leaf<'a>(chain: &'a [CertificateDer<'_>]) -> Result<&'a [u8], ConfigError> {
    let leaf = chain.first().ok_or_else(|| ConfigError::NoCertificate { found: "an empty chain".into() })?;
    spki_of_certificate(leaf)
        .map_err(|error| ConfigError::BadCertificate { position: 0, error: error.to_string() })
}

/// Reads every certificate, so that none fails at a peer, and gives the leaf's key.
fn read_chain(chain: &[CertificateDer<'_>]) -> Result<PublicKey, ConfigError> {
    for (position, der) in chain.iter().enumerate() {
        Certificate::parse(der)
            .map_err(|error| ConfigError::BadCertificate { position, error: error.to_string() })?;
    }
    PublicKey::from_spki(spki_of_leaf(chain)?)
        .map_err(|error| ConfigError::BadCertificate { position: 0, error: error.to_string() })
}

fn chain_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| ConfigError::BadPem(error.to_string()))?;
    if chain.is_empty() {
        return Err(ConfigError::NoCertificate { found: labels_in(pem) });
    }
    Ok(chain)
}

/// The labels of the PEM sections that are there, for the error.
fn labels_in(pem: &[u8]) -> String {
    let text = String::from_utf8_lossy(pem);
    let labels: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
        .take(8)
        .collect();
    if labels.is_empty() { "no PEM section".into() } else { labels.join(", ") }
}
