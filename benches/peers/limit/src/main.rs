//! The cryptography that each case can't do without, and nothing else, as if it were a library: what the others are
//! measured against. For TLS 1.3 it is the code of our own bench, for TLS 1.2 `tls12`, for records the bare AEAD.

#[path = "../../../benches/handshake/limit.rs"]
#[allow(unreachable_pub, dead_code, reason = "the bench that it was written for has more cases")]
mod limit;
mod raw;
mod tls12;

use std::time::{Duration, Instant};

use driver::{Case, Failure, Samples};
use limit::{Kind, Limit};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_test_pki::{Ca, LeafSpec};
use tls12::Tls12;

fn main() -> Result<(), Failure> {
    let mut ready: Vec<(Case, Work)> = Vec::new();
    driver::serve("limit", |verb, case, numbers, _files| match (verb, numbers) {
        ("handshake", &[units]) => {
            if !ready.iter().any(|(known, _)| *known == case) {
                ready.push((case, Work::new(case)));
            }
            let work = ready.iter().find(|(known, _)| *known == case).map(|(_, work)| work);
            Ok(work.ok_or("no work")?.handshakes(units))
        }
        ("bulk", &[size, units]) => raw::bulk(case, size, units),
        _ => Err("a limit holds nothing".into()),
    })
}

enum Work {
    Tls13(Limit),
    Tls12(Tls12),
}

impl Work {
    fn new(case: Case) -> Self {
        let key = if case.rsa { KeyAlgorithm::Rsa } else { KeyAlgorithm::EcdsaP256 };
        let root = Ca::new("Root", key);
        let server = root.intermediate("Intermediate", key).issue(LeafSpec::server("server.test").key(key));
        if case.tls12 {
            return Self::Tls12(Tls12::new(case.resumed, &root, &server));
        }
        let kind = match (case.mutual, case.resumed) {
            (_, true) => Kind::Resumed,
            (true, false) => Kind::Mutual,
            (false, false) => Kind::Full,
        };
        let group = if case.hybrid { NamedGroup::X25519_MLKEM768 } else { NamedGroup::X25519 };
        Self::Tls13(Limit::new(kind, group, &root, &server))
    }

    fn handshakes(&self, units: usize) -> String {
        let mut samples = Samples::default();
        for _ in 0..units {
            let server = timed(|| match self {
                Self::Tls13(limit) => limit.server(),
                Self::Tls12(limit) => limit.server(),
            });
            let client = timed(|| match self {
                Self::Tls13(limit) => limit.client(),
                Self::Tls12(limit) => limit.client(),
            });
            samples.add(server, client);
        }
        samples.least(units, 1)
    }
}

fn timed(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}
