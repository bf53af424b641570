//! Neighbours of the suites' cases: the same rules, other values. Each is made on the spot and has the verdict of the
//! default policy and that of the strict one beside it, reviewed by hand against the section that the rule cites.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]
#![allow(clippy::too_many_lines, reason = "tables are as long as there is to say")]

mod common;
#[path = "neighbours/constraints.rs"]
mod constraints;
#[path = "neighbours/encodings.rs"]
mod encodings;
#[path = "neighbours/extensions.rs"]
mod extensions;
#[path = "neighbours/identifiers.rs"]
mod identifiers;

use common::*;
use oxtls_test_pki::{Ca, CaSpec, LeafSpec, der};
use oxtls_x509::{Policy, Purpose, Roots, Rule, Verifier};
use pki_types::{CertificateDer, ServerName, UnixTime};

/// One chain, what it is asked for, and the rule that ends it under either policy, if any.
struct Case {
    what: String,
    roots: Roots,
    chain: Vec<CertificateDer<'static>>,
    wanted: &'static str,
    default: Option<Rule>,
    strict: Option<Rule>,
}

/// The rules that the default and the strict policy find broken.
type Verdicts = (Option<Rule>, Option<Rule>);

const FINE: Verdicts = (None, None);

const fn both(rule: Rule) -> Verdicts {
    (Some(rule), Some(rule))
}

const fn only_strict(rule: Rule) -> Verdicts {
    (None, Some(rule))
}

fn case(what: impl Into<String>, root: &Ca, chain: Vec<CertificateDer<'static>>, verdicts: Verdicts) -> Case {
    let (default, strict) = verdicts;
    Case { what: what.into(), roots: trusting(root), chain, wanted: HOST, default, strict }
}

/// A leaf right below a root.
fn by_leaf(what: impl Into<String>, spec: LeafSpec, verdicts: Verdicts) -> Case {
    let root = root();
    let chain = root.issue(spec).chain;
    case(what, &root, chain, verdicts)
}

/// A proper leaf below an intermediate with these properties.
fn by_intermediate(what: impl Into<String>, spec: CaSpec, verdicts: Verdicts) -> Case {
    below(what, spec, leaf(), verdicts)
}

/// A leaf below an intermediate.
fn below(what: impl Into<String>, ca: CaSpec, leaf: LeafSpec, verdicts: Verdicts) -> Case {
    let root = root();
    let chain = root.intermediate_with(ca).issue(leaf).chain;
    case(what, &root, chain, verdicts)
}

/// A proper leaf below a root with these properties.
fn by_root(what: impl Into<String>, spec: CaSpec, verdicts: Verdicts) -> Case {
    let root = Ca::with(spec);
    let chain = root.issue(leaf()).chain;
    case(what, &root, chain, verdicts)
}

/// A leaf whose signed part was edited and signed anew.
fn by_edit(what: impl Into<String>, edit: impl FnOnce(&mut Vec<u8>), verdicts: Verdicts) -> Case {
    let root = root();
    let chain = vec![root.resign(&root.issue(leaf()).chain[0], edit)];
    case(what, &root, chain, verdicts)
}

fn middle() -> CaSpec {
    CaSpec::new("Middle", P256)
}

impl Case {
    fn wants(mut self, name: &'static str) -> Self {
        self.wanted = name;
        self
    }

    fn verdict(&self, policy: Policy) -> Option<Rule> {
        let name = ServerName::try_from(self.wanted).expect("a name");
        let verifier = Verifier::new(self.roots.clone(), Purpose::ServerAuth).with_policy(policy);
        verifier.verify_server(&self.chain, &name, UnixTime::now()).err().map(|report| report.rule)
    }
}

/// A GeneralNames of encoded names.
fn names(names: &[Vec<u8>]) -> Vec<u8> {
    der::tlv(0x30, &[&names.concat()])
}

/// A server with these names and no subject.
fn named(list: &[Vec<u8>]) -> LeafSpec {
    LeafSpec::bare().eku(&[oxtls_test_pki::SERVER_AUTH]).extension("2.5.29.17", true, &names(list))
}

#[track_caller]
fn judged(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (default, strict) = (case.verdict(Policy::default()), case.verdict(Policy::strict()));
        if (default, strict) != (case.default, case.strict) {
            wrong.push(format!(
                "{}: by default {default:?}, expected {:?}; strict {strict:?}, expected {:?}",
                case.what, case.default, case.strict
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn names_of_servers() {
    judged(identifiers::cases(), 50);
}

#[test]
fn name_constraints() {
    judged(constraints::cases(), 60);
}

#[test]
fn extensions_of_every_certificate() {
    judged(extensions::cases(), 60);
}

#[test]
fn fields_and_their_encodings() {
    judged(encodings::cases(), 30);
}
