//! One mutual-TLS session between two threads over loopback TCP.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use oxtls::pki_types::ServerName;
use oxtls::{
    CipherSuite, ClientConfig, ClientConnection, Info, NamedGroup, PeerIdentity, ProtocolVersion,
    ServerConfig, ServerConnection,
};
use oxtls_std::Stream;

use crate::demo::pki::{CLIENT_NAME, Pki, SERVER_NAME};

/// How long a socket may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a session has shown.
pub(crate) struct Session {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: CipherSuite,
    pub(crate) group: String,
    pub(crate) alpn: String,
    pub(crate) server: String,
    pub(crate) client: String,
    pub(crate) up: usize,
    pub(crate) down: usize,
    pub(crate) handshake: Duration,
}

/// An error that another thread can hand over.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Runs a session of this version, suite and group, `payload` bytes each way, and checks what both sides say of it.
pub(crate) fn run(
    pki: &Pki,
    version: ProtocolVersion,
    suite: CipherSuite,
    group: NamedGroup,
    payload: usize,
) -> Result<Session, Box<dyn Error>> {
    let mut offered = vec![group];
    if version == ProtocolVersion::TLS1_2 && group != NamedGroup::SECP256R1 {
        // There a client's groups are also the curves that it takes certificates on (RFC 8422 section 5.1).
        offered.push(NamedGroup::SECP256R1);
    }
    let server = pki.server_config().suites(&[suite]).groups(&[group]).build()?;
    let client = pki.client_config().suites(&[suite]).groups(&offered).build()?;
    let (served, connected) =
        both(&server, &client, SERVER_NAME, |tls| serve(tls, payload), |tls| connect(tls, payload));
    let (client_identity, received) = served.map_err(|error| error as Box<dyn Error>)?;
    let session = connected.map_err(|error| error as Box<dyn Error>)?;
    let agreed = session.version == version && session.suite == suite && session.group == group.to_string();
    if !agreed
        || session.server != SERVER_NAME
        || client_identity != CLIENT_NAME
        || received != payload
        || session.down != payload
    {
        return Err(format!("a {version} session with {suite} and {group} did not end as configured").into());
    }
    Ok(Session { client: client_identity, ..session })
}

/// A server and a client, each in its own thread, on a socket pair of loopback TCP.
pub(crate) fn both<S: Send, C>(
    server: &ServerConfig,
    client: &ClientConfig,
    name: &'static str,
    serve: impl FnOnce(&mut Stream<oxtls::Server, TcpStream>) -> Result<S, Failure> + Send,
    connect: impl FnOnce(&mut Stream<oxtls::Client, TcpStream>) -> Result<C, Failure>,
) -> (Result<S, Failure>, Result<C, Failure>) {
    let (near, far) = match socket_pair() {
        Ok(pair) => pair,
        Err(error) => return (Err(error.to_string().into()), Err(error.into())),
    };
    thread::scope(|scope| {
        let server = scope.spawn(move || serve(&mut Stream::new(ServerConnection::new(server), far)));
        let connected = ServerName::try_from(name)
            .map_err(Failure::from)
            .and_then(|name| Ok(ClientConnection::new(client, name)?))
            .and_then(|connection| connect(&mut Stream::new(connection, near)));
        let served = server.join().unwrap_or_else(|_| Err("the server's thread has panicked".into()));
        (served, connected)
    })
}

fn socket_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for socket in [&near, &far] {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
    }
    Ok((near, far))
}

/// Reads so much, sends as much back, each byte inverted, and reads to the client's close_notify: in TLS 1.2 whoever gets
/// one sends nothing more.
fn serve(tls: &mut Stream<oxtls::Server, TcpStream>, payload: usize) -> Result<(String, usize), Failure> {
    let mut received = vec![0; payload];
    tls.read_exact(&mut received)?;
    for byte in &mut received {
        *byte = !*byte;
    }
    tls.write_all(&received)?;
    tls.read_to_end(&mut received)?;
    tls.shutdown()?;
    let identity = tls.connection().info().and_then(Info::peer_identity).map(name_of).unwrap_or_default();
    Ok((identity, received.len()))
}

/// Sends, reads as much, closes its side, and reads to the server's close_notify.
fn connect(tls: &mut Stream<oxtls::Client, TcpStream>, payload: usize) -> Result<Session, Failure> {
    let started = Instant::now();
    tls.handshake()?;
    let handshake = started.elapsed();
    let sent: Vec<u8> = (0..=250).cycle().take(payload).collect();
    tls.write_all(&sent)?;
    let mut received = vec![0; payload];
    tls.read_exact(&mut received)?;
    tls.shutdown()?;
    tls.read_to_end(&mut received)?;
    if received.iter().map(|byte| !byte).ne(sent.iter().copied()) {
        return Err("the bytes that came back are not those that were sent".into());
    }
    let info = tls.connection().info().ok_or("a connection without a handshake")?;
    Ok(Session {
        version: info.version(),
        suite: info.suite(),
        group: info.group().map(|group| group.to_string()).unwrap_or_default(),
        alpn: String::from_utf8_lossy(info.alpn().unwrap_or_default()).into_owned(),
        server: info.peer_identity().map(name_of).unwrap_or_default(),
        client: String::new(),
        up: sent.len(),
        down: received.len(),
        handshake,
    })
}

/// What a person calls this peer: its first DNS name.
fn name_of(identity: &PeerIdentity) -> String {
    identity.dns_names().next().map_or_else(|| identity.subject(), str::to_owned)
}
