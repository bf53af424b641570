//! A foreign program under test: fed and read by threads, bounded in time, ended by its pid.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
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
    bytes: Mutex<Vec<u8>>,
    grown: Condvar,
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
        let mut bytes = self.output.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if bytes.len() >= len {
                return Ok(bytes.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("the peer handed on {} of {len} bytes in time", bytes.len()).into());
            }
            (bytes, _) = self.output.grown.wait_timeout(bytes, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What the program has said on standard error.
    pub(super) fn words(&self) -> String {
        String::from_utf8_lossy(&self.errors.bytes.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }

    /// Waits until the program has ended by itself.
    pub(super) fn exit(&mut self, deadline: Instant) -> Result<ExitStatus, Error> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err("the peer did not end in time".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
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
            let mut bytes = shared.bytes.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.extend_from_slice(&buffer[..len]);
            drop(bytes);
            shared.grown.notify_all();
        }
    });
    gathered
}
