//! What a chain may cost: nothing that a peer sends buys more than a bounded amount of work.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

mod common;

use std::time::{Duration, Instant};

use common::*;
use oxtls_test_pki::{Ca, CaSpec, LeafSpec, der};
use oxtls_x509::{Cause, Policy, Purpose, Roots, Rule, Verifier};
use pki_types::{CertificateDer, UnixTime};

/// The best of some runs: the limit is on the work, not on what else the machine does.
#[track_caller]
fn bounded(limit: Duration, mut run: impl FnMut() -> Outcome) -> Outcome {
    let mut best = Duration::MAX;
    let mut outcome = None;
    for _ in 0..20 {
        let start = Instant::now();
        outcome = Some(run());
        best = best.min(start.elapsed());
        if best < limit {
            break;
        }
    }
    assert!(best < limit, "took {best:?}, more than {limit:?}");
    outcome.expect("it ran")
}

/// What any chain may cost; builds without optimisation are some forty times slower, and share the machine.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 5 });

fn verify(roots: &Roots, chain: &[CertificateDer<'_>]) -> Outcome {
    Verifier::new(roots.clone(), Purpose::ClientAuth).verify_client(chain, UnixTime::now())
}

/// A hundred certificates of one name and many keys, each signed by the next, and the root's name above them all.
fn same_name(count: usize) -> (Ca, Vec<CertificateDer<'static>>) {
    let root = root();
    let cas: Vec<_> = (0..count).map(|_| Ca::with(CaSpec::new("Root", P256).without_key_ids())).collect();
    let mut chain = vec![cas[0].issue(LeafSpec::client("x").without_key_ids()).chain[0].clone()];
    for (index, ca) in cas.iter().enumerate() {
        chain.push(cas[(index + 1) % count].cross_sign(ca));
    }
    (root, chain)
}

#[test]
fn signatures_by_a_hundred_namesakes_end_with_the_budget() {
    let (root, chain) = same_name(100);
    let roots = trusting(&root);
    let report = bounded(LIMIT, || verify(&roots, &chain)).expect_err("no path");
    assert_eq!(report.rule, Rule::WorkBudget, "{}", report.explain());
    assert!(matches!(report.cause, Cause::BudgetExceeded { .. }));
    assert_eq!(report.alert(), 46);
    assert!(report.candidates.len() <= oxtls_x509::defaults::CANDIDATES);
}

#[test]
fn namesakes_that_lead_to_no_root_cost_no_signature() {
    let (_, chain) = same_name(100);
    let roots = trusting(&Ca::new("Another root", P256));
    let report = bounded(LIMIT, || verify(&roots, &chain)).expect_err("no path");
    assert_eq!(report.rule, Rule::IssuerKnown);
}

#[test]
fn a_hundred_intermediates_in_a_row_are_too_deep() {
    let root = root();
    let mut ca = root.intermediate("0", P256);
    for number in 1..100 {
        ca = ca.intermediate(&number.to_string(), P256);
    }
    let issued = ca.issue(LeafSpec::client("x"));
    let roots = trusting(&root);
    let report = bounded(LIMIT, || verify(&roots, &issued.chain)).expect_err("too deep");
    assert_eq!(report.rule, Rule::PathDepth);
    let stranger = trusting(&Ca::new("Stranger", P256));
    let report = bounded(LIMIT, || verify(&stranger, &issued.chain)).expect_err("unknown");
    assert_eq!(report.rule, Rule::IssuerKnown);
}

#[test]
fn a_mesh_where_everyone_signs_everyone_ends() {
    let root = root();
    let cas: Vec<_> = (0..9).map(|number| Ca::new(&format!("CA {number}"), P256)).collect();
    let mut chain = vec![cas[0].issue(LeafSpec::client("x")).chain[0].clone()];
    for (a, ca) in cas.iter().enumerate() {
        for (b, other) in cas.iter().enumerate() {
            if a != b {
                chain.push(ca.cross_sign(other));
            }
        }
    }
    // A way out that is closed: the root is known by name, but has another key.
    chain.push(root.cross_sign(&cas[8]));
    let impostor = trusting(&Ca::new("Root", P256));
    let report = bounded(LIMIT, || verify(&impostor, &chain)).expect_err("no path");
    assert!(matches!(report.rule, Rule::Signature | Rule::WorkBudget), "{}", report.explain());
    let path = bounded(LIMIT, || verify(&trusting(&root), &chain));
    accepted(path);
}

#[test]
fn thousands_of_names_under_thousands_of_constraints_end_with_the_budget() {
    let root = root();
    let mut spec = CaSpec::new("Constrained", P256);
    let mut leaf = LeafSpec::client("x");
    for number in 0..1_500 {
        spec = spec.exclude(0x82, format!("x{number}.test").as_bytes());
        leaf = leaf.dns(&format!("y{number}.test"));
    }
    let issued = root.intermediate_with(spec).issue(leaf);
    let roots = trusting(&root);
    let report = bounded(LIMIT, || verify(&roots, &issued.chain)).expect_err("too much");
    assert_eq!(report.rule, Rule::WorkBudget);
    assert!(report.to_string().contains("comparisons with name constraints"), "{report}");
}

#[test]
fn more_certificates_than_any_server_sends_are_not_even_parsed() {
    let root = root();
    let issued = root.issue(LeafSpec::client("x"));
    let chain = vec![issued.chain[0].clone(); 129];
    let report = bounded(LIMIT, || verify(&trusting(&root), &chain)).expect_err("too many");
    assert_eq!(report.rule, Rule::WorkBudget);
    accepted(verify(&trusting(&root), &chain[..128]));
}

#[test]
fn a_budget_is_part_of_the_policy() {
    let root = root();
    let issued = root.intermediate("Middle", P256).issue(leaf());
    let budget = |signatures| {
        Policy::default().with_budget(oxtls_x509::Budget { signatures, ..oxtls_x509::Budget::default() })
    };
    accepted(server_with(trusting(&root), &issued.chain, budget(2)));
    let report = server_with(trusting(&root), &issued.chain, budget(1)).expect_err("two signatures");
    assert_eq!(report.cause, Cause::BudgetExceeded { what: "signatures to verify" });
}

/// Names that are equal only after normalisation are compared once each, not at every step of the search.
#[test]
fn long_names_in_many_spellings_cost_their_length_and_no_more() {
    let spelling = |number: usize| {
        let word: String = (0..11).map(|bit| if number >> bit & 1 == 1 { 'X' } else { 'x' }).collect();
        format!("CN={}{word}", "a".repeat(700))
    };
    let cas: Vec<_> =
        (0..100).map(|number| Ca::with(CaSpec::with_subject(&spelling(number), P256))).collect();
    let mut chain = vec![cas[0].issue(LeafSpec::client("x")).chain[0].clone()];
    for (index, ca) in cas.iter().enumerate() {
        chain.push(cas[(index + 1) % cas.len()].cross_sign(ca));
    }
    let roots = trusting(&Ca::with(CaSpec::with_subject(&spelling(1_000), P256)));
    let report = bounded(LIMIT, || verify(&roots, &chain)).expect_err("no path");
    assert_eq!(report.rule, Rule::WorkBudget);
    accepted(verify(&trusting(&cas[0]), &chain));
}

fn common_name(value: &str) -> Vec<u8> {
    let attribute = der::tlv(0x30, &[&der::oid("2.5.4.3"), &der::tlv(0x0c, &[value.as_bytes()])]);
    der::tlv(0x31, &[&attribute])
}

const DIRECTORY: u8 = 0xa4;
const PADDED: usize = 60_000;

/// Constraints are applied before signatures are verified: anyone who knows a root's name can write this chain.
fn forged(subtrees: usize, subtree: &[u8], leaf: LeafSpec) -> (Roots, Vec<CertificateDer<'static>>) {
    let mut spec = CaSpec::new("Constrained", P256).without_key_ids();
    for _ in 0..subtrees {
        spec = spec.exclude(DIRECTORY, subtree);
    }
    let issued = root().intermediate_with(spec).issue(leaf.without_key_ids());
    (trusting(&Ca::new("Root", P256)), issued.chain)
}

#[test]
fn a_padded_name_under_thousands_of_subtrees_is_charged_by_its_length() {
    let subtree = der::tlv(0x30, &[&common_name("a")]);
    let padded = der::tlv(0x30, &[&common_name(&format!("{}x", " ".repeat(PADDED)))]);
    let (roots, chain) = forged(2_500, &subtree, LeafSpec::client("x").name(DIRECTORY, &padded));
    let report = bounded(LIMIT, || verify(&roots, &chain)).expect_err("too much");
    assert_eq!(report.rule, Rule::WorkBudget);
    // Short names pass the same constraints; only the signature is wrong.
    let short = der::tlv(0x30, &[&common_name("x")]);
    let (roots, chain) = forged(2_500, &subtree, LeafSpec::client("x").name(DIRECTORY, &short));
    assert_eq!(bounded(LIMIT, || verify(&roots, &chain)).expect_err("forged").rule, Rule::Signature);
}

/// The most that a comparison may cost without being charged as two: all parts but the last are equal.
#[test]
fn the_dearest_names_per_octet_end_with_the_budget() {
    for part in [common_name(""), common_name("\u{130}  \u{130}  \u{130}")] {
        let count = 50 / part.len();
        let subtree = der::tlv(0x30, &[&part.repeat(count / 2), &common_name("a")]);
        let name = der::tlv(0x30, &[&part.repeat(count - count / 2)]);
        let leaf = (0..1_000).fold(LeafSpec::client("x"), |leaf, _| leaf.name(DIRECTORY, &name));
        let (roots, chain) = forged(1_000, &subtree, leaf);
        let report = bounded(LIMIT, || verify(&roots, &chain)).expect_err("too much");
        assert_eq!(report.rule, Rule::WorkBudget);
    }
}

/// Whatever its length, the issuer's name of a certificate is compared with the root's once, not at every visit.
#[test]
fn a_padded_issuer_is_compared_once_however_often_it_is_reached() {
    let root = Ca::new("Some Root", P256);
    let spaced = format!("CN=Some{}Root", " ".repeat(PADDED));
    let padded = Ca::with(CaSpec::with_subject(&spaced, P256).without_key_ids());
    let crowd: Vec<_> = (0..40).map(|_| Ca::with(CaSpec::new("M", P256).without_key_ids())).collect();
    let mut chain = vec![crowd[0].issue(LeafSpec::client("x").without_key_ids()).chain[0].clone()];
    chain.push(padded.cross_sign(&Ca::with(CaSpec::new("M", P256).without_key_ids())));
    chain.extend(crowd.iter().enumerate().map(|(index, ca)| crowd[(index + 1) % crowd.len()].cross_sign(ca)));
    let report = bounded(LIMIT, || verify(&trusting(&root), &chain)).expect_err("no path");
    assert!(matches!(report.rule, Rule::Signature | Rule::WorkBudget), "{}", report.explain());
}

#[test]
fn one_padded_name_among_many_short_ones_is_walked_once() {
    let root = Ca::new("Another Root", P256);
    let spaced = format!("CN=Some{}Root", " ".repeat(PADDED));
    let padded = Ca::with(CaSpec::with_subject(&spaced, P256).without_key_ids());
    let mut chain = vec![padded.issue(LeafSpec::client("x").without_key_ids()).chain[0].clone()];
    let short = Ca::with(CaSpec::with_subject("CN=Some Root", P256).without_key_ids());
    chain.resize(128, short.certificate().clone());
    let report = bounded(LIMIT, || verify(&trusting(&root), &chain)).expect_err("no path");
    assert_eq!(report.rule, Rule::IssuerKnown);
}

const POLICIES: &str = "2.5.29.32";
const MAPPINGS: &str = "2.5.29.33";

fn policy(number: usize) -> Vec<u8> {
    der::oid(&format!("1.3.6.1.4.1.5555.{number}"))
}

fn with_policies(spec: CaSpec, count: usize) -> CaSpec {
    let information: Vec<_> = (0..count).map(|number| der::tlv(0x30, &[&policy(number)])).collect();
    spec.extension(POLICIES, false, &der::tlv(0x30, &[&information.concat()]))
}

fn with_mappings(spec: CaSpec, pairs: impl Iterator<Item = (usize, usize)>) -> CaSpec {
    let pairs: Vec<_> = pairs.map(|(from, to)| der::tlv(0x30, &[&policy(from), &policy(to)])).collect();
    spec.extension(MAPPINGS, false, &der::tlv(0x30, &[&pairs.concat()]))
}

/// Every policy mapped to every policy at each of twelve CAs: RFC 5280's tree would have 11^12 leaves, the graph has
/// eleven vertices a level.
#[test]
fn policies_mapped_all_to_all_do_not_multiply() {
    let root = root();
    let everyone = || (0..121).map(|number| (number / 11, number % 11));
    let ca = |number: usize| {
        with_mappings(with_policies(CaSpec::new(&format!("CA {number}"), P256), 11), everyone())
    };
    let mut issuer = root.intermediate_with(ca(0));
    for number in 1..12 {
        issuer = issuer.intermediate_with(ca(number));
    }
    let information = der::tlv(0x30, &[&der::tlv(0x30, &[&policy(0)])]);
    let issued = issuer.issue(LeafSpec::client("x").extension(POLICIES, false, &information));
    let roots = trusting(&root);
    let path = accepted(bounded(LIMIT, || verify(&roots, &issued.chain)));
    assert_eq!(path.policies().count(), 11);
}

/// As many policies and mappings as a certificate may have, in a hundred certificates that count for no depth and could
/// each have issued each: none of their signatures need be good for the policies to be looked at.
#[test]
fn policies_of_a_hundred_namesakes_end_with_the_budget() {
    let root = root();
    let ca = || {
        let spec = with_policies(CaSpec::new("Root", P256).without_key_ids(), 128);
        with_mappings(spec, (0..128).map(|number| (number, (number * 7) % 128)))
    };
    let mut issuer = Ca::with(ca());
    for _ in 0..100 {
        issuer = issuer.intermediate_with(ca());
    }
    let information = der::tlv(0x30, &[&der::tlv(0x30, &[&policy(0)])]);
    let leaf = LeafSpec::client("x").without_key_ids().extension(POLICIES, false, &information);
    let issued = issuer.issue(leaf);
    let roots = trusting(&root);
    let report = bounded(LIMIT, || verify(&roots, &issued.chain)).expect_err("too much");
    assert_eq!(report.rule, Rule::WorkBudget);
}

/// Long identifiers cost by their length.
#[test]
fn the_longest_policies_end_with_the_budget() {
    let root = root();
    let long = |number: u8| {
        let mut octets = vec![0x2b, 6];
        octets.extend([0x81; 1_500]);
        octets.extend([number]);
        der::tlv(0x30, &[&der::tlv(6, &[&octets])])
    };
    let information: Vec<_> = (0..120).map(long).collect();
    let information = der::tlv(0x30, &[&information.concat()]);
    let ca =
        |number: usize| CaSpec::new(&format!("CA {number}"), P256).extension(POLICIES, false, &information);
    let mut issuer = root.intermediate_with(ca(0));
    for number in 1..3 {
        issuer = issuer.intermediate_with(ca(number));
    }
    let issued = issuer.issue(LeafSpec::client("x").extension(POLICIES, false, &information));
    let roots = trusting(&root);
    let report = bounded(LIMIT, || verify(&roots, &issued.chain)).expect_err("too much");
    assert_eq!(report.cause, Cause::BudgetExceeded { what: "certificate policies" });
}

/// Whether a root is self-signed is asked under the strict policy where it has no authority key identifier: once, not
/// along each of the paths that lead to it.
#[test]
fn a_root_is_asked_once_whether_it_is_self_signed() {
    let (above, count) = (root(), 30);
    let identifier = der::tlv(4, &[b"12345678"]);
    let spec =
        |name: &str| CaSpec::new(name, P256).without_key_ids().extension("2.5.29.14", false, &identifier);
    let top = above.intermediate_with(spec("Top"));
    let authority = der::tlv(0x30, &[&der::tlv(0x80, &[b"12345678"])]);
    let middle = || spec("Middle").extension("2.5.29.35", false, &authority);
    let cas: Vec<_> = (0..count).map(|_| top.intermediate_with(middle())).collect();
    let leaf = LeafSpec::client("x").without_key_ids().extension("2.5.29.35", false, &authority);
    let mut chain = vec![cas[0].issue(leaf).chain[0].clone()];
    chain.extend(cas.iter().map(|ca| ca.certificate().clone()));
    let verifier = Verifier::new(trusting(&top), Purpose::ClientAuth).with_policy(Policy::strict());
    let outcome = bounded(LIMIT, || verifier.verify_client(&chain, UnixTime::now()));
    refused(outcome, Rule::AuthorityKeyIdentifierPresent, ANCHOR);
}
