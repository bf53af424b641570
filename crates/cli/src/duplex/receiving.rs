//! The receiving thread's work.

use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

use oxtls::{ClientSession, Event, Receiver};

use super::sending::Outbox;
use crate::transport::Transport;

/// What is read from the transport at once, bytes: several of the longest records.
const INPUT: usize = 64 * 1024;

/// Why receiving ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The peer's close_notify.
    Closed,
    /// We were told to.
    Told,
    /// The connection failed.
    Tls(oxtls::Error),
    /// The transport failed.
    Transport(io::Error),
    /// What was received could not be handed on.
    Output(io::Error),
}

/// The receiving half and its side of the transport.
pub(super) struct Receiving {
    receiver: Receiver,
    transport: Transport,
    input: Vec<u8>,
    unread: Range<usize>,
    received: u64,
}

impl Receiving {
    /// `unread`: records that came with the handshake.
    pub(super) fn new(receiver: Receiver, transport: Transport, unread: Vec<u8>) -> Self {
        let range = 0..unread.len();
        let mut input = unread;
        input.resize(range.end.max(INPUT), 0);
        Self { receiver, transport, input, unread: range, received: 0 }
    }

    /// Receives until something ends it.
    pub(super) fn run(
        &mut self,
        outbox: &Outbox,
        out: &mut dyn Write,
        keep: &mut dyn FnMut(ClientSession),
    ) -> Stop {
        loop {
            let start = self.unread.start;
            let input = self.input.get_mut(self.unread.clone()).unwrap_or_default();
            let progress = match self.receiver.feed(input) {
                Ok(progress) => progress,
                Err(error) => {
                    // The alert that the peer is owed is the sender's to send.
                    outbox.wake();
                    return Stop::Tls(error);
                }
            };
            self.unread.start = start.saturating_add(progress.consumed);
            let stop = match progress.event {
                Some(Event::Data(range)) => {
                    let at = start.saturating_add(range.start)..start.saturating_add(range.end);
                    self.hand_on(at, out)
                }
                Some(Event::Closed) => Some(Stop::Closed),
                Some(Event::PeerWantsReply) => {
                    outbox.wake();
                    None
                }
                Some(Event::SessionReceived) => {
                    while let Some(session) = self.receiver.take_session() {
                        keep(session);
                    }
                    None
                }
                Some(_) => None,
                None if progress.consumed == 0 => self.fill(),
                None => None,
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
    }

    fn hand_on(&mut self, at: Range<usize>, out: &mut dyn Write) -> Option<Stop> {
        let data = self.input.get(at).unwrap_or_default();
        self.received = self.received.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        out.write_all(data).and_then(|()| out.flush()).err().map(Stop::Output)
    }

    /// Reads from the transport behind what is there.
    fn fill(&mut self) -> Option<Stop> {
        let len = self.unread.len();
        self.input.copy_within(self.unread.clone(), 0);
        self.unread = 0..len;
        let room = self.input.get_mut(len..).unwrap_or_default();
        match self.transport.read(room) {
            Ok(0) => self.receiver.end_of_input().err().map(Stop::Tls),
            Ok(read) => {
                self.unread.end = len.saturating_add(read);
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(_) if self.transport.is_stopped() => Some(Stop::Told),
            Err(error) => Some(Stop::Transport(error)),
        }
    }

    /// The transport, and room to read into, once nothing that comes has a meaning.
    pub(super) fn parts(&mut self) -> (&mut Transport, &mut [u8]) {
        (&mut self.transport, &mut self.input)
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(super) fn into_transport(self) -> Transport {
        self.transport
    }
}
