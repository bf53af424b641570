//! Early data (0-RTT): taken, refused, bounded, and told apart from all other data.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

#[path = "../common/mod.rs"]
mod common;
mod exporters;
mod limits;
mod pieces;
mod refused;
mod replayed;
mod taken;

use std::time::Duration;

use common::{NAME, client_config, connect, drain, ends, feed, handshake, is_resumed, server_config};
use oxtls::handshake::session::Session;
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, ClientSession, Clock, ConfigError, Connection, Decision,
    EarlyDataRejection, EarlyDataStatus, ErrorKind, Event, NamedGroup, Need, ProtocolVersion, RecordError,
    ReplayGuard, Resumption, Role, SealError, ServerConfig, ServerConfigBuilder, ServerConnection,
    SessionStore, TicketKeys,
};

const LIMIT: u32 = 14_336;

fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}

fn guard() -> ReplayGuard {
    ReplayGuard::new(1000).unwrap()
}

fn early_server(resumption: Resumption) -> ServerConfigBuilder {
    server_config().resumption(resumption.early_data(guard(), LIMIT))
}

fn early_client() -> ClientConfig {
    client_config().early_data(true).build().unwrap()
}

/// What a server received, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Got {
    early: Vec<u8>,
    data: Vec<u8>,
    done: bool,
    /// The handshake was done before the first early data, which must never be.
    early_after_done: bool,
}

fn take<R: Role>(connection: &mut Connection<R>, bytes: &[u8], got: &mut Got) -> Result<(), oxtls::Error> {
    let mut input = bytes.to_vec();
    while !input.is_empty() {
        let progress = connection.feed(&mut input)?;
        match progress.event {
            Some(Event::EarlyData(range)) => {
                got.early_after_done |= got.done;
                got.early.extend_from_slice(&input[range]);
            }
            Some(Event::Data(range)) => got.data.extend_from_slice(&input[range]),
            Some(Event::HandshakeDone) => got.done = true,
            _ => assert_ne!(progress.consumed, 0),
        }
        input.drain(..progress.consumed);
    }
    Ok(())
}

/// Seals early data, as much as is taken, behind what waits to be sent.
fn seal_early(client: &mut ClientConnection, data: &[u8]) -> (usize, Vec<u8>) {
    let (mut taken, mut out) = (0, Vec::new());
    let mut window = vec![0; 20_000];
    while taken < data.len() {
        match client.seal_early(&data[taken..], &mut window) {
            Ok(sealed) => {
                taken += sealed.taken;
                out.extend_from_slice(&window[..sealed.written]);
            }
            Err(SealError::NoEarlyData) => break,
            Err(error) => panic!("{error}"),
        }
    }
    (taken, out)
}

/// A connection whose client sends `data` early; what the server got, and both ends.
fn send_early(
    client: &ClientConfig,
    server: &ServerConfig,
    data: &[u8],
) -> (Got, ClientConnection, ServerConnection) {
    let (mut client, mut server) = ends(client, server);
    let (_, flight) = seal_early(&mut client, data);
    let mut got = Got::default();
    take(&mut server, &flight, &mut got).unwrap();
    for _ in 0..5 {
        let bytes = drain(&mut server);
        feed(&mut client, &bytes).unwrap();
        let bytes = drain(&mut client);
        take(&mut server, &bytes, &mut got).unwrap();
    }
    assert!(!client.is_handshaking() && !server.is_handshaking() && !got.early_after_done);
    (got, client, server)
}

fn accepted(bytes: usize) -> EarlyDataStatus {
    EarlyDataStatus::Accepted { bytes: u32::try_from(bytes).unwrap() }
}

#[track_caller]
fn assert_rejected(got: &Got, client: &ClientConnection, bytes: usize) {
    assert_eq!(got.early, b"");
    let bytes = u32::try_from(bytes).unwrap();
    let status = client.early_data();
    assert!(matches!(status, EarlyDataStatus::Rejected { bytes: b, .. } if b == bytes), "{status:?}");
}
