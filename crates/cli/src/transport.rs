//! A TCP socket with a deadline, and with an ear for being told to stop.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long what the peer still sends is taken in after the end, so that our last word is not lost to a reset.
const LINGER: Duration = Duration::from_secs(1);

/// The most bytes taken in after the end.
const LINGER_BYTES: usize = 1 << 20;

/// A socket. With a deadline no call outlasts it: what takes longer is [`ErrorKind::WouldBlock`] or
/// [`ErrorKind::TimedOut`].
#[derive(Debug)]
pub(crate) struct Transport {
    socket: TcpStream,
    until: Option<Instant>,
    stop: Arc<AtomicBool>,
}

impl Transport {
    /// Takes the socket over. `stop` is set, and the socket shut for reading, by whoever wants the session to end: a
    /// read then says [`ErrorKind::WouldBlock`], not that the peer has gone.
    pub(crate) fn new(socket: TcpStream, stop: Arc<AtomicBool>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, until: None, stop })
    }

    /// Every call of this handle must be done by then; `None`: when it is done.
    pub(crate) fn set_deadline(&mut self, until: Option<Instant>) -> io::Result<()> {
        self.until = until;
        if until.is_none() {
            self.socket.set_read_timeout(None)?;
            self.socket.set_write_timeout(None)?;
        }
        Ok(())
    }

    /// The same socket for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, until: self.until, stop: Arc::clone(&self.stop) })
    }

    /// Whether the session was told to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Ends the socket for both directions and every thread.
    pub(crate) fn shut(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Ends a session's transport: what was sent last arrives even if the peer is still sending, since bytes that
    /// nobody reads would make the system answer with a reset.
    pub(crate) fn finish(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Write);
        let until = Instant::now().checked_add(LINGER);
        let mut left = LINGER_BYTES;
        let mut waste = vec![0; 16 * 1024];
        self.until = until;
        while until.is_some_and(|until| Instant::now() < until) {
            match self.read(&mut waste) {
                Ok(len) if len > 0 && len < left => left = left.saturating_sub(len),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        self.shut();
    }

    /// What is left until the deadline. A timeout of zero would mean none.
    fn left(&self) -> Option<Duration> {
        let left =
            |until: Instant| until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.until.map(left)
    }
}

impl Read for Transport {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(left) = self.left() {
            self.socket.set_read_timeout(Some(left))?;
        }
        match self.socket.read(buf) {
            Ok(0) if !buf.is_empty() && self.is_stopped() => Err(ErrorKind::WouldBlock.into()),
            read => read,
        }
    }
}

impl Write for Transport {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if let Some(left) = self.left() {
            self.socket.set_write_timeout(Some(left))?;
        }
        self.socket.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
