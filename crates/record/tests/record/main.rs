//! The record layer's rules, through its public API.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may be blunt"
)]

mod bytes_mut;
mod common;
mod hostile;
mod keys;
mod opening;
mod properties;
mod reassembly;
mod rfc8448;
mod sealing;
mod skipping;
#[cfg(feature = "bytes")]
mod tls12;
mod vectored;
