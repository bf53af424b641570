//! CRLs: RFC 5280 sections 5 and 6.3, each rule with a case that fails without it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may be blunt"
)]

#[path = "../common/mod.rs"]
mod common;
mod delta;
mod form;
mod indirect;
mod issuers;
mod scope;
mod status;
mod stores;
mod times;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{FIRST, HOST, LEAF, Outcome, P256, accepted, at, leaf, refused, root, trusting};
use oxtls_test_pki::der::tlv;
use oxtls_test_pki::{Ca, CaSpec, CrlSpec, Issued, LeafSpec, RawExtension, many, name_der, serial};
use oxtls_x509::{
    Cause, Crl, CrlFileError, CrlStore, Purpose, Revocation, RevocationReason, RevocationStatus, Rule,
    Unknown, Verifier,
};
use pki_types::{CertificateDer, ServerName, UnixTime};

const DISTRIBUTION_POINTS: &str = "2.5.29.31";
const POINT_A: &[u8] = b"http://crl.example/a";
const POINT_B: &[u8] = b"http://crl.example/b";

fn store(crls: impl IntoIterator<Item = Vec<u8>>) -> CrlStore {
    let mut store = CrlStore::empty();
    crls.into_iter().for_each(|crl| store.add_der(crl).expect("a CRL that parses"));
    store
}

fn verify(ca: &Ca, chain: &[CertificateDer<'_>], revocation: Revocation) -> Outcome {
    verify_at(ca, chain, revocation, UnixTime::now())
}

fn verify_at(ca: &Ca, chain: &[CertificateDer<'_>], revocation: Revocation, now: UnixTime) -> Outcome {
    let name = ServerName::try_from(HOST).expect("a name");
    let verifier = Verifier::new(trusting(ca), Purpose::ServerAuth).with_revocation(revocation);
    verifier.verify_server(chain, &name, now)
}

fn hard(ca: &Ca, chain: &[CertificateDer<'_>], crls: impl IntoIterator<Item = Vec<u8>>) -> Outcome {
    verify(ca, chain, Revocation::hard_fail(store(crls)))
}

/// Hard-fail must not know the status of the leaf, for this reason.
#[track_caller]
fn unknown(ca: &Ca, chain: &[CertificateDer<'_>], crls: impl IntoIterator<Item = Vec<u8>>, why: Unknown) {
    let crls = store(crls);
    let report = refused(verify(ca, chain, Revocation::hard_fail(crls.clone())), Rule::StatusKnown, LEAF);
    assert!(report.to_string().contains(&why.to_string()), "{report}");
    let path = accepted(verify(ca, chain, Revocation::soft_fail(crls)));
    assert_eq!(path.revocation(), RevocationStatus::Unknown(LEAF, why));
}

/// The CRL must be refused when it is loaded.
#[track_caller]
fn refuses(crl: Vec<u8>, rule: Rule) {
    let error = Crl::from_der(crl).expect_err("should be refused");
    assert_eq!(error.rule, rule, "{error}");
}

fn now() -> u64 {
    UnixTime::now().as_secs()
}

/// GeneralNames of one URI.
fn uri(uri: &[u8]) -> Vec<u8> {
    tlv(0x86, &[uri])
}

/// GeneralNames of one directory name.
fn directory(name: &str) -> Vec<u8> {
    tlv(0xa4, &[&name_der(name)])
}

/// The field distributionPoint of either kind of distribution point, with a full name.
fn full_name(names: &[u8]) -> Vec<u8> {
    tlv(0xa0, &[&tlv(0xa0, &[names])])
}

/// One distribution point's contents to the value of cRLDistributionPoints.
fn points(contents: &[Vec<u8>]) -> Vec<u8> {
    let points: Vec<u8> = contents.iter().flat_map(|point| tlv(0x30, &[point])).collect();
    tlv(0x30, &[&points])
}

/// A leaf with distribution points.
fn pointed(ca: &Ca, contents: &[Vec<u8>]) -> Issued {
    ca.issue(leaf().extension(DISTRIBUTION_POINTS, false, &points(contents)))
}
