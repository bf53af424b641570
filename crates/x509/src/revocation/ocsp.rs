//! OCSP responses (RFC 6960 section 4.2.1), read over borrowed bytes.

use oxtls_crypto::Hash;
use oxtls_crypto::hash::sha1_identifier;

use crate::algorithm::CertificateSignature;
use crate::defaults;
use crate::encode::header;
use crate::extension::Extension;
use crate::name::Name;
use crate::oid;
use crate::reader::{Element, Parsed, Reader, at, minimal_integer, tag};
use crate::time;

use super::crl::each_extension;
use super::list::Revoked;
use super::scope::one;
use super::{Reason, Unknown};

/// A BasicOCSPResponse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Response<'a> {
    pub(super) signed: &'a [u8],
    pub(super) algorithm: CertificateSignature<'a>,
    pub(super) signature: &'a [u8],
    pub(super) responder: Responder<'a>,
    pub(super) produced_at: i64,
    /// SingleResponses, one after the other.
    responses: Reader<'a>,
    /// Certificates, one after the other.
    certificates: Reader<'a>,
}

/// ResponderID.
#[derive(Clone, Copy, Debug)]
pub(super) enum Responder<'a> {
    Name(Name<'a>),
    /// SHA-1 of its public key.
    Key(&'a [u8]),
}

/// What a response says about one certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Single<'a> {
    id: CertId<'a>,
    pub(super) status: CertStatus,
    pub(super) this_update: i64,
    pub(super) next_update: Option<i64>,
    /// The SignedCertificateTimestampList of the certificate (RFC 6962 section 3.3).
    pub(super) scts: Option<&'a [u8]>,
}

/// CertStatus.
#[derive(Clone, Copy, Debug)]
pub(super) enum CertStatus {
    Good,
    Revoked(Revoked),
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct CertId<'a> {
    /// Contents of the hash's identifier.
    hash: &'a [u8],
    name_hash: &'a [u8],
    key_hash: &'a [u8],
    serial: &'a [u8],
}

impl<'a> Response<'a> {
    /// Reads an OCSPResponse; what it is instead if it is no response with statuses.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Unknown> {
        let malformed = |error: crate::ParseError| Unknown::MalformedResponse(error.what);
        let mut fields = open(der).map_err(malformed)?;
        let status = one_octet(&mut fields).map_err(malformed)?;
        if status != 0 {
            return Err(Unknown::ResponderError(status));
        }
        let basic = response_bytes(fields).map_err(malformed)?;
        Self::read_basic(basic).map_err(malformed)
    }

    fn read_basic(basic: Element<'a>) -> Parsed<Self> {
        let mut fields = one(basic.reader(), |r| r.sequence("BasicOCSPResponse expected"))?;
        let signed = fields.expect(tag::SEQUENCE, "ResponseData expected")?;
        let algorithm = fields.sequence("AlgorithmIdentifier expected")?;
        let signature = fields.bit_string_octets()?;
        let certificates = match fields.optional(tag::context_constructed(0))? {
            Some(explicit) => one(explicit.reader(), |r| r.sequence("certificates expected"))?,
            None => Reader::new(&[], 0),
        };
        fields.end("bytes after a BasicOCSPResponse")?;
        let mut data = signed.reader();
        if let Some(version) = data.optional(tag::context_constructed(0))? {
            return Err(at(
                version.start,
                "the version is another than 1, or encoded although it is the default",
            ));
        }
        let responder = read_responder(&mut data)?;
        let produced_at = generalized_time(&mut data)?;
        let responses = data.sequence("responses expected")?;
        if let Some(explicit) = data.optional(tag::context_constructed(1))? {
            let extensions = one(explicit.reader(), |r| r.sequence("Extensions expected"))?;
            // A nonce may be there; nobody asked for one.
            each_extension(extensions, not_critical)?;
        }
        data.end("bytes after the responses")?;
        let mut all = responses;
        let mut count = 0usize;
        while !all.is_empty() {
            Single::read(&mut all)?;
            count = count.saturating_add(1);
            if count > defaults::OCSP_RESPONSES {
                return Err(all.error("more responses than any real one has"));
            }
        }
        let algorithm = CertificateSignature::read(algorithm)?;
        Ok(Self {
            signed: signed.whole,
            algorithm,
            signature,
            responder,
            produced_at,
            responses,
            certificates,
        })
    }

    /// The responses, checked before.
    pub(super) fn singles(&self) -> impl Iterator<Item = Single<'a>> + use<'a> {
        let mut reader = self.responses;
        core::iter::from_fn(move || if reader.is_empty() { None } else { Single::read(&mut reader).ok() })
    }

    /// The first certificates that came along, DER.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut reader = self.certificates;
        core::iter::from_fn(move || if reader.is_empty() { None } else { reader.any().ok() })
            .take(defaults::OCSP_CERTIFICATES)
            .map(|element| element.whole)
    }
}

/// The fields of an OCSPResponse.
fn open(der: &[u8]) -> Parsed<Reader<'_>> {
    if der.len() > defaults::MAX_OCSP_BYTES {
        return Err(at(0, "it is longer than any real one"));
    }
    one(Reader::new(der, 0), |r| r.sequence("OCSPResponse expected"))
}

/// OCSPResponseStatus.
fn one_octet(fields: &mut Reader<'_>) -> Parsed<u8> {
    let element = fields.expect(tag::ENUMERATED, "OCSPResponseStatus expected")?;
    match *minimal_integer(element)? {
        [status @ 0..=0x7f] => Ok(status),
        _ => Err(at(element.start, "no such OCSPResponseStatus")),
    }
}

/// The OCTET STRING of a basic response.
fn response_bytes(mut fields: Reader<'_>) -> Parsed<Element<'_>> {
    let explicit = fields.expect(tag::context_constructed(0), "responseBytes expected")?;
    fields.end("bytes after responseBytes")?;
    let mut bytes = one(explicit.reader(), |r| r.sequence("ResponseBytes expected"))?;
    let start = bytes.offset();
    if bytes.oid()? != oid::OCSP_BASIC {
        return Err(at(start, "it is not of the basic type"));
    }
    one(bytes, Reader::octet_string)
}

fn read_responder<'a>(data: &mut Reader<'a>) -> Parsed<Responder<'a>> {
    let element = data.any()?;
    match element.tag {
        0xa1 => Ok(Responder::Name(one(element.reader(), Name::read)?)),
        0xa2 => Ok(Responder::Key(one(element.reader(), Reader::octet_string)?.value)),
        _ => Err(at(element.start, "ResponderID expected")),
    }
}

fn generalized_time(reader: &mut Reader<'_>) -> Parsed<i64> {
    if reader.peek() != Some(tag::GENERALIZED_TIME) {
        return Err(reader.error("GeneralizedTime expected"));
    }
    time::time(reader)
}

fn not_critical(extension: &Extension<'_>) -> Parsed<()> {
    if extension.critical {
        Err(at(extension.offset, "a critical extension is not understood"))
    } else {
        Ok(())
    }
}

impl<'a> Single<'a> {
    fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        let mut fields = reader.sequence("SingleResponse expected")?;
        let id = CertId::read(&mut fields)?;
        let status = read_status(&mut fields)?;
        let this_update = generalized_time(&mut fields)?;
        let next_update = match fields.optional(tag::context_constructed(0))? {
            Some(explicit) => Some(one(explicit.reader(), generalized_time)?),
            None => None,
        };
        let mut scts = None;
        if let Some(explicit) = fields.optional(tag::context_constructed(1))? {
            let extensions = one(explicit.reader(), |r| r.sequence("Extensions expected"))?;
            each_extension(extensions, |extension| {
                if extension.oid.0 == oid::OCSP_SCTS {
                    scts = Some(one(extension.reader(), Reader::octet_string)?.value);
                    return Ok(());
                }
                not_critical(extension)
            })?;
        }
        fields.end("bytes after a SingleResponse")?;
        Ok(Self { id, status, this_update, next_update, scts })
    }

    /// Whether it is about the certificate of this serial number by the issuer of this name and key.
    pub(super) fn is_about(&self, serial: &[u8], issuer: Name<'_>, issuer_spki: &[u8]) -> bool {
        self.id.serial == serial && self.id.names(issuer, issuer_spki).unwrap_or(false)
    }
}

fn read_status(fields: &mut Reader<'_>) -> Parsed<CertStatus> {
    let element = fields.any()?;
    match (element.tag, element.value) {
        (0x80, []) => Ok(CertStatus::Good),
        (0x82, []) => Ok(CertStatus::Unknown),
        (0xa1, _) => {
            let mut info = element.reader();
            let since = generalized_time(&mut info)?;
            let reason = match info.optional(tag::context_constructed(0))? {
                Some(explicit) => {
                    let code = one(explicit.reader(), |r| r.expect(tag::ENUMERATED, "CRLReason expected"))?;
                    let reason = match *minimal_integer(code)? {
                        [code] => Reason::from_code(code),
                        _ => None,
                    };
                    reason.ok_or_else(|| at(code.start, "no such CRLReason"))?
                }
                None => Reason::Unspecified,
            };
            info.end("bytes after RevokedInfo")?;
            Ok(CertStatus::Revoked(Revoked { since, reason }))
        }
        _ => Err(at(element.start, "CertStatus expected")),
    }
}

impl<'a> CertId<'a> {
    fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        let mut fields = reader.sequence("CertID expected")?;
        let mut algorithm = fields.sequence("AlgorithmIdentifier expected")?;
        let hash = algorithm.oid()?;
        if let Some(parameters) = algorithm.optional(tag::NULL)?
            && !parameters.value.is_empty()
        {
            return Err(at(parameters.start, "NULL has contents"));
        }
        algorithm.end("bytes after a hash's identifier")?;
        let name_hash = fields.octet_string()?.value;
        let key_hash = fields.octet_string()?.value;
        let serial = fields.integer()?;
        fields.end("bytes after a CertID")?;
        Ok(Self { hash, name_hash, key_hash, serial })
    }

    /// Whether the hashes are of this name and key; `None` if the key cannot be read or the hash is not known.
    fn names(&self, issuer: Name<'_>, issuer_spki: &[u8]) -> Option<bool> {
        let name_header = header(tag::SEQUENCE, issuer.contents().len());
        let name: &[&[u8]] = &[&name_header, issuer.contents()];
        let key: &[&[u8]] = &[key_octets(issuer_spki)?];
        Some(match self.hash {
            oid::SHA1 => sha1_identifier(name) == self.name_hash && sha1_identifier(key) == self.key_hash,
            _ => {
                let hash = match self.hash {
                    oid::SHA256 => Hash::Sha256,
                    oid::SHA384 => Hash::Sha384,
                    oid::SHA512 => Hash::Sha512,
                    _ => return None,
                };
                hash.digest_parts(name).as_bytes() == self.name_hash
                    && hash.digest_parts(key).as_bytes() == self.key_hash
            }
        })
    }
}

/// The contents of the BIT STRING of a SubjectPublicKeyInfo: what OCSP hashes.
pub(super) fn key_octets(spki: &[u8]) -> Option<&[u8]> {
    let mut fields = Reader::new(spki, 0).sequence("").ok()?;
    fields.any().ok()?;
    fields.bit_string_octets().ok()
}

/// The SCT list that a stapled response has for a certificate. Whether it may be believed does not matter: the
/// timestamps are signed by their logs.
pub(crate) fn timestamps<'a>(
    response: &'a [u8],
    serial: &[u8],
    issuer: Name<'_>,
    issuer_spki: &[u8],
) -> Option<&'a [u8]> {
    let response = Response::read(response).ok()?;
    response.singles().find(|single| single.is_about(serial, issuer, issuer_spki))?.scts
}
