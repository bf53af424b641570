//! Ticket keys of a fleet: processes with one seed and no word between them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::time::Duration;

use common::{NAME, client_config, ends, handshake, server_config};
use oxtls::handshake::session::Session;
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, ClientSession, Clock, FleetSeed, ManualClock, Resumption, ServerConfig,
    ServerConnection, TicketKeys,
};

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

/// A process of the fleet: its server and its own idea of the time, so much ahead of `SKEW` behind the truth.
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

#[test]
fn eight_processes_of_skewed_clocks_resume_each_others_sessions_through_three_rotations() {
    let mut numbers = Numbers(1);
    let begin = now();
    let seed = FleetSeed::generate(begin, HOUR).unwrap();
    let client = Client::new(begin);
    // Two run from the start; the others join at times of their own, one of them with a seed that was advanced.
    let mut fleet = Vec::new();
    let (mut tried, mut resumed) = (0_u32, 0_u32);
    let mut session: Option<(Duration, ClientSession)> = None;
    for step in 0..1100_u64 {
        // Three rotations and some, in steps of 12 seconds.
        let truth = begin + Duration::from_secs(12 * step);
        while fleet.len() < PROCESSES && step >= u64::try_from(fleet.len()).unwrap().saturating_sub(1) * 100 {
            let ahead = Duration::from_secs(numbers.below(2 * SKEW + 1));
            let advanced = seed.advance(truth).unwrap();
            fleet.push(Process::start(if fleet.len() == 5 { &advanced } else { &seed }, truth, ahead));
        }
        client.hand.set(truth);
        fleet.iter().for_each(|process| process.set(truth));
        let server = usize::try_from(numbers.below(u64::try_from(fleet.len()).unwrap())).unwrap();
        let (offered, made_at) = match session.take() {
            Some((made_at, session)) if truth - made_at < 2 * HOUR - Duration::from_secs(2 * SKEW) => {
                (Some(session), made_at)
            }
            _ => (None, truth),
        };
        let offers = offered.is_some();
        let (was_resumed, new) = client.connect(&fleet[server].server, offered);
        tried += u32::from(offers);
        resumed += u32::from(was_resumed);
        // Now and then a session is kept for long, up to its end.
        let keep = if numbers.below(10) == 0 { made_at } else { truth };
        session = Some((keep, new));
    }
    println!("{resumed} of {tried} resumed");
    assert!(tried > 1000);
    assert!(resumed * 1000 >= tried * 999, "{resumed} of {tried}");
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
