//! What connections hold and what handshakes allocate, by kind: Rust's allocations of each end, and beside them what
//! `malloc` has given to Rust and C together for a pair.
//!
//! `cargo bench -p oxtls-benches --bench memory` prints the table. `cargo xtask memory` counts C's allocations of each end,
//! with peaks, and with another library beside; `tests/tests/allocations.rs` has the ceilings.

use std::sync::Arc;

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientAuth, ClientConfig, ClientConnection, Connection, Credential, KeyAlgorithm, NamedGroup,
    ProtocolVersion, Resumption, Role, Roots, ServerConfig, ServerConnection,
};
use oxtls_benches::allocations::{Counting, in_use, tally};
use oxtls_test_pki::{Ca, Issued, LeafSpec};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Connections that are held at once.
const HELD: usize = 500;
/// What each end sends, bytes.
const TRAFFIC: usize = 16 * 1024;

struct Case {
    name: &'static str,
    version: ProtocolVersion,
    mutual: bool,
    resumed: bool,
}

const CASES: [Case; 5] = [
    Case { name: "1.3 full", version: ProtocolVersion::TLS1_3, mutual: false, resumed: false },
    Case { name: "1.3 mutual", version: ProtocolVersion::TLS1_3, mutual: true, resumed: false },
    Case { name: "1.3 resumed", version: ProtocolVersion::TLS1_3, mutual: false, resumed: true },
    Case { name: "1.2 full", version: ProtocolVersion::TLS1_2, mutual: false, resumed: false },
    Case { name: "1.2 resumed", version: ProtocolVersion::TLS1_2, mutual: false, resumed: true },
];

fn main() {
    let held = if std::env::args().any(|said| said == "--test" || said == "--list") { 2 } else { HELD };
    println!("Memory of a connection, {held} held at once: server / client (Rust alone), and both with C's");
    println!(
        "{:12} {:>24} {:>26} {:>32} {:>26}",
        "", "handshake's allocations", "bytes, established", "bytes, after 16 KiB each way", "bytes, at rest"
    );
    for case in &CASES {
        let configs = Configs::new(case);
        // The first has nothing to resume; what is made once is made by two.
        configs.connect(&mut [Account::default(); 2]);
        configs.connect(&mut [Account::default(); 2]);
        let mut accounts = [Account::default(); 2];
        let start = in_use();
        let mut ends: Vec<_> = (0..held).map(|_| configs.connect(&mut accounts)).collect();
        assert_eq!(ends[0].1.info().unwrap().is_resumed(), case.resumed, "{}", case.name);
        // Whoever only moves data has no use for what a handshake says, and lets go of it.
        for (server, client) in &mut ends {
            accounts[0].of(|| drop(server.take_info()));
            accounts[1].of(|| drop(client.take_info()));
        }
        let allocations = accounts.map(|account| account.allocations / held as u64);
        let mut cells = vec![both(&accounts, held, start)];
        let mut wire = vec![0; 2 * TRAFFIC];
        let start = start.map(|bytes| bytes + wire.capacity());
        for (server, client) in &mut ends {
            let [of_server, of_client] = &mut accounts;
            let len = of_client.of(|| client.seal(&[7; TRAFFIC], &mut wire).unwrap().written);
            of_server.of(|| feed(server, &mut wire[..len]));
            let len = of_server.of(|| server.seal(&[7; TRAFFIC], &mut wire).unwrap().written);
            of_client.of(|| feed(client, &mut wire[..len]));
        }
        cells.push(both(&accounts, held, start));
        for (server, client) in &mut ends {
            accounts[0].of(|| server.rest());
            accounts[1].of(|| client.rest());
        }
        cells.push(both(&accounts, held, start));
        let allocations = format!("{} / {}", allocations[0], allocations[1]);
        println!("{:12} {allocations:>24} {:>26} {:>32} {:>26}", case.name, cells[0], cells[1], cells[2]);
    }
}

/// What one side's connections have allocated.
#[derive(Clone, Copy, Default)]
struct Account {
    allocations: u64,
    live: i64,
}

impl Account {
    fn of<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let before = tally();
        let result = act();
        let after = tally();
        self.allocations += after.allocations - before.allocations;
        self.live += after.live - before.live;
        result
    }
}

fn both(accounts: &[Account; 2], held: usize, start: Option<usize>) -> String {
    let [server, client] = accounts.map(|account| account.live / held as i64);
    let all = in_use().zip(start).map(|(now, start)| now.saturating_sub(start) / held);
    format!("{server} / {client}, {}", all.map_or("-".to_owned(), |bytes| bytes.to_string()))
}

struct Configs {
    client: ClientConfig,
    server: ServerConfig,
}

type Ends = (Box<ServerConnection>, Box<ClientConnection>);

impl Configs {
    fn new(case: &Case) -> Self {
        let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
        let middle = root.intermediate("Intermediate", KeyAlgorithm::EcdsaP256);
        let mut roots = Roots::empty();
        roots.add_der(root.certificate()).unwrap();
        let roots = Arc::new(roots);
        let credential = |issued: Issued| Credential::new(issued.chain, issued.key).unwrap();
        let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
        let mut client = ClientConfig::builder().roots(Arc::clone(&roots)).groups(&groups);
        let mut server = ServerConfig::builder().groups(&groups);
        server = server.credential(credential(middle.issue(LeafSpec::server("server.test"))));
        if case.mutual {
            client = client.credential(credential(middle.issue(LeafSpec::client("client.test"))));
            server = server.client_auth(ClientAuth::Required(roots));
        }
        if case.resumed {
            client = client.tls12_tickets(true);
            let tickets = Resumption::default().tickets_per_connection(1).tls12_tickets(true);
            server = server.resumption(tickets);
        } else {
            (client, server) = (client.no_sessions(), server.no_resumption());
        }
        let client = client.versions(case.version, case.version).build().unwrap();
        Self { client, server: server.versions(case.version, case.version).build().unwrap() }
    }

    /// One handshake, tickets included; both ends on the heap, as whoever holds many has them.
    fn connect(&self, [of_server, of_client]: &mut [Account; 2]) -> Ends {
        let name = ServerName::try_from("server.test").unwrap();
        let mut client = of_client.of(|| Box::new(ClientConnection::new(&self.client, name).unwrap()));
        let mut server = of_server.of(|| Box::new(ServerConnection::new(&self.server)));
        let mut wire = vec![0; 32 * 1024];
        for _ in 0..4 {
            let len = of_client.of(|| client.transmit(&mut wire));
            of_server.of(|| feed(&mut server, &mut wire[..len]));
            let len = of_server.of(|| server.transmit(&mut wire));
            of_client.of(|| feed(&mut client, &mut wire[..len]));
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        (server, client)
    }
}

fn feed<R: Role>(to: &mut Connection<R>, wire: &mut [u8]) {
    let mut at = 0;
    while at < wire.len() {
        at += to.feed(&mut wire[at..]).unwrap().consumed;
    }
}
