//! What the tests of validation share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

pub mod data;

use std::time::Duration;

use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_test_pki::{Ca, LeafSpec};
use oxtls_x509::{Policy, Position, Purpose, Report, Roots, Rule, VerifiedPath, Verifier};
use pki_types::{CertificateDer, ServerName, UnixTime};

pub const P256: KeyAlgorithm = KeyAlgorithm::EcdsaP256;
pub const HOST: &str = "www.example.com";

pub type Outcome = Result<VerifiedPath, Box<Report>>;

pub fn root() -> Ca {
    Ca::new("Root", P256)
}

pub fn leaf() -> LeafSpec {
    LeafSpec::server(HOST)
}

/// Roots of one CA.
pub fn trusting(ca: &Ca) -> Roots {
    trusting_all([ca.certificate()])
}

pub fn trusting_all<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'static>>) -> Roots {
    let mut roots = Roots::empty();
    certificates.into_iter().for_each(|certificate| roots.add_der(certificate).expect("a root that parses"));
    roots
}

/// Validates as a server named [`HOST`] at this time.
pub fn server(roots: Roots, chain: &[CertificateDer<'_>]) -> Outcome {
    server_with(roots, chain, Policy::default())
}

pub fn server_with(roots: Roots, chain: &[CertificateDer<'_>], policy: Policy) -> Outcome {
    let name = ServerName::try_from(HOST).expect("a name");
    Verifier::new(roots, Purpose::ServerAuth).with_policy(policy).verify_server(chain, &name, UnixTime::now())
}

pub fn server_named(roots: Roots, chain: &[CertificateDer<'_>], name: &str) -> Outcome {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    Verifier::new(roots, Purpose::ServerAuth).verify_server(chain, &name, UnixTime::now())
}

pub fn client(roots: Roots, chain: &[CertificateDer<'_>]) -> Outcome {
    Verifier::new(roots, Purpose::ClientAuth).verify_client(chain, UnixTime::now())
}

pub fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// The chain must be accepted.
#[track_caller]
pub fn accepted(outcome: Outcome) -> VerifiedPath {
    match outcome {
        Ok(path) => path,
        Err(report) => panic!("should be accepted: {}", report.explain()),
    }
}

/// The chain must be refused for this rule, broken by this certificate.
#[track_caller]
pub fn refused(outcome: Outcome, rule: Rule, position: Position) -> Box<Report> {
    let report = outcome.expect_err("should be refused");
    assert_eq!((report.rule, report.certificate), (rule, position), "{}", report.explain());
    report
}

/// The peer's own certificate.
pub const LEAF: Position = Position::Chain(0);
/// The first intermediate.
pub const FIRST: Position = Position::Chain(1);
/// The only anchor.
pub const ANCHOR: Position = Position::Anchor(0);
