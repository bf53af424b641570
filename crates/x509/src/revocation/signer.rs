//! Whose key signed a CRL, and whether it may: RFC 5280 section 6.3.3 (f) and (g).

use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::defaults;
use crate::extension::KeyUsage;
use crate::name::Name;
use crate::path::budget::{Exhausted, Remaining};
use crate::path::{Chain, Context, Detail, build};
use crate::policy::Policy;
use crate::rules::Rule;

use super::crl::List;
use super::list::is_allowed;
use super::search::{Candidate, Path};
use super::{Evidence, RevocationStatus, Stapled};

/// Who signed a CRL.
pub(super) struct Signer {
    pub(super) spki: Box<[u8]>,
    /// Its own status is known. If it is not, which only soft-fail lets pass, a CRL is believed where it says revoked,
    /// and is no reason to call a certificate good.
    pub(super) sure: bool,
    /// Until when its own path is good, if that is not the path in question.
    pub(super) until: i64,
}

/// Who may have signed the CRLs for one certificate of a path.
pub(super) struct Signers<'s, 'p, 'a> {
    pub(super) path: &'s Path<'p, 'a>,
    /// Where in the path the certificate stands.
    pub(super) depth: usize,
    /// The certificate names another issuer of its CRL (cRLIssuer).
    pub(super) is_delegated: bool,
}

impl Signers<'_, '_, '_> {
    /// A key of the CRL's issuer that signed it, that may, and that leads to the same anchor.
    ///
    /// Certificates of the path above the one in question come first: they are validated. A certificate does not vouch
    /// for its own status, and none does for one above it; only a CRL issuer may whose CA has said in its certificate
    /// that its CRL is where to look. Keys that the CRL's authority key identifier contradicts come last.
    pub(super) fn find(
        &self,
        candidate: &Candidate<'_>,
        budget: &mut Remaining,
    ) -> Result<Option<Signer>, Exhausted> {
        let list = &candidate.list;
        let own = self.path.is_nested() && self.is_delegated;
        let first = if own { self.depth } else { self.depth.saturating_add(1) };
        let above = self.path.certificates.get(first..).unwrap_or(&[]);
        for contradicted in [false, true] {
            let fits = |key_id| contradicts(list, key_id) == contradicted;
            for certificate in above.iter().filter(|c| may_sign(c, list) && fits(key_id(c))) {
                if self.path.signs(certificate.spki(), candidate, budget)? {
                    return Ok(Some(Signer { spki: certificate.spki().into(), until: i64::MAX, sure: true }));
                }
            }
            let anchor = self.path.anchor;
            let allowed = anchor.certificate().is_none_or(|certificate| signs_crls(&certificate));
            if anchor.subject() == list.issuer
                && allowed
                && fits(anchor.key_id())
                && self.path.signs(anchor.spki(), candidate, budget)?
            {
                return Ok(Some(Signer { spki: anchor.spki().into(), until: i64::MAX, sure: true }));
            }
            if let Some(signer) = self.elsewhere(candidate, contradicted, budget)? {
                return Ok(Some(signer));
            }
        }
        Ok(None)
    }

    /// A signer outside the path, among what the peer sent and what the store has: its own path is validated first, or
    /// any peer could have us hash large CRLs for keys of its own making.
    fn elsewhere(
        &self,
        candidate: &Candidate<'_>,
        contradicted: bool,
        budget: &mut Remaining,
    ) -> Result<Option<Signer>, Exhausted> {
        let list = &candidate.list;
        let evidence = self.path.evidence;
        if evidence.nesting >= defaults::CRL_ISSUER_NESTING {
            return Ok(None);
        }
        for der in pool(evidence) {
            // The peer chooses how many there are.
            budget.node()?;
            let Some(certificate) = Certificate::parse(der).ok().filter(|c| may_sign(c, list)) else {
                continue;
            };
            let in_path = self.path.certificates.iter().any(|known| known.der() == certificate.der());
            if in_path || contradicts(list, key_id(&certificate)) != contradicted {
                continue;
            }
            let Some(found) = self.validate(&certificate, budget)? else {
                continue;
            };
            if self.path.signs(certificate.spki(), candidate, budget)? {
                let sure = found.revocation == RevocationStatus::Good;
                let spki = certificate.spki().into();
                return Ok(Some(Signer { spki, until: found.earliest_expiry, sure }));
            }
        }
        Ok(None)
    }

    /// Validates the path of a CRL issuer's certificate to the same anchor, its status included.
    fn validate(
        &self,
        certificate: &Certificate<'_>,
        budget: &mut Remaining,
    ) -> Result<Option<build::Found>, Exhausted> {
        let outer = self.path.evidence;
        let others = pool(outer).filter(|der| der.as_ref() != certificate.der());
        let pool: Vec<_> = [certificate.der()]
            .into_iter()
            .chain(others.map(AsRef::as_ref))
            .map(CertificateDer::from)
            .take(defaults::MAX_CHAIN)
            .collect();
        // All of them are read anew and their names compared: several times the work of trying one as an issuer.
        for _ in 0..pool.len().saturating_mul(4) {
            budget.node()?;
        }
        let nesting = outer.nesting.saturating_add(1);
        let evidence =
            Evidence { chain: &pool, stapled: Stapled::default(), transparency: None, nesting, ..*outer };
        let policy = policy_for_issuers(self.path.context.policy);
        let context = Context {
            policy: &policy,
            crl_issuer: Some(self.path.anchor_index),
            pins: None,
            evidence: Some(&evidence),
            ..*self.path.context
        };
        let Ok(mut chain) = Chain::parse(&pool, context.roots) else {
            return Ok(None);
        };
        match build::search_within(context, &mut chain, budget) {
            Ok(found) => Ok(self.is_the_same_authority(&pool, &found).then_some(found)),
            Err(failure) => match (failure.fault.rule, failure.fault.detail) {
                (Rule::WorkBudget, Detail::What(what)) => Err(Exhausted(what)),
                _ => Ok(None),
            },
        }
    }

    /// Whether a validated certificate with the CA's name is that CA's: certified by the CA itself, with the key that the
    /// path has of it, or by whoever stands above it there. The same anchor and the same name are not enough: another CA
    /// below the anchor could certify a key in this one's name, and un-revoke what it pleases. Where the certificate
    /// names another issuer of its CRL, that name is all that there is to go by.
    fn is_the_same_authority(&self, pool: &[CertificateDer<'_>], found: &build::Found) -> bool {
        if self.is_delegated {
            return true;
        }
        let above: Vec<_> = found
            .path
            .iter()
            .filter_map(|&position| Certificate::parse(pool.get(usize::from(position))?).ok())
            .collect();
        for (place, certificate) in above.iter().enumerate() {
            let issuer = above.get(place.saturating_add(1));
            let spki = issuer.map_or(self.path.anchor.spki(), |issuer| issuer.spki());
            if self.certifies(certificate.issuer(), spki) {
                return true;
            }
            // A key that another key of the same CA certified is as good as that one.
            if !certificate.is_self_issued() {
                return false;
            }
        }
        false
    }

    /// Whether this is the CA's own key, or that of a CA above it on this path: any of those could have made it another CA
    /// altogether. Who certified it directly would be too few, since of several who did the peer names the one of its
    /// liking, and a CRL that nobody believes lets a revoked certificate pass where that is no reason to refuse.
    fn certifies(&self, name: Name<'_>, spki: &[u8]) -> bool {
        let mut issued = self.path.certificates.iter().enumerate().skip(self.depth);
        issued
            .any(|(depth, certificate)| name == certificate.issuer() && spki == self.path.issuer_spki(depth))
    }
}

impl Path<'_, '_> {
    /// Whether this key signed a CRL, and may by the policy.
    pub(super) fn signs(
        &self,
        spki: &[u8],
        signed: &Candidate<'_>,
        budget: &mut Remaining,
    ) -> Result<bool, Exhausted> {
        let allowed = is_allowed(self.context.policy, signed.list.algorithm, spki);
        Ok(allowed && signed.crl.is_signed_by(spki, budget)?)
    }
}

/// Names and policies that are asked of the peer are not asked of who signs CRLs, nor that its key does what TLS needs or
/// signs certificates. Which algorithms are allowed is.
fn policy_for_issuers(of_peer: &Policy) -> Policy {
    let mut policy = Policy::default()
        .lift(Rule::DigitalSignature)
        .lift(Rule::CaSignsCertificates)
        .with_budget(of_peer.budget());
    if of_peer.optional_rules().contains(Rule::CrlAuthorityKeyIdentifier) {
        policy = policy.require(Rule::CrlAuthorityKeyIdentifier);
    }
    match of_peer.allowed_algorithms() {
        Some(allowed) => policy.with_allowed_algorithms(allowed.clone()),
        None => policy,
    }
}

/// Where CRL issuers' certificates are looked for: the store's before the peer's, so that nothing that a peer sends along
/// hides them.
fn pool<'e>(evidence: &Evidence<'e>) -> impl Iterator<Item = &'e CertificateDer<'e>> + use<'e> {
    // The path of a CRL's issuer was built from the store's already.
    let own = if evidence.nesting == 0 { evidence.revocation.crls.issuers() } else { &[] };
    own.iter().chain(evidence.chain).take(own.len().saturating_add(defaults::MAX_CHAIN))
}

/// Whether the certificate has the CRL issuer's name and may sign CRLs.
fn may_sign(certificate: &Certificate<'_>, list: &List<'_>) -> bool {
    certificate.subject() == list.issuer && signs_crls(certificate)
}

/// Section 6.3.3 (f): a keyUsage, if there is one, has cRLSign.
fn signs_crls(certificate: &Certificate<'_>) -> bool {
    certificate.key_usage().is_none_or(|usage| usage.allows(KeyUsage::CRL_SIGN))
}

fn key_id<'a>(certificate: &Certificate<'a>) -> Option<&'a [u8]> {
    certificate.subject_key_id().map(|ski| ski.key_id)
}

/// Whether the CRL names another key.
fn contradicts(list: &List<'_>, key_id: Option<&[u8]>) -> bool {
    matches!((list.extensions.key_id, key_id), (Some(wanted), Some(found)) if wanted != found)
}
