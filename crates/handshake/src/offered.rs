//! What a peer offers, kept whole and printed in short.

use core::fmt;
use core::ops::Deref;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::config::Common;
use crate::suite::{CipherSuite, ProtocolVersion};

/// How many entries are printed.
const SHOWN: usize = 16;

/// How many bytes of a name are printed.
const SHOWN_OF_NAME: usize = 32;

/// What a peer offers. Both its texts show 16 entries and say how many more there are, and 32 bytes of each name: a
/// hello of 64 kB must not become a line of a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Offered<T>(Vec<T>);

impl<T> From<Vec<T>> for Offered<T> {
    fn from(offered: Vec<T>) -> Self {
        Self(offered)
    }
}

impl<T> Deref for Offered<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

macro_rules! texts {
    ($($of:ty, $text:expr;)*) => {$(
        impl fmt::Display for Offered<$of> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                list(f, &self.0, $text)
            }
        }

        impl fmt::Debug for Offered<$of> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "[{self}]")
            }
        }
    )*};
}

texts! {
    ProtocolVersion, |f, version| write!(f, "{version}");
    CipherSuite, |f, suite| write!(f, "{suite}");
    NamedGroup, |f, group| write!(f, "{group}");
    SignatureScheme, |f, scheme| write!(f, "{scheme}");
    Vec<u8>, |f, bytes| name(f, bytes);
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    offered: &[T],
    text: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if offered.is_empty() {
        return f.write_str("nothing");
    }
    for (i, item) in offered.iter().take(SHOWN).enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        text(f, item)?;
    }
    match offered.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// A name of bytes, escaped: it comes from the peer, and a log has lines.
fn name(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    match bytes.get(..SHOWN_OF_NAME) {
        Some(start) if bytes.len() > SHOWN_OF_NAME => {
            write!(f, "{:?} (of {} bytes)", String::from_utf8_lossy(start), bytes.len())
        }
        _ => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
    }
}

/// What a peer offers (or a server chose) and this side does not take, beside what this side takes.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch<T> {
    peer: Offered<T>,
    context: Option<Box<Context>>,
}

/// What could have matched.
#[derive(Clone, PartialEq, Eq)]
struct Context {
    /// All suites of the peer's.
    suites: Vec<CipherSuite>,
    /// Versions that this side speaks, the lowest first.
    versions: Vec<ProtocolVersion>,
    /// Suites that this side takes in them.
    taken: Vec<CipherSuite>,
}

impl<T> Mismatch<T> {
    /// `suites`: the peer's. `common`: what this side is told.
    pub(crate) fn new(peer: Vec<T>, suites: Vec<CipherSuite>, common: &Common) -> Self {
        let versions: Vec<_> = [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3]
            .into_iter()
            .filter(|version| common.speaks(*version))
            .collect();
        let is_spoken = |suite: &&CipherSuite| match suite.tls13() {
            Some(_) => versions.contains(&ProtocolVersion::TLS1_3),
            None => versions.contains(&ProtocolVersion::TLS1_2),
        };
        let taken = common.suites.iter().filter(is_spoken).copied().collect();
        Self { peer: peer.into(), context: Some(Box::new(Context { suites, versions, taken })) }
    }

    /// Versions that would have been taken, the lowest first; empty where the error has nothing to do with them.
    #[must_use]
    pub fn versions(&self) -> &[ProtocolVersion] {
        self.context.as_ref().map_or(&[], |context| &context.versions)
    }

    /// Suites that would have been taken, most preferred first; empty where the error has nothing to do with them.
    #[must_use]
    pub fn suites(&self) -> &[CipherSuite] {
        self.context.as_ref().map_or(&[], |context| &context.taken)
    }
}

impl<T> From<Vec<T>> for Mismatch<T> {
    /// What this side takes goes without saying.
    fn from(peer: Vec<T>) -> Self {
        Self { peer: peer.into(), context: None }
    }
}

impl<T> Deref for Mismatch<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.peer
    }
}

impl<T> fmt::Debug for Mismatch<T>
where
    Offered<T>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.peer, f)
    }
}

impl fmt::Display for Mismatch<ProtocolVersion> {
    /// `TLS 1.0 with CBC suites; this side takes TLS 1.2 with ECDHE AEAD suites and TLS 1.3`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = if self.peer.len() == 1 { "only " } else { "" };
        write!(f, "{only}{}", self.peer)?;
        let Some(context) = &self.context else { return Ok(()) };
        kinds(f, " with ", &context.suites, " suites")?;
        f.write_str("; this side takes ")?;
        for (i, version) in context.versions.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { " and " })?;
            write!(f, "{version}")?;
            if *version == ProtocolVersion::TLS1_2 {
                let suites: Vec<_> = context.taken.iter().filter(|s| s.tls12().is_some()).copied().collect();
                kinds(f, " with ", &suites, " suites")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Mismatch<CipherSuite> {
    /// `only CBC suites (..); this side takes ..`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        kinds(f, "only ", &self.peer.0, " suites: ")?;
        write!(f, "{}", self.peer)?;
        let Some(context) = &self.context else { return Ok(()) };
        f.write_str("; this side takes ")?;
        list(f, &context.taken, |f, suite| write!(f, "{suite}"))
    }
}

/// The kinds of these suites, each once, the first first; nothing if they have none.
fn kinds(f: &mut fmt::Formatter<'_>, before: &str, suites: &[CipherSuite], after: &str) -> fmt::Result {
    // As many as there are, however long the list is.
    let mut kinds: Vec<&'static str> = Vec::new();
    for kind in suites.iter().filter_map(|suite| suite.kind()) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let Some((last, others)) = kinds.split_last() else { return Ok(()) };
    f.write_str(before)?;
    match others {
        [] => f.write_str(last)?,
        others => write!(f, "{} and {last}", others.join(", "))?,
    }
    f.write_str(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults;
    use crate::error::Error;

    #[test]
    fn text_of_a_long_offer_is_short() {
        let error = Error::NoApplicationProtocol { peer: vec![vec![1; 255]; 256].into() };
        let many = Error::NoCommonSuite { peer: vec![CipherSuite(0x0a0a); 32_767].into() };
        for error in [error, many] {
            for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
                assert!(text.len() < 4096, "{}", text.len());
                assert!(text.contains(" more"), "{text}");
            }
        }
    }

    fn taking(min: ProtocolVersion, suites: &[CipherSuite]) -> Common {
        Common {
            min_version: min,
            max_version: ProtocolVersion::TLS1_3,
            suites: suites.to_vec(),
            ..Common::default()
        }
    }

    #[test]
    fn a_mismatch_says_what_the_peer_offers_and_what_would_have_worked() {
        let both = taking(ProtocolVersion::TLS1_2, defaults::SUITES_TLS12);
        let cbc = [0x002f, 0xc013, 0x000a, 0x00ff].map(CipherSuite).to_vec();
        let error =
            Error::NoCommonVersion { peer: Mismatch::new(vec![ProtocolVersion::TLS1_0], cbc.clone(), &both) };
        assert_eq!(
            error.to_string(),
            "no protocol version in common: the peer offers only TLS 1.0 with CBC suites; \
             this side takes TLS 1.2 with ECDHE AEAD suites and TLS 1.3"
        );
        let newest = taking(ProtocolVersion::TLS1_3, defaults::SUITES);
        let versions = vec![ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_1];
        let mixed = [0xc02f, 0x0005, 0x009c].map(CipherSuite).to_vec();
        let error = Error::NoCommonVersion { peer: Mismatch::new(versions, mixed, &newest) };
        assert_eq!(
            error.to_string(),
            "no protocol version in common: the peer offers TLS 1.2, TLS 1.1 with \
             ECDHE AEAD, RC4 and static RSA AEAD suites; this side takes TLS 1.3"
        );
        let narrow = taking(ProtocolVersion::TLS1_2, &[CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]);
        let peer = Mismatch::new(vec![CipherSuite(0xc013)], Vec::new(), &narrow);
        assert_eq!(peer.versions(), [ProtocolVersion::TLS1_2]);
        assert_eq!(peer.suites(), [CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]);
        assert_eq!(
            Error::NoCommonSuite { peer }.to_string(),
            "no cipher suite in common: the peer offers only CBC suites: suite 0xc013; \
             this side takes TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        );
        let chosen = Error::NoCommonVersion { peer: vec![ProtocolVersion::TLS1_1].into() };
        assert!(chosen.to_string().ends_with("the peer offers only TLS 1.1"), "{chosen}");
    }

    #[test]
    fn short_offer_is_shown_whole() {
        let error = Error::NoApplicationProtocol { peer: vec![b"h2".to_vec(), b"a\nb".to_vec()].into() };
        assert!(error.to_string().ends_with("the peer offers \"h2\", \"a\\nb\""), "{error}");
        assert_eq!(format!("{:?}", Offered::<Vec<u8>>::from(Vec::new())), "[nothing]");
        let groups = Offered::from(vec![NamedGroup::X25519; 16]);
        assert!(!groups.to_string().contains("more"));
        assert_eq!(
            Offered::from(vec![b"x".repeat(33)]).to_string(),
            format!("{:?} (of 33 bytes)", "x".repeat(32))
        );
    }
}
