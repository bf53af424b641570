//! `oxtls connect`: a session with a server, piped to standard input and output.

mod dial;
mod help;
mod options;
mod trust;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use oxtls::{AlertDescription, ClientConfig, ClientConnection, Decision, Info};
use oxtls_std::{Stream, tls_error};

use crate::chain;
use crate::duplex;
use crate::exit::{Exit, Failure};
use crate::handshake::{self, facts, table};
use crate::input::{AtEnd, Input};
use crate::key_log::KeyLog;
use crate::terminal::{Console, line, print};
use crate::transport::Transport;
use options::Options;
use trust::{Judge, Verdict};

type Session = Stream<oxtls::Client, Transport>;

/// Runs the command with the rest of its arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<(), Failure> {
    let Some(options) = Options::parse(arguments)? else {
        return Ok(print(&[help::HELP, crate::exit::TABLE])?);
    };
    // What is wrong with the options and files is said before anybody is called.
    let mut judge = Judge::new(&options)?;
    let key_log = options.key_log.as_deref().map(KeyLog::open).transpose()?;
    let connection = ClientConnection::new(&config(&options)?, options.name.clone())?;

    let until = Instant::now().checked_add(options.timeout);
    let (socket, address) = dial::dial(&options.target, options.family, until)?;
    let mut transport = Transport::new(socket, Arc::new(AtomicBool::new(false))).map_err(Failure::failed)?;
    transport.set_deadline(until).map_err(Failure::failed)?;

    let mut session = Stream::new(connection, transport);
    let started = Instant::now();
    let shaken = handshake::complete(&mut session, |connection, need| judge.decide(connection, need));
    if let Some(key_log) = &key_log {
        key_log.write(&session.connection_mut().take_key_log())?;
    }
    shaken.map_err(|error| refused(&error, &options))?;
    let info =
        session.connection_mut().take_info().ok_or_else(|| Failure::failed("no handshake was done"))?;
    report(&options, &info, judge.into_verdict(), address, started.elapsed());
    pipe(session, &options)
}

fn config(options: &Options) -> Result<ClientConfig, Failure> {
    let mut builder = ClientConfig::builder()
        .ask(&[Decision::VerifyPeer])
        .alpn(&options.alpn)
        .send_server_name(options.send_server_name)
        .handshake_timeout(options.timeout)
        .key_log(options.key_log.is_some())
        .exporter(false);
    if let Some((lowest, highest)) = options.versions.range() {
        builder = builder.versions(lowest, highest);
    }
    if let Some(suites) = &options.suites {
        builder = builder.suites(suites);
    }
    if let Some(groups) = &options.groups {
        builder = builder.groups(groups);
    }
    if let Some(key_shares) = &options.key_shares {
        builder = builder.key_shares(key_shares.clone());
    }
    for credential in options.credentials.load()? {
        builder = builder.credential(credential);
    }
    Ok(builder.build()?)
}

/// Why the handshake failed, with the whole story of a certificate if it is wanted.
fn refused(error: &io::Error, options: &Options) -> Failure {
    let mut failure = Failure::of_stream(error, true);
    match tls_error(error).and_then(oxtls::Error::certificate_report) {
        Some(report) if options.show_chain => {
            failure.message.push_str("\n\n");
            failure.message.push_str(&report.tree());
        }
        Some(_) => failure.message.push_str("\n(--show-chain tells the whole story)"),
        None => {}
    }
    failure
}

/// What was agreed, on standard error.
fn report(options: &Options, info: &Info, verdict: Option<Verdict>, address: SocketAddr, took: Duration) {
    let console = Console::new(options.quiet);
    let sent = info.peer_certificates();
    let (server, chain) = match verdict {
        Some(Verdict::Verified(path)) => {
            let server =
                format!("{}, verified by {}", chain::who(path.identity()), line(path.anchor().subject()));
            (server, chain::verified(sent, &path))
        }
        Some(Verdict::Anyone) | None => ("NOT VERIFIED".to_owned(), chain::unverified(sent)),
    };
    let mut facts = facts(info, took);
    facts.insert(0, ("server", server));
    console.say(format_args!("oxtls: connected to {} ({address})\n{}", line(&options.target), table(&facts)));
    if options.show_chain {
        crate::terminal::complain(chain);
    }
}

/// Standard input to the server, what the server sends to standard output.
fn pipe(mut session: Session, options: &Options) -> Result<(), Failure> {
    session.transport_mut().set_deadline(None).map_err(Failure::failed)?;
    let input = Input::new(if options.keep_open { AtEnd::StayOpen } else { AtEnd::Close });
    let mut attached = Ok(());
    let ended = duplex::run(session, |outbox| attached = input.attach(outbox), &mut io::stdout().lock())?;
    attached?;
    ended.result.map_err(|failure| advise(failure, options))?;
    Console::new(options.quiet)
        .say(format_args!("oxtls: closed in order; {} bytes sent, {} received", ended.sent, ended.received));
    Ok(())
}

/// In TLS 1.3 a server says what it thinks of the client's certificate after the client's handshake is done.
fn advise(mut failure: Failure, options: &Options) -> Failure {
    let required = AlertDescription::CERTIFICATE_REQUIRED.name();
    if failure.exit == Exit::Broken && failure.message.contains(required) && options.credentials.is_empty() {
        failure.message.push_str(" (--cert FILE --key FILE)");
    }
    failure
}
