//! A certificate chain, ready to be sent, and what proves it.

use core::fmt;
use std::sync::Arc;

use oxtls_crypto::signature::{SignatureScheme, Signer};
use pki_types::CertificateDer;

use crate::codec::Writer;
use crate::error::Error;
use crate::message::HEADER_LEN;
use crate::message::certificate::NewCertificate;
use crate::message::compressed_certificate::CompressedCertificate;

/// A certificate chain, ready to be sent, and the key that proves it, unless that key lives elsewhere.
#[derive(Debug)]
pub struct Credential {
    /// The chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key. `None`: whoever answers `Sign` has it.
    pub signer: Option<Arc<dyn Signer>>,
    /// Schemes that the key can sign with, in order of preference.
    pub schemes: Vec<SignatureScheme>,
    /// OCSP response to staple.
    pub ocsp: Option<Vec<u8>>,
    /// SCT list to send, encoded (RFC 6962 section 3.3).
    pub scts: Option<Vec<u8>>,
    /// The chain and what is stapled to it, compressed (RFC 8879), the most preferred algorithm first. What
    /// [`Credential::add_compressed`] made is of this credential as it was then: clear it when the chain or what is
    /// stapled changes.
    pub compressed: Vec<CompressedForm>,
}

/// A credential's Certificate message, compressed beforehand: nothing is compressed during a handshake.
#[derive(Clone, PartialEq, Eq)]
pub struct CompressedForm {
    algorithm: u16,
    ocsp: bool,
    scts: bool,
    message: Vec<u8>,
}

impl CompressedForm {
    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> u16 {
        self.algorithm
    }
}

impl fmt::Debug for CompressedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompressedForm")
            .field("algorithm", &self.algorithm)
            .field("ocsp", &self.ocsp)
            .field("scts", &self.scts)
            .field("len", &self.message.len())
            .finish()
    }
}

impl Credential {
    /// Adds what `compress` makes of the body of the Certificate message: once for each combination of stapled
    /// responses that a peer can ask for. `None` says that this algorithm is not to be used for that body, for
    /// instance because it would not get smaller.
    ///
    /// # Errors
    /// [`Error::TooLong`] for a chain, or a compressed form, of over 2^24 bytes; [`Error::Internal`] for an empty
    /// form, which the message cannot carry.
    pub fn add_compressed(
        &mut self,
        algorithm: u16,
        mut compress: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<(), Error> {
        for ocsp in [false, true] {
            for scts in [false, true] {
                if (ocsp && self.ocsp.is_none()) || (scts && self.scts.is_none()) {
                    continue;
                }
                let message = self.plain(ocsp, scts).encode()?;
                let body = message.get(HEADER_LEN..).unwrap_or_default();
                let Some(bytes) = compress(body) else { continue };
                if bytes.is_empty() {
                    return Err(Error::Internal("a compressed certificate must not be empty"));
                }
                let uncompressed_length = u32::try_from(body.len()).map_err(|_| Error::TooLong)?;
                let message =
                    CompressedCertificate { algorithm, uncompressed_length, bytes: &bytes }.encode()?;
                self.compressed.push(CompressedForm { algorithm, ocsp, scts, message });
            }
        }
        Ok(())
    }

    /// The message that shows this credential, with what the peer asked to have stapled to it, as far as there is any.
    /// Compressed, if there is a form by an algorithm that the peer can undo, the most preferred of ours.
    pub(crate) fn shown(&self, wanted: WantedForm<'_>) -> Shown<'_> {
        let (ocsp, scts) = (wanted.ocsp && self.ocsp.is_some(), wanted.scts && self.scts.is_some());
        let form = self.compressed.iter().find(|form| {
            (form.ocsp, form.scts) == (ocsp, scts) && wanted.compression.contains(&form.algorithm)
        });
        match form {
            Some(form) => Shown::Compressed(&form.message),
            None => Shown::Plain(self.plain(ocsp, scts)),
        }
    }

    fn plain(&self, ocsp: bool, scts: bool) -> NewCertificate<'_> {
        NewCertificate {
            context: &[],
            chain: &self.chain,
            ocsp: self.ocsp.as_deref().filter(|_| ocsp),
            scts: self.scts.as_deref().filter(|_| scts),
        }
    }
}

/// The message that shows a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown<'a> {
    /// Certificate.
    Plain(NewCertificate<'a>),
    /// CompressedCertificate, as it was made beforehand.
    Compressed(&'a [u8]),
}

impl Shown<'_> {
    /// About as many bytes as it has, and no fewer.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Plain(certificate) => certificate.len(),
            Self::Compressed(message) => message.len(),
        }
    }

    /// Writes it.
    pub(crate) fn write(&self, w: &mut Writer) {
        match self {
            Self::Plain(certificate) => certificate.write(w),
            Self::Compressed(message) => w.bytes(message),
        }
    }
}

/// In which form a peer wants a certificate: what is stapled to it, and how it may be compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WantedForm<'a> {
    /// A stapled OCSP response.
    pub(crate) ocsp: bool,
    /// Signed certificate timestamps.
    pub(crate) scts: bool,
    /// Compressions that it can undo.
    pub(crate) compression: &'a [u16],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Handshake, HandshakeType, encoded};

    fn stapling() -> Credential {
        Credential {
            chain: vec![CertificateDer::from(vec![0x30, 0])],
            signer: None,
            schemes: Vec::new(),
            ocsp: Some(b"good".to_vec()),
            scts: Some(b"logged".to_vec()),
            compressed: Vec::new(),
        }
    }

    /// A compression that can be read back: the algorithm's number ahead of the body.
    fn marked(credential: &mut Credential, algorithm: u8) {
        let mark = |body: &[u8]| Some([&[algorithm], body].concat());
        credential.add_compressed(algorithm.into(), mark).unwrap();
    }

    fn sent(
        credential: &Credential,
        ocsp: bool,
        scts: bool,
        compression: &[u16],
    ) -> (HandshakeType, Vec<u8>) {
        let shown = credential.shown(WantedForm { ocsp, scts, compression });
        let message = encoded(|w| shown.write(w)).unwrap();
        let message = Handshake::parse_exact(&message).unwrap();
        (message.typ, message.body.to_vec())
    }

    #[test]
    fn every_combination_of_stapled_responses_has_its_own_form() {
        let mut credential = stapling();
        marked(&mut credential, 7);
        assert_eq!(credential.compressed.len(), 4);
        for (ocsp, scts) in [(false, false), (false, true), (true, false), (true, true)] {
            let (typ, plain) = sent(&credential, ocsp, scts, &[]);
            assert_eq!(typ, HandshakeType::CERTIFICATE);
            let (typ, body) = sent(&credential, ocsp, scts, &[7]);
            assert_eq!(typ, HandshakeType::COMPRESSED_CERTIFICATE);
            let parsed = CompressedCertificate::parse(&body).unwrap();
            assert_eq!((parsed.algorithm, usize::try_from(parsed.uncompressed_length)), (7, Ok(plain.len())));
            assert_eq!(parsed.bytes, [&[7], &plain[..]].concat());
        }
    }

    #[test]
    fn what_is_not_there_needs_no_form_of_its_own() {
        let mut credential = Credential { ocsp: None, scts: None, ..stapling() };
        marked(&mut credential, 7);
        assert_eq!(credential.compressed.len(), 1);
        let (typ, _) = sent(&credential, true, true, &[7]);
        assert_eq!(typ, HandshakeType::COMPRESSED_CERTIFICATE, "asked for what there is none of");
    }

    #[test]
    fn our_order_of_algorithms_counts_among_those_of_the_peer() {
        let mut credential = stapling();
        marked(&mut credential, 2);
        marked(&mut credential, 1);
        let algorithm = |offered: &[u16]| {
            let (_, body) = sent(&credential, false, false, offered);
            CompressedCertificate::parse(&body).unwrap().algorithm
        };
        assert_eq!(algorithm(&[1, 2]), 2);
        assert_eq!(algorithm(&[1, 3]), 1);
        assert_eq!(sent(&credential, false, false, &[3]).0, HandshakeType::CERTIFICATE);
    }

    #[test]
    fn a_form_that_is_declined_or_empty_is_not_sent() {
        let mut credential = stapling();
        credential.add_compressed(7, |body| (body.len() > 20).then(|| vec![1])).unwrap();
        assert_eq!(sent(&credential, false, false, &[7]).0, HandshakeType::CERTIFICATE);
        assert_eq!(sent(&credential, true, true, &[7]).0, HandshakeType::COMPRESSED_CERTIFICATE);
        assert!(matches!(credential.add_compressed(8, |_| Some(Vec::new())), Err(Error::Internal(_))));
    }
}
