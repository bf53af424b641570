//! A CRL held for lookups: owned, checked once, indexed by serial number.

use core::fmt;
use core::ops::Range;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use oxtls_crypto::signature::PublicKey;
use pki_types::UnixTime;

use crate::algorithm::CertificateSignature;
use crate::name::{GeneralNames, Name};
use crate::path::budget::{Exhausted, Remaining};
use crate::policy::{Budget, Policy};
use crate::reader::{ParseError, Reader, at};
use crate::rules::Rule;
use crate::spki::KeyKind;
use crate::time;
use crate::trust::sha256;

use super::Reason;
use super::crl::{Entry, List};
use super::scope::any_directory;

/// A CRL (RFC 5280 section 5): parsed strictly once, owned, and indexed so that one of a million entries is found in
/// about a microsecond.
///
/// A CRL that this type accepts has the right form; whether it may be believed (issuer, signature, scope, freshness) is
/// decided for each certificate by the [`Verifier`](crate::Verifier). It holds its encoding and 8 octets for each
/// entry. Its signature is verified when a path first needs it, and the verdict kept with the key that gave it.
pub struct Crl {
    der: Box<[u8]>,
    /// Hash of the serial number and offset of the entry, in order of the hashes.
    index: Box<[(u32, u32)]>,
    /// Of an indirect CRL: from which offset on entries are of which issuers, as a range of the encoding.
    issuers: Box<[IssuedFrom]>,
    /// The contents of the issuer's name.
    issuer: Range<usize>,
    /// Keyed: nobody can make serial numbers that collide.
    hasher: RandomState,
    digest: [u8; 32],
    verdicts: [OnceLock<(Box<[u8]>, bool)>; KEYS],
}

/// Keys whose verdict on a CRL's signature is kept. A CA has one, and one more while it changes keys.
const KEYS: usize = 4;

/// From `entry` on, entries are of certificates of the issuers named between `names` and `end`.
#[derive(Clone, Copy, Debug)]
struct IssuedFrom {
    entry: u32,
    names: u32,
    end: u32,
}

/// What a CRL says of a certificate that is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// Since when, in seconds since 1970.
    pub since: i64,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Revoked {
    /// `since 2026-11-30 12:00:00 UTC, its key was compromised`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "since {}, {}", time::display(self.since), self.reason)
    }
}

impl Crl {
    /// Takes a DER CRL. Costs about 0.3 seconds for a million entries.
    ///
    /// # Errors
    /// [`ParseError`] names the rule broken and the offset in octets: a malformed CRL, one without nextUpdate or
    /// cRLNumber (RFC 5280 sections 5.1.2.5 and 5.2.3), one with a critical extension that is not understood, or one
    /// longer than [`MAX_CRL_BYTES`](crate::defaults::MAX_CRL_BYTES).
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, ParseError> {
        let der = der.into().into_boxed_slice();
        let hasher = RandomState::new();
        let list = List::read(&der)?;
        let (index, issuers) = index(&list, &hasher)?;
        let start = usize::try_from(list.issuer_offset).map_err(|_| at(0, "too long"))?;
        let issuer = start..start.saturating_add(list.issuer.contents().len());
        let digest = sha256(&[&der]);
        Ok(Self { digest, index, issuers, issuer, hasher, verdicts: Default::default(), der })
    }

    /// The parsed head. It was parsed before, so this cannot fail; it reads a few hundred octets.
    pub(super) fn list(&self) -> Option<List<'_>> {
        List::read(&self.der).ok()
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> Name<'_> {
        Name::trusted(self.der.get(self.issuer.clone()).unwrap_or(&[]))
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        unix(self.list().map_or(0, |list| list.this_update))
    }

    /// Until when it may be used.
    #[must_use]
    pub fn next_update(&self) -> UnixTime {
        unix(self.list().map_or(0, |list| list.next_update))
    }

    /// cRLNumber, big-endian without leading zeros: empty for 0.
    #[must_use]
    pub fn number(&self) -> &[u8] {
        self.list().map_or(&[], |list| list.extensions.number)
    }

    /// Whether it says only what changed since another one (RFC 5280 section 5.2.4).
    #[must_use]
    pub fn is_delta(&self) -> bool {
        self.list().is_some_and(|list| list.extensions.base.is_some())
    }

    /// Whether it may list certificates of other issuers (RFC 5280 section 5.2.5).
    #[must_use]
    pub fn is_indirect(&self) -> bool {
        self.list().is_some_and(|list| list.is_indirect())
    }

    /// How many certificates are on it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no certificate is on it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// SHA-256 of its encoding.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The entry of a serial number (content octets of the INTEGER) among the certificates of the CRL's own issuer.
    /// This is a lookup, no verdict.
    #[must_use]
    pub fn entry(&self, serial: &[u8]) -> Option<Revoked> {
        let mut unlimited = Remaining::new(Budget { name_comparisons: u32::MAX, ..Budget::default() });
        self.find(serial, self.issuer(), &mut unlimited).ok().flatten()
    }

    /// The entry of a certificate by serial number and issuer. If there are several, one that revokes is preferred.
    pub(super) fn find(
        &self,
        serial: &[u8],
        issuer: Name<'_>,
        budget: &mut Remaining,
    ) -> Result<Option<Revoked>, Exhausted> {
        let wanted = short_hash(&self.hasher, serial);
        let first = self.index.partition_point(|&(hash, _)| hash < wanted);
        let mut found = None;
        for &(hash, offset) in self.index.get(first..).unwrap_or(&[]) {
            if hash != wanted {
                break;
            }
            let Some(entry) = self.entry_at(offset).filter(|entry| entry.serial == serial) else {
                continue;
            };
            if !self.is_of(offset, issuer, budget)? {
                continue;
            }
            if found.is_none() || entry.reason != Reason::RemoveFromCrl {
                found = Some(Revoked { since: entry.since, reason: entry.reason });
            }
        }
        Ok(found)
    }

    fn entry_at(&self, offset: u32) -> Option<Entry<'_>> {
        let start = usize::try_from(offset).ok()?;
        Entry::read(&mut Reader::new(self.der.get(start..)?, offset)).ok()
    }

    /// Whether the entry at `offset` is of a certificate of this issuer (RFC 5280 section 5.3.3).
    fn is_of(&self, offset: u32, issuer: Name<'_>, budget: &mut Remaining) -> Result<bool, Exhausted> {
        let after = self.issuers.partition_point(|from| from.entry <= offset);
        match after.checked_sub(1).and_then(|place| self.issuers.get(place)) {
            None => {
                budget.name_comparison(issuer.contents().len())?;
                Ok(self.issuer() == issuer)
            }
            Some(from) => {
                let (names, end) = (usize::try_from(from.names), usize::try_from(from.end));
                let names = names.ok().zip(end.ok()).and_then(|(names, end)| self.der.get(names..end));
                any_directory(GeneralNames::trusted(names.unwrap_or(&[])), issuer, budget)
            }
        }
    }

    /// Whether the signature is this key's. Verified once for each of the first few keys, then remembered: hashing a
    /// large CRL takes longer than all the rest.
    pub(super) fn is_signed_by(&self, spki: &[u8], budget: &mut Remaining) -> Result<bool, Exhausted> {
        for slot in &self.verdicts {
            match slot.get() {
                Some((key, verdict)) if **key == *spki => return Ok(*verdict),
                Some(_) => {}
                None => {
                    let verdict = self.verify(spki, budget)?;
                    // Another thread may have been faster, with whatever key: the verdict stands all the same.
                    let _ = slot.set((spki.into(), verdict));
                    return Ok(verdict);
                }
            }
        }
        self.verify(spki, budget)
    }

    fn verify(&self, spki: &[u8], budget: &mut Remaining) -> Result<bool, Exhausted> {
        let Some(list) = self.list() else {
            return Ok(false);
        };
        signature(spki, list.algorithm, list.tbs, list.signature, budget)
    }
}

/// Whether a signature over `message` is by this key, and key and algorithm are good enough for it to count.
pub(crate) fn signature(
    spki: &[u8],
    algorithm: CertificateSignature<'_>,
    message: &[u8],
    signature: &[u8],
    budget: &mut Remaining,
) -> Result<bool, Exhausted> {
    let CertificateSignature::Known(algorithm) = algorithm else {
        return Ok(false);
    };
    if !KeyKind::read(spki).is_ok_and(|kind| kind.broken_rule().is_none()) {
        return Ok(false);
    }
    budget.signature()?;
    Ok(PublicKey::from_spki(spki).is_ok_and(|key| key.verify(algorithm, message, signature).is_ok()))
}

/// Whether the policy has such a signature, and such a key to make it, in a path: what is said of the path's certificates
/// must not be easier to forge than they are.
pub(super) fn is_allowed(policy: &Policy, algorithm: CertificateSignature<'_>, spki: &[u8]) -> bool {
    policy.allowed_algorithms().is_none_or(|allowed| {
        let signs = matches!(algorithm, CertificateSignature::Known(a) if allowed.signatures.contains(&a));
        signs && allowed.broken_by(spki).is_none()
    })
}

/// Times before 1970 are shown as 1970.
fn unix(seconds: i64) -> UnixTime {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    UnixTime::since_unix_epoch(core::time::Duration::from_secs(seconds))
}

type Index = (Box<[(u32, u32)]>, Box<[IssuedFrom]>);

/// Reads every entry once.
fn index(list: &List<'_>, hasher: &RandomState) -> Result<Index, ParseError> {
    let mut index = Vec::new();
    let mut issuers = Vec::new();
    let mut entries = list.entries;
    while !entries.is_empty() {
        let offset = entries.offset();
        let entry = Entry::read(&mut entries)?;
        index.push((short_hash(hasher, entry.serial), offset));
        if let Some(names) = entry.issuer {
            if !list.is_indirect() {
                let what = "an entry is of another issuer, but the CRL is not indirect";
                return Err(ParseError { rule: Rule::CrlForm, offset: names.start, what });
            }
            let length = u32::try_from(names.value.len()).map_err(|_| at(names.start, "too long"))?;
            let end = names.value_start.saturating_add(length);
            issuers.push(IssuedFrom { entry: offset, names: names.value_start, end });
        }
    }
    index.sort_unstable();
    Ok((index.into_boxed_slice(), issuers.into_boxed_slice()))
}

/// 32 bits are enough: serial numbers are compared, and a million of them make a hundred needless comparisons in all.
fn short_hash(hasher: &RandomState, serial: &[u8]) -> u32 {
    let [a, b, c, d, ..] = hasher.hash_one(serial).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({}, {} entries)", crate::report::shown(self.issuer()), self.len())
    }
}
