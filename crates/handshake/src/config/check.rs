//! Nonsense in a configuration is refused before a byte is sent.

use core::fmt;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::config::{ClientHandshake, Common, KeyShares, Randomness, ServerHandshake};
use crate::extension::record_size_limit;
use crate::extension::server_name::is_host_name;
use crate::step::Transport;
use crate::suite::{CipherSuite, ProtocolVersion};

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// `min_version` is above `max_version`.
    EmptyVersionRange,
    /// The range has a version that is not spoken.
    UnsupportedVersion(ProtocolVersion),
    /// No cipher suite, or none for the versions of the range.
    NoSuites,
    /// A suite that this library does not have.
    UnsupportedSuite(CipherSuite),
    /// No key exchange group.
    NoGroups,
    /// A group that this library does not have.
    UnsupportedGroup(NamedGroup),
    /// A key share whose group is not among the groups, or not in their order, or there twice.
    KeyShareNotAmongGroups(NamedGroup),
    /// No signature scheme that a version of the range can use in its handshake: no peer could prove who it is.
    NoSignatureSchemes,
    /// A signature scheme that this library does not verify.
    UnsupportedSignatureScheme(SignatureScheme),
    /// The same entry twice in a list; says in which.
    Duplicate(&'static str),
    /// Not a DNS name as server_name carries it: ASCII, no trailing dot, no address (RFC 6066 section 3).
    BadServerName(String),
    /// An application protocol that is empty or longer than 255 bytes, or a list too long (RFC 7301 section 3.1).
    BadApplicationProtocol,
    /// QUIC without an application protocol (RFC 9001 section 8.1).
    QuicNeedsApplicationProtocol,
    /// A limit outside its range; says which.
    OutOfRange(&'static str),
    /// The distinguished names of authorities are empty or too long (RFC 9846 section 4.3.4).
    BadAuthorities,
    /// The configured lists, and the session's ticket, do not fit into one ClientHello.
    HelloTooLong,
    /// Sessions without extended_master_secret are to be resumed where connections without it are refused.
    UnboundSessionsOfRefusedPeers,
    /// A client's session that is a key agreed elsewhere: it has no identity to be offered by.
    ExternalPsk,
    /// The cryptographic library could give no randomness or make no key.
    Crypto(oxtls_crypto::Error),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyVersionRange => f.write_str("the lowest version is above the highest"),
            Self::UnsupportedVersion(version) => {
                write!(f, "{version} is not spoken: only TLS 1.2 and TLS 1.3 are")
            },
            Self::NoSuites => f.write_str("no cipher suite is configured for the versions to be spoken"),
            Self::UnsupportedSuite(suite) => write!(f, "{suite} is not among the suites of this library"),
            Self::NoGroups => f.write_str("no key exchange group is configured"),
            Self::UnsupportedGroup(group) => write!(f, "{group} is not among the groups of this library"),
            Self::KeyShareNotAmongGroups(group) => write!(
                f,
                "a key share of {group} is configured, which is not among the groups, repeated or out of their order"
            ),
            Self::NoSignatureSchemes => f.write_str(
                "no signature scheme is configured that a peer could sign its handshake with in the versions to be spoken",
            ),
            Self::UnsupportedSignatureScheme(scheme) => {
                write!(f, "signature scheme {scheme} is not among those this library verifies")
            }
            Self::Duplicate(list) => write!(f, "{list}: an entry is there twice"),
            Self::BadServerName(name) => write!(
                f,
                "{name:?} is no DNS name as server_name carries it: ASCII (punycode), no trailing dot, no address"
            ),
            Self::BadApplicationProtocol => {
                f.write_str("an application protocol has 1 to 255 bytes, and the whole list less than 65,536")
            }
            Self::QuicNeedsApplicationProtocol => {
                f.write_str("QUIC needs an application protocol (RFC 9001 section 8.1)")
            }
            Self::OutOfRange(what) => write!(f, "{what} is out of range"),
            Self::BadAuthorities => {
                f.write_str("an authority's name has 1 to 65,535 bytes, and the whole list less than 65,536")
            }
            Self::HelloTooLong => {
                f.write_str("the configured lists and the session's ticket do not fit into one ClientHello")
            }
            Self::UnboundSessionsOfRefusedPeers => f.write_str(
                "sessions without extended_master_secret can only be resumed where peers without it are not refused",
            ),
            Self::ExternalPsk => f.write_str("a client can only offer a session, no pre-shared key of another origin"),
            Self::Crypto(error) => write!(f, "the cryptographic library failed: {error}"),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Crypto(error) => Some(error),
            _ => None,
        }
    }
}

/// The smallest `max_message` that makes sense, bytes: below it no certificate fits.
const MIN_MAX_MESSAGE: u32 = 1024;

/// The range of record_size_limit: RFC 8449 section 4, TLS 1.3's limit counts the content type.
const RECORD_SIZE_LIMIT: core::ops::RangeInclusive<u16> = record_size_limit::MIN..=record_size_limit::MAX;

impl Common {
    /// Refuses what no handshake could be made with. Machines check it when they are made; check it yourself to
    /// learn of a mistake when a configuration is built.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_versions()?;
        self.check_suites()?;
        check_groups(&self.groups)?;
        check_schemes(&self.verify_schemes)?;
        self.check_handshake_schemes()?;
        if let Some(schemes) = &self.certificate_schemes {
            // They may well be such that a handshake cannot use.
            check_schemes(schemes)?;
        }
        check_alpn(&self.alpn)?;
        if self.resume_unbound_sessions && self.require_extended_master_secret {
            return Err(ConfigError::UnboundSessionsOfRefusedPeers);
        }
        self.check_limits()
    }

    fn check_versions(&self) -> Result<(), ConfigError> {
        if self.min_version > self.max_version {
            return Err(ConfigError::EmptyVersionRange);
        }
        let spoken = ProtocolVersion::TLS1_2..=ProtocolVersion::TLS1_3;
        match [self.min_version, self.max_version].into_iter().find(|version| !spoken.contains(version)) {
            Some(version) => Err(ConfigError::UnsupportedVersion(version)),
            None => Ok(()),
        }
    }

    fn check_suites(&self) -> Result<(), ConfigError> {
        let unknown = |suite: &&CipherSuite| suite.tls13().is_none() && suite.tls12().is_none();
        if let Some(suite) = self.suites.iter().find(unknown) {
            return Err(ConfigError::UnsupportedSuite(*suite));
        }
        if !self.speaks(ProtocolVersion::TLS1_2) && !self.speaks(ProtocolVersion::TLS1_3) {
            return Err(ConfigError::NoSuites);
        }
        no_duplicates(&self.suites, "suites")
    }

    fn check_handshake_schemes(&self) -> Result<(), ConfigError> {
        let usable = |scheme: &SignatureScheme| {
            (self.speaks(ProtocolVersion::TLS1_3) && scheme.usable_in_tls13_handshake())
                || (self.speaks(ProtocolVersion::TLS1_2) && scheme.usable_in_tls12_handshake())
        };
        if self.verify_schemes.iter().any(usable) { Ok(()) } else { Err(ConfigError::NoSignatureSchemes) }
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        // Above this the three-byte length of a handshake message cannot go.
        if !(MIN_MAX_MESSAGE..=0x0100_0003).contains(&self.max_message) {
            return Err(ConfigError::OutOfRange("max_message"));
        }
        if self.max_chain == 0 {
            return Err(ConfigError::OutOfRange("max_chain"));
        }
        if self.record_size_limit.is_some_and(|limit| !RECORD_SIZE_LIMIT.contains(&limit)) {
            return Err(ConfigError::OutOfRange("record_size_limit"));
        }
        if self.decompress.contains(&0) || self.decompress.len() > 127 {
            return Err(ConfigError::OutOfRange("decompress"));
        }
        if let Randomness::Recorded(recorded) = &self.randomness
            && recorded.session_id.len() > 32
        {
            return Err(ConfigError::OutOfRange("a recorded legacy_session_id"));
        }
        no_duplicates(&self.decompress, "decompress")
    }
}

impl ServerHandshake {
    /// Refuses what no handshake could be made with, [`Common::check`] included.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.common.check()?;
        check_authorities(&self.authorities)
    }
}

impl ClientHandshake {
    /// Refuses what no handshake could be made with, [`Common::check`] included.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn check(&self, transport: &Transport) -> Result<(), ConfigError> {
        self.check_shared(matches!(transport, Transport::Quic { .. }))?;
        if let Some(name) = &self.server_name {
            check_server_name(name)?;
        }
        if self.session.as_ref().is_some_and(|psk| psk.session().is_none()) {
            return Err(ConfigError::ExternalPsk);
        }
        Ok(())
    }

    /// The same of all but what is a connection's own: its name and its session.
    pub(super) fn check_shared(&self, quic: bool) -> Result<(), ConfigError> {
        self.common.check()?;
        if let KeyShares::Exactly(shares) = &self.key_shares {
            check_key_shares(shares, &self.common.groups)?;
        }
        if quic && self.common.alpn.is_empty() {
            return Err(ConfigError::QuicNeedsApplicationProtocol);
        }
        check_authorities(&self.authorities)
    }
}

fn check_groups(groups: &[NamedGroup]) -> Result<(), ConfigError> {
    if groups.is_empty() {
        return Err(ConfigError::NoGroups);
    }
    if let Some(group) = groups.iter().find(|group| !group.is_supported()) {
        return Err(ConfigError::UnsupportedGroup(*group));
    }
    no_duplicates(groups, "groups")
}

fn check_schemes(schemes: &[SignatureScheme]) -> Result<(), ConfigError> {
    if let Some(scheme) = schemes.iter().find(|scheme| !scheme.is_supported()) {
        return Err(ConfigError::UnsupportedSignatureScheme(*scheme));
    }
    no_duplicates(schemes, "signature schemes")?;
    if schemes.is_empty() { Err(ConfigError::NoSignatureSchemes) } else { Ok(()) }
}

fn check_alpn(protocols: &[Vec<u8>]) -> Result<(), ConfigError> {
    let encoded: usize = protocols.iter().map(|name| name.len().saturating_add(1)).sum();
    if protocols.iter().any(|name| name.is_empty() || name.len() > 255) || encoded > 0xffff - 2 {
        return Err(ConfigError::BadApplicationProtocol);
    }
    no_duplicates(protocols, "application protocols")
}

pub(super) fn check_server_name(name: &str) -> Result<(), ConfigError> {
    if is_host_name(name) { Ok(()) } else { Err(ConfigError::BadServerName(name.to_owned())) }
}

/// Shares are a subsequence of the groups (RFC 9846 section 4.3.8).
fn check_key_shares(shares: &[NamedGroup], groups: &[NamedGroup]) -> Result<(), ConfigError> {
    let mut rest = groups.iter();
    match shares.iter().find(|share| !rest.any(|group| group == *share)) {
        Some(share) => Err(ConfigError::KeyShareNotAmongGroups(*share)),
        None => Ok(()),
    }
}

fn check_authorities(authorities: &[Vec<u8>]) -> Result<(), ConfigError> {
    let encoded: usize = authorities.iter().map(|name| name.len().saturating_add(2)).sum();
    let fine = authorities.iter().all(|name| !name.is_empty()) && encoded <= 0xffff - 2;
    if fine { Ok(()) } else { Err(ConfigError::BadAuthorities) }
}

fn no_duplicates<T: PartialEq>(items: &[T], list: &'static str) -> Result<(), ConfigError> {
    let repeated =
        items.iter().enumerate().any(|(i, item)| items.iter().take(i).any(|before| before == item));
    if repeated { Err(ConfigError::Duplicate(list)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults;

    fn with(change: impl FnOnce(&mut Common)) -> Result<(), ConfigError> {
        let mut common = Common::default();
        change(&mut common);
        common.check()
    }

    fn client(change: impl FnOnce(&mut ClientHandshake)) -> Result<(), ConfigError> {
        let mut config = ClientHandshake::default();
        change(&mut config);
        config.check(&Transport::Stream)
    }

    #[test]
    fn defaults_are_accepted() {
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(client(|_| ()), Ok(()));
    }

    #[test]
    fn versions_not_spoken_are_refused() {
        let (tls11, tls12) = (ProtocolVersion::TLS1_1, ProtocolVersion::TLS1_2);
        assert_eq!(with(|c| c.min_version = tls11), Err(ConfigError::UnsupportedVersion(tls11)));
        assert_eq!(with(|c| c.max_version = tls12), Err(ConfigError::EmptyVersionRange));
        assert_eq!(with(|c| c.min_version = tls12), Ok(()), "TLS 1.3 has its suites all the same");
    }

    #[test]
    fn a_range_needs_suites_and_schemes_for_one_of_its_versions() {
        let tls12 = |change: fn(&mut Common)| {
            with(|c| {
                (c.min_version, c.max_version) = (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_2);
                change(c);
            })
        };
        assert_eq!(tls12(|_| ()), Err(ConfigError::NoSuites));
        assert_eq!(tls12(|c| c.suites = defaults::SUITES_TLS12.to_vec()), Ok(()));
        let refused = tls12(|c| {
            c.suites = defaults::SUITES_TLS12.to_vec();
            c.verify_schemes = vec![SignatureScheme::ML_DSA_65];
        });
        assert_eq!(refused, Err(ConfigError::NoSignatureSchemes));
        let pkcs1 = tls12(|c| {
            c.suites = defaults::SUITES_TLS12.to_vec();
            c.verify_schemes = vec![SignatureScheme::RSA_PKCS1_SHA256];
        });
        assert_eq!(pkcs1, Ok(()));
    }

    #[test]
    fn empty_unknown_and_repeated_lists_are_refused() {
        assert_eq!(with(|c| c.suites.clear()), Err(ConfigError::NoSuites));
        let unknown = CipherSuite(0xc013);
        assert_eq!(with(|c| c.suites.push(unknown)), Err(ConfigError::UnsupportedSuite(unknown)));
        assert_eq!(with(|c| c.groups.clear()), Err(ConfigError::NoGroups));
        let ffdhe = NamedGroup(0x0100);
        assert_eq!(with(|c| c.groups.push(ffdhe)), Err(ConfigError::UnsupportedGroup(ffdhe)));
        assert_eq!(with(|c| c.groups.push(NamedGroup::X25519)), Err(ConfigError::Duplicate("groups")));
        assert_eq!(with(|c| c.verify_schemes.clear()), Err(ConfigError::NoSignatureSchemes));
        let sha1 = SignatureScheme::RSA_PKCS1_SHA1;
        let refused = Err(ConfigError::UnsupportedSignatureScheme(sha1));
        assert_eq!(with(|c| c.verify_schemes.push(sha1)), refused);
        let pkcs1 = vec![SignatureScheme::RSA_PKCS1_SHA256];
        assert_eq!(with(|c| c.verify_schemes.clone_from(&pkcs1)), Err(ConfigError::NoSignatureSchemes));
        assert_eq!(with(|c| c.certificate_schemes = Some(pkcs1)), Ok(()));
        assert_eq!(with(|c| c.certificate_schemes = Some(Vec::new())), Err(ConfigError::NoSignatureSchemes));
    }

    #[test]
    fn application_protocols_have_1_to_255_bytes() {
        assert_eq!(with(|c| c.alpn = vec![Vec::new()]), Err(ConfigError::BadApplicationProtocol));
        assert_eq!(with(|c| c.alpn = vec![vec![b'a'; 255]]), Ok(()));
        assert_eq!(with(|c| c.alpn = vec![vec![b'a'; 256]]), Err(ConfigError::BadApplicationProtocol));
    }

    #[test]
    fn limits_have_ranges() {
        for limit in [63, 16_386] {
            let refused = Err(ConfigError::OutOfRange("record_size_limit"));
            assert_eq!(with(|c| c.record_size_limit = Some(limit)), refused);
        }
        assert_eq!(with(|c| c.max_chain = 0), Err(ConfigError::OutOfRange("max_chain")));
        assert_eq!(with(|c| c.max_message = 1000), Err(ConfigError::OutOfRange("max_message")));
    }

    #[test]
    fn server_names_are_dns_names() {
        for name in
            ["", "example.com.", "192.0.2.1", "::1", "ex ample", "b\u{fc}cher.example", &"a".repeat(64)]
        {
            let refused = Err(ConfigError::BadServerName(name.to_owned()));
            assert_eq!(client(|c| c.server_name = Some(name.to_owned())), refused, "{name}");
        }
        assert_eq!(client(|c| c.server_name = Some("xn--bcher-kva.example".to_owned())), Ok(()));
    }

    #[test]
    fn key_shares_are_groups_in_their_order() {
        let shares = |list: &[NamedGroup]| client(|c| c.key_shares = KeyShares::Exactly(list.to_vec()));
        let (hybrid, x25519) = (NamedGroup::X25519_MLKEM768, NamedGroup::X25519);
        assert_eq!(shares(&[hybrid, x25519]), Ok(()));
        assert_eq!(shares(&[]), Ok(()));
        assert_eq!(shares(&[x25519, hybrid]), Err(ConfigError::KeyShareNotAmongGroups(hybrid)));
        assert_eq!(shares(&[x25519, x25519]), Err(ConfigError::KeyShareNotAmongGroups(x25519)));
        let other = NamedGroup(0x0100);
        assert_eq!(shares(&[other]), Err(ConfigError::KeyShareNotAmongGroups(other)));
    }

    #[test]
    fn quic_needs_an_application_protocol() {
        let quic = Transport::Quic { parameters: vec![1] };
        let refused = Err(ConfigError::QuicNeedsApplicationProtocol);
        assert_eq!(ClientHandshake::default().check(&quic), refused);
    }
}
