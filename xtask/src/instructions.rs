//! `cargo xtask instructions`: how many instructions each handshake and each record takes, by callgrind, which counts
//! the same on every run and whatever else the machine does. What was reached is written down in
//! `benches/instructions.tsv`, and CI compares.
//!
//! Valgrind shows programs a processor with AVX2 and AES-NI but without SHA-NI and AVX-512, whatever there is, so that
//! the crypto library takes its generic way with SHA-256 (and hashing weighs more than it does in time), while two
//! machines with AVX2 count the same.

mod callgrind;

use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

pub(crate) use callgrind::is_there as is_possible;
use callgrind::{Counts, Question, Side};
use lexopt::Arg;

use crate::contenders::{self, PEER};
use crate::run::{self, Error};

/// What is asked: every kind of handshake, then records, each of one write.
const QUESTIONS: [Question; 8] = [
    ("tls13", 0, 20),
    ("tls13-known", 0, 20),
    ("tls13-mutual", 0, 20),
    ("tls13-resumed", 0, 20),
    ("tls12", 0, 20),
    ("tls12-resumed", 0, 20),
    ("tls13", 100, 100),
    ("tls13", 16 * 1024, 20),
];

const SIDES: [Side; 2] = [Side::Server, Side::Client];

/// Where what was reached is written down.
const BASELINE: &str = "benches/instructions.tsv";

/// How much more than the baseline fails, per cent. Two runs differ by up to half of one, by the form of signatures
/// and by where the heap lies.
const MARGIN: u64 = 2;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Table,
    Check,
    Bless,
}

/// One line of the baseline and of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    counts: Counts,
}

/// Counts, and prints, compares or writes down: whether nothing takes more than it did.
pub(crate) fn instructions(rest: Vec<OsString>) -> Result<bool, Error> {
    let asked = parse(rest)?;
    if let Some(why) = incomparable() {
        println!("SKIPPED: instructions: {why}");
        return Ok(true);
    }
    let folder = contenders::folder("instructions")?;
    let ours = contenders::ours(&folder)?;
    let rows = count(&ours, &folder)?;
    let baseline = Path::new(run::root()).join(BASELINE);
    match asked {
        Asked::Check => {
            let text = fs::read_to_string(&baseline)?;
            let report = compare(&rows, &read(&text));
            print!("{}", report.text);
            if !report.failed.is_empty() {
                println!("the baseline is of {}, this is {}", made_by(&text), rustc()?);
            }
            for name in &report.failed {
                println!("FAILED {name}: over {MARGIN} % more than {BASELINE}");
            }
            println!(
                "{} within {MARGIN} %, {} above",
                rows.len().saturating_sub(report.failed.len()),
                report.failed.len()
            );
            Ok(report.failed.is_empty())
        }
        Asked::Bless => {
            fs::write(&baseline, written(&rows, &rustc()?))?;
            beside(&rows, &folder)
        }
        Asked::Table => beside(&rows, &folder),
    }
}

fn parse(rest: Vec<OsString>) -> Result<Asked, Error> {
    let mut asked = Asked::Table;
    let mut parser = lexopt::Parser::from_args(rest);
    while let Some(argument) = parser.next()? {
        asked = match argument {
            Arg::Long("check") if asked == Asked::Table => Asked::Check,
            Arg::Long("bless") if asked == Asked::Table => Asked::Bless,
            other => return Err(other.unexpected().into()),
        };
    }
    Ok(asked)
}

/// Why counts of this machine say nothing beside the baseline, if so.
fn incomparable() -> Option<&'static str> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let comparable = env::consts::ARCH == "x86_64" && cpu.split_whitespace().any(|flag| flag == "avx2");
    (!comparable).then_some("counts are those of Linux on x86-64 with AVX2")
}

/// Both sides at once: two processes.
fn count(program: &Path, folder: &Path) -> Result<Vec<Row>, Error> {
    let sides = thread::scope(|scope| {
        let threads = SIDES.map(|side| {
            let count = move || callgrind::count(program, folder, folder, side, &QUESTIONS);
            scope.spawn(move || count().map_err(|error| error.to_string()))
        });
        threads.map(|thread| thread.join().unwrap_or_else(|_| Err("counting panicked".into())))
    });
    let mut rows = Vec::new();
    for (side, counts) in SIDES.into_iter().zip(sides) {
        let named = QUESTIONS.iter().zip(counts?);
        rows.extend(named.map(|(question, counts)| Row { name: name(*question, side), counts }));
    }
    Ok(rows)
}

fn name((case, size, _): Question, side: Side) -> String {
    match (size, side) {
        (0, _) => format!("{case}, {}", side.name()),
        (_, Side::Client) => format!("{case}, seal {size}"),
        (_, Side::Server) => format!("{case}, open {size}"),
    }
}

/// Ours beside the other library, as a table.
fn beside(ours: &[Row], folder: &Path) -> Result<bool, Error> {
    let theirs = count(&contenders::build(PEER)?, folder)?;
    println!("Instructions of one handshake or record; \"own\" is all but the crypto library's");
    println!("{:24}{:^33}{:^22}{:^16}", "", "ours", PEER, "ours/theirs");
    let heads = ["Rust", "system", "all", "own", "all", "own", "all"];
    let widths = [11, 11, 11, 11, 11, 8, 8];
    let line = |name: &str, cells: &[String]| {
        let cells: String = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        println!("{name:24}{cells}");
    };
    line("", &heads.map(str::to_owned));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let (us, them) = (ours.counts, theirs.counts);
        let mut cells: Vec<String> = [us.rust, us.system, us.all(), them.without_crypto(), them.all()]
            .map(|count| count.to_string())
            .into();
        cells.extend([per_cent(us.without_crypto(), them.without_crypto()), per_cent(us.all(), them.all())]);
        line(&ours.name, &cells);
    }
    println!("{} counted", ours.len());
    Ok(true)
}

fn per_cent(ours: u64, theirs: u64) -> String {
    format!("{} %", ours.saturating_mul(100).checked_div(theirs).unwrap_or_default())
}

/// What the comparison says, and the rows that take too much.
#[derive(Debug, Default)]
struct Report {
    text: String,
    failed: Vec<String>,
}

/// Each row beside its baseline. One that has none fails, and so does one that is no longer counted.
fn compare(rows: &[Row], baseline: &[Row]) -> Report {
    let mut report = Report::default();
    for row in rows {
        let Some(known) = baseline.iter().find(|known| known.name == row.name) else {
            report.failed.push(format!("{}, which the baseline does not have", row.name));
            continue;
        };
        let pairs = [
            (row.counts.without_crypto(), known.counts.without_crypto()),
            (row.counts.all(), known.counts.all()),
        ];
        let _ = write!(report.text, "{:24}", row.name);
        for (now, then) in pairs {
            let _ = write!(report.text, "{now:>11} ({})", change(now, then));
        }
        report.text.push('\n');
        let most = |then: u64| then.saturating_mul(MARGIN.saturating_add(100)) / 100;
        if pairs.iter().any(|(now, then)| *now > most(*then)) {
            report.failed.push(row.name.clone());
        }
    }
    let gone = baseline.iter().filter(|known| !rows.iter().any(|row| row.name == known.name));
    report.failed.extend(gone.map(|known| format!("{}, which is no longer counted", known.name)));
    report
}

/// By how many per cent, to a tenth.
fn change(now: u64, then: u64) -> String {
    let tenths = now.abs_diff(then).saturating_mul(1000).checked_div(then).unwrap_or_default();
    let sign = if now < then { '-' } else { '+' };
    format!("{sign}{}.{} %", tenths / 10, tenths % 10)
}

const HEAD: &str = "# Instructions of each handshake and each record, by callgrind; `cargo xtask instructions --bless` writes this.
# Rust, shared libraries (malloc, memcpy, memset), the crypto library.
";

fn written(rows: &[Row], rustc: &str) -> String {
    let mut text = format!("{HEAD}# {rustc}\n");
    for Row { name, counts } in rows {
        let _ = writeln!(text, "{name}\t{}\t{}\t{}", counts.rust, counts.system, counts.crypto);
    }
    text
}

fn read(text: &str) -> Vec<Row> {
    let row = |line: &str| {
        let mut cells = line.split('\t');
        let name = cells.next()?.to_owned();
        let mut number = || cells.next()?.parse().ok();
        Some(Row { name, counts: Counts { rust: number()?, system: number()?, crypto: number()? } })
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect()
}

/// The compiler that made a baseline: another one makes other code.
fn made_by(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("# rustc")).map_or("an unknown rustc", str::trim)
}

fn rustc() -> Result<String, Error> {
    let output = Command::new("rustc").arg("--version").current_dir(run::root()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, rust: u64, system: u64, crypto: u64) -> Row {
        Row { name: name.into(), counts: Counts { rust, system, crypto } }
    }

    #[test]
    fn two_per_cent_more_pass_and_more_than_that_fails_with_or_without_the_crypto_library() {
        let baseline = [row("a", 500, 500, 9000)];
        let failed = |now: Row| compare(&[now], &baseline).failed.len();
        assert_eq!(failed(row("a", 510, 510, 9000)), 0);
        assert_eq!(failed(row("a", 511, 510, 9000)), 1, "hidden by the crypto library's share");
        assert_eq!(failed(row("a", 500, 500, 9200)), 0);
        assert_eq!(failed(row("a", 500, 500, 9201)), 1);
        assert_eq!(failed(row("a", 1, 1, 1)), 0);
    }

    #[test]
    fn a_row_that_only_one_of_the_two_has_fails() {
        assert_eq!(compare(&[row("a", 1, 1, 1)], &[row("b", 1, 1, 1)]).failed.len(), 2);
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let rows = [row("tls13, server", 1, 2, 3), row("tls13, seal 100", 4, 5, 6)];
        let text = written(&rows, "rustc 1.99.0 (x)");
        assert_eq!(read(&text), rows);
        assert_eq!(made_by(&text), "1.99.0 (x)");
    }

    #[test]
    fn changes_are_told_in_tenths_of_a_per_cent() {
        assert_eq!(change(1015, 1000), "+1.5 %");
        assert_eq!(change(980, 1000), "-2.0 %");
        assert_eq!(change(5, 0), "+0.0 %");
    }

    #[test]
    fn check_and_bless_exclude_each_other() {
        let parse = |words: &[&str]| parse(words.iter().map(OsString::from).collect());
        assert_eq!(parse(&[]).unwrap(), Asked::Table);
        assert_eq!(parse(&["--check"]).unwrap(), Asked::Check);
        assert!(parse(&["--check", "--bless"]).is_err());
        assert!(parse(&["word"]).is_err());
    }
}
