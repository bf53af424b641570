//! Path building and validation (RFC 5280 section 6, RFC 4158), iterative and under a budget.

pub(crate) mod budget;
pub(crate) mod build;
mod candidates;
pub(crate) mod check;
pub(crate) mod constraints;
mod directory;
mod few;
mod policies;
mod policy_graph;
pub(crate) mod policy_set;
pub(crate) mod profile;
mod signatures;

use core::cell::{Cell, OnceCell};
use std::sync::Arc;

use oxtls_crypto::signature::PublicKey;
use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::name::{GeneralName, Name};
use crate::oid::Oid;
use crate::policy::{Policy, Purpose};
use crate::reader::ParseError;
use crate::report::Position;
use crate::revocation::{Evidence, Revoked, Unknown};
use crate::rules::Rule;
use crate::signature_cache::SignatureCache;
use crate::trust::Roots;
use crate::trust_mode::SpkiPin;

/// What a path is validated against.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) roots: &'a Roots,
    pub(crate) policy: &'a Policy,
    pub(crate) purpose: Purpose,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Keys of which the path must have one.
    pub(crate) pins: Option<&'a [SpkiPin]>,
    /// Signatures verified before.
    pub(crate) signatures: Option<&'a SignatureCache>,
    /// What is known besides the chain: revocation and timestamps. `None` if nobody asks.
    pub(crate) evidence: Option<&'a Evidence<'a>>,
    /// The path is that of a CRL's issuer, to this anchor and no other: for no purpose of TLS.
    pub(crate) crl_issuer: Option<usize>,
}

/// A rule broken, without any allocation: turned into a cause only when a report is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault<'a> {
    pub(crate) rule: Rule,
    pub(crate) at: Position,
    pub(crate) offset: Option<u32>,
    pub(crate) detail: Detail<'a>,
}

/// What a fault says beyond its rule.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Detail<'a> {
    None,
    What(&'static str),
    Name(GeneralName<'a>),
    Extension(Oid<'a>),
    Limit(u32),
    Revoked(Revoked),
    Unknown(Unknown),
}

impl<'a> Fault<'a> {
    pub(crate) const fn new(rule: Rule, at: Position, offset: Option<u32>) -> Self {
        Self { rule, at, offset, detail: Detail::None }
    }

    pub(crate) const fn with(self, detail: Detail<'a>) -> Self {
        Self { detail, ..self }
    }

    pub(crate) const fn malformed(error: ParseError, at: Position) -> Self {
        Self { rule: error.rule, at, offset: Some(error.offset), detail: Detail::What(error.what) }
    }

    /// A key that can't be used.
    const fn bad_key(at: Position, error: oxtls_crypto::Error) -> Self {
        let what = match error {
            oxtls_crypto::Error::InvalidPublicKey(what) | oxtls_crypto::Error::UnsupportedKey(what) => what,
            _ => "it cannot be used",
        };
        Self::new(Rule::KeyAlgorithm, at, None).with(Detail::What(what))
    }

    /// How much the rule broken says about the chain: the one that got furthest is reported.
    const fn rank(&self) -> u8 {
        match self.rule {
            Rule::IssuerKnown => 0,
            Rule::PathDepth => 1,
            Rule::Signature => 2,
            // All but the pins, or the status, was good.
            Rule::PinnedKey | Rule::NotRevoked | Rule::StatusKnown => 4,
            Rule::StapledStatus | Rule::MustStaple | Rule::Transparency => 4,
            _ => 3,
        }
    }
}

/// A certificate of the peer's chain that could be parsed.
pub(crate) struct Node<'a> {
    pub(crate) certificate: Certificate<'a>,
    /// Where it stands in the peer's chain.
    pub(crate) position: u16,
    /// Names by number: equal names have equal ones.
    subject: u16,
    issuer: u16,
    issuer_hash: u64,
    /// Whether names lead from it to an anchor.
    reachable: bool,
    /// Which of the anchors under `issuer_hash` bear the issuer's name.
    issued_by: Anchors,
    /// Its key as an issuer's, read when it is wanted.
    key: OnceCell<Result<Arc<PublicKey>, oxtls_crypto::Error>>,
    /// While it is in the path being built: how far its issuers have been tried.
    tried: Cell<usize>,
    /// The verdict on it as an issuer, where that does not depend on the path.
    as_issuer: OnceCell<Result<(), Box<Fault<'a>>>>,
}

impl<'a> Node<'a> {
    fn new(certificate: Certificate<'a>, position: u16, names: &mut Names<'a>) -> Self {
        let (subject, _) = names.number(certificate.subject());
        let (issuer, issuer_hash) = names.number(certificate.issuer());
        Self {
            certificate,
            position,
            subject,
            issuer,
            issuer_hash,
            reachable: false,
            issued_by: Anchors::None,
            key: OnceCell::new(),
            tried: Cell::new(0),
            as_issuer: OnceCell::new(),
        }
    }

    /// Issuer and subject are the same (RFC 5280 section 6.1).
    const fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    fn at(&self) -> Position {
        Position::Chain(usize::from(self.position))
    }
}

/// Which anchors of a hash bear a name: compared once, since the name may be long and a search comes back to it often.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchors {
    None,
    All,
    /// Anchors of different names share the hash.
    Some,
}

/// Numbers for names, so that building compares integers: names are made by the peer and may be long.
struct Names<'a> {
    roots: &'a Roots,
    /// A leaf and two intermediates have four names between them.
    known: few::Few<(u64, Name<'a>), 4>,
}

impl<'a> Names<'a> {
    fn number(&mut self, name: Name<'a>) -> (u16, u64) {
        // A certificate's subject is mostly the issuer of the one before it, which was numbered last, in the same octets.
        if let Some((hash, _)) = self.known.last().filter(|(_, last)| last.contents() == name.contents()) {
            return (u16::try_from(self.known.len().saturating_sub(1)).unwrap_or(u16::MAX), *hash);
        }
        let hash = self.roots.hash(name);
        let known = self.known.iter_mut().enumerate();
        let same = known.filter(|(_, (known, _))| *known == hash).find(|(_, (_, other))| *other == name);
        let place = match same {
            Some((place, (_, other))) => {
                // The shortest spelling is kept: one long one must not be walked again for each name equal to it.
                if name.contents().len() < other.contents().len() {
                    *other = name;
                }
                place
            }
            None => {
                self.known.push((hash, name));
                self.known.len().saturating_sub(1)
            }
        };
        // Two names a certificate, at most MAX_CHAIN certificates: far below 2^16.
        (u16::try_from(place).unwrap_or(u16::MAX), hash)
    }
}

/// The parsed chain. Certificates that are not the leaf and cannot be parsed are left out: a path may exist without
/// them.
pub(crate) struct Chain<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    /// The first certificate that was left out.
    pub(crate) left_out: Option<Fault<'a>>,
}

impl<'a> Chain<'a> {
    /// Parses the peer's certificates; the leaf must be there and well formed.
    pub(crate) fn parse(chain: &'a [CertificateDer<'_>], roots: &'a Roots) -> Result<Self, Fault<'a>> {
        let count = chain.len().min(crate::defaults::MAX_CHAIN);
        let mut nodes = Vec::with_capacity(count);
        let mut names = Names { roots, known: few::Few::new() };
        let mut left_out = None;
        for (position, der) in (0u16..).zip(chain.iter().take(crate::defaults::MAX_CHAIN)) {
            match Certificate::parse(der) {
                Ok(certificate) => nodes.push(Node::new(certificate, position, &mut names)),
                Err(error) => {
                    let fault = Fault::malformed(error, Position::Chain(usize::from(position)));
                    if position == 0 {
                        return Err(fault);
                    }
                    left_out = left_out.or(Some(fault));
                }
            }
        }
        if nodes.is_empty() {
            return Err(Fault::new(Rule::ChainPresent, Position::Chain(0), None));
        }
        Ok(Self { nodes, left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Validation holds one for each certificate that the peer sent: its peak is mostly these.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_certificate_of_the_chain_stays_below_its_ceiling() {
        assert!(size_of::<Certificate<'_>>() <= 376, "{}", size_of::<Certificate<'_>>());
        assert!(size_of::<Node<'_>>() <= 488, "{}", size_of::<Node<'_>>());
    }
}
