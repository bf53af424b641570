//! Streams over real sockets, blocking and not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use common::*;
use oxtls::{Client, ClientConnection, ErrorKind as TlsKind, HandshakeError, Role, Server, ServerConnection};
use oxtls_std::{Stream, tls_error};

/// Longer than anything here takes: a test that hangs ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two ends of a connection over loopback.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (theirs, _) = listener.accept().unwrap();
    for socket in [&ours, &theirs] {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
    }
    (ours, theirs)
}

type Pair = (Stream<Client, TcpStream>, Stream<Server, TcpStream>);

fn ends_of(client: ClientConnection, server: ServerConnection) -> Pair {
    let (ours, theirs) = sockets();
    (Stream::new(client, ours), Stream::new(server, theirs))
}

/// A client whose server runs `serve` on a thread of its own.
fn with_server<T>(
    serve: impl FnOnce(Stream<Server, TcpStream>) + Send + 'static,
    run: impl FnOnce(Stream<Client, TcpStream>) -> T,
) -> T {
    let (client, server) = ends_of(client(), server());
    let server = thread::spawn(move || serve(server));
    let result = run(client);
    server.join().unwrap();
    result
}

/// Sends everything back until the end, and closes.
fn echo<R: Role>(mut stream: Stream<R, TcpStream>) {
    let mut window = [0; 20_000];
    loop {
        let len = stream.read(&mut window).unwrap();
        if len == 0 {
            return stream.shutdown().unwrap();
        }
        stream.write_all(&window[..len]).unwrap();
    }
}

/// Sends `len` bytes in pieces, each of which must come back, and closes.
fn ask<R: Role>(mut stream: Stream<R, TcpStream>, len: usize) {
    let data = pattern(len);
    let mut back = vec![0; 64 * 1024];
    for piece in data.chunks(back.len()) {
        stream.write_all(piece).unwrap();
        stream.read_exact(&mut back[..piece.len()]).unwrap();
        assert!(back[..piece.len()] == *piece);
    }
    stream.shutdown().unwrap();
    assert_eq!(stream.read(&mut back).unwrap(), 0);
}

const TEN_MIB: usize = 10 * 1024 * 1024;

#[test]
fn a_server_echoes_ten_mib() {
    with_server(echo, |client| ask(client, TEN_MIB));
}

#[test]
fn a_client_echoes_ten_mib() {
    with_server(|server| ask(server, TEN_MIB), echo);
}

/// What one end of a non-blocking exchange has done.
#[derive(Default)]
struct Side {
    sent: usize,
    received: Vec<u8>,
    ended: bool,
    /// How often the socket would have blocked.
    waits: usize,
}

impl Side {
    /// Writes, closes and reads as far as it goes without waiting.
    fn step<R: Role>(&mut self, stream: &mut Stream<R, TcpStream>, data: &[u8]) {
        loop {
            let rest = &data[self.sent..];
            let wrote = if rest.is_empty() { stream.shutdown().map(|()| 0) } else { stream.write(rest) };
            match later(wrote) {
                Some(0) => break,
                Some(len) => self.sent += len,
                None => {
                    self.waits += 1;
                    break;
                }
            }
        }
        let mut window = [0; 10_000];
        while !self.ended {
            let Some(len) = later(stream.read(&mut window)) else { break };
            self.ended = len == 0;
            self.received.extend_from_slice(&window[..len]);
        }
    }
}

#[test]
fn non_blocking_sockets_lose_nothing_in_either_direction() {
    let (mut client, mut server) = ends_of(client(), server());
    client.transport().set_nonblocking(true).unwrap();
    server.transport().set_nonblocking(true).unwrap();
    let (question, answer) = (pattern(TEN_MIB), pattern(TEN_MIB + 4711));
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    let started = Instant::now();
    while !(ours.ended && theirs.ended) {
        assert!(started.elapsed() < PATIENCE, "{} and {} bytes", ours.received.len(), theirs.received.len());
        ours.step(&mut client, &question);
        theirs.step(&mut server, &answer);
    }
    assert!(ours.received == answer && theirs.received == question);
    assert!(ours.waits > 0 && theirs.waits > 0, "the sockets were never full: this has tested nothing");
}

#[test]
fn a_peer_that_closes_its_socket_without_a_word_is_unexpected_eof() {
    with_server(
        |mut server| {
            server.write_all(b"half of a").unwrap();
            server.transport().shutdown(Shutdown::Both).unwrap();
        },
        |mut client| {
            let mut data = Vec::new();
            let error = client.read_to_end(&mut data).unwrap_err();
            assert_eq!(data, b"half of a");
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            let kind = tls_error(&error).unwrap().kind();
            assert!(matches!(kind, TlsKind::Truncated { handshaking: false, inside_record: false }));
        },
    );
}

#[test]
fn half_close_lets_the_other_direction_go_on() {
    with_server(
        |mut server| {
            let mut question = Vec::new();
            server.read_to_end(&mut question).unwrap();
            assert_eq!(question, b"everything?");
            server.write_all(&pattern(1 << 20)).unwrap();
            server.shutdown().unwrap();
        },
        |mut client| {
            client.write_all(b"everything?").unwrap();
            client.shutdown().unwrap();
            // The socket's own half-close tells no more than close_notify did.
            client.transport().shutdown(Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).unwrap();
            assert!(answer == pattern(1 << 20));
        },
    );
}

#[test]
fn a_reset_is_connection_reset() {
    let (tell, told) = channel();
    with_server(
        move |mut server| {
            server.handshake().unwrap();
            tell.send(()).unwrap();
            // Closing a socket that holds bytes nobody has read resets the connection.
            server.transport().peek(&mut [0]).unwrap();
        },
        move |mut client| {
            client.handshake().unwrap();
            told.recv().unwrap();
            client.write_all(b"never read").unwrap();
            let error = client.read(&mut [0; 9]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert!(matches!(tls_error(&error).unwrap().kind(), TlsKind::Reset));
        },
    );
}

#[test]
fn a_deadline_passes_over_a_silent_peer_when_reads_time_out() {
    let patience = Duration::from_millis(200);
    let (ours, _silent) = sockets();
    ours.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut client = Stream::new(client_of(client_config().handshake_timeout(patience)), ours);
    let started = Instant::now();
    let error = loop {
        match client.handshake().unwrap_err() {
            error if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            error => break error,
        }
        assert!(started.elapsed() < PATIENCE);
    };
    assert!(started.elapsed() >= patience);
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let kind = tls_error(&error).unwrap().kind();
    assert!(matches!(kind, TlsKind::Handshake(HandshakeError::DeadlineExceeded)), "{error}");
}

/// The read that outlasts the deadline must say so itself: a caller that gives up at the first timeout is told why.
#[test]
fn a_deadline_that_passes_within_a_read_is_told_at_once() {
    let (_silent, ours) = sockets();
    ours.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let config = server_config().handshake_timeout(Duration::from_millis(20)).build().unwrap();
    let error = Stream::new(ServerConnection::new(&config), ours).handshake().unwrap_err();
    let kind = tls_error(&error).unwrap().kind();
    assert!(matches!(kind, TlsKind::Handshake(HandshakeError::DeadlineExceeded)), "{error}");
}

/// A peer that sends a byte now and then keeps every read from timing out.
#[test]
fn a_deadline_passes_over_a_peer_that_trickles() {
    let (ours, mut theirs) = sockets();
    let config = server_config().handshake_timeout(Duration::from_millis(100)).build().unwrap();
    let trickle = thread::spawn(move || {
        // The beginning of a record that never ends.
        for byte in [22, 3, 1, 2, 0].into_iter().chain(std::iter::repeat_n(1, 500)) {
            if theirs.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the deadline did not pass");
    });
    let error = Stream::new(ServerConnection::new(&config), ours).handshake().unwrap_err();
    let kind = tls_error(&error).unwrap().kind();
    assert!(matches!(kind, TlsKind::Handshake(HandshakeError::DeadlineExceeded)), "{error}");
    trickle.join().unwrap();
}
