//! Whether a stapled OCSP response may be believed, and what it says (RFC 6960 section 3.2).

use crate::certificate::Certificate;
use crate::extension::KeyUsage;
use crate::oid;
use crate::path::budget::{Exhausted, Remaining};
use crate::spki::KeyKind;

use oxtls_crypto::hash::sha1_identifier;

use super::Unknown;
use super::list::{is_allowed, signature};
use super::ocsp::{CertStatus, Responder, Response, Single, key_octets};
use super::search::{Path, Status, by_crl};

/// What the stapled response says about the leaf; `None` without one.
pub(super) fn stapled(path: &Path<'_, '_>, budget: &mut Remaining) -> Result<Option<Status>, Exhausted> {
    let Some(der) = path.evidence.stapled.ocsp else {
        return Ok(None);
    };
    Ok(Some(match judge(path, der, budget)? {
        Ok(status) => status,
        Err(why) => Status::Unknown(why),
    }))
}

/// Cheap checks first: a signature is verified only of a response that would be of use.
fn judge(
    path: &Path<'_, '_>,
    der: &[u8],
    budget: &mut Remaining,
) -> Result<Result<Status, Unknown>, Exhausted> {
    let (response, single) = match find(path, der) {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    // Without nextUpdate newer information is always to be had, which a stapled response cannot be.
    let now = path.context.now;
    let until = match single.next_update {
        Some(until) if single.this_update <= now && response.produced_at <= now && now <= until => until,
        _ => return Ok(Err(Unknown::StaleResponse)),
    };
    let Some(signer) = signer(path, &response, budget)? else {
        return Ok(Err(Unknown::UntrustedResponse));
    };
    Ok(match single.status {
        CertStatus::Good if !signer.sure => Err(Unknown::UntrustedResponse),
        CertStatus::Good => Ok(Status::Good { until: until.min(signer.until) }),
        CertStatus::Revoked(revoked) => Ok(Status::Revoked(revoked)),
        CertStatus::Unknown => Err(Unknown::UnknownToResponder),
    })
}

fn find<'r>(path: &Path<'_, '_>, der: &'r [u8]) -> Result<(Response<'r>, Single<'r>), Unknown> {
    let response = Response::read(der)?;
    let leaf = path.certificates.first().ok_or(Unknown::OtherCertificate)?;
    let (issuer, spki) = (leaf.issuer(), path.issuer_spki(0));
    let single = response.singles().find(|single| single.is_about(leaf.serial(), issuer, spki));
    Ok((response, single.ok_or(Unknown::OtherCertificate)?))
}

/// A key that may sign responses.
#[derive(Clone, Copy)]
struct Signer {
    /// Until when.
    until: i64,
    /// Its own status is known. If it is not, a response is believed where it says revoked, and is no reason to call a
    /// certificate good.
    sure: bool,
}

/// Whose key signed the response; `None` if it may not. It is the key of the leaf's issuer, or one that this issuer has
/// certified for the purpose (section 4.2.2.2); nobody else's counts.
fn signer(
    path: &Path<'_, '_>,
    response: &Response<'_>,
    budget: &mut Remaining,
) -> Result<Option<Signer>, Exhausted> {
    let Some(leaf) = path.certificates.first() else {
        return Ok(None);
    };
    let issuer_spki = path.issuer_spki(0);
    let is_issuer = match response.responder {
        Responder::Name(name) => name == leaf.issuer(),
        Responder::Key(hash) => is_key(hash, issuer_spki),
    };
    if is_issuer && verifies(path, response, issuer_spki, budget)? {
        return Ok(Some(Signer { until: i64::MAX, sure: true }));
    }
    for der in response.certificates() {
        let Ok(certificate) = Certificate::parse(der) else {
            continue;
        };
        let named = match response.responder {
            Responder::Name(name) => name == certificate.subject(),
            Responder::Key(hash) => is_key(hash, certificate.spki()),
        };
        if !named {
            continue;
        }
        if let Some(signer) = delegated(path, &certificate, budget)?
            && verifies(path, response, certificate.spki(), budget)?
        {
            return Ok(Some(signer));
        }
    }
    Ok(None)
}

fn is_key(hash: &[u8], spki: &[u8]) -> bool {
    key_octets(spki).is_some_and(|key| sha1_identifier(&[key]) == hash)
}

fn verifies(
    path: &Path<'_, '_>,
    response: &Response<'_>,
    spki: &[u8],
    budget: &mut Remaining,
) -> Result<bool, Exhausted> {
    let algorithm = response.algorithm;
    Ok(is_allowed(path.context.policy, algorithm, spki)
        && signature(spki, algorithm, response.signed, response.signature, budget)?)
}

/// The signer that the leaf's issuer made of this certificate, with the same key that signed the leaf, if it did so and
/// the certificate is good now.
fn delegated(
    path: &Path<'_, '_>,
    certificate: &Certificate<'_>,
    budget: &mut Remaining,
) -> Result<Option<Signer>, Exhausted> {
    let Some(leaf) = path.certificates.first() else {
        return Ok(None);
    };
    let now = path.context.now;
    let validity = certificate.validity();
    let usable = certificate.issuer() == leaf.issuer()
        && certificate.extended_key_usage().is_some_and(|usage| usage.contains(oid::OCSP_SIGNING))
        && certificate.key_usage().is_none_or(|usage| usage.allows(KeyUsage::DIGITAL_SIGNATURE))
        && certificate.unknown_critical().is_none()
        && KeyKind::read(certificate.spki()).is_ok_and(|kind| kind.broken_rule().is_none())
        && validity.not_before <= now
        && now <= validity.not_after;
    let (algorithm, tbs, value) =
        (certificate.signature_algorithm(), certificate.tbs(), certificate.signature());
    let spki = path.issuer_spki(0);
    let usable = usable && is_allowed(path.context.policy, algorithm, spki);
    if !usable || !signature(spki, algorithm, tbs, value, budget)? {
        return Ok(None);
    }
    status(path, certificate, budget)
}

/// Section 4.2.2.2.1: a responder whose certificate has id-pkix-ocsp-nocheck is not asked about. Another one's status
/// must come from CRLs.
fn status(
    path: &Path<'_, '_>,
    certificate: &Certificate<'_>,
    budget: &mut Remaining,
) -> Result<Option<Signer>, Exhausted> {
    let not_after = certificate.validity().not_after;
    if certificate.extensions().any(|extension| extension.oid.0 == oid::OCSP_NO_CHECK) {
        return Ok(Some(Signer { until: not_after, sure: true }));
    }
    let above = path.certificates.get(1..).unwrap_or(&[]);
    let certificates: Vec<_> = [*certificate].into_iter().chain(above.iter().copied()).collect();
    let path = Path { certificates: &certificates, ..*path };
    Ok(match by_crl(&path, 0, budget)? {
        Status::Good { until } => Some(Signer { until: until.min(not_after), sure: true }),
        Status::Revoked(_) => None,
        Status::Unknown(_) => Some(Signer { until: not_after, sure: false }),
    })
}
