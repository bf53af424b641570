//! Who the peer is: a path that was accepted, and the identities in its certificate.

use core::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use pki_types::{CertificateDer, UnixTime};

use crate::certificate::Certificate;
use crate::name::GeneralName;
use crate::oid::{self, ObjectIdentifier, Oid};
use crate::path::policy_set::PolicySet;
use crate::reader::ParseError;
use crate::revocation::RevocationStatus;
use crate::signature_cache::{Entry, SignatureCache};
use crate::spiffe::SpiffeId;
use crate::trust::{Anchor, sha256};
use crate::trust_mode::TrustedBy;

/// A chain that was accepted.
#[derive(Clone, Debug)]
pub struct VerifiedPath {
    pub(crate) path: Vec<u16>,
    pub(crate) anchor: Arc<Anchor>,
    pub(crate) identity: PeerIdentity,
    pub(crate) earliest_expiry: i64,
    pub(crate) revocation: RevocationStatus,
    pub(crate) trusted_by: TrustedBy,
    pub(crate) leaf_signature: Option<(Arc<SignatureCache>, Entry)>,
}

impl VerifiedPath {
    /// The certificates used, as positions in the peer's chain: the leaf (0) first, the one that the anchor signed
    /// last.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        self.path.iter().map(|&position| usize::from(position))
    }

    /// The anchor that the path begins at; the peer's own certificate where that is what is trusted, or where nothing
    /// is asked ([`trusted_by`](Self::trusted_by)).
    #[must_use]
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// What stood for the peer.
    #[must_use]
    pub const fn trusted_by(&self) -> TrustedBy {
        self.trusted_by
    }

    /// To be called when the peer has proved possession of its certificate's key: its certificate's signature is then
    /// remembered in the verifier's [`SignatureCache`], if it has one. Without this call only those of the CAs are.
    ///
    /// Whoever validates before that proof must not call this: anybody can show other people's certificates.
    pub fn possession_proved(&self) {
        if let Some((cache, entry)) = &self.leaf_signature {
            cache.insert(*entry);
        }
    }

    /// Who the peer is.
    #[must_use]
    pub const fn identity(&self) -> &PeerIdentity {
        &self.identity
    }

    /// The certificate policies that the path is valid for; see [`PeerIdentity::policies`].
    pub fn policies(&self) -> impl Iterator<Item = Oid<'_>> {
        self.identity.policies()
    }

    /// Who the peer is, taken out.
    #[must_use]
    pub fn into_identity(self) -> PeerIdentity {
        self.identity
    }

    /// What is known of whether the path's certificates are revoked. Under
    /// [`Revocation::soft_fail`](crate::Revocation::soft_fail) a path may be accepted of which nothing is known.
    #[must_use]
    pub const fn revocation(&self) -> RevocationStatus {
        self.revocation
    }

    /// The last second in which every certificate of the path is valid, and the CRLs and the OCSP response that were
    /// relied on are in force. Sessions resumed from this one must not
    /// outlive it. Never before 1970.
    #[must_use]
    pub fn earliest_expiry(&self) -> UnixTime {
        let seconds = u64::try_from(self.earliest_expiry).unwrap_or(0);
        UnixTime::since_unix_epoch(core::time::Duration::from_secs(seconds))
    }
}

/// The identities in a peer's certificate, held as one copy of the certificate and read from it when asked for.
///
/// The names have been checked against the path's name constraints. Whether a name means anything to the
/// application is the application's question: a client certificate proves only that its CA vouches for its names.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    der: Arc<[u8]>,
    policies: PolicySet,
}

impl PeerIdentity {
    /// The identities of a certificate, without any validation.
    ///
    /// # Errors
    /// If the certificate cannot be parsed.
    pub fn from_certificate(certificate: &CertificateDer<'_>) -> Result<Self, ParseError> {
        Certificate::parse(certificate)?;
        Ok(Self { der: certificate.as_ref().into(), policies: PolicySet::default() })
    }

    /// The identity of a peer whose path was verified before: its certificate and the policies that
    /// [`policies_der`](Self::policies_der) gave then. That they belong together is the caller's word: both must come out of
    /// what the caller kept for itself, as in a resumed session.
    ///
    /// # Errors
    /// If the certificate, or the policies, cannot be parsed.
    pub fn from_verified_before(
        certificate: &CertificateDer<'_>,
        policies_der: &[u8],
    ) -> Result<Self, ParseError> {
        let policies = PolicySet::from_der(policies_der)?;
        Ok(Self { policies, ..Self::from_certificate(certificate)? })
    }

    /// Only certificates that were parsed come in here.
    pub(crate) fn from_parsed(certificate: &Certificate<'_>) -> Self {
        Self::with_policies(certificate, PolicySet::default())
    }

    /// As [`from_parsed`](Self::from_parsed), with the policies that its path is valid for.
    pub(crate) fn with_policies(certificate: &Certificate<'_>, policies: PolicySet) -> Self {
        Self { der: certificate.der().into(), policies }
    }

    /// The certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.der
    }

    fn names(&self) -> impl Iterator<Item = GeneralName<'_>> {
        Certificate::parse(&self.der).ok().into_iter().flat_map(|certificate| certificate.alt_names())
    }

    /// DNS names of the subjectAltName, wildcards included, as presented.
    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.names().filter_map(|name| if let GeneralName::Dns(dns) = name { Some(dns) } else { None })
    }

    /// IP addresses of the subjectAltName.
    pub fn ip_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.names()
            .filter_map(|name| if let GeneralName::Ip(octets) = name { ip_address(octets) } else { None })
    }

    /// URIs of the subjectAltName, as presented.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.names().filter_map(|name| if let GeneralName::Uri(uri) = name { Some(uri) } else { None })
    }

    /// Mailboxes of the subjectAltName, as presented.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.names().filter_map(|name| if let GeneralName::Email(email) = name { Some(email) } else { None })
    }

    /// The SPIFFE ID: the only URI, if it is a well-formed one (X509-SVID section 2: exactly one URI).
    #[must_use]
    pub fn spiffe_id(&self) -> Option<SpiffeId<'_>> {
        let mut uris = self.uris();
        let only = uris.next()?;
        SpiffeId::parse(only).filter(|_| uris.next().is_none())
    }

    /// The certificate policies that the path is valid for (RFC 5280 section 6.1.6, the user-constrained policy set): in
    /// the terms of the anchor's domain, of those asked for by [`PolicyInputs`](crate::PolicyInputs), anyPolicy
    /// (2.5.29.32.0) where any will do. None where the certificate was not validated along a path.
    pub fn policies(&self) -> impl Iterator<Item = Oid<'_>> {
        self.policies.iter()
    }

    /// The [`policies`](Self::policies) to keep beside the certificate, as a DER SEQUENCE OF OBJECT IDENTIFIER: 2 octets
    /// where there are none, about 10 for each.
    #[must_use]
    pub fn policies_der(&self) -> Vec<u8> {
        self.policies.to_der()
    }

    /// Whether the path is valid for this policy, or for any.
    #[must_use]
    pub fn has_policy(&self, policy: &ObjectIdentifier) -> bool {
        self.policies().any(|known| *policy == known || known.0 == oid::ANY_POLICY)
    }

    /// The subject in one line (RFC 4514 order), control characters escaped. For people: no identity is taken from
    /// it.
    #[must_use]
    pub fn subject(&self) -> String {
        Certificate::parse(&self.der)
            .map_or_else(|_| String::new(), |certificate| certificate.subject().to_string())
    }

    /// Content octets of the serial number, big-endian; a leading 00 keeps positive numbers positive.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        Certificate::parse(&self.der).map_or(&[], |certificate| certificate.serial())
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256(&[&self.der])
    }
}

impl fmt::Display for PeerIdentity {
    /// The first name of the subjectAltName, or the subject.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names().next() {
            Some(name) => f.write_str(&describe_name(&name)),
            None => f.write_str(&self.subject()),
        }
    }
}

impl fmt::Debug for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().take(16).map(|name| describe_name(&name)).collect();
        f.debug_struct("PeerIdentity").field("subject", &self.subject()).field("names", &names).finish()
    }
}

/// An address of 4 or 16 octets.
pub(crate) fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// A name of a certificate for people, control characters escaped.
pub(crate) fn describe_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::Dns(text) => escape(text),
        GeneralName::Uri(text) | GeneralName::Email(text) => escape(text),
        GeneralName::Ip(octets) => match ip_address(octets) {
            Some(address) => address.to_string(),
            None => format!("an address of {} octets", octets.len()),
        },
        GeneralName::Directory(name) => name.to_string(),
        GeneralName::Other(number, _) => format!("a name of form [{number}]"),
    }
}

pub(crate) fn escape(text: &str) -> String {
    if text.chars().any(char::is_control) { text.escape_debug().to_string() } else { text.to_owned() }
}
