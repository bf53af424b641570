//! A connection and its transport.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

use oxtls::{Connection, Error, Event, Need, Role, SealError};

/// What is read from the transport at once, bytes: more than the longest record, so that one call can complete any.
const INPUT: usize = 32 * 1024;

/// What is sealed at once, bytes: a window that stays in the cache.
const OUTPUT: usize = 64 * 1024;

/// Room for what a connection may have to send ahead of data, bytes.
const SPARE: usize = 64;

/// A TLS connection over a transport.
///
/// ```no_run
/// use std::io::{Read, Write};
/// # fn f(config: oxtls::ClientConfig) -> Result<(), Box<dyn std::error::Error>> {
/// let name = oxtls::pki_types::ServerName::try_from("example.com")?;
/// let conn = oxtls::ClientConnection::new(&config, name)?;
/// let mut tls = oxtls_std::Stream::new(conn, std::net::TcpStream::connect("example.com:443")?);
/// tls.write_all(b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")?;
/// let mut page = Vec::new();
/// tls.read_to_end(&mut page)?; // an end without close_notify is an error: UnexpectedEof
/// # Ok(())
/// # }
/// ```
///
/// # Non-blocking transports
/// [`ErrorKind::WouldBlock`] of the transport is handed on and nothing is lost: call again when the transport is
/// ready. A `write` that has sealed its data returns how much, though the transport may not have taken all of it yet;
/// `flush` says when it has.
///
/// # Errors
/// An error of the connection comes as [`ErrorKind::InvalidData`] around an [`oxtls::Error`], after its alert was
/// sent if the transport took it; an end without close_notify as [`ErrorKind::UnexpectedEof`] around one.
pub struct Stream<R: Role, T> {
    connection: Connection<R>,
    transport: T,
    /// Bytes from the transport that no record has used yet: `unread` of `input`.
    input: Vec<u8>,
    unread: Range<usize>,
    /// Plaintext that waits for its reader, in `input`, ahead of `unread`.
    plaintext: Range<usize>,
    /// Records that wait for the transport: `output` from `sent` on.
    output: Vec<u8>,
    sent: usize,
    need: Option<Need>,
}

impl<R: Role, T: Read + Write> Stream<R, T> {
    /// Joins the two. Nothing is sent or received yet.
    pub fn new(connection: Connection<R>, transport: T) -> Self {
        Self {
            connection,
            transport,
            input: Vec::new(),
            unread: 0..0,
            plaintext: 0..0,
            output: Vec::new(),
            sent: 0,
            need: None,
        }
    }

    /// Completes the handshake. The first `read` or `write` does so too.
    ///
    /// # Errors
    /// Those of the transport and of the connection. If the configuration leaves a decision to its caller, an error
    /// around [`NeedWaits`]: take it with [`Stream::take_need`], answer it through [`Stream::connection_mut`], call
    /// again.
    pub fn handshake(&mut self) -> io::Result<()> {
        self.complete_handshake()?;
        self.send_waiting()
    }

    /// Sends close_notify: the peer can tell this end from a cut. Reading may go on until the peer's own.
    ///
    /// # Errors
    /// Those of the transport.
    pub fn shutdown(&mut self) -> io::Result<()> {
        self.connection.close();
        self.send_waiting()?;
        self.transport.flush()
    }

    /// The decision that is the caller's, if one waits.
    pub fn take_need(&mut self) -> Option<Need> {
        self.need.take()
    }

    /// The connection.
    pub fn connection(&self) -> &Connection<R> {
        &self.connection
    }

    /// The connection, to answer a [`Need`], export or update keys. What it then has to send goes out with the next
    /// call here.
    pub fn connection_mut(&mut self) -> &mut Connection<R> {
        &mut self.connection
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport, for its settings. Reading from it or writing to it breaks the session.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The parts: connection, transport, and the bytes that were received and not used, which whoever goes on must
    /// feed first. Plaintext that was not read yet is lost; read it before.
    pub fn into_parts(self) -> (Connection<R>, T, Vec<u8>) {
        let unused = self.input.get(self.unread).unwrap_or_default().to_vec();
        (self.connection, self.transport, unused)
    }

    fn complete_handshake(&mut self) -> io::Result<()> {
        while self.connection.is_handshaking() {
            self.receive()?;
        }
        Ok(())
    }

    /// Receives until something happens; returns `false` at the peer's orderly end.
    fn receive(&mut self) -> io::Result<bool> {
        if self.need.is_some() {
            return Err(io::Error::other(NeedWaits));
        }
        loop {
            // A peer that waits for our flight sends nothing before it has come. Later a transport that is full must
            // not keep us from reading: two peers that only write would wait for each other for ever.
            match self.send_waiting() {
                Err(error) if error.kind() == ErrorKind::WouldBlock && !self.connection.is_handshaking() => {}
                sent => sent?,
            }
            let unread = self.unread.clone();
            let input = self.input.get_mut(unread.clone()).unwrap_or_default();
            let progress = match self.connection.feed(input) {
                Ok(progress) => progress,
                Err(error) => return Err(self.failed(error)),
            };
            self.unread.start = unread.start.saturating_add(progress.consumed);
            match progress.event {
                Some(Event::Data(range)) => {
                    let at = |position: usize| unread.start.saturating_add(position);
                    self.plaintext = at(range.start)..at(range.end);
                    return Ok(true);
                }
                Some(Event::Need(need)) => {
                    self.need = Some(*need);
                    self.send_waiting()?;
                    return Err(io::Error::other(NeedWaits));
                }
                Some(Event::Closed) => return Ok(false),
                Some(Event::HandshakeDone) => return Ok(true),
                Some(_) => {}
                None if progress.consumed == 0 => self.fill()?,
                None => {}
            }
        }
    }

    /// Reads from the transport behind what is there.
    fn fill(&mut self) -> io::Result<()> {
        if self.connection.is_handshaking()
            && let Err(error) = self.connection.check_deadline()
        {
            return Err(self.failed(error));
        }
        self.make_room();
        let room = self.input.get_mut(self.unread.end..).unwrap_or_default();
        match self.transport.read(room) {
            Ok(0) => match self.connection.end_of_input() {
                Ok(()) => Ok(()),
                Err(error) => Err(io::Error::new(ErrorKind::UnexpectedEof, error)),
            },
            Ok(len) => {
                self.unread.end = self.unread.end.saturating_add(len);
                Ok(())
            }
            Err(error) => Err(self.transport_failed(error)),
        }
    }

    /// Moves the beginning of a record to the front, so that the rest of it has room.
    fn make_room(&mut self) {
        if self.input.is_empty() {
            self.input = vec![0; INPUT];
        }
        if self.unread.start > 0 {
            let len = self.unread.len();
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..len;
        }
    }

    /// Gives the transport everything that waits.
    fn send_waiting(&mut self) -> io::Result<()> {
        loop {
            while self.sent < self.output.len() {
                let waiting = self.output.get(self.sent..).unwrap_or_default();
                match self.transport.write(waiting) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(len) => self.sent = self.sent.saturating_add(len),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(self.transport_failed(error)),
                }
            }
            self.output.clear();
            self.sent = 0;
            if !self.connection.wants_transmit() {
                return Ok(());
            }
            self.output.resize(OUTPUT, 0);
            let written = self.connection.transmit(&mut self.output);
            self.output.truncate(written);
            if written == 0 {
                return Ok(());
            }
        }
    }

    /// The connection failed: its alert is sent, as far as the transport takes it.
    fn failed(&mut self, error: Error) -> io::Error {
        let _ = self.send_waiting();
        io::Error::new(ErrorKind::InvalidData, error)
    }

    /// The transport failed, or only cannot go on now.
    fn transport_failed(&mut self, error: io::Error) -> io::Error {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                self.release();
                error
            }
            kind => io::Error::new(kind, Broken { connection: self.connection.reset(), transport: error }),
        }
    }

    /// An idle stream holds no buffers.
    fn release(&mut self) {
        if self.unread.is_empty() && self.plaintext.is_empty() {
            self.input = Vec::new();
            self.unread = 0..0;
        }
        if self.sent >= self.output.len() {
            self.output = Vec::new();
            self.sent = 0;
        }
    }
}

impl<R: Role, T: Read + Write> Read for Stream<R, T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.complete_handshake()?;
        while self.plaintext.is_empty() {
            if !self.receive()? {
                return Ok(0);
            }
        }
        let plaintext = self.input.get(self.plaintext.clone()).unwrap_or_default();
        let len = plaintext.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), plaintext.get(..len)) {
            to.copy_from_slice(from);
        }
        self.plaintext.start = self.plaintext.start.saturating_add(len);
        Ok(len)
    }
}

impl<R: Role, T: Read + Write> Write for Stream<R, T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.handshake()?;
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            // Room for a KeyUpdate that the peer may be owed, too.
            let needed = self.connection.sealed_len(buf.len()).saturating_add(SPARE).min(OUTPUT);
            self.output.resize(needed, 0);
            let sealed = match self.connection.seal(buf, &mut self.output) {
                Ok(sealed) => sealed,
                Err(error) => {
                    self.output.clear();
                    return Err(seal_failed(error));
                }
            };
            self.output.truncate(sealed.written);
            match self.send_waiting() {
                // What was sealed is ours now and goes out with the next call.
                Err(error) if error.kind() == ErrorKind::WouldBlock && sealed.taken > 0 => {}
                sent => sent?,
            }
            if sealed.taken > 0 {
                return Ok(sealed.taken);
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_waiting()?;
        self.transport.flush()
    }
}

impl<R: Role, T: fmt::Debug> fmt::Debug for Stream<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("connection", &self.connection)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

fn seal_failed(error: SealError) -> io::Error {
    let kind = match error {
        SealError::Closed | SealError::Failed => ErrorKind::BrokenPipe,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// The handshake stands still until its caller answers a [`Need`]; see [`Stream::take_need`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedWaits;

impl fmt::Display for NeedWaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handshake waits for a decision of its caller")
    }
}

impl std::error::Error for NeedWaits {}

/// The transport broke, and with it the connection.
#[derive(Debug)]
struct Broken {
    connection: Error,
    transport: io::Error,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.connection, self.transport)
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.transport)
    }
}
