//! The TLS handshake as a machine that takes values and yields values.
//!
//! Knows no record, no socket, no X.509 path, no clock and no callback. [`Client`](client::Client) and
//! [`Server`](server::Server) take [`Input`](step::Input)s and yield an ordered queue of
//! [`Output`](step::Output)s; what only the outside can decide comes out as a [`Need`](need::Need) and is
//! answered through its token, at once or a day later.
#![forbid(unsafe_code)]

pub mod alert;
mod authentication;
pub mod client;
pub mod codec;
pub mod config;
pub mod defaults;
pub mod error;
pub mod extension;
pub mod key_schedule;
mod machine;
pub mod message;
pub mod need;
mod offered;
pub mod outcome;
pub mod post_handshake;
#[cfg(test)]
mod rfc8448;
pub mod server;
pub mod session;
pub mod step;
pub mod suite;
pub mod transcript;
