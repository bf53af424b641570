//! Signed certificate timestamps (RFC 6962 section 3.2): their encoding and what they sign.

use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureAlgorithm};

use crate::certificate::Certificate;
use crate::defaults;
use crate::encode::{element, header};
use crate::extension::Extension;
use crate::oid;
use crate::path::budget::{Exhausted, Remaining};
use crate::reader::{Reader, tag};
use crate::trust::sha256;

use super::log::{Log, LogList};

/// One timestamp, version 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timestamp<'a> {
    log_id: &'a [u8; 32],
    /// Since 1970.
    pub(super) milliseconds: u64,
    extensions: &'a [u8],
    /// HashAlgorithm and SignatureAlgorithm of RFC 5246 section 7.4.1.4.1.
    algorithm: [u8; 2],
    signature: &'a [u8],
}

/// A SignedCertificateTimestampList. Timestamps that cannot be read, of other versions among them, are left out, as
/// section 3.3 has it; a list that is cut off or too long has none.
pub(super) struct Timestamps<'a> {
    rest: &'a [u8],
}

impl<'a> Timestamps<'a> {
    /// Reads a list with its length field.
    pub(super) fn read(list: &'a [u8]) -> Self {
        let whole =
            vector(list).filter(|(_, rest)| rest.is_empty() && list.len() <= defaults::MAX_SCT_LIST_BYTES);
        Self { rest: whole.map_or(&[], |(contents, _)| contents) }
    }
}

impl<'a> Iterator for Timestamps<'a> {
    type Item = Timestamp<'a>;

    fn next(&mut self) -> Option<Timestamp<'a>> {
        while let Some((timestamp, rest)) = vector(self.rest) {
            self.rest = rest;
            if let Some(timestamp) = Timestamp::read(timestamp) {
                return Some(timestamp);
            }
        }
        None
    }
}

/// Splits a vector of at most 2^16 - 1 octets off.
fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

impl<'a> Timestamp<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&0, rest) = bytes.split_first()? else {
            return None;
        };
        let (log_id, rest) = rest.split_first_chunk::<32>()?;
        let (milliseconds, rest) = rest.split_first_chunk::<8>()?;
        let (extensions, rest) = vector(rest)?;
        let (algorithm, rest) = rest.split_first_chunk::<2>()?;
        let (signature, rest) = vector(rest)?;
        rest.is_empty().then_some(Self {
            log_id,
            milliseconds: u64::from_be_bytes(*milliseconds),
            extensions,
            algorithm: *algorithm,
            signature,
        })
    }

    /// The log that it says it is of.
    pub(super) fn log<'l>(&self, logs: &'l LogList) -> Option<&'l Log> {
        logs.find(self.log_id)
    }

    /// Whether the log signed it for this entry (section 3.2).
    pub(super) fn verifies(
        &self,
        log: &Log,
        entry: &Entry<'_>,
        budget: &mut Remaining,
    ) -> Result<bool, Exhausted> {
        // sha256 (4) with ecdsa (3) or rsa (1): section 2.1.4 has no others.
        let algorithm = match (self.algorithm, log.key().key_algorithm()) {
            ([4, 3], KeyAlgorithm::EcdsaP256) => SignatureAlgorithm::Ecdsa(Hash::Sha256),
            ([4, 1], _) if log.key().rsa_bits().is_some() => SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            _ => return Ok(false),
        };
        let Some(message) = self.message(entry) else {
            return Ok(false);
        };
        budget.signature()?;
        Ok(log.key().verify(algorithm, &message, self.signature).is_ok())
    }

    /// The digitally-signed struct: version, signature type, timestamp, entry, extensions.
    fn message(&self, entry: &Entry<'_>) -> Option<Vec<u8>> {
        let mut message = vec![0, 0];
        message.extend_from_slice(&self.milliseconds.to_be_bytes());
        let (kind, certificate): (&[u8], &[u8]) = match entry {
            Entry::Certificate(der) => (&[0, 0], der),
            Entry::Precertificate { tbs, .. } => (&[0, 1], tbs),
        };
        message.extend_from_slice(kind);
        if let Entry::Precertificate { issuer_key_hash, .. } = entry {
            message.extend_from_slice(issuer_key_hash);
        }
        let [0, length @ ..] = u32::try_from(certificate.len()).ok()?.to_be_bytes() else {
            return None;
        };
        message.extend_from_slice(&length);
        message.extend_from_slice(certificate);
        message.extend_from_slice(&u16::try_from(self.extensions.len()).ok()?.to_be_bytes());
        message.extend_from_slice(self.extensions);
        Some(message)
    }
}

/// What was entered into a log.
#[derive(Clone, Debug)]
pub(super) enum Entry<'a> {
    Certificate(&'a [u8]),
    Precertificate { issuer_key_hash: [u8; 32], tbs: Vec<u8> },
}

impl<'a> Entry<'a> {
    /// The certificate as it is: for timestamps that come beside it.
    pub(super) const fn certificate(der: &'a [u8]) -> Self {
        Self::Certificate(der)
    }

    /// The precertificate as it was: for timestamps inside the certificate. Its signed part is the certificate's
    /// without the list of timestamps (section 3.2).
    pub(super) fn precertificate(certificate: &Certificate<'a>, issuer_spki: &[u8]) -> Option<Self> {
        Some(Self::Precertificate {
            issuer_key_hash: sha256(&[issuer_spki]),
            tbs: without_timestamps(certificate.tbs())?,
        })
    }
}

/// A TBSCertificate without the extension that carries timestamps, all lengths around it corrected.
fn without_timestamps(tbs: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Reader::new(tbs, 0).sequence("").ok()?;
    let mut contents = Vec::with_capacity(tbs.len());
    while !fields.is_empty() {
        let field = fields.any().ok()?;
        if field.tag != tag::context_constructed(3) {
            contents.extend_from_slice(field.whole);
            continue;
        }
        let mut extensions = field.reader().sequence("").ok()?;
        let mut kept = Vec::with_capacity(field.value.len());
        while !extensions.is_empty() {
            let mut ahead = extensions;
            let whole = ahead.any().ok()?.whole;
            if Extension::read(&mut extensions).ok()?.oid.0 != oid::EMBEDDED_SCTS {
                kept.extend_from_slice(whole);
            }
        }
        let list = element(tag::SEQUENCE, &kept);
        contents.extend_from_slice(&header(field.tag, list.len()));
        contents.extend_from_slice(&list);
    }
    Some(element(tag::SEQUENCE, &contents))
}
