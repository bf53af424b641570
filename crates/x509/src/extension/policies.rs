//! The extensions about certificate policies (RFC 5280 sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14), borrowed.

use crate::defaults::MAX_POLICIES;
use crate::oid::{self, Oid};
use crate::reader::{Element, Parsed, Place, Reader, at, minimal_integer, small_integer, tag};

use super::{Extension, Kept, whole};

/// certificatePolicies (RFC 5280 section 4.2.1.4), checked to be well formed, each policy once.
#[derive(Clone, Copy, Debug)]
pub struct CertificatePolicies<'a> {
    information: Reader<'a>,
    /// Whether the extension is critical.
    pub critical: bool,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

impl<'a> CertificatePolicies<'a> {
    pub(crate) fn kept(kept: Kept, encoding: &'a [u8]) -> Self {
        let Kept { contents, critical, offset } = kept;
        Self { information: contents.reader(encoding), critical, offset }
    }

    /// The policies' identifiers, anyPolicy (2.5.29.32.0) among them where it stands there.
    pub fn iter(&self) -> impl Iterator<Item = Oid<'a>> + use<'a> {
        let mut reader = self.information;
        core::iter::from_fn(move || reader.any().ok()?.reader().any().ok().map(|oid| Oid(oid.value)))
    }

    /// Reads the extension; also the first qualifier that is neither a CPS pointer nor a user notice.
    pub(super) fn read(extension: &Extension<'a>) -> Parsed<(Kept, Option<Place>)> {
        let information = whole(extension.reader(), |r| r.sequence("certificatePolicies expected"))?;
        let policies = Self { information, critical: extension.critical, offset: extension.offset };
        let mut reader = information;
        if reader.is_empty() {
            return Err(reader.error("certificatePolicies is empty"));
        }
        let mut unknown = None;
        let mut count = 0usize;
        while !reader.is_empty() {
            let start = reader.offset();
            let mut fields = reader.sequence("PolicyInformation expected")?;
            fields.oid()?;
            count = count.saturating_add(1);
            if count > MAX_POLICIES {
                return Err(at(start, "more policies than anyone needs"));
            }
            unknown = unknown.or(unknown_qualifier(&mut fields)?);
            fields.end("bytes after a PolicyInformation")?;
        }
        if policies.repeats(count) {
            return Err(at(information.offset(), "a policy appears twice"));
        }
        Ok((Kept::new(information, extension), unknown))
    }

    /// Whether one of the `count` policies appears twice. The usual few are compared one by one, many are sorted: all
    /// that a certificate may have, compared each with each in a hundred certificates, would take milliseconds.
    fn repeats(&self, count: usize) -> bool {
        const FEW: usize = 4;
        if count <= FEW {
            let same =
                |(place, policy): (usize, Oid<'a>)| self.iter().take(place).any(|other| other == policy);
            return self.iter().enumerate().any(same);
        }
        let mut sorted = [&[][..]; MAX_POLICIES];
        sorted.iter_mut().zip(self.iter()).for_each(|(place, policy)| *place = policy.0);
        let sorted = sorted.get_mut(..count).unwrap_or(&mut []);
        sorted.sort_unstable();
        sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }
}

/// The optional qualifiers of a PolicyInformation: their form, and the first of an unknown kind.
fn unknown_qualifier(fields: &mut Reader<'_>) -> Parsed<Option<Place>> {
    if fields.is_empty() {
        return Ok(None);
    }
    let mut qualifiers = fields.sequence("policyQualifiers expected")?;
    if qualifiers.is_empty() {
        return Err(qualifiers.error("policyQualifiers is empty"));
    }
    let mut unknown = None;
    while !qualifiers.is_empty() {
        let mut qualifier = qualifiers.sequence("PolicyQualifierInfo expected")?;
        let kind = qualifier.oid()?;
        let place = Place::before(&qualifier, kind);
        qualifier.any()?;
        qualifier.end("bytes after a policy qualifier")?;
        if !matches!(kind, oid::QUALIFIER_CPS | oid::QUALIFIER_USER_NOTICE) {
            unknown = unknown.or(Some(place));
        }
    }
    Ok(unknown)
}

/// policyMappings (RFC 5280 section 4.2.1.5), checked to be well formed.
#[derive(Clone, Copy, Debug)]
pub struct PolicyMappings<'a> {
    mappings: Reader<'a>,
    /// Offset of the extension.
    pub(crate) offset: u32,
}

impl<'a> PolicyMappings<'a> {
    pub(crate) fn kept(kept: Kept, encoding: &'a [u8]) -> Self {
        Self { mappings: kept.contents.reader(encoding), offset: kept.offset }
    }

    /// The pairs: the policy of the issuer's domain, and the one of the subject's domain that is held equivalent.
    pub fn iter(&self) -> impl Iterator<Item = (Oid<'a>, Oid<'a>)> + use<'a> {
        let mut reader = self.mappings;
        core::iter::from_fn(move || {
            let mut pair = reader.any().ok()?.reader();
            Some((Oid(pair.any().ok()?.value), Oid(pair.any().ok()?.value)))
        })
    }

    pub(super) fn read(extension: &Extension<'_>) -> Parsed<Kept> {
        let mappings = whole(extension.reader(), |r| r.sequence("policyMappings expected"))?;
        let mut reader = mappings;
        if reader.is_empty() {
            return Err(reader.error("policyMappings is empty"));
        }
        let mut count = 0usize;
        while !reader.is_empty() {
            let start = reader.offset();
            let mut pair = reader.sequence("policy mapping expected")?;
            pair.oid()?;
            pair.oid()?;
            pair.end("bytes after a policy mapping")?;
            count = count.saturating_add(1);
            if count > MAX_POLICIES {
                return Err(at(start, "more policy mappings than anyone needs"));
            }
        }
        Ok(Kept::new(mappings, extension))
    }
}

/// policyConstraints (RFC 5280 section 4.2.1.11). Numbers are of certificates that may follow, saturated at 2^32 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyConstraints {
    /// After how many more certificates an explicit policy is required.
    pub require_explicit_policy: Option<u32>,
    /// After how many more certificates policies may no longer be mapped.
    pub inhibit_policy_mapping: Option<u32>,
}

impl PolicyConstraints {
    pub(super) fn read(extension: &Extension<'_>) -> Parsed<Self> {
        let mut fields = whole(extension.reader(), |r| r.sequence("PolicyConstraints expected"))?;
        let explicit = fields.optional(tag::context(0))?;
        let inhibit = fields.optional(tag::context(1))?;
        fields.end("bytes after policyConstraints")?;
        if explicit.is_none() && inhibit.is_none() {
            return Err(fields.error("policyConstraints is empty"));
        }
        Ok(Self {
            require_explicit_policy: explicit.map(skip_certs).transpose()?,
            inhibit_policy_mapping: inhibit.map(skip_certs).transpose()?,
        })
    }
}

/// inhibitAnyPolicy (RFC 5280 section 4.2.1.14): after how many more certificates anyPolicy means nothing.
pub(super) fn inhibit_any_policy(extension: &Extension<'_>) -> Parsed<u32> {
    skip_certs(whole(extension.reader(), |r| r.expect(tag::INTEGER, "inhibitAnyPolicy is no INTEGER"))?)
}

/// SkipCerts: an INTEGER from 0 on; no path is long enough to tell numbers beyond 32 bits apart.
fn skip_certs(element: Element<'_>) -> Parsed<u32> {
    let value = minimal_integer(element)?;
    if value.first().is_some_and(|first| first & 0x80 != 0) {
        return Err(at(element.start, "a number of certificates is negative"));
    }
    Ok(small_integer(value).unwrap_or(u32::MAX))
}
