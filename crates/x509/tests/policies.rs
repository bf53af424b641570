//! Certificate policies along a path: what is reported, and what is refused (RFC 5280 section 6.1 and RFC 9618).
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod common;
mod policy_tree;

use common::*;
use oxtls_test_pki::{Ca, CaSpec, LeafSpec, der};
use oxtls_x509::{ObjectIdentifier, PeerIdentity, Policy, PolicyInputs, Roots, Rule};
use pki_types::{CertificateDer, TrustAnchor};

const POLICIES: &str = "2.5.29.32";
const MAPPINGS: &str = "2.5.29.33";
const CONSTRAINTS: &str = "2.5.29.36";
const INHIBIT_ANY: &str = "2.5.29.54";
const ANY: &str = "2.5.29.32.0";
const A: &str = "1.3.6.1.4.1.5555.1";
const B: &str = "1.3.6.1.4.1.5555.2";
const C: &str = "1.3.6.1.4.1.5555.3";

fn policies(list: &[&str]) -> Vec<u8> {
    let information: Vec<_> = list.iter().map(|policy| der::tlv(0x30, &[&der::oid(policy)])).collect();
    der::tlv(0x30, &[&information.concat()])
}

fn mappings(list: &[(&str, &str)]) -> Vec<u8> {
    let pairs: Vec<_> =
        list.iter().map(|(from, to)| der::tlv(0x30, &[&der::oid(from), &der::oid(to)])).collect();
    der::tlv(0x30, &[&pairs.concat()])
}

/// Context tag 0: requireExplicitPolicy, 1: inhibitPolicyMapping.
fn constraint(number: u8, skip: u8) -> Vec<u8> {
    der::tlv(0x30, &[&der::tlv(0x80 | number, &[&[skip]])])
}

fn ca(name: &str, list: &[&str]) -> CaSpec {
    CaSpec::new(name, P256).extension(POLICIES, false, &policies(list))
}

fn under(list: &[&str]) -> LeafSpec {
    leaf().extension(POLICIES, false, &policies(list))
}

fn wanting(list: &[&str]) -> Policy {
    Policy::default().with_required_policies(list.iter().map(|text| id(text)))
}

fn id(text: &str) -> ObjectIdentifier {
    text.parse().expect("an identifier")
}

#[track_caller]
fn valid_for(outcome: Outcome, expected: &[&str]) {
    let path = accepted(outcome);
    let found: Vec<_> = path.identity().policies().map(|policy| policy.to_string()).collect();
    assert_eq!(found, expected);
}

/// A resumed peer is who it was: its policies are kept beside its certificate.
#[test]
fn an_identity_that_was_verified_before_has_the_policies_of_its_path() {
    let root = root();
    for (list, wanted) in
        [(&[A, B, C][..], Policy::default()), (&[A, B], wanting(&[B])), (&[], Policy::default())]
    {
        let issued = root.issue(if list.is_empty() { leaf() } else { under(list) });
        let path = accepted(server_with(trusting(&root), &issued.chain, wanted));
        let kept = path.identity().policies_der();
        let again = PeerIdentity::from_verified_before(issued.certificate(), &kept).expect("its own");
        assert_eq!(&again, path.identity());
        assert_eq!(again.has_policy(&id(B)), list.contains(&B));
        assert!(PeerIdentity::from_verified_before(issued.certificate(), &kept[1..]).is_err());
        let without = PeerIdentity::from_certificate(issued.certificate()).expect("a certificate");
        assert_eq!(without == again, list.is_empty());
    }
}

#[test]
fn a_policy_holds_where_every_certificate_asserts_it() {
    let root = root();
    let middle = root.intermediate_with(ca("Middle", &[A, B]));
    let trust = || trusting(&root);
    valid_for(server(trust(), &middle.issue(under(&[B, C, A])).chain), &[A, B]);
    valid_for(server(trust(), &middle.issue(under(&[C])).chain), &[]);
    valid_for(server(trust(), &middle.issue(leaf()).chain), &[]);
    valid_for(server(trust(), &root.issue(under(&[C])).chain), &[C]);
    let chain = middle.issue(under(&[A, C])).chain;
    valid_for(server_with(trust(), &chain, wanting(&[A, C])), &[A]);
    valid_for(server_with(trust(), &chain, wanting(&[ANY])), &[A]);
    refused(server_with(trust(), &chain, wanting(&[C])), Rule::ExplicitPolicy, LEAF);
    refused(server_with(trust(), &chain, wanting(&[])), Rule::ExplicitPolicy, LEAF);
}

#[test]
fn a_set_that_is_not_required_selects_and_refuses_nothing() {
    let root = root();
    let chain = root.issue(under(&[A, B])).chain;
    let wanted = |set: Option<&[&str]>| {
        let initial_policy_set = set.map(|set| set.iter().map(|text| id(text)).collect());
        Policy::default().with_policy_inputs(PolicyInputs { initial_policy_set, ..PolicyInputs::default() })
    };
    valid_for(server_with(trusting(&root), &chain, wanted(Some(&[B, C]))), &[B]);
    valid_for(server_with(trusting(&root), &chain, wanted(Some(&[C]))), &[]);
    valid_for(server_with(trusting(&root), &chain, wanted(None)), &[A, B]);
}

#[test]
fn any_policy_stands_for_all_until_it_is_inhibited() {
    let root = root();
    let middle = root.intermediate_with(ca("Middle", &[ANY]));
    let trust = || trusting(&root);
    valid_for(server(trust(), &middle.issue(under(&[A])).chain), &[A]);
    let any = middle.issue(under(&[ANY]));
    valid_for(server(trust(), &any.chain), &[ANY]);
    assert!(accepted(server(trust(), &any.chain)).identity().has_policy(&id(C)));
    valid_for(server_with(trust(), &any.chain, wanting(&[C, B])), &[B, C]);
    let inhibited = |skip: u8| {
        let spec = ca("Middle", &[A, ANY]).extension(INHIBIT_ANY, true, &[2, 1, skip]);
        root.intermediate_with(spec).issue(under(&[ANY])).chain
    };
    valid_for(server(trust(), &inhibited(0)), &[]);
    refused(server_with(trust(), &inhibited(0), wanting(&[A])), Rule::ExplicitPolicy, LEAF);
    valid_for(server(trust(), &inhibited(1)), &[A, ANY]);
    let inputs = PolicyInputs { initial_any_policy_inhibit: true, ..PolicyInputs::default() };
    let policy = Policy::default().with_policy_inputs(inputs);
    valid_for(server_with(trust(), &any.chain, policy), &[]);
}

#[test]
fn mapped_policies_are_reported_in_the_terms_of_the_anchor() {
    let root = root();
    let trust = || trusting(&root);
    let mapped = |list: &[(&str, &str)]| {
        root.intermediate_with(ca("Middle", &[A, B]).extension(MAPPINGS, true, &mappings(list)))
    };
    let one = mapped(&[(A, C)]);
    valid_for(server(trust(), &one.issue(under(&[C])).chain), &[A]);
    valid_for(server(trust(), &one.issue(under(&[A])).chain), &[]);
    valid_for(server(trust(), &one.issue(under(&[B, C])).chain), &[A, B]);
    refused(server_with(trust(), &one.issue(under(&[C])).chain, wanting(&[C])), Rule::ExplicitPolicy, LEAF);
    // Both to one, one to both, one for the other.
    valid_for(server(trust(), &mapped(&[(A, C), (B, C)]).issue(under(&[C])).chain), &[A, B]);
    valid_for(server(trust(), &mapped(&[(A, B), (A, C)]).issue(under(&[C])).chain), &[A]);
    valid_for(server(trust(), &mapped(&[(A, B), (B, A)]).issue(under(&[A])).chain), &[B]);
    // What the CA does not have cannot be mapped.
    valid_for(server(trust(), &mapped(&[(C, A)]).issue(under(&[A])).chain), &[A]);
    let inputs = PolicyInputs { initial_policy_mapping_inhibit: true, ..PolicyInputs::default() };
    let policy = || Policy::default().with_policy_inputs(inputs.clone());
    valid_for(server_with(trust(), &one.issue(under(&[A, C])).chain, policy()), &[]);
    valid_for(server_with(trust(), &one.issue(under(&[A, B, C])).chain, policy()), &[B]);
}

#[test]
fn a_mapping_below_any_policy_makes_the_policy() {
    let root = root();
    let spec = ca("Middle", &[ANY]).extension(MAPPINGS, true, &mappings(&[(A, C)]));
    let middle = root.intermediate_with(spec);
    valid_for(server(trusting(&root), &middle.issue(under(&[C, B])).chain), &[A, B]);
    // anyPolicy covers C, which A was mapped to, as well as itself.
    valid_for(server(trusting(&root), &middle.issue(under(&[ANY])).chain), &[A, ANY]);
    valid_for(server_with(trusting(&root), &middle.issue(under(&[ANY])).chain, wanting(&[B])), &[B]);
}

#[test]
fn any_policy_is_no_side_of_a_mapping() {
    let root = root();
    for pair in [(A, ANY), (ANY, A)] {
        let middle = root.intermediate_with(ca("Middle", &[A]).extension(MAPPINGS, true, &mappings(&[pair])));
        let outcome = server(trusting(&root), &middle.issue(under(&[A])).chain);
        refused(outcome, Rule::PolicyMapping, FIRST);
    }
}

#[test]
fn policy_constraints_count_certificates_that_are_not_self_issued() {
    let root = root();
    let trust = || trusting(&root);
    let requiring = |skip| CaSpec::new("Middle", P256).extension(CONSTRAINTS, true, &constraint(0, skip));
    let now = root.intermediate_with(requiring(0));
    refused(server(trust(), &now.issue(leaf()).chain), Rule::ExplicitPolicy, LEAF);
    accepted(server(trust(), &root.intermediate_with(requiring(2)).issue(leaf()).chain));
    // The wrap-up counts the peer's certificate too.
    let outcome = server(trust(), &root.intermediate_with(requiring(1)).issue(leaf()).chain);
    refused(outcome, Rule::ExplicitPolicy, LEAF);
    let two = root.intermediate_with(requiring(2));
    let below = two.intermediate("Below", P256);
    refused(server(trust(), &below.issue(leaf()).chain), Rule::ExplicitPolicy, LEAF);
    let renewed = two.intermediate_with(CaSpec::new("Middle", P256));
    accepted(server(trust(), &renewed.issue(leaf()).chain));
    let mapping = ca("Middle", &[A]).extension(CONSTRAINTS, true, &constraint(1, 0));
    let below = ca("Below", &[A]).extension(MAPPINGS, true, &mappings(&[(A, B)]));
    let chain = root.intermediate_with(mapping).intermediate_with(below).issue(under(&[B])).chain;
    valid_for(server(trust(), &chain), &[]);
}

#[test]
fn another_path_is_taken_when_a_policy_closes_one() {
    let (first, second) = (Ca::new("First", P256), Ca::new("Second", P256));
    let roots = || trusting_all([first.certificate(), second.certificate()]);
    let shared = first.intermediate_with(ca("Shared", &[A]));
    // The one that the second root cross-signed asserts no policy.
    let chain = shared.issue(under(&[A])).chain;
    let crossed = [chain[0].clone(), second.cross_sign(&shared), chain[1].clone()];
    valid_for(server_with(roots(), &crossed, wanting(&[A])), &[A]);
}

#[test]
fn an_anchors_own_policies_and_constraints_hold() {
    let limited = |spec: CaSpec| {
        let root = Ca::with(spec);
        let chain = root.issue(under(&[A, B])).chain;
        (trusting(&root), chain)
    };
    let (roots, chain) = limited(ca("Root", &[A]));
    valid_for(server(roots.clone(), &chain), &[A]);
    refused(server_with(roots, &chain, wanting(&[B])), Rule::ExplicitPolicy, LEAF);
    let (roots, chain) = limited(ca("Root", &[ANY]));
    valid_for(server(roots, &chain), &[A, B]);
    let strict = CaSpec::new("Root", P256).extension(CONSTRAINTS, true, &constraint(0, 0));
    let root = Ca::with(strict);
    refused(server(trusting(&root), &root.issue(leaf()).chain), Rule::ExplicitPolicy, LEAF);
    valid_for(server(trusting(&root), &root.issue(under(&[A])).chain), &[A]);
    // As a name and a key it has no limits.
    let certificate = oxtls_x509::Certificate::parse(root.certificate()).expect("it parses");
    let mut roots = Roots::empty();
    let anchor = TrustAnchor {
        subject: certificate.subject().contents().into(),
        subject_public_key_info: der::contents(certificate.spki()).into(),
        name_constraints: None,
    };
    roots.add_trust_anchor(&anchor).expect("an anchor");
    accepted(server(roots, &root.issue(leaf()).chain));
}

#[test]
fn a_set_of_many_policies_is_as_good_as_one_of_few() {
    let root = root();
    let many: Vec<_> = (0..100).map(|arc| format!("1.3.6.1.4.1.5555.{arc}")).collect();
    let mut many: Vec<_> = many.iter().map(String::as_str).collect();
    let middle = root.intermediate_with(ca("Middle", &many));
    many.sort_by_key(|text| (text.len(), *text));
    valid_for(server(trusting(&root), &middle.issue(under(&many)).chain), &many);
    valid_for(server(trusting(&root), &middle.issue(under(&[ANY])).chain), &many);
    valid_for(server(trusting(&root), &middle.issue(under(&[B, A])).chain), &[A, B]);
    valid_for(server_with(trusting(&root), &middle.issue(under(&many)).chain, wanting(&[A])), &[A]);
}

#[test]
fn critical_qualifiers_must_be_understood() {
    let root = root();
    let qualified = |kind: &str| {
        let qualifier = der::tlv(0x30, &[&der::oid(kind), &der::tlv(0x16, &[b"https://ox.test/cps"])]);
        let information = der::tlv(0x30, &[&der::oid(A), &der::tlv(0x30, &[&qualifier])]);
        der::tlv(0x30, &[&information])
    };
    let judged = |critical, kind| {
        let issued = root.issue(leaf().extension(POLICIES, critical, &qualified(kind)));
        server(trusting(&root), &issued.chain)
    };
    valid_for(judged(true, "1.3.6.1.5.5.7.2.1"), &[A]);
    valid_for(judged(false, "1.3.6.1.4.1.5555.9"), &[A]);
    refused(judged(true, "1.3.6.1.4.1.5555.9"), Rule::CriticalExtension, LEAF);
}

#[test]
fn malformed_policy_extensions_are_refused() {
    let root = root();
    let empty = der::tlv(0x30, &[]);
    let too_many: Vec<_> = (0..200).map(|arc| format!("1.3.6.1.4.1.5555.{arc}")).collect();
    let too_many: Vec<_> = too_many.iter().map(String::as_str).collect();
    let pairs: Vec<_> = too_many.iter().map(|text| (*text, A)).collect();
    for (oid, value) in [
        (POLICIES, empty.clone()),
        (POLICIES, policies(&[A, B, A])),
        (POLICIES, policies(&[A, B, C, "2.5.29.37", "2.5.29.38", A])),
        (POLICIES, policies(&too_many)),
        (POLICIES, der::tlv(0x30, &[&der::tlv(0x30, &[&der::oid(A), &empty])])),
        (POLICIES, der::tlv(0x30, &[&der::tlv(0x30, &[&der::oid(A), &[5, 0]])])),
        (MAPPINGS, empty.clone()),
        (MAPPINGS, mappings(&pairs)),
        (MAPPINGS, der::tlv(0x30, &[&der::tlv(0x30, &[&der::oid(A)])])),
        (CONSTRAINTS, empty),
        (CONSTRAINTS, der::tlv(0x30, &[&[0x80, 1, 0xff]])),
        (CONSTRAINTS, der::tlv(0x30, &[&[0x81, 1, 0, 0x80, 1, 0]])),
        (INHIBIT_ANY, vec![2, 1, 0x80]),
        (INHIBIT_ANY, vec![2, 0]),
        (INHIBIT_ANY, vec![1, 1, 0xff]),
    ] {
        let issued = root.issue(leaf().extension(oid, false, &value));
        refused(server(trusting(&root), &issued.chain), Rule::ExtensionEncoding, LEAF);
    }
}

/// A renewed root of the same name, whose new key the old one certifies: its certificate counts for nothing.
#[test]
fn any_policy_in_a_self_issued_intermediate_counts_although_inhibited() {
    let root = Ca::with(CaSpec::new("Root", P256));
    let inhibiting = ca("Middle", &[A]).extension(INHIBIT_ANY, true, &[2, 1, 0]);
    let middle = root.intermediate_with(inhibiting);
    let renewed = middle.intermediate_with(ca("Middle", &[ANY]));
    let chain: Vec<CertificateDer<'static>> = renewed.issue(under(&[A])).chain;
    valid_for(server_with(trusting(&root), &chain, wanting(&[A])), &[A]);
    let other = middle.intermediate_with(ca("Other", &[ANY]));
    let chain = other.issue(under(&[A])).chain;
    refused(server_with(trusting(&root), &chain, wanting(&[A])), Rule::ExplicitPolicy, FIRST);
}

/// Random chains against the tree of RFC 5280, done word by word: verdicts and policy sets are the same.
#[test]
fn the_graph_says_what_the_tree_says() {
    let root = root();
    let mut random = policy_tree::Random(7);
    let (mut good, mut bad) = (0, 0);
    for round in 0..400 {
        let steps = policy_tree::Step::random_path(&mut random);
        let inputs = policy_tree::random_inputs(&mut random);
        let expected = policy_tree::process(&steps, &inputs);
        let chain = policy_tree::issue(&root, &steps);
        let outcome =
            server_with(trusting(&root), &chain, Policy::default().with_policy_inputs(inputs.clone()));
        let found = outcome.map(|path| path.policies().map(|policy| policy.to_string()).collect::<Vec<_>>());
        match &found {
            Ok(_) => good += 1,
            Err(report) => {
                assert!(
                    matches!(report.rule, Rule::ExplicitPolicy | Rule::PolicyMapping),
                    "{}",
                    report.explain()
                );
                bad += 1;
            }
        }
        assert_eq!(found.ok(), expected, "round {round}: {steps:#?}, {inputs:?}");
    }
    assert!(good > 50 && bad > 50, "{good} {bad}");
}
