//! `scale-rustls threads|events DIR [THREADS]`: the echo servers of `crates/std-io/examples`, line by line, over rustls.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write, stdin};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::{env, thread};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const STACK: usize = 256 * 1024;
const INPUT: usize = 32 * 1024;
const LISTENER: Token = Token(usize::MAX);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (kind, folder, threads) = match arguments.as_slice() {
        [kind, folder] => (kind, folder, 1),
        [kind, folder, threads] => (kind, folder, threads.parse()?),
        _ => return Err("scale-rustls threads|events DIR [THREADS]".into()),
    };
    let folder = Path::new(folder);
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(folder.join("ecdsa-server.pem"))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(folder.join("ecdsa-server.key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    match kind.as_str() {
        "threads" => drop(thread::spawn(move || threads_serve(listener, config))),
        _ => drop(thread::spawn(move || events_serve(listener, config, threads))),
    }
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn threads_serve(listener: std::net::TcpListener, config: Arc<ServerConfig>) -> io::Result<()> {
    for socket in listener.incoming() {
        let (socket, config) = (socket?, Arc::clone(&config));
        thread::Builder::new().stack_size(STACK).spawn(move || echo(socket, config))?;
    }
    Ok(())
}

fn echo(socket: std::net::TcpStream, config: Arc<ServerConfig>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut tls = StreamOwned::new(connection, socket);
    let mut buffer = [0; 4096];
    loop {
        let len = tls.read(&mut buffer)?;
        if len == 0 {
            tls.conn.send_close_notify();
            return tls.flush();
        }
        tls.write_all(&buffer[..len])?;
        tls.flush()?;
    }
}

fn events_serve(
    listener: std::net::TcpListener,
    config: Arc<ServerConfig>,
    threads: usize,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    for _ in 1..threads {
        let (listener, config) = (listener.try_clone()?, Arc::clone(&config));
        thread::spawn(move || Worker::new(listener, config)?.run());
    }
    Worker::new(listener, config)?.run()
}

struct Worker {
    poll: Poll,
    listener: TcpListener,
    config: Arc<ServerConfig>,
    peers: HashMap<Token, Peer>,
    next: usize,
    window: Vec<u8>,
}

struct Peer {
    socket: TcpStream,
    connection: ServerConnection,
}

impl Worker {
    fn new(listener: std::net::TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::from_std(listener);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self { poll, listener, config, peers: HashMap::new(), next: 0, window: vec![0; INPUT] })
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                } else if let Some(peer) = self.peers.get_mut(&event.token())
                    && !peer.advance(&mut self.window).unwrap_or(false)
                {
                    self.peers.remove(&event.token());
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            socket.set_nodelay(true)?;
            let token = Token(self.next);
            self.next = self.next.wrapping_add(1);
            self.poll.registry().register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
            let connection = ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
            self.peers.insert(token, Peer { socket, connection });
        }
    }
}

impl Peer {
    /// Whether the connection goes on.
    fn advance(&mut self, window: &mut [u8]) -> io::Result<bool> {
        loop {
            if !self.send()? {
                return Ok(true);
            }
            match self.connection.read_tls(&mut self.socket) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let state = match self.connection.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    self.send()?;
                    return Err(io::Error::new(ErrorKind::InvalidData, error));
                }
            };
            let mut waiting = state.plaintext_bytes_to_read();
            while waiting > 0 {
                let len = self.connection.reader().read(window)?;
                self.connection.writer().write_all(&window[..len])?;
                waiting -= len;
            }
            if state.peer_has_closed() {
                self.connection.send_close_notify();
                self.send()?;
                return Ok(false);
            }
        }
    }

    /// Whether nothing is left to send.
    fn send(&mut self) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
