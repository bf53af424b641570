//! Who may have signed a certificate, going by names: candidates for the search, and what to say where there is none.

use crate::defaults;
use crate::report::Position;
use crate::rules::Rule;

use super::{Anchors, Context, Fault, Node};

/// Who may have signed a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Issuer {
    Anchor(usize),
    Node(usize),
}

/// The anchor if it bears the issuer's name and belongs to this round.
pub(super) fn anchor_candidate(
    context: &Context<'_>,
    child: &Node<'_>,
    anchor: usize,
    hinted: bool,
) -> Option<Issuer> {
    let found = context.roots.anchor(anchor)?;
    if context.crl_issuer.is_some_and(|only| only != anchor) {
        return None;
    }
    let named = match child.issued_by {
        Anchors::None => false,
        Anchors::All => true,
        Anchors::Some => found.subject() == child.certificate.issuer(),
    };
    (named && hinted != contradicts(child, found.key_id())).then_some(Issuer::Anchor(anchor))
}

/// The certificate if it bears the issuer's name, leads to an anchor and belongs to this round. The leaf issues
/// nothing.
pub(super) fn node_candidate(
    nodes: &[Node<'_>],
    child: &Node<'_>,
    index: usize,
    hinted: bool,
) -> Option<Issuer> {
    let node = nodes.get(index)?;
    let named = index != 0 && node.reachable && node.subject == child.issuer;
    let key_id = node.certificate.subject_key_id().map(|ski| ski.key_id);
    (named && hinted != contradicts(child, key_id)).then_some(Issuer::Node(index))
}

/// Whether both key identifiers are there and differ.
fn contradicts(child: &Node<'_>, issuer_key_id: Option<&[u8]>) -> bool {
    let wanted = child.certificate.authority_key_id().and_then(|aki| aki.key_id);
    matches!((wanted, issuer_key_id), (Some(wanted), Some(found)) if wanted != found)
}

/// Marks the certificates from which names lead to an anchor.
pub(super) fn mark_reachable(context: &Context<'_>, nodes: &mut [Node<'_>]) {
    /// Positions to go on from, as bits.
    const BITS: usize = 128;
    const { assert!(defaults::MAX_CHAIN <= BITS) };
    let mut fresh = 0u128;
    for (bit, node) in (0u32..).zip(nodes.iter_mut()) {
        node.issued_by = namesakes(context, node);
        node.reachable = node.issued_by != Anchors::None;
        if node.reachable && !node.is_self_issued() {
            fresh |= 1u128.wrapping_shl(bit);
        }
    }
    while let Some(subject) = usize::try_from(fresh.trailing_zeros())
        .ok()
        .and_then(|index| nodes.get(index))
        .map(|node| node.subject)
    {
        fresh &= fresh.wrapping_sub(1);
        for (bit, node) in (0u32..).zip(nodes.iter_mut()) {
            if !node.reachable && node.issuer == subject {
                node.reachable = true;
                fresh |= 1u128.wrapping_shl(bit);
            }
        }
    }
}

fn namesakes(context: &Context<'_>, node: &Node<'_>) -> Anchors {
    let issuer = node.certificate.issuer();
    let bucket = context.roots.bucket(node.issuer_hash).iter();
    let mut verdicts = bucket.filter_map(|&index| context.roots.anchor(index)).map(|a| a.subject() == issuer);
    match verdicts.next() {
        None => Anchors::None,
        Some(first) if verdicts.any(|other| other != first) => Anchors::Some,
        Some(true) => Anchors::All,
        Some(false) => Anchors::None,
    }
}

/// The chain as its names suggest it, for reports on chains that lead nowhere: from the leaf up, each certificate
/// once.
pub(super) fn climb(nodes: &[Node<'_>]) -> Vec<Position> {
    let mut path: Vec<&Node<'_>> = nodes.first().into_iter().collect();
    while let Some(top) = path.last().filter(|top| !top.is_self_issued()) {
        let next = nodes.iter().skip(1).find(|node| {
            node.subject == top.issuer && !path.iter().any(|used| used.position == node.position)
        });
        match next {
            Some(next) => path.push(next),
            None => break,
        }
    }
    path.into_iter().map(Node::at).collect()
}

pub(super) fn unknown_issuer<'a>(nodes: &[Node<'_>]) -> Fault<'a> {
    let last = climb(nodes).pop().unwrap_or(Position::Chain(0));
    Fault::new(Rule::IssuerKnown, last, None)
}
