//! Ticket keys of a fleet: processes with one seed and no word between them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails may panic, and this one prints its numbers"
)]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, mem};

use common::process as os;
use common::{NAME, client_config, ends, handshake, server_config};
use oxtls::handshake::session::Session;
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, ClientSession, Clock, Credential, FleetSeed, ManualClock, Resumption,
    ServerConfig, ServerConnection, TicketKeys,
};
use oxtls_test_pki::LeafSpec;
use zeroize::Zeroizing;

const HOUR: Duration = Duration::from_secs(3600);
const PROCESSES: usize = 8;

/// Most that a clock here is wrong by, either way.
const SKEW: u64 = 5 * 60;

fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}

fn copy(seed: &FleetSeed) -> FleetSeed {
    FleetSeed::from_bytes(&*seed.to_bytes()).unwrap()
}

/// A server of the fleet in this process: its server and its own idea of the time, so much ahead of `SKEW` behind the truth.
struct Process {
    server: ServerConfig,
    hand: ManualClock,
    ahead: Duration,
}

impl Process {
    fn start(seed: &FleetSeed, truth: Duration, ahead: Duration) -> Self {
        let (clock, hand) = Clock::manual(truth);
        let keys = TicketKeys::fleet(copy(seed));
        let resumption = Resumption::tickets(keys).tickets_per_connection(1);
        let server = server_config().clock(clock).resumption(resumption).build().unwrap();
        let this = Self { server, hand, ahead };
        this.set(truth);
        this
    }

    fn set(&self, truth: Duration) {
        self.hand.set(truth - Duration::from_secs(SKEW) + self.ahead);
    }
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

struct Client {
    config: ClientConfig,
    hand: ManualClock,
}

impl Client {
    fn new(truth: Duration) -> Self {
        let (clock, hand) = Clock::manual(truth);
        Self { config: client_config().clock(clock).hand_out_sessions().build().unwrap(), hand }
    }

    fn connect(&self, server: &ServerConfig, session: Option<ClientSession>) -> (bool, ClientSession) {
        let name = ServerName::try_from(NAME).unwrap();
        let (mut client, mut server) = match session {
            None => ends(&self.config, server),
            Some(session) => (
                ClientConnection::with_session(&self.config, name, session).unwrap(),
                ServerConnection::new(server),
            ),
        };
        handshake(&mut client, &mut server).unwrap();
        common::deliver(&mut server, &mut client);
        (client.info().unwrap().is_resumed(), client.take_session().unwrap())
    }
}

/// A process of the operating system that serves with its own copy of the seed and a wrong clock.
struct Peer {
    process: os::Process,
    seed: PathBuf,
    ahead: i64,
}

impl Peer {
    fn start(folder: &os::Folder, seed: &Path, truth: Duration, ahead: i64) -> Self {
        let mut process = os::Process::start(FLEET);
        let (chain, key) = (folder.file("chain.pem"), folder.file("key.pem"));
        let at = shifted(truth, ahead).as_secs();
        let files = [&chain, &key, seed].map(|path| path.to_str().unwrap());
        assert_eq!(process.ask(&format!("{at}\t{}", files.join("\t"))), "ready");
        Self { process, seed: seed.to_owned(), ahead }
    }

    /// Ends it and starts it anew, with the seed that it had.
    fn restart(&mut self, folder: &os::Folder, truth: Duration) {
        let new = Self::start(folder, &self.seed, truth, self.ahead);
        assert_ne!(mem::replace(self, new).process.id(), self.process.id());
    }

    /// One connection: whether the client offered a session, whether that was resumed, and the next session.
    fn serve(&mut self, client: &Client, session: Option<ClientSession>) -> (bool, bool, ClientSession) {
        let name = ServerName::try_from(NAME).unwrap();
        // By its own clock, which is right, and by what it was told of the session's lifetime.
        let offers = session.as_ref().is_some_and(|session| session.check(&client.config, &name).is_ok());
        let mut connection = match session {
            Some(session) => ClientConnection::with_session(&client.config, name, session).unwrap(),
            None => ClientConnection::new(&client.config, name).unwrap(),
        };
        let resumed = self.process.connect(&mut connection, Vec::new()).resumed;
        assert!(offers || !resumed);
        (offers, resumed, connection.take_session().unwrap())
    }

    /// Its clock goes with the true time, as wrong as ever.
    fn set(&mut self, truth: Duration) {
        let at = shifted(truth, self.ahead).as_secs();
        assert_eq!(self.process.ask(&format!("time {at}")), "set");
    }
}

fn shifted(truth: Duration, ahead: i64) -> Duration {
    Duration::from_secs(truth.as_secs().checked_add_signed(ahead).unwrap())
}

/// What each process of the fleet runs: the first line says when it is and where its files are.
fn fleet_process() -> impl FnMut(&str) -> String {
    let mut served: Option<os::Served> = None;
    move |line: &str| {
        let Some(served) = &mut served else {
            let mut parts = line.split('\t');
            let at = Duration::from_secs(parts.next().unwrap().parse().unwrap());
            let mut file = || parts.next().unwrap();
            let credential = Credential::from_pem_files(file(), file()).unwrap();
            let seed = FleetSeed::from_bytes(&fs::read(file()).unwrap()).unwrap();
            let (clock, hand) = Clock::manual(at);
            let resumption = Resumption::tickets(TicketKeys::fleet(seed)).tickets_per_connection(1);
            let config = ServerConfig::builder().credential(credential).alpn(["b"]).clock(clock);
            served = Some(os::Served::new(config.resumption(resumption).build().unwrap(), hand));
            return "ready".to_owned();
        };
        match line.strip_prefix("time ") {
            Some(at) => {
                served.hand.set(Duration::from_secs(at.parse().unwrap()));
                "set".to_owned()
            }
            None => served.answer(line),
        }
    }
}

/// The test that runs in processes of its own.
const FLEET: &str = "eight_processes_of_skewed_clocks_resume_each_others_sessions_through_three_rotations";

#[test]
fn eight_processes_of_skewed_clocks_resume_each_others_sessions_through_three_rotations() {
    os::serve_if_started(fleet_process);
    let folder = os::Folder::new("fleet");
    let issued = common::PKI.ca.issue(LeafSpec::server(NAME));
    issued.write(folder.file("chain.pem"), folder.file("key.pem"));
    let mut numbers = Numbers(1);
    let begin = now();
    let seed = FleetSeed::generate(begin, HOUR).unwrap();
    let client = Client::new(begin);
    let mut fleet: Vec<Peer> = Vec::new();
    // Each client holds the session of its last connection, and is back within minutes or after up to two hours.
    let mut clients: Vec<(Duration, Option<ClientSession>)> = (0..300).map(|_| (begin, None)).collect();
    let mut oldest = Vec::new();
    let (mut tried, mut resumed, mut ages) = (0_u32, 0_u32, [0_u32; 3]);
    for step in 0..3000_u64 {
        // Three rotations and some, in steps of 4 seconds.
        let truth = begin + Duration::from_secs(4 * step);
        while fleet.len() < PROCESSES && step >= u64::try_from(fleet.len()).unwrap().saturating_sub(1) * 200 {
            // Two run from the start, as wrong as clocks may be, the others join at times of their own.
            let skew = i64::try_from(SKEW).unwrap();
            let ahead = match fleet.len() {
                0 => -skew,
                1 => skew,
                _ => i64::try_from(numbers.below(2 * SKEW + 1)).unwrap() - skew,
            };
            let file = folder.file(&format!("seed-{}", fleet.len()));
            // By then the stored seed has been replaced, as is advised.
            fs::write(&file, *seed.advance(truth).unwrap().to_bytes()).unwrap();
            fleet.push(Peer::start(&folder, &file, truth, ahead));
        }
        if step == 2000 {
            // One is ended, and started anew.
            fleet[0].restart(&folder, truth);
        }
        let due: Vec<_> = (0..clients.len()).filter(|&n| clients[n].0 <= truth).collect();
        if due.is_empty() {
            continue;
        }
        client.hand.set(truth);
        let who = due[usize::try_from(numbers.below(u64::try_from(due.len()).unwrap())).unwrap()];
        let server = usize::try_from(numbers.below(u64::try_from(fleet.len()).unwrap())).unwrap();
        fleet[server].set(truth);
        let (offers, was_resumed, new) = fleet[server].serve(&client, clients[who].1.take());
        tried += u32::from(offers);
        resumed += u32::from(was_resumed);
        if truth < begin + HOUR / 2 && oldest.len() < 20 {
            oldest.push(new.to_bytes().unwrap());
        }
        let kind = usize::try_from(numbers.below(3)).unwrap();
        ages[kind] += u32::from(offers);
        let longest = [60, 600, 2 * 3600][kind];
        clients[who] = (truth + Duration::from_secs(1 + numbers.below(longest)), Some(new));
    }
    println!(
        "{resumed} of {tried} resumed by {PROCESSES} processes; {ages:?} before waits of 1, 10, 120 minutes"
    );
    assert!(tried > 1000 && fleet.len() == PROCESSES);
    assert!(u64::from(resumed) * 1000 >= u64::from(tried) * 999, "{resumed} of {tried}");
    nothing_of_before_the_base(&folder, &seed, begin, &client, &oldest);
}

/// A process whose seed begins later knows none of these sessions, though its clock says that they are new.
fn nothing_of_before_the_base(
    folder: &os::Folder,
    seed: &FleetSeed,
    begin: Duration,
    client: &Client,
    sessions: &[Zeroizing<Vec<u8>>],
) {
    client.hand.set(begin + HOUR / 2);
    for (hours, expected) in [(0, sessions.len()), (5, 0), (100, 0)] {
        let file = folder.file("seed-later");
        fs::write(&file, *seed.advance(begin + hours * HOUR).unwrap().to_bytes()).unwrap();
        let mut peer = Peer::start(folder, &file, begin + HOUR / 2, 0);
        let resumes = sessions.iter().filter(|bytes| {
            let name = ServerName::try_from(NAME).unwrap();
            let session = ClientSession::from_bytes(bytes).unwrap();
            let mut connection = ClientConnection::with_session(&client.config, name, session).unwrap();
            peer.process.connect(&mut connection, Vec::new()).resumed
        });
        let resumed = resumes.count();
        println!("a seed {hours} windows on: {resumed} of {} resumed", sessions.len());
        assert_eq!(resumed, expected);
    }
}

#[test]
fn every_age_a_session_may_have_is_resumed_by_every_clock() {
    let begin = now();
    let seed = FleetSeed::generate(begin, HOUR).unwrap();
    for start in [0, 1, 1799, 3599] {
        for minutes in [0, 1, 59, 60, 61, 109] {
            let truth = begin + Duration::from_secs(start);
            let later = truth + Duration::from_secs(minutes * 60);
            let client = Client::new(truth);
            for (sealer, opener) in [(0, 2 * SKEW), (2 * SKEW, 0)] {
                let (sealer, opener) = (Duration::from_secs(sealer), Duration::from_secs(opener));
                let sealer = Process::start(&seed, truth, sealer);
                let (_, session) = client.connect(&sealer.server, None);
                let opener = Process::start(&seed, later, opener);
                client.hand.set(later);
                assert!(client.connect(&opener.server, Some(session)).0, "{start} {minutes}");
                client.hand.set(truth);
            }
        }
    }
}

#[test]
fn nothing_of_before_the_base_is_opened_or_sealed() {
    let begin = now();
    let old = FleetSeed::generate(begin, HOUR).unwrap();
    let client = Client::new(begin);
    let right = Duration::from_secs(SKEW);
    let (_, session) = client.connect(&Process::start(&old, begin, right).server, None);
    let copy_of = |session: &ClientSession| {
        let mut inner = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
        // The client would wait no longer than it was promised: here it lies.
        inner.lifetime = 1000 * HOUR;
        ClientSession::from_bytes(&inner.to_bytes().unwrap()).unwrap()
    };
    // Ten windows on, under the same clock as before: only the seed has moved.
    let new = old.advance(begin + 10 * HOUR).unwrap();
    let process = Process::start(&new, begin, right);
    let name = ServerName::try_from(NAME).unwrap();
    let mut ends = (
        ClientConnection::with_session(&client.config, name, copy_of(&session)).unwrap(),
        ServerConnection::new(&process.server),
    );
    handshake(&mut ends.0, &mut ends.1).unwrap();
    assert!(!common::is_resumed(&ends));
    common::deliver(&mut ends.1, &mut ends.0);
    assert!(ends.0.take_session().is_none(), "no key for this time, so no ticket");
    // Under the old seed the same session is good.
    assert!(client.connect(&Process::start(&old, begin, right).server, Some(copy_of(&session))).0);
}

#[test]
fn live_servers_go_on_with_another_seed() {
    let begin = now();
    let (one, two) = (FleetSeed::generate(begin, HOUR).unwrap(), FleetSeed::generate(begin, HOUR).unwrap());
    let client = Client::new(begin);
    let keys = TicketKeys::fleet(copy(&one));
    let server = server_config().resumption(Resumption::tickets(keys.clone())).build().unwrap();
    let (_, session) = client.connect(&server, None);
    keys.seed(one.advance(begin).unwrap()).unwrap();
    let (resumed, session) = client.connect(&server, Some(session));
    assert!(resumed, "the same seed, advanced");
    keys.seed(two).unwrap();
    assert!(!client.connect(&server, Some(session)).0, "another seed");
    assert!(TicketKeys::rotating().seed(one).is_err());
}
