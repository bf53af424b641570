//! What our hellos say: made once, so that the second is the first but for what the retry asked (RFC 9846 section
//! 4.2.2).

use core::time::Duration;

use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup};
use oxtls_crypto::random;
use oxtls_crypto::signature::SignatureScheme;

use crate::client::tls12_resumed::OfferedSession;
use crate::config::{ClientHandshake, Common, ConfigError, KeyShares, Randomness, Recorded};
use crate::error::Error;
use crate::extension::OfferedSet;
use crate::extension::grease::Grease;
use crate::extension::key_share::KeyShareEntry;
use crate::message::offer::{Offer, OfferedPsk, Order};
use crate::step::{ApplicationData, ChangeCipherSpec, ReadMode, Transport};
use crate::suite::{CipherSuite, ProtocolVersion, Tls13Suite};

/// What both hellos say, and what the answers to them are judged by.
#[derive(Debug)]
pub(super) struct OurHello {
    pub(super) config: ClientHandshake,
    /// The lists as the versions that are offered have use for them.
    pub(super) lists: Lists,
    pub(super) quic_parameters: Option<Vec<u8>>,
    pub(super) random: [u8; 32],
    /// Of middlebox compatibility in TLS 1.3; in TLS 1.2 the server resumes the session on offer by echoing it.
    pub(super) session_id: Vec<u8>,
    pub(super) tls12_session: Option<OfferedSession>,
    /// A session is offered or wanted. Said again in the second hello, even if the session falls away there.
    pub(super) psk_dhe_ke: bool,
    order: Order,
    grease: Option<Grease>,
}

/// What one hello says that the other may not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Says<'a> {
    pub(super) shares: &'a [KeyExchange],
    /// The shares are those of our choice, and GREASE may stand among them; otherwise there is the one that the server
    /// asked for and no other (RFC 9846 section 4.2.2).
    pub(super) shares_are_ours: bool,
    pub(super) cookie: Option<&'a [u8]>,
    pub(super) early_data: bool,
    pub(super) psk: Option<OfferedPsk<'a>>,
}

/// What depends on the versions that are offered, most preferred first.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) versions: Vec<ProtocolVersion>,
    pub(super) suites: Vec<CipherSuite>,
    pub(super) groups: Vec<NamedGroup>,
    pub(super) schemes: Vec<SignatureScheme>,
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

    pub(super) fn offers(&self, version: ProtocolVersion) -> bool {
        self.versions.contains(&version)
    }
}

fn kept<T: Copy>(list: &[T], keep: impl Fn(&T) -> bool) -> Vec<T> {
    let mut kept = Vec::with_capacity(list.len());
    kept.extend(list.iter().copied().filter(keep));
    kept
}

impl OurHello {
    pub(super) fn new(
        config: ClientHandshake,
        transport: Transport,
        now: Duration,
    ) -> Result<Self, ConfigError> {
        let quic_parameters = match transport {
            Transport::Stream => None,
            Transport::Quic { parameters } => Some(parameters),
        };
        let lists = Lists::new(&config.common, quic_parameters.is_some())?;
        let drawn = match &config.common.randomness {
            Randomness::Recorded(recorded) => Drawn::recorded(recorded),
            Randomness::System => Drawn::fresh(&config).map_err(ConfigError::Crypto)?,
        };
        // RFC 9001 section 8.4: no compatibility mode over QUIC. In TLS 1.2 an ID would ask for a session of that name.
        let compatible = quic_parameters.is_none()
            && lists.offers(ProtocolVersion::TLS1_3)
            && (config.compatibility_mode || matches!(config.common.randomness, Randomness::Recorded(_)));
        let tls12_session = OfferedSession::choose(&config, &lists.suites, &drawn.session_id, now);
        let session_id = match &tls12_session {
            Some(session) => session.session_id(drawn.session_id),
            None if compatible => drawn.session_id,
            None => Vec::new(),
        };
        let grease = config.grease.then(|| Grease::new(drawn.grease));
        let (random, order, psk_dhe_ke) = (drawn.random, drawn.order, config.resumption);
        Ok(Self {
            config,
            lists,
            quic_parameters,
            random,
            session_id,
            tls12_session,
            psk_dhe_ke,
            order,
            grease,
        })
    }

    /// A hello that says this, and the extensions that the responses to it are judged by. With a session on offer its
    /// binder is still to be put in.
    pub(super) fn encode(&self, says: Says<'_>) -> Result<(Vec<u8>, OfferedSet), Error> {
        let (config, common) = (&self.config, &self.config.common);
        let grease = self
            .grease
            .filter(|_| says.shares_are_ours)
            .map(|grease| KeyShareEntry { group: NamedGroup(grease.group()), key_exchange: &[0] });
        let ours = says.shares.iter();
        let ours = ours.map(|share| KeyShareEntry { group: share.group(), key_exchange: share.share() });
        let key_shares: Vec<_> = grease.into_iter().chain(ours).collect();
        let offer = Offer {
            random: &self.random,
            session_id: &self.session_id,
            cipher_suites: &self.lists.suites,
            supported_versions: &self.lists.versions,
            server_name: config.server_name.as_deref(),
            supported_groups: &self.lists.groups,
            key_shares: &key_shares,
            signature_algorithms: &self.lists.schemes,
            signature_algorithms_cert: common.certificate_schemes.as_deref(),
            alpn: &common.alpn,
            cookie: says.cookie,
            psk_dhe_ke: self.psk_dhe_ke,
            certificate_authorities: &config.authorities,
            status_request: common.ocsp,
            signed_certificate_timestamp: common.sct,
            // QUIC has no records to limit.
            record_size_limit: common.record_size_limit.filter(|_| self.quic_parameters.is_none()),
            compress_certificate: &common.decompress,
            quic_transport_parameters: self.quic_parameters.as_deref(),
            ticket_request: config.ticket_request.filter(|_| config.resumption),
            session_ticket: self.session_ticket(),
            early_data: says.early_data,
            pre_shared_key: says.psk,
            order: self.order,
            grease: self.grease,
        };
        Ok((offer.encode()?, offer.offered()))
    }

    /// TLS 1.2: the ticket of the session on offer, or the wish for one.
    fn session_ticket(&self) -> Option<&[u8]> {
        let ticket = self.tls12_session.as_ref().and_then(OfferedSession::ticket);
        let wish = self.config.tls12_tickets && self.config.resumption;
        ticket.or_else(|| wish.then_some(&[]))
    }

    /// Before and after ServerHello alike: data is refused, and compatibility ChangeCipherSpecs are dropped, of which a
    /// server of TLS 1.2 has none to send.
    pub(super) fn read_mode(&self) -> ReadMode {
        let tls13 = self.lists.offers(ProtocolVersion::TLS1_3);
        ReadMode {
            change_cipher_spec: if tls13 { ChangeCipherSpec::Drop } else { ChangeCipherSpec::Deliver },
            application_data: ApplicationData::Refuse,
            plaintext_alert: false,
            max_message: self.config.common.max_message,
        }
    }

    /// supported_versions is the only place where versions are chosen, and legacy_version says 0x0303 beside it
    /// (RFC 9846 sections 4.2.3 and 4.3.1).
    pub(super) fn check_version(
        &self,
        selected: ProtocolVersion,
        legacy: ProtocolVersion,
    ) -> Result<(), Error> {
        if selected != ProtocolVersion::TLS1_3 || !self.lists.offers(selected) {
            return Err(Error::IllegalParameter {
                what: "supported_versions with a version that was not offered",
            });
        }
        if legacy != ProtocolVersion::TLS1_2 {
            return Err(Error::NoCommonVersion { peer: vec![legacy].into() });
        }
        Ok(())
    }

    /// What ServerHello and HelloRetryRequest must both say (RFC 9846 section 4.2.3).
    pub(super) fn check(
        &self,
        session_id_echo: &[u8],
        suite: CipherSuite,
        compression: u8,
    ) -> Result<Tls13Suite, Error> {
        if session_id_echo != self.session_id {
            return Err(Error::IllegalParameter { what: "legacy_session_id_echo" });
        }
        if compression != 0 {
            return Err(Error::IllegalParameter { what: "legacy_compression_method" });
        }
        if !self.lists.suites.contains(&suite) {
            return Err(Error::WrongCipherSuite(suite));
        }
        suite.tls13().ok_or(Error::WrongCipherSuite(suite))
    }
}

/// A fresh key, or the recorded one of this group.
pub(super) fn key_exchange(common: &Common, group: NamedGroup) -> Result<KeyExchange, oxtls_crypto::Error> {
    if let Randomness::Recorded(recorded) = &common.randomness
        && let Some((_, private)) = recorded.private_keys.iter().find(|(of, _)| *of == group)
    {
        return KeyExchange::from_private_key(group, private);
    }
    KeyExchange::offer(group)
}

/// A hello's random values, drawn at once: a draw costs the same whatever its size.
struct Drawn {
    random: [u8; 32],
    session_id: Vec<u8>,
    order: Order,
    grease: [u8; 4],
}

impl Drawn {
    fn fresh(config: &ClientHandshake) -> Result<Self, oxtls_crypto::Error> {
        let drawn: [u8; 84] = random::array()?;
        let mut rest = drawn.as_slice();
        let random = take(&mut rest);
        let session_id: [u8; 32] = take(&mut rest);
        let order = u128::from_be_bytes(take(&mut rest));
        Ok(Self {
            random,
            session_id: session_id.to_vec(),
            order: if config.shuffle_extensions { Order::shuffled(order) } else { Order::FIXED },
            grease: take(&mut rest),
        })
    }

    fn recorded(recorded: &Recorded) -> Self {
        Self {
            random: recorded.random,
            session_id: recorded.session_id.clone(),
            order: Order::FIXED,
            grease: take(&mut recorded.random.as_slice()),
        }
    }
}

/// The next bytes; zeros if there are too few, which the sizes above rule out.
fn take<const N: usize>(from: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = from.split_first_chunk().unwrap_or((&[0; N], &[]));
    *from = rest;
    *taken
}

/// Which groups to send shares of at first.
///
/// Automatic: the most preferred group; if that is post-quantum also the most preferred classic one, so that a server
/// without such groups costs no retry. A share of 1.2 kB more in every hello is the price of the former.
pub(super) fn first_shares(config: &ClientHandshake) -> Vec<NamedGroup> {
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
    use std::sync::Arc;

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
}
