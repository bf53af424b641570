//! A handshake beside the cryptography that it can't do without: server's calls and client's calls timed apart, over
//! one pair of connections in memory, in the same run.
//!
//! `cargo bench -p oxtls-benches --bench handshake` prints the table: how many times the limit each side takes, from
//! interleaved rounds. What the limit does is code: `limit.rs`. The rows that say "again" are of peers whose chains were
//! verified in a connection before; the limit, which knows of no memory, stays the same.

mod limit;

use std::sync::Arc;
use std::time::{Duration, Instant};

use limit::{Kind, Limit};
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientAuth, ClientConfig, ClientConnection, Connection, Credential, KeyAlgorithm, NamedGroup, Resumption,
    Role, Roots, ServerConfig, ServerConnection,
};
use oxtls_benches::ratio::{Contender, speed};
use oxtls_test_pki::{Ca, Issued, LeafSpec};

const NAME: &str = "server.test";
const ROUNDS: usize = 501;
/// Few, so that a round is seldom interrupted by whatever else the machine does.
const UNITS: usize = 4;

/// One row of the table.
struct Case {
    name: &'static str,
    key: KeyAlgorithm,
    group: NamedGroup,
    kind: Kind,
    /// The signatures of the peer's chain were verified in a handshake before.
    again: bool,
}

const CASES: [Case; 7] = [
    Case {
        name: "ECDSA P-256, X25519",
        key: KeyAlgorithm::EcdsaP256,
        group: NamedGroup::X25519,
        kind: Kind::Full,
        again: false,
    },
    Case {
        name: "the same, mutual",
        key: KeyAlgorithm::EcdsaP256,
        group: NamedGroup::X25519,
        kind: Kind::Mutual,
        again: false,
    },
    Case {
        name: "ECDSA P-256, X25519MLKEM768",
        key: KeyAlgorithm::EcdsaP256,
        group: NamedGroup::X25519_MLKEM768,
        kind: Kind::Full,
        again: false,
    },
    Case {
        name: "resumed, X25519",
        key: KeyAlgorithm::EcdsaP256,
        group: NamedGroup::X25519,
        kind: Kind::Resumed,
        again: false,
    },
    Case {
        name: "RSA-2048, X25519",
        key: KeyAlgorithm::Rsa,
        group: NamedGroup::X25519,
        kind: Kind::Full,
        again: false,
    },
    Case {
        name: "ECDSA P-256, X25519, again",
        key: KeyAlgorithm::EcdsaP256,
        group: NamedGroup::X25519,
        kind: Kind::Full,
        again: true,
    },
    Case {
        name: "the same, mutual, again",
        key: KeyAlgorithm::EcdsaP256,
        group: NamedGroup::X25519,
        kind: Kind::Mutual,
        again: true,
    },
];

fn main() {
    // As a test, or when only listed, the numbers would mean nothing: one round shows that it still runs.
    let measured = !std::env::args().any(|arg| arg == "--test" || arg == "--list");
    let (rounds, units) = if measured { (ROUNDS, UNITS) } else { (1, 1) };
    println!(
        "TLS 1.3 handshakes as a multiple of the cryptography alone (medians of {rounds} interleaved rounds)"
    );
    println!("{:32} {:>8} {:>8} {:>14} {:>14}", "", "server", "client", "limit, us", "limit, us");
    for case in &CASES {
        let bench = Bench::new(case);
        let [server, client] = [Side::Server, Side::Client].map(|side| {
            let mut ours = Ours { bench: &bench, side };
            let mut limit = Least { limit: &bench.limit, side };
            let took = limit.run(units).as_secs_f64() * 1e6 / units as f64;
            (1.0 / speed(&mut ours, &mut limit, rounds, units), took)
        });
        println!(
            "{:32} {:>8.2} {:>8.2} {:>14.1} {:>14.1}",
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
    client: ClientConfig,
    server: ServerConfig,
    limit: Limit,
}

impl Bench {
    fn new(case: &Case) -> Self {
        let root = Ca::new("Root", case.key);
        let intermediate = root.intermediate("Intermediate", case.key);
        let issue = |leaf: LeafSpec| intermediate.issue(leaf.key(case.key));
        let (server, client) = (issue(LeafSpec::server(NAME)), issue(LeafSpec::client("client.test")));
        let limit = Limit::new(case.kind, case.group, &root, &server);
        let mut roots = Roots::empty();
        roots.add_der(root.certificate()).unwrap();
        let roots = Arc::new(roots);
        let credential = |issued: Issued| Credential::new(issued.chain, issued.key).unwrap();
        let mut theirs = ClientConfig::builder().roots(Arc::clone(&roots)).groups(&[case.group]);
        let mut ours = ServerConfig::builder().credential(credential(server)).groups(&[case.group]);
        if case.kind == Kind::Mutual {
            theirs = theirs.credential(credential(client));
            ours = ours.client_auth(ClientAuth::Required(roots));
        }
        if case.kind == Kind::Resumed {
            ours = ours.resumption(Resumption::default().tickets_per_connection(1));
        } else {
            theirs = theirs.no_sessions();
            ours = ours.no_resumption();
        }
        let (theirs, ours) = (theirs.remember_signatures(case.again), ours.remember_signatures(case.again));
        Self { client: theirs.build().unwrap(), server: ours.build().unwrap(), limit }
    }

    /// One handshake; how long each side took.
    fn handshake(&self) -> (Duration, Duration) {
        let (mut of_client, mut of_server) = (Duration::ZERO, Duration::ZERO);
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = timed(&mut of_client, || ClientConnection::new(&self.client, name).unwrap());
        let mut server = timed(&mut of_server, || ServerConnection::new(&self.server));
        let mut wire = vec![0; 32 * 1024];
        while client.is_handshaking() || server.is_handshaking() {
            carry(&mut client, &mut of_client, &mut server, &mut of_server, &mut wire);
            carry(&mut server, &mut of_server, &mut client, &mut of_client, &mut wire);
        }
        // The ticket, if there is one.
        carry(&mut server, &mut of_server, &mut client, &mut of_client, &mut wire);
        timed(&mut of_client, || drop(client));
        timed(&mut of_server, || drop(server));
        (of_client, of_server)
    }
}

fn carry<A: Role, B: Role>(
    from: &mut Connection<A>,
    sending: &mut Duration,
    to: &mut Connection<B>,
    receiving: &mut Duration,
    wire: &mut [u8],
) {
    let len = timed(sending, || from.transmit(wire));
    timed(receiving, || {
        let mut at = 0;
        while at < len {
            at += to.feed(&mut wire[at..len]).unwrap().consumed;
        }
    });
}

fn timed<T>(total: &mut Duration, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = act();
    *total += start.elapsed();
    result
}

struct Ours<'a> {
    bench: &'a Bench,
    side: Side,
}

impl Contender for Ours<'_> {
    fn run(&mut self, units: usize) -> Duration {
        (0..units)
            .map(|_| {
                let (client, server) = self.bench.handshake();
                if self.side == Side::Client { client } else { server }
            })
            .sum()
    }
}

struct Least<'a> {
    limit: &'a Limit,
    side: Side,
}

impl Contender for Least<'_> {
    /// Both sides in turns, as in a handshake: neither has the processor's caches to itself there.
    fn run(&mut self, units: usize) -> Duration {
        let (mut of_client, mut of_server) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..units {
            timed(&mut of_client, || self.limit.client());
            timed(&mut of_server, || self.limit.server());
        }
        if self.side == Side::Client { of_client } else { of_server }
    }
}
