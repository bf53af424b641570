//! Which certificates a CRL covers: distribution points of certificates (RFC 5280 section 4.2.1.13) and of CRLs
//! (section 5.2.5), and the reasons they are for.

use crate::certificate::Certificate;
use crate::defaults;
use crate::extension::Extension;
use crate::name::{GeneralName, GeneralNames, Name};
use crate::oid;
use crate::path::budget::{Exhausted, Remaining};
use crate::reader::{Element, Parsed, Reader, at, named_bits, tag};

/// A set of revocation reasons: ReasonFlags, bit 0 being the most significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reasons(u16);

impl Reasons {
    pub(super) const NONE: Self = Self(0);
    /// keyCompromise (1) to aACompromise (8): bit 0 is unused.
    pub(super) const ALL: Self = Self(0x7f80);

    fn read(element: Element<'_>) -> Parsed<Self> {
        Ok(Self(named_bits(element)? & Self::ALL.0))
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it has a reason that `other` has not.
    pub(super) const fn adds_to(self, other: Self) -> bool {
        self.0 & !other.0 != 0
    }

    pub(super) const fn is_all(self) -> bool {
        self.0 == Self::ALL.0
    }
}

/// DistributionPointName.
#[derive(Clone, Copy, Debug)]
pub(super) enum PointName<'a> {
    Full(GeneralNames<'a>),
    /// One part (contents of a SET with its header) to append to the CRL issuer's name.
    Relative(&'a [u8]),
}

impl<'a> PointName<'a> {
    /// Reads the CHOICE inside its explicit tag.
    fn read(explicit: Element<'a>) -> Parsed<Self> {
        let element = one(explicit.reader(), Reader::any)?;
        match element.tag {
            0xa0 => Ok(Self::Full(GeneralNames::check(element.reader())?)),
            0xa1 => {
                let part = relative(element.value);
                Name::from_contents(&part)?;
                Ok(Self::Relative(element.value))
            }
            _ => Err(at(element.start, "not a DistributionPointName")),
        }
    }

    /// Whether one name is in both; relative names are completed with the CRL issuer's.
    fn meets(
        &self,
        other: &PointName<'_>,
        issuer: Name<'_>,
        budget: &mut Remaining,
    ) -> Result<bool, Exhausted> {
        match (self, other) {
            (Self::Full(ours), PointName::Full(theirs)) => any_common(*ours, *theirs, budget),
            (Self::Full(names), PointName::Relative(part)) => {
                any_is(*names, &completed(issuer, part), budget)
            }
            (Self::Relative(part), PointName::Full(names)) => {
                any_is(*names, &completed(issuer, part), budget)
            }
            (Self::Relative(ours), PointName::Relative(theirs)) => {
                budget.name_comparison(ours.len().saturating_add(theirs.len()))?;
                let (ours, theirs) = (relative(ours), relative(theirs));
                Ok(Name::trusted(&ours) == Name::trusted(&theirs))
            }
        }
    }
}

/// A RelativeDistinguishedName from its implicitly tagged contents.
fn relative(contents: &[u8]) -> Vec<u8> {
    crate::encode::element(tag::SET, contents)
}

fn completed(issuer: Name<'_>, part: &[u8]) -> Vec<u8> {
    [issuer.contents(), relative(part).as_slice()].concat()
}

fn any_common(
    ours: GeneralNames<'_>,
    theirs: GeneralNames<'_>,
    budget: &mut Remaining,
) -> Result<bool, Exhausted> {
    for our in ours {
        for their in theirs {
            budget.name_comparison(our.effort().saturating_add(their.effort()))?;
            if our == their {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether one of the names is this directory name, given as the contents of its RDNSequence.
fn any_is(names: GeneralNames<'_>, contents: &[u8], budget: &mut Remaining) -> Result<bool, Exhausted> {
    any_directory(names, Name::trusted(contents), budget)
}

/// Whether one of the names is this directory name.
pub(super) fn any_directory(
    names: GeneralNames<'_>,
    wanted: Name<'_>,
    budget: &mut Remaining,
) -> Result<bool, Exhausted> {
    for name in names {
        budget.name_comparison(name.effort().saturating_add(wanted.contents().len()))?;
        if matches!(name, GeneralName::Directory(name) if name == wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// issuingDistributionPoint (section 5.2.5).
#[derive(Clone, Copy, Debug)]
pub(super) struct IssuingDistributionPoint<'a> {
    name: Option<PointName<'a>>,
    only_users: bool,
    only_authorities: bool,
    only_attributes: bool,
    reasons: Reasons,
    pub(super) indirect: bool,
    /// The whole value, for comparison with a delta's.
    pub(super) value: &'a [u8],
}

impl<'a> IssuingDistributionPoint<'a> {
    pub(super) fn read(extension: &Extension<'a>) -> Parsed<Self> {
        let mut fields = one(extension.reader(), |r| r.sequence("IssuingDistributionPoint expected"))?;
        if fields.is_empty() {
            return Err(fields.error("issuingDistributionPoint is empty"));
        }
        let name = fields.optional(tag::context_constructed(0))?.map(PointName::read).transpose()?;
        let only_users = flag(&mut fields, 1)?;
        let only_authorities = flag(&mut fields, 2)?;
        let reasons = fields.optional(tag::context(3))?.map(Reasons::read).transpose()?;
        let indirect = flag(&mut fields, 4)?;
        let only_attributes = flag(&mut fields, 5)?;
        fields.end("bytes after issuingDistributionPoint")?;
        if u8::from(only_users) + u8::from(only_authorities) + u8::from(only_attributes) > 1 {
            return Err(at(
                extension.offset,
                "issuingDistributionPoint has contradictory onlyContains fields",
            ));
        }
        Ok(Self {
            name,
            only_users,
            only_authorities,
            only_attributes,
            reasons: reasons.unwrap_or(Reasons::ALL),
            indirect,
            value: extension.value,
        })
    }

    /// Whether certificates of this kind are in its scope (section 6.3.3 (b)(2)(ii) to (iv)).
    const fn covers_kind(&self, is_ca: bool) -> bool {
        let excluded = if is_ca { self.only_users } else { self.only_authorities };
        !self.only_attributes && !excluded
    }
}

/// `[n] IMPLICIT BOOLEAN DEFAULT FALSE`: DER omits the default.
fn flag(fields: &mut Reader<'_>, number: u8) -> Parsed<bool> {
    match fields.optional(tag::context(number))? {
        None => Ok(false),
        Some(Element { value: [0xff], .. }) => Ok(true),
        Some(element) => Err(at(element.start, "BOOLEAN is not TRUE")),
    }
}

/// One distribution point of a certificate, or the one that stands for "whatever its issuer has".
#[derive(Clone, Copy, Debug)]
pub(super) struct DistributionPoint<'a> {
    name: Option<PointName<'a>>,
    reasons: Reasons,
    /// Who issues the CRL, if not the certificate's issuer.
    pub(super) crl_issuer: Option<GeneralNames<'a>>,
    /// Section 6.3.3, last paragraph: the name is the issuer's own.
    by_issuer: bool,
}

impl<'a> DistributionPoint<'a> {
    /// The point that section 6.3.3 assumes besides those that a certificate names.
    pub(super) const fn of_issuer() -> Self {
        Self { name: None, reasons: Reasons::ALL, crl_issuer: None, by_issuer: true }
    }

    /// The points of a certificate's cRLDistributionPoints, at most
    /// [`DISTRIBUTION_POINTS`](defaults::DISTRIBUTION_POINTS).
    pub(super) fn all(certificate: &Certificate<'a>) -> Parsed<Vec<Self>> {
        let Some(extension) = certificate.extensions().find(|e| e.oid.0 == oid::CRL_DISTRIBUTION_POINTS)
        else {
            return Ok(Vec::new());
        };
        let mut reader = one(extension.reader(), |r| r.sequence("CRLDistributionPoints expected"))?;
        let mut points = Vec::new();
        while !reader.is_empty() && points.len() < defaults::DISTRIBUTION_POINTS {
            points.push(Self::read(&mut reader)?);
        }
        Ok(points)
    }

    fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        let start = reader.offset();
        let mut fields = reader.sequence("DistributionPoint expected")?;
        let name = fields.optional(tag::context_constructed(0))?.map(PointName::read).transpose()?;
        let reasons = fields.optional(tag::context(1))?.map(Reasons::read).transpose()?;
        let crl_issuer = fields.optional(tag::context_constructed(2))?;
        fields.end("bytes after a DistributionPoint")?;
        if name.is_none() && crl_issuer.is_none() {
            return Err(at(start, "a DistributionPoint has neither a name nor a CRL issuer"));
        }
        Ok(Self {
            name,
            reasons: reasons.unwrap_or(Reasons::ALL),
            crl_issuer: crl_issuer.map(|names| GeneralNames::check(names.reader())).transpose()?,
            by_issuer: false,
        })
    }

    /// The reasons for which a CRL of this scope, found at this point, answers for the certificate (section 6.3.3
    /// (b)(2) and (d)); none if the certificate is outside the CRL's scope.
    pub(super) fn reasons_of(
        &self,
        scope: Option<&IssuingDistributionPoint<'_>>,
        certificate: &Certificate<'_>,
        crl_issuer: Name<'_>,
        budget: &mut Remaining,
    ) -> Result<Reasons, Exhausted> {
        let Some(scope) = scope else {
            return Ok(self.reasons);
        };
        let is_ca = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
        let named = match &scope.name {
            None => true,
            Some(name) => self.is_named(name, certificate, crl_issuer, budget)?,
        };
        if !named || !scope.covers_kind(is_ca) {
            return Ok(Reasons::NONE);
        }
        Ok(self.reasons.and(scope.reasons))
    }

    fn is_named(
        &self,
        name: &PointName<'_>,
        certificate: &Certificate<'_>,
        crl_issuer: Name<'_>,
        budget: &mut Remaining,
    ) -> Result<bool, Exhausted> {
        if let Some(ours) = &self.name {
            return ours.meets(name, crl_issuer, budget);
        }
        let PointName::Full(names) = name else {
            return Ok(false);
        };
        match self.crl_issuer {
            Some(issuers) => any_common(issuers, *names, budget),
            None => Ok(self.by_issuer && any_directory(*names, certificate.issuer(), budget)?),
        }
    }
}

/// Reads one value and demands that nothing follows it.
pub(super) fn one<'a, T>(
    mut reader: Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Parsed<T>,
) -> Parsed<T> {
    let value = read(&mut reader)?;
    reader.end("bytes after a value")?;
    Ok(value)
}

/// Whether every distribution point of a certificate can be read. One that has none has none that cannot.
pub(crate) fn has_readable_points(certificate: &Certificate<'_>) -> bool {
    DistributionPoint::all(certificate).is_ok()
}
