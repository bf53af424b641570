//! What threads share, by one thread and by two: configurations, ticket keys, verified signatures, sessions. Where nobody
//! waits, two threads take no longer for one than one does alone; what a lock that excludes costs stands beside it.
//!
//! `cargo bench -p oxtls-benches --bench contention` prints the least nanoseconds of one operation in one thread; `--
//! quick` has a tenth of the rounds. Rounds in which the two threads hardly ran at the same time do not count; where none
//! did, there is no number.

use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oxtls::pki_types::{CertificateDer, ServerName, UnixTime};
use oxtls::x509::{Purpose, SignatureCache, Verifier};
use oxtls::{
    ClientConfig, ClientConnection, Connection, Credential, KeyAlgorithm, ProtocolVersion, Reloadable,
    Resumption, Role, Roots, ServerConfig, ServerConnection, SessionStore, TicketKeys,
};
use oxtls_test_pki::{Ca, LeafSpec};

const HOST: &str = "server.test";

fn main() {
    let said = |word: &str| std::env::args().any(|said| said == word);
    // As a test, or when only listed, the numbers would mean nothing.
    let rounds = match (said("--test") || said("--list"), said("quick")) {
        (true, _) => 1,
        (false, true) => 50,
        (false, false) => 500,
    };
    let pki = Pki::new();
    println!("One operation in one thread, ns (least of {rounds} interleaved rounds)");
    println!("{:46} {:>10} {:>10}", "", "1 thread", "2 threads");
    let row = |name: &str, units: u32, operation: &(dyn Fn(usize) + Sync)| {
        let mut least = [None, None];
        for _ in 0..rounds {
            for (least, threads) in least.iter_mut().zip(1..) {
                *least = [*least, round(threads, units, operation)].into_iter().flatten().min();
            }
        }
        let nanos = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(units);
        let cells = least.map(|time| time.map_or_else(|| "-".into(), |time| format!("{:.1}", nanos(time))));
        println!("{name:46} {:>10} {:>10}", cells[0], cells[1]);
    };
    let exclusive = Mutex::new(Arc::new(()));
    row("a lock that excludes, for comparison", 100_000, &|_| {
        black_box(Arc::clone(&exclusive.lock().unwrap()));
    });
    let config = Reloadable::new(pki.server(Resumption::default()));
    row("Reloadable::current", 100_000, &|_| drop(black_box(config.current())));
    let (keys, now) = (TicketKeys::rotating(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
    row("the ticket keys of a moment", 100_000, &|_| keys.tidy(black_box(now)));
    let verifier = pki.remembering();
    row("a chain of two, its signatures remembered", 300, &|_| pki.verify(&verifier));
    for (name, version, resumption) in [
        ("TLS 1.2 resumed by ID", ProtocolVersion::TLS1_2, Resumption::stored(SessionStore::new(1_000))),
        ("TLS 1.2 resumed by ticket", ProtocolVersion::TLS1_2, Resumption::default().tls12_tickets(true)),
        (
            "TLS 1.3 resumed by ID, once each",
            ProtocolVersion::TLS1_3,
            Resumption::stored(SessionStore::new(1_000)),
        ),
        ("TLS 1.3 resumed by ticket", ProtocolVersion::TLS1_3, Resumption::default()),
    ] {
        let server = pki.server(resumption);
        let clients = [pki.client(version), pki.client(version)];
        clients.iter().for_each(|client| assert!(!pki.connect(client, &server), "there is no session yet"));
        row(&format!("{name}, both ends"), 20, &|thread| assert!(pki.connect(&clients[thread], &server)));
    }
}

/// The time of the thread that took longest; `None` if they hardly ran at the same time, as on a machine that has other
/// things to do.
fn round(threads: usize, units: u32, operation: &(dyn Fn(usize) + Sync)) -> Option<Duration> {
    let start = Barrier::new(threads);
    let work = &|thread| {
        start.wait();
        let began = Instant::now();
        (0..units).for_each(|_| operation(thread));
        (began, Instant::now())
    };
    let spans: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let longest = spans.iter().map(|(began, ended)| *ended - *began).max()?;
    let (last, first) = (spans.iter().map(|span| span.0).max()?, spans.iter().map(|span| span.1).min()?);
    (first.saturating_duration_since(last) * 10 > longest * 9).then_some(longest)
}

struct Pki {
    root: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    credential: Credential,
    name: ServerName<'static>,
}

impl Pki {
    fn new() -> Self {
        let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
        let issued = root.intermediate("Issuing", KeyAlgorithm::EcdsaP256).issue(LeafSpec::server(HOST));
        Self {
            root: root.certificate().clone(),
            chain: issued.chain.clone(),
            credential: Credential::new(issued.chain, issued.key).unwrap(),
            name: ServerName::try_from(HOST).unwrap(),
        }
    }

    fn roots(&self) -> Roots {
        let mut roots = Roots::empty();
        roots.add_der(&self.root).unwrap();
        roots
    }

    fn server(&self, resumption: Resumption) -> ServerConfig {
        ServerConfig::builder().credential(self.credential.clone()).resumption(resumption).build().unwrap()
    }

    fn client(&self, version: ProtocolVersion) -> ClientConfig {
        ClientConfig::builder().roots(Arc::new(self.roots())).versions(version, version).build().unwrap()
    }

    /// A verifier that knows the chain.
    fn remembering(&self) -> Verifier {
        let cache = Arc::new(SignatureCache::new(4_096).unwrap());
        let verifier = Verifier::new(self.roots(), Purpose::ServerAuth).with_signature_cache(cache);
        verifier.verify_server(&self.chain, &self.name, UnixTime::now()).unwrap().possession_proved();
        verifier
    }

    fn verify(&self, verifier: &Verifier) {
        verifier.verify_server(black_box(&self.chain), &self.name, UnixTime::now()).unwrap();
    }

    /// A handshake and the tickets behind it; whether it resumed.
    fn connect(&self, client: &ClientConfig, server: &ServerConfig) -> bool {
        let mut client = ClientConnection::new(client, self.name.clone()).unwrap();
        let mut server = ServerConnection::new(server);
        let mut window = [0; 8_192];
        while carry(&mut client, &mut server, &mut window) | carry(&mut server, &mut client, &mut window) {}
        client.info().unwrap().is_resumed()
    }
}

/// Takes over what waits at `from`; whether anything did.
fn carry(from: &mut Connection<impl Role>, to: &mut Connection<impl Role>, window: &mut [u8]) -> bool {
    let written = from.transmit(window);
    let mut left = &mut window[..written];
    while !left.is_empty() {
        let consumed = to.feed(left).unwrap().consumed;
        assert!(consumed > 0, "nothing is asked of the caller");
        left = &mut left[consumed..];
    }
    written > 0
}
