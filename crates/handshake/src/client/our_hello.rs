//! What our hellos say: made once, so that the second is the first but for what the retry asked (RFC 9846 section
//! 4.2.2).

use core::time::Duration;

use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup, Seed};
use oxtls_crypto::random;
use zeroize::Zeroizing;

use crate::client::session_id::SessionId;
use crate::client::shares::Shares;
use crate::client::tls12_resumed::OfferedSession;
use crate::config::{ClientHandshake, Common, ConfigError, Randomness, Recorded, Told};
use crate::error::Error;
use crate::extension::OfferedSet;
use crate::extension::grease::Grease;
use crate::extension::key_share::KeyShareEntry;
use crate::message::offer::{Offer, OfferedPsk, Order};
use crate::step::{ApplicationData, ChangeCipherSpec, ReadMode};
use crate::suite::{CipherSuite, ProtocolVersion, Tls13Suite};

/// What both hellos say, and what the answers to them are judged by.
#[derive(Debug)]
pub(super) struct OurHello {
    pub(super) config: Told,
    pub(super) quic_parameters: Option<Vec<u8>>,
    pub(super) random: [u8; 32],
    /// Of middlebox compatibility in TLS 1.3; in TLS 1.2 the server resumes the session on offer by echoing it.
    pub(super) session_id: SessionId,
    pub(super) tls12_session: Option<OfferedSession>,
    /// A session is offered or wanted. Said again in the second hello, even if the session falls away there.
    pub(super) psk_dhe_ke: bool,
    order: Order,
    grease: Option<Grease>,
}

/// What one hello says that the other may not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Says<'a> {
    pub(super) shares: &'a Shares,
    /// The shares are those of our choice, and GREASE may stand among them; otherwise there is the one that the server
    /// asked for and no other (RFC 9846 section 4.2.2).
    pub(super) shares_are_ours: bool,
    pub(super) cookie: Option<&'a [u8]>,
    pub(super) early_data: bool,
    pub(super) psk: Option<OfferedPsk<'a>>,
}

/// Randomness for the first shares, which are hardly ever more than two: a post-quantum one and a classic one. Further ones
/// draw their own.
pub(super) type Seeds = [Option<Seed>; 2];

impl OurHello {
    /// What both hellos say, and what the first one's shares are to be made of.
    pub(super) fn new(
        config: Told,
        quic_parameters: Option<Vec<u8>>,
        now: Duration,
    ) -> Result<(Self, Seeds), ConfigError> {
        let all = config.all();
        let drawn = match &all.common.randomness {
            Randomness::Recorded(recorded) => Drawn::recorded(recorded)?,
            Randomness::System => Drawn::fresh(all).map_err(ConfigError::Crypto)?,
        };
        // RFC 9001 section 8.4: no compatibility mode over QUIC. In TLS 1.2 an ID would ask for a session of that name.
        let compatible = quic_parameters.is_none()
            && config.offers(ProtocolVersion::TLS1_3)
            && (all.compatibility_mode || matches!(all.common.randomness, Randomness::Recorded(_)));
        let (tls12_session, session_id) = match OfferedSession::choose(&config, drawn.session_id, now) {
            Some((session, id)) => (Some(session), id),
            None if compatible => (None, drawn.session_id),
            None => (None, SessionId::default()),
        };
        let grease = all.grease.then(|| Grease::new(drawn.grease));
        let (random, order, psk_dhe_ke) = (drawn.random, drawn.order, all.resumption);
        let ours =
            Self { config, quic_parameters, random, session_id, tls12_session, psk_dhe_ke, order, grease };
        Ok((ours, drawn.seeds))
    }

    /// A hello that says this, and the extensions that the responses to it are judged by. With a session on offer its
    /// binder is still to be put in.
    pub(super) fn encode<'a>(&self, says: Says<'a>) -> Result<(Vec<u8>, OfferedSet), Error> {
        let (all, common, lists) = (self.config.all(), self.config.common(), self.config.shared.lists());
        let grease = self
            .grease
            .filter(|_| says.shares_are_ours)
            .map(|grease| KeyShareEntry { group: NamedGroup(grease.group()), key_exchange: &[0] });
        let entry =
            |share: &'a KeyExchange| KeyShareEntry { group: share.group(), key_exchange: share.share() };
        let (one, many);
        let key_shares = match (grease, says.shares.only()) {
            (None, Some(share)) => {
                one = entry(share);
                core::slice::from_ref(&one)
            }
            _ => {
                many = grease.into_iter().chain(says.shares.iter().map(entry)).collect::<Vec<_>>();
                &many
            }
        };
        let offer = Offer {
            random: &self.random,
            session_id: self.session_id.as_bytes(),
            cipher_suites: &lists.suites,
            supported_versions: &lists.versions,
            server_name: self.config.server_name.as_deref(),
            supported_groups: &lists.groups,
            key_shares,
            signature_algorithms: &lists.schemes,
            signature_algorithms_cert: common.certificate_schemes.as_deref(),
            alpn: &common.alpn,
            cookie: says.cookie,
            psk_dhe_ke: self.psk_dhe_ke,
            certificate_authorities: &all.authorities,
            status_request: common.ocsp,
            signed_certificate_timestamp: common.sct,
            // QUIC has no records to limit.
            record_size_limit: common.record_size_limit.filter(|_| self.quic_parameters.is_none()),
            compress_certificate: &common.decompress,
            quic_transport_parameters: self.quic_parameters.as_deref(),
            ticket_request: all.ticket_request.filter(|_| all.resumption),
            session_ticket: self.session_ticket(),
            early_data: says.early_data,
            pre_shared_key: says.psk,
            order: self.order,
            grease: self.grease,
        };
        offer.encode_and_offered()
    }

    /// TLS 1.2: the ticket of the session on offer, or the wish for one.
    fn session_ticket(&self) -> Option<&[u8]> {
        let ticket = self.tls12_session.as_ref().and_then(OfferedSession::ticket);
        let wish = self.config.all().tls12_tickets && self.config.all().resumption;
        ticket.or_else(|| wish.then_some(&[]))
    }

    /// Before and after ServerHello alike: data is refused, and compatibility ChangeCipherSpecs are dropped, of which a
    /// server of TLS 1.2 has none to send.
    pub(super) fn read_mode(&self) -> ReadMode {
        let tls13 = self.config.offers(ProtocolVersion::TLS1_3);
        ReadMode {
            change_cipher_spec: if tls13 { ChangeCipherSpec::Drop } else { ChangeCipherSpec::Deliver },
            application_data: ApplicationData::Refuse,
            plaintext_alert: false,
            max_message: self.config.common().max_message,
        }
    }

    /// supported_versions is the only place where versions are chosen, and legacy_version says 0x0303 beside it
    /// (RFC 9846 sections 4.2.3 and 4.3.1).
    pub(super) fn check_version(
        &self,
        selected: ProtocolVersion,
        legacy: ProtocolVersion,
    ) -> Result<(), Error> {
        if selected != ProtocolVersion::TLS1_3 || !self.config.offers(selected) {
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
        if session_id_echo != self.session_id.as_bytes() {
            return Err(Error::IllegalParameter { what: "legacy_session_id_echo" });
        }
        if compression != 0 {
            return Err(Error::IllegalParameter { what: "legacy_compression_method" });
        }
        if !self.config.shared.lists().suites.contains(&suite) {
            return Err(Error::WrongCipherSuite(suite));
        }
        suite.tls13().ok_or(Error::WrongCipherSuite(suite))
    }
}

/// A fresh key, or the recorded one of this group. `seed`: what the hello has drawn for it.
pub(super) fn key_exchange(
    common: &Common,
    group: NamedGroup,
    seed: Option<Seed>,
) -> Result<KeyExchange, oxtls_crypto::Error> {
    if let Randomness::Recorded(recorded) = &common.randomness
        && let Some((_, private)) = recorded.private_keys.iter().find(|(of, _)| *of == group)
    {
        return KeyExchange::from_private_key(group, private);
    }
    match seed {
        Some(seed) => KeyExchange::offer_seeded(group, seed),
        None => KeyExchange::offer(group),
    }
}

/// A hello's random values, drawn at once: a draw costs the same whatever its size.
struct Drawn {
    random: [u8; 32],
    session_id: SessionId,
    order: Order,
    grease: [u8; 4],
    seeds: Seeds,
}

impl Drawn {
    fn fresh(config: &ClientHandshake) -> Result<Self, oxtls_crypto::Error> {
        let mut drawn = Zeroizing::new([0; 148]);
        random::fill(&mut *drawn)?;
        let mut rest = drawn.as_slice();
        let random = take(&mut rest);
        let session_id = take::<32>(&mut rest).into();
        let order = [take(&mut rest), take(&mut rest)].map(u64::from_be_bytes);
        Ok(Self {
            random,
            session_id,
            order: if config.shuffle_extensions { Order::shuffled(order) } else { Order::FIXED },
            grease: take(&mut rest),
            seeds: core::array::from_fn(|_| take_seed(&mut rest)),
        })
    }

    fn recorded(recorded: &Recorded) -> Result<Self, ConfigError> {
        let too_long = ConfigError::OutOfRange("a recorded legacy_session_id");
        Ok(Self {
            random: recorded.random,
            session_id: SessionId::new(&recorded.session_id).ok_or(too_long)?,
            order: Order::FIXED,
            grease: take(&mut recorded.random.as_slice()),
            seeds: Seeds::default(),
        })
    }
}

/// The next bytes; zeros if there are too few, which the sizes above rule out.
fn take<const N: usize>(from: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = from.split_first_chunk().unwrap_or((&[0; N], &[]));
    *from = rest;
    *taken
}

/// The next bytes as a seed; none if there are too few: the key is then made otherwise.
fn take_seed(from: &mut &[u8]) -> Option<Seed> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(Seed::new(taken))
}
