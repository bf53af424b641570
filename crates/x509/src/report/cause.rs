//! Causes: what a broken rule means for the people on both sides of the connection.

use core::fmt;

use pki_types::ServerName;

use crate::identity::describe_name;
use crate::oid;
use crate::path::{Detail, Fault};
use crate::report::{Position, Subject, shown};
use crate::rules::Rule;
use crate::spki::KeyKind;
use crate::time;

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
    },
    /// As `UnknownIssuer`, but the certificate says where its issuer's can be fetched: most likely the peer was set up
    /// without its intermediate certificate.
    MissingIntermediate {
        /// The issuer that is missing.
        issuer: String,
        /// Where it can be fetched (authorityInfoAccess); never fetched by this crate.
        locations: Vec<String>,
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
    /// It breaks a rule of the profile that the policy asks for.
    Profile {
        /// The rule in one sentence.
        rule: &'static str,
    },
}

impl Cause {
    /// What a fault means.
    pub(super) fn of(subject: &Subject<'_>, fault: &Fault<'_>) -> Self {
        match fault.rule {
            Rule::ChainPresent => Self::EmptyChain,
            Rule::IssuerKnown => unknown_issuer(subject, fault.at),
            Rule::NotAfter | Rule::NotBefore => validity(subject, fault),
            Rule::NameMatch => name_mismatch(subject),
            Rule::Signature => Self::BadSignature {
                issuer: subject.certificate(fault.at).map_or_else(String::new, |c| shown(c.issuer())),
            },
            Rule::SignatureAlgorithm => Self::Algorithm { algorithm: describe_algorithm(fault) },
            Rule::KeyStrength => Self::WeakKey { key: describe_key(subject, fault) },
            Rule::KeyAlgorithm => Self::UnsupportedKey { key: describe_key(subject, fault) },
            Rule::ExtendedKeyUsage => Self::NotForPurpose { purpose: subject.context.purpose.name() },
            Rule::DigitalSignature => Self::NotForPurpose { purpose: "digital signatures" },
            Rule::KeyCertSign => Self::NotForPurpose { purpose: "signing certificates" },
            Rule::BasicConstraints | Rule::SubjectPresent => Self::NotACa,
            Rule::CaAsLeaf => Self::CaAsLeaf,
            Rule::PathLength | Rule::PathDepth => {
                Self::PathTooLong { limit: if let Detail::Limit(limit) = fault.detail { limit } else { 0 } }
            }
            Rule::PermittedSubtrees | Rule::ExcludedSubtrees | Rule::ConstraintForm => {
                Self::Constraint { name: detail_text(fault) }
            }
            Rule::CriticalExtension => Self::UnknownCritical { extension: detail_text(fault) },
            Rule::PolicyConstraints => Self::PolicyRequired,
            Rule::WorkBudget => Self::BudgetExceeded { what: detail_static(fault) },
            Rule::LeafVersion => Self::Malformed { what: "it is not of version 3" },
            _ if matches!(fault.detail, Detail::What(_)) => Self::Malformed { what: detail_static(fault) },
            rule => Self::Profile { rule: rule.explain() },
        }
    }

    /// The alert's number (RFC 9846 section 6.2).
    pub(super) const fn alert(&self) -> u8 {
        /// Corrupt, or signed by somebody else, or not meant for this name.
        const BAD_CERTIFICATE: u8 = 42;
        /// Of a type that is not supported.
        const UNSUPPORTED_CERTIFICATE: u8 = 43;
        /// Expired or not yet valid.
        const CERTIFICATE_EXPIRED: u8 = 45;
        /// Unacceptable for another reason.
        const CERTIFICATE_UNKNOWN: u8 = 46;
        /// No path to a trusted CA.
        const UNKNOWN_CA: u8 = 48;
        match self {
            Self::UnknownIssuer { .. } | Self::MissingIntermediate { .. } | Self::SelfSigned { .. } => {
                UNKNOWN_CA
            }
            Self::NotACa | Self::PathTooLong { .. } => UNKNOWN_CA,
            Self::Expired { .. } | Self::NotYetValid { .. } => CERTIFICATE_EXPIRED,
            Self::EmptyChain | Self::Malformed { .. } | Self::NameMismatch { .. } => BAD_CERTIFICATE,
            Self::BadSignature { .. } | Self::WeakKey { .. } | Self::Algorithm { .. } => BAD_CERTIFICATE,
            Self::UnsupportedKey { .. } | Self::NotForPurpose { .. } | Self::CaAsLeaf => {
                UNSUPPORTED_CERTIFICATE
            }
            Self::UnknownCritical { .. } => UNSUPPORTED_CERTIFICATE,
            Self::Constraint { .. } | Self::PolicyRequired => CERTIFICATE_UNKNOWN,
            Self::BudgetExceeded { .. } | Self::Profile { .. } => CERTIFICATE_UNKNOWN,
        }
    }

    /// What to do, in one sentence without a full stop.
    pub(super) fn advice(&self, at: Position) -> String {
        let fixed = match self {
            Self::EmptyChain => "the peer must be set up with a certificate",
            Self::Malformed { .. } => "have it issued anew by software that follows RFC 5280",
            Self::UnknownIssuer { anchors: 0, .. } | Self::SelfSigned { anchors: 0, .. } => {
                "no root certificates are loaded at all: load some"
            }
            Self::UnknownIssuer { issuer, .. } => {
                return format!(
                    "if you trust it, add the certificate of \"{issuer}\" to the roots; if it is an intermediate CA, \
                     the peer must send its certificate too"
                );
            }
            Self::MissingIntermediate { .. } => {
                "the peer must send its full chain: its own certificate, then every intermediate"
            }
            Self::SelfSigned { leaf: true, .. } => {
                "have the peer's certificate issued by a CA that is among the roots"
            }
            Self::SelfSigned { leaf: false, .. } => "if you trust that CA, add its certificate to the roots",
            Self::Expired { .. } if matches!(at, Position::Anchor(_)) => {
                "replace the expired root certificate"
            }
            Self::Expired { .. } => "renew it, or correct the clock if it is wrong",
            Self::NotYetValid { .. } => {
                "check the clocks: this one and that of the CA when it issued the certificate"
            }
            Self::NameMismatch { common_name: Some(_), .. } => {
                "reissue it with the name in the subjectAltName: the common name is not looked at (RFC 9525)"
            }
            Self::NameMismatch { .. } => "connect under one of its names, or reissue it with this name too",
            Self::BadSignature { .. } => {
                "the certificate was altered, or the CA got a new key under its old name: check that the roots and the \
                 peer's chain hold the CA certificate that signed it"
            }
            Self::Algorithm { .. } => "reissue it with SHA-256 or better",
            Self::WeakKey { .. } => {
                "reissue it for a key of at least 2048 bits (RSA), or an ECDSA or Ed25519 key"
            }
            Self::UnsupportedKey { .. } => {
                "reissue it for an RSA, P-256, P-384, P-521, Ed25519 or ML-DSA key"
            }
            Self::NotForPurpose { .. } => "reissue it with that usage",
            Self::NotACa => "sign with a certificate that has basicConstraints cA, or correct the chain",
            Self::CaAsLeaf => "use a certificate of its own for the peer",
            Self::PathTooLong { .. } => "shorten the chain of intermediates",
            Self::Constraint { .. } => "have it issued by a CA that may vouch for this name",
            Self::UnknownCritical { .. } => "reissue it without that extension, or with it not critical",
            Self::PolicyRequired => "use a CA that does not require certificate policies",
            Self::BudgetExceeded { .. } => {
                "the chain is made to be expensive, or far too long: send only what is needed"
            }
            Self::Profile { .. } => "have it reissued to follow that rule, or lift the rule from the policy",
        };
        fixed.to_owned()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyChain => f.write_str("is missing: the peer sent none"),
            Self::Malformed { what } => write!(f, "is malformed: {what}"),
            Self::UnknownIssuer { issuer, anchors, .. } => write!(
                f,
                "was issued by \"{issuer}\", which is neither among the {anchors} roots nor in the peer's chain"
            ),
            Self::MissingIntermediate { issuer, locations } => {
                let location = locations.first().map_or("", String::as_str);
                write!(
                    f,
                    "was issued by \"{issuer}\", whose certificate the peer did not send (it is at {location})"
                )
            }
            Self::SelfSigned { leaf: true, .. } => f.write_str("is self-signed and not among the roots"),
            Self::SelfSigned { leaf: false, anchors } => {
                write!(f, "is the self-signed end of the chain and not among the {anchors} roots")
            }
            Self::Expired { not_after, ago } => {
                write!(f, "expired {} ago, on {}", Span(*ago), time::display(*not_after))
            }
            Self::NotYetValid { not_before, ahead } => {
                write!(f, "becomes valid only in {}, on {}", Span(*ahead), time::display(*not_before))
            }
            Self::NameMismatch { wanted, presented, common_name } => {
                name_mismatch_sentence(f, wanted, presented, common_name.is_some())
            }
            Self::BadSignature { issuer } => write!(f, "is not signed by the key of its issuer \"{issuer}\""),
            Self::Algorithm { algorithm } => {
                write!(f, "is signed with {algorithm}, which is broken or not supported")
            }
            Self::WeakKey { key } => write!(f, "has {key}, which is too weak or out of bounds"),
            Self::UnsupportedKey { key } => write!(f, "has {key}, which is not supported"),
            Self::NotForPurpose { purpose } => write!(f, "may not be used for {purpose}"),
            Self::NotACa => f.write_str("signed another certificate but is not a CA's"),
            Self::CaAsLeaf => f.write_str("is a CA's and must not be used as a peer's own"),
            Self::PathTooLong { limit } => {
                write!(f, "has more than {limit} intermediate CAs below it or in its path")
            }
            Self::Constraint { name } => {
                write!(f, "has the name \"{name}\", which a CA above it may not vouch for")
            }
            Self::UnknownCritical { extension } => {
                write!(f, "has the critical extension {extension}, which is not understood")
            }
            Self::PolicyRequired => f.write_str("demands certificate policies, which are not processed"),
            Self::BudgetExceeded { what } => write!(f, "comes with a chain that has too many {what}"),
            Self::Profile { rule } => {
                write!(f, "breaks a rule of the chosen policy: {}", rule.strip_suffix('.').unwrap_or(rule))
            }
        }
    }
}

fn name_mismatch_sentence(
    f: &mut fmt::Formatter<'_>,
    wanted: &str,
    presented: &[String],
    in_common_name: bool,
) -> fmt::Result {
    write!(f, "is not for \"{wanted}\": ")?;
    match (presented, in_common_name) {
        ([], true) => f.write_str("it has that name only as a common name"),
        ([], false) => f.write_str("it has no subjectAltName to match"),
        (names, _) => write!(f, "it is for {}", names.join(", ")),
    }
}

/// Seconds in the unit that people would use.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            seconds @ 0..120 => (seconds, "second"),
            seconds @ 120..7_200 => (seconds / 60, "minute"),
            seconds @ 7_200..172_800 => (seconds / 3_600, "hour"),
            seconds => (seconds / 86_400, "day"),
        };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

fn unknown_issuer(subject: &Subject<'_>, at: Position) -> Cause {
    let anchors = subject.context.roots.len();
    let Some(certificate) = subject.certificate(at) else {
        return Cause::UnknownIssuer { issuer: String::new(), key_id: None, anchors };
    };
    if certificate.is_self_issued() {
        return Cause::SelfSigned { leaf: at == Position::Chain(0), anchors };
    }
    let issuer = shown(certificate.issuer());
    let locations: Vec<_> = certificate
        .authority_info_access()
        .into_iter()
        .flat_map(|access| access.ca_issuers())
        .take(4)
        .map(|uri| shown(uri.escape_debug()))
        .collect();
    if !locations.is_empty() {
        return Cause::MissingIntermediate { issuer, locations };
    }
    let key_id = certificate.authority_key_id().and_then(|aki| aki.key_id).map(<[u8]>::to_vec);
    Cause::UnknownIssuer { issuer, key_id, anchors }
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
    let wanted = match subject.name {
        Some(ServerName::DnsName(name)) => name.as_ref().to_owned(),
        Some(ServerName::IpAddress(address)) => std::net::IpAddr::from(*address).to_string(),
        _ => String::new(),
    };
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
    let kind = match fault.at {
        Position::Anchor(number) => subject
            .context
            .roots
            .anchor(number)
            .and_then(|anchor| KeyKind::read(anchor.spki()).ok().map(KeyKind::describe)),
        Position::Chain(_) => {
            subject.certificate(fault.at).and_then(|c| KeyKind::read(c.spki()).ok().map(KeyKind::describe))
        }
    };
    let kind = kind.unwrap_or_else(|| "a malformed key".to_owned());
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
        _ => detail_text(fault),
    }
}

fn detail_text(fault: &Fault<'_>) -> String {
    match &fault.detail {
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
