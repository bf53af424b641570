//! std-io
#![forbid(unsafe_code)]
