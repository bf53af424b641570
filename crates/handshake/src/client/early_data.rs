//! 0-RTT at a client (RFC 9846 sections 2.3 and 4.3.10): data under the session's key behind the ClientHello, before the
//! server has said a word.
//!
//! Until the server says whether it takes the data, the write key is that of early data, as the server may be reading
//! under it: alerts too must be readable. Every way of saying no takes the key away.

use crate::client::psk::OfferedPsk;
use crate::config::Told;
use crate::error::Error;
use crate::key_schedule::key_log;
use crate::machine::Out;
use crate::step::{self, Direction, EarlyDataRejection, Level};

/// What became of early data so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EarlyData {
    /// None was offered, or it was refused.
    None,
    /// The server has not said.
    Offered,
    /// The server reads it, until EndOfEarlyData.
    Accepted,
}

/// Whether early data goes with this session: it was allowed any, to the server of this name, and the protocol that it
/// would be in is still offered (RFC 9846 section 4.3.10: early data is in the session's protocol, whatever is negotiated).
pub(super) fn is_possible(config: &Told, psk: &OfferedPsk) -> bool {
    config.all().early_data
        && psk.session().is_some_and(|session| {
            let offered = |protocol: &Vec<u8>| config.common().alpn.contains(protocol);
            session.max_early_data > 0
                && session.is_of_same_name(config.server_name.as_deref())
                && session.alpn.as_ref().is_none_or(offered)
        })
}

/// Our hello is out and says that early data follows: from here on it may.
pub(super) fn begin(
    psk: &OfferedPsk,
    hello: &[u8],
    exporter: bool,
    out: &mut Out,
) -> Result<EarlyData, Error> {
    let client_hello = psk.suite.hash.digest(hello);
    let secret = psk.secret.client_traffic(&client_hello)?;
    out.key_log(key_log::CLIENT_EARLY_TRAFFIC_SECRET, &secret);
    let exporter = if exporter { Some(psk.secret.exporter(&client_hello)?) } else { None };
    if let Some(exporter) = &exporter {
        out.key_log(key_log::EARLY_EXPORTER_SECRET, exporter);
    }
    out.compatibility_change_cipher_spec();
    out.keys(Level::Early, Direction::Write, psk.suite.suite, secret);
    let limit = psk.session().map_or(0, |session| session.max_early_data);
    out.early_data(step::EarlyData::Offered { limit, exporter });
    Ok(EarlyData::Offered)
}

impl EarlyData {
    /// The server will not take it, for this reason. True if it was outstanding, so that the write key is gone.
    pub(super) fn reject(&mut self, reason: EarlyDataRejection, out: &mut Out) -> bool {
        let outstanding = *self == Self::Offered;
        if outstanding {
            *self = Self::None;
            out.early_data(step::EarlyData::Rejected(reason));
        }
        outstanding
    }

    /// The server takes it.
    pub(super) fn accept(&mut self, out: &mut Out) -> Result<(), Error> {
        if *self != Self::Offered {
            return Err(Error::IllegalParameter { what: "early_data without the session that it is of" });
        }
        *self = Self::Accepted;
        // The exporter was handed out when early data was offered.
        out.early_data(step::EarlyData::Accepted { exporter: None });
        Ok(())
    }
}
