//! `cargo xtask bogo`: BoringSSL's protocol suite against our shim.
//!
//! The runner is made once (see [`runner`]); which tests there are, what they are about, which of them must pass and
//! which are left out for what reason is checked in under `tests/bogo`.

mod lists;
mod report;
mod runner;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use lexopt::{Arg, ValueExt};
use serde_json::{Value, json};

use crate::run::{self, Error};
use lists::{Lists, Set};
use report::Report;

/// Bytes of test names that one run of the runner takes on its command line; an argument may have 128 KiB.
const NAMES: usize = 96 * 1024;

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// What is asked for.
struct Options {
    set: Set,
    glob: Option<String>,
    update: bool,
    /// Every test with `-async`, whether or not it asks for that.
    suspended: bool,
}

/// Runs the suite: whether nothing failed and nothing that passed before is missing.
pub(crate) fn bogo(arguments: Vec<OsString>) -> Result<bool, Error> {
    let options = options(arguments)?;
    let lists = Lists::read(&folder())?;
    let runner = match runner::make(&build_folder()) {
        Ok(runner) => runner,
        Err(error) if run::in_ci() => {
            return Err(format!("the suite's runner cannot be made: {error}").into());
        }
        Err(error) => {
            println!("SKIPPED: bogo: the suite's runner cannot be made: {error}");
            println!("0 passed, 0 failed, 1 skipped");
            return Ok(true);
        }
    };
    let shim = shim()?;
    let results = run_tests(&runner, &shim, &lists, &options)?;
    let report = Report::new(&lists, &results);
    print!("{report}");
    if options.update && options.glob.is_none() {
        lists.update(&folder(), &results)?;
    }
    let judged = lists.judge(&results, options.set, options.glob.is_none());
    for line in &judged {
        println!("{line}");
    }
    println!("{}", report.closing_line());
    Ok(judged.is_empty() && report.failed() == 0)
}

fn options(arguments: Vec<OsString>) -> Result<Options, Error> {
    let mut options = Options { set: Set::Core, glob: None, update: false, suspended: false };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("set") => options.set = Set::parse(&parser.value()?.string()?)?,
            Arg::Long("test") => options.glob = Some(parser.value()?.string()?),
            Arg::Long("update") => options.update = true,
            Arg::Long("async") => options.suspended = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn folder() -> PathBuf {
    Path::new(run::root()).join("tests/bogo")
}

/// What is fetched and made: ignored by git.
fn build_folder() -> PathBuf {
    Path::new(run::root()).join("build/bogo")
}

/// Builds the shim and says where it is.
fn shim() -> Result<PathBuf, Error> {
    if !run::succeeds(run::cargo().args(["build", "--quiet", "-p", "oxtls-bogo"]))? {
        return Err("the shim does not build".into());
    }
    let output = run::cargo().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let target =
        metadata.get("target_directory").and_then(Value::as_str).ok_or("cargo names no target folder")?;
    Ok(Path::new(target).join("debug/bogo-shim"))
}

/// Runs the tests that are asked for and not left out.
fn run_tests(
    runner: &Path,
    shim: &Path,
    lists: &Lists,
    options: &Options,
) -> Result<BTreeMap<String, Outcome>, Error> {
    let mut results = BTreeMap::new();
    let glob = options.glob.as_deref().unwrap_or("*");
    let mut patterns = Vec::new();
    for name in lists.names(options.set).filter(|name| lists::matches(glob, name)) {
        match lists.disabled(name) {
            Some(reason) => drop(results.insert(name.to_owned(), Outcome::Skipped(reason.to_owned()))),
            None => patterns.push(name.to_owned()),
        }
    }
    if options.set == Set::All {
        patterns = vec![glob.to_owned()];
    }
    for chunk in chunks(&patterns) {
        run_chunk((runner, shim), lists, (&chunk, options.suspended), &mut results)?;
    }
    Ok(results)
}

/// Joins the patterns to arguments that are not too long.
fn chunks(patterns: &[String]) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    for pattern in patterns {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() + pattern.len() < NAMES => {
                chunk.push(';');
                chunk.push_str(pattern);
            }
            _ => chunks.push(pattern.clone()),
        }
    }
    chunks
}

fn run_chunk(
    (runner, shim): (&Path, &Path),
    lists: &Lists,
    (patterns, suspended): (&str, bool),
    results: &mut BTreeMap<String, Outcome>,
) -> Result<(), Error> {
    let folder = build_folder();
    let (config, output) = (folder.join("config.json"), folder.join("results.json"));
    fs::write(&config, serde_json::to_vec_pretty(&shim_config(lists))?)?;
    remove(&output)?;
    let mut command = Command::new(runner);
    command.current_dir(runner::source(&folder)).args(["-pipe", "-allow-unimplemented", "-num-workers"]);
    command.arg(workers().to_string()).arg("-shim-path").arg(shim).arg("-shim-config").arg(&config);
    command.arg("-json-output").arg(&output).arg("-test").arg(patterns);
    if suspended {
        command.args(["-shim-extra-flags", "-async"]);
    }
    let mut failures = report::Failures::default();
    let status = run::lines(&mut command, |line| failures.line(line))?;
    let reasons = failures.finish();
    let text =
        fs::read(&output).map_err(|error| format!("the runner left no results ({status}): {error}"))?;
    let parsed: Value = serde_json::from_slice(&text)?;
    let tests = parsed.get("tests").and_then(Value::as_object).ok_or("results without tests")?;
    for (name, test) in tests {
        let outcome = match test.get("actual").and_then(Value::as_str) {
            Some("PASS") => Outcome::Passed,
            Some("SKIP") => Outcome::Skipped("not there yet".into()),
            _ => Outcome::Failed(reasons.get(name).cloned().unwrap_or_else(|| "no reason was given".into())),
        };
        results.insert(name.clone(), outcome);
    }
    Ok(())
}

/// What the runner is told about our shim.
fn shim_config(lists: &Lists) -> Value {
    let disabled: serde_json::Map<_, _> =
        lists.disabled_globs().map(|(glob, reason)| (glob.to_owned(), json!(reason))).collect();
    json!({ "DisabledTests": disabled, "ErrorMap": lists.errors(), "HalfRTTTickets": 0 })
}

/// Most tests wait: for a process to start, for the other side, for a timeout.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, |count| count.get()) * 2
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
