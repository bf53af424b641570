//! The policies that are valid along a path, as the graph of RFC 9618 section 5: a policy appears at most once for each
//! certificate, whatever maps to it, so that mappings can't make it grow exponentially as RFC 5280's tree does.

use core::ops::Range;

use crate::extension::{CertificatePolicies, PolicyMappings};
use crate::oid;

use super::budget::{Exhausted, Remaining};

/// One policy at one depth.
struct Vertex<'a> {
    policy: &'a [u8],
    /// Its parents, as a range of [`Graph::parents`].
    parents: Range<usize>,
    /// Other policies are expected in its place from now on, or none.
    replaced: bool,
}

/// The graph, of which only the deepest level grows. Parents come before their children.
pub(super) struct Graph<'a> {
    vertices: Vec<Vertex<'a>>,
    parents: Vec<usize>,
    /// The deepest level's vertices other than anyPolicy, sorted.
    level: Range<usize>,
    /// The deepest level's anyPolicy.
    any: Option<usize>,
    /// What the next certificate may assert, and below which vertex: sorted, each pair once.
    expected: Vec<(&'a [u8], usize)>,
}

impl<'a> Graph<'a> {
    /// A graph of depth 1 below the root: these policies, and anyPolicy if `any`.
    pub(super) fn new(policies: impl Iterator<Item = &'a [u8]>, any: bool) -> Self {
        let root = Vertex { policy: oid::ANY_POLICY, parents: 0..0, replaced: false };
        let mut graph =
            Self { vertices: vec![root], parents: Vec::new(), level: 1..1, any: None, expected: Vec::new() };
        for policy in policies {
            graph.add(policy, [0]);
        }
        graph.close_level(1);
        if any {
            graph.any = Some(graph.add(oid::ANY_POLICY, [0]));
        }
        graph
    }

    /// Whether no policy is valid any more.
    pub(super) const fn is_null(&self) -> bool {
        self.expected.is_empty() && self.any.is_none()
    }

    fn add(&mut self, policy: &'a [u8], parents: impl IntoIterator<Item = usize>) -> usize {
        let first = self.parents.len();
        self.parents.extend(parents);
        self.vertices.push(Vertex { policy, parents: first..self.parents.len(), replaced: false });
        self.vertices.len().saturating_sub(1)
    }

    /// Sorts the vertices from `start` on; each expects itself.
    fn close_level(&mut self, start: usize) {
        self.level = start..self.vertices.len();
        if let Some(level) = self.vertices.get_mut(start..) {
            level.sort_unstable_by_key(|vertex| vertex.policy);
        }
        let level = self.vertices.iter().enumerate().skip(start);
        self.expected = level.map(|(place, vertex)| (vertex.policy, place)).collect();
    }

    /// A certificate with these policies (RFC 9618 section 5.2, 6.1.3 (d)).
    pub(super) fn enter(
        &mut self,
        policies: &CertificatePolicies<'a>,
        any_counts: bool,
        budget: &mut Remaining,
    ) -> Result<(), Exhausted> {
        let expected = core::mem::take(&mut self.expected);
        let above = self.any.take();
        let start = self.vertices.len();
        let mut any = false;
        let mut met = vec![false; expected.len()];
        for policy in policies.iter().map(|policy| policy.0) {
            budget.policy(policy.len())?;
            if policy == oid::ANY_POLICY {
                any = any_counts;
                continue;
            }
            let group = group_of(&expected, policy);
            for (_, parent) in expected.get(group.clone()).unwrap_or(&[]) {
                budget.policy(0)?;
                self.parents.push(*parent);
            }
            met.get_mut(group.clone()).unwrap_or(&mut []).fill(true);
            let first = self.parents.len().saturating_sub(group.len());
            match above {
                _ if !group.is_empty() => {
                    let parents = first..self.parents.len();
                    self.vertices.push(Vertex { policy, parents, replaced: false });
                }
                Some(any) => {
                    self.add(policy, [any]);
                }
                None => {}
            }
        }
        if any {
            self.carry_over(&expected, &met, budget)?;
        }
        self.close_level(start);
        self.any = above.filter(|_| any).map(|above| self.add(oid::ANY_POLICY, [above]));
        Ok(())
    }

    /// anyPolicy asserts whatever is expected and was not asserted by name.
    fn carry_over(
        &mut self,
        expected: &[(&'a [u8], usize)],
        met: &[bool],
        budget: &mut Remaining,
    ) -> Result<(), Exhausted> {
        for (group, met) in groups(expected).zip(groups_of(met, expected)) {
            if let (false, Some(&(policy, _))) = (met, group.first()) {
                for _ in group {
                    budget.policy(policy.len())?;
                }
                self.add(policy, group.iter().map(|&(_, parent)| parent));
            }
        }
        Ok(())
    }

    /// An intermediate's mappings (RFC 9618 section 5.3, 6.1.4 (b)). Where mapping is inhibited, policies that would be
    /// mapped are no longer valid.
    pub(super) fn map(
        &mut self,
        mappings: &PolicyMappings<'a>,
        inhibited: bool,
        budget: &mut Remaining,
    ) -> Result<(), Exhausted> {
        let mut pairs = Vec::new();
        for (from, to) in mappings.iter() {
            budget.policy(from.0.len().saturating_add(to.0.len()))?;
            pairs.push((from.0, to.0));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut mapped = Vec::new();
        for group in groups(&pairs) {
            let Some(place) = group.first().and_then(|(from, _)| self.mapped_vertex(from, inhibited)) else {
                continue;
            };
            if let Some(vertex) = self.vertices.get_mut(place) {
                vertex.replaced = true;
            }
            mapped.extend(group.iter().filter(|_| !inhibited).map(|&(_, to)| (to, place)));
        }
        let vertices = &self.vertices;
        let stands = |place: usize| vertices.get(place).is_some_and(|vertex| !vertex.replaced);
        self.expected.retain(|&(_, place)| stands(place));
        self.expected.append(&mut mapped);
        self.expected.sort_unstable();
        Ok(())
    }

    /// The vertex of a policy that is mapped: one that is there, or one made for it below anyPolicy.
    fn mapped_vertex(&mut self, policy: &'a [u8], inhibited: bool) -> Option<usize> {
        let level = self.vertices.get(self.level.clone())?;
        if let Ok(found) = level.binary_search_by_key(&policy, |vertex| vertex.policy) {
            return self.level.start.checked_add(found);
        }
        let above = self.vertices.get(self.any.filter(|_| !inhibited)?)?.parents.clone();
        self.vertices.push(Vertex { policy, parents: above, replaced: false });
        self.vertices.len().checked_sub(1)
    }

    /// The authority-constrained policy set (RFC 9618 section 5.4, 6.1.5 (g)): the policies, in the terms of the anchor's
    /// domain, that led to a policy of the last certificate; sorted. And whether anyPolicy is among them.
    pub(super) fn authority_set(&self) -> (Vec<&'a [u8]>, bool) {
        let mut reached = vec![false; self.vertices.len()];
        let last = self.expected.iter().map(|&(_, place)| place).chain(self.any);
        last.for_each(|place| mark(&mut reached, place));
        let mut found = Vec::new();
        for (place, vertex) in self.vertices.iter().enumerate().rev() {
            if !reached.get(place).is_some_and(|reached| *reached) {
                continue;
            }
            let parents = self.parents.get(vertex.parents.clone()).unwrap_or(&[]);
            let mut below_any = false;
            for &parent in parents {
                mark(&mut reached, parent);
                below_any |= self.vertices.get(parent).is_some_and(|above| above.policy == oid::ANY_POLICY);
            }
            if below_any && vertex.policy != oid::ANY_POLICY {
                found.push(vertex.policy);
            }
        }
        found.sort_unstable();
        found.dedup();
        (found, self.any.is_some())
    }
}

fn mark(flags: &mut [bool], place: usize) {
    if let Some(flag) = flags.get_mut(place) {
        *flag = true;
    }
}

/// Where the pairs of `policy` stand among sorted pairs.
fn group_of(pairs: &[(&[u8], usize)], policy: &[u8]) -> Range<usize> {
    let start = pairs.partition_point(|(other, _)| *other < policy);
    let end = pairs.partition_point(|(other, _)| *other <= policy);
    start..end
}

/// Sorted pairs, those of one policy at a time.
fn groups<'p, 'a, T>(pairs: &'p [(&'a [u8], T)]) -> impl Iterator<Item = &'p [(&'a [u8], T)]> {
    pairs.chunk_by(|a, b| a.0 == b.0)
}

/// The first flag of each group.
fn groups_of<'f, T>(flags: &'f [bool], pairs: &'f [(&[u8], T)]) -> impl Iterator<Item = bool> + use<'f, T> {
    let mut rest = flags;
    groups(pairs).map(move |group| {
        let (these, others) = rest.split_at_checked(group.len()).unwrap_or((rest, &[]));
        rest = others;
        these.first().copied().unwrap_or(true)
    })
}
