//! Every developer verb of the workspace: `cargo xtask help`.
#![forbid(unsafe_code)]

mod bench;
mod bogo;
mod ci;
mod contenders;
mod instructions;
mod memory;
mod process;
mod run;
mod scale;
mod tally;
mod test;
mod x509;

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::Arg;

const HELP: &str = "\
cargo xtask <verb>

  help              this text
  demo [args]       a real mutual-TLS session on loopback, then the refusals, explained
  test [--fast]     every test of the workspace: unit, integration, property, doc, conformance data when
                    present, examples, interop; closes with `N passed, N failed, N skipped`
                    --fast  leaves out doc tests, examples and interop
  interop [args]    other implementations as client against our server and as server against our client: the host's
                    OpenSSL 3.0 and Java; OpenSSL 3.5, GnuTLS and NSS in a folder that debootstrap makes (once, as
                    root); Go, installed as a Python package (once); closes with `N passed, N failed`
                    --peer NAME    only with this one: openssl-3.0, openssl-3.5, gnutls, nss, jsse, go
                    --quick        without those that move many megabytes
                    --list         names them and runs nothing
                    --record       makes the recordings anew that tests of the handshake play
                    WORD ...       only the scenarios whose name contains one of the words
  bench [args]      records, handshakes and chains beside the raw cryptography, each in one run: tables of ratios
                    --peers          ours beside other libraries instead, in processes that take turns; builds them
                                     (benches/peers, many minutes the first time); closes with
                                     `N measured, N not`
                    --quick          with --peers: fewer rounds, two minutes
                    --peer NAME      with --peers: only ours and this one, and more by more of them
                    --as-built       with --peers: builds nothing; whoever was built before takes part
                    --out FOLDER     with --peers: the tables as text, and a picture of each
                    --json FILE      with --peers: the tables for a program
                    --require-peers  fails, as it does in CI, if a peer's tools are missing or it does not build
  bogo [args]       BoringSSL's protocol suite against our shim; closes with `N passed, N failed, N skipped`
                    --set core|modern|all   which tests (core)
                    --test GLOB             only those of the set whose name matches
                    --update                writes down what passes, which must pass from then on
                    --async                 every test byte by byte, with every decision suspended
  x509 [args]       the public suites of certificate paths, x509-limbo's format and PKITS's; every disagreement is listed;
                    closes with `N passed, N failed`
                    FILE.json[.xz]            these cases instead of the conformance data's
                    --profile default|strict  the policy that judges (strict)
                    --out RESULTS.json        writes every verdict there
  instructions      instructions of each handshake and each record, by valgrind's callgrind, ours beside rustls'; closes
                    with `N counted`, or `N within 2 %, N above`
                    --check         ours alone; fails where it takes over 2 % more than benches/instructions.tsv says
                    --bless         writes that down anew
  memory            what 10,000 connections hold that are there at once, ours beside rustls': bytes and allocations, Rust's
                    and C's, established, after traffic, at rest and at the handshake's peak; resident bytes; closes with
                    `N measured, N failed`
                    --count N       so many
  scale             10,000 connections over loopback to servers on threads and on an event loop, ours beside rustls':
                    handshakes per second, the server's processor time and resident bytes for each, and echoes; closes
                    with `N servers measured, N failed`
                    --count N       so many
  ci                what CI runs: formatting, lints, each crate alone, documentation, dependencies, the demo,
                    instructions, the protocol suite, then `test`
";

fn main() -> ExitCode {
    match verb() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the verb on the command line: whether it succeeded, or why it could not be run.
fn verb() -> Result<bool, run::Error> {
    let mut parser = lexopt::Parser::from_env();
    let verb = match parser.next()? {
        Some(Arg::Value(verb)) => verb,
        Some(Arg::Short('h') | Arg::Long("help")) | None => OsString::from("help"),
        Some(other) => return Err(other.unexpected().into()),
    };
    let rest: Vec<OsString> = parser.raw_args()?.collect();
    if rest.iter().any(|word| word == "--help" || word == "-h") && verb != "demo" {
        print!("{HELP}");
        return Ok(true);
    }
    match verb.to_str() {
        Some("help") => {
            print!("{HELP}");
            Ok(true)
        }
        Some("demo") => run::succeeds(test::demo().args(rest)),
        Some("test") => test::test(&test_scope(rest)?),
        Some("interop") => run::succeeds(test::interop().args(rest)),
        Some("bench") => bench::bench(rest),
        Some("instructions") => instructions::instructions(rest),
        Some("memory") => memory::memory(rest),
        Some("scale") => scale::scale(rest),
        Some("bogo") => bogo::bogo(rest),
        Some("x509") => x509::x509(rest),
        Some("ci") => {
            no_more(rest)?;
            ci::ci()
        }
        _ => Err(format!("no such verb: {}; see `cargo xtask help`", verb.display()).into()),
    }
}

fn test_scope(rest: Vec<OsString>) -> Result<test::Scope, run::Error> {
    match rest.as_slice() {
        [] => Ok(test::Scope::Everything),
        [flag] if flag == "--fast" => Ok(test::Scope::Fast),
        [other, ..] => Err(format!("test: unexpected argument {}", other.display()).into()),
    }
}

fn no_more(rest: Vec<OsString>) -> Result<(), run::Error> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(format!("unexpected argument {}", extra.display()).into()),
    }
}
