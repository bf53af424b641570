//! Many connections held at once: what each end allocates at every stage of its life, all of Rust and of C counted, and
//! what the process is resident with. `cargo xtask memory`.
//!
//! One end acts at a time, so that what is allocated while it does is its own.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;

use crate::{End, Failure, Library};

/// What each end sends once, bytes.
const TRAFFIC: usize = 16 * 1024;

/// What malloc.c counts.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    live: i64,
    peak: i64,
    allocated: i64,
    freed: i64,
}

struct Counter(File);

impl Counter {
    fn new() -> Result<Self, Failure> {
        let path = std::env::var_os("ALLOCATIONS").ok_or("nothing counts allocations")?;
        Ok(Self(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn now(&self) -> Result<Moment, Failure> {
        let mut bytes = [0; 32];
        self.0.read_exact_at(&mut bytes, 0)?;
        let (numbers, _) = bytes.as_chunks();
        let &[live, peak, allocated, freed] = numbers else { return Err("four numbers".into()) };
        let [live, peak, allocated, freed] = [live, peak, allocated, freed].map(i64::from_ne_bytes);
        if allocated == 0 {
            return Err("nothing counts allocations: malloc.c was not loaded".into());
        }
        Ok(Moment { live, peak, allocated, freed })
    }

    fn forget_peak(&self) -> Result<(), Failure> {
        Ok(self.0.write_all_at(&self.now()?.live.to_ne_bytes(), 8)?)
    }
}

/// What all ends of one side have allocated.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    bytes: i64,
    blocks: i64,
    allocations: i64,
    /// The most that one of them had at once since `bytes` was `base`.
    peak: i64,
    base: i64,
}

impl Account {
    /// Lets one end act, and books it.
    fn book<T>(&mut self, counter: &Counter, act: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        counter.forget_peak()?;
        let before = counter.now()?;
        let result = act()?;
        let after = counter.now()?;
        self.peak = self.peak.max(self.bytes - self.base + after.peak - before.live);
        self.bytes += after.live - before.live;
        let allocated = after.allocated - before.allocated;
        self.blocks += allocated - (after.freed - before.freed);
        self.allocations += allocated;
        Ok(result)
    }
}

/// `count` connections, all held. Answers, for server and then client: bytes and blocks of one after the handshake, after
/// 16 KiB each way and at rest, the most bytes of one during its handshake, its allocations in it; then what the process
/// is resident with for each connection, both ends together, at the three stages.
pub(crate) fn measure<L: Library>(library: &L, count: usize) -> Result<String, Failure> {
    let counter = Counter::new()?;
    let mut wire = Vec::with_capacity(256 * 1024);
    let (mut server, mut client) = (Account::default(), Account::default());
    // What is made once does not count.
    for _ in 0..3 {
        let (mut ours, mut theirs) = (library.client()?, library.server()?);
        shake(&counter, (&mut theirs, &mut server), (&mut ours, &mut client), &mut wire)?;
    }
    (server, client) = (Account::default(), Account::default());
    let mut held = Vec::with_capacity(count);
    let mut resident = vec![resident_bytes()?];
    let mut stages = Vec::new();
    for _ in 0..count {
        (server.base, client.base) = (server.bytes, client.bytes);
        // On the heap, as whoever holds many has them.
        let mut ours = client.book(&counter, || Ok(Box::new(library.client()?)))?;
        let mut theirs = server.book(&counter, || Ok(Box::new(library.server()?)))?;
        shake(&counter, (&mut *theirs, &mut server), (&mut *ours, &mut client), &mut wire)?;
        held.push((theirs, ours));
    }
    let shaken = [server, client];
    let mut note = |server: Account, client: Account| -> Result<(), Failure> {
        stages.push([server, client]);
        resident.push(resident_bytes()?);
        Ok(())
    };
    note(server, client)?;
    for (theirs, ours) in &mut held {
        let data = [7; TRAFFIC];
        wire.clear();
        client.book(&counter, || ours.send(&data, &mut wire))?;
        server.book(&counter, || theirs.receive(&mut wire))?;
        wire.clear();
        server.book(&counter, || theirs.send(&data, &mut wire))?;
        client.book(&counter, || ours.receive(&mut wire))?;
    }
    note(server, client)?;
    for (theirs, ours) in &mut held {
        server.book(&counter, || Ok(theirs.rest()))?;
        client.book(&counter, || Ok(ours.rest()))?;
    }
    note(server, client)?;
    let count = i64::try_from(count)?;
    let mut numbers = Vec::new();
    for side in 0..2 {
        numbers
            .extend(stages.iter().flat_map(|stage| [stage[side].bytes / count, stage[side].blocks / count]));
        numbers.extend([shaken[side].peak, shaken[side].allocations / count]);
    }
    numbers.extend(resident[1..].iter().map(|bytes| (bytes - resident[0]) / count));
    let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(words.join(" "))
}

/// The handshake, tickets included.
fn shake(
    counter: &Counter,
    theirs: (&mut impl End, &mut Account),
    ours: (&mut impl End, &mut Account),
    wire: &mut Vec<u8>,
) -> Result<(), Failure> {
    let ((theirs, server), (ours, client)) = (theirs, ours);
    for _ in 0..8 {
        let done = !ours.is_handshaking() && !theirs.is_handshaking();
        wire.clear();
        client.book(counter, || ours.transmit(wire))?;
        if !wire.is_empty() {
            server.book(counter, || theirs.receive(wire))?;
        }
        wire.clear();
        server.book(counter, || theirs.transmit(wire))?;
        if !wire.is_empty() {
            client.book(counter, || ours.receive(wire))?;
        }
        if done {
            return Ok(());
        }
    }
    Err("the handshake does not end".into())
}

/// What this process has in memory.
fn resident_bytes() -> Result<i64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: i64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}
