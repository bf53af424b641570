//! Sessions as bytes: what a ticket seals, a store keeps, a client writes to disk.
//!
//! The first byte is the format's version. What is read may come from anywhere: it is parsed as strictly as a peer's
//! message, and says nothing about whether the session is still good.

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::secret::Secret;
use pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::Session;
use crate::codec::{Reader, Writer};
use crate::defaults;
use crate::error::Error;
use crate::outcome::PeerCertificates;
use crate::suite::{CipherSuite, ProtocolVersion};

/// The format's version: sessions of another are not read.
const FORMAT: u8 = 2;

/// Longest encoded session that is read, bytes: a chain as long as a handshake takes, and the rest.
const MAX_ENCODED: usize = 256 * 1024;

impl Session {
    /// The session as bytes, secret included: keep them as one keeps a private key.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a part does not fit its length field, or all of them the bound that
    /// [`from_bytes`](Self::from_bytes) has.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        // Grown once: a vector that moves leaves the secret behind.
        let mut w = Writer::with_capacity(self.encoded_len_bound());
        w.u8(FORMAT);
        w.u16(self.version.0);
        w.u16(self.suite.0);
        w.vec_u8(self.secret.as_bytes());
        w.vec_u16(&self.ticket);
        w.vec_u8(&self.session_id);
        option(&mut w, self.server_name.as_deref(), |w, name| w.vec_u16(name.as_bytes()));
        option(&mut w, self.alpn.as_deref(), Writer::vec_u8);
        option(&mut w, self.peer.as_ref(), write_peer);
        write_time(&mut w, self.made_at);
        write_time(&mut w, self.lifetime);
        write_time(&mut w, self.verified_at);
        w.u32(self.age_add);
        w.u32(self.max_early_data);
        w.u8(u8::from(self.extended_master_secret));
        w.u8(u8::from(self.resumption_across_names));
        w.bytes(&self.policy);
        option(&mut w, self.expires_at, write_time);
        option(&mut w, self.guard.as_ref(), |w, guard| w.bytes(guard));
        w.vec_u16(&self.context);
        let bytes = Zeroizing::new(w.finish()?);
        if bytes.len() > MAX_ENCODED {
            return Err(Error::TooLong);
        }
        Ok(bytes)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, all of it. Nothing but the form is checked: who loads a session
    /// checks its peer, its name, its policy and its time before it is offered or resumed.
    ///
    /// # Errors
    /// [`Error::Malformed`], also for the bytes of another version of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes, "session");
        if bytes.len() > MAX_ENCODED || r.u8()? != FORMAT {
            return Err(r.malformed());
        }
        let session = Self {
            version: ProtocolVersion(r.u16()?),
            suite: CipherSuite(r.u16()?),
            secret: Secret::new(r.vec_u8()?).map_err(|_| r.malformed())?,
            ticket: r.vec_u16()?.to_vec(),
            session_id: r.vec_u8()?.to_vec(),
            server_name: read_option(&mut r, read_name)?,
            alpn: read_option(&mut r, |r| Ok(r.vec_u8()?.to_vec()))?,
            peer: read_option(&mut r, read_peer)?,
            made_at: read_time(&mut r)?,
            lifetime: read_time(&mut r)?,
            verified_at: read_time(&mut r)?,
            age_add: r.u32()?,
            max_early_data: r.u32()?,
            extended_master_secret: read_bool(&mut r)?,
            resumption_across_names: read_bool(&mut r)?,
            policy: *r.array()?,
            expires_at: read_option(&mut r, read_time)?,
            guard: read_option(&mut r, |r| Ok(*r.array()?))?,
            context: r.vec_u16()?.to_vec(),
        };
        let fits = match session.version {
            ProtocolVersion::TLS1_3 => session.suite.tls13().is_some(),
            ProtocolVersion::TLS1_2 => session.suite.tls12().is_some(),
            _ => false,
        };
        if !fits || session.session_id.len() > 32 || session.ticket.len() > defaults::MAX_TICKET {
            return Err(r.malformed());
        }
        r.finish()?;
        Ok(session)
    }

    /// No less than the encoding will have.
    fn encoded_len_bound(&self) -> usize {
        let peer = self.peer.as_ref().map_or(0, |peer| {
            let chain = peer.chain.iter().map(|der| der.len().saturating_add(3));
            let stapled = [&peer.ocsp, &peer.scts].map(|part| part.as_ref().map_or(0, |part| part.len()));
            chain.chain(stapled).fold(0, usize::saturating_add)
        });
        [
            256,
            peer,
            self.ticket.len(),
            self.context.len(),
            self.server_name.as_ref().map_or(0, String::len),
            self.alpn.as_ref().map_or(0, Vec::len),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

fn option<T>(w: &mut Writer, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
    w.u8(u8::from(value.is_some()));
    if let Some(value) = value {
        write(w, value);
    }
}

fn read_option<'a, T>(
    r: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    Ok(if read_bool(r)? { Some(read(r)?) } else { None })
}

fn read_bool(r: &mut Reader<'_>) -> Result<bool, Error> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(r.malformed()),
    }
}

/// Milliseconds, 8 bytes.
fn write_time(w: &mut Writer, time: Duration) {
    w.bytes(&u64::try_from(time.as_millis()).unwrap_or(u64::MAX).to_be_bytes());
}

fn read_time(r: &mut Reader<'_>) -> Result<Duration, Error> {
    Ok(Duration::from_millis(u64::from_be_bytes(*r.array()?)))
}

fn read_name(r: &mut Reader<'_>) -> Result<String, Error> {
    let name = r.vec_u16()?.to_vec();
    String::from_utf8(name).map_err(|_| r.malformed())
}

fn write_peer(w: &mut Writer, peer: &PeerCertificates) {
    w.block_u24(|w| peer.chain.iter().for_each(|der| w.vec_u24(der)));
    option(w, peer.ocsp.as_deref(), Writer::vec_u24);
    option(w, peer.scts.as_deref(), Writer::vec_u24);
}

fn read_peer(r: &mut Reader<'_>) -> Result<PeerCertificates, Error> {
    let mut certificates = r.reader_u24()?;
    let mut chain = Vec::new();
    while !certificates.is_empty() {
        chain.push(CertificateDer::from(certificates.vec_u24()?.to_vec()));
    }
    if chain.is_empty() {
        return Err(r.malformed());
    }
    Ok(PeerCertificates {
        chain: chain.into(),
        ocsp: read_option(r, |r| Ok(Arc::from(r.vec_u24()?)))?,
        scts: read_option(r, |r| Ok(Arc::from(r.vec_u24()?)))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Session {
        Session {
            version: ProtocolVersion::TLS1_3,
            suite: CipherSuite::TLS_AES_256_GCM_SHA384,
            secret: Secret::new(&[7; 48]).unwrap(),
            ticket: vec![1; 300],
            session_id: vec![2; 32],
            server_name: Some("example.org".into()),
            alpn: Some(b"h2".to_vec()),
            peer: Some(PeerCertificates {
                chain: vec![CertificateDer::from(vec![3; 700]), CertificateDer::from(vec![4; 900])].into(),
                ocsp: Some(vec![5; 400].into()),
                scts: Some(vec![6; 100].into()),
            }),
            made_at: Duration::from_millis(1_700_000_000_123),
            lifetime: Duration::from_secs(3600),
            verified_at: Duration::from_millis(1_600_000_000_456),
            age_add: 0xdead_beef,
            max_early_data: 14_336,
            extended_master_secret: true,
            resumption_across_names: true,
            policy: [8; 32],
            expires_at: Some(Duration::from_secs(1_800_000_000)),
            guard: Some([9; 16]),
            context: b"settings".to_vec(),
        }
    }

    fn least() -> Session {
        Session {
            version: ProtocolVersion::TLS1_2,
            suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            secret: Secret::new(&[7; 48]).unwrap(),
            ticket: Vec::new(),
            session_id: Vec::new(),
            server_name: None,
            alpn: None,
            peer: None,
            expires_at: None,
            guard: None,
            context: Vec::new(),
            extended_master_secret: false,
            resumption_across_names: false,
            ..full()
        }
    }

    #[test]
    fn a_session_comes_back_as_it_went_and_within_its_capacity() {
        for session in [full(), least()] {
            let bytes = session.to_bytes().unwrap();
            assert!(bytes.len() <= session.encoded_len_bound());
            let back = Session::from_bytes(&bytes).unwrap();
            assert_eq!(*back.to_bytes().unwrap(), *bytes);
            assert_eq!(back.peer, session.peer);
            assert_eq!(back.resumption_across_names, session.resumption_across_names);
            assert_eq!(back.made_at, session.made_at);
            assert_eq!(back.secret.as_bytes(), session.secret.as_bytes());
        }
    }

    #[test]
    fn whatever_is_cut_added_or_changed_in_form_is_refused_and_nothing_panics() {
        let bytes = full().to_bytes().unwrap();
        for len in 0..bytes.len() {
            assert!(Session::from_bytes(&bytes[..len]).is_err(), "{len}");
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert!(Session::from_bytes(&longer).is_err());
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x81;
            let _ = Session::from_bytes(&changed);
        }
        let mut newer = bytes.to_vec();
        newer[0] = FORMAT + 1;
        assert!(Session::from_bytes(&newer).is_err());
    }

    #[test]
    fn a_suite_of_another_version_is_refused() {
        let wrong = Session { version: ProtocolVersion::TLS1_2, ..full() };
        assert!(Session::from_bytes(&wrong.to_bytes().unwrap()).is_err());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lengthen_a_session() {
        let session = full();
        let earliest = session.made_at - defaults::MAX_CLOCK_DIFFERENCE;
        assert!(session.is_usable_at(earliest));
        assert!(!session.is_usable_at(earliest - Duration::from_millis(1)));
        assert!(!session.is_usable_at(Duration::ZERO));
    }

    #[test]
    fn a_session_ends_with_its_lifetime_or_its_chain() {
        let session = full();
        let end = session.made_at + session.lifetime;
        assert!(session.is_usable_at(end - Duration::from_millis(1)));
        assert!(!session.is_usable_at(end));
        let week = Duration::from_secs(7 * 24 * 60 * 60);
        let loaded = Session { lifetime: Duration::MAX, expires_at: None, ..full() };
        assert!(!loaded.is_usable_at(loaded.made_at + week), "a lifetime that was read may be anything");
        assert!(loaded.is_usable_at(loaded.made_at + week - Duration::from_millis(1)));
        let session = Session { expires_at: Some(session.made_at + Duration::from_secs(1)), ..session };
        assert!(session.is_usable_at(session.made_at));
        assert!(!session.is_usable_at(session.made_at + Duration::from_secs(1)));
    }
}
