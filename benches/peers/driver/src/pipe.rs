//! What a stream of memory is made of, for libraries that want a `Read + Write` of their own.
//!
//! One pair of buffers serves all connections, since one end acts at a time: a connection does not hold any, and the
//! bytes are the caller's own, lent and given back, so that nothing is copied that the library did not ask for.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Result, Write};
use std::mem::swap;

#[derive(Default)]
struct Wires {
    /// What comes from the other end, and how much of it was read.
    inward: Vec<u8>,
    at: usize,
    /// What goes to it.
    outward: Vec<u8>,
}

thread_local! {
    static WIRES: RefCell<Wires> = RefCell::default();
}

/// A stream that reads what [`Pipe::lend`] lends and writes what [`Pipe::collect`] and [`Pipe::sending`] get.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pipe;

impl Pipe {
    /// Lets `act` read all of `wire`.
    pub fn lend<T>(wire: &mut Vec<u8>, act: impl FnOnce() -> T) -> T {
        let exchange = |wire: &mut Vec<u8>| {
            WIRES.with_borrow_mut(|wires| {
                swap(&mut wires.inward, wire);
                wires.at = 0;
            });
        };
        exchange(wire);
        let result = act();
        exchange(wire);
        result
    }

    /// Hands at most `most` bytes of what can be read to `take`; none when all was read.
    pub fn read_with(most: usize, take: impl FnOnce(&[u8])) -> Option<()> {
        WIRES.with_borrow_mut(|wires| {
            let rest = &wires.inward[wires.at..];
            let len = rest.len().min(most);
            take(&rest[..len]);
            wires.at += len;
            (len > 0).then_some(())
        })
    }

    /// Appends what was written to `wire`.
    pub fn collect(wire: &mut Vec<u8>) {
        WIRES.with_borrow_mut(|wires| wire.append(&mut wires.outward));
    }

    /// Lets `act` write straight to the end of `wire`.
    pub fn sending<T>(wire: &mut Vec<u8>, act: impl FnOnce() -> T) -> T {
        let exchange = |wire: &mut Vec<u8>| WIRES.with_borrow_mut(|wires| swap(&mut wires.outward, wire));
        exchange(wire);
        let result = act();
        exchange(wire);
        result
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        WIRES.with_borrow_mut(|wires| {
            let mut rest = &wires.inward[wires.at..];
            let read = rest.read(into)?;
            wires.at += read;
            if read == 0 && !into.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { Ok(read) }
        })
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        WIRES.with_borrow_mut(|wires| wires.outward.write(bytes))
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
