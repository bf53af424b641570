//! NIST's Public Key Interoperability Test Suite (PKITS) 1.0.1, over the public API.
//!
//! The data is not part of the project: `pkits.json.xz` is looked for in `$OXTLS_CONFORMANCE_DATA`, or else in
//! `../shared/data` beside the workspace. Without it the tests say loudly that they were skipped.
//!
//! What should be accepted must be accepted with the policies that the suite expects, and what should be refused must
//! be refused for a rule of its section: a chain that is refused for anything at all is no proof of anything.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::collections::BTreeSet;

use common::data::{Case, load};
use oxtls_x509::{
    CrlStore, ObjectIdentifier, Policy, PolicyInputs, Purpose, Revocation, Rule, VerifiedPath, Verifier,
};
use serde_json::Value;

/// DSA has no place in TLS 1.3, and the crypto library has none: both cases are valid chains with DSA keys.
const DSA: [&str; 2] =
    ["pkits::s01::Section1ValidDSASignaturesTest4", "pkits::s01::Section1ValidDSAParameterInheritanceTest5"];

fn identifiers(list: &Value) -> Vec<ObjectIdentifier> {
    let texts = list.as_array().expect("a list of identifiers").iter();
    texts.map(|text| text.as_str().expect("text").parse().expect("an identifier")).collect()
}

fn policy(case: &Value) -> Policy {
    let flag = |name: &str| case[name].as_bool().expect("a flag");
    // PKITS is about paths, not about TLS: whether a key may sign handshakes is left out.
    Policy::default().lift(Rule::DigitalSignature).with_policy_inputs(PolicyInputs {
        initial_policy_set: Some(identifiers(&case["initial_policy_set"])),
        initial_explicit_policy: flag("initial_explicit_policy"),
        initial_policy_mapping_inhibit: flag("initial_policy_mapping_inhibit"),
        initial_any_policy_inhibit: flag("initial_inhibit_any_policy"),
    })
}

/// The rule that refuses it and the whole report, or the path.
fn judge(case: &Case<'_>) -> Result<VerifiedPath, (Option<Rule>, String)> {
    let roots = case.roots().map_err(|error| (None, error))?;
    let verifier = Verifier::new(roots, Purpose::ServerAuth)
        .with_policy(policy(case.json))
        .with_revocation(Revocation::hard_fail(crls(case)));
    verifier.verify_client(&case.chain(), case.time()).map_err(|report| (Some(report.rule), report.explain()))
}

/// What may refuse a case of a section. Names that do not chain and signatures by strangers show as a search that finds
/// no issuer, or none that signed.
fn belongs(section: &str, rule: Rule) -> bool {
    match section {
        // Two signatures are damaged where it makes them no BIT STRINGs of whole octets.
        "s01" => matches!(rule, Rule::Signature | Rule::Encoding),
        "s02" => matches!(rule, Rule::NotBefore | Rule::NotAfter),
        "s03" => matches!(rule, Rule::IssuerKnown | Rule::Signature),
        "s05" => matches!(rule, Rule::BasicConstraints) || is_status(rule),
        "s06" => matches!(rule, Rule::BasicConstraints | Rule::PathLength),
        "s07" => matches!(rule, Rule::KeyCertSign) || is_status(rule),
        "s08" | "s09" | "s11" | "s12" => matches!(rule, Rule::ExplicitPolicy),
        "s10" => matches!(rule, Rule::ExplicitPolicy | Rule::PolicyMapping),
        "s13" => matches!(rule, Rule::PermittedSubtrees | Rule::ExcludedSubtrees),
        "s16" => matches!(rule, Rule::CriticalExtension),
        // 4.4, 4.14 and 4.15 are about CRLs throughout.
        _ => is_status(rule),
    }
}

fn is_status(rule: Rule) -> bool {
    matches!(rule, Rule::NotRevoked | Rule::StatusKnown)
}

/// The CRLs that can be used; what a CRL that cannot be read would say is not known.
fn crls(case: &Case<'_>) -> CrlStore {
    let mut store = CrlStore::empty();
    for der in case.crls() {
        if let Err(error) = store.add_der(der) {
            println!("{}: a CRL is left out: {error}", case.id());
        }
    }
    store
}

#[test]
fn every_case_but_the_two_of_dsa() {
    let Some(data) = load("pkits.json.xz") else { return };
    let (mut right, mut wrong, mut dsa) = (0, BTreeSet::new(), BTreeSet::new());
    for json in data["testcases"].as_array().expect("a list of cases") {
        let case = Case { json };
        let id = case.id();
        let section = id.split("::").nth(1).expect("a section");
        let accept = json["expected_result"] == "SUCCESS";
        match judge(&case) {
            Ok(path) if accept => {
                let found: Vec<_> = path.policies().map(|policy| policy.to_string()).collect();
                let mut expected = identifiers(&json["user_constrained_policy_set"]);
                expected.sort();
                let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
                if found == expected {
                    right += 1;
                } else {
                    wrong.insert(format!("{id}: policies are {found:?}, should be {expected:?}"));
                }
            }
            Err((Some(rule), _)) if !accept && belongs(section, rule) => right += 1,
            Err((Some(Rule::KeyAlgorithm | Rule::SignatureAlgorithm), _)) if DSA.contains(&id) => {
                dsa.insert(id.to_owned());
            }
            Ok(_) => {
                wrong.insert(format!("{id} is accepted"));
            }
            Err((_, why)) => {
                wrong.insert(format!("{id} ({}): {why}", if accept { "valid" } else { "for another rule" }));
            }
        }
    }
    println!("PKITS: {right} right, {} refused for DSA, {} wrong", dsa.len(), wrong.len());
    for line in &wrong {
        println!("{line}\n");
    }
    assert_eq!(wrong, BTreeSet::new());
    assert_eq!(dsa.len(), DSA.len());
}
