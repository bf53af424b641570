//! The packages of `benches/peers` that other verbs than `bench` ask.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::run::{self, Error, cargo};

/// Ours, which makes the certificates for all.
pub(crate) const OURS: &str = "ours";

/// The other library that is shown beside ours.
pub(crate) const PEER: &str = "rustls-0-23";

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

/// Builds a contender, in the folder and with the settings of this workspace's own release builds: what it has in common
/// with them, the crypto library above all, is there already where the demo was built.
pub(crate) fn build(package: &str) -> Result<PathBuf, Error> {
    let target = target()?;
    let mut command = cargo();
    command.args(["build", "--release", "--quiet", "--config", "profile.release.debug=false"]);
    command.args(["--package", package, "--manifest-path"]).arg(source("Cargo.toml"));
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
pub(crate) fn ask(command: &mut Command, questions: &[String]) -> Result<(String, Vec<String>), Error> {
    use std::io::Write;
    let program = command.get_program().display().to_string();
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().map_err(|error| format!("{program} does not run: {error}"))?;
    if let Some(mut stdin) = process.stdin.take() {
        for question in questions {
            writeln!(stdin, "{question}")?;
        }
    }
    let output = process.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{program}: {}", output.status).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines().map(str::to_owned);
    let name = lines.next().unwrap_or_default();
    let answers: Vec<String> = lines.collect();
    if answers.len() != questions.len() {
        return Err(format!("{program}: {} answers to {} questions", answers.len(), questions.len()).into());
    }
    Ok((name, answers))
}
