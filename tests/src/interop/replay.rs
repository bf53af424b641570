//! What a server makes of early data that comes a second time.

use std::io::{self, Cursor, Read, Write};

use oxtls::{EarlyDataRejection, EarlyDataStatus, ServerConfig, ServerConnection};
use oxtls_std::Stream;

use super::Error;
use super::check::same_bytes;
use super::tap::Tap;

/// What `stream` has received of its client, if it took early data of it, comes in again, byte for byte: nothing of it
/// reaches the user, and the guard is why.
pub(super) fn replay(stream: &Stream<oxtls::Server, Tap>, config: &ServerConfig) -> Result<(), Error> {
    if !matches!(stream.connection().early_data(), EarlyDataStatus::Accepted { .. }) {
        return Ok(());
    }
    let recorded = stream.transport().recording.received.clone();
    let mut server = Stream::new(ServerConnection::new(config), Replayed(Cursor::new(recorded)));
    let mut arrived = Vec::new();
    // The recorded Finished is of another handshake.
    let ended = server.early_data().read_to_end(&mut arrived);
    same_bytes("early data of a replay", &[], &arrived)?;
    let status = server.connection().early_data();
    match status {
        EarlyDataStatus::Rejected { reason: EarlyDataRejection::Replay, .. } => Ok(()),
        _ => Err(format!("a replay of early data came to {status:?}, {ended:?}").into()),
    }
}

/// Bytes of an earlier connection; what is sent goes nowhere.
struct Replayed(Cursor<Vec<u8>>);

impl Read for Replayed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Replayed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
