//! Causes: what a broken rule means for the people on both sides of the connection.

use crate::certificate::Version;
use crate::identity::describe_name;
use crate::oid;
use crate::path::{Detail, Fault};
use crate::report::{Position, Subject, shown};
use crate::rules::Rule;
use crate::spki::KeyKind;
use crate::trust::sha256;
use crate::trust_mode::SpkiPin;

/// What went wrong, for programs. `Display` completes a sentence whose subject is the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The peer sent no certificate.
    EmptyChain,
    /// The certificate can't be read.
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// No anchor has the issuer's name, and the chain doesn't hold its certificate either.
    UnknownIssuer {
        /// The issuer that is missing.
        issuer: String,
        /// The identifier of its key, if the certificate gives it.
        key_id: Option<Vec<u8>>,
        /// How many anchors there are.
        anchors: usize,
        /// Where its certificate can be fetched (authorityInfoAccess); never fetched by this crate.
        locations: Vec<String>,
    },
    /// As `UnknownIssuer`, but it is the peer's own certificate, and it says where its issuer's can be fetched: most
    /// likely the peer was set up without its intermediate certificate.
    MissingIntermediate {
        /// The issuer that is missing.
        issuer: String,
        /// Where it can be fetched (authorityInfoAccess); never fetched by this crate.
        locations: Vec<String>,
    },
    /// Its issuer is in the peer's chain, but the certificates there vouch for each other in a circle, and none of them
    /// for a root.
    Circle {
        /// The issuer.
        issuer: String,
        /// How many anchors there are.
        anchors: usize,
    },
    /// The chain ends in a self-signed certificate that is no anchor.
    SelfSigned {
        /// Whether it is the peer's own certificate.
        leaf: bool,
        /// How many anchors there are.
        anchors: usize,
    },
    /// Its time is over.
    Expired {
        /// Its last second, since 1970.
        not_after: i64,
        /// How long ago that was, in seconds.
        ago: u64,
    },
    /// Its time has not come.
    NotYetValid {
        /// Its first second, since 1970.
        not_before: i64,
        /// How far away that is, in seconds.
        ahead: u64,
    },
    /// It doesn't name the wanted server.
    NameMismatch {
        /// The name wanted.
        wanted: String,
        /// The names in its subjectAltName, at most 16.
        presented: Vec<String>,
        /// The common name, where the wanted name stands in it: common names are not looked at.
        common_name: Option<String>,
    },
    /// It was issued by a key that is not here; under the issuer's name there is another one.
    OtherKey {
        /// The issuer's name.
        issuer: String,
        /// The identifier of the key that signed it.
        wanted: Vec<u8>,
        /// The identifier of the key that is here.
        found: Vec<u8>,
        /// Whether the other key is an anchor's.
        anchor: bool,
    },
    /// Its signature is not its issuer's.
    BadSignature {
        /// The issuer's name.
        issuer: String,
    },
    /// It is signed with an algorithm that is broken or not supported.
    Algorithm {
        /// The algorithm's name or identifier.
        algorithm: String,
    },
    /// Its key is too weak.
    WeakKey {
        /// What the key is.
        key: String,
    },
    /// Its key is of a kind that is not supported, or malformed.
    UnsupportedKey {
        /// What the key is, and what is wrong with it.
        key: String,
    },
    /// Its extendedKeyUsage or keyUsage doesn't allow what it is used for.
    NotForPurpose {
        /// What it was to be used for.
        purpose: &'static str,
        /// What its extendedKeyUsage allows, at most 8: short names or identifiers.
        allowed: Vec<String>,
    },
    /// It is of version 1 or 2, which have no extensions: it can't say what it may be used for. OpenSSL makes such where
    /// it is given no extensions.
    OldVersion {
        /// Its version.
        version: Version,
    },
    /// It signed a certificate but is no CA.
    NotACa,
    /// A CA's certificate is used as the peer's own, which the policy refuses.
    CaAsLeaf,
    /// More intermediates than a CA or the budget allows.
    PathTooLong {
        /// The most allowed.
        limit: u32,
    },
    /// A CA above it may not vouch for one of its names.
    Constraint {
        /// The name.
        name: String,
        /// The CA.
        ca: String,
    },
    /// One of its names can't be compared with what a CA above it may vouch for: one of the two is malformed, or of a form
    /// that is not supported.
    UnclearConstraint {
        /// The name.
        name: String,
        /// The CA.
        ca: String,
    },
    /// It has a critical extension that is not understood.
    UnknownCritical {
        /// The extension's identifier.
        extension: String,
    },
    /// The path demands certificate policies, which are not processed.
    PolicyRequired,
    /// Validation would take more work than the budget allows.
    BudgetExceeded {
        /// What there was too much of.
        what: &'static str,
    },
    /// It is revoked.
    Revoked {
        /// When and why, as far as known.
        detail: String,
    },
    /// Whether it is revoked is not known, and the policy insists.
    StatusUnknown {
        /// What was missing or no good.
        detail: String,
    },
    /// It promises a stapled OCSP response (RFC 7633), or the policy wants one, and the one that came is no good or
    /// none came.
    BadStaple {
        /// What was wrong with it.
        detail: String,
    },
    /// Too few logs have promised to publish it.
    NotLogged {
        /// How many there were, and how many are wanted.
        detail: String,
    },
    /// A path to a root is there, but none of the pinned keys is in it.
    NotPinned {
        /// The keys of the path, from the peer's up.
        keys: Vec<SpkiPin>,
        /// How many pins there are.
        pins: usize,
    },
    /// It is none of the certificates that are trusted as they are.
    NotTheOne {
        /// SHA-256 of it.
        fingerprint: [u8; 32],
        /// How many certificates are trusted.
        trusted: usize,
    },
    /// It breaks a rule of the profile that the policy asks for.
    Profile {
        /// The rule.
        rule: Rule,
    },
}

impl Cause {
    /// What a fault means; `path` is the one on which it was found.
    pub(super) fn of(subject: &Subject<'_>, fault: &Fault<'_>, path: &[Position]) -> Self {
        match fault.rule {
            Rule::ChainPresent => Self::EmptyChain,
            Rule::IssuerKnown => unknown_issuer(subject, fault.at),
            Rule::NotAfter | Rule::NotBefore => validity(subject, fault),
            Rule::NameMatch => name_mismatch(subject),
            Rule::Signature => bad_signature(subject, fault.at, path),
            Rule::SignatureAlgorithm => Self::Algorithm { algorithm: describe_algorithm(fault) },
            Rule::KeyStrength => Self::WeakKey { key: describe_key(subject, fault) },
            Rule::KeyAlgorithm => Self::UnsupportedKey { key: describe_key(subject, fault) },
            Rule::ExtendedKeyUsage => {
                let purpose = subject.context.purpose.name();
                Self::NotForPurpose { purpose, allowed: allowed_purposes(subject, fault.at) }
            }
            Rule::DigitalSignature => not_for("digital signatures"),
            Rule::KeyCertSign => not_for("signing certificates"),
            Rule::BasicConstraints | Rule::LeafVersion => not_a_ca(subject, fault),
            Rule::CaAsLeaf => Self::CaAsLeaf,
            Rule::PathLength | Rule::PathDepth => {
                Self::PathTooLong { limit: if let Detail::Limit(limit) = fault.detail { limit } else { 0 } }
            }
            Rule::PermittedSubtrees | Rule::ExcludedSubtrees => {
                Self::Constraint { name: detail_text(fault), ca: top(subject, path) }
            }
            Rule::ConstraintForm => {
                Self::UnclearConstraint { name: detail_text(fault), ca: top(subject, path) }
            }
            Rule::CriticalExtension => Self::UnknownCritical { extension: detail_text(fault) },
            Rule::ExplicitPolicy => Self::PolicyRequired,
            Rule::WorkBudget => Self::BudgetExceeded { what: detail_static(fault) },
            Rule::NotRevoked => Self::Revoked { detail: detail_text(fault) },
            Rule::StatusKnown => Self::StatusUnknown { detail: detail_text(fault) },
            Rule::StapledStatus | Rule::MustStaple => Self::BadStaple { detail: detail_text(fault) },
            Rule::Transparency => Self::NotLogged { detail: detail_text(fault) },
            Rule::PinnedKey => not_pinned(subject, path),
            Rule::ExactCertificate => Self::NotTheOne {
                fingerprint: subject.chain.first().map_or([0; 32], |der| sha256(&[der])),
                trusted: subject.context.roots.len(),
            },
            _ if is_pem(subject, fault) => Self::Malformed { what: "it is PEM text where DER is wanted" },
            _ if matches!(fault.detail, Detail::What(_)) => Self::Malformed { what: detail_static(fault) },
            rule => Self::Profile { rule },
        }
    }

    /// The alert's number (RFC 9846 section 6.2).
    pub(super) const fn alert(&self) -> u8 {
        /// Corrupt, or signed by somebody else, or not meant for this name.
        const BAD_CERTIFICATE: u8 = 42;
        /// Of a type that is not supported.
        const UNSUPPORTED_CERTIFICATE: u8 = 43;
        /// Revoked.
        const CERTIFICATE_REVOKED: u8 = 44;
        /// Expired or not yet valid.
        const CERTIFICATE_EXPIRED: u8 = 45;
        /// Unacceptable for another reason.
        const CERTIFICATE_UNKNOWN: u8 = 46;
        /// No path to a trusted CA.
        const UNKNOWN_CA: u8 = 48;
        /// A stapled response that is no good, or none where there must be one.
        const BAD_CERTIFICATE_STATUS_RESPONSE: u8 = 113;
        match self {
            Self::UnknownIssuer { .. } | Self::MissingIntermediate { .. } | Self::SelfSigned { .. } => {
                UNKNOWN_CA
            }
            Self::Circle { .. } => UNKNOWN_CA,
            Self::OtherKey { .. } | Self::NotPinned { .. } | Self::NotTheOne { .. } => UNKNOWN_CA,
            Self::Revoked { .. } => CERTIFICATE_REVOKED,
            Self::BadStaple { .. } => BAD_CERTIFICATE_STATUS_RESPONSE,
            Self::NotACa | Self::PathTooLong { .. } => UNKNOWN_CA,
            Self::Expired { .. } | Self::NotYetValid { .. } => CERTIFICATE_EXPIRED,
            Self::EmptyChain | Self::Malformed { .. } | Self::NameMismatch { .. } => BAD_CERTIFICATE,
            Self::BadSignature { .. } | Self::WeakKey { .. } | Self::Algorithm { .. } => BAD_CERTIFICATE,
            Self::UnsupportedKey { .. }
            | Self::NotForPurpose { .. }
            | Self::OldVersion { .. }
            | Self::CaAsLeaf => UNSUPPORTED_CERTIFICATE,
            Self::UnknownCritical { .. } => UNSUPPORTED_CERTIFICATE,
            Self::UnclearConstraint { .. } => CERTIFICATE_UNKNOWN,
            Self::Constraint { .. } | Self::PolicyRequired => CERTIFICATE_UNKNOWN,
            Self::StatusUnknown { .. } | Self::NotLogged { .. } => CERTIFICATE_UNKNOWN,
            Self::BudgetExceeded { .. } | Self::Profile { .. } => CERTIFICATE_UNKNOWN,
        }
    }
}

/// Whose certificate or anchor the path ends at.
fn top(subject: &Subject<'_>, path: &[Position]) -> String {
    path.last().map_or_else(String::new, |at| subject.name_of(*at))
}

/// Whether the certificate is the text that it should have been decoded from.
fn is_pem(subject: &Subject<'_>, fault: &Fault<'_>) -> bool {
    let Position::Chain(number) = fault.at else { return false };
    subject.chain.get(number).is_some_and(|der| der.trim_ascii_start().starts_with(b"-----BEGIN"))
}

fn not_for(purpose: &'static str) -> Cause {
    Cause::NotForPurpose { purpose, allowed: Vec::new() }
}

fn allowed_purposes(subject: &Subject<'_>, at: Position) -> Vec<String> {
    let usage = subject.certificate(at).and_then(|certificate| certificate.extended_key_usage());
    usage.into_iter().flat_map(|usage| usage.iter()).take(8).map(|purpose| purpose_name(purpose)).collect()
}

fn purpose_name(purpose: oid::Oid<'_>) -> String {
    match purpose.0 {
        oid::SERVER_AUTH => "TLS server authentication".to_owned(),
        oid::CLIENT_AUTH => "TLS client authentication".to_owned(),
        _ => shown(purpose),
    }
}

fn not_a_ca(subject: &Subject<'_>, fault: &Fault<'_>) -> Cause {
    match subject.certificate(fault.at).map(|certificate| certificate.version()) {
        Some(version) if version != Version::V3 => Cause::OldVersion { version },
        _ => Cause::NotACa,
    }
}

/// The key identifiers of certificate and issuer tell a replaced CA key from an altered certificate.
fn bad_signature(subject: &Subject<'_>, at: Position, path: &[Position]) -> Cause {
    let Some(certificate) = subject.certificate(at) else {
        return Cause::BadSignature { issuer: String::new() };
    };
    let issuer = shown(certificate.issuer());
    let wanted = certificate.authority_key_id().and_then(|aki| aki.key_id);
    let above =
        path.iter().position(|&position| position == at).and_then(|place| path.get(place.checked_add(1)?));
    let found = above.and_then(|&position| Some((position, subject.key_id_of(position)?)));
    match (wanted, found) {
        (Some(wanted), Some((position, found))) if wanted != found => Cause::OtherKey {
            issuer,
            wanted: wanted.to_vec(),
            found: found.to_vec(),
            anchor: matches!(position, Position::Anchor(_)),
        },
        _ => Cause::BadSignature { issuer },
    }
}

fn not_pinned(subject: &Subject<'_>, path: &[Position]) -> Cause {
    let keys = path.iter().filter_map(|&position| match position {
        Position::Anchor(number) => {
            subject.context.roots.anchor(number).map(|anchor| SpkiPin::of_spki(anchor.spki()))
        }
        Position::Chain(_) => {
            subject.certificate(position).map(|certificate| SpkiPin::of_spki(certificate.spki()))
        }
    });
    Cause::NotPinned { keys: keys.collect(), pins: subject.context.pins.map_or(0, <[_]>::len) }
}

fn unknown_issuer(subject: &Subject<'_>, at: Position) -> Cause {
    let anchors = subject.context.roots.len();
    let Some(certificate) = subject.certificate(at) else {
        return Cause::UnknownIssuer { issuer: String::new(), key_id: None, anchors, locations: Vec::new() };
    };
    let wanted = certificate.authority_key_id().and_then(|aki| aki.key_id);
    let own = certificate.subject_key_id().map(|ski| ski.key_id);
    let by_another = wanted.zip(own).is_some_and(|(wanted, own)| wanted != own);
    if certificate.is_self_issued() && !by_another {
        return Cause::SelfSigned { leaf: at == Position::Chain(0), anchors };
    }
    let issuer = shown(certificate.issuer());
    if subject.is_in_chain(&certificate) {
        return Cause::Circle { issuer, anchors };
    }
    let locations: Vec<_> = certificate
        .authority_info_access()
        .into_iter()
        .flat_map(|access| access.ca_issuers())
        .take(4)
        .map(|uri| shown(uri.escape_debug()))
        .collect();
    // What an intermediate points to is most likely a root, which nobody sends.
    if at == Position::Chain(0) && !locations.is_empty() {
        return Cause::MissingIntermediate { issuer, locations };
    }
    let key_id = wanted.map(<[u8]>::to_vec);
    Cause::UnknownIssuer { issuer, key_id, anchors, locations }
}

fn validity(subject: &Subject<'_>, fault: &Fault<'_>) -> Cause {
    let now = subject.context.now;
    let (not_before, not_after) =
        subject.certificate(fault.at).map_or((0, 0), |c| (c.validity().not_before, c.validity().not_after));
    if fault.rule == Rule::NotAfter {
        Cause::Expired { not_after, ago: now.abs_diff(not_after) }
    } else {
        Cause::NotYetValid { not_before, ahead: now.abs_diff(not_before) }
    }
}

fn name_mismatch(subject: &Subject<'_>) -> Cause {
    let wanted = subject.name.map_or_else(String::new, ToString::to_string);
    let leaf = subject.certificate(Position::Chain(0));
    let presented = leaf
        .iter()
        .flat_map(|leaf| leaf.alt_names())
        .take(16)
        .map(|name| shown(describe_name(&name)))
        .collect();
    let common_name = leaf
        .and_then(|leaf| leaf.subject().common_names().find(|common| common.eq_ignore_ascii_case(&wanted)));
    Cause::NameMismatch { wanted, presented, common_name }
}

fn describe_key(subject: &Subject<'_>, fault: &Fault<'_>) -> String {
    let spki = match fault.at {
        Position::Anchor(number) => subject.context.roots.anchor(number).map(|anchor| anchor.spki()),
        Position::Chain(_) => subject.certificate(fault.at).map(|certificate| certificate.spki()),
    };
    let kind = match spki.and_then(|spki| KeyKind::read(spki).ok()) {
        Some(kind @ (KeyKind::Unknown(found) | KeyKind::OtherCurve(Some(found)))) => oid::foreign_name(found)
            .map_or_else(|| kind.describe(), |name| format!("a key of {name} ({})", oid::Oid(found))),
        Some(kind) => kind.describe(),
        None => "a malformed key".to_owned(),
    };
    match fault.detail {
        Detail::What(what) => format!("{kind} ({what})"),
        _ => kind,
    }
}

fn describe_algorithm(fault: &Fault<'_>) -> String {
    match &fault.detail {
        Detail::Extension(found) if found.0 == oid::RSASSA_PSS => {
            "RSASSA-PSS with other parameters than one SHA-2 hash and a salt of its length".to_owned()
        }
        Detail::Extension(found) => {
            oid::foreign_name(found.0).map_or_else(|| detail_text(fault), |name| format!("{name} ({found})"))
        }
        _ => detail_text(fault),
    }
}

fn detail_text(fault: &Fault<'_>) -> String {
    match &fault.detail {
        Detail::Revoked(revoked) => revoked.to_string(),
        Detail::Unknown(why) => why.to_string(),
        Detail::Name(name) => shown(describe_name(name)),
        Detail::Extension(oid) => {
            oid::extension_name(oid.0).map_or_else(|| shown(oid), |name| format!("{name} ({oid})"))
        }
        Detail::What(what) => (*what).to_owned(),
        Detail::Limit(limit) => limit.to_string(),
        Detail::None => String::new(),
    }
}

fn detail_static(fault: &Fault<'_>) -> &'static str {
    if let Detail::What(what) = fault.detail { what } else { "" }
}
