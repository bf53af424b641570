//! A session in both directions at once: one thread sends what comes in here, another receives what the peer sends.
//!
//! Either side may end first. The peer's close_notify ends receiving; sending goes on as long as the transport is up
//! and there is something to wait for.

mod ending;
mod receiving;
mod sending;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use oxtls::{ClientSession, Connection, Role};
use oxtls_std::Stream;

use crate::exit::{Exit, Failure};
use crate::terminal::OutputError;
use crate::transport::Transport;

pub(crate) use receiving::Stop;
pub(crate) use sending::Outbox;

use receiving::Receiving;
use sending::{Sending, Sent};

/// How long the sending thread may take for its last words after receiving has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a session came to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Bytes of data from the peer.
    pub(crate) received: u64,
    /// Bytes of data to the peer.
    pub(crate) sent: u64,
    /// Whether it ended in order.
    pub(crate) result: Result<(), Failure>,
}

/// Runs a session whose handshake is done until both sides have closed. `attach` is given the outbox: what is put
/// there is sent. What the peer sends is written to `out`.
pub(crate) fn run<R: Role>(
    stream: Stream<R, Transport>,
    attach: impl FnOnce(Outbox),
    out: &mut dyn Write,
) -> Result<Ended, Failure> {
    run_and_keep(stream, attach, out, &mut drop)
}

/// The same at a client that keeps the sessions that the server gives: `keep` gets each.
pub(crate) fn run_and_keep<R: Role>(
    stream: Stream<R, Transport>,
    attach: impl FnOnce(Outbox),
    out: &mut dyn Write,
    keep: &mut dyn FnMut(ClientSession),
) -> Result<Ended, Failure> {
    let (connection, transport, unread) = stream.into_parts();
    let (sender, receiver) = connection.split().map_err(not_ready)?;
    let clone = transport.try_clone().map_err(Failure::failed)?;
    let (outbox, orders) = sending::outbox();
    let (report, reported) = mpsc::channel();
    let sending = Sending::new(sender, clone, outbox.state());
    let thread = thread::Builder::new().name("sending".into()).spawn(move || {
        let _ = report.send(sending.run(&orders));
    });
    thread.map_err(|error| Failure::failed(format_args!("no thread to send with: {error}")))?;
    attach(outbox.clone());

    let mut receiving = Receiving::new(receiver, transport, unread);
    let stopped = receiving.run(&outbox, out, keep);
    if matches!(stopped, Stop::Closed) {
        let (transport, input) = receiving.parts();
        ending::wait(&outbox.state(), transport, input);
    }
    outbox.end_if_room();
    let sent = reported.recv_timeout(PATIENCE).or_else(|_| {
        // It is stuck in writing to a peer that takes nothing: the transport's end sets it free.
        receiving.transport().shut();
        reported.recv_timeout(PATIENCE)
    });
    let sent = sent.unwrap_or_else(|_| Sent { bytes: 0, lost: Some(io::ErrorKind::TimedOut.into()) });
    let received = receiving.received();
    receiving.into_transport().finish();
    Ok(Ended { received, sent: sent.bytes, result: judge(stopped, sent) })
}

/// What both ends together come to. The peer's own word counts most.
fn judge(stopped: Stop, sent: Sent) -> Result<(), Failure> {
    match (stopped, sent.lost) {
        (Stop::Tls(error), _) => Err(Failure::of_session(&error, false)),
        (Stop::Transport(error), _) => {
            Err(Failure::new(Exit::Broken, format_args!("the transport failed: {error}")))
        }
        (Stop::Output(error), _) => Err(OutputError(error).into()),
        (Stop::Closed, Some(lost)) => Err(Failure::new(
            Exit::Broken,
            format_args!("the peer closed before it took all that was to be sent: {lost}"),
        )),
        (Stop::Closed | Stop::Told, _) => Ok(()),
    }
}

fn not_ready<R: Role>(_: Connection<R>) -> Failure {
    Failure::new(Exit::Broken, "the connection failed right after its handshake")
}

/// What went wrong with sending.
type Lost = io::Error;
