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
use crate::reader::{ParseError, Parsed, Place, Reader, at, tag};
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
    fields: Fields,
}

/// What was read of a certificate, by where it stands in the encoding: who owns that can keep this beside it, and need not
/// read it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    tbs: Place,
    version: Version,
    serial: Place,
    /// `None` for one that is not known.
    signature_algorithm: Option<CertificateSignature<'static>>,
    algorithm: Place,
    signature: Place,
    /// The contents of the names.
    issuer: Place,
    subject: Place,
    validity: Validity,
    spki: Place,
    extensions: Extensions,
    offsets: Offsets,
    has_unique_id: bool,
    early_generalized_time: bool,
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
        Fields::read(der).map(|fields| Self { der, fields })
    }

    /// A certificate that was parsed before: the caller kept its encoding, and what was read of it.
    pub(crate) const fn parsed_before(der: &'a [u8], fields: Fields) -> Self {
        Self { der, fields }
    }

    /// What was read, to be kept beside the encoding.
    pub(crate) const fn fields(&self) -> Fields {
        self.fields
    }

    /// Where the fields begin, for reports.
    pub(crate) const fn offsets(&self) -> Offsets {
        self.fields.offsets
    }

    /// It has an issuerUniqueID or subjectUniqueID.
    pub(crate) const fn has_unique_id(&self) -> bool {
        self.fields.has_unique_id
    }

    /// A date before 2050 came as GeneralizedTime.
    pub(crate) const fn early_generalized_time(&self) -> bool {
        self.fields.early_generalized_time
    }

    /// The whole certificate.
    #[must_use]
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The signed bytes: the TBSCertificate with its header.
    #[must_use]
    pub fn tbs(&self) -> &'a [u8] {
        self.fields.tbs.of(self.der)
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.fields.version
    }

    /// Content octets of the serial number: a big-endian two's-complement integer.
    #[must_use]
    pub fn serial(&self) -> &'a [u8] {
        self.fields.serial.of(self.der)
    }

    /// What the certificate was signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> CertificateSignature<'a> {
        self.fields.signature_algorithm.unwrap_or_else(|| {
            let algorithm = self.fields.algorithm.reader(self.der).any();
            let read = algorithm.and_then(|algorithm| CertificateSignature::read(algorithm.reader()));
            // It was read before.
            read.unwrap_or(CertificateSignature::Unknown(Oid(&[])))
        })
    }

    /// The AlgorithmIdentifier of the signature, with its header; parameters and all.
    #[must_use]
    pub fn signature_algorithm_der(&self) -> &'a [u8] {
        self.fields.algorithm.of(self.der)
    }

    /// The signature over [`tbs`](Self::tbs).
    #[must_use]
    pub fn signature(&self) -> &'a [u8] {
        self.fields.signature.of(self.der)
    }

    /// Who signed it.
    #[must_use]
    pub fn issuer(&self) -> Name<'a> {
        Name::trusted(self.fields.issuer.of(self.der))
    }

    /// Whose key it carries.
    #[must_use]
    pub fn subject(&self) -> Name<'a> {
        Name::trusted(self.fields.subject.of(self.der))
    }

    /// When it is valid.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.fields.validity
    }

    /// The SubjectPublicKeyInfo with its header.
    #[must_use]
    pub fn spki(&self) -> &'a [u8] {
        self.fields.spki.of(self.der)
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
        self.issuer() == self.subject()
    }

    /// Whether its own key made its signature, which costs a verification. Names alone do not say so: a CA that renews its
    /// key is self-issued.
    pub(crate) fn is_self_signed(&self) -> bool {
        let CertificateSignature::Known(algorithm) = self.signature_algorithm() else {
            return false;
        };
        let key = PublicKey::from_spki(self.spki());
        key.is_ok_and(|key| key.verify(algorithm, self.tbs(), self.signature()).is_ok())
    }

    /// basicConstraints.
    #[must_use]
    pub const fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.fields.extensions.basic_constraints
    }

    /// keyUsage.
    #[must_use]
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.fields.extensions.key_usage
    }

    /// extendedKeyUsage.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<ExtendedKeyUsage<'a>> {
        self.fields.extensions.extended_key_usage.map(|kept| ExtendedKeyUsage::kept(kept, self.der))
    }

    /// subjectAltName.
    #[must_use]
    pub fn subject_alt_name(&self) -> Option<SubjectAltName<'a>> {
        self.fields.extensions.subject_alt_name.map(|kept| SubjectAltName::kept(kept, self.der))
    }

    /// The names of the subjectAltName; none when it is absent.
    pub fn alt_names(&self) -> impl Iterator<Item = GeneralName<'a>> + use<'a> {
        self.subject_alt_name().into_iter().flat_map(|san| san.names())
    }

    /// nameConstraints.
    #[must_use]
    pub fn name_constraints(&self) -> Option<NameConstraints<'a>> {
        self.fields.extensions.name_constraints.map(|kept| NameConstraints::kept(kept, self.der))
    }

    /// certificatePolicies.
    #[must_use]
    pub fn certificate_policies(&self) -> Option<CertificatePolicies<'a>> {
        self.fields.extensions.certificate_policies.map(|kept| CertificatePolicies::kept(kept, self.der))
    }

    /// policyMappings.
    #[must_use]
    pub fn policy_mappings(&self) -> Option<PolicyMappings<'a>> {
        self.fields.extensions.policy_mappings.map(|kept| PolicyMappings::kept(kept, self.der))
    }

    /// policyConstraints.
    #[must_use]
    pub const fn policy_constraints(&self) -> Option<PolicyConstraints> {
        self.fields.extensions.policy_constraints
    }

    /// inhibitAnyPolicy: after how many more certificates anyPolicy means nothing.
    #[must_use]
    pub const fn inhibit_any_policy(&self) -> Option<u32> {
        self.fields.extensions.inhibit_any_policy
    }

    /// authorityKeyIdentifier.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<AuthorityKeyIdentifier<'a>> {
        self.fields.extensions.authority_key_id.map(|kept| AuthorityKeyIdentifier::kept(kept, self.der))
    }

    /// subjectKeyIdentifier.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<SubjectKeyIdentifier<'a>> {
        self.fields.extensions.subject_key_id.map(|kept| SubjectKeyIdentifier::kept(kept, self.der))
    }

    /// authorityInfoAccess.
    #[must_use]
    pub fn authority_info_access(&self) -> Option<AuthorityInfoAccess<'a>> {
        self.fields.extensions.authority_info_access.map(|kept| AuthorityInfoAccess::kept(kept, self.der))
    }

    /// Every extension in encoding order, known or not.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        let mut reader = self.fields.extensions.all.reader(self.der);
        core::iter::from_fn(move || if reader.is_empty() { None } else { Extension::read(&mut reader).ok() })
    }

    /// The first critical extension that validation does not understand.
    #[must_use]
    pub fn unknown_critical(&self) -> Option<Oid<'a>> {
        self.unknown_critical_at().map(|(_, oid)| oid)
    }

    /// Its offset and identifier.
    pub(crate) fn unknown_critical_at(&self) -> Option<(u32, Oid<'a>)> {
        self.fields.extensions.unknown_critical.map(|(offset, oid)| (offset, Oid(oid.of(self.der))))
    }

    /// Offset of policyConstraints or inhibitAnyPolicy that are not critical.
    pub(crate) const fn lax_policy_limits(&self) -> Option<u32> {
        self.fields.extensions.lax_policy_limits
    }
}

impl Fields {
    /// Reads all of a certificate.
    fn read(der: &[u8]) -> Parsed<Self> {
        let mut reader = Reader::new(der, 0);
        let mut outer = reader.sequence("Certificate expected")?;
        reader.end("bytes after the certificate")?;
        let tbs = outer.expect(tag::SEQUENCE, "TBSCertificate expected")?;
        let algorithm = outer.expect(tag::SEQUENCE, "AlgorithmIdentifier expected")?;
        let signature_offset = outer.offset();
        let signature = outer.bit_string_octets()?;
        let signature = Place::before(&outer, signature);
        outer.end("bytes after the signature")?;
        let mut fields = Self::read_tbs(tbs.reader(), algorithm.whole)?;
        (fields.tbs, fields.signature) = (tbs.place(), signature);
        fields.offsets.signature = signature_offset;
        Ok(fields)
    }

    /// Reads the fields of a TBSCertificate; `outer_algorithm` is the AlgorithmIdentifier beside the signature.
    fn read_tbs(mut tbs: Reader<'_>, outer_algorithm: &[u8]) -> Parsed<Self> {
        let mut offsets = Offsets { version: tbs.offset(), ..Offsets::default() };
        let version = read_version(&mut tbs)?;
        offsets.serial = tbs.offset();
        let serial = tbs.integer()?;
        let serial = Place::before(&tbs, serial);
        offsets.algorithm = tbs.offset();
        let algorithm = tbs.expect(tag::SEQUENCE, "AlgorithmIdentifier expected")?;
        if algorithm.whole != outer_algorithm {
            let what = "the signed signature algorithm is another than the outer one";
            return Err(ParseError { rule: Rule::SignatureAlgorithmsAgree, offset: algorithm.start, what });
        }
        let signature_algorithm = match CertificateSignature::read(algorithm.reader())? {
            CertificateSignature::Known(known) => Some(CertificateSignature::Known(known)),
            CertificateSignature::Broken(name) => Some(CertificateSignature::Broken(name)),
            CertificateSignature::Unknown(_) => None,
        };
        offsets.issuer = tbs.offset();
        let issuer = Name::read(&mut tbs)?;
        let issuer = Place::before(&tbs, issuer.contents());
        offsets.validity = tbs.offset();
        let (validity, early_generalized_time) = read_validity(&mut tbs)?;
        offsets.subject = tbs.offset();
        let subject = Name::read(&mut tbs)?;
        let subject = Place::before(&tbs, subject.contents());
        offsets.spki = tbs.offset();
        let spki = tbs.expect(tag::SEQUENCE, "SubjectPublicKeyInfo expected")?.place();
        let has_unique_id = skip_unique_ids(&mut tbs, version)?;
        offsets.extensions = tbs.offset();
        let extensions = read_extensions(&mut tbs, version)?;
        tbs.end("bytes after the last field")?;
        Ok(Self {
            tbs: Place::default(),
            version,
            serial,
            signature_algorithm,
            algorithm: algorithm.place(),
            signature: Place::default(),
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

fn read_extensions(tbs: &mut Reader<'_>, version: Version) -> Parsed<Extensions> {
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
