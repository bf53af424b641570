//! Runs a file of certificate path cases in x509-limbo's format (PKITS has been put into it as well) and says where we
//! and it disagree. `cargo xtask x509` is how it is called.
#![forbid(unsafe_code)]

mod case;
mod outcome;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use lexopt::prelude::*;
use oxtls::x509::{Policy, PublicSuffixes, Rule};
use serde_json::{Value, json};

use case::Case;
use outcome::{Outcomes, Verdict};

const HELP: &str = "\
cargo xtask x509 [FILE.json[.xz] ...] [--profile default|strict] [--out RESULTS.json]

  FILE        cases in x509-limbo's format, PKITS's inputs included; without one those of the conformance data, which is
              looked for in $OXTLS_CONFORMANCE_DATA, or else in ../shared/data
  --profile   the policy that judges (strict; PKITS is always judged by default, it is about paths alone)
  --out       writes every verdict there, in x509-limbo's format of results

Prints what of the core, of BetterTLS and of PKITS is as expected, every disagreement with its description, and closes
with `N passed, N failed`.
";

type Error = Box<dyn std::error::Error>;

/// What the command line asks for.
struct Options {
    files: Vec<PathBuf>,
    strict: bool,
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("x509: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, Error> {
    let Some(options) = options()? else {
        print!("{HELP}");
        return Ok(true);
    };
    if options.files.is_empty() {
        println!("SKIPPED: no conformance data here (set OXTLS_CONFORMANCE_DATA to its folder)");
        return Ok(true);
    }
    let mut outcomes = Outcomes::default();
    for file in &options.files {
        let data = load(file)?;
        for case in data.get("testcases").and_then(Value::as_array).ok_or("no testcases in it")? {
            let case = Case::new(case)?;
            let policy = policy(&case, options.strict);
            outcomes.add(&case, judge(&case, policy));
        }
    }
    print!("{outcomes}");
    if let Some(out) = &options.out {
        let profile = if options.strict { "strict" } else { "default" };
        let results = json!({
            "version": 1,
            "harness": format!("oxtls-x509 {} ({profile})", env!("CARGO_PKG_VERSION")),
            "results": outcomes.results(),
        });
        fs::write(out, serde_json::to_vec_pretty(&results)?)?;
    }
    println!("{} passed, {} failed", outcomes.passed(), outcomes.failed());
    Ok(outcomes.failed() == 0)
}

/// `None` if help is asked for.
fn options() -> Result<Option<Options>, Error> {
    let mut arguments = lexopt::Parser::from_env();
    let mut options = Options { files: Vec::new(), strict: true, out: None };
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("profile") => {
                options.strict = match arguments.value()?.string()?.as_str() {
                    "strict" => true,
                    "default" => false,
                    other => return Err(format!("--profile is default or strict, not {other:?}").into()),
                }
            }
            Long("out") => options.out = Some(arguments.value()?.into()),
            Value(file) => options.files.push(file.into()),
            argument => return Err(argument.unexpected().into()),
        }
    }
    if options.files.is_empty() {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
        let folder = std::env::var_os("OXTLS_CONFORMANCE_DATA").map_or_else(beside, PathBuf::from);
        let files = ["limbo-dev.json.xz", "pkits.json.xz"].map(|name| folder.join(name));
        options.files.extend(files.into_iter().filter(|file| file.exists()));
    }
    Ok(Some(options))
}

fn load(file: &Path) -> Result<Value, Error> {
    let cannot = |why: String| format!("{}: {why}", file.display());
    let bytes = if file.extension().is_some_and(|extension| extension == "xz") {
        let output =
            Command::new("xz").arg("-dc").arg(file).output().map_err(|error| cannot(error.to_string()))?;
        if !output.status.success() {
            return Err(cannot(String::from_utf8_lossy(&output.stderr).into_owned()).into());
        }
        output.stdout
    } else {
        fs::read(file).map_err(|error| cannot(error.to_string()))?
    };
    Ok(serde_json::from_slice(&bytes).map_err(|error| cannot(error.to_string()))?)
}

/// The suites are about paths, not about TLS: whether a key may sign handshakes is asked only where a case asks it.
fn policy(case: &Case<'_>, strict: bool) -> Policy {
    let listed = || Policy::strict().with_public_suffixes(PublicSuffixes::List);
    let policy = if strict && !case.is_pkits() { listed() } else { Policy::default() };
    if case.wants_digital_signature() { policy } else { policy.lift(Rule::DigitalSignature) }
}

fn judge(case: &Case<'_>, policy: Policy) -> Verdict {
    match case.judge(policy) {
        Ok(()) => Verdict::Success,
        Err(why) => Verdict::Failure(why),
    }
}
