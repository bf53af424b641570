//! `oxtls connect`: a session with a server, piped to standard input and output.

mod dial;
mod early;
mod help;
mod options;
mod session;
mod trust;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use oxtls::{AlertDescription, ClientConfig, ClientConfigBuilder, ClientConnection, Decision, Info};
use oxtls_std::{Stream, tls_error};

use crate::chain;
use crate::duplex;
use crate::exit::{Exit, Failure};
use crate::handshake::{self, facts, table};
use crate::input::{AtEnd, Input};
use crate::key_log::KeyLog;
use crate::terminal::{Console, line, print};
use crate::transport::Transport;
use early::Ahead;
use options::Options;
use session::SessionFile;
use trust::{Judge, Verdict};

type Session = Stream<oxtls::Client, Transport>;

/// Runs the command with the rest of its arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<(), Failure> {
    let Some(options) = Options::parse(arguments)? else {
        return Ok(print(&[help::HELP, crate::exit::TABLE])?);
    };
    // What is wrong with the options and files is said before anybody is called.
    let mut judge = Judge::new(&options)?;
    let key_log = options.protocol.key_log.as_deref().map(KeyLog::open).transpose()?;
    let mut ahead = Ahead::read(&options)?;
    let config = builder(&options)?.ask(&[Decision::VerifyPeer]).build()?;
    let (mut kept, connection) = match &options.session {
        Some(path) => {
            let (file, connection) = SessionFile::open(path, &options, &config, &judge)?;
            (Some(file), connection)
        }
        None => (None, ClientConnection::new(&config, options.name.clone())?),
    };

    let until = Instant::now().checked_add(options.protocol.timeout);
    let (socket, address) = dial::dial(&options.target, options.family, until)?;
    let mut transport = Transport::new(socket, Arc::new(AtomicBool::new(false))).map_err(Failure::failed)?;
    transport.set_deadline(until).map_err(Failure::failed)?;
    kept.as_ref().map_or(Ok(()), SessionFile::offering)?;

    let mut session = Stream::new(connection, transport);
    let started = Instant::now();
    if let Some(ahead) = &ahead {
        ahead.send(&mut session);
    }
    let shaken = handshake::complete(&mut session, |connection, need| judge.decide(connection, need));
    if let Some(key_log) = &key_log {
        key_log.write(&session.connection_mut().take_key_log())?;
    }
    shaken.map_err(|error| refused(&error, &options, session.connection()))?;
    let took = started.elapsed();
    let info =
        session.connection_mut().take_info().ok_or_else(|| Failure::failed("no handshake was done"))?;
    // What was refused goes again, ahead of standard input.
    session.rejected_early_data();
    let early = ahead.as_mut().map(|ahead| ahead.settle(info.early_data(), kept.as_ref()));
    let verdict = judge.into_verdict(&info)?;
    let mut facts = facts(&info, took);
    facts.extend(early.map(|early| ("early data", early)));
    report(&options, &info, verdict, address, facts);
    let piped = pipe(session, &options, ahead, kept.as_mut());
    // What went wrong with the server counts more than what did with the file.
    piped.and(kept.map_or(Ok(()), SessionFile::into_result))
}

/// The configuration, but for who judges servers.
fn builder(options: &Options) -> Result<ClientConfigBuilder, Failure> {
    let mut builder = options.protocol.client(ClientConfig::builder());
    builder = builder.send_server_name(options.send_server_name);
    builder = match options.session {
        Some(_) => builder
            .hand_out_sessions()
            .tls12_tickets(options.tickets)
            .early_data(options.early_data.is_some()),
        None => builder.no_sessions(),
    };
    if let Some(key_shares) = &options.key_shares {
        builder = builder.key_shares(key_shares.clone());
    }
    for credential in options.protocol.credentials.load()? {
        builder = builder.credential(credential);
    }
    Ok(builder)
}

/// Why the handshake failed, with the whole story of a certificate if it is wanted.
fn refused(error: &io::Error, options: &Options, connection: &ClientConnection) -> Failure {
    let mut failure = Failure::of_stream(error, true);
    match tls_error(error).and_then(oxtls::Error::certificate_report) {
        Some(report) if options.show_chain => {
            failure.message.push_str("\n\n");
            failure.message.push_str(&report.tree());
        }
        Some(_) => failure.message.push_str("\n(--show-chain tells the whole story)"),
        None => {}
    }
    if let Some(doubt) = early::in_doubt(connection) {
        failure.message.push('\n');
        failure.message.push_str(&doubt);
    }
    failure
}

/// What was agreed, on standard error.
fn report(
    options: &Options,
    info: &Info,
    verdict: Option<Verdict>,
    address: SocketAddr,
    mut facts: Vec<(&'static str, String)>,
) {
    let console = Console::new(options.protocol.quiet);
    let sent = info.peer_certificates();
    let (server, chain) = match verdict {
        Some(Verdict::Verified(path)) => {
            let server =
                format!("{}, verified by {}", chain::who(path.identity()), line(path.anchor().subject()));
            (server, chain::verified(sent, &path))
        }
        Some(Verdict::Anyone) | None => ("NOT VERIFIED".to_owned(), chain::unverified(sent)),
    };
    facts.insert(0, ("server", server));
    console.say(format_args!("oxtls: connected to {} ({address})\n{}", line(&options.target), table(&facts)));
    if options.show_chain {
        crate::terminal::complain(chain);
    }
}

/// Standard input to the server, what the server sends to standard output, its sessions to their file. Ahead of
/// standard input goes what early data has left.
fn pipe(
    mut session: Session,
    options: &Options,
    ahead: Option<Ahead>,
    mut kept: Option<&mut SessionFile>,
) -> Result<(), Failure> {
    let mut keep = |session| {
        if let Some(kept) = &mut kept {
            kept.keep(&session);
        }
    };
    while let Some(session) = session.connection_mut().take_session() {
        keep(session);
    }
    session.transport_mut().set_deadline(None).map_err(Failure::failed)?;
    let input = Input::new(if options.keep_open { AtEnd::StayOpen } else { AtEnd::Close });
    let (early, rest) = ahead.map(Ahead::into_rest).unwrap_or_default();
    let mut attached = Ok(());
    let attach = |outbox: duplex::Outbox| {
        // A session that takes nothing any more says why when it ends.
        let _ = rest.is_empty() || outbox.data(rest).is_ok();
        attached = input.attach(outbox);
    };
    let ended = duplex::run_and_keep(session, attach, &mut io::stdout().lock(), &mut keep)?;
    attached?;
    ended.result.map_err(|failure| advise(failure, options))?;
    let sent = ended.sent.saturating_add(u64::try_from(early).unwrap_or(u64::MAX));
    Console::new(options.protocol.quiet)
        .say(format_args!("oxtls: closed in order; {sent} bytes sent, {} received", ended.received));
    Ok(())
}

/// In TLS 1.3 a server says what it thinks of the client's certificate after the client's handshake is done.
fn advise(mut failure: Failure, options: &Options) -> Failure {
    let required = AlertDescription::CERTIFICATE_REQUIRED.name();
    if failure.exit == Exit::Broken
        && failure.message.contains(required)
        && options.protocol.credentials.is_empty()
    {
        failure.message.push_str(" (--cert FILE --key FILE)");
    }
    failure
}
