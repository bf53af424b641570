//! Our side of a scenario: a session of `oxtls` over `oxtls-std` and a socket with time limits.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientAuth, ClientConfig, ClientConnection, ClientSession, Credential, Decision, KeyShares, Need,
    ReplayGuard, Role, Roots, ServerConfig, ServerConnection, SessionStore, TicketKeys,
};
use oxtls_std::Stream;

use super::Error;
use super::early::MOST;
use super::spec::{Compression, Obstacle, Resumption, Spec};
use super::tap::Tap;

/// How long one read or write on a socket may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a peer may take until it listens.
const STARTING: Duration = Duration::from_secs(20);

/// Ports for peers that listen: below those that the system gives away by itself, so that no connection of a scenario
/// that runs beside this one has it by the time the peer takes it.
const PORTS: Range<u32> = 10_000..32_000;

/// A free port of the loopback interface, and none that was given out before.
pub(super) fn free_address() -> Result<SocketAddr, Error> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    for _ in PORTS {
        // Runs beside this one begin elsewhere.
        let number = process::id().wrapping_mul(500).wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(PORTS.start + number % (PORTS.end - PORTS.start))?;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Ok(listener.local_addr()?);
        }
    }
    Err("no port is free".into())
}

/// A client of this configuration, connected to a server that may still be starting.
pub(super) fn client(
    spec: &Spec,
    config: &ClientConfig,
    to: SocketAddr,
) -> Result<Stream<oxtls::Client, Tap>, Error> {
    let connection = ClientConnection::new(config, ServerName::try_from(spec.asked)?)?;
    Ok(Stream::new(connection, socket(connect(to, Instant::now() + STARTING)?)?))
}

/// The same with a session that was handed out before.
pub(super) fn client_with_session(
    spec: &Spec,
    config: &ClientConfig,
    to: SocketAddr,
    session: &[u8],
) -> Result<Stream<oxtls::Client, Tap>, Error> {
    let session = ClientSession::from_bytes(session)?;
    let connection = ClientConnection::with_session(config, ServerName::try_from(spec.asked)?, session)?;
    Ok(Stream::new(connection, socket(connect(to, Instant::now() + STARTING)?)?))
}

/// A server of this configuration, on a connection that came in at `listener`.
pub(super) fn server(
    spec: &Spec,
    config: &ServerConfig,
    listener: &TcpListener,
) -> Result<Stream<oxtls::Server, Tap>, Error> {
    let socket = socket(accept(listener, Instant::now() + STARTING)?)?;
    let mut stream = Stream::new(ServerConnection::new(config), socket);
    if spec.server.cookie {
        demand_cookie(&mut stream, config)?;
    }
    Ok(stream)
}

/// Runs the handshake up to the first ClientHello and answers it with a HelloRetryRequest that bears a cookie.
fn demand_cookie(stream: &mut Stream<oxtls::Server, Tap>, config: &ServerConfig) -> Result<(), Error> {
    // It stops at the decision which configuration to use.
    let stopped = stream.handshake();
    let Some(Need::ChooseConfig(token)) = stream.take_need() else {
        return Err(format!("the server did not ask for its configuration: {stopped:?}").into());
    };
    stream.connection_mut().answer_config(token, config, Some(b"reachable".to_vec()))?;
    Ok(())
}

/// A client as the scenario wants it.
pub(super) fn client_config(spec: &Spec, certificates: &Path) -> Result<ClientConfig, Error> {
    let side = &spec.client;
    let (lowest, highest) = side.versions;
    let mut builder = ClientConfig::builder().versions(lowest, highest).key_log(true).alpn(side.alpn);
    builder = builder.compatibility_mode(!side.plain);
    builder =
        builder.request_ocsp(side.ocsp).certificate_compression(side.compression.map(Compression::ours));
    builder = builder.tls12_tickets(spec.resumption == Some(Resumption::Ticket));
    if let Some(early) = spec.early {
        builder = builder.early_data(true);
        if early.obstacle == Some(Obstacle::Replayed) {
            builder = builder.hand_out_sessions();
        }
    }
    if let Some(authority) = side.trusts {
        builder = builder.roots(roots(authority, certificates)?);
    }
    for identity in [side.identity, side.second_identity].into_iter().flatten() {
        builder = builder.credential(credential(identity, certificates)?);
    }
    if !side.suites.is_empty() {
        builder = builder.suites(side.suites);
    }
    if !side.groups.is_empty() {
        builder = builder.groups(side.groups);
    }
    if !side.schemes.is_empty() {
        builder = builder.verify_schemes(side.schemes);
    }
    if !side.shares.is_empty() {
        builder = builder.key_shares(KeyShares::Exactly(side.shares.to_vec()));
    }
    Ok(builder.build()?)
}

/// How a server resumes sessions: what its configurations share.
fn resumption(spec: &Spec) -> Option<oxtls::Resumption> {
    Some(match spec.resumption? {
        Resumption::Identifier => oxtls::Resumption::stored(SessionStore::new(16)),
        Resumption::Ticket => oxtls::Resumption::tickets(TicketKeys::rotating()).tls12_tickets(true),
    })
}

/// The configurations of a server for the first connection, and for those that follow.
pub(super) fn server_configs(spec: &Spec, certificates: &Path) -> Result<[ServerConfig; 2], Error> {
    let plain = resumption(spec);
    let guarded = match (plain.clone(), spec.early) {
        (Some(plain), Some(_)) => Some(plain.early_data(ReplayGuard::new(100)?, MOST)),
        (plain, _) => plain,
    };
    let mut later = *spec;
    let obstacle = spec.early.and_then(|early| early.obstacle);
    if let Some(Obstacle::Protocol(alpn)) = obstacle {
        later.server.alpn = alpn;
    }
    let resumption = if obstacle == Some(Obstacle::NoGuard) { plain } else { guarded.clone() };
    Ok([server_config(spec, certificates, guarded)?, server_config(&later, certificates, resumption)?])
}

/// A server as the scenario wants it.
fn server_config(
    spec: &Spec,
    certificates: &Path,
    resumption: Option<oxtls::Resumption>,
) -> Result<ServerConfig, Error> {
    let side = &spec.server;
    let (lowest, highest) = side.versions;
    let mut builder = ServerConfig::builder().versions(lowest, highest).key_log(true).alpn(side.alpn);
    for identity in [side.identity, side.second_identity].into_iter().flatten() {
        let credential = credential(identity, certificates)?;
        builder = builder.credential(match side.ocsp {
            true => credential.with_ocsp(ocsp_response(identity, certificates)?),
            false => credential,
        });
    }
    builder = builder.certificate_compression(side.compression.map(Compression::ours));
    if let Some(resumption) = resumption {
        builder = builder.resumption(resumption);
    }
    if side.cookie {
        builder = builder.ask(&[Decision::ChooseConfig]);
    }
    if !side.schemes.is_empty() {
        builder = builder.verify_schemes(side.schemes);
    }
    if let Some(authority) = side.trusts {
        let roots = Arc::new(roots(authority, certificates)?);
        builder = builder.client_auth(if spec.certificate_optional {
            ClientAuth::Optional(roots)
        } else {
            ClientAuth::Required(roots)
        });
    }
    if !side.suites.is_empty() {
        builder = builder.suites(side.suites);
    }
    if !side.groups.is_empty() {
        builder = builder.groups(side.groups);
    }
    Ok(builder.build()?)
}

fn credential(identity: &str, certificates: &Path) -> Result<Credential, Error> {
    let file = |ending| certificates.join(format!("{identity}.{ending}"));
    Ok(Credential::from_pem_files(file("pem"), file("key"))?)
}

/// The response that is stapled to this certificate.
pub(super) fn ocsp_response(identity: &str, certificates: &Path) -> Result<Vec<u8>, Error> {
    Ok(fs::read(certificates.join(format!("{identity}.ocsp")))?)
}

fn roots(authority: &str, certificates: &Path) -> Result<Roots, Error> {
    let mut roots = Roots::empty();
    roots.add_pem_file(certificates.join(format!("{authority}.pem")))?;
    Ok(roots)
}

/// Connects to a server that may still be starting.
pub(super) fn connect(to: SocketAddr, deadline: Instant) -> Result<TcpStream, Error> {
    loop {
        match TcpStream::connect(to) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => return Err(error.into()),
            Err(error) if Instant::now() >= deadline => {
                return Err(format!("no server at {to}: {error}").into());
            }
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Waits for a client.
pub(super) fn accept(listener: &TcpListener, deadline: Instant) -> Result<TcpStream, Error> {
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
            Err(_) if Instant::now() >= deadline => return Err("the peer did not connect in time".into()),
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn socket(stream: TcpStream) -> Result<Tap, Error> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(Tap::new(stream))
}

/// What our connection ended with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The peer's close_notify.
    Closed,
    /// The transport's end without one.
    Truncated,
    /// A fatal alert of ours.
    AlertSent(u8),
    /// A fatal alert of the peer's.
    AlertReceived(u8),
    /// Something else.
    Other(String),
}

/// All that comes until the connection ends well.
pub(super) fn receive_all<R: Role>(stream: &mut Stream<R, Tap>) -> Result<Vec<u8>, Error> {
    let mut data = Vec::new();
    stream.read_to_end(&mut data)?;
    Ok(data)
}

/// Waits for a refusal of either side: how our connection ends, and what it says of that.
pub(super) fn refused<R: Role>(stream: &mut Stream<R, Tap>) -> (End, String) {
    match stream.handshake().and_then(|()| stream.read(&mut [0])) {
        Ok(0) => (End::Closed, String::new()),
        Ok(_) => (End::Other("data instead of an end".into()), String::new()),
        Err(error) => (end_of(&error), error.to_string()),
    }
}

/// Reads until the connection ends; data before that is an error of the scenario.
pub(super) fn end<R: Role>(stream: &mut Stream<R, Tap>) -> End {
    refused(stream).0
}

fn end_of(error: &io::Error) -> End {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<oxtls::Error>());
    match cause {
        Some(cause) => match (cause.alert_sent(), cause.alert_received()) {
            (Some(alert), None) => End::AlertSent(alert.0),
            (None, Some(alert)) => End::AlertReceived(alert.0),
            _ if matches!(cause.kind(), oxtls::ErrorKind::Truncated { handshaking: false, .. }) => {
                End::Truncated
            }
            _ => End::Other(error.to_string()),
        },
        None => End::Other(error.to_string()),
    }
}

/// Sends all of `data`, changing keys half-way if `update_keys`.
pub(super) fn send<R: Role>(
    stream: &mut Stream<R, Tap>,
    data: &[u8],
    update_keys: bool,
) -> Result<(), Error> {
    let (first, second) = data.split_at(data.len() / 2);
    stream.write_all(first)?;
    if update_keys {
        stream.connection_mut().update_keys(true)?;
    }
    stream.write_all(second)?;
    Ok(stream.flush()?)
}

/// Receives `len` bytes.
pub(super) fn receive<R: Role>(stream: &mut Stream<R, Tap>, len: usize) -> Result<Vec<u8>, Error> {
    let mut data = vec![0; len];
    stream.read_exact(&mut data)?;
    Ok(data)
}

/// Says on the transport's level that no more comes, so that a peer that waits for that ends.
pub(super) fn hang_up<R: Role>(stream: &Stream<R, Tap>) {
    // Fails when the peer has gone already.
    let _ = stream.transport().socket.shutdown(Shutdown::Write);
}
