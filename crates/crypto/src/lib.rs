//! TLS cryptography over [aws-lc-rs](aws_lc_rs): the primitives that the TLS record layer, the handshake and
//! certificate validation are made of. The crate knows no TLS message, does no I/O, keeps no global state and has
//! no provider to choose: these are concrete types over one library.
//!
//! | module | what | where it is specified |
//! | --- | --- | --- |
//! | [`aead`] | record keys that own their counter, so that a nonce is never used twice | RFC 9846 section 5.3, RFC 5288, RFC 7905 |
//! | [`hash`] | SHA-2 digests and running transcripts | RFC 9846 section 4.1 |
//! | [`hmac`] | HMAC, made and verified | RFC 2104 |
//! | [`hkdf`] | extract, expand, HKDF-Expand-Label, Derive-Secret | RFC 5869, RFC 9846 section 7.1 |
//! | [`prf`] | the TLS 1.2 pseudorandom function | RFC 5246 section 5 |
//! | [`key_exchange`] | ECDH, ML-KEM and hybrids in one shape: offer, answer, finish | RFC 9846 section 4.3.8 |
//! | [`signature`] | signature schemes, public keys, signing keys and how to load them | RFC 9846 section 4.3.3 |
//! | [`random`] | bytes nobody can guess | |
//! | [`salted`] | sealing under a key that many processes share: session tickets | |
//! | [`secret`] | types for key material: erased on drop, printed never, compared in constant time | |
//!
//! # What erasing can promise
//!
//! Every type that holds key material overwrites it when dropped. A Rust *move* may leave a copy of the old bytes in
//! the place that was left, a dead stack frame or what its owner had on the heap, and the C library's own stack is out of
//! reach; without `unsafe` neither can be cleared. What is promised: no memory that this crate allocates, and no value
//! that is still reachable, holds a secret after its owner is dropped.
#![forbid(unsafe_code)]

pub mod aead;
pub mod error;
pub mod hash;
pub mod hkdf;
pub mod hmac;
pub mod key_exchange;
pub mod prf;
pub mod random;
pub mod salted;
pub mod secret;
pub mod signature;

pub use aead::{AeadAlgorithm, AeadKey, FixedIv, Iv, Nonces, OpeningKey, SealingKey};
pub use error::Error;
pub use hash::{Digest, Hash, HashContext};
pub use key_exchange::{KeyExchange, NamedGroup};
pub use salted::SaltedKey;
pub use secret::{Secret, SharedSecret, TrafficSecret};
pub use signature::{
    KeyAlgorithm, KeyError, PublicKey, SignatureAlgorithm, SignatureScheme, Signer, SigningKey,
};
