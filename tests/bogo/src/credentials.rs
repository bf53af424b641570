//! The credentials that the flags name, and which one is shown.

use std::sync::Arc;

use oxtls::crypto::Error as CryptoError;
use oxtls::handshake::config::Credential as Shared;
use oxtls::need::CredentialRequest;
use oxtls::x509::Certificate;
use oxtls::{Credential, KeyAlgorithm, SignatureScheme, Signer, SigningKey};

use crate::compression;
use crate::flags::{Config, CredentialConfig};
use crate::setup::{self, Error, supported};

/// A credential of a test.
pub(crate) struct Candidate {
    /// Its number, by which a test knows it; -1: the default one.
    pub(crate) number: i32,
    pub(crate) credential: Credential,
    /// Its key, which is elsewhere for the library with `-async`.
    pub(crate) key: SigningKey,
    schemes: Vec<SignatureScheme>,
    must_match_issuer: bool,
}

impl Candidate {
    /// The first scheme of ours that the peer accepts, if it may be shown to this peer at all.
    pub(crate) fn scheme_for(&self, request: &CredentialRequest) -> Option<SignatureScheme> {
        if self.must_match_issuer && !self.is_issued_by(&request.authorities) {
            return None;
        }
        self.common_scheme(request)
    }

    /// Whether the peer could verify it and only names other authorities.
    pub(crate) fn lacks_issuer_only(&self, request: &CredentialRequest) -> bool {
        self.scheme_for(request).is_none() && self.common_scheme(request).is_some()
    }

    fn common_scheme(&self, request: &CredentialRequest) -> Option<SignatureScheme> {
        self.schemes.iter().copied().find(|scheme| request.schemes.contains(scheme))
    }

    fn is_issued_by(&self, authorities: &[Vec<u8>]) -> bool {
        let mut issuers = self.credential.chain().iter().filter_map(|der| Certificate::parse(der).ok());
        issuers.any(|certificate| {
            authorities.iter().any(|authority| authority.as_slice() == certificate.issuer().to_der())
        })
    }

    /// Whether this is what the library was given, or made of it: a configuration may have compressed it.
    fn is(&self, used: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.credential.shared(), used)
            || (used.chain == self.credential.chain() && used.schemes == self.schemes)
    }
}

/// The candidate that the library speaks of.
pub(crate) fn find<'c>(candidates: &'c [Candidate], used: &Arc<Shared>) -> Option<&'c Candidate> {
    let exactly = candidates.iter().find(|candidate| Arc::ptr_eq(&candidate.credential.shared(), used));
    exactly.or_else(|| candidates.iter().find(|candidate| candidate.is(used)))
}

/// All that the flags name, in the order in which they are tried.
pub(crate) fn candidates(config: &Config) -> Result<Vec<Candidate>, Error> {
    let all = config.all_credentials();
    all.filter_map(|(number, flags)| candidate(config, number, flags).transpose()).collect()
}

fn candidate(config: &Config, number: i32, flags: &CredentialConfig) -> Result<Option<Candidate>, Error> {
    let (Some(chain), Some(path)) = (&flags.cert_file, &flags.key_file) else { return Ok(None) };
    let chain = setup::certificates(chain)?;
    let key = signing_key(path)?;
    let schemes = signing_schemes(flags, &key)?;
    let mut credential = if config.is_async {
        Credential::remote(chain, &schemes)
    } else {
        Credential::new(chain, Limited { key: signing_key(path)?, schemes: schemes.clone() })
    }
    .map_err(setup::refused)?;
    let declined = config.use_ocsp_callback && config.decline_ocsp_callback;
    if let (Some(response), false) = (&flags.ocsp_response, declined) {
        credential = credential.with_ocsp(response.clone());
    }
    if let Some(list) = &flags.signed_cert_timestamps {
        let refused = |error| Error::Failed(format!(":INVALID_SCT_LIST: {error}"));
        credential = credential.with_scts(list.clone()).map_err(refused)?;
    }
    let credential = credential.compressed(&compression::algorithms(config)).map_err(setup::refused)?;
    let must_match_issuer = flags.must_match_issuer;
    Ok(Some(Candidate { number, credential, key, schemes, must_match_issuer }))
}

fn signing_key(path: &[u8]) -> Result<SigningKey, Error> {
    SigningKey::from_pem(setup::read(path)?).map_err(|error| Error::Failed(error.to_string()))
}

/// What is named and fits the key; all that fits it by default. SHA-1 that is not named first is never used by the
/// suite either, since its peers take the other too.
fn signing_schemes(flags: &CredentialConfig, key: &SigningKey) -> Result<Vec<SignatureScheme>, Error> {
    let is_sha1 = |code: &u16| SHA1.contains(&SignatureScheme(*code));
    let mut named = flags.signing_prefs.clone();
    if named.first().is_some_and(|first| !is_sha1(first)) {
        named.retain(|code| !is_sha1(code));
    }
    if named.is_empty() {
        return Ok(key.schemes().to_vec());
    }
    let named = supported(&named, "signature scheme", SignatureScheme::is_supported)?;
    Ok(named.into_iter().filter(|scheme| key.schemes().contains(scheme)).collect())
}

/// What the library does not sign with.
const SHA1: [SignatureScheme; 2] = [SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1];

/// A key that signs with some of its schemes only.
#[derive(Debug)]
struct Limited {
    key: SigningKey,
    schemes: Vec<SignatureScheme>,
}

impl Signer for Limited {
    fn key_algorithm(&self) -> KeyAlgorithm {
        self.key.key_algorithm()
    }

    fn spki(&self) -> &[u8] {
        self.key.spki()
    }

    fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.key.sign(scheme, message)
    }
}
