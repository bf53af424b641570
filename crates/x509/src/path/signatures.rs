//! The signatures of a path: verified from the anchor down, each pair of certificates once, and remembered.

use std::sync::Arc;

use oxtls_crypto::signature::PublicKey;

use crate::algorithm::CertificateSignature;
use crate::report::Position;
use crate::rules::Rule;
use crate::signature_cache::{Entry, SignatureCache};

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
            Issuer::Node(index) => (self.nodes.get(index).map(|node| node.key(cache)), self.position(index)),
        };
        let key = match key {
            Some(Ok(key)) => key,
            Some(Err(error)) => return Ok(Some(Fault::bad_key(at, *error))),
            None => return unknown,
        };
        if key.verify(algorithm, signed, signature).is_err() {
            let offset = Some(certificate.offsets().signature);
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

    /// Enters what this search has found out of the path as it stands into the cache: the keys of its CAs, and the
    /// signatures, all but the leaf's, which is returned.
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
            if child != 0
                && let Some(Ok(key)) = self.nodes.get(child).and_then(|node| node.key.get())
            {
                cache.keep_key(key);
            }
            issuer = Issuer::Node(child);
        }
        leaf
    }
}

impl Node<'_> {
    /// The certificate's key: read once in a search, and not at all if the cache has it.
    fn key(&self, cache: Option<&SignatureCache>) -> Result<&PublicKey, &oxtls_crypto::Error> {
        let spki = self.certificate.spki();
        let read = || {
            #[cfg(test)]
            tests::count();
            PublicKey::from_spki(spki).map(Arc::new)
        };
        let key = || cache.and_then(|cache| cache.key_of(spki)).map_or_else(read, Ok);
        self.key.get_or_init(key).as_ref().map(Arc::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use oxtls_crypto::signature::KeyAlgorithm;
    use oxtls_test_pki::{Ca, LeafSpec};
    use pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;
    use crate::{Purpose, Roots, Verifier};

    const HOST: &str = "a.test";

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        READ.set(READ.get() + 1);
    }

    fn verifier(root: &Ca, cache: &Arc<SignatureCache>) -> Verifier {
        let mut roots = Roots::empty();
        roots.add_der(root.certificate()).unwrap();
        Verifier::new(roots, Purpose::ServerAuth).with_signature_cache(Arc::clone(cache))
    }

    /// Keys read for this chain, and whether it is accepted.
    fn judge(verifier: &Verifier, chain: &[CertificateDer<'_>]) -> (usize, bool) {
        READ.set(0);
        let name = ServerName::try_from(HOST).unwrap();
        let accepted = verifier.verify_server(chain, &name, UnixTime::now()).is_ok();
        (READ.get(), accepted)
    }

    #[test]
    fn the_key_of_an_intermediate_is_read_once_for_all_its_leaves() {
        let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
        let middle = root.intermediate("Middle", KeyAlgorithm::EcdsaP256);
        let low = middle.intermediate("Low", KeyAlgorithm::EcdsaP256);
        let cache = Arc::new(SignatureCache::new(64).unwrap());
        let verifier = verifier(&root, &cache);
        let leaf = || LeafSpec::server(HOST);
        assert_eq!(judge(&verifier, &middle.issue(leaf()).chain), (1, true));
        assert_eq!((judge(&verifier, &middle.issue(leaf()).chain), cache.keys()), ((0, true), 1));
        assert_eq!((judge(&verifier, &low.issue(leaf()).chain), cache.keys()), ((1, true), 2));
        assert_eq!(judge(&verifier, &low.issue(leaf()).chain), (0, true));
        // Another leaf's signature is judged by a key that is kept as by one that was read.
        let mut forged = low.issue(leaf()).chain;
        let mut altered = forged[0].to_vec();
        *altered.last_mut().unwrap() ^= 1;
        forged[0] = altered.into();
        assert_eq!(judge(&verifier, &forged), (0, false));
        cache.clear();
        assert_eq!((judge(&verifier, &forged), cache.keys()), ((2, false), 0));
    }

    #[test]
    fn no_key_is_kept_of_a_path_that_fails() {
        let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
        let stranger = Ca::new("Root", KeyAlgorithm::EcdsaP256);
        let cache = Arc::new(SignatureCache::new(64).unwrap());
        let verifier = verifier(&root, &cache);
        let of_stranger = stranger.intermediate("Middle", KeyAlgorithm::EcdsaP256);
        assert!(!judge(&verifier, &of_stranger.issue(LeafSpec::server(HOST)).chain).1);
        // A good CA, whose leaf is good but for its signature: its key is read, and nothing comes of it.
        let middle = root.intermediate("Middle", KeyAlgorithm::EcdsaP256);
        let leaf = of_stranger.issue(LeafSpec::server(HOST).without_key_ids()).chain[0].clone();
        assert_eq!(judge(&verifier, &[leaf, middle.path()[0].clone()]), (1, false));
        assert_eq!(cache.keys(), 0);
    }
}
