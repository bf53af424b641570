//! The signatures of a path: verified from the anchor down, each pair of certificates once, and remembered.

use oxtls_crypto::signature::PublicKey;

use crate::algorithm::CertificateSignature;
use crate::report::Position;
use crate::rules::Rule;
use crate::signature_cache::Entry;

use super::budget::Exhausted;
use super::build::Search;
use super::candidates::Issuer;
use super::{Fault, Node};

/// A pair of certificates whose signature has been checked.
pub(super) struct Edge {
    child: usize,
    issuer: Issuer,
    verifies: bool,
}

/// A signature that was verified during this search, for the cache.
pub(super) struct Verified {
    child: usize,
    issuer: Issuer,
    entry: Entry,
}

impl<'a> Search<'a, '_> {
    /// Verifies the signatures of the path from the anchor down. At one that fails, the search goes on with the
    /// next issuer of the certificate that carries it.
    pub(super) fn verify_signatures(&mut self, anchor: usize) -> Result<bool, Option<Fault<'a>>> {
        let mut issuer = Issuer::Anchor(anchor);
        for depth in (0..self.stack.len()).rev() {
            let Some(child) = self.stack.get(depth).map(|&index| usize::from(index)) else {
                return Ok(false);
            };
            let fault = match self.known_edge(child, issuer) {
                Some(true) => None,
                Some(false) => Some(Fault::new(Rule::Signature, self.position(child), None)),
                None => self.verify(child, issuer).map_err(|exhausted| Some(exhausted.into()))?,
            };
            if let Some(fault) = fault {
                self.keep_edges(anchor, Some(depth));
                self.stack.truncate(depth.saturating_add(1));
                self.record(issuer, fault)?;
                return Ok(false);
            }
            issuer = Issuer::Node(child);
        }
        Ok(true)
    }

    /// One signature; what is wrong with it, if anything. One that the cache knows costs the budget the same: the
    /// verdict on a chain does not depend on what was seen before.
    fn verify(&mut self, child: usize, issuer: Issuer) -> Result<Option<Fault<'a>>, Exhausted> {
        self.budget.signature()?;
        let unknown = Ok(Some(Fault::new(Rule::IssuerKnown, self.position(child), None)));
        let Some(certificate) = self.nodes.get(child).map(|node| &node.certificate) else {
            return unknown;
        };
        let CertificateSignature::Known(algorithm) = certificate.signature_algorithm() else {
            return Ok(Some(Fault::new(Rule::SignatureAlgorithm, self.position(child), None)));
        };
        let Some(spki) = self.spki(issuer) else {
            return unknown;
        };
        let (signed, signature) = (certificate.tbs(), certificate.signature());
        let cache = self.context.signatures;
        let entry = cache.map(|cache| {
            (cache, cache.entry(certificate.signature_algorithm_der(), spki, signed, signature))
        });
        if entry.is_some_and(|(cache, entry)| cache.contains(entry)) {
            return Ok(None);
        }
        let (key, at) = match issuer {
            Issuer::Anchor(index) => {
                (self.context.roots.anchor(index).map(|a| a.key()), Position::Anchor(index))
            }
            Issuer::Node(index) => (self.nodes.get(index).map(Node::key), self.position(index)),
        };
        let key = match key {
            Some(Ok(key)) => key,
            Some(Err(error)) => return Ok(Some(Fault::bad_key(at, *error))),
            None => return unknown,
        };
        if key.verify(algorithm, signed, signature).is_err() {
            let offset = Some(certificate.offsets.signature);
            return Ok(Some(Fault::new(Rule::Signature, self.position(child), offset)));
        }
        if let Some((_, entry)) = entry {
            self.verified.push(Verified { child, issuer, entry });
        }
        Ok(None)
    }

    fn spki(&self, issuer: Issuer) -> Option<&'a [u8]> {
        match issuer {
            Issuer::Anchor(index) => self.context.roots.anchor(index).map(|anchor| anchor.spki()),
            Issuer::Node(index) => self.nodes.get(index).map(|node| node.certificate.spki()),
        }
    }

    pub(super) fn known_edge(&self, child: usize, issuer: Issuer) -> Option<bool> {
        self.edges.iter().find(|edge| edge.child == child && edge.issuer == issuer).map(|edge| edge.verifies)
    }

    /// Keeps the verdicts on the path's signatures, down to the one at `failed` if one does not verify. A path that is
    /// accepted needs none of them.
    pub(super) fn keep_edges(&mut self, anchor: usize, failed: Option<usize>) {
        let mut issuer = Issuer::Anchor(anchor);
        for depth in (failed.unwrap_or(0)..self.stack.len()).rev() {
            let Some(child) = self.stack.get(depth).map(|&index| usize::from(index)) else {
                return;
            };
            if self.known_edge(child, issuer).is_none() {
                self.edges.push(Edge { child, issuer, verifies: Some(depth) != failed });
            }
            issuer = Issuer::Node(child);
        }
    }

    /// Enters the signatures of the path as it stands into the cache, all but the leaf's, which is returned.
    pub(super) fn remember(&mut self, anchor: usize) -> Option<Entry> {
        let cache = self.context.signatures?;
        let mut issuer = Issuer::Anchor(anchor);
        let mut leaf = None;
        for child in self.stack.iter().rev().map(|&index| usize::from(index)) {
            let this = |verified: &&Verified| verified.child == child && verified.issuer == issuer;
            match self.verified.iter().find(this) {
                Some(verified) if child == 0 => leaf = Some(verified.entry),
                Some(verified) => cache.insert(verified.entry),
                None => {}
            }
            issuer = Issuer::Node(child);
        }
        leaf
    }
}

impl Node<'_> {
    fn key(&self) -> Result<&PublicKey, &oxtls_crypto::Error> {
        let spki = self.certificate.spki();
        self.key.get_or_init(|| PublicKey::from_spki(spki)).as_ref()
    }
}
