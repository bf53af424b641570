//! Running cargo and other programs.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus};
use std::{env, io};

pub(crate) type Error = Box<dyn std::error::Error>;

/// The cargo that runs this xtask.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The workspace's root: this package's parent folder.
pub(crate) fn root() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/..")
}

/// In CI nothing may be skipped for want of a tool.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Runs `command` with our own standard streams: whether it exited with success.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, Error> {
    Ok(command.status().map_err(|error| cannot_run(command, &error))?.success())
}

/// Runs `command` and hands each line of its output, both streams merged in the order written, to `line`.
pub(crate) fn lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<ExitStatus, Error> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().map_err(|error| cannot_run(command, &error))?;
    // The command still holds the pipe's writing end; without this the reading end would never see its end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        line(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']));
        bytes.clear();
    }
    Ok(child.wait()?)
}

fn cannot_run(command: &Command, error: &io::Error) -> Error {
    format!("{} does not run: {error}", command.get_program().display()).into()
}
