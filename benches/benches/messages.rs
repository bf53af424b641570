//! Small messages through whole connections, beside the raw AEAD on as many bytes: each message sealed by
//! `Connection::seal` and taken in by `Connection::feed`, TLS 1.3 and 1.2, AES-128-GCM.
//!
//! `cargo bench -p oxtls-benches --bench messages` prints the speed as a part of the AEAD's; `-- quick` has a tenth of the
//! rounds. `record` has the record layer alone.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use oxtls::pki_types::ServerName;
use oxtls::{
    CipherSuite, ClientConfig, ClientConnection, Connection, Credential, Event, KeyAlgorithm,
    ProtocolVersion, Role, Roots, ServerConfig, ServerConnection,
};
use oxtls_benches::ratio::{Contender, least, speed};
use oxtls_test_pki::{Ca, LeafSpec};

const SIZES: [usize; 5] = [1, 16, 100, 300, 1000];
/// Messages that lie behind each other before the peer reads them.
const BATCH: usize = 64;
const TAG_LEN: usize = 16;

fn main() {
    let said = |word: &str| std::env::args().any(|said| said == word);
    // As a test, or when only listed, the numbers would mean nothing.
    let (rounds, batches) = match (said("--test") || said("--list"), said("quick")) {
        (true, _) => (1, 1),
        (false, true) => (31, 30),
        (false, false) => (301, 30),
    };
    println!("Small messages: speed as % of the raw AEAD's (medians of {rounds} interleaved rounds)");
    println!("{:10} {:>7} {:>8} {:>8} {:>12} {:>12}", "", "bytes", "seal", "feed", "seal, ns", "feed, ns");
    for version in [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2] {
        for size in SIZES {
            let [seal, feed] = [Way::Send, Way::Receive].map(|way| {
                let (mut ours, mut raw) = (Ours::new(version, size, way), Raw::new(size, way));
                let units = batches * BATCH;
                let part = 100.0 * speed(&mut ours, &mut raw, rounds, units);
                (part, least(&mut ours, rounds, units).as_nanos())
            });
            let version = if version == ProtocolVersion::TLS1_3 { "TLS 1.3" } else { "TLS 1.2" };
            println!("{version:10} {size:>7} {:>8.1} {:>8.1} {:>12} {:>12}", seal.0, feed.0, seal.1, feed.1);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Send,
    Receive,
}

/// A client that sends to a server.
struct Ours {
    client: ClientConnection,
    server: ServerConnection,
    data: Vec<u8>,
    wire: Vec<u8>,
    way: Way,
}

impl Ours {
    fn new(version: ProtocolVersion, size: usize, way: Way) -> Self {
        let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
        let issued = root.issue(LeafSpec::server("server.test"));
        let mut roots = Roots::empty();
        roots.add_der(root.certificate()).unwrap();
        let suites = match version {
            ProtocolVersion::TLS1_3 => [CipherSuite::TLS_AES_128_GCM_SHA256],
            _ => [CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
        };
        let client = ClientConfig::builder().roots(Arc::new(roots)).no_sessions().suites(&suites);
        let server = ServerConfig::builder().credential(Credential::new(issued.chain, issued.key).unwrap());
        let client = client.versions(version, version).build().unwrap();
        let server = server.no_resumption().suites(&suites).versions(version, version).build().unwrap();
        let name = ServerName::try_from("server.test").unwrap();
        let mut client = ClientConnection::new(&client, name).unwrap();
        let mut server = ServerConnection::new(&server);
        let mut wire = vec![0; 32 * 1024];
        while client.is_handshaking() || server.is_handshaking() {
            carry(&mut client, &mut server, &mut wire);
            carry(&mut server, &mut client, &mut wire);
        }
        let wire = vec![0; BATCH * client.sealed_len(size)];
        Self { client, server, data: vec![5; size], wire, way }
    }
}

fn carry<A: Role, B: Role>(from: &mut Connection<A>, to: &mut Connection<B>, wire: &mut [u8]) {
    let len = from.transmit(wire);
    let mut at = 0;
    while at < len {
        at += to.feed(&mut wire[at..len]).unwrap().consumed;
    }
}

impl Contender for Ours {
    fn run(&mut self, units: usize) -> Duration {
        let (mut sending, mut receiving) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..units / BATCH {
            let start = Instant::now();
            let mut end = 0;
            for _ in 0..BATCH {
                end += self.client.seal(black_box(&self.data), &mut self.wire[end..]).unwrap().written;
            }
            sending += start.elapsed();
            let start = Instant::now();
            let (mut at, mut received) = (0, 0);
            while at < end {
                let progress = self.server.feed(&mut self.wire[at..end]).unwrap();
                at += progress.consumed;
                if let Some(Event::Data(range)) = progress.event {
                    received += black_box(range).len();
                }
            }
            receiving += start.elapsed();
            assert_eq!(received, BATCH * self.data.len());
        }
        if self.way == Way::Send { sending } else { receiving }
    }
}

/// One call of the AEAD for each, in place.
struct Raw {
    key: LessSafeKey,
    next: u64,
    wire: Vec<u8>,
    size: usize,
    way: Way,
}

impl Raw {
    fn new(size: usize, way: Way) -> Self {
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[9; 16]).unwrap());
        Self { key, next: 0, wire: vec![5; BATCH * (size + TAG_LEN)], size, way }
    }
}

fn nonce(sequence: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&sequence.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

impl Contender for Raw {
    fn run(&mut self, units: usize) -> Duration {
        let (mut sending, mut receiving) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..units / BATCH {
            let start = Instant::now();
            for (sequence, record) in (self.next..).zip(self.wire.chunks_mut(self.size + TAG_LEN)) {
                let (content, tag) = black_box(record).split_last_chunk_mut::<TAG_LEN>().unwrap();
                let sealed =
                    self.key.seal_in_place_separate_tag(nonce(sequence), Aad::from([23; 5]), content);
                tag.copy_from_slice(sealed.unwrap().as_ref());
            }
            sending += start.elapsed();
            let start = Instant::now();
            for (sequence, record) in (self.next..).zip(self.wire.chunks_mut(self.size + TAG_LEN)) {
                let (content, tag) = black_box(record).split_last_chunk_mut::<TAG_LEN>().unwrap();
                let opened =
                    self.key.open_in_place_separate_tag(nonce(sequence), Aad::from([23; 5]), tag, content);
                opened.unwrap();
            }
            receiving += start.elapsed();
            self.next += BATCH as u64;
        }
        if self.way == Way::Send { sending } else { receiving }
    }
}
