//! Tickets under the key that a test gives: the runner opens them, changes what a session says of itself and sees whether
//! the server minds. What a user does who seals sessions in a form of his own.
//!
//! The form is the suite's own, as far as the runner looks: the name of the key, an IV, a SEQUENCE under AES-128-CBC, an
//! HMAC. The SEQUENCE has a number, the version, the suite, and here the library's bytes of the session.

use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use oxtls::crypto::hash::Hash;
use oxtls::crypto::hmac;
use oxtls::handshake::need::{Answer, FindSession, SealTicket, SessionOffer};
use oxtls::handshake::session::{Psk, Session};
use oxtls::{CipherSuite, ProtocolVersion};

/// Bytes of the key's name, of each of its two parts, and of an IV.
const PART: usize = 16;
const TAG: usize = 32;

/// A key of 48 bytes: name, HMAC, AES.
#[derive(Clone, Copy)]
pub(crate) struct TicketKey<'a> {
    name: &'a [u8; PART],
    mac: &'a [u8; PART],
    encryption: &'a [u8; PART],
}

impl<'a> TicketKey<'a> {
    /// `None` for one of another length.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        match bytes.as_chunks().0 {
            [name, mac, encryption] if bytes.len() == 3 * PART => Some(Self { name, mac, encryption }),
            _ => None,
        }
    }

    /// Looks for a session among the offers.
    pub(crate) fn find(self, need: FindSession) -> Answer {
        let found = need.offers().enumerate().find_map(|(at, offer)| {
            let (SessionOffer::PskIdentity { identity: ticket, .. } | SessionOffer::Ticket(ticket)) = offer
            else {
                return None;
            };
            Some((at, self.open(ticket)?))
        });
        match found {
            Some((at, session)) => need.found(at, Psk::Session(Box::new(session))),
            None => need.none(),
        }
    }

    /// The ticket of TLS 1.2.
    pub(crate) fn answer(self, need: SealTicket) -> Answer {
        let ticket = self.seal(&need.session);
        need.answer(ticket)
    }

    /// A ticket for this session.
    pub(crate) fn seal(self, session: &Session) -> Option<Vec<u8>> {
        let fields = [
            element(2, &[1]),
            element(2, &session.version.0.to_be_bytes()),
            element(4, &session.suite.0.to_be_bytes()),
            element(4, &session.to_bytes().ok()?),
        ];
        let mut sealed = element(0x30, &fields.concat());
        let key = UnboundCipherKey::new(&AES_128, self.encryption).ok()?;
        let context = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?.encrypt(&mut sealed).ok()?;
        let DecryptionContext::Iv128(iv) = context else { return None };
        let mut ticket = [&self.name[..], iv.as_ref(), &sealed].concat();
        let tag = hmac::hmac(Hash::Sha256, self.mac, &[&ticket]);
        ticket.extend_from_slice(tag.as_bytes());
        Some(ticket)
    }

    /// The session of a ticket, of the version and the suite that the ticket says.
    fn open(self, ticket: &[u8]) -> Option<Session> {
        let (covered, tag) = ticket.split_at_checked(ticket.len().checked_sub(TAG)?)?;
        hmac::verify(Hash::Sha256, self.mac, &[covered], tag).ok()?;
        let (iv, sealed) = covered.strip_prefix(self.name)?.split_first_chunk::<PART>()?;
        let mut sealed = sealed.to_vec();
        let key = UnboundCipherKey::new(&AES_128, self.encryption).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let opened = key.decrypt(&mut sealed, DecryptionContext::Iv128(FixedLength::from(iv))).ok()?;
        let (fields, _) = content(opened)?;
        let (_, rest) = content(fields)?;
        let (version, rest) = content(rest)?;
        let (suite, rest) = content(rest)?;
        let mut session = Session::from_bytes(content(rest)?.0).ok()?;
        session.version = ProtocolVersion(u16::from_be_bytes(version.try_into().ok()?));
        session.suite = CipherSuite(u16::from_be_bytes(suite.try_into().ok()?));
        Some(session)
    }
}

/// An element of DER, whose length takes a byte where that is enough, as it must.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = match length.iter().position(|byte| *byte != 0) {
        Some(7) if content.len() < 0x80 => vec![length[7]],
        Some(first) => {
            let bytes = length.get(first..).unwrap_or_default();
            [&[0x80 | u8::try_from(bytes.len()).unwrap_or_default()], bytes].concat()
        }
        None => vec![0],
    };
    [&[tag], &length[..], content].concat()
}

/// What an element has inside, and what is behind it.
fn content(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[_, first], rest) = der.split_first_chunk()?;
    let (length, rest) = match first {
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        short if short < 0x80 => (usize::from(short), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_any_length_is_read_as_it_was_written() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let inner = vec![7; length];
            let outer = [element(4, &inner), b"rest".to_vec()].concat();
            assert_eq!(content(&outer), Some((&inner[..], &b"rest"[..])), "{length}");
        }
        assert_eq!(content(&[4, 5, 1]), None);
    }

    #[test]
    fn a_key_has_three_parts() {
        assert!(TicketKey::new(&[0; 48]).is_some());
        assert!(TicketKey::new(&[0; 47]).is_none() && TicketKey::new(&[0; 49]).is_none());
    }
}
