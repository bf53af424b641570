//! What the tests of connections share: certificates made per run, and a wire between two connections.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

pub mod process;

use std::sync::{Arc, LazyLock};

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientAuth, ClientConfig, ClientConfigBuilder, ClientConnection, Connection, Credential, Error, Event,
    KeyAlgorithm, Need, Role, Roots, ServerConfig, ServerConfigBuilder, ServerConnection,
};
use oxtls_test_pki::{Ca, Issued, LeafSpec};

/// The name of the test server.
pub const NAME: &str = "server.test";

/// An authority and what it issued.
pub struct Pki {
    pub roots: Arc<Roots>,
    pub server: Credential,
    pub client: Credential,
    pub ca: Ca,
}

/// Made once a test binary.
pub static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let ca = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).unwrap();
    let credential = |issued: Issued| Credential::new(issued.chain, issued.key).unwrap();
    Pki {
        roots: Arc::new(roots),
        server: credential(ca.issue(LeafSpec::server(NAME))),
        client: credential(ca.issue(LeafSpec::client("client.test").dns("client.test"))),
        ca,
    }
});

pub fn client_config() -> ClientConfigBuilder {
    ClientConfig::builder().roots(Arc::clone(&PKI.roots)).alpn(["a", "b"])
}

pub fn server_config() -> ServerConfigBuilder {
    ServerConfig::builder().credential(PKI.server.clone()).alpn(["b"])
}

/// A server that requires a client certificate.
pub fn mutual_server_config() -> ServerConfigBuilder {
    server_config().client_auth(ClientAuth::Required(Arc::clone(&PKI.roots)))
}

/// A client that has one.
pub fn mutual_client_config() -> ClientConfigBuilder {
    client_config().credential(PKI.client.clone())
}

pub fn client(config: &ClientConfig) -> ClientConnection {
    ClientConnection::new(config, ServerName::try_from(NAME).unwrap()).unwrap()
}

/// Both ends of one connection, not yet joined.
pub fn ends(
    client_config: &ClientConfig,
    server_config: &ServerConfig,
) -> (ClientConnection, ServerConnection) {
    (client(client_config), ServerConnection::new(server_config))
}

/// Both ends after an ordinary handshake.
pub fn connected() -> (ClientConnection, ServerConnection) {
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &server_config().build().unwrap());
    handshake(&mut client, &mut server).unwrap();
    (client, server)
}

/// Everything that waits to be transmitted.
pub fn drain<R: Role>(connection: &mut Connection<R>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut window = [0; 4096];
    loop {
        let len = connection.transmit(&mut window);
        if len == 0 {
            return out;
        }
        out.extend_from_slice(&window[..len]);
    }
}

/// What came out of feeding.
#[derive(Debug, Default)]
pub struct Fed {
    pub data: Vec<u8>,
    pub done: bool,
    pub closed: bool,
    pub wants_reply: bool,
    pub needs: Vec<Need>,
    /// Bytes that were not consumed.
    pub rest: Vec<u8>,
}

/// Feeds all of `bytes`, as far as they are taken.
pub fn feed<R: Role>(connection: &mut Connection<R>, bytes: &[u8]) -> Result<Fed, Error> {
    let mut fed = Fed::default();
    let mut input = bytes.to_vec();
    loop {
        let progress = connection.feed(&mut input)?;
        let stuck = progress.consumed == 0;
        match progress.event {
            Some(Event::Data(range)) => fed.data.extend_from_slice(&input[range]),
            Some(Event::HandshakeDone) => fed.done = true,
            Some(Event::Closed) => fed.closed = true,
            Some(Event::PeerWantsReply) => fed.wants_reply = true,
            Some(Event::Need(need)) => fed.needs.push(*need),
            Some(_) | None => {}
        }
        input.drain(..progress.consumed);
        if stuck || input.is_empty() {
            fed.rest = input;
            return Ok(fed);
        }
    }
}

/// Runs the handshake to its end on both sides, or to the first error, which is handed to neither.
pub fn handshake(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<(), Error> {
    for _ in 0..10 {
        let bytes = drain(client);
        feed(server, &bytes)?;
        let bytes = drain(server);
        feed(client, &bytes)?;
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(());
        }
    }
    panic!("the handshake does not end");
}

/// Seals all of it.
pub fn seal<R: Role>(connection: &mut Connection<R>, plaintext: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = plaintext;
    let mut window = vec![0; 64 * 1024];
    while !rest.is_empty() {
        let sealed = connection.seal(rest, &mut window).unwrap();
        out.extend_from_slice(&window[..sealed.written]);
        rest = &rest[sealed.taken..];
    }
    out
}

/// One connection of these configurations, with its tickets delivered.
pub fn connect(
    client_config: &ClientConfig,
    server_config: &ServerConfig,
) -> (ClientConnection, ServerConnection) {
    let (mut client, mut server) = ends(client_config, server_config);
    handshake(&mut client, &mut server).unwrap();
    deliver(&mut server, &mut client);
    (client, server)
}

/// Moves what waits from one end to the other.
pub fn deliver<A: Role, B: Role>(from: &mut Connection<A>, to: &mut Connection<B>) -> Fed {
    let bytes = drain(from);
    feed(to, &bytes).unwrap()
}

/// Whether a connection is a resumption; both ends must say the same.
#[track_caller]
pub fn is_resumed(ends: &(ClientConnection, ServerConnection)) -> bool {
    let resumed = ends.0.info().unwrap().is_resumed();
    assert_eq!(resumed, ends.1.info().unwrap().is_resumed(), "both ends say the same");
    resumed
}

/// Whether one more connection is a resumption.
#[track_caller]
pub fn resumes(client_config: &ClientConfig, server_config: &ServerConfig) -> bool {
    is_resumed(&connect(client_config, server_config))
}
