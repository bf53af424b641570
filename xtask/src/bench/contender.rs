//! A library as a process that is asked line by line; see `benches/peers/driver`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::run::Error;

/// A process, and what it says it is.
pub(crate) struct Contender {
    pub(crate) name: String,
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Numbers, or why there are none.
pub(crate) type Answer = Result<Vec<f64>, String>;

/// Numbers of each round, or why there are none.
pub(crate) type Rounds = Result<Vec<Vec<f64>>, String>;

impl Contender {
    /// Starts it, with its allocations counted if there is a counter.
    pub(crate) fn start(program: &Path, certificates: &Path, counter: Option<&Path>) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.arg(certificates).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(counter) = counter {
            command.env("LD_PRELOAD", counter);
        }
        let mut process =
            command.spawn().map_err(|error| format!("{} does not run: {error}", program.display()))?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("a contender without pipes".into());
        };
        let mut contender =
            Self { name: String::new(), process, questions, answers: BufReader::new(answers) };
        contender.name = contender.line()?;
        Ok(contender)
    }

    fn line(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("{} has ended", self.name).into());
        }
        Ok(line.trim_end().to_owned())
    }

    fn ask(&mut self, question: &str) -> Result<Answer, Error> {
        writeln!(self.questions, "{question}")?;
        let line = self.line()?;
        let numbers: Result<Vec<f64>, _> = line.split(' ').map(str::parse).collect();
        Ok(numbers.map_err(|_| line))
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks all of them the same, round by round, so that what the machine does meanwhile meets all of them. Who cannot is
/// asked once.
pub(crate) fn in_turns(
    contenders: &mut [Contender],
    question: &str,
    rounds: usize,
) -> Result<Vec<Rounds>, Error> {
    eprintln!("{question}, {rounds} rounds");
    let mut answers: Vec<Rounds> = contenders.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..rounds {
        for (contender, known) in contenders.iter_mut().zip(&mut answers) {
            if let Ok(numbers) = known {
                match contender.ask(question)? {
                    Ok(answer) => numbers.push(answer),
                    Err(why) => *known = Err(why),
                }
            }
        }
    }
    Ok(answers)
}
