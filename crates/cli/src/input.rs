//! Standard input, on its way to a session.
//!
//! One thread reads it, and only while there is a session to give it to. It cannot be interrupted and ends with the
//! process.
//!
//! When the peer closes, input that may still come is worth waiting for if it comes from a file or a pipe; at a
//! terminal sits somebody who has seen the peer's end.

use std::io::{self, IsTerminal, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::duplex::Outbox;
use crate::exit::Failure;
use crate::terminal::complain;

/// What is read at once, bytes.
const CHUNK: usize = 64 * 1024;

/// What the end of standard input does to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtEnd {
    /// We close our side.
    Close,
    /// We close our side if there was any input at all: a command in the background has an empty one.
    CloseIfAny,
    /// Nothing.
    StayOpen,
}

/// Standard input, handed to one session after the other.
#[derive(Clone, Debug)]
pub(crate) struct Input(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    at_end: AtEnd,
    state: Mutex<State>,
    attached: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outbox: Option<Outbox>,
    /// Tells one session's outbox from the next one's.
    generation: u64,
    started: bool,
    ended: bool,
}

impl Input {
    /// Nothing is read before a session is attached.
    pub(crate) fn new(at_end: AtEnd) -> Self {
        Self(Arc::new(Shared { at_end, state: Mutex::default(), attached: Condvar::new() }))
    }

    /// What is read from now on goes to this session.
    pub(crate) fn attach(&self, outbox: Outbox) -> Result<(), Failure> {
        let mut state = self.0.lock();
        if state.ended || io::stdin().is_terminal() {
            outbox.end_with_peer();
        }
        state.outbox = Some(outbox);
        state.generation = state.generation.wrapping_add(1);
        if !state.started {
            let shared = Arc::clone(&self.0);
            thread::Builder::new()
                .name("standard input".into())
                .spawn(move || shared.read_all(&mut io::stdin().lock()))
                .map_err(|error| {
                    Failure::failed(format_args!("no thread to read standard input: {error}"))
                })?;
            state.started = true;
        }
        self.0.attached.notify_all();
        Ok(())
    }

    /// The session is over.
    pub(crate) fn detach(&self) {
        self.0.lock().outbox = None;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session that there is, or the next one.
    fn session(&self) -> (u64, Outbox) {
        let mut state = self.lock();
        loop {
            if let Some(outbox) = &state.outbox {
                return (state.generation, outbox.clone());
            }
            state = self.attached.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn read_all(&self, input: &mut dyn Read) {
        let mut any = false;
        loop {
            let (_, _) = self.session();
            let mut data = vec![0; CHUNK];
            match input.read(&mut data) {
                Ok(0) => break,
                Ok(len) => {
                    any = true;
                    data.truncate(len);
                    self.give(data);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    complain(format_args!("oxtls: standard input cannot be read: {error}"));
                    break;
                }
            }
        }
        let close = match self.at_end {
            AtEnd::Close => true,
            AtEnd::CloseIfAny => any,
            AtEnd::StayOpen => false,
        };
        self.end(close);
    }

    /// Nothing more comes, for this session and those after it.
    fn end(&self, close: bool) {
        let mut state = self.lock();
        state.ended = true;
        let outbox = state.outbox.clone();
        drop(state);
        if let Some(outbox) = outbox {
            outbox.end_with_peer();
            // A session that is over has closed already.
            let _ = close && outbox.end();
        }
    }

    /// Gives data to the session, or to the next one if that is over.
    fn give(&self, mut data: Vec<u8>) {
        loop {
            let (generation, outbox) = self.session();
            match outbox.data(data) {
                Ok(()) => return,
                Err(returned) => data = returned,
            }
            let mut state = self.lock();
            if state.generation == generation {
                state.outbox = None;
            }
        }
    }
}
