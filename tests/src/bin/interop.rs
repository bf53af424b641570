//! Runs the interoperability scenarios: see `cargo xtask help`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use lexopt::{Arg, ValueExt};
use oxtls_tests::interop::{self, Peer, Selection};

fn main() -> ExitCode {
    match selection().and_then(|selection| interop::run(&selection)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("interop: {error}");
            ExitCode::from(2)
        }
    }
}

fn selection() -> Result<Selection, interop::Error> {
    let mut selection = Selection::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("quick") => selection.quick = true,
            Arg::Long("list") => selection.list = true,
            Arg::Long("record") => selection.record = true,
            Arg::Long("peer") => {
                let name = parser.value()?.string()?;
                let peer = Peer::named(&name).ok_or_else(|| format!("no such peer: {name}"))?;
                selection.peers.push(peer);
            }
            Arg::Value(word) => selection.words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(selection)
}
