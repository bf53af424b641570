//! 130,000 mutants of the plaintext messages of honest handshakes, each handed in where the honest message was due.
//! None may panic, hang, make a machine work without bound, or be accepted in silence: whoever got it never comes to
//! Done, however honestly its peer goes on.
//!
//! Random values, key shares and signatures are fixed, so that a handshake can be recorded once: a mutant needs one
//! machine that is fed the recording up to its place, and the honest peer only if it is not refused at once. Mutants
//! come from numbers: a failure names the one to repeat.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may be blunt"
)]

mod common;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::config::{
    ClientAuth, ClientHandshake, Common, Credential, KeyShares, Randomness, Recorded, ServerHandshake,
};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::step::{Level, Misuse, Transport};
use oxtls_handshake::suite::ProtocolVersion;

use common::short::{TLS12, TLS13};
use common::{Answers, End, Extensions, Hello, Message, Pair, client, credential, server};
use common::{join_extensions, split_extensions};

/// Most outputs of all kinds that one input and the answers after it may lead to.
const MAX_OUTPUTS: usize = 24;

/// Most bytes that an end may send in a handshake; the honest ones stay below 1,000.
const MAX_SENT: usize = 4096;

/// Most keys that an end may hand out.
const MAX_KEYS: usize = 4;

/// What no mutant may take, however slow and busy the machine is: many thousand times what one does take.
const MAX_TIME: Duration = Duration::from_secs(30);

/// The same for all mutants of a test.
const MAX_TOTAL_TIME: Duration = Duration::from_secs(900);

/// Who a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

/// A recorded handshake.
struct Flow {
    kind: Kind,
    messages: Vec<(Role, Message)>,
}

/// Which handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One round trip, no client certificate.
    Full,
    /// A HelloRetryRequest with a cookie, since the first hello has no share.
    Retry,
    /// A client certificate is required.
    Mutual,
    /// TLS 1.2, no client certificate.
    Tls12,
    /// TLS 1.2, and a client certificate is required.
    MutualTls12,
}

impl Kind {
    fn is_tls12(self) -> bool {
        matches!(self, Self::Tls12 | Self::MutualTls12)
    }

    /// The ends, the same ones each time: nothing in them is drawn at random.
    fn ends(self) -> Ends {
        let shared = &*SHARED;
        Ends {
            client: ClientHandshake {
                common: Arc::clone(if self.is_tls12() { &shared.client_tls12 } else { &shared.client }),
                server_name: Some("server.example".to_owned()),
                key_shares: KeyShares::Exactly(match self {
                    Self::Retry => vec![],
                    _ => vec![NamedGroup::X25519],
                }),
                authorities: vec![vec![0x30, 0]],
                ..ClientHandshake::default()
            },
            server: Answers {
                config: Arc::clone(match self {
                    Self::Full | Self::Retry => &shared.server,
                    Self::Mutual => &shared.mutual,
                    Self::Tls12 => &shared.server_tls12,
                    Self::MutualTls12 => &shared.mutual_tls12,
                }),
                cookie: (self == Self::Retry).then(|| b"a cookie of the server".to_vec()),
                credential: Some(Arc::clone(&shared.credential)),
            },
        }
    }

    /// Records the handshake and checks that it is an honest one, and that it is the same each time.
    fn record(self) -> Flow {
        let messages = self.run();
        assert_eq!(messages, self.run(), "{self:?}: something in it is drawn at random");
        Flow { kind: self, messages }
    }

    fn run(self) -> Vec<(Role, Message)> {
        let Ends { client: config, server: answers } = self.ends();
        let mut pair = Pair { client: start_client(config), server: server(Transport::Stream, answers) };
        let mut messages = Vec::new();
        pair.run_with(|to_server, message| {
            let to = if to_server { Role::Server } else { Role::Client };
            messages.push((to, message.clone()));
        });
        assert!(pair.is_done(), "{self:?}");
        for end in [&pair.client, &pair.server] {
            assert!(end.keys.len() <= MAX_KEYS, "{self:?}");
        }
        messages
    }
}

/// What both ends are made of.
struct Ends {
    client: ClientHandshake,
    server: Answers,
}

/// What all handshakes share, so that making a machine is cheap.
struct Shared {
    client: Arc<Common>,
    server: Arc<ServerHandshake>,
    mutual: Arc<ServerHandshake>,
    client_tls12: Arc<Common>,
    server_tls12: Arc<ServerHandshake>,
    mutual_tls12: Arc<ServerHandshake>,
    credential: Arc<Credential>,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let common = |seed: u8, version: ProtocolVersion| {
        Arc::new(Common {
            min_version: version,
            max_version: version,
            suites: defaults::SUITES_TLS12.to_vec(),
            groups: vec![NamedGroup::X25519],
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            record_size_limit: Some(4096),
            randomness: Randomness::Recorded(Recorded {
                random: [seed; 32],
                session_id: vec![seed ^ 0xff; 32],
                private_keys: vec![(NamedGroup::X25519, vec![seed.wrapping_add(1); 32])],
            }),
            ..Common::default()
        })
    };
    let server = |client_auth, version| {
        let authorities =
            vec![vec![0x30, 0], b"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02CA".to_vec()];
        let common = common(0x5e, version);
        Arc::new(ServerHandshake { common, client_auth, authorities, ..ServerHandshake::default() })
    };
    Shared {
        client: common(0xc1, TLS13),
        server: server(ClientAuth::None, TLS13),
        mutual: server(ClientAuth::Required, TLS13),
        client_tls12: common(0xc1, TLS12),
        server_tls12: server(ClientAuth::None, TLS12),
        mutual_tls12: server(ClientAuth::Required, TLS12),
        // Ed25519 signatures of the same message are the same.
        credential: credential(KeyAlgorithm::Ed25519),
    }
});

fn start_client(config: ClientHandshake) -> End {
    client(config, Transport::Stream, Some(Arc::clone(&SHARED.credential)))
}

impl Flow {
    /// The end of this role after all honest messages before the one of this index.
    fn reach(&self, role: Role, index: usize) -> End {
        let Ends { client: config, server: answers } = self.kind.ends();
        let mut end = match role {
            Role::Client => start_client(config),
            Role::Server => server(Transport::Stream, answers),
        };
        end.settle();
        for (_, message) in self.before(index, role) {
            end.give(message);
            end.settle();
        }
        end
    }

    /// The messages to this role before the one of this index.
    fn before(&self, index: usize, role: Role) -> impl Iterator<Item = &(Role, Message)> {
        self.messages[..index].iter().filter(move |(to, _)| *to == role)
    }

    /// Hands `mutant` in in place of the honest message of this index and goes on to the end. Returns how it ended.
    fn survive(&self, index: usize, mutant: &Message, more: bool, what: &dyn Fn() -> String) -> Verdict {
        let (role, honest) = &self.messages[index];
        assert_ne!(mutant, honest);
        let mut attacked = self.reach(*role, index);
        let sent_before = attacked.sent.len();
        let keys_before = attacked.keys.len();
        match attacked.offer(mutant, more) {
            Ok(()) => {}
            Err(Misuse::NotOneMessage) => {
                let length = mutant.bytes.get(1..4).map(|l| u32::from_be_bytes([0, l[0], l[1], l[2]]));
                let right =
                    length.map(|length| usize::try_from(length).unwrap() + 4) == Some(mutant.bytes.len());
                assert!(!right, "{}: one message, and not taken for one", what());
                assert!(attacked.settle().is_empty(), "{}: misuse changes nothing", what());
                return Verdict::Misuse;
            }
            Err(misuse) => panic!("{}: {misuse}", what()),
        }
        let row = attacked.settle();
        assert!(row.len() <= MAX_OUTPUTS, "{}: {row:?}", what());
        if let Some(failure) = &attacked.failure {
            blames_the_peer(&failure.error, what);
            assert!(attacked.sent.len() - sent_before <= 8, "{}: {row:?}", what());
            assert!(attacked.keys.len() - keys_before <= MAX_KEYS, "{}: {row:?}", what());
            return Verdict::AtOnce;
        }
        self.go_on(index, attacked, what);
        Verdict::Later
    }

    /// The mutant was taken. The honest peer goes on, and it must come out.
    fn go_on(&self, index: usize, mut attacked: End, what: &dyn Fn() -> String) {
        let role = self.messages[index].0;
        let other = if role == Role::Client { Role::Server } else { Role::Client };
        let mut peer = self.reach(other, index);
        // What either has sent so far was delivered, but for what the peer sent behind the mutant.
        attacked.sent.drain(..self.before(index, other).count());
        peer.sent.drain(..self.before(index + 1, role).count());
        let mut pair = match role {
            Role::Client => Pair { client: attacked, server: peer },
            Role::Server => Pair { client: peer, server: attacked },
        };
        let (mut deliveries, mut bytes) = (0, 0);
        pair.run_with(|_, message| {
            deliveries += 1;
            bytes += message.bytes.len();
            let bounded = deliveries <= MAX_OUTPUTS && bytes <= MAX_SENT;
            assert!(bounded, "{}: {deliveries} messages of {bytes} bytes", what());
        });
        let (attacked, peer) = match role {
            Role::Client => (&pair.client, &pair.server),
            Role::Server => (&pair.server, &pair.client),
        };
        assert!(attacked.done.is_none(), "{}: accepted in silence", what());
        assert!(attacked.failure.is_some() || peer.failure.is_some(), "{}: neither end has failed", what());
        for end in [attacked, peer] {
            assert!(end.keys.len() <= MAX_KEYS, "{}", what());
            if let Some(failure) = &end.failure {
                blames_the_peer(&failure.error, what);
            }
        }
    }
}

fn blames_the_peer(error: &Error, what: &dyn Fn() -> String) {
    let fault = error.fault();
    assert!(matches!(fault, Fault::Peer | Fault::Incompatible), "{}: {error} is {fault:?}'s fault", what());
}

/// How a mutant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Its length field is wrong: no message at all.
    Misuse,
    /// The machine that got it refused it.
    AtOnce,
    /// It was taken, and an end failed later.
    Later,
}

/// A small generator (xorshift64*), so that a mutant can be repeated from its number.
struct Random(u64);

impl Random {
    fn new(number: u64) -> Self {
        let mut random = Self(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.word();
        random
    }

    fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `bound`; 0 if there is none.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.word()).unwrap() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A piece of `bytes`, mostly a short one.
    fn piece(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.below(bytes.len());
        let most = if self.below(4) == 0 { bytes.len() } else { 12 };
        let len = 1 + self.below(most);
        start..(start + len).min(bytes.len())
    }
}

/// What the mutants of a flow are made from.
struct Mutagen<'a> {
    flow: &'a Flow,
    /// Every extension of every message, to be put where it does not belong.
    extensions: Extensions,
}

/// Every message type there is in TLS 1.3, TLS 1.2 and DTLS, and some that are none.
const TYPES: [u8; 22] = [0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 254, 255];

impl<'a> Mutagen<'a> {
    fn new(flow: &'a Flow) -> Self {
        let mut extensions: Extensions = vec![
            (ExtensionType::EARLY_DATA, vec![]),
            (ExtensionType::PRE_SHARED_KEY, vec![0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32]),
            (ExtensionType::PRE_SHARED_KEY, vec![0, 0]),
            (ExtensionType::COOKIE, vec![0, 1, 7]),
            (ExtensionType(0xfafa), vec![]),
        ];
        for (_, message) in &flow.messages {
            if let Some(block) = block_of(message) {
                extensions.extend(split_extensions(&message.body()[block]));
            }
        }
        Self { flow, extensions }
    }

    /// The mutant of this number: where it goes and what it is. It may be the honest message still.
    fn mutant(&self, number: u64) -> (usize, Message) {
        let index = usize::try_from(number).unwrap() % self.flow.messages.len();
        let mut random = Random::new(number);
        let mut message = self.flow.messages[index].1.clone();
        if random.below(4) == 0 {
            self.splice_extensions(&mut message, &mut random);
        } else {
            for _ in 0..=random.below(3) {
                self.edit(&mut message.bytes, &mut random);
            }
        }
        // Most get a header that fits, or none would get past it.
        if random.below(16) != 0 && message.bytes.len() >= 4 {
            let length = u32::try_from(message.bytes.len() - 4).unwrap().to_be_bytes();
            message.bytes[1..4].copy_from_slice(&length[1..]);
        }
        (index, message)
    }

    /// Changes extensions and puts the block together again with the lengths around it right.
    fn splice_extensions(&self, message: &mut Message, random: &mut Random) {
        let Some(block) = block_of(message) else {
            return self.edit(&mut message.bytes, random);
        };
        let mut extensions = split_extensions(&message.body()[block.clone()]);
        for _ in 0..=random.below(2) {
            let at = random.below(extensions.len() + 1);
            let (typ, data) = random.pick(&self.extensions).clone();
            match random.below(6) {
                0 => extensions.insert(at, (typ, data)),
                1 if at < extensions.len() => extensions[at].1 = data,
                2 if at < extensions.len() => extensions[at].0 = typ,
                3 if at < extensions.len() => drop(extensions.remove(at)),
                4 if at < extensions.len() => {
                    let to = random.below(extensions.len());
                    extensions.swap(at, to);
                }
                _ if at < extensions.len() => self.edit(&mut extensions[at].1, random),
                _ => extensions.push((typ, random.byte().to_be_bytes().to_vec())),
            }
        }
        let mut body = message.body()[..block.start].to_vec();
        body.extend(join_extensions(&extensions));
        body.extend_from_slice(&message.body()[block.end..]);
        *message = message.with_body(&body);
    }

    /// One edit somewhere in `bytes`, which may be empty.
    fn edit(&self, bytes: &mut Vec<u8>, random: &mut Random) {
        let at = random.below(bytes.len());
        let piece = random.piece(bytes);
        match random.below(10) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xfe, 0xff]),
            2 if !bytes.is_empty() => bytes[at] = random.byte(),
            // A length, if one is there, that says more or less than what follows.
            3 if !bytes.is_empty() => {
                bytes[at] = bytes[at].wrapping_add(*random.pick(&[1, 2, 4, 0xff, 0xfe]))
            }
            4 => bytes.truncate(at),
            5 => bytes.extend((0..=random.below(20)).map(|n| u8::try_from(n).unwrap())),
            6 => {
                let copy = bytes[piece.clone()].to_vec();
                bytes.splice(at..at, copy);
            }
            7 => drop(bytes.drain(piece)),
            8 => {
                let len = piece.len().min(bytes.len() - at);
                for n in 0..len {
                    bytes.swap(at + n, piece.start + n);
                }
            }
            // Only at the front is this a message type.
            _ => self.foreign(bytes, random),
        }
    }

    /// Another type, or a piece of another message.
    fn foreign(&self, bytes: &mut Vec<u8>, random: &mut Random) {
        let other = &random.pick(&self.flow.messages).1.bytes;
        match random.below(3) {
            0 if !bytes.is_empty() => bytes[0] = *random.pick(&TYPES),
            1 => *bytes = other.clone(),
            _ => {
                let piece = random.piece(other);
                let at = random.below(bytes.len() + 1);
                let end = (at + random.below(piece.len() + 1)).min(bytes.len());
                bytes.splice(at..end, other[piece].to_vec());
            }
        }
    }
}

/// Where the extension block of a message lies in its body, its length included; none if it has none.
fn block_of(message: &Message) -> Option<Range<usize>> {
    let body = message.body();
    match message.typ() {
        HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO => {
            let len = join_extensions(&Hello::of(message).extensions).len();
            Some(body.len() - len..body.len())
        }
        HandshakeType::ENCRYPTED_EXTENSIONS => Some(0..body.len()),
        // TLS 1.2's is in the clear and has none.
        HandshakeType::CERTIFICATE_REQUEST if message.level == Level::Handshake => {
            Some(1 + usize::from(body[0])..body.len())
        }
        _ => None,
    }
}

/// Tries this many mutants of a handshake, and says which one does not come to an end.
fn try_mutants(kind: Kind, count: u64) {
    let number = Arc::new(AtomicU64::new(0));
    let worker = {
        let number = Arc::clone(&number);
        thread::spawn(move || work(kind, count, &number))
    };
    let (mut at, mut since) = (0, Instant::now());
    while !worker.is_finished() {
        thread::sleep(Duration::from_millis(20));
        let now_at = number.load(Ordering::Relaxed);
        if now_at != at {
            (at, since) = (now_at, Instant::now());
        }
        assert!(since.elapsed() < MAX_TIME, "{kind:?}: mutant {at} does not come to an end");
    }
    if let Err(panic) = worker.join() {
        resume_unwind(panic);
    }
}

fn work(kind: Kind, count: u64, progress: &AtomicU64) {
    let flow = kind.record();
    let mutagen = Mutagen::new(&flow);
    let started = Instant::now();
    let mut tally: BTreeMap<Verdict, u64> = BTreeMap::new();
    let mut tried = 0;
    for number in 0.. {
        if tried == count {
            break;
        }
        progress.store(number, Ordering::Relaxed);
        let (index, mutant) = mutagen.mutant(number);
        // A ChangeCipherSpec is no message, and has no mutants.
        let honest = &flow.messages[index].1;
        if mutant == *honest || *honest == Message::change_cipher_spec() {
            continue;
        }
        tried += 1;
        let what = || {
            format!("{kind:?}, mutant {number} of {}: {:02x?}", flow.messages[index].1.name(), mutant.bytes)
        };
        let verdict = flow.survive(index, &mutant, number % 32 == 31, &what);
        assert!(started.elapsed() < MAX_TOTAL_TIME, "{tried} mutants took {:?}", started.elapsed());
        *tally.entry(verdict).or_default() += 1;
    }
    println!("{kind:?}: {tried} mutants in {:?}: {tally:?}", started.elapsed());
    // Mutants that are all refused at the first byte, or none of which is, would test nothing.
    for verdict in [Verdict::Misuse, Verdict::AtOnce, Verdict::Later] {
        let share = tally.get(&verdict).copied().unwrap_or_default();
        assert!(share * 100 >= tried, "{verdict:?}: only {share} of {tried}");
    }
}

// 130,000 in all; each test runs on a thread of its own.

#[test]
fn mutants_of_a_full_handshake_are_never_accepted() {
    try_mutants(Kind::Full, 40_000);
}

#[test]
fn mutants_of_a_handshake_with_retry_are_never_accepted() {
    try_mutants(Kind::Retry, 30_000);
}

#[test]
fn mutants_of_a_handshake_with_client_authentication_are_never_accepted() {
    try_mutants(Kind::Mutual, 30_000);
}

#[test]
fn mutants_of_a_tls12_handshake_are_never_accepted() {
    try_mutants(Kind::Tls12, 15_000);
}

#[test]
fn mutants_of_a_tls12_handshake_with_client_authentication_are_never_accepted() {
    try_mutants(Kind::MutualTls12, 15_000);
}
