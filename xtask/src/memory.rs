//! `cargo xtask memory`: what connections hold, ours beside another library's.
//!
//! Each library is a process of its own (`benches/peers`, `held.rs` of its driver) that holds both ends of every connection.
//! `malloc.c` stands before its allocator and counts what Rust and C take, with what `malloc` rounds it up to. What the
//! process is resident with stands beside: it has what is between the allocations, too.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::contenders::{self, PEER};
use crate::run::{self, Error};

const CASES: [&str; 2] = ["tls13", "tls12"];

/// Connections that are held at once, if nothing else is asked for.
const COUNT: usize = 10_000;

/// What the driver answers, in its order.
const SIDES: [&str; 2] = ["server", "client"];
const OF_A_SIDE: [&str; 8] = [
    "bytes, established",
    "  in allocations",
    "bytes, after 16 KiB each way",
    "  in allocations",
    "bytes, at rest",
    "  in allocations",
    "bytes, at the handshake's peak",
    "allocations in the handshake",
];
const OF_BOTH: [&str; 3] = ["established", "after 16 KiB each way", "at rest"];

/// Measures, and prints a table: whether all could be measured.
pub(crate) fn memory(rest: Vec<OsString>) -> Result<bool, Error> {
    let count = contenders::count(rest, COUNT, 1)?;
    let folder = contenders::folder("memory")?;
    let programs = [contenders::ours(&folder)?, contenders::build(PEER)?];
    let counter = folder.join("malloc.so");
    let mut cc = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&counter).arg(contenders::source("malloc.c"));
    if !run::succeeds(&mut cc)? {
        return Err("malloc.c does not compile".into());
    }
    let (mut measured, mut failed) = (0_usize, 0_usize);
    for case in CASES {
        let mut columns = Vec::new();
        for program in &programs {
            match one(program, &folder, &counter, &format!("held {case} {count}"))? {
                (name, Ok(numbers)) => columns.push((name, numbers)),
                (name, Err(why)) => {
                    println!("{name}, {case}: {why}");
                    failed = failed.saturating_add(1);
                }
            }
        }
        measured = measured.saturating_add(columns.len());
        print!("{}", table(case, count, &columns));
    }
    println!("{measured} measured, {failed} failed");
    Ok(failed == 0)
}

type Answer = (String, Result<Vec<i64>, String>);

/// One process for one question, so that no other leaves holes in its heap.
fn one(program: &Path, folder: &Path, counter: &Path, question: &str) -> Result<Answer, Error> {
    let counts = folder.join("allocations");
    let mut command = Command::new(program);
    command.arg(folder).env("LD_PRELOAD", counter).env("ALLOCATIONS", &counts);
    let (name, answers) = contenders::ask(command, &[question.to_owned()])?;
    let answer = answers.into_iter().next().unwrap_or_default();
    let numbers: Result<Vec<i64>, _> = answer.split(' ').map(str::parse).collect();
    let expected = SIDES.len().saturating_mul(OF_A_SIDE.len()).saturating_add(OF_BOTH.len());
    Ok((name, numbers.ok().filter(|numbers| numbers.len() == expected).ok_or(answer)))
}

fn table(case: &str, count: usize, columns: &[(String, Vec<i64>)]) -> String {
    let heads = columns.iter().map(|(name, _)| format!("{name:>14}")).collect::<String>();
    let mut text = format!("{:44}{heads}\n", format!("{case}, {count} connections"));
    let sides = SIDES.iter().flat_map(|side| OF_A_SIDE.iter().map(move |what| format!("{side}: {what}")));
    let both = OF_BOTH.iter().map(|what| format!("both: bytes resident, {what}"));
    for (row, what) in sides.chain(both).enumerate() {
        let cells = columns.iter().map(|(_, numbers)| numbers.get(row).copied().unwrap_or_default());
        let cells: String = cells.map(|number| format!("{number:>14}")).collect();
        text.push_str(&format!("  {what:42}{cells}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_row_and_every_library_its_column() {
        let numbers: Vec<i64> = (100..119).collect();
        let text = table("tls13", 7, &[("a".into(), numbers.clone()), ("b".into(), numbers)]);
        assert_eq!(text.lines().count(), 20);
        let last = text.lines().last().unwrap();
        assert!(last.contains("resident, at rest") && last.ends_with("118           118"), "{last}");
    }
}
