//! CertificateRequest (RFC 5246 section 7.4.4).

use oxtls_crypto::signature::SignatureScheme;

use crate::codec::{List16, Reader, Writer};
use crate::error::Error;
use crate::extension::certificate_authorities::{self, DistinguishedNames};
use crate::message::{HandshakeType, encoded, message};

/// ClientCertificateType rsa_sign.
pub const RSA_SIGN: u8 = 1;
/// ClientCertificateType ecdsa_sign, which covers Ed25519 too (RFC 8422 section 5.5).
pub const ECDSA_SIGN: u8 = 64;

/// A received CertificateRequest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// Kinds of keys that the server takes.
    pub certificate_types: &'a [u8],
    /// Schemes for CertificateVerify and inside certificates, the server's order.
    pub signature_algorithms: List16<'a, SignatureScheme>,
    /// Authorities that the server trusts; may be empty.
    pub certificate_authorities: DistinguishedNames<'a>,
}

impl<'a> CertificateRequest<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`], also for an empty list of types or of schemes.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "CertificateRequest";
        let mut r = Reader::new(body, WHAT);
        let certificate_types = r.vec_u8()?;
        let schemes = r.vec_u16()?;
        if certificate_types.is_empty() || schemes.is_empty() {
            return Err(r.malformed());
        }
        let certificate_authorities = certificate_authorities::parse_list(&mut r)?;
        r.finish()?;
        Ok(Self {
            certificate_types,
            signature_algorithms: List16::parse(schemes, WHAT)?,
            certificate_authorities,
        })
    }
}

/// The whole message. Both kinds of keys are asked for: which of them is good, the schemes say.
///
/// # Errors
/// [`Error::TooLong`] if a list outgrows its length field.
pub fn encode(schemes: &[SignatureScheme], authorities: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    encoded(|w| write(w, schemes, authorities))
}

/// Writes the whole message.
pub fn write(w: &mut Writer, schemes: &[SignatureScheme], authorities: &[Vec<u8>]) {
    message(w, HandshakeType::CERTIFICATE_REQUEST, |w| {
        w.vec_u8(&[ECDSA_SIGN, RSA_SIGN]);
        w.block_u16(|w| {
            for scheme in schemes {
                w.u16(scheme.0);
            }
        });
        w.block_u16(|w| {
            for name in authorities {
                w.vec_u16(name);
            }
        });
    });
}
