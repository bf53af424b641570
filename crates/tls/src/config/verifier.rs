//! Verifiers that are handed in ready made: what a configuration checks about them and asks of peers for them.

use std::sync::Arc;

use oxtls_handshake::config::Common;
use oxtls_x509::{Purpose, SignatureCache, Trust, Verifier};

use super::{ConfigError, Settings};
use crate::defaults;

/// Whether no chain could pass: something is to be trusted, and nothing is there.
pub(super) fn trusts_nobody(verifier: &Verifier) -> bool {
    verifier.roots().is_empty() && !matches!(verifier.trust(), Trust::Anyone(_))
}

/// A verifier made for one side would judge extendedKeyUsage for the wrong one.
pub(super) fn made_for(verifier: Verifier, purpose: Purpose) -> Result<Verifier, ConfigError> {
    if verifier.purpose() == purpose {
        return Ok(verifier);
    }
    let (wanted, found) = (purpose.name(), verifier.purpose().name());
    Err(ConfigError::Invalid(format!("the verifier must be for {wanted}, but it is for {found}")))
}

/// The verifier, within the configuration's policy.
pub(super) fn within(verifier: Verifier, settings: &Settings) -> Verifier {
    match &settings.policy {
        Some(policy) => policy.limit_verifier(verifier),
        None => verifier,
    }
}

/// What a verifier looks at, the peer must be asked for: stapled responses (RFC 6066 section 8) and timestamps
/// (RFC 6962 section 3.3.1).
pub(super) fn ask_for_evidence(common: &mut Common, verifier: Option<&Verifier>) {
    common.ocsp |= verifier.is_some_and(|verifier| verifier.revocation().is_on());
    common.sct |= verifier.is_some_and(|verifier| verifier.transparency().is_some());
}

/// The verifier with a memory of signatures that have verified: its own, or else the one of `before`, which it replaces,
/// or else a new one. None where the configuration wants none, or where no path is looked for.
pub(super) fn remembering(
    verifier: Verifier,
    settings: &Settings,
    before: Option<&Verifier>,
) -> Result<Verifier, ConfigError> {
    let builds_paths = matches!(verifier.trust(), Trust::Roots | Trust::RootsAndPins(_));
    if !settings.remember_signatures || !builds_paths || verifier.signature_cache().is_some() {
        return Ok(verifier);
    }
    let cache = match before.and_then(Verifier::signature_cache) {
        Some(cache) => Arc::clone(cache),
        None => {
            let cache = SignatureCache::new(defaults::REMEMBERED_SIGNATURES);
            Arc::new(cache.map_err(|_| ConfigError::NoRandomness)?)
        }
    };
    Ok(verifier.with_signature_cache(cache))
}
