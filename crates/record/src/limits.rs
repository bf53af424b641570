//! Every number that bounds the record layer, with its source.

use oxtls_crypto::aead::TAG_LEN;

use crate::header::HEADER_LEN;

/// The most content one record carries, in bytes: 2^14 (RFC 9846 section 5.1).
pub const MAX_FRAGMENT: usize = 1 << 14;

/// The longest `encrypted_record`, in bytes: 2^14 + 256 (RFC 9846 section 5.2).
pub const MAX_CIPHERTEXT: usize = MAX_FRAGMENT + 256;

/// The longest record on the wire, header included: a receive buffer of this size always makes progress.
pub const MAX_RECORD: usize = HEADER_LEN + MAX_CIPHERTEXT;

/// What protection adds to unpadded content: header, inner content type and tag.
pub const PROTECTED_OVERHEAD: usize = HEADER_LEN + 1 + TAG_LEN;

/// The smallest record_size_limit (RFC 8449 section 4).
pub const MIN_RECORD_SIZE_LIMIT: u16 = 64;

/// The largest record_size_limit of TLS 1.3: content of 2^14 bytes and its type (RFC 8449 section 4).
pub const MAX_RECORD_SIZE_LIMIT: u16 = (1 << 14) + 1;

/// Compatibility ChangeCipherSpec records that are dropped on one connection before the next is refused. A peer
/// needs one, two with a HelloRetryRequest; the rest is room for odd middleboxes, the bound is against a flood.
pub const MAX_CHANGE_CIPHER_SPECS: u8 = 32;

/// Application data records without content that may follow each other. They are legal as cover traffic (RFC 9846
/// section 5.1), but each costs a decryption and yields nothing.
pub const MAX_EMPTY_RECORDS: u8 = 32;

/// Records under each write key that application data may not use, so that the KeyUpdate which replaces the key,
/// or the alert that ends the connection, can always be sent under it.
pub const RESERVED_RECORDS: u64 = 16;

/// The least that a record skipped as undecryptable early data counts for: the tag and the content type, which any
/// genuine record has. Otherwise empty records would be skipped for ever.
pub(crate) const MIN_CIPHERTEXT: usize = TAG_LEN + 1;

/// The longest handshake message body taken unless the mode says otherwise, in bytes.
pub const DEFAULT_MAX_MESSAGE: u32 = 1 << 16;
