//! What a connection costs in memory: nothing per record, no copy of application data, and ceilings for a handshake
//! and for an idle connection. Rust's allocations only: what the crypto library's C takes from `malloc` is not seen.
//!
//! When a ceiling is broken, find out what grew before raising it; when a number falls, lower its ceiling.
#![forbid(unsafe_code)]

use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread;

use oxtls::pki_types::ServerName;
use oxtls::{
    CipherSuite, ClientAuth, ClientConfig, ClientConfigBuilder, ClientConnection, Connection, Credential,
    Event, KeyAlgorithm, NamedGroup, Role, Roots, ServerConfig, ServerConfigBuilder, ServerConnection,
};
use oxtls_benches::allocations::{Counting, Tally, tally};
use oxtls_std::Stream;
use oxtls_test_pki::{Ca, Issued, LeafSpec};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NAME: &str = "server.test";

/// 2^14: the plaintext of a full record (RFC 9846 section 5.2).
const FULL: usize = 1 << 14;

/// What stands around the plaintext of a record.
#[derive(Clone, Copy)]
struct Shape {
    /// Ahead of it: the header, and in TLS 1.2 with GCM the explicit nonce.
    ahead: usize,
    /// In all: with the tag, and in TLS 1.3 the content type.
    overhead: usize,
}

impl Shape {
    fn of(suite: CipherSuite) -> Self {
        match suite.tls12() {
            None => Self { ahead: 5, overhead: 22 },
            Some(_) if suite == CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
                Self { ahead: 5, overhead: 21 }
            }
            Some(_) => Self { ahead: 13, overhead: 29 },
        }
    }
}

struct Pki {
    roots: Arc<Roots>,
    server: Credential,
    client: Credential,
}

static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let ca = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).unwrap();
    let credential = |issued: Issued| Credential::new(issued.chain, issued.key).unwrap();
    Pki {
        roots: Arc::new(roots),
        server: credential(ca.issue(LeafSpec::server(NAME))),
        client: credential(ca.issue(LeafSpec::client("client.test").dns("client.test"))),
    }
});

/// Without sessions: what the handshake itself costs.
fn full() -> (ClientConfigBuilder, ServerConfigBuilder) {
    (client_config().no_sessions(), server_config().no_resumption())
}

fn client_config() -> ClientConfigBuilder {
    ClientConfig::builder().roots(Arc::clone(&PKI.roots)).alpn(["h2", "http/1.1"])
}

fn server_config() -> ServerConfigBuilder {
    ServerConfig::builder().credential(PKI.server.clone()).alpn(["h2"])
}

/// A wire that takes a whole flight without growing.
struct Wire(Vec<u8>);

impl Wire {
    fn new() -> Self {
        Self(vec![0; 64 * 1024])
    }

    /// Moves all that `from` has to send into `to`.
    fn carry<A: Role, B: Role>(&mut self, from: &mut Measured<A>, to: &mut Measured<B>) {
        let len = from.measure(|connection, wire| connection.transmit(wire), &mut self.0);
        let mut at = 0;
        while at < len {
            let consumed =
                to.measure(|connection, wire| connection.feed(wire).unwrap().consumed, &mut self.0[at..len]);
            assert_ne!(consumed, 0);
            at += consumed;
        }
    }
}

/// A connection and what it has cost.
struct Measured<R: Role> {
    connection: Connection<R>,
    cost: Tally,
}

impl<R: Role> Measured<R> {
    fn new(make: impl FnOnce() -> Connection<R>) -> Self {
        let before = tally();
        let connection = make();
        Self { connection, cost: since(before) }
    }

    fn measure<T>(&mut self, act: impl FnOnce(&mut Connection<R>, &mut [u8]) -> T, wire: &mut [u8]) -> T {
        let before = tally();
        let result = act(&mut self.connection, wire);
        let cost = since(before);
        self.cost.allocations += cost.allocations;
        self.cost.bytes += cost.bytes;
        self.cost.live += cost.live;
        result
    }
}

fn since(before: Tally) -> Tally {
    let now = tally();
    Tally {
        allocations: now.allocations - before.allocations,
        bytes: now.bytes - before.bytes,
        live: now.live - before.live,
    }
}

/// A handshake, each side measured.
fn handshake(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
) -> (Measured<oxtls::Client>, Measured<oxtls::Server>) {
    connect(&client.build().unwrap(), &server.build().unwrap())
}

/// The same of configurations that are there already, tickets delivered.
fn connect(
    client: &ClientConfig,
    server: &ServerConfig,
) -> (Measured<oxtls::Client>, Measured<oxtls::Server>) {
    let name = ServerName::try_from(NAME).unwrap();
    let mut wire = Wire::new();
    let mut client = Measured::new(|| ClientConnection::new(client, name).unwrap());
    let mut server = Measured::new(|| ServerConnection::new(server));
    while client.connection.is_handshaking() || server.connection.is_handshaking() {
        wire.carry(&mut client, &mut server);
        wire.carry(&mut server, &mut client);
    }
    wire.carry(&mut server, &mut client);
    assert!(!client.connection.wants_transmit() && !server.connection.wants_transmit());
    (client, server)
}

/// The buffers of one direction, made before anything is counted.
struct Buffers {
    shape: Shape,
    plaintext: Vec<u8>,
    window: Vec<u8>,
    /// What lay in the window before it was opened.
    sealed: Vec<u8>,
    /// A window in which nothing was written.
    untouched: Vec<u8>,
}

impl Buffers {
    fn new(len: usize, shape: Shape) -> Self {
        let plaintext = (0_u32..).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).take(len).collect();
        // Room for four full records, and some to spare: longer data goes window by window.
        let window = len.min(4 * FULL) + 4 * shape.overhead + 9;
        Self {
            shape,
            plaintext,
            window: vec![0; window],
            sealed: vec![0; window],
            untouched: vec![0xee; window],
        }
    }

    /// Seals all of the plaintext at one end and opens it at the other. Returns how many records it took.
    fn exchange<A: Role, B: Role>(&mut self, from: &mut Connection<A>, to: &mut Connection<B>) -> usize {
        let (mut taken, mut records) = (0, 0);
        while taken < self.plaintext.len() {
            self.window.copy_from_slice(&self.untouched);
            let sealed = from.seal(&self.plaintext[taken..], &mut self.window).unwrap();
            assert!(self.window[sealed.written..] == self.untouched[sealed.written..], "behind the records");
            self.sealed.copy_from_slice(&self.window);
            let mut at = 0;
            while at < sealed.written {
                let len = (self.plaintext.len() - taken).min(FULL);
                self.open(to, at..sealed.written, taken..taken + len);
                at += len + self.shape.overhead;
                taken += len;
                records += 1;
            }
            assert_eq!(at, sealed.written);
        }
        records
    }

    /// Opens the record at the front of `fed` and looks at every byte of the window after it: the plaintext lies at
    /// the record's own place, behind its header, and nothing else has changed.
    fn open<B: Role>(
        &mut self,
        to: &mut Connection<B>,
        fed: std::ops::Range<usize>,
        plaintext: std::ops::Range<usize>,
    ) {
        let (start, len) = (fed.start, plaintext.len());
        let Shape { ahead, overhead } = self.shape;
        let progress = to.feed(&mut self.window[fed]).unwrap();
        assert_eq!(progress.consumed, len + overhead);
        let Some(Event::Data(range)) = progress.event else { panic!("no data") };
        assert_eq!(range, ahead..ahead + len);
        let end = start + len + overhead;
        assert!(self.window[start + ahead..][..len] == self.plaintext[plaintext]);
        assert!(self.window[start..start + ahead] == self.sealed[start..start + ahead], "the header");
        assert!(self.window[end..] == self.sealed[end..], "the records behind it");
    }
}

/// Of both versions: a client that is given one of TLS 1.2 alone speaks nothing else.
const SUITES: [CipherSuite; 6] = [
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// Over a stack that could not hold a copy of a full record, and with no allocation that could: the data is where it
/// was.
#[test]
fn a_thousand_records_of_any_size_either_way_allocate_nothing_and_copy_nothing() {
    for suite in SUITES {
        let (client, server) = handshake(client_config().suites(&[suite]), server_config());
        // Boxed, so that the thread has nothing of it on its stack.
        let mut ends = Box::new((client.connection, server.connection));
        for size in [1, 100, FULL, 1 << 20] {
            let mut buffers = Box::new(Buffers::new(size, Shape::of(suite)));
            let run = move || {
                let before = tally();
                let (client, server) = &mut *ends;
                let mut records = 0;
                while records < 2 * 1000 {
                    records += buffers.exchange(client, server) + buffers.exchange(server, client);
                }
                (ends, since(before))
            };
            let thread = thread::Builder::new().stack_size(FULL).spawn(run).unwrap();
            let cost;
            (ends, cost) = thread.join().unwrap();
            assert_eq!((cost.allocations, cost.bytes), (0, 0), "{suite}, {size} bytes");
            // With the first data a client lets go of what it would need for more tickets.
            assert!(cost.live <= 0, "{suite}, {size} bytes: {cost:?}");
        }
    }
}

/// Two records or so of pieces that end nowhere where a record does.
#[test]
fn pieces_are_sealed_without_an_allocation() {
    let plaintext: Vec<u8> = (0..=250).cycle().take(2 * FULL + 100).collect();
    for suite in SUITES {
        let (client, server) = handshake(client_config().suites(&[suite]), server_config());
        let (mut client, mut server) = (client.connection, server.connection);
        let mut window = vec![0; client.sealed_len(plaintext.len())];
        let pieces: Vec<_> = plaintext.chunks(777).map(IoSlice::new).collect();
        let before = tally();
        let sealed = client.seal_vectored(&pieces, &mut window).unwrap();
        let cost = since(before);
        assert_eq!((cost.allocations, cost.bytes), (0, 0), "{suite}");
        assert_eq!((sealed.taken, sealed.written), (plaintext.len(), window.len()));
        let (mut at, mut heard) = (0, Vec::new());
        while at < window.len() {
            let progress = server.feed(&mut window[at..]).unwrap();
            let Some(Event::Data(range)) = progress.event else { panic!("no data") };
            heard.extend_from_slice(&window[at..][range]);
            at += progress.consumed;
        }
        assert!(heard == plaintext, "{suite}");
    }
}

#[test]
fn the_allocator_counts_what_a_connection_holds() {
    let before = tally();
    let (client, server) = handshake(client_config(), server_config());
    assert!(since(before).allocations > 0);
    let held = since(before).live;
    drop((client, server));
    let left = since(before).live;
    assert!(held > 1000 && left < held / 10, "{held} bytes held, {left} left");
}

/// At most so much for a handshake of one side. Numbers of allocations differ by one or two from handshake to handshake
/// and from run to run: an ECDSA signature, in the flight or in a certificate, has 70 to 72 bytes, and a buffer that
/// doubles may have to do so once more for it. The ceilings have room for that and for a few more.
struct Ceiling {
    allocations: u64,
    bytes: u64,
}

#[track_caller]
fn below(what: &str, cost: Tally, ceiling: &Ceiling) {
    println!("{what}: {} allocations, {} bytes", cost.allocations, cost.bytes);
    assert!(
        cost.allocations <= ceiling.allocations,
        "{what}: {cost:?}, at most {} allocations",
        ceiling.allocations
    );
    assert!(cost.bytes <= ceiling.bytes, "{what}: {cost:?}, at most {} bytes", ceiling.bytes);
}

#[test]
fn a_handshake_stays_below_its_ceilings() {
    drop(handshake(client_config(), server_config()));
    let x25519 = [NamedGroup::X25519];
    let (client, server) = full();
    let (client, server) = handshake(client.groups(&x25519), server.groups(&x25519));
    below("X25519, client", client.cost, &Ceiling { allocations: 21, bytes: 5_200 });
    below("X25519, server", server.cost, &Ceiling { allocations: 27, bytes: 5_600 });

    let (client, server) = full();
    let (client, server) = handshake(client, server);
    below(
        "default groups (X25519MLKEM768), client",
        client.cost,
        &Ceiling { allocations: 29, bytes: 12_000 },
    );
    below(
        "default groups (X25519MLKEM768), server",
        server.cost,
        &Ceiling { allocations: 30, bytes: 12_000 },
    );

    let (client, server) = full();
    let mutual = server.client_auth(ClientAuth::Required(Arc::clone(&PKI.roots)));
    let with_certificate = client.credential(PKI.client.clone());
    let (client, server) = handshake(with_certificate.groups(&x25519), mutual.groups(&x25519));
    below("X25519 and client certificate, client", client.cost, &Ceiling { allocations: 41, bytes: 8_400 });
    below("X25519 and client certificate, server", server.cost, &Ceiling { allocations: 36, bytes: 8_500 });
}

#[test]
fn a_resumption_stays_below_its_ceilings() {
    drop(handshake(client_config(), server_config()));
    let x25519 = [NamedGroup::X25519];
    let client = client_config().groups(&x25519).build().unwrap();
    let server = server_config().groups(&x25519).build().unwrap();
    // Two tickets are made, sealed, sent and kept.
    let (ours, theirs) = connect(&client, &server);
    below("X25519 and two tickets, client", ours.cost, &Ceiling { allocations: 39, bytes: 7_500 });
    below("X25519 and two tickets, server", theirs.cost, &Ceiling { allocations: 44, bytes: 7_700 });
    // One ticket is used, one is made.
    let (ours, theirs) = connect(&client, &server);
    assert!(ours.connection.info().unwrap().is_resumed());
    below("X25519, resumed, client", ours.cost, &Ceiling { allocations: 24, bytes: 5_000 });
    below("X25519, resumed, server", theirs.cost, &Ceiling { allocations: 32, bytes: 5_800 });
}

/// At most so many bytes for a connection that was established and then left alone: its own and those on the heap, but
/// for the peer's chain, which it shares with its sessions.
const IDLE_CONNECTION: i64 = 690;

/// The same for a stream.
const IDLE_STREAM: i64 = 625;

#[test]
fn an_idle_connection_stays_below_its_ceiling() {
    drop(handshake(client_config(), server_config()));
    let (client, server) = (client_config().build().unwrap(), server_config().build().unwrap());
    let sessions = client.sessions().unwrap().clone();
    let (mut client, mut server) = connect(&client, &server);
    // What the tickets have become is the cache's, whose bound is its own.
    assert_eq!(sessions.len(), 1);
    let info = client.connection.take_info().unwrap();
    let chain = info.peer_certificates();
    let shared = chain.iter().map(|der| der.len() + size_of_val(der)).sum::<usize>();
    client.measure(|_, _| drop(info), &mut []);
    client.measure(|_, _| sessions.clear(), &mut []);
    client.cost.live -= i64::try_from(shared).unwrap();
    server.measure(|connection, _| drop(connection.take_info()), &mut []);
    for (role, heap, inline) in [
        ("client", client.cost.live, size_of::<ClientConnection>()),
        ("server", server.cost.live, size_of::<ServerConnection>()),
    ] {
        println!("an idle {role}: {inline} bytes inline, {heap} on the heap");
        assert!(i64::try_from(inline).unwrap() + heap <= IDLE_CONNECTION);
    }
}

#[test]
fn an_idle_stream_holds_no_buffers() {
    drop(handshake(client_config(), server_config()));
    let (client, server) = (client_config().build().unwrap(), server_config().build().unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (theirs, _) = listener.accept().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    let name = ServerName::try_from(NAME).unwrap();

    let before = tally();
    let mut server = Box::new(Stream::new(ServerConnection::new(&server), theirs));
    let mut server_held = since(before).live;
    let mut client = Stream::new(ClientConnection::new(&client, name).unwrap(), ours);
    let mut window = vec![0; 20_000];
    let (data, mut sent, mut received) = (vec![7; 100_000], 0, 0);
    while received < data.len() {
        if let Some(len) = later(client.write(&data[sent..])) {
            sent += len;
        }
        let before = tally();
        received += later(server.read(&mut window)).unwrap_or_default();
        server_held += since(before).live;
    }
    let before = tally();
    assert_eq!(later(server.read(&mut window)), None);
    drop(server.connection_mut().take_info());
    server_held += since(before).live;
    println!("an idle stream: {server_held} bytes, its own included");
    assert!(server_held <= IDLE_STREAM);
}

/// What was done; `None` if it would block.
fn later<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}
