//! What a server's flight needs of chance, drawn at once: a draw costs the same whatever its size.

use oxtls_crypto::key_exchange::Seed;
use oxtls_crypto::random;
use zeroize::Zeroizing;

use crate::config::{Common, Randomness};
use crate::error::Error;

/// The random values of one handshake.
#[derive(Debug)]
pub(super) struct Drawn {
    /// For ServerHello.random.
    pub(super) random: [u8; 32],
    /// For the name of a TLS 1.2 session.
    pub(super) session_id: [u8; 32],
    /// For our key share. None where a recorded handshake is replayed, which has keys of its own or takes fresh ones.
    pub(super) seed: Option<Seed>,
}

impl Drawn {
    pub(super) fn new(common: &Common) -> Result<Self, Error> {
        if let Randomness::Recorded(recorded) = &common.randomness {
            return Ok(Self { random: recorded.random, session_id: [0; 32], seed: None });
        }
        let mut drawn = Zeroizing::new([[0; 32]; 3]);
        random::fill(drawn.as_flattened_mut()).map_err(Error::Crypto)?;
        let [random, session_id, seed] = &*drawn;
        Ok(Self { random: *random, session_id: *session_id, seed: Some(Seed::new(seed)) })
    }
}
