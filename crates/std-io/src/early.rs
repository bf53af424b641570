//! Early data over a stream: what goes before the handshake is done.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Range;

use oxtls::{Client, EarlyDataStatus, Role, SealError, Server};

use crate::error::seal_failed;
use crate::stream::Stream;

/// Writes early data (0-RTT); made by [`Stream::early_data`].
#[derive(Debug)]
pub struct EarlyWriter<'a, T>(&'a mut Stream<Client, T>);

/// Reads early data (0-RTT); made by [`Stream::early_data`].
#[derive(Debug)]
pub struct EarlyReader<'a, T>(&'a mut Stream<Server, T>);

impl<T: Read + Write> Stream<Client, T> {
    /// Somewhere to write early data, if a session that allows it is offered; before the first `read`, `write` or
    /// [`handshake`](Self::handshake), each of which completes the handshake.
    ///
    /// The server may not take it: then it takes none of it, and all is still yours to send, as ordinary data, or not at
    /// all. Nothing sends it again by itself. Ask [`rejected_early_data`](Self::rejected_early_data) after the handshake;
    /// if you do not, the first `read`, `write` or `shutdown` fails once with [`EarlyDataLost`], since the server would
    /// miss the beginning. Early data can be replayed by whoever records it: send only what does no harm twice.
    ///
    /// A whole client:
    ///
    /// ```no_run
    /// use std::io::{Read, Write};
    /// # fn f(config: oxtls::ClientConfig) -> Result<(), Box<dyn std::error::Error>> { // .early_data(true)
    /// let conn = oxtls::ClientConnection::new(&config, "example.com".try_into()?)?;
    /// let mut tls = oxtls_std::Stream::new(conn, std::net::TcpStream::connect("example.com:443")?);
    /// let request = b"GET / HTTP/1.0\r\n\r\n";
    /// let mut sent = tls.early_data().map_or(Ok(0), |mut early| early.write(request))?;
    /// tls.handshake()?;
    /// sent -= tls.rejected_early_data().len(); // all of it or nothing
    /// tls.write_all(&request[sent..])?;
    /// let mut page = Vec::new();
    /// tls.read_to_end(&mut page)?; // reads the tickets for the next connection, too
    /// # Ok(())
    /// # }
    /// ```
    pub fn early_data(&mut self) -> Option<EarlyWriter<'_, T>> {
        (self.connection().early_data_left() > 0).then_some(EarlyWriter(self))
    }

    /// Which of the bytes that were written early, counted from the first, the server has not taken: all of them, or, as
    /// the empty range, none. Known once the handshake is done; what was asked once is known.
    pub fn rejected_early_data(&mut self) -> Range<usize> {
        self.connection_mut().rejected_early_data()
    }
}

impl<T> EarlyWriter<'_, T>
where
    T: Read + Write,
{
    /// How many more bytes it takes.
    #[must_use]
    pub fn left(&self) -> usize {
        usize::try_from(self.0.connection().early_data_left()).unwrap_or(usize::MAX)
    }
}

/// Takes at most [`left`](EarlyWriter::left) bytes in all, and then 0.
impl<T: Read + Write> Write for EarlyWriter<'_, T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.seal_with(buf.len(), |connection, out| match connection.seal_early(buf, out) {
            Err(SealError::NoEarlyData) => Ok(None),
            Err(error) => Err(seal_failed(error)),
            Ok(sealed) => Ok(Some(sealed)),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<T: Read + Write> Stream<Server, T> {
    /// Reads early data: what a client that resumes a session sends before the handshake is done, if the configuration
    /// takes it. Reading it drives the handshake, and ends (with 0) when that is done: at once where there is none.
    ///
    /// A configuration that takes early data must be served through this first: as long as some of it waits, `read` is
    /// an error around [`EarlyDataWaits`]. It is apart from other data because **whoever recorded it may send it again**:
    /// let nothing of it have an effect that must not happen twice.
    pub fn early_data(&mut self) -> EarlyReader<'_, T> {
        EarlyReader(self)
    }
}

impl<T: Read + Write> Read for EarlyReader<'_, T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_early(buf)
    }
}

impl<R: Role, T: Read + Write> Stream<R, T> {
    /// Early data that waits, or comes before the handshake is done.
    fn read_early(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.early.is_empty() && self.connection().is_handshaking() && !buf.is_empty() {
            self.receive()?;
        }
        let len = self.early.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.early.drain(..len)) {
            *to = from;
        }
        if self.early.is_empty() {
            self.early = Vec::new();
        }
        Ok(len)
    }

    /// Fails once if the server has not taken early data and nobody has asked: whoever goes on would never know.
    pub(crate) fn check_early_data(&mut self) -> io::Result<()> {
        match self.connection_mut().rejected_early_data().len() {
            0 => Ok(()),
            bytes => Err(EarlyDataLost { bytes }.into()),
        }
    }

    /// Fails if the handshake has ended before anybody could say whether the server takes the early data that was written.
    pub(crate) fn check_settled(&self) -> io::Result<()> {
        match self.connection().early_data() {
            EarlyDataStatus::Offered { sealed: bytes @ 1.., .. } => {
                Err(EarlyDataUnsettled { bytes: usize::try_from(bytes).unwrap_or(usize::MAX) }.into())
            }
            _ => Ok(()),
        }
    }
}

/// The server has not taken early data that was written, and the stream is used as if it had; said once. The bytes, so many
/// from the first on, are their writer's still: write them again, or go on without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyDataLost {
    /// How many.
    pub bytes: usize,
}

impl fmt::Display for EarlyDataLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server has not taken the {} bytes of early data: write them again, or give them up \
             (`rejected_early_data` asks before this is said)",
            self.bytes
        )
    }
}

impl std::error::Error for EarlyDataLost {}

impl From<EarlyDataLost> for io::Error {
    fn from(lost: EarlyDataLost) -> Self {
        Self::other(lost)
    }
}

/// The handshake has ended before the server could say whether it takes the early data that was written: it may have taken
/// all of it, some or none. [`handshake`](Stream::handshake) before [`shutdown`](Stream::shutdown) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyDataUnsettled {
    /// How many bytes were written.
    pub bytes: usize,
}

impl fmt::Display for EarlyDataUnsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the handshake has ended before it was known whether the server takes the {} bytes of early data",
            self.bytes
        )
    }
}

impl std::error::Error for EarlyDataUnsettled {}

impl From<EarlyDataUnsettled> for io::Error {
    fn from(unsettled: EarlyDataUnsettled) -> Self {
        Self::other(unsettled)
    }
}

/// Early data waits to be read through [`Stream::early_data`] before other data can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyDataWaits;

impl fmt::Display for EarlyDataWaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("early data, which may be a replay, waits to be read apart from other data")
    }
}

impl std::error::Error for EarlyDataWaits {}

impl From<EarlyDataWaits> for io::Error {
    fn from(waits: EarlyDataWaits) -> Self {
        Self::other(waits)
    }
}
