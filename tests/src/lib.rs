//! What the cross-crate tests share: so far, the interoperability scenarios that `cargo xtask interop` runs.
#![forbid(unsafe_code)]

pub mod interop;
