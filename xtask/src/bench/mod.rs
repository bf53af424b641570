//! `cargo xtask bench`: our measurements, or ours beside other libraries in one run.

mod contender;
mod table;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use contender::Contender;
use lexopt::{Arg, ValueExt};
use table::Table;

use crate::run::{self, cargo};

/// The measurements of this workspace that print a table of ratios.
const OURS: [(&str, &[&str]); 3] = [("record", &["ratios"]), ("handshake", &[]), ("x509", &[])];

/// Which contenders there are, by the packages of `benches/peers`; ours is the first.
const CONTENDERS: [&str; 2] = ["ours", "rustls-0-23"];

/// What they are asked, by the driver's names, and how often in one round.
const HANDSHAKES: [(&str, usize); 7] = [
    ("tls13", 10),
    ("tls13-mutual", 10),
    ("tls13-hybrid", 10),
    ("tls13-rsa", 5),
    ("tls13-resumed", 20),
    ("tls12", 10),
    ("tls12-resumed", 20),
];
const BULK: [(&str, usize, usize); 5] = [
    ("tls13", 100, 2000),
    ("tls13", 1024, 1000),
    ("tls13", 16 * 1024, 200),
    ("tls13", 1024 * 1024, 4),
    ("tls12", 16 * 1024, 200),
];

/// What is asked on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    peers: bool,
    quick: bool,
    json: Option<PathBuf>,
}

/// Measures, and prints tables.
pub(crate) fn bench(rest: Vec<OsString>) -> Result<bool, run::Error> {
    let asked = Asked::parse(rest)?;
    if asked.peers { peers(&asked) } else { ours() }
}

impl Asked {
    fn parse(rest: Vec<OsString>) -> Result<Self, run::Error> {
        let mut asked = Self::default();
        let mut parser = lexopt::Parser::from_args(rest);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("peers") => asked.peers = true,
                Arg::Long("quick") => asked.quick = true,
                Arg::Long("json") => {
                    asked.json = Some(std::path::absolute(parser.value()?.parse::<PathBuf>()?)?)
                }
                other => return Err(other.unexpected().into()),
            }
        }
        if !asked.peers && (asked.quick || asked.json.is_some()) {
            return Err("--quick and --json go with --peers".into());
        }
        Ok(asked)
    }
}

fn ours() -> Result<bool, run::Error> {
    let mut good = true;
    for (name, arguments) in OURS {
        let mut command = cargo();
        command.args(["bench", "--quiet", "-p", "oxtls-benches", "--bench", name, "--"]).args(arguments);
        good &= run::succeeds(&mut command)?;
    }
    Ok(good)
}

/// Builds the contenders, and asks them in turns.
fn peers(asked: &Asked) -> Result<bool, run::Error> {
    let folder = PathBuf::from(run::root()).join("benches/peers");
    let build = PathBuf::from(run::root()).join("build/peers");
    let mut command = cargo();
    command.args(["build", "--release", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(&build);
    if !run::succeeds(&mut command)? {
        return Ok(false);
    }
    let certificates = build.join("certificates");
    fs::create_dir_all(&certificates)?;
    let program = |package: &str| build.join("release").join(package);
    if !run::succeeds(Command::new(program(CONTENDERS[0])).arg(&certificates).arg("--certificates"))? {
        return Ok(false);
    }
    let counter = build.join("malloc.so");
    let mut cc = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&counter).arg(folder.join("malloc.c"));
    if !run::succeeds(&mut cc)? {
        return Ok(false);
    }
    let start = |counted: bool| -> Result<Vec<Contender>, run::Error> {
        let counter = counted.then_some(counter.as_path());
        CONTENDERS.iter().map(|package| Contender::start(&program(package), &certificates, counter)).collect()
    };
    let rounds = if asked.quick { 11 } else { 101 };
    let tables = [
        handshakes(&mut start(false)?, rounds)?,
        bulk(&mut start(false)?, rounds)?,
        memory(&mut start(true)?)?,
    ];
    tables.iter().for_each(Table::print);
    if let Some(path) = &asked.json {
        fs::write(path, table::json(&tables))?;
    }
    Ok(true)
}

fn handshakes(contenders: &mut [Contender], rounds: usize) -> Result<Table, run::Error> {
    let mut table = Table::new("Handshakes: time as a multiple of ours", &["server", "client"], contenders);
    for (case, units) in HANDSHAKES {
        let question = format!("handshake {case} {units}");
        let times = contender::in_turns(contenders, &question, rounds)?;
        table.ratios(case, &times);
    }
    Ok(table)
}

fn bulk(contenders: &mut [Contender], rounds: usize) -> Result<Table, run::Error> {
    let mut table =
        Table::new("Bulk, AES-128-GCM: time as a multiple of ours", &["send", "receive"], contenders);
    for (case, size, units) in BULK {
        let question = format!("bulk {case} {size} {units}");
        let times = contender::in_turns(contenders, &question, rounds)?;
        table.ratios(&format!("{case}, writes of {size}"), &times);
    }
    Ok(table)
}

fn memory(contenders: &mut [Contender]) -> Result<Table, run::Error> {
    let columns = [
        "idle server",
        "idle client",
        "server after echo",
        "client after echo",
        "both at the handshake's peak",
        "allocations of both",
    ];
    let mut table =
        Table::new("Memory, bytes of a connection, C's allocations included", &columns, contenders);
    for case in ["tls13", "tls12"] {
        let times = contender::in_turns(contenders, &format!("memory {case} 1000"), 1)?;
        table.values(case, &times);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_understood_or_refused() {
        let parse = |words: &[&str]| Asked::parse(words.iter().map(OsString::from).collect());
        assert_eq!(parse(&[]).unwrap(), Asked::default());
        assert!(parse(&["--peers", "--quick"]).unwrap().quick);
        for wrong in [&["--quick"][..], &["--json", "x"], &["--fast"], &["word"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
