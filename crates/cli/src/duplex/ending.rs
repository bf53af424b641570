//! Between the peer's end and ours.
//!
//! The peer has sent close_notify: it sends no more, but may still take. Whether it does can't be asked. Data that is
//! there is sent, or fails to be; but nobody is to wait for input that may never come once the peer has gone.

use std::io::{ErrorKind, Read};
use std::thread;
use std::time::{Duration, Instant};

use super::sending::State;
use crate::transport::Transport;

/// The most bytes that are passed over behind the peer's close_notify, where nothing has a meaning.
const WASTE: usize = 64 * 1024;

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

/// How long input may pause after the peer's side of the transport has ended.
const PAUSE: Duration = Duration::from_millis(300);

/// How long the transport may take nothing after the peer's side of it has ended.
const STUCK: Duration = Duration::from_secs(10);

/// Waits until it is our turn to end: all is sent, or the peer has gone and nothing is there to be sent to it.
pub(super) fn wait(state: &State, transport: &mut Transport, input: &mut [u8]) {
    let mut peer = Peer { left: WASTE };
    let mut last = (state.progress(), Instant::now());
    while !state.is_done() && !transport.is_stopped() {
        let gone = peer.has_gone(transport, input);
        let now @ (given, taken) = state.progress();
        if now != last.0 || !gone {
            last = (now, Instant::now());
        }
        let idle = given == taken;
        let patience = if idle { PAUSE } else { STUCK };
        if (idle && state.ends_with_peer()) || (gone && last.1.elapsed() > patience) {
            return;
        }
    }
}

/// The peer's side of the transport.
struct Peer {
    /// Bytes that it may still send; 0: nothing is read any more.
    left: usize,
}

impl Peer {
    /// Looks for a moment whether it has ended.
    fn has_gone(&mut self, transport: &mut Transport, input: &mut [u8]) -> bool {
        if self.left == 0 || transport.set_deadline(Instant::now().checked_add(LOOK)).is_err() {
            thread::sleep(LOOK);
            return true;
        }
        match transport.read(input) {
            Ok(len) if len > 0 => self.left = self.left.saturating_sub(len),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            _ => self.left = 0,
        }
        self.left == 0
    }
}
