//! Profile rules: what RFC 5280 section 4 and the CA/Browser Forum ask of CAs rather than of validators. They hold
//! only where the policy asks for them.

mod names;

use crate::certificate::{Certificate, Version};
use crate::extension::KeyUsage;
use crate::oid;
use crate::policy::Purpose;
use crate::report::Position;
use crate::revocation::has_readable_points;
use crate::rules::Rule;
use crate::spki::KeyKind;

use super::{Context, Fault};

type Checked<'a> = Result<(), Fault<'a>>;

/// One rule in force, as a check that fails when `broken` holds.
struct Profile<'c> {
    context: &'c Context<'c>,
    at: Position,
}

impl Profile<'_> {
    fn refuse_if<'a>(&self, rule: Rule, offset: u32, broken: impl FnOnce() -> bool) -> Checked<'a> {
        if self.context.policy.optional_rules().contains(rule) && broken() {
            return Err(Fault::new(rule, self.at, Some(offset)));
        }
        Ok(())
    }
}

/// Rules for the peer's certificate. Those for subscribers' certificates say nothing about a CA's, which RFC 5280 lets
/// stand at the end of a path; [`Rule::CaAsLeaf`] does.
pub(crate) fn leaf<'a>(context: &Context<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let profile = Profile { context, at: Position::Chain(0) };
    let constraints = certificate.basic_constraints();
    let is_ca = constraints.is_some_and(|constraints| constraints.ca);
    let limits = certificate.name_constraints();
    profile.refuse_if(Rule::NameConstraintsNeedCa, limits.map_or(0, |limits| limits.offset), || {
        limits.is_some() && !is_ca
    })?;
    if context.policy.has_profile() {
        common(&profile, certificate)?;
    }
    profile.refuse_if(Rule::CaAsLeaf, constraints.map_or(0, |constraints| constraints.offset), || is_ca)?;
    let usage = certificate.key_usage();
    profile.refuse_if(Rule::CaSignsCertificates, usage.map_or(0, |usage| usage.offset), || {
        is_ca && usage.is_some_and(|usage| !usage.allows(KeyUsage::KEY_CERT_SIGN))
    })?;
    if !context.policy.has_profile() {
        return Ok(());
    }
    if !is_ca {
        subscriber(&profile, certificate)?;
    }
    let end = certificate.offsets().extensions;
    profile.refuse_if(Rule::AuthorityKeyIdentifierPresent, end, || {
        let exempt = || certificate.is_self_issued() && certificate.is_self_signed();
        !(has_authority_key_id(certificate) || exempt())
    })
}

/// Rules for a peer's certificate that is no CA's.
fn subscriber<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let usage = certificate.extended_key_usage();
    let offset = usage.map_or(certificate.offsets().extensions, |usage| usage.offset);
    profile.refuse_if(Rule::LeafExtendedKeyUsagePresent, offset, || usage.is_none())?;
    profile.refuse_if(Rule::AnyExtendedKeyUsage, offset, || {
        usage.is_some_and(|usage| usage.contains(oid::ANY_EXTENDED_KEY_USAGE))
    })?;
    profile.refuse_if(Rule::ForeignExtendedKeyUsage, offset, || {
        let foreign = [oid::CODE_SIGNING, oid::EMAIL_PROTECTION, oid::TIME_STAMPING, oid::OCSP_SIGNING];
        profile.context.purpose == Purpose::ServerAuth
            && usage.is_some_and(|usage| foreign.iter().any(|purpose| usage.contains(purpose)))
    })?;
    let critical = certificate.extensions().find(|extension| {
        let never = [oid::EXTENDED_KEY_USAGE, oid::CERTIFICATE_POLICIES, oid::CRL_DISTRIBUTION_POINTS];
        extension.critical && never.contains(&extension.oid.0)
    });
    profile.refuse_if(Rule::LeafCriticality, critical.map_or(0, |extension| extension.offset), || {
        critical.is_some()
    })?;
    profile.refuse_if(Rule::CommonNameInSubjectAltName, certificate.offsets().subject, || {
        !names::common_names_are_copies(certificate)
    })
}

/// Rules for intermediates. None of them is self-signed, even if self-issued: it would have been passed by.
pub(crate) fn intermediate<'a>(
    context: &Context<'_>,
    certificate: &Certificate<'a>,
    at: Position,
) -> Checked<'a> {
    if !context.policy.has_profile() {
        return Ok(());
    }
    let profile = Profile { context, at };
    common(&profile, certificate)?;
    authority(&profile, certificate)?;
    let end = certificate.offsets().extensions;
    // Roots are trusted by configuration, and some old ones have none.
    profile.refuse_if(Rule::KeyUsagePresent, end, || certificate.key_usage().is_none())?;
    profile.refuse_if(Rule::AuthorityKeyIdentifierPresent, end, || !has_authority_key_id(certificate))
}

/// Rules for anchors that came as certificates.
pub(crate) fn anchor<'a>(context: &Context<'_>, certificate: &Certificate<'a>, index: usize) -> Checked<'a> {
    let Some(anchor) = context.roots.anchor(index).filter(|_| context.policy.has_profile()) else {
        return Ok(());
    };
    let profile = Profile { context, at: Position::Anchor(index) };
    common(&profile, certificate)?;
    profile.refuse_if(Rule::AnchorVersion, certificate.offsets().version, || {
        certificate.version() != Version::V3
    })?;
    if certificate.version() == Version::V3 {
        authority(&profile, certificate)?;
    }
    let (usage, identifier) = (certificate.extended_key_usage(), certificate.authority_key_id());
    let self_issued = certificate.is_self_issued();
    // Whoever trusts an intermediate CA as it is does not trust a root: its extendedKeyUsage is as it must be.
    profile.refuse_if(Rule::AnchorExtendedKeyUsage, usage.map_or(0, |usage| usage.offset), || {
        self_issued && usage.is_some()
    })?;
    profile.refuse_if(Rule::AuthorityKeyIdentifierPresent, certificate.offsets().extensions, || {
        !has_authority_key_id(certificate) && !anchor.is_self_signed()
    })?;
    profile.refuse_if(Rule::AuthorityKeyIdentifierForm, identifier.map_or(0, |aki| aki.offset), || {
        let own = certificate.subject_key_id().map(|ski| ski.key_id);
        self_issued && identifier.is_some_and(|aki| aki.key_id.is_none() || aki.key_id != own)
    })
}

/// Rules for every certificate.
fn common<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    fields(profile, certificate)?;
    key(profile, certificate)?;
    authority_extensions(profile, certificate)?;
    let (authority_id, subject_id) = (certificate.authority_key_id(), certificate.subject_key_id());
    profile.refuse_if(Rule::AuthorityKeyIdentifierForm, authority_id.map_or(0, |aki| aki.offset), || {
        authority_id.is_some_and(|aki| aki.critical || aki.names_certificate)
    })?;
    profile.refuse_if(Rule::SubjectKeyIdentifierPresent, subject_id.map_or(0, |ski| ski.offset), || {
        subject_id.is_some_and(|ski| ski.critical)
    })?;
    let access = certificate.authority_info_access();
    profile.refuse_if(Rule::AuthorityInfoAccessForm, access.map_or(0, |access| access.offset), || {
        access.is_some_and(|access| access.critical)
    })?;
    let points = certificate.extensions().find(|extension| extension.oid.0 == oid::CRL_DISTRIBUTION_POINTS);
    profile.refuse_if(Rule::DistributionPointForm, points.map_or(0, |points| points.offset), || {
        !has_readable_points(certificate)
    })?;
    names::alt_names(profile, certificate)
}

/// Fields of any certificate that are no extensions.
fn fields<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let offsets = certificate.offsets();
    profile.refuse_if(Rule::SerialNumber, offsets.serial, || {
        !matches!(certificate.serial(), [0, ..] | [1..=0x7f, ..])
            || certificate.serial().len() > 20
            || certificate.serial() == [0]
    })?;
    profile.refuse_if(Rule::GeneralizedTimeBefore2050, offsets.validity, || {
        certificate.early_generalized_time()
    })?;
    profile.refuse_if(Rule::UniqueIdentifiers, offsets.spki, || certificate.has_unique_id())
}

/// The public key of any certificate.
fn key<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let offset = certificate.offsets().spki;
    let Ok(kind) = KeyKind::read(certificate.spki()) else {
        return Ok(());
    };
    profile.refuse_if(
        Rule::RsaModulusWholeOctets,
        offset,
        || matches!(kind, KeyKind::Rsa { bits, .. } if !bits.is_multiple_of(8)),
    )?;
    // Roots are trusted by configuration, and some old ones have an exponent of 3.
    profile.refuse_if(Rule::RsaExponent, offset, || {
        matches!(kind, KeyKind::Rsa { exponent, .. } if exponent < 0x1_0001)
            && matches!(profile.at, Position::Chain(_))
    })?;
    profile.refuse_if(Rule::PublicKeyAlgorithm, offset, || {
        !matches!(kind, KeyKind::Rsa { pss: false, .. } | KeyKind::Ec)
    })
}

/// Extensions of any certificate that only issuers may have.
fn authority_extensions<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let constraints = certificate.basic_constraints();
    let is_ca = constraints.is_some_and(|constraints| constraints.ca);
    let usage = certificate.key_usage();
    let signs = usage.is_some_and(|usage| usage.allows(KeyUsage::KEY_CERT_SIGN));
    let offset = constraints.map_or(0, |constraints| constraints.offset);
    profile.refuse_if(Rule::PathLengthNeedsCa, offset, || {
        let limited = constraints.is_some_and(|constraints| constraints.path_len.is_some());
        limited && !(is_ca && (signs || usage.is_none()))
    })?;
    profile.refuse_if(Rule::KeyUsageNotEmpty, usage.map_or(0, |usage| usage.offset), || {
        usage.is_some_and(KeyUsage::is_empty)
    })?;
    profile.refuse_if(Rule::KeyUsageNeedsCa, usage.map_or(0, |usage| usage.offset), || signs && !is_ca)?;
    let lax = certificate.lax_policy_limits();
    profile.refuse_if(Rule::PolicyLimitsCritical, lax.unwrap_or(0), || lax.is_some())
}

/// Rules for every issuer.
fn authority<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let end = certificate.offsets().extensions;
    profile.refuse_if(Rule::SubjectKeyIdentifierPresent, end, || certificate.subject_key_id().is_none())?;
    let constraints = certificate.basic_constraints();
    profile.refuse_if(Rule::BasicConstraintsCritical, constraints.map_or(0, |basic| basic.offset), || {
        constraints.is_some_and(|constraints| !constraints.critical)
    })?;
    let Some(limits) = certificate.name_constraints() else {
        return Ok(());
    };
    profile.refuse_if(Rule::NameConstraintsCritical, limits.offset, || !limits.critical)?;
    profile.refuse_if(Rule::NameConstraintsForm, limits.offset, || {
        limits.permitted().chain(limits.excluded()).any(|base| !names::is_well_formed_subtree(&base))
    })
}

fn has_authority_key_id(certificate: &Certificate<'_>) -> bool {
    certificate.authority_key_id().is_some_and(|aki| aki.key_id.is_some())
}
