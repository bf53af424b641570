//! The sending thread.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};

use oxtls::{SealError, Sender};

use super::Lost;
use crate::transport::Transport;

/// Pieces of data that may wait for the sending thread: more would only fill memory while the peer takes nothing.
const WAITING: usize = 4;

/// What is sealed at once, bytes: four full records and what may go ahead of them.
const WINDOW: usize = 68 * 1024;

/// What the sending thread is told.
#[derive(Debug)]
enum Order {
    /// Send this.
    Data(Vec<u8>),
    /// Look what the connection itself has to send.
    Wake,
    /// Send close_notify.
    End,
}

/// Where to put what is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    orders: SyncSender<Order>,
    state: Arc<State>,
}

/// How far sending is, for the receiving thread.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Bytes of data that were put into the outbox, or wait for room there.
    given: AtomicU64,
    /// Bytes of data that the transport took.
    taken: AtomicU64,
    end_with_peer: AtomicBool,
    done: AtomicBool,
}

impl State {
    /// Close_notify is out, or nothing more can be sent.
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    /// The peer's end is to be ours too.
    pub(super) fn ends_with_peer(&self) -> bool {
        self.end_with_peer.load(Ordering::SeqCst)
    }

    /// Bytes given and taken: with as many of both, nothing waits.
    pub(super) fn progress(&self) -> (u64, u64) {
        let taken = self.taken.load(Ordering::SeqCst);
        (self.given.load(Ordering::SeqCst), taken)
    }
}

pub(super) fn outbox() -> (Outbox, Orders) {
    let (orders, receiver) = mpsc::sync_channel(WAITING);
    (Outbox { orders, state: Arc::default() }, Orders(receiver))
}

/// What the thread takes its orders from.
pub(super) struct Orders(Receiver<Order>);

impl Outbox {
    /// Sends data; waits while much is waiting already. The data comes back if the session sends no more.
    pub(crate) fn data(&self, data: Vec<u8>) -> Result<(), Vec<u8>> {
        self.state.given.fetch_add(length(data.len()), Ordering::SeqCst);
        self.orders.send(Order::Data(data)).map_err(|returned| match returned.0 {
            Order::Data(data) => data,
            Order::Wake | Order::End => Vec::new(),
        })
    }

    /// The peer's end is to be ours too, as nothing more comes, or as nobody would wait for more.
    pub(crate) fn end_with_peer(&self) {
        self.state.end_with_peer.store(true, Ordering::SeqCst);
    }

    /// How far sending is.
    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// Sends close_notify behind all that waits; false: it was sent before.
    pub(crate) fn end(&self) -> bool {
        self.orders.send(Order::End).is_ok()
    }

    /// The same without waiting. If there is no room, there is enough to do for the thread to learn what has happened.
    pub(super) fn end_if_room(&self) {
        let _ = self.orders.try_send(Order::End);
    }

    /// The connection itself has something to send. If there is no room, it goes out with what waits.
    pub(super) fn wake(&self) {
        let _ = self.orders.try_send(Order::Wake);
    }
}

/// What sending came to.
#[derive(Debug)]
pub(super) struct Sent {
    /// Bytes of data that the transport took.
    pub(super) bytes: u64,
    /// Why data was not sent, if so.
    pub(super) lost: Option<Lost>,
}

/// The sending half and its side of the transport.
pub(super) struct Sending {
    sender: Sender,
    transport: Transport,
    state: Arc<State>,
    window: Vec<u8>,
}

impl Sending {
    pub(super) fn new(sender: Sender, transport: Transport, state: Arc<State>) -> Self {
        Self { sender, transport, state, window: vec![0; WINDOW] }
    }

    /// Sends what it is told to until close_notify is out or nothing more can be sent; the state says when.
    pub(super) fn run(mut self, orders: &Orders) -> Sent {
        let lost = self.obey(orders).err();
        self.state.done.store(true, Ordering::SeqCst);
        Sent { bytes: self.state.progress().1, lost }
    }

    fn obey(&mut self, orders: &Orders) -> Result<(), Lost> {
        while let Ok(order) = orders.0.recv() {
            match order {
                Order::Data(data) => {
                    if !self.data(&data)? {
                        return Ok(());
                    }
                }
                Order::Wake => {
                    let _ = self.transmit();
                }
                Order::End => break,
            }
        }
        self.sender.close();
        // A peer that has gone needs no goodbye.
        let _ = self.transmit();
        Ok(())
    }

    /// Sends data; false if the connection has failed, which the receiving thread knows all about.
    fn data(&mut self, mut data: &[u8]) -> Result<bool, Lost> {
        while !data.is_empty() {
            let sealed = match self.sender.seal(data, &mut self.window) {
                Ok(sealed) => sealed,
                Err(SealError::Failed | SealError::Closed) => return Ok(false),
                Err(error) => return Err(io::Error::other(error)),
            };
            self.transport.write_all(self.window.get(..sealed.written).unwrap_or_default())?;
            data = data.get(sealed.taken..).unwrap_or_default();
            self.state.taken.fetch_add(length(sealed.taken), Ordering::SeqCst);
        }
        Ok(true)
    }

    fn transmit(&mut self) -> io::Result<()> {
        while self.sender.wants_transmit() {
            let written = self.sender.transmit(&mut self.window);
            if written == 0 {
                break;
            }
            self.transport.write_all(self.window.get(..written).unwrap_or_default())?;
        }
        Ok(())
    }
}

fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
