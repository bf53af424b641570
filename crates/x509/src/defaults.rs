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

/// Certificate policies, and policy mappings, of one certificate beyond which it is refused. Real ones carry one to three;
/// bridge CAs map about ten.
pub const MAX_POLICIES: usize = 128;

/// Certificate policies and mappings looked at while paths are checked for policies. A real path has fewer than 50.
pub const POLICIES: u32 = 4_096;

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

/// The longest CRL that is loaded, in octets. One with a million entries has 25 to 50 million.
pub const MAX_CRL_BYTES: usize = 512 * 1024 * 1024;

/// Extensions of a CRL, of one of its entries or of an OCSP response. RFC 5280 has 7 and 3.
pub const CRL_EXTENSIONS: usize = 16;

/// Distribution points of a certificate that are looked at. Real ones have 1 or 2.
pub const DISTRIBUTION_POINTS: usize = 16;

/// How often the path of a CRL's issuer may need a CRL by yet another issuer outside of it.
pub const CRL_ISSUER_NESTING: u8 = 2;

/// TLS features of a certificate that are looked at (RFC 7633). Real ones have 1.
pub const TLS_FEATURES: usize = 16;

/// The longest OCSP response that is read, in octets. Real ones have 300 to 2,500, with ML-DSA-87 up to 20,000.
pub const MAX_OCSP_BYTES: usize = 64 * 1024;

/// Single responses in one OCSP response. Those made for stapling have 1.
pub const OCSP_RESPONSES: usize = 64;

/// Certificates of an OCSP response that are tried as its responder's. Real ones have 1.
pub const OCSP_CERTIFICATES: usize = 4;

/// The longest list of SCTs that is read, in octets, and the most timestamps looked at. Real ones have 2 to 5 of 120
/// octets each.
pub const MAX_SCT_LIST_BYTES: usize = 16 * 1024;
/// See [`MAX_SCT_LIST_BYTES`]; of all lists of a chain together.
pub const SCTS: usize = 16;
