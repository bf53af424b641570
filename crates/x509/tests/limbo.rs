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
    clippy::panic,
    reason = "tests may be blunt, and say loudly what they skip"
)]

mod common;

use std::collections::BTreeSet;

use common::data::{Case, load};
use oxtls_x509::{CrlStore, Policy, Purpose, ReferenceIdentifier, Revocation, Rule, Stapled, Verifier};
use pki_types::ServerName;
use serde_json::Value;

fn data() -> Option<Value> {
    load("limbo-dev.json.xz")
}

/// What we make of a case.
enum Verdict {
    Accepted,
    Refused(String),
}

/// Cases with CRLs want the status of the whole chain to be known; a CRL that cannot be used tells nothing.
fn revocation(case: &Case<'_>) -> Revocation {
    let (given, mut crls) = (case.crls(), CrlStore::empty());
    if given.is_empty() {
        return Revocation::off();
    }
    for der in given {
        if let Err(error) = crls.add_der(der) {
            println!("{}: a CRL is left out: {error}", case.id());
        }
    }
    Revocation::hard_fail(crls)
}

/// The names that the peer must have: one of a server, each of a client's.
fn wanted(json: &Value) -> Result<Vec<ReferenceIdentifier<'_>>, String> {
    let names =
        json["expected_peer_names"].as_array().expect("a list").iter().chain([&json["expected_peer_name"]]);
    let mut wanted = Vec::new();
    for name in names.filter(|name| !name.is_null()) {
        let value = name["value"].as_str().expect("a text");
        let identifier = match name["kind"].as_str() {
            Some("RFC822") => ReferenceIdentifier::email(value).map_err(|error| error.to_string())?,
            _ => ServerName::try_from(value).map_err(|error| error.to_string())?.into(),
        };
        wanted.push(identifier);
    }
    Ok(wanted)
}

fn judge(json: &Value, policy: &Policy) -> Verdict {
    match attempt(&Case { json }, policy.clone()) {
        Ok(()) => Verdict::Accepted,
        Err(why) => Verdict::Refused(why),
    }
}

fn attempt(case: &Case<'_>, mut policy: Policy) -> Result<(), String> {
    let json = case.json;
    if let Some(depth) = json["max_chain_depth"].as_u64() {
        policy = policy.with_max_depth(u8::try_from(depth).expect("a depth"));
    }
    let purpose = if json["validation_kind"] == "SERVER" { Purpose::ServerAuth } else { Purpose::ClientAuth };
    let verifier =
        Verifier::new(case.roots()?, purpose).with_policy(policy).with_revocation(revocation(case));
    let (chain, names) = (case.chain(), wanted(json)?);
    let now = case.time();
    for name in &names {
        verifier.verify_peer(&chain, name, Stapled::default(), now).map_err(|report| report.explain())?;
    }
    if names.is_empty() {
        verifier.verify_client(&chain, now).map_err(|report| report.explain())?;
    }
    Ok(())
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

fn names(cases: &[(&str, &str)]) -> BTreeSet<String> {
    cases.iter().map(|(id, _)| (*id).to_owned()).collect()
}

#[test]
fn bettertls_is_right_throughout() {
    let Some(data) = data() else { return };
    for (name, policy) in [("default", Policy::default()), ("strict", Policy::strict())] {
        let tally = run(&data, &policy, true);
        report(&format!("BetterTLS under the {name} policy"), &tally);
        assert_eq!(tally.wrongly_accepted, names(&[]));
        assert_eq!(tally.wrongly_refused, names(&[]));
        assert!(tally.right > 0);
    }
}

/// The suites ask about paths, not about TLS: whether the key may sign handshakes is left out.
#[test]
fn core_under_the_default_policy() {
    let Some(data) = data() else { return };
    let tally = run(&data, &Policy::default().lift(Rule::DigitalSignature), false);
    report("core under the default policy", &tally);
    assert_eq!(tally.wrongly_refused, names(&[]));
    let listed = [PEDANTIC_ONLY, CONTRADICTED_BY_DEFAULT, DIFFERENCES].concat();
    assert_eq!(tally.wrongly_accepted, names(&listed));
}

#[test]
fn core_under_the_strict_policy() {
    let Some(data) = data() else { return };
    let policy = Policy::strict().lift(Rule::DigitalSignature);
    let tally = run(&data, &policy, false);
    report("core under the strict policy", &tally);
    assert_eq!(tally.wrongly_refused, names(CONTRADICTED_REFUSED));
    let mut accepted = names(CONTRADICTED_ACCEPTED);
    accepted.extend(names(PUBLIC_SUFFIXES));
    assert_eq!(tally.wrongly_accepted, accepted);
    #[cfg(feature = "public-suffix")]
    {
        let policy = policy.with_public_suffixes(oxtls_x509::PublicSuffixes::List);
        let tally = run(&data, &policy, false);
        assert_eq!(tally.wrongly_refused, names(CONTRADICTED_REFUSED));
        assert_eq!(tally.wrongly_accepted, names(CONTRADICTED_ACCEPTED));
    }
}

/// The same chain by RFC 5280 and by the CA/Browser Forum: no policy has both. Strict is the stricter of the two, but for
/// CA certificates at the end of a path: what the RFC allows there is asked for by another case that has no counterpart.
const CONTRADICTED_REFUSED: &[(&str, &str)] = &[
    ("rfc5280::eku::ee-without-eku", "BR 7.1.2.7.6 wants an extendedKeyUsage, RFC 5280 4.2.1.12 does not"),
    (
        "webpki::nc::permitted-dns-match-noncritical",
        "RFC 5280 4.2.1.10 wants it critical, BR 7.1.2.5.2 does not",
    ),
];
const CONTRADICTED_ACCEPTED: &[(&str, &str)] =
    &[("webpki::ca-as-leaf", "RFC 5280 4.2.1.9 lets a CA certificate stand last, BR 7.1.2.7.8 does not")];

/// Only a list of public suffixes tells these.
const PUBLIC_SUFFIXES: &[(&str, &str)] = &[
    ("webpki::san::public-suffix-multi-label-wildcard-san", "*.co.uk"),
    ("webpki::san::public-suffix-private-namespace-wildcard-san", "*.s3.amazonaws.com"),
];

const KEY_ID: &str = "key identifiers help to find issuers; a path that was found without them is none the worse, and \
    CAs made by hand leave them out or write more than the CA/Browser Forum lets roots have";
const CRITICALITY: &str =
    "the extension is understood either way, and older OpenSSL configurations and CAs get it wrong";
const PEDANTIC: &str = "the suite itself calls it pedantic";

/// Cases of the pedantic categories (key identifiers, criticality, serial numbers, extendedKeyUsage, public suffixes, odd
/// key sizes), about what CAs must issue and not about what is unsafe to accept: only the strict policy refuses them.
const PEDANTIC_ONLY: &[(&str, &str)] = &[
    ("rfc5280::aki::critical-aki", CRITICALITY),
    ("rfc5280::aki::intermediate-missing-aki", KEY_ID),
    ("rfc5280::aki::leaf-missing-aki", KEY_ID),
    ("rfc5280::ee-critical-aia-invalid", CRITICALITY),
    ("rfc5280::root-non-critical-basic-constraints", CRITICALITY),
    ("rfc5280::san::noncritical-with-empty-subject", CRITICALITY),
    ("rfc5280::serial::too-long", PEDANTIC),
    ("rfc5280::ski::critical-ski", CRITICALITY),
    ("rfc5280::ski::intermediate-missing-ski", KEY_ID),
    ("rfc5280::ski::root-missing-ski", KEY_ID),
    ("webpki::aki::root-with-aki-all-fields", KEY_ID),
    ("webpki::aki::root-with-aki-authoritycertissuer", KEY_ID),
    ("webpki::aki::root-with-aki-authoritycertserialnumber", KEY_ID),
    ("webpki::aki::root-with-aki-missing-keyidentifier", KEY_ID),
    ("webpki::aki::root-with-aki-ski-mismatch", KEY_ID),
    ("webpki::eku::ee-anyeku", PEDANTIC),
    ("webpki::eku::root-has-eku", PEDANTIC),
    ("webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", PEDANTIC),
    (
        "webpki::forbidden-rsa-not-divisible-by-8-in-root",
        "as in a leaf, where the suite itself calls it pedantic",
    ),
    ("webpki::san::public-suffix-multi-label-wildcard-san", PEDANTIC),
    ("webpki::san::public-suffix-private-namespace-wildcard-san", PEDANTIC),
    ("webpki::san::san-critical-with-nonempty-subject", CRITICALITY),
];

/// The same chain in two cases, one of which wants it refused: no policy has both, and the default has the other.
const CONTRADICTED_BY_DEFAULT: &[(&str, &str)] = &[
    (
        "rfc5280::nc::permitted-dns-match-noncritical",
        "contradicts webpki::nc::permitted-dns-match-noncritical",
    ),
    ("webpki::ca-as-leaf", "contradicts rfc5280::ca-as-leaf: OpenSSL's first self-signed certificate is one"),
    ("webpki::eku::ee-without-eku", "contradicts rfc5280::eku::ee-without-eku"),
];

const AS_TYPED: &str = "RFC 9525 section 2: the common name is no identifier, and it is never looked at. step and OpenSSL \
    keep it as it was typed, while the subjectAltName has one form \
    (shapes.rs: common_names_are_kept_as_they_were_typed)";

/// The cases outside of these categories that the default accepts: to refuse them would be to refuse what private CAs
/// issue. `shapes.rs` has such a CA for each.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "rfc5280::nc::invalid-dnsname-leading-period",
        "OpenSSL, NSS and Go read it, cross-signatures of the public PKI had it, and its meaning, all names below, is the \
         narrower (shapes.rs: a_ca_whose_constraints_begin_with_a_period)",
    ),
    (
        "rfc5280::san::underscore-dns",
        "hosts of Docker, Kubernetes and Windows have them, mkcert and OpenSSL issue for them, and such a name matches only \
         itself (shapes.rs: a_host_name_with_an_underscore)",
    ),
    ("webpki::cn::case-mismatch", AS_TYPED),
    ("webpki::cn::ipv4-leading-zeros-mismatch", AS_TYPED),
    ("webpki::cn::ipv6-uncompressed-mismatch", AS_TYPED),
    ("webpki::cn::ipv6-uppercase-mismatch", AS_TYPED),
    ("webpki::cn::utf8-vs-punycode-mismatch", AS_TYPED),
];
