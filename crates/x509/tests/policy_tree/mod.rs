//! The valid_policy_tree of RFC 5280 section 6.1, step by step as it stands there, and random paths to try it on.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::collapsible_if,
    reason = "as blunt and as literal as the RFC's own steps; not every test needs all of it"
)]

use std::collections::BTreeSet;

use oxtls_test_pki::{Ca, CaSpec, LeafSpec, der};
use oxtls_x509::PolicyInputs;
use pki_types::CertificateDer;

use crate::common::{HOST, P256};

const ANY: &str = "2.5.29.32.0";
const SOME: [&str; 4] =
    ["1.3.6.1.4.1.5555.1", "1.3.6.1.4.1.5555.2", "1.3.6.1.4.1.5555.3", "1.3.6.1.4.1.5555.4"];

/// A generator that gives the same numbers each time.
pub struct Random(pub u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn some(&mut self) -> &'static str {
        SOME[self.below(4) as usize]
    }
}

/// What one certificate of a path says about policies.
#[derive(Debug, Default)]
pub struct Step {
    policies: Option<BTreeSet<&'static str>>,
    mappings: Vec<(&'static str, &'static str)>,
    require_explicit: Option<u8>,
    inhibit_mapping: Option<u8>,
    inhibit_any: Option<u8>,
    self_issued: bool,
}

impl Step {
    /// From the certificate that the anchor signed to the leaf.
    pub fn random_path(random: &mut Random) -> Vec<Self> {
        let length = 1 + random.below(5);
        (0..length).map(|place| Self::random(random, place > 0 && place + 1 < length)).collect()
    }

    fn random(random: &mut Random, may_be_self_issued: bool) -> Self {
        let mut step = Self::default();
        if !random.one_in(12) {
            let mut policies: BTreeSet<_> = (0..random.below(4)).map(|_| random.some()).collect();
            if random.one_in(3) || policies.is_empty() {
                policies.insert(ANY);
            }
            step.policies = Some(policies);
        }
        if random.one_in(2) {
            step.mappings = (0..1 + random.below(4)).map(|_| (random.some(), random.some())).collect();
            if random.one_in(20) {
                step.mappings.push((ANY, SOME[0]));
            }
        }
        let skip = |random: &mut Random, many| random.one_in(many).then(|| random.below(4) as u8);
        step.require_explicit = skip(random, 4);
        step.inhibit_mapping = skip(random, 8);
        step.inhibit_any = skip(random, 6);
        step.self_issued = may_be_self_issued && random.one_in(4);
        step
    }

    fn extensions(&self) -> Vec<(&'static str, Vec<u8>)> {
        let sequence = |parts: Vec<Vec<u8>>| der::tlv(0x30, &[&parts.concat()]);
        let mut extensions = Vec::new();
        if let Some(policies) = &self.policies {
            let information = policies.iter().map(|policy| der::tlv(0x30, &[&der::oid(policy)])).collect();
            extensions.push(("2.5.29.32", sequence(information)));
        }
        if !self.mappings.is_empty() {
            let pair = |(from, to): &(&str, &str)| der::tlv(0x30, &[&der::oid(from), &der::oid(to)]);
            extensions.push(("2.5.29.33", sequence(self.mappings.iter().map(pair).collect())));
        }
        let skip = |tag: u8, limit: Option<u8>| limit.map_or_else(Vec::new, |limit| vec![tag, 1, limit]);
        let constraints = [skip(0x80, self.require_explicit), skip(0x81, self.inhibit_mapping)];
        if constraints.iter().any(|limit| !limit.is_empty()) {
            extensions.push(("2.5.29.36", sequence(constraints.into())));
        }
        if let Some(limit) = self.inhibit_any {
            extensions.push(("2.5.29.54", vec![2, 1, limit]));
        }
        extensions
    }
}

/// The inputs of section 6.1.1.
pub fn random_inputs(random: &mut Random) -> PolicyInputs {
    let set = (0..1 + random.below(3)).map(|_| random.some().parse().expect("an identifier")).collect();
    PolicyInputs {
        initial_policy_set: random.one_in(2).then_some(set),
        initial_explicit_policy: random.one_in(3),
        initial_policy_mapping_inhibit: random.one_in(8),
        initial_any_policy_inhibit: random.one_in(8),
    }
}

/// The path's certificates, leaf first.
pub fn issue(root: &Ca, steps: &[Step]) -> Vec<CertificateDer<'static>> {
    let (leaf, cas) = steps.split_last().expect("a leaf");
    let mut names = Vec::new();
    let mut made: Vec<Ca> = Vec::new();
    for (place, step) in cas.iter().enumerate() {
        let name = if step.self_issued { String::clone(&names[place - 1]) } else { format!("CA {place}") };
        let mut spec = CaSpec::new(&name, P256);
        for (oid, value) in step.extensions() {
            spec = spec.extension(oid, false, &value);
        }
        made.push(made.last().unwrap_or(root).intermediate_with(spec));
        names.push(name);
    }
    let mut spec = LeafSpec::server(HOST);
    for (oid, value) in leaf.extensions() {
        spec = spec.extension(oid, false, &value);
    }
    made.last().unwrap_or(root).issue(spec).chain
}

#[derive(Clone, Debug)]
struct Node {
    depth: usize,
    policy: &'static str,
    expected: BTreeSet<&'static str>,
    parent: usize,
    alive: bool,
}

struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    fn add(&mut self, policy: &'static str, parent: usize) {
        let depth = self.nodes[parent].depth + 1;
        let expected = BTreeSet::from([policy]);
        self.nodes.push(Node { depth, policy, expected, parent, alive: true });
    }

    fn at(&self, depth: usize) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&n| self.nodes[n].alive && self.nodes[n].depth == depth).collect()
    }

    fn children(&self, parent: usize) -> Vec<usize> {
        (1..self.nodes.len()).filter(|&n| self.nodes[n].alive && self.nodes[n].parent == parent).collect()
    }

    /// Deletes nodes of less than this depth without children, repeatedly.
    fn prune(&mut self, depth: usize) {
        for above in (0..depth).rev() {
            for node in self.at(above) {
                if self.children(node).is_empty() {
                    self.nodes[node].alive = false;
                }
            }
        }
    }

    fn is_null(&self) -> bool {
        !self.nodes[0].alive
    }

    /// 6.1.3 (d).
    fn enter(&mut self, depth: usize, policies: &BTreeSet<&'static str>, any_counts: bool) {
        let above = self.at(depth - 1);
        for policy in policies.iter().filter(|policy| **policy != ANY) {
            let matching: Vec<_> =
                above.iter().copied().filter(|&n| self.nodes[n].expected.contains(policy)).collect();
            if matching.is_empty() {
                if let Some(&any) = above.iter().find(|&&n| self.nodes[n].policy == ANY) {
                    self.add(policy, any);
                }
            }
            matching.into_iter().for_each(|parent| self.add(policy, parent));
        }
        if policies.contains(ANY) && any_counts {
            for parent in above {
                let children: Vec<_> = self.children(parent).iter().map(|&n| self.nodes[n].policy).collect();
                for policy in self.nodes[parent].expected.clone() {
                    if !children.contains(&policy) {
                        self.add(policy, parent);
                    }
                }
            }
        }
        self.prune(depth);
    }

    /// 6.1.4 (b).
    fn map(&mut self, depth: usize, mappings: &[(&'static str, &'static str)], inhibited: bool) {
        let from: BTreeSet<_> = mappings.iter().map(|(from, _)| *from).collect();
        for policy in from {
            let here: Vec<_> =
                self.at(depth).into_iter().filter(|&n| self.nodes[n].policy == policy).collect();
            if inhibited {
                here.iter().for_each(|&n| self.nodes[n].alive = false);
                self.prune(depth);
                continue;
            }
            let to: BTreeSet<_> =
                mappings.iter().filter(|pair| pair.0 == policy).map(|pair| pair.1).collect();
            let mut here = here;
            if here.is_empty() {
                if let Some(any) = self.at(depth).into_iter().find(|&n| self.nodes[n].policy == ANY) {
                    self.add(policy, self.nodes[any].parent);
                    here.push(self.nodes.len() - 1);
                }
            }
            here.into_iter().for_each(|n| self.nodes[n].expected.clone_from(&to));
        }
    }
}

/// The user-constrained policy set, or `None` for a path that is refused.
pub fn process(steps: &[Step], inputs: &PolicyInputs) -> Option<Vec<String>> {
    let n = steps.len();
    let root = Node { depth: 0, policy: ANY, expected: BTreeSet::from([ANY]), parent: 0, alive: true };
    let mut tree = Tree { nodes: vec![root] };
    let from = |at_once| if at_once { 0 } else { n + 1 };
    let mut explicit = from(inputs.initial_explicit_policy);
    let mut mapping = from(inputs.initial_policy_mapping_inhibit);
    let mut any = from(inputs.initial_any_policy_inhibit);
    for (step, i) in steps.iter().zip(1..) {
        match &step.policies {
            Some(policies) if !tree.is_null() => {
                tree.enter(i, policies, any > 0 || (i < n && step.self_issued));
            }
            _ => tree.nodes[0].alive = false,
        }
        if explicit == 0 && tree.is_null() {
            return None;
        }
        if i == n {
            break;
        }
        if step.mappings.iter().any(|(from, to)| *from == ANY || *to == ANY) {
            return None;
        }
        tree.map(i, &step.mappings, mapping == 0);
        if !step.self_issued {
            (explicit, mapping, any) =
                (explicit.saturating_sub(1), mapping.saturating_sub(1), any.saturating_sub(1));
        }
        let lower = |counter: &mut usize, limit: Option<u8>| {
            *counter = limit.map_or(*counter, |l| (*counter).min(l.into()))
        };
        lower(&mut explicit, step.require_explicit);
        lower(&mut mapping, step.inhibit_mapping);
        lower(&mut any, step.inhibit_any);
    }
    explicit = explicit.saturating_sub(1);
    if steps[n - 1].require_explicit == Some(0) {
        explicit = 0;
    }
    let set = wrap_up(&tree, n, inputs);
    (explicit > 0 || !set.is_empty()).then_some(set)
}

/// 6.1.5 (g): the policies of the anchor's domain that are left, of those that are wanted.
fn wrap_up(tree: &Tree, n: usize, inputs: &PolicyInputs) -> Vec<String> {
    if tree.is_null() {
        return Vec::new();
    }
    let alive = (1..tree.nodes.len()).map(|node| &tree.nodes[node]).filter(|node| node.alive);
    let below_any = alive.filter(|node| node.policy != ANY && tree.nodes[node.parent].policy == ANY);
    let mut found: BTreeSet<String> = below_any.map(|node| node.policy.to_owned()).collect();
    let any = tree.at(n).into_iter().any(|node| tree.nodes[node].policy == ANY);
    match &inputs.initial_policy_set {
        None if any => {
            found.insert(ANY.to_owned());
        }
        None => {}
        Some(wanted) => {
            let wanted: BTreeSet<_> = wanted.iter().map(ToString::to_string).collect();
            found = if any { wanted } else { found.intersection(&wanted).cloned().collect() };
        }
    }
    // The order of encodings: 1.3.6.1.4.1.x (2b...) stands before 2.5.29.32.0 (55...).
    found.into_iter().collect()
}
