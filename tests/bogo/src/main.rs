//! The shim: one process a test, told what to do by flags, judged by its exit code and what it prints on stderr.
//!
//! It uses the public API of `oxtls` and nothing else: what it cannot do, a user cannot do either.
#![forbid(unsafe_code)]

mod compression;
mod credentials;
mod encoding;
mod error_names;
mod exchange;
mod expect;
mod flags;
mod peer;
mod setup;

use std::env;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use exchange::Connection;
use flags::{Config, Configs, Refused};

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
    match connect(&configs.initial) {
        Ok(()) => ExitCode::SUCCESS,
        Err(setup::Error::NotImplemented(what)) => not_implemented(&what),
        Err(setup::Error::Failed(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// One connection, from its configuration to its end.
fn connect(config: &Config) -> Result<(), setup::Error> {
    let failed = |failure: exchange::Failure| setup::Error::Failed(failure.to_string());
    let ours = credentials::candidates(config)?;
    if config.server {
        let connection = setup::server(config, &ours)?;
        Connection::open(connection, config, ours).map_err(failed)?.run().map_err(failed)
    } else {
        let connection = setup::client(config, &ours)?;
        Connection::open(connection, config, ours).map_err(failed)?.run().map_err(failed)
    }
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
