//! What an established connection holds, all counted: Rust's allocations and C's, and what `malloc` rounds them up to.
//!
//! One test alone in its process: `malloc` counts all threads together.
#![forbid(unsafe_code)]

use std::process::Command;
use std::sync::Arc;

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, Connection, Credential, Event, KeyAlgorithm, ProtocolVersion, Role,
    Roots, ServerConfig, ServerConnection,
};
use oxtls_benches::allocations::in_use;
use oxtls_test_pki::{Ca, LeafSpec};

const NAME: &str = "server.test";

/// Connections that are there at once: what one holds is the average.
const CONNECTIONS: usize = 400;

/// No connection holds more.
const MOST: usize = 1_600;

/// At most so many bytes for a connection, its own included: what was measured, and 5 %, but no more than [`MOST`]. The
/// sessions of a client are its cache's and not counted.
struct Ceiling {
    client: usize,
    server: usize,
}

/// As the handshake leaves it: a key of TLS 1.3 has no cipher before it is used, of which each takes 608 bytes that are
/// C's. A client still waits for tickets.
const NEW: Ceiling = Ceiling { client: 1_350, server: 1_010 };

/// After 16 KiB either way: both ciphers are there.
const USED: Ceiling = Ceiling { client: MOST, server: MOST };

/// At rest: what stays while nothing happens.
const AT_REST: Ceiling = Ceiling { client: 395, server: 395 };

struct Pair {
    client: ClientConnection,
    server: ServerConnection,
}

fn carry<A: Role, B: Role>(from: &mut Connection<A>, to: &mut Connection<B>, wire: &mut [u8]) {
    let len = from.transmit(wire);
    let mut at = 0;
    while at < len {
        at += to.feed(&mut wire[at..len]).unwrap().consumed;
    }
}

fn send<A: Role, B: Role>(from: &mut Connection<A>, to: &mut Connection<B>, wire: &mut [u8]) {
    let data = [7; 1 << 14];
    let sealed = from.seal(&data, wire).unwrap();
    assert_eq!(sealed.taken, data.len());
    let event = to.feed(&mut wire[..sealed.written]).unwrap().event;
    assert!(matches!(event, Some(Event::Data(range)) if range.len() == data.len()));
}

/// One client's configuration and those of two servers of one name that don't know each other's tickets.
struct Setup {
    client: ClientConfig,
    servers: [ServerConfig; 2],
    wire: Vec<u8>,
}

impl Setup {
    fn new(version: ProtocolVersion) -> Self {
        let ca = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
        let mut roots = Roots::empty();
        roots.add_der(ca.certificate()).unwrap();
        let issued = ca.issue(LeafSpec::server(NAME));
        let credential = Credential::new(issued.chain, issued.key).unwrap();
        let server = || {
            let server = ServerConfig::builder().credential(credential.clone());
            // A server of TLS 1.2 keeps sessions, which are no connection's.
            let server = if version == ProtocolVersion::TLS1_2 { server.no_resumption() } else { server };
            server.build().unwrap()
        };
        Self {
            client: ClientConfig::builder()
                .roots(Arc::new(roots))
                .versions(version, version)
                .build()
                .unwrap(),
            servers: [server(), server()],
            wire: vec![0; 1 << 16],
        }
    }

    /// The `n`th connection. Each resumes the last one's session, or else offers it to the other server, in vain.
    fn connect(&mut self, n: usize, resumed: bool) -> Pair {
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::new(&self.client, name).unwrap();
        let mut server = ServerConnection::new(&self.servers[if resumed { 0 } else { n % 2 }]);
        while client.is_handshaking() || server.is_handshaking() {
            carry(&mut client, &mut server, &mut self.wire);
            carry(&mut server, &mut client, &mut self.wire);
        }
        carry(&mut server, &mut client, &mut self.wire);
        assert!(!client.wants_transmit() && !server.wants_transmit());
        let (ours, theirs) = (client.take_info().unwrap(), server.take_info().unwrap());
        assert!(n == 0 || ours.is_resumed() == resumed && theirs.is_resumed() == resumed);
        Pair { client, server }
    }

    fn forget(&self) {
        self.client.sessions().unwrap().clear();
    }

    /// What one connection of this role holds, and what it holds at rest.
    fn held<R: Role>(&mut self, resumed: bool, used: bool, keep: fn(Pair) -> Connection<R>) -> [usize; 2] {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        self.forget();
        let before = in_use().unwrap();
        for n in 0..CONNECTIONS {
            let mut pair = self.connect(n, resumed);
            if used {
                send(&mut pair.client, &mut pair.server, &mut self.wire);
                send(&mut pair.server, &mut pair.client, &mut self.wire);
            }
            connections.push(keep(pair));
        }
        self.forget();
        let awake = in_use().unwrap() - before;
        connections.iter_mut().for_each(Connection::rest);
        let at_rest = in_use().unwrap() - before;
        [awake, at_rest].map(|bytes| bytes / CONNECTIONS + size_of::<Connection<R>>())
    }
}

fn check(what: &str, [client, server]: [usize; 2], ceiling: &Ceiling) {
    println!("{what}: client {client} bytes, server {server}");
    assert!(client <= ceiling.client && server <= ceiling.server, "{what}");
}

fn measure(version: ProtocolVersion, handshakes: &[(&str, bool)], ceilings: [&Ceiling; 3]) {
    let mut setup = Setup::new(version);
    // Whatever is made once is made.
    (0..10).for_each(|n| drop(setup.connect(n, false)));
    for &(handshake, resumed) in handshakes {
        let [client, _] = setup.held(resumed, false, |pair| pair.client);
        let [server, _] = setup.held(resumed, false, |pair| pair.server);
        let new = [client, server];
        let [client, client_at_rest] = setup.held(resumed, true, |pair| pair.client);
        let [server, server_at_rest] = setup.held(resumed, true, |pair| pair.server);
        let states = [
            ("new", new),
            ("after 16 KiB either way", [client, server]),
            ("at rest", [client_at_rest, server_at_rest]),
        ];
        for ((state, bytes), ceiling) in states.into_iter().zip(ceilings) {
            check(&format!("{version}, {handshake}, {state}"), bytes, ceiling);
        }
    }
}

/// The variable by which glibc is told to keep no cache for each thread: what lies in one counts as in use.
const TUNABLES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");

#[test]
fn an_established_connection_stays_below_its_ceiling() {
    if in_use().is_none() {
        println!("this C library does not say what it has handed out: nothing is measured");
        return;
    }
    if std::env::var_os(TUNABLES.0).is_none() {
        let again = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "an_established_connection_stays_below_its_ceiling", "--nocapture"])
            .env(TUNABLES.0, TUNABLES.1)
            .output()
            .unwrap();
        print!("{}", String::from_utf8_lossy(&again.stdout));
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
        return;
    }
    println!("inline: {} bytes", size_of::<ClientConnection>());
    let handshakes = [("full handshake", false), ("resumption", true)];
    measure(ProtocolVersion::TLS1_3, &handshakes, [&NEW, &USED, &AT_REST]);
    // Its keys cannot be made again.
    measure(ProtocolVersion::TLS1_2, &handshakes[..1], [&USED; 3]);
}
