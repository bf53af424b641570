//! What the tests of streams share: certificates made per run, and a pipe that can be awkward.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use oxtls::pki_types::ServerName;
use oxtls::{
    Client, ClientAuth, ClientConfig, ClientConfigBuilder, ClientConnection, Credential, KeyAlgorithm, Role,
    Roots, Server, ServerConfig, ServerConfigBuilder, ServerConnection,
};
use oxtls_std::Stream;
use oxtls_test_pki::{Ca, Issued, LeafSpec};

/// The name of the test server.
pub const NAME: &str = "server.test";

/// An authority and what it issued.
pub struct Pki {
    pub roots: Arc<Roots>,
    pub server: Credential,
}

/// Made once a test binary.
pub static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let ca = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
    let credential = |issued: Issued| Credential::new(issued.chain, issued.key).unwrap();
    Pki { roots: Arc::new(roots_of(&ca)), server: credential(ca.issue(LeafSpec::server(NAME))) }
});

pub fn roots_of(ca: &Ca) -> Roots {
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).unwrap();
    roots
}

pub fn client_config() -> ClientConfigBuilder {
    ClientConfig::builder().roots(Arc::clone(&PKI.roots))
}

pub fn server_config() -> ServerConfigBuilder {
    ServerConfig::builder().credential(PKI.server.clone())
}

/// A server that requires a client certificate.
pub fn mutual_server_config() -> ServerConfigBuilder {
    server_config().client_auth(ClientAuth::Required(Arc::clone(&PKI.roots)))
}

pub fn client() -> ClientConnection {
    client_of(client_config())
}

pub fn client_of(config: ClientConfigBuilder) -> ClientConnection {
    ClientConnection::new(&config.build().unwrap(), ServerName::try_from(NAME).unwrap()).unwrap()
}

pub fn server() -> ServerConnection {
    ServerConnection::new(&server_config().build().unwrap())
}

/// One direction between two pipes.
#[derive(Debug, Default)]
pub struct Channel {
    pub bytes: VecDeque<u8>,
    /// How many bytes it holds; a writer that wants more would block.
    pub capacity: Option<usize>,
    /// The reader sees the end behind the bytes.
    pub ended: bool,
    /// What the reader sees behind the bytes.
    pub read_error: Option<ErrorKind>,
    /// What a writer sees at once.
    pub write_error: Option<ErrorKind>,
    /// How often it was flushed.
    pub flushes: usize,
}

/// A transport without a socket: what one writes, its twin reads; where a socket would wait, it would block.
#[derive(Clone, Debug, Default)]
pub struct Pipe {
    pub incoming: Rc<RefCell<Channel>>,
    pub outgoing: Rc<RefCell<Channel>>,
    /// One byte a call, and only every third call does anything: the others are interrupted or would block.
    pub awkward: bool,
    calls: usize,
}

impl Pipe {
    /// Two pipes, joined.
    pub fn pair() -> (Self, Self) {
        let (one, other) = (Rc::default(), Rc::default());
        let pipe = |incoming: &Rc<_>, outgoing: &Rc<_>| Self {
            incoming: Rc::clone(incoming),
            outgoing: Rc::clone(outgoing),
            ..Self::default()
        };
        (pipe(&one, &other), pipe(&other, &one))
    }

    /// What this call may move, bytes.
    fn turn(&mut self, len: usize) -> io::Result<usize> {
        self.calls += 1;
        match self.calls % 3 {
            _ if !self.awkward => Ok(len),
            0 => Ok(len.min(1)),
            1 => Err(ErrorKind::Interrupted.into()),
            _ => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.turn(buf.len())?;
        let mut channel = self.incoming.borrow_mut();
        if channel.bytes.is_empty() {
            return match channel.read_error {
                Some(kind) => Err(kind.into()),
                None if channel.ended => Ok(0),
                None => Err(ErrorKind::WouldBlock.into()),
            };
        }
        channel.bytes.read(&mut buf[..len])
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let len = self.turn(buf.len())?;
        let mut channel = self.outgoing.borrow_mut();
        if let Some(kind) = channel.write_error {
            return Err(kind.into());
        }
        let room = channel.capacity.map_or(len, |capacity| capacity.saturating_sub(channel.bytes.len()));
        if room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = len.min(room);
        channel.bytes.extend(&buf[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outgoing.borrow_mut().flushes += 1;
        Ok(())
    }
}

/// A client and a server over a pipe.
pub type Pair = (Stream<Client, Pipe>, Stream<Server, Pipe>);

/// Two ends over a pipe, before their handshake.
pub fn ends_of(client: ClientConnection, server: ServerConnection) -> Pair {
    let (ours, theirs) = Pipe::pair();
    (Stream::new(client, ours), Stream::new(server, theirs))
}

/// Two ends over a pipe after their handshake.
pub fn connected() -> Pair {
    let (mut client, mut server) = ends_of(client(), server());
    shake_hands(&mut client, &mut server);
    (client, server)
}

/// Runs the handshake of two ends to its end.
pub fn shake_hands<T: Read + Write>(client: &mut Stream<Client, T>, server: &mut Stream<Server, T>) {
    for _ in 0..1_000_000 {
        let done = [later(client.handshake()), later(server.handshake())];
        if done == [Some(()), Some(())] {
            return;
        }
    }
    panic!("the handshake does not end");
}

/// What was done; `None` if it would block.
#[track_caller]
pub fn later<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Reads what there is.
#[track_caller]
pub fn read_some<R: Role, T: Read + Write>(stream: &mut Stream<R, T>) -> Vec<u8> {
    let mut data = Vec::new();
    let mut window = [0; 1000];
    while let Some(len) = later(stream.read(&mut window)) {
        if len == 0 {
            break;
        }
        data.extend_from_slice(&window[..len]);
    }
    data
}

/// Bytes that show when one is lost, doubled or out of place.
pub fn pattern(len: usize) -> Vec<u8> {
    (0_u32..).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).take(len).collect()
}
