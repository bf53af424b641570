//! The `oxtls` command.
#![forbid(unsafe_code)]

mod demo;

use std::process::ExitCode;

use lexopt::prelude::*;

const HELP: &str = "\
oxtls: TLS 1.3 from the command line

USAGE
    oxtls demo          real mutual-TLS sessions on loopback, with certificates made on the spot
    oxtls --help
    oxtls --version

EXIT CODES
    0   it worked
    1   it did not; standard error says why
    2   the command line was not understood
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(what)) => {
            eprintln!("oxtls: {what}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("oxtls: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why the command did not work.
enum Failure {
    Usage(String),
    Failed(Box<dyn std::error::Error>),
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

fn run() -> Result<(), Failure> {
    let mut arguments = lexopt::Parser::from_env();
    let Some(argument) = arguments.next()? else {
        return Err(Failure::Usage("no command given".into()));
    };
    match argument {
        Short('h') | Long("help") => {
            print!("{HELP}");
            Ok(())
        }
        Short('V') | Long("version") => {
            println!("oxtls {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Value(command) if command == "demo" => {
            if let Some(argument) = arguments.next()? {
                return Err(argument.unexpected().into());
            }
            demo::run().map_err(Failure::Failed)
        }
        Value(command) => Err(Failure::Usage(format!("there is no command {}", command.display()))),
        argument => Err(argument.unexpected().into()),
    }
}
