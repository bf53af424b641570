//! `cargo xtask bench`: our measurements, or ours beside other libraries in one run.

mod chart;
mod contender;
mod peers;
mod table;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use contender::{Contender, Patience, Progress};
use lexopt::{Arg, ValueExt};
use peers::{Built, PEERS};
use serde_json::json;
use table::{Row, Style, Table};

use crate::run::{self, cargo};

/// The measurements of this workspace that print a table of ratios.
const OURS: [(&str, &[&str]); 5] =
    [("record", &["ratios"]), ("messages", &[]), ("handshake", &[]), ("x509", &[]), ("memory", &[])];

/// A question by the driver's words, and what the row is called: handshakes with how many of them in a round. A round of
/// the fastest takes 20 to 30 ms, so that nobody's is over before its code is in the caches.
const HANDSHAKES: [(&str, usize, &str); 9] = [
    ("tls13", 100, "1.3 full: ECDSA P-256, X25519"),
    ("tls13-mutual", 50, "1.3 full, client certificate"),
    ("tls13-known", 100, "1.3 full, server's chain verified before"),
    ("tls13-mutual-known", 100, "1.3 full, both chains verified before"),
    ("tls13-hybrid", 80, "1.3 full, X25519MLKEM768"),
    ("tls13-rsa", 50, "1.3 full, RSA-2048"),
    ("tls13-resumed", 200, "1.3 resumed: ticket, psk_dhe_ke"),
    ("tls12", 100, "1.2 full: ECDSA P-256, X25519"),
    ("tls12-resumed", 1000, "1.2 resumed: ticket"),
];

/// The same of writes: the size of each, and how many in a round.
const BULK: [(&str, usize, usize, &str); 5] = [
    ("tls13", 100, 100_000, "1.3, writes of 100 B"),
    ("tls13", 1024, 64_000, "1.3, 1 KiB"),
    ("tls13", 16 * 1024, 8000, "1.3, 16 KiB"),
    ("tls13", 1024 * 1024, 100, "1.3, 1 MiB"),
    ("tls12", 16 * 1024, 8000, "1.2, 16 KiB"),
];

/// What is counted of a connection.
const MEMORY: [&str; 6] = [
    "idle server",
    "idle client",
    "server after 16 KiB each way",
    "client after 16 KiB each way",
    "both at the handshake's peak",
    "allocations of both in a handshake",
];
const HELD: [(&str, &str); 2] = [("tls13", "1.3"), ("tls12", "1.2")];

/// What is asked on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    peers: bool,
    quick: bool,
    require: bool,
    as_built: bool,
    wanted: Vec<String>,
    json: Option<PathBuf>,
    out: Option<PathBuf>,
}

/// Measures, and prints tables.
pub(crate) fn bench(rest: Vec<OsString>) -> Result<bool, run::Error> {
    let asked = Asked::parse(rest)?;
    if asked.peers { beside_peers(&asked) } else { ours() }
}

impl Asked {
    fn parse(rest: Vec<OsString>) -> Result<Self, run::Error> {
        let mut asked = Self::default();
        let mut parser = lexopt::Parser::from_args(rest);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("peers") => asked.peers = true,
                Arg::Long("quick") => asked.quick = true,
                Arg::Long("require-peers") => asked.require = true,
                Arg::Long("as-built") => asked.as_built = true,
                Arg::Long("peer") => asked.wanted.push(parser.value()?.parse()?),
                Arg::Long("json") => asked.json = Some(path(&mut parser)?),
                Arg::Long("out") => asked.out = Some(path(&mut parser)?),
                other => return Err(other.unexpected().into()),
            }
        }
        if !asked.peers && asked != Self::default() {
            return Err(
                "--quick, --json, --out, --peer, --as-built and --require-peers go with --peers".into()
            );
        }
        if let Some(unknown) =
            asked.wanted.iter().find(|name| PEERS.iter().all(|peer| peer.package != **name))
        {
            let known: Vec<_> = PEERS.iter().map(|peer| peer.package).collect();
            return Err(format!("no peer {unknown}; there are {}", known.join(", ")).into());
        }
        Ok(asked)
    }
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, run::Error> {
    Ok(std::path::absolute(parser.value()?.parse::<PathBuf>()?)?)
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
fn beside_peers(asked: &Asked) -> Result<bool, run::Error> {
    let Some(built) = peers::build(&asked.wanted, !asked.as_built)? else { return Ok(false) };
    for missing in &built.missing {
        eprintln!("NOT MEASURED: {missing}");
    }
    if !built.missing.is_empty() && (asked.require || run::in_ci()) {
        return Err("every peer is required, and some are missing".into());
    }
    let before = load();
    let tables = measure(&built, asked.quick)?;
    let conditions = conditions(&before, asked.quick);
    let mut text = format!("{conditions}\n");
    for missing in &built.missing {
        text.push_str(&format!("\nNot measured: {missing}.\n"));
    }
    for table in tables.iter().filter(|table| !table.slug.ends_with("times")) {
        text.push_str(&format!("\n{}", table.markdown()));
    }
    println!("{text}");
    let json = || {
        let tables: Vec<_> = tables.iter().map(Table::json).collect();
        json!({ "conditions": conditions, "missing": built.missing, "tables": tables })
    };
    if let Some(path) = &asked.json {
        fs::write(path, format!("{:#}\n", json()))?;
    }
    if let Some(folder) = &asked.out {
        write_all(folder, &tables, &text)?;
    }
    let measured = tables.first().map_or(0, |table| table.contenders.len());
    eprintln!("{measured} measured, {} not", built.missing.len());
    Ok(true)
}

/// The tables as text, and a picture of each.
fn write_all(folder: &Path, tables: &[Table], text: &str) -> Result<(), run::Error> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("tables.md"), text)?;
    for table in tables.iter().filter(|table| !table.slug.ends_with("times")) {
        fs::write(folder.join(format!("{}.svg", table.slug)), chart::svg(table))?;
    }
    eprintln!("written to {}", folder.display());
    Ok(())
}

fn measure(built: &Built, quick: bool) -> Result<Vec<Table>, run::Error> {
    let patience = match quick {
        true => Patience { rounds: 41, time: Duration::from_secs(6) },
        false => Patience { rounds: 121, time: Duration::from_secs(22) },
    };
    let questions = HANDSHAKES.len().saturating_add(BULK.len()).saturating_add(HELD.len());
    let progress = &mut Progress::new(questions);
    let mut contenders = built.start(false)?;
    let names: Vec<_> = contenders.iter().map(|contender| contender.name.clone()).collect();
    let (mut handshakes, mut bulk): (Vec<Row>, Vec<Row>) = (Vec::new(), Vec::new());
    for (case, units, name) in HANDSHAKES {
        let question = format!("handshake {case} {units}");
        let answers = contender::in_turns(&mut contenders, &question, patience, progress)?;
        handshakes.push((name.to_owned(), each(answers, units)));
    }
    for (case, size, units, name) in BULK {
        let question = format!("bulk {case} {size} {units}");
        let answers = contender::in_turns(&mut contenders, &question, patience, progress)?;
        bulk.push((name.to_owned(), each(answers, units)));
    }
    drop(contenders);
    let memory = held(&mut built.start(true)?, quick, progress)?;
    Ok(tables(&names, &handshakes, &bulk, memory, built.has_limit()))
}

/// From times of all units of a round to those of one.
fn each(mut answers: Vec<contender::Rounds>, units: usize) -> Vec<contender::Rounds> {
    let units = f64::from(u32::try_from(units).unwrap_or(u32::MAX));
    let numbers = answers.iter_mut().filter_map(|rounds| rounds.as_mut().ok()).flatten().flatten();
    numbers.for_each(|number| *number /= units);
    answers
}

fn held(contenders: &mut [Contender], quick: bool, progress: &mut Progress) -> Result<Table, run::Error> {
    let count = if quick { 200 } else { 1000 };
    let mut rows = Vec::new();
    for (case, name) in HELD {
        let question = format!("memory {case} {count}");
        rows.push((name.to_owned(), contender::once(contenders, &question, progress)?));
    }
    let names: Vec<_> = contenders.iter().map(|contender| contender.name.clone()).collect();
    let title = "Memory: bytes and allocations of a connection, C's included";
    Ok(Table::new("memory", title, &MEMORY, &names).values(&rows))
}

fn tables(names: &[String], handshakes: &[Row], bulk: &[Row], memory: Table, limit: bool) -> Vec<Table> {
    let (ends, ways) = (["server", "client"], ["send", "receive"]);
    let last = names.len().saturating_sub(1);
    let ours = "time as a multiple of ours";
    let mut tables = vec![
        Table::new("handshakes-ours", &format!("Handshakes: {ours}"), &ends, names).relative(
            handshakes,
            0,
            Style::Multiple,
        ),
        Table::new("bulk-ours", &format!("Records, AES-128-GCM: {ours}"), &ways, names).relative(
            bulk,
            0,
            Style::Multiple,
        ),
    ];
    if limit {
        let title = "Handshakes: time as a multiple of the limit, the cryptography alone";
        tables.insert(
            1,
            Table::new("handshakes-limit", title, &ends, names).relative(handshakes, last, Style::Multiple),
        );
        let title = "Records, AES-128-GCM: speed as a part of the limit's, the AEAD alone";
        tables.push(Table::new("bulk-limit", title, &ways, names).relative(bulk, last, Style::Percent));
    }
    tables.push(memory);
    // For programs alone: absolute times say more about the machine than about anybody measured on it.
    tables.push(Table::new("handshakes-times", "Handshakes: nanoseconds", &ends, names).values(handshakes));
    tables.push(Table::new("bulk-times", "Records: nanoseconds of a write", &ways, names).values(bulk));
    tables
}

/// Date, machine, and how busy it was: what a number is worth.
fn conditions(before: &str, quick: bool) -> String {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output();
    let date =
        date.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |key: &str| {
        let mut lines = processors.lines().filter(|line| line.starts_with(key));
        lines.next().and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())).unwrap_or_default()
    };
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let quick = if quick { " --quick" } else { "" };
    format!(
        "`cargo xtask bench --peers{quick}`, {date}; {count} cores of {}; load average of one minute {before} before, \
         {} after.",
        of("model name"),
        load()
    )
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_understood_or_refused() {
        let parse = |words: &[&str]| Asked::parse(words.iter().map(OsString::from).collect());
        assert_eq!(parse(&[]).unwrap(), Asked::default());
        let asked = parse(&["--peers", "--quick", "--peer", "rustls-0-24", "--peer", "limit", "--out", "/x"])
            .unwrap();
        assert!(asked.quick && asked.out == Some("/x".into()) && asked.wanted == ["rustls-0-24", "limit"]);
        for wrong in [
            &["--quick"][..],
            &["--json", "x"],
            &["--out", "x"],
            &["--require-peers"],
            &["--as-built"],
            &["--fast"],
            &["word"],
            &["--peers", "--peer", "nobody"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn times_of_a_round_become_times_of_one() {
        let answers = each(vec![Ok(vec![vec![20.0, 30.0]]), Err("no".into())], 10);
        assert_eq!(answers, [Ok(vec![vec![2.0, 3.0]]), Err("no".into())]);
    }

    #[test]
    fn tables_by_the_limit_are_there_only_with_a_limit() {
        let names = ["ours".to_owned(), "limit".to_owned()];
        let rows = [("row".to_owned(), vec![Ok(vec![vec![2.0, 3.0]]), Ok(vec![vec![1.0, 1.0]])])];
        let of = |limit| tables(&names, &rows, &rows, Table::new("memory", "", &[], &names), limit);
        let slugs = |tables: Vec<Table>| tables.into_iter().map(|table| table.slug).collect::<Vec<_>>();
        assert!(!slugs(of(false)).iter().any(|slug| slug.ends_with("limit")));
        assert_eq!(of(true)[1].rows[0].1[0], Ok(vec![2.0, 3.0]));
    }
}
