//! A library as a process that is asked line by line; see `benches/peers/driver`.

use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::contenders::PATIENCE;
use crate::process::Process;
use crate::run::Error;

/// A process, and what it says it is.
pub(crate) struct Contender {
    pub(crate) name: String,
    process: Process,
}

/// Numbers, or why there are none.
pub(crate) type Answer = Result<Vec<f64>, String>;

/// Numbers of each round, or why there are none.
pub(crate) type Rounds = Result<Vec<Vec<f64>>, String>;

impl Contender {
    /// Starts it. If there is a counter, that counts its allocations, in a file beside it.
    pub(crate) fn start(program: &Path, certificates: &Path, counter: Option<&Path>) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.arg(certificates);
        if let Some(counter) = counter {
            let mut counts = program.as_os_str().to_owned();
            counts.push(".allocations");
            command.env("LD_PRELOAD", counter).env("ALLOCATIONS", counts);
        }
        let mut process = Process::start(command, PATIENCE)?;
        let name = process.line()?;
        process.call(&name);
        Ok(Self { name, process })
    }

    fn ask(&mut self, question: &str) -> Result<Answer, Error> {
        let line = self.process.ask(question)?;
        let numbers: Result<Vec<f64>, _> = line.split(' ').map(str::parse).collect();
        Ok(numbers.map_err(|_| line.strip_prefix("cannot: ").unwrap_or(&line).to_owned()))
    }
}

/// How often a question is asked at most, and for how long at most, the warm-up included; but thrice in any case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
}

/// Shows how far a run is, on standard error.
pub(crate) struct Progress {
    start: Instant,
    question: usize,
    questions: usize,
}

impl Progress {
    pub(crate) fn new(questions: usize) -> Self {
        Self { start: Instant::now(), question: 0, questions }
    }

    fn next(&mut self, question: &str) {
        self.question = self.question.saturating_add(1);
        if !stderr().is_terminal() {
            eprintln!("{}", self.line(question));
        }
    }

    fn round(&self, question: &str, round: usize, patience: Patience) {
        if stderr().is_terminal() {
            eprint!("\r{}, round {round} of at most {}   ", self.line(question), patience.rounds);
        }
    }

    fn done(&self, question: &str, rounds: usize) {
        if stderr().is_terminal() {
            eprintln!("\r{}, {rounds} rounds          ", self.line(question));
        }
    }

    fn line(&self, question: &str) -> String {
        let seconds = self.start.elapsed().as_secs();
        format!("[{:2}/{}] {seconds:4} s  {question}", self.question, self.questions)
    }
}

/// Asks all of them the same, round by round, so that what the machine does meanwhile meets all of them. A first round
/// warms up and does not count; who cannot is not asked again.
pub(crate) fn in_turns(
    contenders: &mut [Contender],
    question: &str,
    patience: Patience,
    progress: &mut Progress,
) -> Result<Vec<Rounds>, Error> {
    progress.next(question);
    let start = Instant::now();
    let mut answers = Vec::new();
    for contender in contenders.iter_mut() {
        answers.push(contender.ask(question)?.map(|_| Vec::new()));
    }
    let mut rounds = 0_usize;
    while rounds < patience.rounds && (rounds < 3 || start.elapsed() < patience.time) {
        rounds = rounds.saturating_add(1);
        progress.round(question, rounds, patience);
        for (contender, known) in contenders.iter_mut().zip(&mut answers) {
            if let Ok(numbers) = known {
                match contender.ask(question)? {
                    Ok(answer) => numbers.push(answer),
                    Err(why) => *known = Err(why),
                }
            }
        }
    }
    progress.done(question, rounds);
    Ok(answers)
}

/// Asks each of them once.
pub(crate) fn once(
    contenders: &mut [Contender],
    question: &str,
    progress: &mut Progress,
) -> Result<Vec<Rounds>, Error> {
    progress.next(question);
    let mut answers = Vec::new();
    for contender in contenders {
        answers.push(contender.ask(question)?.map(|answer| vec![answer]));
    }
    progress.done(question, 1);
    Ok(answers)
}
