//! `oxtls inspect`: what it shows of a chain, what it says of one that does not hold, and the exit code it has.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests may be blunt")]

mod common;

use std::time::Duration;

use common::{Ended, Folder, run};
use oxtls::KeyAlgorithm::EcdsaP256;
use oxtls::x509::SpkiPin;
use oxtls_test_pki::{Ca, CaSpec, CrlSpec, Issued, LeafSpec, OcspSpec, pem, serial};

/// A root, an intermediate and a server's certificate, as files.
struct Chain {
    folder: Folder,
    root: Ca,
    roots: String,
    chain: String,
}

impl Chain {
    fn new() -> Self {
        Self::of(LeafSpec::server("a.test").subject("CN=The Server"))
    }

    fn of(leaf: LeafSpec) -> Self {
        let folder = Folder::new();
        let root = Ca::new("The Root", EcdsaP256);
        let chain =
            root.intermediate_with(CaSpec::new("The Middle", EcdsaP256).path_len(0)).issue(leaf).chain_pem();
        let (roots, chain) =
            (folder.write("ca.pem", root.certificate_pem()), folder.write("chain.pem", chain));
        Self { folder, root, roots, chain }
    }

    fn inspect(&self, options: &[&str]) -> Ended {
        let mut arguments = vec!["inspect", "--roots", &self.roots, &self.chain];
        arguments.extend(options);
        run(arguments, b"")
    }
}

#[track_caller]
fn shows(ended: &Ended, parts: &[&str]) {
    let text = ended.text();
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn a_chain_that_holds_is_described_with_its_path() {
    let chain = Chain::new();
    let ended = chain.inspect(&["--name", "a.test"]);
    ended.expect(0, &[]);
    assert_eq!(ended.err, "");
    shows(
        &ended,
        &[
            "certificate 0, the peer's own\n  subject    CN=The Server\n  issuer     CN=The Middle\n",
            "certificate 1\n  subject    CN=The Middle",
            "names      a.test",
            "CA         no",
            "CA         yes, but no CA below it",
            "digital signatures",
            "pin        sha256/",
            "\n  0: CN=The Server\n    1: CN=The Middle\n      root: CN=The Root\n",
            "name: a.test is in the certificate",
            "holds until ",
        ],
    );
}

#[test]
fn a_chain_that_does_not_hold_is_explained_as_a_tree_and_in_a_sentence() {
    let chain = Chain::new();
    let other = chain.folder.write("other.pem", Ca::new("Other", EcdsaP256).certificate_pem());
    let ended = run(["inspect", "--roots", &other, "--name", "a.test", &chain.chain], b"");
    ended.expect(5, &["oxtls: certificate 1 of the peer's chain (CN=The Middle) was issued by \"CN=The Root\" with the key "]);
    assert_eq!(ended.err.lines().count(), 1);
    shows(
        &ended,
        &[
            "paths tried, from the peer's certificate up:\n  0: CN=The Server\n    1: CN=The Middle\n      x certificate 1",
            "rule IssuerKnown, RFC 5280 section 6.1.1 (d)",
            "what to do: if you trust it, add the certificate of \"CN=The Root\" to the roots",
        ],
    );
    chain.inspect(&["--name", "b.test"]).expect(5, &["is not for \"b.test\": it is for a.test"]);
    chain
        .inspect(&["--purpose", "client"])
        .expect(5, &["may not be used for TLS client authentication, only for"]);
}

#[test]
fn the_time_is_what_is_asked_for() {
    let chain = Chain::new();
    chain
        .inspect(&["--at", "1999-12-31"])
        .expect(5, &["becomes valid only in", "says 1999-12-31 00:00:00 UTC"]);
    let ended = chain.inspect(&["--at", "2199-12-31T10:00:00Z"]);
    ended.expect(5, &["expired ", "it says 2199-12-31 10:00:00 UTC"]);
    shows(&ended, &["(ended ", " days ago)"]);
    let expired = Chain::of(LeafSpec::server("a.test").expired(Duration::from_secs(3 * 86_400)));
    expired.inspect(&[]).expect(5, &["expired 3 days ago"]);
}

#[test]
fn without_a_name_it_says_that_none_was_looked_at() {
    let ended = Chain::new().inspect(&[]);
    ended.expect(0, &[]);
    shows(&ended, &["name: none was asked for (--name)"]);
}

#[test]
fn clients_are_inspected_as_clients() {
    let chain = Chain::of(LeafSpec::client("someone"));
    chain.inspect(&["--purpose", "client"]).expect(0, &[]);
    chain.inspect(&[]).expect(5, &["may not be used for TLS server authentication"]);
}

#[test]
fn pins_and_exact_certificates_are_other_ways_to_trust() {
    let chain = Chain::new();
    let pin = SpkiPin::of_certificate(chain.root.certificate()).unwrap().to_string();
    let ended = chain.inspect(&["--pin", &pin]);
    ended.expect(0, &[]);
    shows(&ended, &["has a pinned key in it"]);
    let other = SpkiPin::new([1; 32]).to_string();
    chain.inspect(&["--pin", &other]).expect(5, &["none of the 1 pinned keys is on the way", &pin]);
    let ended = run(["inspect", "--exactly", &chain.chain, &chain.chain], b"");
    ended.expect(0, &[]);
    shows(&ended, &["exactly a certificate that was given"]);
    run(["inspect", "--exactly", &chain.roots, &chain.chain], b"").expect(5, &["none of the 1 certificates"]);
}

/// A chain of three whose status can be asked for.
struct Status {
    folder: Folder,
    root: Ca,
    middle: Ca,
    issued: Issued,
    roots: String,
    chain: String,
}

impl Status {
    fn new() -> Self {
        let folder = Folder::new();
        let root = Ca::new("The Root", EcdsaP256);
        let middle = root.intermediate_with(CaSpec::new("The Middle", EcdsaP256));
        let issued = middle.issue(LeafSpec::server("a.test").subject("CN=The Server"));
        let roots = folder.write("ca.pem", root.certificate_pem());
        let chain = folder.write("chain.pem", issued.chain_pem());
        Self { folder, root, middle, issued, roots, chain }
    }

    fn inspect(&self, options: &[&str]) -> Ended {
        let mut arguments = vec!["inspect", "--roots", &self.roots, "--name", "a.test", &self.chain];
        arguments.extend(options);
        run(arguments, b"")
    }

    fn serial(&self) -> &[u8] {
        serial(self.issued.certificate())
    }
}

#[test]
fn the_status_of_each_certificate_stands_in_the_tree() {
    let it = Status::new();
    let by_root = it.folder.write("root.crl", it.root.crl(CrlSpec::new(1)));
    let by_middle = it.folder.write("middle.crl", pem("X509 CRL", &it.middle.crl(CrlSpec::new(7))));
    let ended = it.inspect(&[]);
    ended.expect(0, &[]);
    shows(&ended, &["revocation: not looked at (--crl, --ocsp)"]);
    let ended = it.inspect(&["--crl", &by_root, "--crl", &by_middle]);
    ended.expect(0, &[]);
    shows(
        &ended,
        &[
            "CRL by CN=The Root\n  valid      ",
            "(in force)\n  entries    0\n  number     01\nCRL by CN=The Middle\n",
            "  0: CN=The Server\n     status: not revoked\n    1: CN=The Middle\n       status: not revoked\n",
            "revocation: none of these certificates is revoked",
        ],
    );
    it.inspect(&["--require-status", "--crl", &by_root, "--crl", &by_middle]).expect(0, &[]);
    let ended = it.inspect(&["--crl", &by_middle]);
    ended.expect(0, &[]);
    shows(
        &ended,
        &[
            "     status: not revoked\n    1: CN=The Middle\n       status: unknown: there is no CRL of its issuer",
            "revocation: not known of certificate 1 of the peer's chain; --require-status would refuse",
        ],
    );
    let ended = it.inspect(&["--require-status", "--crl", &by_middle]);
    ended.expect(5, &["there is no CRL of its issuer"]);
    shows(&ended, &["rule StatusKnown, RFC 5280 section 6.3.3"]);
}

#[test]
fn what_is_revoked_is_refused_with_when_and_why() {
    let it = Status::new();
    let crl = it.folder.write("middle.crl", it.middle.crl(CrlSpec::new(1).revoke_for(it.serial(), 1)));
    let ended = it.inspect(&["--crl", &crl]);
    ended.expect(5, &["revoked", "its key was compromised"]);
    shows(&ended, &["  0: CN=The Server", "rule NotRevoked, RFC 5280 section 6.1.3 (a)(3)"]);
    let response =
        it.folder.write("leaf.ocsp", it.middle.ocsp(OcspSpec::revoked(it.issued.certificate(), 4)));
    it.inspect(&["--ocsp", &response]).expect(5, &["revoked"]);
}

#[test]
fn a_stapled_response_speaks_for_the_peers_own_certificate() {
    let it = Status::new();
    let good = it.folder.write("good.ocsp", it.middle.ocsp(OcspSpec::good(it.issued.certificate())));
    let ended = it.inspect(&["--ocsp", &good]);
    ended.expect(0, &[]);
    shows(
        &ended,
        &["0: CN=The Server\n     status: not revoked", "status: unknown: there is no CRL of its issuer"],
    );
    let other = it.folder.write("other.ocsp", it.root.ocsp(OcspSpec::good(it.issued.certificate())));
    let ended = it.inspect(&["--ocsp", &other]);
    ended.expect(0, &[]);
    shows(&ended, &["status: unknown: the stapled OCSP response is "]);
    it.inspect(&["--require-status", "--ocsp", &other]).expect(5, &["the stapled OCSP response is "]);
}

#[test]
fn files_without_a_status_are_named() {
    let it = Status::new();
    it.inspect(&["--crl", &it.folder.file("none.crl")]).expect(1, &["cannot read a CRL from", "none.crl"]);
    it.inspect(&["--crl", &it.chain]).expect(1, &["cannot read a CRL from", "no X509 CRL section"]);
    let cut = it.root.crl(CrlSpec::new(1));
    let cut = it.folder.write("cut.crl", &cut[..cut.len() - 1]);
    it.inspect(&["--crl", &cut]).expect(1, &["cut.crl"]);
    it.inspect(&["--ocsp", &it.folder.file("none.ocsp")]).expect(1, &["cannot read an OCSP response from"]);
    let noise = it.folder.write("noise.ocsp", "noise");
    let ended = it.inspect(&["--ocsp", &noise]);
    ended.expect(0, &[]);
    shows(&ended, &["the stapled OCSP response is malformed"]);
}

#[test]
fn strictness_is_asked_for() {
    let chain = Chain::of(LeafSpec::server("a_b.test"));
    chain.inspect(&[]).expect(0, &[]);
    chain.inspect(&["--strict"]).expect(5, &["breaks a rule of the chosen policy", "lift "]);
}

#[test]
fn chains_come_from_standard_input_and_single_certificates_in_der() {
    let chain = Chain::new();
    let text = std::fs::read(&chain.chain).unwrap();
    run(["inspect", "--roots", &chain.roots, "-"], &text).expect(0, &[]);
    let der = chain.folder.write("leaf.der", chain.root.issue(LeafSpec::server("a.test")).certificate());
    run(["inspect", "--roots", &chain.roots, &der], b"").expect(0, &[]);
}

#[test]
fn files_that_are_no_good_are_named() {
    let chain = Chain::new();
    let folder = &chain.folder;
    run(["inspect", "--roots", &chain.roots, &folder.file("none.pem")], b"").expect(1, &["none.pem"]);
    let empty = folder.write("empty.pem", "");
    run(["inspect", "--roots", &chain.roots, &empty], b"").expect(1, &["no CERTIFICATE section"]);
    let der = folder.write("root.der", chain.root.certificate());
    run(["inspect", "--roots", &der, &chain.chain], b"").expect(1, &["in DER (binary), not in PEM"]);
    run(["inspect"], b"").expect(2, &["CHAIN.pem is missing"]);
    let malformed = folder.write("malformed.pem", oxtls_test_pki::pem("CERTIFICATE", &[0x30, 0]));
    let ended = run(["inspect", "--roots", &chain.roots, &malformed], b"");
    ended.expect(5, &["is malformed"]);
    shows(&ended, &["malformed  "]);
}

#[test]
fn nothing_in_a_certificate_steers_a_terminal() {
    let chain = Chain::of(LeafSpec::server("a.test").uri("https://a.test/\x1b[2J"));
    for ended in [chain.inspect(&[]), chain.inspect(&["--name", "b.test"])] {
        assert!(!ended.text().contains('\x1b') && !ended.err.contains('\x1b'));
    }
}
