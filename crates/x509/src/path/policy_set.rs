//! A set of policies, owned; small ones without an allocation of their own.

use std::sync::Arc;

use crate::encode::element;
use crate::oid::Oid;
use crate::reader::{Parsed, Reader, tag};

/// Identifiers, sorted by their encodings, each once.
#[derive(Clone, Default)]
pub(crate) struct PolicySet(Octets);

/// Identifiers one after the other, each behind its length: an octet below 128, or four with the top bit set.
#[derive(Clone)]
enum Octets {
    Few { length: u8, octets: [u8; Octets::ROOM] },
    Many(Arc<[u8]>),
}

impl Octets {
    /// Enough for two policies of the CA/Browser Forum and one of the CA's own.
    const ROOM: usize = 30;

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Few { length, octets } => octets.get(..usize::from(*length)).unwrap_or(&[]),
            Self::Many(octets) => octets,
        }
    }

    fn concatenate(parts: &[&[u8]]) -> Self {
        let mut room = [0; Self::ROOM];
        let mut used = 0usize;
        for part in parts {
            let header = Header::of(part);
            let body = header.octets().iter().chain(part.iter());
            let places = room.get_mut(used..).unwrap_or(&mut []);
            places.iter_mut().zip(body).for_each(|(place, octet)| *place = *octet);
            used = used.saturating_add(header.octets().len()).saturating_add(part.len());
        }
        match u8::try_from(used) {
            Ok(length) if used <= Self::ROOM => Self::Few { length, octets: room },
            _ => {
                Self::Many(parts.iter().flat_map(|part| [Header::of(part).octets(), part].concat()).collect())
            }
        }
    }
}

impl Default for Octets {
    fn default() -> Self {
        Self::Few { length: 0, octets: [0; Self::ROOM] }
    }
}

/// The length before an identifier.
struct Header {
    octets: [u8; 4],
    long: bool,
}

impl Header {
    /// Identifiers are shorter than certificates, so that 31 bits are enough.
    fn of(part: &[u8]) -> Self {
        let length = u32::try_from(part.len()).unwrap_or(0) & !(1 << 31);
        let long = length > 0x7f;
        Self { octets: (if long { length | 1 << 31 } else { length << 24 }).to_be_bytes(), long }
    }

    fn octets(&self) -> &[u8] {
        self.octets.get(..if self.long { 4 } else { 1 }).unwrap_or(&[])
    }
}

impl PolicySet {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    /// SEQUENCE OF OBJECT IDENTIFIER.
    pub(crate) fn to_der(&self) -> Vec<u8> {
        let identifiers = self.iter().map(|policy| element(tag::OBJECT_IDENTIFIER, policy.0));
        element(tag::SEQUENCE, &identifiers.collect::<Vec<_>>().concat())
    }

    /// Reads what [`to_der`](Self::to_der) wrote: nothing else, and nothing in another order.
    pub(crate) fn from_der(der: &[u8]) -> Parsed<Self> {
        let mut reader = Reader::new(der, 0);
        let mut identifiers = reader.sequence("SEQUENCE OF policies expected")?;
        reader.end("bytes after the policies")?;
        let mut collected = Collected::default();
        let mut last: &[u8] = &[];
        while !identifiers.is_empty() {
            let at = identifiers;
            let policy = identifiers.oid()?;
            if policy <= last {
                return Err(at.error("policies are in order, each once"));
            }
            last = policy;
            collected.push(policy);
        }
        Ok(collected.into_set())
    }

    /// The policies, in the order of their encodings.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Oid<'_>> {
        let mut rest = self.0.as_slice();
        core::iter::from_fn(move || {
            let (length, behind) = match *rest {
                [short @ 0..=0x7f, ref behind @ ..] => (u32::from(short), behind),
                [a, b, c, d, ref behind @ ..] => (u32::from_be_bytes([a & 0x7f, b, c, d]), behind),
                _ => return None,
            };
            let (policy, behind) = behind.split_at_checked(usize::try_from(length).ok()?)?;
            rest = behind;
            Some(Oid(policy))
        })
    }
}

impl PartialEq for PolicySet {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice() == other.0.as_slice()
    }
}

impl Eq for PolicySet {}

/// Policies on their way into a set; a few need no allocation.
#[derive(Default)]
pub(super) struct Collected<'p> {
    few: [&'p [u8]; Collected::ROOM],
    count: usize,
    more: Vec<&'p [u8]>,
}

impl<'p> Collected<'p> {
    const ROOM: usize = 12;

    pub(super) fn push(&mut self, policy: &'p [u8]) {
        match self.few.get_mut(self.count) {
            Some(place) => {
                *place = policy;
                self.count = self.count.saturating_add(1);
            }
            None => self.more.push(policy),
        }
    }

    pub(super) fn into_set(mut self) -> PolicySet {
        let few = self.few.get_mut(..self.count).unwrap_or(&mut []);
        if self.more.is_empty() {
            few.sort_unstable();
            let mut kept = [&[][..]; Self::ROOM];
            let mut count = 0usize;
            for group in few.chunk_by(|a, b| a == b) {
                if let (Some(place), Some(policy)) = (kept.get_mut(count), group.first()) {
                    *place = policy;
                    count = count.saturating_add(1);
                }
            }
            return PolicySet(Octets::concatenate(kept.get(..count).unwrap_or(&[])));
        }
        self.more.extend_from_slice(few);
        self.more.sort_unstable();
        self.more.dedup();
        PolicySet(Octets::concatenate(&self.more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_set_writes_is_not_read() {
        for der in [
            &[][..],
            &[0x30],
            &[0x31, 0],
            &[0x30, 0, 0],
            &[0x30, 2, 6, 0],
            &[0x30, 3, 5, 1, 1],
            &[0x30, 3, 6, 1, 0x81],
            &[0x30, 6, 6, 1, 2, 6, 1, 2],
            &[0x30, 6, 6, 1, 2, 6, 1, 1],
        ] {
            assert!(PolicySet::from_der(der).is_err(), "{der:?}");
        }
        assert!(PolicySet::from_der(&[0x30, 0]).is_ok_and(|set| set.is_empty()));
    }

    #[test]
    fn sets_hold_what_was_collected_sorted_and_once() {
        let long = vec![7u8; 300];
        let singles: Vec<u8> = (0..40).collect();
        let edge = [vec![1u8; 127], vec![1u8; 128]];
        for parts in [
            vec![],
            vec![&b"b"[..], b"a", b"b"],
            vec![&long[..], b"a"],
            vec![&edge[0][..], &edge[1], b"\xff"],
            vec![&[9u8; 29][..]],
            vec![&[9u8; 30][..]],
            singles.iter().rev().flat_map(|octet| [core::slice::from_ref(octet); 2]).collect(),
        ] {
            let mut collected = Collected::default();
            parts.iter().for_each(|part| collected.push(part));
            let set = collected.into_set();
            let mut expected = parts.clone();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(set.iter().map(|oid| oid.0).collect::<Vec<_>>(), expected);
            assert_eq!(set.is_empty(), expected.is_empty());
            if expected.iter().all(|part| {
                part.iter().all(|octet| *octet != 0x80) && part.last().is_none_or(|octet| *octet < 0x80)
            }) {
                assert!(PolicySet::from_der(&set.to_der()).is_ok_and(|again| again == set));
            }
        }
    }
}
