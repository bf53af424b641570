//! The shim: one process a test, told what to do by flags, judged by its exit code and what it prints on stderr.
//!
//! Of TLS it uses the public API of `oxtls` and nothing else: what it cannot do, a user cannot do either.
#![forbid(unsafe_code)]

mod compression;
mod credentials;
mod encoding;
mod error_names;
mod exchange;
mod expect;
mod flags;
mod memory;
mod peer;
mod policies;
mod setup;
mod tickets;
mod trace;

use std::env;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flags::{Config, Configs, Refused};
use memory::Memory;
use oxtls::Clock;
use setup::Prepared;

/// The test needs what is not there yet: it counts as skipped.
const NOT_IMPLEMENTED: u8 = 89;

/// An invariant is broken: a failure even where a failure is expected.
const BROKEN: i32 = 90;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| broken(&format!("panic: {panic}"))));
    let arguments: Vec<Vec<u8>> = env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    // Asked once, before any test, by a runner that would split a handshake over two processes.
    if arguments.iter().any(|argument| argument == b"-is-handshaker-supported") {
        println!("No");
        return ExitCode::SUCCESS;
    }
    let configs = match Configs::parse(arguments) {
        Ok(configs) => configs,
        Err(Refused::NotImplemented(what)) => return not_implemented(&what),
        Err(Refused::Malformed(what)) => {
            eprintln!("bad command line: {what}");
            return ExitCode::FAILURE;
        }
    };
    match connect(&configs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(setup::Error::NotImplemented(what)) => not_implemented(&what),
        Err(setup::Error::Failed(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// All connections of a test, one after another.
fn connect(configs: &Configs) -> Result<(), setup::Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (clock, hand) = Clock::manual(now);
    let pass = |config: &Config| {
        hand.advance(Duration::from_secs(config.resumption_delay.unwrap_or_default().into()));
    };
    if [&configs.initial, &configs.resume].iter().any(|config| config.listens()) {
        trace::listen();
    }
    let memory = Memory::new().map_err(setup::refused)?;
    let first = Prepared::new(&configs.initial, &configs.retry, &clock, &memory)?;
    let Some(later_ones) = configs.initial.resume_count.filter(|count| *count > 0) else {
        return first.connect(None, false).map(drop);
    };
    let later = Prepared::new(&configs.resume, &configs.retry, &clock, &memory)?;
    let mut session = first.connect(None, false)?;
    pass(first.config);
    for _ in 0..later_ones {
        let offered = session.as_ref().and_then(memory::copy);
        if let Some(newer) = later.connect(offered, true)? {
            session = Some(newer);
        }
        pass(later.config);
    }
    Ok(())
}

fn not_implemented(what: &str) -> ExitCode {
    eprintln!("not implemented: {what}");
    ExitCode::from(NOT_IMPLEMENTED)
}

/// Ends the process as broken, whatever the test expected.
fn broken(what: &str) -> ! {
    eprintln!("{what}");
    std::process::exit(BROKEN)
}
