//! A connection and its transport.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::ops::Range;

use oxtls::{Connection, Error, Event, Need, Role, Sealed};

use crate::early::EarlyDataWaits;
#[cfg(doc)]
use crate::early::{EarlyDataLost, EarlyDataUnsettled};
use crate::error::{Broken, NeedWaits, is_for_now, is_gone, seal_failed};

/// What is read from the transport at once, bytes: more than the longest record, so that one call can complete any.
const INPUT: usize = 32 * 1024;

/// What is read at first, bytes: a transport that fills it gets [`INPUT`], and one that seldom has much does with this.
const FIRST_INPUT: usize = 4 * 1024;

/// What is sealed at once, bytes: four full records (2^14 of content, 5 of header, 17 of content type and tag), which
/// stay in the cache and take a `write` of 64 KiB whole.
const OUTPUT: usize = 4 * ((1 << 14) + 22);

/// Room for a flight of the handshake or what else a connection has to send by itself, bytes: most fit.
const FLIGHT: usize = 8 * 1024;

/// What a stream that waits for its transport may hold on to of its room for output, bytes.
const IDLE_OUTPUT: usize = 1024;

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
/// [`ErrorKind::WouldBlock`] of the transport is handed on and nothing is lost: call again when the transport can be
/// read or, if [`wants_write`](Self::wants_write), written. A `write` that has sealed its data returns how much,
/// though the transport may not have taken all of it yet; `flush` says when it has.
///
/// # The handshake's deadline
/// It is looked at before and after each read of the transport, so a blocking transport needs a read timeout of its
/// own for a peer that says nothing at all.
///
/// # Errors
/// An error of the connection comes as [`ErrorKind::InvalidData`] around an [`oxtls::Error`], after its alert was
/// sent if the transport took it; an end without close_notify as [`ErrorKind::UnexpectedEof`] around one; a transport
/// that broke while reading with its own kind, the connection and the transport's error both inside.
/// [`tls_error`](crate::tls_error) finds the [`oxtls::Error`] in each. A transport that takes no more bytes is an error of writing alone: what the
/// peer said before can still be read, such as the alert that tells why.
pub struct Stream<R: Role, T> {
    connection: Connection<R>,
    transport: T,
    /// Bytes from the transport that no record has used yet: `unread` of `input`.
    input: Vec<u8>,
    unread: Range<usize>,
    /// Plaintext that waits for its reader, in `input`, ahead of `unread`.
    plaintext: Range<usize>,
    /// Records that wait for the transport: `unsent` of `output`.
    output: Vec<u8>,
    unsent: Range<usize>,
    /// The transport has taken bytes that it may hold back until it is flushed.
    unflushed: bool,
    /// The transport takes no more.
    broken: Option<ErrorKind>,
    need: Option<Box<Need>>,
    /// Early data that waits for its reader, no more than the configuration takes.
    pub(crate) early: Vec<u8>,
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
            unsent: 0..0,
            unflushed: false,
            broken: None,
            need: None,
            early: Vec::new(),
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
        if self.connection.has_failed()
            && let Err(error) = self.connection.feed(&mut [])
        {
            return Err(self.failed(error));
        }
        self.flush()
    }

    /// Sends close_notify: the peer can tell this end from a cut. Reading may go on until the peer's own. During the
    /// handshake this cancels it: early data that was written may have come to nothing then.
    ///
    /// # Errors
    /// Those of the transport. [`EarlyDataLost`], or [`EarlyDataUnsettled`] where the handshake has not come so far, with
    /// close_notify sent all the same.
    pub fn shutdown(&mut self) -> io::Result<()> {
        self.connection.close();
        self.flush()?;
        self.check_early_data()?;
        self.check_settled()
    }

    /// Whether bytes wait that the transport has not taken: on a non-blocking one, wait until it can be written.
    pub fn wants_write(&self) -> bool {
        !self.unsent.is_empty() || self.connection.wants_transmit()
    }

    /// The decision that is the caller's, if one waits.
    pub fn take_need(&mut self) -> Option<Need> {
        self.need.take().map(|need| *need)
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

    /// The parts: connection, transport, and the bytes that were received and not used: records that whoever goes on
    /// must feed first or, behind the peer's close_notify, what the peer says without TLS. Plaintext that was not read
    /// and records that the transport has not taken are lost: read, and flush, before.
    pub fn into_parts(self) -> (Connection<R>, T, Vec<u8>) {
        let unused = self.input.get(self.unread).unwrap_or_default().to_vec();
        (self.connection, self.transport, unused)
    }

    pub(crate) fn complete_handshake(&mut self) -> io::Result<()> {
        while self.connection.is_handshaking() {
            self.receive()?;
        }
        Ok(())
    }

    /// Receives until something happens; returns `false` at the peer's orderly end.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        loop {
            match self.step()? {
                Step::Nothing => {}
                Step::Something => return Ok(true),
                Step::End => return Ok(false),
            }
        }
    }

    /// Sends what waits, then takes in one record or reads from the transport.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        self.check_deadline()?;
        self.send_before_reading()?;
        if self.need.is_some() || self.connection.is_waiting() {
            return Err(io::Error::other(NeedWaits));
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
                return Ok(Step::Something);
            }
            Some(Event::EarlyData(range)) => {
                let input = self.input.get(unread).unwrap_or_default();
                self.early.extend_from_slice(input.get(range).unwrap_or_default());
                return Ok(Step::Something);
            }
            Some(Event::Need(need)) => self.need = Some(need),
            Some(Event::Closed) => return Ok(Step::End),
            Some(Event::HandshakeDone) => return Ok(Step::Something),
            Some(_) => {}
            None if progress.consumed == 0 => self.fill()?,
            None => {}
        }
        Ok(Step::Nothing)
    }

    /// Whether data waits for its reader.
    pub(crate) fn has_plaintext(&self) -> bool {
        !self.plaintext.is_empty()
    }

    fn check_deadline(&mut self) -> io::Result<()> {
        match self.connection.check_deadline() {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Reads from the transport behind what is there.
    fn fill(&mut self) -> io::Result<()> {
        self.make_room();
        if self.unsent.is_empty() && self.output.len() > IDLE_OUTPUT {
            // A blocking transport may wait for long, and a server has thousands that do.
            self.output = Vec::new();
        }
        let room = self.input.get_mut(self.unread.end..).unwrap_or_default();
        let read = loop {
            match self.transport.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A reader that says more than there was room for is not believed.
                read => break read.map(|len| len.min(room.len())),
            }
        };
        match read {
            Ok(0) => match self.connection.end_of_input() {
                Ok(()) => Ok(()),
                Err(error) => Err(io::Error::new(ErrorKind::UnexpectedEof, error)),
            },
            Ok(len) => {
                self.unread.end = self.unread.end.saturating_add(len);
                if self.unread.end >= self.input.len() && self.input.len() < INPUT {
                    self.input.resize(INPUT, 0);
                }
                Ok(())
            }
            Err(error) if is_for_now(error.kind()) => {
                self.check_deadline()?;
                self.release();
                Err(error)
            }
            Err(transport) => {
                let kind = transport.kind();
                Err(io::Error::new(kind, Broken { connection: self.connection.reset(), transport }))
            }
        }
    }

    /// Moves the beginning of a record to the front, so that the rest of it has room.
    fn make_room(&mut self) {
        if self.input.is_empty() {
            self.input = vec![0; FIRST_INPUT];
        }
        if self.unread.start > 0 {
            let len = self.unread.len();
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..len;
        }
        self.plaintext = 0..0;
    }

    /// Sends all that waits, as far as reading depends on it. A peer that waits for our flight sends nothing before it
    /// has come. Later a transport that is full must not keep us from reading: two peers that only write would wait
    /// for each other for ever. Nor must one that is broken: the peer may have said why before it went.
    fn send_before_reading(&mut self) -> io::Result<()> {
        let may_wait = !self.connection.is_handshaking();
        if self.broken.is_some() && may_wait {
            return Ok(());
        }
        match self.send_and_flush() {
            Err(error) if is_for_now(error.kind()) && may_wait => Ok(()),
            Err(error) if is_gone(error.kind()) => Ok(()),
            sent => sent,
        }
    }

    fn send_and_flush(&mut self) -> io::Result<()> {
        self.send_waiting()?;
        if self.unflushed {
            self.flush_transport()?;
        }
        Ok(())
    }

    /// Gives the transport everything that waits.
    fn send_waiting(&mut self) -> io::Result<()> {
        loop {
            self.send_output()?;
            if !self.connection.wants_transmit() {
                return Ok(());
            }
            if self.output.len() < FLIGHT {
                self.output.resize(FLIGHT, 0);
            }
            let written = self.connection.transmit(&mut self.output);
            if written == 0 {
                return Ok(());
            }
            self.unsent = 0..written;
        }
    }

    fn send_output(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            if let Some(kind) = self.broken {
                return Err(kind.into());
            }
            let waiting = self.output.get(self.unsent.clone()).unwrap_or_default();
            match self.transport.write(waiting) {
                Ok(0) => return Err(self.write_failed(ErrorKind::WriteZero.into())),
                Ok(len) => {
                    self.unsent.start = self.unsent.start.saturating_add(len);
                    self.unflushed = true;
                }
                Err(error) => self.write_failed_unless_interrupted(error)?,
            }
        }
        Ok(())
    }

    fn flush_transport(&mut self) -> io::Result<()> {
        while let Err(error) = self.transport.flush() {
            self.write_failed_unless_interrupted(error)?;
        }
        self.unflushed = false;
        Ok(())
    }

    fn write_failed_unless_interrupted(&mut self, error: io::Error) -> io::Result<()> {
        if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(self.write_failed(error)) }
    }

    /// The transport has not taken what it was given, for now or for ever.
    fn write_failed(&mut self, error: io::Error) -> io::Error {
        if is_for_now(error.kind()) {
            self.release();
        } else {
            self.broken = Some(error.kind());
        }
        error
    }

    /// The connection failed: its alert is sent, as far as the transport takes it.
    fn failed(&mut self, error: Error) -> io::Error {
        let _ = self.send_and_flush();
        self.need = None;
        io::Error::new(ErrorKind::InvalidData, error)
    }

    /// An idle stream holds no buffers.
    fn release(&mut self) {
        if self.unread.is_empty() && self.plaintext.is_empty() {
            self.input = Vec::new();
            self.unread = 0..0;
            self.plaintext = 0..0;
        }
        if self.unsent.is_empty() {
            self.output = Vec::new();
            self.unsent = 0..0;
        }
    }
}

impl<R: Role, T: Read + Write> Read for Stream<R, T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.complete_handshake()?;
        self.check_early_data()?;
        if !self.early.is_empty() {
            return Err(EarlyDataWaits.into());
        }
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
        self.complete_handshake()?;
        self.check_early_data()?;
        self.seal_with(buf.len(), |connection, out| connection.seal(buf, out).map(Some).map_err(seal_failed))
    }

    /// Many small pieces share records, as if they had been one: some 64 KiB of them at once.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.complete_handshake()?;
        self.check_early_data()?;
        let mut len = 0_usize;
        for piece in bufs {
            len = len.saturating_add(piece.len());
            if len >= OUTPUT {
                break;
            }
        }
        self.seal_with(len, |connection, out| {
            connection.seal_vectored(bufs, out).map(Some).map_err(seal_failed)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_waiting()?;
        self.flush_transport()
    }
}

impl<R: Role, T: Read + Write> Stream<R, T> {
    /// Seals what it can of `len` bytes by `seal`, which says `None` if there is nothing more to seal, and sends it.
    pub(crate) fn seal_with(
        &mut self,
        len: usize,
        mut seal: impl FnMut(&mut Connection<R>, &mut [u8]) -> io::Result<Option<Sealed>>,
    ) -> io::Result<usize> {
        self.send_waiting()?;
        if len == 0 {
            return Ok(0);
        }
        let room = self.connection.sealed_len(len).min(OUTPUT);
        loop {
            if self.output.len() < room {
                self.output.resize(room, 0);
            }
            let Some(sealed) = seal(&mut self.connection, &mut self.output)? else { return Ok(0) };
            self.unsent = 0..sealed.written;
            match self.send_output() {
                // What was sealed is ours now and goes out with the next call.
                Err(error) if is_for_now(error.kind()) && sealed.taken > 0 => {}
                sent => sent?,
            }
            if sealed.taken > 0 {
                return Ok(sealed.taken);
            }
        }
    }
}

/// What one step of receiving came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing that the caller sees.
    Nothing,
    /// Data waits, or the handshake is done.
    Something,
    /// The peer has closed.
    End,
}

impl<R: Role, T: fmt::Debug> fmt::Debug for Stream<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("connection", &self.connection)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}
