//! CertificateVerify (RFC 9846 section 4.5.2): proof that the sender has the key of its certificate.

use oxtls_crypto::hash::Digest;
use oxtls_crypto::signature::SignatureScheme;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::message::{HandshakeType, encoded, message};

/// A parsed CertificateVerify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateVerify<'a> {
    /// What it was signed with.
    pub algorithm: SignatureScheme,
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> CertificateVerify<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "CertificateVerify");
        let algorithm = SignatureScheme(r.u16()?);
        let signature = r.vec_u16()?;
        r.finish()?;
        Ok(Self { algorithm, signature })
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if the signature has over 65,535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        encoded(|w| self.write(w))
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::CERTIFICATE_VERIFY, |w| {
            w.u16(self.algorithm.0);
            w.vec_u16(self.signature);
        });
    }
}

/// Who signs. The two sign different context strings, so that a signature of one can't be passed off as the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerRole {
    /// The server's CertificateVerify.
    Server,
    /// The client's CertificateVerify.
    Client,
}

/// What is signed: 64 spaces, the context string of the role, a zero byte, the transcript's hash up to and including
/// the signer's Certificate. The spaces clear the prefix that TLS 1.2 signs (randoms), so that no signature is good
/// in both versions.
#[must_use]
pub fn signed_content(role: SignerRole, transcript: &Digest) -> Vec<u8> {
    [signed_prefix(role), transcript.as_bytes()].concat()
}

/// The same where it lies: for whoever verifies, and needs it no longer than that.
pub(crate) struct SignedContent {
    bytes: [u8; PREFIX + Digest::MAX_LEN],
    len: usize,
}

impl SignedContent {
    pub(crate) fn new(role: SignerRole, transcript: &Digest) -> Self {
        let mut bytes = [0; PREFIX + Digest::MAX_LEN];
        let (prefix, hash) = bytes.split_at_mut(PREFIX);
        prefix.copy_from_slice(signed_prefix(role));
        let transcript = transcript.as_bytes();
        hash.iter_mut().zip(transcript).for_each(|(to, from)| *to = *from);
        Self { bytes, len: PREFIX.saturating_add(transcript.len()) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Bytes ahead of the transcript's hash.
const PREFIX: usize = 64 + 33 + 1;

const fn signed_prefix(role: SignerRole) -> &'static [u8; PREFIX] {
    match role {
        SignerRole::Server => {
            b"                                                                TLS 1.3, server CertificateVerify\0"
        }
        SignerRole::Client => {
            b"                                                                TLS 1.3, client CertificateVerify\0"
        }
    }
}
