//! Depth-first search from the peer's certificate to an anchor (RFC 4158), with a stack of its own.
//!
//! Cheap checks come first and prune; signatures are verified only on a path that has reached an anchor, from the
//! anchor down, each pair of certificates once. Certificates from which no names lead to an anchor are dropped before
//! the search begins, so that a tangle of strangers costs nothing.

use crate::certificate::Certificate;
use crate::defaults;
use crate::extension::NameConstraints;
use crate::report::Position;
use crate::revocation::{self, RevocationStatus, Verdict};
use crate::rules::Rule;
use crate::signature_cache::Entry;
use crate::trust::Anchor;
use crate::trust_mode::SpkiPin;

use super::budget::Remaining;
use super::candidates::{Issuer, anchor_candidate, mark_reachable, node_candidate, unknown_issuer};
use super::policy_set::PolicySet;
use super::signatures::{Edge, Verified};
use super::{Chain, Context, Detail, Fault, Node, candidates, check, constraints, policies};

/// A path that was validated: chain positions from the leaf up, and the anchor's index.
pub(crate) struct Found {
    pub(crate) path: Vec<u16>,
    pub(crate) anchor: usize,
    pub(crate) earliest_expiry: i64,
    /// What is known of the path's certificates.
    pub(crate) revocation: RevocationStatus,
    /// The user-constrained policy set.
    pub(crate) policies: PolicySet,
    /// The leaf's signature, if it was verified now: to be remembered once the peer has proved possession of its key.
    pub(crate) leaf_signature: Option<Entry>,
}

/// Why there is none.
pub(crate) struct Failure<'a> {
    /// The fault to report.
    pub(crate) fault: Fault<'a>,
    /// The paths tried, the first ones only.
    pub(crate) attempts: Vec<Attempt<'a>>,
}

/// A candidate path and the rule that ended it.
pub(crate) struct Attempt<'a> {
    /// From the leaf up, ending with the certificate or anchor that was tried last.
    pub(crate) path: Vec<Position>,
    pub(crate) fault: Fault<'a>,
}

pub(super) struct Search<'a, 'c> {
    pub(super) context: Context<'a>,
    pub(super) nodes: &'c [Node<'a>],
    pub(super) budget: Remaining,
    /// The path being built, from the leaf up, by index. None is in it twice.
    pub(super) stack: Vec<u16>,
    pub(super) edges: Vec<Edge>,
    pub(super) verified: Vec<Verified>,
    /// Certificates found to be revoked, as bits.
    revoked: u128,
    attempts: Vec<Attempt<'a>>,
    best: Option<Fault<'a>>,
}

/// Finds and validates a path from the first certificate of the chain.
pub(crate) fn search<'a>(context: Context<'a>, chain: &mut Chain<'a>) -> Result<Found, Box<Failure<'a>>> {
    search_within(context, chain, &mut Remaining::new(context.policy.budget()))
}

/// As [`search`], within what is left of a budget.
pub(crate) fn search_within<'a>(
    context: Context<'a>,
    chain: &mut Chain<'a>,
    budget: &mut Remaining,
) -> Result<Found, Box<Failure<'a>>> {
    mark_reachable(&context, &mut chain.nodes);
    let mut search = Search {
        context,
        nodes: &chain.nodes,
        budget: budget.clone(),
        stack: Vec::with_capacity(4),
        edges: Vec::new(),
        verified: Vec::new(),
        revoked: 0,
        attempts: Vec::new(),
        best: None,
    };
    let result = search.run();
    *budget = search.budget;
    let fault = match result {
        Ok(found) => return Ok(found),
        Err(Some(fatal)) => fatal,
        Err(None) => search.best.or(chain.left_out).unwrap_or_else(|| unknown_issuer(&chain.nodes)),
    };
    let mut attempts = search.attempts;
    if attempts.is_empty() {
        attempts.push(Attempt { path: candidates::climb(&chain.nodes), fault });
    }
    Err(Box::new(Failure { fault, attempts }))
}

impl<'a> Search<'a, '_> {
    /// `Err(Some(..))` ends the search at once, `Err(None)` says that no candidate is left.
    fn run(&mut self) -> Result<Found, Option<Fault<'a>>> {
        let leaf = self.nodes.first().ok_or(None)?;
        check::leaf(&self.context, &leaf.certificate).map_err(Some)?;
        if !leaf.reachable {
            return Err(None);
        }
        self.push(0);
        while let Some(candidate) = self.next_candidate() {
            self.budget.node().map_err(|exhausted| Some(exhausted.into()))?;
            match candidate {
                Issuer::Node(index) => self.try_intermediate(index)?,
                Issuer::Anchor(index) => {
                    if let Some(found) = self.try_anchor(index)? {
                        return Ok(found);
                    }
                }
            }
        }
        Err(None)
    }

    /// The next issuer to try for the certificate at the top; goes back down where there is none.
    ///
    /// Anchors come before intermediates, and those whose key identifier contradicts the certificate's come last:
    /// identifiers are hints, never proof (RFC 5280 section 4.2.1.1).
    fn next_candidate(&mut self) -> Option<Issuer> {
        while let Some(top) = self.top() {
            let Some(child) = self.nodes.get(top) else {
                self.stack.pop();
                continue;
            };
            let anchors = self.context.roots.bucket(child.issuer_hash);
            let round = anchors.len().saturating_add(self.nodes.len());
            while child.tried.get() < round.saturating_mul(2) {
                let next = child.tried.get();
                child.tried.set(next.saturating_add(1));
                let hinted = next < round;
                let index = if hinted { next } else { next.saturating_sub(round) };
                let candidate = match anchors.get(index) {
                    Some(&anchor) => anchor_candidate(&self.context, child, anchor, hinted),
                    None => node_candidate(self.nodes, child, index.saturating_sub(anchors.len()), hinted),
                };
                if candidate.is_some() {
                    return candidate;
                }
            }
            self.stack.pop();
        }
        None
    }

    /// The certificate that is highest in the path.
    fn top(&self) -> Option<usize> {
        self.stack.last().map(|&index| index.into())
    }

    /// Puts a certificate on the path, none of whose issuers have been tried below what is there. No chain has 2^16.
    fn push(&mut self, index: usize) {
        if let (Some(node), Ok(place)) = (self.nodes.get(index), u16::try_from(index)) {
            node.tried.set(0);
            self.stack.push(place);
        }
    }

    fn try_intermediate(&mut self, index: usize) -> Result<(), Option<Fault<'a>>> {
        let Some(top) = self.top() else {
            return Ok(());
        };
        let Some(node) = self.nodes.get(index) else {
            return Ok(());
        };
        if self.is_revoked(index)
            || self.is_in_path(node)
            || self.known_edge(top, Issuer::Node(index)) == Some(false)
        {
            return Ok(());
        }
        if let Err(fault) = self.check_intermediate(node) {
            return self.record(Issuer::Node(index), fault);
        }
        self.push(index);
        Ok(())
    }

    fn check_intermediate(&mut self, node: &Node<'a>) -> Result<(), Fault<'a>> {
        let context = &self.context;
        let judge = || check::intermediate(context, &node.certificate, node.at()).map_err(Box::new);
        node.as_issuer.get_or_init(judge).as_ref().map_err(|fault| **fault)?;
        let below = self.path_length();
        self.check_path_length(&node.certificate, below, node.at())?;
        let depth = if node.is_self_issued() { below } else { below.saturating_add(1) };
        let limit = self.context.policy.budget().depth;
        if depth > u32::from(limit) {
            return Err(Fault::new(Rule::PathDepth, node.at(), None).with(Detail::Limit(limit.into())));
        }
        self.check_names(node.certificate.name_constraints())
    }

    /// Validates the path as it stands below an anchor: the anchor's own limits, then every signature.
    fn try_anchor(&mut self, index: usize) -> Result<Option<Found>, Option<Fault<'a>>> {
        let Some(anchor) = self.context.roots.anchor(index) else {
            return Ok(None);
        };
        let certificate = anchor.certificate();
        if let Err(fault) = self.check_anchor(index, anchor, certificate.as_ref()) {
            self.record(Issuer::Anchor(index), fault)?;
            return Ok(None);
        }
        let policies = match self.check_policies(certificate.as_ref()) {
            Ok(policies) => policies,
            Err(fault) => {
                self.record(Issuer::Anchor(index), fault)?;
                return Ok(None);
            }
        };
        if !self.verify_signatures(index)? {
            return Ok(None);
        }
        if !self.is_pinned(anchor) {
            self.keep_edges(index, None);
            self.record(Issuer::Anchor(index), Fault::new(Rule::PinnedKey, Position::Chain(0), None))?;
            return Ok(None);
        }
        let Some(verdict) = self.check_status(index, anchor)? else {
            return Ok(None);
        };
        let expiries = self.path().map(|node| node.certificate.validity().not_after);
        let others = certificate.map(|root| root.validity().not_after).into_iter().chain([verdict.until]);
        let earliest_expiry = expiries.chain(others).min();
        let leaf_signature = self.remember(index);
        Ok(Some(Found {
            path: self.take_positions(),
            anchor: index,
            earliest_expiry: earliest_expiry.unwrap_or(i64::MIN),
            revocation: verdict.status,
            policies,
            leaf_signature,
        }))
    }

    /// The path, by where its certificates stand in the peer's chain: the search has no more use for it.
    fn take_positions(&mut self) -> Vec<u16> {
        let mut path = std::mem::take(&mut self.stack);
        for place in &mut path {
            *place = self.nodes.get(usize::from(*place)).map_or(u16::MAX, |node| node.position);
        }
        path
    }

    /// Revocation and timestamps of a path that is good otherwise; `None` if it is not good after all.
    fn check_status(
        &mut self,
        index: usize,
        anchor: &'a Anchor,
    ) -> Result<Option<Verdict>, Option<Fault<'a>>> {
        let Some(evidence) = self.context.evidence else {
            return Ok(Some(Verdict::UNCHECKED));
        };
        let context = self.context;
        let certificates: Vec<_> = self.path().map(|node| node.certificate).collect();
        let positions: Vec<_> = self.path().map(Node::at).collect();
        let (certificates, positions) = (certificates.as_slice(), positions.as_slice());
        let path = revocation::Path {
            context: &context,
            evidence,
            certificates,
            positions,
            anchor,
            anchor_index: index,
        };
        let fault = match revocation::judge(&path, &mut self.budget) {
            Ok(verdict) => return Ok(Some(verdict)),
            Err(fault) => fault,
        };
        self.keep_edges(index, None);
        if fault.rule == Rule::NotRevoked {
            self.note_revoked(fault.at);
        }
        self.record(Issuer::Anchor(index), fault)?;
        // The peer's own is in every path.
        if self.is_revoked(0) { Err(Some(fault)) } else { Ok(None) }
    }

    /// A certificate that is revoked is so along every path.
    fn note_revoked(&mut self, at: Position) {
        let node = self.nodes.iter().position(|node| node.at() == at);
        let bit = node.and_then(|node| u32::try_from(node).ok());
        self.revoked |= bit.map_or(0, |bit| 1u128.wrapping_shl(bit));
    }

    fn is_revoked(&self, node: usize) -> bool {
        u32::try_from(node).is_ok_and(|bit| self.revoked & 1u128.wrapping_shl(bit) != 0)
    }

    /// Whether the path as it stands, the anchor included, has one of the pinned keys, if there must be one (RFC 7469
    /// section 2.6).
    fn is_pinned(&self, anchor: &Anchor) -> bool {
        self.context.pins.is_none_or(|pins| {
            let spkis = self.path().map(|node| node.certificate.spki());
            spkis.chain([anchor.spki()]).any(|spki| pins.contains(&SpkiPin::of_spki(spki)))
        })
    }

    fn check_anchor(
        &mut self,
        index: usize,
        anchor: &'a Anchor,
        certificate: Option<&Certificate<'a>>,
    ) -> Result<(), Fault<'a>> {
        let at = Position::Anchor(index);
        self.check_names(self.context.policy.name_constraints())?;
        let Some(certificate) = certificate else {
            check::allowed_key(&self.context, anchor.spki(), at, None)?;
            return self.check_names(anchor.name_constraints());
        };
        check::anchor(&self.context, certificate, index)?;
        self.check_path_length(certificate, self.path_length(), at)?;
        self.check_names(certificate.name_constraints())
    }

    /// The certificate policies of the path as it stands below an anchor.
    fn check_policies(&mut self, anchor: Option<&Certificate<'a>>) -> Result<PolicySet, Fault<'a>> {
        let nodes = self.nodes;
        let path = self.stack.iter().rev().filter_map(|&index| nodes.get(usize::from(index)));
        let length = self.stack.len();
        let path = path.map(|node| (&node.certificate, node.at(), node.is_self_issued()));
        policies::process(self.context.policy.policy_inputs(), anchor, path, length, &mut self.budget)
    }

    fn check_path_length(
        &self,
        certificate: &Certificate<'a>,
        below: u32,
        at: Position,
    ) -> Result<(), Fault<'a>> {
        match certificate.basic_constraints() {
            Some(limits) if limits.path_len.is_some_and(|limit| below > limit) => {
                let detail = Detail::Limit(limits.path_len.unwrap_or(0));
                Err(Fault::new(Rule::PathLength, at, Some(limits.offset)).with(detail))
            }
            _ => Ok(()),
        }
    }

    /// Applies an issuer's name constraints to everything below it; self-issued intermediates are exempt, so that a
    /// CA can renew its key (RFC 5280 section 6.1.3 (b)).
    fn check_names(&mut self, limits: Option<NameConstraints<'_>>) -> Result<(), Fault<'a>> {
        let Some(limits) = limits else {
            return Ok(());
        };
        let limits = constraints::Limits::new(limits, &mut self.budget)?;
        let nodes = self.nodes;
        for (depth, &index) in self.stack.iter().enumerate() {
            if let Some(node) =
                nodes.get(usize::from(index)).filter(|node| depth == 0 || !node.is_self_issued())
            {
                limits.check(&node.certificate, node.at(), &mut self.budget)?;
            }
        }
        Ok(())
    }

    /// Notes why a path ended; a budget that ran out ends the search.
    pub(super) fn record(&mut self, tried: Issuer, fault: Fault<'a>) -> Result<(), Option<Fault<'a>>> {
        if self.attempts.len() < defaults::CANDIDATES {
            let last = match tried {
                Issuer::Anchor(index) => Position::Anchor(index),
                Issuer::Node(index) => self.position(index),
            };
            let path = self.path().map(Node::at).chain([last]).collect();
            self.attempts.push(Attempt { path, fault });
        }
        if fault.rule == Rule::WorkBudget {
            return Err(Some(fault));
        }
        if self.best.is_none_or(|best| fault.rank() > best.rank()) {
            self.best = Some(fault);
        }
        Ok(())
    }

    fn path(&self) -> impl Iterator<Item = &Node<'a>> {
        self.stack.iter().filter_map(|&index| self.nodes.get(usize::from(index)))
    }

    /// Intermediates of the path that count (RFC 5280 section 6.1.4 (l)): all but the self-issued ones.
    fn path_length(&self) -> u32 {
        self.path().skip(1).fold(0u32, |sum, node| sum.saturating_add(u32::from(!node.is_self_issued())))
    }

    /// The same name and key twice in a path is a loop, whatever the certificates are (RFC 4158 section 5.2).
    fn is_in_path(&self, candidate: &Node<'a>) -> bool {
        self.path().any(|node| {
            node.subject == candidate.subject && node.certificate.spki() == candidate.certificate.spki()
        })
    }

    pub(super) fn position(&self, node: usize) -> Position {
        self.nodes.get(node).map_or(Position::Chain(node), Node::at)
    }
}
