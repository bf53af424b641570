//! ClientHello, HelloRetryRequest and ServerHello (RFC 9846 section 4.2), until the version is certain.

use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup};
use oxtls_crypto::random;
use oxtls_crypto::signature::SignatureScheme;

use crate::client::tls12::{self, HelloRequests};
use crate::client::{State, tls13};
use crate::config::{ClientHandshake, Common, ConfigError, KeyShares, Randomness, Recorded};
use crate::error::Error;
use crate::extension::grease::Grease;
use crate::extension::key_share::KeyShareEntry;
use crate::extension::{ExtensionType, OfferedSet};
use crate::key_schedule::key_log;
use crate::key_schedule::tls13::EarlySecret;
use crate::machine::{Incoming, Out, Step};
use crate::message::HandshakeType;
use crate::message::offer::{Offer, Order};
use crate::message::server_hello::{
    HELLO_RETRY_REQUEST_RANDOM, HelloRetryRequest, ServerHello, ServerHelloOrRetry, check_downgrade,
};
use crate::step::{ApplicationData, ChangeCipherSpec, Direction, Level, ReadMode, Transport};
use crate::suite::{CipherSuite, ProtocolVersion, Tls13Suite};
use crate::transcript::{Transcript, Unhashed};

/// A ClientHello is out; a ServerHello or a HelloRetryRequest is due.
#[derive(Debug)]
pub(crate) struct Waiting {
    fixed: Fixed,
    shares: Vec<KeyExchange>,
    offered: OfferedSet,
    first_hello: Unhashed,
    retry: Option<Retry>,
    hello_requests: HelloRequests,
}

/// What both hellos say: the second must be the first but for what the retry asked (RFC 9846 section 4.2.2).
#[derive(Debug)]
struct Fixed {
    config: ClientHandshake,
    /// The lists as the versions that are offered have use for them.
    lists: Lists,
    quic_parameters: Option<Vec<u8>>,
    random: [u8; 32],
    session_id: Vec<u8>,
    order: Order,
    grease: Option<Grease>,
}

/// What depends on the versions that are offered, most preferred first.
#[derive(Debug)]
struct Lists {
    versions: Vec<ProtocolVersion>,
    suites: Vec<CipherSuite>,
    groups: Vec<NamedGroup>,
    schemes: Vec<SignatureScheme>,
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

    fn offers(&self, version: ProtocolVersion) -> bool {
        self.versions.contains(&version)
    }
}

fn kept<T: Copy>(list: &[T], keep: impl Fn(&T) -> bool) -> Vec<T> {
    list.iter().copied().filter(keep).collect()
}

/// What a HelloRetryRequest has fixed, and the transcript that it began.
#[derive(Debug)]
struct Retry {
    suite: CipherSuite,
    group: Option<NamedGroup>,
    transcript: Transcript,
}

/// Makes and queues the first ClientHello.
pub(super) fn start(
    config: ClientHandshake,
    transport: Transport,
    out: &mut Out,
) -> Result<Waiting, ConfigError> {
    let fixed = Fixed::new(config, transport)?;
    let common = &fixed.config.common;
    let tls13 = fixed.lists.offers(ProtocolVersion::TLS1_3);
    let groups = if tls13 { first_shares(&fixed.config) } else { Vec::new() };
    let shares = groups
        .into_iter()
        .map(|group| key_exchange(common, group))
        .collect::<Result<Vec<_>, _>>()
        .map_err(ConfigError::Crypto)?;
    let (hello, offered) =
        fixed.hello(&shares, Shares::First, None).map_err(|_| ConfigError::HelloTooLong)?;
    if tls13 && !fixed.session_id.is_empty() {
        out.enable_compatibility();
    }
    if common.key_log {
        out.enable_key_log(fixed.random);
    }
    let mode = fixed.read_mode();
    let first_hello = Unhashed::new(hello.clone());
    out.send(Level::Initial, hello);
    out.read(mode);
    Ok(Waiting { fixed, shares, offered, first_hello, retry: None, hello_requests: HelloRequests::default() })
}

impl Waiting {
    /// ServerHello or HelloRetryRequest, told apart by the random alone (RFC 9846 section 4.2.3).
    pub(super) fn message(mut self: Box<Self>, message: Incoming<'_>, out: &mut Out) -> Step<State> {
        let tls13 = self.fixed.lists.offers(ProtocolVersion::TLS1_3);
        // Behind a HelloRetryRequest only TLS 1.3 can follow, which knows no HelloRequest.
        let tls12 = self.retry.is_none() && self.fixed.lists.offers(ProtocolVersion::TLS1_2);
        if tls12 && self.hello_requests.ignores(message)? {
            return Ok(Some(State::Hello(self)));
        }
        let due = match self.retry {
            None if tls13 => "ServerHello or HelloRetryRequest",
            None => "ServerHello",
            Some(_) => "the ServerHello that follows a HelloRetryRequest",
        };
        let body = message.expect(HandshakeType::SERVER_HELLO, Level::Initial, due)?;
        // A second retry would go on for ever: refused before anything in it is looked at.
        let may_be_retry = tls13 && self.retry.is_none();
        if !may_be_retry && body.get(2..34) == Some(HELLO_RETRY_REQUEST_RANDOM.as_slice()) {
            return Err(message.unexpected(due).into());
        }
        match ServerHelloOrRetry::parse(body, self.offered)? {
            ServerHelloOrRetry::HelloRetryRequest(retry) => self.retry(&retry, message, out),
            ServerHelloOrRetry::ServerHello(hello) => self.server_hello(&hello, message, out),
        }
    }

    /// The second ClientHello: as the first, with the share and the cookie that were asked for.
    fn retry(
        mut self: Box<Self>,
        retry: &HelloRetryRequest<'_>,
        message: Incoming<'_>,
        out: &mut Out,
    ) -> Step<State> {
        let version =
            retry.selected_version.ok_or(Error::MissingExtension(ExtensionType::SUPPORTED_VERSIONS))?;
        self.fixed.check_version(version, retry.legacy_version)?;
        message.must_end_its_record()?;
        if retry.compression_method != 0 {
            return Err(Error::Malformed { what: "HelloRetryRequest: legacy_compression_method" }.into());
        }
        let suite = self.fixed.check(retry.session_id_echo, retry.cipher_suite, retry.compression_method)?;
        if retry.selected_group.is_none() && retry.cookie.is_none() {
            return Err(
                Error::IllegalParameter { what: "a HelloRetryRequest that asks for no change" }.into()
            );
        }
        if let Some(group) = retry.selected_group {
            self.check_retry_group(group)?;
            self.shares = vec![key_exchange(&self.fixed.config.common, group).map_err(Error::Crypto)?];
        }
        let asked = if retry.selected_group.is_some() { Shares::Asked } else { Shares::First };
        let (hello, offered) =
            self.fixed.hello(&self.shares, asked, retry.cookie).map_err(|error| match error {
                // Without a cookie the hello has been made before.
                Error::TooLong if retry.cookie.is_some() => Error::IllegalParameter {
                    what: "a cookie that leaves no room for the rest of ClientHello",
                },
                other => other,
            })?;
        self.offered = offered;
        let mut transcript = core::mem::take(&mut self.first_hello).start(suite.hash).into_message_hash();
        transcript.add(message.encoded());
        transcript.add(&hello);
        self.retry = Some(Retry { suite: suite.suite, group: retry.selected_group, transcript });
        out.compatibility_change_cipher_spec();
        out.send(Level::Initial, hello);
        Ok(Some(State::Hello(self)))
    }

    /// RFC 9846 section 4.3.8: a group that was offered, without a share.
    fn check_retry_group(&self, group: NamedGroup) -> Result<(), Error> {
        let offered = self.fixed.config.common.groups.contains(&group);
        let shared = self.shares.iter().any(|share| share.group() == group);
        if offered && !shared { Ok(()) } else { Err(Error::WrongGroup) }
    }

    /// The keys are agreed: from here on everything is protected.
    fn server_hello(
        self: Box<Self>,
        hello: &ServerHello<'_>,
        message: Incoming<'_>,
        out: &mut Out,
    ) -> Step<State> {
        let Some(version) = hello.selected_version else {
            return self.older_version(hello, message, out);
        };
        self.fixed.check_version(version, hello.legacy_version)?;
        message.must_end_its_record()?;
        let suite = self.fixed.check(hello.session_id_echo, hello.cipher_suite, hello.compression_method)?;
        let share = hello.key_share.ok_or(Error::MissingExtension(ExtensionType::KEY_SHARE))?;
        let retried = self.retry.is_some();
        let mut transcript = match self.retry {
            None => self.first_hello.start(suite.hash),
            Some(retry) if retry.suite != suite.suite => {
                return Err(Error::WrongCipherSuite(suite.suite).into());
            }
            Some(retry) if retry.group.is_some_and(|group| group != share.group) => {
                return Err(Error::WrongGroup.into());
            }
            Some(retry) => retry.transcript,
        };
        let ours =
            self.shares.into_iter().find(|ours| ours.group() == share.group).ok_or(Error::WrongGroup)?;
        let shared = ours.finish(share.key_exchange).map_err(|error| match error {
            invalid @ oxtls_crypto::Error::InvalidShare { .. } => Error::BadKeyShare(invalid),
            other => Error::Crypto(other),
        })?;
        transcript.add(message.encoded());
        let secrets = EarlySecret::new(suite.hash, None).into_handshake(&shared, &transcript.current())?;
        out.key_log(key_log::CLIENT_HANDSHAKE_TRAFFIC_SECRET, &secrets.client);
        out.key_log(key_log::SERVER_HANDSHAKE_TRAFFIC_SECRET, &secrets.server);
        // The write key comes now, not with our flight, so that alerts from here on are protected (appendix A.1).
        out.compatibility_change_cipher_spec();
        out.keys(Level::Handshake, Direction::Write, suite.suite, secrets.client.duplicate());
        out.keys(Level::Handshake, Direction::Read, suite.suite, secrets.server.duplicate());
        out.read(self.fixed.read_mode());
        Ok(Some(State::Tls13(tls13::State::EncryptedExtensions(Box::new(tls13::Core {
            config: self.fixed.config,
            offered: self.offered,
            suite,
            group: share.group,
            retried,
            transcript,
            secrets,
            alpn: None,
            request: None,
        })))))
    }

    /// A ServerHello without supported_versions is one of TLS 1.2 or older. A sentinel says that the server could do
    /// better than that, so that somebody between has changed the offer (RFC 9846 section 4.2.3).
    fn older_version(
        self: Box<Self>,
        hello: &ServerHello<'_>,
        message: Incoming<'_>,
        out: &mut Out,
    ) -> Step<State> {
        if self.retry.is_some() {
            return Err(Error::IllegalParameter { what: "another version than in HelloRetryRequest" }.into());
        }
        // Who offers no TLS 1.3 gets TLS 1.2 of a server that could do better, with its sentinel.
        if self.fixed.lists.offers(ProtocolVersion::TLS1_3) {
            check_downgrade(hello.random)?;
        }
        let version = hello.legacy_version;
        if version != ProtocolVersion::TLS1_2 || !self.fixed.lists.offers(version) {
            return Err(Error::NoCommonVersion { peer: vec![version].into() }.into());
        }
        let Self { fixed, offered, first_hello, hello_requests, .. } = *self;
        let Fixed { config, lists, random, session_id, .. } = fixed;
        let offer = tls12::OurHello { config, suites: lists.suites, random, session_id, extensions: offered };
        let state = tls12::server_hello(offer, first_hello, message, out)?;
        Ok(Some(State::Tls12(state, hello_requests)))
    }
}

impl Fixed {
    fn new(config: ClientHandshake, transport: Transport) -> Result<Self, ConfigError> {
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
        let compatible = quic_parameters.is_none() && lists.offers(ProtocolVersion::TLS1_3);
        let session_id = if compatible { drawn.session_id } else { Vec::new() };
        let grease = config.grease.then(|| Grease::new(drawn.grease));
        let (random, order) = (drawn.random, drawn.order);
        Ok(Self { config, lists, quic_parameters, random, session_id, order, grease })
    }

    /// A hello with these shares, and the extensions that the responses to it are judged by.
    fn hello(
        &self,
        shares: &[KeyExchange],
        which: Shares,
        cookie: Option<&[u8]>,
    ) -> Result<(Vec<u8>, OfferedSet), Error> {
        let common = &self.config.common;
        let grease = self
            .grease
            .filter(|_| which == Shares::First)
            .map(|grease| KeyShareEntry { group: NamedGroup(grease.group()), key_exchange: &[0] });
        let ours =
            shares.iter().map(|share| KeyShareEntry { group: share.group(), key_exchange: share.share() });
        let key_shares: Vec<_> = grease.into_iter().chain(ours).collect();
        let offer = Offer {
            random: &self.random,
            session_id: &self.session_id,
            cipher_suites: &self.lists.suites,
            supported_versions: &self.lists.versions,
            server_name: self.config.server_name.as_deref(),
            supported_groups: &self.lists.groups,
            key_shares: &key_shares,
            signature_algorithms: &self.lists.schemes,
            signature_algorithms_cert: common.certificate_schemes.as_deref(),
            alpn: &common.alpn,
            cookie,
            // No session is stored yet: a server need not make tickets.
            psk_dhe_ke: false,
            certificate_authorities: &self.config.authorities,
            status_request: common.ocsp,
            signed_certificate_timestamp: common.sct,
            // QUIC has no records to limit.
            record_size_limit: common.record_size_limit.filter(|_| self.quic_parameters.is_none()),
            compress_certificate: &common.decompress,
            quic_transport_parameters: self.quic_parameters.as_deref(),
            ticket_request: None,
            order: self.order,
            grease: self.grease,
        };
        Ok((offer.encode()?, offer.offered()))
    }

    /// Before and after ServerHello alike: data is refused, and compatibility ChangeCipherSpecs are dropped, of which a
    /// server of TLS 1.2 has none to send.
    fn read_mode(&self) -> ReadMode {
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
    fn check_version(&self, selected: ProtocolVersion, legacy: ProtocolVersion) -> Result<(), Error> {
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
    fn check(
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

/// Which shares a hello carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shares {
    /// Those of our choice; GREASE may stand among them.
    First,
    /// The one that the server asked for and no other (RFC 9846 section 4.2.2).
    Asked,
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
        let drawn: [u8; 76] = random::array()?;
        let mut rest = drawn.as_slice();
        let random = take(&mut rest);
        let session_id: [u8; 32] = take(&mut rest);
        let order = u64::from_be_bytes(take(&mut rest));
        Ok(Self {
            random,
            session_id: if config.compatibility_mode { session_id.to_vec() } else { Vec::new() },
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
