//! A foreign program under test: fed and read by threads, bounded in time, ended by its pid.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Error;

/// A running program. Dropping it ends it.
pub(super) struct Process {
    child: Child,
    input: Option<Sender<Vec<u8>>>,
    output: Arc<Gathered>,
    errors: Arc<Gathered>,
}

/// What a program has printed so far.
#[derive(Default)]
struct Gathered {
    state: Mutex<Gathering>,
    changed: Condvar,
}

#[derive(Default)]
struct Gathering {
    bytes: Vec<u8>,
    /// No more comes.
    ended: bool,
}

impl Gathered {
    fn lock(&self) -> MutexGuard<'_, Gathering> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().bytes).into_owned()
    }

    fn wait_for_end(&self, deadline: Instant) -> Result<(), Error> {
        match self.wait_until(|_| false, deadline) {
            Err(_) if self.lock().ended => Ok(()),
            _ => Err("the program has ended but something else still holds its output".into()),
        }
    }

    /// Waits until `done` says so of what has been gathered, and returns that: as an error if the deadline or the end
    /// of the stream comes first.
    fn wait_until(&self, done: impl Fn(&[u8]) -> bool, deadline: Instant) -> Result<Vec<u8>, Vec<u8>> {
        let mut state = self.lock();
        loop {
            if done(&state.bytes) {
                return Ok(state.bytes.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended {
                return Err(state.bytes.clone());
            }
            (state, _) = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Process {
    pub(super) fn start(command: &mut Command) -> Result<Self, Error> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let output = gather(child.stdout.take());
        let errors = gather(child.stderr.take());
        let mut stdin = child.stdin.take();
        let (sender, chunks) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for chunk in chunks {
                let written =
                    stdin.as_mut().map_or(Ok(()), |pipe| pipe.write_all(&chunk).and_then(|()| pipe.flush()));
                // The program has ended; what it should have done is judged elsewhere.
                if written.is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, input: Some(sender), output, errors })
    }

    /// Writes to the program's standard input, from a thread: returns at once.
    pub(super) fn send(&self, bytes: &[u8]) {
        if let Some(input) = &self.input {
            // Fails only when the program has ended.
            let _ = input.send(bytes.to_vec());
        }
    }

    /// Ends the program's standard input once everything sent is written.
    pub(super) fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until the program has printed `len` bytes and returns them.
    pub(super) fn output(&self, len: usize, deadline: Instant) -> Result<Vec<u8>, Error> {
        self.output
            .wait_until(|bytes| bytes.len() >= len, deadline)
            .map_err(|printed| format!("the peer handed on {} of {len} bytes", printed.len()).into())
    }

    /// Waits until what the program has printed contains `data`, among whatever else.
    pub(super) fn output_with(&self, data: &[u8], deadline: Instant) -> Result<(), Error> {
        let contains = |bytes: &[u8]| data.is_empty() || bytes.windows(data.len()).any(|part| part == data);
        match self.output.wait_until(contains, deadline) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("the peer did not hand on {} bytes", data.len()).into()),
        }
    }

    /// What the program has printed so far.
    pub(super) fn printed(&self) -> String {
        self.output.text()
    }

    /// What the program has said on standard error.
    pub(super) fn words(&self) -> String {
        self.errors.text()
    }

    /// Waits until the program has said this on standard error.
    pub(super) fn wait_for_words(&self, words: &str, deadline: Instant) -> Result<(), Error> {
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(words);
        match self.errors.wait_until(said, deadline) {
            Ok(_) => Ok(()),
            Err(said) => {
                let said = String::from_utf8_lossy(&said);
                let first: Vec<_> = said.lines().take(3).collect();
                Err(format!("it said {:?} and not {words:?}", first.join("; ")).into())
            }
        }
    }

    /// The last lines of either stream, for the report of a failure.
    pub(super) fn last_words(&self) -> String {
        let text = format!("{}\n{}", self.output.text().trim_end(), self.errors.text().trim_end());
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("; ")
    }

    /// Waits until the program has ended by itself and all that it said is here.
    pub(super) fn exit(&mut self, deadline: Instant) -> Result<ExitStatus, Error> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.output.wait_for_end(deadline)?;
                self.errors.wait_for_end(deadline)?;
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err("the peer did not end in time".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks the program to end, as Ctrl-C does.
    pub(super) fn interrupt(&self) -> Result<(), Error> {
        let pid = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -INT \"$1\"", "sh", &pid]).status()?;
        if status.success() { Ok(()) } else { Err("the program can't be interrupted".into()) }
    }

    /// Kills the program: its socket ends without a word.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when it has ended by itself.
        let _ = self.kill();
    }
}

fn gather(pipe: Option<impl Read + Send + 'static>) -> Arc<Gathered> {
    let gathered = Arc::new(Gathered::default());
    let shared = Arc::clone(&gathered);
    thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(len @ 1..) = pipe.read(&mut buffer) {
            shared.lock().bytes.extend_from_slice(&buffer[..len]);
            shared.changed.notify_all();
        }
        shared.lock().ended = true;
        shared.changed.notify_all();
    });
    gathered
}
