//! An echo server over non-blocking sockets and an event loop, on `oxtls` alone: how a transport of one's own feeds a
//! connection and sends what it has to send.
//!
//! A connection that waits holds no buffer: what is read and what is sealed passes through two windows of its thread, and
//! only the beginning of a record, or what a full socket has not taken, is put aside. Connections that stay silent rest
//! (`Connection::rest`).
//!
//! `cargo run -p oxtls-std --example events` shows that it works; `cargo xtask scale` gives it 10,000 connections.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod common;

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;
use std::{mem, thread};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use oxtls::{Event, ServerConfig, ServerConnection};

/// What is read at once: more than the longest record.
const INPUT: usize = 32 * 1024;

/// What is sealed at once: what was read, as records.
const OUTPUT: usize = 64 * 1024;

/// How long nothing must happen at all before connections are put to rest.
const QUIET: Duration = Duration::from_millis(200);

const LISTENER: Token = Token(usize::MAX);

fn main() -> Result<(), Box<dyn Error>> {
    common::run(serve)
}

/// Every thread has a loop, and all take connections from one listener; they share the configuration and nothing else.
fn serve(listener: std::net::TcpListener, config: ServerConfig, threads: usize) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    for _ in 1..threads {
        let (listener, config) = (listener.try_clone()?, config.clone());
        thread::spawn(move || Worker::new(listener, config)?.run());
    }
    Worker::new(listener, config)?.run()
}

struct Worker {
    poll: Poll,
    listener: TcpListener,
    config: ServerConfig,
    peers: HashMap<Token, Peer>,
    next: usize,
    windows: Windows,
}

/// The buffers of one thread, for all its connections.
struct Windows {
    input: Vec<u8>,
    output: Vec<u8>,
}

/// One connection.
struct Peer {
    socket: TcpStream,
    connection: ServerConnection,
    /// The beginning of a record, the rest of which has not come.
    begun: Vec<u8>,
    /// Records that the socket has not taken.
    unsent: Vec<u8>,
    /// Something came since it was put to rest.
    awake: bool,
}

/// What became of a connection.
#[derive(PartialEq, Eq)]
enum Outcome {
    /// It waits for its socket.
    Waits,
    Ended,
}

impl Worker {
    fn new(listener: std::net::TcpListener, config: ServerConfig) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::from_std(listener);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let windows = Windows { input: vec![0; INPUT], output: vec![0; OUTPUT] };
        Ok(Self { poll, listener, config, peers: HashMap::new(), next: 0, windows })
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, Some(QUIET)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            if events.is_empty() {
                self.peers.values_mut().for_each(Peer::rest);
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                } else {
                    self.advance(event.token());
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
            let connection = ServerConnection::new(&self.config);
            let peer = Peer { socket, connection, begun: Vec::new(), unsent: Vec::new(), awake: true };
            self.peers.insert(token, peer);
        }
    }

    fn advance(&mut self, token: Token) {
        let Some(peer) = self.peers.get_mut(&token) else { return };
        match peer.advance(&mut self.windows) {
            Ok(Outcome::Waits) => {}
            // An error has been told to the peer, as far as its socket took that.
            Ok(Outcome::Ended) | Err(_) => {
                self.peers.remove(&token);
            }
        }
    }
}

impl Peer {
    /// Goes on until the socket has nothing more, or takes no more: it says when that has changed.
    fn advance(&mut self, windows: &mut Windows) -> io::Result<Outcome> {
        self.awake = true;
        loop {
            if !self.send_unsent()? {
                return Ok(Outcome::Waits);
            }
            let kept = self.begun.len();
            for (to, from) in windows.input.iter_mut().zip(&self.begun) {
                *to = *from;
            }
            let len = match self.socket.read(windows.input.get_mut(kept..).unwrap_or_default()) {
                Ok(0) => {
                    let _ = self.connection.end_of_input();
                    return Ok(Outcome::Ended);
                }
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Outcome::Waits),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.begun = Vec::new();
            let Windows { input, output } = windows;
            let input = input.get_mut(..kept.saturating_add(len)).unwrap_or_default();
            if self.receive(input, output)? == Outcome::Ended {
                return Ok(Outcome::Ended);
            }
        }
    }

    /// Feeds what came, answers it, and puts aside what is no whole record.
    fn receive(&mut self, mut input: &mut [u8], output: &mut [u8]) -> io::Result<Outcome> {
        loop {
            let progress = match self.connection.feed(input) {
                Ok(progress) => progress,
                Err(error) => {
                    // The alert that says why.
                    self.transmit(output)?;
                    return Err(io::Error::new(ErrorKind::InvalidData, error));
                }
            };
            let (done, rest) = input.split_at_mut_checked(progress.consumed).unwrap_or_default();
            match progress.event {
                Some(Event::Data(range)) => self.send(done.get(range).unwrap_or_default(), output)?,
                Some(Event::Closed) => {
                    self.connection.close();
                    self.transmit(output)?;
                    return Ok(Outcome::Ended);
                }
                // Who only echoes has no use for what the handshake came to.
                Some(Event::HandshakeDone) => drop(self.connection.take_info()),
                _ if progress.consumed == 0 => {
                    self.transmit(output)?;
                    self.begun = rest.to_vec();
                    return Ok(Outcome::Waits);
                }
                _ => {}
            }
            input = rest;
        }
    }

    fn send(&mut self, mut data: &[u8], output: &mut [u8]) -> io::Result<()> {
        while !data.is_empty() {
            let sealed = self.connection.seal(data, output).map_err(io::Error::other)?;
            self.write(output.get(..sealed.written).unwrap_or_default())?;
            data = data.get(sealed.taken..).unwrap_or_default();
        }
        Ok(())
    }

    fn transmit(&mut self, output: &mut [u8]) -> io::Result<()> {
        while self.connection.wants_transmit() {
            let written = self.connection.transmit(output);
            self.write(output.get(..written).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Writes what the socket takes and keeps the rest, which is no more than was read at once makes.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.unsent.is_empty() && !bytes.is_empty() {
            match self.socket.write(bytes) {
                Ok(len) => bytes = bytes.get(len..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.unsent.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether nothing is left to send. Nothing is read before that: a peer that does not read is not served.
    fn send_unsent(&mut self) -> io::Result<bool> {
        let unsent = mem::take(&mut self.unsent);
        self.write(&unsent)?;
        Ok(self.unsent.is_empty())
    }

    fn rest(&mut self) {
        if mem::take(&mut self.awake) {
            self.connection.rest();
        }
    }
}
