//! 0-RTT at a server (RFC 9846 sections 4.3.10 and 8): whether early data can be taken, its keys, and its end.
//!
//! Early data can be sent again by anybody who has seen it. So it is taken only where everything that it was made for
//! still holds and a replay guard has said that it is new; refusing it costs a round trip and nothing else.

use oxtls_crypto::secret::Secret;

use crate::config::ServerHandshake;
use crate::defaults;
use crate::error::Error;
use crate::key_schedule::key_log;
use crate::key_schedule::tls13::EarlySecret;
use crate::machine::{Incoming, Out};
use crate::message::client_hello::ClientHello;
use crate::message::{HandshakeType, end_of_early_data};
use crate::server::hello::Chosen;
use crate::server::peer::Client;
use crate::server::tls13::{Connection, State};
use crate::session::Psk;
use crate::step::{
    ApplicationData, ChangeCipherSpec, Direction, EarlyData, EarlyDataRejection, Level, ReadMode, Transport,
};
use crate::suite::CipherSuite;

type Result<T> = core::result::Result<T, Error>;

/// What the client wants, and whether it can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// No early data is offered, or a HelloRetryRequest has ended it already.
    None,
    /// It can be taken, if the outside agrees.
    Possible,
    /// It cannot.
    Impossible(EarlyDataRejection),
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// There is none.
    None,
    /// It is taken, up to `limit` bytes of plaintext.
    Accept {
        /// Plaintext bytes.
        limit: u32,
    },
    /// It comes all the same, and is passed over, up to `skip` bytes of record payload.
    Reject {
        /// Why.
        reason: EarlyDataRejection,
        /// Bytes of record payload.
        skip: u32,
    },
}

impl Decision {
    /// `promised`: what the session's ticket allowed. A client that was told of more than is taken now may send it.
    fn reject(reason: EarlyDataRejection, config: &ServerHandshake, promised: u32) -> Self {
        Self::Reject { reason, skip: defaults::early_data_skip(config.max_early_data.max(promised)) }
    }
}

impl Wish {
    /// With the outside's word.
    pub(super) fn decide(self, accepted: bool, config: &ServerHandshake, psk: &Psk) -> Decision {
        let promised = match psk {
            Psk::Session(session) => session.max_early_data,
            Psk::External { .. } => 0,
        };
        match self {
            Self::None => Decision::None,
            Self::Possible if accepted => Decision::Accept { limit: promised },
            Self::Possible => Decision::reject(EarlyDataRejection::Replay, config, promised),
            Self::Impossible(reason) => Decision::reject(reason, config, promised),
        }
    }
}

/// Whether the hello wants early data that is not yet done with: behind a HelloRetryRequest there is none, whatever the
/// hello says.
fn is_wanted(chosen: &Chosen, hello: &ClientHello<'_>) -> bool {
    hello.extensions.early_data && !chosen.retried
}

/// What becomes of it in a full handshake.
pub(super) fn without_session(chosen: &Chosen, hello: &ClientHello<'_>) -> Decision {
    if !is_wanted(chosen, hello) {
        return Decision::None;
    }
    let reason = match chosen.config.early_data {
        true => EarlyDataRejection::NotResumed,
        false => EarlyDataRejection::Disabled,
    };
    Decision::reject(reason, &chosen.config, 0)
}

/// Whether early data can be taken under the PSK of this place among the client's: it must be the first, and all that
/// the data was written for must be as it was then (RFC 9846 section 4.3.10).
pub(super) fn wish(
    chosen: &Chosen,
    hello: &ClientHello<'_>,
    (psk, place): (&Psk, u16),
    age_skew: i64,
) -> Wish {
    if !is_wanted(chosen, hello) {
        return Wish::None;
    }
    let config = &chosen.config;
    let session = match psk {
        _ if !config.early_data => return Wish::Impossible(EarlyDataRejection::Disabled),
        _ if place != 0 => return Wish::Impossible(EarlyDataRejection::NotResumed),
        Psk::External { .. } => return Wish::Impossible(EarlyDataRejection::UnsupportedForSession),
        Psk::Session(session) => session,
    };
    // A client that was promised more than is taken now may send it, and would be cut off in the middle. QUIC counts by
    // itself.
    let quic = matches!(chosen.transport, Transport::Quic { .. });
    let size = session.max_early_data;
    let within_limit = size > 0 && (quic || size <= config.max_early_data);
    // What is sent early was meant for the server of that name.
    let same_name = session.is_of_same_name(hello.extensions.server_name);
    let same_suite = same_name && session.suite == chosen.suite.suite;
    let skew = i128::from(age_skew).unsigned_abs();
    if !within_limit || !same_suite || session.guard.is_none() {
        Wish::Impossible(EarlyDataRejection::UnsupportedForSession)
    } else if session.alpn != chosen.alpn {
        Wish::Impossible(EarlyDataRejection::Alpn)
    } else if skew > config.max_age_skew.as_millis() {
        Wish::Impossible(EarlyDataRejection::TicketAge)
    } else {
        Wish::Possible
    }
}

/// What early data is read with.
#[derive(Debug)]
pub(super) struct Keys {
    traffic: Secret,
    exporter: Option<Secret>,
    limit: u32,
}

impl Keys {
    /// The keys of early data that is taken. The transcript is that of the ClientHello.
    pub(super) fn new(chosen: &mut Chosen, early: &EarlySecret, limit: u32, out: &mut Out) -> Result<Self> {
        let client_hello = chosen.transcript.current();
        let traffic = early.client_traffic(&client_hello)?;
        out.key_log(key_log::CLIENT_EARLY_TRAFFIC_SECRET, &traffic);
        let exporter = match chosen.config.common.exporter {
            true => Some(early.exporter(&client_hello)?),
            false => None,
        };
        if let Some(exporter) = &exporter {
            out.key_log(key_log::EARLY_EXPORTER_SECRET, exporter);
        }
        Ok(Self { traffic, exporter, limit })
    }

    /// Reads early data from here on. An alert in the clear comes from a client that could not read our hello; after
    /// the first record of early data there can be none.
    pub(super) fn install(self, suite: CipherSuite, out: &mut Out) {
        out.early_data(EarlyData::Accepted { exporter: self.exporter });
        out.keys(Level::Early, Direction::Read, suite, self.traffic);
        out.read(ReadMode {
            change_cipher_spec: ChangeCipherSpec::Drop,
            application_data: ApplicationData::Early { limit: self.limit },
            plaintext_alert: true,
            max_message: defaults::MAX_SHORT_MESSAGE,
        });
    }
}

impl Connection {
    /// All early data has come (RFC 9846 section 4.6): what follows is under the client's handshake key.
    pub(super) fn end_of_early_data(
        mut self: Box<Self>,
        client: Client,
        message: Incoming<'_>,
        out: &mut Out,
    ) -> Result<State> {
        let due = "EndOfEarlyData";
        let body = message.expect(HandshakeType::END_OF_EARLY_DATA, Level::Early, due)?;
        end_of_early_data::parse(body)?;
        self.transcript.add(message.encoded());
        out.keys(Level::Handshake, Direction::Read, self.suite.suite, self.client.duplicate());
        out.read(ReadMode {
            change_cipher_spec: ChangeCipherSpec::Drop,
            application_data: ApplicationData::Refuse,
            plaintext_alert: false,
            max_message: defaults::MAX_SHORT_MESSAGE,
        });
        Ok(State::Finished(self, client))
    }
}
