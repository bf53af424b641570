//! `cargo xtask scale`: 10,000 connections over the loopback interface, to the servers among the examples of `oxtls-std` and
//! to the same two over rustls.
//!
//! One client (`load`, over oxtls) opens connections to each server in turn, up to 1, 100, 1,000 and 10,000, and keeps
//! them. At each step stands how fast they were made, what each took of the server's processor time and of its memory, and
//! what a message of 100 bytes there and back takes while all are open.
//!
//! The client works harder than the server (a full handshake costs it four times as much), on the same machine: handshakes
//! per second are those of both together, processor time is the server's alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::contenders;
use crate::process::Process;
use crate::run::{self, Error, cargo};

/// How many connections at most, if nothing else is asked for.
const COUNT: usize = 10_000;

const STEPS: [usize; 4] = [1, 100, 1_000, 10_000];

/// Messages that are sent to each step's connections.
const ECHOES: usize = 2_000;

/// Threads of the client.
const LOADERS: usize = 2;

/// Longest that one answer may take. Behind that no further step of a server is begun, either.
const PATIENCE: Duration = Duration::from_secs(300);

/// Longer than servers wait before they put silent connections to rest.
const SETTLED: Duration = Duration::from_millis(600);

/// Nanoseconds of what Linux counts processor time in.
const TICK: u64 = 10_000_000;

/// A server that is measured.
struct Server {
    name: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
    /// Behind the folder of certificates.
    threads: &'static str,
}

/// Measures, and prints a table of each server: whether all held what they were to hold.
pub(crate) fn scale(rest: Vec<OsString>) -> Result<bool, Error> {
    let count = contenders::count(rest, COUNT, 2)?;
    let folder = contenders::folder("scale")?;
    contenders::ours(&folder)?;
    let examples = examples()?;
    let rustls = contenders::build_in("scale-rustls/Cargo.toml", "scale-rustls")?;
    let ours = |name: &str| examples.join(name);
    let server = |name, program: PathBuf, arguments, threads| Server { name, program, arguments, threads };
    let servers = [
        server("oxtls, event loop", ours("events"), &[], "1"),
        server("rustls 0.23, event loop", rustls.clone(), &["events"], "1"),
        server("oxtls, two event loops", ours("events"), &[], "2"),
        server("rustls 0.23, two event loops", rustls.clone(), &["events"], "2"),
        server("oxtls, thread for each", ours("threads"), &[], "1"),
        server("rustls 0.23, thread for each", rustls, &["threads"], "1"),
    ];
    println!("up to {count} connections on loopback; full handshakes of TLS 1.3, ECDSA P-256, X25519");
    let mut failed = 0_usize;
    for server in &servers {
        println!(
            "\n{:32}{:>14}{:>22}{:>20}{:>16}",
            server.name, "handshakes/s", "server, us/handshake", "resident bytes each", "us/echo"
        );
        if let Err(error) = measure(server, &folder, &ours("load"), count) {
            println!("FAILED {}: {error}", server.name);
            failed = failed.saturating_add(1);
        }
    }
    println!("\n{} servers measured, {failed} failed", servers.len().saturating_sub(failed));
    Ok(failed == 0)
}

fn examples() -> Result<PathBuf, Error> {
    let mut command = cargo();
    command.args(["build", "--release", "--quiet", "--package", "oxtls-std", "--examples", "--target-dir"]);
    let target = contenders::target()?;
    if run::succeeds(command.arg(&target))? {
        Ok(target.join("release/examples"))
    } else {
        Err("the examples do not build".into())
    }
}

/// Each server holds a descriptor for each connection, and so does the client.
fn with_descriptors(program: &Path, count: usize) -> Command {
    let mut command = Command::new("sh");
    let needed = count.saturating_add(200);
    command.arg("-c").arg(format!("ulimit -n {needed} && exec \"$0\" \"$@\"")).arg(program);
    command
}

/// A number that a process answers.
fn number(line: &str) -> Result<u64, Error> {
    line.trim().parse().map_err(|_| format!("no number: {line}").into())
}

/// What a process has used so far. `sh` has become the program, so that the number is still its own.
fn used(process: &Process) -> Result<Usage, Error> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", process.id()));
    usage(&read("stat")?, &read("status")?).ok_or_else(|| "/proc says something else".into())
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    /// Nanoseconds of processor time, its own and the kernel's for it.
    time: u64,
    /// Bytes.
    resident: u64,
}

fn usage(stat: &str, status: &str) -> Option<Usage> {
    // The program's name, in brackets, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = resident.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(Usage {
        time: user.saturating_add(system).saturating_mul(TICK),
        resident: kilobytes.saturating_mul(1024),
    })
}

fn measure(server: &Server, folder: &Path, load: &Path, count: usize) -> Result<(), Error> {
    let mut command = with_descriptors(&server.program, count);
    command.args(server.arguments).arg(folder).arg(server.threads);
    let mut serving = Process::start(command, PATIENCE)?;
    serving.call("the server");
    let port = number(&serving.line()?)?;
    let mut command = with_descriptors(load, count);
    command.arg(folder).arg(port.to_string()).arg(LOADERS.to_string());
    let mut load = Process::start(command, PATIENCE)?;
    load.call("the client");
    let start = Instant::now();
    let mut steps: Vec<usize> = STEPS.into_iter().filter(|step| *step < count).collect();
    steps.push(count);
    let mut held = 0;
    let mut first = None;
    for step in steps {
        if start.elapsed() > PATIENCE {
            return Err(format!("it took more than {} s", PATIENCE.as_secs()).into());
        }
        let before = used(&serving)?;
        let opening = number(&load.ask(&format!("open {step}"))?)?;
        let opened = used(&serving)?;
        let echoing = number(&load.ask(&format!("echo {ECHOES}"))?)?;
        thread::sleep(SETTLED);
        let settled = used(&serving)?;
        let base = *first.get_or_insert(settled);
        let made = u64::try_from(step.saturating_sub(held))?;
        held = step;
        // What the first one brings along is the server's own.
        let others = u64::try_from(step.saturating_sub(1))?;
        let resident = settled.resident.saturating_sub(base.resident).checked_div(others);
        let per_second = made.saturating_mul(1_000_000_000).checked_div(opening).unwrap_or_default();
        let each = opened.time.saturating_sub(before.time).checked_div(made).unwrap_or_default() / 1000;
        let echo = echoing / 1000 / u64::try_from(ECHOES)?;
        // The clock of processor time is too coarse for a few.
        let each = if made < 50 { "-".to_owned() } else { each.to_string() };
        let resident = resident.map_or("-".to_owned(), |bytes| bytes.to_string());
        println!("{:32}{per_second:>14}{each:>22}{resident:>20}{echo:>16}", format!("  {step} open"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_whatever_a_program_is_called() {
        let stat = "7 (a) R b) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20";
        let status = "Name:\ta) R b\nVmRSS:\t    2048 kB\nThreads:\t1\n";
        assert_eq!(usage(stat, status), Some(Usage { time: 42 * TICK, resident: 2 << 20 }));
        assert_eq!(usage("7", status), None);
        assert_eq!(usage(stat, ""), None);
    }
}
