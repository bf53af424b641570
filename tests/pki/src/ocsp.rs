//! OCSP responses.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::der::Encode;
use oxtls_crypto::Hash;
use oxtls_crypto::hash::sha1_identifier;
use oxtls_crypto::signature::SigningKey;
use pki_types::{CertificateDer, UnixTime};

use crate::crl::{extension, generalized_time};
use crate::der::{contents, elements, oid, tlv};
use crate::{Ca, Issued, RawExtension};

const DAY: Duration = Duration::from_secs(86_400);

/// What an OCSP response shall say about one certificate.
#[derive(Clone, Debug)]
pub struct OcspSpec {
    serial: Vec<u8>,
    status: Vec<u8>,
    produced_at: SystemTime,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    sha256: bool,
    by_key: bool,
    certificates: Vec<u8>,
    single_extensions: Vec<RawExtension>,
    extensions: Vec<RawExtension>,
    other_issuer: bool,
}

impl OcspSpec {
    /// It is good: from yesterday for a week, identified by SHA-1, the responder by its name.
    #[must_use]
    pub fn good(certificate: &CertificateDer<'_>) -> Self {
        let produced_at = SystemTime::now() - DAY;
        Self {
            serial: serial(certificate).to_vec(),
            status: vec![0x80, 0],
            produced_at,
            this_update: produced_at,
            next_update: Some(produced_at + 7 * DAY),
            sha256: false,
            by_key: false,
            certificates: Vec::new(),
            single_extensions: Vec::new(),
            extensions: Vec::new(),
            other_issuer: false,
        }
    }

    /// It is revoked, for this reason.
    #[must_use]
    pub fn revoked(certificate: &CertificateDer<'_>, reason: u8) -> Self {
        let mut spec = Self::good(certificate);
        let reason = tlv(0xa0, &[&tlv(0x0a, &[&[reason]])]);
        spec.status = tlv(0xa1, &[&generalized_time(spec.this_update), &reason]);
        spec
    }

    /// The responder does not know it.
    #[must_use]
    pub fn unknown(certificate: &CertificateDer<'_>) -> Self {
        Self { status: vec![0x82, 0], ..Self::good(certificate) }
    }

    /// When the response was made.
    #[must_use]
    pub fn produced_at(mut self, time: UnixTime) -> Self {
        self.produced_at = system_time(time);
        self
    }

    /// From when the status holds.
    #[must_use]
    pub fn this_update(mut self, time: UnixTime) -> Self {
        self.this_update = system_time(time);
        self
    }

    /// Until when the status holds; `None` leaves the field out.
    #[must_use]
    pub fn next_update(mut self, time: Option<UnixTime>) -> Self {
        self.next_update = time.map(system_time);
        self
    }

    /// The certificate is identified by SHA-256.
    #[must_use]
    pub fn sha256(mut self) -> Self {
        self.sha256 = true;
        self
    }

    /// The responder is identified by its key.
    #[must_use]
    pub fn by_key(mut self) -> Self {
        self.by_key = true;
        self
    }

    /// The hashes are of no issuer.
    #[must_use]
    pub fn of_other_issuer(mut self) -> Self {
        self.other_issuer = true;
        self
    }

    /// Sends a certificate along.
    #[must_use]
    pub fn with_certificate(mut self, certificate: &CertificateDer<'_>) -> Self {
        self.certificates.extend_from_slice(certificate);
        self
    }

    /// Adds an extension to the answer about the certificate.
    #[must_use]
    pub fn single_extension(mut self, oid: &str, critical: bool, value: &[u8]) -> Self {
        self.single_extensions.push(RawExtension { oid: oid.to_owned(), critical, value: value.to_vec() });
        self
    }

    /// Adds an extension to the response.
    #[must_use]
    pub fn extension(mut self, oid: &str, critical: bool, value: &[u8]) -> Self {
        self.extensions.push(RawExtension { oid: oid.to_owned(), critical, value: value.to_vec() });
        self
    }

    fn build(self, issuer: &CertificateDer<'_>, responder: &CertificateDer<'_>, key: &SigningKey) -> Vec<u8> {
        let hash = |bytes: &[u8]| match self.sha256 {
            _ if self.other_issuer => vec![7; 20],
            true => Hash::Sha256.digest(bytes).as_ref().to_vec(),
            false => sha1_identifier(&[bytes]).to_vec(),
        };
        let algorithm = if self.sha256 { "2.16.840.1.101.3.4.2.1" } else { "1.3.14.3.2.26" };
        let id = [
            tlv(0x30, &[&oid(algorithm), &[0x05, 0x00]]),
            tlv(0x04, &[&hash(subject(issuer))]),
            tlv(0x04, &[&hash(public_key(issuer))]),
            tlv(0x02, &[&self.serial]),
        ];
        let until = self.next_update.map_or_else(Vec::new, |time| tlv(0xa0, &[&generalized_time(time)]));
        let single = [
            tlv(0x30, &[&id.concat()]),
            self.status.clone(),
            generalized_time(self.this_update),
            until,
            explicit_extensions(&self.single_extensions),
        ];
        let who = if self.by_key {
            tlv(0xa2, &[&tlv(0x04, &[&sha1_identifier(&[public_key(responder)])])])
        } else {
            tlv(0xa1, &[subject(responder)])
        };
        let data = [
            who,
            generalized_time(self.produced_at),
            tlv(0x30, &[&tlv(0x30, &[&single.concat()])]),
            explicit_extensions(&self.extensions),
        ];
        let certificates = if self.certificates.is_empty() {
            Vec::new()
        } else {
            tlv(0xa0, &[&tlv(0x30, &[&self.certificates])])
        };
        respond(&tlv(0x30, &[&data.concat()]), key, &certificates)
    }
}

/// An OCSPResponse around any signed part; `certificates` is the whole field.
#[must_use]
pub fn respond(data: &[u8], key: &SigningKey, certificates: &[u8]) -> Vec<u8> {
    let signature = key.sign_certificate(data).expect("the key signs");
    let signature = tlv(0x03, &[&[0], signature.as_slice()]);
    let basic = tlv(0x30, &[data, key.algorithm_identifier_der(), &signature, certificates]);
    let bytes = tlv(0x30, &[&oid("1.3.6.1.5.5.7.48.1.1"), &tlv(0x04, &[&basic])]);
    tlv(0x30, &[&[0x0a, 0x01, 0x00], &tlv(0xa0, &[&bytes])])
}

impl Ca {
    /// An OCSP response signed by this CA itself.
    #[must_use]
    pub fn ocsp(&self, spec: OcspSpec) -> Vec<u8> {
        spec.build(&self.certificate, &self.certificate, &self.key)
    }

    /// An OCSP response about a certificate of this CA, signed by somebody else, whose certificate is sent along.
    #[must_use]
    pub fn ocsp_by(&self, spec: OcspSpec, responder: &Issued) -> Vec<u8> {
        let certificate = responder.certificate();
        spec.with_certificate(certificate).build(&self.certificate, certificate, &responder.key)
    }
}

fn explicit_extensions(extensions: &[RawExtension]) -> Vec<u8> {
    let all: Vec<u8> = extensions.iter().flat_map(extension).collect();
    if all.is_empty() { Vec::new() } else { tlv(0xa1, &[&tlv(0x30, &[&all])]) }
}

/// The fields of a TBSCertificate, without the version.
fn fields<'a>(certificate: &'a CertificateDer<'_>) -> Vec<&'a [u8]> {
    let tbs = elements(contents(certificate))[0];
    elements(contents(tbs)).into_iter().filter(|field| field[0] != 0xa0).collect()
}

/// The serial number's content octets.
#[must_use]
pub fn serial<'a>(certificate: &'a CertificateDer<'_>) -> &'a [u8] {
    contents(fields(certificate)[0])
}

/// The subject, a whole Name.
#[must_use]
pub fn subject<'a>(certificate: &'a CertificateDer<'_>) -> &'a [u8] {
    fields(certificate)[4]
}

/// The octets of the public key.
fn public_key<'a>(certificate: &'a CertificateDer<'_>) -> &'a [u8] {
    &contents(elements(contents(fields(certificate)[5]))[1])[1..]
}

fn system_time(time: UnixTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.as_secs())
}

/// A name's encoding, from RFC 4514.
#[must_use]
pub fn name_der(name: &str) -> Vec<u8> {
    crate::name(name).to_der().expect("a name can be encoded")
}
