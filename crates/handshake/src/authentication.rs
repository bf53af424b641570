//! What both roles do to prove who they are, and to check that the peer has the key of its certificate (RFC 9846
//! section 4.5).

use oxtls_crypto::hash::Digest;
use oxtls_crypto::signature::{PublicKey, SignatureScheme, spki_of_certificate};

use crate::config::Credential;
use crate::error::Error;
use crate::message::certificate::NewCertificate;
use crate::message::certificate_verify::{CertificateVerify, SignerRole, signed_content};
use crate::outcome::PeerCertificates;

/// Checks what the outside answered to ChooseCredential: whoever answers can be a program of its own, and a peer that
/// gets a scheme it did not offer would blame us.
///
/// # Errors
/// `SigningFailed`, the caller's own fault, saying what is wrong with the choice.
pub(crate) fn check_choice(
    credential: &Credential,
    scheme: SignatureScheme,
    offered: &[SignatureScheme],
) -> Result<(), Error> {
    let wrong = |what: &str| Error::SigningFailed(Some(what.into()));
    if credential.chain.is_empty() {
        return Err(wrong("the chosen credential has no certificate"));
    }
    if !offered.contains(&scheme) || !scheme.usable_in_tls13_handshake() {
        return Err(wrong("the chosen signature scheme is not one that the peer accepts"));
    }
    if !credential.schemes.contains(&scheme) {
        return Err(wrong("the chosen signature scheme is not one of the credential's key"));
    }
    Ok(())
}

/// Our Certificate, with what the peer asked to have stapled to it, as far as there is any.
///
/// # Errors
/// `TooLong` for a chain over 2^24 bytes.
pub(crate) fn certificate(credential: &Credential, ocsp: bool, sct: bool) -> Result<Vec<u8>, Error> {
    NewCertificate {
        context: &[],
        chain: &credential.chain,
        ocsp: credential.ocsp.as_deref().filter(|_| ocsp),
        scts: credential.scts.as_deref().filter(|_| sct),
    }
    .encode()
}

/// Our CertificateVerify around the signature that the outside answered to Sign.
///
/// # Errors
/// `SigningFailed` for an empty signature, `TooLong` for one over 65,535 bytes.
pub(crate) fn certificate_verify(scheme: SignatureScheme, signature: &[u8]) -> Result<Vec<u8>, Error> {
    if signature.is_empty() {
        return Err(Error::SigningFailed(None));
    }
    CertificateVerify { algorithm: scheme, signature }.encode()
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
            .verify_tls(scheme, &signed_content(role, transcript), signature)
            .map_err(|_| Error::BadSignature)?;
        Ok(ProvedPeer { certificates: self.certificates, scheme })
    }
}
