//! Certificate (RFC 9846 section 4.5.1): the sender's chain, leaf first.

use std::sync::Arc;

use pki_types::CertificateDer;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{
    self, Context, ExtensionType, OfferedSet, signed_certificate_timestamp, status_request,
};
use crate::message::{HandshakeType, message};
use crate::outcome::PeerCertificates;

/// A received Certificate; the chain is copied, since it outlives the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// Empty during the handshake, which is the receiver's to check.
    pub context: &'a [u8],
    /// What the peer sent; `None` for an empty list.
    pub peer: Option<PeerCertificates>,
}

/// The leaf's extensions; those of other certificates are judged and dropped.
#[derive(Default)]
struct EntryExtensions<'a> {
    ocsp: Option<&'a [u8]>,
    scts: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    /// Reads the body. `offered` is what was sent in the ClientHello or CertificateRequest that this answers;
    /// a chain of over `max_chain` certificates is refused.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`extension::read`]'s; [`Error::IllegalParameter`] if there are too many certificates.
    pub fn parse(body: &'a [u8], offered: OfferedSet, max_chain: usize) -> Result<Self, Error> {
        let mut r = Reader::new(body, "Certificate");
        let context = r.vec_u8()?;
        let mut list = r.reader_u24()?;
        r.finish()?;
        let mut entries = list;
        let (mut count, mut leaf) = (0_usize, EntryExtensions::default());
        while !list.is_empty() {
            if count >= max_chain {
                return Err(Error::IllegalParameter { what: "a chain of more certificates than we take" });
            }
            let (_, extensions) = read_entry(&mut list, offered)?;
            if count == 0 {
                leaf = extensions;
            }
            count = count.saturating_add(1);
        }
        // Now that all of it has been read it is known how many there are: they are copied into one allocation.
        let peer = (count > 0).then(|| PeerCertificates {
            chain: (0..count).map(|_| copy_entry(&mut entries)).collect(),
            ocsp: leaf.ocsp.map(Arc::from),
            scts: leaf.scts.map(Arc::from),
        });
        Ok(Self { context, peer })
    }
}

fn read_entry<'a>(
    list: &mut Reader<'a>,
    offered: OfferedSet,
) -> Result<(&'a [u8], EntryExtensions<'a>), Error> {
    let certificate = list.vec_u24()?;
    if certificate.is_empty() {
        return Err(list.malformed());
    }
    let mut extensions = EntryExtensions::default();
    extension::read(list, Context::Certificate, offered, |typ, r| {
        match typ {
            ExtensionType::STATUS_REQUEST => extensions.ocsp = Some(status_request::parse_response(r)?),
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => {
                extensions.scts = Some(signed_certificate_timestamp::parse_response(r)?);
            }
            _ => {
                r.rest();
            }
        }
        Ok(())
    })?;
    Ok((certificate, extensions))
}

/// The certificate of an entry that was read before.
fn copy_entry(list: &mut Reader<'_>) -> CertificateDer<'static> {
    let certificate = list.vec_u24().unwrap_or_default();
    let _extensions = list.vec_u16();
    CertificateDer::from(certificate.to_vec())
}

/// A Certificate to send; an empty chain says that there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewCertificate<'a> {
    /// The context of the CertificateRequest that this answers; empty during the handshake.
    pub context: &'a [u8],
    /// The chain, leaf first.
    pub chain: &'a [CertificateDer<'a>],
    /// OCSP response of the leaf, when the peer asked for it.
    pub ocsp: Option<&'a [u8]>,
    /// SCT list of the leaf, encoded, when the peer asked for it.
    pub scts: Option<&'a [u8]>,
}

impl NewCertificate<'_> {
    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if something outgrows its length field.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut w = Writer::with_capacity(self.len());
        self.write(&mut w);
        w.finish()
    }

    /// About as many bytes as the message has, and no fewer.
    pub(crate) fn len(&self) -> usize {
        // Lengths: of the message, its context and its list; of a certificate and its extensions; of a response.
        let stapled = self.ocsp.map_or(0, <[u8]>::len).saturating_add(self.scts.map_or(0, <[u8]>::len));
        let chain = self.chain.iter().map(|certificate| certificate.len().saturating_add(5));
        let fixed = self.context.len().saturating_add(8 + 16).saturating_add(stapled);
        chain.fold(fixed, usize::saturating_add)
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::CERTIFICATE, |w| {
            w.vec_u8(self.context);
            w.block_u24(|w| {
                for (i, certificate) in self.chain.iter().enumerate() {
                    w.vec_u24(certificate);
                    w.block_u16(|w| {
                        if i == 0 {
                            self.write_leaf_extensions(w);
                        }
                    });
                }
            });
        });
    }

    fn write_leaf_extensions(&self, w: &mut Writer) {
        if let Some(response) = self.ocsp {
            status_request::write_response(w, response);
        }
        if let Some(scts) = self.scts {
            signed_certificate_timestamp::write_response(w, scts);
        }
    }
}
