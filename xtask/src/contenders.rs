//! The packages of `benches/peers` that other verbs than `bench` ask.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use lexopt::{Arg, ValueExt};

use crate::process::Process;
use crate::run::{self, Error, cargo};

/// Ours, which makes the certificates for all.
pub(crate) const OURS: &str = "ours";

/// The other library that is shown beside ours.
pub(crate) const PEER: &str = "rustls-0-23";

/// Longest that one answer of a contender may take: a hundred times what they take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(900);

/// Cargo's folder, in which this program lies as `debug/xtask`.
pub(crate) fn target() -> Result<PathBuf, Error> {
    let program = env::current_exe()?;
    Ok(program.ancestors().nth(2).ok_or("xtask lies outside a target folder")?.to_owned())
}

/// A folder in cargo's, for what a verb leaves behind.
pub(crate) fn folder(name: &str) -> Result<PathBuf, Error> {
    let folder = target()?.join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Builds a contender.
pub(crate) fn build(package: &str) -> Result<PathBuf, Error> {
    build_in("Cargo.toml", package)
}

/// Builds a package of a workspace of `benches/peers`, in the folder and with the settings of this workspace's own release
/// builds: what it has in common with them, the crypto library above all, is there already where the demo was built.
pub(crate) fn build_in(manifest: &str, package: &str) -> Result<PathBuf, Error> {
    let target = target()?;
    let mut command = cargo();
    command.args(["build", "--release", "--quiet", "--config", "profile.release.debug=false"]);
    command.args(["--package", package, "--manifest-path"]).arg(source(manifest));
    command.arg("--target-dir").arg(&target);
    if !run::succeeds(&mut command)? {
        return Err(format!("{package} does not build").into());
    }
    Ok(target.join("release").join(package))
}

/// A file of `benches/peers`.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(run::root()).join("benches/peers").join(name)
}

/// Builds ours, and lets it write the certificates into `folder`.
pub(crate) fn ours(folder: &Path) -> Result<PathBuf, Error> {
    let ours = build(OURS)?;
    if !run::succeeds(Command::new(&ours).arg(folder).arg("--certificates"))? {
        return Err("no certificates were made".into());
    }
    Ok(ours)
}

/// Runs a contender, alone or under another program, asks it all questions and ends it: its name, and its answers.
pub(crate) fn ask(command: Command, questions: &[String]) -> Result<(String, Vec<String>), Error> {
    let mut process = Process::start(command, PATIENCE)?;
    let name = process.line()?;
    let answers = questions.iter().map(|question| process.ask(question)).collect::<Result<_, _>>()?;
    process.end()?;
    Ok((name, answers))
}

/// What `--count` says, the only option of some verbs, if it is `least` or more.
pub(crate) fn count(rest: Vec<OsString>, default: usize, least: usize) -> Result<usize, Error> {
    let mut count = default;
    let mut parser = lexopt::Parser::from_args(rest);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("count") => count = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    if count < least { Err(format!("--count {least} is the least").into()) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_number_that_is_not_too_small() {
        let count = |words: &[&str]| count(words.iter().map(OsString::from).collect(), 7, 2);
        assert_eq!(count(&[]).unwrap(), 7);
        assert_eq!(count(&["--count", "2"]).unwrap(), 2);
        for wrong in [&["--count", "1"][..], &["--count"], &["--count", "x"], &["word"]] {
            assert!(count(wrong).is_err(), "{wrong:?}");
        }
    }
}
