//! Certificate policies along a path (RFC 5280 section 6.1 as RFC 9618 corrects it, and RFC 5937 for the limits of an
//! anchor).

use crate::certificate::Certificate;
use crate::extension::{CertificatePolicies, PolicyMappings};
use crate::oid::{self, ObjectIdentifier};
use crate::policy::PolicyInputs;
use crate::report::Position;
use crate::rules::Rule;

use super::Fault;
use super::budget::{Exhausted, Remaining};
use super::policy_graph::Graph;
use super::policy_set::{Collected, PolicySet};

/// A certificate of the path, where it stands, and whether it is self-issued.
pub(super) type Step<'p, 'a> = (&'p Certificate<'a>, Position, bool);

/// Processes the policies of a path, from the certificate that the anchor signed to the leaf, and returns the
/// user-constrained policy set. The path has `length` certificates.
pub(super) fn process<'p, 'a: 'p>(
    inputs: &PolicyInputs,
    anchor: Option<&Certificate<'_>>,
    path: impl Iterator<Item = Step<'p, 'a>>,
    length: usize,
    budget: &mut Remaining,
) -> Result<PolicySet, Fault<'a>> {
    let mut counters = Counters::new(inputs, length);
    if let Some(anchor) = anchor {
        counters.constrain(anchor);
    }
    let mut valid = Valid::Few(Few::new());
    let mut leaf = Position::Chain(0);
    let mut path = path.peekable();
    while let Some((certificate, at, self_issued)) = path.next() {
        let is_last = path.peek().is_none();
        let any_counts = counters.any > 0 || (self_issued && !is_last);
        match certificate.certificate_policies() {
            Some(policies) => valid.enter(&policies, any_counts, budget)?,
            None => valid = Valid::None,
        }
        if counters.explicit == 0 && valid.is_none() {
            return Err(required(certificate, at));
        }
        if is_last {
            leaf = at;
            counters.finish(certificate);
            break;
        }
        if let Some(mappings) = certificate.policy_mappings() {
            if maps_any(&mappings) {
                return Err(Fault::new(Rule::PolicyMapping, at, Some(mappings.offset)));
            }
            valid.map(&mappings, counters.mapping == 0, budget)?;
        }
        if !self_issued {
            counters.count();
        }
        counters.constrain(certificate);
    }
    let set = constrain(valid, inputs, anchor.and_then(Certificate::certificate_policies));
    if counters.explicit == 0 && set.is_empty() {
        return Err(Fault::new(Rule::ExplicitPolicy, leaf, None));
    }
    Ok(set)
}

fn required<'a>(certificate: &Certificate<'_>, at: Position) -> Fault<'a> {
    let offset = certificate.certificate_policies().map(|policies| policies.offset);
    Fault::new(Rule::ExplicitPolicy, at, offset)
}

/// anyPolicy neither maps nor is mapped to (RFC 5280 section 6.1.4 (a)).
fn maps_any(mappings: &PolicyMappings<'_>) -> bool {
    mappings.iter().any(|(from, to)| from.0 == oid::ANY_POLICY || to.0 == oid::ANY_POLICY)
}

/// After how many more certificates something begins to hold (RFC 5280 section 6.1.2 (d) to (f)).
struct Counters {
    /// A policy is required.
    explicit: u32,
    /// Policies may no longer be mapped.
    mapping: u32,
    /// anyPolicy means nothing.
    any: u32,
}

impl Counters {
    fn new(inputs: &PolicyInputs, length: usize) -> Self {
        let never = u32::try_from(length).unwrap_or(u32::MAX).saturating_add(1);
        let from = |at_once: bool| if at_once { 0 } else { never };
        Self {
            explicit: from(inputs.initial_explicit_policy),
            mapping: from(inputs.initial_policy_mapping_inhibit),
            any: from(inputs.initial_any_policy_inhibit),
        }
    }

    /// RFC 5280 section 6.1.4 (h).
    fn count(&mut self) {
        for counter in [&mut self.explicit, &mut self.mapping, &mut self.any] {
            *counter = counter.saturating_sub(1);
        }
    }

    /// RFC 5280 section 6.1.4 (i) and (j). For an anchor it is as if it were certificate 0 (RFC 5937 section 3.2).
    fn constrain(&mut self, certificate: &Certificate<'_>) {
        let constraints = certificate.policy_constraints();
        let lower =
            |counter: &mut u32, limit: Option<u32>| *counter = limit.unwrap_or(u32::MAX).min(*counter);
        lower(&mut self.explicit, constraints.and_then(|c| c.require_explicit_policy));
        lower(&mut self.mapping, constraints.and_then(|c| c.inhibit_policy_mapping));
        lower(&mut self.any, certificate.inhibit_any_policy());
    }

    /// The wrap-up for the leaf (RFC 5280 section 6.1.5 (a) and (b)).
    fn finish(&mut self, leaf: &Certificate<'_>) {
        self.explicit = self.explicit.saturating_sub(1);
        if leaf.policy_constraints().is_some_and(|c| c.require_explicit_policy == Some(0)) {
            self.explicit = 0;
        }
    }
}

/// The policies that are valid so far. A set is enough as long as nothing is mapped and they are few: most paths are
/// like that, and they cost no allocation.
enum Valid<'a> {
    None,
    Few(Few<'a>),
    Graph(Graph<'a>),
}

impl<'a> Valid<'a> {
    const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    fn enter(
        &mut self,
        policies: &CertificatePolicies<'a>,
        any_counts: bool,
        budget: &mut Remaining,
    ) -> Result<(), Exhausted> {
        if let Self::Few(few) = self {
            match few.enter(policies, any_counts, budget)? {
                Some(next) => *few = next,
                None => *self = Self::Graph(few.to_graph()),
            }
        }
        if let Self::Graph(graph) = self {
            graph.enter(policies, any_counts, budget)?;
        }
        self.drop_if_empty();
        Ok(())
    }

    fn map(
        &mut self,
        mappings: &PolicyMappings<'a>,
        inhibited: bool,
        budget: &mut Remaining,
    ) -> Result<(), Exhausted> {
        if let Self::Few(few) = self {
            *self = Self::Graph(few.to_graph());
        }
        if let Self::Graph(graph) = self {
            graph.map(mappings, inhibited, budget)?;
        }
        self.drop_if_empty();
        Ok(())
    }

    fn drop_if_empty(&mut self) {
        let empty = match self {
            Self::None => false,
            Self::Few(few) => few.count == 0 && !few.any,
            Self::Graph(graph) => graph.is_null(),
        };
        if empty {
            *self = Self::None;
        }
    }
}

/// A few policies that were never mapped, and anyPolicy if `any`.
#[derive(Clone, Copy)]
struct Few<'a> {
    policies: [&'a [u8]; Few::ROOM],
    count: usize,
    any: bool,
}

impl<'a> Few<'a> {
    const ROOM: usize = 12;

    /// As a path begins: any policy is valid.
    const fn new() -> Self {
        Self { policies: [&[]; Self::ROOM], count: 0, any: true }
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.policies.into_iter().take(self.count)
    }

    fn push(&mut self, policy: &'a [u8]) -> Option<()> {
        *self.policies.get_mut(self.count)? = policy;
        self.count = self.count.checked_add(1)?;
        Some(())
    }

    fn to_graph(self) -> Graph<'a> {
        Graph::new(self.iter(), self.any)
    }

    /// What is left behind a certificate with these policies; `None` if there is no room for it.
    fn enter(
        &self,
        policies: &CertificatePolicies<'a>,
        any_counts: bool,
        budget: &mut Remaining,
    ) -> Result<Option<Self>, Exhausted> {
        let mut next = Self { any: false, ..Self::new() };
        let mut any = false;
        let mut fits = true;
        for policy in policies.iter().map(|policy| policy.0) {
            budget.policy(policy.len())?;
            if policy == oid::ANY_POLICY {
                any = any_counts;
            } else if self.any || self.iter().any(|valid| valid == policy) {
                fits &= next.push(policy).is_some();
            }
        }
        if any {
            let named = next;
            let mut rest = self.iter().filter(|policy| !named.iter().any(|named| named == *policy));
            fits &= rest.all(|policy| next.push(policy).is_some());
            next.any = self.any;
        }
        Ok(fits.then_some(next))
    }
}

/// The user-constrained policy set: what is valid of what is wanted (RFC 9618 section 5.4). An anchor's own policies limit
/// what may be wanted of it (RFC 5937 section 3.2).
fn constrain(valid: Valid<'_>, inputs: &PolicyInputs, anchor: Option<CertificatePolicies<'_>>) -> PolicySet {
    let anchor = anchor.filter(|policies| !policies.iter().any(|policy| policy.0 == oid::ANY_POLICY));
    let wanted = inputs
        .initial_policy_set
        .as_deref()
        .filter(|set| !set.iter().any(|policy| policy.as_bytes() == oid::ANY_POLICY));
    let by_anchor = |policy: &[u8]| anchor.is_none_or(|set| set.iter().any(|known| known.0 == policy));
    let by_user = |policy: &[u8]| wanted.is_none_or(|set| set.iter().any(|known| known.as_bytes() == policy));
    let allowed = |policy: &&[u8]| by_anchor(policy) && by_user(policy);
    let mut found = Collected::default();
    let any = match valid {
        Valid::None => false,
        Valid::Few(few) => {
            few.iter().filter(allowed).for_each(|policy| found.push(policy));
            few.any
        }
        Valid::Graph(graph) => {
            let (policies, any) = graph.authority_set();
            policies.into_iter().filter(allowed).for_each(|policy| found.push(policy));
            any
        }
    };
    // anyPolicy stands for each policy that is wanted.
    match (any, wanted, &anchor) {
        (false, ..) => {}
        (true, None, None) => found.push(oid::ANY_POLICY),
        (true, None, Some(anchor)) => anchor.iter().for_each(|policy| found.push(policy.0)),
        (true, Some(wanted), _) => wanted
            .iter()
            .map(ObjectIdentifier::as_bytes)
            .filter(|policy| by_anchor(policy))
            .for_each(|policy| found.push(policy)),
    }
    found.into_set()
}
