//! oxtls over [`std::io::Read`] and [`std::io::Write`]: blocking sockets, non-blocking sockets, pipes, anything.
//!
//! A [`Stream`] owns a connection and a transport and moves bytes between them. It is itself `Read` and `Write`: the
//! handshake happens at the first of either, or when [`Stream::handshake`] is called.
#![forbid(unsafe_code)]

mod stream;

pub use stream::{NeedWaits, Stream};
