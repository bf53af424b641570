//! C2SP x509-limbo, BetterTLS included, over the public API.
//!
//! The data is not part of the project: `limbo-dev.json.xz` is looked for in `$OXTLS_CONFORMANCE_DATA`, or else in
//! `../shared/data` beside the workspace. Without it the tests say loudly that they were skipped.
//!
//! Most cases expect a refusal, so wrong accepts and wrong rejects are counted apart, and BetterTLS apart from the
//! rest. The known disagreements are listed by name: a new one fails the test, and so does one that went away.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use oxtls_x509::{Budget, CrlStore, Policy, Purpose, Revocation, Roots, Rule, Verifier};
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::Value;

fn data() -> Option<Value> {
    let folder = std::env::var_os("OXTLS_CONFORMANCE_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = folder.join("limbo-dev.json.xz");
    if !file.exists() {
        eprintln!("SKIPPED: no {} (set OXTLS_CONFORMANCE_DATA to its folder)", file.display());
        return None;
    }
    let output = match Command::new("xz").arg("-dc").arg(&file).output() {
        Ok(output) if output.status.success() => output.stdout,
        _ => {
            eprintln!("SKIPPED: xz cannot unpack {}", file.display());
            return None;
        }
    };
    Some(serde_json::from_slice(&output).expect("the data is JSON"))
}

fn certificates(list: &Value) -> Vec<CertificateDer<'static>> {
    let texts = list.as_array().expect("a list of PEM texts").iter();
    texts.map(|pem| certificate(pem.as_str().expect("PEM text"))).collect()
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("well-formed PEM")
}

/// An ISO 8601 time in UTC as whole seconds: one, or the two around a fraction. A chain is valid at a fraction of a
/// second if it is at both: at 0.5 s past its last second a certificate is over, at 0.5 s before its first not begun.
fn times(case: &Value) -> Vec<UnixTime> {
    let Some(text) = case["validation_time"].as_str() else {
        return vec![UnixTime::now()];
    };
    let (date, rest) = text.split_once('T').expect("a date and a time");
    let clock = rest.trim_end_matches("+00:00").trim_end_matches('Z');
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let date: Vec<_> = date.split('-').map(number).collect();
    let clock: Vec<_> = clock.split(':').map(number).collect();
    let (y, m) = if date[1] <= 2 { (date[0] - 1, date[1] + 9) } else { (date[0], date[1] - 3) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + date[2] - 1 - 719_468;
    let seconds = days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2];
    let seconds = u64::try_from(seconds).expect("after 1970");
    let between = fraction.bytes().any(|digit| digit != b'0');
    let seconds = [Some(seconds), between.then_some(seconds + 1)];
    seconds
        .into_iter()
        .flatten()
        .map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
        .collect()
}

/// What we make of a case.
enum Verdict {
    Accepted,
    Refused(String),
}

/// Cases with CRLs want the status of the whole chain to be known; a CRL that cannot be used tells nothing.
fn revocation(case: &Value) -> Revocation {
    let texts = case["crls"].as_array().expect("a list of PEM texts");
    let mut crls = CrlStore::empty();
    for pem in texts.iter().filter_map(Value::as_str) {
        if let Err(error) = crls.add_pem_slice(pem.as_bytes()) {
            println!("{}: a CRL is left out: {error}", case["id"]);
        }
    }
    if texts.is_empty() { Revocation::off() } else { Revocation::hard_fail(crls) }
}

fn judge(case: &Value, policy: &Policy) -> Verdict {
    let mut roots = Roots::empty();
    for root in certificates(&case["trusted_certs"]) {
        if let Err(error) = roots.add_der(&root) {
            return Verdict::Refused(error.to_string());
        }
    }
    let mut chain = vec![certificate(case["peer_certificate"].as_str().expect("PEM text"))];
    chain.extend(certificates(&case["untrusted_intermediates"]));
    let mut policy = policy.clone();
    if let Some(depth) = case["max_chain_depth"].as_u64() {
        policy =
            policy.with_budget(Budget { depth: u8::try_from(depth).expect("a depth"), ..Budget::default() });
    }
    let server = case["validation_kind"] == "SERVER";
    let purpose = if server { Purpose::ServerAuth } else { Purpose::ClientAuth };
    let verifier = Verifier::new(roots, purpose).with_policy(policy).with_revocation(revocation(case));
    let name = match case["expected_peer_name"]["value"].as_str().map(ServerName::try_from) {
        Some(Err(error)) => return Verdict::Refused(format!("this is no name: {error}")),
        Some(Ok(name)) => Some(name),
        None => None,
    };
    for now in times(case) {
        let result = match &name {
            Some(name) => verifier.verify_server(&chain, name, now),
            None => verifier.verify_client(&chain, now),
        };
        let path = match result {
            Ok(path) => path,
            Err(report) => return Verdict::Refused(report.explain()),
        };
        let emails: Vec<_> = path.identity().emails().collect();
        let mut wanted = case["expected_peer_names"].as_array().expect("a list").iter();
        if !wanted.all(|name| emails.contains(&name["value"].as_str().unwrap_or(""))) {
            return Verdict::Refused("the client has other names".to_owned());
        }
    }
    Verdict::Accepted
}

/// Cases by outcome.
#[derive(Default)]
struct Tally {
    right: usize,
    wrongly_accepted: BTreeSet<String>,
    wrongly_refused: BTreeSet<String>,
}

fn run(data: &Value, policy: &Policy, of_bettertls: bool) -> Tally {
    let verbose = std::env::var_os("OXTLS_CONFORMANCE_VERBOSE").is_some();
    let mut tally = Tally::default();
    for case in data["testcases"].as_array().expect("a list of cases") {
        let id = case["id"].as_str().expect("an id");
        if id.starts_with("bettertls::") != of_bettertls {
            continue;
        }
        let accept = case["expected_result"] == "SUCCESS";
        match judge(case, policy) {
            Verdict::Accepted if accept => tally.right += 1,
            Verdict::Refused(why) if !accept => {
                tally.right += 1;
                if verbose && !of_bettertls {
                    println!("{id} refused: {}", why.lines().next().unwrap_or(""));
                }
            }
            Verdict::Accepted => {
                tally.wrongly_accepted.insert(id.to_owned());
            }
            Verdict::Refused(why) => {
                if verbose {
                    println!("{id} should be accepted: {why}");
                }
                tally.wrongly_refused.insert(id.to_owned());
            }
        }
    }
    tally
}

fn report(what: &str, tally: &Tally) {
    println!(
        "{what}: {} right, {} wrongly accepted, {} wrongly refused",
        tally.right,
        tally.wrongly_accepted.len(),
        tally.wrongly_refused.len()
    );
    for id in &tally.wrongly_accepted {
        println!("  accepted {id}");
    }
    for id in &tally.wrongly_refused {
        println!("  refused {id}");
    }
}

fn names(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

#[test]
fn bettertls_is_right_throughout() {
    let Some(data) = data() else { return };
    let tally = run(&data, &Policy::default(), true);
    report("BetterTLS under the default policy", &tally);
    assert_eq!(tally.wrongly_accepted, names(&[]));
    assert_eq!(tally.wrongly_refused, names(&[]));
    assert!(tally.right > 0);
}

/// The suites ask about paths, not about TLS: whether the key may sign handshakes is left out.
#[test]
fn core_under_the_default_policy() {
    let Some(data) = data() else { return };
    let tally = run(&data, &Policy::default().lift(Rule::DigitalSignature), false);
    report("core under the default policy", &tally);
    assert_eq!(tally.wrongly_refused, names(&[]));
    assert_eq!(tally.wrongly_accepted, names(PROFILE_ONLY));
}

#[test]
fn core_under_the_strict_policy() {
    let Some(data) = data() else { return };
    let tally = run(&data, &Policy::strict(), false);
    report("core under the strict policy", &tally);
    // The CA/Browser Forum's rules refuse what RFC 5280 allows, and where the two contradict each other (criticality
    // of nameConstraints), the RFC holds.
    let refused = [
        "pathlen::validation-ignores-pathlen-in-leaf",
        "rfc5280::ca-as-leaf",
        "rfc5280::eku::ee-without-eku",
        "webpki::nc::permitted-dns-match-noncritical",
    ];
    assert_eq!(tally.wrongly_refused, names(&refused));
    assert_eq!(tally.wrongly_accepted, names(PUBLIC_SUFFIXES));
}

/// No public suffix list is at hand.
const PUBLIC_SUFFIXES: &[&str] = &[
    "webpki::san::public-suffix-multi-label-wildcard-san",
    "webpki::san::public-suffix-private-namespace-wildcard-san",
];

/// Cases about what CAs must issue, not about what is unsafe to accept: only the strict policy refuses them.
const PROFILE_ONLY: &[&str] = &[
    "rfc5280::aki::critical-aki",
    "rfc5280::aki::intermediate-missing-aki",
    "rfc5280::aki::leaf-missing-aki",
    "rfc5280::ee-critical-aia-invalid",
    "rfc5280::nc::invalid-dnsname-leading-period",
    "rfc5280::nc::not-allowed-in-ee-critical",
    "rfc5280::nc::not-allowed-in-ee-noncritical",
    "rfc5280::nc::permitted-dns-match-noncritical",
    "rfc5280::root-non-critical-basic-constraints",
    "rfc5280::san::noncritical-with-empty-subject",
    "rfc5280::san::underscore-dns",
    "rfc5280::serial::too-long",
    "rfc5280::ski::critical-ski",
    "rfc5280::ski::intermediate-missing-ski",
    "rfc5280::ski::root-missing-ski",
    "webpki::aki::root-with-aki-all-fields",
    "webpki::aki::root-with-aki-authoritycertissuer",
    "webpki::aki::root-with-aki-authoritycertserialnumber",
    "webpki::aki::root-with-aki-missing-keyidentifier",
    "webpki::aki::root-with-aki-ski-mismatch",
    "webpki::ca-as-leaf",
    "webpki::cn::case-mismatch",
    "webpki::cn::ipv4-leading-zeros-mismatch",
    "webpki::cn::ipv6-uncompressed-mismatch",
    "webpki::cn::ipv6-uppercase-mismatch",
    "webpki::cn::utf8-vs-punycode-mismatch",
    "webpki::ee-basicconstraints-ca",
    "webpki::eku::ee-anyeku",
    "webpki::eku::ee-without-eku",
    "webpki::eku::root-has-eku",
    "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf",
    "webpki::forbidden-rsa-not-divisible-by-8-in-root",
    "webpki::san::public-suffix-multi-label-wildcard-san",
    "webpki::san::public-suffix-private-namespace-wildcard-san",
    "webpki::san::san-critical-with-nonempty-subject",
];
