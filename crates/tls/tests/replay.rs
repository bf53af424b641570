//! The replay guard: nothing twice, nothing new refused, whatever threads, processes, restarts and clocks do.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails may panic, and this one prints its numbers"
)]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use common::process as os;
use common::{NAME, client_config, drain, feed, server_config};
use oxtls::handshake::session::ReplayKey;
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, ClientSession, Clock, Credential, Event, ManualClock, NamedGroup,
    ReplayGuard, ReplayVerdict, Resumption, ServerConfig, ServerConnection, TicketKeys,
};
use oxtls_test_pki::LeafSpec;

const START: Duration = Duration::from_secs(1_700_000_000);

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A key that looks like a binder.
fn key(n: u64) -> ReplayKey {
    let mut bytes = [0; 32];
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    for chunk in bytes.chunks_mut(8) {
        state ^= state >> 30;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(n);
        state ^= state >> 27;
        chunk.copy_from_slice(&state.to_be_bytes());
    }
    ReplayKey(bytes.to_vec())
}

#[test]
fn of_a_million_deliveries_by_four_threads_each_hello_is_taken_once() {
    const HELLOS: u64 = 100_000;
    const TIMES: u64 = 10;
    let guard = ReplayGuard::new(100_000).unwrap();
    let keys: Vec<_> = (0..HELLOS).map(key).collect();
    let taken: Vec<AtomicU64> = (0..HELLOS).map(|_| AtomicU64::new(0)).collect();
    let deliveries = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (guard, keys, taken, deliveries) = (guard.clone(), &keys, &taken, &deliveries);
            scope.spawn(move || {
                // Each thread goes through all of them in an order of its own, so that they meet at each other's.
                for n in 0..HELLOS * TIMES / 4 {
                    let hello = n.wrapping_mul([7, 11, 13, 17][thread]).wrapping_add(n / HELLOS) % HELLOS;
                    // Within the window: 20 seconds go by.
                    let now = START + Duration::from_micros(n * 20_000_000 / (HELLOS * TIMES / 4));
                    let hello = usize::try_from(hello).unwrap();
                    if guard.check(&keys[hello], now).is_fresh() {
                        taken[hello].fetch_add(1, Ordering::Relaxed);
                    }
                    deliveries.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((deliveries.into_inner(), HELLOS * TIMES), (1_000_000, 1_000_000));
    assert!(
        taken.iter().all(|taken| taken.load(Ordering::Relaxed) == 1),
        "none twice, none refused at first"
    );
    println!("{} deliveries: {HELLOS} hellos, remembered in {} bytes", HELLOS * TIMES, guard.memory());
    assert!(guard.memory() <= 120 * 100_000);
}

#[test]
fn memory_is_bounded_and_a_full_guard_declines() {
    const ROOM: usize = 10_000;
    let guard = ReplayGuard::new(ROOM).unwrap();
    let mut verdicts = [0; 2];
    for n in 0..200_000 {
        match guard.check(&key(n), START) {
            ReplayVerdict::Fresh => verdicts[0] += 1,
            ReplayVerdict::Full => verdicts[1] += 1,
            verdict => panic!("{verdict:?}"),
        }
    }
    assert!(verdicts[0] >= ROOM && verdicts[1] > 0, "{verdicts:?}");
    println!("full with {} hellos in {} bytes", verdicts[0], guard.memory());
    // Two generations at most, however long it goes on.
    for second in 0..200 {
        for n in 0..2_000 {
            let _ = guard.check(&key(1_000_000 + second * 2_000 + n), START + secs(second));
        }
    }
    println!("after 200 seconds {} bytes", guard.memory());
    assert!(guard.memory() <= 120 * ROOM);
    // What was remembered when it was full is remembered.
    assert!(!guard.check(&key(1_000_000 + 199 * 2_000), START + secs(199)).is_fresh());
}

#[test]
fn in_normal_use_nothing_new_is_refused() {
    // 1,000 a second for 20 minutes, by threads that use the time up to half a second after they have read it.
    const HELLOS: u64 = 1_200_000;
    let guard = ReplayGuard::new(32_000).unwrap();
    let refused = (0..HELLOS).filter(|&n| {
        let late = Duration::from_millis(n.wrapping_mul(7919) % 500);
        let now = START + secs(1) + Duration::from_millis(n) - late;
        !guard.check(&key(n), now).is_fresh()
    });
    let refused = u64::try_from(refused.count()).unwrap();
    println!("{refused} of {HELLOS} refused, {} bytes", guard.memory());
    assert!(refused * 100_000 <= HELLOS);
}

#[test]
fn within_its_window_a_guard_forgets_nothing() {
    for wait in [0, 1, 10, 20, 29, 30] {
        for begin in 0..70 {
            let guard = ReplayGuard::new(1000).unwrap();
            // Something turns the generations at any phase.
            for second in 0..=begin {
                let _ = guard.check(&key(1000 + second), START + secs(second));
            }
            let first = START + secs(begin);
            assert!(guard.check(&key(1), first).is_fresh());
            for second in 0..wait {
                let _ = guard.check(&key(2000 + second), first + secs(second));
            }
            assert_eq!(guard.check(&key(1), first + secs(wait)), ReplayVerdict::Replayed, "{begin} {wait}");
        }
    }
}

#[test]
fn no_clock_that_steps_makes_a_replay_look_new() {
    // A hello is fresh between 10 seconds before and 10 after what its ticket's age says; the guard must know it, or
    // decline, at each of these times whatever the clock has shown between.
    for leap in [0, 1, 15, 29, 31, 33, 60, 61, 62, 63, 64, 100, 1000, 1_000_000] {
        for taken_at in [0, 5, 20] {
            for back_at in [0, 5, 10, 15, 20] {
                let guard = ReplayGuard::new(10_000).unwrap();
                let hello = START + secs(100);
                let at = |second| hello - secs(10) + secs(second);
                assert!(guard.check(&key(1), at(taken_at)).is_fresh());
                // The clock leaps ahead, others come in, and it steps back. Every shard sees some of them.
                for n in 0..1000 {
                    let _ = guard.check(&key(10 + n), at(taken_at) + secs(leap));
                }
                let verdict = guard.check(&key(1), at(back_at));
                assert!(!verdict.is_fresh(), "{leap} {taken_at} {back_at}: {verdict:?}");
            }
        }
    }
}

#[test]
fn two_guards_and_a_guard_after_a_restart_have_names_of_their_own() {
    let guards: Vec<_> = (0..100).map(|_| ReplayGuard::new(1).unwrap()).collect();
    for (n, guard) in guards.iter().enumerate() {
        assert!(guards.iter().skip(n + 1).all(|other| other.id() != guard.id()));
        assert_eq!(guard.clone().id(), guard.id());
    }
}

#[test]
fn what_is_no_binder_is_declined() {
    let guard = ReplayGuard::new(10).unwrap();
    assert_eq!(guard.check(&ReplayKey(vec![1; 15]), START), ReplayVerdict::Broken);
    assert_eq!(ReplayGuard::with_window(10, secs(100)).unwrap().window(), secs(100));
}

/// A flight that whoever sits on the wire has recorded: a hello that resumes a session, and early data.
type Flight = Vec<u8>;

/// A client whose flights are recorded. Time stands still, or moves by hand, so that a slow machine changes nothing.
struct Recorder {
    config: ClientConfig,
    begin: Duration,
}

impl Recorder {
    fn new() -> (Self, Clock, ManualClock) {
        let begin = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let begin = Duration::from_secs(begin.as_secs());
        let (clock, hand) = Clock::manual(begin);
        let config = client_config().clock(clock.clone()).hand_out_sessions().early_data(true);
        let config = config.groups(&[NamedGroup::X25519]).build().unwrap();
        (Self { config, begin }, clock, hand)
    }

    fn client(&self) -> ClientConnection {
        ClientConnection::new(&self.config, ServerName::try_from(NAME).unwrap()).unwrap()
    }

    fn record(&self, session: ClientSession) -> (ClientConnection, Flight) {
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::with_session(&self.config, name, session).unwrap();
        let mut window = [0; 4096];
        let sealed = client.seal_early(b"pay", &mut window).unwrap();
        assert_eq!(sealed.taken, 3);
        (client, window[..sealed.written].to_vec())
    }
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Tickets that a server here gives with each connection.
const TICKETS: u8 = 8;

fn early(guard: ReplayGuard, keys: TicketKeys) -> Resumption {
    Resumption::tickets(keys).tickets_per_connection(TICKETS).early_data(guard, 1000)
}

/// Delivers a flight to a new connection: whether its early data was taken.
fn takes(server: &ServerConfig, flight: &[u8]) -> bool {
    let (mut server, mut input, mut taken) = (ServerConnection::new(server), flight.to_vec(), false);
    while !input.is_empty() {
        let progress = server.feed(&mut input).unwrap();
        taken |= matches!(progress.event, Some(Event::EarlyData(_)));
        assert_ne!(progress.consumed, 0);
        input.drain(..progress.consumed);
    }
    taken
}

#[test]
fn recorded_flights_that_four_threads_deliver_at_once_are_taken_once() {
    let (recorder, clock, _hand) = Recorder::new();
    let resumption = early(ReplayGuard::new(1000).unwrap(), TicketKeys::rotating());
    let server = server_config().clock(clock).resumption(resumption).build().unwrap();
    let mut flights = Vec::new();
    while flights.len() < 96 {
        let (mut client, mut end) = (recorder.client(), ServerConnection::new(&server));
        common::handshake(&mut client, &mut end).unwrap();
        common::deliver(&mut end, &mut client);
        while let Some(session) = client.take_session() {
            flights.push(recorder.record(session).1);
        }
    }
    let taken: Vec<AtomicU64> = flights.iter().map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // All in the same order: they meet at each flight.
                for (flight, taken) in flights.iter().zip(&taken).chain(flights.iter().zip(&taken)) {
                    taken.fetch_add(u64::from(takes(&server, flight)), Ordering::Relaxed);
                }
            });
        }
    });
    assert!(taken.iter().all(|taken| taken.load(Ordering::Relaxed) == 1), "{taken:?}");
}

/// What each process runs: the first line says when it is, where its files are and how much its guard remembers.
fn guarding_process() -> impl FnMut(&str) -> String {
    let mut served: Option<(os::Served, ReplayGuard)> = None;
    move |line: &str| {
        let Some((served, guard)) = &mut served else {
            let mut parts = line.split('\t');
            let mut part = || parts.next().unwrap();
            let (clock, hand) = Clock::manual(Duration::from_secs(part().parse().unwrap()));
            let credential = Credential::from_pem_files(part(), part()).unwrap();
            let keys = TicketKeys::given(os::unhex(part()), [[0; 32]; 0]).unwrap();
            let guard = ReplayGuard::new(part().parse().unwrap()).unwrap();
            let config = ServerConfig::builder().credential(credential).alpn(["b"]).clock(clock);
            let config = config.resumption(early(guard.clone(), keys)).build().unwrap();
            served = Some((os::Served::new(config, hand), guard));
            return "ready".to_owned();
        };
        match line.split_once(' ') {
            Some(("time", at)) => {
                served.hand.set(Duration::from_secs(at.parse().unwrap()));
                "set".to_owned()
            }
            None => guard.memory().to_string(),
            Some(_) => served.answer(line),
        }
    }
}

/// Starts a process of [`guarding_process`].
fn start(folder: &os::Folder, begin: Duration, room: usize) -> os::Process {
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (chain, key) = (path(&folder.file("chain.pem")), path(&folder.file("key.pem")));
    let mut process = os::Process::start(PROCESSES);
    let ticket_key = os::hex(&[7; 32]);
    let first = format!("{}\t{chain}\t{key}\t{ticket_key}\t{room}", begin.as_secs());
    assert_eq!(process.ask(&first), "ready");
    process
}

/// Flights of sessions that this process has made.
fn flights_of(process: &mut os::Process, recorder: &Recorder, count: usize) -> Vec<Flight> {
    let mut flights = Vec::new();
    while flights.len() < count {
        let mut client = recorder.client();
        assert!(!process.connect(&mut client, Vec::new()).resumed);
        while let Some(session) = client.take_session() {
            flights.push(recorder.record(session).1);
        }
    }
    flights.truncate(count);
    flights
}

/// The test that runs in processes of its own.
const PROCESSES: &str = "replays_across_two_processes_a_restart_and_a_full_table_are_never_taken_twice";

#[test]
fn replays_across_two_processes_a_restart_and_a_full_table_are_never_taken_twice() {
    os::serve_if_started(guarding_process);
    let folder = os::Folder::new("replay");
    common::PKI.ca.issue(LeafSpec::server(NAME)).write(folder.file("chain.pem"), folder.file("key.pem"));
    let (recorder, _clock, _hand) = Recorder::new();
    let begin = recorder.begin;

    // Two processes have one ticket key, and guards of their own.
    let mut pair = [start(&folder, begin, 10_000), start(&folder, begin, 10_000)];
    assert_ne!(pair[0].id(), pair[1].id());
    let mut flights = Vec::new();
    for (home, process) in pair.iter_mut().enumerate() {
        flights.extend(flights_of(process, &recorder, 80).into_iter().map(|flight| (home, flight)));
    }
    let (mut numbers, mut taken, mut replays) = (Numbers(1), vec![0; flights.len()], 0_u32);
    let mut deliver = |pair: &mut [os::Process; 2], to: usize, n: usize, taken: &mut [u32]| {
        let (resumed, early, answer) = pair[to].flight("hello", &flights[n].1);
        // Never to failure: the handshake goes on, with early data or without.
        assert!(resumed == "?" && !answer.is_empty());
        assert!(early == 0 || early == 3);
        assert!(early == 0 || to == flights[n].0, "only the guard that the ticket names can judge");
        taken[n] += u32::from(early == 3);
        replays += 1;
    };
    for _ in 0..10 * flights.len() {
        let (to, n) = (numbers.below(2), numbers.below(flights.len()));
        deliver(&mut pair, to, n, &mut taken);
    }
    // A few have never come to the process that can judge them.
    for (n, (home, _)) in flights.iter().enumerate() {
        deliver(&mut pair, *home, n, &mut taken);
    }
    assert!(taken.iter().all(|&taken| taken == 1), "none twice, none refused that was new: {taken:?}");

    // One of them is ended and started anew, and knows nothing of what it has taken.
    let ended = pair[0].id();
    pair[0] = start(&folder, begin, 10_000);
    assert_ne!(pair[0].id(), ended);
    for n in (0..flights.len()).chain(0..flights.len()) {
        deliver(&mut pair, numbers.below(2), n, &mut taken);
        deliver(&mut pair, 0, n, &mut taken);
    }
    // Time goes by, past what guards remember.
    for seconds in [5, 9, 11, 20, 30, 31, 45, 62, 100, 3600] {
        for process in &mut pair {
            assert_eq!(process.ask(&format!("time {}", begin.as_secs() + seconds)), "set");
        }
        for n in 0..flights.len() / 4 {
            deliver(&mut pair, numbers.below(2), 4 * n, &mut taken);
        }
    }
    assert!(taken.iter().all(|&taken| taken == 1), "{taken:?}");
    println!(
        "{replays} deliveries to two processes and one started anew: {} flights taken, once each",
        flights.len()
    );
    println!("guards: {} and {} bytes", pair[0].ask("memory"), pair[1].ask("memory"));
    a_full_table(&folder, &recorder);
}

/// A guard without room declines what it could not remember, and the handshake goes on.
fn a_full_table(folder: &os::Folder, recorder: &Recorder) {
    let mut process = start(folder, recorder.begin, 1);
    let flights = flights_of(&mut process, recorder, 1200);
    let mut taken = vec![0_u32; flights.len()];
    for round in 0..3 {
        for (flight, taken) in flights.iter().zip(&mut taken) {
            let (resumed, early, answer) = process.flight("hello", flight);
            assert!(resumed == "?" && !answer.is_empty());
            *taken += u32::from(early == 3);
        }
        let full = taken.iter().filter(|&&taken| taken == 0).count();
        println!("full table, round {round}: {} taken, {full} declined", flights.len() - full);
        assert!(full > 0 && full < flights.len() / 2);
        assert!(taken.iter().all(|&taken| taken <= 1));
    }
    let memory: usize = process.ask("memory").parse().unwrap();
    println!("full table: {memory} bytes");
    assert!(memory <= 120 * 900);
    // A declined client goes on in one round trip, and is resumed.
    let mut client = recorder.client();
    process.connect(&mut client, Vec::new());
    let mut declined = 0;
    while let Some(session) = client.take_session() {
        let (mut client, flight) = recorder.record(session);
        let made = process.connect(&mut client, flight);
        assert!(made.resumed);
        declined += u32::from(made.early == 0);
    }
    println!("full table: {declined} of {TICKETS} more resumed without early data");
}

/// Connections that a server refuses early data of lose nothing: what this file counts as declined is a handshake.
#[test]
fn a_replay_ends_as_a_handshake_that_its_sender_cannot_finish() {
    let (recorder, clock, _hand) = Recorder::new();
    let resumption = early(ReplayGuard::new(10).unwrap(), TicketKeys::rotating());
    let server = server_config().clock(clock).resumption(resumption).build().unwrap();
    let (mut client, mut end) = (recorder.client(), ServerConnection::new(&server));
    common::handshake(&mut client, &mut end).unwrap();
    common::deliver(&mut end, &mut client);
    let (mut client, flight) = recorder.record(client.take_session().unwrap());
    assert!(takes(&server, &flight));
    // The replayed hello is answered, and whoever has the client's secrets could go on; nobody else.
    let mut second = ServerConnection::new(&server);
    feed(&mut second, &flight).unwrap();
    let answer = drain(&mut second);
    feed(&mut client, &answer).unwrap();
    feed(&mut second, &drain(&mut client)).unwrap();
    assert!(second.info().unwrap().is_resumed() && client.info().unwrap().is_resumed());
}
