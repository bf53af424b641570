//! A certificate (RFC 5280 section 4.1), read in one pass over borrowed bytes.

use core::fmt;

use oxtls_crypto::signature::PublicKey;

use crate::algorithm::CertificateSignature;
use crate::extension::{
    AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, ExtendedKeyUsage,
    Extension, Extensions, KeyUsage, NameConstraints, PolicyConstraints, PolicyMappings, SubjectAltName,
    SubjectKeyIdentifier,
};
use crate::name::{GeneralName, Name};
use crate::oid::Oid;
use crate::reader::{ParseError, Parsed, Reader, at, tag};
use crate::rules::Rule;
use crate::time;

/// The version field (RFC 5280 section 4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// No extensions, no unique identifiers.
    V1,
    /// Unique identifiers, no extensions.
    V2,
    /// Extensions.
    V3,
}

/// When a certificate is valid, both ends included, in seconds since 1970 (years 1 to 9999).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second of validity.
    pub not_before: i64,
    /// Last second of validity.
    pub not_after: i64,
}

impl fmt::Display for Validity {
    /// `2026-11-30 12:00:00 UTC until 2027-02-28 12:00:00 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} until {}", time::display(self.not_before), time::display(self.not_after))
    }
}

/// A parsed certificate. Everything borrows from the encoding; parsing allocates nothing.
///
/// Parsing proves the form only; whether to trust what it says is [`Verifier`](crate::Verifier)'s question.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    der: &'a [u8],
    tbs: &'a [u8],
    version: Version,
    serial: &'a [u8],
    signature_algorithm: CertificateSignature<'a>,
    algorithm: &'a [u8],
    signature: &'a [u8],
    issuer: Name<'a>,
    subject: Name<'a>,
    validity: Validity,
    spki: &'a [u8],
    pub(crate) extensions: Extensions<'a>,
    pub(crate) offsets: Offsets,
    /// It has an issuerUniqueID or subjectUniqueID.
    pub(crate) has_unique_id: bool,
    /// A date before 2050 came as GeneralizedTime.
    pub(crate) early_generalized_time: bool,
}

/// Where the fields begin, for reports.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offsets {
    pub(crate) version: u32,
    pub(crate) serial: u32,
    pub(crate) algorithm: u32,
    pub(crate) issuer: u32,
    pub(crate) validity: u32,
    pub(crate) subject: u32,
    pub(crate) spki: u32,
    pub(crate) extensions: u32,
    pub(crate) signature: u32,
}

impl<'a> Certificate<'a> {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// [`ParseError`] names the rule broken and the offset in octets. Bytes beyond
    /// [`MAX_CERTIFICATE_BYTES`](crate::defaults::MAX_CERTIFICATE_BYTES) are refused unread.
    pub fn parse(der: &'a [u8]) -> Result<Self, ParseError> {
        if der.len() > crate::defaults::MAX_CERTIFICATE_BYTES {
            return Err(at(0, "certificate is longer than any real one"));
        }
        let mut reader = Reader::new(der, 0);
        let mut outer = reader.sequence("Certificate expected")?;
        reader.end("bytes after the certificate")?;
        let tbs = outer.expect(tag::SEQUENCE, "TBSCertificate expected")?;
        let algorithm = outer.expect(tag::SEQUENCE, "AlgorithmIdentifier expected")?;
        let signature_offset = outer.offset();
        let signature = outer.bit_string_octets()?;
        outer.end("bytes after the signature")?;
        let mut certificate = Self::parse_tbs(tbs.reader(), algorithm.whole)?;
        certificate.der = der;
        certificate.tbs = tbs.whole;
        certificate.signature = signature;
        certificate.offsets.signature = signature_offset;
        Ok(certificate)
    }

    /// Reads the fields of a TBSCertificate; `outer_algorithm` is the AlgorithmIdentifier beside the signature.
    fn parse_tbs(mut tbs: Reader<'a>, outer_algorithm: &[u8]) -> Parsed<Self> {
        let mut offsets = Offsets { version: tbs.offset(), ..Offsets::default() };
        let version = read_version(&mut tbs)?;
        offsets.serial = tbs.offset();
        let serial = tbs.integer()?;
        offsets.algorithm = tbs.offset();
        let algorithm = tbs.expect(tag::SEQUENCE, "AlgorithmIdentifier expected")?;
        if algorithm.whole != outer_algorithm {
            let what = "the signed signature algorithm is another than the outer one";
            return Err(ParseError { rule: Rule::SignatureAlgorithmsAgree, offset: algorithm.start, what });
        }
        offsets.issuer = tbs.offset();
        let issuer = Name::read(&mut tbs)?;
        offsets.validity = tbs.offset();
        let (validity, early_generalized_time) = read_validity(&mut tbs)?;
        offsets.subject = tbs.offset();
        let subject = Name::read(&mut tbs)?;
        offsets.spki = tbs.offset();
        let spki = tbs.expect(tag::SEQUENCE, "SubjectPublicKeyInfo expected")?.whole;
        let has_unique_id = skip_unique_ids(&mut tbs, version)?;
        offsets.extensions = tbs.offset();
        let extensions = read_extensions(&mut tbs, version)?;
        tbs.end("bytes after the last field")?;
        Ok(Self {
            der: &[],
            tbs: &[],
            version,
            serial,
            signature_algorithm: CertificateSignature::read(algorithm.reader())?,
            algorithm: algorithm.whole,
            signature: &[],
            issuer,
            subject,
            validity,
            spki,
            extensions,
            offsets,
            has_unique_id,
            early_generalized_time,
        })
    }

    /// The whole certificate.
    #[must_use]
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The signed bytes: the TBSCertificate with its header.
    #[must_use]
    pub const fn tbs(&self) -> &'a [u8] {
        self.tbs
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Content octets of the serial number: a big-endian two's-complement integer.
    #[must_use]
    pub const fn serial(&self) -> &'a [u8] {
        self.serial
    }

    /// What the certificate was signed with.
    #[must_use]
    pub const fn signature_algorithm(&self) -> CertificateSignature<'a> {
        self.signature_algorithm
    }

    /// The AlgorithmIdentifier of the signature, with its header; parameters and all.
    #[must_use]
    pub const fn signature_algorithm_der(&self) -> &'a [u8] {
        self.algorithm
    }

    /// The signature over [`tbs`](Self::tbs).
    #[must_use]
    pub const fn signature(&self) -> &'a [u8] {
        self.signature
    }

    /// Who signed it.
    #[must_use]
    pub const fn issuer(&self) -> Name<'a> {
        self.issuer
    }

    /// Whose key it carries.
    #[must_use]
    pub const fn subject(&self) -> Name<'a> {
        self.subject
    }

    /// When it is valid.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// The SubjectPublicKeyInfo with its header.
    #[must_use]
    pub const fn spki(&self) -> &'a [u8] {
        self.spki
    }

    /// Whether the subjectAltName carries this name, by the rules of RFC 9525. It says nothing about trust; it helps a
    /// server to choose which certificate to show.
    #[must_use]
    pub fn is_valid_for(&self, name: &pki_types::ServerName<'_>) -> bool {
        crate::reference::names_server(self, name)
    }

    /// Whether issuer and subject are the same name (RFC 5280 section 6.1: self-issued).
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether its own key made its signature, which costs a verification. Names alone do not say so: a CA that renews its
    /// key is self-issued.
    pub(crate) fn is_self_signed(&self) -> bool {
        let CertificateSignature::Known(algorithm) = self.signature_algorithm else {
            return false;
        };
        let key = PublicKey::from_spki(self.spki);
        key.is_ok_and(|key| key.verify(algorithm, self.tbs, self.signature).is_ok())
    }

    /// basicConstraints.
    #[must_use]
    pub const fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.extensions.basic_constraints
    }

    /// keyUsage.
    #[must_use]
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage
    }

    /// extendedKeyUsage.
    #[must_use]
    pub const fn extended_key_usage(&self) -> Option<ExtendedKeyUsage<'a>> {
        self.extensions.extended_key_usage
    }

    /// subjectAltName.
    #[must_use]
    pub const fn subject_alt_name(&self) -> Option<SubjectAltName<'a>> {
        self.extensions.subject_alt_name
    }

    /// The names of the subjectAltName; none when it is absent.
    pub fn alt_names(&self) -> impl Iterator<Item = GeneralName<'a>> + use<'a> {
        self.extensions.subject_alt_name.into_iter().flat_map(|san| san.names())
    }

    /// nameConstraints.
    #[must_use]
    pub const fn name_constraints(&self) -> Option<NameConstraints<'a>> {
        self.extensions.name_constraints
    }

    /// certificatePolicies.
    #[must_use]
    pub const fn certificate_policies(&self) -> Option<CertificatePolicies<'a>> {
        self.extensions.certificate_policies
    }

    /// policyMappings.
    #[must_use]
    pub const fn policy_mappings(&self) -> Option<PolicyMappings<'a>> {
        self.extensions.policy_mappings
    }

    /// policyConstraints.
    #[must_use]
    pub const fn policy_constraints(&self) -> Option<PolicyConstraints> {
        self.extensions.policy_constraints
    }

    /// inhibitAnyPolicy: after how many more certificates anyPolicy means nothing.
    #[must_use]
    pub const fn inhibit_any_policy(&self) -> Option<u32> {
        self.extensions.inhibit_any_policy
    }

    /// authorityKeyIdentifier.
    #[must_use]
    pub const fn authority_key_id(&self) -> Option<AuthorityKeyIdentifier<'a>> {
        self.extensions.authority_key_id
    }

    /// subjectKeyIdentifier.
    #[must_use]
    pub const fn subject_key_id(&self) -> Option<SubjectKeyIdentifier<'a>> {
        self.extensions.subject_key_id
    }

    /// authorityInfoAccess.
    #[must_use]
    pub const fn authority_info_access(&self) -> Option<AuthorityInfoAccess<'a>> {
        self.extensions.authority_info_access
    }

    /// Every extension in encoding order, known or not.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        let mut reader = self.extensions.all;
        core::iter::from_fn(move || if reader.is_empty() { None } else { Extension::read(&mut reader).ok() })
    }

    /// The first critical extension that validation does not understand.
    #[must_use]
    pub fn unknown_critical(&self) -> Option<Oid<'a>> {
        self.extensions.unknown_critical.map(|(_, oid)| oid)
    }
}

/// `[0] EXPLICIT Version DEFAULT v1`: DER omits the default.
fn read_version(tbs: &mut Reader<'_>) -> Parsed<Version> {
    let Some(explicit) = tbs.optional(tag::context_constructed(0))? else {
        return Ok(Version::V1);
    };
    let mut inner = explicit.reader();
    let number = inner.integer()?;
    inner.end("bytes after the version")?;
    let what = match *number {
        [1] => return Ok(Version::V2),
        [2] => return Ok(Version::V3),
        [0] => "the default version is encoded",
        _ => "no such version",
    };
    Err(ParseError { rule: Rule::Version, offset: explicit.start, what })
}

/// Validity, and whether a date before 2050 came as GeneralizedTime.
fn read_validity(tbs: &mut Reader<'_>) -> Parsed<(Validity, bool)> {
    /// 2050-01-01 00:00:00 UTC.
    const YEAR_2050: i64 = 2_524_608_000;
    let mut fields = tbs.sequence("Validity expected")?;
    let mut early = false;
    let mut next = || {
        let form = fields.peek();
        let seconds = time::time(&mut fields)?;
        early |= form == Some(tag::GENERALIZED_TIME) && seconds < YEAR_2050;
        Ok(seconds)
    };
    let not_before = next()?;
    let not_after = next()?;
    fields.end("bytes after the validity")?;
    Ok((Validity { not_before, not_after }, early))
}

/// issuerUniqueID and subjectUniqueID: allowed from version 2 on, and of no meaning (RFC 5280 section 4.1.2.8).
/// Whether there was one.
fn skip_unique_ids(tbs: &mut Reader<'_>, version: Version) -> Parsed<bool> {
    let mut found = false;
    for number in [1, 2] {
        let Some(element) = tbs.optional(tag::context(number))? else {
            continue;
        };
        found = true;
        if version == Version::V1 {
            let what = "a version 1 certificate has a unique identifier";
            return Err(ParseError { rule: Rule::Version, offset: element.start, what });
        }
        if !matches!(element.value.first(), Some(0..=7)) {
            return Err(at(element.start, "unique identifier is no BIT STRING"));
        }
    }
    Ok(found)
}

fn read_extensions<'a>(tbs: &mut Reader<'a>, version: Version) -> Parsed<Extensions<'a>> {
    let Some(explicit) = tbs.optional(tag::context_constructed(3))? else {
        return Ok(Extensions::none());
    };
    if version != Version::V3 {
        let what = "extensions without version 3";
        return Err(ParseError { rule: Rule::Version, offset: explicit.start, what });
    }
    let mut inner = explicit.reader();
    let contents = inner.sequence("Extensions expected")?;
    inner.end("bytes after the extensions")?;
    Extensions::read(contents)
}
