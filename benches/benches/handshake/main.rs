//! A handshake beside the cryptography that it can't do without: server's calls and client's calls timed apart, over
//! one pair of connections in memory, in the same run.
//!
//! `cargo bench -p oxtls-benches --bench handshake` prints the table: how many times the limit each side takes, from
//! interleaved rounds. What the limit does is code: `limit.rs`, and for TLS 1.2 that of the other libraries' comparison
//! (`benches/peers/limit`). The rows that say "again" are of peers whose chains were verified in a connection before; the
//! limit, which knows of no memory, stays the same. `-- quick` has fewer rounds; other words are those rows whose
//! names contain one of them.

mod limit;
mod pair;
#[path = "../../peers/limit/src/tls12.rs"]
#[allow(unreachable_pub, reason = "written for another program")]
mod tls12;

use std::time::Duration;

use limit::{Kind, Limit};
use oxtls::{KeyAlgorithm, NamedGroup};
use oxtls_benches::ratio::{Contender, least, speed};
use oxtls_test_pki::{Ca, LeafSpec};
use pair::{NAME, Pair, timed};
use tls12::Tls12;

const ROUNDS: usize = 81;
const QUICK: usize = 11;
/// Enough that caches and branch predictors are those of the handshakes before, whoever's turn was the last.
const UNITS: usize = 40;

/// One row of the table.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    tls12: bool,
    key: KeyAlgorithm,
    group: NamedGroup,
    kind: Kind,
    /// The signatures of the peer's chain were verified in a handshake before.
    again: bool,
}

const FULL: Case = Case {
    name: "1.3 full: ECDSA P-256, X25519",
    tls12: false,
    key: KeyAlgorithm::EcdsaP256,
    group: NamedGroup::X25519,
    kind: Kind::Full,
    again: false,
};

const CASES: [Case; 14] = [
    FULL,
    Case { name: "1.3 full: ECDSA P-384, X25519", key: KeyAlgorithm::EcdsaP384, ..FULL },
    Case { name: "1.3 full: RSA-2048, X25519", key: KeyAlgorithm::Rsa, ..FULL },
    Case { name: "1.3 full: Ed25519, X25519", key: KeyAlgorithm::Ed25519, ..FULL },
    Case { name: "1.3 full: ECDSA P-256, P-256", group: NamedGroup::SECP256R1, ..FULL },
    Case { name: "1.3 full: ECDSA P-256, X25519MLKEM768", group: NamedGroup::X25519_MLKEM768, ..FULL },
    Case { name: "1.3 mutual: ECDSA P-256, X25519", kind: Kind::Mutual, ..FULL },
    Case { name: "1.3 full, again: ECDSA P-256, X25519", again: true, ..FULL },
    Case { name: "1.3 mutual, again: the same", kind: Kind::Mutual, again: true, ..FULL },
    Case { name: "1.3 resumed: X25519", kind: Kind::Resumed, ..FULL },
    Case {
        name: "1.3 resumed: X25519MLKEM768",
        group: NamedGroup::X25519_MLKEM768,
        kind: Kind::Resumed,
        ..FULL
    },
    Case { name: "1.3 resumed, 1 KiB of 0-RTT: X25519", kind: Kind::Early, ..FULL },
    Case { name: "1.2 full: ECDSA P-256, X25519", tls12: true, ..FULL },
    Case { name: "1.2 resumed: ticket", tls12: true, kind: Kind::Resumed, ..FULL },
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said = |word: &str| words.iter().any(|said| said == word);
    // As a test, or when only listed, the numbers would mean nothing: one round shows that it still runs.
    let (rounds, units) = match (said("--test") || said("--list"), said("quick")) {
        (true, _) => (1, 1),
        (false, true) => (QUICK, UNITS),
        (false, false) => (ROUNDS, UNITS),
    };
    let wanted: Vec<_> = words.iter().filter(|word| !word.starts_with('-') && *word != "quick").collect();
    println!("Handshakes as a multiple of the cryptography alone (medians of {rounds} interleaved rounds)");
    println!(
        "{:38} {:>8} {:>8} {:>18} {:>18}",
        "", "server", "client", "server's limit, us", "client's limit, us"
    );
    for case in CASES {
        if !wanted.is_empty() && !wanted.iter().any(|word| case.name.contains(word.as_str())) {
            continue;
        }
        let bench = Bench::new(case);
        let [server, client] = [Side::Server, Side::Client].map(|side| {
            let (mut ours, mut limit) = (Ours { bench: &bench, side }, Least { bench: &bench, side });
            let multiple = 1.0 / speed(&mut ours, &mut limit, rounds, units);
            (multiple, least(&mut limit, rounds.min(QUICK), units).as_secs_f64() * 1e6)
        });
        println!(
            "{:38} {:>8.2} {:>8.2} {:>18.1} {:>18.1}",
            case.name, server.0, client.0, server.1, client.1
        );
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

struct Bench {
    pair: Pair,
    limit: Work,
}

/// The cryptography alone.
enum Work {
    Tls13(Box<Limit>),
    Tls12(Box<Tls12>),
}

impl Bench {
    fn new(case: Case) -> Self {
        let root = Ca::new("Root", case.key);
        let intermediate = root.intermediate("Intermediate", case.key);
        let issue = |leaf: LeafSpec| intermediate.issue(leaf.key(case.key));
        let (server, client) = (issue(LeafSpec::server(NAME)), issue(LeafSpec::client("client.test")));
        let limit = match case.tls12 {
            true => Work::Tls12(Box::new(Tls12::new(case.kind == Kind::Resumed, &root, &server))),
            false => Work::Tls13(Box::new(Limit::new(case.kind, case.group, &root, &server))),
        };
        let pair = Pair::new(case, &root, server, client);
        Self { pair, limit }
    }
}

struct Ours<'a> {
    bench: &'a Bench,
    side: Side,
}

impl Contender for Ours<'_> {
    fn run(&mut self, units: usize) -> Duration {
        (0..units)
            .map(|_| {
                let (client, server) = self.bench.pair.handshake();
                if self.side == Side::Client { client } else { server }
            })
            .sum()
    }
}

struct Least<'a> {
    bench: &'a Bench,
    side: Side,
}

impl Contender for Least<'_> {
    /// Both sides in turns, as in a handshake: neither has the processor's caches to itself there.
    fn run(&mut self, units: usize) -> Duration {
        let (mut of_client, mut of_server) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..units {
            timed(&mut of_client, || match &self.bench.limit {
                Work::Tls13(limit) => limit.client(),
                Work::Tls12(limit) => limit.client(),
            });
            timed(&mut of_server, || match &self.bench.limit {
                Work::Tls13(limit) => limit.server(),
                Work::Tls12(limit) => limit.server(),
            });
        }
        if self.side == Side::Client { of_client } else { of_server }
    }
}
