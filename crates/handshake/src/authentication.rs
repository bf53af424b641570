//! What both roles do to prove who they are, and to check that the peer has the key of its certificate (RFC 9846
//! section 4.5).

use oxtls_crypto::hash::Digest;
use oxtls_crypto::signature::{KeyAlgorithm, PublicKey, SignatureScheme, spki_of_certificate};

use crate::config::{Common, Credential};
use crate::error::Error;
use crate::machine::{Out, PeerVerified};
use crate::message::HEADER_LEN;
use crate::message::certificate_verify::{CertificateVerify, SignedContent, SignerRole};
use crate::message::compressed_certificate::CompressedCertificate;
use crate::need::{AnswerKind, Decompress, Need};
use crate::outcome::PeerCertificates;

/// Checks what the outside answered to ChooseCredential: whoever answers can be a program of its own, and a peer that
/// gets a scheme it did not offer would blame us. `is_offered`: the scheme is one of the peer's that the version can use.
///
/// # Errors
/// `SigningFailed`, the caller's own fault, saying what is wrong with the choice.
pub(crate) fn check_choice(
    credential: &Credential,
    scheme: SignatureScheme,
    is_offered: bool,
) -> Result<(), Error> {
    let wrong = |what: &str| Error::SigningFailed(Some(what.into()));
    if credential.chain.is_empty() {
        return Err(wrong("the chosen credential has no certificate"));
    }
    if !is_offered {
        return Err(wrong("the chosen signature scheme is not one that the peer accepts"));
    }
    if !credential.schemes.contains(&scheme) {
        return Err(wrong("the chosen signature scheme is not one of the credential's key"));
    }
    Ok(())
}

/// How many bytes a compressed certificate may have beyond what it decompresses to.
const COMPRESSION_OVERHEAD: usize = 1024;

/// A peer's CompressedCertificate: judged before anybody decompresses it (RFC 8879 section 4), and handed out. Gives
/// the length that must come out.
///
/// # Errors
/// `Malformed`; `IllegalParameter` for an algorithm that was not offered, or a message longer than we would take as
/// it is.
pub(crate) fn ask_to_decompress(body: &[u8], common: &Common, out: &mut Out) -> Result<u32, Error> {
    let CompressedCertificate { algorithm, uncompressed_length: length, bytes } =
        CompressedCertificate::parse(body)?;
    if !common.decompress.contains(&algorithm) {
        return Err(Error::IllegalParameter { what: "a certificate compression that was not offered" });
    }
    let header = u32::try_from(HEADER_LEN).unwrap_or_default();
    if length.saturating_add(header) > common.max_message {
        return Err(Error::IllegalParameter { what: "a compressed certificate longer than we take" });
    }
    // What does not shrink is stored, at the cost of a few bytes: more is work made for us before anybody has proved
    // anything.
    let most = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(COMPRESSION_OVERHEAD);
    if bytes.len() > most {
        return Err(Error::IllegalParameter { what: "a compressed certificate longer than the plain one" });
    }
    let bytes = bytes.to_vec();
    out.ask(|serial| Need::Decompress(Decompress { algorithm, bytes, length, serial }));
    Ok(length)
}

/// Checks what the outside has decompressed.
///
/// # Errors
/// `DecompressionFailed` if it is not of the length that the peer said.
pub(crate) fn check_decompressed(body: &[u8], length: u32) -> Result<(), Error> {
    if u32::try_from(body.len()) == Ok(length) { Ok(()) } else { Err(Error::DecompressionFailed) }
}

/// Checks what the outside answered to Sign.
///
/// # Errors
/// `SigningFailed` for an empty signature.
pub(crate) fn check_signature(signature: &[u8]) -> Result<(), Error> {
    if signature.is_empty() { Err(Error::SigningFailed(None)) } else { Ok(()) }
}

/// A peer's certificates, and the key that its CertificateVerify must be made with. Nothing says yet that the peer
/// has that key.
#[derive(Debug)]
pub(crate) struct ClaimedPeer {
    certificates: PeerCertificates,
    key: PublicKey,
}

/// A peer that has proved possession of its certificate's key. Whether the certificate is any good is for VerifyPeer.
#[derive(Debug)]
pub(crate) struct ProvedPeer {
    /// What it sent.
    pub(crate) certificates: PeerCertificates,
    /// What it signed with.
    pub(crate) scheme: SignatureScheme,
}

/// A peer whose certificate was accepted after it had proved possession of its key.
#[derive(Debug)]
pub(crate) struct VerifiedPeer {
    /// What it sent.
    pub(crate) certificates: PeerCertificates,
    /// What it signed with.
    pub(crate) scheme: SignatureScheme,
    _proof: PeerVerified,
}

impl ProvedPeer {
    /// The peer as verified, if this is the answer that says so.
    pub(crate) fn verified(self, answer: &AnswerKind) -> Result<VerifiedPeer, Error> {
        let _proof = PeerVerified::from_answer(answer)?;
        Ok(VerifiedPeer { certificates: self.certificates, scheme: self.scheme, _proof })
    }
}

impl ClaimedPeer {
    /// Finds the key in the leaf.
    ///
    /// # Errors
    /// `UnreadableCertificate` if the leaf can't be read far enough, `UnusableCertificateKey` if its key is of no use.
    pub(crate) fn new(certificates: PeerCertificates) -> Result<Self, Error> {
        let leaf = certificates.chain.first().ok_or(Error::UnreadableCertificate)?;
        let spki = spki_of_certificate(leaf).map_err(|_| Error::UnreadableCertificate)?;
        let key = PublicKey::from_spki(spki).map_err(Error::UnusableCertificateKey)?;
        Ok(Self { certificates, key })
    }

    /// Checks the body of the peer's CertificateVerify, which signs `transcript` (up to and with its Certificate).
    /// The scheme is judged before the signature: it must be among `offered` and be the key's.
    ///
    /// # Errors
    /// `Malformed`, `WrongSignatureScheme`, `BadSignature`.
    pub(crate) fn prove(
        self,
        body: &[u8],
        offered: &[SignatureScheme],
        role: SignerRole,
        transcript: &Digest,
    ) -> Result<ProvedPeer, Error> {
        let CertificateVerify { algorithm: scheme, signature } = CertificateVerify::parse(body)?;
        let usable = scheme.usable_in_tls13_handshake() && scheme.fits_tls13(self.key.key_algorithm());
        if !usable || !offered.contains(&scheme) {
            return Err(Error::WrongSignatureScheme(scheme));
        }
        self.key
            .verify_tls(scheme, SignedContent::new(role, transcript).as_bytes(), signature)
            .map_err(|_| Error::BadSignature)?;
        Ok(ProvedPeer { certificates: self.certificates, scheme })
    }

    /// Adds the OCSP response, which TLS 1.2 has in a message of its own.
    pub(crate) fn staple(&mut self, response: &[u8]) {
        self.certificates.ocsp = Some(response.into());
    }

    /// What kind of key the certificate has: TLS 1.2's suites name it.
    pub(crate) fn key_algorithm(&self) -> KeyAlgorithm {
        self.key.key_algorithm()
    }

    /// Checks a signature of TLS 1.2 over `content` (RFC 5246 sections 7.4.3 and 7.4.8). The scheme is judged before
    /// the signature: it must be among `offered` and be the key's.
    ///
    /// # Errors
    /// `WrongSignatureScheme`, `BadSignature`.
    pub(crate) fn prove_tls12(
        self,
        scheme: SignatureScheme,
        signature: &[u8],
        offered: &[SignatureScheme],
        content: &[u8],
    ) -> Result<ProvedPeer, Error> {
        if !scheme.fits_tls12(self.key.key_algorithm()) || !offered.contains(&scheme) {
            return Err(Error::WrongSignatureScheme(scheme));
        }
        self.key.verify_tls(scheme, content, signature).map_err(|_| Error::BadSignature)?;
        Ok(ProvedPeer { certificates: self.certificates, scheme })
    }
}
