//! Causes and what to do about them, in sentences.

use core::fmt;

use crate::certificate::Version;
use crate::report::{Cause, Position};
use crate::time;

impl Cause {
    /// What to do, in one sentence without a full stop.
    #[allow(clippy::too_many_lines, reason = "a table: one sentence for each cause")]
    pub(super) fn advice(&self, at: Position) -> String {
        let fixed = match self {
            Self::EmptyChain => "the peer must be set up with a certificate",
            Self::Malformed { .. } => "have it issued anew by software that follows RFC 5280",
            Self::UnknownIssuer { anchors: 0, .. } | Self::SelfSigned { anchors: 0, .. } => {
                "no root certificates are loaded at all: load some"
            }
            Self::UnknownIssuer { issuer, locations, .. } => {
                let location = locations.first().map_or_else(String::new, |uri| format!(" (it is at {uri})"));
                return format!(
                    "if you trust it, add the certificate of \"{issuer}\"{location} to the roots; if it is an \
                     intermediate CA, the peer must send its certificate too"
                );
            }
            Self::Circle { .. } => "the peer must send a chain that leads to a root that is trusted here",
            Self::MissingIntermediate { .. } => {
                "the peer must send its full chain: its own certificate, then every intermediate"
            }
            Self::SelfSigned { leaf: true, .. } => {
                "have the peer's certificate issued by a CA that is among the roots, or, if you know that it is the \
                 peer's, trust exactly this certificate"
            }
            Self::SelfSigned { leaf: false, .. } => "if you trust that CA, add its certificate to the roots",
            Self::Expired { .. } if matches!(at, Position::Anchor(_)) => {
                "replace the expired root certificate"
            }
            Self::Expired { not_after, ago } => {
                let now = time::display(not_after.saturating_add_unsigned(*ago));
                return format!("renew it, or correct the clock here if it is wrong: it says {now}");
            }
            Self::NotYetValid { not_before, ahead } => {
                let now = time::display(not_before.saturating_sub_unsigned(*ahead));
                return format!(
                    "check the clocks: this one, which says {now}, and that of the CA when it issued the certificate"
                );
            }
            Self::NameMismatch { common_name: Some(_), .. } => {
                "reissue it with the name in the subjectAltName: the common name is not looked at (RFC 9525)"
            }
            Self::NameMismatch { .. } => "connect under one of its names, or reissue it with this name too",
            Self::OtherKey { anchor: true, .. } => {
                "the CA has more than one key: add the root certificate with that key identifier, if you trust it"
            }
            Self::OtherKey { .. } => {
                "the CA has more than one key: the peer must send the CA certificate with that key identifier"
            }
            Self::BadSignature { .. } => {
                "the certificate was altered, or the CA got a new key under its old name: check that the roots and the \
                 peer's chain hold the CA certificate that signed it"
            }
            Self::Algorithm { .. } => {
                "reissue it, signed with RSA, ECDSA, Ed25519 or ML-DSA, and with SHA-256 or better"
            }
            Self::WeakKey { .. } => {
                "reissue it for a key of at least 2048 bits (RSA), or an ECDSA or Ed25519 key"
            }
            Self::UnsupportedKey { .. } => {
                "reissue it for an RSA, P-256, P-384, P-521, Ed25519 or ML-DSA key"
            }
            Self::NotForPurpose { .. } => "reissue it with that usage",
            Self::OldVersion { .. } => {
                "reissue it with extensions: with OpenSSL, by `openssl x509 -req -extfile FILE`, where FILE has a line \
                 such as subjectAltName=DNS:NAME for a peer, or basicConstraints=critical,CA:TRUE for a CA"
            }
            Self::NotACa => "sign with a certificate that has basicConstraints cA, or correct the chain",
            Self::CaAsLeaf => "use a certificate of its own for the peer",
            Self::PathTooLong { .. } => "shorten the chain of intermediates",
            Self::Constraint { .. } => "have it issued by a CA that may vouch for this name",
            Self::UnclearConstraint { .. } => {
                "correct the name or the CA's nameConstraints, whichever is malformed, and have it reissued"
            }
            Self::UnknownCritical { .. } => "reissue it without that extension, or with it not critical",
            Self::PolicyRequired => "have it issued under one of the certificate policies that are asked for",
            Self::BudgetExceeded { .. } => {
                "the chain is made to be expensive, or far too long: send only what is needed"
            }
            Self::Revoked { .. } => {
                "have a new one issued, for a new key if the old one was stolen; do not go on"
            }
            Self::StatusUnknown { .. } => {
                "load a current CRL of its issuer, or have the peer staple an OCSP response, or ask for less in the policy"
            }
            Self::BadStaple { .. } => "have the peer staple a current OCSP response of its issuer",
            Self::NotLogged { .. } => "have it issued by a CA that logs it, or do not ask for that",
            Self::NotPinned { keys, .. } => {
                let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
                return format!(
                    "if the change is expected, pin one of the keys of the path, which are {}; if it is not, somebody \
                     may be in the middle",
                    keys.join(", ")
                );
            }
            Self::NotTheOne { .. } => {
                "if the peer was given a new certificate, trust that one; if it was not, somebody may be in the middle"
            }
            Self::Profile { rule } => {
                let lift = if rule.is_optional() {
                    format!(", or lift {rule} from the policy")
                } else {
                    String::new()
                };
                return format!("have it reissued to follow that rule{lift}");
            }
        };
        fixed.to_owned()
    }
}

impl fmt::Display for Cause {
    #[allow(clippy::too_many_lines, reason = "a table: one sentence for each cause")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyChain => f.write_str("is missing: the peer sent none"),
            Self::Malformed { what } => write!(f, "is malformed: {what}"),
            Self::UnknownIssuer { issuer, anchors, key_id, .. } => {
                write!(f, "was issued by \"{issuer}\"")?;
                if let Some(key_id) = key_id {
                    write!(f, " with the key {}", Hex(key_id))?;
                }
                write!(f, ", which is neither among the {anchors} roots nor in the peer's chain")
            }
            Self::MissingIntermediate { issuer, locations } => {
                let location = locations.first().map_or("", String::as_str);
                write!(
                    f,
                    "was issued by \"{issuer}\", whose certificate the peer did not send (it is at {location})"
                )
            }
            Self::Circle { issuer, anchors } => write!(
                f,
                "was issued by \"{issuer}\", but the CAs of the peer's chain vouch for each other only, and none of the \
                 {anchors} roots for any of them"
            ),
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
            Self::OtherKey { issuer, wanted, found, anchor } => {
                let place = if *anchor { "among the roots" } else { "in the peer's chain" };
                write!(f, "was signed by the key {} of \"{issuer}\", but {place} there is ", Hex(wanted))?;
                write!(f, "only a certificate of that name with the key {}", Hex(found))
            }
            Self::BadSignature { issuer } => write!(f, "is not signed by the key of its issuer \"{issuer}\""),
            Self::Algorithm { algorithm } => {
                write!(f, "is signed with {algorithm}, which is broken or not supported")
            }
            Self::WeakKey { key } => write!(f, "has {key}, which is too weak or out of bounds"),
            Self::UnsupportedKey { key } => write!(f, "has {key}, which is not supported"),
            Self::NotForPurpose { purpose, allowed } => {
                write!(f, "may not be used for {purpose}")?;
                if allowed.is_empty() { Ok(()) } else { write!(f, ", only for {}", allowed.join(", ")) }
            }
            Self::OldVersion { version } => {
                let number = if *version == Version::V1 { 1 } else { 2 };
                write!(
                    f,
                    "is of version {number}, without the extensions that say what it may be used for (OpenSSL makes \
                     such where it is given none)"
                )
            }
            Self::NotACa => f.write_str("signed another certificate but is not a CA's"),
            Self::CaAsLeaf => f.write_str("is a CA's and must not be used as a peer's own"),
            Self::PathTooLong { limit } => {
                write!(f, "has more than {limit} intermediate CAs below it or in its path")
            }
            Self::Constraint { name, ca } => {
                write!(f, "has the name \"{name}\", which \"{ca}\" above it may not vouch for")
            }
            Self::UnclearConstraint { name, ca } => write!(
                f,
                "has the name \"{name}\", which can't be compared with what \"{ca}\" above it may vouch for"
            ),
            Self::UnknownCritical { extension } => {
                write!(f, "has the critical extension {extension}, which is not understood")
            }
            Self::PolicyRequired => f.write_str(
                "is on a path that must satisfy a certificate policy and satisfies none that is asked for",
            ),
            Self::BudgetExceeded { what } => write!(f, "comes with a chain that has too many {what}"),
            Self::Revoked { detail } => write!(f, "is revoked{}", Aside(detail)),
            Self::StatusUnknown { detail } => {
                write!(f, "may be revoked: its status is not known{}", Aside(detail))
            }
            Self::BadStaple { detail } => {
                write!(f, "has no good OCSP response stapled to it{}", Aside(detail))
            }
            Self::NotLogged { detail } => write!(f, "is not in enough public logs{}", Aside(detail)),
            Self::NotPinned { pins, .. } => {
                write!(f, "leads to a root, but none of the {pins} pinned keys is on the way")
            }
            Self::NotTheOne { fingerprint, trusted } => write!(
                f,
                "is none of the {trusted} certificates that are trusted here: its SHA-256 is {}",
                Hex(fingerprint)
            ),
            Self::Profile { rule } => {
                let explained = rule.explain();
                let explained = explained.strip_suffix('.').unwrap_or(explained);
                let whose = if rule.is_optional() { "a rule of the chosen policy" } else { rule.section() };
                write!(f, "breaks {whose}: {explained}")
            }
        }
    }
}

/// A remark in brackets, if there is one.
struct Aside<'a>(&'a str);

impl fmt::Display for Aside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " ({})", self.0) }
    }
}

/// Octets as tools print key identifiers, the first 32 of them.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, octet) in self.0.iter().take(32).enumerate() {
            write!(f, "{}{octet:02X}", if place == 0 { "" } else { ":" })?;
        }
        if self.0.len() > 32 { f.write_str("...") } else { Ok(()) }
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
