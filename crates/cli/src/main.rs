//! The `oxtls` command.
#![forbid(unsafe_code)]

mod arguments;
mod chain;
mod connect;
mod demo;
mod duplex;
mod early;
mod exit;
mod handshake;
mod input;
mod inspect;
mod key_log;
mod protocol;
mod serve;
mod terminal;
mod transport;

use std::process::ExitCode;

use lexopt::prelude::*;

use exit::{Exit, Failure};
use terminal::{complain, print};

const HELP: &str = "\
oxtls: TLS 1.3 and TLS 1.2 from the command line

USAGE
    oxtls connect HOST[:PORT]   a session with a server, piped to standard input and output
    oxtls serve                 a server to try clients with
    oxtls inspect CHAIN.pem     what a chain of certificates is, whether it holds, and if not, why
    oxtls demo                  real mutual-TLS sessions on loopback, with certificates made on the spot
    oxtls COMMAND --help        what a command can do, with examples
    oxtls --version

EXAMPLES
    oxtls connect --show-chain example.com </dev/null
    oxtls inspect --roots ca.pem --name localhost chain.pem
    oxtls serve --www --write-ca ca.pem &
    printf 'GET / HTTP/1.0\\r\\n\\r\\n' | oxtls connect --ca ca.pem localhost:4433

";

fn main() -> ExitCode {
    let Err(failure) = run() else { return ExitCode::SUCCESS };
    if !failure.message.is_empty() {
        complain(format_args!("oxtls: {failure}"));
    }
    if failure.exit == Exit::Usage {
        complain("(oxtls --help and oxtls COMMAND --help say what there is)");
    }
    ExitCode::from(failure.exit.code())
}

fn run() -> Result<(), Failure> {
    let mut arguments = lexopt::Parser::from_env();
    let Some(argument) = arguments.next()? else {
        return Err(Failure::usage("no command given"));
    };
    match argument {
        Short('h') | Long("help") => say(&[HELP, exit::TABLE]),
        Short('V') | Long("version") => say(&["oxtls ", env!("CARGO_PKG_VERSION"), "\n"]),
        Value(command) if command == "connect" => connect::run(arguments),
        Value(command) if command == "serve" => serve::run(arguments),
        Value(command) if command == "inspect" => inspect::run(arguments),
        Value(command) if command == "demo" => match arguments.next()? {
            None => demo::run().map_err(Failure::of_demo),
            Some(Short('h') | Long("help")) => say(&[demo::HELP, exit::TABLE]),
            Some(argument) => Err(argument.unexpected().into()),
        },
        Value(command) if command == "help" => say(&[HELP, exit::TABLE]),
        Value(command) => Err(Failure::usage(format_args!("there is no command {}", command.display()))),
        argument => Err(argument.unexpected().into()),
    }
}

fn say(parts: &[&str]) -> Result<(), Failure> {
    Ok(print(parts)?)
}
