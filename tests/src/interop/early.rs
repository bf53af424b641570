//! Early data of a scenario: what each role does with it, and what must become of it.

use std::io::{Read, Write};

use oxtls::EarlyDataRejection;
use oxtls_std::Stream;

use super::Error;
use super::spec::Obstacle;
use super::tap::Tap;

/// Most bytes of early data that servers take.
pub(super) const MOST: u32 = 16_384;

/// A role of ours in a scenario.
pub(super) trait Plays: oxtls::Role + Sized {
    /// Before the handshake is done: a client sends `data` early, a server returns what comes early.
    fn early(stream: &mut Stream<Self, Tap>, data: &[u8]) -> Result<Vec<u8>, Error>;
}

impl Plays for oxtls::Client {
    fn early(stream: &mut Stream<Self, Tap>, data: &[u8]) -> Result<Vec<u8>, Error> {
        let mut early = stream.early_data().ok_or("the session allows no early data")?;
        early.write_all(data)?;
        early.flush()?;
        Ok(Vec::new())
    }
}

impl Plays for oxtls::Server {
    fn early(stream: &mut Stream<Self, Tap>, _: &[u8]) -> Result<Vec<u8>, Error> {
        let mut arrived = Vec::new();
        stream.early_data().read_to_end(&mut arrived)?;
        Ok(arrived)
    }
}

impl Obstacle {
    /// What our server says of it. A client cannot tell all of them apart.
    pub(super) fn reason(self) -> EarlyDataRejection {
        match self {
            Self::Retry => EarlyDataRejection::HelloRetryRequest,
            Self::Protocol(_) => EarlyDataRejection::Alpn,
            Self::NoGuard => EarlyDataRejection::Disabled,
            Self::Replayed => EarlyDataRejection::Replay,
        }
    }
}
