//! x509
#![forbid(unsafe_code)]
