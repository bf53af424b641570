//! Whether the cause that a report states is the one that the case is about: for every core case of C2SP x509-limbo that
//! expects a refusal, the rule and the certificate expected, reviewed by hand against the case's description.
//!
//! The table is `data/limbo_causes.tsv`: the case, the rule, the certificate, the cause. The data is looked for as
//! `limbo.rs` does. Cases that the data has and the table has not fail the test: whoever adds a case reads it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "tests may be blunt, and say loudly what they skip"
)]

mod common;

use std::collections::BTreeMap;

use common::data::{Case, load};
use oxtls_x509::{Budget, CrlStore, Policy, Position, Purpose, Report, Revocation, Rule, Verifier};
use pki_types::ServerName;

/// The table: rule, certificate and cause by case.
fn table() -> BTreeMap<&'static str, [&'static str; 3]> {
    let lines = include_str!("data/limbo_causes.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let [id, rule, certificate, cause] = fields[..] else { panic!("four fields: {line}") };
            (id, [rule, certificate, cause])
        })
        .collect()
}

/// Rule, certificate and cause of the refusal; what happened instead, where there is none.
fn judge(case: &Case<'_>, policy: &Policy) -> [String; 3] {
    let other = |what: String| [what, "-".to_owned(), "-".to_owned()];
    let roots = match case.roots() {
        Ok(roots) => roots,
        Err(error) => return other(error),
    };
    // The suite asks about paths, not about TLS: whether a key may sign handshakes is left out.
    let mut policy = policy.clone().lift(Rule::DigitalSignature);
    if let Some(depth) = case.json["max_chain_depth"].as_u64() {
        let depth = u8::try_from(depth).expect("a depth");
        policy = policy.with_budget(Budget { depth, ..Budget::default() });
    }
    let server = case.json["validation_kind"] == "SERVER";
    let purpose = if server { Purpose::ServerAuth } else { Purpose::ClientAuth };
    let mut verifier = Verifier::new(roots, purpose).with_policy(policy);
    let crls = case.crls();
    if !crls.is_empty() {
        let mut store = CrlStore::empty();
        for crl in crls {
            if let Err(error) = store.add_der(crl) {
                return other(error.rule.to_string());
            }
        }
        verifier = verifier.with_revocation(Revocation::hard_fail(store));
    }
    let name = case.json["expected_peer_name"]["value"]
        .as_str()
        .map(|name| ServerName::try_from(name).expect("a name"));
    let chain = case.chain();
    let verdict = match &name {
        Some(name) => verifier.verify_server(&chain, name, case.time()),
        None => verifier.verify_client(&chain, case.time()),
    };
    match verdict {
        Err(report) => found(&report),
        Ok(_) => other("ACCEPTED".to_owned()),
    }
}

fn found(report: &Report) -> [String; 3] {
    let certificate = match report.certificate {
        Position::Chain(0) => "leaf".to_owned(),
        Position::Chain(number) => format!("intermediate {number}"),
        _ => "root".to_owned(),
    };
    let cause = format!("{:?}", report.cause);
    let cause = cause.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
    [report.rule.to_string(), certificate, cause]
}

/// Both policies are asked. What the default one refuses is refused for the same reason by the strict one, but where the
/// table has two lines; what it accepts is a matter of the strict one's profile.
#[test]
fn every_refusal_of_the_core_cases_states_the_cause_that_the_case_is_about() {
    let Some(data) = load("limbo-dev.json.xz") else { return };
    let table = table();
    let mut wrong = Vec::new();
    let mut right = 0;
    for case in data["testcases"].as_array().expect("a list of cases") {
        let case = Case { json: case };
        if case.id().starts_with("bettertls::") || case.json["expected_result"] != "FAILURE" {
            continue;
        }
        let expected = table.get(case.id()).copied().unwrap_or(["not in the table", "", ""]);
        let by_default = table.get(format!("{} by default", case.id()).as_str()).copied().unwrap_or(expected);
        // Without a list of public suffixes two wildcards pass.
        let unknown = expected[0] == "PublicSuffixWildcard" && cfg!(not(feature = "public-suffix"));
        let expected = if unknown { ["ACCEPTED", "-", "-"] } else { expected };
        let strict = Policy::strict().require(Rule::CaAsLeaf);
        #[cfg(feature = "public-suffix")]
        let strict = strict.with_public_suffixes(oxtls_x509::PublicSuffixes::List);
        let strict = judge(&case, &strict);
        if strict.iter().eq(expected.iter()) {
            right += 1;
        } else {
            wrong.push(format!("{}\t{}   (table: {expected:?})", case.id(), strict.join("\t")));
        }
        let default = judge(&case, &Policy::default());
        if default[0] != "ACCEPTED" && !default.iter().eq(by_default.iter()) {
            wrong.push(format!("{} by default\t{}   (table: {by_default:?})", case.id(), default.join("\t")));
        }
    }
    println!("causes of {right} cases as in the table");
    assert!(wrong.is_empty(), "{} causes differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(right > 100, "{right}");
}
