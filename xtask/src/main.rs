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

const HELP: &str = include_str!("help.txt");

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
        print!("{}", help_of(&verb.to_string_lossy()));
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

/// What the help says of one verb; all of it, if there is no such verb.
fn help_of(verb: &str) -> String {
    let is_verb = |line: &str| line.starts_with("  ") && !line.starts_with("   ");
    let mut lines =
        HELP.lines().skip_while(|line| !is_verb(line) || line.split_whitespace().next() != Some(verb));
    match lines.next() {
        Some(first) => {
            let rest = lines.take_while(|line| !is_verb(line));
            [first].into_iter().chain(rest).map(|line| format!("{line}\n")).collect()
        }
        None => HELP.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        let long: Vec<_> = HELP.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{long:#?}");
    }

    #[test]
    fn a_verbs_help_is_all_that_is_said_of_it_and_nothing_else() {
        let bench = help_of("bench");
        assert!(bench.starts_with("  bench [args] ") && bench.contains("--require-peers"));
        assert!(!bench.contains("--record") && !bench.contains("--async"));
        assert!(help_of("ci").ends_with("then `test`\n"));
        assert_eq!(help_of("benches"), HELP);
        assert_eq!(help_of("args]"), HELP);
    }
}
