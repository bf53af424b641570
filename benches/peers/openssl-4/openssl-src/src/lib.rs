//! OpenSSL 4 where OpenSSL 3 was asked for: built from its own source, under the name that the binding looks for.

pub use source::*;
