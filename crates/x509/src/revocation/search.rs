//! The status of the certificates of a path: RFC 5280 section 6.3.3 over the CRLs there are, and the stapled response.

use crate::certificate::Certificate;
use crate::defaults;
use crate::name::{GeneralName, Name};
use crate::oid;
use crate::path::budget::{Exhausted, Remaining};
use crate::path::{Context, Detail, Fault};
use crate::policy::Purpose;
use crate::report::Position;
use crate::rules::Rule;
use crate::trust::Anchor;

use super::crl::List;
use super::scope::{DistributionPoint, Reasons, one};
use super::signer::{Signer, Signers};
use super::{Crl, Evidence, Mode, Reason, RevocationStatus, Revoked, Unknown, responder};

/// A path that is good but for the status of its certificates.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p, 'a> {
    pub(crate) context: &'p Context<'a>,
    pub(crate) evidence: &'p Evidence<'a>,
    /// From the leaf up, without the anchor.
    pub(crate) certificates: &'p [Certificate<'a>],
    /// Where they stand in the chain.
    pub(crate) positions: &'p [Position],
    pub(crate) anchor: &'a Anchor,
    /// The anchor's number.
    pub(crate) anchor_index: usize,
}

impl<'a> Path<'_, 'a> {
    /// The key of the certificate's issuer.
    pub(crate) fn issuer_spki(&self, depth: usize) -> &'a [u8] {
        let issuer = self.certificates.get(depth.saturating_add(1));
        issuer.map_or(self.anchor.spki(), |issuer| issuer.spki())
    }
}

/// What is known of one certificate.
pub(super) enum Status {
    /// It is not revoked, as long as this second has not passed.
    Good {
        until: i64,
    },
    Revoked(Revoked),
    Unknown(Unknown),
}

/// What is known of a path that was accepted.
#[derive(Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) status: RevocationStatus,
    /// The last second in which what was used is in force.
    pub(crate) until: i64,
}

impl Verdict {
    /// Nobody asked.
    pub(crate) const UNCHECKED: Self = Self { status: RevocationStatus::NotChecked, until: i64::MAX };
}

/// Judges the certificates of a path from the leaf up.
pub(super) fn check<'a>(path: &Path<'_, 'a>, budget: &mut Remaining) -> Result<Verdict, Fault<'a>> {
    let revocation = path.evidence.revocation;
    let mut verdict = Verdict::UNCHECKED;
    if revocation.mode == Mode::Off {
        return Ok(verdict);
    }
    verdict.status = RevocationStatus::Good;
    let count = if revocation.leaf_only { 1 } else { path.certificates.len() };
    for (depth, certificate) in path.certificates.iter().enumerate().take(count) {
        let at = path.positions.get(depth).copied().unwrap_or(Position::Chain(depth));
        let fault = |rule, detail| Fault::new(rule, at, None).with(detail);
        let stapled = if depth == 0 { responder::stapled(path, budget)? } else { None };
        if depth == 0 && !path.is_nested() && promises_staple(path.context.purpose, certificate) {
            match &stapled {
                None => return Err(fault(Rule::MustStaple, Detail::None)),
                Some(Status::Unknown(why)) => return Err(fault(Rule::MustStaple, Detail::Unknown(*why))),
                Some(_) => {}
            }
        }
        let listed = by_crl(path, depth, budget)?;
        match combine(stapled, listed) {
            Status::Good { until } => verdict.until = verdict.until.min(until),
            Status::Revoked(revoked) => return Err(fault(Rule::NotRevoked, Detail::Revoked(revoked))),
            Status::Unknown(why) if revocation.mode == Mode::HardFail => {
                let rule = if why.is_of_response() { Rule::StapledStatus } else { Rule::StatusKnown };
                return Err(fault(rule, Detail::Unknown(why)));
            }
            Status::Unknown(why) if verdict.status == RevocationStatus::Good => {
                verdict.status = RevocationStatus::Unknown(at, why);
            }
            Status::Unknown(_) => {}
        }
    }
    Ok(verdict)
}

/// Whoever says revoked is believed first; then whoever says good.
fn combine(stapled: Option<Status>, listed: Status) -> Status {
    match (stapled, listed) {
        (Some(revoked @ Status::Revoked(_)), _) | (_, revoked @ Status::Revoked(_)) => revoked,
        (Some(Status::Good { until: one }), Status::Good { until: other }) => {
            Status::Good { until: one.min(other) }
        }
        (Some(good @ Status::Good { .. }), _) | (_, good @ Status::Good { .. }) => good,
        (Some(why), Status::Unknown(_)) => why,
        (None, why) => why,
    }
}

/// Whether a server's certificate says that its server staples (RFC 7633: feature 5, status_request).
fn promises_staple(purpose: Purpose, certificate: &Certificate<'_>) -> bool {
    if purpose != Purpose::ServerAuth {
        return false;
    }
    let Some(extension) = certificate.extensions().find(|e| e.oid.0 == oid::TLS_FEATURE) else {
        return false;
    };
    let Ok(mut features) = one(extension.reader(), |r| r.sequence("Features expected")) else {
        return true;
    };
    core::iter::from_fn(|| (!features.is_empty()).then(|| features.integer()))
        .take(defaults::TLS_FEATURES)
        // What cannot be read promises the worst.
        .any(|feature| feature.is_ok_and(|feature| feature == [5]) || feature.is_err())
}

/// RFC 5280 section 6.3.3 for one certificate of the path.
pub(super) fn by_crl(path: &Path<'_, '_>, depth: usize, budget: &mut Remaining) -> Result<Status, Exhausted> {
    let Some(certificate) = path.certificates.get(depth) else {
        return Ok(Status::Unknown(Unknown::NoData));
    };
    if path.evidence.revocation.crls.is_empty() {
        return Ok(Status::Unknown(Unknown::NoData));
    }
    let points = DistributionPoint::all(certificate);
    let mut search =
        Search { path, depth, certificate, covered: Reasons::NONE, until: i64::MAX, why: Unknown::NoData };
    for point in points.iter().flatten().chain([&DistributionPoint::of_issuer()]) {
        if let Some(revoked) = search.consult(point, budget)? {
            return Ok(Status::Revoked(revoked));
        }
        if search.covered.is_all() && points.is_ok() {
            return Ok(Status::Good { until: search.until });
        }
    }
    // Where to look cannot be read: the issuer's own CRL may say revoked, but not that all is well.
    if points.is_err() {
        return Ok(Status::Unknown(Unknown::MalformedPoints));
    }
    let partly = search.covered != Reasons::NONE;
    Ok(Status::Unknown(if partly { Unknown::SomeReasons } else { search.why }))
}

/// The search for one certificate's status.
struct Search<'s, 'p, 'a> {
    path: &'s Path<'p, 'a>,
    depth: usize,
    certificate: &'s Certificate<'a>,
    /// reasons_mask.
    covered: Reasons,
    until: i64,
    why: Unknown,
}

/// A CRL and its head.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'c> {
    pub(super) crl: &'c Crl,
    pub(super) list: List<'c>,
}

impl Search<'_, '_, '_> {
    /// The CRLs of one distribution point, the newest first.
    fn consult(
        &mut self,
        point: &DistributionPoint<'_>,
        budget: &mut Remaining,
    ) -> Result<Option<Revoked>, Exhausted> {
        let Some(issuers) = point.crl_issuer else {
            return self.consult_issuer(point, self.certificate.issuer(), budget);
        };
        for issuer in issuers {
            budget.name_comparison(issuer.effort())?;
            let GeneralName::Directory(issuer) = issuer else {
                continue;
            };
            let found = self.consult_issuer(point, issuer, budget)?;
            if found.is_some() || self.covered.is_all() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn consult_issuer(
        &mut self,
        point: &DistributionPoint<'_>,
        issuer: Name<'_>,
        budget: &mut Remaining,
    ) -> Result<Option<Revoked>, Exhausted> {
        let crls = self.path.evidence.revocation.crls.of(issuer);
        let lists = crls.filter_map(|crl| Some(Candidate { crl, list: crl.list()? }));
        let (mut complete, deltas): (Vec<_>, Vec<_>) = lists
            .filter(|candidate| candidate.list.issuer == issuer)
            .partition(|candidate| candidate.list.extensions.base.is_none());
        complete.sort_by_key(|candidate| core::cmp::Reverse(candidate.list.this_update));
        for candidate in complete {
            // Section 6.3.3 (b)(1): a CRL of another issuer than the certificate's must be indirect.
            if point.crl_issuer.is_some() && !candidate.list.is_indirect() {
                self.note(Unknown::OutOfScope);
                continue;
            }
            if let Some(revoked) = self.look_up(point, &candidate, &deltas, budget)? {
                return Ok(Some(revoked));
            }
            if self.covered.is_all() {
                break;
            }
        }
        Ok(None)
    }

    /// Section 6.3.3 (b) to (l) for one complete CRL.
    fn look_up(
        &mut self,
        point: &DistributionPoint<'_>,
        complete: &Candidate<'_>,
        deltas: &[Candidate<'_>],
        budget: &mut Remaining,
    ) -> Result<Option<Revoked>, Exhausted> {
        let Candidate { crl, list } = complete;
        let reasons =
            point.reasons_of(list.extensions.scope.as_ref(), self.certificate, list.issuer, budget)?;
        if !reasons.adds_to(self.covered) {
            self.note(Unknown::OutOfScope);
            return Ok(None);
        }
        let deltas = fitting(list, deltas, self.path.context.now);
        let mut states = core::iter::once(None).chain(deltas.iter().map(|delta| Some(&delta.list)));
        if states.all(|delta| self.in_force(list, delta).is_none()) {
            self.note(Unknown::StaleCrl);
            return self.revoked_for_good(point, complete, &deltas, budget);
        }
        let Some(signer) = self.signers(point).find(complete, budget)? else {
            self.note(Unknown::UntrustedCrl);
            return Ok(None);
        };
        let delta = self.first_signed(&deltas, &signer, budget)?;
        let Some(until) = self.in_force(list, delta.map(|delta| &delta.list)) else {
            self.note(Unknown::StaleCrl);
            return self.revoked_for_good(point, complete, &deltas, budget);
        };
        let (serial, issuer) = (self.certificate.serial(), self.certificate.issuer());
        let changed = match delta {
            Some(delta) => delta.crl.find(serial, issuer, budget)?,
            None => None,
        };
        let found = match changed {
            Some(Revoked { reason: Reason::RemoveFromCrl, .. }) => None,
            Some(revoked) => Some(revoked),
            None => crl.find(serial, issuer, budget)?,
        };
        if found.is_none() && !signer.sure {
            self.note(Unknown::UntrustedCrl);
        } else if found.is_none() && self.breaks_profile(list) {
            self.note(Unknown::UnprofiledCrl);
        } else if found.is_none() {
            self.covered = self.covered.or(reasons);
            self.until = self.until.min(until).min(signer.until);
        }
        Ok(found)
    }

    /// Section 6.3.3 (h): a delta counts only if the same key signed it. Others, which anybody can make, hide none that does.
    fn first_signed<'d, 'c>(
        &self,
        deltas: &[&'d Candidate<'c>],
        signer: &Signer,
        budget: &mut Remaining,
    ) -> Result<Option<&'d Candidate<'c>>, Exhausted> {
        for delta in deltas {
            if self.path.signs(&signer.spki, delta, budget)? {
                return Ok(Some(delta));
            }
        }
        Ok(None)
    }

    /// What an outdated CRL, and deltas that go with it, say all the same: a certificate that was revoked, and not put on
    /// hold, stays so (section 5.3.1). Whoever can keep newer CRLs away does not bring it back.
    fn revoked_for_good(
        &self,
        point: &DistributionPoint<'_>,
        complete: &Candidate<'_>,
        deltas: &[&Candidate<'_>],
        budget: &mut Remaining,
    ) -> Result<Option<Revoked>, Exhausted> {
        let for_good = |on: &Revoked| !matches!(on.reason, Reason::CertificateHold | Reason::RemoveFromCrl);
        let (serial, issuer) = (self.certificate.serial(), self.certificate.issuer());
        for outdated in core::iter::once(complete).chain(deltas.iter().copied()) {
            if outdated.list.this_update > self.path.context.now {
                continue;
            }
            let on_it = outdated.crl.find(serial, issuer, budget)?.filter(for_good);
            if on_it.is_some() && self.signers(point).find(outdated, budget)?.is_some() {
                return Ok(on_it);
            }
        }
        Ok(None)
    }

    /// Until when a CRL is in force: by itself, or by a delta on top of it (section 5.2.4).
    fn in_force(&self, list: &List<'_>, delta: Option<&List<'_>>) -> Option<i64> {
        let now = self.path.context.now;
        if list.this_update > now {
            return None;
        }
        let until = delta.map_or(list.next_update, |delta| delta.next_update.max(list.next_update));
        (now <= until).then_some(until)
    }

    fn signers(&self, point: &DistributionPoint<'_>) -> Signers<'_, '_, '_> {
        Signers { path: self.path, depth: self.depth, is_delegated: point.crl_issuer.is_some() }
    }

    fn breaks_profile(&self, list: &List<'_>) -> bool {
        let rules = self.path.context.policy.optional_rules();
        rules.contains(Rule::CrlAuthorityKeyIdentifier) && list.extensions.key_id.is_none()
    }

    fn note(&mut self, why: Unknown) {
        self.why = self.why.max(why);
    }
}

impl Path<'_, '_> {
    /// Whether it is the path of a CRL's issuer.
    pub(super) const fn is_nested(&self) -> bool {
        self.evidence.nesting > 0
    }
}

/// The deltas that go with a complete CRL (sections 5.2.4 and 6.3.3 (c)), the newest first: of the same scope and authority,
/// made for a base no newer than this one, and newer themselves.
fn fitting<'d, 'c>(list: &List<'_>, deltas: &'d [Candidate<'c>], now: i64) -> Vec<&'d Candidate<'c>> {
    let ours = &list.extensions;
    let goes_with = |delta: &&Candidate<'_>| {
        let theirs = &delta.list.extensions;
        ours.scope.map(|scope| scope.value) == theirs.scope.map(|scope| scope.value)
            && ours.authority == theirs.authority
            && theirs.base.is_some_and(|base| number_key(base) <= number_key(ours.number))
            && number_key(ours.number) < number_key(theirs.number)
            && delta.list.this_update <= now
    };
    let mut fitting: Vec<_> = deltas.iter().filter(goes_with).collect();
    fitting.sort_by(|one, other| {
        number_key(other.list.extensions.number).cmp(&number_key(one.list.extensions.number))
    });
    fitting
}

/// Numbers without leading zeros compare by length, then by octets.
const fn number_key(number: &[u8]) -> (usize, &[u8]) {
    (number.len(), number)
}
