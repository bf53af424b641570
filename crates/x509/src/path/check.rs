//! The checks of one certificate that do not depend on the path it stands in (RFC 5280 sections 6.1.3 and 6.1.4).

use crate::algorithm::CertificateSignature;
use crate::certificate::{Certificate, Version};
use crate::extension::KeyUsage;
use crate::oid;
use crate::report::Position;
use crate::rules::Rule;
use crate::spki::KeyKind;

use super::{Context, Detail, Fault, profile};

type Checked<'a> = Result<(), Fault<'a>>;

/// The peer's own certificate.
pub(crate) fn leaf<'a>(context: &Context<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let at = Position::Chain(0);
    signed(context, certificate, at)?;
    any(context, certificate, at)?;
    if certificate.version() != Version::V3 {
        return Err(Fault::new(Rule::LeafVersion, at, Some(certificate.offsets().version)));
    }
    if certificate.subject().is_empty() && certificate.subject_alt_name().is_none() {
        return Err(Fault::new(Rule::SubjectPresent, at, Some(certificate.offsets().subject)));
    }
    let signs = context.policy.optional_rules().contains(Rule::DigitalSignature);
    if let Some(usage) =
        certificate.key_usage().filter(|usage| signs && !usage.allows(KeyUsage::DIGITAL_SIGNATURE))
    {
        return Err(Fault::new(Rule::DigitalSignature, at, Some(usage.offset)));
    }
    purpose(context, certificate, at)?;
    profile::leaf(context, certificate)
}

/// An intermediate of the peer's chain.
pub(crate) fn intermediate<'a>(
    context: &Context<'_>,
    certificate: &Certificate<'a>,
    at: Position,
) -> Checked<'a> {
    signed(context, certificate, at)?;
    any(context, certificate, at)?;
    issuer(context, certificate, at)?;
    profile::intermediate(context, certificate, at)
}

/// An anchor that came as a certificate. It is trusted by configuration: its own signature proves nothing, and
/// version 1 roots, which can't say that they are CAs, are taken at the configuration's word.
pub(crate) fn anchor<'a>(context: &Context<'_>, certificate: &Certificate<'a>, index: usize) -> Checked<'a> {
    let at = Position::Anchor(index);
    any(context, certificate, at)?;
    if certificate.version() == Version::V3 {
        issuer(context, certificate, at)?;
    }
    profile::anchor(context, certificate, index)
}

/// What holds for every certificate that another one signs.
fn signed<'a>(context: &Context<'_>, certificate: &Certificate<'a>, at: Position) -> Checked<'a> {
    let offset = Some(certificate.offsets().algorithm);
    match certificate.signature_algorithm() {
        CertificateSignature::Known(algorithm) => {
            let allowed = context.policy.allowed_algorithms();
            if allowed.is_none_or(|allowed| allowed.signatures.contains(&algorithm)) {
                return Ok(());
            }
            let what = Detail::What("a signature algorithm that the policy does not allow");
            Err(Fault::new(Rule::SignatureAlgorithm, at, offset).with(what))
        }
        CertificateSignature::Broken(name) => {
            Err(Fault::new(Rule::SignatureAlgorithm, at, offset).with(Detail::What(name)))
        }
        CertificateSignature::Unknown(oid) => {
            Err(Fault::new(Rule::SignatureAlgorithm, at, offset).with(Detail::Extension(oid)))
        }
    }
}

/// What holds for every certificate.
pub(crate) fn any<'a>(context: &Context<'_>, certificate: &Certificate<'a>, at: Position) -> Checked<'a> {
    if let Some((offset, oid)) = certificate.unknown_critical_at() {
        return Err(Fault::new(Rule::CriticalExtension, at, Some(offset)).with(Detail::Extension(oid)));
    }
    key(context, certificate, at)?;
    let validity = certificate.validity();
    if context.now < validity.not_before {
        return Err(Fault::new(Rule::NotBefore, at, Some(certificate.offsets().validity)));
    }
    if context.now > validity.not_after {
        return Err(Fault::new(Rule::NotAfter, at, Some(certificate.offsets().validity)));
    }
    Ok(())
}

/// Weak and unknown keys are refused before the crypto library sees them.
fn key<'a>(context: &Context<'_>, certificate: &Certificate<'a>, at: Position) -> Checked<'a> {
    let offset = certificate.offsets().spki;
    let rule = match KeyKind::read(certificate.spki()) {
        Ok(kind) => kind.broken_rule(),
        Err(_) => Some(Rule::KeyAlgorithm),
    };
    match rule {
        Some(rule) => Err(Fault::new(rule, at, Some(offset))),
        None => allowed_key(context, certificate.spki(), at, Some(offset)),
    }
}

/// Whether the policy has such a key in a path. An anchor may be no more than a name and a key.
pub(crate) fn allowed_key<'a>(
    context: &Context<'_>,
    spki: &[u8],
    at: Position,
    offset: Option<u32>,
) -> Checked<'a> {
    let broken = context.policy.allowed_algorithms().and_then(|allowed| allowed.broken_by(spki));
    broken.map_or(Ok(()), |(rule, what)| Err(Fault::new(rule, at, offset).with(Detail::What(what))))
}

/// What holds for every certificate that signs others.
fn issuer<'a>(context: &Context<'_>, certificate: &Certificate<'a>, at: Position) -> Checked<'a> {
    let constraints = certificate.basic_constraints();
    if certificate.version() != Version::V3 || !constraints.is_some_and(|constraints| constraints.ca) {
        let offset = constraints.map_or(certificate.offsets().subject, |constraints| constraints.offset);
        return Err(Fault::new(Rule::BasicConstraints, at, Some(offset)));
    }
    if let Some(usage) = certificate.key_usage().filter(|usage| !usage.allows(KeyUsage::KEY_CERT_SIGN)) {
        return Err(Fault::new(Rule::KeyCertSign, at, Some(usage.offset)));
    }
    if certificate.subject().is_empty() {
        return Err(Fault::new(Rule::SubjectPresent, at, Some(certificate.offsets().subject)));
    }
    purpose(context, certificate, at)
}

/// An extendedKeyUsage limits what the certificate, and everything below it, may be used for.
fn purpose<'a>(context: &Context<'_>, certificate: &Certificate<'a>, at: Position) -> Checked<'a> {
    if context.crl_issuer.is_some() {
        return Ok(());
    }
    let wanted = context.purpose;
    match certificate.extended_key_usage() {
        Some(usage) if !usage.contains(wanted.oid()) && !usage.contains(oid::ANY_EXTENDED_KEY_USAGE) => {
            Err(Fault::new(Rule::ExtendedKeyUsage, at, Some(usage.offset)))
        }
        _ => Ok(()),
    }
}
