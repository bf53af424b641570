//! The extensions of RFC 5280 section 4.2, read once with the certificate: kept by where they
//! stand, handed out as borrowed values.

mod constraints;
mod policies;
mod seen;

pub(crate) use constraints::KeptConstraints;
pub use constraints::{NameConstraints, Subtrees};
pub use policies::{CertificatePolicies, PolicyConstraints, PolicyMappings};

use crate::name::{GeneralName, GeneralNames};
use crate::oid::{self, Oid};
use crate::reader::{ParseError, Parsed, Place, Reader, at, minimal_integer, named_bits, small_integer, tag};
use crate::rules::Rule;

/// One extension as it stands in the certificate.
#[derive(Clone, Copy, Debug)]
pub struct Extension<'a> {
    /// Its identifier.
    pub oid: Oid<'a>,
    /// Whether it is critical.
    pub critical: bool,
    /// The contents of its OCTET STRING.
    pub value: &'a [u8],
    /// Offset of the extension in the certificate, in octets.
    pub offset: u32,
    /// Offset of the value.
    value_offset: u32,
    /// Where the identifier stands.
    oid_place: Place,
}

impl<'a> Extension<'a> {
    /// Reads one Extension.
    #[inline]
    pub(crate) fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        let offset = reader.offset();
        let mut fields = reader.sequence("Extension expected")?;
        let identifier = fields.oid()?;
        let oid_place = Place::before(&fields, identifier);
        let critical = if fields.peek() == Some(tag::BOOLEAN) {
            let start = fields.offset();
            if !fields.boolean()? {
                return Err(at(start, "a default value (critical FALSE) is encoded"));
            }
            true
        } else {
            false
        };
        let value = fields.octet_string()?;
        fields.end("bytes after an extension's value")?;
        Ok(Self {
            oid: Oid(identifier),
            critical,
            value: value.value,
            offset,
            value_offset: value.value_start,
            oid_place,
        })
    }

    /// A reader over the value.
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.value, self.value_offset)
    }
}

/// An extension whose contents were checked, by where they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    contents: Place,
    critical: bool,
    offset: u32,
}

impl Kept {
    fn new(contents: Reader<'_>, extension: &Extension<'_>) -> Self {
        Self { contents: contents.place(), critical: extension.critical, offset: extension.offset }
    }
}

/// basicConstraints (RFC 5280 section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject is a CA.
    pub ca: bool,
    /// How many intermediates that are not self-issued may follow, if limited.
    pub path_len: Option<u32>,
    /// Whether the extension is critical.
    pub critical: bool,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

/// keyUsage (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    bits: u16,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

impl KeyUsage {
    /// Signatures other than those on certificates and CRLs.
    pub const DIGITAL_SIGNATURE: u16 = 1 << 15;
    /// Signatures on certificates.
    pub const KEY_CERT_SIGN: u16 = 1 << 10;
    /// Signatures on CRLs.
    pub const CRL_SIGN: u16 = 1 << 9;

    /// Whether no bit is set: it allows nothing.
    pub(crate) const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Whether all of `bits` are set.
    #[must_use]
    pub const fn allows(self, bits: u16) -> bool {
        self.bits & bits == bits
    }
}

/// extendedKeyUsage (RFC 5280 section 4.2.1.12), checked to be well formed and not empty.
#[derive(Clone, Copy, Debug)]
pub struct ExtendedKeyUsage<'a> {
    purposes: Reader<'a>,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

impl<'a> ExtendedKeyUsage<'a> {
    pub(crate) fn kept(kept: Kept, encoding: &'a [u8]) -> Self {
        Self { purposes: kept.contents.reader(encoding), offset: kept.offset }
    }

    /// The purposes.
    pub fn iter(&self) -> impl Iterator<Item = Oid<'a>> + use<'a> {
        let mut reader = self.purposes;
        core::iter::from_fn(move || reader.oid().ok().map(Oid))
    }

    /// Whether `purpose` (content octets of an identifier) is among them.
    pub(crate) fn contains(&self, purpose: &[u8]) -> bool {
        self.iter().any(|oid| oid.0 == purpose)
    }
}

/// authorityKeyIdentifier (RFC 5280 section 4.2.1.1).
#[derive(Clone, Copy, Debug)]
pub struct AuthorityKeyIdentifier<'a> {
    /// The issuer's key identifier.
    pub key_id: Option<&'a [u8]>,
    /// Whether authorityCertIssuer or authorityCertSerialNumber is present.
    pub names_certificate: bool,
    /// Whether the extension is critical.
    pub critical: bool,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

/// An authorityKeyIdentifier by where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptAuthority {
    key_id: Option<Place>,
    names_certificate: bool,
    critical: bool,
    offset: u32,
}

impl<'a> AuthorityKeyIdentifier<'a> {
    pub(crate) fn kept(kept: KeptAuthority, encoding: &'a [u8]) -> Self {
        let KeptAuthority { key_id, names_certificate, critical, offset } = kept;
        Self { key_id: key_id.map(|place| place.of(encoding)), names_certificate, critical, offset }
    }
}

/// subjectKeyIdentifier (RFC 5280 section 4.2.1.2).
#[derive(Clone, Copy, Debug)]
pub struct SubjectKeyIdentifier<'a> {
    /// The key identifier.
    pub key_id: &'a [u8],
    /// Whether the extension is critical.
    pub critical: bool,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

impl<'a> SubjectKeyIdentifier<'a> {
    pub(crate) fn kept(kept: Kept, encoding: &'a [u8]) -> Self {
        let Kept { contents, critical, offset } = kept;
        Self { key_id: contents.of(encoding), critical, offset }
    }
}

/// subjectAltName (RFC 5280 section 4.2.1.6).
#[derive(Clone, Copy, Debug)]
pub struct SubjectAltName<'a> {
    /// Contents of the GeneralNames.
    pub(crate) contents: &'a [u8],
    /// Whether the extension is critical.
    pub critical: bool,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

impl<'a> SubjectAltName<'a> {
    pub(crate) fn kept(kept: Kept, encoding: &'a [u8]) -> Self {
        let Kept { contents, critical, offset } = kept;
        Self { contents: contents.of(encoding), critical, offset }
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> GeneralNames<'a> {
        GeneralNames::trusted(self.contents)
    }
}

/// authorityInfoAccess (RFC 5280 section 4.2.2.1), checked to be well formed.
#[derive(Clone, Copy, Debug)]
pub struct AuthorityInfoAccess<'a> {
    descriptions: Reader<'a>,
    /// Whether the extension is critical.
    pub critical: bool,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

impl<'a> AuthorityInfoAccess<'a> {
    pub(crate) fn kept(kept: Kept, encoding: &'a [u8]) -> Self {
        let Kept { contents, critical, offset } = kept;
        Self { descriptions: contents.reader(encoding), critical, offset }
    }

    /// Where the issuer's certificate can be fetched.
    pub fn ca_issuers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.uris(oid::ACCESS_CA_ISSUERS)
    }

    /// Where OCSP can be asked.
    pub fn ocsp(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.uris(oid::ACCESS_OCSP)
    }

    fn uris(&self, method: &'static [u8]) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut reader = self.descriptions;
        core::iter::from_fn(move || read_description(&mut reader).ok())
            .filter(move |(found, _)| *found == method)
            .filter_map(|(_, location)| if let GeneralName::Uri(uri) = location { Some(uri) } else { None })
    }
}

fn read_description<'a>(reader: &mut Reader<'a>) -> Parsed<(&'a [u8], GeneralName<'a>)> {
    let mut fields = reader.sequence("AccessDescription expected")?;
    let method = fields.oid()?;
    let location = GeneralName::read(&mut fields)?;
    fields.end("bytes after an AccessDescription")?;
    Ok((method, location))
}

/// Everything read from a certificate's extensions, by where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extensions {
    /// Contents of the SEQUENCE, for iteration.
    pub(crate) all: Place,
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<Kept>,
    pub(crate) subject_alt_name: Option<Kept>,
    pub(crate) name_constraints: Option<KeptConstraints>,
    pub(crate) authority_key_id: Option<KeptAuthority>,
    pub(crate) subject_key_id: Option<Kept>,
    pub(crate) authority_info_access: Option<Kept>,
    pub(crate) certificate_policies: Option<Kept>,
    pub(crate) policy_mappings: Option<Kept>,
    pub(crate) policy_constraints: Option<PolicyConstraints>,
    pub(crate) inhibit_any_policy: Option<u32>,
    /// Offset of policyConstraints or inhibitAnyPolicy that are not critical.
    pub(crate) lax_policy_limits: Option<u32>,
    /// Offset and identifier of the first critical extension that is not understood.
    pub(crate) unknown_critical: Option<(u32, Place)>,
}

impl Extensions {
    /// No extension at all.
    pub(crate) fn none() -> Self {
        Self {
            all: Place::default(),
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            subject_alt_name: None,
            name_constraints: None,
            authority_key_id: None,
            subject_key_id: None,
            authority_info_access: None,
            certificate_policies: None,
            policy_mappings: None,
            policy_constraints: None,
            inhibit_any_policy: None,
            lax_policy_limits: None,
            unknown_critical: None,
        }
    }

    /// Reads the contents of Extensions.
    pub(crate) fn read(contents: Reader<'_>) -> Parsed<Self> {
        let mut extensions = Self { all: contents.place(), ..Self::none() };
        let mut reader = contents;
        if reader.is_empty() {
            return Err(reader.error("Extensions is empty"));
        }
        let mut seen = seen::Seen::default();
        while !reader.is_empty() {
            let extension = Extension::read(&mut reader)?;
            if seen.repeats(contents, &extension) {
                let what = "an extension appears twice";
                return Err(ParseError { rule: Rule::DuplicateExtension, offset: extension.offset, what });
            }
            extensions
                .take(&extension)
                .map_err(|error| ParseError { rule: Rule::ExtensionEncoding, ..error })?;
        }
        Ok(extensions)
    }

    fn take(&mut self, extension: &Extension<'_>) -> Parsed<()> {
        let Extension { critical, offset, .. } = *extension;
        if !critical && matches!(extension.oid.0, oid::POLICY_CONSTRAINTS | oid::INHIBIT_ANY_POLICY) {
            self.lax_policy_limits = Some(offset);
        }
        match extension.oid.0 {
            oid::BASIC_CONSTRAINTS => self.basic_constraints = Some(basic_constraints(extension)?),
            oid::KEY_USAGE => {
                let element =
                    whole(extension.reader(), |r| r.expect(tag::BIT_STRING, "keyUsage is no BIT STRING"))?;
                self.key_usage = Some(KeyUsage { bits: named_bits(element)?, offset });
            }
            oid::EXTENDED_KEY_USAGE => self.extended_key_usage = Some(extended_key_usage(extension)?),
            oid::SUBJECT_ALT_NAME => {
                let names = whole(extension.reader(), |r| r.sequence("GeneralNames expected"))?;
                GeneralNames::check(names)?;
                self.subject_alt_name = Some(Kept::new(names, extension));
            }
            oid::NAME_CONSTRAINTS => {
                let fields = whole(extension.reader(), |r| r.sequence("NameConstraints expected"))?;
                let constraints = NameConstraints::read(fields, critical)?;
                self.name_constraints = Some(KeptConstraints::of(constraints, offset));
            }
            oid::AUTHORITY_KEY_IDENTIFIER => self.authority_key_id = Some(authority_key_id(extension)?),
            oid::SUBJECT_KEY_IDENTIFIER => {
                let key_id = whole(extension.reader(), Reader::octet_string)?;
                self.subject_key_id = Some(Kept::new(key_id.reader(), extension));
            }
            oid::AUTHORITY_INFO_ACCESS => {
                self.authority_info_access = Some(authority_info_access(extension)?)
            }
            oid::CERTIFICATE_POLICIES => {
                let (policies, unknown_qualifier) = CertificatePolicies::read(extension)?;
                self.certificate_policies = Some(policies);
                // RFC 5280 section 4.2.1.4: whoever marks it as critical wants its qualifiers to be understood.
                if let Some(qualifier) = unknown_qualifier.filter(|_| critical) {
                    self.unknown_critical = self.unknown_critical.or(Some((offset, qualifier)));
                }
            }
            oid::POLICY_MAPPINGS => self.policy_mappings = Some(PolicyMappings::read(extension)?),
            oid::POLICY_CONSTRAINTS => self.policy_constraints = Some(PolicyConstraints::read(extension)?),
            oid::INHIBIT_ANY_POLICY => {
                self.inhibit_any_policy = Some(policies::inhibit_any_policy(extension)?)
            }
            // Where to look for revocation, and what a server promises about it; neither says who the subject is.
            oid::CRL_DISTRIBUTION_POINTS | oid::TLS_FEATURE | oid::ISSUER_ALT_NAME => {
                check_unread(extension)?;
            }
            _ if critical && self.unknown_critical.is_none() => {
                self.unknown_critical = Some((offset, extension.oid_place));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The form of extensions that are read only where they are asked for.
fn check_unread(extension: &Extension<'_>) -> Parsed<()> {
    let contents = whole(extension.reader(), |r| r.sequence("SEQUENCE expected"))?;
    match extension.oid.0 {
        oid::ISSUER_ALT_NAME => GeneralNames::check(contents).map(|_| ()),
        oid::CRL_DISTRIBUTION_POINTS if contents.is_empty() => {
            Err(contents.error("cRLDistributionPoints without a point"))
        }
        _ => Ok(()),
    }
}

/// Reads one value and demands that it fills the extension.
fn whole<'a, T>(mut reader: Reader<'a>, read: impl FnOnce(&mut Reader<'a>) -> Parsed<T>) -> Parsed<T> {
    let value = read(&mut reader)?;
    reader.end("bytes after an extension's value")?;
    Ok(value)
}

fn basic_constraints(extension: &Extension<'_>) -> Parsed<BasicConstraints> {
    let mut fields = whole(extension.reader(), |r| r.sequence("BasicConstraints expected"))?;
    let mut ca = false;
    if fields.peek() == Some(tag::BOOLEAN) {
        let start = fields.offset();
        ca = fields.boolean()?;
        if !ca {
            return Err(at(start, "a default value (cA FALSE) is encoded"));
        }
    }
    let path_len = match fields.optional(tag::INTEGER)? {
        Some(element) => Some(
            small_integer(minimal_integer(element)?)
                .ok_or_else(|| at(element.start, "pathLenConstraint is negative or beyond 32 bits"))?,
        ),
        None => None,
    };
    fields.end("bytes after basicConstraints")?;
    Ok(BasicConstraints { ca, path_len, critical: extension.critical, offset: extension.offset })
}

fn extended_key_usage(extension: &Extension<'_>) -> Parsed<Kept> {
    let purposes = whole(extension.reader(), |r| r.sequence("ExtKeyUsageSyntax expected"))?;
    let mut reader = purposes;
    if reader.is_empty() {
        return Err(reader.error("extendedKeyUsage without purposes"));
    }
    while !reader.is_empty() {
        reader.oid()?;
    }
    Ok(Kept::new(purposes, extension))
}

fn authority_key_id(extension: &Extension<'_>) -> Parsed<KeptAuthority> {
    let mut fields = whole(extension.reader(), |r| r.sequence("AuthorityKeyIdentifier expected"))?;
    let key_id = fields.optional(tag::context(0))?.map(|element| element.reader().place());
    let issuer = fields.optional(tag::context_constructed(1))?;
    if let Some(names) = issuer {
        GeneralNames::check(names.reader())?;
    }
    let serial = fields.optional(tag::context(2))?;
    if let Some(serial) = serial {
        minimal_integer(serial)?;
    }
    fields.end("bytes after authorityKeyIdentifier")?;
    let names_certificate = issuer.is_some() || serial.is_some();
    let Extension { critical, offset, .. } = *extension;
    Ok(KeptAuthority { key_id, names_certificate, critical, offset })
}

fn authority_info_access(extension: &Extension<'_>) -> Parsed<Kept> {
    let descriptions = whole(extension.reader(), |r| r.sequence("AuthorityInfoAccessSyntax expected"))?;
    let mut reader = descriptions;
    if reader.is_empty() {
        return Err(reader.error("authorityInfoAccess without descriptions"));
    }
    while !reader.is_empty() {
        read_description(&mut reader)?;
    }
    Ok(Kept::new(descriptions, extension))
}
