//! What hostile chains cost, as a table: the verdict, the time, and how much of each budget was drawn.
//!
//! ```sh
//! cargo test --release -p oxtls-x509 --test hostile -- --nocapture
//! ```
//!
//! Times are printed and not judged: they are the machine's. What is judged are the rule that ends each search and the
//! counts, which are the same everywhere. A count is the smallest budget that gives the same verdict.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]
#![allow(clippy::print_stdout, reason = "it prints a table")]

mod common;

use std::time::{Duration, Instant};

use common::*;
use oxtls_test_pki::{Ca, CaSpec, CrlSpec, LeafSpec, der};
use oxtls_x509::{Budget, Cause, CrlStore, Policy, Purpose, Report, Revocation, Roots, Rule, Verifier};
use pki_types::{CertificateDer, UnixTime};

/// A chain, how it is judged, and how it must end.
struct Input {
    what: &'static str,
    roots: Roots,
    chain: Vec<CertificateDer<'static>>,
    revocation: Revocation,
    ends: Option<Rule>,
    /// The most that may be drawn: signatures, nodes, comparisons, policies.
    most: [u32; 4],
}

fn input(
    what: &'static str,
    roots: Roots,
    chain: Vec<CertificateDer<'static>>,
    ends: Option<Rule>,
    most: [u32; 4],
) -> Input {
    Input { what, roots, chain, revocation: Revocation::off(), ends, most }
}

const EMPTIED: Option<Rule> = Some(Rule::WorkBudget);
const DEFAULT: [u32; 4] = {
    use oxtls_x509::defaults::{NAME_COMPARISONS, NODES, POLICIES, SIGNATURES};
    [SIGNATURES, NODES, NAME_COMPARISONS, POLICIES]
};

impl Input {
    fn judge(&self, [signatures, nodes, name_comparisons, policies]: [u32; 4]) -> Outcome {
        let budget = Budget { signatures, nodes, name_comparisons, policies, ..Budget::default() };
        Verifier::new(self.roots.clone(), Purpose::ClientAuth)
            .with_policy(Policy::default().with_budget(budget))
            .with_revocation(self.revocation.clone())
            .verify_client(&self.chain, UnixTime::now())
    }

    /// The smallest budget of one kind with which the verdict is what it is; all of it, if that is what ran out.
    fn drawn(&self, kind: usize) -> u32 {
        const KINDS: [&str; 4] = [
            "signatures to verify",
            "issuers to try",
            "comparisons with name constraints",
            "certificate policies",
        ];
        let outcome = self.judge(DEFAULT);
        let ran_out =
            |report: &Report| matches!(report.cause, Cause::BudgetExceeded { what } if what == KINDS[kind]);
        if outcome.as_ref().is_err_and(|report| ran_out(report)) {
            return DEFAULT[kind];
        }
        let whole = verdict(&outcome);
        let (mut enough, mut too_little) = (DEFAULT[kind], None);
        while too_little.is_none_or(|little: u32| little + 1 < enough) && enough > 0 {
            let middle = too_little.map_or(0, |little| little + (enough - little) / 2);
            let mut budget = DEFAULT;
            budget[kind] = middle;
            if verdict(&self.judge(budget)) == whole {
                enough = middle;
            } else {
                too_little = Some(middle);
            }
        }
        enough
    }
}

fn verdict(outcome: &Outcome) -> String {
    outcome
        .as_ref()
        .map_or_else(|report| format!("{:?} {:?}", report.rule, report.cause), |_| "accepted".to_owned())
}

/// Certificates of one name and many keys, each signed by the next in a circle, below a root of that name.
fn namesakes() -> Input {
    let cas: Vec<_> = (0..100).map(|_| Ca::with(CaSpec::new("Root", P256).without_key_ids())).collect();
    let mut chain = vec![cas[0].issue(LeafSpec::client("x").without_key_ids()).chain[0].clone()];
    chain.extend(cas.iter().enumerate().map(|(at, ca)| cas[(at + 1) % cas.len()].cross_sign(ca)));
    input("100 namesakes sign each other", trusting(&root()), chain, EMPTIED, DEFAULT)
}

fn deep(known: bool) -> Input {
    let root = root();
    let mut ca = root.intermediate("0", P256);
    for number in 1..100 {
        ca = ca.intermediate(&number.to_string(), P256);
    }
    let chain = ca.issue(LeafSpec::client("x")).chain;
    if known {
        input("100 intermediates to a root", trusting(&root), chain, Some(Rule::PathDepth), [0, 14, 0, 0])
    } else {
        let stranger = trusting(&Ca::new("Stranger", P256));
        input("100 intermediates to nowhere", stranger, chain, Some(Rule::IssuerKnown), [0; 4])
    }
}

/// Nine CAs that have all signed each other, and the way out closed: a root of that name has another key.
fn mesh() -> Input {
    let root = root();
    let cas: Vec<_> = (0..9).map(|number| Ca::new(&format!("CA {number}"), P256)).collect();
    let mut chain = vec![cas[0].issue(LeafSpec::client("x")).chain[0].clone()];
    for ca in &cas {
        chain.extend(
            cas.iter().filter(|other| other.subject() != ca.subject()).map(|other| ca.cross_sign(other)),
        );
    }
    chain.push(root.cross_sign(&cas[8]));
    input("9 CAs, everyone signs everyone", trusting(&Ca::new("Root", P256)), chain, EMPTIED, DEFAULT)
}

/// Two CAs that have signed each other, fifty times over.
fn circle() -> Input {
    let (one, other) = (Ca::new("One", P256), Ca::new("Other", P256));
    let mut chain = vec![one.issue(LeafSpec::client("x")).chain[0].clone()];
    for _ in 0..50 {
        chain.extend([one.cross_sign(&other), other.cross_sign(&one)]);
    }
    input("two CAs in a circle, 50 times", trusting(&root()), chain, Some(Rule::IssuerKnown), [0; 4])
}

fn constraints() -> Input {
    let root = root();
    let (mut spec, mut leaf) = (CaSpec::new("Constrained", P256), LeafSpec::client("x"));
    for number in 0..1_500 {
        spec = spec.exclude(0x82, format!("x{number}.test").as_bytes());
        leaf = leaf.dns(&format!("y{number}.test"));
    }
    let chain = root.intermediate_with(spec).issue(leaf).chain;
    input("1,500 names, 1,500 subtrees", trusting(&root), chain, EMPTIED, DEFAULT)
}

fn padded() -> Input {
    const DIRECTORY: u8 = 0xa4;
    let name = |value: &str| {
        let attribute = der::tlv(0x30, &[&der::oid("2.5.4.3"), &der::tlv(0x0c, &[value.as_bytes()])]);
        der::tlv(0x30, &[&der::tlv(0x31, &[&attribute])])
    };
    let spec =
        (0..2_500).fold(CaSpec::new("Constrained", P256), |spec, _| spec.exclude(DIRECTORY, &name("a")));
    let leaf = LeafSpec::client("x").name(DIRECTORY, &name(&format!("{}x", " ".repeat(60_000))));
    let root = root();
    let chain = root.intermediate_with(spec).issue(leaf).chain;
    input("a name of 60 KB, 2,500 subtrees", trusting(&root), chain, EMPTIED, DEFAULT)
}

/// Every policy mapped to every policy, CA after CA.
fn mappings() -> Input {
    let policy = |number: u8| der::oid(&format!("1.3.6.1.4.1.5555.{number}"));
    let list = |count: u8| {
        let all: Vec<u8> = (0..count).flat_map(|number| der::tlv(0x30, &[&policy(number)])).collect();
        der::tlv(0x30, &[&all])
    };
    let pairs: Vec<u8> =
        (0..121).flat_map(|pair| der::tlv(0x30, &[&policy(pair / 11), &policy(pair % 11)])).collect();
    let pairs = der::tlv(0x30, &[&pairs]);
    let ca = |number: u8| {
        let spec = CaSpec::new(&format!("CA {number}"), P256).extension("2.5.29.32", false, &list(11));
        spec.extension("2.5.29.33", false, &pairs)
    };
    let root = root();
    let mut issuer = root.intermediate_with(ca(0));
    for number in 1..12 {
        issuer = issuer.intermediate_with(ca(number));
    }
    let chain = issuer.issue(LeafSpec::client("x").extension("2.5.29.32", false, &list(1))).chain;
    input("11 policies mapped all to all, 12 CAs", trusting(&root), chain, None, [13, 13, 0, DEFAULT[3]])
}

/// A hundred certificates in the name of the issuer of a CRL whose key is lost.
fn strangers(what: &'static str, known: bool, ends: Rule) -> Input {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    let lost = Ca::new("Intermediate", P256);
    let stranger = Ca::new("Stranger", P256);
    let by = if known { &root } else { &stranger };
    let mut chain = intermediate.issue(LeafSpec::client("x")).chain;
    chain.extend((0u8..100).map(|place| {
        let spec = LeafSpec::bare().subject("CN=Intermediate").key_usage(None).serial(&[1, place]);
        by.issue(spec).certificate().clone()
    }));
    let mut crls = CrlStore::empty();
    for crl in [lost.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(1))] {
        crls.add_der(crl).expect("a CRL");
    }
    let revocation = Revocation::hard_fail(crls);
    Input { revocation, ..input(what, trusting(&root), chain, Some(ends), DEFAULT) }
}

#[test]
fn hostile_chains_end_within_the_budget() {
    let inputs = [
        deep(true),
        deep(false),
        namesakes(),
        mesh(),
        circle(),
        constraints(),
        padded(),
        mappings(),
        strangers("100 strangers that lead nowhere", false, Rule::WorkBudget),
        strangers("100 strangers that lead to the root", true, Rule::WorkBudget),
    ];
    println!("of a budget of {DEFAULT:?} signatures, issuers, comparisons, policies:");
    println!("| input | ends with | time | signatures | issuers | comparisons | policies |");
    println!("|---|---|---|---|---|---|---|");
    for input in &inputs {
        let drawn = [0, 1, 2, 3].map(|kind| input.drawn(kind));
        let mut best = Duration::MAX;
        for _ in 0..9 {
            let start = Instant::now();
            let outcome = input.judge(DEFAULT);
            best = best.min(start.elapsed());
            assert_eq!(outcome.err().map(|report| report.rule), input.ends, "{}", input.what);
        }
        let ends = input.ends.map_or_else(|| "accepted".to_owned(), |rule| rule.to_string());
        let [signatures, issuers, comparisons, policies] = drawn;
        println!(
            "| {} | {ends} | {best:.2?} | {signatures} | {issuers} | {comparisons} | {policies} |",
            input.what
        );
        for (drawn, most) in drawn.into_iter().zip(input.most) {
            assert!(drawn <= most, "{}: {drawn} of {most}", input.what);
        }
    }
}
