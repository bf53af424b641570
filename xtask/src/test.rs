//! `cargo xtask test`: every test of the workspace, counted.

use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::run;
use crate::tally::Tally;

/// How much `test` runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Unit and integration tests only.
    Fast,
    /// All of it.
    Everything,
}

/// The demonstration, as README.md has it.
pub(crate) fn demo() -> Command {
    let mut command = run::cargo();
    command.args(["run", "--release", "--quiet", "-p", "oxtls-cli", "--", "demo"]);
    command
}

/// The interop runner; it lives with the cross-crate tests, since it uses the library.
pub(crate) fn interop() -> Command {
    let mut command = run::cargo();
    command.args(["run", "--quiet", "-p", "oxtls-tests", "--bin", "interop", "--"]);
    command
}

/// Runs the tests of `scope` and prints the closing line: whether all passed, and at least one ran.
pub(crate) fn test(scope: &Scope) -> Result<bool, run::Error> {
    let start = Instant::now();
    let mut tally = Tally::default();
    cargo_tests(scope, &mut tally)?;
    if *scope == Scope::Fast {
        for what in ["doc tests", "examples", "interop with other implementations"] {
            tally.skip(format!("{what}: --fast"));
        }
    } else {
        examples(&mut tally)?;
        interop_tests(&mut tally)?;
    }
    println!("\nafter {} s:", start.elapsed().as_secs());
    print!("{tally}");
    Ok(tally.is_success())
}

/// Features of ours that bring code of ours in, with tests of its own.
pub(crate) const FEATURES: &str = "oxtls/brotli,oxtls/tracing,oxtls/zlib,oxtls/zstd";

fn cargo_tests(scope: &Scope, tally: &mut Tally) -> Result<(), run::Error> {
    let mut command = run::cargo();
    command.args(["test", "--workspace", "--no-fail-fast", "--features", FEATURES]);
    if *scope == Scope::Fast {
        command.args(["--lib", "--bins", "--tests"]);
    }
    // Shown output is where a test says that it skipped something; the tally drops the rest of it.
    command.args(["--", "--show-output"]);
    let status = run::lines(&mut command, |line| {
        if tally.cargo_test_line(line) {
            println!("{line}");
        }
    })?;
    tally.cargo_ended(status.success());
    Ok(())
}

/// Runs every example of the workspace without arguments: each asserts what it shows, and ends by itself.
fn examples(tally: &mut Tally) -> Result<(), run::Error> {
    for (package, example) in example_names()? {
        println!("example {example} of {package}");
        let mut command = run::cargo();
        command.args(["run", "--quiet", "-p", &package, "--example", &example]);
        if run::succeeds(&mut command)? {
            tally.pass();
        } else {
            tally.fail(format!("example {example} of {package}"));
        }
    }
    Ok(())
}

fn example_names() -> Result<Vec<(String, String)>, run::Error> {
    let output = run::cargo().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let mut names = Vec::new();
    for package in array(&metadata, "packages") {
        for target in array(package, "targets") {
            if array(target, "kind").iter().any(|kind| kind == "example") {
                names.push((text(package, "name"), text(target, "name")));
            }
        }
    }
    Ok(names)
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The interop runner prints `ok NAME`, `FAILED NAME: why` and `SKIPPED: WHAT: why`.
fn interop_tests(tally: &mut Tally) -> Result<(), run::Error> {
    let failed_before = tally.failed;
    let status = run::lines(&mut interop(), |line| {
        // Its own closing line would be a second one.
        if !line.contains(" passed, ") {
            println!("{line}");
        }
        if line.starts_with("ok ") {
            tally.pass();
        } else if let Some(what) = line.strip_prefix("FAILED ") {
            tally.fail(format!("interop: {what}"));
        } else if let Some(what) = line.strip_prefix("SKIPPED: ") {
            tally.skip(what);
        }
    })?;
    if !status.success() && tally.failed == failed_before {
        tally.fail("interop: did not build or did not run to its end");
    }
    Ok(())
}
