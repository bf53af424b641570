//! Real processes under test: the test binary starts itself anew, and the two talk over pipes.
//!
//! A test that needs processes begins with [`serve_if_started`]: in a process that was [started](Process::start) by
//! itself it answers lines until its input ends, and does not return.

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio, exit};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use oxtls::{ClientConnection, Event, ManualClock, ServerConfig, ServerConnection};

/// Set in the processes that a test starts.
const MARK: &str = "OXTLS_TEST_PROCESS";

/// Stands in front of each answer: the test harness prints to the same pipe.
const ANSWER: &str = "answer: ";

/// Longest that an answer may take. None takes a second; this ends a test that would never end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that answers one line by one line, ended when this is dropped.
pub struct Process {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl Process {
    /// Starts this binary again, to run the test of this name alone.
    pub fn start(test: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, answers) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(answer) = line.strip_prefix(ANSWER)
                    && sender.send(answer.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        Self { child, input, answers }
    }

    /// Its number at the operating system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it something and waits for the answer.
    pub fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        self.input.flush().unwrap();
        self.answers.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no answer: {error}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a process that a test has started: answers every line of its input, and ends with that.
pub fn serve_if_started<F: FnMut(&str) -> String>(server: impl FnOnce() -> F) {
    if env::var_os(MARK).is_none() {
        return;
    }
    let mut answer = server();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&line.unwrap());
        // The harness may be in the middle of a line.
        let mut output = std::io::stdout().lock();
        write!(output, "\n{ANSWER}{answer}\n").unwrap();
        output.flush().unwrap();
    }
    exit(0);
}

/// A folder for what the processes of a test read, gone when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}

pub fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A server in a process of its own, as the process itself sees it: one connection after the other.
pub struct Served {
    pub config: ServerConfig,
    pub hand: ManualClock,
    connection: Option<ServerConnection>,
    early: usize,
}

impl Served {
    pub fn new(config: ServerConfig, hand: ManualClock) -> Self {
        Self { config, hand, connection: None, early: 0 }
    }

    /// `hello BYTES` begins a connection, `rest BYTES` goes on with it. The answer: whether a session was resumed (`?`:
    /// not known yet), how much early data was taken, and what goes back to the client.
    pub fn answer(&mut self, line: &str) -> String {
        let (verb, bytes) = line.split_once(' ').unwrap_or((line, ""));
        if verb == "hello" {
            self.connection = Some(ServerConnection::new(&self.config));
            self.early = 0;
        }
        let mut bytes = unhex(bytes);
        let connection = self.connection.as_mut().unwrap();
        while !bytes.is_empty() {
            let progress = match connection.feed(&mut bytes) {
                Ok(progress) => progress,
                Err(error) => return format!("failed: {error}"),
            };
            if let Some(Event::EarlyData(range)) = progress.event {
                self.early += range.len();
            }
            if progress.consumed == 0 {
                return "failed: half a record".to_owned();
            }
            bytes.drain(..progress.consumed);
        }
        let resumed = connection.info().map_or('?', |info| if info.is_resumed() { 'y' } else { 'n' });
        format!("{resumed} {} {}", self.early, hex(&super::drain(connection)))
    }
}

/// What a server in another process made of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    pub resumed: bool,
    pub early: usize,
}

impl Process {
    /// One connection with the [`Served`] of this process, tickets included; `flight`: what the client has written already.
    pub fn connect(&mut self, client: &mut ClientConnection, flight: Vec<u8>) -> Made {
        let hello = [flight, super::drain(client)].concat();
        let (_, early, answer) = self.flight("hello", &hello);
        super::feed(client, &answer).unwrap();
        let (resumed, early_after, answer) = self.flight("rest", &super::drain(client));
        super::feed(client, &answer).unwrap();
        assert!(!client.is_handshaking() && early == early_after);
        assert_eq!(client.info().unwrap().is_resumed(), resumed == "y", "both ends say the same");
        Made { resumed: resumed == "y", early }
    }

    /// Delivers a flight to the server of this process. What it knows of resumption, the early data that it took, and its
    /// answer.
    pub fn flight(&mut self, verb: &str, bytes: &[u8]) -> (String, usize, Vec<u8>) {
        let answer = self.ask(&format!("{verb} {}", hex(bytes)));
        let mut parts = answer.splitn(3, ' ');
        match (parts.next(), parts.next().map(str::parse), parts.next()) {
            (Some(resumed @ ("y" | "n" | "?")), Some(Ok(early)), Some(bytes)) => {
                (resumed.to_owned(), early, unhex(bytes))
            }
            _ => panic!("{answer}"),
        }
    }
}
