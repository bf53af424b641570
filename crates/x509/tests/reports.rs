//! What is said when a chain is refused: sentences that a person can act on, word for word.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test may be blunt"
)]

mod common;

use std::time::Duration;

use common::*;
use oxtls_test_pki::{CLIENT_AUTH, Ca, CaSpec, LeafSpec, der};
use oxtls_x509::{Cause, Certificate, Position, Purpose, Roots, Rule, Verifier, Version};
use pki_types::{CertificateDer, ServerName, UnixTime};

#[track_caller]
fn says(outcome: Outcome, sentence: &str) {
    assert_eq!(outcome.expect_err("should be refused").to_string(), sentence);
}

/// As reports print it.
fn key_id(ca: &Ca) -> String {
    let certificate = Certificate::parse(ca.certificate()).expect("a certificate");
    let octets = certificate.subject_key_id().expect("an identifier").key_id.iter();
    octets.map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

#[test]
fn sentences_name_the_certificate_the_cause_and_what_to_do() {
    let root = root();
    let other = Ca::new("Other", P256);
    let named = || leaf().subject("CN=web,O=Ox");
    says(
        server(trusting(&other), &root.issue(named()).chain),
        &format!(
            "the peer's certificate (CN=web, O=Ox) was issued by \"CN=Root\" with the key {}, which is neither among the 1 \
             roots nor in the peer's chain; if you trust it, add the certificate of \"CN=Root\" to the roots; if it is an \
             intermediate CA, the peer must send its certificate too",
            key_id(&root)
        ),
    );
    says(
        server_named(trusting(&root), &root.issue(named()).chain, "b.test"),
        "the peer's certificate (CN=web, O=Ox) is not for \"b.test\": it is for www.example.com; connect under one of its \
         names, or reissue it with this name too",
    );
    says(
        server(trusting(&root), &root.issue(named().eku(&[CLIENT_AUTH])).chain),
        "the peer's certificate (CN=web, O=Ox) may not be used for TLS server authentication, only for TLS client \
         authentication; reissue it with that usage",
    );
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).not_a_ca());
    says(
        server(trusting(&root), &middle.issue(named()).chain),
        "certificate 1 of the peer's chain (CN=Middle) signed another certificate but is not a CA's; sign with a \
         certificate that has basicConstraints cA, or correct the chain",
    );
    says(
        server(trusting(&root), &[]),
        "the peer's certificate is missing: the peer sent none; the peer must be set up with a certificate",
    );
    says(
        server(trusting(&root), &[CertificateDer::from(vec![0x30, 0x80])]),
        "the peer's certificate is malformed: indefinite length; have it issued anew by software that follows RFC 5280",
    );
}

#[test]
fn times_are_told_in_the_unit_that_people_use() {
    let root = root();
    let verifier = Verifier::new(trusting(&root), Purpose::ServerAuth);
    let name = ServerName::try_from(HOST).expect("a name");
    let issued = root.issue(leaf().valid_from(at(1_800_000_000)).valid_until(at(1_800_086_399)));
    let when = |seconds| verifier.verify_server(&issued.chain, &name, at(seconds));
    // The root is judged after the leaf, so that the leaf's fault is the one reported.
    for (seconds, cause) in [
        (1_800_086_400, "expired 1 second ago, on 2027-01-16 07:59:59 UTC"),
        (1_800_086_399 + 7_199, "expired 119 minutes ago, on 2027-01-16 07:59:59 UTC"),
        (1_800_086_399 + 10_800, "expired 3 hours ago, on 2027-01-16 07:59:59 UTC"),
        (1_800_086_399 + 259_200, "expired 3 days ago, on 2027-01-16 07:59:59 UTC"),
        (1_799_999_990, "becomes valid only in 10 seconds, on 2027-01-15 08:00:00 UTC"),
    ] {
        assert_eq!(when(seconds).expect_err("out of time").cause.to_string(), cause);
    }
}

#[test]
fn explanations_show_the_chain_and_every_path_tried() {
    let (good, bad) =
        (Ca::new("Good", P256), Ca::with(CaSpec::new("Bad", P256).expired(Duration::from_secs(9_000))));
    let middle = good.intermediate_with(CaSpec::new("Middle", P256).path_len(0));
    let below = middle.intermediate("Below", P256);
    let mut chain = below.issue(leaf().subject("CN=web")).chain;
    chain.push(bad.cross_sign(&middle));
    let roots = trusting_all([good.certificate(), bad.certificate()]);
    let report = server(roots, &chain).expect_err("both ways are closed");
    assert_eq!((report.rule, report.certificate), (Rule::PathLength, Position::Chain(2)));
    let story = report.explain();
    for line in [
        "the peer's chain:",
        "  0: CN=web",
        "     issued by CN=Below",
        "  3: CN=Middle",
        "     issued by CN=Bad",
        "trusted: a path to one of the roots",
        "paths tried, from the peer's certificate up:",
        "  0: CN=web",
        "    1: CN=Below",
        "      2: CN=Middle",
        "        x certificate 2 of the peer's chain has more than 0 intermediate CAs below it",
        "          rule PathLength, RFC 5280 section 6.1.4 (l), (m), at byte ",
        "      3: CN=Middle",
        "        root: CN=Bad",
        "          x the root certificate expired 2 hours ago, on ",
        "            rule NotAfter, RFC 5280 section 6.1.3 (a)(2), at byte ",
        "rule broken: PathLength by certificate 2 of the peer's chain, at byte ",
        "what to do: shorten the chain of intermediates",
    ] {
        assert!(story.lines().any(|found| found.starts_with(line)), "no line {line:?} in:\n{story}");
    }
    assert_eq!(report.candidates.len(), 2);
}

#[test]
fn names_of_the_peer_cannot_forge_lines_of_a_log() {
    let root = root();
    let issued = root.issue(leaf().subject("CN=abcdefg").name(0x82, b"a\nb"));
    let certificate = root.resign(&issued.chain[0], |tbs| der::replace(tbs, b"abcdefg", b"a\nb\x1b[0m"));
    let report = server_named(trusting(&root), &[certificate], "c.test").expect_err("another name");
    assert!(report.to_string().contains("CN=a\\u{a}b\\u{1b}[0m"), "{report}");
    assert!(!report.to_string().contains(['\n', '\u{1b}']), "{report}");
}

#[test]
fn the_offset_is_within_the_certificate_it_speaks_of() {
    let root = root();
    let issued = root.issue(leaf().extension("1.3.6.1.4.1.99999.1", true, &[5, 0]));
    let report = server(trusting(&root), &issued.chain).expect_err("unknown critical");
    let offset = usize::try_from(report.offset.expect("an offset")).expect("small");
    assert_eq!(issued.chain[0][offset], 0x30);
    let oid = der::oid("1.3.6.1.4.1.99999.1");
    assert!(
        issued.chain[0][offset..]
            .starts_with(&[&[0x30, issued.chain[0][offset + 1]], oid.as_slice()].concat())
    );
}

#[test]
fn alerts_are_those_of_rfc_9846() {
    let root = root();
    let alert = |outcome: Outcome| outcome.expect_err("should be refused").alert();
    let trusted = || trusting(&root);
    assert_eq!(alert(server(Roots::empty(), &root.issue(leaf()).chain)), 48);
    assert_eq!(alert(server(trusted(), &root.issue(leaf().expired(Duration::from_secs(60))).chain)), 45);
    assert_eq!(
        alert(server(trusted(), &root.issue(leaf().not_yet_valid(Duration::from_secs(60))).chain)),
        45
    );
    assert_eq!(alert(server(trusted(), &root.issue(LeafSpec::server("b.test")).chain)), 42);
    assert_eq!(alert(server(trusted(), &[CertificateDer::from(vec![0])])), 42);
    assert_eq!(alert(server(trusted(), &root.issue(leaf().eku(&[CLIENT_AUTH])).chain)), 43);
    assert_eq!(alert(server(trusted(), &root.issue(leaf().extension("1.2.3.4", true, &[])).chain)), 43);
    let constrained = root.intermediate_with(CaSpec::new("M", P256).permit(0x82, b"x.test"));
    assert_eq!(alert(server(trusted(), &constrained.issue(leaf()).chain)), 46);
}

#[test]
fn a_report_is_an_error_that_travels_between_threads() {
    fn travels<T: std::error::Error + Send + Sync + 'static>(_: &T) {}
    let report = server(Roots::empty(), &root().issue(leaf()).chain).expect_err("no roots");
    travels(report.as_ref());
    let _ = UnixTime::now();
}

#[test]
fn texts_from_the_peer_are_cut() {
    let root = root();
    let issued = root.issue(leaf().name(0x86, format!("https://{}", "x".repeat(5_000)).as_bytes()));
    let report = server_named(trusting(&root), &issued.chain, "b.test").expect_err("another name");
    assert!(report.to_string().len() < 1_000, "{report}");
    assert!(report.to_string().contains("xxx...;"), "{report}");
}

#[test]
fn a_mismatch_of_the_name_shows_the_path_that_was_good() {
    let root = root();
    let issued = root.intermediate("Middle", P256).issue(leaf());
    let report = server_named(trusting(&root), &issued.chain, "b.test").expect_err("another name");
    assert_eq!(report.candidates[0].path, [LEAF, FIRST, ANCHOR]);
}

#[test]
fn a_missing_intermediate_is_told_from_a_missing_root() {
    let (root, other) = (root(), Ca::new("Other", P256));
    let access = der::tlv(
        0x30,
        &[&der::tlv(0x30, &[&der::oid("1.3.6.1.5.5.7.48.2"), &der::tlv(0x86, &[b"http://ca.test/x"])])],
    );
    let middle =
        root.intermediate_with(CaSpec::new("Middle", P256).extension("1.3.6.1.5.5.7.1.1", false, &access));
    let issued = middle.issue(leaf().extension("1.3.6.1.5.5.7.1.1", false, &access));
    let report = server(trusting(&other), &issued.chain[..1]).expect_err("nothing above the leaf");
    assert!(
        matches!(&report.cause, Cause::MissingIntermediate { locations, .. } if locations == &["http://ca.test/x"])
    );
    assert!(report.to_string().contains("the peer must send its full chain"), "{report}");
    let report = server(trusting(&other), &issued.chain).expect_err("another root");
    assert_eq!(report.certificate, FIRST);
    let Cause::UnknownIssuer { issuer, key_id: Some(id), anchors: 1, locations } = &report.cause else {
        unreachable!("{report}");
    };
    assert_eq!((issuer.as_str(), locations.as_slice()), ("CN=Root", &["http://ca.test/x".to_owned()][..]));
    assert_eq!(
        id.as_slice(),
        Certificate::parse(root.certificate()).unwrap().subject_key_id().unwrap().key_id
    );
    assert!(
        report
            .to_string()
            .contains("add the certificate of \"CN=Root\" (it is at http://ca.test/x) to the roots")
    );
}

/// What `openssl x509 -req` makes of a request where it is given no extensions.
#[test]
fn certificates_of_version_1_are_named_as_what_openssl_makes() {
    let root = root();
    let version_1 = |certificate: &CertificateDer<'_>| {
        root.resign(certificate, |tbs| {
            let fields = der::contents(tbs);
            let (version, rest) = fields.split_at(der::first(fields).len());
            assert_eq!(version[0], 0xa0);
            let extensions = last(rest);
            *tbs = der::tlv(0x30, &[&rest[..rest.len() - extensions.len()]]);
        })
    };
    let leaf_of_1 = version_1(&root.issue(leaf().subject("CN=web")).chain[0]);
    let report = server(trusting(&root), &[leaf_of_1]).expect_err("version 1");
    assert_eq!(
        (report.rule, &report.cause),
        (Rule::LeafVersion, &Cause::OldVersion { version: Version::V1 })
    );
    let said = report.to_string();
    for part in ["is of version 1", "OpenSSL makes such", "-extfile", "subjectAltName=DNS:NAME"] {
        assert!(said.contains(part), "{said}");
    }
    let middle = root.intermediate("Middle", P256);
    let middle_of_1 = version_1(middle.certificate());
    let chain = [middle.issue(leaf()).chain[0].clone(), middle_of_1];
    let report = server(trusting(&root), &chain).expect_err("version 1");
    assert_eq!(
        (report.rule, &report.cause),
        (Rule::BasicConstraints, &Cause::OldVersion { version: Version::V1 })
    );
}

/// The last element of several.
fn last(mut elements: &[u8]) -> &[u8] {
    loop {
        let first = der::first(elements);
        match &elements[first.len()..] {
            [] => return first,
            rest => elements = rest,
        }
    }
}

#[test]
fn pem_in_the_place_of_der_is_named_as_such() {
    let root = root();
    let text = CertificateDer::from(root.issue(leaf()).chain_pem().into_bytes());
    let report = server(trusting(&root), &[text]).expect_err("text");
    assert_eq!(report.cause, Cause::Malformed { what: "it is PEM text where DER is wanted" });
}

#[test]
fn every_candidate_says_which_rule_of_which_certificate_ended_it_and_where() {
    let (a, b) = (Ca::with(CaSpec::new("Root", P256).expired(Duration::from_secs(9))), root());
    let issued = b.issue(leaf());
    let other = CaSpec::new("Root", P256);
    let roots = trusting_all([a.certificate(), Ca::with(other).certificate()]);
    let report = server(roots, &issued.chain).expect_err("two roots of that name, and neither will do");
    let found: Vec<_> = report
        .candidates
        .iter()
        .map(|it| (it.path.clone(), it.rule, it.certificate, it.offset.is_some()))
        .collect();
    let anchor = Position::Anchor;
    assert_eq!(
        found,
        [
            (vec![LEAF, anchor(0)], Rule::NotAfter, anchor(0), true),
            (vec![LEAF, anchor(1)], Rule::Signature, LEAF, true),
        ]
    );
}

#[test]
fn what_the_clock_says_is_said_with_what_is_out_of_time() {
    let root = root();
    let verifier = Verifier::new(trusting(&root), Purpose::ServerAuth);
    let name = ServerName::try_from(HOST).expect("a name");
    let issued = root.issue(leaf().valid_from(at(1_800_000_000)).valid_until(at(1_800_086_399)));
    let said =
        |seconds| verifier.verify_server(&issued.chain, &name, at(seconds)).expect_err("out").to_string();
    assert!(said(0).ends_with(
        "check the clocks: this one, which says 1970-01-01 00:00:00 UTC, and that of the CA when it issued the certificate"
    ));
    assert!(
        said(1_800_172_800)
            .ends_with("or correct the clock here if it is wrong: it says 2027-01-17 08:00:00 UTC")
    );
}

#[test]
fn a_name_that_is_constrained_away_is_told_with_the_ca_that_may_not_vouch_for_it() {
    let root = root();
    let middle = root.intermediate_with(CaSpec::new("Narrow", P256).permit(0x82, b"x.test"));
    let report = server(trusting(&root), &middle.issue(leaf()).chain).expect_err("constrained");
    assert_eq!(report.cause, Cause::Constraint { name: HOST.to_owned(), ca: "CN=Narrow".to_owned() });
}
