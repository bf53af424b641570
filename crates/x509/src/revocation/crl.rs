//! A CRL (RFC 5280 section 5), read in one pass over borrowed bytes.

use crate::algorithm::CertificateSignature;
use crate::defaults;
use crate::extension::Extension;
use crate::name::{GeneralNames, Name};
use crate::oid;
use crate::reader::{Element, ParseError, Parsed, Reader, at, minimal_integer, tag};
use crate::rules::Rule;
use crate::time;

use super::Reason;
use super::scope::{IssuingDistributionPoint, one};

/// A CRL without its entries, which [`Entry::read`] reads one by one.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    pub(super) tbs: &'a [u8],
    pub(super) algorithm: CertificateSignature<'a>,
    pub(super) signature: &'a [u8],
    pub(super) issuer: Name<'a>,
    /// Where the contents of the name begin.
    pub(super) issuer_offset: u32,
    pub(super) this_update: i64,
    pub(super) next_update: i64,
    pub(super) entries: Reader<'a>,
    pub(super) extensions: ListExtensions<'a>,
}

/// What the extensions of a CRL say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ListExtensions<'a> {
    /// cRLNumber (section 5.2.3), content octets.
    pub(super) number: &'a [u8],
    /// BaseCRLNumber (section 5.2.4): the CRL is a delta.
    pub(super) base: Option<&'a [u8]>,
    /// issuingDistributionPoint (section 5.2.5): what it covers. Without one: all of its issuer's certificates.
    pub(super) scope: Option<IssuingDistributionPoint<'a>>,
    /// The value of authorityKeyIdentifier, for comparison, and the key identifier in it.
    pub(super) authority: Option<&'a [u8]>,
    pub(super) key_id: Option<&'a [u8]>,
}

impl<'a> List<'a> {
    /// Reads everything but the entries.
    pub(super) fn read(der: &'a [u8]) -> Parsed<Self> {
        if der.len() > defaults::MAX_CRL_BYTES {
            return Err(at(0, "CRL is longer than any real one"));
        }
        let mut reader = Reader::new(der, 0);
        let mut outer = reader.sequence("CertificateList expected")?;
        reader.end("bytes after the CRL")?;
        let tbs = outer.expect(tag::SEQUENCE, "TBSCertList expected")?;
        let algorithm = outer.expect(tag::SEQUENCE, "AlgorithmIdentifier expected")?;
        let signature = outer.bit_string_octets()?;
        outer.end("bytes after the signature")?;
        Self::read_tbs(tbs, algorithm.whole, signature)
    }

    fn read_tbs(whole: Element<'a>, outer_algorithm: &[u8], signature: &'a [u8]) -> Parsed<Self> {
        let mut tbs = whole.reader();
        if tbs.peek() == Some(tag::INTEGER) && tbs.integer()? != [1] {
            return Err(form(whole.start, "a CRL's version is 2"));
        }
        let algorithm = tbs.expect(tag::SEQUENCE, "AlgorithmIdentifier expected")?;
        if algorithm.whole != outer_algorithm {
            let what = "the signed signature algorithm is another than the outer one";
            return Err(ParseError { rule: Rule::SignatureAlgorithmsAgree, offset: algorithm.start, what });
        }
        let name = tbs.expect(tag::SEQUENCE, "Name expected")?;
        let issuer = Name::from_element(name)?;
        if issuer.is_empty() {
            return Err(form(name.start, "the issuer has no name"));
        }
        let this_update = time::time(&mut tbs)?;
        if !matches!(tbs.peek(), Some(tag::UTC_TIME | tag::GENERALIZED_TIME)) {
            return Err(form(tbs.offset(), "nextUpdate is missing"));
        }
        let next_update = time::time(&mut tbs)?;
        let entries = tbs.optional(tag::SEQUENCE)?;
        let extensions = match tbs.optional(tag::context_constructed(0))? {
            Some(explicit) => ListExtensions::read(explicit)?,
            None => return Err(form(whole.start, "cRLNumber is missing: there are no extensions")),
        };
        tbs.end("bytes after the last field")?;
        Ok(Self {
            tbs: whole.whole,
            algorithm: CertificateSignature::read(algorithm.reader())?,
            signature,
            issuer,
            issuer_offset: name.value_start,
            this_update,
            next_update,
            entries: entries.map_or(Reader::new(&[], 0), |entries| entries.reader()),
            extensions,
        })
    }

    /// Whether it covers certificates of other issuers than its own.
    pub(super) fn is_indirect(&self) -> bool {
        self.extensions.scope.is_some_and(|scope| scope.indirect)
    }
}

impl<'a> ListExtensions<'a> {
    fn read(explicit: Element<'a>) -> Parsed<Self> {
        let mut extensions = Self::default();
        let mut number = None;
        each_extension(one(explicit.reader(), |r| r.sequence("Extensions expected"))?, |extension| {
            match extension.oid.0 {
                oid::CRL_NUMBER if extension.critical => {
                    return Err(form(extension.offset, "cRLNumber is critical"));
                }
                oid::CRL_NUMBER => number = Some(crl_number(extension)?),
                oid::DELTA_CRL_INDICATOR => extensions.base = Some(crl_number(extension)?),
                oid::ISSUING_DISTRIBUTION_POINT => {
                    extensions.scope = Some(IssuingDistributionPoint::read(extension)?);
                }
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    let mut fields = one(extension.reader(), |r| r.sequence("AuthorityKeyIdentifier"))?;
                    extensions.key_id = fields.optional(tag::context(0))?.map(|element| element.value);
                    extensions.authority = Some(extension.value);
                }
                _ if extension.critical => return Err(not_understood(extension)),
                _ => {}
            }
            Ok(())
        })?;
        extensions.number = number.ok_or_else(|| form(explicit.start, "cRLNumber is missing"))?;
        Ok(extensions)
    }
}

/// A CRL number: 0 or positive, at most 20 octets (section 5.2.3), without a leading zero octet.
fn crl_number<'a>(extension: &Extension<'a>) -> Parsed<&'a [u8]> {
    let number = one(extension.reader(), Reader::integer)?;
    let significant = number.strip_prefix(&[0]).unwrap_or(number);
    if number.first().is_some_and(|first| first & 0x80 != 0) || significant.len() > 20 {
        return Err(form(extension.offset, "a CRL number is negative or longer than 20 octets"));
    }
    Ok(significant)
}

/// One revoked certificate (section 5.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// Content octets of the serial number.
    pub(super) serial: &'a [u8],
    /// When it was revoked, in seconds since 1970.
    pub(super) since: i64,
    pub(super) reason: Reason,
    /// certificateIssuer: from here on, entries are of certificates of this issuer.
    pub(super) issuer: Option<Element<'a>>,
}

impl<'a> Entry<'a> {
    /// Reads the next entry.
    pub(super) fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        let mut fields = reader.sequence("a revoked certificate expected")?;
        let serial = fields.integer()?;
        let since = time::time(&mut fields)?;
        let mut entry = Self { serial, since, reason: Reason::Unspecified, issuer: None };
        if let Some(extensions) = fields.optional(tag::SEQUENCE)? {
            fields.end("bytes after an entry's extensions")?;
            each_extension(extensions.reader(), |extension| entry.take(extension))?;
        }
        fields.end("bytes after a revoked certificate")?;
        Ok(entry)
    }

    fn take(&mut self, extension: &Extension<'a>) -> Parsed<()> {
        match extension.oid.0 {
            oid::REASON_CODE => {
                let code = one(extension.reader(), |r| r.expect(tag::ENUMERATED, "CRLReason expected"))?;
                self.reason = match *minimal_integer(code)? {
                    [code] => Reason::from_code(code),
                    _ => None,
                }
                .ok_or_else(|| form(extension.offset, "no such CRLReason"))?;
            }
            oid::INVALIDITY_DATE => {
                one(extension.reader(), time::time)?;
            }
            oid::CERTIFICATE_ISSUER => {
                let names = one(extension.reader(), |r| r.expect(tag::SEQUENCE, "GeneralNames expected"))?;
                GeneralNames::check(names.reader())?;
                self.issuer = Some(names);
            }
            _ if extension.critical => return Err(not_understood(extension)),
            _ => {}
        }
        Ok(())
    }
}

/// Reads the contents of Extensions: at least one, each kind once, a bounded number.
pub(super) fn each_extension<'a>(
    contents: Reader<'a>,
    mut take: impl FnMut(&Extension<'a>) -> Parsed<()>,
) -> Parsed<()> {
    let mut reader = contents;
    if reader.is_empty() {
        return Err(reader.error("Extensions is empty"));
    }
    let mut seen: [&[u8]; defaults::CRL_EXTENSIONS] = [&[]; defaults::CRL_EXTENSIONS];
    while !reader.is_empty() {
        let extension = Extension::read(&mut reader)?;
        if seen.contains(&extension.oid.0) {
            let what = "an extension appears twice";
            return Err(ParseError { rule: Rule::DuplicateExtension, offset: extension.offset, what });
        }
        // Identifiers are never empty, so an empty place is a free one.
        let place = seen.iter_mut().find(|place| place.is_empty());
        *place.ok_or_else(|| at(extension.offset, "more extensions than any real CRL has"))? =
            extension.oid.0;
        take(&extension).map_err(|error| match error.rule {
            Rule::Encoding => ParseError { rule: Rule::ExtensionEncoding, ..error },
            _ => error,
        })?;
    }
    Ok(())
}

/// A CRL that has not the form that section 5 gives it.
const fn form(offset: u32, what: &'static str) -> ParseError {
    ParseError { rule: Rule::CrlForm, offset, what }
}

/// RFC 5280 sections 5.2 and 5.3: such a CRL says nothing about any certificate.
fn not_understood(extension: &Extension<'_>) -> ParseError {
    let what = "a critical extension is not understood";
    ParseError { rule: Rule::CrlCriticalExtension, offset: extension.offset, what }
}
