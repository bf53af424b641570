//! benches
#![forbid(unsafe_code)]
