//! The TLS record layer (RFC 9846 section 5): bytes on the wire to protected records and back. It knows no
//! handshake, does no I/O and keeps no plaintext: a custom transport that has its secrets from elsewhere can be
//! protected with this crate and `oxtls-crypto` alone (see `examples/custom_transport.rs`).
//!
//! | part | what it does |
//! | --- | --- |
//! | [`Writer`] | plaintext to records, straight from the caller's slice into the caller's window, or where it lies |
//! | [`Reader`] | one record to its content, in place, into another buffer, or (feature `bytes`) split off a `BytesMut` |
//! | [`WriteKey`], [`ReadKey`] | a traffic secret, the key made of it, its counter and its successor |
//! | [`Reassembly`] | handshake messages out of the fragments that records carry |
//! | [`Padding`], [`limits`] | what hides lengths, and every bound of this layer |
//!
//! # Bytes do not move
//!
//! Sealing reads the plaintext once and writes the ciphertext once; opening decrypts where the record lies, or
//! straight into its destination. Neither allocates. The one buffer here belongs to [`Reassembly`], for handshake
//! messages that span records, and is empty (and freed) in the steady state.
//!
//! ```
//! use oxtls_crypto::{Hash, Secret, aead::AeadAlgorithm};
//! use oxtls_record::{
//!     ApplicationDataMode, ContentType, Mode, ReadKey, Reader, Record, WriteKey, Writer,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (algorithm, hash) = (AeadAlgorithm::Aes128Gcm, Hash::Sha256);
//! let secret = [7; 32]; // in earnest: from a key schedule
//!
//! let mut writer = Writer::new();
//! writer.install(WriteKey::tls13(algorithm, hash, Secret::new(&secret)?)?);
//! let mut window = [0; 100];
//! let sealed = writer.seal(ContentType::ApplicationData, b"hello", &mut window)?;
//!
//! let mut reader = Reader::new();
//! reader.install(ReadKey::tls13(algorithm, hash, Secret::new(&secret)?)?);
//! reader.set_mode(Mode { application_data: ApplicationDataMode::Accept, ..Mode::default() });
//! let opened = reader.open(&mut window[..sealed.written])?;
//! let Some(Record::ApplicationData(range)) = opened.record else { panic!() };
//! assert_eq!(&window[range], b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! [`RecordError`] is the peer's doing and names the alert that answers it; [`SealError`] is a matter between the
//! caller and the writer. After a [`RecordError`] the connection is over.
#![forbid(unsafe_code)]

mod alert;
#[cfg(feature = "bytes")]
mod bytes;
mod error;
mod header;
mod keys;
pub mod limits;
mod mode;
mod open;
mod padding;
mod plaintext;
mod reassembly;
mod seal;
mod tls12;

pub use crate::alert::Alert;
#[cfg(feature = "bytes")]
pub use crate::bytes::{BytesRecord, OpenedBytes};
pub use crate::error::{RecordError, SealError};
pub use crate::header::{ContentType, HEADER_LEN, Header};
pub use crate::keys::{ReadKey, WriteKey};
pub use crate::mode::{ApplicationDataMode, ChangeCipherSpecMode, Mode};
pub use crate::open::{Opened, Reader, Record};
pub use crate::padding::Padding;
pub use crate::reassembly::{Message, Reassembly};
pub use crate::seal::{Sealed, Writer};
