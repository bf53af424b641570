//! SHA-2: one-shot digests, and running contexts for transcripts (RFC 9846 section 4.1).

use core::fmt;

use aws_lc_rs::digest;

/// SHA-1 of the concatenation of `parts`, as a name only: OCSP identifies issuers and responders by it (RFC 6960 section
/// 4.1.1), and whoever can make two keys collide gains nothing, since what such a name finds is then verified by its
/// signature. Never a hash of anything that is signed: that is why it is no [`Hash`](enum@Hash).
#[must_use]
pub fn sha1_identifier(parts: &[&[u8]]) -> [u8; 20] {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().try_into().unwrap_or([0; 20])
}

/// The longest concatenation that is gathered before it is hashed: room for what is hashed of a P-256 certificate.
const MAX_GATHERED_LEN: usize = 1024;

/// The hash functions of the TLS cipher suites and signature schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-256: 32 bytes.
    Sha256,
    /// SHA-384: 48 bytes.
    Sha384,
    /// SHA-512: 64 bytes.
    Sha512,
}

impl Hash {
    /// Output length in bytes.
    #[inline]
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Length in bytes of the blocks that the function works on, which is HMAC's key block (RFC 2104 section 2).
    #[inline]
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => 128,
        }
    }

    /// Hashes `data`.
    #[inline]
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Digest {
        Digest::of(digest::digest(self.algorithm(), data).as_ref())
    }

    /// Hashes the concatenation of `parts`, which is not taken for secret: where it is short, it is gathered on the stack and
    /// hashed at once, which takes the library no context and no allocation.
    #[must_use]
    pub fn digest_parts(self, parts: &[&[u8]]) -> Digest {
        if let [only] = parts {
            return self.digest(only);
        }
        let mut gathered = [0; MAX_GATHERED_LEN];
        let mut len = 0usize;
        let fits = parts.iter().all(|part| {
            let end = len.saturating_add(part.len());
            let Some(room) = gathered.get_mut(len..end) else { return false };
            room.copy_from_slice(part);
            len = end;
            true
        });
        match gathered.get(..len) {
            Some(whole) if fits => self.digest(whole),
            _ => self.digest_running(parts),
        }
    }

    /// The same by a running context.
    fn digest_running(self, parts: &[&[u8]]) -> Digest {
        let mut context = HashContext::new(self);
        for part in parts {
            context.update(part);
        }
        context.finish()
    }

    /// The hash of the empty string, which the key schedule derives from at every stage (RFC 9846 section 7.1).
    /// A constant: costs nothing.
    #[inline]
    #[must_use]
    pub fn empty_digest(self) -> Digest {
        match self {
            Self::Sha256 => Digest::of(&EMPTY_SHA256),
            Self::Sha384 => Digest::of(&EMPTY_SHA384),
            Self::Sha512 => Digest::of(&EMPTY_SHA512),
        }
    }

    #[inline]
    pub(crate) fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// The output of a [hash function](enum@Hash): public data, stored inline.
#[derive(Clone, Copy)]
pub struct Digest {
    bytes: [u8; Digest::MAX_LEN],
    len: usize,
}

impl Digest {
    /// The longest digest, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Keeps the first [`Digest::MAX_LEN`] of `bytes`; no hash has more.
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let len = bytes.len().min(Self::MAX_LEN);
        let mut digest = Self { bytes: [0; Self::MAX_LEN], len };
        if let (Some(to), Some(from)) = (digest.bytes.get_mut(..len), bytes.get(..len)) {
            to.copy_from_slice(from);
        }
        digest
    }

    /// The hash value.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Digest {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Digest {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(")?;
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// A hash over data that arrives in pieces, whose value can be read at any point without ending it: the shape of a
/// handshake transcript. Creating, cloning and reading ([`HashContext::current`]) allocate once each.
#[derive(Clone)]
pub struct HashContext {
    context: digest::Context,
    hash: Hash,
}

impl HashContext {
    /// A context over nothing yet.
    #[must_use]
    pub fn new(hash: Hash) -> Self {
        Self { context: digest::Context::new(hash.algorithm()), hash }
    }

    /// The hash function.
    #[inline]
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Adds `data`.
    #[inline]
    pub fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    #[inline]
    pub(crate) fn into_inner(self) -> digest::Context {
        self.context
    }

    /// The hash of everything so far; the context goes on.
    #[must_use]
    pub fn current(&self) -> Digest {
        Digest::of(self.context.clone().finish().as_ref())
    }

    /// The hash of everything.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest::of(self.context.finish().as_ref())
    }
}

impl fmt::Debug for HashContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashContext").field("hash", &self.hash).finish_non_exhaustive()
    }
}

const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
const EMPTY_SHA384: [u8; 48] = [
    0x38, 0xb0, 0x60, 0xa7, 0x51, 0xac, 0x96, 0x38, 0x4c, 0xd9, 0x32, 0x7e, 0xb1, 0xb1, 0xe3, 0x6a, 0x21,
    0xfd, 0xb7, 0x11, 0x14, 0xbe, 0x07, 0x43, 0x4c, 0x0c, 0xc7, 0xbf, 0x63, 0xf6, 0xe1, 0xda, 0x27, 0x4e,
    0xde, 0xbf, 0xe7, 0x6f, 0x65, 0xfb, 0xd5, 0x1a, 0xd2, 0xf1, 0x48, 0x98, 0xb9, 0x5b,
];
const EMPTY_SHA512: [u8; 64] = [
    0xcf, 0x83, 0xe1, 0x35, 0x7e, 0xef, 0xb8, 0xbd, 0xf1, 0x54, 0x28, 0x50, 0xd6, 0x6d, 0x80, 0x07, 0xd6,
    0x20, 0xe4, 0x05, 0x0b, 0x57, 0x15, 0xdc, 0x83, 0xf4, 0xa9, 0x21, 0xd3, 0x6c, 0xe9, 0xce, 0x47, 0xd0,
    0xd1, 0x3c, 0x5d, 0x85, 0xf2, 0xb0, 0xff, 0x83, 0x18, 0xd2, 0x87, 0x7e, 0xec, 0x2f, 0x63, 0xb9, 0x31,
    0xbd, 0x47, 0x41, 0x7a, 0x81, 0xa5, 0x38, 0x32, 0x7a, 0xf9, 0x27, 0xda, 0x3e,
];

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

    #[test]
    fn lengths_are_those_of_the_library() {
        for hash in ALL {
            assert_eq!(hash.output_len(), hash.algorithm().output_len());
            assert_eq!(hash.block_len(), hash.algorithm().block_len());
            assert_eq!(hash.digest(b"x").as_bytes().len(), hash.output_len());
        }
    }

    #[test]
    fn empty_digest_is_the_digest_of_nothing() {
        for hash in ALL {
            assert_eq!(hash.empty_digest(), hash.digest(b""));
            assert_eq!(hash.empty_digest(), hash.digest_parts(&[]));
            assert_eq!(hash.empty_digest(), HashContext::new(hash).finish());
        }
    }

    #[test]
    fn parts_and_contexts_agree_with_the_whole() {
        for hash in ALL {
            let whole = hash.digest(b"one two three");
            assert_eq!(hash.digest_parts(&[b"one", b" ", b"two three"]), whole);
            assert_eq!(hash.digest_parts(&[b"one two three"]), whole);
            let mut context = HashContext::new(hash);
            context.update(b"one two");
            assert_eq!(context.current(), hash.digest(b"one two"));
            assert_eq!(context.clone().finish(), hash.digest(b"one two"));
            context.update(b" three");
            assert_eq!(context.current(), whole, "reading the value must not end or change the context");
            assert_eq!(context.finish(), whole);
        }
    }

    #[test]
    fn parts_are_hashed_alike_whether_they_are_gathered_or_not() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(2 * MAX_GATHERED_LEN).collect();
        for len in [MAX_GATHERED_LEN - 1, MAX_GATHERED_LEN, MAX_GATHERED_LEN + 1, 2 * MAX_GATHERED_LEN] {
            for cut in [0, 1, len / 2, len - 1, len] {
                let (whole, (front, back)) = (&bytes[..len], bytes[..len].split_at(cut));
                for hash in ALL {
                    assert_eq!(hash.digest_parts(&[front, back, &[]]), hash.digest(whole), "{len}, {cut}");
                }
            }
        }
    }

    #[test]
    fn digests_of_different_hashes_differ_and_print_as_hex() {
        assert_ne!(Hash::Sha256.digest(b"").as_bytes(), Hash::Sha512.digest(b"").as_bytes());
        assert!(format!("{:?}", Hash::Sha256.empty_digest()).starts_with("Digest(e3b0c442"));
    }
}
