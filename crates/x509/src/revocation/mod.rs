//! Whether certificates are revoked: CRLs (RFC 5280 sections 5 and 6.3) and stapled OCSP responses (RFC 6960).
//!
//! Nothing is fetched. CRLs are loaded once into a [`CrlStore`]; OCSP responses come with the peer's chain
//! ([`Stapled`]). A status that cannot be known is never taken for good: [`Revocation::hard_fail`] refuses the chain, and
//! [`Revocation::soft_fail`] accepts it and says so ([`VerifiedPath::revocation`](crate::VerifiedPath::revocation)).

mod crl;
mod list;
mod ocsp;
mod responder;
mod scope;
mod search;
mod signer;
mod status;
mod store;

use std::sync::Arc;

use pki_types::CertificateDer;

use crate::path::Fault;
use crate::path::budget::Remaining;
use crate::transparency::{self, Transparency};
use crate::trust::sha256;

pub use list::{Crl, Revoked};
pub use status::{RevocationReason, RevocationStatus, Unknown};
pub use store::{CrlFileError, CrlStore};

pub(crate) use ocsp::timestamps;
pub(crate) use scope::has_readable_points;
pub(crate) use search::{Path, Verdict};
use status::RevocationReason as Reason;

/// What came with a peer's chain (RFC 9846 section 4.5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stapled<'a> {
    /// The OCSP response of the peer's own certificate, DER (RFC 6960 section 4.2.1).
    pub ocsp: Option<&'a [u8]>,
    /// The SignedCertificateTimestampList of the peer's own certificate, its length field included (RFC 6962 section
    /// 3.3).
    pub scts: Option<&'a [u8]>,
}

/// How strictly revocation is checked, over which certificates and with which CRLs.
///
/// | made by | revoked | unknown |
/// | --- | --- | --- |
/// | [`off`](Self::off), the default | not looked at | not looked at |
/// | [`soft_fail`](Self::soft_fail) | refused | accepted, and said |
/// | [`hard_fail`](Self::hard_fail) | refused | refused |
///
/// Where it is not off, a certificate that promises a stapled response (RFC 7633) must come with a good one, whatever
/// the CRLs say. Trust anchors are trusted by configuration and have no status.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    mode: Mode,
    leaf_only: bool,
    crls: Arc<CrlStore>,
}

/// Judges a path that is good otherwise: revocation, then transparency.
pub(crate) fn judge<'a>(path: &Path<'_, 'a>, budget: &mut Remaining) -> Result<Verdict, Fault<'a>> {
    let verdict = search::check(path, budget)?;
    transparency::check(path, budget)?;
    Ok(verdict)
}

/// What a path is judged by besides itself.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) revocation: &'a Revocation,
    pub(crate) transparency: Option<&'a Transparency>,
    pub(crate) stapled: Stapled<'a>,
    /// What the peer sent: CRL issuers may be among it.
    pub(crate) chain: &'a [CertificateDer<'a>],
    /// 0 for the peer's path, more for the path of a CRL's issuer, of its CRL's issuer, ...
    pub(crate) nesting: u8,
}

/// What becomes of a chain whose status is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Off,
    SoftFail,
    HardFail,
}

impl Revocation {
    /// Nothing is checked, not even a stapled response.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Revoked certificates are refused; what is not known is accepted and said. Whoever holds the key of a revoked
    /// certificate and can keep status from being known is let in: this suits data that is not always at hand.
    #[must_use]
    pub fn soft_fail(crls: impl Into<Arc<CrlStore>>) -> Self {
        Self { mode: Mode::SoftFail, leaf_only: false, crls: crls.into() }
    }

    /// Each certificate must be known not to be revoked: by a CRL, or the peer's own by its stapled response.
    #[must_use]
    pub fn hard_fail(crls: impl Into<Arc<CrlStore>>) -> Self {
        Self { mode: Mode::HardFail, leaf_only: false, crls: crls.into() }
    }

    /// Only the peer's own certificate is looked at, none of the CAs'.
    #[must_use]
    pub const fn leaf_only(mut self) -> Self {
        self.leaf_only = true;
        self
    }

    /// Whether anything is checked.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.mode != Mode::Off
    }

    /// Whether an unknown status refuses a chain.
    #[must_use]
    pub fn is_hard_fail(&self) -> bool {
        self.mode == Mode::HardFail
    }

    /// The CRLs.
    #[must_use]
    pub const fn crls(&self) -> &Arc<CrlStore> {
        &self.crls
    }

    /// SHA-256 over the mode and the CRLs.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mode: &[u8] = match self.mode {
            Mode::Off => return sha256(&[b"oxtls revocation off"]),
            Mode::SoftFail => b"soft",
            Mode::HardFail => b"hard",
        };
        sha256(&[b"oxtls revocation", mode, &[u8::from(self.leaf_only)], &self.crls.fingerprint()])
    }
}
