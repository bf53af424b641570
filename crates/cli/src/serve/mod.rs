//! `oxtls serve`: a server to try clients with.

mod certificate;
mod gate;
mod help;
mod options;
mod session;
mod stop;
mod www;

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use oxtls::{ClientAuth, ReplayGuard, Resumption, Roots, ServerConfig};

use crate::exit::{Exit, Failure, TABLE};
use crate::input::{AtEnd, Input};
use crate::key_log::KeyLog;
use crate::terminal::{Console, complain, print};
use gate::Gate;
use options::{Mode, Options};
use stop::Stop;

/// How long sessions may take for their goodbye when the server is told to end.
const GOODBYE: Duration = Duration::from_secs(3);

/// How long to wait after the system refused a connection or a thread: out of file descriptors, most likely.
const BREATH: Duration = Duration::from_millis(100);

/// Hellos with early data that are remembered within the replay guard's window: more than that are refused it.
const REMEMBERED: usize = 100_000;

/// What every session of a server shares.
#[derive(Debug)]
struct Context {
    config: ServerConfig,
    mode: Mode,
    timeout: Duration,
    key_log: Option<KeyLog>,
    input: Input,
    console: Console,
    stop: Stop,
    /// What the first session that failed came to.
    first: Mutex<Option<Exit>>,
}

/// Runs the command with the rest of its arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<(), Failure> {
    let Some(options) = Options::parse(arguments)? else {
        return Ok(print(&[help::HELP, TABLE])?);
    };
    let console = Console::new(options.protocol.quiet);
    // Before --write-ca: who cannot listen must not overwrite the authority of the server that does.
    let listener = TcpListener::bind(options.listen).map_err(|error| {
        Failure::new(Exit::Unreachable, format_args!("cannot listen on {}: {error}", options.listen))
    })?;
    let config = config(&options, console)?;
    let key_log = options.protocol.key_log.as_deref().map(KeyLog::open).transpose()?;
    let address = listener.local_addr().map_err(Failure::failed)?;
    let context = Arc::new(Context {
        config,
        mode: options.mode,
        timeout: options.protocol.timeout,
        key_log,
        input: Input::new(AtEnd::CloseIfAny),
        console,
        stop: Stop::default(),
        first: Mutex::new(None),
    });
    context.stop.on_signals(address).map_err(Failure::failed)?;
    complain(format_args!("oxtls: listening on {address}"));
    accept(&listener, &context, &options);
    let first = *context.first.lock().unwrap_or_else(PoisonError::into_inner);
    match first.filter(|_| options.count.is_some()) {
        // It was told when it happened.
        Some(exit) => Err(Failure::new(exit, "")),
        None => Ok(()),
    }
}

fn config(options: &Options, console: Console) -> Result<ServerConfig, Failure> {
    let mut builder = options.protocol.server(ServerConfig::builder());
    if !options.client_cas.is_empty() {
        let mut roots = Roots::empty();
        for file in &options.client_cas {
            roots.add_pem_file(file).map_err(Failure::failed)?;
        }
        let roots = Arc::new(roots);
        let required = options.require_client_cert;
        builder = builder.client_auth(if required {
            ClientAuth::Required(roots)
        } else {
            ClientAuth::Optional(roots)
        });
    }
    let mut resumption = Resumption::default().tls12_tickets(options.tickets);
    if let Some(bytes) = options.early_data {
        resumption = resumption.early_data(ReplayGuard::new(REMEMBERED)?, bytes);
    }
    builder = builder.resumption(resumption);
    for credential in certificate::credentials(options, console)? {
        builder = builder.credential(credential);
    }
    Ok(builder.build()?)
}

/// Takes clients in until there were enough or the server is told to end, and waits for their sessions.
fn accept(listener: &TcpListener, context: &Arc<Context>, options: &Options) {
    // Standard input and output are for one client at a time.
    let gate = Gate::new(if options.mode == Mode::Pipe { 1 } else { options.max_clients });
    let mut number = 0;
    while options.count.is_none_or(|count| number < count) && !context.stop.is_set() {
        let place = gate.enter();
        if context.stop.is_set() {
            break;
        }
        let socket = match listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) => {
                complain(format_args!("oxtls: a client could not be taken in: {error}"));
                thread::sleep(BREATH);
                continue;
            }
        };
        if context.stop.is_set() {
            break;
        }
        number = number.saturating_add(1);
        start(socket, number, context, place);
    }
    if !context.stop.is_set() {
        // Clients enough; a signal may still end what they are up to.
        while !gate.wait_empty(Some(BREATH)) && !context.stop.is_set() {}
    }
    if context.stop.is_set() && !gate.wait_empty(Some(GOODBYE)) {
        complain("oxtls: some clients take nothing, not even a goodbye: left");
    }
}

/// Serves a client in a thread of its own.
fn start(socket: TcpStream, number: u64, context: &Arc<Context>, place: gate::Place) {
    let context = Arc::clone(context);
    let spawned = thread::Builder::new().name(format!("client {number}")).spawn(move || {
        context.stop.add(number, &socket);
        if let Err(failure) = session::run(&context, socket, number) {
            complain(format_args!("oxtls: client {number}: {failure}"));
            let mut first = context.first.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(failure.exit);
        }
        context.stop.remove(number);
        drop(place);
    });
    if let Err(error) = spawned {
        complain(format_args!("oxtls: client {number}: no thread to serve it with: {error}"));
        thread::sleep(BREATH);
    }
}
