//! Every number of this crate, with its source.

use core::ops::RangeInclusive;

/// Sizes of RSA moduli accepted, in bits: at least 2048 by RFC 9325 section 4.5 and NIST SP 800-131A, at most what
/// the crypto library verifies (larger ones buy no security but cost time).
pub const RSA_BITS: RangeInclusive<u32> = 2048..=8192;

/// The longest certificate that is read, in octets. TLS allows 2^24 - 1 (RFC 9846 section 4.5.1); real ones stay
/// under 10,000 even with ML-DSA-87 keys and signatures, and under 64,000 with hundreds of names.
pub const MAX_CERTIFICATE_BYTES: usize = 256 * 1024;

/// The most certificates of a chain that are looked at. Servers send 2 to 4; the conformance suites' longest pathological
/// chains have 101.
pub const MAX_CHAIN: usize = 128;

/// Extensions of a certificate beyond which further ones that are not id-ce are refused. Real ones carry about 10.
pub const MAX_EXTENSIONS: u32 = 128;

/// Signatures verified for one chain. A path of four needs three, BetterTLS's hardest mesh five; the rest is room for
/// CAs that share a name. A P-256 verification takes 50 to 100 microseconds, so this bounds a chain's cost to a few
/// milliseconds.
pub const SIGNATURES: u32 = 24;

/// Issuers tried while building a path. BetterTLS's hardest mesh needs 19.
pub const NODES: u32 = 1_024;

/// Comparisons of a name with a subtree, 30 to 200 nanoseconds each; one counts once more for every 64 octets of the
/// two, or 32 of distinguished names, so that all of them stay within a few milliseconds. Technically constrained CAs list tens of subtrees,
/// large leaves 100 names; this is room for 100 times 100 at two CAs.
pub const NAME_COMPARISONS: u32 = 20_000;

/// Types and values of one relative distinguished name that are compared with a name constraint; of more, or where a
/// type repeats, no comparison is tried. Real ones have one, seldom two or three.
pub const RDN_ATTRIBUTES: usize = 8;

/// Intermediates between leaf and anchor, self-issued ones not counted. OpenSSL allows 100; deployed paths have 1 to 4.
pub const DEPTH: u8 = 12;

/// Candidate paths kept for a report.
pub const CANDIDATES: usize = 16;
