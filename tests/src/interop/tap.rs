//! A socket that remembers how its connection began.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// How much of each direction is remembered: more than any handshake of the scenarios.
const REMEMBERED: usize = 1 << 16;

/// The beginning of a connection, as it passed.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// What we sent.
    pub(super) sent: Vec<u8>,
    /// What we received.
    pub(super) received: Vec<u8>,
}

impl Recording {
    /// Records on which a KeyUpdate of TLS 1.3 may have been sent, or received: it has 5 bytes, 22 with content type and
    /// tag, and nothing else in the scenarios that count it has.
    pub(super) fn key_updates(&self, sent: bool) -> usize {
        let mut rest = if sent { self.sent.as_slice() } else { self.received.as_slice() };
        let mut count = 0;
        while let [typ, _, _, high, low, ..] = rest {
            let len = u16::from_be_bytes([*high, *low]);
            count += usize::from((*typ, len) == (23, 22));
            rest = rest.get(5 + usize::from(len)..).unwrap_or_default();
        }
        count
    }
}

/// A socket and how its connection began.
pub(super) struct Tap {
    pub(super) socket: TcpStream,
    pub(super) recording: Recording,
}

impl Tap {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self { socket, recording: Recording::default() }
    }
}

fn remember(memory: &mut Vec<u8>, bytes: &[u8]) {
    let room = REMEMBERED.saturating_sub(memory.len());
    memory.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.socket.read(buffer)?;
        remember(&mut self.recording.received, &buffer[..len]);
        Ok(len)
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.socket.write(bytes)?;
        remember(&mut self.recording.sent, &bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
