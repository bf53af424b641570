//! Driving a handshake to its end, and the facts that it settles.

use std::io::{self, ErrorKind};
use std::time::Duration;

use oxtls::{Connection, HandshakeError, Info, Need, ProtocolVersion, Role};
use oxtls_std::{NeedWaits, Stream};

use crate::terminal::line;
use crate::transport::Transport;

/// Completes the handshake. `decide` answers what the configuration leaves to us, or refuses.
pub(crate) fn complete<R: Role>(
    stream: &mut Stream<R, Transport>,
    mut decide: impl FnMut(&mut Connection<R>, Need) -> Result<(), oxtls::Error>,
) -> io::Result<()> {
    loop {
        match stream.handshake() {
            Ok(()) => return Ok(()),
            Err(error) if waits(&error) => {
                let Some(need) = stream.take_need() else { return Err(error) };
                if let Err(error) = decide(stream.connection_mut(), need) {
                    return Err(refused(stream, error));
                }
            }
            // The connection keeps the deadline itself; the transport may be a moment ahead of it.
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
                    && stream.connection().is_handshaking() =>
            {
                if stream.transport().is_stopped() {
                    let error = stream.connection_mut().abort(HandshakeError::Canceled);
                    return Err(refused(stream, error));
                }
            }
            Err(error) => return Err(error),
        }
    }
}

fn waits(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NeedWaits>())
}

/// Sends the alert that goes with the error, as far as the transport takes it.
fn refused<R: Role>(stream: &mut Stream<R, Transport>, error: oxtls::Error) -> io::Error {
    let _ = io::Write::flush(stream);
    io::Error::new(ErrorKind::InvalidData, error)
}

/// What was negotiated, for people: labels and values without anything that steers a terminal.
pub(crate) fn facts(info: &Info, took: Duration) -> Vec<(&'static str, String)> {
    let mut facts = vec![("protocol", format!("{}, {}", info.version(), info.suite()))];
    if let Some(group) = info.group() {
        let kind = if group.is_post_quantum() { " (post-quantum hybrid)" } else { "" };
        facts.push(("key exchange", format!("{group}{kind}")));
    }
    if let Some(scheme) = info.peer_signature_scheme() {
        facts.push(("peer signed with", scheme.to_string()));
    }
    if let Some(scheme) = info.signature_scheme() {
        facts.push(("we signed with", scheme.to_string()));
    }
    if let Some(name) = info.server_name() {
        facts.push(("server name (SNI)", line(name)));
    }
    facts.push(("ALPN", info.alpn().map_or_else(|| "none".to_owned(), protocol)));
    let resumed = if info.is_resumed() { ", session resumed" } else { "" };
    facts.push(("handshake", format!("{} ({}{resumed})", milliseconds(took), round_trips(info))));
    facts
}

/// What a client waits before it may send.
fn round_trips(info: &Info) -> &'static str {
    if info.hello_retry_request() {
        "two round trips: HelloRetryRequest"
    } else if info.version() == ProtocolVersion::TLS1_2 && !info.is_resumed() {
        "two round trips, as always in TLS 1.2"
    } else {
        "one round trip"
    }
}

/// An application protocol's name.
pub(crate) fn protocol(name: &[u8]) -> String {
    line(String::from_utf8_lossy(name))
}

/// A duration as people read it.
pub(crate) fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}

/// Lines of labels and values, aligned.
pub(crate) fn table(facts: &[(&'static str, String)]) -> String {
    let lines: Vec<_> = facts.iter().map(|(label, value)| format!("  {label:<18} {value}")).collect();
    lines.join("\n")
}
