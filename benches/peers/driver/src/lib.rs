//! What every contender has in common: the cases, the wire, the clock, and how it is spoken to.
//!
//! A contender is a process of its own, so that libraries that define the same symbols can stand beside each other. It
//! is started with the folder of certificates, says what it is in one line, and then answers each line that it reads:
//!
//! | asked | answered |
//! |---|---|
//! | `handshake CASE UNITS` | nanoseconds of the server's calls and of the client's: that many times the quickest's of all but the first fifth |
//! | `bulk CASE SIZE UNITS` | nanoseconds of the client's sending and of the server's receiving, in the same way |
//! | `memory CASE COUNT` | bytes and allocations of the server and of the client for each of that many connections |
//! | `instructions CASE SIZE UNITS` | that many, once all are done (`instructions.rs`): handshakes if SIZE is 0, else writes |
//! | `held CASE COUNT` | what that many connections hold at each stage of their lives (`held.rs`) |
//!
//! or `cannot` and why. Whoever asks takes turns among the contenders; see `xtask/src/bench`.

mod held;
mod instructions;
mod memory;
mod pipe;
mod stream;

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use memory::Usage;
pub use pipe::Pipe;
pub use stream::{Either, Over, Stream};

/// Whatever a contender fails with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What kind of connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// TLS 1.2 instead of 1.3.
    pub tls12: bool,
    /// The folder's RSA-2048 chain instead of its P-256 chain.
    pub rsa: bool,
    /// The client shows a certificate, P-256.
    pub mutual: bool,
    /// X25519MLKEM768 instead of X25519.
    pub hybrid: bool,
    /// Every connection resumes the session of the one before.
    pub resumed: bool,
    /// The peer's chain was verified before, and who can remember that may.
    pub known: bool,
}

impl Case {
    /// Every case by its name.
    pub const ALL: [(&'static str, Self); 9] = {
        const PLAIN: Case =
            Case { tls12: false, rsa: false, mutual: false, hybrid: false, resumed: false, known: false };
        [
            ("tls13", PLAIN),
            ("tls13-mutual", Case { mutual: true, ..PLAIN }),
            ("tls13-known", Case { known: true, ..PLAIN }),
            ("tls13-mutual-known", Case { mutual: true, known: true, ..PLAIN }),
            ("tls13-hybrid", Case { hybrid: true, ..PLAIN }),
            ("tls13-rsa", Case { rsa: true, ..PLAIN }),
            ("tls13-resumed", Case { resumed: true, ..PLAIN }),
            ("tls12", Case { tls12: true, ..PLAIN }),
            ("tls12-resumed", Case { tls12: true, resumed: true, ..PLAIN }),
        ]
    };

    fn named(name: &str) -> Result<Self, Failure> {
        let case = Self::ALL.into_iter().find(|(known, _)| *known == name);
        case.map(|(_, case)| case).ok_or_else(|| format!("no such case: {name}").into())
    }
}

/// The name in the server's certificate.
pub const SERVER_NAME: &str = "server.test";

/// PEM files: each chain is a leaf and an intermediate, all below one root of the same kind of key.
#[derive(Debug)]
pub struct Files(PathBuf);

impl Files {
    fn kind(rsa: bool) -> &'static str {
        if rsa { "rsa" } else { "ecdsa" }
    }

    /// The root's certificate.
    #[must_use]
    pub fn root(&self, rsa: bool) -> PathBuf {
        self.0.join(format!("{}-root.pem", Self::kind(rsa)))
    }

    /// The server's chain and its key.
    #[must_use]
    pub fn server(&self, rsa: bool) -> (PathBuf, PathBuf) {
        let kind = Self::kind(rsa);
        (self.0.join(format!("{kind}-server.pem")), self.0.join(format!("{kind}-server.key")))
    }

    /// The client's chain and its key, P-256.
    #[must_use]
    pub fn client(&self) -> (PathBuf, PathBuf) {
        (self.0.join("ecdsa-client.pem"), self.0.join("ecdsa-client.key"))
    }
}

/// One end of a connection, over memory.
pub trait End {
    /// Takes all that the other end has sent; application data is counted, not kept.
    fn receive(&mut self, wire: &mut Vec<u8>) -> Result<usize, Failure>;
    /// Appends all that is to be sent.
    fn transmit(&mut self, wire: &mut Vec<u8>) -> Result<(), Failure>;
    /// Application data, appended as records.
    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) -> Result<(), Failure>;
    /// The room that so much application data takes, where a library seals into a slice of its caller's.
    fn room(&self, _data: usize) -> Option<usize> {
        None
    }
    /// Where there is a [`room`](Self::room): application data as records at the front of such a slice, and how long they
    /// are.
    fn seal(&mut self, _data: &[u8], _out: &mut [u8]) -> Result<usize, Failure> {
        Err("sends only behind what is there".into())
    }
    /// The handshake goes on.
    fn is_handshaking(&self) -> bool;
    /// The handshake resumed a session.
    fn resumed(&self) -> bool;
    /// Lets go of what is not needed while nothing happens, where a library can.
    fn rest(&mut self) {}
    /// Says goodbye, where a library would otherwise forget the session. Not timed.
    fn close(&mut self, _wire: &mut Vec<u8>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A library, set up for one case: AES-128-GCM, SHA-256, no ALPN, the session of the last connection kept if the case
/// resumes.
pub trait Library: Sized {
    /// Name and version.
    fn name() -> String;
    /// The configurations of both ends, or why the library cannot do this.
    fn new(case: Case, files: &Files) -> Result<Self, Failure>;
    /// A new client.
    fn client(&self) -> Result<impl End, Failure>;
    /// A new server.
    fn server(&self) -> Result<impl End, Failure>;
}

/// Speaks for a library until nothing more is asked.
pub fn run<L: Library>() -> Result<(), Failure> {
    let mut ready: Vec<(Case, L)> = Vec::new();
    serve(&L::name(), |verb, case, numbers, files| {
        if !ready.iter().any(|(known, _)| *known == case) {
            ready.push((case, L::new(case, files)?));
        }
        let library = ready.iter().find(|(known, _)| *known == case).map(|(_, library)| library);
        let library = library.ok_or("no library")?;
        match (verb, numbers) {
            ("handshake", &[units]) => handshakes(library, case, units),
            ("bulk", &[size, units]) => bulk(library, size, units),
            ("memory", &[count]) => memory::measure(library, count),
            ("held", &[count]) => held::measure(library, count),
            ("instructions", &[0, units]) => instructions::question_of_handshakes(library, case, units),
            ("instructions", &[size, units]) => instructions::question_of_records(library, size, units),
            _ => Err(format!("not understood: {verb}").into()),
        }
    })
}

/// Reads what is asked, and answers by `answer`: verb, case, numbers and the certificates are given to it.
pub fn serve(
    name: &str,
    mut answer: impl FnMut(&str, Case, &[usize], &Files) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let folder = std::env::args_os().nth(1).ok_or("the folder of certificates is missing")?;
    let files = Files(PathBuf::from(folder));
    say(name)?;
    for line in stdin().lock().lines() {
        let line = line?;
        let answer = question(&line).and_then(|(verb, case, numbers)| answer(verb, case, &numbers, &files));
        match answer {
            Ok(answer) => say(&answer)?,
            Err(error) => say(&format!("cannot: {error}"))?,
        }
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    writeln!(out, "{}", line.replace('\n', " "))?;
    Ok(out.flush()?)
}

fn question(line: &str) -> Result<(&str, Case, Vec<usize>), Failure> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [verb, name, numbers @ ..] = words.as_slice() else { return Err("what is asked?".into()) };
    let numbers = numbers.iter().map(|number| number.parse()).collect::<Result<_, _>>()?;
    Ok((verb, Case::named(name)?, numbers))
}

/// How long the calls of each end took.
#[derive(Default)]
struct Times {
    server: Duration,
    client: Duration,
}

fn timed<T>(total: &mut Duration, act: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let start = Instant::now();
    let result = act();
    *total += start.elapsed();
    result
}

/// One handshake, tickets included.
fn connect(
    client: &mut impl End,
    server: &mut impl End,
    times: &mut Times,
    wire: &mut Vec<u8>,
) -> Result<(), Failure> {
    for _ in 0..8 {
        let done = !client.is_handshaking() && !server.is_handshaking();
        wire.clear();
        timed(&mut times.client, || client.transmit(wire))?;
        if !wire.is_empty() {
            timed(&mut times.server, || server.receive(wire))?;
        }
        wire.clear();
        timed(&mut times.server, || server.transmit(wire))?;
        if !wire.is_empty() {
            timed(&mut times.client, || client.receive(wire))?;
        }
        if done {
            return Ok(());
        }
    }
    Err("the handshake does not end".into())
}

fn handshakes<L: Library>(library: &L, case: Case, units: usize) -> Result<String, Failure> {
    let mut wire = Vec::with_capacity(64 * 1024);
    if case.resumed {
        // The first has nothing to resume.
        let (mut client, mut server) = (library.client()?, library.server()?);
        connect(&mut client, &mut server, &mut Times::default(), &mut wire)?;
        client.close(&mut wire)?;
    }
    let mut samples = Samples::default();
    for _ in 0..units {
        let mut times = Times::default();
        let mut client = timed(&mut times.client, || library.client())?;
        let mut server = timed(&mut times.server, || library.server())?;
        connect(&mut client, &mut server, &mut times, &mut wire)?;
        if client.resumed() != case.resumed {
            return Err(if case.resumed { "not resumed" } else { "resumed" }.into());
        }
        client.close(&mut wire)?;
        timed(&mut times.client, || Ok(drop(client)))?;
        timed(&mut times.server, || Ok(drop(server)))?;
        samples.add(times.server, times.client);
    }
    Ok(samples.least(units, 1))
}

/// Room for a KeyUpdate ahead of the data.
const SPARE: usize = 64;

/// Writes that are timed together, and read together: a clock takes as long as a small record.
#[must_use]
pub fn batch(size: usize) -> usize {
    (16 * 1024 / size.max(1)).clamp(1, 64)
}

fn bulk<L: Library>(library: &L, size: usize, units: usize) -> Result<String, Failure> {
    let (mut client, mut server) = (library.client()?, library.server()?);
    let batch = batch(size);
    let mut wire = Vec::with_capacity(batch * (size + 512) + 64 * 1024);
    connect(&mut client, &mut server, &mut Times::default(), &mut wire)?;
    let data = vec![7; size];
    let mut samples = Samples::default();
    for _ in 0..units.div_ceil(batch) {
        let (mut sending, mut receiving) = (Duration::ZERO, Duration::ZERO);
        if let Some(room) = client.room(size) {
            // As its users have it: a slice that was used before, and is not cleared for each write.
            wire.resize(batch * room + SPARE, 0);
            let seal = |at, _| Ok(at + client.seal(&data, &mut wire[at..])?);
            let sealed = timed(&mut sending, || (0..batch).try_fold(0, seal))?;
            wire.truncate(sealed);
        } else {
            wire.clear();
            timed(&mut sending, || (0..batch).try_for_each(|_| client.send(&data, &mut wire)))?;
        }
        let received = timed(&mut receiving, || server.receive(&mut wire))?;
        if received != batch * size {
            return Err(format!("{received} of {} bytes came", batch * size).into());
        }
        samples.add(sending, receiving);
    }
    Ok(samples.least(units, batch))
}

/// Which part of its units each answer begins with that does not count.
const WARM_UP: usize = 5;

/// Pairs of times. The first fifth warms up and does not count: caches and branch predictors are those of whoever had the
/// processor before. What stands for the rest is the least of each: whatever else the machine does can only add to any.
#[derive(Debug, Default)]
pub struct Samples(Vec<Duration>, Vec<Duration>);

impl Samples {
    /// One of each.
    pub fn add(&mut self, first: Duration, second: Duration) {
        self.0.push(first);
        self.1.push(second);
    }

    /// Both as an answer: the time of `units`, by the least of samples of `each` units.
    #[must_use]
    pub fn least(self, units: usize, each: usize) -> String {
        let [first, second] = [self.0, self.1].map(|samples| {
            let warm = samples.iter().skip(samples.len() / WARM_UP);
            let least = warm.min().map_or(0, Duration::as_nanos);
            least * units as u128 / each.max(1) as u128
        });
        format!("{first} {second}")
    }
}

/// Reads a PEM file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
