//! Bytes between the socket and the library, and the decisions that it asks for on the way.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};

use oxtls::{Connection, EarlyDataStatus, Event, Need, SealError};

use super::Failure;
use crate::credentials::Candidate;
use crate::flags::Config;
use crate::memory::{Seen, Side};
use crate::peer::{self, Decided};
use crate::trace;

/// What is read from the socket at once.
const CHUNK: usize = 16 * 1024;

/// The window for what the library writes; with `-async` one that it must fill many times over.
const WINDOW: usize = 32 * 1024;
const SMALL_WINDOW: usize = 7;

/// What came of receiving.
pub(crate) enum Happened {
    /// Application data.
    Data(Vec<u8>),
    /// The handshake is complete.
    HandshakeDone,
    /// The peer has closed in order.
    Closed,
    /// The transport has ended.
    Ended,
}

/// A connection and its socket.
pub(super) struct Pump<'c, R: Side> {
    pub(super) tls: Connection<R>,
    pub(super) seen: Seen,
    config: &'c Config,
    /// Once early data was refused.
    retry: &'c Config,
    pub(super) ours: &'c [Candidate],
    socket: TcpStream,
    /// Received and not yet taken.
    input: Vec<u8>,
    /// How much of `input` the library has been shown: grows by one byte at a time with `-async`.
    shown: usize,
    /// Sealed and not yet written.
    unwritten: Vec<u8>,
    /// The peer takes no more; what it sent before can still be read.
    is_deaf: bool,
}

impl<'c, R: Side> Pump<'c, R> {
    /// Connects to the runner and tells it which test this is.
    pub(super) fn connect(
        tls: Connection<R>,
        (config, retry): (&'c Config, &'c Config),
        ours: &'c [Candidate],
        seen: Seen,
    ) -> Result<Self, Failure> {
        let port = config.port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
        let address = if config.ipv6 {
            SocketAddr::from((Ipv6Addr::LOCALHOST, port))
        } else {
            SocketAddr::from((Ipv4Addr::LOCALHOST, port))
        };
        let mut socket = TcpStream::connect(address).map_err(Failure::Io)?;
        socket.set_nodelay(true).map_err(Failure::Io)?;
        let id = config.shim_id.unwrap_or_default().to_le_bytes();
        socket.write_all(&id).map_err(Failure::Io)?;
        let (input, unwritten) = (Vec::new(), Vec::new());
        Ok(Self { tls, seen, config, retry, ours, socket, input, shown: 0, unwritten, is_deaf: false })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Receives until a message of this type has come, byte by byte, so that nothing behind it has.
    pub(super) fn receive_message(&mut self, typ: u16) -> Result<(), Failure> {
        while !trace::has_received(typ) {
            if self.input.len() <= self.shown && !self.receive()? {
                return Err(Failure::Unexpected("the transport ended before the message".into()));
            }
            self.shown += 1;
            let window = self.input.get_mut(..self.shown).unwrap_or_default();
            let progress = self.tls.feed(window).map_err(Failure::Tls)?;
            self.input.drain(..progress.consumed);
            self.shown = self.shown.saturating_sub(progress.consumed);
            if let Some(event) = progress.event
                && self.event(event)?.is_some()
            {
                return Err(Failure::Unexpected("the handshake was done before the message".into()));
            }
        }
        Ok(())
    }

    /// Receives until something happens.
    pub(super) fn next(&mut self) -> Result<Happened, Failure> {
        loop {
            // Afterwards what waits is a KeyUpdate that the peer asked for: it goes out ahead of our next data, so
            // that however many it asks for before that, it gets one.
            if self.tls.is_handshaking() {
                if self.tls.wants_transmit() {
                    self.finish_write()?;
                }
                self.flush()?;
            }
            let shown =
                if self.config.is_async { self.shown.min(self.input.len()) } else { self.input.len() };
            let window = self.input.get_mut(..shown).unwrap_or_default();
            let progress = self.tls.feed(window).map_err(Failure::Tls)?;
            let data = match &progress.event {
                Some(Event::Data(range) | Event::EarlyData(range)) => {
                    window.get(range.clone()).unwrap_or_default().to_vec()
                }
                _ => Vec::new(),
            };
            self.input.drain(..progress.consumed.min(shown));
            self.shown = shown.saturating_sub(progress.consumed);
            match progress.event {
                Some(Event::Data(_) | Event::EarlyData(_)) => return Ok(Happened::Data(data)),
                Some(Event::Closed) => return Ok(Happened::Closed),
                Some(event) => {
                    if let Some(happened) = self.event(event)? {
                        return Ok(happened);
                    }
                }
                None if progress.consumed > 0 => {}
                None if shown < self.input.len() => self.shown += 1,
                None => {
                    if !self.receive()? {
                        return Ok(Happened::Ended);
                    }
                }
            }
        }
    }

    /// An event that carries no data; a decision may lead to the next one.
    fn event(&mut self, mut event: Event) -> Result<Option<Happened>, Failure> {
        loop {
            self.seen.collect(&mut self.tls, &event);
            match event {
                Event::HandshakeDone => {
                    if let Some(key) = peer::ticket_key(self.config) {
                        R::send_tickets(&mut self.tls, key).map_err(Failure::Seal)?;
                    }
                    self.finish_write()?;
                    self.flush()?;
                    return Ok(Some(Happened::HandshakeDone));
                }
                Event::Closed => return Ok(Some(Happened::Closed)),
                Event::Need(need) => match self.decide(*need)? {
                    Some(next) => event = next,
                    None => return Ok(None),
                },
                Event::PeerWantsReply | Event::SessionReceived => return Ok(None),
                other => crate::broken(&format!("the library says {other:?}")),
            }
        }
    }

    fn decide(&mut self, need: Need) -> Result<Option<Event>, Failure> {
        if self.config.is_async {
            self.suspend()?;
        }
        self.seen.note(&need);
        let rejected = matches!(self.tls.early_data(), EarlyDataStatus::Rejected { .. });
        let config = if rejected && !self.config.server { self.retry } else { self.config };
        match peer::decide(config, self.ours, need, &mut self.seen.verified) {
            Decided::Answer(answer) => self.tls.answer(answer).map_err(Failure::Tls),
            Decided::AsConfigured(need) => self.tls.answer_as_configured(need).map_err(Failure::Tls),
            Decided::Refuse(error) => Err(Failure::Tls(self.tls.abort(error))),
            Decided::Unexpected(what) => Err(Failure::Unexpected(what)),
        }
    }

    /// A decision takes its time: what was sealed goes out, and nothing is taken in, however much there is.
    fn suspend(&mut self) -> Result<(), Failure> {
        self.flush()?;
        for _ in 0..2 {
            let progress = self.tls.feed(&mut self.input).map_err(Failure::Tls)?;
            if progress.consumed != 0 || progress.event.is_some() {
                crate::broken("input was taken while a decision was out");
            }
        }
        Ok(())
    }

    /// Reads what there is; `false` at the end.
    fn receive(&mut self) -> Result<bool, Failure> {
        let mut chunk = [0; CHUNK];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => return Ok(false),
                Ok(length) => {
                    self.input.extend(chunk.iter().take(length));
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
                Err(error) => return Err(Failure::Io(error)),
            }
        }
    }

    /// Sends all that waits.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let mut window = vec![0; if self.config.is_async { SMALL_WINDOW } else { WINDOW }];
        while self.unwritten.is_empty() && self.tls.wants_transmit() {
            let written = self.tls.transmit(&mut window);
            if written == 0 {
                crate::broken("what waits to be sent does not come out");
            }
            self.send(window.get(..written).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Seals and sends application data.
    pub(super) fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let sealed = self.seal(data)?;
        self.send(&sealed)
    }

    /// Seals application data and lets one byte of it out.
    pub(super) fn begin_write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let mut sealed = self.seal(data)?;
        self.unwritten = sealed.split_off(1.min(sealed.len()));
        self.send(&sealed)
    }

    /// Seals and sends early data, as much as the session allows, or no more than a byte of it at first; says how much it
    /// was.
    pub(super) fn write_early(&mut self, data: &[u8], unfinished: bool) -> Result<usize, Failure> {
        let (mut sealed, mut taken) = (Vec::new(), 0);
        let mut window = vec![0; WINDOW];
        while taken < data.len() && R::early_data_left(&self.tls) > 0 {
            let rest = data.get(taken..).unwrap_or_default();
            let done = R::seal_early(&mut self.tls, rest, &mut window).map_err(Failure::Seal)?;
            sealed.extend(window.iter().take(done.written));
            taken += done.taken;
        }
        if unfinished {
            self.unwritten = sealed.split_off(1.min(sealed.len()));
        }
        self.send(&sealed)?;
        Ok(taken)
    }

    /// Lets the rest of it out.
    pub(super) fn finish_write(&mut self) -> Result<(), Failure> {
        let rest = std::mem::take(&mut self.unwritten);
        self.send(&rest)
    }

    fn seal(&mut self, mut data: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut sealed = Vec::new();
        let mut window = vec![0; if self.config.is_async { SMALL_WINDOW } else { WINDOW }];
        while !data.is_empty() {
            match self.tls.seal(data, &mut window) {
                Ok(done) => {
                    sealed.extend(window.iter().take(done.written));
                    data = data.get(done.taken..).unwrap_or_default();
                }
                // Room for all of it: one write is one record, as the runner expects of early answers.
                Err(SealError::TooSmall { needed }) if needed > window.len() => {
                    window.resize(needed.saturating_add(data.len()), 0);
                }
                Err(error) => return Err(Failure::Seal(error)),
            }
        }
        Ok(sealed)
    }

    /// A peer that has ended may have said why: that is still to be read.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.is_deaf {
            return Ok(());
        }
        match self.socket.write_all(bytes) {
            Ok(()) => Ok(()),
            Err(error) if is_gone(&error) => {
                self.is_deaf = true;
                Ok(())
            }
            Err(error) => Err(Failure::Io(error)),
        }
    }

    /// Closes so that the peer gets all that was sent: a socket that is closed with input unread is reset.
    pub(super) fn end(&mut self) {
        self.unwritten.clear();
        let _ = self.flush();
        let _ = self.socket.shutdown(Shutdown::Write);
        let _ = io::copy(&mut self.socket, &mut io::sink());
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}
