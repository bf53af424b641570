//! A client's configuration that was checked: made once, shared by its connections.

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use super::check::check_server_name;
use super::{ClientHandshake, Common, ConfigError, KeyShares};
use crate::session::{Psk, Session};
use crate::suite::{CipherSuite, ProtocolVersion};

/// A client's configuration that was checked, and what follows from it for each hello: worked out once, shared by all
/// connections that are made with it ([`Client::of`](crate::client::Client::of)).
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// use oxtls_handshake::client::Client;
/// use oxtls_handshake::config::{ClientHandshake, ConfigError, PreparedClient};
///
/// # fn main() -> Result<(), ConfigError> {
/// # let now = Duration::from_secs(1_800_000_000);
/// let prepared = Arc::new(PreparedClient::new(ClientHandshake::default())?);
/// for name in ["a.example", "b.example"] {
///     let mut client = Client::of(Arc::clone(&prepared), Some(name.to_owned()), None, now)?;
///     assert!(client.output().is_some(), "a ClientHello, among others");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PreparedClient {
    told: ClientHandshake,
    lists: Lists,
    /// The groups to send shares of at first.
    shares: Vec<NamedGroup>,
}

/// What depends on the versions that are offered, most preferred first.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) versions: Vec<ProtocolVersion>,
    pub(crate) suites: Vec<CipherSuite>,
    pub(crate) groups: Vec<NamedGroup>,
    pub(crate) schemes: Vec<SignatureScheme>,
}

impl PreparedClient {
    /// For connections over records. What is a connection's own, `server_name` and `session`, is told with each and not
    /// taken from here.
    ///
    /// # Errors
    /// The first mistake found, as by [`ClientHandshake::check`].
    pub fn new(config: ClientHandshake) -> Result<Self, ConfigError> {
        Self::over(config, false)
    }

    /// The same over QUIC, or over records.
    pub(crate) fn over(config: ClientHandshake, quic: bool) -> Result<Self, ConfigError> {
        let told = ClientHandshake { server_name: None, session: None, ..config };
        told.check_shared(quic)?;
        let lists = Lists::new(&told.common, quic)?;
        let shares = if lists.offers(ProtocolVersion::TLS1_3) { first_shares(&told) } else { Vec::new() };
        Ok(Self { told, lists, shares })
    }

    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// The groups to send shares of at first: none without TLS 1.3.
    pub(crate) fn first_shares(&self) -> &[NamedGroup] {
        &self.shares
    }
}

/// What one connection is told: what it shares with others of its configuration, and what is its own.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) shared: Arc<PreparedClient>,
    pub(crate) server_name: Option<String>,
    pub(crate) session: Option<Arc<Psk>>,
}

impl Told {
    /// Refuses a name that is none, and a key that is no session.
    pub(crate) fn new(
        shared: Arc<PreparedClient>,
        server_name: Option<String>,
        session: Option<Arc<Psk>>,
    ) -> Result<Self, ConfigError> {
        if let Some(name) = &server_name {
            check_server_name(name)?;
        }
        if session.as_ref().is_some_and(|psk| psk.session().is_none()) {
            return Err(ConfigError::ExternalPsk);
        }
        Ok(Self { shared, server_name, session })
    }

    /// The configuration as it was told. Name and session are none of it: they are the connection's own.
    pub(crate) fn all(&self) -> &ClientHandshake {
        &self.shared.told
    }

    pub(crate) fn common(&self) -> &Common {
        &self.shared.told.common
    }

    /// Whether the hello offers this version.
    pub(crate) fn offers(&self, version: ProtocolVersion) -> bool {
        self.shared.lists.offers(version)
    }

    /// The session, if it is one of this version, of a suite that is offered, for this server and usable at this time.
    pub(crate) fn session_to_offer(&self, version: ProtocolVersion, now: Duration) -> Option<&Session> {
        let session = self.session.as_ref()?.session()?;
        let fits = session.version == version
            && (!self.all().verify_resumed || session.peer.is_some())
            && self.shared.lists.suites.contains(&session.suite)
            && session.is_of_name(self.server_name.as_deref())
            && session.is_usable_at(now);
        fits.then_some(session)
    }
}

impl Lists {
    /// TLS 1.2 is not spoken over QUIC (RFC 9001 section 4.2), and has neither post-quantum groups nor ML-DSA.
    fn new(common: &Common, quic: bool) -> Result<Self, ConfigError> {
        let tls13 = common.speaks(ProtocolVersion::TLS1_3);
        let tls12 = common.speaks(ProtocolVersion::TLS1_2) && !quic;
        let versions = [(tls13, ProtocolVersion::TLS1_3), (tls12, ProtocolVersion::TLS1_2)];
        let lists = Self {
            versions: versions
                .into_iter()
                .filter_map(|(spoken, version)| spoken.then_some(version))
                .collect(),
            suites: kept(&common.suites, |suite| {
                (tls13 && suite.tls13().is_some()) || (tls12 && suite.tls12().is_some())
            }),
            groups: kept(&common.groups, |group| tls13 || !group.is_post_quantum()),
            schemes: kept(&common.verify_schemes, |scheme| tls13 || scheme.usable_in_tls12_handshake()),
        };
        if lists.versions.is_empty() {
            return Err(ConfigError::UnsupportedVersion(common.max_version));
        }
        if lists.groups.is_empty() {
            return Err(ConfigError::NoGroups);
        }
        Ok(lists)
    }

    pub(crate) fn offers(&self, version: ProtocolVersion) -> bool {
        self.versions.contains(&version)
    }
}

fn kept<T: Copy>(list: &[T], keep: impl Fn(&T) -> bool) -> Vec<T> {
    list.iter().copied().filter(keep).collect()
}

/// Which groups to send shares of at first.
///
/// Automatic: the most preferred group; if that is post-quantum also the most preferred classic one, so that a server
/// without such groups costs no retry. A share of 1.2 kB more in every hello is the price of the former.
fn first_shares(config: &ClientHandshake) -> Vec<NamedGroup> {
    match &config.key_shares {
        KeyShares::Exactly(shares) => shares.clone(),
        KeyShares::Automatic => {
            let groups = &config.common.groups;
            let first = groups.first().copied();
            let classic = match first {
                Some(group) if group.is_post_quantum() => {
                    groups.iter().copied().find(|group| !group.is_post_quantum())
                }
                _ => None,
            };
            first.into_iter().chain(classic).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_shares_are_the_preferred_post_quantum_and_one_classic_group() {
        let mut config = ClientHandshake::default();
        assert_eq!(first_shares(&config), [NamedGroup::X25519_MLKEM768, NamedGroup::X25519]);
        config.common =
            Arc::new(Common { groups: vec![NamedGroup::SECP384R1, NamedGroup::X25519], ..Common::default() });
        assert_eq!(first_shares(&config), [NamedGroup::SECP384R1]);
        // A pure ML-KEM is no classic group, though it is no hybrid either.
        let (pure, hybrid) = (NamedGroup::MLKEM1024, NamedGroup::X25519_MLKEM768);
        for (groups, shares) in [
            (vec![pure, NamedGroup::X25519], vec![pure, NamedGroup::X25519]),
            (vec![hybrid, pure], vec![hybrid]),
        ] {
            config.common = Arc::new(Common { groups, ..Common::default() });
            assert_eq!(first_shares(&config), shares);
        }
        config.key_shares = KeyShares::Exactly(vec![NamedGroup::X25519]);
        assert_eq!(first_shares(&config), [NamedGroup::X25519]);
    }

    #[test]
    fn what_is_a_connections_own_is_not_taken_from_the_configuration() {
        let config = ClientHandshake { server_name: Some("a.test".into()), ..ClientHandshake::default() };
        let shared = Arc::new(PreparedClient::new(config).unwrap());
        assert_eq!(Told::new(Arc::clone(&shared), None, None).unwrap().server_name, None);
        let refused = Told::new(shared, Some("192.0.2.1".into()), None).unwrap_err();
        assert_eq!(refused, ConfigError::BadServerName("192.0.2.1".into()));
    }
}
