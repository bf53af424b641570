//! What is known of a certificate's status, in types and in sentences.

use core::fmt;

use crate::report::Position;

/// Why a certificate was revoked (CRLReason, RFC 5280 section 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationReason {
    /// No reason was given.
    Unspecified,
    /// Its private key is in other hands.
    KeyCompromise,
    /// The private key of its CA is.
    CaCompromise,
    /// A name in it changed.
    AffiliationChanged,
    /// Another one took its place.
    Superseded,
    /// It is not needed any more.
    CessationOfOperation,
    /// It is on hold and may come back.
    CertificateHold,
    /// In a delta CRL: it was on hold, or has expired, and is revoked no more.
    RemoveFromCrl,
    /// A right that it stood for was withdrawn.
    PrivilegeWithdrawn,
    /// The private key of an attribute authority is in other hands.
    AaCompromise,
}

impl RevocationReason {
    /// By its number; 7 is not used.
    pub(super) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => return None,
        })
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "no reason given",
            Self::KeyCompromise => "its key was compromised",
            Self::CaCompromise => "its CA was compromised",
            Self::AffiliationChanged => "a name in it changed",
            Self::Superseded => "it was superseded",
            Self::CessationOfOperation => "it is no longer needed",
            Self::CertificateHold => "it is on hold",
            Self::RemoveFromCrl => "its hold was lifted",
            Self::PrivilegeWithdrawn => "a privilege was withdrawn",
            Self::AaCompromise => "an attribute authority was compromised",
        })
    }
}

/// What a validation found out about revocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationStatus {
    /// Nothing was checked: revocation is off, or certificates are trusted without a path.
    #[default]
    NotChecked,
    /// Each certificate that was to be checked is known not to be revoked.
    Good,
    /// Accepted without knowing, as soft-fail does: the first certificate of which nothing is known, and why.
    Unknown(Position, Unknown),
}

/// Why a certificate's status is not known. In the order of how far the search for it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unknown {
    /// There is no CRL of its issuer, and no response was stapled.
    NoData,
    /// Its distribution points cannot be read.
    MalformedPoints,
    /// There are CRLs of its issuer, but none for certificates of this kind or at its distribution points.
    OutOfScope,
    /// The CRL for it is outdated, or not in force yet.
    StaleCrl,
    /// No key of the CRL's issuer that leads to the same root, and that may sign CRLs, signed the CRL for it.
    UntrustedCrl,
    /// The CRL for it breaks a rule that the policy asks for: it has no authority key identifier.
    UnprofiledCrl,
    /// The CRLs for it are only about some reasons for revocation.
    SomeReasons,
    /// A stapled response came, but it is malformed; what is wrong.
    MalformedResponse(&'static str),
    /// The responder answered with this error instead of a status (RFC 6960 section 4.2.1).
    ResponderError(u8),
    /// The stapled response is about other certificates.
    OtherCertificate,
    /// The stapled response is outdated, not in force yet, or does not say until when it is.
    StaleResponse,
    /// The stapled response is not signed by the issuer or by a responder that the issuer authorised.
    UntrustedResponse,
    /// The responder does not know the certificate.
    UnknownToResponder,
}

impl Unknown {
    /// Whether the fault lies with a stapled response.
    pub(crate) const fn is_of_response(self) -> bool {
        matches!(
            self,
            Self::MalformedResponse(_)
                | Self::ResponderError(_)
                | Self::OtherCertificate
                | Self::StaleResponse
                | Self::UntrustedResponse
                | Self::UnknownToResponder
        )
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoData => "there is no CRL of its issuer and no stapled OCSP response",
            Self::MalformedPoints => "its CRL distribution points cannot be read",
            Self::OutOfScope => "no CRL of its issuer covers it",
            Self::StaleCrl => "the CRL for it is outdated or not in force yet",
            Self::UntrustedCrl => {
                "the CRL for it is not signed by an issuer of CRLs that leads to the same root"
            }
            Self::UnprofiledCrl => {
                "the CRL for it has no authority key identifier, which the policy demands of CRLs"
            }
            Self::SomeReasons => "the CRLs for it are only about some reasons for revocation",
            Self::MalformedResponse(what) => {
                return write!(f, "the stapled OCSP response is malformed: {what}");
            }
            Self::ResponderError(code) => {
                return write!(f, "the stapled OCSP response is the responder's error {code}");
            }
            Self::OtherCertificate => "the stapled OCSP response is about another certificate",
            Self::StaleResponse => "the stapled OCSP response is outdated, or not in force yet",
            Self::UntrustedResponse => {
                "the stapled OCSP response is not signed by its issuer or a responder authorised by it"
            }
            Self::UnknownToResponder => "the OCSP responder does not know it",
        })
    }
}
