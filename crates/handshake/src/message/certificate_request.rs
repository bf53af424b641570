//! CertificateRequest (RFC 9846 section 4.4.2).

use oxtls_crypto::signature::SignatureScheme;

use crate::codec::{List16, Reader, Writer};
use crate::error::Error;
use crate::extension::certificate_authorities::{self, DistinguishedNames};
use crate::extension::grease::{self, Grease};
use crate::extension::{
    self, Context, ExtensionType, OfferedSet, compress_certificate, oid_filters, signature_algorithms,
    signed_certificate_timestamp, status_request,
};
use crate::message::{HandshakeType, encoded, message};

/// A CertificateRequest, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// Empty during the handshake, which is the client's to check.
    pub context: &'a [u8],
    /// Schemes for CertificateVerify, the server's order.
    pub signature_algorithms: List16<'a, SignatureScheme>,
    /// Schemes inside certificates, when they differ.
    pub signature_algorithms_cert: Option<List16<'a, SignatureScheme>>,
    /// Authorities that the server trusts.
    pub certificate_authorities: Option<DistinguishedNames<'a>>,
    /// An OCSP response is wanted.
    pub status_request: bool,
    /// Signed certificate timestamps are wanted.
    pub signed_certificate_timestamp: bool,
    /// Compressions that the server can undo.
    pub compress_certificate: Option<List16<'a, u16>>,
}

impl<'a> CertificateRequest<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`extension::read`]'s; [`Error::MissingExtension`] without signature_algorithms.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "CertificateRequest");
        let context = r.vec_u8()?;
        let mut schemes = None;
        let mut this = Self {
            context,
            signature_algorithms: List16::EMPTY,
            signature_algorithms_cert: None,
            certificate_authorities: None,
            status_request: false,
            signed_certificate_timestamp: false,
            compress_certificate: None,
        };
        extension::read(&mut r, Context::CertificateRequest, OfferedSet::EMPTY, |typ, r| {
            match typ {
                ExtensionType::SIGNATURE_ALGORITHMS => schemes = Some(signature_algorithms::parse(r)?),
                ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
                    this.signature_algorithms_cert = Some(signature_algorithms::parse(r)?);
                }
                ExtensionType::CERTIFICATE_AUTHORITIES => {
                    this.certificate_authorities = Some(certificate_authorities::parse(r)?);
                }
                ExtensionType::STATUS_REQUEST => {
                    this.status_request = status_request::parse_certificate_request(r)?;
                }
                ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => this.signed_certificate_timestamp = true,
                ExtensionType::COMPRESS_CERTIFICATE => {
                    this.compress_certificate = Some(compress_certificate::parse(r)?);
                }
                ExtensionType::OID_FILTERS => oid_filters::parse(r)?,
                _ => {
                    r.rest();
                }
            }
            Ok(())
        })?;
        r.finish()?;
        this.signature_algorithms =
            schemes.ok_or(Error::MissingExtension(ExtensionType::SIGNATURE_ALGORITHMS))?;
        Ok(this)
    }

    /// Schemes that the server takes inside certificates (RFC 9846 section 4.3.3).
    #[must_use]
    pub fn certificate_schemes(&self) -> List16<'a, SignatureScheme> {
        self.signature_algorithms_cert.unwrap_or(self.signature_algorithms)
    }
}

/// A CertificateRequest to send during a handshake; its context is empty.
#[derive(Clone, Copy, Debug)]
pub struct NewCertificateRequest<'a> {
    /// Schemes for CertificateVerify, most preferred first.
    pub signature_algorithms: &'a [SignatureScheme],
    /// Schemes inside certificates, when they differ.
    pub signature_algorithms_cert: Option<&'a [SignatureScheme]>,
    /// Authorities that we trust, DER names; empty: not said.
    pub certificate_authorities: &'a [Vec<u8>],
    /// An OCSP response is wanted.
    pub status_request: bool,
    /// Signed certificate timestamps are wanted.
    pub signed_certificate_timestamp: bool,
    /// Compressions that we can undo; empty: none.
    pub compress_certificate: &'a [u16],
    /// Values that mean nothing: a signature scheme ahead of the others and an extension (RFC 8701).
    pub grease: Option<Grease>,
}

impl NewCertificateRequest<'_> {
    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if the authorities outgrow 65,535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        encoded(|w| self.write(w))
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::CERTIFICATE_REQUEST, |w| {
            w.vec_u8(&[]);
            w.block_u16(|w| self.write_extensions(w));
        });
    }

    fn write_extensions(&self, w: &mut Writer) {
        let grease = self.grease.map(|grease| grease.signature_scheme());
        signature_algorithms::write(w, &grease::ahead(grease, self.signature_algorithms));
        if let Some(schemes) = self.signature_algorithms_cert {
            signature_algorithms::write_cert(w, &grease::ahead(grease, schemes));
        }
        if !self.certificate_authorities.is_empty() {
            certificate_authorities::write(w, self.certificate_authorities);
        }
        if self.status_request {
            status_request::write_certificate_request(w);
        }
        if self.signed_certificate_timestamp {
            signed_certificate_timestamp::write_request(w);
        }
        if !self.compress_certificate.is_empty() {
            compress_certificate::write(w, self.compress_certificate);
        }
        if let Some(grease) = self.grease {
            grease::write(w, grease.empty_extension(), &[]);
        }
    }

    /// The extensions that [`NewCertificateRequest::encode`] sends: what the client's Certificate is judged by.
    #[must_use]
    pub fn offered(&self) -> OfferedSet {
        [
            (true, ExtensionType::SIGNATURE_ALGORITHMS),
            (self.signature_algorithms_cert.is_some(), ExtensionType::SIGNATURE_ALGORITHMS_CERT),
            (!self.certificate_authorities.is_empty(), ExtensionType::CERTIFICATE_AUTHORITIES),
            (self.status_request, ExtensionType::STATUS_REQUEST),
            (self.signed_certificate_timestamp, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP),
            (!self.compress_certificate.is_empty(), ExtensionType::COMPRESS_CERTIFICATE),
        ]
        .into_iter()
        .filter_map(|(sent, typ)| sent.then_some(typ))
        .collect()
    }
}
