//! A program that is asked line by line, and never waited for without end.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::run::Error;

/// How long a program that is not asked any more may take to end by itself.
const LEAVE: Duration = Duration::from_secs(2);

/// A process of ours: it ends when its standard input does, or else it is ended, by its own handle.
pub(crate) struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<io::Result<String>>,
    patience: Duration,
}

impl Process {
    /// Starts `command`, each answer of which may take as long as `patience`.
    pub(crate) fn start(mut command: Command, patience: Duration) -> Result<Self, Error> {
        let name = command.get_program().display().to_string();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{name} does not run: {error}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("a process without pipes")?;
        let (sender, lines) = channel();
        // A read from a pipe cannot be given a limit, a channel can.
        thread::spawn(move || BufReader::new(output).lines().try_for_each(|line| sender.send(line)));
        Ok(Self { name, child, input, lines, patience })
    }

    /// What errors call it from here on.
    pub(crate) fn call(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// Its number at the operating system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its next line.
    pub(crate) fn line(&mut self) -> Result<String, Error> {
        match self.lines.recv_timeout(self.patience) {
            Ok(line) => Ok(line?),
            Err(RecvTimeoutError::Disconnected) => Err(format!("{} has ended", self.name).into()),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("{} has not answered for {} s", self.name, self.patience.as_secs()).into())
            }
        }
    }

    /// Asks it something: the line that it answers.
    pub(crate) fn ask(&mut self, question: &str) -> Result<String, Error> {
        if let Some(input) = &mut self.input {
            writeln!(input, "{question}").map_err(|error| format!("{}: {error}", self.name))?;
        }
        self.line()
    }

    /// Asks no more: it must end by itself, with success and in time.
    pub(crate) fn end(mut self) -> Result<(), Error> {
        match self.leave(self.patience)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{}: {status}", self.name).into()),
            None => Err(format!("{} does not end", self.name).into()),
        }
    }

    fn leave(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        drop(self.input.take());
        let start = Instant::now();
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || start.elapsed() > patience {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.leave(LEAVE), Ok(Some(_))) {
            // It may end in between.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, patience: Duration) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command, patience).unwrap()
    }

    #[test]
    fn each_line_is_answered_by_one_until_nothing_more_is_asked() {
        let mut process = shell("echo name; while read line; do echo \"$line!\"; done", LONG);
        assert_eq!(process.line().unwrap(), "name");
        assert_eq!(process.ask("one").unwrap(), "one!");
        assert_eq!(process.ask("two").unwrap(), "two!");
        process.end().unwrap();
    }

    #[test]
    fn how_a_process_ended_is_told() {
        let error = shell("exit 3", LONG).line().unwrap_err().to_string();
        assert_eq!(error, "sh has ended");
        let error = shell("exit 3", LONG).end().unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
    }

    #[test]
    fn a_process_that_does_not_answer_is_not_waited_for() {
        let mut process = shell("read line; exit 0", Duration::from_millis(1));
        process.call("it");
        assert_eq!(process.line().unwrap_err().to_string(), "it has not answered for 0 s");
    }
}
