//! X.509 certificates for people who validate chains: parsed borrowed, validated under a budget, failures explained.
//!
//! The crate knows no TLS, does no I/O but reading the root files it is pointed at, and needs no clock: time comes in.
//!
//! ```no_run
//! use oxtls_x509::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
//! use oxtls_x509::{Purpose, Roots, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut roots = Roots::empty();
//! roots.add_pem_file("ca.pem")?;
//! let verifier = Verifier::new(roots, Purpose::ServerAuth);
//!
//! // The leaf first, the rest in any order.
//! let chain: Vec<_> = CertificateDer::pem_file_iter("chain.pem")?.collect::<Result<_, _>>()?;
//! let name = ServerName::try_from("www.example.com")?;
//! match verifier.verify_server(&chain, &name, UnixTime::now()) {
//!     Ok(path) => println!("{} vouches for {}", path.anchor().subject(), path.identity()),
//!     Err(report) => eprintln!("{}", report.explain()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what |
//! | --- | --- |
//! | [`Certificate`] and its parts | one certificate, read in one pass without allocation, DER only |
//! | [`Roots`] | trust anchors from PEM, DER, `webpki-roots` or the platform |
//! | [`Verifier`], [`Policy`] | path building and validation, RFC 5280 section 6; names, RFC 9525 |
//! | [`ReferenceIdentifier`] | the name wanted of a peer: host, address, URI (SPIFFE), service, mailbox |
//! | [`PolicyInputs`] | what is asked of certificate policies; [`VerifiedPath::policies`] has what came of it |
//! | [`Trust`], [`SpkiPin`] | other reasons to trust a peer: pinned keys, exactly this certificate, anyone |
//! | [`SignatureCache`] | signatures verified before, and why remembering them is safe |
//! | [`VerifiedPath`], [`PeerIdentity`] | what is known after success |
//! | [`Revocation`], [`Crl`], [`CrlStore`], [`Stapled`] | CRLs, RFC 5280 section 6.3; stapled OCSP responses, RFC 6960 |
//! | [`Transparency`], [`LogList`] | signed certificate timestamps, RFC 6962 |
//! | [`Report`], [`Cause`], [`Rule`] | what is known after failure |
//! | [`defaults`] | every number, with its source |
//!
//! | feature | what |
//! | --- | --- |
//! | `webpki-roots`, `native-roots` | `Roots::webpki`, `Roots::native` |
//! | `public-suffix` | `PublicSuffixes::List`, the list of publicsuffix.org |
#![forbid(unsafe_code)]

mod algorithm;
mod allowed;
mod certificate;
pub mod defaults;
mod encode;
mod extension;
mod identity;
mod idna;
mod issuer_keys;
mod name;
mod oid;
mod path;
mod policy;
mod public_suffix;
mod reader;
mod recency;
mod reference;
mod report;
mod revocation;
mod rules;
mod signature_cache;
mod spiffe;
mod spki;
mod time;
mod transparency;
mod trust;
mod trust_mode;
mod verifier;

pub use algorithm::CertificateSignature;
pub use allowed::AllowedAlgorithms;
pub use certificate::{Certificate, Validity, Version};
pub use extension::{
    AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, ExtendedKeyUsage,
    Extension, KeyUsage, NameConstraints, PolicyConstraints, PolicyMappings, SubjectAltName,
    SubjectKeyIdentifier, Subtrees,
};
pub use identity::{PeerIdentity, VerifiedPath};
pub use name::{GeneralName, GeneralNames, Name};
pub use oid::{ObjectIdentifier, Oid, OidError};
pub use policy::{Budget, Policy, PolicyInputs, Purpose};
pub use public_suffix::PublicSuffixes;
pub use reader::ParseError;
pub use reference::{ReferenceError, ReferenceIdentifier};
pub use report::{Candidate, Cause, Position, Report};
pub use revocation::{
    Crl, CrlFileError, CrlStore, Revocation, RevocationReason, RevocationStatus, Revoked, Stapled, Unknown,
};
pub use rules::{Rule, RuleSet};
pub use signature_cache::SignatureCache;
pub use spiffe::SpiffeId;
pub use transparency::{Log, LogError, LogList, Transparency};
pub use trust::{Anchor, Roots, RootsError};
pub use trust_mode::{DangerAcceptAnyone, PinError, SpkiPin, Trust, TrustedBy};
pub use verifier::Verifier;

pub use pki_types;
