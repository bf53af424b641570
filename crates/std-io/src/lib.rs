//! oxtls over [`std::io::Read`] and [`std::io::Write`]: blocking sockets, non-blocking sockets, pipes, anything.
//!
//! A [`Stream`] owns a connection and a transport and moves bytes between them. It is itself `Read` and `Write`: the
//! handshake happens at the first of either, or when [`Stream::handshake`] is called. Each `write` makes records of its
//! own; small pieces that are there together share them by `write_vectored`.
#![forbid(unsafe_code)]

mod confirm;
mod early;
mod error;
mod stream;

pub use early::{EarlyDataLost, EarlyDataUnsettled, EarlyDataWaits, EarlyReader, EarlyWriter};
pub use error::{NeedWaits, tls_error};
pub use stream::Stream;

/// The examples of the front page, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
