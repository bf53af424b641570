//! `cargo xtask ci`: what CI runs, in the order that fails soonest.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::bogo;
use crate::instructions;
use crate::run::{self, cargo};
use crate::test::{self, Scope};

/// The crates that a user may pick alone, lowest floor first.
const LIBRARIES: [&str; 6] =
    ["oxtls-crypto", "oxtls-record", "oxtls-x509", "oxtls-handshake", "oxtls", "oxtls-std"];

/// Runs every check and then the tests: whether all succeeded. A check that fails does not hide the next one.
pub(crate) fn ci() -> Result<bool, run::Error> {
    let mut failed = Vec::new();
    for (name, mut command) in checks() {
        if !step(&name, &mut command)? {
            failed.push(name);
        }
    }
    let mut note = |name: &str, result: Result<bool, run::Error>| match result {
        Ok(true) => {}
        Ok(false) => failed.push(name.to_owned()),
        Err(error) => failed.push(format!("{name}: {error}")),
    };
    note("deny", dependencies());
    note("demo", step("demo", &mut test::demo()));
    note("instructions", instructions());
    println!("==> bogo");
    note("bogo", bogo::bogo(vec!["--set".into(), "modern".into()]));
    for name in &failed {
        eprintln!("ci: FAILED: {name}");
    }
    let tested = test::test(&Scope::Everything)?;
    for name in &failed {
        eprintln!("ci: FAILED: {name}");
    }
    Ok(tested && failed.is_empty())
}

fn checks() -> Vec<(String, Command)> {
    let mut checks = Vec::new();
    let mut check = |name: &str, args: &[&str]| {
        let mut command = cargo();
        command.args(args);
        checks.push((name.to_owned(), command));
    };
    check("fmt", &["fmt", "--all", "--", "--check"]);
    let lints = ["--all-targets", "--quiet", "--", "-D", "warnings"];
    check("clippy", &[&["clippy", "--workspace", "--features", test::FEATURES], &lints[..]].concat());
    check("clippy of oxtls without features", &[&["clippy", "-p", "oxtls"], &lints[..]].concat());
    for library in LIBRARIES {
        let name = format!("{library} alone, without default features");
        check(&name, &["check", "--quiet", "-p", library, "--no-default-features"]);
    }
    let roots = ["check", "--quiet", "-p", "oxtls", "--features", "native-roots,webpki-roots"];
    check("oxtls with every source of roots", &roots);
    let mut doc = cargo();
    doc.args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings");
    checks.push(("doc".to_owned(), doc));
    checks
}

/// `cargo deny`, installed by `.ci/run` into a folder that git ignores, or the user's own.
fn dependencies() -> Result<bool, run::Error> {
    let ours = Path::new(run::root()).join("target/tools/bin/cargo-deny");
    let program = if ours.exists() { ours } else { "cargo-deny".into() };
    let mut deny = Command::new(program);
    deny.current_dir(run::root());
    deny.args(["check", "bans", "licenses", "sources"]);
    match step("deny", &mut deny) {
        Err(error) if !run::in_ci() => {
            println!("SKIPPED: deny: {error}; `cargo install --locked cargo-deny` brings it");
            Ok(true)
        }
        result => result,
    }
}

/// Instructions beside the baseline: behind the demo, which has built what it shares with this.
fn instructions() -> Result<bool, run::Error> {
    println!("==> instructions");
    if !run::in_ci() && !instructions::is_possible() {
        println!("SKIPPED: instructions: valgrind does not run");
        return Ok(true);
    }
    let start = Instant::now();
    let result = instructions::instructions(vec!["--check".into()]);
    println!("<== instructions: {} s", start.elapsed().as_secs());
    result
}

fn step(name: &str, command: &mut Command) -> Result<bool, run::Error> {
    println!("==> {name}");
    let start = Instant::now();
    let success = run::succeeds(command)?;
    println!("<== {name}: {}, {} s", if success { "ok" } else { "FAILED" }, start.elapsed().as_secs());
    Ok(success)
}
