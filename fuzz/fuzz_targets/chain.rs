//! Roots and a chain, all signed with one key, so that mutants get as far as names and constraints let them.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use oxtls_fuzz::{ChainInput, NOW, signed, wrapped};
use oxtls_x509::defaults::CANDIDATES;
use oxtls_x509::{Certificate, Policy, Purpose, Report, Roots, Rule, SignatureCache, VerifiedPath, Verifier};
use pki_types::{CertificateDer, ServerName, UnixTime};

fuzz_target!(|input: &[u8]| {
    let Some(input) = ChainInput::parse(input) else { return };
    let roots = input.roots.min(input.parts.len());
    let judged = |certificates: &[CertificateDer<'_>]| verifier(&input, &certificates[..roots]);
    let unsigned: Vec<_> = input.parts.iter().map(|part| wrapped(part, &[])).collect();
    let refused = judge(&judged(&unsigned), &input, &unsigned[roots..]);
    check(&unsigned[roots..], &refused);
    // What is refused before any signature is looked at would be refused with good ones, and most mutants are.
    if !needs_signatures(&refused) {
        return;
    }
    let certificates: Vec<_> = input.parts.iter().map(|part| certificate(part)).collect();
    let chain = &certificates[roots..];
    let verifier = judged(&certificates);
    let plain = judge(&verifier, &input, chain);
    check(chain, &plain);
    if input.flags & 8 != 0 {
        let cache = Arc::new(SignatureCache::new(64).expect("randomness"));
        let cached = verifier.with_signature_cache(cache);
        for _ in 0..2 {
            same(&plain, &judge(&cached, &input, chain));
        }
    }
});

fn verifier(input: &ChainInput<'_>, certificates: &[CertificateDer<'_>]) -> Verifier {
    let mut roots = Roots::empty();
    for root in certificates {
        let _ = roots.add_der(root);
    }
    let policy = if input.flags & 2 == 0 { Policy::default() } else { Policy::strict() };
    Verifier::new(roots, purpose(input)).with_policy(policy)
}

const fn purpose(input: &ChainInput<'_>) -> Purpose {
    if input.flags & 1 == 0 { Purpose::ServerAuth } else { Purpose::ClientAuth }
}

fn judge(
    verifier: &Verifier,
    input: &ChainInput<'_>,
    chain: &[CertificateDer<'_>],
) -> Result<VerifiedPath, Box<Report>> {
    let name = if input.flags & 4 == 0 { "example.com" } else { "192.0.2.1" };
    let name = ServerName::try_from(name).expect("a name");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    match purpose(input) {
        Purpose::ClientAuth => verifier.verify_client(chain, now),
        _ => verifier.verify_server(chain, &name, now),
    }
}

/// Whether a signature stands in the way of one of the paths, all of which a report has if they are few.
fn needs_signatures(verdict: &Result<VerifiedPath, Box<Report>>) -> bool {
    verdict.as_ref().err().is_none_or(|report| {
        let paths = &report.candidates;
        paths.len() >= CANDIDATES || paths.iter().any(|path| path.rule == Rule::Signature)
    })
}

/// Signed only if it can be read: signing is what takes time.
fn certificate(tbs: &[u8]) -> CertificateDer<'static> {
    let unsigned = wrapped(tbs, &[]);
    if Certificate::parse(&unsigned).is_ok() { signed(tbs) } else { unsigned }
}

fn check(chain: &[CertificateDer<'_>], verdict: &Result<VerifiedPath, Box<Report>>) {
    match verdict {
        Ok(path) => {
            let mut positions: Vec<_> = path.positions().collect();
            assert_eq!(positions.first(), Some(&0));
            assert!(positions.iter().all(|&position| position < chain.len()));
            let length = positions.len();
            positions.sort_unstable();
            positions.dedup();
            assert_eq!(positions.len(), length, "no certificate twice");
            assert_eq!(path.identity().certificate_der(), chain[0].as_ref());
            path.possession_proved();
        }
        Err(report) => {
            assert!(report.explain().len() < 100_000);
            assert!((40..=120).contains(&report.alert()));
        }
    }
}

/// The verdict does not depend on what was verified before.
fn same(one: &Result<VerifiedPath, Box<Report>>, other: &Result<VerifiedPath, Box<Report>>) {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            assert!(one.positions().eq(other.positions()));
            other.possession_proved();
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        _ => panic!("the cache changed the verdict: {one:?} and {other:?}"),
    }
}
