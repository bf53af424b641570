//! Profile rules: what RFC 5280 section 4 and the CA/Browser Forum ask of CAs rather than of validators. They hold
//! only where the policy asks for them.

use std::net::IpAddr;

use crate::certificate::{Certificate, Version};
use crate::extension::KeyUsage;
use crate::identity::{describe_name, ip_address};
use crate::name::GeneralName;
use crate::oid;
use crate::reference::is_presentable;
use crate::report::Position;
use crate::rules::Rule;
use crate::spki::KeyKind;

use super::constraints::{is_email_base, is_network};
use super::{Context, Fault};

type Checked<'a> = Result<(), Fault<'a>>;

/// One rule in force, as a check that fails when `broken` holds.
struct Profile<'c> {
    context: &'c Context<'c>,
    at: Position,
}

impl Profile<'_> {
    fn refuse_if<'a>(&self, rule: Rule, broken: impl FnOnce() -> bool) -> Checked<'a> {
        if self.context.policy.optional_rules().contains(rule) && broken() {
            return Err(Fault::new(rule, self.at, None));
        }
        Ok(())
    }
}

/// Rules for the peer's certificate.
pub(crate) fn leaf<'a>(context: &Context<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    if !context.policy.has_profile() {
        return Ok(());
    }
    let profile = Profile { context, at: Position::Chain(0) };
    common(&profile, certificate)?;
    let is_ca = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
    let usage = certificate.extended_key_usage();
    profile.refuse_if(Rule::CaAsLeaf, || is_ca)?;
    profile.refuse_if(Rule::LeafExtendedKeyUsagePresent, || usage.is_none())?;
    profile.refuse_if(Rule::AnyExtendedKeyUsage, || {
        usage.is_some_and(|usage| usage.contains(oid::ANY_EXTENDED_KEY_USAGE))
    })?;
    profile.refuse_if(Rule::AuthorityKeyIdentifierPresent, || !has_authority_key_id(certificate))?;
    profile.refuse_if(Rule::CommonNameInSubjectAltName, || !common_names_are_copies(certificate))
}

/// Rules for intermediates.
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
    // Roots are trusted by configuration, and some old ones have none.
    profile.refuse_if(Rule::KeyUsagePresent, || certificate.key_usage().is_none())?;
    profile.refuse_if(Rule::AuthorityKeyIdentifierPresent, || !has_authority_key_id(certificate))
}

/// Rules for anchors that came as certificates.
pub(crate) fn anchor<'a>(context: &Context<'_>, certificate: &Certificate<'a>, at: Position) -> Checked<'a> {
    if !context.policy.has_profile() {
        return Ok(());
    }
    let profile = Profile { context, at };
    common(&profile, certificate)?;
    if certificate.version() == Version::V3 {
        authority(&profile, certificate)?;
    }
    profile.refuse_if(Rule::AnchorExtendedKeyUsage, || certificate.extended_key_usage().is_some())?;
    profile.refuse_if(Rule::AuthorityKeyIdentifierForm, || {
        let own = certificate.subject_key_id().map(|ski| ski.key_id);
        certificate.is_self_issued()
            && certificate.authority_key_id().is_some_and(|aki| aki.key_id.is_none() || aki.key_id != own)
    })
}

fn common<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let constraints = certificate.basic_constraints();
    let is_ca = constraints.is_some_and(|constraints| constraints.ca);
    let signs_certificates =
        certificate.key_usage().is_some_and(|usage| usage.allows(KeyUsage::KEY_CERT_SIGN));
    profile.refuse_if(Rule::SerialNumber, || {
        !matches!(certificate.serial(), [0, ..] | [1..=0x7f, ..])
            || certificate.serial().len() > 20
            || certificate.serial() == [0]
    })?;
    profile.refuse_if(Rule::GeneralizedTimeBefore2050, || certificate.early_generalized_time)?;
    profile.refuse_if(Rule::AuthorityKeyIdentifierForm, || {
        certificate.authority_key_id().is_some_and(|aki| aki.critical || aki.names_certificate)
    })?;
    profile.refuse_if(Rule::SubjectKeyIdentifierPresent, || {
        certificate.subject_key_id().is_some_and(|ski| ski.critical)
    })?;
    profile.refuse_if(Rule::AuthorityInfoAccessForm, || {
        certificate.authority_info_access().is_some_and(|access| access.critical)
    })?;
    profile.refuse_if(Rule::PathLengthNeedsCa, || {
        let limited = constraints.is_some_and(|constraints| constraints.path_len.is_some());
        limited && !(is_ca && (signs_certificates || certificate.key_usage().is_none()))
    })?;
    profile.refuse_if(Rule::KeyUsageNeedsCa, || signs_certificates && !is_ca)?;
    profile.refuse_if(Rule::NameConstraintsNeedCa, || certificate.name_constraints().is_some() && !is_ca)?;
    profile.refuse_if(
        Rule::RsaModulusWholeOctets,
        || matches!(KeyKind::read(certificate.spki()), Ok(KeyKind::Rsa { bits }) if !bits.is_multiple_of(8)),
    )?;
    alt_names(profile, certificate)
}

/// Rules for every issuer.
fn authority<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    profile.refuse_if(Rule::SubjectKeyIdentifierPresent, || certificate.subject_key_id().is_none())?;
    profile.refuse_if(Rule::BasicConstraintsCritical, || {
        certificate.basic_constraints().is_some_and(|constraints| !constraints.critical)
    })?;
    let Some(constraints) = certificate.name_constraints() else {
        return Ok(());
    };
    profile.refuse_if(Rule::NameConstraintsCritical, || !constraints.critical)?;
    profile.refuse_if(Rule::NameConstraintsForm, || {
        constraints.permitted().chain(constraints.excluded()).any(|base| !is_well_formed_subtree(&base))
    })
}

fn alt_names<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let Some(san) = certificate.subject_alt_name() else {
        return Ok(());
    };
    profile
        .refuse_if(Rule::SubjectAltNameCriticality, || san.critical != certificate.subject().is_empty())?;
    let dns_names =
        || san.names().filter_map(|name| if let GeneralName::Dns(dns) = name { Some(dns) } else { None });
    profile
        .refuse_if(Rule::DnsNameSyntax, || dns_names().any(|dns| dns.contains('_') || !is_presentable(dns)))
}

fn has_authority_key_id(certificate: &Certificate<'_>) -> bool {
    certificate.is_self_issued() || certificate.authority_key_id().is_some_and(|aki| aki.key_id.is_some())
}

/// A common name may be anything (a product, a person); one that spells a host or address of the subjectAltName in
/// another way is what the rule is against.
fn common_names_are_copies(certificate: &Certificate<'_>) -> bool {
    let subject = certificate.subject();
    subject.common_names().take(8).all(|common| {
        let copied = certificate.alt_names().any(|name| describe_name(&name) == common);
        copied || !(is_unicode_host(&common) || certificate.alt_names().any(|name| spells(&common, &name)))
    })
}

/// A host name that should have been written with A-labels (RFC 5890).
fn is_unicode_host(common: &str) -> bool {
    !common.is_ascii() && common.contains('.') && !common.contains(char::is_whitespace)
}

fn spells(common: &str, name: &GeneralName<'_>) -> bool {
    match name {
        GeneralName::Dns(dns) => dns.eq_ignore_ascii_case(common),
        GeneralName::Ip(octets) => match ip_address(octets) {
            Some(IpAddr::V4(address)) => {
                common.split('.').map(|part| part.parse().ok()).eq(address.octets().map(Some))
            }
            Some(IpAddr::V6(address)) => common.parse() == Ok(address),
            None => false,
        },
        _ => false,
    }
}

fn is_well_formed_subtree(base: &GeneralName<'_>) -> bool {
    match base {
        GeneralName::Dns(base) => base.is_empty() || (!base.starts_with('*') && is_presentable(base)),
        GeneralName::Ip(base) => is_network(base),
        GeneralName::Email(base) => is_email_base(base),
        _ => true,
    }
}
