//! One client, from its first byte to its end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use oxtls::{Info, Server, ServerConnection};
use oxtls_std::Stream;

use super::options::Mode;
use super::{Context, www};
use crate::chain;
use crate::duplex;
use crate::early;
use crate::exit::Failure;
use crate::handshake::{self, facts, milliseconds, protocol};
use crate::terminal::{OutputError, line};
use crate::transport::Transport;

pub(super) type Session = Stream<Server, Transport>;

/// What an echo holds at once, bytes: a record.
const ECHO: usize = 16 * 1024;

/// Serves a client. What went wrong is the caller's to tell.
pub(super) fn run(context: &Context, socket: TcpStream, number: u64) -> Result<(), Failure> {
    let peer =
        socket.peer_addr().map_or_else(|_| "somebody who has gone".to_owned(), |peer| peer.to_string());
    let mut transport = Transport::new(socket, context.stop.flag()).map_err(Failure::failed)?;
    let started = Instant::now();
    transport.set_deadline(started.checked_add(context.timeout)).map_err(Failure::failed)?;
    let mut session = Stream::new(ServerConnection::new(&context.config), transport);

    let shaken =
        handshake::complete(&mut session, |connection, need| connection.answer_as_configured(need).map(drop));
    let logged = log_keys(context, &mut session);
    if let Err(error) = shaken {
        // The client is to hear of it before it sees the end.
        session.transport_mut().finish();
        return if context.stop.is_set() { Ok(()) } else { Err(failed(&error, &session)) };
    }
    logged?;
    let took = started.elapsed();
    let info =
        session.connection_mut().take_info().ok_or_else(|| Failure::failed("no handshake was done"))?;
    context.console.say(format_args!("oxtls: client {number}: {}", summary(&peer, &info, took)));

    // All of it is here. It is handed on behind the summary, which says that it may be a replay.
    let mut early = Vec::new();
    session.early_data().read_to_end(&mut early).map_err(|error| Failure::of_stream(&error, false))?;
    let (received, sent) = match context.mode {
        Mode::Pipe => pipe(context, session, &early),
        Mode::Echo => over_stream(context, session, |session| echo(session, &early)),
        Mode::Www => {
            let mut facts = facts(&info, took);
            facts.extend(early::received(info.early_data()).map(|early| ("early data", early)));
            let page = www::page(&peer, &facts, &client(&info));
            over_stream(context, session, |session| www::answer(session, &page, early))
        }
    }?;
    context
        .console
        .say(format_args!("oxtls: client {number}: closed in order; {received} bytes received, {sent} sent"));
    Ok(())
}

/// Why the handshake failed. Early data is handed on when it is done only: a replay never gets that far.
fn failed(error: &io::Error, session: &Session) -> Failure {
    let mut failure = Failure::of_stream(error, true);
    if let Some(early) = early::received(session.connection().early_data()) {
        failure.message.push_str("; ");
        failure.message.push_str(&early);
    }
    failure
}

fn log_keys(context: &Context, session: &mut Session) -> Result<(), Failure> {
    match &context.key_log {
        Some(key_log) => key_log.write(&session.connection_mut().take_key_log()),
        None => Ok(()),
    }
}

/// A session in one line.
fn summary(peer: &str, info: &Info, took: std::time::Duration) -> String {
    let group = info.group().map_or_else(|| "no group".to_owned(), |group| group.to_string());
    let alpn = info.alpn().map_or_else(|| "none".to_owned(), protocol);
    let name = info.server_name().map_or_else(|| "no name".to_owned(), line);
    let retry = if info.hello_retry_request() { " after a HelloRetryRequest" } else { "" };
    let resumed = if info.is_resumed() { ", resumed" } else { "" };
    let early = early::received(info.early_data()).map_or_else(String::new, |early| format!(", {early}"));
    format!(
        "{peer}: {}, {}, {group}{retry}{resumed}{early}; asks for {name}, ALPN {alpn}; it is {}; {}",
        info.version(),
        info.suite(),
        client(info),
        milliseconds(took)
    )
}

/// Who the client is.
pub(super) fn client(info: &Info) -> String {
    info.peer_identity().map_or_else(|| "anonymous".to_owned(), chain::who)
}

/// Standard input to the client, what it sends to standard output.
fn pipe(context: &Context, mut session: Session, early: &[u8]) -> Result<(u64, u64), Failure> {
    session.transport_mut().set_deadline(None).map_err(Failure::failed)?;
    let mut out = Out(io::stdout());
    out.write_all(early).and_then(|()| out.flush()).map_err(OutputError)?;
    let mut attached = Ok(());
    let ended = duplex::run(session, |outbox| attached = context.input.attach(outbox), &mut out);
    context.input.detach();
    attached?;
    let ended = ended?;
    ended.result?;
    Ok((ended.received.saturating_add(length(early.len())), ended.sent))
}

/// Standard output, locked for each write and not for a whole session.
struct Out(io::Stdout);

impl Write for Out {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A session in which one thread both reads and writes, with its goodbye.
fn over_stream(
    context: &Context,
    mut session: Session,
    work: impl FnOnce(&mut Session) -> io::Result<(u64, u64)>,
) -> Result<(u64, u64), Failure> {
    session.transport_mut().set_deadline(None).map_err(Failure::failed)?;
    let worked = match work(&mut session) {
        Err(error) if error.kind() == ErrorKind::WouldBlock && context.stop.is_set() => Ok((0, 0)),
        worked => worked,
    };
    if worked.is_ok() {
        // A client that has gone after its close_notify misses nothing.
        let _ = session.shutdown();
    }
    session.transport_mut().finish();
    worked.map_err(|error| Failure::of_stream(&error, false))
}

/// Sends everything back, early data first, until the client closes.
fn echo(session: &mut Session, early: &[u8]) -> io::Result<(u64, u64)> {
    let mut data = vec![0; ECHO];
    session.write_all(early)?;
    let mut echoed = length(early.len());
    loop {
        let len = session.read(&mut data)?;
        if len == 0 {
            return Ok((echoed, echoed));
        }
        session.write_all(data.get(..len).unwrap_or_default())?;
        echoed = echoed.saturating_add(length(len));
    }
}

fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
